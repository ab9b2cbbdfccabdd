//! The machine that was measured, without anything that tells whose it is.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use serde::{Deserialize, Serialize};

const UNKNOWN: &str = "unknown";
/// Packages of others that are measured, or measured with.
const PACKAGES: [&str; 11] = [
    "tcpdump",
    "libpcap0.8",
    "pmacct",
    "softflowd",
    "nfdump",
    "argus-server",
    "darkstat",
    "dpdk",
    "dpdk-dev",
    "libxdp1",
    "iproute2",
];

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Machine {
    pub processor: String,
    /// Those that this process may use.
    pub cpus: usize,
    /// Of the first CPU: 'L2 unified 2048K'.
    pub caches: Vec<String>,
    pub memory_bytes: u64,
    pub virtualised: bool,
    pub kernel: String,
    /// The distribution.
    pub system: String,
    /// Ours, the compiler's, and those of others.
    pub versions: BTreeMap<String, String>,
}

impl Machine {
    /// This one.
    #[must_use]
    pub fn this() -> Self {
        let processors = read("/proc/cpuinfo");
        let memory = field(&read("/proc/meminfo"), "MemTotal");
        let kibibytes = memory.and_then(|text| text.strip_suffix("kB")?.trim().parse::<u64>().ok());
        let system = read("/etc/os-release");
        let system = system.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
        Self {
            processor: field(&processors, "model name").unwrap_or_else(|| UNKNOWN.into()),
            cpus: thread::available_parallelism().map_or(1, Into::into),
            caches: caches(Path::new("/sys/devices/system/cpu/cpu0/cache")),
            memory_bytes: kibibytes.unwrap_or_default() << 10,
            virtualised: is_virtualised(&processors),
            kernel: read("/proc/sys/kernel/osrelease").trim().into(),
            system: system.unwrap_or(UNKNOWN).trim_matches('"').into(),
            versions: versions(),
        }
    }
}

/// This host's name, as it may stand in a file's: of letters, digits and hyphens.
pub fn host() -> String {
    let name = read("/proc/sys/kernel/hostname");
    let fit = |character: char| {
        if character.is_ascii_alphanumeric() { character.to_ascii_lowercase() } else { '-' }
    };
    let name: String = name.trim().chars().map(fit).collect();
    if name.is_empty() { "host".into() } else { name }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The first `name : value` of a file of such lines.
fn field(text: &str, name: &str) -> Option<String> {
    let mut fields = text.lines().filter_map(|line| line.split_once(':'));
    fields.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned())
}

/// x86 tells its guests; on ARM there is no such flag, and the firmware's maker says it.
fn is_virtualised(processors: &str) -> bool {
    let flags = field(processors, "flags").unwrap_or_default();
    let maker = read("/sys/class/dmi/id/sys_vendor").to_lowercase();
    flags.split(' ').any(|flag| flag == "hypervisor")
        || ["qemu", "xen", "vmware", "amazon ec2", "google"].iter().any(|name| maker.contains(name))
}

fn caches(folder: &Path) -> Vec<String> {
    let one = |index: u32| {
        let of = |name: &str| fs::read_to_string(folder.join(format!("index{index}/{name}"))).ok();
        let (level, kind, size) = (of("level")?, of("type")?, of("size")?);
        Some(format!("L{} {} {}", level.trim(), kind.trim().to_lowercase(), size.trim()))
    };
    (0..).map_while(one).collect()
}

fn versions() -> BTreeMap<String, String> {
    let mut versions = BTreeMap::from([
        ("apus".into(), env!("CARGO_PKG_VERSION").into()),
        ("rustc".into(), env!("APUS_RUSTC").trim_start_matches("rustc ").into()),
    ]);
    versions.extend(unpacked());
    // An installed one is used before an unpacked one. Those that are not installed are an error of its, and in no line of its answer.
    let format = "--showformat=${Package} ${Version}\\n";
    if let Ok(output) = Command::new("dpkg-query").args(["--show", format]).args(PACKAGES).output() {
        let text = String::from_utf8_lossy(&output.stdout);
        let pairs = text.lines().filter_map(|line| line.split_once(' ')).filter(|pair| !pair.1.is_empty());
        versions.extend(pairs.map(|(name, version)| (name.to_owned(), version.to_owned())));
    }
    versions
}

/// Versions of the packages that were unpacked for `bench peers`, by their archives beside the folder that they are in.
fn unpacked() -> Vec<(String, String)> {
    let beside = || Some(env::current_exe().ok()?.parent()?.parent()?.join("peers/root"));
    let root = env::var_os("APUS_PEERS").map(PathBuf::from).or_else(beside);
    let archives = root.as_deref().and_then(Path::parent).map(|folder| folder.join("archives"));
    let files = archives.and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten().flatten();
    let paths = files.map(|file| file.path()).filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".deb") && name.split_once('_').is_some_and(|(package, _)| PACKAGES.contains(&package))
    });
    let version = |path: PathBuf| {
        let output =
            Command::new("dpkg-deb").arg("--field").arg(path).args(["Package", "Version"]).output().ok()?;
        let fields = String::from_utf8_lossy(&output.stdout).into_owned();
        Some((field(&fields, "Package")?, field(&fields, "Version")?))
    };
    paths.filter_map(version).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_described() {
        let Machine { cpus, memory_bytes, kernel, versions, .. } = Machine::this();
        assert!(cpus > 0 && memory_bytes > 1 << 26 && !kernel.is_empty());
        assert!(versions["rustc"].starts_with(|first: char| first.is_ascii_digit()), "{versions:?}");
    }

    #[test]
    fn fields_are_those_of_their_name() {
        let text = "processor\t: 0\nmodel name\t: A 1.0: quick\nflags\t: fpu hypervisor\n";
        assert_eq!(field(text, "model name").unwrap(), "A 1.0: quick");
        assert_eq!(field(text, "model"), None);
        assert!(is_virtualised(text));
    }

    #[test]
    fn a_hosts_name_is_fit_for_a_file() {
        assert!(host().chars().all(|character| character.is_ascii_alphanumeric() || character == '-'));
    }
}
