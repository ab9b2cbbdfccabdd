//! Any set of prefixes, as the agent turns it into ranges and the program searches them.

use std::net::IpAddr;

use anyhow::{Result, ensure};
use end_to_end::kernel::Kernel;
use end_to_end::{host, privileged};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use proptest::prelude::*;
use proptest::sample::Index;
use sensor_ebpf::abi::OBSERVED_RANGES;
use sensor_user::config::{Options, Settings};

fn config() -> ProptestConfig {
    let standard = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { standard.cases } else { 32 };
    ProptestConfig { cases, failure_persistence: None, ..standard }
}

fn settings(observed: Vec<IpNet>) -> Result<Settings> {
    Ok(Options { observed: Some(observed), digests: Some(false), ..Options::default() }.resolve()?)
}

/// A frame to this destination with nothing behind its IP header, of a protocol that is not looked into.
fn frame_to(destination: IpAddr) -> Vec<u8> {
    let mut frame = vec![0; 12];
    match destination {
        IpAddr::V4(address) => {
            frame.extend([0x08, 0x00, 0x45, 0, 0, 20, 0, 1, 0, 0, 64, 132, 0, 0, 192, 0, 2, 1]);
            frame.extend(address.octets());
        }
        IpAddr::V6(address) => {
            frame.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, 0, 132, 64]);
            frame.extend([0; 16]);
            frame.extend(address.octets());
        }
    }
    frame
}

/// Both ends of every prefix, and what lies beside them.
fn addresses_about(prefixes: &[IpNet]) -> Vec<IpAddr> {
    let beside = |prefix: &IpNet| match prefix {
        IpNet::V4(net) => [
            net.network().to_bits().wrapping_sub(1),
            net.network().to_bits(),
            net.broadcast().to_bits(),
            net.broadcast().to_bits().wrapping_add(1),
        ]
        .map(|bits| IpAddr::V4(bits.into())),
        IpNet::V6(net) => [
            net.network().to_bits().wrapping_sub(1),
            net.network().to_bits(),
            net.broadcast().to_bits(),
            net.broadcast().to_bits().wrapping_add(1),
        ]
        .map(|bits| IpAddr::V6(bits.into())),
    };
    prefixes.iter().flat_map(beside).collect()
}

/// The rule in one line: no prefixes, or one that has the address.
fn is_observed(prefixes: &[IpNet], address: IpAddr) -> bool {
    prefixes.is_empty() || prefixes.iter().any(|prefix| prefix.contains(&address))
}

fn prefix() -> impl Strategy<Value = IpNet> {
    let ipv4 = (any::<u32>(), 0_u8..=32)
        .prop_map(|(bits, length)| IpNet::V4(Ipv4Net::new_assert(bits.into(), length).trunc()));
    let ipv6 = (any::<u128>(), 0_u8..=128)
        .prop_map(|(bits, length)| IpNet::V6(Ipv6Net::new_assert(bits.into(), length).trunc()));
    // Neighbours in a small corner of the address space, where prefixes touch and hold each other.
    let close = (any::<u8>(), 24_u8..=32)
        .prop_map(|(low, length)| IpNet::V4(Ipv4Net::new_assert(u32::from(low).into(), length).trunc()));
    prop_oneof![ipv4, ipv6, close]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_prefixes_are_searched_as_they_are_meant(
        prefixes in proptest::collection::vec(prefix(), 0..40), others: [u128; 8],
    ) {
        let settings = settings(prefixes.clone()).unwrap();
        let others = others.map(|bits| IpAddr::V6(bits.into()));
        for address in addresses_about(&prefixes).into_iter().chain(others) {
            let frame = frame_to(address);
            let packet = host::decoded(&settings, &frame);
            prop_assert_eq!(packet.observed, is_observed(&prefixes, address), "{}", address);
        }
    }

    #[test]
    fn the_order_of_prefixes_does_not_matter(
        prefixes in proptest::collection::vec(prefix(), 2..20), turn: Index,
    ) {
        let mut turned = prefixes.clone();
        turned.rotate_left(turn.index(prefixes.len()));
        prop_assert_eq!(settings(prefixes).unwrap().ranges, settings(turned).unwrap().ranges);
    }
}

/// As many ranges of each family as fit: every other /24 and /64, so that none merges with the next.
fn most_prefixes() -> Vec<IpNet> {
    (0..OBSERVED_RANGES)
        .flat_map(|index| {
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            let ipv4 = Ipv4Net::new_assert((0x0a00_0000 + (index << 9)).into(), 24);
            let ipv6 = Ipv6Net::new_assert(((0x2001_0db8 << 96) + (u128::from(index) << 65)).into(), 64);
            [IpNet::V4(ipv4), IpNet::V6(ipv6)]
        })
        .collect()
}

#[test]
fn the_kernel_searches_as_many_ranges_as_fit() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let prefixes = most_prefixes();
    let kernel = Kernel::load(&settings(prefixes.clone())?)?;
    let addresses = addresses_about(&prefixes);
    for address in &addresses {
        kernel.program()?.run(&frame_to(*address), 1)?;
    }
    let totals = kernel.totals();
    let observed = addresses.iter().filter(|address| is_observed(&prefixes, **address)).count();
    ensure!(totals.packets == addresses.len() as u64);
    ensure!(totals.ip_protocols[132] == observed as u64, "{} of {observed}", totals.ip_protocols[132]);
    Ok(())
}

/// One at a time, for a sample of the ranges: sums could hide two mistakes that cancel out.
#[test]
fn the_kernel_tells_neighbours_apart() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    for count in [1, 2, 3, OBSERVED_RANGES - 1, OBSERVED_RANGES] {
        let prefixes = &most_prefixes()[..2 * count];
        let settings = settings(prefixes.to_vec())?;
        let mut kernel = Kernel::load(&settings)?;
        let edges = [&prefixes[..2], &prefixes[count & !1..], &prefixes[2 * count - 2..]];
        for address in edges.iter().flat_map(|edge| addresses_about(&edge[..2.min(edge.len())])) {
            let frame = frame_to(address);
            let effect = kernel.run(&frame)?;
            ensure!(effect == host::run(&settings, &frame), "{address} in {count} ranges: {effect:?}");
        }
    }
    Ok(())
}
