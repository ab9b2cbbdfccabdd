//! Network namespaces that are gone when the value is.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use nix::sched::{CloneFlags, setns};

use crate::{Error, command, process};

/// Where `ip netns` keeps them.
const FOLDER: &str = "/run/netns";

/// Namespaces made by this process so far, for a name that no other has.
static MADE: AtomicU32 = AtomicU32::new(0);

/// A network namespace with no way out: no interface but what [`crate::Link`] puts in, no address, no
/// route, and an IPv6 stack that does not speak. Not one packet moves in it that nobody sent.
///
/// On drop, processes that run in it are killed, and it is deleted with its interfaces.
#[derive(Debug)]
pub struct Namespace {
    name: String,
    file: File,
    /// Interfaces named so far.
    interfaces: AtomicU32,
}

impl Namespace {
    /// Makes one.
    ///
    /// # Errors
    /// Where this process may not, or `ip` is absent.
    pub fn new() -> Result<Self, Error> {
        let name = loop {
            let name = format!("apus-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
            // Left by a process that was killed outright, and had this process's number.
            if !Path::new(FOLDER).join(&name).exists() {
                break name;
            }
        };
        command::ip(&["netns", "add", &name])?;
        let file = match File::open(Path::new(FOLDER).join(&name)) {
            Ok(file) => file,
            Err(source) => {
                let _failed_anyway = command::ip(&["netns", "delete", &name]);
                return Err(Error::Namespace { what: "open", name, source });
            }
        };
        let namespace = Self { name, file, interfaces: AtomicU32::new(0) };
        namespace
            .within(silence_ipv6)?
            .map_err(|source| Error::Silence { name: namespace.name.clone(), source })?;
        Ok(namespace)
    }

    /// Its name, as `ip netns` shows it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its file, as `nsenter --net` takes it.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        Path::new(FOLDER).join(&self.name)
    }

    /// A name that no other interface in here has.
    pub(crate) fn next_interface(&self, prefix: &str) -> String {
        format!("{prefix}{}", self.interfaces.fetch_add(1, Ordering::Relaxed))
    }

    /// A command that will run inside.
    ///
    /// Through `nsenter`, because `ip netns exec` would mount another `/sys` as well, in which there may
    /// be no BPF file system.
    #[must_use]
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut net = std::ffi::OsString::from("--net=");
        net.push(self.path());
        let mut command = Command::new("nsenter");
        command.arg(net).arg("--").arg(program);
        command
    }

    /// Runs a program inside to its end, and gives what it wrote.
    ///
    /// # Errors
    /// Where it cannot be started or fails.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Result<String, Error> {
        command::run(self.command(program).args(arguments))
    }

    /// Does something inside, on a thread of its own: interface names and indices are the namespace's.
    ///
    /// # Errors
    /// Where the thread cannot enter.
    ///
    /// # Panics
    /// Where `work` does.
    pub fn within<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, Error> {
        let entered = thread::scope(|scope| {
            let inside = scope.spawn(|| {
                setns(&self.file, CloneFlags::CLONE_NEWNET)?;
                Ok(work())
            });
            inside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        entered.map_err(|errno: nix::Error| Error::Namespace {
            what: "enter",
            name: self.name.clone(),
            source: errno.into(),
        })
    }
}

impl Namespace {
    /// Removes what a process that was killed has left: its namespaces, and the processes in them. What cannot be
    /// removed is complained of.
    pub fn remove_those_of(process: u32) {
        let prefix = format!("apus-{process}-");
        let entries = std::fs::read_dir(FOLDER).into_iter().flatten().flatten();
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.starts_with(&prefix) {
                continue;
            }
            // It is removed as its owner would have.
            match File::open(entry.path()) {
                Ok(file) => drop(Self { name, file, interfaces: AtomicU32::new(0) }),
                Err(error) => {
                    command::complain(format_args!("cannot open network namespace {name}: {error}"))
                }
            }
        }
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if let Err(error) = process::kill_all_in(&self.file) {
            command::complain(format_args!(
                "processes may be left in network namespace {}: {error}",
                self.name
            ));
        }
        if let Err(error) = command::ip(&["netns", "delete", &self.name]) {
            command::complain(format_args!("{error}"));
        }
    }
}

/// Without it an interface that comes up asks whether its address is taken, and for routers.
fn silence_ipv6() -> io::Result<()> {
    for which in ["all", "default"] {
        // `/proc/sys/net` is that of the thread that looks.
        match fs::write(format!("/proc/sys/net/ipv6/conf/{which}/disable_ipv6"), "1") {
            // No IPv6 in this kernel, which is as silent.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other?,
        }
    }
    Ok(())
}
