//! Signatures, as people write them.

use std::fmt;
use std::str::FromStr;

use sensor_ebpf::abi::Signature;
use serde::{Deserialize, Deserializer};

use crate::store::Match;

/// What packets bear: a signature, or a window that the sensors watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Signature(Signature),
    Window(u16),
}

impl Mark {
    #[must_use]
    pub fn is_on(self, signatures: u8, window: Option<u16>) -> bool {
        match self {
            Self::Signature(signature) => signatures & 1 << signature as u8 != 0,
            Self::Window(number) => window == Some(number),
        }
    }

    #[must_use]
    pub const fn window(self) -> Option<u16> {
        match self {
            Self::Signature(_) => None,
            Self::Window(window) => Some(window),
        }
    }

    /// The same rows, and only those of them that bear it.
    #[must_use]
    pub const fn narrowed(self, wanted: Match) -> Match {
        match self {
            Self::Signature(signature) => {
                Match { signatures: wanted.signatures | 1 << signature as u8, ..wanted }
            }
            Self::Window(window) => Match { window: Some(window), ..wanted },
        }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signature(signature) => formatter.write_str(signature.name()),
            Self::Window(window) => write!(formatter, "window:{window}"),
        }
    }
}

impl FromStr for Mark {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let signature = Signature::ALL.into_iter().find(|signature| signature.name() == text);
        let window = || text.strip_prefix("window:")?.parse().ok().map(Self::Window);
        signature.map(Self::Signature).or_else(window).ok_or_else(|| {
            let names = Signature::ALL.map(Signature::name).join(", ");
            format!("\"{text}\" is none of {names}, or a watched window such as window:5656")
        })
    }
}

impl<'de> Deserialize<'de> for Mark {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The words for several, such as those of a row: `mirai+window:5656`.
#[must_use]
pub fn of_row(signatures: u8, window: Option<u16>) -> Vec<Mark> {
    let named = Signature::ALL.map(Mark::Signature).into_iter();
    named.chain(window.map(Mark::Window)).filter(|mark| mark.is_on(signatures, window)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_written_as_they_are_read() {
        for text in ["mirai", "zmap", "masscan", "window:5656"] {
            assert_eq!(text.parse::<Mark>().unwrap().to_string(), text);
        }
        for text in ["Mirai", "window", "window:", "window:65536", ""] {
            assert!(text.parse::<Mark>().is_err(), "{text}");
        }
        let marks: Vec<String> = of_row(5, Some(1024)).iter().map(Mark::to_string).collect();
        assert_eq!(marks, ["mirai", "masscan", "window:1024"]);
    }
}
