//! Two network namespaces with a cable between them, and no other way out of either.
//!
//! They belong to this process alone, which `unshare` has put into a network and a mount namespace of
//! its own. When the last process in them has ended, however it ended, the kernel removes everything:
//! so there is nothing to clean up, and no signal to catch.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::program::{self, SCANNER};
use super::recording::Recording;
use super::scan::{Scan, View};
use super::waker::Waker;

/// The kernel's name for the network namespace of whoever asks.
const OWN_NETWORK: &str = "/proc/self/ns/net";
/// Ports of the target that are open.
const OPEN: [u16; 2] = [22, 443];
/// What the last packet may take from one end to the other.
const FLIGHT: Duration = Duration::from_millis(300);
/// A SYN-ACK that nobody acknowledges comes again after one second, and then after two more.
const ONE_REPETITION: Duration = Duration::from_secs(2);

/// An IPv6 address has a multicast group, which is announced twice, each time within a second (RFC 3810).
const ANNOUNCEMENTS: Duration = Duration::from_secs(3);

/// Neither end makes itself an IPv6 address by itself, and both know each other's Ethernet address: but
/// for [`ANNOUNCEMENTS`], not one packet moves that no scanner sent.
const SETUP: &[&str] = &[
    "ip netns add scanner",
    "ip link add target address 02:00:00:00:00:02 type veth \
     peer name scanner netns scanner address 02:00:00:00:00:01",
    "ip link set target addrgenmode none",
    "ip -n scanner link set scanner addrgenmode none",
    // Whole checksums, as on a wire.
    "ethtool -K target tx off",
    "nsenter --net=/run/netns/scanner -- ethtool -K scanner tx off",
    "ip link set lo up",
    "ip link set target up",
    "ip -n scanner link set lo up",
    "ip -n scanner link set scanner up",
    "ip address add 192.0.2.2/24 dev target",
    "ip -n scanner address add 192.0.2.1/24 dev scanner",
    "ip -n scanner address add 2001:db8::1/64 dev scanner nodad",
    "ip neighbor add 192.0.2.1 lladdr 02:00:00:00:00:01 dev target nud permanent",
    "ip -n scanner neighbor add 192.0.2.2 lladdr 02:00:00:00:00:02 dev scanner nud permanent",
    "ip -n scanner neighbor add 2001:db8::17 lladdr 02:00:00:00:00:02 dev scanner nud permanent",
];
/// Last byte of each observed address, 192.0.2.16/28.
const OBSERVED: std::ops::Range<u8> = 16..32;
/// The route that makes the target answer for them.
const ANSWERING: &str = "local 192.0.2.16/28 dev lo";

pub struct Lab {
    /// Nobody accepts from them: the kernel answers by itself.
    _listeners: Vec<TcpListener>,
}

/// The network namespace of whoever asks, as a name that tells it from others.
pub fn network() -> Result<String> {
    let link = fs::read_link(OWN_NETWORK).with_context(|| format!("cannot read {OWN_NETWORK}"))?;
    Ok(link.to_string_lossy().into_owned())
}

impl Lab {
    /// Sets everything up in the namespaces that `unshare` has made. `outside` is the network that is
    /// not to be touched.
    pub fn open(outside: &str) -> Result<Self> {
        ensure!(network()? != outside, "this is the host's own network, in which nothing is ever scanned");
        program::hide_run()?;
        for line in SETUP {
            program::run(line)?;
        }
        for byte in OBSERVED {
            // Scanners send to the target; the target, where it is the victim, to those it is told of.
            let address = format!("neighbor add 192.0.2.{byte} nud permanent lladdr 02:00:00:00:00");
            program::run(&format!("ip -n scanner {address}:02 dev scanner"))?;
            program::run(&format!("ip {address}:01 dev target"))?;
        }
        thread::sleep(ANNOUNCEMENTS);
        let listen =
            |port| TcpListener::bind(("0.0.0.0", port)).with_context(|| format!("cannot open port {port}"));
        Ok(Self { _listeners: OPEN.into_iter().map(listen).collect::<Result<_>>()? })
    }

    /// Runs a scan, and writes what is seen of it into `capture`.
    pub fn take(&self, scan: &Scan, capture: &Path) -> Result<()> {
        let answers = scan.view == View::Conversation;
        if answers {
            program::run(&format!("ip route add {ANSWERING}"))?;
        }
        let recording = Recording::start(scan.view, capture)?;
        for line in scan.lines {
            // Its receiver looks at the clock only when a packet has come, and here none does.
            let _waker = line.starts_with("masscan").then(Waker::start).transpose()?;
            program::run_within(SCANNER, line)?;
        }
        thread::sleep(if scan.view == View::Backscatter { ONE_REPETITION } else { FLIGHT });
        recording.stop()?;
        if answers {
            program::run(&format!("ip route delete {ANSWERING}"))?;
        }
        Ok(())
    }
}
