//! TLS 1.3 with certificates on both sides, from files that may change while it goes on.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::default_provider;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoClientAuth, NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier};
use rustls::version::TLS13;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use tokio::sync::{Notify, watch};

use super::handshake::Naming;
use crate::config::TlsFiles;

/// Why the files of TLS cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read {what} {path}: {source}")]
    File { what: &'static str, path: PathBuf, source: io::Error },
    #[error("{what} {path} is not what it should be, in PEM: {message}")]
    Pem { what: &'static str, path: PathBuf, message: String },
    #[error("the sensors' CA {path} cannot be used: {source}")]
    Authority { path: PathBuf, source: rustls::Error },
    #[error("the sensors' CA or its list of revoked certificates cannot be used: {0}")]
    Verifier(#[from] VerifierBuilderError),
    #[error("certificate {certificate} and key {key} cannot be used: {source}")]
    Pair { certificate: PathBuf, key: PathBuf, source: rustls::Error },
}

/// Reads the files.
///
/// # Errors
/// Where one cannot be read, or they do not fit each other.
pub fn load(files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsError> {
    let TlsFiles { certificate, key, client_ca, crl } = files;
    let mut roots = RootCertStore::empty();
    for root in all::<CertificateDer<'static>>("the sensors' CA", client_ca)? {
        roots.add(root).map_err(|source| TlsError::Authority { path: client_ca.clone(), source })?;
    }
    let provider = Arc::new(default_provider());
    let mut verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    if let Some(crl) = crl {
        let lists = all::<CertificateRevocationListDer<'static>>("the list of revoked certificates", crl)?;
        // A list is of those whom its CA issued. Of a CA's own certificate, the file client_ca says that it holds.
        verifier = verifier.with_crls(lists).only_check_end_entity_revocation();
    }
    let verifier = Naming::new(verifier.build()?);
    with_certificate(Arc::new(verifier), provider, certificate, key)
}

/// Reads the files of a listener for people: whose CA is named show a certificate of it, where it is needed.
///
/// # Errors
/// Where one cannot be read, or they do not fit each other.
pub fn load_for_people(
    certificate: &Path,
    key: &Path,
    client_ca: Option<&Path>,
    is_needed: bool,
) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = Arc::new(default_provider());
    let Some(client_ca) = client_ca else {
        return with_certificate(Arc::new(NoClientAuth), provider, certificate, key);
    };
    let mut roots = RootCertStore::empty();
    for root in all::<CertificateDer<'static>>("the CA of people", client_ca)? {
        roots.add(root).map_err(|source| TlsError::Authority { path: client_ca.into(), source })?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let verifier = if is_needed { verifier } else { verifier.allow_unauthenticated() };
    with_certificate(verifier.build()?, provider, certificate, key)
}

/// TLS 1.3 with this certificate.
fn with_certificate(
    verifier: Arc<dyn ClientCertVerifier>,
    provider: Arc<CryptoProvider>,
    certificate: &Path,
    key: &Path,
) -> Result<Arc<ServerConfig>, TlsError> {
    let chain = all("the certificate", certificate)?;
    let content = read("the key", key)?;
    let private = PrivateKeyDer::from_pem_slice(&content).map_err(|error| not_pem("the key", key, &error))?;
    let pair = |source| TlsError::Pair { certificate: certificate.into(), key: key.into(), source };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .map_err(pair)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, private)
        .map_err(pair)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Who comes back shows the certificate again: it may have been revoked.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::File { what, path: path.into(), source })
}

fn not_pem(what: &'static str, path: &Path, error: &pem::Error) -> TlsError {
    TlsError::Pem { what, path: path.into(), message: error.to_string() }
}

/// Every such section of a file, and there is one.
fn all<T: PemObject>(what: &'static str, path: &Path) -> Result<Vec<T>, TlsError> {
    let content = read(what, path)?;
    let sections = T::pem_slice_iter(&content).collect::<Result<Vec<T>, _>>();
    let sections = sections.map_err(|error| not_pem(what, path, &error))?;
    if sections.is_empty() { Err(not_pem(what, path, &pem::Error::NoItemsFound)) } else { Ok(sections) }
}

/// Looks at the files now and then, or when told to, and takes them in once they have changed and can be used. Until
/// then those that were read before stay in force.
pub async fn watch(
    files: Vec<PathBuf>,
    load: impl Fn() -> Result<Arc<ServerConfig>, TlsError>,
    trust: watch::Sender<Arc<ServerConfig>>,
    period: Duration,
    look: Arc<Notify>,
    mut stopping: watch::Receiver<bool>,
) {
    // Whatever has changed since they were first read is seen at the first look, at the price of reading them twice.
    let mut seen = None;
    let mut complaint = String::new();
    loop {
        let stamps = stamps(&files);
        if seen.as_ref() != Some(&stamps) {
            match load() {
                Ok(config) => {
                    if seen.replace(stamps).is_some() || !complaint.is_empty() {
                        log::info!("certificates were read anew: connections are made anew with them");
                        trust.send_replace(config);
                    } else {
                        // Nobody waits for it but connections to come.
                        trust.send_if_modified(|current| {
                            *current = config;
                            false
                        });
                    }
                    complaint.clear();
                }
                Err(error) => {
                    let error = crate::one_line(&error);
                    if error != complaint {
                        log::error!("certificates stay as they were read before: {error}");
                        complaint = error;
                    }
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(period) => {}
            () = look.notified() => {}
            _ = stopping.changed() => return,
        }
    }
}

/// What tells that a file is another one, or has another content.
fn stamps(files: &[PathBuf]) -> Vec<Option<[i64; 6]>> {
    let stamp = |metadata: Metadata| {
        let of_file = [metadata.ino().cast_signed(), metadata.size().cast_signed()];
        let modified = [metadata.mtime(), metadata.mtime_nsec()];
        let changed = [metadata.ctime(), metadata.ctime_nsec()];
        [of_file[0], of_file[1], modified[0], modified[1], changed[0], changed[1]]
    };
    files.iter().map(|path| fs::metadata(path).ok().map(stamp)).collect()
}
