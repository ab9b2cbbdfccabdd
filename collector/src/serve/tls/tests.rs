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

#[test]
fn a_list_that_another_one_has_followed_is_not_overdue() {
    let lab = Lab::new();
    let list = |years| lab.list("ca", years, 7).pem().unwrap();
    fs::write(lab.at("two.pem"), [list((2021, 2022)), list((2022, 2200))].concat()).unwrap();
    assert_eq!(lab.load("two.pem").unwrap().remarks(Timestamp::now()), [""; 0]);
}

#[test]
fn two_cas_of_one_name_have_no_lists() {
    let lab = Lab::new();
    let other = lab.at("other");
    crate::pki::Authority::init(&other, "Apus").unwrap();
    let read = |path: &str| fs::read_to_string(lab.at(path)).unwrap();
    let (both, lists) = (["ca/ca.crt", "other/ca.crt"], ["ca/crl.pem", "other/crl.pem"]);
    fs::write(lab.at("both.crt"), both.map(read).concat()).unwrap();
    fs::write(lab.at("both.pem"), lists.map(read).concat()).unwrap();
    let clients = |crl| Clients { ca: lab.at("both.crt"), crl, are_needed: true };
    for crl in ["both.pem", "ca/crl.pem"] {
        let error = verifier(Whose::Sensors, &clients(Some(lab.at(crl)))).unwrap_err().to_string();
        assert!(error.contains("both.crt have the name of CN=Apus") && error.contains("--name"), "{error}");
    }
    // Without lists they are two CAs as others; and the same one twice is one.
    verifier(Whose::Sensors, &clients(None)).unwrap();
    fs::write(lab.at("both.crt"), [read("ca/ca.crt"), read("ca/ca.crt")].concat()).unwrap();
    let (_, lists) = verifier(Whose::Sensors, &clients(Some(lab.at("ca/crl.pem")))).unwrap();
    assert_eq!(lists.remarks(Timestamp::now()), [""; 0]);
}

/// A certificate and its key, and what else they need to issue others.
fn certificate(
    name: &str,
    is_ca: bool,
    by: Option<&Issuer<'_, KeyPair>>,
) -> (rcgen::Certificate, Issuer<'static, KeyPair>) {
    let mut about = rcgen::CertificateParams::default();
    about.distinguished_name.push(rcgen::DnType::CommonName, name);
    about.serial_number = Some(SerialNumber::from_slice(&[42]));
    if is_ca {
        about.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        about.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign, rcgen::KeyUsagePurpose::CrlSign];
    } else {
        about.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    }
    let key = KeyPair::generate().unwrap();
    let certificate = match by {
        Some(by) => about.signed_by(&key, by),
        None => about.self_signed(&key),
    };
    (certificate.unwrap(), Issuer::new(about, key))
}

/// In which a serial number is.
fn list(by: &Issuer<'_, KeyPair>, serial: u8) -> String {
    let revoked = RevokedCertParams {
        serial_number: SerialNumber::from_slice(&[serial]),
        revocation_time: date_time_ymd(2020, 1, 1),
        reason_code: None,
        invalidity_date: None,
    };
    let list = CertificateRevocationListParams {
        this_update: date_time_ymd(2021, 1, 1),
        next_update: date_time_ymd(2200, 1, 1),
        crl_number: SerialNumber::from_slice(&[1]),
        issuing_distribution_point: None,
        revoked_certs: vec![revoked],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    list.signed_by(by).unwrap().pem().unwrap()
}

#[test]
fn a_ca_that_was_revoked_lets_nobody_in() {
    let folder = tempfile::tempdir().unwrap();
    let at = |path: &str| folder.path().join(path);
    let (root, of_root) = certificate("root", true, None);
    let (other, _) = certificate("other", true, None);
    let (below, of_below) = certificate("below", true, Some(&of_root));
    let (leaf, _) = certificate("tokyo", false, Some(&of_below));
    let (flat, _) = certificate("kyoto", false, Some(&of_root));
    fs::write(at("root.crt"), root.pem()).unwrap();
    fs::write(at("roots.crt"), [root.pem(), other.pem()].concat()).unwrap();
    let found = |roots: &str, lists: &[String]| {
        fs::write(at("crl.pem"), lists.concat()).unwrap();
        let clients = Clients { ca: at(roots), crl: Some(at("crl.pem")), are_needed: true };
        let (verifier, _) = verifier(Whose::Sensors, &clients).unwrap();
        let now = rustls::pki_types::UnixTime::now();
        let chain = [below.der().clone()];
        let is_in = |found: Result<_, rustls::Error>| match found {
            Ok(_) => "in",
            Err(error) if error == rustls::CertificateError::Revoked.into() => "revoked",
            Err(error) if error == rustls::CertificateError::UnknownRevocationStatus.into() => "unknown",
            Err(error) => panic!("{error}"),
        };
        let of_chain = is_in(verifier.verify_client_cert(leaf.der(), &chain, now).map(|_| ()));
        (of_chain, is_in(verifier.verify_client_cert(flat.der(), &[], now).map(|_| ())))
    };
    // Each of them has the serial number 42.
    assert_eq!(found("root.crt", &[list(&of_root, 7), list(&of_below, 7)]), ("in", "in"));
    assert_eq!(found("root.crt", &[list(&of_root, 7), list(&of_below, 42)]), ("revoked", "in"));
    assert_eq!(found("root.crt", &[list(&of_root, 42), list(&of_below, 7)]), ("revoked", "revoked"));
    assert_eq!(found("root.crt", &[list(&of_root, 7)]), ("unknown", "in"));
    // Of a CA in the file without a list, nothing tells which CAs below it hold.
    assert_eq!(found("root.crt", &[list(&of_below, 7)]), ("in", "unknown"));
    assert_eq!(found("roots.crt", &[list(&of_root, 7), list(&of_below, 7)]), ("in", "in"));
}
