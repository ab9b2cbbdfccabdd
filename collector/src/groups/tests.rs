use proptest::prelude::*;

use super::*;
use crate::config::Options;

fn opened(text: &str) -> Result<Groups, String> {
    let settings = toml::from_str::<Options>(text).unwrap().resolve().unwrap();
    Groups::open(&settings).map_err(|error| error.to_string())
}

fn list(text: &str) -> List {
    List::parse(text.as_bytes()).unwrap()
}

fn has(list: &List, address: &str) -> bool {
    list.contains(address.parse().unwrap())
}

#[test]
fn prefixes_and_addresses_are_taken() {
    let list = list(
        "# known scanners\n192.0.2.0/24 # a lab\r\n\n  198.51.100.7\n198.51.100.7/32\n2001:db8::/32\n::1\n\
         192.0.2.128/25\n0.0.0.0/8\n255.255.255.255",
    );
    for inside in
        ["192.0.2.0", "192.0.2.255", "198.51.100.7", "2001:db8:ffff::", "::1", "0.0.0.0", "255.255.255.255"]
    {
        assert!(has(&list, inside), "{inside}");
    }
    for outside in
        ["192.0.1.255", "192.0.3.0", "198.51.100.6", "2001:db9::", "::", "1.0.0.0", "255.255.255.254"]
    {
        assert!(!has(&list, outside), "{outside}");
    }
    assert!(List::parse(b"# nothing\n\n").unwrap().is_empty());
    assert!(has(&self::list("0.0.0.0/0\n::/0"), "203.0.113.1") && has(&self::list("::/0"), "ffff::"));
}

#[test]
fn what_is_wrong_is_told_with_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scanners.txt");
    for (content, expected) in [
        (
            &b"192.0.2.0/24\n192.0.2.9/24\n"[..],
            "line 2: \"192.0.2.9/24\" has host bits set: did you mean 192.0.2.0/24, or 192.0.2.9 alone?",
        ),
        (b"2001:db8::1/32", "did you mean 2001:db8::/32"),
        (b"192.0.2.0/33", "line 1: \"192.0.2.0/33\" is not a prefix"),
        (b"\n\nscanner.example", "line 3: \"scanner.example\""),
        (b"192.0.2.1 192.0.2.2", "is not a prefix"),
        (b"192.0.2.\xff", "not text"),
    ] {
        std::fs::write(&path, content).unwrap();
        let error = opened(&format!("groups.scanners = {path:?}")).unwrap_err();
        assert!(error.contains(expected) && error.contains("scanners.txt, line"), "{error}");
        assert!(error.contains("group \"scanners\""), "{error}");
    }
    std::fs::remove_file(&path).unwrap();
    assert!(opened(&format!("groups.scanners = {path:?}")).unwrap_err().contains("cannot read"));
}

#[test]
fn the_newest_list_of_the_day_or_before_is_in_force() {
    let folder = tempfile::tempdir().unwrap();
    let [old, new] = ["old", "new"].map(|name| folder.path().join(name));
    std::fs::write(&old, "192.0.2.1").unwrap();
    std::fs::write(&new, "192.0.2.2").unwrap();
    let groups = opened(&format!(
        "groups.a = [{{ file = {old:?}, from = \"2024-01-01\" }}, {{ file = {new:?}, from = \"2024-04-01\" }}]"
    ))
    .unwrap();
    let group = groups.get("a").unwrap();
    let contains = |address: &str, day: &str| group.contains(address.parse().unwrap(), day.parse().unwrap());
    assert!(!contains("192.0.2.1", "2023-12-31"));
    assert!(contains("192.0.2.1", "2024-01-01") && contains("192.0.2.1", "2024-03-31"));
    assert!(!contains("192.0.2.1", "2024-04-01") && contains("192.0.2.2", "2024-04-01"));
    assert!(!contains("192.0.2.2", "2024-03-31") && contains("192.0.2.2", "2030-01-01"));
    assert!(groups.get("b").is_none());
    assert_eq!(groups.names().collect::<Vec<_>>(), ["a"]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_content_is_read_or_refused(bytes: Vec<u8>) {
        let _either = List::parse(&bytes);
    }

    #[test]
    fn a_list_has_what_one_of_its_prefixes_has(
        prefixes in proptest::collection::vec((0_u32..4096, 20_u8..=32), 0..20),
        addresses in proptest::collection::vec(0_u32..4096, 20),
    ) {
        let nets: Vec<ipnet::Ipv4Net> = prefixes
            .into_iter()
            .map(|(bits, length)| ipnet::Ipv4Net::new(bits.into(), length).unwrap().trunc())
            .collect();
        let text: String = nets.iter().map(|net| format!("{net}\n")).collect();
        let list = List::parse(text.as_bytes()).unwrap();
        for address in addresses {
            let expected = nets.iter().any(|net| net.contains(&std::net::Ipv4Addr::from_bits(address)));
            prop_assert_eq!(list.contains(std::net::Ipv4Addr::from_bits(address).into()), expected);
        }
    }
}
