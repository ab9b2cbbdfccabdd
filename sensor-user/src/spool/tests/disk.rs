//! A disk in memory that fails, fills up, and forgets in a crash what was not made durable.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};

use nix::errno::Errno;

use super::super::disk::{Disk, DiskFile};

/// What becomes of what was not durable, in a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// All of it is gone.
    Lost,
    /// All of it is there.
    Kept,
    /// Each file is cut at some byte, each name may be gone or back.
    Torn,
}

#[derive(Clone, Debug, Default)]
struct Stored {
    data: Vec<u8>,
    /// So much is durable, but for what a failed fsync has lost.
    synced: usize,
    lost: Vec<Range<usize>>,
    named: bool,
}

impl Stored {
    /// What memory had and the disk never got is zeros from now on.
    fn forget_lost(&mut self) {
        for lost in std::mem::take(&mut self.lost) {
            let end = lost.end.min(self.data.len());
            self.data[lost.start.min(end)..end].fill(0);
        }
    }
}

#[derive(Debug)]
struct State {
    files: BTreeMap<String, Stored>,
    /// Removed, which is not durable.
    removed: BTreeMap<String, Stored>,
    random: fastrand::Rng,
    /// Changes so far.
    operations: u64,
    crash_at: Option<u64>,
    crashed: bool,
    /// Of a thousand operations so many fail.
    faults: u32,
    capacity: Option<usize>,
    /// So many fsyncs say that they failed, and did not.
    false_alarms: u32,
    broken: Broken,
}

/// What fails each time it is tried.
#[derive(Clone, Debug, Default)]
pub struct Broken {
    /// With nothing written.
    pub writes: Option<Errno>,
    pub removes: bool,
    /// Of files whose names begin so.
    pub reads: Option<(&'static str, Errno)>,
    /// The next fsync does not come back.
    pub panics: bool,
}

/// All clones are one disk.
#[derive(Clone, Debug)]
pub struct FaultDisk(Arc<Mutex<State>>);

fn failed(code: Errno) -> io::Error {
    code.into()
}

const EIO: Errno = Errno::EIO;
const ENOSPC: Errno = Errno::ENOSPC;

impl State {
    /// Counts an operation; says whether the machine stops in it.
    fn step(&mut self) -> io::Result<bool> {
        if self.crashed {
            return Err(failed(EIO));
        }
        self.operations += 1;
        self.crashed = self.crash_at == Some(self.operations);
        Ok(self.crashed)
    }

    fn is_fault(&mut self) -> bool {
        self.random.u32(0..1000) < self.faults
    }

    fn used(&self) -> usize {
        self.files.values().map(|file| file.data.len()).sum()
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> io::Result<usize> {
        let stops = self.step()?;
        if let Some(code) = self.broken.writes {
            return Err(failed(code));
        }
        let mut count = bytes.len();
        if stops || self.is_fault() {
            match self.random.u8(0..if stops { 1 } else { 3 }) {
                0 => count = self.random.usize(0..=bytes.len()),
                1 => return Err(failed(EIO)),
                _ => return Err(failed(ENOSPC)),
            }
        }
        let room = self.capacity.map_or(usize::MAX, |capacity| capacity.saturating_sub(self.used()));
        if room == 0 && !bytes.is_empty() {
            return Err(failed(ENOSPC));
        }
        let file = self.files.get_mut(name).expect("a file that is written to is there");
        count = count.min(room);
        file.data.extend(&bytes[..count]);
        if stops { Err(failed(EIO)) } else { Ok(count) }
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        let stops = self.step()?;
        let is_false_alarm = self.false_alarms > 0;
        self.false_alarms = self.false_alarms.saturating_sub(1);
        let is_fault = stops || is_false_alarm || self.is_fault();
        let is_durable = !is_fault || is_false_alarm || self.random.bool();
        let is_clean = self.random.bool();
        // A removed file's handle can be synced, to no avail.
        if let Some(file) = self.files.get_mut(name) {
            if !is_durable && !stops && is_clean {
                // The kernel takes the pages for clean, so no later fsync writes them.
                file.lost.push(file.synced..file.data.len());
            }
            if is_durable || (!stops && is_clean) {
                file.synced = file.data.len();
            }
        }
        if is_fault { Err(failed(EIO)) } else { Ok(()) }
    }
}

impl FaultDisk {
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            files: BTreeMap::new(),
            removed: BTreeMap::new(),
            random: fastrand::Rng::with_seed(seed),
            operations: 0,
            crash_at: None,
            crashed: false,
            faults: 0,
            capacity: None,
            false_alarms: 0,
            broken: Broken::default(),
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    pub fn crash_after(&self, operations: u64) {
        let mut state = self.state();
        state.crash_at = Some(state.operations + operations);
    }

    pub fn has_crashed(&self) -> bool {
        self.state().crashed
    }

    pub fn set_faults(&self, of_thousand: u32) {
        self.state().faults = of_thousand;
    }

    pub fn raise_false_alarms(&self, count: u32) {
        self.state().false_alarms = count;
    }

    pub fn set_capacity(&self, capacity: Option<usize>) {
        self.state().capacity = capacity;
    }

    pub fn break_down(&self, broken: Broken) {
        self.state().broken = broken;
    }

    pub fn length_of(&self, name: &str) -> u64 {
        self.state().files.get(name).map_or(0, |file| file.data.len() as u64)
    }

    pub fn used(&self) -> usize {
        self.state().used()
    }

    pub fn names(&self) -> Vec<String> {
        self.state().files.keys().cloned().collect()
    }

    /// The machine stops, if it has not, and starts again.
    pub fn crash(&self, how: Crash) {
        let mut state = self.state();
        let State { files, removed, random, crash_at, crashed, .. } = &mut *state;
        let mut survives = |kept: Crash| how == kept || (how == Crash::Torn && random.bool());
        let mut after = std::mem::take(files);
        after.retain(|_, file| file.named || survives(Crash::Kept));
        for (name, file) in std::mem::take(removed) {
            if file.named && survives(Crash::Lost) {
                after.entry(name).or_insert(file);
            }
        }
        for file in after.values_mut() {
            let kept = match how {
                Crash::Lost => file.synced,
                Crash::Kept => file.data.len(),
                Crash::Torn => random.usize(file.synced..=file.data.len()),
            };
            file.data.truncate(kept);
            file.forget_lost();
            file.synced = kept;
            file.named = true;
        }
        *files = after;
        *crash_at = None;
        *crashed = false;
    }
}

impl Disk for FaultDisk {
    fn list(&self, folder: &str) -> io::Result<Vec<(String, Option<u64>)>> {
        let state = self.state();
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let inside = state.files.iter().filter_map(|(name, file)| {
            let name = name.strip_prefix(&prefix)?;
            (!name.contains('/')).then(|| (name.to_owned(), Some(file.data.len() as u64)))
        });
        Ok(inside.collect())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.state();
        let stops = state.step()?;
        if state.files.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let is_fault = stops || state.is_fault();
        if !is_fault || state.random.bool() {
            state.files.insert(name.into(), Stored::default());
        }
        if is_fault { Err(failed(EIO)) } else { Ok(Box::new(Open { disk: self.clone(), name: name.into() })) }
    }

    fn read(&self, name: &str, offset: u64, length: u64) -> io::Result<Vec<u8>> {
        let mut state = self.state();
        if state.crashed || state.is_fault() {
            return Err(failed(EIO));
        }
        if let Some((begin, code)) = state.broken.reads
            && name.starts_with(begin)
        {
            return Err(failed(code));
        }
        let file = state.files.get(name).ok_or(io::ErrorKind::NotFound)?;
        let start = (offset as usize).min(file.data.len());
        let end = (start + length as usize).min(file.data.len());
        Ok(file.data[start..end].to_vec())
    }

    fn length(&self, name: &str) -> io::Result<u64> {
        let state = self.state();
        let file = state.files.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(file.data.len() as u64)
    }

    fn settle(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.sync(name)?;
        let file = state.files.get_mut(name).ok_or(io::ErrorKind::NotFound)?;
        file.forget_lost();
        Ok(())
    }

    fn sync_folder(&self) -> io::Result<()> {
        let mut state = self.state();
        let stops = state.step()?;
        let is_fault = stops || state.is_fault();
        if !is_fault || state.random.bool() {
            state.files.values_mut().for_each(|file| file.named = true);
            state.removed.clear();
        }
        if is_fault { Err(failed(EIO)) } else { Ok(()) }
    }

    fn reserve(&self, name: &str, length: u64) -> io::Result<()> {
        let mut state = self.state();
        let stops = state.step()?;
        state.files.remove(name);
        let room = state.capacity.map_or(usize::MAX, |capacity| capacity.saturating_sub(state.used()));
        if room < length as usize || state.broken.writes == Some(ENOSPC) {
            return Err(failed(ENOSPC));
        }
        if stops || state.is_fault() {
            return Err(failed(EIO));
        }
        let length = length as usize;
        let file = Stored { data: vec![0; length], synced: length, ..Stored::default() };
        state.files.insert(name.into(), file);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        let stops = state.step()?;
        let is_fault = stops || state.broken.removes || state.is_fault();
        let happens = !is_fault || (stops && state.random.bool());
        if happens {
            let file = state.files.remove(name).ok_or(io::ErrorKind::NotFound)?;
            state.removed.insert(name.into(), file);
        }
        if is_fault { Err(failed(EIO)) } else { Ok(()) }
    }

    fn make_folder(&self, _name: &str) -> io::Result<()> {
        Ok(())
    }
}

struct Open {
    disk: FaultDisk,
    name: String,
}

impl DiskFile for Open {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.disk.state().write(&self.name, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        let panics = std::mem::take(&mut self.disk.state().broken.panics);
        assert!(!panics, "the disk does not come back");
        self.disk.state().sync(&self.name)
    }
}
