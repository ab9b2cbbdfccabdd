//! What a test says past the test harness, which keeps to itself what passing tests print.

use std::fmt;
use std::io::{self, Write as _};
use std::thread;

/// Says something about the test that runs, on the standard error.
pub fn aside(what: impl fmt::Display) {
    let test = thread::current();
    let test = test.name().unwrap_or("a test");
    let _told_as_well_as_can_be = writeln!(io::stderr(), "{test} {what}");
}

/// Says that the test that runs does not look at what it is about, and why.
pub fn skips(why: impl fmt::Display) {
    aside(format_args!("skips: {why}"));
}
