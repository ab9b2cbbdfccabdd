//! The page's side of TLS, which follows its files, and waits for them where they cannot be used.

use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::time::{interval, sleep};

use crate::serve::tls::{self, Files};

/// Files, and what they came to at the start.
pub struct Trust {
    files: Files,
    /// Between two looks at them.
    period: Duration,
    look: Arc<Notify>,
    stopping: watch::Receiver<bool>,
    first: Option<Arc<ServerConfig>>,
}

impl Trust {
    /// Reads the files. Where they cannot be used, that is an error in the log.
    pub fn new(files: Files, period: Duration, look: Arc<Notify>, stopping: watch::Receiver<bool>) -> Self {
        let first = match tls::load(&files) {
            Ok(loaded) => Some(loaded.config),
            Err(error) => {
                let error = crate::one_line(&error);
                log::error!("the page is closed until its files can be used; sensors are served: {error}");
                None
            }
        };
        Self { files, period, look, stopping, first }
    }

    /// Whether they could be used.
    pub const fn is_usable(&self) -> bool {
        self.first.is_some()
    }

    /// What is trusted, from when the files can be used; nothing where it ends before. Until then, whoever comes to the
    /// socket is sent away.
    pub async fn of(mut self, socket: &TcpListener) -> Option<watch::Receiver<Arc<ServerConfig>>> {
        let config = match self.first.take() {
            Some(config) => config,
            None => self.usable(socket).await?,
        };
        let Self { files, period, look, stopping, .. } = self;
        let (trust, trusted) = watch::channel(config);
        tokio::spawn(tls::watch(files, trust, period, look, stopping));
        Some(trusted)
    }

    async fn usable(&mut self, socket: &TcpListener) -> Option<Arc<ServerConfig>> {
        const MOMENT: Duration = Duration::from_millis(100);
        let mut looks = interval(self.period.max(MOMENT));
        loop {
            tokio::select! {
                _ = looks.tick() => {}
                () = self.look.notified() => {}
                accepted = socket.accept() => {
                    if accepted.is_err() {
                        sleep(MOMENT).await;
                    }
                    continue;
                }
                _ = self.stopping.changed() => return None,
            }
            if let Ok(loaded) = tls::load(&self.files) {
                log::info!("the page's files can be used: it is open");
                return Some(loaded.config);
            }
        }
    }
}
