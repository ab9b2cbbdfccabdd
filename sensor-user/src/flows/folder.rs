//! A folder that the flows of every interval are written to.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use files::part::PART;
use jiff::Timestamp;
use nix::fcntl::Flock;

use super::Flows;
use super::file::{FlowsFile, FlowsFileError, ending};
use crate::config::FlowsFormat;
use crate::flows::FlowKey;
use crate::folder::{self, Refusal};

/// A folder of flows, this agent's alone, with a file an interval: `20260102T030405Z-00000007.parquet`, by epoch and
/// sequence. No file in it is ever removed or replaced.
pub struct FlowsFolder {
    path: PathBuf,
    _lock: Flock<File>,
    format: FlowsFormat,
    key: FlowKey,
}

/// Which interval it is: start and end in nanoseconds since the Unix epoch.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    pub epoch: Timestamp,
    pub sequence: u64,
    pub start: u64,
    pub end: u64,
}

impl FlowsFolder {
    /// Takes the folder, made where it is not there.
    ///
    /// # Errors
    /// Where it cannot be made, or another agent has it.
    pub fn open(path: &Path, format: FlowsFormat, key: FlowKey) -> Result<Self, FlowsFileError> {
        let lock = folder::take(path).map_err(|refusal| match refusal {
            Refusal::Busy => FlowsFileError::Busy { path: path.into() },
            Refusal::Failed(source) => FlowsFileError::Create { path: path.into(), source },
        })?;
        Ok(Self { path: path.into(), _lock: lock, format, key })
    }

    /// Whether files can be made here, as this process is now: tried, for nothing else would tell. What an agent that
    /// was killed has not finished is removed.
    ///
    /// # Errors
    /// Where they cannot.
    pub fn probe(&self) -> Result<(), FlowsFileError> {
        let failed = |source| FlowsFileError::Create { path: self.path.clone(), source };
        let probe = self.path.join(format!("probe{PART}"));
        File::create(&probe).map_err(failed)?;
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.to_string_lossy().ends_with(PART) {
                fs::remove_file(path).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Writes the flows of one interval. An agent that was killed, or could not print, before it noted an interval has
    /// left a file of the same name: digests are read once, so that both are right together, and this one gets a
    /// number.
    ///
    /// # Errors
    /// Where the file system is against it.
    pub fn write(&self, span: Span, flows: &Flows) -> Result<(), FlowsFileError> {
        let Span { epoch, sequence, start, end } = span;
        let stem = format!("{}-{sequence:08}", epoch.strftime("%Y%m%dT%H%M%SZ"));
        let ending = ending(self.format);
        let mut path = self.path.join(format!("{stem}.{ending}"));
        for number in 2_u32.. {
            if !path.exists() {
                break;
            }
            path = self.path.join(format!("{stem}-{number}.{ending}"));
        }
        let mut file = FlowsFile::create(&path, self.format, self.key)?;
        file.write(start, end, flows)?;
        file.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flows::Limits;
    use crate::prefixes::ObservedRanges;

    fn flows() -> Flows {
        Flows::new(&Limits::of(FlowKey::Source, 10, &ObservedRanges::new(&[]).unwrap()), None)
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn no_file_is_ever_replaced_and_what_is_half_written_goes() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("flows");
        let folder = FlowsFolder::open(&path, FlowsFormat::Csv, FlowKey::Source).unwrap();
        fs::write(path.join("19700101T000000Z-00000001.csv.part"), "half").unwrap();
        folder.probe().unwrap();
        let span = Span { epoch: Timestamp::UNIX_EPOCH, sequence: 1, start: 0, end: 1 };
        (0..3).for_each(|_| folder.write(span, &flows()).unwrap());
        let expected = [
            "19700101T000000Z-00000001-2.csv",
            "19700101T000000Z-00000001-3.csv",
            "19700101T000000Z-00000001.csv",
        ];
        assert_eq!(names(&path), expected);
    }

    #[test]
    fn a_folder_is_one_agents() {
        let temporary = tempfile::tempdir().unwrap();
        let open = || FlowsFolder::open(temporary.path(), FlowsFormat::Parquet, FlowKey::FlowTuple);
        let first = open().unwrap();
        assert!(matches!(open(), Err(FlowsFileError::Busy { .. })));
        drop(first);
        assert!(open().is_ok());
    }
}
