//! A kernel as it is booted: its image, its release, and the modules that the tests need.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::apt::{Apt, DEBIAN_KEYRING};
use super::distributions::{Distribution, Keys, UBUNTU_KEYRING, UBUNTU_KEYS};
use super::folder::remove;
use super::modules::{self, Module};
use super::name::Name;

/// The packages that a kernel is in; newer ones have its image and its modules apart.
const PARTS: [&str; 3] = ["linux-image-", "linux-binary-", "linux-modules-"];
/// Where packages and systems have modules.
const MODULES: [&str; 2] = ["lib/modules", "usr/lib/modules"];

pub struct Image {
    pub vmlinuz: PathBuf,
    /// As `uname -r` has it.
    pub release: String,
    pub modules: Vec<Module>,
}

impl Image {
    /// Finds it, or fetches it into `cache`, where it stays: whoever wants a newer one removes it there.
    pub fn of(name: &Name, cache: &Path) -> Result<Self> {
        match name {
            Name::File(path) => Self::of_file(path),
            Name::Distribution(distribution) => {
                let folder = cache.join(distribution.folder());
                if !folder.exists() {
                    eprintln!("kernel {name}: fetching it from its archive");
                    fetch(distribution, cache, &folder).with_context(|| format!("cannot fetch {name}"))?;
                }
                Self::kept(&folder)
            }
        }
    }

    fn of_file(path: &Path) -> Result<Self> {
        let release = release(path)?;
        let boot = path.canonicalize().with_context(|| format!("cannot find {}", path.display()))?;
        // As it lies in an unpacked package, or on this machine.
        let beside = boot.parent().and_then(Path::parent).unwrap_or(Path::new("/"));
        let modules =
            match [beside, Path::new("/")].into_iter().find_map(|root| modules_below(root, &release)) {
                Some(folder) => modules::wanted(&folder)?,
                // One with everything built in.
                None => Vec::new(),
            };
        Ok(Self { vmlinuz: boot, release, modules })
    }

    fn kept(folder: &Path) -> Result<Self> {
        let vmlinuz = folder.join("vmlinuz");
        let mut names: Vec<_> = fs::read_dir(folder.join("modules"))
            .with_context(|| format!("{} is not whole: remove it", folder.display()))?
            .flatten()
            .map(|entry| entry.path())
            .collect();
        names.sort();
        let read = |path: PathBuf| {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            let name = name.split_once('-').map_or(&*name, |(_, name)| name).to_owned();
            let contents = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            Ok(Module { name, contents })
        };
        let modules = names.into_iter().map(read).collect::<Result<_>>()?;
        Ok(Self { release: release(&vmlinuz)?, vmlinuz, modules })
    }
}

/// Downloads a kernel, and keeps of it what is booted.
fn fetch(distribution: &Distribution, cache: &Path, folder: &Path) -> Result<()> {
    let work = cache.join(format!("{}.work", distribution.folder()));
    remove(&work)?;
    let keyring = keyring(distribution.keys, cache)?;
    let suites = distribution.suites.iter().map(|(archive, suite)| (archive.address(), *suite));
    let apt = Apt::open(&work.join("apt"), &suites.collect::<Vec<_>>(), &keyring, distribution.preferred)?;
    let unpacked = work.join("unpacked");
    let mut packages = apt.needs(distribution.package, &PARTS)?;
    ensure!(!packages.is_empty(), "{} depends on no kernel", distribution.package);
    let mut done = 0;
    while let Some(package) = packages.get(done).cloned() {
        apt.unpack(&package, &unpacked)?;
        let needed = apt.needs(&package, &PARTS)?;
        packages.extend(needed.into_iter().filter(|name| !packages.contains(name)).collect::<Vec<_>>());
        done += 1;
    }
    let vmlinuz = kernel_below(&unpacked)?;
    let release = release(&vmlinuz)?;
    let modules = modules_below(&unpacked, &release);
    let modules = modules.with_context(|| format!("{} has no modules", packages.join(" and ")))?;

    // Whole or not there.
    let whole = work.join("whole");
    fs::create_dir_all(whole.join("modules")).context("cannot make a folder for modules")?;
    for (place, Module { name, contents }) in modules::wanted(&modules)?.into_iter().enumerate() {
        let file = whole.join("modules").join(format!("{place:02}-{name}.ko"));
        fs::write(&file, contents).with_context(|| format!("cannot write {}", file.display()))?;
    }
    fs::copy(&vmlinuz, whole.join("vmlinuz")).context("cannot keep the kernel")?;
    fs::rename(&whole, folder).with_context(|| format!("cannot make {}", folder.display()))?;
    remove(&work)
}

fn keyring(keys: Keys, cache: &Path) -> Result<PathBuf> {
    match keys {
        Keys::Debian => Ok(DEBIAN_KEYRING.into()),
        Keys::Ubuntu => {
            let (archive, suite, package) = UBUNTU_KEYRING;
            let kept = cache.join(UBUNTU_KEYS);
            if !kept.exists() {
                let work = cache.join("keys.work");
                remove(&work)?;
                let suites = [(archive.address(), suite)];
                let apt = Apt::open(&work.join("apt"), &suites, Path::new(DEBIAN_KEYRING), None)?;
                apt.unpack(package, &work.join("unpacked"))?;
                let keys = work.join("unpacked/usr/share/keyrings").join(UBUNTU_KEYS);
                fs::rename(&keys, &kept).with_context(|| format!("{package} has no keys"))?;
                remove(&work)?;
            }
            Ok(kept)
        }
    }
}

/// The kernel of an unpacked package: where systems boot from, or, in newer ones, beside its modules.
fn kernel_below(root: &Path) -> Result<PathBuf> {
    let boot = entries(&root.join("boot"));
    let kernels = boot.into_iter().filter(|path| {
        path.file_name().and_then(OsStr::to_str).is_some_and(|name| name.starts_with("vmlinuz-"))
    });
    let releases = MODULES.iter().flat_map(|place| entries(&root.join(place)));
    let found = kernels.chain(releases.map(|release| release.join("vmlinuz"))).find(|path| path.is_file());
    found.with_context(|| format!("there is no vmlinuz in {}", root.display()))
}

/// What is in a folder, where there is one.
fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

fn modules_below(root: &Path, release: &str) -> Option<PathBuf> {
    MODULES.iter().map(|place| root.join(place).join(release)).find(|place| place.is_dir())
}

/// A kernel's release, from the place that its header names (`Documentation/arch/x86/boot.rst`, `kernel_version`).
fn release(path: &Path) -> Result<String> {
    let image = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    release_in(&image).with_context(|| format!("{} is no kernel for x86", path.display()))
}

fn release_in(image: &[u8]) -> Result<String> {
    let at = |place: usize, length: usize| image.get(place..place + length).context("it ends early");
    if at(0x202, 4)? != b"HdrS" {
        bail!("it has no boot header");
    }
    let offset = u16::from_le_bytes([at(0x20e, 1)?[0], at(0x20f, 1)?[0]]);
    let text = image.get(usize::from(offset) + 0x200..).context("its version is beyond its end")?;
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    let text = std::str::from_utf8(text).context("its version is no text")?;
    text.split_whitespace().next().map(str::to_owned).context("its version is empty")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_is_where_the_header_says() {
        let mut image = vec![0; 0x400];
        image[0x202..0x206].copy_from_slice(b"HdrS");
        image[0x20e..0x210].copy_from_slice(&0x100_u16.to_le_bytes());
        image[0x300..0x31a].copy_from_slice(b"6.1.0-56-amd64 (debian) #1");
        assert_eq!(release_in(&image).unwrap(), "6.1.0-56-amd64");
    }

    #[test]
    fn a_package_has_its_kernel_in_either_place() {
        let root = std::env::temp_dir().join(format!("apus-kernel-{}", std::process::id()));
        for place in ["boot/vmlinuz-6.1.0-56-amd64", "usr/lib/modules/7.3.4+deb13-amd64/vmlinuz"] {
            let path = root.join(place);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, b"").unwrap();
            assert_eq!(kernel_below(&root).unwrap(), path);
            fs::remove_dir_all(&root).unwrap();
        }
        assert!(kernel_below(&root).is_err());
    }

    #[test]
    fn what_is_no_kernel_is_told_apart() {
        for image in [&b""[..], &[0; 0x400]] {
            assert!(release_in(image).is_err());
        }
        let mut cut = vec![0; 0x210];
        cut[0x202..0x206].copy_from_slice(b"HdrS");
        cut[0x20f] = 0xff;
        assert!(release_in(&cut).is_err());
    }
}
