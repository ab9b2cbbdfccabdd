use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{CertificateError, Error, RootCertStore};

use super::*;
use crate::file_name;

/// What rustls says of a sensor's certificate, so long from now.
fn verify(authority: &Path, certificate: &Path, later: Duration) -> Result<(), Error> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority.join("ca.crt")).unwrap()).unwrap();
    let list = CertificateRevocationListDer::from_pem_file(authority.join("crl.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .with_crls([list])
        .build()
        .unwrap();
    let certificate = CertificateDer::from_pem_file(certificate).unwrap();
    let time = UnixTime::since_unix_epoch(Duration::from_secs(UnixTime::now().as_secs()) + later);
    verifier.verify_client_cert(&certificate, &[], time).map(|_| ())
}

/// What openssl says, where it is there.
fn openssl(authority: &Path, certificate: &Path, purpose: &str) -> Option<bool> {
    let output = std::process::Command::new("openssl")
        .args(["verify", "-x509_strict", "-crl_check", "-purpose", purpose, "-CAfile"])
        .args([&authority.join("ca.crt"), Path::new("-CRLfile"), &authority.join("crl.pem"), certificate])
        .output();
    output.ok().map(|output| output.status.success())
}

fn sensor(name: &str) -> Meant {
    Meant::All(Kind::Sensor, name.into())
}

const NOW: Duration = Duration::ZERO;
const DAY: Duration = Duration::from_secs(86_400);

#[test]
fn certificates_hold_until_they_end_or_are_revoked_and_can_be_renewed() {
    let folder = tempfile::tempdir().unwrap();
    let (ca, out, renewed) =
        (folder.path().join("ca"), folder.path().join("out"), folder.path().join("renewed"));
    let authority = Authority::init(&ca, "Apus test").unwrap();
    authority.issue_sensor("tokyo-1", 30, &out).unwrap();
    let other = authority.issue_sensor("osaka 1", 30, &out).unwrap();
    let (first, second) = (out.join("tokyo-1.crt"), out.join("osaka%201.crt"));
    assert_eq!(verify(&ca, &first, NOW), Ok(()));
    assert_ne!(openssl(&ca, &first, "sslclient"), Some(false));
    let late = verify(&ca, &first, 31 * DAY).unwrap_err();
    assert!(matches!(late, Error::InvalidCertificate(CertificateError::ExpiredContext { .. })), "{late}");

    assert_eq!(authority.revoke(&sensor("tokyo-1")).unwrap().len(), 1);
    assert_eq!(verify(&ca, &first, NOW), Err(CertificateError::Revoked.into()));
    assert_ne!(openssl(&ca, &first, "sslclient"), Some(true));
    assert_eq!(verify(&ca, &second, NOW), Ok(()), "another sensor is not affected");
    authority.issue_sensor("tokyo-1", 30, &renewed).unwrap();
    assert_eq!(verify(&ca, &renewed.join("tokyo-1.crt"), NOW), Ok(()));

    let with_colons = other.serial.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    let serial = with_colons.collect::<Vec<_>>().join(":").to_uppercase();
    assert_eq!(authority.revoke(&Meant::serial(&serial)).unwrap()[0].name, "osaka 1");
    assert_eq!(verify(&ca, &second, NOW), Err(CertificateError::Revoked.into()));
    assert!(matches!(authority.revoke(&Meant::serial("00")), Err(PkiError::Unknown(_))));
    assert_eq!(verify(&ca, &first, NOW), Err(CertificateError::Revoked.into()), "the first one still is");
}

#[test]
fn a_collectors_certificate_is_for_its_names_and_for_no_sensor() {
    let folder = tempfile::tempdir().unwrap();
    let (ca, out) = (folder.path().join("ca"), folder.path().join("out"));
    let authority = Authority::init(&ca, "Apus test").unwrap();
    let names = ["collector.example.org", "192.0.2.1", "2001:db8::1"].map(str::to_owned);
    authority.issue_server(&names, 30, &out).unwrap();
    let path = out.join("collector.example.org.crt");
    assert!(matches!(verify(&ca, &path, NOW), Err(Error::InvalidCertificate(_))));
    assert_ne!(openssl(&ca, &path, "sslserver"), Some(false));
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca.join("ca.crt")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = rustls::client::WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .unwrap();
    let certificate = CertificateDer::from_pem_file(&path).unwrap();
    let verify = |name: &str| {
        use rustls::client::danger::ServerCertVerifier as _;
        let name = ServerName::try_from(name.to_owned()).unwrap();
        verifier.verify_server_cert(&certificate, &[], &name, &[], UnixTime::now())
    };
    assert!(names.iter().all(|name| verify(name).is_ok()));
    assert!(verify("elsewhere.example.org").is_err());
}

#[test]
fn nothing_is_replaced_and_keys_are_their_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (ca, out) = (folder.path().join("ca"), folder.path().join("out"));
    assert!(matches!(Authority::open(&ca), Err(PkiError::NoAuthority(_))));
    let authority = Authority::init(&ca, "Apus test").unwrap();
    assert!(matches!(Authority::open(&ca), Err(PkiError::Busy(_))));
    authority.issue_sensor("a", 1, &out).unwrap();
    assert!(matches!(authority.issue_sensor("a", 1, &out), Err(PkiError::Exists(_))));
    assert!(matches!(authority.issue_sensor("a/b", 1, &out), Err(PkiError::Name(_))));
    assert_eq!(authority.issued().unwrap().len(), 1, "what was not issued is not listed");
    drop(authority);
    assert!(matches!(Authority::init(&ca, "Apus test"), Err(PkiError::Exists(_))));
    for key in [ca.join("ca.key"), out.join("a.key")] {
        assert_eq!(fs::metadata(key).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let serials: Vec<String> = {
        let authority = Authority::open(&ca).unwrap();
        let issue = |number: u32| authority.issue_sensor(&number.to_string(), 1, &out).unwrap().serial;
        (0..3).map(issue).collect()
    };
    assert!(serials.iter().all(|serial| serial.len() == 32) && serials[0] != serials[1]);
}

#[test]
fn the_list_says_what_became_of_each() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::init(folder.path(), "Apus test").unwrap();
    let out = folder.path().join("out");
    authority.issue_sensor("tokyo-1", 30, &out).unwrap();
    authority.issue_sensor("osaka-1", 30, &out).unwrap();
    authority.revoke(&sensor("osaka-1")).unwrap();
    let mut output = Vec::new();
    list(&authority.issued().unwrap(), &mut output).unwrap();
    let text = String::from_utf8(output).unwrap();
    let line = |name: &str| text.lines().find(|line| line.contains(name)).unwrap().to_owned();
    assert!(line("tokyo-1").contains("holds") && line("osaka-1").contains("revoked"), "{text}");
    fs::write(folder.path().join("issued.jsonl"), "{}\n").unwrap();
    assert!(matches!(authority.issued(), Err(PkiError::Index { line: 1, .. })));
}

/// A crash, or a full disk, between the two files that a revocation is in.
#[test]
fn a_revocation_that_was_noted_is_in_the_next_list() {
    let folder = tempfile::tempdir().unwrap();
    let (ca, out) = (folder.path().join("ca"), folder.path().join("out"));
    let authority = Authority::init(&ca, "Apus test").unwrap();
    for sensor in ["tokyo-1", "osaka-1"] {
        authority.issue_sensor(sensor, 30, &out).unwrap();
    }
    let before = fs::read(ca.join("crl.pem")).unwrap();
    // The list cannot be written: a folder is in its way.
    fs::create_dir(ca.join("crl.pem.part")).unwrap();
    assert!(authority.revoke(&sensor("tokyo-1")).is_err());
    fs::remove_dir(ca.join("crl.pem.part")).unwrap();
    assert_eq!(fs::read(ca.join("crl.pem")).unwrap(), before);
    authority.revoke(&sensor("osaka-1")).unwrap();
    assert_eq!(verify(&ca, &out.join("tokyo-1.crt"), NOW), Err(CertificateError::Revoked.into()));
    // Or when it is asked for again.
    fs::write(ca.join("crl.pem"), &before).unwrap();
    assert_eq!(authority.revoke(&sensor("tokyo-1")).unwrap().len(), 1);
    assert_eq!(verify(&ca, &out.join("tokyo-1.crt"), NOW), Err(CertificateError::Revoked.into()));
}

#[test]
fn the_longest_name_has_files_and_what_was_not_written_can_be_issued_again() {
    let folder = tempfile::tempdir().unwrap();
    let (ca, out) = (folder.path().join("ca"), folder.path().join("out"));
    let authority = Authority::init(&ca, "Apus test").unwrap();
    let sensor = "東".repeat(64);
    // No key can be written: nothing is noted.
    fs::create_dir_all(out.join(format!("{}.key.part", file_name::escape(&sensor)))).unwrap();
    assert!(authority.issue_sensor(&sensor, 30, &out).is_err());
    assert_eq!(authority.issued().unwrap().len(), 0);
    fs::remove_dir(out.join(format!("{}.key.part", file_name::escape(&sensor)))).unwrap();
    // No certificate can be written: no key is left.
    fs::create_dir(out.join(format!("{}.crt.part", file_name::escape(&sensor)))).unwrap();
    assert!(authority.issue_sensor(&sensor, 30, &out).is_err());
    fs::remove_dir(out.join(format!("{}.crt.part", file_name::escape(&sensor)))).unwrap();
    authority.issue_sensor(&sensor, 30, &out).unwrap();
    assert_eq!(verify(&ca, &out.join(format!("{}.crt", file_name::escape(&sensor))), NOW), Ok(()));
}

#[test]
fn people_have_an_authority_of_their_own_and_are_revoked_by_name_or_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let (ca, out, again) = (folder.path().join("ca"), folder.path().join("out"), folder.path().join("again"));
    let authority = Authority::init(&ca, "Apus people").unwrap();
    authority.issue_server(&["127.0.0.1".into()], 30, &out).unwrap();
    authority.issue_person("mika", 30, &out).unwrap();
    authority.issue_person("kai", 30, &out).unwrap();
    let error = authority.issue_sensor("tokyo-1", 30, &out).unwrap_err();
    assert!(matches!(error, PkiError::Mixed { there: "person", wanted: "sensor" }), "{error}");
    let (mika, kai) = (out.join("mika.crt"), out.join("kai.crt"));
    assert!([&mika, &kai].into_iter().all(|certificate| verify(&ca, certificate, NOW) == Ok(())));
    drop(authority);

    let revoke = |which: Which| {
        let command = Command::Revoke { folder: Folder { dir: ca.clone() }, which };
        let mut output = Vec::new();
        run(&Arguments { command }, &mut output).map(|()| String::from_utf8(output).unwrap())
    };
    let none = || Which { sensor: None, person: None, serial: None, certificate: None };
    // A person is no sensor, whatever the name.
    let error = revoke(Which { sensor: Some("mika".into()), ..none() }).unwrap_err().to_string();
    assert!(error.contains("a sensor called \"mika\""), "{error}");
    let error = revoke(Which { certificate: Some(out.join("mika.key")), ..none() }).unwrap_err();
    assert!(error.to_string().contains("mika.key is no certificate"), "{error}");
    let told = revoke(Which { certificate: Some(mika.clone()), ..none() }).unwrap();
    assert!(told.starts_with("1 revoked") && told.contains("crl.pem"), "{told}");
    assert_eq!(verify(&ca, &mika, NOW), Err(CertificateError::Revoked.into()));
    assert_eq!(verify(&ca, &kai, NOW), Ok(()));
    Authority::open(&ca).unwrap().issue_person("kai", 30, &again).unwrap();
    let told = revoke(Which { person: Some("kai".into()), ..none() }).unwrap();
    assert!(told.starts_with("2 revoked"), "{told}");
    for certificate in [kai, again.join("kai.crt")] {
        assert_eq!(verify(&ca, &certificate, NOW), Err(CertificateError::Revoked.into()));
    }
}
