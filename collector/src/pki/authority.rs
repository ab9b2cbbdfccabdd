//! The authority: its key, and what is done with it.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use files::part;
use jiff::{SignedDuration, Timestamp};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    RevocationReason, RevokedCertParams, SerialNumber, date_time_ymd,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::PkiError;
use super::index::{self, Issued, Kind};
use crate::file_name;
use crate::validate::check_sensor_name;

const CERTIFICATE: &str = "ca.crt";
const KEY: &str = "ca.key";
const CRL: &str = "crl.pem";
const INDEX: &str = "issued.jsonl";
/// How long an authority holds.
const AUTHORITY_DAYS: u32 = 3650;
/// How far back a certificate begins to hold: clocks differ.
const BACK: SignedDuration = SignedDuration::from_hours(1);
const DAY: u64 = 24 * 60 * 60;

/// What is to be revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meant {
    /// All of one name.
    All(Kind, String),
    /// The one with a serial number, in hexadecimal digits.
    Serial(String),
}

impl Meant {
    /// The one with a serial number as people write it.
    #[must_use]
    pub fn serial(text: &str) -> Self {
        Self::Serial(text.replace(':', "").to_lowercase())
    }
}

/// The serial number of the certificate in a file.
///
/// # Errors
/// Where it cannot be read, or is none.
pub fn serial_in(path: &Path) -> Result<String, PkiError> {
    let content = fs::read(path).map_err(|source| PkiError::File { path: path.into(), source })?;
    let wrong = |message: String| PkiError::NotACertificate { path: path.into(), message };
    let der = CertificateDer::from_pem_slice(&content).map_err(|error| wrong(error.to_string()))?;
    let (_, certificate) = X509Certificate::from_der(&der).map_err(|error| wrong(error.to_string()))?;
    Ok(hexadecimal(certificate.raw_serial()))
}

/// An authority's folder, this process's alone.
#[derive(Debug)]
pub struct Authority {
    folder: PathBuf,
    _lock: Flock<File>,
}

impl Authority {
    /// Makes a new one.
    ///
    /// # Errors
    /// Where one is there, or the file system is against it.
    pub fn init(folder: &Path, name: &str) -> Result<Self, PkiError> {
        let failed = |source| PkiError::File { path: folder.into(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        let authority = Self::take(folder)?;
        for file in [KEY, CERTIFICATE, CRL, INDEX] {
            let path = folder.join(file);
            if path.exists() {
                return Err(PkiError::Exists(path));
            }
        }
        let key = generate()?;
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = common_name(name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        parameters.key_usages =
            vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
        parameters.serial_number = Some(SerialNumber::from_slice(&random_serial()?));
        let now = Timestamp::now();
        parameters.not_before = date_time_ymd(1970, 1, 1) + seconds(now - BACK);
        parameters.not_after = date_time_ymd(1970, 1, 1) + seconds(now) + days(AUTHORITY_DAYS);
        let made = |source| PkiError::Make { what: "authority's certificate", source };
        let certificate = parameters.self_signed(&key).map_err(made)?;
        write_new(&folder.join(KEY), key.serialize_pem().as_bytes(), 0o600)?;
        write_new(&folder.join(CERTIFICATE), certificate.pem().as_bytes(), 0o644)?;
        authority.write_crl(&[])?;
        Ok(authority)
    }

    /// Opens one.
    ///
    /// # Errors
    /// Where there is none, or another process has it open.
    pub fn open(folder: &Path) -> Result<Self, PkiError> {
        if !folder.join(KEY).exists() {
            return Err(PkiError::NoAuthority(folder.into()));
        }
        Self::take(folder)
    }

    fn take(folder: &Path) -> Result<Self, PkiError> {
        let failed = |source| PkiError::File { path: folder.into(), source };
        match Flock::lock(File::open(folder).map_err(failed)?, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => Ok(Self { folder: folder.into(), _lock: lock }),
            Err((_, Errno::EWOULDBLOCK)) => Err(PkiError::Busy(folder.into())),
            Err((_, error)) => Err(failed(error.into())),
        }
    }

    /// Issues a sensor's certificate, whose common name is the sensor's name.
    ///
    /// # Errors
    /// Where the name cannot be a sensor's, or the files are there.
    pub fn issue_sensor(&self, sensor: &str, days: u32, out: &Path) -> Result<Issued, PkiError> {
        check_sensor_name(sensor)?;
        let parameters = CertificateParams::default();
        self.issue(Kind::Sensor, sensor, parameters, days, out)
    }

    /// Issues the certificate of a person who may look at the page, whose common name is this name.
    ///
    /// # Errors
    /// Where sensors have certificates of this authority, the name could not be a sensor's either, or the files are there.
    pub fn issue_person(&self, person: &str, days: u32, out: &Path) -> Result<Issued, PkiError> {
        check_sensor_name(person)?;
        self.issue(Kind::Person, person, CertificateParams::default(), days, out)
    }

    /// Issues a collector's certificate, for all these names and addresses.
    ///
    /// # Errors
    /// Where one is neither a host's name nor an address, or the files are there.
    pub fn issue_server(&self, names: &[String], days: u32, out: &Path) -> Result<Issued, PkiError> {
        let made = |source| PkiError::Make { what: "certificate", source };
        let parameters = CertificateParams::new(names).map_err(made)?;
        let name = names.first().map_or("", String::as_str);
        check_sensor_name(name)?;
        self.issue(Kind::Server, name, parameters, days, out)
    }

    fn issue(
        &self,
        kind: Kind,
        name: &str,
        mut parameters: CertificateParams,
        valid_days: u32,
        out: &Path,
    ) -> Result<Issued, PkiError> {
        let mut all = self.issued()?;
        if let Some(other) = all.iter().map(|one| one.kind).find(|other| kind.is_no_neighbour_of(*other)) {
            return Err(PkiError::Mixed { there: other.name(), wanted: kind.name() });
        }
        let stem = file_name::escape(name);
        let (certificate_path, key_path) = (out.join(format!("{stem}.crt")), out.join(format!("{stem}.key")));
        if let Some(path) = [&certificate_path, &key_path].into_iter().find(|path| path.exists()) {
            return Err(PkiError::Exists(path.clone()));
        }
        let failed = |source| PkiError::File { path: out.into(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(out).map_err(failed)?;
        let serial = random_serial()?;
        let now = Timestamp::now();
        parameters.distinguished_name = common_name(name);
        parameters.serial_number = Some(SerialNumber::from_slice(&serial));
        parameters.not_before = date_time_ymd(1970, 1, 1) + seconds(now - BACK);
        parameters.not_after = date_time_ymd(1970, 1, 1) + seconds(now) + days(valid_days);
        parameters.is_ca = IsCa::ExplicitNoCa;
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![match kind {
            Kind::Sensor | Kind::Person => ExtendedKeyUsagePurpose::ClientAuth,
            Kind::Server => ExtendedKeyUsagePurpose::ServerAuth,
        }];
        parameters.use_authority_key_identifier_extension = true;
        let key = generate()?;
        let made = |source| PkiError::Make { what: "certificate", source };
        let certificate = parameters.signed_by(&key, &self.issuer()?).map_err(made)?;
        let issued = Issued {
            serial: hexadecimal(&serial),
            kind,
            name: name.into(),
            not_before: now - BACK,
            not_after: now + SignedDuration::from_hours(24 * i64::from(valid_days)),
            revoked: None,
        };
        // First noted, then there: a certificate that was never noted could not be revoked. A key alone opens nothing.
        all.push(issued.clone());
        write_new(&key_path, key.serialize_pem().as_bytes(), 0o600)?;
        let written = index::write(&self.folder.join(INDEX), &all)
            .and_then(|()| write_new(&certificate_path, certificate.pem().as_bytes(), 0o644));
        if let Err(error) = written {
            // It would stand in the way of the next try.
            let _first_error_counts = fs::remove_file(&key_path);
            return Err(error);
        }
        Ok(issued)
    }

    /// Revokes what is meant, and says which certificates they are. Where all of them are revoked already, the list is made
    /// anew, as after a crash between the two.
    ///
    /// # Errors
    /// Where there is none.
    pub fn revoke(&self, meant: &Meant) -> Result<Vec<Issued>, PkiError> {
        let mut all = self.issued()?;
        let now = Timestamp::now();
        let is_meant = |one: &Issued| match meant {
            Meant::All(kind, name) => one.kind == *kind && one.name == *name,
            Meant::Serial(serial) => one.serial == *serial,
        };
        let mut revoked = Vec::new();
        for one in all.iter_mut().filter(|one| one.revoked.is_none() && is_meant(one)) {
            one.revoked = Some(now);
            revoked.push(one.clone());
        }
        if revoked.is_empty() {
            revoked.extend(all.iter().filter(|one| is_meant(one)).cloned());
        }
        if revoked.is_empty() {
            return Err(PkiError::Unknown(match meant {
                Meant::All(kind, name) => format!("of a {} called {name:?}", kind.name()),
                Meant::Serial(serial) => format!("with the serial number {serial}"),
            }));
        }
        // Each list of revoked certificates is made of what is noted: what is not noted first would be missing from the
        // next one.
        index::write(&self.folder.join(INDEX), &all)?;
        self.write_crl(&all)?;
        Ok(revoked)
    }

    /// What it issued.
    ///
    /// # Errors
    /// Where the list is damaged.
    pub fn issued(&self) -> Result<Vec<Issued>, PkiError> {
        index::read(&self.folder.join(INDEX))
    }

    fn write_crl(&self, issued: &[Issued]) -> Result<(), PkiError> {
        let now = Timestamp::now();
        let mut revoked_certs = Vec::new();
        for one in issued {
            let Some(time) = one.revoked else { continue };
            revoked_certs.push(RevokedCertParams {
                serial_number: SerialNumber::from_slice(&from_hexadecimal(&one.serial)),
                revocation_time: date_time_ymd(1970, 1, 1) + seconds(time),
                reason_code: Some(RevocationReason::Unspecified),
                invalidity_date: None,
            });
        }
        let number = u64::try_from(now.as_microsecond()).unwrap_or_default().to_be_bytes();
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(1970, 1, 1) + seconds(now - BACK),
            // A list is made when something is revoked, not by the calendar.
            next_update: date_time_ymd(1970, 1, 1) + seconds(now) + days(AUTHORITY_DAYS),
            crl_number: SerialNumber::from_slice(&number),
            issuing_distribution_point: None,
            revoked_certs,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let made = |source| PkiError::Make { what: "list of revoked certificates", source };
        let pem = list.signed_by(&self.issuer()?).and_then(|list| list.pem()).map_err(made)?;
        let path = self.folder.join(CRL);
        part::replace(&path, &[pem.as_bytes()], 0o644).map_err(|source| PkiError::File { path, source })
    }

    fn issuer(&self) -> Result<Issuer<'static, KeyPair>, PkiError> {
        let read = |file: &str| {
            let path = self.folder.join(file);
            fs::read_to_string(&path).map_err(|source| PkiError::File { path, source })
        };
        let damaged = |file: &str| {
            let path = self.folder.join(file);
            move |source| PkiError::Damaged { path, source }
        };
        let key = KeyPair::from_pem(&read(KEY)?).map_err(damaged(KEY))?;
        Issuer::from_ca_cert_pem(&read(CERTIFICATE)?, key).map_err(damaged(CERTIFICATE))
    }
}

fn generate() -> Result<KeyPair, PkiError> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|source| PkiError::Make { what: "key", source })
}

fn common_name(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn seconds(time: Timestamp) -> Duration {
    Duration::from_secs(u64::try_from(time.as_second()).unwrap_or_default())
}

fn days(days: u32) -> Duration {
    Duration::from_secs(u64::from(days) * DAY)
}

/// 126 random bits: positive, and of the same length always (RFC 5280, section 4.1.2.2).
fn random_serial() -> Result<[u8; 16], PkiError> {
    let mut serial = [0; 16];
    let random = rustls::crypto::ring::default_provider().secure_random;
    random.fill(&mut serial).map_err(|_| PkiError::Random)?;
    serial[0] = serial[0] & 0x3f | 0x40;
    Ok(serial)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hexadecimal(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    pairs.filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

fn write_new(path: &Path, content: &[u8], mode: u32) -> Result<(), PkiError> {
    part::write_new(path, &[content], mode).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => PkiError::Exists(path.into()),
        _ => PkiError::File { path: path.into(), source },
    })
}
