//! Being told to stop.

use std::io;
use std::time::Instant;

use crossbeam_channel::{Receiver, at, bounded, select};
use signal_hook::iterator::Signals;

/// Waits for the deadline or a signal; says whether it was a signal.
pub fn wait(signals: &Receiver<()>, deadline: Instant) -> bool {
    select! {
        recv(signals) -> _ => true,
        recv(at(deadline)) -> _ => false,
    }
}

/// A message for each of the signals, those included that came before. A further one while a message waits kills at once.
pub fn messages(mut signals: Signals) -> io::Result<Receiver<()>> {
    let (sender, receiver) = bounded(1);
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        for signal in signals.forever() {
            if sender.try_send(()).is_err() {
                // The default action; should it be refused, the first signal is still being served.
                let _refused = signal_hook::low_level::emulate_default_handler(signal);
            }
        }
    })?;
    Ok(receiver)
}
