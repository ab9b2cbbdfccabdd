//! What is answered.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::lab::{Lab, head, post, request};
use crate::intake::IntakeError;
use crate::testing::{Known, Memory, SECOND, Sample, Trouble};
use crate::validate::Validator;

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_stored_once_however_often_it_comes() {
    let lab = Lab::new().await;
    let sample = Sample::new("tokyo-1", 7);
    let mut stream = lab.sensor("tokyo-1").connect().await.unwrap();
    let first = post(&mut stream, &sample.bytes()).await.unwrap();
    assert_eq!(first.short(), (200, "stored"));
    let expected = serde_json::json!({
        "answer": "stored", "already": false, "sensor": "tokyo-1", "epoch": sample.header.epoch,
        "first": 7, "last": 7,
    });
    assert_eq!(first.body, expected);
    let again = post(&mut stream, &sample.bytes()).await.unwrap();
    assert_eq!((again.status, &again.body["already"]), (200, &serde_json::json!(true)));
    assert_eq!(lab.store.count(), 1);
    let text = lab.server.counters().text();
    assert!(
        text.contains("batches_stored_total 1\n") && text.contains("batches_already_total 1\n"),
        "{text}"
    );
    assert!(text.contains("answer_seconds_count 2\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_true_is_refused_and_kept_and_an_honest_sensor_is_not_affected() {
    const DAYS: u64 = 24 * 3600 * 1_000_000_000;
    let lab = Lab::new().await;
    let (hostile, honest) = (lab.sensor("hostile"), lab.sensor("tokyo-1"));
    let changed = |change: fn(&mut Sample)| {
        let mut sample = Sample::new("hostile", 5);
        change(&mut sample);
        sample.bytes()
    };
    let cases = [
        ("malformed", b"garbage".to_vec().into()),
        ("malformed", Sample::new("hostile", 5).bomb()),
        ("conservation", changed(|sample| sample.totals.counters_mut().packets += 1)),
        ("flows", changed(|sample| sample.rows[0].port = Some(24))),
        ("time", changed(|sample| sample.header.end += 3650 * DAYS)),
        (
            "time",
            changed(|sample| {
                sample.header.start -= 3650 * DAYS;
                (sample.header.epoch, sample.header.end) = (sample.header.start, sample.header.start);
            }),
        ),
    ];
    let count = cases.len();
    for (number, (word, bytes)) in cases.into_iter().enumerate() {
        let answered = hostile.post(&bytes).await.unwrap();
        assert_eq!(answered.short(), (422, word), "{answered:?}");
        assert_eq!(answered.body["answer"], "refused");
        let batch = Sample::new("tokyo-1", number as u64 + 1).bytes();
        assert_eq!(honest.post(&batch).await.unwrap().short(), (200, "stored"));
    }
    let aside = lab.aside();
    assert_eq!(aside.len(), 2 * count, "{aside:?}");
    assert!(aside.iter().all(|name| name.contains("-hostile-")), "{aside:?}");
    let reason = std::fs::read_to_string(
        lab.folder.path().join("aside").join(aside.iter().find(|name| name.ends_with(".json")).unwrap()),
    );
    let reason: serde_json::Value = serde_json::from_str(&reason.unwrap()).unwrap();
    assert!(reason["reason"].as_str().is_some_and(|text| text.contains("hostile")), "{reason}");
    assert_eq!(lab.store.count(), count);
}

/// A person has imported what the collector had refused, and its sensor asks again.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_and_then_imported_is_stored() {
    let lab = Lab::new().await;
    let client = lab.sensor("tokyo-1");
    let mut sample = Sample::new("tokyo-1", 5);
    (sample.header.start, sample.header.end) = (SECOND, 2 * SECOND);
    let batch = sample.bytes();
    assert_eq!(client.post(&batch).await.unwrap().short(), (422, "time"));
    let kept = lab.aside().into_iter().find(|name| name.ends_with(".batch")).unwrap();
    let mut rules = crate::config::Options::default().resolve().unwrap().rules;
    rules.trust_times = true;
    let files = [lab.folder.path().join("aside").join(kept)];
    let import = |validator: &Validator, store: &Memory| {
        let mut output = Vec::new();
        let result = crate::import::run(&files, 1 << 20, validator, store, &mut output);
        (result.is_ok(), String::from_utf8(output).unwrap())
    };
    let trusting = Validator::new(rules.clone(), Arc::new(Known::new(Arc::clone(&lab.store))));
    let (is_whole, output) = import(&trusting, &lab.store);
    assert!(is_whole && output.contains(": stored\n"), "{output}");
    let answered = client.post(&batch).await.unwrap();
    assert_eq!(answered.short(), (200, "stored"));
    assert_eq!((&answered.body["already"], &answered.body["first"]), (&true.into(), &5.into()));
    // And so says another import, which trusts no times.
    rules.trust_times = false;
    let strict = Validator::new(rules, Arc::new(Known::new(Arc::clone(&lab.store))));
    let (is_whole, output) = import(&strict, &lab.store);
    assert!(is_whole && output.contains("stored before"), "{output}");
    // Another one of its name is as wrong as it was.
    sample.header.program_version = "another".into();
    assert_eq!(client.post(&sample.bytes()).await.unwrap().short(), (422, "time"));
    assert_eq!(lab.store.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_sensors_batch_is_not_taken_and_its_sensor_keeps_it() {
    let lab = Lab::new().await;
    let answered = lab.sensor("osaka-1").post(&Sample::new("tokyo-1", 1).bytes()).await.unwrap();
    assert_eq!(answered.short(), (403, "foreign"));
    assert!(lab.aside().is_empty());
    assert_eq!(lab.store.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_store_says_is_what_is_answered() {
    let lab = Lab::new().await;
    let client = lab.sensor("tokyo-1");
    let mut sample = Sample::new("tokyo-1", 1);
    let mut stream = client.connect().await.unwrap();
    let retry_after = Duration::from_millis(6500);
    let busy = IntakeError::Busy { reason: "its queue is full".into(), retry_after };
    for (trouble, expected) in [
        (Trouble::Error(busy), (503, Some(7))),
        (Trouble::Error(IntakeError::Failed("disk full on /secret".into())), (503, Some(60))),
        (Trouble::Silence, (503, Some(2))),
        (Trouble::Panic, (500, None)),
    ] {
        lab.store.set(Some(trouble));
        let answered = post(&mut stream, &sample.bytes()).await.unwrap();
        assert_eq!((answered.status, answered.retry_after), expected, "{answered:?}");
        assert!(!answered.body.to_string().contains("secret"));
    }
    lab.store.set(Some(Trouble::Error(IntakeError::Refused("a figure too high".into()))));
    let answered = post(&mut stream, &sample.bytes()).await.unwrap();
    assert_eq!(answered.short(), (422, "header"));
    assert!(answered.body["reason"].as_str().unwrap().contains("no store can hold it"), "{answered:?}");
    lab.store.set(None);
    // On the same connection, and with room for all: nothing of the above has taken any for good.
    assert_eq!(post(&mut stream, &sample.bytes()).await.unwrap().short(), (200, "stored"));
    sample.header.program_version = "another".into();
    assert_eq!(post(&mut stream, &sample.bytes()).await.unwrap().short(), (422, "conflict"));
    assert_eq!(lab.aside().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_cannot_be_followed() {
    let lab = Lab::with(|settings| settings.limits.body_bytes = 1 << 20).await;
    let client = lab.sensor("tokyo-1");
    let kind = wire::CONTENT_TYPE;
    let cases = [
        ("GET / HTTP/1.1\r\nHost: c\r\n\r\n".into(), 404),
        ("GET /v1/batches HTTP/1.1\r\nHost: c\r\n\r\n".into(), 405),
        ("POST /v1/batches HTTP/1.1\r\nHost: c\r\nContent-Length: 0\r\n\r\n".into(), 415),
        (format!("POST /v1/batches HTTP/1.1\r\nHost: c\r\nContent-Type: {kind}\r\n\r\n"), 411),
        (head(0).replace("Host: c", "Host: c\r\nApus-Sent: today"), 400),
        (head(0), 422),
    ];
    for (head, status) in cases {
        let answered = request(&mut client.connect().await.unwrap(), &head, b"").await.unwrap();
        assert_eq!(answered.status, status, "{head}: {answered:?}");
    }
    // All of it is sent before the answer is looked for.
    let answered = client.post(&vec![0; 5 << 20]).await.unwrap();
    assert_eq!(answered.short(), (413, "too_large"));
    let answered = request(&mut client.connect().await.unwrap(), &head(1 << 40), b"some").await.unwrap();
    assert_eq!(answered.short(), (413, "too_large"));
    let sent = head(Sample::new("tokyo-1", 1).bytes().len()).replace("Host: c", "Host: c\r\nApus-Sent: 1234");
    let batch = Sample::new("tokyo-1", 1).bytes();
    let answered = request(&mut client.connect().await.unwrap(), &sent, &batch).await.unwrap();
    assert_eq!(answered.short(), (200, "stored"));
    assert_eq!(lab.store.stored.lock().unwrap().values().next().unwrap().sent, Some(1234));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sensor_that_sends_too_much_is_told_to_wait_and_others_are_not() {
    let lab = Lab::with(|settings| {
        (settings.limits.batches_per_second, settings.limits.batches_at_once) = (1, 3);
    })
    .await;
    let (greedy, modest) = (lab.sensor("greedy"), lab.sensor("modest"));
    let batch = Sample::new("greedy", 1).bytes();
    let mut told = None;
    for _ in 0..1000 {
        let answered = greedy.post(&batch).await.unwrap();
        if answered.status == 429 {
            told = answered.retry_after;
            break;
        }
    }
    assert_eq!(told, Some(1));
    assert_eq!(modest.post(&Sample::new("modest", 1).bytes()).await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_to_be_had_without_a_certificate_on_this_host() {
    let lab = Lab::with(|settings| settings.metrics = Some("127.0.0.1:0".parse().unwrap())).await;
    let mut stream = TcpStream::connect(lab.server.metrics().unwrap()).await.unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: c\r\n\r\n").await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert!(
        text.starts_with("HTTP/1.1 200") && text.contains("apus_collector_connections_total 0"),
        "{text}"
    );
    for line in text.split_once("\r\n\r\n").unwrap().1.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with("apus_collector_") && value.parse::<f64>().is_ok(), "{line}");
    }
}
