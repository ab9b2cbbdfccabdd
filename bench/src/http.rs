//! What the pages of agent and collector are asked with.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use anyhow::{Context as _, Result, ensure};

/// Asks for a path: the whole answer, its head included.
pub fn get(address: SocketAddr, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address).with_context(|| format!("nobody is at {address}"))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text).with_context(|| format!("the answer to {path}"))?;
    // Who speaks no HTTP may say anything, and much of it.
    let status: String = text.lines().next().unwrap_or_default().chars().take(100).collect();
    ensure!(text.starts_with("HTTP/1.1 200"), "to {path}, {address} answers {status:?}");
    Ok(text)
}
