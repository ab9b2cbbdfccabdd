//! How much is taken, how fast, and how long anything may last.

use std::time::Duration;

use files::values::deserialize_duration;
use serde::Deserialize;
use wire::Limits;

use super::ConfigError;
use crate::validate::Rules;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

macro_rules! options {
    (
        $(#[$about:meta])* $options:ident => $(#[$about_settings:meta])* $settings:ident;
        $($(#[$field_about:meta])* $(($via:literal))? $name:ident: $kind:ty = $default:expr;)+
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $options {
            $($(#[serde(deserialize_with = $via)])? pub $name: Option<$kind>,)+
        }

        $(#[$about_settings])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $settings {
            $($(#[$field_about])* pub $name: $kind,)+
        }

        impl $options {
            /// These options, and those of `other` where these have none.
            #[must_use]
            pub fn or(self, other: Self) -> Self {
                Self { $($name: self.$name.or(other.$name),)+ }
            }

            fn filled(self) -> $settings {
                $settings { $($name: self.$name.unwrap_or($default),)+ }
            }
        }
    };
}

options! {
    /// Table `limits`.
    LimitOptions => /// As the file has them.
    Filled;
    body_bytes: u64 = 64 << 20;
    unpacked_bytes: u64 = 1 << 30;
    ratio: u64 = Limits::default().ratio;
    flow_rows: u64 = Limits::default().flow_rows;
    bytes_in_flight: u64 = 1 << 30;
    batches_per_second: u32 = 20;
    batches_at_once: u32 = 2000;
    bytes_per_second: u64 = 16 << 20;
    bytes_at_once: u64 = 1 << 30;
    connections: usize = 4096;
    connections_per_sensor: usize = 8;
    handshakes: usize = 512;
    handshakes_per_address: usize = 64;
    body_rate: u64 = 16 << 10;
}

/// How much is taken, and how fast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitSettings {
    /// One batch, as it comes.
    pub body_bytes: u64,
    /// What it unpacks to.
    pub wire: Limits,
    /// Batches that are on their way or wait to be stored, all together.
    pub bytes_in_flight: u64,
    /// One sensor's batches: how many a second in the long run, and how many at once after a pause.
    pub batches_per_second: u32,
    pub batches_at_once: u32,
    /// The same in bytes.
    pub bytes_per_second: u64,
    pub bytes_at_once: u64,
    /// All that are open.
    pub connections: usize,
    pub connections_per_sensor: usize,
    /// Connections that have not shown a certificate yet; another one pushes out the oldest.
    pub handshakes: usize,
    pub handshakes_per_address: usize,
    /// Bytes a second that a body has to come at.
    pub body_rate: u64,
}

impl LimitOptions {
    /// Fills in the defaults and checks the whole.
    pub(super) fn resolve(self) -> Result<LimitSettings, ConfigError> {
        let filled = self.filled();
        let settings = LimitSettings {
            body_bytes: filled.body_bytes,
            wire: Limits {
                unpacked_bytes: filled.unpacked_bytes,
                ratio: filled.ratio,
                flow_rows: filled.flow_rows,
                ..Limits::default()
            },
            bytes_in_flight: filled.bytes_in_flight,
            batches_per_second: filled.batches_per_second,
            batches_at_once: filled.batches_at_once,
            bytes_per_second: filled.bytes_per_second,
            bytes_at_once: filled.bytes_at_once,
            connections: filled.connections,
            connections_per_sensor: filled.connections_per_sensor,
            handshakes: filled.handshakes,
            handshakes_per_address: filled.handshakes_per_address,
            body_rate: filled.body_rate,
        };
        settings.check()?;
        Ok(settings)
    }
}

impl LimitSettings {
    fn check(&self) -> Result<(), ConfigError> {
        let fits = ": a batch of limits.body_bytes has to fit";
        let least = [
            ("limits.body_bytes", self.body_bytes, 1 << 20, ": all ports of one interval have to fit"),
            ("limits.bytes_in_flight", self.bytes_in_flight, self.body_bytes, fits),
            ("limits.bytes_at_once", self.bytes_at_once, self.body_bytes, fits),
            ("limits.bytes_per_second", self.bytes_per_second, 1, ""),
            ("limits.batches_per_second", self.batches_per_second.into(), 1, ""),
            ("limits.batches_at_once", self.batches_at_once.into(), 1, ""),
            ("limits.connections", self.connections as u64, 1, ""),
            ("limits.connections_per_sensor", self.connections_per_sensor as u64, 1, ""),
            ("limits.handshakes", self.handshakes as u64, 1, ""),
            ("limits.handshakes_per_address", self.handshakes_per_address as u64, 1, ""),
            ("limits.body_rate", self.body_rate, 1, ""),
        ];
        match least.into_iter().find(|(_, value, least, _)| value < least) {
            None => Ok(()),
            Some((name, value, least, reason)) => {
                let (value, least) = (value.to_string(), least.to_string());
                Err(ConfigError::TooSmall { name, value, least, reason })
            }
        }
    }
}

options! {
    /// Table `times`.
    TimeOptions => /// How long anything may last.
    TimeoutSettings;
    /// By how much an interval may end after this host's clock.
    ("deserialize_duration") max_clock_ahead: Duration = Duration::from_secs(600);
    /// By how much an interval may have ended before this host's clock.
    ("deserialize_duration") oldest: Duration = 400 * DAY;
    /// From a connection's first byte to its certificate.
    ("deserialize_duration") handshake: Duration = Duration::from_secs(10);
    /// From one request's end to the end of the next one's header.
    ("deserialize_duration") idle: Duration = Duration::from_secs(75);
    /// A body without a byte; and what a slow one is given on top of its time at the least rate.
    ("deserialize_duration") body: Duration = Duration::from_secs(30);
    /// A connection, after which its sensor has to show its certificate again.
    ("deserialize_duration") connection: Duration = Duration::from_secs(3600);
    /// From when the store has a batch to its answer.
    ("deserialize_duration") answer: Duration = Duration::from_secs(60);
    /// From the signal to end to the end.
    ("deserialize_duration") shutdown: Duration = Duration::from_secs(30);
    /// Between two looks at whether files of TLS have changed.
    ("deserialize_duration") files: Duration = Duration::from_secs(5);
}

impl TimeOptions {
    /// Fills in the defaults and checks the whole.
    pub(super) fn resolve(self) -> Result<TimeoutSettings, ConfigError> {
        let settings = self.filled();
        let TimeoutSettings {
            max_clock_ahead: _,
            oldest: _,
            handshake,
            idle,
            body,
            connection,
            answer,
            shutdown,
            files,
        } = settings;
        let named = [
            ("times.handshake", handshake),
            ("times.idle", idle),
            ("times.body", body),
            ("times.connection", connection),
            ("times.answer", answer),
            ("times.shutdown", shutdown),
            ("times.files", files),
        ];
        let least = Duration::from_millis(100);
        match named.into_iter().find(|(_, value)| *value < least) {
            None => Ok(settings),
            Some((name, value)) => Err(ConfigError::TooSmall {
                name,
                value: format!("{value:?}"),
                least: format!("{least:?}"),
                reason: "",
            }),
        }
    }

    /// What batches are held against.
    pub(super) fn rules(&self, limits: Limits) -> Result<Rules, ConfigError> {
        let TimeoutSettings { max_clock_ahead, oldest, .. } = self.clone().resolve()?;
        Ok(Rules { limits, max_clock_ahead, oldest, trust_times: false })
    }
}
