//! Whether the host is fit, from facts about it.

use std::io;

use nix::errno::Errno;
use sensor_ebpf::abi::BANKS;

use super::facts::{Memory, PinPlace};
use super::line::{Line, PERMISSION};
use super::trial::{Loaded, Refusal};
use crate::privileges::Privileges;
use crate::table::grouped;

pub fn kernel(release: &str) -> Line {
    Line::pass("kernel", format!("Linux {release}"))
}

pub fn btf(is_there: bool) -> Line {
    if is_there {
        return Line::pass("BTF", "the kernel describes its types");
    }
    Line::warn(
        "BTF",
        "no /sys/kernel/btf/vmlinux; the sensor does not need it",
        "where tools such as bpftrace are wanted, run a kernel with CONFIG_DEBUG_INFO_BTF",
    )
}

/// `compiled` is what became of the sensor's own program, and says more than the switch does.
pub fn jit(switch: Option<u32>, compiled: Option<bool>) -> Line {
    const CHECK: &str = "JIT compiler";
    const REMEDY: &str = "sysctl -w net.core.bpf_jit_enable=1, and the same in /etc/sysctl.d to keep it";
    match (compiled, switch) {
        (Some(true), _) => Line::pass(CHECK, "the program is compiled to machine code"),
        (Some(false), Some(0) | None) => {
            Line::warn(CHECK, "off: the program is interpreted, which is slow", REMEDY)
        }
        (Some(false), Some(_)) => Line::warn(
            CHECK,
            "on, but the program was not compiled and is interpreted, which is slow",
            "look into the kernel log; net.core.bpf_jit_limit may be used up",
        ),
        (None, Some(0)) => Line::warn(CHECK, "off: programs are interpreted, which is slow", REMEDY),
        (None, Some(_)) => Line::pass(CHECK, "on"),
        (None, None) => Line::warn(CHECK, "not known here: the program is not loaded", PERMISSION),
    }
}

pub fn pin_place(place: &PinPlace) -> Line {
    const CHECK: &str = "BPF file system";
    let PinPlace { directory, existing, is_bpffs, refusal } = place;
    let existing = existing.display();
    if !is_bpffs {
        let usual = directory.starts_with("/sys/fs/bpf");
        let found =
            format!("{existing} is on another file system: nothing can be pinned in {}", directory.display());
        return if usual {
            Line::fail(CHECK, found, "mount -t bpf bpf /sys/fs/bpf")
        } else {
            Line::fail(CHECK, found, "name a --pin-directory below /sys/fs/bpf")
        };
    }
    match refusal {
        None => Line::pass(CHECK, format!("{} can be used", directory.display())),
        Some(Errno::EROFS) => Line::fail(
            CHECK,
            format!("{existing} is mounted read-only"),
            format!("mount -o remount,rw {existing}"),
        ),
        Some(_) => Line::fail(
            CHECK,
            format!("no permission to make files in {existing}"),
            "run as root, or name a --pin-directory that belongs to this user",
        ),
    }
}

pub fn pin_place_unknown(error: &io::Error) -> Line {
    Line::fail("BPF file system", format!("not known: {error}"), "name another --pin-directory")
}

pub fn privileges_unknown() -> Line {
    Line::warn("capabilities", "not known: the kernel does not say", PERMISSION)
}

pub fn privileges(privileges: Privileges) -> Line {
    const CHECK: &str = "capabilities";
    let Privileges { bpf, net_admin, perfmon, sys_admin, confined } = privileges;
    if confined {
        return Line::fail(
            CHECK,
            "this is a user namespace of its own, as in a rootless container: its capabilities do not count",
            "run on the host itself, as root",
        );
    }
    if sys_admin {
        return Line::pass(CHECK, "CAP_SYS_ADMIN, which comprises what is needed");
    }
    let needed = [(bpf, "CAP_BPF"), (net_admin, "CAP_NET_ADMIN"), (perfmon, "CAP_PERFMON")];
    let names = |wanted: bool| {
        let some: Vec<_> = needed.iter().filter(|(has, _)| *has == wanted).map(|(_, name)| *name).collect();
        some.join(", ")
    };
    if privileges.are_enough() {
        Line::pass(CHECK, names(true))
    } else {
        Line::fail(CHECK, format!("{} missing", names(false)), PERMISSION)
    }
}

pub fn memory(memory: &Memory) -> Line {
    const CHECK: &str = "kernel memory";
    let Memory { slots, rings, cpus, cpus_online, available, taken } = *memory;
    let needed = memory.needed();
    let shared = if slots.last_is_shared { ", the last of them for all other CPUs" } else { "" };
    let mut found = format!(
        "{} MiB for {} slots of counters{shared}, and rings of {} digests ({cpus_online} CPUs online, {} possible)",
        grouped(needed.div_ceil(1 << 20)),
        slots.count,
        grouped(rings.records.into()),
        cpus.possible,
    );
    if taken {
        return Line::pass(CHECK, found + "; a pinned sensor has its own already");
    }
    let Some(available) = available else {
        return Line::warn(CHECK, found + "; what is available is not known", "mount /proc");
    };
    found += &format!(", {} MiB are available", grouped(available >> 20));
    let remedy = "lower --ring-records, or --counter-cpus: CPUs above that number share one slot";
    if needed > available {
        Line::fail(CHECK, found, remedy)
    } else if needed > available / 2 {
        Line::warn(CHECK, found, remedy)
    } else {
        Line::pass(CHECK, found)
    }
}

/// Whether there is room for the counters beside what a pinned sensor may have.
pub fn has_room(memory: &Memory) -> bool {
    memory.available.is_none_or(|available| memory.needed() <= available)
}

pub fn sensor(loaded: Result<&Loaded, &Refusal>, privileges: Option<Privileges>) -> Line {
    const CHECK: &str = "sensor program";
    match loaded {
        Ok(Loaded { seconds, instructions, machine_code_bytes, plan }) => {
            let verified = instructions.map_or_else(String::new, |number| {
                format!(", {} instructions verified", grouped(number.into()))
            });
            let found = format!(
                "the kernel takes it, with {} sets of counters: {:.0} ms{verified}, {} bytes of machine code",
                plan.slots.count * BANKS,
                seconds * 1e3,
                grouped((*machine_code_bytes).into()),
            );
            Line::pass(CHECK, found)
        }
        Err(Refusal { found, remedy }) => {
            let allowed = privileges.is_some_and(Privileges::are_enough);
            let otherwise =
                if allowed { "please report this, with the kernel's release" } else { PERMISSION };
            Line::fail(CHECK, found, remedy.unwrap_or(otherwise))
        }
    }
}
