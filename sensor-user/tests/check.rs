//! `apus-sensor check` in network namespaces of its own.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::process::Command;

use aya::programs::XdpMode;
use nix::sched::{CloneFlags, unshare};
use sensor_user::check::{Line, Status, lines};
use sensor_user::config::{Mode, Options, Settings};
use testbed::privileged;

use sensor_user::interface::{Interface, Place};
use sensor_user::program::Alone;

/// Runs `work` in a thread with a network namespace of its own, which ends with it.
fn in_namespace(work: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).unwrap();
            work();
        });
        thread.join().unwrap();
    });
}

fn ip(arguments: &str) {
    let status = Command::new("ip").args(arguments.split(' ')).status().unwrap();
    assert!(status.success(), "ip {arguments}");
}

fn settings(interface: &str, mode: Mode) -> Settings {
    let options =
        Options { interfaces: Some(vec![interface.into()]), mode: Some(mode), ..Options::default() };
    options.resolve().unwrap()
}

fn of<'a>(lines: &'a [Line], check: &str) -> &'a Line {
    lines.iter().find(|line| line.check == check).unwrap_or_else(|| panic!("no line {check} in {lines:#?}"))
}

fn attached(interface: &str) -> Option<Place> {
    Interface::find(interface).unwrap().link().unwrap().xdp.map(|program| program.place)
}

#[test]
fn a_driver_with_native_xdp_is_found_fit_and_left_as_it_was() {
    if !privileged() {
        return;
    }
    in_namespace(|| {
        ip("link add left type veth peer name right");
        ip("link set left up");
        ip("link set right up");
        let lines = lines(&settings("left", Mode::Auto), true).unwrap();
        let passing =
            ["XDP programs", "mappable arrays", "large array values", "XDP links", "sensor program"];
        for check in passing.into_iter().chain(["interface", "native XDP"]) {
            assert_eq!(of(&lines, check).status, Status::Pass, "{:#?}", of(&lines, check));
        }
        assert_eq!(of(&lines, "driver").found, "veth");
        assert_eq!(attached("left"), None);
    });
}

#[test]
fn a_driver_without_native_xdp_is_told_apart() {
    if !privileged() {
        return;
    }
    in_namespace(|| {
        let automatic = lines(&settings("lo", Mode::Auto), true).unwrap();
        assert_eq!(of(&automatic, "native XDP").status, Status::Warn);
        assert_eq!(of(&automatic, "generic XDP").status, Status::Pass);
        let native = lines(&settings("lo", Mode::Native), true).unwrap();
        assert_eq!(of(&native, "native XDP").status, Status::Fail);
        assert_eq!(attached("lo"), None);
    });
}

#[test]
fn a_program_that_is_attached_is_seen_and_left_alone() {
    if !privileged() {
        return;
    }
    in_namespace(|| {
        let settings = settings("lo", Mode::Auto);
        let mut alone = Alone::load(&settings).unwrap();
        alone.program().unwrap().attach("lo", XdpMode::Skb).unwrap();
        let lines = lines(&settings, true).unwrap();
        let line = of(&lines, "XDP program");
        assert_eq!(line.status, Status::Fail);
        assert!(line.found.starts_with("another is attached already, in generic mode"), "{}", line.found);
        assert_eq!(attached("lo"), Some(Place::Generic));
    });
}
