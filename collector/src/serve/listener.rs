//! Listening.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::socket::{setsockopt, sockopt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::connection::{self, Surroundings};
use super::connections::Connections;
use super::handshake::Failure;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;
/// Seconds without a byte after which a connection is asked whether it is there.
const KEEPALIVE_AFTER: u32 = 60;
const KEEPALIVE_EVERY: u32 = 15;
const KEEPALIVE_TIMES: u32 = 4;

/// Listens on an address. One of IPv6 is of IPv6 alone, so that both can be listened on.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if address.is_ipv6() {
        setsockopt(&socket, sockopt::Ipv6V6Only, &true)?;
    }
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Accepts connections until it is told to end.
pub async fn accept(listener: TcpListener, connections: Arc<Connections>, surroundings: Surroundings) {
    let mut stopping = surroundings.stopping.clone();
    let counters = Arc::clone(&surroundings.shared.counters);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.changed() => return,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                surroundings.shared.quiet.warn("accept", || format!("cannot accept a connection: {error}"));
                // Where open files are used up, it would fail again at once.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        counters.connections.add(1);
        let Some(ticket) = connections.admit(address.ip()) else {
            connection::failed(&surroundings.shared, address, Failure::Full, None, "");
            continue;
        };
        if let Err(error) = prepare(&stream) {
            log::debug!("{address}: {error}");
        }
        tokio::spawn(connection::serve(stream, address, ticket, surroundings.clone()));
    }
}

fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    setsockopt(stream, sockopt::KeepAlive, &true)?;
    setsockopt(stream, sockopt::TcpKeepIdle, &KEEPALIVE_AFTER)?;
    setsockopt(stream, sockopt::TcpKeepInterval, &KEEPALIVE_EVERY)?;
    setsockopt(stream, sockopt::TcpKeepCount, &KEEPALIVE_TIMES)?;
    Ok(())
}
