use sensor_ebpf::abi::AttachMode;

use super::super::attachment::{attached, trial};
use super::super::line::PERMISSION;
use super::*;
use crate::interface::{AttachedProgram, Interface, Place};

fn eth0() -> Interface {
    Interface { name: "eth0".into(), index: 4 }
}

/// Tries with a driver and a network stack that refuse with these error numbers.
fn attempts(mode: Mode, native: Option<i32>, generic: Option<i32>) -> Vec<(&'static str, Status)> {
    let refusal =
        |number: Option<i32>| number.map_or(Ok(()), |number| Err(io::Error::from_raw_os_error(number)));
    let lines = trial(&eth0(), mode, |mode| match mode {
        AttachMode::Native => refusal(native),
        AttachMode::Generic => refusal(generic),
    });
    lines.iter().map(|line| (line.check, line.status)).collect()
}

#[test]
fn native_is_all_that_is_tried_where_it_works() {
    let expected = [("native XDP", Status::Pass)];
    assert_eq!(attempts(Mode::Auto, None, Some(libc::EINVAL)), expected);
    assert_eq!(attempts(Mode::Native, None, Some(libc::EINVAL)), expected);
}

#[test]
fn generic_serves_where_native_does_not() {
    let unsupported = Some(libc::EOPNOTSUPP);
    let expected = [("native XDP", Status::Warn), ("generic XDP", Status::Pass)];
    assert_eq!(attempts(Mode::Auto, unsupported, None), expected);
    let expected = [("native XDP", Status::Warn), ("generic XDP", Status::Fail)];
    assert_eq!(attempts(Mode::Auto, unsupported, Some(libc::EBUSY)), expected);
}

#[test]
fn a_mode_that_is_asked_for_is_the_only_one() {
    let unsupported = Some(libc::EOPNOTSUPP);
    assert_eq!(attempts(Mode::Native, unsupported, None), [("native XDP", Status::Fail)]);
    assert_eq!(attempts(Mode::Generic, unsupported, None), [("generic XDP", Status::Pass)]);
}

#[test]
fn remedies_follow_the_reason() {
    let remedy = |number| {
        let lines = trial(&eth0(), Mode::Native, |_| Err(io::Error::from_raw_os_error(number)));
        lines[0].remedy.clone().unwrap()
    };
    assert!(remedy(libc::ERANGE).contains("ip link set dev eth0 mtu 1500"));
    assert!(remedy(libc::ENOSPC).contains("ethtool -l eth0"));
    assert_eq!(remedy(libc::EPERM), PERMISSION);
}

#[test]
fn what_is_attached_already_is_ours_or_in_the_way() {
    let program = |place| AttachedProgram { place, identifier: Some(57) };
    assert_eq!(attached(&eth0(), program(Place::Native), true, None).status, Status::Pass);
    assert_eq!(attached(&eth0(), program(Place::Generic), true, None).status, Status::Warn);
    let other = attached(&eth0(), program(Place::Generic), false, Some("filter"));
    let expected = "another is attached already, in generic mode, number 57, named filter";
    assert_eq!((other.status, other.found.as_str()), (Status::Fail, expected));
    assert!(other.remedy.unwrap().contains("ip link set dev eth0 xdp off"));
    let sensor = attached(&eth0(), program(Place::Native), false, Some("sensor"));
    assert!(sensor.remedy.unwrap().contains("--pin-directory"));
}
