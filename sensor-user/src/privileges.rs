//! What this process may do, and what it takes.

use std::fs;

use caps::errors::CapsError;
use caps::{CapSet, Capability};

/// What to do where this process may not load the program.
pub const NEEDED: &str = "run as root, or with CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON \
                          (before Linux 5.11 also with LimitMEMLOCK=infinity, or CAP_SYS_RESOURCE)";
/// What to do where it may, and has too little memory that may be locked.
pub const LOCKED_MEMORY: &str = "lift the limit: LimitMEMLOCK=infinity in the service's unit, \
                                 or `ulimit -l unlimited`, or CAP_SYS_RESOURCE";

/// What this process is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Privileges {
    pub bpf: bool,
    pub net_admin: bool,
    pub perfmon: bool,
    pub sys_admin: bool,
    /// Within a user namespace that is not the first, capabilities do not reach `bpf(2)`.
    pub confined: bool,
}

impl Privileges {
    /// Those of this thread.
    ///
    /// # Errors
    /// Where the kernel does not say.
    pub fn read() -> Result<Self, CapsError> {
        let effective = caps::read(None, CapSet::Effective)?;
        Ok(Self {
            bpf: effective.contains(&Capability::CAP_BPF),
            net_admin: effective.contains(&Capability::CAP_NET_ADMIN),
            perfmon: effective.contains(&Capability::CAP_PERFMON),
            sys_admin: effective.contains(&Capability::CAP_SYS_ADMIN),
            confined: fs::read_to_string("/proc/self/uid_map").is_ok_and(|map| !maps_every_user(&map)),
        })
    }

    /// Whether they are enough to load and attach the sensor.
    #[must_use]
    pub const fn are_enough(self) -> bool {
        let Self { bpf, net_admin, perfmon, sys_admin, confined } = self;
        // Without CAP_PERFMON, the verifier allows no length to be computed from two packet pointers.
        !confined && (sys_admin || (bpf && net_admin && perfmon))
    }
}

/// The first user namespace maps every user to itself.
fn maps_every_user(map: &str) -> bool {
    map.split_whitespace().eq(["0", "0", "4294967295"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_user_namespace_has_every_user() {
        assert!(maps_every_user("         0          0 4294967295\n"));
        assert!(!maps_every_user("         0       1000          1\n"));
        assert!(!maps_every_user("0 100000 65536\n65536 0 1\n"));
    }

    #[test]
    fn three_capabilities_are_enough_or_the_one_that_comprises_them() {
        let nothing =
            Privileges { bpf: false, net_admin: false, perfmon: false, sys_admin: false, confined: false };
        let three = Privileges { bpf: true, net_admin: true, perfmon: true, ..nothing };
        assert!(three.are_enough() && Privileges { sys_admin: true, ..nothing }.are_enough());
        assert!(!nothing.are_enough() && !Privileges { perfmon: false, ..three }.are_enough());
        assert!(!Privileges { sys_admin: true, confined: true, ..three }.are_enough());
    }
}
