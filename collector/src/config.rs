//! Configuration: a TOML file, flags over it, and what both together come to.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::Args;
use files::configuration::{self, ConfigurationError};
use serde::Deserialize;

use crate::aside::AsideSettings;
use crate::store::Day;
use crate::validate::{NameError, Rules, check_sensor_name};

mod limits;
mod page;
mod reference;
mod store;

pub use limits::{LimitOptions, LimitSettings, TimeOptions, TimeoutSettings};
pub use page::{PageAddress, PageSettings};
pub use reference::{GroupFile, GroupOptions, GroupSettings, ServiceOptions, ServiceSettings};
pub use store::{Days, StoreOptions, StoreSettings};

/// Where everything is kept unless configured otherwise.
const DEFAULT_DATA: &str = "/var/lib/apus-collector";
/// The store's file in that folder.
const STORE: &str = "store.sqlite";
/// Where it listens unless configured otherwise: nobody else's host can reach it.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8443);

/// A configuration file's keys; flags say the same and win.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    pub listen: Option<Vec<SocketAddr>>,
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
    pub client_ca: Option<PathBuf>,
    pub crl: Option<PathBuf>,
    pub sensors: Option<Vec<String>>,
    pub data: Option<PathBuf>,
    pub metrics: Option<SocketAddr>,
    pub page: Option<PageAddress>,
    pub page_users: Option<PathBuf>,
    pub page_client_ca: Option<PathBuf>,
    pub page_crl: Option<PathBuf>,
    pub limits: LimitOptions,
    pub times: TimeOptions,
    pub aside: AsideOptions,
    pub store: StoreOptions,
    pub home: Option<Vec<String>>,
    pub services: ServiceOptions,
    pub groups: Option<BTreeMap<String, GroupOptions>>,
}

/// Table `aside`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AsideOptions {
    pub folder: Option<PathBuf>,
    pub bytes: Option<u64>,
    pub bytes_per_sensor: Option<u64>,
    pub batches_per_sensor: Option<u64>,
}

/// Flags of every command that needs the store.
#[derive(Args, Clone, Debug, Default)]
pub struct StoreFlags {
    /// Configuration file (TOML); flags win over it
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder of the store [default: /var/lib/apus-collector]
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
}

impl StoreFlags {
    /// The file's options, and these over them.
    ///
    /// # Errors
    /// Those of [`Options::read`].
    pub fn options(&self) -> Result<Options, ConfigError> {
        let file = self.config.as_deref().map(Options::read).transpose()?.unwrap_or_default();
        Ok(Options { data: self.data.clone(), ..Options::default() }.or(file))
    }
}

/// Flags about listening.
#[derive(Args, Clone, Debug, Default)]
pub struct ServeFlags {
    #[command(flatten)]
    pub store: StoreFlags,
    /// Address and port to listen on; may be repeated [default: 127.0.0.1:8443]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<Vec<SocketAddr>>,
    /// The collector's certificate and those up to its CA (PEM)
    #[arg(long, value_name = "FILE")]
    pub certificate: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// The CA that the sensors' certificates are of (PEM)
    #[arg(long, value_name = "FILE")]
    pub client_ca: Option<PathBuf>,
    /// The CA's list of revoked certificates (PEM or DER) [default: none is revoked]
    #[arg(long, value_name = "FILE")]
    pub crl: Option<PathBuf>,
    /// Loopback address and port for metrics [default: none]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub metrics: Option<SocketAddr>,
    /// Address and port of the page for people, or off [default: 127.0.0.1:8480]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub page: Option<PageAddress>,
    /// From one commit to the next: how long a batch waits at most for others that are stored with it [default: 1]
    #[arg(long, value_name = "SECONDS")]
    pub commit_seconds: Option<f64>,
}

impl ServeFlags {
    /// The file's options, and these over them.
    ///
    /// # Errors
    /// Those of [`Options::read`].
    pub fn options(&self) -> Result<Options, ConfigError> {
        let Self { store, listen, certificate, key, client_ca, crl, metrics, page, commit_seconds } =
            self.clone();
        let committing = StoreOptions { commit_seconds, ..StoreOptions::default() };
        let flags = Options {
            listen,
            certificate,
            key,
            client_ca,
            crl,
            metrics,
            page,
            store: committing,
            ..Options::default()
        };
        Ok(flags.or(store.options()?))
    }
}

/// Configuration, complete and checked, but for what only [`Settings::tls`] needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub listen: Vec<SocketAddr>,
    /// The sensors that are known, or none: every one with a certificate of the CA.
    pub sensors: Option<Vec<String>>,
    /// Folder of the store.
    pub data: PathBuf,
    /// Where metrics are to be had, on this host alone.
    pub metrics: Option<SocketAddr>,
    /// The page for people.
    pub page: Option<PageSettings>,
    pub limits: LimitSettings,
    pub timeouts: TimeoutSettings,
    pub rules: Rules,
    pub aside: AsideSettings,
    pub store: StoreSettings,
    /// Regions that are home, in capital letters; none where nothing is.
    pub home: Vec<[u8; 2]>,
    pub services: ServiceSettings,
    pub groups: GroupSettings,
    /// Files that make it known; absent where not all of them are named.
    pub tls: Option<TlsFiles>,
}

/// Files that TLS needs, in PEM; the list of revoked certificates may be in DER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
    pub client_ca: PathBuf,
    pub crl: Option<PathBuf>,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error(transparent)]
    File(#[from] ConfigurationError),
    #[error(
        "a collector takes batches over TLS alone: name a certificate, a key and a client_ca \
         (\"apus-collector pki\" makes them for those who have none)"
    )]
    NoTls,
    #[error("metrics are for this host alone: {0} is not a loopback address such as 127.0.0.1:9465")]
    MetricsNotLoopback(SocketAddr),
    #[error(
        "the page would be for everybody who reaches {0}: name page_users, a file made by \"apus-collector page user add\", or \
         page_client_ca, the CA of people's certificates"
    )]
    PageForAll(SocketAddr),
    #[error(
        "page_crl {0:?} revokes certificates of nobody: name page_client_ca, the CA of people's certificates, as well"
    )]
    PageCrlAlone(PathBuf),
    #[error("no address to listen on: name one, or leave listen out for {DEFAULT_LISTEN}")]
    NoListen,
    #[error("store.commit_seconds is {0}: 0 to 30 seconds can be waited")]
    CommitSeconds(f64),
    #[error("in sensors: {0}")]
    Sensor(#[from] NameError),
    #[error("home has {0:?}: a region is two letters of ISO 3166-1, such as \"JP\"")]
    Home(String),
    #[error(
        "services.names has {0:?}: a name is text, for a port and protocol such as \"8728/tcp\" = \"MikroTik API\""
    )]
    Service(String),
    #[error("group {0:?} has no file, or no name that can be read")]
    Group(String),
    #[error("group {name:?} has two files from {day} on: one list is in force on a day")]
    GroupDay { name: String, day: Day },
    #[error("{name} is {value}, at least {least} is needed{reason}")]
    TooSmall { name: &'static str, value: String, least: String, reason: &'static str },
}

impl Options {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// Where it cannot be read, is not TOML, or has a key or value that is not ours, with its line.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        Ok(configuration::read(path)?)
    }

    /// These options, and those of `other` where these have none.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            listen: self.listen.or(other.listen),
            certificate: self.certificate.or(other.certificate),
            key: self.key.or(other.key),
            client_ca: self.client_ca.or(other.client_ca),
            crl: self.crl.or(other.crl),
            sensors: self.sensors.or(other.sensors),
            data: self.data.or(other.data),
            metrics: self.metrics.or(other.metrics),
            page: self.page.or(other.page),
            page_users: self.page_users.or(other.page_users),
            page_client_ca: self.page_client_ca.or(other.page_client_ca),
            page_crl: self.page_crl.or(other.page_crl),
            limits: self.limits.or(other.limits),
            times: self.times.or(other.times),
            store: self.store.or(other.store),
            home: self.home.or(other.home),
            services: self.services.or(other.services),
            groups: self.groups.or(other.groups),
            aside: AsideOptions {
                folder: self.aside.folder.or(other.aside.folder),
                bytes: self.aside.bytes.or(other.aside.bytes),
                bytes_per_sensor: self.aside.bytes_per_sensor.or(other.aside.bytes_per_sensor),
                batches_per_sensor: self.aside.batches_per_sensor.or(other.aside.batches_per_sensor),
            },
        }
    }

    /// Fills in the defaults and checks the whole.
    ///
    /// # Errors
    /// Where the options contradict each other or the program's limits.
    pub fn resolve(self) -> Result<Settings, ConfigError> {
        let data = self.data.unwrap_or_else(|| DEFAULT_DATA.into());
        let limits = self.limits.resolve()?;
        let store = self.store.resolve()?;
        let AsideOptions { folder, bytes, bytes_per_sensor, batches_per_sensor } = self.aside;
        let settings = Settings {
            listen: self.listen.unwrap_or_else(|| vec![DEFAULT_LISTEN]),
            sensors: self.sensors,
            aside: AsideSettings {
                folder: folder.unwrap_or_else(|| data.join("aside")),
                bytes: bytes.unwrap_or(4 << 30),
                bytes_per_sensor: bytes_per_sensor.unwrap_or(256 << 20),
                batches_per_sensor: batches_per_sensor.unwrap_or(1000),
            },
            data,
            store,
            home: reference::home(self.home.unwrap_or_default())?,
            services: self.services.resolve()?,
            groups: reference::groups(self.groups.unwrap_or_default())?,
            metrics: self.metrics,
            page: PageSettings::resolve(self.page, self.page_users, self.page_client_ca, self.page_crl)?,
            rules: self.times.rules(limits.wire)?,
            timeouts: self.times.resolve()?,
            limits,
            tls: match (self.certificate, self.key, self.client_ca) {
                (Some(certificate), Some(key), Some(client_ca)) => {
                    Some(TlsFiles { certificate, key, client_ca, crl: self.crl })
                }
                _ => None,
            },
        };
        settings.check()?;
        Ok(settings)
    }
}

impl Settings {
    /// The store's file.
    #[must_use]
    pub fn store_file(&self) -> PathBuf {
        self.data.join(STORE)
    }

    fn check(&self) -> Result<(), ConfigError> {
        if self.listen.is_empty() {
            return Err(ConfigError::NoListen);
        }
        if let Some(metrics) = self.metrics.filter(|metrics| !metrics.ip().is_loopback()) {
            return Err(ConfigError::MetricsNotLoopback(metrics));
        }
        self.sensors.iter().flatten().try_for_each(|sensor| check_sensor_name(sensor))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
