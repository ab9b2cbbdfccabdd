//! Peers that are slow, silent, many, or no sensors at all.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::lab::{LONG, Lab, answer, head};
use crate::testing::{Sample, Trouble};

/// Until the collector ends the connection.
async fn ended(stream: &mut (impl AsyncReadExt + Unpin)) {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(LONG, stream.read_to_end(&mut bytes)).await;
    assert!(read.is_ok(), "it did not end");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_tls_is_put_out() {
    let lab = Lab::new().await;
    for (number, bytes) in
        [&b"GET / HTTP/1.1\r\nHost: c\r\n\r\n"[..], &[0xff; 100], &[0; 100]].iter().enumerate()
    {
        let mut stream = TcpStream::connect(lab.address()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        ended(&mut stream).await;
        lab.until_failed("not_tls", number as u64 + 1).await;
    }
    assert!(lab.sensor("tokyo-1").is_let_in().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_silent_connections_stand_in_nobodys_way() {
    let lab = Lab::new().await;
    let client = lab.sensor("tokyo-1");
    let mut open = client.connect().await.unwrap();
    let mut silent = Vec::new();
    for number in 0..1000 {
        let mut stream = TcpStream::connect(lab.address()).await.unwrap();
        if number % 2 == 0 {
            // The beginning of a record, and no more.
            stream.write_all(&[22, 3, 1, 2, 0, 1]).await.unwrap();
        }
        silent.push(stream);
        if number % 100 == 99 {
            let batch = Sample::new("tokyo-1", number / 100 + 1).bytes();
            let answered = if number < 500 {
                client.post(&batch).await.unwrap()
            } else {
                super::lab::post(&mut open, &batch).await.unwrap()
            };
            assert_eq!(answered.short(), (200, "stored"));
        }
    }
    lab.until_failed("pushed_out", 1000 - 64).await;
    assert!(client.is_let_in().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn handshakes_and_headers_that_never_end_are_ended() {
    let lab = Lab::with(|settings| {
        settings.timeouts.handshake = Duration::from_millis(300);
        settings.timeouts.idle = Duration::from_millis(300);
    })
    .await;
    let mut silent = TcpStream::connect(lab.address()).await.unwrap();
    ended(&mut silent).await;
    lab.until_failed("timeout", 1).await;
    let client = lab.sensor("tokyo-1");
    let mut half = client.connect().await.unwrap();
    half.write_all(b"POST /v1/batches HTTP/1.1\r\nHost: ").await.unwrap();
    half.flush().await.unwrap();
    ended(&mut half).await;
    ended(&mut client.connect().await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sensors_dead_connections_make_room_for_its_next() {
    let lab = Lab::new().await;
    let client = lab.sensor("tokyo-1");
    let mut first = client.connect().await.unwrap();
    let mut others = Vec::new();
    for _ in 0..8 {
        others.push(client.connect().await.unwrap());
    }
    ended(&mut first).await;
    let batch = Sample::new("tokyo-1", 1).bytes();
    let last = others.last_mut().unwrap();
    assert_eq!(super::lab::post(last, &batch).await.unwrap().short(), (200, "stored"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let lab = Lab::with(|settings| settings.timeouts.body = Duration::from_millis(300)).await;
    let batch = Sample::new("tokyo-1", 1).bytes();
    let client = lab.sensor("tokyo-1");
    let mut slow = client.connect().await.unwrap();
    slow.write_all(head(batch.len()).as_bytes()).await.unwrap();
    slow.write_all(&batch[..10]).await.unwrap();
    slow.flush().await.unwrap();
    assert_eq!(answer(&mut slow).await.unwrap().status, 408);
    // Byte by byte, each in time, and all of them too slow.
    let mut trickle = client.connect().await.unwrap();
    trickle.write_all(head(batch.len()).as_bytes()).await.unwrap();
    let (mut reader, mut writer) = tokio::io::split(trickle);
    let writing = tokio::spawn(async move {
        for byte in batch {
            if writer.write_all(&[byte]).await.is_err() || writer.flush().await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("all of it was taken");
    });
    let mut start = [0; 12];
    reader.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 408");
    writing.await.unwrap();
    assert_eq!(lab.store.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_stored_when_it_ends_is_answered() {
    let lab = Lab::new().await;
    lab.store.set(Some(Trouble::Slow(Duration::from_millis(500))));
    let client = lab.sensor("tokyo-1");
    let mut idle = client.connect().await.unwrap();
    let posting = tokio::spawn(async move { client.post(&Sample::new("tokyo-1", 1).bytes()).await });
    lab.until(|| lab.store.count() == 1, "a batch in the store").await;
    let address = lab.address();
    lab.server.stop().await;
    assert_eq!(posting.await.unwrap().unwrap().short(), (200, "stored"));
    ended(&mut idle).await;
    assert!(TcpStream::connect(address).await.is_err());
}
