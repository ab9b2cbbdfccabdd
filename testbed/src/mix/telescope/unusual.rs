//! IPv6, VLAN tags, options, fragments, what is not IP, and headers that lie.

use sensor_ebpf::generate::mutations::{IPV4_TARGET, IPV6_SOURCE, SOURCE_PORT};

use super::{
    ANY_ADDRESS, ANY_SOURCE, ANY_SOURCE_IPV6, USUAL_WINDOW, WATCHED_WINDOW, ipv4, ipv6, kind, syn,
    to_telescope, usual_syn,
};
use crate::frame::{FRAGMENT, Frame, GRE, HOP_BY_HOP, ICMPV6, Ipv4, NO_NEXT_HEADER, TCP, UDP};
use crate::mix::Kind;
use crate::mix::expectation::{Expectation, Port, Version};

pub fn kinds() -> Vec<Kind> {
    [&over_ipv6()[..], &in_vlans(), &in_pieces(), &malformed(), &elsewhere()].concat()
}

fn over_ipv6() -> [Kind; 6] {
    let frame = || Frame::ethernet().ipv6(&ipv6());
    let scan = |port| Expectation::scan(Version::V6, Port::Is(port));
    let padding = [0, 1, 4, 0, 0, 0, 0];
    [
        kind("IPv6 telnet", 8, frame().tcp(&syn(23, USUAL_WINDOW, &[])).build(), ANY_SOURCE_IPV6, scan(23)),
        kind(
            "IPv6 telnet, window 5656",
            4,
            frame().tcp(&syn(23, WATCHED_WINDOW, &[])).build(),
            ANY_SOURCE_IPV6,
            scan(23).window(WATCHED_WINDOW),
        ),
        kind(
            "IPv6 DNS",
            4,
            frame().udp(40321, 53, &[0; 12]).build(),
            IPV6_SOURCE | SOURCE_PORT,
            Expectation::udp(Version::V6, Port::Is(53)),
        ),
        kind(
            "IPv6 ping",
            4,
            frame().icmp(ICMPV6, 128, 0, &[0x41; 8]).build(),
            IPV6_SOURCE,
            Expectation::icmpv6(128),
        ),
        kind(
            "IPv6 https, hop-by-hop",
            3,
            frame().extension(HOP_BY_HOP, &padding).tcp(&syn(443, USUAL_WINDOW, &[])).build(),
            ANY_SOURCE_IPV6,
            scan(443),
        ),
        kind(
            "IPv6 no next header",
            2,
            frame().protocol(NO_NEXT_HEADER, &[]).build(),
            IPV6_SOURCE,
            Expectation::protocol("ipv6_other", NO_NEXT_HEADER),
        ),
    ]
}

fn in_vlans() -> [Kind; 3] {
    let scan = |port| Expectation::scan(Version::V4, Port::Is(port));
    let tagged = Frame::ethernet().tag(0x8100, 100);
    let twice = Frame::ethernet().tag(0x88a8, 200).tag(0x8100, 100);
    let thrice = twice.clone().tag(0x8100, 50);
    [
        kind("VLAN telnet", 6, tagged.ipv4(&ipv4()).tcp(&usual_syn(23)).build(), ANY_SOURCE, scan(23)),
        kind("QinQ ssh", 4, twice.ipv4(&ipv4()).tcp(&usual_syn(22)).build(), ANY_SOURCE, scan(22)),
        // Two tags are looked behind.
        kind(
            "three VLAN tags",
            2,
            thrice.ipv4(&ipv4()).tcp(&usual_syn(22)).build(),
            ANY_SOURCE,
            Expectation::outcome("non_ip"),
        ),
    ]
}

fn in_pieces() -> [Kind; 5] {
    let record_route = Ipv4 { options: &[7, 7, 4, 0, 0, 0, 0, 0], ..ipv4() };
    let first = Ipv4 { fragment: 0x2000, ..ipv4() };
    let later = Ipv4 { fragment: 185, ..ipv4() };
    let (more, last) = ([0, 0, 1, 0, 0, 0, 7], [0, 5, 0xc8, 0, 0, 0, 7]);
    let scan = |port| Expectation::scan(Version::V4, Port::Is(port));
    let from = |header: &Ipv4| Frame::ethernet().ipv4(header);
    let piece = |header: &[u8]| Frame::ethernet().ipv6(&ipv6()).extension(FRAGMENT, header);
    [
        kind(
            "telnet, IPv4 options",
            4,
            from(&record_route).tcp(&usual_syn(23)).build(),
            ANY_SOURCE,
            scan(23),
        ),
        kind("SMB, first fragment", 2, from(&first).tcp(&usual_syn(445)).build(), ANY_SOURCE, scan(445)),
        kind(
            "later fragment",
            6,
            from(&later).protocol(UDP, &[0x41; 24]).build(),
            ANY_ADDRESS,
            Expectation::protocol("fragment", UDP),
        ),
        kind(
            "IPv6 first fragment",
            3,
            piece(&more).udp(40321, 161, &[0; 16]).build(),
            IPV6_SOURCE | SOURCE_PORT,
            Expectation::udp(Version::V6, Port::Is(161)),
        ),
        kind(
            "IPv6 later fragment",
            2,
            piece(&last).protocol(TCP, &[0x41; 16]).build(),
            IPV6_SOURCE,
            Expectation::protocol("fragment", TCP),
        ),
    ]
}

fn malformed() -> [Kind; 7] {
    let tcp = || to_telescope().tcp(&syn(23, USUAL_WINDOW, &[])).build();
    let lie = |name, weight, frame| kind(name, weight, frame, ANY_ADDRESS, Expectation::outcome("malformed"));
    let too_long = Frame::ethernet().ipv6(&ipv6()).extension(HOP_BY_HOP, &[255, 1, 4, 0, 0, 0, 0]);
    [
        lie("TCP header cut by packet", 3, tcp().network(2, &28_u16.to_be_bytes())),
        lie("TCP header cut by frame", 3, tcp().cut(44)),
        lie("IPv4 header of 16 bytes", 3, tcp().network(0, &[0x44])),
        lie("TCP header of 16 bytes", 2, tcp().transport(12, &[0x40])),
        lie("TCP header past the end", 2, tcp().transport(12, &[0xf0])),
        lie("UDP of 4 bytes", 3, to_telescope().udp(40321, 53, &[0; 4]).build().transport(4, &[0, 4])),
        kind(
            "IPv6 options past end",
            2,
            too_long.tcp(&syn(23, USUAL_WINDOW, &[])).build(),
            IPV6_SOURCE,
            Expectation::outcome("malformed"),
        ),
    ]
}

fn elsewhere() -> [Kind; 3] {
    let unobserved = Ipv4 { destination: [198, 51, 100, 1], ..ipv4() };
    let request =
        [0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 198, 18, 0, 254, 0, 0, 0, 0, 0, 0, 198, 18, 0, 1];
    [
        kind("ARP", 5, Frame::ethernet().other(0x0806, &request).build(), 0, Expectation::outcome("non_ip")),
        kind(
            "GRE",
            6,
            to_telescope().protocol(GRE, &[0, 0, 8, 0, 0x45, 0, 0, 20]).build(),
            ANY_ADDRESS,
            Expectation::protocol("ipv4_other", GRE),
        ),
        kind(
            "telnet, elsewhere",
            8,
            Frame::ethernet().ipv4(&unobserved).tcp(&usual_syn(23)).build(),
            ANY_SOURCE | IPV4_TARGET,
            Expectation::outcome("unobserved"),
        ),
    ]
}
