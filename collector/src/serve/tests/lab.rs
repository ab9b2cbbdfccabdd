//! A collector with an authority of its own, and clients for it.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::config::{Options, Settings, TlsFiles};
use crate::pki::Authority;
use crate::serve::Server;
use crate::testing::{Known, Memory};

/// Longer than anything here takes.
pub const LONG: Duration = Duration::from_secs(30);

pub struct Lab {
    pub folder: tempfile::TempDir,
    pub authority: Authority,
    pub store: Arc<Memory>,
    pub server: Server,
}

impl Lab {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With other settings.
    pub async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::init(&folder.path().join("ca"), "Apus test").unwrap();
        let own = folder.path().join("own");
        authority.issue_server(&["127.0.0.1".into()], 30, &own).unwrap();
        let mut settings = Options::default().resolve().unwrap();
        settings.listen = vec!["127.0.0.1:0".parse().unwrap()];
        settings.data = folder.path().join("data");
        settings.aside.folder = folder.path().join("aside");
        settings.tls = Some(TlsFiles {
            certificate: own.join("127.0.0.1.crt"),
            key: own.join("127.0.0.1.key"),
            client_ca: folder.path().join("ca/ca.crt"),
            crl: Some(folder.path().join("ca/crl.pem")),
        });
        change(&mut settings);
        let store = Arc::new(Memory::default());
        let known = Arc::new(Known::new(Arc::clone(&store)));
        let server = Server::start(settings, Arc::clone(&store) as _, known, Arc::default()).await.unwrap();
        Self { folder, authority, store, server }
    }

    pub fn address(&self) -> SocketAddr {
        self.server.addresses()[0]
    }

    pub fn ca(&self) -> PathBuf {
        self.folder.path().join("ca/ca.crt")
    }

    /// A client with a new certificate of this sensor.
    pub fn sensor(&self, name: &str) -> Client {
        let out = tempfile::tempdir_in(self.folder.path()).unwrap().keep();
        self.authority.issue_sensor(name, 30, &out).unwrap();
        self.client(Some((&out.join(format!("{name}.crt")), &out.join(format!("{name}.key")))), &TLS13)
    }

    /// A client with these files.
    pub fn client(
        &self,
        files: Option<(&Path, &Path)>,
        version: &'static SupportedProtocolVersion,
    ) -> Client {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.ca()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots);
        let config = match files {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => builder
                .with_client_auth_cert(
                    vec![CertificateDer::from_pem_file(certificate).unwrap()],
                    PrivateKeyDer::from_pem_file(key).unwrap(),
                )
                .unwrap(),
        };
        Client { address: self.address(), config: Arc::new(config) }
    }

    /// Handshakes that failed for this reason, once there are so many.
    pub async fn until_failed(&self, reason: &str, count: u64) {
        self.until(|| self.server.counters().handshakes_failed(reason) >= count, reason).await;
    }

    pub async fn until(&self, condition: impl Fn() -> bool, what: &str) {
        let waiting = async {
            while !condition() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let waited = tokio::time::timeout(LONG, waiting).await;
        assert!(waited.is_ok(), "{what}:\n{}", self.server.counters().text());
    }

    /// Names of the files kept aside.
    pub fn aside(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path().join("aside")).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

#[derive(Clone)]
pub struct Client {
    address: SocketAddr,
    config: Arc<ClientConfig>,
}

/// An answer: status, body, and the header Retry-After.
#[derive(Debug)]
pub struct Answered {
    pub status: u16,
    pub body: Value,
    pub retry_after: Option<u64>,
}

impl Answered {
    /// Status and the word that goes with it.
    pub fn short(&self) -> (u16, &str) {
        (self.status, self.body["word"].as_str().or(self.body["answer"].as_str()).unwrap_or(""))
    }
}

impl Client {
    pub async fn connect(&self) -> io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(self.address).await?;
        let name = ServerName::from(self.address.ip());
        TlsConnector::from(Arc::clone(&self.config)).connect(name, stream).await
    }

    /// Sends a batch over a connection of its own.
    pub async fn post(&self, bytes: &[u8]) -> io::Result<Answered> {
        post(&mut self.connect().await?, bytes).await
    }

    /// Whether a connection can be made and used.
    pub async fn is_let_in(&self) -> bool {
        let asked = async {
            let mut stream = self.connect().await?;
            request(&mut stream, "GET /v1/health HTTP/1.1\r\nHost: c\r\n\r\n", b"").await
        };
        matches!(asked.await, Ok(Answered { status: 200, .. }))
    }
}

/// The header of a request with a batch of this length.
pub fn head(length: usize) -> String {
    format!(
        "POST /v1/batches HTTP/1.1\r\nHost: c\r\nContent-Type: {}\r\nContent-Length: {length}\r\n\r\n",
        wire::CONTENT_TYPE
    )
}

pub async fn post(stream: &mut TlsStream<TcpStream>, bytes: &[u8]) -> io::Result<Answered> {
    request(stream, &head(bytes.len()), bytes).await
}

pub async fn request(stream: &mut TlsStream<TcpStream>, head: &str, bytes: &[u8]) -> io::Result<Answered> {
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(bytes).await?;
    stream.flush().await?;
    answer(stream).await
}

/// Reads an answer.
pub async fn answer(stream: &mut TlsStream<TcpStream>) -> io::Result<Answered> {
    let mut read = Vec::new();
    loop {
        if let Some(answered) = parse(&read) {
            return Ok(answered);
        }
        let mut part = [0; 4096];
        let length = tokio::time::timeout(LONG, stream.read(&mut part)).await??;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        read.extend_from_slice(&part[..length]);
    }
}

fn parse(read: &[u8]) -> Option<Answered> {
    let text = std::str::from_utf8(read).unwrap();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    };
    let length: usize = header("content-length")?.parse().unwrap();
    if body.len() < length {
        return None;
    }
    Some(Answered {
        status: head.split(' ').nth(1)?.parse().unwrap(),
        body: serde_json::from_str(body).unwrap_or(Value::Null),
        retry_after: header("retry-after").map(|value| value.parse().unwrap()),
    })
}
