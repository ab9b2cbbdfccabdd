//! The `[metrics]` table of the configuration, and its flags.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::Args;
use reqwest::Url;
use serde::Deserialize;

/// Where metrics are served when they are asked for without an address; the port that OpenTelemetry's Prometheus
/// exporters have.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9464);
/// Where an OpenTelemetry collector takes metrics over HTTP.
const OTLP_PATH: &str = "v1/metrics";
const DEFAULT_TOP_PORTS: u16 = 20;
const MOST_TOP_PORTS: u16 = 1_000;

/// The table's keys.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsOptions {
    /// Address and port to serve metrics on, in Prometheus's text format.
    pub listen: Option<SocketAddr>,
    /// OpenTelemetry collector to send metrics to.
    pub otlp: Option<String>,
    /// Authorities of its certificate, unless it is of one that this host trusts.
    pub otlp_ca: Option<PathBuf>,
    /// Ports of each kind that are shown.
    pub top_ports: Option<u16>,
}

/// Flags about metrics.
#[derive(Args, Clone, Debug, Default)]
pub struct MetricsFlags {
    /// Serve metrics for Prometheus, on 127.0.0.1:9464 or where --metrics=ADDRESS:PORT says
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "127.0.0.1:9464"
    )]
    pub metrics: Option<SocketAddr>,
    /// Send metrics to this OpenTelemetry collector, as https://HOST:4318
    #[arg(long, value_name = "URL")]
    pub otlp: Option<String>,
}

impl MetricsFlags {
    /// The same as options; none where no flag is given.
    #[must_use]
    pub fn options(&self) -> Option<MetricsOptions> {
        let Self { metrics, otlp } = self.clone();
        let options = MetricsOptions { listen: metrics, otlp, ..MetricsOptions::default() };
        (options != MetricsOptions::default()).then_some(options)
    }
}

/// What is shown of metrics, and where; complete and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricsSettings {
    pub listen: Option<SocketAddr>,
    /// Where metrics are posted to.
    pub otlp: Option<Url>,
    pub otlp_ca: Option<PathBuf>,
    pub top_ports: usize,
}

/// Why the table cannot be followed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MetricsOptionsError {
    #[error("[metrics] has neither listen nor otlp: say where metrics are wanted, or leave it out")]
    Nowhere,
    #[error(
        "\"{0}\" is not the address of an OpenTelemetry collector, such as https://otel.example.org:4318"
    )]
    Otlp(String),
    #[error("metrics would go to {0} in the clear: use https://, or an OpenTelemetry collector on this host")]
    Plain(String),
    #[error("[metrics] otlp_ca is for https://, which otlp does not begin with")]
    NeedlessAuthority,
    #[error("[metrics] top_ports is {0}, at most {MOST_TOP_PORTS} of each kind can be shown")]
    TopPorts(u16),
}

impl MetricsOptions {
    /// These options, and those of `other` where these have none.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            listen: self.listen.or(other.listen),
            otlp: self.otlp.or(other.otlp),
            otlp_ca: self.otlp_ca.or(other.otlp_ca),
            top_ports: self.top_ports.or(other.top_ports),
        }
    }

    /// Fills in the defaults and checks the whole.
    ///
    /// # Errors
    /// Where it says nothing of use, or what cannot be meant.
    pub fn resolve(self) -> Result<MetricsSettings, MetricsOptionsError> {
        let Self { listen, otlp, otlp_ca, top_ports } = self;
        let otlp = otlp.map(|text| parse_otlp(&text)).transpose()?;
        if listen.is_none() && otlp.is_none() {
            return Err(MetricsOptionsError::Nowhere);
        }
        if otlp_ca.is_some() && otlp.as_ref().is_none_or(|url| url.scheme() != "https") {
            return Err(MetricsOptionsError::NeedlessAuthority);
        }
        let top_ports = top_ports.unwrap_or(DEFAULT_TOP_PORTS);
        if top_ports > MOST_TOP_PORTS {
            return Err(MetricsOptionsError::TopPorts(top_ports));
        }
        Ok(MetricsSettings { listen, otlp, otlp_ca, top_ports: top_ports.into() })
    }
}

/// Where metrics are posted to, from the address of an OpenTelemetry collector.
fn parse_otlp(text: &str) -> Result<Url, MetricsOptionsError> {
    let wrong = || MetricsOptionsError::Otlp(text.to_owned());
    let mut url = Url::parse(text).ok().filter(Url::has_host).ok_or_else(wrong)?;
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let is_local = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    match url.scheme() {
        "https" => {}
        "http" if is_local => {}
        "http" => return Err(MetricsOptionsError::Plain(text.to_owned())),
        _ => return Err(wrong()),
    }
    let base = url.path().trim_end_matches('/');
    let path = if base.ends_with(OTLP_PATH) { base.to_owned() } else { format!("{base}/{OTLP_PATH}") };
    url.set_path(&path);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(table: &str) -> Result<MetricsSettings, String> {
        let options: MetricsOptions = toml::from_str(table).map_err(|error| error.to_string())?;
        options.resolve().map_err(|error| error.to_string())
    }

    #[test]
    fn addresses_are_completed() {
        let cases = [
            ("https://otel.example.org:4318", "https://otel.example.org:4318/v1/metrics"),
            ("http://localhost:4318/", "http://localhost:4318/v1/metrics"),
            ("http://[::1]:4318/v1/metrics", "http://[::1]:4318/v1/metrics"),
            ("http://127.8.9.10/otel", "http://127.8.9.10/otel/v1/metrics"),
        ];
        for (text, expected) in cases {
            let settings = resolved(&format!("otlp = \"{text}\"")).unwrap();
            assert_eq!(settings.otlp.unwrap().as_str(), expected);
            assert_eq!((settings.listen, settings.top_ports), (None, 20));
        }
    }

    #[test]
    fn what_cannot_be_followed_is_said() {
        let cases = [
            ("", "neither"),
            ("top_ports = 3", "neither"),
            ("listen = \"9464\"", "address"),
            ("otlp = \"otel:4318\"", "not the address"),
            ("otlp = \"http://10.0.0.1:4318\"", "in the clear"),
            ("otlp = \"grpc://otel:4317\"", "not the address"),
            ("otlp = \"http://localhost\"\notlp_ca = \"/ca\"", "otlp_ca"),
            ("listen = \"[::1]:9464\"\ntop_ports = 1001", "1000"),
            ("listen = \"[::1]:9464\"\npush = 1", "push"),
        ];
        for (table, word) in cases {
            let error = resolved(table).expect_err(table);
            assert!(error.contains(word), "{table}: {error}");
        }
    }

    #[test]
    fn the_flag_has_an_address_or_not() {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            flags: MetricsFlags,
        }
        let parsed = |arguments: &[&str]| {
            let line: Line = clap::Parser::try_parse_from([&["x"], arguments].concat()).unwrap();
            line.flags.options().and_then(|options| options.listen)
        };
        assert_eq!(parsed(&[]), None);
        assert_eq!(parsed(&["--metrics"]), Some(DEFAULT_LISTEN));
        assert_eq!(parsed(&["--metrics=[::]:80"]), Some("[::]:80".parse().unwrap()));
    }
}
