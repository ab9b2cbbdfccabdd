//! The `[evidence]` table of the configuration.

use std::path::PathBuf;

use ipnet::IpNet;
use sensor_ebpf::abi::{EVIDENCE_PORTS, EVIDENCE_RANGES, EVIDENCE_SNAP, Signature, TrafficClass};
use serde::Deserialize;

/// Bytes of each packet unless configured otherwise: headers, and how most payloads begin.
const DEFAULT_SNAP_LENGTH: u32 = 256;
const DEFAULT_PACKETS_PER_SECOND: u32 = 1_000;
const DEFAULT_FILE_BYTES: u64 = 16 << 20;
const DEFAULT_FILES: u32 = 16;
const DEFAULT_MINIMUM_FREE_BYTES: u64 = 1 << 30;
/// The shortest snap length: Ethernet, IPv6 and TCP without options.
const SHORTEST_SNAP_LENGTH: u32 = 74;
/// The smallest file: what is written at once fits it.
const SMALLEST_FILE: u64 = 64 << 10;

/// A signature that packets are kept by.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum SignatureChoice {
    /// Whichever.
    Any,
    Mirai,
    Zmap,
    Masscan,
}

/// A traffic class that packets are kept by.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum ClassChoice {
    Scan,
    BackscatterSynAck,
    BackscatterRst,
    Backscatter,
    Other,
    Fragment,
}

/// The table's keys.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct EvidenceOptions {
    pub folder: Option<PathBuf>,
    pub signatures: Option<Vec<SignatureChoice>>,
    pub classes: Option<Vec<ClassChoice>>,
    pub ports: Option<Vec<u16>>,
    #[serde(deserialize_with = "files::values::deserialize_prefixes")]
    pub sources: Option<Vec<IpNet>>,
    pub snap_length: Option<u32>,
    pub packets_per_second: Option<u32>,
    pub file_bytes: Option<u64>,
    pub files: Option<u32>,
    pub minimum_free_bytes: Option<u64>,
}

/// What is kept as evidence, complete and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceSettings {
    pub folder: PathBuf,
    /// Empty: no condition. So with the other three.
    pub signatures: Vec<Signature>,
    pub classes: Vec<TrafficClass>,
    pub ports: Vec<u16>,
    pub sources: Vec<IpNet>,
    pub snap_length: u32,
    pub packets_per_second: u32,
    pub file_bytes: u64,
    pub files: u32,
    pub minimum_free_bytes: u64,
}

/// Why the table cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceOptionsError {
    #[error("[evidence] has no folder: name one there, or with --evidence FOLDER")]
    NoFolder,
    #[error("[evidence] names {0} ports, at most {EVIDENCE_PORTS} fit: name fewer")]
    TooManyPorts(usize),
    #[error(
        "[evidence] sources fall into {ranges} IPv{version} ranges, at most {EVIDENCE_RANGES} fit: name fewer or shorter prefixes"
    )]
    TooManySources { version: u8, ranges: usize },
    #[error("[evidence] {0} is an empty list: leave it out for no such condition")]
    Empty(&'static str),
    #[error("[evidence] snap_length is {0}: {SHORTEST_SNAP_LENGTH} to {EVIDENCE_SNAP} bytes can be kept")]
    SnapLength(u32),
    #[error("[evidence] {0} is 0: nothing would be kept; leave out [evidence] for that")]
    Nothing(&'static str),
    #[error("[evidence] file_bytes is {0}: {SMALLEST_FILE} is the least")]
    FileBytes(u64),
}

impl EvidenceOptions {
    /// These options, and those of `other` where these have none.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            folder: self.folder.or(other.folder),
            signatures: self.signatures.or(other.signatures),
            classes: self.classes.or(other.classes),
            ports: self.ports.or(other.ports),
            sources: self.sources.or(other.sources),
            snap_length: self.snap_length.or(other.snap_length),
            packets_per_second: self.packets_per_second.or(other.packets_per_second),
            file_bytes: self.file_bytes.or(other.file_bytes),
            files: self.files.or(other.files),
            minimum_free_bytes: self.minimum_free_bytes.or(other.minimum_free_bytes),
        }
    }

    /// Fills in the defaults and checks the whole.
    ///
    /// # Errors
    /// Where the options contradict the program's limits, or would keep nothing.
    pub fn resolve(self) -> Result<EvidenceSettings, EvidenceOptionsError> {
        let mut ports = filled("ports", self.ports)?;
        ports.sort_unstable();
        ports.dedup();
        let settings = EvidenceSettings {
            folder: self.folder.ok_or(EvidenceOptionsError::NoFolder)?,
            signatures: signatures(&filled("signatures", self.signatures)?),
            classes: filled("classes", self.classes)?.into_iter().map(TrafficClass::from).collect(),
            ports,
            sources: IpNet::aggregate(&filled("sources", self.sources)?),
            snap_length: self.snap_length.unwrap_or(DEFAULT_SNAP_LENGTH),
            packets_per_second: self.packets_per_second.unwrap_or(DEFAULT_PACKETS_PER_SECOND),
            file_bytes: self.file_bytes.unwrap_or(DEFAULT_FILE_BYTES),
            files: self.files.unwrap_or(DEFAULT_FILES),
            minimum_free_bytes: self.minimum_free_bytes.unwrap_or(DEFAULT_MINIMUM_FREE_BYTES),
        };
        settings.check()?;
        Ok(settings)
    }
}

impl EvidenceSettings {
    fn check(&self) -> Result<(), EvidenceOptionsError> {
        if self.ports.len() > EVIDENCE_PORTS {
            return Err(EvidenceOptionsError::TooManyPorts(self.ports.len()));
        }
        let ipv4 = self.sources.iter().filter(|prefix| matches!(prefix, IpNet::V4(_))).count();
        for (version, ranges) in [(4, ipv4), (6, self.sources.len() - ipv4)] {
            if ranges > EVIDENCE_RANGES {
                return Err(EvidenceOptionsError::TooManySources { version, ranges });
            }
        }
        if self.snap_length < SHORTEST_SNAP_LENGTH || self.snap_length as usize > EVIDENCE_SNAP {
            return Err(EvidenceOptionsError::SnapLength(self.snap_length));
        }
        if self.packets_per_second == 0 {
            return Err(EvidenceOptionsError::Nothing("packets_per_second"));
        }
        if self.files == 0 {
            return Err(EvidenceOptionsError::Nothing("files"));
        }
        if self.file_bytes < SMALLEST_FILE {
            return Err(EvidenceOptionsError::FileBytes(self.file_bytes));
        }
        Ok(())
    }
}

/// A list that is left out is no condition. One that is empty could be taken for matching nothing.
fn filled<T>(name: &'static str, list: Option<Vec<T>>) -> Result<Vec<T>, EvidenceOptionsError> {
    match list {
        Some(list) if list.is_empty() => Err(EvidenceOptionsError::Empty(name)),
        list => Ok(list.unwrap_or_default()),
    }
}

fn signatures(choices: &[SignatureChoice]) -> Vec<Signature> {
    let is_chosen = |signature: &Signature| {
        choices.iter().any(|choice| match choice {
            SignatureChoice::Any => true,
            SignatureChoice::Mirai => *signature == Signature::Mirai,
            SignatureChoice::Zmap => *signature == Signature::Zmap,
            SignatureChoice::Masscan => *signature == Signature::Masscan,
        })
    };
    Signature::ALL.into_iter().filter(is_chosen).collect()
}

impl From<ClassChoice> for TrafficClass {
    fn from(choice: ClassChoice) -> Self {
        match choice {
            ClassChoice::Scan => Self::Scan,
            ClassChoice::BackscatterSynAck => Self::BackscatterSynAck,
            ClassChoice::BackscatterRst => Self::BackscatterRst,
            ClassChoice::Backscatter => Self::Backscatter,
            ClassChoice::Other => Self::Other,
            ClassChoice::Fragment => Self::Fragment,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Options;

    fn resolved(table: &str) -> Result<EvidenceSettings, String> {
        let options: Options =
            toml::from_str(&format!("[evidence]\n{table}")).map_err(|error| error.to_string())?;
        let settings = options.resolve().map_err(|error| error.to_string())?;
        settings.evidence.ok_or_else(|| "off".into())
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let settings = resolved("folder = \"/evidence\"").expect("a folder is enough");
        assert_eq!((settings.snap_length, settings.packets_per_second), (256, 1_000));
        assert_eq!((settings.file_bytes, settings.files), (16 << 20, 16));
        assert_eq!(settings.minimum_free_bytes, 1 << 30);
        assert!(settings.signatures.is_empty() && settings.sources.is_empty());
        assert!(Options::default().resolve().expect("the defaults").evidence.is_none());
    }

    #[test]
    fn what_cannot_be_followed_is_said() {
        let many = (0..=EVIDENCE_PORTS).map(|port| port.to_string()).collect::<Vec<_>>().join(",");
        let sources = (0..=EVIDENCE_RANGES).map(|net| format!("\"10.{net}.0.1\"")).collect::<Vec<_>>();
        let cases = [
            ("", "folder"),
            ("folder = \"/e\"\nsnap_length = 1000", "snap_length"),
            ("folder = \"/e\"\nsnap_length = 20", "snap_length"),
            ("folder = \"/e\"\npackets_per_second = 0", "packets_per_second"),
            ("folder = \"/e\"\nfiles = 0", "files"),
            ("folder = \"/e\"\nfile_bytes = 100", "file_bytes"),
            ("folder = \"/e\"\nports = []", "empty"),
            ("folder = \"/e\"\nsignatures = [\"morai\"]", "morai"),
            ("folder = \"/e\"\nclasses = [\"scans\"]", "scans"),
            ("folder = \"/e\"\nsources = [\"10.0.0.1/8\"]", "host bits"),
            ("folder = \"/e\"\nkeep = 1", "keep"),
            (&format!("folder = \"/e\"\nports = [{many}]"), "17 ports"),
            (&format!("folder = \"/e\"\nsources = [{}]", sources.join(",")), "65 IPv4 ranges"),
        ];
        for (table, word) in cases {
            let error = resolved(table).expect_err(table);
            assert!(error.contains(word), "{table}: {error}");
        }
    }

    #[test]
    fn any_signature_is_each_of_them() {
        let settings = resolved("folder = \"/e\"\nsignatures = [\"any\"]").expect("a choice");
        assert_eq!(settings.signatures, Signature::ALL);
    }
}
