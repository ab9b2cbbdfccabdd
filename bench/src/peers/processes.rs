//! The processes in a namespace: a peer, and whatever it has started.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

use anyhow::{Context as _, Result};
use nix::errno::Errno;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use testbed::{Namespace, process};

/// Every process of a namespace, which are only those that were started there.
///
/// # Errors
/// Where the namespace is no more.
pub fn inside(namespace: &Namespace) -> Result<Vec<u32>> {
    let inode = fs::metadata(namespace.path()).context("the namespace is no more")?.ino();
    let is_inside = |process: &u32| {
        // One that has ended, and was not waited for yet, has no namespace.
        fs::metadata(format!("/proc/{process}/ns/net")).is_ok_and(|its| its.ino() == inode)
    };
    let numbers =
        fs::read_dir("/proc")?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    Ok(numbers.filter(is_inside).collect())
}

/// Ends whoever is still inside.
pub fn kill_all_inside(namespace: &Namespace) {
    for process in inside(namespace).unwrap_or_default() {
        // It fails only where it has ended meanwhile.
        let _ended = kill(Pid::from_raw(process.cast_signed()), Signal::SIGKILL);
    }
}

/// Processor time that they have used so far.
pub fn processor_time(processes: &[u32]) -> Duration {
    // Who has ended, as a child that had its task, is no more to be asked.
    processes.iter().filter_map(|process| process::processor_time(*process).ok()).sum()
}

/// The most memory that they have had at a time, in bytes, with the rings that they have mapped, and the BPF maps that
/// they hold without having mapped them. Pages that several share count for each.
pub fn most_memory(processes: &[u32]) -> u64 {
    processes
        .iter()
        .map(|process| process::most_memory(*process).unwrap_or(0) + unmapped_maps(*process))
        .sum()
}

/// Bytes of BPF maps that a process holds and has not mapped: mapped ones are in its resident set.
fn unmapped_maps(process: u32) -> u64 {
    let files = fs::read_dir(format!("/proc/{process}/fdinfo")).into_iter().flatten().flatten();
    // One map may have several descriptors.
    let held: BTreeMap<u32, u64> =
        files.filter_map(|file| map_bytes(&fs::read_to_string(file.path()).ok()?)).collect();
    let held: u64 = held.values().sum();
    let mapped = mapped_maps(&fs::read_to_string(format!("/proc/{process}/smaps")).unwrap_or_default());
    held.saturating_sub(mapped)
}

/// A map's number and its `memlock`, from its `/proc/PID/fdinfo/N`; a program's file has no `map_id`.
fn map_bytes(information: &str) -> Option<(u32, u64)> {
    let field = |name| information.lines().find_map(|line: &str| line.strip_prefix(name));
    let number = field("map_id:")?.trim().parse().ok()?;
    Some((number, field("memlock:")?.trim().parse().ok()?))
}

/// Resident bytes of the mappings of BPF maps in `/proc/PID/smaps`.
fn mapped_maps(smaps: &str) -> u64 {
    let mut is_map = false;
    let mut kibibytes = 0;
    for line in smaps.lines() {
        if let Some(resident) = line.strip_prefix("Rss:") {
            let number = resident.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap_or(0);
            kibibytes += if is_map { number } else { 0 };
        } else if !line.split_whitespace().next().is_some_and(|word| word.ends_with(':')) {
            is_map = line.contains("bpf-map");
        }
    }
    kibibytes << 10
}

/// Binds all of a process's threads to one CPU.
pub fn keep_on(process: u32, cpu: usize) -> Result<()> {
    let mut only = CpuSet::new();
    only.set(cpu)?;
    for task in fs::read_dir(format!("/proc/{process}/task"))?.flatten() {
        let Some(number) = task.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        match sched_setaffinity(Pid::from_raw(number), &only) {
            // It has ended meanwhile.
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(error) => return Err(error).context("cannot bind a thread to its CPU"),
        }
    }
    Ok(())
}

/// Processor time of the kernel thread that receives where softirqs have become too many for whoever they interrupt.
pub fn receiving_thread(cpu: usize) -> Duration {
    let name = format!("ksoftirqd/{cpu}\n");
    let numbers = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut processes = numbers.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let thread = processes
        .find(|process| fs::read_to_string(format!("/proc/{process}/comm")).is_ok_and(|its| its == name));
    thread.and_then(|process| process::processor_time(process).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_maps_have_the_memory_of_maps() {
        assert_eq!(map_bytes("pos:\t0\nmap_type:\t2\nmemlock:\t4198400\nmap_id:\t7\n"), Some((7, 4_198_400)));
        assert_eq!(map_bytes("pos:\t0\nprog_type:\t6\nmemlock:\t4096\nprog_id:\t3\n"), None);
    }

    #[test]
    fn resident_bytes_are_those_of_mapped_maps() {
        let smaps = "7f00-7f10 rw-s 00000000 00:0e 12 anon_inode:bpf-map\nSize: 64 kB\nRss: 40 kB\n\
                     7f20-7f30 rw-p 00000000 00:00 0 [heap]\nSize: 8 kB\nRss: 8 kB\n\
                     7f40-7f50 rw-s 00000000 00:0e 12 anon_inode:bpf-map\nRss: 2 kB\n";
        assert_eq!(mapped_maps(smaps), 42 << 10);
    }

    #[test]
    fn this_process_has_used_memory_and_time() {
        let this = [std::process::id()];
        assert!(most_memory(&this) > 1 << 20);
        assert!(processor_time(&this) > Duration::ZERO);
    }
}
