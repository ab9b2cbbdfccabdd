//! The virtual machine: started, listened to, and ended in time.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::tools::Tools;

/// Of processors and memory. Tests start threads, and the sensor's rings take some.
const PROCESSORS: &str = "2";
const MEMORY: &str = "2G";
/// How long a machine on real hardware may take until it says its first word; where none comes, it is emulated.
const LONGEST_START: Duration = Duration::from_secs(15);

/// By what a machine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acceleration {
    Hardware,
    Emulation,
}

impl Acceleration {
    /// Whether the hardware helps is known only when it has been tried.
    pub fn first() -> Self {
        let device = fs::OpenOptions::new().read(true).write(true).open("/dev/kvm");
        if device.is_ok() { Self::Hardware } else { Self::Emulation }
    }

    const fn arguments(self) -> [&'static str; 4] {
        match self {
            Self::Hardware => ["-accel", "kvm", "-cpu", "host"],
            Self::Emulation => ["-accel", "tcg,thread=multi", "-cpu", "max"],
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Hardware => "hardware virtualisation",
            Self::Emulation => "emulation",
        }
    }
}

/// How a machine came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It said that it is done.
    Done,
    /// It stopped before: its kernel's log tells why.
    Stopped,
    /// It was ended, because time was up.
    TooLong,
    /// It never spoke.
    Silent,
}

/// Boots a kernel, and hands over what the machine says, a line at a time, until `hear` has heard its last.
pub fn run(
    tools: &Tools,
    acceleration: Acceleration,
    kernel: &Path,
    initramfs: &Path,
    log: &Path,
    limit: Duration,
    mut hear: impl FnMut(&str) -> bool,
) -> Result<Ending> {
    let mut command = tools.qemu();
    command.args(acceleration.arguments());
    command.args(["-machine", "pc", "-smp", PROCESSORS, "-m", MEMORY, "-nodefaults", "-no-reboot"]);
    command.args(["-display", "none", "-monitor", "none"]);
    command.arg("-kernel").arg(kernel).arg("-initrd").arg(initramfs);
    // Nobody in there has to be protected from another.
    let words = "console=ttyS0 panic=-1 loglevel=6 mitigations=off";
    let emulated = if acceleration == Acceleration::Emulation { " apus.emulated" } else { "" };
    command.arg("-append").arg(format!("{words}{emulated}"));
    command.arg("-serial").arg(format!("file:{}", log.display()));
    command.args(["-chardev", "stdio,id=words,signal=off", "-serial", "chardev:words"]);
    // What qemu itself complains of, as where the hardware does not help, is beside the kernel's log.
    let complaints = complaints(log);
    let file = fs::File::create(&complaints);
    command.stderr(file.with_context(|| format!("cannot make {}", complaints.display()))?);
    let mut machine = Machine::start(&mut command)?;
    let words = machine.words()?;
    let deadline = Instant::now() + limit;
    let mut heard = false;
    loop {
        let now = Instant::now();
        let wait = deadline.saturating_duration_since(now);
        let wait =
            if heard || acceleration == Acceleration::Emulation { wait } else { wait.min(LONGEST_START) };
        match words.recv_timeout(wait) {
            Ok(line) => {
                heard = true;
                if hear(line.trim_end_matches(['\r', '\n'])) {
                    return Ok(Ending::Done);
                }
            }
            Err(RecvTimeoutError::Timeout) if heard || Instant::now() >= deadline => {
                return Ok(Ending::TooLong);
            }
            Err(RecvTimeoutError::Timeout) => return Ok(Ending::Silent),
            Err(RecvTimeoutError::Disconnected) if heard => return Ok(Ending::Stopped),
            Err(RecvTimeoutError::Disconnected) => return Ok(Ending::Silent),
        }
    }
}

/// Where qemu's own complaints are.
pub fn complaints(log: &Path) -> PathBuf {
    log.with_extension("qemu.log")
}

/// A running qemu, which is gone when this is.
struct Machine(Child);

impl Machine {
    fn start(command: &mut Command) -> Result<Self> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        Ok(Self(child.context("cannot start qemu-system-x86_64")?))
    }

    fn words(&mut self) -> Result<Receiver<String>> {
        let output = self.0.stdout.take().context("the machine's words cannot be read")?;
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    break;
                }
            }
        });
        Ok(receiver)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Both fail only where it has ended and been waited for.
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}
