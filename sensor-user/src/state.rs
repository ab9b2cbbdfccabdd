//! The control record and the totals reported so far: what one agent leaves to the next.

use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

use aya::maps::{MapData, MapError};
use sensor_ebpf::abi::{
    ABI_VERSION, AttachMode, Control, CpuCounters, INTERFACES, InterfaceRecord, MAGIC, WATCHED_WINDOWS, maps,
};

use crate::counters::Totals;
use crate::digests::{RingMaps, rings_of};
use crate::mapping::{MappedArray, MappingError};
use crate::pins::Pins;
use crate::program::{NO_WINDOW, Plan};
use crate::watcher::Watcher;

/// Why a pinned set cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("no permission to open the pinned set in {path}: run as root")]
    Permission { path: std::path::PathBuf },
    #[error("cannot open the pinned map {name}: {source}")]
    Open { name: &'static str, source: MapError },
    #[error(
        "the pinned set in {path} is of ABI version {found}, this agent's is {ABI_VERSION}: run `apus-sensor detach \
         --pin-directory {path}`, which ends that set's counts, or an agent of that version"
    )]
    Version { path: std::path::PathBuf, found: u32 },
    #[error(
        "the pinned set in {path} is not a sensor's, or was never finished: run `apus-sensor detach --pin-directory {path}`"
    )]
    Foreign { path: std::path::PathBuf },
    #[error(transparent)]
    Mapping(#[from] MappingError),
    #[error(
        "{wanted} windows to watch besides {used} that were watched since the counters began, at most \
         {WATCHED_WINDOWS} in all: run `apus-sensor detach` to begin anew"
    )]
    Windows { wanted: usize, used: usize },
    #[error("{INTERFACES} interfaces are attached already, and no more fit")]
    Interfaces,
}

/// The maps of a sensor, mapped.
pub struct State {
    pub watcher: Watcher,
    /// Absent where an agent was killed while it changed their size.
    pub rings: Option<RingMaps>,
    reported: MappedArray<CpuCounters>,
}

impl State {
    /// Opens a pinned set's maps.
    ///
    /// # Errors
    /// Where they are not this agent's kind, or there is no permission.
    pub fn open(pins: &Pins) -> Result<Self, StateError> {
        let control = open(pins, maps::CONTROL)?;
        let [magic, found] = first_words(&control)?;
        if magic != MAGIC {
            return Err(StateError::Foreign { path: pins.path().into() });
        }
        if found != ABI_VERSION {
            return Err(StateError::Version { path: pins.path().into(), found });
        }
        let watcher =
            Watcher::from_mappings(mapped(pins, maps::COUNTERS)?, MappedArray::new(maps::CONTROL, &control)?);
        Ok(Self { rings: rings(pins, &watcher)?, watcher, reported: mapped(pins, maps::REPORTED)? })
    }

    /// Whether the maps were made and never became a sensor's: their agent was killed at its start.
    ///
    /// # Errors
    /// Where there is no permission to look.
    pub fn is_unfinished(pins: &Pins) -> Result<bool, StateError> {
        Ok(first_words(&open(pins, maps::CONTROL)?)? == [0, 0])
    }

    /// Makes the fresh maps of a loaded object a sensor's.
    ///
    /// # Errors
    /// Where the object is of another layout.
    pub fn begin(ebpf: &aya::Ebpf, plan: &Plan, now: u64) -> Result<Self, StateError> {
        let state = Self {
            watcher: Watcher::new(ebpf)?,
            rings: Some(RingMaps::new(ebpf, plan.rings)?),
            reported: MappedArray::of(maps::REPORTED, ebpf)?,
        };
        let slots = state.watcher.slots();
        state.update(|control| {
            control.abi_version = ABI_VERSION;
            control.slots = slots;
            (control.ring_records, control.ring_records_ipv6) = (plan.rings.records, plan.rings.records_ipv6);
            control.evidence_ring_bytes = plan.evidence_ring_bytes;
            control.epoch_unix_nanoseconds = now;
            control.reported_unix_nanoseconds = now;
            control.magic = MAGIC;
        });
        Ok(state)
    }

    /// A copy of the control record.
    #[must_use]
    pub fn control(&self) -> Control {
        // SAFETY: an entry of the mapping. Its one writer is the agent that holds the lock; a reader
        // beside it may see a record that is being added, never one that does not exist.
        unsafe { ptr::read_volatile(self.watcher.control()) }
    }

    /// Changes the control record; for the one agent that holds the lock, or made the maps.
    pub fn update(&self, change: impl FnOnce(&mut Control)) {
        let mut control = self.control();
        change(&mut control);
        // SAFETY: as in `control`; and only a cut, by this same agent, writes the active bank.
        unsafe { ptr::write_volatile(self.watcher.control(), control) };
    }

    /// The totals as of the last interval reported.
    #[must_use]
    pub fn reported(&self) -> Totals {
        let mut totals = Totals::default();
        // SAFETY: an entry of the mapping.
        unsafe { totals.add(self.reported.entry(bank(self.control().sequence))) };
        totals
    }

    /// Keeps the totals that an interval ended with, for the agent after this one. The sequence number
    /// comes last and decides which of the two copies is valid, so that no kill leaves half of one.
    pub fn set_reported(&self, totals: &Totals, end: u64) {
        let sequence = self.control().sequence + 1;
        let control = self.watcher.control();
        // SAFETY: entries of the mappings; this agent alone writes them.
        unsafe {
            totals.store(self.reported.entry(bank(sequence)));
            AtomicU64::from_ptr(&raw mut (*control).reported_unix_nanoseconds).store(end, Ordering::Release);
            AtomicU64::from_ptr(&raw mut (*control).sequence).store(sequence, Ordering::Release);
        }
    }
}

fn rings(pins: &Pins, watcher: &Watcher) -> Result<Option<RingMaps>, StateError> {
    let names = [maps::RINGS, maps::IPV4_DIGESTS, maps::IPV6_DIGESTS];
    if !names.into_iter().all(|name| pins.map(name).exists()) {
        return Ok(None);
    }
    let positions = mapped(pins, maps::RINGS)?;
    // SAFETY: an entry of the mapping, read whole.
    let plan = rings_of(&unsafe { ptr::read_volatile(watcher.control()) }, positions.entries());
    let (ipv4, ipv6) = (mapped(pins, maps::IPV4_DIGESTS)?, mapped(pins, maps::IPV6_DIGESTS)?);
    Ok(RingMaps::from_mappings(positions, ipv4, ipv6, plan).ok())
}

fn mapped<T>(pins: &Pins, name: &'static str) -> Result<MappedArray<T>, StateError> {
    Ok(MappedArray::new(name, &open(pins, name)?)?)
}

fn open(pins: &Pins, name: &'static str) -> Result<MapData, StateError> {
    MapData::from_pin(pins.map(name)).map_err(|source| match source {
        MapError::SyscallError(error)
            if matches!(error.io_error.raw_os_error(), Some(libc::EPERM | libc::EACCES)) =>
        {
            StateError::Permission { path: pins.path().into() }
        }
        source => StateError::Open { name, source },
    })
}

/// The magic number and the ABI version, which keep their places in every version: they are read before
/// anything is believed of the rest.
fn first_words(control: &MapData) -> Result<[u32; 2], StateError> {
    let words = MappedArray::<[u32; 2]>::prefix_of(maps::CONTROL, control)?;
    // SAFETY: an entry of the mapping, aligned to its page.
    Ok(unsafe { ptr::read_volatile(words.entry(0)) })
}

fn bank(sequence: u64) -> u32 {
    u32::from(!sequence.is_multiple_of(2))
}

/// The places of watched windows: those that a window ever had in this epoch stay its own, so that no
/// counter changes its meaning. A place whose window is watched no more is [`NO_WINDOW`] to the program.
///
/// Gives the record's places, and what goes into the program.
///
/// # Errors
/// Where more windows were watched in this epoch than there are places.
pub fn place_windows(control: &Control, watched: &[u16]) -> Result<(Vec<u32>, Vec<u32>), StateError> {
    let used = control.watched_window_count as usize;
    let mut record: Vec<u32> = control.watched_windows[..used.min(WATCHED_WINDOWS)].to_vec();
    let new: Vec<u32> =
        watched.iter().copied().map(u32::from).filter(|window| !record.contains(window)).collect();
    if record.len() + new.len() > WATCHED_WINDOWS {
        return Err(StateError::Windows { wanted: new.len(), used });
    }
    record.extend(new);
    let program =
        record
            .iter()
            .map(|window| {
                if watched.iter().any(|watched| u32::from(*watched) == *window) { *window } else { NO_WINDOW }
            })
            .collect();
    Ok((record, program))
}

impl State {
    /// The windows behind the counters, in their order.
    #[must_use]
    pub fn windows(&self) -> Vec<u16> {
        let control = self.control();
        let used = (control.watched_window_count as usize).min(WATCHED_WINDOWS);
        control.watched_windows[..used].iter().filter_map(|window| u16::try_from(*window).ok()).collect()
    }

    /// Notes an attached interface.
    ///
    /// # Errors
    /// Where as many are attached as there is room for.
    pub fn add_interface(
        &self,
        index: u32,
        name: &str,
        driver: &str,
        mode: AttachMode,
        now: u64,
    ) -> Result<(), StateError> {
        let control = self.control();
        let place =
            control.interfaces.iter().position(|record| record.index == 0).ok_or(StateError::Interfaces)?;
        let record = InterfaceRecord {
            index,
            mode: mode as u32,
            attached_unix_nanoseconds: now,
            name: padded(name),
            driver: padded(driver),
        };
        self.update(|control| control.interfaces[place] = record);
        Ok(())
    }

    /// Forgets an interface.
    pub fn remove_interface(&self, index: u32) {
        const UNUSED: InterfaceRecord = InterfaceRecord {
            index: 0,
            mode: 0,
            attached_unix_nanoseconds: 0,
            name: [0; 16],
            driver: [0; 32],
        };
        self.update(|control| {
            control
                .interfaces
                .iter_mut()
                .filter(|record| record.index == index)
                .for_each(|record| *record = UNUSED);
        });
    }
}

/// A name as its record holds it, cut where it does not fit.
fn padded<const N: usize>(name: &str) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.iter_mut().zip(name.bytes()).for_each(|(place, byte)| *place = byte);
    bytes
}

/// A name from its record.
#[must_use]
pub fn unpadded(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}
