//! The registry of what Apus needs from its host, and why: the only place where a tool, a package
//! or a version is named.

use super::Purpose;

/// A program that must be found, and the Debian package it comes in.
#[derive(Debug)]
pub struct Tool {
    pub program: &'static str,
    pub package: &'static str,
    pub why: &'static str,
    pub purposes: &'static [Purpose],
}

/// Every purpose that sends packets through network namespaces.
const NETWORK: &[Purpose] = &[
    Purpose::Demo,
    Purpose::Bench,
    Purpose::Peers,
    Purpose::Test,
    Purpose::Kernels,
    Purpose::Oracle,
    Purpose::Scanners,
];
/// What prepares virtual machines: that of `.ci/run` comes after the tests. qemu is not among it: where it is not
/// installed, it is unpacked.
const KERNELS: &[Purpose] = &[Purpose::Kernels, Purpose::Test];
const SCANNERS: &[Purpose] = &[Purpose::Scanners];
/// Those of which a test runs some at once, too.
const TESTED_SCANNERS: &[Purpose] = &[Purpose::Scanners, Purpose::Test];

pub const TOOLS: &[Tool] = &[
    Tool {
        program: "ip",
        package: "iproute2",
        why: "makes the network namespaces and veth pairs",
        purposes: NETWORK,
    },
    Tool {
        program: "ethtool",
        package: "ethtool",
        why: "turns off offloads that would merge or rewrite test packets",
        purposes: NETWORK,
    },
    Tool {
        program: "nsenter",
        package: "util-linux",
        why: "runs a program inside a network namespace",
        purposes: NETWORK,
    },
    Tool {
        program: "tshark",
        package: "tshark",
        why: "the independent dissector the sensor's counts are compared with",
        purposes: &[Purpose::Test, Purpose::Kernels, Purpose::Oracle],
    },
    Tool {
        program: "xz",
        package: "xz-utils",
        why: "decompresses the modules of kernels",
        purposes: KERNELS,
    },
    Tool {
        program: "tcpdump",
        package: "tcpdump",
        why: "captures what a real scanner sends",
        purposes: SCANNERS,
    },
    Tool {
        program: "faketime",
        package: "faketime",
        why: "sets the clock of one process back and forth",
        purposes: &[Purpose::Test],
    },
    Tool {
        program: "chromium",
        package: "chromium",
        why: "the browser that looks at the collector's page",
        purposes: &[Purpose::Test],
    },
    Tool {
        program: "chromedriver",
        package: "chromium-driver",
        why: "has chromium do what a person would",
        purposes: &[Purpose::Test],
    },
    Tool {
        // A file is as good as a program to look for.
        program: "/usr/share/fonts/opentype/ipafont-gothic/ipag.ttf",
        package: "fonts-ipafont-gothic",
        why: "letters for the page in Japanese",
        purposes: &[Purpose::Test],
    },
    Tool { program: "nmap", package: "nmap", why: "a real scanner", purposes: TESTED_SCANNERS },
    Tool { program: "masscan", package: "masscan", why: "a real scanner", purposes: TESTED_SCANNERS },
    Tool { program: "zmap", package: "zmap", why: "a real scanner", purposes: TESTED_SCANNERS },
    Tool { program: "hping3", package: "hping3", why: "a real scanner", purposes: TESTED_SCANNERS },
];

/// What `bench peers` compares the sensor with. These packages are unpacked and not installed: installed, some of them
/// would start a daemon that listens on this host's interfaces, and start it again at every boot.
pub const PEERS: &[Tool] = &[
    peer("tcpdump", "tcpdump"),
    peer("pmacctd", "pmacct"),
    peer("softflowd", "softflowd"),
    peer("nfpcapd", "nfdump"),
    peer("argus", "argus-server"),
    peer("racount", "argus-client"),
    peer("darkstat", "darkstat"),
    peer("dpdk-testpmd", "dpdk-dev"),
];

const fn peer(program: &'static str, package: &'static str) -> Tool {
    Tool { program, package, why: "a peer to compare the sensor with", purposes: &[Purpose::Peers] }
}

/// Debian's compiler with a ready-made libcore for BPF: no rustup component to download.
pub const LIBCORE_PACKAGES: &[&str] = &["rustc-web", "libstd-rust-web-dev-bpf"];
pub const LIBCORE_WHY: &str = "the compiler and libcore for the XDP programs";

/// The oldest Debian compiler that will do: the workspace's own `rust-version`.
pub const OLDEST_RUSTC: &str = env!("CARGO_PKG_RUST_VERSION");

/// What is installed, and the oldest that has been seen to link these programs.
pub const BPF_LINKER: &str = "0.13.0";
pub const OLDEST_BPF_LINKER: &str = "0.13";
pub const BPF_LINKER_WHY: &str = "links the XDP programs; compiled here, a minute or two";
pub const LLVM_PREFIX: &str = "/usr/lib/llvm-22";
pub const LLVM_FEATURE: &str = "llvm-22";
pub const LLVM_PACKAGES: &[&str] =
    &["llvm-22-dev", "libpolly-22-dev", "zlib1g-dev", "libzstd-dev", "libxml2-dev"];
pub const LLVM_WHY: &str = "LLVM 22, to compile bpf-linker with";
