//! Packages of any archive by the ordinary client, `apt-get`, with a state of its own: what this machine has installed,
//! and where it installs from, is neither asked nor changed.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// The keys of Debian's own archives.
pub const DEBIAN_KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// An archive's lists in a folder, which is left when they have been read.
pub struct Apt {
    folder: PathBuf,
    /// The suite whose packages go before newer ones of the others.
    preferred: String,
}

impl Apt {
    /// Fetches the lists of these suites, each an archive and a suite of it, signed by one of the keyring's keys. What is
    /// in the last of them goes before what is in the others.
    pub fn open(folder: &Path, suites: &[(&str, &str)], keyring: &Path) -> Result<Self> {
        for part in ["state/lists/partial", "cache/archives/partial"] {
            let part = folder.join(part);
            fs::create_dir_all(&part).with_context(|| format!("cannot make {}", part.display()))?;
        }
        let line = |(archive, suite): &(&str, &str)| {
            format!("deb [signed-by={}] {archive} {suite} main\n", keyring.display())
        };
        let sources = folder.join("sources.list");
        fs::write(&sources, suites.iter().map(line).collect::<String>())
            .with_context(|| format!("cannot write {}", sources.display()))?;
        let preferred = suites.last().map_or_else(String::new, |(_, suite)| (*suite).to_owned());
        let apt = Self { folder: folder.to_owned(), preferred };
        run(apt.command("apt-get").arg("update"))?;
        Ok(apt)
    }

    /// Packages that this one needs, whose names begin like this.
    pub fn needs(&self, package: &str, prefixes: &[&str]) -> Result<Vec<String>> {
        let answer = run(self.command("apt-cache").args(["depends", "--important", package]))?;
        let needed = answer.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
        let wanted = needed.filter(|name| prefixes.iter().any(|prefix| name.starts_with(prefix)));
        Ok(wanted.map(str::to_owned).collect())
    }

    /// Downloads a package and unpacks it.
    pub fn unpack(&self, package: &str, into: &Path) -> Result<()> {
        let downloads = self.folder.join("downloads");
        fs::create_dir_all(&downloads).with_context(|| format!("cannot make {}", downloads.display()))?;
        run(self.command("apt-get").args(["download", package]).current_dir(&downloads))?;
        unpack_all(&downloads, into)?;
        fs::remove_dir_all(&downloads).with_context(|| format!("cannot remove {}", downloads.display()))
    }

    fn command(&self, program: &str) -> Command {
        let folder = self.folder.display();
        let mut command = Command::new(program);
        for setting in [
            format!("Dir::Etc::sourcelist={folder}/sources.list"),
            "Dir::Etc::sourceparts=/dev/null".to_owned(),
            format!("Dir::State={folder}/state"),
            "Dir::State::status=/dev/null".to_owned(),
            format!("Dir::Cache={folder}/cache"),
            "APT::Architecture=amd64".to_owned(),
            format!("APT::Default-Release={}", self.preferred),
            "Acquire::Languages=none".to_owned(),
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false".to_owned(),
            "Acquire::IndexTargets::deb::CNF::DefaultEnabled=false".to_owned(),
            "Acquire::Retries=3".to_owned(),
            // Its own user could not write here.
            "APT::Sandbox::User=root".to_owned(),
        ] {
            command.arg("-o").arg(setting);
        }
        command
    }
}

/// Packages of this machine's own archives, with all that they need beyond what is installed, downloaded and unpacked:
/// nothing is installed.
pub fn unpack_with_needs(packages: &[&str], folder: &Path, into: &Path) -> Result<()> {
    let downloads = folder.join("downloads");
    let partial = downloads.join("partial");
    fs::create_dir_all(&partial).with_context(|| format!("cannot make {}", partial.display()))?;
    let mut command = Command::new("apt-get");
    command.args(["install", "--yes", "--download-only", "--no-install-recommends"]);
    command.arg("-o").arg(format!("Dir::Cache::archives={}", downloads.display()));
    // Whoever downloads only need not keep others from installing.
    command.args(["-o", "Debug::NoLocking=true", "-o", "APT::Sandbox::User=root"]);
    run(command.args(packages))?;
    unpack_all(&downloads, into)?;
    fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))
}

fn unpack_all(downloads: &Path, into: &Path) -> Result<()> {
    let entries = fs::read_dir(downloads).with_context(|| format!("cannot list {}", downloads.display()))?;
    let paths = entries.flatten().map(|entry| entry.path());
    let packages: Vec<_> = paths.filter(|path| path.extension() == Some(OsStr::new("deb"))).collect();
    ensure!(!packages.is_empty(), "apt-get has put no package into {}", downloads.display());
    for package in packages {
        run(Command::new("dpkg").arg("--extract").arg(package).arg(into))?;
    }
    Ok(())
}

/// Runs a program to its end, and gives what it printed.
fn run(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).env("LC_ALL", "C").output().with_context(|| {
        format!("cannot start {program}; kernels are fetched on Debian and what is made of it")
    })?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        bail!("{program} failed ({}): {}", output.status, words.trim().replace('\n', "; "));
    }
    Ok(text)
}
