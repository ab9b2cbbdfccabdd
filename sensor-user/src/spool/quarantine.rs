//! Where bytes go that cannot be read, for somebody to look at.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;

use super::disk::Disk;
use super::record::Series;
use super::voice::{Kind, Voice};

const FOLDER: &str = "quarantine";
/// The most that is kept, whatever the spool's size.
const MOST: u64 = 16 << 20;

pub struct Quarantine {
    disk: Arc<dyn Disk>,
    most: u64,
    bytes: u64,
    names: HashSet<String>,
    voice: Arc<Voice>,
}

impl Quarantine {
    /// The quarantine of a spool, of at most a sixteenth of its size.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn open(disk: Arc<dyn Disk>, spool_bytes: u64, voice: Arc<Voice>) -> io::Result<Self> {
        let mut quarantine =
            Self { most: (spool_bytes / 16).min(MOST), disk, bytes: 0, names: HashSet::new(), voice };
        for (name, length) in quarantine.disk.list(FOLDER)? {
            quarantine.bytes += length.unwrap_or(0);
            quarantine.names.insert(name);
        }
        Ok(quarantine)
    }

    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Keeps bytes of a segment, unless they are there already, and says whether they are there now. It is a service to
    /// people: the spool does without it.
    pub fn keep(&mut self, series: Series, segment: u64, offset: u64, bytes: &[u8]) -> bool {
        self.keep_read(series, segment, offset, bytes.len() as u64, || Ok(bytes.to_vec()))
    }

    /// The same with bytes that are only read where there is room for them.
    pub fn keep_read(
        &mut self,
        series: Series,
        segment: u64,
        offset: u64,
        length: u64,
        read: impl FnOnce() -> io::Result<Vec<u8>>,
    ) -> bool {
        let name = format!("{}-{offset:012}.bytes", series.stem(segment));
        if self.names.contains(&name) {
            return true;
        }
        if self.bytes + length > self.most {
            return false;
        }
        match read().and_then(|bytes| self.write(&format!("{FOLDER}/{name}"), &bytes)) {
            Ok(()) => {
                self.bytes += length;
                self.names.insert(name);
                true
            }
            Err(error) => {
                let line = format_args!("cannot keep unreadable bytes in {FOLDER}/{name}: {error}");
                self.voice.tell(Kind::Writing, line);
                false
            }
        }
    }

    fn write(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.disk.make_folder(FOLDER)?;
        let mut file = self.disk.create(path)?;
        let written = file.write(bytes).and_then(|written| match written {
            all if all == bytes.len() => file.sync(),
            _ => Err(io::ErrorKind::WriteZero.into()),
        });
        if written.is_err() {
            // Half of it under the whole one's name would be wrong.
            let _first_error_counts = self.disk.remove(path);
        }
        written
    }
}
