//! One connection: its handshake, its requests, its end.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse as _, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tower::ServiceExt as _;

use super::answer::Answer;
use super::connections::Ticket;
use super::handshake::{Failure, REFUSED};
use super::ingest::Shared;
use super::peer::{Peer, sensor_of};

/// Bytes of a request's header.
const MOST_HEADER: usize = 16 << 10;
const MOST_HEADERS: usize = 64;
/// For a request that was on its way when its connection was told to end.
const LAST_MOMENT: Duration = Duration::from_millis(200);

/// What every connection needs.
#[derive(Clone)]
pub struct Surroundings {
    pub shared: Arc<Shared>,
    pub router: Router,
    pub trusted: watch::Receiver<Arc<ServerConfig>>,
    pub stopping: watch::Receiver<bool>,
    /// Held for as long as there is something to end.
    pub running: mpsc::Sender<Infallible>,
}

/// Counts and tells that there is no connection.
pub fn failed(shared: &Shared, address: SocketAddr, failure: Failure, name: Option<&str>, detail: &str) {
    shared.counters.handshakes_failed[failure as usize].add(1);
    shared.quiet.warn(&address.ip().to_string(), || failure.line(address, name, detail));
}

/// Serves a connection to its end.
pub async fn serve(stream: TcpStream, address: SocketAddr, mut ticket: Ticket, surroundings: Surroundings) {
    let Surroundings { shared, router, mut trusted, mut stopping, running: _running } = surroundings;
    let config = Arc::clone(&trusted.borrow_and_update());
    let handshake = REFUSED.scope(RefCell::default(), async {
        // Its first byte, which is left where it is; an error comes again when it is read.
        let _first = stream.peek(&mut [0]).await;
        ticket.speak();
        let shaken = TlsAcceptor::from(config).accept(stream).await;
        shaken.map_err(|error| (error, REFUSED.with(RefCell::take)))
    });
    let shaken = tokio::select! {
        shaken = timeout(shared.settings.timeouts.handshake, handshake) => shaken,
        () = ticket.pushed_out() => return failed(&shared, address, Failure::PushedOut, None, ""),
        _ = stopping.changed() => return,
    };
    let stream = match shaken {
        Err(_) => return failed(&shared, address, Failure::Timeout, None, ""),
        Ok(Err((error, name))) => {
            return failed(&shared, address, Failure::of(&error), name.as_deref(), &error.to_string());
        }
        Ok(Ok(stream)) => stream,
    };
    let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    let sensor = match certificate.map(sensor_of) {
        Some(Ok(sensor)) => Arc::<str>::from(sensor),
        Some(Err(error)) => return failed(&shared, address, Failure::Name, None, &error.to_string()),
        None => return failed(&shared, address, Failure::NoCertificate, None, ""),
    };
    ticket.identify(&sensor);
    shared.counters.handshakes.add(1);
    let peer = Peer { address, sensor };
    let ended = requests(stream, &peer, router, &shared, trusted, stopping);
    tokio::select! {
        () = ended => {}
        () = ticket.pushed_out() => {}
    }
}

async fn requests(
    stream: TlsStream<TcpStream>,
    peer: &Peer,
    router: Router,
    shared: &Arc<Shared>,
    mut trusted: watch::Receiver<Arc<ServerConfig>>,
    mut stopping: watch::Receiver<bool>,
) {
    let under_way = Arc::new(AtomicUsize::new(0));
    let service = service_fn(|mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer.clone());
        let (router, counters) = (router.clone(), Arc::clone(&shared.counters));
        let under_way = Arc::clone(&under_way);
        Box::pin(async move {
            under_way.fetch_add(1, Ordering::Relaxed);
            // A task of its own: a panic costs this request alone, and what was begun is ended without its sensor.
            let answered = tokio::spawn(router.oneshot(request.map(Body::new))).await;
            under_way.fetch_sub(1, Ordering::Relaxed);
            match answered {
                Ok(answered) => answered,
                Err(_) => Ok::<Response, Infallible>(panicked(&counters)),
            }
        })
    });
    let timeouts = &shared.settings.timeouts;
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // It begins with the end of the request before.
        .header_read_timeout(timeouts.idle)
        .max_buf_size(MOST_HEADER)
        .max_headers(MOST_HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    let mut is_ending = *stopping.borrow_and_update();
    let mut age = pin!(sleep(timeouts.connection));
    let ended = loop {
        if is_ending {
            // What has begun is answered; then its sensor has to come again.
            Pin::new(&mut connection).graceful_shutdown();
        }
        let is_idle = is_ending && under_way.load(Ordering::Relaxed) == 0;
        tokio::select! {
            ended = poll_fn(|context| connection.poll_without_shutdown(context)) => break ended,
            _ = trusted.changed(), if !is_ending => is_ending = true,
            _ = stopping.changed(), if !is_ending => is_ending = true,
            () = &mut age, if !is_ending => is_ending = true,
            () = sleep(LAST_MOMENT), if is_idle => break Ok(()),
        }
    };
    match ended {
        Ok(()) => linger(connection.into_parts().io.into_inner()).await,
        Err(error) => log::debug!("{}: {error}", peer.address),
    }
}

fn panicked(counters: &super::metrics::Counters) -> Response {
    counters.panics.add(1);
    log::error!("answering a request panicked: this is a bug; the request alone was lost");
    Answer::failed(
        StatusCode::INTERNAL_SERVER_ERROR,
        "error",
        "the collector has a bug here; its log says more",
    )
    .into_response()
}

/// Ends a connection so that its last answer arrives: one that is closed with bytes unread is cut, and what is under
/// way with it.
async fn linger(mut stream: TlsStream<TcpStream>) {
    const MOST: usize = 16 << 20;
    let reading = async {
        stream.shutdown().await?;
        let mut bytes = vec![0; 1 << 14];
        let mut discarded = 0;
        while discarded < MOST {
            match stream.read(&mut bytes).await? {
                0 => break,
                read => discarded += read,
            }
        }
        std::io::Result::Ok(())
    };
    let _over_either_way = timeout(Duration::from_secs(2), reading).await;
}
