//! Modules of a kernel, with those that they need.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// What the tests need and a distribution builds as modules; where it is built in, there is no such file.
const WANTED: [&str; 2] = ["veth", "af_packet"];

/// A module, ready to be inserted after those before it.
pub struct Module {
    pub name: String,
    pub contents: Vec<u8>,
}

/// The wanted modules that are below this folder, in an order in which each finds there what it needs.
pub fn wanted(folder: &Path) -> Result<Vec<Module>> {
    let mut files = BTreeMap::new();
    list(folder, &mut files)?;
    let mut modules = Vec::new();
    for name in WANTED.into_iter().filter(|name| files.contains_key(*name)) {
        insert(name, &files, &mut modules)?;
    }
    Ok(modules)
}

fn insert(name: &str, files: &BTreeMap<String, PathBuf>, modules: &mut Vec<Module>) -> Result<()> {
    if modules.iter().any(|module| module.name == name) {
        return Ok(());
    }
    // One that is built in has no file.
    let Some(path) = files.get(name) else { return Ok(()) };
    let contents = read(path)?;
    for needed in needs(&contents) {
        insert(&needed, files, modules)?;
    }
    modules.push(Module { name: name.to_owned(), contents });
    Ok(())
}

/// Files of modules by name. The kernel takes hyphens for underscores.
fn list(folder: &Path, files: &mut BTreeMap<String, PathBuf>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot list {}", folder.display()))?;
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            list(&path, files)?;
        } else if let Some((name, _)) = entry.file_name().to_string_lossy().split_once(".ko") {
            files.insert(name.replace('-', "_"), path);
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let program = match path.extension().and_then(|extension| extension.to_str()) {
        Some("xz") => "xz",
        Some("zst") => "zstd",
        _ => return fs::read(path).with_context(|| format!("cannot read {}", path.display())),
    };
    let output = Command::new(program)
        .args(["--decompress", "--stdout"])
        .arg(path)
        .output()
        .with_context(|| format!("cannot start {program}: install it"))?;
    ensure!(output.status.success(), "{program} does not decompress {}", path.display());
    Ok(output.stdout)
}

/// What a module says it needs, in its section `.modinfo`: `depends=one,other`.
fn needs(contents: &[u8]) -> Vec<String> {
    const KEY: &[u8] = b"\0depends=";
    let Some(place) = contents.windows(KEY.len()).position(|window| window == KEY) else {
        return Vec::new();
    };
    let value = contents[place + KEY.len()..].split(|byte| *byte == 0).next().unwrap_or_default();
    let names = String::from_utf8_lossy(value);
    names.split(',').filter(|name| !name.is_empty()).map(|name| name.replace('-', "_")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_are_read_from_the_module_itself() {
        assert_eq!(
            needs(b"\x7fELF\0license=GPL\0depends=page-pool,bridge\0intree=Y\0"),
            ["page_pool", "bridge"]
        );
        assert_eq!(needs(b"license=GPL\0depends=\0intree=Y\0"), [""; 0]);
        assert_eq!(needs(b"not a module"), [""; 0]);
    }

    #[test]
    fn what_is_needed_comes_first() {
        let folder = std::env::temp_dir().join(format!("apus-modules-{}", std::process::id()));
        let drivers = folder.join("kernel/drivers");
        fs::create_dir_all(&drivers).unwrap();
        fs::write(drivers.join("veth.ko"), b"\0depends=first-one,built_in\0").unwrap();
        fs::write(drivers.join("first-one.ko"), b"\0depends=\0").unwrap();
        fs::write(drivers.join("other.ko"), b"\0depends=\0").unwrap();
        let names: Vec<_> = wanted(&folder).unwrap().into_iter().map(|module| module.name).collect();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(names, ["first_one", "veth"]);
    }
}
