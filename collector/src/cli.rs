//! The command line of `apus-collector`.

use clap::{Parser, Subcommand};

use crate::{backup, detect, export, import, notify, pki, regions, report, sensors, serve, sql, verify, web};

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
    /// Writes the report of a quarter, or of any days
    Report(report::Arguments),
    /// Tells the addresses of a region that scan, and what
    Notify(notify::Arguments),
    /// Tells unusual days of ports and regions, and who is under attack
    Detect(detect::Arguments),
    Sql(sql::Arguments),
    Export(export::Arguments),
    Import(import::Arguments),
    Verify(verify::Arguments),
    Backup(backup::Arguments),
    Pki(pki::Arguments),
    Regions(regions::Arguments),
    Page(web::user::Arguments),
}
