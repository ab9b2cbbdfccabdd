//! Many connections, and slow ones.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::Lab;
use crate::web::guard::Guard;
use crate::web::listener::accept;
use crate::web::users::{self, Users};

async fn served(lab: &Lab) -> (std::net::SocketAddr, watch::Sender<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopping) = watch::channel(false);
    tokio::spawn(accept(listener, lab.router.clone(), None, Arc::default(), stopping));
    (address, stop)
}

async fn status(stream: &mut TcpStream) -> String {
    let request = b"GET /assets/page.css HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_ask_nothing_keep_nobody_out() {
    let lab = Lab::open();
    let (address, _stop) = served(&lab).await;
    let mut idle = Vec::new();
    for _ in 0..300 {
        idle.push(TcpStream::connect(address).await.unwrap());
    }
    let mut stream = TcpStream::connect(address).await.unwrap();
    assert_eq!(status(&mut stream).await, "HTTP/1.1 200 OK");
    // The oldest were cut for those that came.
    let cut = tokio::time::timeout(Duration::from_secs(60), idle[0].read(&mut [0])).await.unwrap();
    assert!(matches!(cut, Ok(0) | Err(_)), "{cut:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_not_let_in_does_not_stay() {
    let guard = |folder: &std::path::Path| {
        users::add(&folder.join("users"), "mika", "correct horse").unwrap();
        Guard::of_users(Users::new(folder.join("users")))
    };
    let lab = Lab::new(guard, false);
    let (address, _stop) = served(&lab).await;
    let mut asked = TcpStream::connect(address).await.unwrap();
    asked.write_all(b"GET /login HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    // Its form never comes to an end.
    let mut slow = TcpStream::connect(address).await.unwrap();
    let head = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nname=mika";
    slow.write_all(head).await.unwrap();
    for (stream, expected) in [(&mut asked, "HTTP/1.1 200 OK"), (&mut slow, "HTTP/1.1 408 Request Timeout")] {
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        tokio::time::timeout(Duration::from_secs(25), read).await.unwrap().unwrap();
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with(expected), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_pushed_out_before_a_certificate_was_shown_is_counted() {
    use crate::serve::tls::{Files, Whose, load};
    let lab = Lab::open();
    let folder = tempfile::tempdir().unwrap();
    let at = |path: &str| folder.path().join(path);
    let authority = crate::pki::Authority::init(&at("ca"), "people").unwrap();
    authority.issue_server(&["127.0.0.1".into()], 30, &at("own")).unwrap();
    let (certificate, key) = (at("own/127.0.0.1.crt"), at("own/127.0.0.1.key"));
    let loaded = load(&Files { whose: Whose::People, certificate, key, clients: None }).unwrap();
    let (_trust, trusted) = watch::channel(loaded.config);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (_stop, stopping) = watch::channel(false);
    let counters: Arc<crate::web::Counters> = Arc::default();
    tokio::spawn(accept(listener, lab.router.clone(), Some(trusted), Arc::clone(&counters), stopping));
    // Of this host, 128 at once.
    let mut silent = Vec::new();
    for _ in 0..128 + 5 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let pushed_out = async {
        loop {
            let mut families = crate::exposition::Families::default();
            counters.write(&mut families);
            if families.text().contains("page_handshakes_failed_total{reason=\"pushed_out\"} 5\n") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(9), pushed_out).await.unwrap();
}
