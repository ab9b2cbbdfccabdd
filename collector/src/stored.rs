//! The store, as those see it who bring batches.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use wire::Name;

use crate::committer::{CommitError, Committer, NotTaken, Submitter};
use crate::config::Settings;
use crate::intake::{Accepted, Intake, IntakeError, Receipt, Reply};
use crate::regions::{IndexError, Library};
use crate::store::sqlite::{SqliteOptions, SqliteReader, SqliteStore};
use crate::store::{Incoming, Outcome, Reader, StoreError};
use crate::validate::{InMemory, KnownIntervals, Neighbours, Span};

/// When a sensor that was told so may try again.
const BUSY: Duration = Duration::from_secs(1);
const TROUBLE: Duration = Duration::from_secs(5);

/// Why there is no store.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot make the folder {folder}: {source}; it has to be this user's to write")]
    Folder { folder: PathBuf, source: io::Error },
    #[error(
        "there is no store at {path}: name its folder with --data, or the configuration with --config; \
         --create makes a new store there"
    )]
    Missing { path: PathBuf },
    #[error(
        "another apus-collector serves {folder} already: stop that one, or name another folder with --data"
    )]
    Served { folder: PathBuf },
    #[error("cannot lock {path}: {source}; it has to be this user's to write")]
    Lock { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Regions(#[from] IndexError),
    #[error("cannot start the thread that writes the store: {0}")]
    Thread(io::Error),
}

/// Whether a store that is not there is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    Create,
    /// The store must be there.
    Existing,
}

/// Opens the store of a configuration, and starts who writes it. `crashed` is called, from the thread that writes it,
/// should that panic: nothing is stored any more then.
///
/// # Errors
/// Where the folder or the file cannot be used.
pub fn open(
    settings: &Settings,
    opening: Opening,
    crashed: impl FnOnce() + Send + 'static,
) -> Result<(Committer, Stored), OpenError> {
    let store = settings.store;
    let options = SqliteOptions {
        cache_bytes: store.cache_bytes,
        keep_flows: store.keep_flows,
        hour_days: store.hour_days,
        regions: Arc::new(Library::open(&settings.data)?),
    };
    let path = settings.store_file();
    let sqlite = match opening {
        Opening::Create => {
            make_folder(&settings.data)?;
            SqliteStore::open(&path, options)?
        }
        Opening::Existing => match SqliteStore::open_existing(&path, options) {
            Err(StoreError::Missing { path }) => return Err(OpenError::Missing { path }),
            opened => opened?,
        },
    };
    let committer = Committer::start(Box::new(sqlite), store.commit, crashed).map_err(OpenError::Thread)?;
    let submitter =
        committer.submitter().ok_or_else(|| OpenError::Thread(io::Error::other("it has ended")))?;
    Ok((committer, Stored(submitter)))
}

fn make_folder(folder: &Path) -> Result<(), OpenError> {
    std::fs::create_dir_all(folder).map_err(|source| OpenError::Folder { folder: folder.into(), source })
}

/// The word that one process serves a folder; it is taken back when this is dropped, or the process ends.
#[derive(Debug)]
pub struct Serving(File);

/// The file in the data folder that who serves it has locked.
const LOCK: &str = "serve.lock";

impl Serving {
    /// Takes the folder of a configuration, made where it is not there.
    ///
    /// # Errors
    /// Where another process serves it, or the lock cannot be made.
    pub fn take(settings: &Settings) -> Result<Self, OpenError> {
        let folder = &settings.data;
        make_folder(folder)?;
        let path = folder.join(LOCK);
        let failed = |source| OpenError::Lock { path: path.clone(), source };
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(OpenError::Served { folder: folder.clone() }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Closing it does the same, were it not for a child process that has inherited it.
        let _closed_anyway = self.0.unlock();
    }
}

/// The intervals that are known: those that came lately by their times, and all by what is stored.
pub struct Known {
    lately: InMemory,
    reader: Mutex<Box<dyn Reader>>,
}

impl Known {
    #[must_use]
    pub fn new(reader: Box<dyn Reader>) -> Self {
        Self { lately: InMemory::default(), reader: Mutex::new(reader) }
    }

    /// Opens the store of a configuration, which has to be there, for reading.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn open(settings: &Settings) -> Result<Self, StoreError> {
        Ok(Self::new(Box::new(SqliteReader::open(&settings.store_file())?)))
    }
}

impl KnownIntervals for Known {
    fn neighbours(&self, sensor: &str, name: Name) -> Neighbours {
        self.lately.neighbours(sensor, name)
    }

    fn note(&self, sensor: &str, span: Span) {
        self.lately.note(sensor, span);
    }

    /// See [`Reader::is_stored`]; no, where the store cannot tell.
    fn is_stored(&self, sensor: &str, name: Name, counts_hash: &[u8; 32]) -> bool {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader.is_stored(sensor, name, counts_hash).unwrap_or_else(|error| {
            log::error!("whether {name} of {sensor:?} is stored cannot be told: {error}");
            false
        })
    }
}

/// Hands batches to the store, and waits where another process is writing it: for `import` beside `serve`.
pub struct Patient(pub Stored);

/// How often it is tried, and each time the store itself waits for a while.
const TRIES: u32 = 12;

impl Intake for Patient {
    /// Blocks until it is known what became of the batch.
    fn submit(&self, accepted: Accepted, reply: Reply) {
        for _ in 1..TRIES {
            let (sender, receiver) = mpsc::channel();
            let answer: Reply = Box::new(move |result| {
                // It is waited for right below.
                let _gone = sender.send(result);
            });
            self.0.submit(accepted.clone(), answer);
            match receiver.recv() {
                Ok(Err(IntakeError::Busy { reason, retry_after })) if self.0.is_running() => {
                    log::info!("the store is busy ({reason}): trying again");
                    std::thread::sleep(retry_after);
                }
                Ok(result) => return reply(result),
                // Whoever waits sees that nothing will come.
                Err(_) => return drop(reply),
            }
        }
        self.0.submit(accepted, reply);
    }
}

/// Hands batches to the store.
pub struct Stored(Submitter);

impl Stored {
    /// Whether there still is who writes the store.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.0.is_running()
    }
}

impl Intake for Stored {
    fn submit(&self, accepted: Accepted, reply: Reply) {
        let Accepted { batch, bytes, arrived, sent } = accepted;
        let incoming = Incoming::new(batch, &bytes, arrived, sent);
        // Whoever learns first what became of it says so.
        let reply = Arc::new(Mutex::new(Some(reply)));
        let say = |reply: &Mutex<Option<Reply>>, word| {
            if let Some(reply) = reply.lock().unwrap_or_else(PoisonError::into_inner).take() {
                reply(word);
            }
        };
        let later = Arc::clone(&reply);
        let handed = self.0.submit(incoming, Box::new(move |result| say(&later, word(result))));
        if let Err(why) = handed {
            let retry_after = if why == NotTaken::Busy { BUSY } else { TROUBLE };
            say(&reply, Err(IntakeError::Busy { reason: why.to_string(), retry_after }));
        }
    }
}

fn word(result: Result<Outcome, CommitError>) -> Result<Receipt, IntakeError> {
    match result {
        Ok(Outcome::Stored) => Ok(Receipt { already: false }),
        Ok(Outcome::AlreadyStored) => Ok(Receipt { already: true }),
        Ok(Outcome::Conflict { reason }) => Err(IntakeError::Conflict(reason)),
        Ok(Outcome::Refused { reason }) => Err(IntakeError::Refused(reason)),
        Err(CommitError::TryAgain { what }) => Err(IntakeError::Busy { reason: what, retry_after: TROUBLE }),
        Err(CommitError::Stopping) => {
            Err(IntakeError::Busy { reason: "the collector stops".into(), retry_after: TROUBLE })
        }
        Err(CommitError::Failed { what }) => Err(IntakeError::Failed(what)),
    }
}

#[cfg(test)]
mod tests;
