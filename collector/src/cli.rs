//! The command line of `apus-collector`.

use clap::{Parser, Subcommand};

use crate::{backup, export, import, pki, regions, sensors, serve, sql, verify};

/// Takes in what the sensors of a network telescope have counted, and stores each interval exactly once.
#[derive(Debug, Parser)]
#[command(name = "apus-collector", version, max_term_width = 100)]
pub struct CommandLine {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Serve(serve::Arguments),
    Sensors(sensors::Arguments),
    Sql(sql::Arguments),
    Export(export::Arguments),
    Import(import::Arguments),
    Verify(verify::Arguments),
    Backup(backup::Arguments),
    Pki(pki::Arguments),
    Regions(regions::Arguments),
}
