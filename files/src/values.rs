//! Durations and prefixes as people write them.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use jiff::SignedDuration;
use serde::{Deserialize as _, Deserializer};

/// A duration such as 60s or 5m.
///
/// # Errors
/// Where the text is none.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let duration: SignedDuration =
        text.parse().map_err(|_| format!("\"{text}\" is not a duration such as 60s or 5m"))?;
    Duration::try_from(duration).map_err(|_| format!("\"{text}\" is less than nothing"))
}

/// A prefix, or a single address as the prefix of its whole length.
///
/// # Errors
/// Where the text is neither, or the prefix has host bits set.
pub fn parse_prefix(text: &str) -> Result<IpNet, String> {
    let prefix: IpNet = text
        .parse()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| format!("{text:?} is not a prefix such as 192.0.2.0/24 or 2001:db8::/32"))?;
    if prefix.trunc() != prefix {
        return Err(format!(
            "\"{text}\" has host bits set: did you mean {}, or {} alone?",
            prefix.trunc(),
            prefix.addr()
        ));
    }
    Ok(prefix)
}

/// A duration as [`parse_duration`] takes it.
///
/// # Errors
/// Where the value is none.
pub fn deserialize_duration<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text).map(Some).map_err(serde::de::Error::custom)
}

/// A list of prefixes, each as [`parse_prefix`] takes it.
///
/// # Errors
/// Where the value is none.
pub fn deserialize_prefixes<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<IpNet>>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let prefixes = texts.iter().map(|text| parse_prefix(text)).collect::<Result<_, _>>();
    prefixes.map(Some).map_err(serde::de::Error::custom)
}
