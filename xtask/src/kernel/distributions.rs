//! The registry of kernels that are fetched by name: the only place where an archive or one of its packages is named.

/// A distribution's kernel, and the archive that has it.
#[derive(Debug)]
pub struct Distribution {
    /// By its number first, which also names its folder and its rows in tables.
    pub names: &'static [&'static str],
    /// Each an archive, and the suites of it to look in: the newest of its kernels is taken.
    pub suites: &'static [(&'static str, &'static str)],
    pub keys: Keys,
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
    Runs,
    /// Below the floor: it says so, and why.
    Refused,
}

const DEBIAN: &str = "http://deb.debian.org/debian";
const DEBIAN_SECURITY: &str = "http://deb.debian.org/debian-security";
const UBUNTU: &str = "http://archive.ubuntu.com/ubuntu";

/// From the oldest kernel to the newest.
pub const DISTRIBUTIONS: &[Distribution] = &[
    Distribution {
        names: &["ubuntu:20.04", "ubuntu:focal"],
        suites: &[(UBUNTU, "focal"), (UBUNTU, "focal-updates")],
        keys: Keys::Ubuntu,
        package: "linux-image-generic",
        support: Support::Refused,
    },
    Distribution {
        names: &["debian:11", "debian:bullseye"],
        suites: &[(DEBIAN, "bullseye"), (DEBIAN_SECURITY, "bullseye-security")],
        keys: Keys::Debian,
        package: "linux-image-amd64",
        support: Support::Runs,
    },
    Distribution {
        names: &["ubuntu:22.04", "ubuntu:jammy"],
        suites: &[(UBUNTU, "jammy"), (UBUNTU, "jammy-updates")],
        keys: Keys::Ubuntu,
        package: "linux-image-generic",
        support: Support::Runs,
    },
    Distribution {
        names: &["debian:12", "debian:bookworm"],
        suites: &[(DEBIAN, "bookworm"), (DEBIAN_SECURITY, "bookworm-security")],
        keys: Keys::Debian,
        package: "linux-image-amd64",
        support: Support::Runs,
    },
    Distribution {
        names: &["debian:13", "debian:trixie"],
        suites: &[(DEBIAN, "trixie"), (DEBIAN_SECURITY, "trixie-security")],
        keys: Keys::Debian,
        package: "linux-image-amd64",
        support: Support::Runs,
    },
    Distribution {
        names: &["debian:13-backports", "debian:trixie-backports"],
        suites: &[(DEBIAN, "trixie"), (DEBIAN, "trixie-backports")],
        keys: Keys::Debian,
        package: "linux-image-amd64",
        support: Support::Runs,
    },
];

/// Where Debian has the keys of Ubuntu's archive: archive, suite, package.
pub const UBUNTU_KEYRING: (&str, &str, &str) = (DEBIAN, "trixie", "ubuntu-keyring");
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
