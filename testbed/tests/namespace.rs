//! Namespaces, links and file systems: silent while they are there, and gone afterwards.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use aya::programs::XdpMode;
use sensor_user::config::Options;
use sensor_user::program::Alone;
use testbed::{Bpffs, Link, Namespace, Process, privileged};

#[test]
fn a_namespace_is_deleted_with_the_processes_in_it() {
    if !privileged() {
        return;
    }
    let namespace = Namespace::new().unwrap();
    let path = namespace.path();
    assert!(path.exists());
    // Not a `Process`, so that the namespace has to do it.
    let mut left = namespace.command("sleep").arg("1000").spawn().unwrap();
    while !fs::read_link(format!("/proc/{}/exe", left.id())).is_ok_and(|exe| exe.ends_with("sleep")) {
        thread::sleep(Duration::from_millis(1));
    }
    drop(namespace);
    assert!(!path.exists());
    assert_eq!(left.try_wait().unwrap().and_then(|status| status.signal()), Some(libc::SIGKILL));
}

#[test]
fn a_process_ends_with_its_value() {
    let process = Process::spawn(Command::new("sleep").arg("1000").stdin(Stdio::null())).unwrap();
    let folder = format!("/proc/{}", process.id());
    assert!(fs::exists(&folder).unwrap());
    drop(process);
    assert!(!fs::exists(&folder).unwrap());
}

#[test]
fn nothing_moves_on_a_link_that_nobody_sends_on() {
    if !privileged() {
        return;
    }
    let (one, other) = (Namespace::new().unwrap(), Namespace::new().unwrap());
    let link = Link::between(&one, &other).unwrap();
    let mut alone = Alone::load(&Options::default().resolve().unwrap()).unwrap();
    let sensor = alone.program().unwrap();
    other.within(|| sensor.attach_to_if_index(link.telescope.index, XdpMode::Driver)).unwrap().unwrap();
    // Duplicate address detection and router solicitations would come within two seconds.
    thread::sleep(Duration::from_secs(3));
    for end in [&link.generator, &link.telescope] {
        let statistics = end.statistics().unwrap();
        assert_eq!((statistics.received, statistics.sent), (0, 0), "{}", end.interface);
    }
    assert_eq!(one.run("ip", &["route", "show", "table", "all"]).unwrap(), "");
    assert_eq!(one.run("ip", &["-6", "address"]).unwrap(), "");
    // Only its own end is up, besides the parked pair and the loopback interface that every namespace has.
    assert_eq!(one.run("ip", &["-brief", "link"]).unwrap().lines().count(), 4);
    assert_eq!(one.run("ip", &["-brief", "link", "show", "up"]).unwrap().lines().count(), 1);
}

#[test]
fn several_links_connect_the_same_namespaces() {
    if !privileged() {
        return;
    }
    let (one, other) = (Namespace::new().unwrap(), Namespace::new().unwrap());
    let links = [Link::between(&one, &other).unwrap(), Link::between(&one, &other).unwrap()];
    assert_ne!(links[0].telescope.interface, links[1].telescope.interface);
    assert_ne!(links[0].telescope.index, links[1].telescope.index);
}

#[test]
fn a_bpf_file_system_is_gone_with_its_folder() {
    if !privileged() {
        return;
    }
    let bpffs = Bpffs::new().unwrap();
    let path = bpffs.path().to_owned();
    let mounted = || fs::read_to_string("/proc/mounts").unwrap().contains(path.to_str().unwrap());
    assert!(mounted());
    fs::create_dir(path.join("sensor")).unwrap();
    drop(bpffs);
    assert!(!mounted());
    assert!(!path.exists());
}
