//! Metrics to an OpenTelemetry collector, whenever an interval has ended.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Certificate, Client, Url, redirect};
use tokio::time::{sleep, timeout};

use super::board::Board;
use super::otlp;

/// They are sent at least this often, and at most that often.
const LONGEST: Duration = Duration::from_secs(60);
const SHORTEST: Duration = Duration::from_secs(10);
/// For connection, request and answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why metrics cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    #[error(
        "cannot read otlp_ca {}: {source}; it has to be this user's to read, without privileges", .path.display()
    )]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{} holds no certificate that can be read: it has to be PEM", .0.display())]
    Nothing(PathBuf),
    #[error("cannot set up the connection to the OpenTelemetry collector: {0}")]
    Client(#[source] reqwest::Error),
}

/// A client for this URL, which trusts these authorities, or those of this host.
///
/// # Errors
/// Where they cannot be read.
pub fn client(authorities: Option<&Path>) -> Result<Client, PushError> {
    // reqwest asks the process for its cryptography; it has perhaps been told before.
    let _told_before = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .redirect(redirect::Policy::none())
        .timeout(PATIENCE)
        .user_agent(concat!("apus-sensor/", env!("CARGO_PKG_VERSION")));
    if let Some(path) = authorities {
        let text =
            std::fs::read(path).map_err(|source| PushError::Unreadable { path: path.into(), source })?;
        let certificates = Certificate::from_pem_bundle(&text).ok().filter(|all| !all.is_empty());
        let certificates = certificates.ok_or_else(|| PushError::Nothing(path.into()))?;
        builder = builder.tls_certs_only(certificates);
    }
    builder.build().map_err(PushError::Client)
}

/// Sends metrics for as long as the agent lives. What is not taken is counted, and told once.
pub async fn run(board: Board, client: Client, url: Url) {
    let mut is_well = true;
    loop {
        // Whichever comes first.
        let _ended_or_not = timeout(LONGEST, board.published()).await;
        let sent = send(&board, &client, &url).await;
        board.count_export(sent.is_ok());
        let was_well = std::mem::replace(&mut is_well, sent.is_ok());
        match sent {
            Ok(()) if !was_well => eprintln!("apus-sensor: metrics are sent to {url} again"),
            Err(reason) if was_well => {
                eprintln!(
                    "apus-sensor: warning: metrics cannot be sent to {url}: {reason}; it is tried again"
                );
            }
            _ => {}
        }
        sleep(SHORTEST).await;
    }
}

async fn send(board: &Board, client: &Client, url: &Url) -> Result<(), String> {
    let body = otlp::encode(board).to_string();
    let request = client.post(url.clone()).header(CONTENT_TYPE, "application/json").body(body);
    let response = request.send().await.map_err(|error| crate::one_line(&error.without_url()))?;
    if response.status().is_success() { Ok(()) } else { Err(format!("it answers {}", response.status())) }
}
