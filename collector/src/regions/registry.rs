//! The regional Internet registries.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A regional Internet registry, by the name that its statistics bear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Registry {
    Afrinic,
    Apnic,
    Arin,
    Lacnic,
    Ripencc,
}

impl Registry {
    pub const ALL: [Self; 5] = [Self::Afrinic, Self::Apnic, Self::Arin, Self::Lacnic, Self::Ripencc];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Afrinic => "afrinic",
            Self::Apnic => "apnic",
            Self::Arin => "arin",
            Self::Lacnic => "lacnic",
            Self::Ripencc => "ripencc",
        }
    }

    /// The registry of that name, in whichever case.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|registry| name.eq_ignore_ascii_case(registry.name()))
    }

    /// The name of its newest file, wherever it is to be had.
    #[must_use]
    pub fn file(self) -> String {
        format!("delegated-{self}-extended-latest")
    }

    /// Where the registry itself publishes that file.
    #[must_use]
    pub const fn address(self) -> &'static str {
        match self {
            Self::Afrinic => "https://ftp.afrinic.net/stats/afrinic/delegated-afrinic-extended-latest",
            Self::Apnic => "https://ftp.apnic.net/stats/apnic/delegated-apnic-extended-latest",
            Self::Arin => "https://ftp.arin.net/pub/stats/arin/delegated-arin-extended-latest",
            Self::Lacnic => "https://ftp.lacnic.net/pub/stats/lacnic/delegated-lacnic-extended-latest",
            Self::Ripencc => "https://ftp.ripe.net/pub/stats/ripencc/delegated-ripencc-extended-latest",
        }
    }
}

impl fmt::Display for Registry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
