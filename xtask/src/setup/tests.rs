//! The decisions, one host at a time.

use std::collections::BTreeSet;
use std::{env, fs, process};

use super::Purpose;
use super::host::{self, Host, Nightly, System};
use super::install::advice;
use super::instructions::Instructions;
use super::needs;
use super::plan::{Obstacle, Plan, Step, will_do};

/// A fresh Debian 12: rustup's stable toolchain, gcc and root.
fn fresh() -> Host {
    Host {
        root: true,
        system: System::Debian,
        nightly: Nightly::Absent,
        debian_rustc: None,
        bpf_linker: None,
        programs: BTreeSet::from(["nsenter"]),
        unpacked: BTreeSet::new(),
        peers: "/target/peers".into(),
        packages: BTreeSet::new(),
    }
}

/// One where everything was installed, for every purpose.
fn complete() -> Host {
    Host {
        debian_rustc: Some("1.96.0".to_owned()),
        bpf_linker: Some("0.13.0".to_owned()),
        programs: needs::TOOLS.iter().chain(needs::PEERS).map(|tool| tool.program).collect(),
        ..fresh()
    }
}

fn packages(plan: &Plan) -> Vec<&'static str> {
    let packages = plan.steps.iter().find_map(|step| match step {
        Step::DebianPackages(packages) => Some(packages.clone()),
        _ => None,
    });
    packages.unwrap_or_default()
}

const PURPOSES: [Purpose; 8] = [
    Purpose::Build,
    Purpose::Demo,
    Purpose::Bench,
    Purpose::Peers,
    Purpose::Test,
    Purpose::Kernels,
    Purpose::Oracle,
    Purpose::Scanners,
];

#[test]
fn nothing_missing_means_nothing_to_do_whoever_asks() {
    let other = System::Other("Fedora".to_owned());
    let hosts =
        [complete(), Host { root: false, ..complete() }, Host { root: false, system: other, ..complete() }];
    for (host, purpose) in hosts.iter().flat_map(|host| PURPOSES.map(|purpose| (host, purpose))) {
        let plan = Plan::new(host, purpose);
        assert_eq!(plan, Plan { needs: vec![], steps: vec![], obstacle: None }, "{purpose:?}");
    }
}

#[test]
fn a_fresh_debian_gets_packages_first_and_then_the_linker() {
    let plan = Plan::new(&fresh(), Purpose::Demo);
    let mut expected = vec!["rustc-web", "libstd-rust-web-dev-bpf", "iproute2", "ethtool"];
    expected.extend(needs::LLVM_PACKAGES);
    assert_eq!(plan.steps, [Step::DebianPackages(expected), Step::BpfLinker]);
    assert_eq!(plan.obstacle, None);
}

#[test]
fn each_purpose_brings_its_own_programs() {
    let bare = Host { programs: BTreeSet::new(), ..complete() };
    let wanted = |purpose| packages(&Plan::new(&bare, purpose));
    let network = ["iproute2", "ethtool", "util-linux"];
    assert!(wanted(Purpose::Build).is_empty());
    assert_eq!(wanted(Purpose::Demo), network);
    assert_eq!(wanted(Purpose::Bench), network);
    let scanners = ["nmap", "masscan", "zmap", "hping3"];
    let browser = ["tshark", "xz-utils", "faketime", "chromium", "chromium-driver", "fonts-ipafont-gothic"];
    let tested = [&network[..], &browser, &scanners].concat();
    assert_eq!(wanted(Purpose::Test), tested);
    assert_eq!(wanted(Purpose::Kernels), [&network[..], &["tshark", "xz-utils"]].concat());
    assert_eq!(wanted(Purpose::Oracle), [&network[..], &["tshark"]].concat());
    assert_eq!(wanted(Purpose::Scanners), [&network[..], &["tcpdump"], &scanners].concat());
}

#[test]
fn peers_are_unpacked_and_never_installed() {
    let host = Host { programs: needs::TOOLS.iter().map(|tool| tool.program).collect(), ..complete() };
    let plan = Plan::new(&host, Purpose::Peers);
    let [Step::UnpackedPackages { packages: unpacked, folder }] = plan.steps.as_slice() else {
        panic!("{:?}", plan.steps);
    };
    // tcpdump is there, for scanners.
    let peers = ["pmacct", "softflowd", "nfdump", "argus-server", "argus-client", "darkstat", "dpdk-dev"];
    assert_eq!((unpacked.as_slice(), folder.as_path()), (&peers[..], host.peers.as_path()));
    let commands: Vec<_> = plan.steps[0].commands().iter().map(ToString::to_string).collect();
    let installations: Vec<_> = commands.iter().filter(|command| command.contains("install")).collect();
    assert_eq!(installations.len(), peers.len());
    assert!(installations.iter().all(|command| command.contains("--download-only")), "{installations:?}");
    let extract =
        "find /target/peers/archives -name '*.deb' -exec dpkg --extract '{}' /target/peers/root ';'";
    assert_eq!(commands.last().map(String::as_str), Some(extract));
    // And nobody else asks for them, or is served by them.
    assert!(Plan::new(&host, Purpose::Test).needs.is_empty());
    let unpacked = needs::PEERS.iter().map(|peer| peer.program).collect();
    let host = Host { programs: BTreeSet::from(["ip", "ethtool", "nsenter"]), unpacked, ..complete() };
    assert!(Plan::new(&host, Purpose::Peers).needs.is_empty());
    assert!(packages(&Plan::new(&host, Purpose::Scanners)).contains(&"tcpdump"));
}

#[test]
fn a_nightly_counts_only_with_rust_src() {
    let with = |nightly| Host { nightly, debian_rustc: None, ..complete() };
    assert!(Plan::new(&with(Nightly::WithRustSrc), Purpose::Build).needs.is_empty());

    let plan = Plan::new(&with(Nightly::WithoutRustSrc), Purpose::Build);
    assert_eq!(packages(&plan), needs::LIBCORE_PACKAGES);
    assert!(plan.needs[0].why.contains("no rust-src"), "{}", plan.needs[0].why);

    let plan = Plan::new(&with(Nightly::Absent), Purpose::Build);
    assert!(plan.needs[0].why.contains("no nightly"), "{}", plan.needs[0].why);
}

#[test]
fn the_compiler_of_an_older_point_release_is_replaced() {
    let host = Host { debian_rustc: Some("1.85.0".to_owned()), ..complete() };
    assert_eq!(packages(&Plan::new(&host, Purpose::Build)), needs::LIBCORE_PACKAGES);
}

#[test]
fn an_old_linker_is_replaced_and_only_absent_packages_are_named() {
    let host = Host {
        bpf_linker: Some("0.10.3".to_owned()),
        packages: BTreeSet::from(["zlib1g-dev"]),
        ..complete()
    };
    let plan = Plan::new(&host, Purpose::Build);
    let absent = ["llvm-22-dev", "libpolly-22-dev", "libzstd-dev", "libxml2-dev"];
    assert_eq!(plan.steps, [Step::DebianPackages(absent.to_vec()), Step::BpfLinker]);
}

#[test]
fn without_root_packages_need_a_person_but_the_linker_alone_does_not() {
    let plan = Plan::new(&Host { root: false, ..fresh() }, Purpose::Demo);
    assert_eq!(plan.obstacle, Some(Obstacle::NotRoot));

    let packages = needs::LLVM_PACKAGES.iter().copied().collect();
    let host = Host { root: false, bpf_linker: None, packages, ..complete() };
    let plan = Plan::new(&host, Purpose::Demo);
    assert_eq!((plan.obstacle, plan.steps), (None, vec![Step::BpfLinker]));
}

#[test]
fn elsewhere_than_on_debian_root_too_is_only_told() {
    let system = System::Other("Fedora Linux 44".to_owned());
    let plan = Plan::new(&Host { system, ..fresh() }, Purpose::Demo);
    assert_eq!(plan.obstacle, Some(Obstacle::NotDebian("Fedora Linux 44".to_owned())));
    let programs = Step::Programs(vec!["ip", "ethtool"]);
    assert_eq!(plan.steps, [programs, Step::NightlyWithRustSrc, Step::BpfLinker]);
}

#[test]
fn a_person_gets_the_very_commands_that_would_run() {
    let plan = Plan::new(&Host { root: false, ..fresh() }, Purpose::Demo);
    let text = Instructions(&plan).to_string();
    let commands: Vec<_> = plan.steps.iter().flat_map(Step::commands).collect();
    assert_eq!(commands.len(), 3);
    for command in commands {
        assert!(text.contains(&format!("\n  {command}\n")), "{command} is not in:\n{text}");
    }
}

#[test]
fn advice_follows_what_apt_said() {
    assert!(advice("E: Packages need to be removed but remove is disabled.").contains("rustc-web"));
    assert!(advice("E: Could not get lock /var/lib/dpkg/lock-frontend.").contains("wait"));
    assert!(advice("E: Unable to locate package rustc-web").contains("bookworm-security"));
}

#[test]
fn versions_compare_by_number() {
    assert!(will_do(Some("0.13.0"), "0.13"));
    assert!(will_do(Some("1.100.0-nightly"), "1.95"));
    assert!(!will_do(Some("0.9.15"), "0.13"));
    assert!(!will_do(Some("of no known form"), "0.13"));
    assert!(!will_do(None, "0.13"));
}

#[test]
fn the_system_is_told_by_its_identifier() {
    let debian = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\nID=debian\n";
    assert_eq!(host::system(debian), System::Debian);
    let ubuntu = "PRETTY_NAME=\"Ubuntu 26.04\"\nID=ubuntu\nID_LIKE=debian\n";
    assert_eq!(host::system(ubuntu), System::Other("Ubuntu 26.04".to_owned()));
    assert_eq!(host::system(""), System::Other("an unknown system".to_owned()));
}

#[test]
fn rust_src_is_looked_for_in_the_undated_nightly() -> std::io::Result<()> {
    let home = env::temp_dir().join(format!("apus-xtask-nightly-{}", process::id()));
    let toolchain = |name: &str| home.join("toolchains").join(format!("{name}-{}", env::consts::ARCH));
    let library = "lib/rustlib/src/rust/library/core/src";
    assert_eq!(host::nightly(&home), Nightly::Absent);

    fs::create_dir_all(toolchain("nightly-2026-01-01").join(library))?;
    assert_eq!(host::nightly(&home), Nightly::Absent);
    fs::create_dir_all(toolchain("nightly").join(library))?;
    assert_eq!(host::nightly(&home), Nightly::WithoutRustSrc);
    fs::write(toolchain("nightly").join(library).join("lib.rs"), "")?;
    assert_eq!(host::nightly(&home), Nightly::WithRustSrc);
    fs::remove_dir_all(&home)
}
