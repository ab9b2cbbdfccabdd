use std::sync::Arc;

use super::*;
use crate::testing::{Memory, SECOND, Sample};
use crate::validate::InMemory;

fn import(files: &[PathBuf], trust_times: bool, store: &Memory) -> (Result<(), ImportError>, String) {
    let mut settings = crate::config::Options::default().resolve().unwrap();
    settings.rules.trust_times = trust_times;
    let validator = Validator::new(settings.rules, Arc::new(InMemory::default()));
    let mut output = Vec::new();
    let result = run(files, 1 << 20, &validator, store, &mut output);
    (result, String::from_utf8(output).unwrap())
}

#[test]
fn each_file_is_stored_once_and_what_is_not_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let mut old = Sample::new("b", 2);
    (old.header.start, old.header.end) = (SECOND, 2 * SECOND);
    let good = Sample::new("a", 1).bytes();
    let files = [
        file("good.batch", &good),
        file("same.batch", &good),
        file("old.batch", &old.counts()),
        file("garbage.batch", b"garbage, and no batch"),
        file("capture.pcap", b""),
        file("long.batch", &vec![0; (1 << 20) + 1]),
        folder.path().join("absent.batch"),
    ];
    let store = Memory::default();
    let (result, output) = import(&files, false, &store);
    assert!(matches!(result, Err(ImportError::Incomplete { failed: 5, files: 7 })), "{output}");
    assert_eq!(store.count(), 1);
    let lines: Vec<&str> = output.lines().collect();
    let expected = [
        "stored",
        "stored before",
        "--trust-times",
        "not a batch",
        "apus-sensor replay",
        "limits",
        "No such",
    ];
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.contains(expected), "{line}");
    }
    let (result, output) = import(&files[2..3], true, &store);
    assert!(result.is_ok(), "{output}");
    assert_eq!(store.count(), 2);
}
