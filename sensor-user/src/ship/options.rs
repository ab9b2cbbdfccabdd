//! The `[ship]` table of the configuration, and its flags.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use files::values::deserialize_duration;
use reqwest::Url;
use serde::{Deserialize, Deserializer};

/// Where a collector takes batches.
const BATCHES: &str = "v1/batches";
/// Less would only keep a host busy.
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);
const DEFAULT_CONCURRENCY: usize = 4;
/// Each one in flight is a batch in memory.
const MOST_CONCURRENCY: usize = 64;

/// The table's keys.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct ShipOptions {
    /// One address of the collector, or several, in the order in which they are tried.
    #[serde(deserialize_with = "deserialize_urls")]
    pub url: Option<Vec<String>>,
    pub ca: Option<PathBuf>,
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
    pub proxy: Option<String>,
    pub concurrency: Option<NonZeroUsize>,
    /// The longest pause between attempts while the collector does not answer.
    #[serde(deserialize_with = "deserialize_duration")]
    pub longest_pause: Option<Duration>,
}

/// Flags about shipping.
#[derive(Args, Clone, Debug, Default)]
pub struct ShipFlags {
    /// Ship intervals to this collector, as https://HOST:PORT; may be repeated for further addresses of the same
    #[arg(long = "collector", value_name = "URL")]
    pub collectors: Option<Vec<String>>,
    /// Certificates (PEM) of the authorities that the collector's certificate may be of
    #[arg(long, value_name = "FILE")]
    pub collector_ca: Option<PathBuf>,
    /// This sensor's certificate (PEM), with those between it and its authority
    #[arg(long, value_name = "FILE")]
    pub certificate: Option<PathBuf>,
    /// The private key (PEM) of that certificate
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Proxy to the collector, as http://HOST:PORT or socks5://HOST:PORT [default: as HTTPS_PROXY and NO_PROXY say]
    #[arg(long, value_name = "URL")]
    pub proxy: Option<String>,
}

impl ShipFlags {
    /// The same as options; none where no flag is given.
    #[must_use]
    pub fn options(&self) -> Option<ShipOptions> {
        let Self { collectors, collector_ca, certificate, key, proxy } = self.clone();
        let options = ShipOptions {
            url: collectors,
            ca: collector_ca,
            certificate,
            key,
            proxy,
            ..ShipOptions::default()
        };
        (options != ShipOptions::default()).then_some(options)
    }
}

/// How things are shipped, complete and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShipSettings {
    /// Where batches are sent to, the first one preferred.
    pub urls: Vec<Url>,
    pub ca: PathBuf,
    pub certificate: PathBuf,
    pub key: PathBuf,
    pub proxy: Option<Url>,
    /// Batches in flight, and so in memory, at a time.
    pub concurrency: usize,
    pub pace: Pace,
}

/// How long everything may take. Most of it is no key of the configuration: there is nothing in it for an operator to
/// find out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The longest pause after one failure, and after however many in a row.
    pub first_pause: Duration,
    pub longest_pause: Duration,
    /// About how long a refused interval rests.
    pub refused_pause: Duration,
    /// After how long on another address the first one is tried again.
    pub return_after: Duration,
    pub connect: Duration,
    /// For the answer, beyond the time that sending takes.
    pub answer: Duration,
    /// The slowest connection that a batch still gets through.
    pub slowest_bytes_per_second: u64,
    /// How often certificate and key are looked at for a change.
    pub reload: Duration,
    /// Of how long each sum of refusals is.
    pub sum: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(60),
            refused_pause: Duration::from_secs(3_600),
            return_after: Duration::from_secs(600),
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(60),
            slowest_bytes_per_second: 16 << 10,
            reload: Duration::from_secs(60),
            sum: Duration::from_secs(60),
        }
    }
}

impl Pace {
    /// The same with another longest pause.
    fn pausing_at_most(self, longest_pause: Option<Duration>) -> Result<Self, ShipOptionsError> {
        let longest_pause = longest_pause.unwrap_or(self.longest_pause);
        if longest_pause < SHORTEST_PAUSE {
            return Err(ShipOptionsError::Pause(longest_pause));
        }
        Ok(Self { longest_pause, first_pause: self.first_pause.min(longest_pause), ..self })
    }

    /// How long a request of this many bytes may take from its start to its answer.
    #[must_use]
    pub fn request(&self, bytes: u64) -> Duration {
        self.connect + self.answer + Duration::from_secs(bytes / self.slowest_bytes_per_second.max(1))
    }
}

/// Why the table cannot be followed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ShipOptionsError {
    #[error("[ship] has no url: name the collector there, or with --collector https://HOST:PORT")]
    NoUrl,
    #[error("[ship] has no {key}: name {what} there, or with {flag} FILE")]
    NoFile { key: &'static str, what: &'static str, flag: &'static str },
    #[error("\"{0}\" is not the address of a collector, such as https://collector.example.org:8443")]
    Url(String),
    #[error("collector {0} would be sent everything in the clear: name it with https://, not http://")]
    Plain(String),
    #[error("collector {0} is named twice: name it once")]
    Twice(String),
    #[error(
        "\"{0}\" is not a proxy that can be used, such as http://proxy.example.org:3128 or socks5://127.0.0.1:1080"
    )]
    Proxy(String),
    #[error("[ship] longest_pause is {0:?}: {SHORTEST_PAUSE:?} is the least")]
    Pause(Duration),
    #[error("[ship] concurrency is {0}, at most {MOST_CONCURRENCY} batches can be in flight")]
    Concurrency(usize),
}

impl ShipOptions {
    /// These options, and those of `other` where these have none.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            url: self.url.or(other.url),
            ca: self.ca.or(other.ca),
            certificate: self.certificate.or(other.certificate),
            key: self.key.or(other.key),
            proxy: self.proxy.or(other.proxy),
            concurrency: self.concurrency.or(other.concurrency),
            longest_pause: self.longest_pause.or(other.longest_pause),
        }
    }

    /// Fills in the defaults and checks the whole. No file is looked at.
    ///
    /// # Errors
    /// Where something is missing, or cannot be meant.
    pub fn resolve(self) -> Result<ShipSettings, ShipOptionsError> {
        let texts = self.url.filter(|urls| !urls.is_empty()).ok_or(ShipOptionsError::NoUrl)?;
        let mut urls = Vec::new();
        for text in &texts {
            let url = parse_collector(text)?;
            if urls.contains(&url) {
                return Err(ShipOptionsError::Twice(text.clone()));
            }
            urls.push(url);
        }
        let concurrency = self.concurrency.map_or(DEFAULT_CONCURRENCY, NonZeroUsize::get);
        if concurrency > MOST_CONCURRENCY {
            return Err(ShipOptionsError::Concurrency(concurrency));
        }
        let missing = |key, what, flag| ShipOptionsError::NoFile { key, what, flag };
        Ok(ShipSettings {
            urls,
            ca: self.ca.ok_or(missing("ca", "the collector's authority", "--collector-ca"))?,
            certificate: self.certificate.ok_or(missing(
                "certificate",
                "this sensor's certificate",
                "--certificate",
            ))?,
            key: self.key.ok_or(missing("key", "its private key", "--key"))?,
            proxy: self.proxy.map(|text| parse_proxy(&text)).transpose()?,
            concurrency,
            pace: Pace::default().pausing_at_most(self.longest_pause)?,
        })
    }
}

/// Where the batches for a collector go, from its address.
///
/// # Errors
/// Where it is none, or not one for TLS.
pub fn parse_collector(text: &str) -> Result<Url, ShipOptionsError> {
    let wrong = || ShipOptionsError::Url(text.to_owned());
    let mut url = Url::parse(text).map_err(|_| wrong())?;
    match url.scheme() {
        "https" => {}
        "http" => return Err(ShipOptionsError::Plain(text.to_owned())),
        _ => return Err(wrong()),
    }
    let has_more = !url.username().is_empty() || url.password().is_some();
    if has_more || !url.has_host() || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong());
    }
    let base = url.path().trim_end_matches('/');
    let path = if base.ends_with(BATCHES) { base.to_owned() } else { format!("{base}/{BATCHES}") };
    url.set_path(&path);
    Ok(url)
}

fn parse_proxy(text: &str) -> Result<Url, ShipOptionsError> {
    let url = Url::parse(text).ok().filter(Url::has_host);
    url.filter(|url| matches!(url.scheme(), "http" | "socks5" | "socks5h"))
        .ok_or_else(|| ShipOptionsError::Proxy(text.to_owned()))
}

/// One text, or a list of them.
///
/// # Errors
/// Where it is neither.
pub fn deserialize_urls<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(
        untagged,
        expecting = "an address such as \"https://collector.example.org:8443\", or a list of them"
    )]
    enum OneOrMore {
        One(String),
        More(Vec<String>),
    }
    Ok(Some(match OneOrMore::deserialize(deserializer)? {
        OneOrMore::One(url) => vec![url],
        OneOrMore::More(urls) => urls,
    }))
}

#[cfg(test)]
mod tests;
