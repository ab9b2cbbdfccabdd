//! The machine's only file system, in memory: shell, tools, modules, programs under test, and what they read.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};

use super::cpio::Archive;
use super::distributions::Support;
use super::image::Image;
use super::programs::Programs;
use super::steps::Step;
use super::tools::{self, INSIDE, Tools};

/// What the kernel starts.
const INIT: &str = include_str!("init.sh");
/// What some steps run.
const SCRIPTS: [(&str, &str); 3] = [
    ("apus/replay.sh", include_str!("replay.sh")),
    ("apus/without-jit.sh", include_str!("without-jit.sh")),
    ("apus/without-btf.sh", include_str!("without-btf.sh")),
];
/// Where names are looked up; `tests/names.rs` knows what is in here.
const NAMES: [(&str, &str); 2] = [
    ("etc/hosts", "127.0.0.1 localhost\n192.0.2.1 collector.files.example\n"),
    ("etc/resolv.conf", "nameserver 127.0.0.1\n"),
];
/// Folders and files that tests read, below the workspace, at whose path they expect them.
const READ: [&str; 3] = ["tests/fixtures", "tests/captures", "docs/decoding.md"];
/// Where the tools' own libraries are, which no other program finds.
const LIBRARIES: &str = "tools/lib";

/// Folders of the machine's own, in which nothing of the archive could be seen.
pub const HIDDEN: [&str; 4] = ["/proc", "/sys", "/dev", "/run"];

/// What is put into it.
pub struct Contents<'a> {
    pub image: &'a Image,
    pub tools: &'a Tools,
    pub programs: &'a Programs,
    pub steps: &'a [Step],
    /// What the kernel is to be told that is expected of it.
    pub support: Support,
    pub workspace: &'a Path,
}

impl Contents<'_> {
    /// Writes it, and gives its size in bytes.
    pub fn write(&self, path: &Path) -> Result<u64> {
        let Self { image, tools, programs, steps, support, workspace } = self;
        let file = File::create(path).with_context(|| format!("cannot make {}", path.display()))?;
        let mut archive = Archive::new(BufWriter::new(file));
        for folder in ["proc", "sys", "dev", "tmp", "run", "etc", "modules"] {
            archive.folder(folder)?;
        }
        archive.file("init", INIT.as_bytes())?;
        for (path, text) in NAMES {
            archive.file(path, text.as_bytes())?;
        }
        for (path, script) in SCRIPTS {
            archive.file(path, script.as_bytes())?;
        }
        archive.file("bin/busybox", &tools::read(&tools.busybox)?)?;
        add_tools(&mut archive)?;
        for (place, module) in image.modules.iter().enumerate() {
            archive.file(&format!("modules/{place:02}-{}.ko", module.name), &module.contents)?;
        }
        let line = |step: &Step| format!("{} {} {}\n", step.name, step.limit, step.command);
        archive.file("apus/steps", steps.iter().map(line).collect::<String>().as_bytes())?;
        archive.file("apus/environment", environment(*support).as_bytes())?;
        for name in programs.names() {
            archive.file(&format!("apus/bin/{name}"), &tools::read(programs.path(name)?)?)?;
        }
        for place in READ {
            add(&mut archive, &workspace.join(place))?;
        }
        archive.finish().with_context(|| format!("cannot write {}", path.display()))
    }
}

/// For `tests/floor.rs`: what this kernel is to be found to do, which the programs under test do not know.
fn environment(support: Support) -> String {
    match support {
        Support::Unknown => String::new(),
        Support::Refused => "export APUS_EXPECTED=refused\n".to_owned(),
        Support::Runs { fallbacks, .. } => format!("export APUS_EXPECTED={fallbacks}\n"),
    }
}

/// Each by a script that starts it with the loader and the libraries that it brings.
fn add_tools<W: Write>(archive: &mut Archive<W>) -> Result<()> {
    for name in INSIDE {
        let program = tools::inside(name)?;
        let libraries = tools::libraries(&program)?;
        let mut loader = None;
        for library in &libraries {
            let file = library.file_name().unwrap_or_default().to_string_lossy().into_owned();
            archive.file_once(&format!("{LIBRARIES}/{file}"), &tools::read(library)?)?;
            if file.starts_with("ld-linux") {
                loader = Some(file);
            }
        }
        archive.file(&format!("tools/programs/{name}"), &tools::read(&program)?)?;
        let start = loader
            .map_or_else(String::new, |loader| format!("/{LIBRARIES}/{loader} --library-path /{LIBRARIES} "));
        let script = format!("#!/bin/sh\nexec {start}/tools/programs/{name} \"$@\"\n");
        archive.file(&format!("tools/bin/{name}"), script.as_bytes())?;
    }
    Ok(())
}

/// A file, or a folder with all that is in it, at its own path.
fn add<W: Write>(archive: &mut Archive<W>, path: &Path) -> Result<()> {
    if path.is_dir() {
        let entries = fs::read_dir(path).with_context(|| format!("cannot list {}", path.display()))?;
        for entry in entries {
            add(archive, &entry.with_context(|| format!("cannot list {}", path.display()))?.path())?;
        }
        return Ok(());
    }
    Ok(archive.file(&path.to_string_lossy(), &tools::read(path)?)?)
}
