//! Lists of revoked certificates: read, held against the CAs that they are of, and looked at for their age.
//!
//! What does not fit stops the collector from starting, or from taking a new file in. What may be meant is remarked upon.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustls::crypto::ring::default_provider;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
use x509_parser::prelude::{CertificateRevocationList, FromDer as _, X509Certificate};

use super::{TlsError, Whose, pem_sections, read};

/// What a DER encoding of a list begins with, and no PEM does.
const SEQUENCE: u8 = 0x30;

/// Why a list cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    #[error("it is no list of revoked certificates: {0}")]
    NotAList(String),
    #[error("it does not say until when the next one comes (nextUpdate), which it has to")]
    NoNextUpdate,
    #[error(
        "it has the name of {issuer} and is not signed by the CA of that name in {ca}: is it the list of another CA?"
    )]
    OtherKey { issuer: String, ca: PathBuf },
    #[error(
        "two CAs in {ca} have the name of {subject} and different keys, and it is by its issuer's name that a list is looked \
         for, so that the certificates of one of them would all be refused: give each CA a name of its own, as \
         \"apus-collector pki init --name\" does"
    )]
    Namesakes { subject: String, ca: PathBuf },
}

/// What is remembered of the lists in a file.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    path: PathBuf,
    /// Each one's issuer, and when the next one was to come.
    due: Vec<(String, Timestamp)>,
    remarks: Vec<String>,
    /// Whether every CA in the file of CAs has one.
    pub are_of_all: bool,
}

impl Lists {
    /// What an operator should know of them, besides that they are in force.
    #[must_use]
    pub fn remarks(&self, now: Timestamp) -> Vec<String> {
        let path = self.path.display();
        let late = self.due.iter().filter(|(_, due)| *due <= now).map(|(issuer, due)| {
            format!(
                "{path}: the list of {issuer} was to be followed by another one until {due}; it is obeyed all the same, and \
                 who was revoked since is let in"
            )
        });
        self.remarks.iter().cloned().chain(late).collect()
    }
}

/// A list that was looked at.
struct Seen {
    issuer: Vec<u8>,
    issuer_name: String,
    made: i64,
    due: Timestamp,
    /// Places of the CAs whose name and key it bears.
    signers: Vec<usize>,
    der: CertificateRevocationListDer<'static>,
}

/// Reads the lists in a file, in PEM or as one in DER, the newest first: of two of one CA that one counts.
pub fn lists(
    whose: Whose,
    path: &Path,
    (ca, roots): (&Path, &[CertificateDer<'_>]),
) -> Result<(Vec<CertificateRevocationListDer<'static>>, Lists), TlsError> {
    let what = whose.lists();
    let content = read(what, path)?;
    let ders = match content.first() {
        Some(&SEQUENCE) => vec![CertificateRevocationListDer::from(content)],
        _ => pem_sections(what, path, &content)?,
    };
    let parsed = roots.iter().filter_map(|root| X509Certificate::from_der(root).ok());
    let roots: Vec<X509Certificate<'_>> = parsed.map(|(_, root)| root).collect();
    namesakes(ca, &roots).map_err(|source| TlsError::Lists { what, path: path.into(), source })?;
    let mut all = Vec::new();
    for (place, der) in ders.into_iter().enumerate() {
        let wrong = |source| TlsError::List { what, path: path.into(), number: place + 1, source };
        all.push(look(der, ca, &roots).map_err(wrong)?);
    }
    all.sort_by_key(|seen| Reverse(seen.made));
    let file = path.display();
    let mut remarks = Vec::new();
    for seen in &all {
        if !roots.iter().any(|root| root.subject().as_raw() == seen.issuer) {
            let ca = ca.display();
            remarks.push(format!(
                "{file}: the list of {} is of no CA in {ca}, and counts only for what a CA of that name below them issued",
                seen.issuer_name
            ));
        }
    }
    let mut are_of_all = true;
    for (place, root) in roots.iter().enumerate() {
        if !all.iter().any(|seen| seen.signers.contains(&place)) {
            are_of_all = false;
            let subject = root.subject();
            remarks.push(format!(
                "{file} has no list of {subject}: whoever shows a certificate that this CA itself issued is refused"
            ));
        }
    }
    // Whatever another one has followed is not looked at.
    let mut issuers = BTreeSet::new();
    let newest = all.iter().filter(|seen| issuers.insert(&seen.issuer));
    let due = newest.map(|seen| (seen.issuer_name.clone(), seen.due)).collect();
    let ders = all.into_iter().map(|seen| seen.der).collect();
    Ok((ders, Lists { path: path.into(), due, remarks, are_of_all }))
}

/// webpki takes the first list that bears the name of a certificate's issuer, and then looks at its signature: there is no
/// order of the lists in which two CAs of one name both have theirs.
fn namesakes(ca: &Path, roots: &[X509Certificate<'_>]) -> Result<(), ListError> {
    let mut keys = BTreeMap::new();
    for root in roots {
        let key = root.public_key().raw;
        if *keys.entry(root.subject().as_raw()).or_insert(key) != key {
            return Err(ListError::Namesakes { subject: root.subject().to_string(), ca: ca.into() });
        }
    }
    Ok(())
}

fn look(
    der: CertificateRevocationListDer<'static>,
    ca: &Path,
    roots: &[X509Certificate<'_>],
) -> Result<Seen, ListError> {
    let (rest, list) = CertificateRevocationList::from_der(&der)
        .map_err(|error| ListError::NotAList(format!("it cannot be decoded ({error})")))?;
    if !rest.is_empty() {
        return Err(ListError::NotAList(format!("{} bytes follow its end", rest.len())));
    }
    let due = list.next_update().ok_or(ListError::NoNextUpdate)?.timestamp();
    let due = Timestamp::from_second(due).map_err(|error| ListError::NotAList(error.to_string()))?;
    let issuer = list.issuer().as_raw();
    let of_name = roots.iter().enumerate().filter(|(_, root)| root.subject().as_raw() == issuer);
    let is_of_none = of_name.clone().next().is_none();
    let signers: Vec<usize> =
        of_name.filter(|(_, root)| is_signed_by(&list, root)).map(|(place, _)| place).collect();
    if !is_of_none && signers.is_empty() {
        return Err(ListError::OtherKey { issuer: list.issuer().to_string(), ca: ca.into() });
    }
    let (issuer, issuer_name) = (issuer.to_vec(), list.issuer().to_string());
    let made = list.last_update().timestamp();
    Ok(Seen { issuer, issuer_name, made, due, signers, der: der.clone() })
}

/// Whether a list is signed with a CA's key. This is for people's mistakes: whom a list is obeyed for, webpki looks at with
/// each certificate.
fn is_signed_by(list: &CertificateRevocationList<'_>, root: &X509Certificate<'_>) -> bool {
    let key = &root.public_key().subject_public_key.data;
    let (message, signature) = (list.tbs_cert_list.as_ref(), &list.signature_value.data);
    // Those for another kind of key say no.
    let algorithms = default_provider().signature_verification_algorithms.all;
    algorithms.iter().any(|algorithm| algorithm.verify_signature(key, message, signature).is_ok())
}
