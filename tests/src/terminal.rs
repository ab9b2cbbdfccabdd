//! A pseudo terminal with a program in it, as a person would have it.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use anyhow::{Context as _, Result, ensure};
use nix::pty::{Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{Termios, tcgetattr};
use nix::unistd::{Pid, setsid};

use crate::agent::wait_until;
use crate::picture::picture;

nix::ioctl_write_int_bad!(
    /// Makes a terminal this session's own, so that a program that opens `/dev/tty` finds it.
    take_terminal,
    nix::libc::TIOCSCTTY
);

/// What begins and ends a program's use of the whole screen.
const OTHER_SCREEN: &str = "\x1b[?1049h";
const USUAL_SCREEN: &str = "\x1b[?1049l";
const SHOW_CURSOR: &str = "\x1b[?25h";

/// A program in a terminal of 80 columns and 24 lines; it is killed on drop.
pub struct Terminal {
    program: Child,
    keyboard: File,
    /// Kept open, so that its settings can be asked for when the program has ended.
    terminal: Option<OwnedFd>,
    settings: Termios,
    written: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Terminal {
    /// Starts the program.
    pub fn start(command: &mut Command) -> Result<Self> {
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        let pair = openpty(Some(&size), None).context("there is no pseudo terminal to be had")?;
        let (master, terminal) = (File::from(pair.master), pair.slave);
        let settings = tcgetattr(&terminal)?;
        command.stdin(terminal.try_clone()?).stdout(terminal.try_clone()?).stderr(terminal.try_clone()?);
        // SAFETY: two system calls, which may be made between fork and exec.
        unsafe {
            command.pre_exec(|| {
                setsid()?;
                take_terminal(0, 0)?;
                Ok(())
            })
        };
        let program = command.env("TERM", "xterm-256color").spawn()?;
        // The command outlives this call, and what it holds would keep the terminal from ever ending.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let written = Arc::new(Mutex::new(Vec::new()));
        let (mut screen, kept) = (master.try_clone()?, Arc::clone(&written));
        let reader = thread::spawn(move || {
            let mut bytes = [0; 4_096];
            while let Ok(count @ 1..) = screen.read(&mut bytes) {
                kept.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&bytes[..count]);
            }
        });
        Ok(Self { program, keyboard: master, terminal: Some(terminal), settings, written, reader })
    }

    /// Everything that was written to it so far.
    fn written(&self) -> String {
        String::from_utf8_lossy(&self.written.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    /// What it shows now.
    pub fn picture(&self) -> String {
        picture(&self.written())
    }

    /// Waits until it shows these words.
    pub fn wait_for(&self, words: &str) -> Result<()> {
        let shown = wait_until(&format!("the screen shows {words:?}"), || Ok(self.picture().contains(words)));
        shown.with_context(|| format!("it shows:\n{}", self.picture()))
    }

    /// Types.
    pub fn send(&mut self, keys: &str) -> Result<()> {
        Ok(self.keyboard.write_all(keys.as_bytes())?)
    }

    pub fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill(Pid::from_raw(self.program.id().cast_signed()), signal)?)
    }

    /// Waits for the end, and until the terminal is as it was. Gives all that was written, too.
    pub fn end(mut self) -> Result<(ExitStatus, String)> {
        let mut status = None;
        wait_until("the program ends", || {
            status = self.program.try_wait()?;
            Ok(status.is_some())
        })?;
        let settings = tcgetattr(self.terminal.as_ref().context("the terminal is closed")?)?;
        // Nobody holds it any more: reading it ends once all that was written has been read.
        self.terminal = None;
        wait_until("all that it wrote is read", || Ok(self.reader.is_finished()))?;
        let written = self.written();
        let (taken, given_back) = (written.rfind(OTHER_SCREEN), written.rfind(USUAL_SCREEN));
        ensure!(taken.is_some() && taken < given_back, "the screen is not the usual one: {written:?}");
        ensure!(written.rfind(SHOW_CURSOR) > taken, "the cursor is hidden: {written:?}");
        ensure!(settings == self.settings, "the terminal has other settings");
        Ok((status.context("the program did not end")?, written))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Both fail only where it has ended and been waited for.
        let _ended = self.program.kill();
        let _reaped = self.program.wait();
    }
}
