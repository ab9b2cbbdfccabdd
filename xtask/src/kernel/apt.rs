//! Packages of any archive by the ordinary client, `apt-get`, with a state of its own: what this machine has installed,
//! and where it installs from, is neither asked nor changed.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// The keys of Debian's own archives.
pub const DEBIAN_KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Read after the host's own settings, of which a proxy is wanted, and what would change the host or believe anything
/// that is not signed is not. `/` stands for the folder.
const SETTINGS: &str = r#"
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Default-Release;
APT::Sandbox::User "root"; // Its own user could not write here.
APT::Get::AllowUnauthenticated "false";
APT::Update::Error-Mode "any"; // Else lists that cannot be fetched are no failure.
Acquire::AllowInsecureRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::CNF::DefaultEnabled "false";
Acquire::Retries "3";
Acquire::http::Timeout "20";
Dir::State::lists "/lists";
Dir::Cache "/cache";
"#;
/// Of an archive that is not the host's: nothing is installed, and nothing is preferred.
const APART: &str = r#"
APT::Architecture "amd64";
Dir::Etc::sourcelist "/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State::status "/dev/null";
"#;
/// Seconds that one call may take: a slow line may bring 100 MiB in it.
const LONGEST_CALL: &str = "900";

/// An archive's lists in a folder, which is left when they have been read.
pub struct Apt {
    folder: PathBuf,
}

impl Apt {
    /// Fetches the lists of these suites, each an archive and a suite of it, signed by one of the keyring's keys. Where
    /// `preferred` is named, what is in it goes before newer packages of the others.
    pub fn open(
        folder: &Path,
        suites: &[(String, &str)],
        keyring: &Path,
        preferred: Option<&str>,
    ) -> Result<Self> {
        let line = |(archive, suite): &(String, &str)| {
            format!("deb [signed-by=\"{}\"] {archive} {suite} main\n", keyring.display())
        };
        let preferred =
            preferred.map_or_else(String::new, |suite| format!("APT::Default-Release \"{suite}\";\n"));
        let apt = Self::with(folder, &format!("{APART}{preferred}"))?;
        write(&folder.join("sources.list"), &suites.iter().map(line).collect::<String>())?;
        apt.update()?;
        Ok(apt)
    }

    /// The lists of this machine's own archives, fetched anew: its own may be old, or have been removed.
    pub fn of_this_machine(folder: &Path) -> Result<Self> {
        let apt = Self::with(folder, "")?;
        apt.update()?;
        Ok(apt)
    }

    fn with(folder: &Path, more: &str) -> Result<Self> {
        for part in ["lists/partial", "cache/archives/partial"] {
            let part = folder.join(part);
            fs::create_dir_all(&part).with_context(|| format!("cannot make {}", part.display()))?;
        }
        let name = folder.to_str().filter(|name| !name.contains('"'));
        let name = name.with_context(|| format!("apt cannot work in {}", folder.display()))?;
        let settings = format!("{SETTINGS}{more}");
        let placed = ["lists", "cache", "sources.list"].iter().fold(settings, |settings, part| {
            settings.replace(&format!("\"/{part}\""), &format!("\"{name}/{part}\""))
        });
        write(&folder.join("apt.conf"), &placed)?;
        Ok(Self { folder: folder.to_owned() })
    }

    fn update(&self) -> Result<()> {
        run(self.command("apt-get").arg("update")).map(drop)
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

    /// Downloads packages with all that they need beyond what is installed, and unpacks them: nothing is installed.
    pub fn unpack_with_needs(&self, packages: &[&str], into: &Path) -> Result<()> {
        let mut command = self.command("apt-get");
        command.args(["install", "--yes", "--download-only", "--no-install-recommends"]);
        // Whoever downloads only need not keep others from installing.
        command.args(["-o", "Debug::NoLocking=true"]);
        run(command.args(packages))?;
        unpack_all(&self.folder.join("cache/archives"), into)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("timeout");
        command.args([LONGEST_CALL, program, "-c"]).arg(self.folder.join("apt.conf"));
        command
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Where this machine fetches the packages of this origin and label from, by its own lists.
pub fn archive_of_this_machine(origin: &str, label: &str) -> Option<String> {
    let mut command = Command::new("apt-get");
    command.args(["indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)", "Created-By: Packages"]);
    let answer = run(&mut command).ok()?;
    let prefix = format!("{origin}|{label}|");
    answer.lines().find_map(|line| line.strip_prefix(&prefix)).map(str::to_owned)
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
    let words: Vec<_> = [command.get_program()].into_iter().chain(command.get_args()).collect();
    let words = words.join(OsStr::new(" ")).to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).env("LC_ALL", "C").output().with_context(|| {
        format!("cannot start `{words}`; kernels are fetched on Debian and what is made of it")
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{words}` failed ({}): {}", output.status, said.trim().replace('\n', "; "));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
