//! Ctrl-C and its kin: noticed wherever the demonstration waits, so that it always cleans up.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::flag::register_usize;

/// Whether somebody wants it to end, and by which signal.
#[derive(Clone)]
pub struct Interruption(Arc<AtomicUsize>);

impl Interruption {
    /// Notes every such signal from now on.
    pub fn watch() -> io::Result<Self> {
        let signal_number = Arc::new(AtomicUsize::new(0));
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] {
            register_usize(signal, Arc::clone(&signal_number), usize::try_from(signal).unwrap_or(0))?;
        }
        Ok(Self(signal_number))
    }

    pub fn has_come(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }

    /// Success, or what a shell says of a program that a signal ended.
    pub fn exit_code(&self) -> ExitCode {
        match self.0.load(Ordering::Relaxed) {
            0 => ExitCode::SUCCESS,
            signal => ExitCode::from(u8::try_from(128 + signal).unwrap_or(u8::MAX)),
        }
    }
}
