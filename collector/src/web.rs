//! The page that people look at, served beside ingest.
//!
//! An address says what is looked at ([`look`]); that is a number of [`topics`], each of some questions to the store, whose
//! [`answers`] are kept and worked out anew in the background; [`page`] makes HTML of them. [`guard`] says who may look.

mod answers;
mod blocks;
mod connections;
mod counters;
mod course;
mod figures;
mod guard;
mod listener;
mod login;
mod look;
mod names;
mod observed;
mod page;
mod routes;
mod sessions;
mod topics;
mod trust;
pub mod user;
mod users;
mod words;
mod written;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, watch};

use crate::config::{PageSettings, Settings};
use crate::serve::{listener as sockets, tls};
use crate::services::{Services, ServicesError};
use answers::Answers;
pub use counters::Counters;
use guard::Guard;
use names::Names;
use users::Users;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    #[error(
        "cannot listen on {address} for the page: {source}; another address is named with page, and page = \"off\" is none"
    )]
    Listen { address: SocketAddr, source: io::Error },
    #[error(transparent)]
    Services(#[from] ServicesError),
    #[error("cannot start what works out the page: {0}")]
    Thread(#[source] io::Error),
}

/// What every request needs.
pub struct Site {
    answers: Answers,
    guard: Guard,
    names: Names,
    /// Whether it is to be had on this host alone, without TLS.
    is_local: bool,
    counters: Arc<Counters>,
    /// Who holds it looks at a password.
    hashing: Arc<Semaphore>,
}

impl Site {
    /// The page of the store in a file, from which nobody reads for a while again and again.
    fn new(
        store: PathBuf,
        quiet: Duration,
        guard: Guard,
        names: Names,
        is_local: bool,
        counters: Arc<Counters>,
    ) -> Result<Self, PageError> {
        let answers = Answers::start(store, quiet, Arc::clone(&counters)).map_err(PageError::Thread)?;
        Ok(Self { answers, guard, names, is_local, counters, hashing: Arc::new(Semaphore::new(1)) })
    }
}

/// A page that is being served. It ends with this.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    is_tls: bool,
    is_open: bool,
    stop: watch::Sender<bool>,
    look: Arc<Notify>,
}

impl Server {
    /// Serves the page of a configuration, in the runtime that this is called in; none where none is to be, or nobody asked
    /// for it and its place is taken. Where the files of its TLS cannot be used it stays closed until they can be: sensors,
    /// whose counts would be lost, do not wait for it.
    ///
    /// # Errors
    /// Where it is asked for and cannot be.
    pub fn start(settings: &Settings, counters: Arc<Counters>) -> Result<Option<Self>, PageError> {
        let Some(page) = settings.page.clone() else { return Ok(None) };
        let address = page.listen;
        let socket = match sockets::bind(address) {
            Ok(socket) => socket,
            Err(source) if page.is_asked_for => return Err(PageError::Listen { address, source }),
            Err(source) => {
                log::warn!("there is no page: {}", crate::one_line(&PageError::Listen { address, source }));
                return Ok(None);
            }
        };
        let names = names(settings)?;
        let (stop, stopping) = watch::channel(false);
        let look = Arc::new(Notify::new());
        let files = settings.tls.as_ref().filter(|_| page.is_tls());
        let files = files.map(|files| tls::Files::of_people(files, &page));
        let PageSettings { users, client_ca, .. } = page;
        let guard = match (users, client_ca) {
            (Some(users), _) => Guard::of_users(Users::new(users)),
            (None, Some(_)) => Guard::Certificates,
            (None, None) => Guard::Anybody,
        };
        let (file, quiet, is_tls) = (settings.store_file(), quiet(settings), files.is_some());
        let site = Arc::new(Site::new(file, quiet, guard, names, !is_tls, Arc::clone(&counters))?);
        let router = routes::router(site);
        let address = socket.local_addr().unwrap_or(address);
        let is_open = match files {
            None => {
                tokio::spawn(listener::accept(socket, router, None, counters, stopping));
                true
            }
            Some(files) => {
                let trust =
                    trust::Trust::new(files, settings.timeouts.files, Arc::clone(&look), stopping.clone());
                let is_open = trust.is_usable();
                tokio::spawn(async move {
                    if let Some(trusted) = trust.of(&socket).await {
                        listener::accept(socket, router, Some(trusted), counters, stopping).await;
                    }
                });
                is_open
            }
        };
        Ok(Some(Self { address, is_tls, is_open, stop, look }))
    }

    /// Whether it was to be had from the start, and does not wait for its files.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.is_open
    }

    /// Where it is, such as `http://127.0.0.1:8480/`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}/", if self.is_tls { "https" } else { "http" }, self.address)
    }

    /// Looks at once whether files of TLS have changed.
    pub fn look_at_files(&self) {
        self.look.notify_one();
    }

    /// Ends it: what is under way is cut after a moment.
    pub fn stop(&self) {
        let _nobody_listens = self.stop.send(true);
    }
}

/// For how long nobody reads from the store: long enough for a commit that moves its log into the file, and for another one
/// that begins the log anew.
fn quiet(settings: &Settings) -> Duration {
    const LEAST: Duration = Duration::from_secs(2);
    LEAST.max(Duration::from_secs_f64(2.0 * settings.store.commit.commit_seconds.clamp(0.0, 60.0)))
}

/// Connections that those who look may have at once.
#[must_use]
pub const fn connections(settings: &Settings) -> usize {
    if settings.page.is_some() { connections::MOST } else { 0 }
}

/// Names of ports and regions.
fn names(settings: &Settings) -> Result<Names, ServicesError> {
    let services = Services::open(settings)?;
    Ok(Names {
        services: Box::new(move |protocol, port| services.name(protocol, port).map(str::to_owned)),
        regions: Box::new(crate::regions::names::region_name),
    })
}

#[cfg(test)]
mod tests;
