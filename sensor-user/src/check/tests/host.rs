use std::path::PathBuf;

use nix::errno::Errno;

use super::super::facts::{Memory, PinPlace};
use super::super::host;
use super::super::line::PERMISSION;
use super::super::trial::{Loaded, Refusal};
use super::*;
use crate::features::Cpus;
use crate::features::Features;
use crate::privileges::Privileges;
use crate::program::{Plan, Rings, Slots};

const NOTHING: Privileges =
    Privileges { bpf: false, net_admin: false, perfmon: false, sys_admin: false, confined: false };
const ENOUGH: Privileges = Privileges { bpf: true, net_admin: true, perfmon: true, ..NOTHING };

#[test]
fn what_became_of_the_program_says_more_than_the_switch() {
    let status = |switch, compiled| host::jit(switch, compiled).status;
    // A kernel that always compiles may have no switch, and a network namespace shows none.
    assert_eq!(status(None, Some(true)), Status::Pass);
    assert_eq!(status(Some(0), Some(true)), Status::Pass);
    assert_eq!(status(Some(1), None), Status::Pass);
    assert_eq!(status(Some(1), Some(false)), Status::Warn);
    assert_eq!(status(None, None), Status::Warn);
    assert!(host::jit(Some(0), None).remedy.unwrap().starts_with("sysctl -w net.core.bpf_jit_enable=1"));
}

#[test]
fn types_are_not_needed() {
    assert_eq!(host::btf(true).status, Status::Pass);
    assert_eq!(host::btf(false).status, Status::Warn);
}

fn place(directory: &str) -> PinPlace {
    PinPlace {
        directory: directory.into(),
        existing: PathBuf::from("/sys/fs/bpf"),
        is_bpffs: true,
        refusal: None,
    }
}

#[test]
fn pins_need_a_bpf_file_system_and_permission() {
    let usual = place("/sys/fs/bpf/apus");
    assert_eq!(host::pin_place(&usual).status, Status::Pass);
    let other = PinPlace { is_bpffs: false, ..usual.clone() };
    assert_eq!(verdict(&host::pin_place(&other)), (Status::Fail, "mount -t bpf bpf /sys/fs/bpf"));
    let elsewhere = PinPlace { is_bpffs: false, ..place("/run/apus") };
    assert_eq!(
        verdict(&host::pin_place(&elsewhere)),
        (Status::Fail, "name a --pin-directory below /sys/fs/bpf")
    );
    let forbidden = PinPlace { refusal: Some(Errno::EACCES), ..usual.clone() };
    assert_eq!(host::pin_place(&forbidden).status, Status::Fail);
    let frozen = PinPlace { refusal: Some(Errno::EROFS), ..usual };
    assert_eq!(verdict(&host::pin_place(&frozen)), (Status::Fail, "mount -o remount,rw /sys/fs/bpf"));
}

#[test]
fn three_capabilities_are_needed_or_the_one_that_comprises_them() {
    assert_eq!(host::privileges(ENOUGH).status, Status::Pass);
    assert_eq!(host::privileges(Privileges { sys_admin: true, ..NOTHING }).status, Status::Pass);
    let without_perfmon = host::privileges(Privileges { perfmon: false, ..ENOUGH });
    assert_eq!(
        (without_perfmon.status, without_perfmon.found.as_str()),
        (Status::Fail, "CAP_PERFMON missing")
    );
    let nothing = host::privileges(NOTHING);
    assert_eq!(nothing.found, "CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON missing");
    assert_eq!(nothing.remedy.unwrap(), PERMISSION);
    let container = Privileges { sys_admin: true, confined: true, ..ENOUGH };
    assert_eq!(host::privileges(container).status, Status::Fail);
}

fn memory(available_mebibytes: u64) -> Memory {
    let cpus = Cpus { possible: 128, online_end: 16 };
    let slots = Slots::plan(cpus, NonZeroU32::new(64).unwrap());
    let rings = Rings::plan(slots, true, NonZeroU32::new(8192));
    Memory { slots, rings, cpus, cpus_online: 16, available: Some(available_mebibytes << 20), taken: false }
}

#[test]
fn counters_need_room() {
    // 17 slots of two banks, two copies of what was reported, 16 rings of two segments, and the rest.
    assert_eq!(memory(0).needed().div_ceil(1 << 20), 99);
    assert_eq!(host::memory(&memory(4096)).status, Status::Pass);
    assert_eq!(host::memory(&memory(150)).status, Status::Warn);
    assert_eq!(host::memory(&memory(90)).status, Status::Fail);
    assert_eq!(host::memory(&Memory { taken: true, ..memory(90) }).status, Status::Pass);
    assert_eq!(host::memory(&Memory { available: None, ..memory(90) }).status, Status::Warn);
    let found = host::memory(&memory(4096)).found;
    let expected = "99 MiB for 17 slots of counters, the last of them for all other CPUs, and rings of 8,192 digests \
                    (16 CPUs online, 128 possible), 4,096 MiB are available";
    assert_eq!(found, expected);
    assert!(host::has_room(&memory(100)) && !host::has_room(&memory(90)));
}

#[test]
fn a_program_that_is_refused_for_no_want_of_privilege_is_to_be_reported() {
    let remedy = |remedy, privileges| {
        host::sensor(Err(&Refusal { found: "no".into(), remedy }), privileges).remedy.unwrap()
    };
    assert_eq!(remedy(None, Some(NOTHING)), PERMISSION);
    assert_eq!(remedy(None, None), PERMISSION);
    assert!(remedy(None, Some(ENOUGH)).contains("report"));
    assert_eq!(remedy(Some("more memory"), Some(ENOUGH)), "more memory");
}

#[test]
fn a_program_that_loads_tells_its_cost() {
    let loaded = Loaded {
        seconds: 0.0123,
        instructions: Some(4567),
        machine_code_bytes: 8901,
        plan: Plan {
            features: Features { multi_buffer: true, group_memory: true },
            slots: Slots { count: 3, last_is_shared: true },
            rings: Rings { cpus: 2, records: 64, records_ipv6: 64 },
            evidence_ring_bytes: 4096,
        },
    };
    let expected = "the kernel takes it, with 6 sets of counters: 12 ms, 4,567 instructions verified, \
                    8,901 bytes of machine code";
    assert_eq!(host::sensor(Ok(&loaded), None).found, expected);
}
