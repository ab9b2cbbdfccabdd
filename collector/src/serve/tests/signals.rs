//! The signals that end it.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::SIGTERM;
use signal_hook::low_level::raise;

use crate::serve::end_at_the_second_signal;

/// Says to this test, run again as a process of its own, that it is the one to be ended.
const VICTIM: &str = "APUS_TEST_SECOND_SIGNAL";

#[test]
fn the_second_signal_ends_at_once_and_the_first_does_not() {
    if std::env::var_os(VICTIM).is_none() {
        let this = "serve::tests::signals::the_second_signal_ends_at_once_and_the_first_does_not";
        let mut victim = Command::new(std::env::current_exe().unwrap());
        let output = victim.args(["--exact", this, "--nocapture"]).env(VICTIM, "1").output().unwrap();
        assert_eq!(output.status.signal(), Some(SIGTERM), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("the first was seen"), "{output:?}");
        return;
    }
    let seen = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(SIGTERM, Arc::clone(&seen)).unwrap();
    let is_ending = end_at_the_second_signal().unwrap();
    raise(SIGTERM).unwrap();
    assert!(seen.load(Ordering::SeqCst));
    println!("the first was seen");
    is_ending.store(true, Ordering::SeqCst);
    raise(SIGTERM).unwrap();
}
