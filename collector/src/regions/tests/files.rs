use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Result<Statistics, String> {
    Statistics::parse(text.as_bytes()).map_err(|fault| fault.to_string())
}

/// As the five publish them: extended and not, with comments, and each with its own oddities.
const REAL: [(Registry, &str, &[&str]); 5] = [
    (
        Registry::Afrinic,
        "2|afrinic|20260505|6|00000000|20260505|00000\nafrinic|*|asn|*|1|summary\nafrinic|*|ipv4|*|3|summary\n\
         afrinic|*|ipv6|*|2|summary\nafrinic|ZA|asn|1228|1|19910301|allocated|F36B9F4B\n\
         afrinic|ZA|ipv4|196.4.160.0|2560|19930101|assigned|F36B9F4B\n\
         afrinic|ZZ|ipv4|41.57.112.0|2048||reserved|\nafrinic|ke|ipv4|41.57.120.0|1024|20090101|Allocated|F3\n\
         afrinic|ZZ|ipv6|2c0f:fff8::|29||reserved|\nafrinic|MU|ipv6|2001:42d0::|32|20041217|allocated|F362\n",
        &[
            "196.4.160.0-196.4.169.255 ZA",
            "41.57.120.0-41.57.123.255 KE",
            "2001:42d0::-2001:42d0:ffff:ffff:: MU",
        ],
    ),
    (
        Registry::Apnic,
        "# (c) The statistics of a registry\n#\n#\u{e2}\n2|apnic|20240503|4|19830613|20240502|+1000\r\n\
         apnic|*|asn|*|1|summary\r\napnic|*|ipv4|*|2|summary\r\napnic|*|ipv6|*|1|summary\r\n\
         apnic|JP|asn|173|1|20020801|allocated\r\napnic|AP|ipv4|1.0.0.0|256|20110811|assigned\r\n\
         apnic|JP|ipv4|1.0.16.0|4096|20110412|allocated\r\napnic|JP|ipv6|2001:200::|35|19990813|allocated\r\n",
        &["1.0.0.0-1.0.0.255 AP", "1.0.16.0-1.0.31.255 JP", "2001:200::-2001:200:1fff:ffff:: JP"],
    ),
    (
        Registry::Arin,
        "2|arin|1714708977000|4|19700101|20240502|-0400\narin|*|ipv4|*|3|summary\narin|*|asn|*|0|summary\n\
         arin|*|ipv6|*|1|summary\narin|US|ipv4|3.0.0.0|16777216|19880223|allocated|1571ef|e-stats\n\
         arin||ipv4|23.128.0.0|256||reserved|\narin||ipv4|23.129.0.0|256|20200101|assigned|x\n\
         arin|CA|ipv6|2001:410::|32|19991019|allocated|11aa\n",
        &["3.0.0.0-3.255.255.255 US", "2001:410::-2001:410:ffff:ffff:: CA"],
    ),
    (
        Registry::Lacnic,
        "2|lacnic|20240501|2|19870101|20240501|-0300\nlacnic|*|ipv4|*|1|summary\nlacnic|*|ipv6|*|1|summary\n\
         lacnic|BR|ipv4|24.152.0.0|1024|20200309|allocated|260478\n\
         lacnic|UY|ipv6|2001:13c7:7001::|48|20030101|assigned|25\n",
        &["24.152.0.0-24.152.3.255 BR", "2001:13c7:7001::-2001:13c7:7001:ffff:: UY"],
    ),
    (
        Registry::Ripencc,
        "2.3|ripencc|1714687199|3|19830705|20240502|+0200\nripencc|*|ipv4|*|2|summary\nripencc|*|asn|*|0|summary\n\
         ripencc|*|ipv6|*|1|summary\nripencc|EU|ipv4|2.56.0.0|1024|20181214|allocated|4b\n\
         ripencc|UK|ipv4|2.56.4.0|1024|20181214|assigned|4c\nripencc|NL|ipv6|2001:610::|29|19990819|allocated|51\n",
        &["2.56.0.0-2.56.3.255 EU", "2.56.4.0-2.56.7.255 GB", "2001:610::-2001:617:ffff:ffff:: NL"],
    ),
];

fn text(record: &Record) -> String {
    let region = String::from_utf8_lossy(&record.region);
    match record.range {
        Range::V4(first, last) => {
            let [first, last] = [first, last].map(std::net::Ipv4Addr::from_bits);
            format!("{first}-{last} {region}")
        }
        Range::V6(first, last) => {
            let [first, last] =
                [first, last].map(|bits| std::net::Ipv6Addr::from_bits(u128::from(bits) << 64));
            format!("{first}-{last} {region}")
        }
    }
}

#[test]
fn every_registrys_file_is_read() {
    for (registry, text_of_file, expected) in REAL {
        let statistics = parse(text_of_file).unwrap();
        assert_eq!(statistics.registry, registry);
        let date = if registry == Registry::Afrinic { "2026-05-05" } else { "2024-05-02" };
        let date = if registry == Registry::Lacnic { "2024-05-01" } else { date };
        assert_eq!(statistics.date, day(date));
        assert_eq!(statistics.records.iter().map(text).collect::<Vec<_>>(), expected);
        let line = |record: &Record| text_of_file.lines().nth(record.line as usize - 1).unwrap().to_owned();
        assert!(statistics.records.iter().all(|record| line(record).contains("|ipv")));
    }
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let good = file(
        Registry::Apnic,
        "2024-05-02",
        &["JP|ipv4|1.0.16.0|4096", "JP|ipv6|2001:200::|32", "JP|asn|1|1"],
    );
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replacen(from, to, 1)
    };
    let cases = [
        (String::new(), "line 1: there is nothing in it"),
        ("# nothing\n".into(), "nothing in it"),
        ("<html>\n<body>".into(), "line 1: it begins with \"<html>\""),
        ("\x1f\u{8b}".into(), "line 1"),
        (with("2|apnic", "3|apnic"), "line 1: its format has version \"3\""),
        (with("2|apnic", "2|nro"), "line 1: it is of \"nro\""),
        (with("19830613|20240502", "19830613|20240230"), "line 1: its last day is \"20240230\""),
        (with("19830613|20240502", "19830613|2024-5-2"), "line 1: its last day is"),
        (with("apnic|JP|ipv4", "ripencc|JP|ipv4"), "line 5: \"ripencc\" has no records in a file of apnic"),
        (with("JP|ipv4|1.0", "JP|ipv5|1.0"), "line 5: \"ipv5\" is none of"),
        (with("JP|ipv4", "JPN|ipv4"), "line 5: \"JPN\" is no region"),
        (with("JP|ipv4", "J1|ipv4"), "line 5: \"J1\" is no region"),
        (with("1.0.16.0", "1.0.16"), "line 5: \"1.0.16\" is no address of IPv4"),
        (with("|4096", "|0"), "line 5: \"0\" is not how many"),
        (with("|4096", "|-1"), "line 5: \"-1\" is not how many"),
        (with("|4096", "|4278186000"), "line 5: \"4278186000\" is not how many"),
        (with("2001:200::|32", "2001:200::|65"), "line 6: \"65\" is no length"),
        (with("2001:200::|32", "2001:200::|16"), "line 6: 2001:200::/16 has bits beyond its length"),
        (with("2001:200::|32", "2001:200::1|64"), "line 6: 2001:200::1/64 has bits"),
        (with("2001:200::|32", "1.0.0.0|32"), "line 6: \"1.0.0.0\" is no address of IPv6"),
        (with("allocated", "lent"), "line 5: \"lent\" is none of"),
        (with("|20010203|allocated|a1b2c3", ""), "line 5: "),
        (with("ipv4|*|1|summary", "ipv4|*|2|summary"), "1 records of ipv4, and its summary says 2"),
        (with("apnic|*|ipv6|*|1|summary\n", ""), "1 records of ipv6, and its summary says 0"),
        (with("asn|*|1|summary", "asn|*|one|summary"), "line 2: \"one\" is no number"),
        (with("apnic|*|asn|", "apnic|*|ipv4|"), "line 3: a second summary"),
        ("2|apnic|1|0|0|20240502|0\n".into(), "without a summary"),
    ];
    for (text, expected) in cases {
        let error = parse(&text).unwrap_err();
        assert!(error.contains(expected), "{error}, not {expected}");
    }
    assert!(parse(&with("|4096", "|4278185984")).is_ok(), "up to the last address");
    assert_eq!(Statistics::parse(b"\x1f\x8b\x08").unwrap_err().line, 1);
    assert!(Statistics::parse(b"2|apnic|\xff").unwrap_err().what.contains("not text"));
}

#[test]
fn a_file_that_lacks_a_line_is_found() {
    for (registry, text, _) in REAL {
        let lines: Vec<&str> = text.lines().collect();
        for left_out in 0..lines.len() {
            let without: String = lines
                .iter()
                .enumerate()
                .filter(|(place, _)| *place != left_out)
                .map(|(_, line)| format!("{line}\n"))
                .collect();
            let is_needed = !lines[left_out].starts_with('#') && !lines[left_out].contains("|*|asn|*|0|");
            assert_eq!(parse(&without).is_err(), is_needed, "{registry}: {}", lines[left_out]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_file_that_was_cut_is_refused_or_has_all_records(which in 0_usize..5, cut in 0_usize..1000) {
        let (_, text, _) = REAL[which];
        let content = &text.as_bytes()[..cut.min(text.len())];
        if let Ok(statistics) = Statistics::parse(content) {
            prop_assert_eq!(statistics, parse(text).unwrap());
        }
    }

    #[test]
    fn any_content_is_read_or_refused(bytes: Vec<u8>, with_header: bool, fields in "(apnic|\\||JP|\\*|ipv4|ipv6|1\\.0\\.0\\.0|::|[0-9]{1,12}|summary|allocated|\n){0,80}") {
        let header = if with_header { "2|apnic|1|1|0|20240502|0\n" } else { "" };
        let _either: Result<_, Fault> = Statistics::parse(&[header.as_bytes(), &bytes].concat());
        let _either: Result<_, Fault> = Statistics::parse(format!("{header}{fields}").as_bytes());
    }
}
