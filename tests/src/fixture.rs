//! Fixtures as data: a frame, a configuration, the verdict, and every counter that the frame raises.
//!
//! One file of `fixtures/` is a table of them, by name:
//!
//! ```toml
//! [tcp_syn]
//! says = "SYN alone is a scan."
//! frame = """
//! ethernet  020000000002 020000000001 0800
//! ipv4      45 00 0028 0001 0000 40 06 0000 c6336401 cb007107
//! tcp       9c40 0017 00000001 00000000 50 02 0400 0000 0000
//! """
//! verdict = "pass"
//! raises = """
//! packets bytes=54 outcomes.ipv4_tcp ip_protocols.6
//! tcp_classes.scan tcp_flags.0x02 tcp_scan_destination_ports.23
//! """
//! ```
//!
//! `configuration` is the agent's own, without watched windows unless it names some. `lengths = [14, 33]`
//! makes it a family: the frame cut to each of these lengths, with `bytes` being that length.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use sensor_user::config::{Options, Settings};
use serde::Deserialize;

use crate::counter_names::{self, Counts};
use crate::frame_text;

/// What the program does with a packet.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Pass,
    Drop,
}

/// What happens to a packet, in all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    pub verdict: Verdict,
    pub raised: Counts,
}

/// One packet through one configuration.
pub struct Fixture {
    /// Its name, in a family with the length behind it: `cut_tcp@40`.
    pub name: String,
    pub says: String,
    pub settings: Settings,
    pub frame: Vec<u8>,
    pub expected: Effect,
}

/// A fixture as it stands in its file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    says: String,
    frame: String,
    lengths: Option<[usize; 2]>,
    #[serde(default)]
    configuration: Options,
    verdict: Verdict,
    raises: String,
}

/// The folder of this package.
#[must_use]
pub fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every fixture of every file, families with all their members.
///
/// # Errors
/// Where a file is not what the documentation of this module says.
pub fn all() -> Result<Vec<Fixture>> {
    let mut fixtures = Vec::new();
    for path in files()? {
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let table: BTreeMap<String, Written> = toml::from_str(&text)
            .with_context(|| format!("{} is not a table of fixtures", path.display()))?;
        for (name, written) in table {
            let expanded = expand(&name, &written).with_context(|| format!("{}: {name}", path.display()))?;
            fixtures.extend(expanded);
        }
    }
    Ok(fixtures)
}

fn files() -> Result<Vec<PathBuf>> {
    let folder = package().join("fixtures");
    let mut paths = std::fs::read_dir(&folder)
        .with_context(|| format!("cannot list {}", folder.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    Ok(paths)
}

fn expand(name: &str, written: &Written) -> Result<Vec<Fixture>> {
    let Written { says, frame, lengths, configuration, verdict, raises } = written;
    let frame = frame_text::parse(frame)?;
    let mut configuration = configuration.clone();
    configuration.watched_windows.get_or_insert_default();
    // What is counted is the same without them, and no ring can fill up.
    configuration.digests = Some(false);
    let settings = configuration.resolve()?;
    let fixture = |name: String, frame: &[u8], raised: Counts| Fixture {
        name,
        says: says.clone(),
        settings: settings.clone(),
        frame: frame.to_vec(),
        expected: Effect { verdict: *verdict, raised },
    };
    let raised = counter_names::parse(raises)?;
    let Some([shortest, longest]) = *lengths else {
        return Ok(vec![fixture(name.to_owned(), &frame, raised)]);
    };
    ensure!(longest <= frame.len(), "the frame has {} bytes, fewer than {longest}", frame.len());
    ensure!(!raised.contains_key("bytes"), "a family's bytes are its lengths");
    let member = |length: usize| {
        let mut raised = raised.clone();
        raised.insert("bytes".to_owned(), length as u64);
        // A counter at zero is a counter that is not raised.
        raised.retain(|_, count| *count != 0);
        fixture(format!("{name}@{length}"), &frame[..length], raised)
    };
    Ok((shortest..=longest).map(member).collect())
}
