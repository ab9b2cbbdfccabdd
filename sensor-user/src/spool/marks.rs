//! What is noted of an interval on its way to the collector.

use super::core::{Core, SQUEEZES};
use super::error::{SpoolError, is_full_disk, no_room};
use super::record::{MARK, Mark, Record, Series};
use super::voice::Kind;
use wire::Name;

impl Core {
    /// Notes, durably, that an interval is about to be sent.
    ///
    /// # Errors
    /// Where it must not be sent.
    pub fn mark_attempted(&mut self, name: &Name) -> Result<(), SpoolError> {
        let living = self.find(name)?;
        if !living.released {
            return Err(SpoolError::Unreleased { name: *name });
        }
        if living.attempted {
            return Ok(());
        }
        let mut failures = 0;
        let mut squeezed = 0;
        loop {
            let written = self.write(&Record::Mark(Mark::Attempted(*name)));
            let Err(error) = written.and_then(|_| self.sync(Series::Counts)) else { break };
            self.untidy = true;
            let line = format_args!("cannot note in the spool that {name} is about to be sent: {error}");
            self.voice.tell(Kind::Writing, line);
            if no_room(&error) {
                squeezed += 1;
                // This is what the reserve is for: nothing else has to go for it.
                let made = squeezed <= SQUEEZES
                    && (self.tidy()
                        || (is_full_disk(&error) && self.release_reserve())
                        || self.drop_oldest_flows()
                        || self.squeeze());
                // It may be part of another one now.
                self.find(name)?;
                if made {
                    continue;
                }
                return Err(SpoolError::Full { name: *name, needed: MARK });
            }
            failures += 1;
            if failures > 1 {
                return Err(SpoolError::Write { source: error });
            }
        }
        self.living.attempt(name);
        Ok(())
    }

    /// The collector has it.
    ///
    /// # Errors
    /// Where it is not here.
    pub fn mark_stored(&mut self, name: &Name) -> Result<(), SpoolError> {
        self.find(name)?;
        self.take_out(name);
        self.stored.insert(name);
        // Not made durable: should it be lost, the interval is sent once more, and the collector says so once more.
        let mut written = self.write(&Record::Mark(Mark::Stored(*name)));
        if written.as_ref().is_err_and(is_full_disk) && self.release_reserve() {
            written = self.write(&Record::Mark(Mark::Stored(*name)));
        }
        if let Err(error) = written {
            let line =
                format_args!("cannot note in the spool that {name} is stored: it may be sent again: {error}");
            self.voice.tell(Kind::Writing, line);
        }
        self.tidy();
        Ok(())
    }
}
