//! Room: detail goes before counts, and counts become coarser before any is refused.

use super::core::Core;
use super::record::Series;
use super::status::Dropped;
use super::voice::Kind;

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
        self.seal(Series::Counts);
        self.compact(7)
    }

    /// Ends a segment. What of it was not durable is void should that fail.
    fn seal(&mut self, series: Series) {
        let log = match series {
            Series::Counts => &mut self.counts,
            Series::Flows => &mut self.flows,
        };
        if let Err(error) = log.seal(&*self.disk) {
            self.voice.tell(Kind::Writing, format_args!("cannot end a segment of the spool well: {error}"));
        }
    }

    /// Drops the oldest segment of flows that any interval needs; says whether there was one.
    pub fn drop_oldest_flows(&mut self) -> bool {
        let wanted = |segment: &super::segments::Segment| segment.living > 0 && !segment.removed;
        let oldest =
            self.flows.segments.iter().find(|(_, segment)| wanted(segment)).map(|(number, _)| *number);
        match oldest {
            Some(number) => self.drop_flows(number, "room"),
            None => {
                // Nothing but flows whose interval was not kept.
                self.seal(Series::Flows);
                self.untidy = true;
                self.tidy();
                false
            }
        }
    }

    fn drop_flows(&mut self, number: u64, why: &str) -> bool {
        let file = Series::Flows.file(number);
        if let Err(error) = self.flows.remove(&*self.disk, number) {
            self.voice.tell(Kind::Removing, format_args!("cannot remove {file} from the spool: {error}"));
            return false;
        }
        let mut dropped = Dropped::default();
        for head in self.living.drop_flows(|place| place.at.segment == number) {
            dropped.add(&head);
        }
        if let Some(segment) = self.flows.segments.get_mut(&number) {
            segment.living = 0;
        }
        self.totals.dropped.join(&dropped);
        self.voice.tell_dropped(dropped, format_args!("{file} is removed for {why}"));
        true
    }

    /// Drops flows, and merges counts, that are too old when an interval ended, in nanoseconds since the Unix epoch.
    pub fn expire(&mut self, end: u64) {
        let now = self.age.now(end);
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
            self.drop_flows(number, "age");
        }
        self.merge_older(time);
        self.tidy();
    }
}
