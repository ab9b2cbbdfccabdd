use std::time::Duration;

use super::*;

fn read(text: &str) -> Result<Settings, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("collector.toml");
    std::fs::write(&path, text).unwrap();
    Options::read(&path)?.resolve()
}

#[test]
fn without_anything_it_listens_on_loopback_alone() {
    let settings = read("").unwrap();
    assert!(settings.listen.iter().all(|address| address.ip().is_loopback()));
    assert_eq!(settings.metrics, None);
    assert_eq!(settings.tls, None);
    assert_eq!(settings.aside.folder, Path::new(DEFAULT_DATA).join("aside"));
}

#[test]
fn every_key_is_taken() {
    let settings = read(
        r#"
        listen = ["0.0.0.0:8443", "[::]:8443"]
        certificate = "c"
        key = "k"
        client_ca = "a"
        crl = "r"
        sensors = ["tokyo-1"]
        data = "/data"
        metrics = "[::1]:9465"
        [limits]
        body_bytes = 2000000
        ratio = 100
        [times]
        oldest = "24h"
        handshake = "5s"
        [aside]
        bytes = 5
        "#,
    )
    .unwrap();
    assert_eq!(settings.listen.len(), 2);
    assert_eq!(settings.tls.unwrap().crl, Some("r".into()));
    assert_eq!(settings.limits.wire.ratio, 100);
    assert_eq!(settings.rules.oldest, Duration::from_secs(86_400));
    assert_eq!(settings.timeouts.handshake, Duration::from_secs(5));
    assert_eq!(settings.aside.bytes, 5);
}

#[test]
fn flags_win() {
    let flags = Options { data: Some("/flag".into()), ..Options::default() };
    let file =
        Options { data: Some("/file".into()), metrics: "127.0.0.1:1".parse().ok(), ..Options::default() };
    let settings = flags.or(file).resolve().unwrap();
    assert_eq!(settings.data, Path::new("/flag"));
    assert!(settings.metrics.is_some());
}

#[test]
fn what_cannot_be_followed_is_told_with_its_line_or_its_name() {
    let cases = [
        ("listen = []", "no address"),
        ("metrics = \"0.0.0.0:9465\"", "loopback"),
        ("\nbodybytes = 1", "line 2"),
        ("[limits]\nbody_bytes = 5", "limits.body_bytes is 5"),
        ("[limits]\nbytes_in_flight = 5", "has to fit"),
        ("[times]\nidle = \"soon\"", "line 2"),
        ("[times]\nidle = \"0s\"", "times.idle"),
        ("sensors = [\"a/b\"]", "in sensors"),
    ];
    for (text, expected) in cases {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}
