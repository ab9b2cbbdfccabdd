//! What facts mean, and a whole check on this very host.

mod attachment;
mod host;
mod interface;

use super::*;

/// The line's status and remedy.
fn verdict(line: &Line) -> (Status, &str) {
    (line.status, line.remedy.as_deref().unwrap_or(""))
}

fn settings(interface: &str) -> Settings {
    Options { interfaces: Some(vec![interface.into()]), ..Options::default() }.resolve().unwrap()
}

/// Holds with and without privilege.
#[test]
fn everything_that_fails_here_has_a_remedy() {
    let lines = lines(&settings("apus-none"), true).unwrap();
    assert!(lines.iter().all(|line| line.status != Status::Fail || line.remedy.is_some()), "{lines:#?}");
    let missing = lines.last().unwrap();
    assert_eq!((missing.check, missing.status), ("interface", Status::Fail));
    assert_eq!(missing.interface.as_deref(), Some("apus-none"));
}

#[test]
fn no_attach_attaches_nothing_and_says_so() {
    let lines = lines(&settings("lo"), false).unwrap();
    let attachment = lines.last().unwrap();
    assert_eq!(verdict(attachment), (Status::Warn, "leave --no-attach out"));
}
