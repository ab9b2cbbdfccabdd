//! Lists of revoked certificates that fit, and others.

use std::fs;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    CertificateRevocationListParams, Issuer, KeyIdMethod, KeyPair, RevokedCertParams, SerialNumber,
    date_time_ymd,
};
use tempfile::TempDir;

use super::*;
use crate::pki::{Kind, Meant};

struct Lab {
    folder: TempDir,
    authority: crate::pki::Authority,
}

impl Lab {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = crate::pki::Authority::init(&folder.path().join("ca"), "Apus").unwrap();
        authority.issue_server(&["127.0.0.1".into()], 30, &folder.path().join("own")).unwrap();
        Self { folder, authority }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn load(&self, crl: &str) -> Result<Lists, String> {
        let clients = Clients { ca: self.at("ca/ca.crt"), crl: Some(self.at(crl)), are_needed: true };
        let files = Files {
            whose: Whose::People,
            certificate: self.at("own/127.0.0.1.crt"),
            key: self.at("own/127.0.0.1.key"),
            clients: Some(clients),
        };
        load(&files).map(|loaded| loaded.lists).map_err(|error| crate::one_line(&error))
    }

    /// A list of an authority's folder, made and due in these years, in which a serial number is.
    fn list(&self, ca: &str, (made, due): (i32, i32), serial: u8) -> rcgen::CertificateRevocationList {
        let read = |name: &str| fs::read_to_string(self.at(ca).join(name)).unwrap();
        let issuer =
            Issuer::from_ca_cert_pem(&read("ca.crt"), KeyPair::from_pem(&read("ca.key")).unwrap()).unwrap();
        let revoked = RevokedCertParams {
            serial_number: SerialNumber::from_slice(&[serial]),
            revocation_time: date_time_ymd(2020, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(made, 1, 1),
            next_update: date_time_ymd(due, 1, 1),
            crl_number: SerialNumber::from_slice(&[1]),
            issuing_distribution_point: None,
            revoked_certs: vec![revoked],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&issuer).unwrap()
    }
}

#[test]
fn a_list_is_in_pem_or_der() {
    let lab = Lab::new();
    assert_eq!(lab.load("ca/crl.pem").unwrap().remarks(Timestamp::now()), [""; 0]);
    let list = lab.list("ca", (2021, 2200), 7);
    fs::write(lab.at("crl.der"), list.der()).unwrap();
    assert_eq!(lab.load("crl.der").unwrap().remarks(Timestamp::now()), [""; 0]);
}

#[test]
fn what_is_no_list_of_this_ca_is_refused_with_its_file() {
    let lab = Lab::new();
    let other = lab.at("other");
    // Of the same name, as two that nobody gave one.
    crate::pki::Authority::init(&other, "Apus").unwrap();
    let der = lab.list("ca", (2021, 2200), 7).der().to_vec();
    let cut = der[..der.len() - 1].to_vec();
    let longer = [&*der, &[0]].concat();
    for (name, content, expected) in [
        ("empty.pem", Vec::new(), "no items found"),
        ("certificate.pem", fs::read(lab.at("ca/ca.crt")).unwrap(), "no items found"),
        ("cut.der", cut, "it is no list of revoked certificates"),
        ("longer.der", longer, "1 bytes follow its end"),
        ("other.pem", fs::read(other.join("crl.pem")).unwrap(), "is it the list of another CA?"),
    ] {
        fs::write(lab.at(name), content).unwrap();
        let error = lab.load(name).unwrap_err();
        assert!(error.contains(expected) && error.contains(name), "{name}: {error}");
        assert!(error.contains("revoked certificates of people"), "{name}: {error}");
    }
    assert!(lab.load("absent.pem").unwrap_err().contains("absent.pem"));
}

#[test]
fn a_list_of_a_ca_that_is_not_named_is_remarked_upon() {
    let lab = Lab::new();
    let other = lab.at("other");
    crate::pki::Authority::init(&other, "Another").unwrap();
    let remarks = lab.load("other/crl.pem").unwrap().remarks(Timestamp::now());
    assert_eq!(remarks.len(), 2, "{remarks:?}");
    assert!(remarks[0].contains("the list of CN=Another is of no CA"), "{remarks:?}");
    assert!(remarks[1].contains("has no list of CN=Apus"), "{remarks:?}");
}

#[test]
fn a_list_that_is_overdue_is_in_force_and_remarked_upon() {
    let lab = Lab::new();
    fs::write(lab.at("old.pem"), lab.list("ca", (2021, 2022), 7).pem().unwrap()).unwrap();
    let lists = lab.load("old.pem").unwrap();
    let remarks = lists.remarks(Timestamp::now());
    assert!(remarks.len() == 1 && remarks[0].contains("until 2022-01-01"), "{remarks:?}");
    let before = Timestamp::now() - SignedDuration::from_hours(24 * 365 * 10);
    assert_eq!(lists.remarks(before), [""; 0]);
}

/// rustls takes the first list that is of a certificate's issuer.
#[test]
fn of_two_lists_of_a_ca_the_newest_counts() {
    let lab = Lab::new();
    let out = lab.at("out");
    lab.authority.issue_person("mika", 30, &out).unwrap();
    let old = lab.list("ca", (2021, 2200), 7).pem().unwrap();
    lab.authority.revoke(&Meant::All(Kind::Person, "mika".into())).unwrap();
    let new = fs::read_to_string(lab.at("ca/crl.pem")).unwrap();
    let mika = all::<CertificateDer<'static>>("it", &out.join("mika.crt")).unwrap().remove(0);
    for (name, content) in [("a.pem", format!("{old}{new}")), ("b.pem", format!("{new}{old}"))] {
        fs::write(lab.at(name), content).unwrap();
        let clients = Clients { ca: lab.at("ca/ca.crt"), crl: Some(lab.at(name)), are_needed: false };
        let (verifier, _) = verifier(Whose::People, &clients).unwrap();
        let now = rustls::pki_types::UnixTime::now();
        let error = verifier.verify_client_cert(&mika, &[], now).unwrap_err();
        assert_eq!(error, rustls::CertificateError::Revoked.into(), "{name}");
    }
}
