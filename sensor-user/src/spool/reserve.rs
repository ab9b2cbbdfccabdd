//! A file that is there to be removed: what a full disk needs to be emptied.
//!
//! Before an interval is sent, that is noted. On a disk that somebody else has filled it could not be, and so nothing
//! would ever leave it. The reserve's room is for these notes, and for what has to be written to make room for them: no
//! interval is taken in while it cannot be made.

use std::io;

use super::core::Core;
use super::disk::Disk;
use super::error::no_room;
use super::voice::Kind;

pub const RESERVE: &str = "reserve";

pub struct Reserve {
    /// How long it is, where it is.
    length: u64,
    here: bool,
}

impl Reserve {
    /// The reserve as it was found, so long if it was.
    pub fn new(length: u64, found: Option<u64>) -> Self {
        Self { length, here: found == Some(length) }
    }

    pub const fn is_here(&self) -> bool {
        self.here
    }

    /// Makes it where it is not there.
    fn make(&mut self, disk: &dyn Disk) -> io::Result<()> {
        if !self.here {
            disk.reserve(RESERVE, self.length)?;
            self.here = true;
        }
        Ok(())
    }

    /// Gives its room away; says whether there was any.
    fn release(&mut self, disk: &dyn Disk) -> io::Result<bool> {
        if !self.here {
            return Ok(false);
        }
        disk.remove(RESERVE)?;
        self.here = false;
        // Some file systems have the room only once the removal is durable; where that fails, writing will too.
        let _writing_will_tell = disk.sync_folder();
        Ok(true)
    }
}

impl Core {
    /// Makes the reserve, for an interval to be taken in.
    ///
    /// # Errors
    /// Where the disk has no room for it. Other reasons are none to refuse an interval.
    pub fn make_reserve(&mut self) -> io::Result<()> {
        match self.reserve.make(&*self.disk) {
            Err(error) if no_room(&error) => Err(error),
            Err(error) => {
                self.voice.tell(Kind::Writing, format_args!("cannot make the spool's {RESERVE}: {error}"));
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Gives the reserve's room away; says whether there was any.
    pub fn release_reserve(&mut self) -> bool {
        self.reserve.release(&*self.disk).unwrap_or_else(|error| {
            self.voice.tell(Kind::Removing, format_args!("cannot remove the spool's {RESERVE}: {error}"));
            false
        })
    }
}
