//! The list of what was issued: a line of JSON for each certificate.

use std::io;
use std::path::Path;

use files::part;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::PkiError;

/// Whom a certificate is for.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Sensor,
    Server,
    /// Who looks at the page.
    Person,
}

impl Kind {
    /// Whether both show their certificates to the collector, which would take one for the other.
    #[must_use]
    pub const fn is_no_neighbour_of(self, other: Self) -> bool {
        matches!((self, other), (Self::Sensor, Self::Person) | (Self::Person, Self::Sensor))
    }

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sensor => "sensor",
            Self::Server => "server",
            Self::Person => "person",
        }
    }
}

/// A certificate that was issued.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Issued {
    /// Hexadecimal digits.
    pub serial: String,
    pub kind: Kind,
    pub name: String,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    pub revoked: Option<Timestamp>,
}

/// Reads the list.
pub fn read(path: &Path) -> Result<Vec<Issued>, PkiError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(PkiError::File { path: path.into(), source }),
    };
    let parse = |(place, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| PkiError::Index {
            path: path.into(),
            line: place + 1,
            message: error.to_string(),
        })
    };
    text.lines().enumerate().map(parse).collect()
}

/// Writes the list anew, in one step.
pub fn write(path: &Path, issued: &[Issued]) -> Result<(), PkiError> {
    let failed = |source| PkiError::File { path: path.into(), source };
    let mut text = Vec::new();
    for one in issued {
        serde_json::to_writer(&mut text, one).map_err(|error| failed(error.into()))?;
        text.push(b'\n');
    }
    part::replace(path, &[&text], 0o600).map_err(failed)
}
