//! What a kernel is called on the command line, and where it comes from.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::distributions::{DISTRIBUTIONS, Distribution};

/// A kernel to boot.
#[derive(Clone, Debug)]
pub enum Name {
    /// One that a distribution ships.
    Distribution(&'static Distribution),
    /// A file such as `/boot/vmlinuz-6.1.0-56-amd64`, with its modules where its system has them.
    File(PathBuf),
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = DISTRIBUTIONS.iter().find(|distribution| distribution.names.contains(&text));
        if let Some(distribution) = known {
            return Ok(Self::Distribution(distribution));
        }
        let path = PathBuf::from(text);
        if path.is_file() {
            return Ok(Self::File(path));
        }
        let names: Vec<_> =
            DISTRIBUTIONS.iter().map(|distribution| distribution.names.join(" or ")).collect();
        Err(format!("neither a file nor a known kernel; known are {}", names.join(", ")))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Distribution(distribution) => formatter.write_str(distribution.name()),
            Self::File(path) => path.display().fmt(formatter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_goes_by_number_and_by_name() {
        for text in ["debian:12", "debian:bookworm"] {
            assert_eq!(text.parse::<Name>().unwrap().to_string(), "debian:12");
        }
    }

    #[test]
    fn what_is_not_known_is_told_what_is() {
        let error = "debian:woody".parse::<Name>().unwrap_err();
        assert!(error.contains("debian:12 or debian:bookworm"), "{error}");
    }

    #[test]
    fn a_file_is_taken_as_it_is() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        assert!(matches!(path.parse(), Ok(Name::File(_))));
    }
}
