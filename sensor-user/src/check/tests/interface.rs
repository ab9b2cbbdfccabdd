use super::super::facts::Memory;
use super::super::nic;
use super::*;
use crate::features::Cpus;
use crate::interface::{Channels, Interface, Link};
use crate::program::{Rings, Slots};

fn eth0() -> Interface {
    Interface { name: "eth0".into(), index: 4 }
}

const CONNECTED: Link = Link { up: true, carrier: true, mtu: 1500, master: None, xdp: None };

#[test]
fn an_interface_is_up_and_connected() {
    assert_eq!(nic::link(&eth0(), CONNECTED).status, Status::Pass);
    assert_eq!(nic::link(&eth0(), Link { carrier: false, ..CONNECTED }).status, Status::Warn);
    let down = Link { up: false, ..CONNECTED };
    assert_eq!(verdict(&nic::link(&eth0(), down)), (Status::Warn, "ip link set dev eth0 up"));
}

#[test]
fn jumbo_frames_want_multi_buffer_xdp() {
    let status = |mtu, mode, multi_buffer| nic::mtu(&eth0(), mtu, mode, multi_buffer).status;
    assert_eq!(status(1500, Mode::Auto, Some(false)), Status::Pass);
    assert_eq!(status(9000, Mode::Auto, Some(true)), Status::Pass);
    assert_eq!(status(9000, Mode::Auto, Some(false)), Status::Warn);
    assert_eq!(status(9000, Mode::Auto, None), Status::Warn);
    assert_eq!(status(9000, Mode::Generic, Some(false)), Status::Pass);
}

fn queues(receive: u32, receive_maximum: u32, online: u32, counter_cpus: u32) -> Line {
    let cpus = Cpus { possible: 128, online_end: online };
    let slots = Slots::plan(cpus, NonZeroU32::new(counter_cpus).unwrap());
    let rings = Rings::plan(slots, true, None);
    let memory = Memory { slots, rings, cpus, cpus_online: online, available: None, taken: false };
    nic::queues(&eth0(), Some(Channels { receive, receive_maximum, combined: true }), &memory)
}

#[test]
fn queues_spread_packets_over_cpus() {
    assert_eq!(queues(8, 8, 8, 64).status, Status::Pass);
    assert_eq!(queues(1, 1, 2, 64).status, Status::Pass);
    assert_eq!(verdict(&queues(1, 4, 8, 64)), (Status::Warn, "ethtool -L eth0 combined 4"));
    assert!(queues(1, 1, 8, 64).remedy.unwrap().starts_with("none by ethtool"));
}

#[test]
fn queues_beyond_the_cpus_with_counters_of_their_own_share() {
    assert_eq!(verdict(&queues(96, 96, 96, 64)), (Status::Warn, "--counter-cpus 96, for more memory"));
    // More queues than CPUs share CPUs, but no counters.
    assert_eq!(queues(32, 32, 16, 64).status, Status::Pass);
}

#[test]
fn a_hosts_own_address_among_those_dropped_is_told() {
    let observed = ["192.0.2.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
    let (own, other) = ("192.0.2.7".parse().unwrap(), "198.51.100.1".parse().unwrap());
    assert_eq!(nic::own_addresses(&[other], &observed).status, Status::Pass);
    let line = nic::own_addresses(&[other, own], &observed);
    assert_eq!(
        (line.status, line.found.as_str()),
        (Status::Warn, "packets to this host's own 192.0.2.7 are dropped")
    );
}
