//! The program's rules, run on the host: the same functions, compiled for this machine.

use sensor_ebpf::count::{Exclusive, WatchedWindows, count};
use sensor_ebpf::headers::Frame;
use sensor_ebpf::observed::{Observe, Ranges};
use sensor_ebpf::packet::{Packet, decode};
use sensor_user::config::{Action, Settings};
use sensor_user::counters::Totals;

use crate::counter_names::counts;
use crate::fixture::{Effect, Verdict};

/// Bytes in the first buffer of `BPF_PROG_TEST_RUN`: a page of 4096 without XDP's headroom (256) and
/// the kernel's `skb_shared_info` (320, rounded).
pub const FIRST_BUFFER: usize = 4096 - 256 - 320;

/// What happens to this frame.
#[must_use]
pub fn run(settings: &Settings, frame: &[u8]) -> Effect {
    let packet = decoded(settings, frame);
    let mut totals = Totals::default();
    let windows = Windows(&settings.watched_windows);
    // SAFETY: counters of our own, with no other writer.
    unsafe { count::<Exclusive>(totals.counters_mut(), &packet, frame.len() as u64, &windows) };
    let drop = packet.observed && settings.action == Action::Drop;
    Effect { verdict: if drop { Verdict::Drop } else { Verdict::Pass }, raised: counts(&totals) }
}

/// This frame as the decoder sees it.
#[must_use]
pub fn decoded<'a>(settings: &Settings, frame: &'a [u8]) -> Packet<'a> {
    let (ipv4, ipv6) = settings.ranges.tables();
    let observe = Configured {
        restricted: !settings.observed.is_empty(),
        ranges: Ranges {
            ipv4: &ipv4,
            ipv4_count: length(&settings.ranges.ipv4),
            ipv6: &ipv6,
            ipv6_count: length(&settings.ranges.ipv6),
        },
    };
    let first_buffer = &frame[..frame.len().min(FIRST_BUFFER)];
    decode(Frame::new(first_buffer), &observe)
}

fn length<T>(ranges: &[T]) -> u32 {
    u32::try_from(ranges.len()).unwrap_or(u32::MAX)
}

struct Configured<'a> {
    restricted: bool,
    ranges: Ranges<'a>,
}

impl Observe for Configured<'_> {
    fn ipv4(&self, destination: [u8; 4]) -> bool {
        !self.restricted || self.ranges.ipv4(destination)
    }
    fn ipv6(&self, destination: &[u8; 16]) -> bool {
        !self.restricted || self.ranges.ipv6(destination)
    }
}

struct Windows<'a>(&'a [u16]);

impl WatchedWindows for Windows<'_> {
    fn position(&self, window: u16) -> Option<usize> {
        self.0.iter().position(|watched| *watched == window)
    }
}
