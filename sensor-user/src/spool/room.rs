//! Room: detail goes before counts, and counts become coarser before any is refused.

use super::core::Core;
use super::record::Series;

impl Core {
    /// Makes room for that many bytes of counts; says whether there is.
    pub fn make_room(&mut self, length: u64) -> bool {
        loop {
            if self.has_room(length, 0) {
                return true;
            }
            let made = self.tidy()
                || self.compact(4)
                || self.drop_oldest_flows()
                || self.compact_hard()
                || self.merge_oldest();
            if !made {
                return false;
            }
        }
    }

    /// The same where the disk itself is full: says whether anything became smaller.
    pub fn squeeze(&mut self) -> bool {
        self.compact(4) || self.compact_hard() || self.merge_oldest()
    }

    /// Regains even the little that is dead in the segment that is written.
    fn compact_hard(&mut self) -> bool {
        if self.compact(7) {
            return true;
        }
        let wasteful = |(number, segment): (&u64, &super::segments::Segment)| {
            self.counts.is_active(*number)
                && segment.living > 0
                && segment.living_bytes * 8 < segment.length * 6
        };
        if !self.counts.segments.iter().any(wasteful) {
            return false;
        }
        self.counts.seal(&*self.disk);
        self.compact(7)
    }

    /// Drops the oldest segment of flows that any interval needs; says whether there was one.
    pub fn drop_oldest_flows(&mut self) -> bool {
        let wanted = |segment: &super::segments::Segment| segment.living > 0 && !segment.removed;
        let oldest =
            self.flows.segments.iter().find(|(_, segment)| wanted(segment)).map(|(number, _)| *number);
        match oldest {
            Some(number) => self.drop_flows(number),
            None => {
                // Nothing but flows whose interval was not kept.
                self.flows.seal(&*self.disk);
                self.untidy = true;
                self.tidy();
                false
            }
        }
    }

    fn drop_flows(&mut self, number: u64) -> bool {
        let file = Series::Flows.file(number);
        if let Err(error) = self.flows.remove(&*self.disk, number) {
            log::warn!("cannot remove {file} from the spool: {error}");
            return false;
        }
        let before = self.totals.dropped;
        for living in self.living.values_mut() {
            if living.head.flows.is_some_and(|place| place.at.segment == number) {
                self.totals.dropped.add(&living.head);
                living.head.flows = None;
            }
        }
        if let Some(segment) = self.flows.segments.get_mut(&number) {
            segment.living = 0;
        }
        let dropped = self.totals.dropped;
        log::warn!(
            "flows of {} intervals, {} rows of {} packets, are dropped from the spool with {file}: their counts stay",
            dropped.intervals - before.intervals,
            dropped.rows - before.rows,
            dropped.packets - before.packets
        );
        true
    }

    /// Drops flows, and merges counts, that are too old at a time, in nanoseconds since the Unix epoch.
    pub fn expire(&mut self, now: u64) {
        let age = u64::try_from(self.limits.max_age.as_nanos()).unwrap_or(u64::MAX);
        let Some(time) = now.checked_sub(age) else { return };
        let is_old = |segment: &super::segments::Segment| {
            segment.living > 0 && !segment.removed && segment.newest_end < time
        };
        let old: Vec<u64> = self
            .flows
            .segments
            .iter()
            .filter(|(_, segment)| is_old(segment))
            .map(|(number, _)| *number)
            .collect();
        for number in old {
            self.drop_flows(number);
        }
        self.merge_older(time);
        self.tidy();
    }
}
