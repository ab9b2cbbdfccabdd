//! Giving up every privilege, in processes of their own, and what can be done without any.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

use caps::{CapSet, Capability};
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork, pipe};
use sensor_user::capabilities::{CapabilityError, drop_all};
use sensor_user::config::Options;
use sensor_user::features::Features;
use sensor_user::pins::Pins;
use sensor_user::program::{self, Plan, Rodata};
use sensor_user::watcher::Watcher;
use testbed::privileged;

/// Runs `work` in a process of its own with a single thread, which may lose its privileges for good, and
/// fails as it fails. The harness's own threads keep theirs.
fn in_child(work: impl FnOnce()) {
    let (reader, writer) = pipe().unwrap();
    // SAFETY: the child has this thread alone. It takes no lock that another thread may have held, but
    // the allocator's, which the C library hands over in order, and it ends without running anything
    // of the harness's.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            drop(reader);
            std::panic::set_hook(Box::new(|_| {}));
            let failed = catch_unwind(AssertUnwindSafe(work)).err().map(|panic| {
                let message = panic.downcast_ref::<String>().cloned();
                message
                    .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).into()))
                    .unwrap_or_default()
            });
            let mut writer = File::from(writer);
            let _told = failed.iter().try_for_each(|message| writer.write_all(message.as_bytes()));
            // SAFETY: ends the process, and nothing else.
            unsafe { libc::_exit(failed.is_some().into()) }
        }
        ForkResult::Parent { child } => {
            drop(writer);
            let mut message = String::new();
            File::from(reader).read_to_string(&mut message).unwrap();
            assert_eq!(waitpid(child, None).unwrap(), WaitStatus::Exited(child, 0), "{message}");
        }
    }
}

/// A line of a process's status.
fn field<'a>(status: &'a str, name: &str) -> &'a str {
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("");
    line.trim_start_matches(':').trim()
}

fn own_status() -> String {
    fs::read_to_string("/proc/self/status").unwrap()
}

fn assert_nothing_left(status: &str) {
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_eq!(field(status, set), "0000000000000000", "{set}");
    }
    assert_eq!(field(status, "NoNewPrivs"), "1");
}

#[test]
fn nothing_is_left_and_nothing_comes_back() {
    if !privileged() {
        return;
    }
    in_child(|| {
        drop_all().unwrap();
        assert_nothing_left(&own_status());
        let refusal = Features::probe().unwrap_err().to_string();
        assert!(refusal.contains("bpf_prog_load"), "{refusal}");
        // The superuser gains everything by running a program, unless it is forbidden.
        let program = Command::new("cat").arg("/proc/self/status").output().unwrap();
        assert_nothing_left(&String::from_utf8(program.stdout).unwrap());
    });
}

/// Everything that the agent does between attaching and its end.
#[test]
fn the_agents_work_needs_no_privilege() {
    if !privileged() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    in_child(|| {
        // The mount is this process's alone, and ends with it.
        unshare(CloneFlags::CLONE_NEWNS).unwrap();
        let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
        // In a chroot the root is no mount point, and nothing spreads from it.
        match mount(None::<&str>, "/", None::<&str>, private, None::<&str>) {
            Ok(()) | Err(Errno::EINVAL) => {}
            Err(error) => panic!("{error}"),
        }
        mount(Some("bpf"), folder.path(), Some("bpf"), MsFlags::empty(), None::<&str>).unwrap();
        let pins = Pins::new(&folder.path().join("apus"));
        pins.create().unwrap();
        let settings = Options::default().resolve().unwrap();
        let plan = Plan::probe(&settings).unwrap();
        let rodata = Rodata::new(&settings, &plan, &[]);
        let ebpf = program::load(&rodata, &plan, Some(pins.path())).unwrap();
        let watcher = Watcher::new(&ebpf).unwrap();
        let output = File::create(folder.path().with_extension("output")).unwrap();

        drop_all().unwrap();

        // A cut reads and writes the mapped maps, and waits with membarrier.
        let bank = || {
            // SAFETY: an entry of a mapping that lives as long as the watcher; nobody else writes it.
            unsafe { std::ptr::read_volatile(&raw const (*watcher.control()).active_bank) }
        };
        let before = bank();
        assert_eq!(watcher.cut().totals.packets, 0);
        assert_ne!(bank(), before);
        (&output).write_all(b"one interval").unwrap();
        let lock = pins.lock().unwrap();
        assert!(pins.has_maps());
        assert_eq!(pins.remove_all().unwrap(), Vec::<String>::new());
        assert!(!pins.path().exists());
        drop(lock);
    });
    let output = folder.path().with_extension("output");
    assert_eq!(fs::read(&output).unwrap(), b"one interval");
    fs::remove_file(output).unwrap();
}

#[test]
fn a_process_with_other_threads_is_refused_and_keeps_what_it_has() {
    in_child(|| {
        let before = own_status();
        let (reader, writer) = pipe().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| File::from(reader).read(&mut [0]));
            assert!(matches!(drop_all(), Err(CapabilityError::Threads(2))));
            drop(writer);
        });
        let after = own_status();
        for name in ["CapPrm", "CapEff", "CapBnd", "NoNewPrivs"] {
            assert_eq!(field(&before, name), field(&after, name));
        }
    });
}

/// As a service has it that is started with three capabilities, or with none at all.
#[test]
fn without_the_right_to_set_capabilities_the_bounding_set_stays_and_means_nothing() {
    in_child(|| {
        caps::drop(None, CapSet::Effective, Capability::CAP_SETPCAP).unwrap();
        caps::drop(None, CapSet::Permitted, Capability::CAP_SETPCAP).unwrap();
        let bounding = field(&own_status(), "CapBnd").to_owned();
        drop_all().unwrap();
        let status = own_status();
        assert_eq!(field(&status, "CapPrm"), "0000000000000000");
        assert_eq!(field(&status, "CapBnd"), bounding);
        let program = Command::new("cat").arg("/proc/self/status").output().unwrap();
        assert_eq!(field(&String::from_utf8(program.stdout).unwrap(), "CapPrm"), "0000000000000000");
    });
}
