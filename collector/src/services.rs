//! What ports are called. A name does not mean that the traffic speaks it.
//!
//! Names are those of the system's services file (services(5)), or of IANA's registry as it is to be had as CSV
//! (<https://www.iana.org/assignments/service-names-port-numbers>), and the operator's own, which win.

mod iana;
mod system;

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::config::Settings;

/// Where systems keep theirs.
const SYSTEM: &str = "/etc/services";

/// An IP protocol's number, and a port.
pub type Service = (u8, u16);

/// Protocols that have ports, as both kinds of file write them, with their numbers of IP.
const PROTOCOLS: [(&str, u8); 5] = [("tcp", 6), ("udp", 17), ("dccp", 33), ("sctp", 132), ("udplite", 136)];

/// Why ports have no names.
#[derive(Debug, thiserror::Error)]
pub enum ServicesError {
    #[error("cannot read the names of ports, {}: {source}; services.file names the file", .path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error(
        "{}, line {line}: {what}; it has to be a services file such as {SYSTEM}, or IANA's registry as CSV",
        .path.display()
    )]
    Invalid { path: PathBuf, line: u64, what: String },
}

/// What is wrong with a line of a file.
#[derive(Debug, PartialEq, Eq)]
struct Fault {
    line: u64,
    what: String,
}

/// The names of ports.
#[derive(Clone, Debug, Default)]
pub struct Services {
    names: HashMap<Service, Box<str>>,
}

impl Services {
    /// Reads the file that is configured, or else the system's where it has one.
    ///
    /// # Errors
    /// Where the file that is configured cannot be read, or is none of names of ports.
    pub fn open(settings: &Settings) -> Result<Self, ServicesError> {
        let mut services = match &settings.services.file {
            Some(path) => Self::read(path)?,
            // The operator has not chosen it: what is wrong with it keeps nobody from anything.
            None => Self::read(Path::new(SYSTEM)).unwrap_or_else(|error| {
                let missing = matches!(&error, ServicesError::Unreadable { source, .. } if source.kind() == ErrorKind::NotFound);
                if !missing {
                    log::warn!("ports go without names: {}", crate::one_line(&error));
                }
                Self::default()
            }),
        };
        let own = settings.services.names.iter();
        services.names.extend(own.map(|(service, name)| (*service, name.as_str().into())));
        Ok(services)
    }

    /// Reads a file of either kind.
    ///
    /// # Errors
    /// Where it cannot be read, or is of neither kind.
    pub fn read(path: &Path) -> Result<Self, ServicesError> {
        let content =
            std::fs::read(path).map_err(|source| ServicesError::Unreadable { path: path.into(), source })?;
        Self::parse(&content).map_err(|Fault { line, what }| ServicesError::Invalid {
            path: path.into(),
            line,
            what,
        })
    }

    fn parse(content: &[u8]) -> Result<Self, Fault> {
        let mut services = Self::default();
        match iana::content(content) {
            Some(table) => iana::parse(table, |service, name| services.add(service, name))?,
            None => system::parse(content, |service, name| services.add(service, name))?,
        }
        Ok(services)
    }

    /// The first name that a file has for a service is its name, the others are aliases.
    fn add(&mut self, service: Service, name: &str) {
        self.names.entry(service).or_insert_with(|| name.into());
    }

    /// The name of a port, of a protocol by its number of IP.
    #[must_use]
    pub fn name(&self, protocol: u8, port: u16) -> Option<&str> {
        self.names.get(&(protocol, port)).map(|name| &**name)
    }
}

/// A port and its protocol, such as `8728/tcp`.
#[must_use]
pub fn parse_service(text: &str) -> Option<Service> {
    let (port, protocol) = text.split_once('/')?;
    let port = Some(port).filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some((protocol_number(protocol)?, port.parse().ok()?))
}

/// The number of a protocol that has ports.
fn protocol_number(name: &str) -> Option<u8> {
    let known = PROTOCOLS.iter().find(|(protocol, _)| name.eq_ignore_ascii_case(protocol));
    known.map(|(_, number)| *number)
}

#[cfg(test)]
mod tests;
