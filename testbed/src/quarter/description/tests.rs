//! What a description may say, and with which line it is told what it may not.

use super::*;

const GOOD: &str = include_str!("../../../../tests/quarters/2019Q4.toml");

fn refusal(text: &str) -> (usize, String) {
    match Description::parse(text, Path::new("quarter.toml")) {
        Err(DescriptionError::Wrong { line, what, .. }) => (line, what),
        other => panic!("{other:?}"),
    }
}

/// The text with one place changed, and the line of the change.
fn changed(from: &str, to: &str) -> (String, usize) {
    let at = GOOD.find(from).unwrap_or_else(|| panic!("no {from}"));
    let new = format!("{}{to}{}", &GOOD[..at], &GOOD[at + from.len()..]);
    (new, line(GOOD, at))
}

#[test]
fn every_quarter_can_be_read() {
    let paths = find(Path::new(FOLDER), "all").unwrap();
    assert!(paths.len() >= 5);
    for path in paths {
        let description = Description::read(&path).unwrap_or_else(|error| panic!("{error}"));
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert_eq!(description.quarter.to_string(), stem);
        assert_eq!(description.published.ports.get_ref().len(), 5, "{stem}");
        assert_eq!(description.published.regions.get_ref().len(), 5, "{stem}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    for (from, to, words) in [
        ("seed = 201904", "sead = 201904", "unknown field `sead`"),
        ("seed = 201904", "seed = ", ""),
        ("\"2019Q4\"", "\"2019Q5\"", "'2019Q5' is no quarter"),
        ("port = \"23/tcp\"", "port = \"23/sctp\"", "'23/sctp' is no port"),
        ("\nIR = 6", "\nXX = 6", "'XX' is no region"),
        ("signature = \"mirai\"", "signature = \"marai\"", "unknown variant `marai`"),
        ("from = \"2019-12-09\"", "from = \"2020-12-09\"", "is not in 2019Q4"),
        ("from = \"2019-11-17\"", "from = \"2019-09-17\"", "is none in 2019Q4"),
        ("group = \"survey scanners\"\nsignature", "group = \"scanners\"\nsignature", "is no group"),
        ("packets = 70", "packets = -1", "packets are 0 to 100000"),
    ] {
        let (text, expected) = changed(from, to);
        let (line, what) = refusal(&text);
        assert!(what.contains(words), "{to}: {what}");
        // A change that spans the start of a line is found on the next one; a stream is told by where it begins.
        assert!(
            (expected.saturating_sub(5)..=expected + 1).contains(&line),
            "{to}: line {line}, not {expected}"
        );
    }
}

#[test]
fn lines_are_exact_where_one_key_is_wrong() {
    let (text, line) = changed("port = \"445/tcp\"", "port = \"445\"");
    assert_eq!(refusal(&text).0, line);
    let (text, line) = changed("from = \"2019-10-04\"", "from = \"2018-10-04\"");
    assert_eq!(refusal(&text).0, line);
}

#[test]
fn contradictions_are_refused() {
    for (from, to, words) in [
        ("{ region = \"RO\", previous = 6 }", "{ region = \"RO\", previous = 4 }", "previous rank 4"),
        ("name = \"telnet\"\nports", "name = \"SMB\"\nports", "is there twice"),
        ("is = \"2019-10-04\"", "", "say what it 'is'"),
        ("fact = \"/share\"", "fact = \"share\"", "no JSON pointer"),
        ("ports = [\"53/udp\"", "signature = \"zmap\"\nports = [\"53/udp\"", "those of TCP scans"),
        ("ports = [\"53/udp\"", "ports = [\"123/udp\"", "each once"),
        ("times = 9 }", "times = 9, regions = [\"NL\"] }", "from where nothing comes"),
        ("home = [\"JP\"]", "home = [\"QQ\"]", "'QQ' is no region"),
    ] {
        let (text, _) = changed(from, to);
        let (_, what) = refusal(&text);
        assert!(what.contains(words), "{to}: {what}");
    }
}

#[test]
fn what_detect_has_to_find_is_said_with_how_unusual_it_is() {
    let (nothing, _) = GOOD.split_once("[[unusual]]").unwrap();
    assert!(refusal(nothing).1.contains("an [[unusual]] is needed"));
    let (unbounded, _) = changed("at_least = { score = 30 }", "");
    assert!(refusal(&unbounded).1.contains("say how far it is from what is usual"));
}

#[test]
fn a_quarter_that_nobody_described_is_named_with_those_that_are() {
    let error = find(Path::new(FOLDER), "1999Q1").unwrap_err().to_string();
    assert!(error.contains("1999Q1") && error.contains("2019Q4, 2021Q4"), "{error}");
    assert_eq!(find(Path::new(FOLDER), "2024q2").unwrap().len(), 1);
}
