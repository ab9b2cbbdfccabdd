use proptest::prelude::*;

use super::*;
use crate::config::Options;

const TCP: u8 = 6;
const UDP: u8 = 17;

fn read(text: impl AsRef<[u8]>) -> Result<Services, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("names");
    std::fs::write(&path, text).unwrap();
    Services::read(&path).map_err(|error| error.to_string())
}

const IANA: &str = "\
Service Name,Port Number,Transport Protocol,Description,Assignee,Contact,Registration Date,Modification Date,\
Reference,Service Code,Unauthorized Use Reported,Assignment Notes\r
,0,tcp,Reserved,[Jon_Postel],[Jon_Postel],,,,,,\r
http,80,tcp,World Wide Web HTTP,,,,2021-10-01,[RFC9110],,,\"Defined TXT keys: u=<username>\r
p=<password>, \"\"path=<path to document>\"\"\"\r
www,80,tcp,World Wide Web HTTP,,,,,,,,\r
x11,6000-6002,tcp,X Window System,,,,,,,,\r
,6064-6067,,Unassigned,,,,,,,,\r
ssh,22,sctp,SSH,,,,,,,,\r
telnet,23,TCP,Telnet,,,,,,,,\r
a-name-alone,,udp,No port,,,,,,,,\r
";

#[test]
fn a_services_file_is_read() {
    let services = read(
        "# Network services\n\ntelnet\t\t23/tcp\nhttp 80/tcp www # World Wide Web\nhttp-alt 80/tcp\n\
         domain 53/udp\r\nrtmp 1/ddp\nssh 22/SCTP\nlast 65535/udp # \u{e9}",
    )
    .unwrap();
    assert_eq!(services.name(TCP, 23), Some("telnet"));
    assert_eq!(services.name(TCP, 80), Some("http"));
    assert_eq!(services.name(UDP, 53), Some("domain"));
    assert_eq!(services.name(132, 22), Some("ssh"));
    assert_eq!(services.name(UDP, 65_535), Some("last"));
    assert_eq!((services.name(UDP, 23), services.name(TCP, 1)), (None, None));
}

#[test]
fn ianas_registry_is_read() {
    for text in [IANA.to_owned(), format!("\u{feff}{IANA}"), IANA.replace("\r\n", "\n")] {
        let services = read(&text).unwrap();
        assert_eq!(services.name(TCP, 80), Some("http"));
        assert_eq!(services.name(TCP, 23), Some("telnet"));
        assert_eq!(services.name(132, 22), Some("ssh"));
        let x11 = (5999..=6003).filter(|port| services.name(TCP, *port) == Some("x11")).count();
        assert_eq!(x11, 3);
        assert_eq!(services.names.len(), 6);
    }
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    for (text, expected) in [
        ("telnet 23/tcp\ntelnet\n", "line 2: \"telnet\" has no port"),
        ("telnet 23/\n", "line 1: \"23/\""),
        ("\ntelnet 70000/tcp\n", "line 2: \"70000/tcp\""),
        ("telnet -1/tcp\n", "line 1: \"-1/tcp\""),
        ("<!DOCTYPE html>\n", "line 1: \"html>\""),
        ("Service Name,Port Number,Protocol\na,1,tcp\n", "line 1: there is no column \"Transport Protocol\""),
        ("Service Name,Port Number,Transport Protocol\na,1,tcp\nb,9-1,tcp\n", "line 3: \"9-1\" is no port"),
        ("Service Name,Port Number,Transport Protocol\na,65536,tcp\n", "line 2: \"65536\" is no port"),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.contains(expected), "{text:?}: {error}");
        assert!(error.contains("names, line"), "{error}");
    }
    assert!(read(b"telnet\xff 23/tcp\n").unwrap_err().contains("not text"));
}

#[test]
fn the_operators_own_names_win() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("services");
    std::fs::write(&path, "telnet 23/tcp\nssh 22/tcp\n").unwrap();
    let text = format!(
        "services.file = {path:?}\n[services.names]\n\"8728/tcp\" = \"MikroTik API\"\n\"22/tcp\" = \"Secure Shell\""
    );
    let settings = toml::from_str::<Options>(&text).unwrap().resolve().unwrap();
    let services = Services::open(&settings).unwrap();
    assert_eq!(services.name(TCP, 8728), Some("MikroTik API"));
    assert_eq!(services.name(TCP, 22), Some("Secure Shell"));
    assert_eq!(services.name(TCP, 23), Some("telnet"));
    std::fs::remove_file(&path).unwrap();
    let error = Services::open(&settings).unwrap_err().to_string();
    assert!(error.contains("services.file"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_content_is_read_or_refused(bytes: Vec<u8>, is_table: bool) {
        let header = if is_table { "Service Name,Port Number,Transport Protocol\n" } else { "" };
        let _either = Services::parse(&[header.as_bytes(), &bytes].concat());
    }

    #[test]
    fn what_is_written_is_read(port: u16, name in "[a-z][a-z0-9-]{0,14}") {
        let services = Services::parse(format!("{name} {port}/udp alias # comment\n").as_bytes()).unwrap();
        prop_assert_eq!(services.name(UDP, port), Some(&*name));
        let table = format!("Service Name,Port Number,Transport Protocol\n{name},{port},udp\n");
        let services = Services::parse(table.as_bytes()).unwrap();
        prop_assert_eq!(services.name(UDP, port), Some(&*name));
    }
}
