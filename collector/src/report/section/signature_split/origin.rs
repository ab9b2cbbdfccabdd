//! Where packets come from.

use crate::language::Text;
use crate::store::UNKNOWN;

/// Where packets come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    Home,
    Abroad,
    /// No table says where.
    Unknown,
    /// Nothing is configured to be home.
    Anywhere,
}

impl Origin {
    pub const ALL: [Self; 4] = [Self::Home, Self::Abroad, Self::Unknown, Self::Anywhere];

    pub fn of(region: [u8; 2], home: &[[u8; 2]]) -> Self {
        match region {
            _ if home.is_empty() => Self::Anywhere,
            region if home.contains(&region) => Self::Home,
            UNKNOWN => Self::Unknown,
            _ => Self::Abroad,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Abroad => "abroad",
            Self::Unknown => "unknown",
            Self::Anywhere => "anywhere",
        }
    }

    pub fn words(self) -> Text {
        match self {
            Self::Home => Text::new("home", "国内"),
            Self::Abroad => Text::new("abroad", "国外"),
            Self::Unknown => Text::new("unknown region", "地域不明"),
            Self::Anywhere => Text::new("all regions", "全地域"),
        }
    }
}
