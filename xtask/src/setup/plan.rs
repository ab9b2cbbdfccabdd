//! Decides what to do from what was found: no input or output, so every case has a test.

use std::fmt;
use std::path::PathBuf;

use super::command_line::CommandLine;
use super::host::{Host, Nightly, System};
use super::{Purpose, needs};

#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    pub needs: Vec<Need>,
    pub steps: Vec<Step>,
    /// Why a person has to take the steps.
    pub obstacle: Option<Obstacle>,
}

/// One line of what is missing.
#[derive(Debug, PartialEq, Eq)]
pub struct Need {
    pub what: String,
    pub why: String,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    DebianPackages(Vec<&'static str>),
    /// Downloaded with what they depend on, and unpacked into a folder: nothing of them is installed or started.
    UnpackedPackages {
        packages: Vec<&'static str>,
        folder: PathBuf,
    },
    /// Elsewhere than on Debian: the packages' names there are not ours to know.
    Programs(Vec<&'static str>),
    NightlyWithRustSrc,
    BpfLinker,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Obstacle {
    NotRoot,
    NotDebian(String),
}

impl Plan {
    pub fn new(host: &Host, purpose: Purpose) -> Self {
        let mut plan = Self { needs: Vec::new(), steps: Vec::new(), obstacle: None };
        let mut packages = Vec::new();
        let mut programs = Vec::new();

        let has_libcore = host.nightly == Nightly::WithRustSrc
            || will_do(host.debian_rustc.as_deref(), needs::OLDEST_RUSTC);
        if !has_libcore {
            let nightly = match host.nightly {
                Nightly::WithoutRustSrc => "rustup's nightly has no rust-src",
                _ => "rustup has no nightly",
            };
            let why = format!("{}, as {nightly} here", needs::LIBCORE_WHY);
            plan.need(&needs::LIBCORE_PACKAGES.join(" "), &why);
            packages.extend(needs::LIBCORE_PACKAGES);
        }
        // Where a file of Debian's would be elsewhere is not ours to know.
        let is_known = |program: &str| host.system == System::Debian || !program.starts_with('/');
        let missing = needs::TOOLS
            .iter()
            .filter(|tool| is_known(tool.program) && !host.programs.contains(tool.program));
        for tool in missing.filter(|tool| tool.purposes.contains(&purpose)) {
            plan.need(tool.package, tool.why);
            packages.push(tool.package);
            programs.push(tool.program);
        }
        let mut unpacked = Vec::new();
        let is_absent = |program| !host.programs.contains(program) && !host.unpacked.contains(program);
        for peer in needs::PEERS.iter().filter(|peer| is_absent(peer.program)) {
            if peer.purposes.contains(&purpose) {
                plan.need(&format!("{} (unpacked, not installed)", peer.package), peer.why);
                unpacked.push(peer.package);
                programs.push(peer.program);
            }
        }
        if !host.has_bpf_linker() {
            let absent = |name: &&str| !host.packages.contains(name);
            let llvm: Vec<_> = needs::LLVM_PACKAGES.iter().copied().filter(absent).collect();
            if !llvm.is_empty() {
                plan.need(&llvm.join(" "), needs::LLVM_WHY);
                packages.extend(llvm);
            }
            plan.need(&format!("bpf-linker {}", needs::BPF_LINKER), needs::BPF_LINKER_WHY);
        }

        match &host.system {
            System::Debian if !packages.is_empty() || !unpacked.is_empty() => {
                if !packages.is_empty() {
                    plan.steps.push(Step::DebianPackages(packages));
                }
                if !unpacked.is_empty() {
                    plan.steps
                        .push(Step::UnpackedPackages { packages: unpacked, folder: host.peers.clone() });
                }
                plan.obstacle = (!host.root).then_some(Obstacle::NotRoot);
            }
            // bpf-linker alone goes to the user's own folder, which takes no root.
            System::Debian => {}
            System::Other(name) => {
                if !programs.is_empty() {
                    plan.steps.push(Step::Programs(programs));
                }
                if !has_libcore {
                    plan.steps.push(Step::NightlyWithRustSrc);
                }
                plan.obstacle = (!plan.needs.is_empty()).then(|| Obstacle::NotDebian(name.clone()));
            }
        }
        if !host.has_bpf_linker() {
            plan.steps.push(Step::BpfLinker);
        }
        plan
    }

    fn need(&mut self, what: &str, why: &str) {
        self.needs.push(Need { what: what.to_owned(), why: why.to_owned() });
    }
}

impl Step {
    pub fn commands(&self) -> Vec<CommandLine> {
        match self {
            Self::DebianPackages(packages) => {
                let install = ["install", "--yes", "--no-install-recommends", "--no-remove"];
                let words: Vec<_> = install.iter().chain(packages).copied().collect();
                vec![
                    CommandLine::new("apt-get", &["update"]).by_root(),
                    CommandLine::new("apt-get", &words).with("DEBIAN_FRONTEND", "noninteractive").by_root(),
                ]
            }
            Self::UnpackedPackages { packages, folder } => unpack(packages, &folder.display().to_string()),
            Self::Programs(_) => Vec::new(),
            Self::NightlyWithRustSrc => {
                let words = ["toolchain", "install", "nightly", "--component", "rust-src"];
                vec![CommandLine::new("rustup", &words)]
            }
            Self::BpfLinker => {
                let version = ["install", "bpf-linker", "--locked", "--version", needs::BPF_LINKER];
                let features = ["--no-default-features", "--features", needs::LLVM_FEATURE];
                // One that is installed and does not start counts as missing here, but not to cargo.
                let words = [&version[..], &features[..], &["--force"]].concat();
                vec![CommandLine::new("cargo", &words).with("LLVM_PREFIX", needs::LLVM_PREFIX)]
            }
        }
    }
}

/// Each package by itself: one that is not to be had does not keep the others away. apt downloads what a package needs,
/// too, and is not already installed.
fn unpack(packages: &[&str], folder: &str) -> Vec<CommandLine> {
    let (archives, root) = (format!("{folder}/archives"), format!("{folder}/root"));
    let cache = format!("Dir::Cache::archives={archives}");
    let download =
        ["install", "--download-only", "--yes", "--no-install-recommends", "--no-remove", "-o", &cache];
    let mut commands = vec![
        CommandLine::new("mkdir", &["--parents", &archives, &root]),
        CommandLine::new("apt-get", &["update"]).by_root(),
    ];
    commands.extend(packages.iter().map(|package| {
        let words = [&download[..], &[*package]].concat();
        CommandLine::new("apt-get", &words).with("DEBIAN_FRONTEND", "noninteractive").by_root()
    }));
    let extract = ["-name", "*.deb", "-exec", "dpkg", "--extract", "{}", &root, ";"];
    commands.push(CommandLine::new("find", &[&[archives.as_str()], &extract[..]].concat()));
    commands
}

impl fmt::Display for Obstacle {
    fn fmt(&self, output: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRoot => output.write_str(
                "something is missing, and installing packages takes root: run the commands below",
            ),
            Self::NotDebian(name) => write!(
                output,
                "something is missing, and setup installs on Debian only; this is {name}: run the \
                 commands below",
            ),
        }
    }
}

pub fn will_do(found: Option<&str>, oldest: &str) -> bool {
    found.is_some_and(|version| at_least(version, oldest))
}

/// Compares dotted numbers and ignores what follows them, as in `1.96.0-nightly`.
fn at_least(found: &str, oldest: &str) -> bool {
    let numbers = |version: &str| -> Vec<u32> {
        let digits = version.split(|letter: char| !letter.is_ascii_digit());
        digits.map_while(|part| part.parse().ok()).take(3).collect()
    };
    numbers(found) >= numbers(oldest)
}
