//! The thread that serves and sends metrics.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;

use reqwest::{Client, Url};
use tokio::runtime;
use tokio::sync::oneshot;

use super::board::Board;
use super::options::MetricsSettings;
use super::push::{self, PushError};
use super::serve::{self, Limits};

/// Why there are no metrics.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    #[error("cannot serve metrics on {address}: {source}; name another address with --metrics=ADDRESS:PORT")]
    Listen { address: SocketAddr, source: io::Error },
    #[error(transparent)]
    Push(#[from] PushError),
    #[error("cannot start serving metrics: {0}")]
    Thread(io::Error),
}

/// Everything that serving and sending need, opened and checked; no thread yet.
#[derive(Debug)]
pub struct Prepared {
    listener: Option<TcpListener>,
    otlp: Option<(Client, Url)>,
}

impl Prepared {
    /// Opens the socket, while there may still be the privilege that a low port takes, and reads what is to be read.
    /// Starts no thread.
    ///
    /// # Errors
    /// Where the address cannot be had, or a file not be read.
    pub fn open(settings: &MetricsSettings) -> Result<Self, MetricsError> {
        let MetricsSettings { listen, otlp, otlp_ca, top_ports: _ } = settings;
        let bind = |address: SocketAddr| {
            let bound = TcpListener::bind(address).and_then(|listener| {
                listener.set_nonblocking(true)?;
                Ok(listener)
            });
            bound.map_err(|source| MetricsError::Listen { address, source })
        };
        let client = |url: &Url| Ok((push::client(otlp_ca.as_deref())?, url.clone()));
        Ok(Self {
            listener: listen.map(bind).transpose()?,
            otlp: otlp.as_ref().map(client).transpose().map_err(MetricsError::Push)?,
        })
    }

    /// Where metrics are served.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.listener.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// What whoever started the agent should know of it, a line each.
    #[must_use]
    pub fn notices(&self) -> Vec<String> {
        let address = |address: SocketAddr| {
            if address.ip().is_loopback() {
                format!("serves metrics on http://{address}/metrics")
            } else {
                format!("warning: serves metrics on http://{address}/metrics, to whoever can reach it")
            }
        };
        self.address().map(address).into_iter().collect()
    }

    /// Starts the thread. Privileges have to be gone by now: it inherits them.
    ///
    /// # Errors
    /// Where there can be no such thread.
    pub fn start(self, board: Board) -> Result<MetricsThread, MetricsError> {
        let runtime =
            runtime::Builder::new_current_thread().enable_all().build().map_err(MetricsError::Thread)?;
        let (end, ended) = oneshot::channel::<()>();
        let address = self.address();
        let run = move || {
            runtime.block_on(async {
                tokio::select! {
                    () = work(self, board) => {}
                    // An error is that there is nobody left to say so.
                    _ = ended => {}
                }
            });
            runtime.shutdown_background();
        };
        let thread =
            std::thread::Builder::new().name("metrics".into()).spawn(run).map_err(MetricsError::Thread)?;
        Ok(MetricsThread { address, end: Some(end), thread: Some(thread) })
    }
}

async fn work(prepared: Prepared, board: Board) {
    let Prepared { listener, otlp } = prepared;
    let served = serve_on(listener, board.clone());
    let pushed = async {
        if let Some((client, url)) = otlp {
            push::run(board, client, url).await;
        }
    };
    tokio::join!(served, pushed);
}

async fn serve_on(listener: Option<TcpListener>, board: Board) {
    let Some(listener) = listener else {
        return;
    };
    match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => serve::run(listener, board, Limits::default()).await,
        Err(error) => eprintln!("apus-sensor: warning: metrics are not served: {error}"),
    }
}

/// Metrics at work; they end when this is dropped.
#[derive(Debug)]
pub struct MetricsThread {
    /// Where they are served.
    pub address: Option<SocketAddr>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for MetricsThread {
    fn drop(&mut self) {
        drop(self.end.take());
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            eprintln!("apus-sensor: serving metrics has panicked, please report this; no count is affected");
        }
    }
}
