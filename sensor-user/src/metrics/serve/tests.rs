use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use super::*;

/// How long what has to come may take on a busy machine.
const LONGEST: Duration = Duration::from_secs(60);

/// A server in a thread of its own, until this is dropped.
struct Server {
    address: SocketAddr,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Server {
    fn start(limits: Limits) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(run(listener, Board::new("sensor", 20, None, None), limits));
        Self { address, runtime: Some(runtime) }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(LONGEST)).unwrap();
        stream
    }

    /// The answer to a request that asks for the connection to be kept.
    fn get(&self) -> String {
        let mut stream = self.connect();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: sensor\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

/// Whether the other side has ended it by now.
fn is_cut(mut stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    match stream.read(&mut [0; 1_024]) {
        Ok(length) => length == 0,
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    }
}

#[track_caller]
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONGEST;
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_hundred_who_say_nothing_are_in_no_ones_way_and_have_few_connections() {
    let server = Server::start(Limits { head: LONGEST, whole: LONGEST, ..Limits::default() });
    let idle: Vec<TcpStream> = (0..100).map(|_| server.connect()).collect();
    let begun = Instant::now();
    let text = server.get();
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && text.contains("apus_sensor_build_info"), "{text}");
    assert!(begun.elapsed() < LONGEST, "it did not wait for them to give up");
    let open = || idle.iter().filter(|stream| !is_cut(stream)).count();
    eventually("the oldest are cut", || open() <= 15);
    assert!(idle[..84].iter().all(is_cut) && !is_cut(&idle[99]), "the oldest first");
}

#[test]
fn one_who_says_nothing_or_half_of_it_is_cut() {
    let limits = Limits { head: Duration::from_millis(100), whole: LONGEST, ..Limits::default() };
    let server = Server::start(limits);
    let (silent, mut half) = (server.connect(), server.connect());
    half.write_all(b"GET /metrics HTTP/1.1\r\nhost:").unwrap();
    eventually("cut", || is_cut(&silent) && is_cut(&half));
    assert!(server.get().starts_with("HTTP/1.1 200 OK\r\n"));
}

#[test]
fn one_who_never_comes_to_an_end_is_cut() {
    let whole = Duration::from_millis(500);
    let server = Server::start(Limits { head: LONGEST, whole, ..Limits::default() });
    let mut endless = server.connect();
    endless.write_all(b"GET /metrics HTTP/1.1\r\nhost: sensor\r\ncontent-length: 9999\r\n\r\n").unwrap();
    let silent = server.connect();
    eventually("cut", || is_cut(&silent) && is_cut(&endless));
    let mut long = server.connect();
    let _may_be_cut = long.write_all(&[b'x'; 2 * LONGEST_HEAD]);
    eventually("cut", || is_cut(&long));
}

#[test]
fn a_connection_is_for_one_request() {
    let server = Server::start(Limits::default());
    let text = server.get();
    assert!(text.to_ascii_lowercase().contains("connection: close\r\n"), "{text}");
}
