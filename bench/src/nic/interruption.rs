//! Being told to stop: by an ordinary way out, so that nothing is left to the kernel that can be done here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result, ensure};
use signal_hook::consts::TERM_SIGNALS;

/// Whether somebody has pressed Ctrl-C, or asked for the end in another way.
pub struct Interruption(Arc<AtomicBool>);

impl Interruption {
    /// Listens from now on. Who asks twice is not made to wait.
    pub fn listen() -> Result<Self> {
        let interrupted = Arc::new(AtomicBool::new(false));
        for signal in TERM_SIGNALS {
            // In this order: the first of a kind sets what the second finds set.
            signal_hook::flag::register_conditional_default(*signal, Arc::clone(&interrupted))
                .and_then(|_| signal_hook::flag::register(*signal, Arc::clone(&interrupted)))
                .context("cannot listen for signals")?;
        }
        Ok(Self(interrupted))
    }

    pub fn check(&self) -> Result<()> {
        ensure!(!self.0.load(Ordering::Relaxed), "interrupted; nothing is left attached");
        Ok(())
    }
}
