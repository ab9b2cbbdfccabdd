//! The store, as those see it who bring batches.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::committer::{CommitError, Committer, NotTaken, Submitter};
use crate::config::Settings;
use crate::intake::{Accepted, Intake, IntakeError, Receipt, Reply};
use crate::store::sqlite::{SqliteOptions, SqliteStore};
use crate::store::{Incoming, Outcome, StoreError};

/// When a sensor that was told so may try again.
const BUSY: Duration = Duration::from_secs(1);
const TROUBLE: Duration = Duration::from_secs(5);

/// Why there is no store.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot make the folder {folder}: {source}; it has to be this user's to write")]
    Folder { folder: std::path::PathBuf, source: io::Error },
    #[error("cannot start the thread that writes the store: {0}")]
    Thread(io::Error),
}

/// Opens the store of a configuration, made where it is not there, and starts who writes it.
///
/// # Errors
/// Where the folder or the file cannot be used.
pub fn open(settings: &Settings) -> Result<(Committer, Stored), OpenError> {
    let folder = &settings.data;
    std::fs::create_dir_all(folder).map_err(|source| OpenError::Folder { folder: folder.clone(), source })?;
    let store = settings.store;
    let options = SqliteOptions {
        cache_bytes: store.cache_bytes,
        keep_flows: store.commit.retention.keeps_flows(),
        ..SqliteOptions::default()
    };
    let sqlite = SqliteStore::open(&settings.store_file(), options)?;
    let committer = Committer::start(Box::new(sqlite), store.commit).map_err(OpenError::Thread)?;
    let submitter =
        committer.submitter().ok_or_else(|| OpenError::Thread(io::Error::other("it has ended")))?;
    Ok((committer, Stored(submitter)))
}

/// Hands batches to the store.
pub struct Stored(Submitter);

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
        Ok(Outcome::Conflict { reason } | Outcome::Refused { reason }) => Err(IntakeError::Conflict(reason)),
        Err(CommitError::TryAgain { what }) => Err(IntakeError::Busy { reason: what, retry_after: TROUBLE }),
        Err(CommitError::Stopping) => {
            Err(IntakeError::Busy { reason: "the collector stops".into(), retry_after: TROUBLE })
        }
        Err(CommitError::Failed { what }) => Err(IntakeError::Failed(what)),
    }
}
