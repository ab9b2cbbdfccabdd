//! The registry of kernels that are fetched by name: the only place where an archive or one of its packages is named.

use super::apt;

/// A distribution's kernel, and the archive that has it.
#[derive(Debug)]
pub struct Distribution {
    /// By its number first, which also names its folder and its rows in tables.
    pub names: &'static [&'static str],
    /// Each an archive and a suite of it: the newest kernel is taken.
    pub suites: &'static [(&'static Archive, &'static str)],
    pub keys: Keys,
    /// The suite whose kernel is wanted even where another's is newer.
    pub preferred: Option<&'static str>,
    /// A package without contents, which depends on the kernel that is current.
    pub package: &'static str,
    pub support: Support,
}

/// Whose signature the archive bears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// On every Debian.
    Debian,
    /// In a Debian package.
    Ubuntu,
}

/// What is expected of the sensor there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// It runs, with just these fallbacks in force, as `apus-sensor status --json` names them, separated by commas.
    Runs { fallbacks: &'static str, interpreter: Interpreter },
    /// Of a kernel that nobody has looked into: it runs, in whatever way.
    Unknown,
    /// Below the floor: it says so, and why.
    Refused,
}

/// Whether the kernel can interpret programs instead of compiling them (`CONFIG_BPF_JIT_ALWAYS_ON` is off).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interpreter {
    Present,
    Absent,
}

/// A place that packages come from.
#[derive(Debug)]
pub struct Archive {
    /// By its own word, in its lists.
    origin: &'static str,
    label: &'static str,
    /// Where this machine does not know it.
    usual: &'static str,
}

const DEBIAN: &Archive =
    &Archive { origin: "Debian", label: "Debian", usual: "http://deb.debian.org/debian" };
const DEBIAN_SECURITY: &Archive =
    &Archive { origin: "Debian", label: "Debian-Security", usual: "http://deb.debian.org/debian-security" };
const UBUNTU: &Archive =
    &Archive { origin: "Ubuntu", label: "Ubuntu", usual: "http://archive.ubuntu.com/ubuntu" };

impl Archive {
    /// The mirror that this machine has it from, which may be the only one that it reaches; else the usual place.
    pub fn address(&self) -> String {
        let Self { origin, label, usual } = self;
        apt::archive_of_this_machine(origin, label).unwrap_or_else(|| (*usual).to_owned())
    }
}

/// From the oldest kernel to the newest.
pub const DISTRIBUTIONS: &[Distribution] = &[
    Distribution {
        names: &["ubuntu:20.04", "ubuntu:focal"],
        suites: &[(UBUNTU, "focal"), (UBUNTU, "focal-updates")],
        keys: Keys::Ubuntu,
        preferred: None,
        package: "linux-image-generic",
        support: Support::Refused,
    },
    Distribution {
        names: &["debian:11", "debian:bullseye"],
        suites: &[(DEBIAN, "bullseye"), (DEBIAN_SECURITY, "bullseye-security")],
        keys: Keys::Debian,
        preferred: None,
        package: "linux-image-amd64",
        support: Support::Runs {
            fallbacks: "single_buffer,locked_memory",
            interpreter: Interpreter::Present,
        },
    },
    Distribution {
        names: &["ubuntu:22.04", "ubuntu:jammy"],
        suites: &[(UBUNTU, "jammy"), (UBUNTU, "jammy-updates")],
        keys: Keys::Ubuntu,
        preferred: None,
        package: "linux-image-generic",
        support: Support::Runs { fallbacks: "single_buffer", interpreter: Interpreter::Absent },
    },
    Distribution {
        names: &["debian:12", "debian:bookworm"],
        suites: &[(DEBIAN, "bookworm"), (DEBIAN_SECURITY, "bookworm-security")],
        keys: Keys::Debian,
        preferred: None,
        package: "linux-image-amd64",
        support: Support::Runs { fallbacks: "", interpreter: Interpreter::Present },
    },
    Distribution {
        names: &["debian:13", "debian:trixie"],
        suites: &[(DEBIAN, "trixie"), (DEBIAN_SECURITY, "trixie-security")],
        keys: Keys::Debian,
        preferred: None,
        package: "linux-image-amd64",
        support: Support::Runs { fallbacks: "", interpreter: Interpreter::Present },
    },
    Distribution {
        names: &["debian:13-backports", "debian:trixie-backports"],
        suites: &[(DEBIAN, "trixie"), (DEBIAN, "trixie-backports")],
        keys: Keys::Debian,
        preferred: Some("trixie-backports"),
        package: "linux-image-amd64",
        support: Support::Runs { fallbacks: "", interpreter: Interpreter::Present },
    },
];

/// Where Debian has the keys of Ubuntu's archive: archive, suite, package.
pub const UBUNTU_KEYRING: (&Archive, &str, &str) = (DEBIAN, "trixie", "ubuntu-keyring");
/// The file of that package.
pub const UBUNTU_KEYS: &str = "ubuntu-archive-keyring.gpg";

impl Distribution {
    /// The name that it goes by in tables.
    pub const fn name(&self) -> &'static str {
        self.names[0]
    }

    /// The same, fit for a folder's name.
    pub fn folder(&self) -> String {
        self.name().replace(':', "-")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_name_is_given_twice() {
        let names: Vec<_> = DISTRIBUTIONS.iter().flat_map(|distribution| distribution.names).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }
}
