//! Gets the registries' newest files.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use reqwest::{Client, StatusCode};

use super::import::Checked;
use super::registry::Registry;
use super::statistics::Fault;

/// The largest file has some 20 MiB.
const MOST_BYTES: usize = 256 << 20;
/// For a connection, and for each piece of an answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// For a whole file.
const LONGEST: Duration = Duration::from_secs(900);
/// Between two words about how far it is.
const PACE: Duration = Duration::from_secs(5);
/// What stands for a registry's name in a mirror's address.
const PLACEHOLDER: &str = "{registry}";

/// Where files come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The registries themselves.
    Registries,
    /// An address with all of them below it; it may have `{registry}` in it.
    Mirror(String),
    Folder(PathBuf),
}

/// Why a registry's file is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    #[error(
        "cannot set up connections: {0}; look at HTTPS_PROXY in the environment, and at this host's certificate \
         authorities (package ca-certificates)"
    )]
    Client(#[source] reqwest::Error),
    #[error("cannot start: {0}")]
    Runtime(#[source] io::Error),
    #[error("cannot read {}: {source}", .path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("cannot get {address}: {source}")]
    Http { address: String, source: reqwest::Error },
    #[error("{address} answers {status}")]
    Status { address: String, status: StatusCode },
    #[error("{address} has more than {MOST_BYTES} bytes: that is no registry's file")]
    Long { address: String },
    #[error("{origin}, {source}")]
    Fault { origin: String, source: Fault },
    #[error("{origin} is a file of {found}")]
    Foreign { origin: String, found: Registry },
}

impl Origin {
    /// Where a registry's file is.
    #[must_use]
    pub fn of(&self, registry: Registry) -> String {
        match self {
            Self::Registries => registry.address().into(),
            Self::Mirror(address) => {
                let folder = address.replace(PLACEHOLDER, registry.name());
                format!("{}/{}", folder.trim_end_matches('/'), registry.file())
            }
            Self::Folder(folder) => folder.join(registry.file()).display().to_string(),
        }
    }
}

/// Gets files and checks them.
pub struct Fetcher {
    origin: Origin,
    client: Client,
    runtime: tokio::runtime::Runtime,
}

impl Fetcher {
    /// One who gets them from there.
    ///
    /// # Errors
    /// Where connections cannot be set up.
    pub fn new(origin: Origin) -> Result<Self, UpdateError> {
        // reqwest asks the process for its cryptography; it has perhaps been told before.
        let _told_before = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            // From a registry nothing comes that anybody on the way may have changed.
            .https_only(origin == Origin::Registries)
            .connect_timeout(PATIENCE)
            .read_timeout(PATIENCE)
            .timeout(LONGEST)
            .user_agent(concat!("apus-collector/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(UpdateError::Client)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(Self { origin, client, runtime: runtime.map_err(UpdateError::Runtime)? })
    }

    /// Gets a registry's file, which is whole and its own.
    ///
    /// # Errors
    /// Why there is none.
    pub fn fetch(&self, registry: Registry) -> Result<Checked, UpdateError> {
        let origin = self.origin.of(registry);
        let content = match &self.origin {
            Origin::Folder(folder) => {
                let path = folder.join(registry.file());
                std::fs::read(&path).map_err(|source| UpdateError::Unreadable { path, source })?
            }
            Origin::Registries | Origin::Mirror(_) => self.runtime.block_on(self.download(&origin))?,
        };
        let checked =
            Checked::new(content).map_err(|source| UpdateError::Fault { origin: origin.clone(), source })?;
        let found = checked.statistics.registry;
        if found == registry { Ok(checked) } else { Err(UpdateError::Foreign { origin, found }) }
    }

    async fn download(&self, address: &str) -> Result<Vec<u8>, UpdateError> {
        let failed = |source: reqwest::Error| UpdateError::Http {
            address: address.into(),
            source: source.without_url(),
        };
        let mut response = self.client.get(address).send().await.map_err(failed)?;
        let status = response.status();
        if status != StatusCode::OK {
            return Err(UpdateError::Status { address: address.into(), status });
        }
        let (mut content, mut told) = (Vec::new(), Instant::now());
        while let Some(piece) = response.chunk().await.map_err(failed)? {
            content.extend_from_slice(&piece);
            if content.len() > MOST_BYTES {
                return Err(UpdateError::Long { address: address.into() });
            }
            if told.elapsed() >= PACE {
                told = Instant::now();
                log::info!("{} MiB of {address} so far", content.len() >> 20);
            }
        }
        Ok(content)
    }
}
