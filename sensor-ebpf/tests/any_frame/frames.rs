//! Frames that get deep into the decoder: built of headers that are mostly right, then bent.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// A frame, sometimes with a few bytes changed, sometimes cut.
pub fn frame() -> impl Strategy<Value = Vec<u8>> {
    let changes = prop_oneof![3 => vec(any::<(Index, u8)>(), 0..=0), 1 => vec(any::<(Index, u8)>(), 1..4)];
    let cut = prop_oneof![3 => Just(None), 1 => any::<Index>().prop_map(Some)];
    (link(), prop_oneof![ipv4(), ipv6()], changes, cut).prop_map(|(link, network, changes, cut)| {
        let (ethertype, network) = network;
        let mut frame = link_header(&link, ethertype);
        frame.extend(network);
        for (index, byte) in changes {
            let place = index.index(frame.len());
            frame[place] = byte;
        }
        if let Some(cut) = cut {
            frame.truncate(cut.index(frame.len() + 1));
        }
        frame
    })
}

/// Tag protocol identifiers, of which up to three are stacked.
fn link() -> impl Strategy<Value = Vec<u16>> {
    let tag = select(vec![0x8100_u16, 0x88a8, 0x9100]);
    prop_oneof![6 => vec(tag.clone(), 0..=0), 1 => vec(tag, 0..=3)]
}

pub fn link_header(tags: &[u16], ethertype: u16) -> Vec<u8> {
    let mut bytes = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
    for tag in tags {
        bytes.extend(tag.to_be_bytes());
        bytes.extend([0, 100]);
    }
    bytes.extend(ethertype.to_be_bytes());
    bytes
}

/// The number, or now and then one near it or any other.
fn about(right: u16) -> impl Strategy<Value = u16> {
    prop_oneof![
        12 => Just(right),
        1 => Just(right.saturating_sub(1)),
        1 => Just(right.saturating_add(1)),
        1 => Just(0),
        1 => 0..=right,
        1 => any::<u16>(),
    ]
}

fn protocol() -> impl Strategy<Value = u8> {
    prop_oneof![4 => Just(6_u8), 2 => Just(17), 1 => Just(1), 1 => Just(58), 1 => any::<u8>()]
}

fn address() -> impl Strategy<Value = [u8; 4]> {
    prop_oneof![Just([203, 0, 113, 6]), Just([203, 0, 113, 7]), any::<[u8; 4]>()]
}

fn ipv4() -> BoxedStrategy<(u16, Vec<u8>)> {
    let fragment = prop_oneof![8 => Just(0_u16), 2 => one_bit(), 1 => any::<u16>()];
    let identification = prop_oneof![any::<u16>(), Just(54321)];
    let options = prop_oneof![4 => Just(0_usize), 1 => 1_usize..=10];
    (protocol(), address(), fragment, identification, options, any::<bool>())
        .prop_flat_map(|(protocol, target, fragment, identification, options, masscan)| {
            transport(protocol, target).prop_flat_map(move |transport| {
                let header = 20 + 4 * options;
                let total = u16::try_from(header + transport.len()).unwrap_or(u16::MAX);
                about(total).prop_map(move |total| {
                    let identification = if masscan && transport.len() >= 8 {
                        masscan_identification(target, &transport)
                    } else {
                        identification
                    };
                    let mut bytes = vec![0; header];
                    bytes[0] = 0x45 + u8::try_from(options).unwrap_or(0);
                    bytes[2..4].copy_from_slice(&total.to_be_bytes());
                    bytes[4..6].copy_from_slice(&identification.to_be_bytes());
                    bytes[6..8].copy_from_slice(&fragment.to_be_bytes());
                    bytes[8..10].copy_from_slice(&[64, protocol]);
                    bytes[16..20].copy_from_slice(&target);
                    bytes.extend(&transport);
                    (0x0800, bytes)
                })
            })
        })
        .boxed()
}

fn masscan_identification([_, _, high, low]: [u8; 4], tcp: &[u8]) -> u16 {
    u16::from_be_bytes([high ^ tcp[2] ^ tcp[6], low ^ tcp[3] ^ tcp[7]])
}

fn one_bit() -> impl Strategy<Value = u16> {
    (0_u32..16).prop_map(|bit| 1 << bit)
}

fn ipv6() -> BoxedStrategy<(u16, Vec<u8>)> {
    let fragment = prop_oneof![3 => 0_u16..8, 1 => one_bit(), 1 => any::<u16>()];
    let extension = (select(vec![0_u8, 43, 44, 60]), 0_u8..3, fragment);
    let extensions = prop_oneof![4 => vec(extension.clone(), 0..=2), 1 => vec(extension, 7..=9)];
    (protocol(), any::<[u8; 16]>(), extensions)
        .prop_flat_map(|(protocol, target, extensions)| {
            let [.., a, b, c, d] = target;
            transport(protocol, [a, b, c, d]).prop_flat_map(move |transport| {
                let (first, payload) = chain(&extensions, protocol, &transport);
                let length = u16::try_from(payload.len()).unwrap_or(u16::MAX);
                about(length).prop_map(move |length| {
                    let mut bytes = vec![0; 40];
                    bytes[0] = 0x60;
                    bytes[4..6].copy_from_slice(&length.to_be_bytes());
                    bytes[6] = first;
                    bytes[24..40].copy_from_slice(&target);
                    bytes.extend(&payload);
                    (0x86dd, bytes)
                })
            })
        })
        .boxed()
}

/// Extension headers before a payload, and the number of the first of them.
pub fn chain(extensions: &[(u8, u8, u16)], protocol: u8, transport: &[u8]) -> (u8, Vec<u8>) {
    let mut bytes = Vec::new();
    let next = extensions.iter().skip(1).map(|(kind, ..)| *kind).chain([protocol]);
    for ((kind, length, fragment), next) in extensions.iter().zip(next) {
        let rest = if *kind == 44 { 4 } else { 4 + 8 * usize::from(*length) };
        bytes.extend([next, *length]);
        bytes.extend(fragment.to_be_bytes());
        bytes.extend(vec![0; rest]);
    }
    bytes.extend(transport);
    (extensions.first().map_or(protocol, |(kind, ..)| *kind), bytes)
}

fn transport(protocol: u8, target: [u8; 4]) -> BoxedStrategy<Vec<u8>> {
    match protocol {
        6 => tcp(target).boxed(),
        17 => (any::<[u8; 4]>(), about(8), vec(any::<u8>(), 0..12))
            .prop_map(|(ports, length, payload)| {
                let [high, low] = length.to_be_bytes();
                [ports.as_slice(), &[high, low, 0, 0], &payload].concat()
            })
            .boxed(),
        _ => vec(any::<u8>(), 0..24).boxed(),
    }
}

fn tcp(target: [u8; 4]) -> impl Strategy<Value = Vec<u8>> {
    let sequence = prop_oneof![Just(target), any::<[u8; 4]>()];
    let words = prop_oneof![6 => Just(5_u8), 2 => 6_u8..=15, 1 => 0_u8..5];
    let flags = prop_oneof![2 => Just(2_u8), 3 => any::<u8>()];
    let payload = prop_oneof![2 => Just(40_usize), 1 => 0_usize..48];
    (any::<[u8; 4]>(), sequence, words, flags, any::<u16>(), payload).prop_map(
        |(ports, sequence, words, flags, window, payload)| {
            let mut bytes = vec![0; 20 + payload];
            bytes[..4].copy_from_slice(&ports);
            bytes[4..8].copy_from_slice(&sequence);
            bytes[12..14].copy_from_slice(&[words << 4, flags]);
            bytes[14..16].copy_from_slice(&(window % 0x2000).to_be_bytes());
            bytes
        },
    )
}
