//! What the programs really said, each recorded when it had been sent so many packets.

use crate::peers::system::Program;

const RECORDED: &[(&str, u64, &str)] = &[
    ("tcpdump -w /dev/null", 50_000, include_str!("../../../peers/recorded/tcpdump.txt")),
    ("tcpdump, filter for SYNs", 50_000, include_str!("../../../peers/recorded/tcpdump.txt")),
    ("pmacctd, by destination port", 12, include_str!("../../../peers/recorded/pmacctd.csv")),
    ("softflowd", 20_000, include_str!("../../../peers/recorded/softflowd.txt")),
    ("nfpcapd", 20_000, include_str!("../../../peers/recorded/nfpcapd.txt")),
    ("argus", 20_000, include_str!("../../../peers/recorded/argus.txt")),
    // Of 20,000: it lost the others.
    ("darkstat", 13_792, include_str!("../../../peers/recorded/darkstat.html")),
    ("DPDK testpmd, af_packet", 20_000, include_str!("../../../peers/recorded/testpmd.txt")),
    ("DPDK testpmd, af_xdp", 20_000, include_str!("../../../peers/recorded/testpmd.txt")),
    ("AF_PACKET ring, ours", 17, "counting\npackets by port: 17\n"),
    ("AF_PACKET fanout, ours", 17, "counting\npackets by port: 17\n"),
];

#[test]
fn every_peers_count_is_found_in_what_it_really_said() {
    for program in Program::all().unwrap() {
        let recorded = RECORDED.iter().find(|(name, ..)| *name == program.name);
        let (name, counted, text) = recorded.unwrap_or_else(|| panic!("{} is not recorded", program.name));
        assert_eq!(program.count.find(text).unwrap(), *counted, "{name}");
    }
}

#[test]
fn an_absent_count_is_an_error_and_not_zero() {
    for program in Program::all().unwrap() {
        for text in ["", "killed", "packets captured", "RX-packets: x", "PACKETS"] {
            if let Ok(counted) = program.count.find(text) {
                // A table with its heading and not one row has counted nothing.
                assert!(text == "PACKETS" && counted == 0, "{}: {text:?} is {counted}", program.name);
            }
        }
    }
}

#[test]
fn a_row_without_the_column_is_an_error() {
    let pmacctd = Program::all().unwrap().into_iter().find(|program| program.file.is_some()).unwrap();
    assert_eq!(pmacctd.count.find("DST_PORT,PACKETS,BYTES\n23,2,92\n80,1,46\n").unwrap(), 3);
    assert!(pmacctd.count.find("DST_PORT,PACKETS,BYTES\n23,2,92\n80\n").is_err());
    assert!(pmacctd.count.find("DST_PORT,PACKETS,BYTES\n23,two,92\n").is_err());
}
