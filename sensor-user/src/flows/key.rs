//! Keys: by what packets are told apart.

use sensor_ebpf::abi::{Family, TrafficClass};
use sensor_ebpf::classify::TCP_SYN;
use sensor_ebpf::digest::{Ipv4Digest, Ipv6Digest};
use sensor_ebpf::packet::{PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP};
use wire::{Counted, Row};

use super::targets::{TargetStore, Targets};
use crate::digests::{Address, Address4, Address6, Digest, class_of};

/// Words that a key is made of, to be hashed and compared.
pub trait Words: Copy + Eq + Send + 'static {
    fn words(&self) -> &[u64];
}

impl<const N: usize> Words for [u64; N] {
    #[inline]
    fn words(&self) -> &[u64] {
        self
    }
}

/// A way to tell flows apart, with what is kept of each besides its sums.
pub trait Flow: Send + 'static {
    type Digest: Digest;
    type Key: Words;
    type Detail: Copy + Send;

    fn key(digest: &Self::Digest) -> Self::Key;
    /// The same flow with its source unknown: what packets beyond the limit are added to.
    fn without_source(key: Self::Key) -> Self::Key;
    /// The same with nothing but what counters tell apart: class, protocol, port, signatures.
    fn coarse(key: Self::Key) -> Self::Key;
    /// The detail of a flow with this first packet.
    fn first(digest: &Self::Digest) -> Self::Detail;
    /// Fetches what adding a further packet will need.
    fn fetch(detail: &Self::Detail, store: &TargetStore<AddressOf<Self>>);
    /// Adds a further packet.
    fn again(detail: &mut Self::Detail, digest: &Self::Digest, store: &mut TargetStore<AddressOf<Self>>);
    /// Writes what key and detail say to a row, but for the targets, which lie elsewhere in memory.
    fn describe(key: &Self::Key, detail: &Self::Detail, row: &mut Row);
    /// How many targets a flow has.
    fn targets(detail: &Self::Detail, store: &TargetStore<AddressOf<Self>>) -> (u64, Counted);
}

/// The addresses of a flow.
pub type AddressOf<F> = <<F as Flow>::Digest as Digest>::Address;

/// A digest whose flows have keys. Both kinds are two addresses and what a packet is.
pub trait Keyed: Digest {
    type SourceKey: Words;
    type TupleKey: Words;

    fn source_key(source: Self::Address, victim: Self::Address, what: u64) -> Self::SourceKey;
    fn split_source_key(key: &Self::SourceKey) -> (Self::Address, Self::Address, u64);
    fn tuple_key(source: Self::Address, destination: Self::Address, what: [u64; 2]) -> Self::TupleKey;
    fn split_tuple_key(key: &Self::TupleKey) -> (Self::Address, Self::Address, [u64; 2]);
}

impl Keyed for Ipv4Digest {
    type SourceKey = [u64; 2];
    type TupleKey = [u64; 3];

    #[inline]
    fn source_key(source: Address4, victim: Address4, what: u64) -> [u64; 2] {
        [pair(source, victim), what]
    }
    fn split_source_key([addresses, what]: &[u64; 2]) -> (Address4, Address4, u64) {
        let (source, victim) = unpaired(*addresses);
        (source, victim, *what)
    }
    #[inline]
    fn tuple_key(source: Address4, destination: Address4, [first, second]: [u64; 2]) -> [u64; 3] {
        [pair(source, destination), first, second]
    }
    fn split_tuple_key([addresses, first, second]: &[u64; 3]) -> (Address4, Address4, [u64; 2]) {
        let (source, destination) = unpaired(*addresses);
        (source, destination, [*first, *second])
    }
}

impl Keyed for Ipv6Digest {
    type SourceKey = [u64; 5];
    type TupleKey = [u64; 6];

    #[inline]
    fn source_key(source: Address6, victim: Address6, what: u64) -> [u64; 5] {
        let ([a, b], [c, d]) = (source.words(), victim.words());
        [a, b, c, d, what]
    }
    fn split_source_key([a, b, c, d, what]: &[u64; 5]) -> (Address6, Address6, u64) {
        (address6([*a, *b]), address6([*c, *d]), *what)
    }
    #[inline]
    fn tuple_key(source: Address6, destination: Address6, [first, second]: [u64; 2]) -> [u64; 6] {
        let ([a, b], [c, d]) = (source.words(), destination.words());
        [a, b, c, d, first, second]
    }
    fn split_tuple_key([a, b, c, d, first, second]: &[u64; 6]) -> (Address6, Address6, [u64; 2]) {
        (address6([*a, *b]), address6([*c, *d]), [*first, *second])
    }
}

#[inline]
fn pair(first: Address4, second: Address4) -> u64 {
    u64::from(u32::from_ne_bytes(first)) | u64::from(u32::from_ne_bytes(second)) << 32
}

#[expect(clippy::cast_possible_truncation, reason = "the two halves")]
fn unpaired(pair: u64) -> (Address4, Address4) {
    ((pair as u32).to_ne_bytes(), ((pair >> 32) as u32).to_ne_bytes())
}

fn address6(words: [u64; 2]) -> Address6 {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&words[0].to_ne_bytes());
    bytes[8..].copy_from_slice(&words[1].to_ne_bytes());
    bytes
}

/// The usual key: source, protocol, class, port, signatures, the window of TCP scans, and for ICMP errors the
/// quoted destination and protocol.
pub struct BySource<D>(std::marker::PhantomData<D>);

/// In place of the quoted protocol of a key that tells neither that nor the window. IANA reserves the number.
const COARSE: u8 = 255;

/// What a packet is, in one word of a [`BySource`] key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct What {
    /// Destination port; the source port of backscatter; ICMP's type and code.
    port: u16,
    window: u16,
    protocol: u8,
    class: u8,
    signatures: u8,
    quoted_protocol: u8,
}

impl What {
    #[inline]
    fn pack(self) -> u64 {
        let Self { port, window, protocol, class, signatures, quoted_protocol } = self;
        u64::from(port)
            | u64::from(window) << 16
            | u64::from(protocol) << 32
            | u64::from(class) << 40
            | u64::from(signatures) << 48
            | u64::from(quoted_protocol) << 56
    }

    fn unpack(word: u64) -> Self {
        let [a, b, c, d, protocol, class, signatures, quoted_protocol] = word.to_le_bytes();
        let (port, window) = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
        Self { port, window, protocol, class, signatures, quoted_protocol }
    }
}

/// The port that tells packets of a class apart: that of the service, whichever end it is at.
#[inline]
pub(crate) fn service_port<D: Digest>(digest: &D) -> u16 {
    let facts = digest.facts();
    if is_icmp::<D>(facts.protocol) || digest.class().is_backscatter() {
        u16::from_be_bytes(facts.source_port)
    } else {
        u16::from_be_bytes(facts.destination_port)
    }
}

impl<D: Keyed> Flow for BySource<D> {
    type Digest = D;
    type Key = D::SourceKey;
    type Detail = Targets<D::Address>;

    #[inline]
    fn key(digest: &D) -> D::SourceKey {
        let facts = digest.facts();
        let is_tcp = facts.protocol == PROTOCOL_TCP;
        let is_scan = facts.class == TrafficClass::Scan as u8;
        let quoted = digest.quoted_destination();
        let what = What {
            port: service_port(digest),
            window: if is_tcp && is_scan { digest.window() } else { 0 },
            protocol: facts.protocol,
            class: facts.class,
            signatures: digest.signatures(),
            quoted_protocol: if quoted.is_some() { facts.header_length_or_quoted_protocol } else { 0 },
        };
        D::source_key(digest.source(), quoted.unwrap_or(D::Address::UNSPECIFIED), what.pack())
    }

    fn without_source(key: D::SourceKey) -> D::SourceKey {
        let (_, _, what) = D::split_source_key(&key);
        D::source_key(D::Address::UNSPECIFIED, D::Address::UNSPECIFIED, what)
    }

    fn coarse(key: D::SourceKey) -> D::SourceKey {
        let (_, _, what) = D::split_source_key(&key);
        let what = What { window: 0, quoted_protocol: COARSE, ..What::unpack(what) };
        D::source_key(D::Address::UNSPECIFIED, D::Address::UNSPECIFIED, what.pack())
    }

    #[inline]
    fn first(digest: &D) -> Targets<D::Address> {
        Targets::first(digest.destination())
    }

    #[inline]
    fn fetch(targets: &Targets<D::Address>, store: &TargetStore<D::Address>) {
        targets.fetch(store);
    }

    #[inline]
    fn again(targets: &mut Targets<D::Address>, digest: &D, store: &mut TargetStore<D::Address>) {
        targets.add(digest.destination(), store);
    }

    fn targets(targets: &Targets<D::Address>, store: &TargetStore<D::Address>) -> (u64, Counted) {
        targets.count(store)
    }

    fn describe(key: &D::SourceKey, _targets: &Targets<D::Address>, row: &mut Row) {
        let (source, victim, what) = D::split_source_key(key);
        let What { port, window, protocol, class, signatures, quoted_protocol } = What::unpack(what);
        row.family = D::FAMILY;
        row.source = Some(source.into());
        row.set_what(protocol, class_of(class), port, signatures);
        if protocol == PROTOCOL_TCP && row.class == TrafficClass::Scan && quoted_protocol != COARSE {
            row.window = Some(window);
        }
        if victim != D::Address::UNSPECIFIED {
            row.victim = Some(victim.into());
            row.quoted_protocol = Some(quoted_protocol);
        } else if row.is_icmp_error() && quoted_protocol != 0 && quoted_protocol != COARSE {
            // Of an overflow row, which names no victim.
            row.quoted_protocol = Some(quoted_protocol);
        } else if row.class.is_backscatter() && !row.is_icmp_error() {
            // Who answers was asked: by someone who gave our address as its own.
            row.victim = Some(source.into());
        }
    }
}

/// CAIDA's key: source and destination address and port, protocol, TTL, TCP flags, IP length.
pub struct ByTuple<D>(std::marker::PhantomData<D>);

/// What is kept of a tuple's first packet; and the signatures of all.
#[derive(Clone, Copy, Debug)]
pub struct TupleDetail {
    header_length: u8,
    signatures: u8,
    window: u16,
}

impl<D: Keyed> Flow for ByTuple<D> {
    type Digest = D;
    type Key = D::TupleKey;
    type Detail = TupleDetail;

    #[inline]
    fn key(digest: &D) -> D::TupleKey {
        let facts = digest.facts();
        let [a, b] = facts.source_port;
        let [c, d] = facts.destination_port;
        let [e, f] = facts.length;
        let first = u64::from_le_bytes([b, a, d, c, f, e, facts.protocol, facts.time_to_live]);
        let second = u64::from_le_bytes([facts.tcp_flags, facts.class, 0, 0, 0, 0, 0, 0]);
        D::tuple_key(digest.source(), digest.destination(), [first, second])
    }

    fn without_source(key: D::TupleKey) -> D::TupleKey {
        let (_, destination, what) = D::split_tuple_key(&key);
        D::tuple_key(D::Address::UNSPECIFIED, destination, what)
    }

    fn coarse(key: D::TupleKey) -> D::TupleKey {
        let (_, _, [first, second]) = D::split_tuple_key(&key);
        let [b, a, d, c, _, _, protocol, _] = first.to_le_bytes();
        let [_, class, ..] = second.to_le_bytes();
        // Of the two ports the one that the counters know.
        let is_source = class_of(class).is_backscatter() || is_icmp::<D>(protocol);
        let keep = |byte: u8, kept: bool| if kept { byte } else { 0 };
        let (b, a) = (keep(b, is_source), keep(a, is_source));
        let (d, c) = (keep(d, !is_source), keep(c, !is_source));
        let first = u64::from_le_bytes([b, a, d, c, 0, 0, protocol, 0]);
        let second = u64::from_le_bytes([0, class, 0, 0, 0, 0, 0, 0]);
        D::tuple_key(D::Address::UNSPECIFIED, D::Address::UNSPECIFIED, [first, second])
    }

    #[inline]
    fn first(digest: &D) -> TupleDetail {
        let facts = digest.facts();
        TupleDetail {
            header_length: if facts.protocol == PROTOCOL_TCP {
                facts.header_length_or_quoted_protocol
            } else {
                0
            },
            signatures: digest.signatures(),
            window: digest.window(),
        }
    }

    #[inline]
    fn fetch(_detail: &TupleDetail, _store: &TargetStore<D::Address>) {}

    #[inline]
    fn again(detail: &mut TupleDetail, digest: &D, _store: &mut TargetStore<D::Address>) {
        detail.signatures |= digest.signatures();
    }

    fn targets(_detail: &TupleDetail, _store: &TargetStore<D::Address>) -> (u64, Counted) {
        (1, Counted::Exactly)
    }

    fn describe(key: &D::TupleKey, detail: &TupleDetail, row: &mut Row) {
        let (source, destination, [first, second]) = D::split_tuple_key(key);
        let [b, a, d, c, f, e, protocol, time_to_live] = first.to_le_bytes();
        let [flags, class, ..] = second.to_le_bytes();
        let (source_port, destination_port) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        row.family = D::FAMILY;
        row.source = Some(source.into());
        row.destination = Some(destination.into());
        let by_source = class_of(class).is_backscatter() || is_icmp::<D>(protocol);
        let port = if by_source { source_port } else { destination_port };
        row.set_what(protocol, class_of(class), port, detail.signatures);
        (row.source_port, row.destination_port) = if is_icmp::<D>(protocol) {
            // As CAIDA has it: type and code in the places of the ports.
            (source_port >> 8, source_port & 0xff)
        } else {
            (source_port, destination_port)
        };
        (row.time_to_live, row.tcp_flags) = (time_to_live, flags);
        row.length = u16::from_be_bytes([e, f]);
        if flags & TCP_SYN != 0 {
            (row.syn_length, row.syn_window) = (detail.header_length, detail.window);
        }
    }
}

#[inline]
fn is_icmp<D: Digest>(protocol: u8) -> bool {
    match D::FAMILY {
        Family::Ipv4 => protocol == PROTOCOL_ICMP,
        Family::Ipv6 => protocol == PROTOCOL_ICMPV6,
    }
}
