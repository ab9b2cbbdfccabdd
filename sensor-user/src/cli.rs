//! The command line of `apus-sensor`.

use clap::{Parser, Subcommand};

use crate::{check, detach, replay, run, status, top};

/// A network-telescope sensor: counts in the kernel, by XDP, who knocks where nobody should.
#[derive(Debug, Parser)]
#[command(name = "apus-sensor", version, max_term_width = 100)]
pub struct CommandLine {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Run(Box<run::Arguments>),
    Status(status::Arguments),
    Top(top::Arguments),
    Detach(detach::Arguments),
    Check(check::Arguments),
    Replay(replay::Arguments),
}
