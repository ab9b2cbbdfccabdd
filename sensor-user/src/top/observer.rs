//! Gathering: counters, rings and pinned files of a sensor, at every refresh.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use sensor_ebpf::abi::{AttachMode, Control, maps};

use super::TopError;
use super::history::History;
use super::model::{Digests, Interface, Model, Rates, Tables};
use super::peeker::Peeker;
use super::sources::{List, Order, Sources};
use crate::digests::RingMaps;
use crate::interval::timestamp;
use crate::pins::Pins;
use crate::state::{State, StateError, unpadded};

/// How often in a row a set may be found half changed: an agent that begins takes a moment.
const PATIENCE: u32 = 10;

/// Whoever looks at one pinned set.
pub struct Observer {
    pins: Pins,
    set: Set,
    /// Refreshes since the set has become another that cannot be opened yet.
    waited: u32,
}

/// The maps of a set, and what was seen of them.
struct Set {
    identity: Identity,
    state: State,
    history: History,
    rings: RingMaps,
    peeker: Peeker,
    sources: Sources,
}

/// What tells a set from one that was pinned in its place, or has other rings: the files of both maps, and
/// the size of the rings.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Identity {
    control: u64,
    rings: u64,
    records: [u32; 2],
}

impl Observer {
    pub fn open(pins: Pins) -> Result<Self, TopError> {
        if !pins.exists()? || !pins.map(maps::CONTROL).exists() {
            return Err(TopError::Absent { path: pins.path().into() });
        }
        Ok(Self { set: Set::open(&pins)?, pins, waited: 0 })
    }

    /// Looks at everything there is.
    pub fn refresh(&mut self, order: Order) -> Result<Model, TopError> {
        self.follow()?;
        let now = Instant::now();
        let Set { state, rings, history, peeker, sources, .. } = &mut self.set;
        let windows = state.windows();
        // The fill first: the agent may drain meanwhile, and a full ring is what matters.
        let (waiting, room) = if rings.plan().is_on() { rings.fullest() } else { (0, 0) };
        history.add(state.watcher.glance(), now);
        sources.begin(now, windows.clone());
        peeker.look(rings, sources);
        sources.end();

        let shrunk = || TopError::Shrunk { path: self.pins.path().into() };
        let (refresh, minute) = (history.refresh().ok_or_else(shrunk)?, history.minute().ok_or_else(shrunk)?);
        let totals = history.totals();
        let control = state.control();
        let time = Timestamp::now();
        let age = time.duration_since(timestamp(control.epoch_unix_nanoseconds.into()));
        let age = Duration::try_from(age).unwrap_or_default();
        let model = Model {
            now: time,
            age,
            interfaces: interfaces(&control),
            drops: control.drop_observed != 0,
            agent_runs: self.pins.is_locked(),
            rates: Rates::new(&refresh),
            packets: totals.packets,
            digests: Digests {
                on: rings.plan().is_on(),
                waiting,
                room,
                lost: totals.digests_lost.iter().sum(),
                lost_in_minute: minute.totals.digests_lost.iter().sum(),
            },
            minute: Tables::new(minute.seconds, &minute.totals, &windows),
            refresh: Tables::new(refresh.seconds, &refresh.totals, &windows),
            all: Tables::new(age.as_secs_f64(), totals, &windows),
            sources: sources.list(order),
        };
        if history.roll() {
            sources.roll();
        }
        Ok(model)
    }

    /// The sources as they were at the last refresh, in another order.
    pub fn sources(&self, order: Order) -> List {
        self.set.sources.list(order)
    }

    /// An agent may have changed the rings, or begun anew, since the last look: then so does this.
    fn follow(&mut self) -> Result<(), TopError> {
        let control = self.set.state.control();
        match Identity::of(&self.pins, &control) {
            // The files of rings are away for a moment where they become others.
            Some(found) if found != self.set.identity && found.rings != 0 => match Set::open(&self.pins) {
                Ok(set) => (self.set, self.waited) = (set, 0),
                Err(_) if self.waited < PATIENCE => self.waited += 1,
                Err(error) => return Err(error),
            },
            Some(_) => self.waited = 0,
            None => return Err(TopError::Detached { path: self.pins.path().into() }),
        }
        Ok(())
    }
}

impl Set {
    fn open(pins: &Pins) -> Result<Self, TopError> {
        let mut state = State::open(pins)?;
        // Absent where an agent was killed while it changed them.
        let rings = state.rings.take().ok_or_else(|| StateError::Foreign { path: pins.path().into() })?;
        let now = Instant::now();
        let identity = Identity::of(pins, &state.control())
            .ok_or_else(|| TopError::Detached { path: pins.path().into() })?;
        // Digests first, so that none of them is of a packet from before the counters' first look.
        let peeker = Peeker::new(&rings);
        Ok(Self {
            identity,
            history: History::new(state.watcher.glance(), now),
            peeker,
            sources: Sources::new(state.windows(), now),
            rings,
            state,
        })
    }
}

impl Identity {
    /// `None` where the control record is pinned no more.
    fn of(pins: &Pins, control: &Control) -> Option<Self> {
        let file = |name| fs::metadata(pins.map(name)).map(|file| file.ino());
        Some(Self {
            control: file(maps::CONTROL).ok()?,
            rings: file(maps::RINGS).unwrap_or(0),
            records: [control.ring_records, control.ring_records_ipv6],
        })
    }
}

fn interfaces(control: &Control) -> Vec<Interface> {
    let used = control.interfaces.iter().filter(|record| record.index != 0);
    used.map(|record| Interface {
        name: unpadded(&record.name),
        mode: if record.mode == AttachMode::Native as u32 { "native" } else { "generic" },
    })
    .collect()
}
