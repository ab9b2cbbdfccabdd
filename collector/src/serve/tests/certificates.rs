//! Who is let in.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::version::{TLS12, TLS13};

use super::lab::{Lab, request};
use crate::pki::{Authority, Kind, Meant};
use crate::testing::Sample;

/// A certificate of the lab's authority that its `pki issue` does not issue.
fn odd(lab: &Lab, change: impl FnOnce(&mut CertificateParams)) -> super::lab::Client {
    let ca = lab.folder.path().join("ca");
    let read = |name: &str| fs::read_to_string(ca.join(name)).unwrap();
    let issuer =
        Issuer::from_ca_cert_pem(&read("ca.crt"), KeyPair::from_pem(&read("ca.key")).unwrap()).unwrap();
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, "tokyo-1");
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    change(&mut parameters);
    let key = KeyPair::generate().unwrap();
    let certificate = parameters.signed_by(&key, &issuer).unwrap();
    let (certificate_path, key_path) = (ca.join("odd.crt"), ca.join("odd.key"));
    fs::write(&certificate_path, certificate.pem()).unwrap();
    fs::write(&key_path, key.serialize_pem()).unwrap();
    lab.client(Some((&certificate_path, &key_path)), &TLS13)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_wrong_certificate_is_refused_for_its_reason_and_the_right_one_is_not() {
    let lab = Lab::new().await;
    let elsewhere = lab.folder.path().join("elsewhere");
    let other = Authority::init(&elsewhere, "Another").unwrap();
    other.issue_sensor("tokyo-1", 30, &elsewhere).unwrap();
    let foreign = (elsewhere.join("tokyo-1.crt"), elsewhere.join("tokyo-1.key"));
    let own = lab.folder.path().join("own");
    let server = (own.join("127.0.0.1.crt"), own.join("127.0.0.1.key"));
    fn pair(files: &(std::path::PathBuf, std::path::PathBuf)) -> Option<(&Path, &Path)> {
        Some((&files.0, &files.1))
    }
    let cases = [
        ("no_certificate", lab.client(None, &TLS13)),
        ("unknown_issuer", lab.client(pair(&foreign), &TLS13)),
        ("purpose", lab.client(pair(&server), &TLS13)),
        ("expired", odd(&lab, |parameters| parameters.not_after = date_time_ymd(2020, 1, 1))),
        ("not_yet_valid", odd(&lab, |parameters| parameters.not_before = date_time_ymd(4000, 1, 1))),
        ("name", odd(&lab, |parameters| parameters.distinguished_name.push(DnType::CommonName, "a/b"))),
        ("name", odd(&lab, |parameters| parameters.distinguished_name = rcgen::DistinguishedName::new())),
        ("old_tls", lab.client(None, &TLS12)),
    ];
    let mut names = 0;
    for (reason, client) in cases {
        assert!(!client.is_let_in().await, "{reason}");
        names += u64::from(reason == "name");
        lab.until_failed(reason, if reason == "name" { names } else { 1 }).await;
    }
    let answered = lab.sensor("tokyo-1").post(&Sample::new("tokyo-1", 1).bytes()).await.unwrap();
    assert_eq!(answered.short(), (200, "stored"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_revoked_is_put_out_and_others_stay() {
    let lab = Lab::new().await;
    let (tokyo, osaka) = (lab.sensor("tokyo-1"), lab.sensor("osaka-1"));
    let mut open = tokyo.connect().await.unwrap();
    let health = "GET /v1/health HTTP/1.1\r\nHost: c\r\n\r\n";
    assert_eq!(request(&mut open, health, b"").await.unwrap().status, 200);
    lab.authority.revoke(&Meant::All(Kind::Sensor, "tokyo-1".into())).unwrap();
    lab.server.look_at_files();
    // The connection that is open is ended as well.
    while request(&mut open, health, b"").await.is_ok() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(!tokyo.is_let_in().await);
    lab.until_failed("revoked", 1).await;
    assert!(osaka.is_let_in().await);
    assert!(lab.sensor("tokyo-1").is_let_in().await, "with a new certificate");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_collectors_certificate_is_renewed_while_it_serves() {
    let lab = Lab::new().await;
    let client = lab.sensor("tokyo-1");
    let (own, fresh) = (lab.folder.path().join("own"), lab.folder.path().join("fresh"));
    lab.authority.issue_server(&["127.0.0.1".into()], 30, &fresh).unwrap();
    let shown = async || {
        let stream = client.connect().await.unwrap();
        stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
    };
    let before = shown().await;
    // In between the key is not the certificate's: what was read before stays in force.
    fs::rename(fresh.join("127.0.0.1.key"), own.join("127.0.0.1.key")).unwrap();
    lab.server.look_at_files();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(shown().await, before);
    fs::rename(fresh.join("127.0.0.1.crt"), own.join("127.0.0.1.crt")).unwrap();
    lab.server.look_at_files();
    while shown().await == before {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(client.is_let_in().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn sensors_that_are_not_on_the_list_are_told_so() {
    let lab = Lab::with(|settings| settings.sensors = Some(vec!["tokyo-1".into()])).await;
    let batch = Sample::new("osaka-1", 1).bytes();
    assert_eq!(lab.sensor("osaka-1").post(&batch).await.unwrap().short(), (403, "forbidden"));
    let batch = Sample::new("tokyo-1", 1).bytes();
    assert_eq!(lab.sensor("tokyo-1").post(&batch).await.unwrap().short(), (200, "stored"));
}
