//! What is known of one source.

use std::time::Instant;

use sensor_ebpf::abi::TrafficClass;
use sensor_ebpf::packet::PROTOCOL_TCP;

use super::SLICES;
use crate::digests::Digest;
use crate::flows::key::service_port;

/// Services that are kept of a source.
const SERVICES: usize = 4;

/// What a source sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    pub class: TrafficClass,
    pub protocol: u8,
    /// Destination port; the source port of backscatter; ICMP's type and code.
    pub port: u16,
}

#[derive(Clone, Debug)]
pub struct Source {
    packets: [u32; SLICES],
    pub last_seen: Instant,
    /// With their packets, which count the less the older they are; the first `used` of them.
    services: [(Service, u32); SERVICES],
    used: u8,
    pub more: bool,
    pub signatures: u8,
    /// Watched windows, a bit for each place.
    pub windows: u16,
}

impl Source {
    pub fn new(now: Instant) -> Self {
        let none = Service { class: TrafficClass::Other, protocol: 0, port: 0 };
        Self {
            packets: [0; SLICES],
            last_seen: now,
            services: [(none, 0); SERVICES],
            used: 0,
            more: false,
            signatures: 0,
            windows: 0,
        }
    }

    pub fn add<D: Digest>(&mut self, digest: &D, slice: usize, now: Instant, watched_windows: &[u16]) {
        self.packets[slice] = self.packets[slice].saturating_add(1);
        self.last_seen = now;
        self.signatures |= digest.signatures();
        let (class, protocol) = (digest.class(), digest.facts().protocol);
        if class == TrafficClass::Scan && protocol == PROTOCOL_TCP {
            let place = watched_windows.iter().position(|watched| *watched == digest.window());
            self.windows |= place.map_or(0, |place| 1 << place);
        }
        let port = if class == TrafficClass::Fragment { 0 } else { service_port(digest) };
        self.add_service(Service { class, protocol, port });
    }

    /// The least frequent makes way for a new one: what is sent often stays.
    fn add_service(&mut self, service: Service) {
        let used = usize::from(self.used);
        if let Some((_, packets)) = self.services[..used].iter_mut().find(|(known, _)| *known == service) {
            *packets = packets.saturating_add(1);
        } else if let Some(place) = self.services.get_mut(used) {
            *place = (service, 1);
            self.used += 1;
        } else if let Some(least) = self.services.iter_mut().min_by_key(|(_, packets)| *packets) {
            *least = (service, 1);
            self.more = true;
        }
    }

    /// Forgets the oldest slice; says whether anything is left.
    pub fn roll(&mut self, oldest: usize) -> bool {
        self.packets[oldest] = 0;
        // Never to nothing: of a source that is known at all something is to be shown.
        self.services.iter_mut().for_each(|(_, packets)| *packets = packets.div_ceil(2));
        self.packets() > 0
    }

    pub fn packets(&self) -> u64 {
        self.packets.iter().copied().map(u64::from).sum()
    }

    /// The most frequent service, and the others after it.
    pub fn services(&self) -> (Service, Vec<Service>) {
        let mut services = self.services;
        let used = &mut services[..usize::from(self.used).max(1)];
        used.sort_by_key(|(_, packets)| std::cmp::Reverse(*packets));
        (used[0].0, used[1..].iter().map(|(service, _)| *service).collect())
    }
}
