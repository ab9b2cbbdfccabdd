//! A small certificate authority, for those who have none: one key, one list of what it issued, one of what it revoked.
//!
//! The folder holds `ca.key`, `ca.crt`, `crl.pem` and `issued.jsonl`, a line for each certificate. `ca.key` can issue
//! any sensor's certificate: keep the folder off the collector's host.

mod authority;
mod index;

use std::io;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::Timestamp;

pub use authority::{Authority, Meant};
pub use index::{Issued, Kind};

use crate::validate::NameError;

/// Makes, renews and revokes certificates
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a new authority
    Init {
        #[command(flatten)]
        folder: Folder,
        /// What the authority is called
        #[arg(long, default_value = "Apus")]
        name: String,
    },
    /// Issues a certificate and its private key; renewing one is issuing it again
    Issue {
        #[command(flatten)]
        folder: Folder,
        #[command(flatten)]
        subject: Subject,
        /// Days for which it holds
        #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: u32,
        /// Folder for NAME.crt and NAME.key, neither of which may be there
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
    },
    /// Revokes a sensor's or person's certificates, or any one, in the folder's crl.pem
    Revoke {
        #[command(flatten)]
        folder: Folder,
        #[command(flatten)]
        which: Which,
    },
    /// Lists what was issued
    List {
        #[command(flatten)]
        folder: Folder,
    },
}

#[derive(Args, Debug)]
struct Folder {
    /// The authority's folder
    #[arg(long, value_name = "FOLDER")]
    dir: PathBuf,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct Subject {
    /// A sensor's name, as its configuration has it
    #[arg(long, value_name = "NAME")]
    sensor: Option<String>,
    /// The collector's names and addresses, as agents are configured to call it
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    server: Option<Vec<String>>,
    /// The name of a person who may look at the page; an authority is for people or for sensors
    #[arg(long, value_name = "NAME")]
    person: Option<String>,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct Which {
    /// All certificates of this sensor
    #[arg(long, value_name = "NAME")]
    sensor: Option<String>,
    /// All certificates of this person
    #[arg(long, value_name = "NAME")]
    person: Option<String>,
    /// The certificate with this serial number
    #[arg(long, value_name = "HEX")]
    serial: Option<String>,
    /// The certificate in this file (PEM)
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
}

impl Which {
    fn meant(&self) -> Result<Meant, PkiError> {
        Ok(match self {
            Self { sensor: Some(name), .. } => Meant::All(Kind::Sensor, name.clone()),
            Self { person: Some(name), .. } => Meant::All(Kind::Person, name.clone()),
            Self { certificate: Some(path), .. } => Meant::Serial(authority::serial_in(path)?),
            Self { serial, .. } => Meant::serial(serial.as_deref().unwrap_or_default()),
        })
    }
}

/// Why the authority cannot do it.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    #[error("{0} is there: it is not replaced; name another folder, or move it away")]
    Exists(PathBuf),
    #[error("no authority in {0}: \"apus-collector pki init\" makes one")]
    NoAuthority(PathBuf),
    #[error("cannot use {path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error("another process uses the authority in {0}")]
    Busy(PathBuf),
    #[error("{path}, line {line}: {message}; the list of what was issued is damaged")]
    Index { path: PathBuf, line: usize, message: String },
    #[error("{path} cannot be read as what it should be: {source}")]
    Damaged { path: PathBuf, source: rcgen::Error },
    #[error("cannot make the {what}: {source}")]
    Make { what: &'static str, source: rcgen::Error },
    #[error(transparent)]
    Name(#[from] NameError),
    #[error("no random numbers are to be had from the system")]
    Random,
    #[error("nothing to revoke: no certificate {0} was issued here")]
    Unknown(String),
    #[error("{path} is no certificate, in PEM: {message}")]
    NotACertificate { path: PathBuf, message: String },
    #[error(
        "this authority has issued certificates for {there}s, and those of {wanted}s would be good for the same: make \
         another authority with \"apus-collector pki init --dir\" and another folder"
    )]
    Mixed { there: &'static str, wanted: &'static str },
    #[error("cannot write to the standard output: {0}")]
    Output(#[source] io::Error),
}

/// Does what the command line says.
///
/// # Errors
/// Where it cannot.
pub fn run(arguments: &Arguments, output: &mut impl io::Write) -> Result<(), PkiError> {
    match &arguments.command {
        Command::Init { folder, name } => {
            Authority::init(&folder.dir, name)?;
            let dir = folder.dir.display();
            writeln!(
                output,
                "{dir}/ca.crt: every agent and collector needs it; {dir}/ca.key: nobody else may have it"
            )
        }
        Command::Issue { folder, subject, days, out } => {
            let authority = Authority::open(&folder.dir)?;
            let issued = match subject {
                Subject { sensor: Some(sensor), .. } => authority.issue_sensor(sensor, *days, out)?,
                Subject { person: Some(person), .. } => authority.issue_person(person, *days, out)?,
                Subject { server, .. } => {
                    authority.issue_server(server.as_deref().unwrap_or_default(), *days, out)?
                }
            };
            writeln!(output, "serial {}, until {}", issued.serial, issued.not_after)
        }
        Command::Revoke { folder, which } => {
            let authority = Authority::open(&folder.dir)?;
            let revoked = authority.revoke(&which.meant()?)?;
            let count = revoked.len();
            writeln!(output, "{count} revoked: give {}/crl.pem to the collector", folder.dir.display())
        }
        Command::List { folder } => list(&Authority::open(&folder.dir)?.issued()?, output),
    }
    .map_err(PkiError::Output)
}

fn list(issued: &[Issued], output: &mut impl io::Write) -> io::Result<()> {
    let now = Timestamp::now();
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(["SERIAL", "KIND", "NAME", "UNTIL", "STATE"]);
    for one in issued {
        let state = match one.revoked {
            Some(time) => format!("revoked {}", time.strftime("%Y-%m-%d")),
            None if one.not_after < now => "expired".into(),
            None => "holds".into(),
        };
        let until = one.not_after.strftime("%Y-%m-%d").to_string();
        table.add_row([&one.serial, one.kind.name(), &one.name, &until, &state]);
    }
    writeln!(output, "{table}")
}

#[cfg(test)]
pub(crate) mod tests;
