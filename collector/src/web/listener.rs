//! Connections of those who look: few, and never in the way of those who ship.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use super::guard::{Certified, Visitor};
use crate::serve::peer::sensor_of;

/// Connections at once: a browser has six at most.
const CONNECTIONS: usize = 256;
const HANDSHAKE: Duration = Duration::from_secs(10);
/// To a request's header, from the one before: beyond what the page's script waits between two.
const IDLE: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(3600);
/// For answers that are under way when it ends.
const LAST_MOMENT: Duration = Duration::from_millis(300);
const MOST_HEADER: usize = 16 << 10;

/// What a connection is served with.
#[derive(Clone)]
struct Surroundings {
    router: Router,
    trusted: Option<watch::Receiver<Arc<ServerConfig>>>,
    stopping: watch::Receiver<bool>,
}

/// Accepts connections until it is told to end.
pub async fn accept(
    listener: TcpListener,
    router: Router,
    trusted: Option<watch::Receiver<Arc<ServerConfig>>>,
    mut stopping: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let surroundings = Surroundings { router, trusted, stopping: stopping.clone() };
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.changed() => return,
        };
        let Ok((stream, address)) = accepted else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let surroundings = surroundings.clone();
        tokio::spawn(async move {
            if let Ok(Err(error)) = timeout(LONGEST, connection(stream, address, surroundings)).await {
                log::debug!("the page, {address}: {error}");
            }
            drop(place);
        });
    }
}

async fn connection(stream: TcpStream, address: SocketAddr, surroundings: Surroundings) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let Surroundings { router, trusted, stopping } = surroundings;
    let Some(trusted) = trusted else {
        return requests(stream, address, None, router, stopping).await;
    };
    let config = Arc::clone(&trusted.borrow());
    let stream = timeout(HANDSHAKE, TlsAcceptor::from(config).accept(stream)).await??;
    let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    // A certificate without a name is a person's all the same: the CA is for people.
    let certified = certificate.map(|certificate| Certified(sensor_of(certificate).unwrap_or_default()));
    requests(stream, address, certified, router, stopping).await
}

async fn requests<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    address: SocketAddr,
    certified: Option<Certified>,
    router: Router,
    mut stopping: watch::Receiver<bool>,
) -> io::Result<()> {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Visitor(address));
        if let Some(certified) = &certified {
            request.extensions_mut().insert(certified.clone());
        }
        let router = router.clone();
        async move {
            Ok::<_, Infallible>(
                router.oneshot(request.map(Body::new)).await.unwrap_or_else(|never| match never {}),
            )
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .max_buf_size(MOST_HEADER)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        _ = stopping.changed() => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            match timeout(LAST_MOMENT, connection).await {
                Ok(ended) => ended,
                Err(_) => return Ok(()),
            }
        }
    };
    ended.map_err(io::Error::other)
}
