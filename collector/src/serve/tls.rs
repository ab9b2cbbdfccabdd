//! TLS 1.3, for sensors and for people alike: the collector's certificate, and whose certificates let in.

mod lists;
#[cfg(test)]
mod tests;
mod watch;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring::default_provider;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoClientAuth, NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier};
use rustls::version::TLS13;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::handshake::Naming;
use crate::config::{PageSettings, TlsFiles};

pub use lists::{ListError, Lists};
pub use watch::watch;

/// Who is on the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    Sensors,
    People,
}

impl Whose {
    const fn name(self) -> &'static str {
        match self {
            Self::Sensors => "sensors",
            Self::People => "people",
        }
    }

    const fn ca(self) -> &'static str {
        match self {
            Self::Sensors => "the sensors' CA",
            Self::People => "the people's CA",
        }
    }

    const fn lists(self) -> &'static str {
        match self {
            Self::Sensors => "the list of revoked certificates of sensors",
            Self::People => "the list of revoked certificates of people",
        }
    }
}

/// The files of a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    pub whose: Whose,
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// Absent where nobody is asked for a certificate.
    pub clients: Option<Clients>,
}

/// Whose certificates let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clients {
    pub ca: PathBuf,
    pub crl: Option<PathBuf>,
    /// Whether nobody is let in without one.
    pub are_needed: bool,
}

impl Files {
    #[must_use]
    pub fn of_sensors(files: &TlsFiles) -> Self {
        let TlsFiles { certificate, key, client_ca, crl } = files.clone();
        let clients = Some(Clients { ca: client_ca, crl, are_needed: true });
        Self { whose: Whose::Sensors, certificate, key, clients }
    }

    /// People see the certificate that sensors see.
    #[must_use]
    pub fn of_people(files: &TlsFiles, page: &PageSettings) -> Self {
        let TlsFiles { certificate, key, .. } = files.clone();
        let (crl, are_needed) = (page.crl.clone(), page.users.is_none());
        let clients = page.client_ca.clone().map(|ca| Clients { ca, crl, are_needed });
        Self { whose: Whose::People, certificate, key, clients }
    }

    /// All of them.
    #[must_use]
    pub fn paths(&self) -> Vec<PathBuf> {
        let of_clients = self.clients.iter().flat_map(|Clients { ca, crl, .. }| [Some(ca), crl.as_ref()]);
        let own = [&self.certificate, &self.key].into_iter();
        own.chain(of_clients.flatten()).cloned().collect()
    }
}

/// Why the files of TLS cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read {what} {path}: {source}")]
    File { what: &'static str, path: PathBuf, source: io::Error },
    #[error("{what} {path} is not what it should be, in PEM: {message}")]
    Pem { what: &'static str, path: PathBuf, message: String },
    #[error("{what} {path} cannot be used: {source}")]
    Authority { what: &'static str, path: PathBuf, source: rustls::Error },
    #[error("{what} {path} cannot be used, in its place {number}: {source}")]
    List { what: &'static str, path: PathBuf, number: usize, source: ListError },
    #[error("{what} {path} cannot be used: {source}")]
    Lists { what: &'static str, path: PathBuf, source: ListError },
    #[error("{what} {path} cannot be used: {source}")]
    Verifier { what: &'static str, path: PathBuf, source: VerifierBuilderError },
    #[error("certificate {certificate} and key {key} cannot be used: {source}")]
    Pair { certificate: PathBuf, key: PathBuf, source: rustls::Error },
}

/// Files that were read.
#[derive(Debug)]
pub struct Loaded {
    pub config: Arc<ServerConfig>,
    pub lists: Lists,
}

/// Reads the files.
///
/// # Errors
/// Where one cannot be read, or they do not fit each other.
pub fn load(files: &Files) -> Result<Loaded, TlsError> {
    let (verifier, lists) = match &files.clients {
        Some(clients) => verifier(files.whose, clients)?,
        None => (Arc::new(NoClientAuth) as _, Lists::default()),
    };
    let Files { certificate, key, .. } = files;
    let chain = all("the certificate", certificate)?;
    let content = read("the key", key)?;
    let private = PrivateKeyDer::from_pem_slice(&content).map_err(|error| not_pem("the key", key, &error))?;
    let pair = |source| TlsError::Pair { certificate: certificate.into(), key: key.into(), source };
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&TLS13])
        .map_err(pair)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, private)
        .map_err(pair)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Who comes back shows the certificate again: it may have been revoked.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Loaded { config: Arc::new(config), lists })
}

/// Who looks at the certificates that are shown.
fn verifier(whose: Whose, clients: &Clients) -> Result<(Arc<dyn ClientCertVerifier>, Lists), TlsError> {
    let Clients { ca, crl, are_needed } = clients;
    let certificates = all::<CertificateDer<'static>>(whose.ca(), ca)?;
    let mut roots = RootCertStore::empty();
    for root in &certificates {
        let wrong = |source| TlsError::Authority { what: whose.ca(), path: ca.clone(), source };
        roots.add(root.clone()).map_err(wrong)?;
    }
    let provider = Arc::new(default_provider());
    let mut verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let mut lists = Lists::default();
    if let Some(crl) = crl {
        let read = lists::lists(whose, crl, (ca, &certificates))?;
        lists = read.1;
        // A list is of those whom its CA issued, of CAs below it as well. Whoever no list is about is refused, and a list
        // that is past its next update is obeyed: both are rustls's own rule. A CA in the file of CAs is in force because
        // it is there.
        verifier = verifier.with_crls(read.0);
        if !lists.are_of_all {
            // Nothing tells whether the CAs below one without a list hold: they are in force for as long as they say, or
            // all that they issued would be refused.
            verifier = verifier.only_check_end_entity_revocation();
        }
    }
    if !are_needed {
        verifier = verifier.allow_unauthenticated();
    }
    let (what, path) = match (&crl, whose) {
        (Some(crl), whose) => (whose.lists(), crl),
        (None, whose) => (whose.ca(), ca),
    };
    let verifier =
        verifier.build().map_err(|source| TlsError::Verifier { what, path: path.clone(), source })?;
    Ok((Arc::new(Naming::new(verifier)), lists))
}

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::File { what, path: path.into(), source })
}

fn not_pem(what: &'static str, path: &Path, error: &pem::Error) -> TlsError {
    TlsError::Pem { what, path: path.into(), message: error.to_string() }
}

/// Every such section of a file, and there is one.
fn all<T: PemObject>(what: &'static str, path: &Path) -> Result<Vec<T>, TlsError> {
    pem_sections(what, path, &read(what, path)?)
}

fn pem_sections<T: PemObject>(what: &'static str, path: &Path, content: &[u8]) -> Result<Vec<T>, TlsError> {
    let sections = T::pem_slice_iter(content).collect::<Result<Vec<T>, _>>();
    let sections = sections.map_err(|error| not_pem(what, path, &error))?;
    if sections.is_empty() { Err(not_pem(what, path, &pem::Error::NoItemsFound)) } else { Ok(sections) }
}
