//! The shipper's thread, and what the agent's main thread has in its hand of it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};
use tokio::runtime::{self, Runtime};
use tokio::sync::{Notify, watch};

use super::client::{ClientError, Connector};
use super::options::ShipSettings;
use super::source::Source;
use super::status::{Say, StatusHandle};
use super::worker::Worker;

/// How much the drain is preferred: an interval that is shipped later is shipped all the same.
const NICENESS: libc::c_int = 10;
/// How long the thread may take to end beyond its deadline. A disk that hangs is not waited for.
const GRACE: Duration = Duration::from_secs(1);

/// Why nothing can be shipped.
#[derive(Debug, thiserror::Error)]
pub enum ShipError {
    #[error(transparent)]
    Identity(#[from] super::identity::IdentityError),
    #[error(transparent)]
    Client(ClientError),
    #[error("cannot start shipping: {0}")]
    Thread(io::Error),
}

impl From<ClientError> for ShipError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Identity(error) => Self::Identity(error),
            error @ ClientError::Client(_) => Self::Client(error),
        }
    }
}

/// Everything that shipping needs, read and checked; no thread yet.
pub struct Prepared {
    settings: ShipSettings,
    connector: Connector,
}

impl Prepared {
    /// Reads and checks certificate, key and authority of the sensor of this name. Starts no thread.
    ///
    /// # Errors
    /// Where one of them is not what it has to be, or the certificate is another sensor's.
    pub fn read(settings: &ShipSettings, sensor: &str) -> Result<Self, ShipError> {
        let connector = Connector::new(settings, sensor)?;
        Ok(Self { settings: settings.clone(), connector })
    }

    /// Starts the thread, which begins with what waits already. Privileges have to be gone by now: it inherits them.
    ///
    /// # Errors
    /// Where there can be no such thread.
    pub fn start(self, source: Arc<dyn Source>) -> Result<Shipper, ShipError> {
        self.start_saying(source, Arc::new(|line| eprintln!("apus-sensor: {line}")))
    }

    pub(super) fn start_saying(self, source: Arc<dyn Source>, say: Say) -> Result<Shipper, ShipError> {
        let Self { settings, connector } = self;
        let runtime =
            runtime::Builder::new_current_thread().enable_all().build().map_err(ShipError::Thread)?;
        let status = StatusHandle::new(say);
        status.set_not_after(connector.not_after());
        let worker = Worker::new(settings, connector, source, status.clone());
        let (wake, (stop, stopped)) = (Arc::new(Notify::new()), watch::channel(None));
        let (ending, ended) = bounded::<()>(0);
        let run = {
            let (wake, status) = (Arc::clone(&wake), status.clone());
            move || {
                let _until_it_ends = ending;
                let _tells_of_a_panic = TellsOfPanic(status);
                be_nice();
                work(&runtime, worker, wake, stopped);
                // Names are looked up in threads of its own, which may hang.
                runtime.shutdown_background();
            }
        };
        let thread = std::thread::Builder::new().name("ship".into()).spawn(run).map_err(ShipError::Thread)?;
        Ok(Shipper { wake, stop, ended, thread: Some(thread), status, is_missed: AtomicBool::new(false) })
    }
}

fn work(runtime: &Runtime, worker: Worker, wake: Arc<Notify>, stopped: watch::Receiver<Option<Instant>>) {
    runtime.block_on(worker.run(wake, stopped));
}

/// Whoever asks how it goes is told of a panic at once.
struct TellsOfPanic(StatusHandle);

impl Drop for TellsOfPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.ended("shipping has ended by a fault of its own".into());
        }
    }
}

/// The shipper at work.
pub struct Shipper {
    wake: Arc<Notify>,
    stop: watch::Sender<Option<Instant>>,
    ended: Receiver<()>,
    thread: Option<JoinHandle<()>>,
    status: StatusHandle,
    /// It was told that the thread has ended, though nobody has told it to.
    is_missed: AtomicBool,
}

impl Shipper {
    /// How long what waits may take, once the agent is told to stop.
    pub const LAST_CHANCE: Duration = Duration::from_secs(5);

    /// Says that there is something to ship. Never waits. Where there is nobody left to ship it, that is told, once.
    pub fn wake(&self) {
        self.wake.notify_one();
        let has_ended = self.thread.as_ref().is_some_and(JoinHandle::is_finished);
        if has_ended && !self.is_missed.swap(true, Ordering::Relaxed) {
            self.status.say(
                "shipping has ended, please report this; intervals are kept, and shipped after the agent's next start",
            );
        }
    }

    /// How it goes, for as long as one likes to know, and from any thread.
    #[must_use]
    pub fn status(&self) -> StatusHandle {
        self.status.clone()
    }

    /// Gives what waits this long to be shipped, and ends. What is not stored by then stays where it waits. It ends at
    /// once where nothing waits, or no address is to be tried in time.
    pub fn stop(mut self, chance: Duration) {
        self.end(chance);
    }

    fn end(&mut self, chance: Duration) {
        let Some(thread) = self.thread.take() else {
            return;
        };
        // A thread that has ended has nobody who listens.
        let _ended_already = self.stop.send(Some(Instant::now() + chance));
        let hung = self.ended.recv_timeout(chance + GRACE).is_err_and(|error| error.is_timeout());
        if hung {
            eprintln!(
                "apus-sensor: warning: shipping does not end, and is left: does the disk of the spool hang?"
            );
        } else if thread.join().is_err() && !self.is_missed.load(Ordering::Relaxed) {
            eprintln!(
                "apus-sensor: shipping has panicked, please report this; nothing is lost from the spool"
            );
        }
    }
}

impl Drop for Shipper {
    fn drop(&mut self) {
        self.end(Duration::ZERO);
    }
}

/// Makes this thread give way to the others.
fn be_nice() {
    // SAFETY: no pointers; on Linux 0 stands for the calling thread.
    let _no_matter = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICENESS) };
}
