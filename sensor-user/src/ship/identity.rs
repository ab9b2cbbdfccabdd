//! Who this sensor is to the collector: certificate and key, read again when they change on disk.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::options::ShipSettings;

/// How long before its end a certificate is spoken of.
const WARNING: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Why certificate, key or authority cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error(
        "cannot read {what} {}: {source}; it has to be this user's to read, without privileges", .path.display()
    )]
    Unreadable { what: &'static str, path: PathBuf, source: io::Error },
    #[error("{} holds no {what} that can be read: it has to be PEM{detail}", .path.display())]
    Nothing { what: &'static str, path: PathBuf, detail: String },
    #[error("a certificate in {} cannot be an authority's: {source}; \
         name the file that the collector's administrator gave", .path.display())]
    Authority { path: PathBuf, source: rustls::Error },
    #[error(
        "{} and the key {} do not go together: {source}; \
         name those that were made for each other", .certificate.display(), .key.display()
    )]
    Pair { certificate: PathBuf, key: PathBuf, source: rustls::Error },
    #[error("the certificate in {} cannot be read: {reason}", .path.display())]
    Certificate { path: PathBuf, reason: String },
    #[error(
        "the certificate in {} is of sensor {found:?}, and this sensor is {sensor:?}, so the collector would take nothing \
         from it: give it the certificate's name (--sensor), or get a certificate for its own", .path.display()
    )]
    Foreign { path: PathBuf, found: String, sensor: String },
    #[error(
        "the certificate in {} has {names} common names in its subject, and the collector needs one, the sensor's: get a \
         certificate for {sensor:?}", .path.display()
    )]
    Names { path: PathBuf, names: usize, sensor: String },
    #[error("cannot set up TLS: {0}; please report this")]
    Tls(rustls::Error),
}

/// A file as it was when it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    changed: (i64, i64),
}

/// The files as they were; none of one that is not there.
type Stamps = [Option<Stamp>; 3];

/// Certificate and key, checked, in a configuration for TLS.
#[derive(Clone, Debug)]
pub struct Identity {
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    pub tls: ClientConfig,
    stamps: Stamps,
}

impl Identity {
    /// Reads and checks all three files, of the sensor of this name.
    ///
    /// # Errors
    /// Where one cannot be read, or they are not what they have to be.
    pub fn read(settings: &ShipSettings, sensor: &str) -> Result<Self, IdentityError> {
        // Before they are read: what changes meanwhile is read again.
        let stamps = stamps(settings);
        let mut roots = RootCertStore::empty();
        for certificate in certificates("the collector's authority", &settings.ca)? {
            roots
                .add(certificate)
                .map_err(|source| IdentityError::Authority { path: settings.ca.clone(), source })?;
        }
        let chain = certificates("the sensor's certificate", &settings.certificate)?;
        let (not_before, not_after) = check(&settings.certificate, &chain, sensor)?;
        let key = key(&settings.key)?;
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(IdentityError::Tls)?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .map_err(|source| IdentityError::Pair {
                certificate: settings.certificate.clone(),
                key: settings.key.clone(),
                source,
            })?;
        Ok(Self { not_before, not_after, tls, stamps })
    }

    /// Whether a file is another one than when it was read.
    #[must_use]
    pub fn has_changed(&self, settings: &ShipSettings) -> bool {
        stamps(settings) != self.stamps
    }

    /// What there is to say of how long the certificate is good for, if anything.
    #[must_use]
    pub fn warning(&self, now: Timestamp) -> Option<Warning> {
        if now < self.not_before {
            Some(Warning::NotYet)
        } else if now >= self.not_after {
            Some(Warning::Expired)
        } else if self.not_after.duration_since(now) <= WARNING {
            Some(Warning::Soon)
        } else {
            None
        }
    }
}

/// What is wrong with the certificate's time, or soon will be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warning {
    NotYet,
    Soon,
    Expired,
}

fn stamps(settings: &ShipSettings) -> Stamps {
    let stamp = |path: &Path| {
        let found = fs::metadata(path).ok()?;
        Some(Stamp {
            device: found.dev(),
            inode: found.ino(),
            length: found.len(),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    };
    [stamp(&settings.ca), stamp(&settings.certificate), stamp(&settings.key)]
}

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, IdentityError> {
    fs::read(path).map_err(|source| IdentityError::Unreadable { what, path: path.into(), source })
}

fn certificates(what: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
    let text = read(what, path)?;
    let nothing = |detail| IdentityError::Nothing { what: "certificate", path: path.into(), detail };
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => {
            Err(nothing(", with the lines BEGIN CERTIFICATE and END CERTIFICATE".into()))
        }
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(nothing(format!(" ({error})"))),
    }
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, IdentityError> {
    let text = read("the sensor's key", path)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| IdentityError::Nothing {
        what: "private key",
        path: path.into(),
        detail: format!(", without a passphrase ({error})"),
    })
}

/// Looks whether the first certificate in its file is this sensor's, by its subject's one common name, as the collector
/// does. From when to when it is good.
fn check(
    path: &Path,
    chain: &[CertificateDer<'_>],
    sensor: &str,
) -> Result<(Timestamp, Timestamp), IdentityError> {
    let unreadable = |reason: String| IdentityError::Certificate { path: path.into(), reason };
    let first = chain.first().map_or(&[][..], |certificate| certificate.as_ref());
    let (_, certificate) =
        x509_parser::parse_x509_certificate(first).map_err(|error| unreadable(error.to_string()))?;
    let names: Vec<_> = certificate.subject().iter_common_name().collect();
    let (path, sensor) = (|| path.to_path_buf(), || sensor.to_owned());
    let [found] = names[..] else {
        return Err(IdentityError::Names { path: path(), names: names.len(), sensor: sensor() });
    };
    let found = found.as_str().map_err(|error| unreadable(error.to_string()))?;
    if found != sensor() {
        return Err(IdentityError::Foreign { path: path(), found: found.to_owned(), sensor: sensor() });
    }
    let time = |time: x509_parser::time::ASN1Time| {
        Timestamp::from_second(time.timestamp()).map_err(|error| unreadable(error.to_string()))
    };
    let validity = certificate.validity();
    Ok((time(validity.not_before)?, time(validity.not_after)?))
}
