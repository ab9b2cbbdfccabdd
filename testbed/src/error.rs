//! What can go wrong in a testbed.

use std::io;
use std::path::PathBuf;

use aya::EbpfError;
use aya::programs::ProgramError;
use sensor_user::mapping::MappingError;
use sensor_user::program::LoadError;

/// Why the testbed cannot do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot start {program}: {source}; is it installed?")]
    Start { program: String, source: io::Error },
    #[error("`{command}` failed: {message}")]
    Command { command: String, message: String },
    #[error("cannot {what} network namespace {name}: {source}")]
    Namespace { what: &'static str, name: String, source: io::Error },
    #[error("cannot keep IPv6 from speaking in network namespace {name}: {source}")]
    Silence { name: String, source: io::Error },
    #[error("cannot mount a BPF file system on {path}: {source}")]
    Mount { path: PathBuf, source: io::Error },
    #[error("cannot make a temporary folder: {0}")]
    Folder(io::Error),
    #[error("network namespace {namespace} tells nothing about interface {interface}")]
    Statistics { namespace: String, interface: String },
    #[error("cannot load the traffic generator: {0}")]
    Object(#[from] EbpfError),
    #[error("cannot load the traffic generator: {0}")]
    Load(#[from] LoadError),
    #[error(transparent)]
    Mapping(#[from] MappingError),
    #[error("cannot ask for the CPUs: {0}")]
    Cpus(io::Error),
    #[error("CPU {cpu} cannot send: {source}")]
    Pin { cpu: usize, source: io::Error },
    #[error("no interface has the number {0}")]
    Interface(u32),
    #[error("the traffic generator cannot send through a socket: {0}")]
    Socket(io::Error),
    #[error("the traffic generator was stopped by the kernel: {0}")]
    Run(#[from] ProgramError),
    #[error("the traffic generator could not make {0} packets: a template of the mix is wrong")]
    Template(u64),
    #[error(
        "{sent} packets were sent and {arrived} arrived: the other end takes frames only with an XDP \
         program attached or GRO switched on, and no faster than it can empty its ring"
    )]
    Lost { sent: u64, arrived: u64 },
}
