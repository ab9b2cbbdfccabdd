//! Through a proxy.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::collector::{Collector, Step};
use super::*;

/// What kind of proxy.
#[derive(Clone, Copy)]
enum Kind {
    Http,
    Socks,
}

/// Starts a proxy; gives its port, and counts those whom it has connected.
fn start(kind: Kind) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let connected = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connected);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let count = Arc::clone(&count);
            std::thread::spawn(move || {
                // How a connection ends is no matter here.
                let _ended = serve(stream?, kind, &count);
                io::Result::Ok(())
            });
        }
    });
    (port, connected)
}

fn serve(stream: TcpStream, kind: Kind, count: &AtomicUsize) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let target = match kind {
        Kind::Http => http(&mut reader, &stream)?,
        Kind::Socks => socks(&mut reader, &stream)?,
    };
    let target = TcpStream::connect(target)?;
    count.fetch_add(1, Ordering::SeqCst);
    match kind {
        Kind::Http => (&stream).write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?,
        Kind::Socks => (&stream).write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?,
    }
    let (mut to, from) = (target.try_clone()?, target);
    let back = std::thread::spawn(move || {
        let _ended = io::copy(&mut &from, &mut &stream);
        stream.shutdown(Shutdown::Both)
    });
    io::copy(&mut reader, &mut to)?;
    to.shutdown(Shutdown::Both)?;
    back.join().unwrap()
}

fn http(reader: &mut BufReader<TcpStream>, _: &TcpStream) -> io::Result<(String, u16)> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        lines.push(line);
    }
    let target = lines[0].strip_prefix("CONNECT ").unwrap().split(' ').next().unwrap();
    let (host, port) = target.rsplit_once(':').unwrap();
    assert!(lines.iter().any(|line| line.to_ascii_lowercase().starts_with("proxy-authorization: basic ")));
    Ok((host.to_owned(), port.parse().unwrap()))
}

/// SOCKS version 5 without authentication, by name or IPv4 address (RFC 1928).
fn socks(reader: &mut BufReader<TcpStream>, mut writer: &TcpStream) -> io::Result<(String, u16)> {
    let mut greeting = [0; 2];
    reader.read_exact(&mut greeting)?;
    io::copy(&mut reader.by_ref().take(greeting[1].into()), &mut io::sink())?;
    writer.write_all(&[5, 0])?;
    let mut request = [0; 4];
    reader.read_exact(&mut request)?;
    let mut host = match request[3] {
        1 => vec![0; 4],
        4 => vec![0; 16],
        _ => {
            let mut length = [0];
            reader.read_exact(&mut length)?;
            vec![0; length[0].into()]
        }
    };
    reader.read_exact(&mut host)?;
    let mut port = [0; 2];
    reader.read_exact(&mut port)?;
    let host = match request[3] {
        1 => std::net::Ipv4Addr::from(<[u8; 4]>::try_from(host).unwrap()).to_string(),
        4 => std::net::Ipv6Addr::from(<[u8; 16]>::try_from(host).unwrap()).to_string(),
        _ => String::from_utf8(host).unwrap(),
    };
    Ok((host, u16::from_be_bytes(port)))
}

fn ships_through(kind: Kind, proxy: impl FnOnce(u16) -> String) {
    let bed = Bed::new(3);
    let collector = Collector::start(&bed.authority, &bed.spool, [Step::Store]);
    let (port, connected) = start(kind);
    let mut settings = bed.settings(&[&format!("https://127.0.0.1:{}", collector.address.port())]);
    settings.proxy = proxy_url(&proxy(port));
    bed.ship_all(&settings);
    assert_eq!(connected.load(Ordering::SeqCst), collector.connections());
    assert!(collector.connections() > 0);
}

#[test]
fn an_http_proxy_connects_and_sees_nothing() {
    ships_through(Kind::Http, |port| format!("http://user:secret@127.0.0.1:{port}"));
}

#[test]
fn a_socks_proxy() {
    ships_through(Kind::Socks, |port| format!("socks5://127.0.0.1:{port}"));
}
