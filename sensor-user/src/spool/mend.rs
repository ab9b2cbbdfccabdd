//! What becomes of segments in which writing failed, so that a disk that goes on failing does not fill up with them.

use std::io;

use super::core::Core;
use super::record::{MARK, Series};
use super::voice::Kind;

/// So many segments of counts may have failed after something in them was kept. Each one that follows says of all that
/// they have.
const MOST_VOID: usize = 32;

impl Core {
    /// Before an interval is taken in: brings together what is alive in segments that have failed, where they are many.
    ///
    /// # Errors
    /// Where they stay many, since the disk goes on failing.
    pub fn mend(&mut self) -> io::Result<()> {
        if self.counts.voids.len() < MOST_VOID {
            return Ok(());
        }
        let numbers: Vec<u64> = self.counts.voids.keys().copied().collect();
        let gathered = numbers.into_iter().try_for_each(|number| self.gather(number));
        self.untidy = true;
        self.tidy();
        match gathered {
            _ if self.counts.voids.len() < MOST_VOID => Ok(()),
            Err(error) => {
                let count = self.counts.voids.len();
                Err(io::Error::new(error.kind(), format!("it has failed in {count} files already: {error}")))
            }
            // There was no room to do it; they say themselves that they are many in the space they take.
            Ok(()) => Ok(()),
        }
    }

    /// Copies what is alive in a segment, and removes it.
    fn gather(&mut self, number: u64) -> io::Result<()> {
        let Some(segment) = self.counts.segments.get(&number).filter(|segment| !segment.removed) else {
            return Ok(());
        };
        let (living, living_bytes) = (segment.living, segment.living_bytes);
        if living > 0 {
            if !self.fits(living_bytes + self.needed_without(number).len() as u64 * MARK) {
                return Ok(());
            }
            self.copy_living(number)?;
        }
        if self.counts.segments.get(&number).is_some_and(|segment| segment.living == 0) {
            let marks = self.needed_without(number);
            self.retire(number, &marks).inspect_err(|error| {
                let file = Series::Counts.file(number);
                self.voice.tell(Kind::Removing, format_args!("cannot remove {file} from the spool: {error}"));
            })?;
        }
        Ok(())
    }
}
