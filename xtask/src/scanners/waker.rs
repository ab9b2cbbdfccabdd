//! Packets towards the scanner, for a scanner that waits for one.

use std::net::UdpSocket;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

const PAUSE: Duration = Duration::from_millis(200);
/// A broadcast, because nobody answers one; the port is the one for what is to be thrown away.
const DESTINATION: &str = "192.0.2.255:9";

/// Sends until it is dropped. None of it is in a capture of what arrives at the target.
pub struct Waker {
    _until_dropped: Sender<()>,
}

impl Waker {
    pub fn start() -> Result<Self> {
        let socket =
            UdpSocket::bind("192.0.2.2:0").context("cannot open a socket in the target's namespace")?;
        socket.set_broadcast(true).context("the target may not broadcast")?;
        let (sender, dropped) = mpsc::channel();
        thread::spawn(move || {
            while dropped.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
                // One that is not sent is made up for by the next.
                let _ = socket.send_to(&[], DESTINATION);
            }
        });
        Ok(Self { _until_dropped: sender })
    }
}
