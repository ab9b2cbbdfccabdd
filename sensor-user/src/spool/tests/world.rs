//! An agent, a collector and a disk around a spool, and what a plain model says of all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::{Interval, Limits, Name, Spool, SpoolError};
use super::disk::{Crash, FaultDisk};
use super::{counts, flows_of, setup, sum};

/// What happens.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// An interval is kept, with so many bytes of counts and of flows.
    Append {
        counts: usize,
        flows: Option<usize>,
        released: bool,
        tag: u8,
    },
    /// The oldest but so many is sent; the collector stores it or not, and its answer arrives or not.
    Ship {
        skip: usize,
        stored: bool,
        answered: bool,
    },
    ReleaseAll,
    /// The collector says of one that it has stored already that it has, though nobody asked again.
    LateAnswer {
        which: usize,
    },
    /// The sensor begins to count anew.
    Epoch,
    /// The agent is killed, and started again: what it wrote is there, durable or not.
    Kill,
    Crash(Crash),
    /// The machine stops in the middle of what comes.
    CrashSoon {
        operations: u64,
        how: Crash,
    },
    /// Of a thousand operations so many fail.
    Faults(u32),
    Capacity(Option<usize>),
}

pub struct World {
    pub disk: FaultDisk,
    pub spool: Option<Spool>,
    limits: Limits,
    epoch: u64,
    sequence: u64,
    /// What was acknowledged: value by epoch and sequence.
    kept: BTreeMap<(u64, u64), u64>,
    /// What was not, and may be found nevertheless.
    unsure: BTreeMap<(u64, u64), Vec<u64>>,
    attempted: BTreeSet<Name>,
    /// What the collector has stored.
    collector: BTreeMap<Name, u64>,
    answered: BTreeSet<Name>,
    how: Crash,
    faults: u32,
    values: u64,
    pub refused: u64,
}

impl World {
    pub fn new(seed: u64, limits: Limits) -> Self {
        let mut world = Self {
            disk: FaultDisk::new(seed),
            spool: None,
            limits,
            epoch: 1,
            sequence: 0,
            kept: BTreeMap::new(),
            unsure: BTreeMap::new(),
            attempted: BTreeSet::new(),
            collector: BTreeMap::new(),
            answered: BTreeSet::new(),
            how: Crash::Torn,
            faults: 0,
            values: 0,
            refused: 0,
        };
        world.open();
        world
    }

    fn spool(&self) -> &Spool {
        self.spool.as_ref().expect("a spool is open between steps")
    }

    /// Opens the spool; the agent looks for what it did not come to note.
    fn open(&mut self) {
        self.disk.set_faults(0);
        self.disk.set_capacity(None);
        let open = || Spool::on(Arc::new(self.disk.clone()), setup(self.limits));
        let mut opened = open();
        if self.disk.has_crashed() {
            self.disk.crash(self.how);
            opened = open();
        }
        let (spool, _) = opened.expect("a spool can be opened after whatever crash");
        // Of an epoch that is over nobody counts on: what was found of it is found.
        for epoch in 1..=self.epoch {
            let Some(last) = spool.last(epoch) else { continue };
            let Some(tried) = self.unsure.get(&(epoch, last.last)) else { continue };
            assert_eq!(last, Name::one(epoch, last.last), "one interval at most was not noted");
            let value = sum(&spool.read_counts(&last).unwrap());
            assert!(tried.contains(&value), "{last} has {value}, and was given {tried:?}");
            self.kept.insert((epoch, last.last), value);
            self.unsure.remove(&(epoch, last.last));
            if epoch == self.epoch {
                self.sequence += 1;
                assert_eq!(self.sequence, last.last + 1);
            }
        }
        spool.release_all();
        self.spool = Some(spool);
        self.check();
        self.disk.set_faults(self.faults);
    }

    pub fn restart(&mut self, crash: Option<Crash>) {
        self.spool = None;
        if let Some(how) = crash {
            self.disk.crash(how);
        }
        self.open();
    }

    pub fn step(&mut self, step: Step) {
        match step {
            Step::Append { counts, flows, released, tag } => self.append(counts, flows, released, tag),
            Step::Ship { skip, stored, answered } => self.ship(skip, stored, answered),
            Step::ReleaseAll => self.spool().release_all(),
            Step::LateAnswer { which } => {
                let name = self.collector.keys().nth(which % self.collector.len().max(1)).copied();
                if let Some(name) = name {
                    self.answer(&name);
                }
            }
            Step::Epoch => {
                self.epoch += 1;
                self.sequence = 0;
            }
            Step::Kill => self.restart(None),
            Step::Crash(how) => self.restart(Some(how)),
            Step::CrashSoon { operations, how } => {
                self.how = how;
                self.disk.crash_after(operations);
            }
            Step::Faults(of_thousand) => {
                self.faults = of_thousand;
                self.disk.set_faults(of_thousand);
            }
            Step::Capacity(capacity) => self.disk.set_capacity(capacity),
        }
        if self.disk.has_crashed() {
            self.restart(Some(self.how));
        }
        self.check();
    }

    fn append(&mut self, length: usize, flows: Option<usize>, released: bool, tag: u8) {
        let name = Name::one(self.epoch, self.sequence);
        self.values += 1;
        let value = self.values * 1000 + self.sequence;
        let interval = Interval {
            name,
            end: (self.epoch * 100 + self.sequence) * 1_000_000_000,
            counts: counts(value, tag, length),
            flows: flows.map(|length| flows_of(&name, length)),
            flow_rows: 1,
            flow_packets: 2,
        };
        match self.spool().append(&interval) {
            Ok(_) => {
                self.kept.insert((name.epoch, name.first), value);
                self.unsure.remove(&(name.epoch, name.first));
                self.sequence += 1;
                if released {
                    self.spool().release(&name).unwrap();
                }
                let status = self.spool().status();
                assert!(status.bytes <= self.limits.max_bytes, "{status:?}");
            }
            Err(SpoolError::Full { .. } | SpoolError::Write { .. }) => {
                self.unsure.entry((name.epoch, name.first)).or_default().push(value);
                self.refused += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn ship(&mut self, skip: usize, stored: bool, answered: bool) {
        let names = self.spool().oldest(skip + 1, &|_| false);
        let Some(name) = names.get(skip).copied() else { return };
        // A read that fails may fail but once.
        let Ok(batch) = self.spool().read(&name) else { return };
        if let Some(flows) = &batch.flows {
            assert_eq!(*flows, flows_of(&name, flows.len()));
        }
        if self.spool().mark_attempted(&name).is_err() {
            return;
        }
        self.attempted.insert(name);
        if stored {
            self.store(name, sum(&batch.counts));
        }
        if answered {
            self.answer(&name);
        }
    }

    fn store(&mut self, name: Name, value: u64) {
        assert_eq!(value, self.sum(&name), "{name}");
        if !self.collector.contains_key(&name) {
            let twice = self.collector.keys().find(|other| other.overlaps(&name));
            assert_eq!(twice, None, "{name} has counts that the collector has already");
            self.collector.insert(name, value);
        }
    }

    fn answer(&mut self, name: &Name) {
        if self.collector.contains_key(name) && self.spool().mark_stored(name).is_ok() {
            self.answered.insert(*name);
        }
    }

    /// What the model has of an interval.
    fn sum(&self, name: &Name) -> u64 {
        let value = |sequence| self.kept.get(&(name.epoch, sequence)).copied();
        (name.first..=name.last).map(|sequence| value(sequence).expect("it was kept")).sum()
    }

    /// Holds the spool against the model.
    pub fn check(&mut self) {
        self.disk.set_faults(0);
        let spool = self.spool();
        let living: Vec<(Name, bool)> =
            spool.lock().living.iter().map(|living| (living.head.name, living.attempted)).collect();
        let mut readable: BTreeSet<(u64, u64)> = BTreeSet::new();
        for (name, attempted) in &living {
            assert_eq!(sum(&spool.read_counts(name).unwrap()), self.sum(name), "{name}");
            for sequence in name.first..=name.last {
                assert!(readable.insert((name.epoch, sequence)), "{sequence} is there twice");
            }
            for sent in self.attempted.iter().filter(|sent| sent.overlaps(name)) {
                assert_eq!(sent, name, "it was attempted, and then merged");
                assert!(attempted, "{name} was attempted, which is forgotten");
            }
        }
        for name in self.collector.keys() {
            readable.extend((name.first..=name.last).map(|sequence| (name.epoch, sequence)));
        }
        let kept: BTreeSet<(u64, u64)> = self.kept.keys().copied().collect();
        assert_eq!(readable, kept, "what was acknowledged is here or stored, and nothing else");
        let unanswered = self.attempted.iter().filter(|name| !self.answered.contains(name));
        for name in unanswered {
            assert!(living.iter().any(|(here, _)| here == name), "{name} was never answered, and is gone");
        }
        let status = spool.status();
        let files = self.disk.names().into_iter().filter(|name| name.ends_with(".segment"));
        let on_disk: u64 = files.map(|name| self.disk.length_of(&name)).sum();
        // A file whose making failed may be there with nothing in it.
        assert_eq!(status.bytes, on_disk, "{status:?}");
        assert!(status.bytes <= self.limits.max_bytes, "{status:?}");
        self.disk.set_faults(self.faults);
    }

    /// The collector takes all, and has everything once.
    pub fn finish(&mut self) {
        self.faults = 0;
        self.disk.crash_after(u64::MAX / 2);
        self.restart(None);
        while let Some(name) = self.spool().oldest(1, &|_| false).first().copied() {
            self.ship(0, true, true);
            assert!(self.answered.contains(&name));
        }
        let stored: u64 = self.collector.values().sum();
        assert_eq!(stored, self.kept.values().sum::<u64>());
        self.check();
    }
}
