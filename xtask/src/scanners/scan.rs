//! The scans: what is run, who sees it, and what must be in the capture.

/// Where the packets are taken from, and who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// What arrives at addresses that nobody answers for: what a telescope sees.
    Telescope,
    /// Both directions, while the target's kernel answers for the addresses.
    Conversation,
    /// The scanner floods the target's own address in the name of the observed addresses; what the
    /// target's kernel sends to those. What a telescope sees of an attack on somebody else.
    Backscatter,
}

/// One capture, and how it came about.
#[derive(Clone, Copy, Debug)]
pub struct Scan {
    pub name: &'static str,
    pub says: &'static str,
    pub view: View,
    /// Command lines, run one after the other on the scanner's side. Words end at blanks.
    pub lines: &'static [&'static str],
    /// What the sensor must count: a JSON pointer into its document, and packets. Only what follows
    /// from the command lines, so that it holds for a new capture as well.
    pub finds: &'static [(&'static str, u64)],
}

macro_rules! nmap {
    ($arguments:literal) => {
        concat!("nmap -n -Pn --send-ip --max-retries 1 --max-rtt-timeout 100ms ", $arguments)
    };
}

macro_rules! masscan {
    ($arguments:literal) => {
        concat!(
            "masscan --interface scanner --adapter-ip 192.0.2.1 --adapter-mac 02:00:00:00:00:01 ",
            "--router-mac 02:00:00:00:00:02 --rate 100 --wait 1 ",
            $arguments
        )
    };
}

macro_rules! zmap {
    ($arguments:literal) => {
        concat!(
            "zmap -q -C /dev/null -b /dev/null -i scanner -S 192.0.2.1 -G 02:00:00:00:00:02 -r 100 -c 1 ",
            "-o /dev/null ",
            $arguments
        )
    };
}

macro_rules! hping3 {
    ($arguments:literal) => {
        concat!("hping3 -n -I scanner -i u10000 ", $arguments)
    };
}

pub const SCANS: [Scan; 17] = [
    Scan {
        name: "nmap-syn",
        says: "SYN scan of 30 ports on two addresses, each probed twice as nobody answers.",
        view: View::Telescope,
        lines: &[nmap!("-sS -p 21-50 192.0.2.17 192.0.2.20")],
        finds: &[
            ("/packets", 120),
            ("/tcp/classes/scan", 120),
            ("/tcp/scan_dst_ports/23", 4),
            ("/signatures/mirai/packets", 0),
        ],
    },
    Scan {
        name: "nmap-udp",
        says: "UDP scan, with every payload that nmap 7.93 has for these ports: four for 5353, one for \
               1900 and for 11211, two for each other.",
        view: View::Telescope,
        lines: &[nmap!("-sU -p 53,123,161,1900,5353,11211 192.0.2.17")],
        finds: &[("/packets", 24), ("/outcomes/ipv4_udp", 24), ("/udp/dst_ports/5353", 8)],
    },
    Scan {
        name: "nmap-flags",
        says: "ACK, window, FIN, Xmas, null and Maimon scans: TCP that is neither scan nor backscatter.",
        view: View::Telescope,
        lines: &[
            nmap!("-sA -p 21-25 192.0.2.17"),
            nmap!("-sW -p 21-25 192.0.2.17"),
            nmap!("-sF -p 21-25 192.0.2.17"),
            nmap!("-sX -p 21-25 192.0.2.17"),
            nmap!("-sN -p 21-25 192.0.2.17"),
            nmap!("-sM -p 21-25 192.0.2.17"),
        ],
        finds: &[
            ("/packets", 60),
            ("/tcp/classes/other", 60),
            ("/tcp/flags/0x00", 10),
            ("/tcp/flags/0x01", 10),
            ("/tcp/flags/0x10", 20),
            ("/tcp/flags/0x11", 10),
            ("/tcp/flags/0x29", 10),
        ],
    },
    Scan {
        name: "nmap-ping",
        says: "Host discovery: ICMP echo, timestamp and mask, TCP, UDP, SCTP, IP protocols, and ARP.",
        view: View::Telescope,
        lines: &[
            "nmap -n -sn --send-ip --max-retries 1 -PE -PP -PM -PS22,80 -PA443 -PU40125 -PY80 -PO2,4 \
             192.0.2.17-18",
            "nmap -n -sn 192.0.2.17-18",
        ],
        finds: &[
            ("/packets", 44),
            ("/outcomes/non_ip", 4),
            ("/icmp/v4_types/8", 4),
            ("/icmp/v4_types/13", 4),
            ("/icmp/v4_types/17", 4),
            ("/ip_protocols/132", 4),
            ("/tcp/classes/scan", 8),
            ("/tcp/classes/other", 4),
        ],
    },
    Scan {
        name: "nmap-protocols",
        says: "IP protocol scan and SCTP scan.",
        view: View::Telescope,
        lines: &[nmap!("-sO -p 0-10,17,47,50,58,132 192.0.2.17"), nmap!("-sY -p 21-25 192.0.2.17")],
        finds: &[("/packets", 42), ("/ip_protocols/47", 2), ("/ip_protocols/132", 12)],
    },
    Scan {
        name: "nmap-fragments",
        says: "SYN scans in fragments of 8 and of 16 bytes: first fragments too short for a TCP header.",
        view: View::Telescope,
        lines: &[nmap!("-sS -f -p 21-23 192.0.2.17"), nmap!("-sS --mtu 16 -p 21-23 192.0.2.17")],
        finds: &[("/packets", 30), ("/outcomes/malformed", 12), ("/outcomes/fragment", 18)],
    },
    Scan {
        name: "nmap-ipv6",
        says: "IPv6: SYN and UDP scans, host discovery, and next headers that nothing follows.",
        view: View::Telescope,
        lines: &[
            nmap!("-6 -sS -p 22,23,80,443 2001:db8::17"),
            nmap!("-6 -sU -p 53,161 2001:db8::17"),
            "nmap -6 -n -sn --send-ip --max-retries 1 -PE -PS80 2001:db8::17",
            nmap!("-6 -sO -p 0,6,17,43,44,47,50,51,58,60,132 2001:db8::17"),
        ],
        finds: &[
            ("/packets", 42),
            ("/tcp/classes/scan", 10),
            ("/icmp/v6_types/128", 4),
            ("/outcomes/malformed", 8),
        ],
    },
    Scan {
        name: "nmap-answered",
        says: "SYN, UDP and connect scans of a host that answers: ports 22 and 443 are open.",
        view: View::Conversation,
        lines: &[
            nmap!("-sS -p 21-25,443 192.0.2.17"),
            nmap!("-sU -p 53,161 192.0.2.17"),
            nmap!("-sT -p 21-23 192.0.2.18"),
        ],
        finds: &[
            ("/packets", 30),
            ("/tcp/classes/scan", 9),
            ("/tcp/classes/backscatter_syn_ack", 3),
            ("/icmp/v4_types/3", 4),
            ("/tcp/backscatter_src_ports/443", 1),
        ],
    },
    Scan {
        name: "masscan-tcp",
        says: "Five ports of 16 addresses: its signature is in every SYN.",
        view: View::Telescope,
        lines: &[masscan!("-p 23,80,443,6379,8728 192.0.2.16/28")],
        finds: &[
            ("/packets", 80),
            ("/tcp/classes/scan", 80),
            ("/tcp/scan_dst_ports/8728", 16),
            ("/signatures/masscan/packets", 80),
        ],
    },
    Scan {
        name: "masscan-udp-icmp",
        says: "UDP and ICMP echo, where its signature is not looked for.",
        view: View::Telescope,
        lines: &[masscan!("-pU:53,123,161 192.0.2.16/28"), masscan!("--ping 192.0.2.16/28")],
        finds: &[
            ("/packets", 64),
            ("/udp/dst_ports/161", 16),
            ("/icmp/v4_types/8", 16),
            ("/signatures/masscan/packets", 0),
        ],
    },
    Scan {
        name: "zmap-syn",
        says: "One port of 16 addresses, twice: its signature is in every packet.",
        view: View::Telescope,
        lines: &[zmap!("-M tcp_synscan -p 80 192.0.2.16/28"), zmap!("-M tcp_synscan -p 5555 192.0.2.16/28")],
        finds: &[("/packets", 32), ("/tcp/scan_dst_ports/80", 16), ("/signatures/zmap/packets", 32)],
    },
    Scan {
        name: "zmap-udp-icmp",
        says: "ICMP echo, and UDP by the modules udp, ntp and upnp.",
        view: View::Telescope,
        lines: &[
            zmap!("-M icmp_echoscan 192.0.2.16/28"),
            zmap!("-M udp -p 53 --probe-args=hex:00 192.0.2.16/28"),
            zmap!("-M ntp -p 123 192.0.2.16/28"),
            zmap!("-M upnp -p 1900 192.0.2.16/28"),
        ],
        finds: &[
            ("/packets", 64),
            ("/udp/dst_ports/1900", 16),
            ("/icmp/v4_types/8", 16),
            ("/signatures/zmap/packets", 64),
        ],
    },
    Scan {
        name: "hping3-window",
        says: "Telnet scans with the window that is watched, 5656, and with the one below it.",
        view: View::Telescope,
        lines: &[
            hping3!("-c 5 -S -w 5656 -p 23 192.0.2.17"),
            hping3!("-c 3 -S -w 5656 -p 2323 192.0.2.18"),
            hping3!("-c 2 -S -w 5655 -p 23 192.0.2.17"),
            // Not a scan, so its window does not count.
            hping3!("-c 2 -A -w 5656 -p 23 192.0.2.17"),
        ],
        finds: &[
            ("/packets", 12),
            ("/tcp/classes/scan", 10),
            ("/signatures/window/5656", 8),
            ("/signatures/mirai/packets", 0),
        ],
    },
    Scan {
        name: "hping3-mirai",
        says: "The sequence number is the destination address, as mirai has it; then another's address, \
               and the right one in a SYN-ACK.",
        view: View::Telescope,
        lines: &[
            hping3!("-c 3 -S -p 23 -M 3221226001 192.0.2.17"),
            hping3!("-c 2 -S -p 2323 -M 3221226002 192.0.2.18"),
            hping3!("-c 1 -S -p 37215 -M 3221226003 192.0.2.19"),
            hping3!("-c 2 -S -p 23 -M 3221226001 192.0.2.20"),
            hping3!("-c 2 -S -A -p 23 -M 3221226001 192.0.2.17"),
        ],
        finds: &[
            ("/packets", 10),
            ("/tcp/scan_dst_ports/23", 5),
            ("/signatures/mirai/packets", 6),
            ("/signatures/mirai/dst_ports/23", 3),
            ("/signatures/mirai/dst_ports/37215", 1),
        ],
    },
    Scan {
        name: "hping3-fragments",
        says: "Fragments with and without a whole TCP, UDP or ICMP header in the first.",
        view: View::Telescope,
        lines: &[
            hping3!("-c 2 -S -p 80 -f -d 100 192.0.2.17"),
            hping3!("-c 2 -S -p 80 -f -m 32 -d 100 192.0.2.17"),
            hping3!("-c 2 -2 -p 53 -f -m 16 -d 64 192.0.2.17"),
            hping3!("-c 2 -1 -f -m 16 -d 64 192.0.2.17"),
        ],
        finds: &[
            ("/outcomes/malformed", 2),
            ("/tcp/scan_dst_ports/80", 2),
            ("/udp/dst_ports/53", 2),
            ("/icmp/v4_types/8", 2),
        ],
    },
    Scan {
        name: "hping3-mixed",
        says: "What else a telescope sees: SYN-ACK, RST, ICMP errors and DNS answers made by hand, \
               unusual flags, and GRE.",
        view: View::Telescope,
        lines: &[
            hping3!("-c 3 -S -A -s 443 -k -p 40000 192.0.2.17"),
            hping3!("-c 2 -R -s 443 -k -p 40000 192.0.2.17"),
            hping3!("-c 2 -R -A -s 80 -k -p 40000 192.0.2.17"),
            hping3!("-c 2 -1 -C 3 -K 3 192.0.2.17"),
            hping3!("-c 2 -1 -C 11 192.0.2.17"),
            hping3!("-c 2 -1 -C 13 192.0.2.17"),
            hping3!("-c 3 -2 -s 53 -k -p 40000 -d 32 192.0.2.17"),
            // ECE and CWR beside SYN: a host that offers congestion notification, and still a scan.
            hping3!("-c 2 -S -X -Y -p 22 192.0.2.17"),
            hping3!("-c 2 -S -F -p 22 192.0.2.17"),
            hping3!("-c 2 -0 -H 47 -d 20 192.0.2.17"),
        ],
        finds: &[
            ("/packets", 22),
            ("/tcp/classes/backscatter_syn_ack", 3),
            ("/tcp/classes/backscatter_rst", 4),
            ("/tcp/classes/scan", 2),
            ("/tcp/classes/other", 2),
            ("/tcp/backscatter_src_ports/443", 5),
            ("/tcp/flags/0xc2", 2),
            ("/icmp/v4_types/3", 2),
            ("/udp/dst_ports/40000", 3),
            ("/ip_protocols/47", 2),
        ],
    },
    Scan {
        name: "backscatter",
        says: "A kernel under floods from addresses that are not the attacker's: RST-ACKs of the closed \
               port 80, RSTs, port unreachables, echo replies, and SYN-ACKs of the open port 443, each \
               twice as nobody acknowledges it.",
        view: View::Backscatter,
        lines: &[
            hping3!("-c 5 -S -a 192.0.2.19 -p 80 192.0.2.2"),
            hping3!("-c 3 -A -a 192.0.2.20 -p 443 192.0.2.2"),
            hping3!("-c 5 -2 -a 192.0.2.21 -p 53 192.0.2.2"),
            hping3!("-c 4 -1 -a 192.0.2.22 192.0.2.2"),
            // Last, so that the capture ends between the first repetition and the second.
            hping3!("-c 5 -S -a 192.0.2.18 -p 443 192.0.2.2"),
        ],
        finds: &[
            ("/packets", 27),
            ("/tcp/classes/backscatter_syn_ack", 10),
            ("/tcp/classes/backscatter_rst", 8),
            ("/tcp/flags/0x04", 3),
            ("/tcp/flags/0x14", 5),
            ("/tcp/backscatter_src_ports/80", 5),
            ("/icmp/v4_types/0", 4),
            ("/icmp/v4_types/3", 5),
        ],
    },
];
