//! The page at an address, and who is let in there by TLS.

use std::path::Path;
use std::sync::Arc;

use super::store;
use crate::web::{PageError, Server, users};

/// A connection with a page over TLS, of who shows a certificate of a CA, or none.
async fn connected(
    server: &Server,
    roots: &Path,
    identity: Option<(&Path, &Path)>,
) -> Option<tokio_rustls::client::TlsStream<tokio::net::TcpStream>> {
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
    let mut trusted = rustls::RootCertStore::empty();
    trusted.add(CertificateDer::from_pem_file(roots).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(trusted);
    let config = match identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let certificate = CertificateDer::from_pem_file(certificate).unwrap();
            builder
                .with_client_auth_cert(vec![certificate], PrivateKeyDer::from_pem_file(key).unwrap())
                .unwrap()
        }
    };
    let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let name = ServerName::from(server.address.ip());
    tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await.ok()
}

/// The first line of what it answers.
async fn asked_over_tls(server: &Server, roots: &Path, identity: Option<(&Path, &Path)>) -> Option<String> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = connected(server, roots, identity).await?;
    let request = b"GET /csv/health/last-intervals HTTP/1.1\r\nHost: apus\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    String::from_utf8(answer).ok()?.lines().next().map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_of_peoples_ca_let_in_and_no_others() {
    use crate::config::{Options, PageAddress};
    use crate::pki::Authority;
    let folder = tempfile::tempdir().unwrap();
    let at = |path: &str| folder.path().join(path);
    let (sensors, people) = ("sensors", "people");
    for name in [sensors, people] {
        let authority = Authority::init(&at(name), name).unwrap();
        authority.issue_server(&["127.0.0.1".into()], 30, &at(&format!("{name}-server"))).unwrap();
        let out = at(&format!("{name}-mika"));
        if name == people {
            authority.issue_person("mika", 30, &out)
        } else {
            authority.issue_sensor("mika", 30, &out)
        }
        .unwrap();
    }
    std::fs::create_dir(at("data")).unwrap();
    let _store = store(&at("data/store.sqlite"));
    users::add(&at("users"), "kai", "battery staple").unwrap();
    for (users, without) in [(None, None), (Some(at("users")), Some("HTTP/1.1 401 Unauthorized"))] {
        let options = Options {
            data: Some(at("data")),
            page: Some(PageAddress::At("127.0.0.1:0".parse().unwrap())),
            page_client_ca: Some(at("people/ca.crt")),
            page_users: users,
            certificate: Some(at("sensors-server/127.0.0.1.crt")),
            key: Some(at("sensors-server/127.0.0.1.key")),
            client_ca: Some(at("sensors/ca.crt")),
            ..Options::default()
        };
        let server = Server::start(&options.resolve().unwrap(), Arc::default()).unwrap().unwrap();
        assert!(server.url().starts_with("https://127.0.0.1:"));
        let roots = at("sensors/ca.crt");
        let identity = |ca: &str| (at(&format!("{ca}-mika/mika.crt")), at(&format!("{ca}-mika/mika.key")));
        let (certificate, key) = identity(people);
        let found = asked_over_tls(&server, &roots, Some((&certificate, &key))).await;
        assert_eq!(found.as_deref(), Some("HTTP/1.1 200 OK"));
        assert_eq!(asked_over_tls(&server, &roots, None).await.as_deref(), without);
        // A sensor is nobody here.
        let (certificate, key) = identity(sensors);
        assert_eq!(asked_over_tls(&server, &roots, Some((&certificate, &key))).await, None);
        ends_with_what_it_trusted(&server, &roots, identity(people), &at("people/ca.crt")).await;
        server.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_revoked_is_put_out_and_others_stay() {
    use tokio::io::AsyncReadExt as _;

    use crate::config::{Options, PageAddress};
    use crate::pki::{Authority, Kind, Meant};
    let folder = tempfile::tempdir().unwrap();
    let at = |path: &str| folder.path().join(path);
    let authority = Authority::init(&at("ca"), "people").unwrap();
    authority.issue_server(&["127.0.0.1".into()], 30, &at("own")).unwrap();
    for name in ["mika", "kai"] {
        authority.issue_person(name, 30, &at("out")).unwrap();
    }
    std::fs::create_dir(at("data")).unwrap();
    let _store = store(&at("data/store.sqlite"));
    let options = |crl: &str| Options {
        data: Some(at("data")),
        page: Some(PageAddress::At("127.0.0.1:0".parse().unwrap())),
        page_client_ca: Some(at("ca/ca.crt")),
        page_crl: Some(at(crl)),
        certificate: Some(at("own/127.0.0.1.crt")),
        key: Some(at("own/127.0.0.1.key")),
        client_ca: Some(at("ca/ca.crt")),
        ..Options::default()
    };
    let counters: Arc<crate::web::Counters> = Arc::default();
    let settings = options("ca/crl.pem").resolve().unwrap();
    let server = Server::start(&settings, Arc::clone(&counters)).unwrap().unwrap();
    let (mika, kai) = ((at("out/mika.crt"), at("out/mika.key")), (at("out/kai.crt"), at("out/kai.key")));
    let roots = at("ca/ca.crt");
    let asked = async |(certificate, key): &(std::path::PathBuf, std::path::PathBuf)| {
        asked_over_tls(&server, &roots, Some((certificate, key))).await
    };
    assert_eq!(asked(&mika).await.as_deref(), Some("HTTP/1.1 200 OK"));
    let mut open = connected(&server, &roots, Some((&mika.0, &mika.1))).await.unwrap();
    authority.revoke(&Meant::All(Kind::Person, "mika".into())).unwrap();
    server.look_at_files();
    // The connection that is open is ended as well, well before it would for its idleness.
    let ended = async { while open.read(&mut [0; 64]).await.is_ok_and(|read| read > 0) {} };
    tokio::time::timeout(std::time::Duration::from_secs(4), ended).await.unwrap();
    assert_eq!(asked(&mika).await, None);
    assert_eq!(asked(&kai).await.as_deref(), Some("HTTP/1.1 200 OK"));
    let mut families = crate::exposition::Families::default();
    counters.write(&mut families);
    let text = families.text();
    assert!(text.contains("page_handshakes_failed_total{reason=\"revoked\"} 1\n"), "{text}");
    assert!(text.contains("page_requests_total{kind=\"csv\",status=\"200\"} 2\n"), "{text}");
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_whose_list_is_none_is_closed_until_it_is_one() {
    use crate::config::{Options, PageAddress};
    let folder = tempfile::tempdir().unwrap();
    let at = |path: &str| folder.path().join(path);
    let authority = crate::pki::Authority::init(&at("ca"), "people").unwrap();
    authority.issue_server(&["127.0.0.1".into()], 30, &at("own")).unwrap();
    authority.issue_person("mika", 30, &at("out")).unwrap();
    std::fs::create_dir(at("data")).unwrap();
    let _store = store(&at("data/store.sqlite"));
    std::fs::write(at("crl.pem"), "torn").unwrap();
    let options = Options {
        data: Some(at("data")),
        page: Some(PageAddress::At("127.0.0.1:0".parse().unwrap())),
        page_client_ca: Some(at("ca/ca.crt")),
        page_crl: Some(at("crl.pem")),
        certificate: Some(at("own/127.0.0.1.crt")),
        key: Some(at("own/127.0.0.1.key")),
        client_ca: Some(at("ca/ca.crt")),
        ..Options::default()
    };
    let server = Server::start(&options.resolve().unwrap(), Arc::default()).unwrap().unwrap();
    assert!(!server.is_open());
    let (roots, certificate, key) = (at("ca/ca.crt"), at("out/mika.crt"), at("out/mika.key"));
    assert_eq!(asked_over_tls(&server, &roots, Some((&certificate, &key))).await, None);
    std::fs::copy(at("ca/crl.pem"), at("crl.pem")).unwrap();
    server.look_at_files();
    let mut found = None;
    for _ in 0..100 {
        found = asked_over_tls(&server, &roots, Some((&certificate, &key))).await;
        if found.is_some() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(found.as_deref(), Some("HTTP/1.1 200 OK"));
    server.stop();
}

/// Whoever is connected has to come again once another CA, or other certificates of it, are trusted.
async fn ends_with_what_it_trusted(
    server: &Server,
    roots: &Path,
    (certificate, key): (std::path::PathBuf, std::path::PathBuf),
    trusted: &Path,
) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = connected(server, roots, Some((&certificate, &key))).await.unwrap();
    stream.write_all(b"GET /assets/icon.svg HTTP/1.1\r\nHost: apus\r\n\r\n").await.unwrap();
    let mut answer = vec![0; 1 << 14];
    assert!(stream.read(&mut answer).await.unwrap() > 0);
    let ended = async { while stream.read(&mut answer).await.is_ok_and(|read| read > 0) {} };
    let changing = async {
        loop {
            std::fs::write(trusted, std::fs::read(trusted).unwrap()).unwrap();
            server.look_at_files();
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    // Well before it would for its idleness.
    let ended = tokio::time::timeout(std::time::Duration::from_secs(20), ended);
    tokio::select! {
        ended = ended => ended.unwrap(),
        () = changing => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_is_taken_is_a_fault_where_it_was_asked_for() {
    use crate::config::Options;
    let folder = tempfile::tempdir().unwrap();
    let _store = store(&folder.path().join("store.sqlite"));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let options = Options { data: Some(folder.path().into()), ..Options::default() };
    let mut settings = options.resolve().unwrap();
    let page = settings.page.as_mut().unwrap();
    page.listen = taken.local_addr().unwrap();
    assert!(Server::start(&settings, Arc::default()).unwrap().is_none());
    settings.page.as_mut().unwrap().is_asked_for = true;
    assert!(matches!(Server::start(&settings, Arc::default()), Err(PageError::Listen { .. })));
}
