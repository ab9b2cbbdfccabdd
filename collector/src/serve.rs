//! Taking in batches over HTTPS.
//!
//! [`listener`] accepts connections, [`connections`] bounds them, [`connection`] makes TLS of one and reads requests
//! from it, [`tls`] says whom to believe, and [`ingest`] is what becomes of a batch. What has shown no certificate
//! costs a handshake's memory for some seconds, and never stands in the way of another.

mod answer;
mod budget;
mod connection;
mod connections;
mod descriptors;
mod handshake;
mod ingest;
pub(crate) mod listener;
mod metrics;
pub(crate) mod peer;
mod rates;
mod routes;
pub(crate) mod tls;
mod upload;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

pub(crate) use connections::network;
pub(crate) use handshake::{Failure, REFUSED};
pub use metrics::Counters;
pub use tls::TlsError;

use crate::aside::Aside;
use crate::config::{ConfigError, ServeFlags, Settings};
use crate::intake::Intake;
use crate::validate::{KnownIntervals, Validator};
use crate::web::{self, PageError};
use connections::Connections;
use ingest::Shared;

/// Takes in the sensors' batches over HTTPS, until it is told to end
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    flags: ServeFlags,
}

impl Arguments {
    /// Configuration, with what the flags say.
    ///
    /// # Errors
    /// Those of the configuration.
    pub fn settings(&self) -> Result<Settings, ConfigError> {
        let settings = self.flags.options()?.resolve()?;
        if settings.tls.is_none() { Err(ConfigError::NoTls) } else { Ok(settings) }
    }
}

/// Why batches cannot be taken in.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("cannot keep batches aside in {folder}: {source}")]
    Aside { folder: PathBuf, source: io::Error },
    #[error(transparent)]
    Page(#[from] PageError),
    #[error("cannot start: {0}")]
    Runtime(#[source] io::Error),
}

/// A collector that takes in batches.
#[derive(Debug)]
pub struct Server {
    addresses: Vec<SocketAddr>,
    metrics: Option<SocketAddr>,
    counters: Arc<Counters>,
    stop: watch::Sender<bool>,
    look: Arc<tokio::sync::Notify>,
    /// Ends when the last task that has something to end has ended.
    tasks: mpsc::Receiver<Infallible>,
    connections: Arc<Connections>,
    shared: Arc<Shared>,
    shutdown: Duration,
}

impl Server {
    /// Starts it, in the runtime that this is called in.
    ///
    /// # Errors
    /// Where a file cannot be read or an address not be listened on.
    pub async fn start(
        settings: Settings,
        intake: Arc<dyn Intake>,
        known: Arc<dyn KnownIntervals>,
        counters: Arc<Counters>,
    ) -> Result<Self, ServeError> {
        let files = settings.tls.clone().ok_or(ConfigError::NoTls)?;
        let folder = settings.aside.folder.clone();
        let aside =
            Aside::open(settings.aside.clone()).map_err(|source| ServeError::Aside { folder, source })?;
        let validator = Validator::new(settings.rules.clone(), known);
        let room = descriptors::make_room(settings.limits.connections, web::connections(&settings));
        let connections = Arc::new(Connections::new(&settings.limits, room));
        let (stop, stopping) = watch::channel(false);
        let (running, tasks) = mpsc::channel(1);
        let files = tls::Files::of_sensors(&files);
        let (trust, trusted) = watch::channel(tls::load(&files)?.config);
        let look = Arc::new(tokio::sync::Notify::new());
        let period = settings.timeouts.files;
        tokio::spawn(tls::watch(files, trust, period, Arc::clone(&look), stopping.clone()));
        let (listen, metrics, shutdown) =
            (settings.listen.clone(), settings.metrics, settings.timeouts.shutdown);
        let shared = Arc::new(Shared::new(settings, intake, validator, aside, Arc::clone(&counters)));
        let mut addresses = Vec::new();
        for address in listen {
            let socket = listener::bind(address).map_err(|source| ServeError::Listen { address, source })?;
            addresses.push(socket.local_addr().unwrap_or(address));
            let surroundings = connection::Surroundings {
                shared: Arc::clone(&shared),
                router: routes::router(Arc::clone(&shared)),
                trusted: trusted.clone(),
                stopping: stopping.clone(),
                running: running.clone(),
            };
            tokio::spawn(listener::accept(socket, Arc::clone(&connections), surroundings));
        }
        let metrics = match metrics {
            None => None,
            Some(address) => {
                let socket =
                    listener::bind(address).map_err(|source| ServeError::Listen { address, source })?;
                let bound = socket.local_addr().unwrap_or(address);
                tokio::spawn(metrics::serve(socket, Arc::clone(&counters), stopping));
                Some(bound)
            }
        };
        Ok(Self { addresses, metrics, counters, stop, look, tasks, connections, shared, shutdown })
    }

    /// Where it listens, with the ports that it was given.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Where metrics are to be had.
    #[must_use]
    pub const fn metrics(&self) -> Option<SocketAddr> {
        self.metrics
    }

    /// What has happened.
    #[must_use]
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Looks at once whether files of TLS have changed.
    pub fn look_at_files(&self) {
        self.look.notify_one();
    }

    /// Ends: no more connections; requests that have begun are answered, within their time.
    pub async fn stop(mut self) {
        let _nobody_listens = self.stop.send(true);
        if tokio::time::timeout(self.shutdown, self.tasks.recv()).await.is_err() {
            log::warn!("{} connections were cut: their sensors will send again", self.connections.open());
            self.connections.push_out_all();
        }
        let waiting = self.shared.waiting_bytes();
        if waiting > 0 {
            log::info!(
                "waiting for the store, which has {waiting} bytes of batches that it has not answered for; a second \
                 signal ends at once, and their sensors send them again"
            );
        }
    }
}

/// Serves until SIGTERM or SIGINT; SIGHUP has the files of TLS looked at. After the first of the two signals, the next one
/// ends the process at once, also where this has returned: nothing that was promised is lost by that.
///
/// # Errors
/// Those of [`Server::start`].
pub fn run(
    settings: Settings,
    intake: Arc<dyn Intake>,
    known: Arc<dyn KnownIntervals>,
) -> Result<(), ServeError> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(ServeError::Runtime)?;
    let served = runtime.block_on(async {
        let listen = |kind| signal(kind).map_err(ServeError::Runtime);
        let mut terminate = listen(SignalKind::terminate())?;
        let mut interrupt = listen(SignalKind::interrupt())?;
        let mut hang_up = listen(SignalKind::hangup())?;
        let counters = Arc::new(Counters::default());
        let page = web::Server::start(&settings, Arc::clone(&counters.page))?;
        let server = Server::start(settings, intake, known, counters).await?;
        for address in server.addresses() {
            log::info!("taking in batches on https://{address}");
        }
        if let Some(address) = server.metrics() {
            log::info!("metrics on http://{address}/metrics");
        }
        if let Some(page) = page.as_ref().filter(|page| page.is_open()) {
            log::info!("the page is at {}", page.url());
        }
        let is_ending = end_at_the_second_signal().map_err(ServeError::Runtime)?;
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = hang_up.recv() => {
                    server.look_at_files();
                    page.iter().for_each(web::Server::look_at_files);
                }
            }
        }
        is_ending.store(true, Ordering::SeqCst);
        log::info!(
            "ending: batches that have begun to come are answered first; a second signal ends at once"
        );
        page.iter().for_each(web::Server::stop);
        server.stop().await;
        Ok(())
    });
    runtime.shutdown_timeout(Duration::from_secs(5));
    served
}

/// Has SIGTERM and SIGINT do again what they do to any process, once the flag is set.
fn end_at_the_second_signal() -> io::Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    for kind in [SIGTERM, SIGINT] {
        signal_hook::flag::register_conditional_default(kind, Arc::clone(&flag))?;
    }
    Ok(flag)
}

#[cfg(test)]
mod tests;
