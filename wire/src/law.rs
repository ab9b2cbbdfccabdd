//! Flows held against the counters of the same interval.
//!
//! Every observed packet is in exactly one flow, or its digest is among those that are missing: for want of
//! room in a ring, or because the agent that had read it died. So no sum of flows is above its counter, and
//! what all sums over one property are below their counters is exactly what is missing.

use sensor_ebpf::abi::{CpuCounters, Family, Outcome, Signature, TcpClass, TrafficClass};
use sensor_ebpf::digest::marks;
use sensor_ebpf::packet::{PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP};
use serde::Serialize;

use crate::conservation::{Breach, sum};
use crate::row::{FlowKey, Row};
use crate::totals::Totals;

/// What became of an interval's digests, by family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Digests {
    /// Written by the program.
    pub written: ByFamily,
    /// Not written for want of room in a ring.
    pub lost: ByFamily,
    /// Written, and read by an agent that died before it reported them, or in rings that were replaced.
    pub unread: ByFamily,
    /// Observed packets that were counted while digests were off.
    pub off: u64,
}

/// A number for each IP version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ByFamily {
    pub ipv4: u64,
    pub ipv6: u64,
}

impl From<[u64; 2]> for ByFamily {
    fn from([ipv4, ipv6]: [u64; 2]) -> Self {
        Self { ipv4, ipv6 }
    }
}

impl ByFamily {
    #[must_use]
    pub const fn sum(self) -> u64 {
        self.ipv4.saturating_add(self.ipv6)
    }
}

/// Whether an interval may have digests that no flow is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// The agent has read every digest since the interval began.
    ItsBeginning,
    /// The agent came into it, or changed what the program writes.
    Later,
}

impl Digests {
    /// What became of the digests of an interval with these counts, of which these were read.
    ///
    /// # Errors
    /// Where digests were read that were never written, or are missing that nobody can have read.
    pub fn account(counted: &CpuCounters, read: [u64; 2], since: Since) -> Result<Self, Breach> {
        let [written, lost] = [counted.digests, counted.digests_lost];
        let mut unread = [0; 2];
        for family in Family::ALL {
            let (written, read) = (written[family as usize], read[family as usize]);
            unread[family as usize] = match written.checked_sub(read) {
                Some(0) => 0,
                Some(unread) if since == Since::Later => unread,
                _ => {
                    return Err(Breach {
                        left: "digests read",
                        left_sum: read,
                        right: "digests written",
                        right_sum: written,
                    });
                }
            };
        }
        let observed = sum(&counted.ip_protocols);
        let digested = sum(&[written[0], written[1], lost[0], lost[1]]);
        match observed.checked_sub(digested) {
            Some(off) if off == 0 || since == Since::Later => {
                Ok(Self { written: written.into(), lost: lost.into(), unread: unread.into(), off })
            }
            _ => Err(Breach {
                left: "observed packets",
                left_sum: observed,
                right: "digests written and lost",
                right_sum: digested,
            }),
        }
    }

    /// Observed packets that are in no flow.
    #[must_use]
    pub const fn missing(&self) -> u64 {
        self.lost.sum().saturating_add(self.unread.sum()).saturating_add(self.off)
    }
}

/// What the flows of one interval come to in the terms of the counters: rows are added, and then held against them.
#[derive(Default)]
pub struct Sums {
    totals: Totals,
    /// UDP from port 53, whose flows are told apart by that port.
    dns: u64,
    packets: u64,
}

impl Sums {
    /// Adds a row. Its numbers may be anyone's: sums that no counter can hold stay at the highest, and break a law.
    pub fn add(&mut self, row: &Row) {
        let packets = row.packets;
        let Self { totals, dns, packets: all } = self;
        let counters = totals.counters_mut();
        more(all, packets);
        more(&mut counters.ip_protocols[usize::from(row.protocol)], packets);
        more(&mut counters.outcomes[outcome(row) as usize], packets);
        if row.class == TrafficClass::Fragment {
            return;
        }
        for signature in Signature::ALL {
            if row.signatures & 1 << signature as u8 != 0 {
                more(&mut counters.signatures[signature as usize], packets);
            }
        }
        let port = usize::from(row.port.unwrap_or(0));
        if let Some((kind, _)) = row.icmp {
            let types = match row.family {
                Family::Ipv4 => &mut counters.icmp_v4_types,
                Family::Ipv6 => &mut counters.icmp_v6_types,
            };
            more(&mut types[usize::from(kind)], packets);
        } else if row.protocol == PROTOCOL_UDP && row.class == TrafficClass::Backscatter {
            more(dns, packets);
        } else if row.protocol == PROTOCOL_UDP {
            more(&mut counters.udp_destination_ports[port], packets);
        } else if row.protocol == PROTOCOL_TCP {
            let (class, ports) = match row.class {
                TrafficClass::Scan => (TcpClass::Scan, &mut counters.tcp_scan_destination_ports),
                TrafficClass::BackscatterSynAck => {
                    (TcpClass::BackscatterSynAck, &mut counters.tcp_backscatter_source_ports)
                }
                TrafficClass::BackscatterRst => {
                    (TcpClass::BackscatterRst, &mut counters.tcp_backscatter_source_ports)
                }
                _ => (TcpClass::Other, &mut counters.tcp_other_destination_ports),
            };
            more(&mut counters.tcp_classes[class as usize], packets);
            more(&mut ports[port], packets);
            if row.signatures & marks::MIRAI != 0 {
                more(&mut counters.mirai_destination_ports[port], packets);
            }
        }
    }

    /// Every law that flows and counters of one interval break, where so many packets are in no flow.
    #[must_use]
    pub fn breaches(&self, counted: &CpuCounters, key: FlowKey, missing: u64) -> Vec<Breach> {
        let mut laws = Laws { missing, breaches: Vec::new() };
        laws.check(self, counted, key);
        laws.breaches
    }

    /// Packets in all rows.
    #[must_use]
    pub const fn packets(&self) -> u64 {
        self.packets
    }
}

fn more(sum: &mut u64, packets: u64) {
    *sum = sum.saturating_add(packets);
}

fn outcome(row: &Row) -> Outcome {
    match (row.class, row.family, row.protocol) {
        (TrafficClass::Fragment, ..) => Outcome::Fragment,
        (_, Family::Ipv4, PROTOCOL_TCP) => Outcome::Ipv4Tcp,
        (_, Family::Ipv4, PROTOCOL_UDP) => Outcome::Ipv4Udp,
        (_, Family::Ipv4, PROTOCOL_ICMP) => Outcome::Ipv4Icmp,
        (_, Family::Ipv4, _) => Outcome::Ipv4Other,
        (_, Family::Ipv6, PROTOCOL_TCP) => Outcome::Ipv6Tcp,
        (_, Family::Ipv6, PROTOCOL_UDP) => Outcome::Ipv6Udp,
        (_, Family::Ipv6, PROTOCOL_ICMPV6) => Outcome::Ipv6Icmp,
        (_, Family::Ipv6, _) => Outcome::Ipv6Other,
    }
}

/// How far a property's sums are below its counters, all together.
#[derive(Clone, Copy)]
enum Gap {
    Exactly(u64),
    AtMost(u64),
}

struct Laws {
    missing: u64,
    breaches: Vec<Breach>,
}

impl Laws {
    fn check(&mut self, sums: &Sums, counted: &CpuCounters, key: FlowKey) {
        let Sums { totals: flows, dns, packets: _ } = sums;
        let observed = Outcome::ALL.map(|outcome| match outcome {
            Outcome::Malformed | Outcome::NonIp | Outcome::Unobserved => 0,
            outcome => counted.outcomes[outcome as usize],
        });
        // Each packet has one outcome and one protocol, so both are short of exactly what is missing.
        self.short(
            "flows by outcome",
            &flows.outcomes[..observed.len()],
            &observed,
            Gap::Exactly(self.missing),
        );
        self.short(
            "flows by protocol",
            &flows.ip_protocols,
            &counted.ip_protocols,
            Gap::Exactly(self.missing),
        );
        let classes = self.short(
            "flows by TCP class",
            &flows.tcp_classes,
            &counted.tcp_classes,
            Gap::AtMost(self.missing),
        );
        let gap = |class: TcpClass| {
            counted.tcp_classes[class as usize].saturating_sub(flows.tcp_classes[class as usize])
        };
        let scans = (&flows.tcp_scan_destination_ports, &counted.tcp_scan_destination_ports);
        let others = (&flows.tcp_other_destination_ports, &counted.tcp_other_destination_ports);
        let answers = (&flows.tcp_backscatter_source_ports, &counted.tcp_backscatter_source_ports);
        if classes {
            self.short("flows of scans by port", scans.0, scans.1, Gap::Exactly(gap(TcpClass::Scan)));
            self.short(
                "flows of class other by port",
                others.0,
                others.1,
                Gap::Exactly(gap(TcpClass::Other)),
            );
            let both = sum(&[gap(TcpClass::BackscatterSynAck), gap(TcpClass::BackscatterRst)]);
            self.short("flows of backscatter by port", answers.0, answers.1, Gap::Exactly(both));
        }
        let udp = |counters: &CpuCounters| {
            sum(&[counters.outcomes[Outcome::Ipv4Udp as usize], counters.outcomes[Outcome::Ipv6Udp as usize]])
        };
        let of = |outcome: Outcome, counters: &CpuCounters| counters.outcomes[outcome as usize];
        let gap_of = |outcome: Outcome| Gap::Exactly(of(outcome, counted).saturating_sub(of(outcome, flows)));
        let udp_gap = udp(counted).saturating_sub(udp(flows)).saturating_add(*dns);
        self.short(
            "flows of UDP by port",
            &flows.udp_destination_ports,
            &counted.udp_destination_ports,
            Gap::Exactly(udp_gap),
        );
        self.short(
            "flows of ICMP by type",
            &flows.icmp_v4_types,
            &counted.icmp_v4_types,
            gap_of(Outcome::Ipv4Icmp),
        );
        self.short(
            "flows of ICMPv6 by type",
            &flows.icmp_v6_types,
            &counted.icmp_v6_types,
            gap_of(Outcome::Ipv6Icmp),
        );
        // A tuple has the signatures of any of its packets.
        if key == FlowKey::Source {
            // A packet may have as many as there are.
            let most = Gap::AtMost(self.missing.saturating_mul(Signature::ALL.len() as u64));
            self.short("flows by signature", &flows.signatures, &counted.signatures, most);
            let mirai = Signature::Mirai as usize;
            let gap = counted.signatures[mirai].saturating_sub(flows.signatures[mirai]);
            let ports = (&flows.mirai_destination_ports, &counted.mirai_destination_ports);
            self.short("flows of Mirai by port", ports.0, ports.1, Gap::Exactly(gap));
        }
    }

    /// Checks that no sum of flows is above its counter, and how far below they are in all. Says whether it holds.
    fn short(&mut self, left: &'static str, flows: &[u64], counted: &[u64], expected: Gap) -> bool {
        let mut gap = 0_u64;
        for (flows, counted) in flows.iter().zip(counted) {
            let Some(short) = counted.checked_sub(*flows) else {
                let (left_sum, right_sum) = (*flows, *counted);
                self.breaches.push(Breach { left, left_sum, right: "their counter", right_sum });
                return false;
            };
            gap = gap.saturating_add(short);
        }
        let (holds, missing) = match expected {
            Gap::Exactly(missing) => (gap == missing, missing),
            Gap::AtMost(missing) => (gap <= missing, missing),
        };
        if !holds {
            let right = "their counters, less what is missing,";
            let right_sum = sum(counted).saturating_sub(missing);
            self.breaches.push(Breach { left, left_sum: sum(flows), right, right_sum });
        }
        holds
    }
}
