//! Connections of those who look: few, and never in the way of those who ship.

use std::cell::RefCell;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

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
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use super::connections::{Connections, Ticket};
use super::counters::Counters;
use super::guard::{Certified, Visitor};
use crate::logs::Quiet;
use crate::serve::peer::sensor_of;
use crate::serve::{Failure, REFUSED, network};

const HANDSHAKE: Duration = Duration::from_secs(10);
/// To a request's header, from the one before: beyond what the page's script waits between two.
const IDLE: Duration = Duration::from_secs(30);
/// The same as long as none of a connection's requests was let in; browsers connect anew where they have to.
const IDLE_OUTSIDE: Duration = Duration::from_secs(5);
/// Between two looks at how long it has been idle.
const LOOK: Duration = Duration::from_secs(1);
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
    counters: Arc<Counters>,
    quiet: Arc<Quiet>,
}

/// Accepts connections until it is told to end.
pub async fn accept(
    listener: TcpListener,
    router: Router,
    trusted: Option<watch::Receiver<Arc<ServerConfig>>>,
    counters: Arc<Counters>,
    mut stopping: watch::Receiver<bool>,
) {
    let connections = Arc::new(Connections::new(Arc::clone(&counters)));
    let quiet = Arc::default();
    let surroundings = Surroundings { router, trusted, stopping: stopping.clone(), counters, quiet };
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.changed() => return,
        };
        let Ok((stream, address)) = accepted else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let ticket = connections.admit(address.ip());
        let surroundings = surroundings.clone();
        tokio::spawn(async move {
            let is_in_handshake = AtomicBool::new(surroundings.trusted.is_some());
            let counters = Arc::clone(&surroundings.counters);
            let connection = connection(stream, address, &ticket, surroundings, &is_in_handshake);
            tokio::select! {
                served = timeout(LONGEST, connection) => {
                    if let Ok(Err(error)) = served {
                        log::debug!("the page, {address}: {error}");
                    }
                }
                () = ticket.pushed_out() => {
                    if is_in_handshake.load(Ordering::Relaxed) {
                        counters.handshake_failed(Failure::PushedOut);
                    }
                    log::debug!("the page, {address}: another took its place");
                }
            }
        });
    }
}

async fn connection(
    stream: TcpStream,
    address: SocketAddr,
    ticket: &Arc<Ticket>,
    surroundings: Surroundings,
    is_in_handshake: &AtomicBool,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let Surroundings { router, trusted, stopping, counters, quiet } = surroundings;
    let mut whose = Whose { address, certified: None, ticket: Arc::clone(ticket) };
    let Some(mut trusted) = trusted else {
        // Without TLS there is nothing that changes what is trusted.
        return requests(stream, whose, router, std::future::pending(), stopping).await;
    };
    let config = Arc::clone(&trusted.borrow_and_update());
    let handshake = REFUSED.scope(RefCell::default(), async {
        let shaken = TlsAcceptor::from(config).accept(stream).await;
        shaken.map_err(|error| (Failure::of(&error), REFUSED.with(RefCell::take), error))
    });
    let late = || (Failure::Timeout, None, io::ErrorKind::TimedOut.into());
    let shaken = timeout(HANDSHAKE, handshake).await.unwrap_or_else(|_| Err(late()));
    is_in_handshake.store(false, Ordering::Relaxed);
    let stream = match shaken {
        Ok(stream) => stream,
        Err((failure, name, error)) => {
            counters.handshake_failed(failure);
            // Browsers that do not know the collector's CA, and whoever else passes by, are no operator's matter.
            if failure.is_of_certificate() {
                let line =
                    || format!("the page: {}", failure.line(address, name.as_deref(), &error.to_string()));
                quiet.warn(&network(address.ip()).to_string(), line);
            }
            return Err(error);
        }
    };
    let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    // A certificate without a name is a person's all the same: the CA is for people.
    whose.certified = certificate.map(|certificate| Certified(sensor_of(certificate).unwrap_or_default()));
    let changed = async move {
        if trusted.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    requests(stream, whose, router, changed, stopping).await
}

/// Whose requests a connection's are.
struct Whose {
    address: SocketAddr,
    certified: Option<Certified>,
    ticket: Arc<Ticket>,
}

/// Requests that are being answered, and since when there are that many.
struct UnderWay(Mutex<(usize, Instant)>);

impl UnderWay {
    fn change(&self, change: isize) {
        let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *under_way = (under_way.0.saturating_add_signed(change), Instant::now());
    }

    /// For how long nothing has been asked.
    fn idle_for(&self) -> Option<Duration> {
        let (requests, since) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (requests == 0).then(|| since.elapsed())
    }
}

/// Answers requests until the other end has no more, what is trusted has changed, or it is told to end.
async fn requests<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    whose: Whose,
    router: Router,
    changed: impl Future<Output = ()>,
    mut stopping: watch::Receiver<bool>,
) -> io::Result<()> {
    let Whose { address, certified, ticket } = whose;
    let under_way = Arc::new(UnderWay(Mutex::new((0, Instant::now()))));
    let counted = Arc::clone(&under_way);
    let of_ticket = Arc::clone(&ticket);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Visitor(address));
        request.extensions_mut().insert(Arc::clone(&of_ticket));
        if let Some(certified) = &certified {
            request.extensions_mut().insert(certified.clone());
        }
        let (router, counted) = (router.clone(), Arc::clone(&counted));
        async move {
            counted.change(1);
            let answer = router.oneshot(request.map(Body::new)).await.unwrap_or_else(|never| match never {});
            counted.change(-1);
            Ok::<_, Infallible>(answer)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .max_buf_size(MOST_HEADER)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let mut changed = pin!(changed);
    let is_idle_outside =
        || !ticket.is_let_in() && under_way.idle_for().is_some_and(|idle| idle >= IDLE_OUTSIDE);
    loop {
        tokio::select! {
            ended = connection.as_mut() => return ended.map_err(io::Error::other),
            // Who is still let in comes again, and shows who it is.
            () = changed.as_mut() => break,
            _ = stopping.changed() => break,
            () = sleep(LOOK) => if is_idle_outside() { return Ok(()) },
        }
    }
    connection.as_mut().graceful_shutdown();
    match timeout(LAST_MOMENT, connection).await {
        Ok(ended) => ended.map_err(io::Error::other),
        Err(_) => Ok(()),
    }
}
