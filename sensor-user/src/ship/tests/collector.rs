//! A collector that answers as it is told to: TLS by rustls, HTTP by hand, so that it can break off anywhere.

use std::collections::VecDeque;
use std::io::{self, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use wire::{Batch, Limits, Name};

use super::authority::Authority;
use super::spool::{Event, Spool, parts};

/// What becomes of one request.
#[derive(Clone, Debug)]
pub enum Step {
    Store,
    /// Says that it has stored another interval.
    StoreOther(Name),
    /// This status and these headers, each with its line's end, and this body.
    Answer(&'static str, &'static str, &'static str),
    /// Half of an answer that would have been right.
    BreakOff,
    /// A fault of the collector's wherever it sees this interval; the others are stored.
    Choke(Name),
    /// This status and this body for intervals up to this one; the others are stored.
    AnswerUpTo(u64, &'static str, &'static str),
    /// No answer, for as long as the collector lives.
    Hang,
    /// The right answer after a while.
    Slow(Duration),
}

pub struct Collector {
    pub address: SocketAddr,
    state: Arc<State>,
}

struct State {
    spool: Arc<Spool>,
    /// What happens to the next requests; after those the last one goes on.
    steps: Mutex<VecDeque<Step>>,
    /// Those that it has said are stored, to whoever could hear it.
    stored: Mutex<Vec<Name>>,
    ended: AtomicBool,
    requests: AtomicUsize,
    connections: AtomicUsize,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

impl Collector {
    /// One that speaks TLS 1.3 and has certificates of this authority.
    pub fn start(authority: &Authority, spool: &Arc<Spool>, steps: impl IntoIterator<Item = Step>) -> Self {
        let names = ["localhost", "127.0.0.1", "::1"];
        let config = authority.server(authority, &names, None, &rustls::version::TLS13);
        Self::with(config, "127.0.0.1:0", spool, steps)
    }

    pub fn with(
        config: Arc<ServerConfig>,
        address: &str,
        spool: &Arc<Spool>,
        steps: impl IntoIterator<Item = Step>,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            spool: Arc::clone(spool),
            steps: Mutex::new(steps.into_iter().collect()),
            stored: Mutex::default(),
            ended: AtomicBool::new(false),
            requests: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            at_once: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
        });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                if shared.ended.load(Ordering::SeqCst) {
                    return;
                }
                let (shared, config) = (Arc::clone(&shared), Arc::clone(&config));
                shared.connections.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || {
                    // How a connection ends is what the sensor is asked about.
                    let _ended = serve(&shared, config, connection.unwrap());
                });
            }
        });
        Self { address, state }
    }

    pub fn url(&self) -> String {
        super::url(self.address.port())
    }

    pub fn requests(&self) -> usize {
        self.state.requests.load(Ordering::SeqCst)
    }

    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    pub fn most_at_once(&self) -> usize {
        self.state.most_at_once.load(Ordering::SeqCst)
    }

    /// Intervals that it has said are stored.
    pub fn stored(&self) -> Vec<Name> {
        self.state.stored.lock().unwrap().clone()
    }

    /// What happens to the requests from now on.
    pub fn then(&self, steps: impl IntoIterator<Item = Step>) {
        *self.state.steps.lock().unwrap() = steps.into_iter().collect();
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::SeqCst);
        // So that it looks.
        let _woken = TcpStream::connect(self.address);
    }
}

fn serve(state: &State, config: Arc<ServerConfig>, connection: TcpStream) -> io::Result<()> {
    let tls = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut stream = BufReader::new(StreamOwned::new(tls, connection));
    loop {
        let Some((head, length)) = head(&mut stream)? else {
            return Ok(());
        };
        let now = state.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        state.most_at_once.fetch_max(now, Ordering::SeqCst);
        let answered = answer(state, &mut stream, &head, length);
        state.at_once.fetch_sub(1, Ordering::SeqCst);
        if !answered? {
            return Ok(());
        }
    }
}

/// The lines of a request's head, and how long its body is.
fn head(stream: &mut impl io::BufRead) -> io::Result<Option<(Vec<String>, usize)>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            let length = lines.iter().find_map(|line: &String| {
                line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned)
            });
            return Ok(Some((lines, length.expect("a length").parse().unwrap())));
        }
        lines.push(line);
    }
}

fn answer<S: Read + Write>(
    state: &State,
    stream: &mut BufReader<S>,
    head: &[String],
    length: usize,
) -> io::Result<bool> {
    assert_eq!(head[0], "POST /v1/batches HTTP/1.1");
    let has = |start: &str| head.iter().any(|line| line.to_ascii_lowercase().starts_with(start));
    assert!(has(&format!("content-type: {}", wire::CONTENT_TYPE)) && has("apus-sent: 1"), "{head:?}");
    let mut body = vec![0; length];
    // The flows, seven in a row, say nothing: the head of the body says which interval it is.
    stream.read_exact(&mut body)?;
    let end = body.iter().rposition(|byte| *byte != 7).unwrap();
    let flows = body.split_off(end + 1);
    let batch = Batch::read(&Bytes::from(body), &Limits::default()).expect("counts");
    let name = batch.header.name();
    assert_eq!(flows.len(), parts(name)[1].len(), "all flows");
    state.spool.note(Event::Arrived(name));
    state.requests.fetch_add(1, Ordering::SeqCst);
    let step = {
        let mut steps = state.steps.lock().unwrap();
        if steps.len() > 1 { steps.pop_front() } else { steps.front().cloned() }
    };
    let right = stored(name);
    let stream = stream.get_mut();
    let mut reply = |status: &str, headers: &str, body: &str| {
        write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len())?;
        stream.flush().map(|()| true)
    };
    let step = step.unwrap_or(Step::Store);
    let is_later = matches!(step, Step::AnswerUpTo(last, ..) if name.first > last);
    if is_later || matches!(step, Step::Store | Step::Slow(_)) {
        state.stored.lock().unwrap().push(name);
    }
    match step {
        Step::Store => reply("200 OK", "", &right),
        Step::StoreOther(other) => reply("200 OK", "", &stored(other)),
        Step::Answer(status, headers, body) => reply(status, headers, body),
        Step::Choke(other) if other == name => reply("500 Internal Server Error", "", ""),
        Step::AnswerUpTo(_, status, body) if !is_later => reply(status, "", body),
        Step::Choke(_) | Step::AnswerUpTo(..) => reply("200 OK", "", &right),
        Step::Slow(pause) => {
            std::thread::sleep(pause);
            reply("200 OK", "", &right)
        }
        Step::BreakOff => {
            let (half, _) = right.split_at(right.len() / 2);
            write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{half}", right.len())?;
            stream.flush()?;
            Ok(false)
        }
        Step::Hang => {
            while !state.ended.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(10));
            }
            Ok(false)
        }
    }
}

fn stored(name: Name) -> String {
    let Name { epoch, first, last } = name;
    format!(
        r#"{{"answer":"stored","already":false,"sensor":"sensor","epoch":{epoch},"first":{first},"last":{last}}}"#
    )
}
