//! The page, as browsers get it.

mod crowd;
mod logins;
mod network;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use tower::ServiceExt as _;

use super::Site;
use super::guard::Guard;
use super::names::Names;
use super::routes::router;
use crate::intake::unix_nanoseconds;
use crate::store::conformance::{Sample, flow};
use crate::store::sqlite::{SqliteOptions, SqliteReader, SqliteStore};
use crate::store::{Reader as _, Store as _};

const HOSTILE: &str = "<script>alert('1')</script>\" onload=\"x";
const HOUR: u64 = 3_600_000_000_000;

/// A store of two sensors, one of which has a name that is no name, and was silent for some hours.
fn store(path: &Path) -> SqliteStore {
    let mut store = SqliteStore::open(path, SqliteOptions::default()).unwrap();
    let now = unix_nanoseconds();
    for hour in 1..=30_u64 {
        for sensor in ["tokyo", HOSTILE] {
            if sensor == HOSTILE && !(10..20).contains(&hour) {
                continue;
            }
            let start = now - hour * HOUR;
            let rows = (0..hour).map(|number| {
                flow(
                    &format!("192.0.2.{number}"),
                    if number % 3 == 0 { 17 } else { 6 },
                    23 + number as u16 % 9,
                    2,
                    start,
                )
            });
            let sample = Sample { end: start + HOUR - 1, ..Sample::new(sensor, hour, start).with(rows) };
            store.commit(&[sample.incoming()]).unwrap();
        }
    }
    store
}

struct Lab {
    folder: tempfile::TempDir,
    _store: SqliteStore,
    router: Router,
}

impl Lab {
    fn new(guard: impl FnOnce(&Path) -> Guard, is_local: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let store = store(&path);
        let guard = guard(folder.path());
        let site = Site::new(path, Duration::from_secs(2), guard, Names::default(), is_local, Arc::default())
            .unwrap();
        Self { folder, _store: store, router: router(Arc::new(site)) }
    }

    fn open() -> Self {
        Self::new(|_| Guard::Anybody, true)
    }

    async fn ask(&self, request: Request<Body>) -> (StatusCode, HeaderMap, String) {
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = answer.into_parts();
        let body = to_bytes(body, 1 << 24).await.unwrap();
        (head.status, head.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn get(&self, path: &str) -> (StatusCode, HeaderMap, String) {
        self.ask(Request::get(path).header("host", "127.0.0.1:8480").body(Body::empty()).unwrap()).await
    }

    /// A page without anything that is being worked out.
    async fn whole(&self, path: &str) -> String {
        for _ in 0..100 {
            let (status, _, text) = self.get(path).await;
            assert_eq!(status, StatusCode::OK, "{text}");
            if !text.contains("data-pending") {
                return text;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{path} is never worked out");
    }
}

/// What stands between two texts, each time.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    text.split(before).skip(1).filter_map(|rest| rest.split(after).next()).collect()
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_says_to_browsers_what_they_may_do() {
    let lab = Lab::open();
    for path in ["/", "/nowhere", "/assets/page.css", "/?period=never", "/csv/nothing/at-all"] {
        let (_, headers, _) = lab.get(path).await;
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}");
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
        let expected = [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
        ];
        for (name, value) in expected {
            assert_eq!(headers[name], value, "{path}");
        }
    }
    let text = lab.whole("/").await;
    // Nothing that the policy forbids, nor anybody else's.
    for word in ["style=", "<style", "onclick", "http://", "https://", "javascript:"] {
        assert!(!text.contains(word), "{word}");
    }
    assert_eq!(text.matches("<script").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_name_is_text_wherever_it_stands() {
    let lab = Lab::open();
    let text = lab.whole("/").await;
    assert!(!text.contains("<script>alert") && text.contains("&lt;script&gt;alert"), "{text}");
    assert!(!text.contains("onload=\""), "{text}");
    // Its own link leads to it, and nowhere else.
    let links = between(&text, "href=\"", "\"");
    let own = links.iter().find(|link| link.contains("script")).unwrap();
    let text = lab.whole(&unescaped(own)).await;
    assert!(!text.contains("<script>alert"), "{text}");
    assert!(text.contains("sensor = &#39;&lt;script&gt;alert(&#39;&#39;1&#39;&#39;)"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_what_their_sql_answers() {
    let lab = Lab::open();
    let mut reader = SqliteReader::open(&lab.folder.path().join("store")).unwrap();
    for path in [
        "/",
        "/?period=7d&service=tcp-24",
        "/?period=90d&class=scan&signature=none",
        "/?region=ZZ&sensor=tokyo",
    ] {
        let text = lab.whole(path).await;
        let parts: Vec<&str> = text.split("<p class=\"csv\">").skip(1).collect();
        assert!(parts.len() >= 14, "{path}: {}", parts.len());
        for part in parts {
            let link = unescaped(between(part, "href=\"", "\"")[0]);
            let sql = unescaped(between(part, "<code>", "</code>")[0]);
            let (status, headers, csv) = lab.get(&link).await;
            assert_eq!(
                (status, headers["content-type"].to_str().unwrap()),
                (StatusCode::OK, "text/csv; charset=utf-8")
            );
            let answer = reader.query(&sql, 1_000_000, Duration::from_secs(60)).unwrap();
            let mut expected = Vec::new();
            crate::sql::csv(&answer, &mut expected).unwrap();
            assert_eq!(csv, String::from_utf8(expected).unwrap(), "{link}\n{sql}");
            assert!(csv.lines().count() > 1 || link.contains("last"), "{link}: {csv}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_hosts_names_are_not_answered() {
    let lab = Lab::open();
    for (host, expected) in [
        ("127.0.0.1:8480", StatusCode::OK),
        ("localhost", StatusCode::OK),
        ("LOCALHOST:9000", StatusCode::OK),
        ("[::1]:8480", StatusCode::OK),
        ("evil.example", StatusCode::MISDIRECTED_REQUEST),
        ("evil.example:8480", StatusCode::MISDIRECTED_REQUEST),
        ("127.0.0.1.evil.example", StatusCode::MISDIRECTED_REQUEST),
        ("localhost.evil.example:80", StatusCode::MISDIRECTED_REQUEST),
        ("", StatusCode::MISDIRECTED_REQUEST),
    ] {
        for path in ["/", "/csv/services/ranking"] {
            let request = Request::get(path).header("host", host).body(Body::empty()).unwrap();
            assert_eq!(lab.ask(request).await.0, expected, "{host} {path}");
        }
    }
    let without = Request::get("/").body(Body::empty()).unwrap();
    assert_eq!(lab.ask(without).await.0, StatusCode::MISDIRECTED_REQUEST);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_sites_start_nothing() {
    let guarded = Lab::new(|_| Guard::Certificates, false);
    for (lab, admitted) in [(Lab::open(), StatusCode::OK), (guarded, StatusCode::UNAUTHORIZED)] {
        for (method, site, mode, destination, expected) in [
            ("GET", "", "", "", admitted),
            ("GET", "same-origin", "cors", "empty", admitted),
            ("GET", "none", "navigate", "document", admitted),
            // Who follows a link.
            ("GET", "cross-site", "navigate", "document", admitted),
            ("GET", "cross-site", "no-cors", "image", StatusCode::FORBIDDEN),
            ("GET", "same-site", "no-cors", "image", StatusCode::FORBIDDEN),
            ("GET", "cross-site", "navigate", "iframe", StatusCode::FORBIDDEN),
            ("GET", "cross-site", "cors", "empty", StatusCode::FORBIDDEN),
            ("GET", "cross-site", "", "", StatusCode::FORBIDDEN),
            ("POST", "cross-site", "navigate", "document", StatusCode::FORBIDDEN),
        ] {
            let mut request = Request::builder()
                .method(method)
                .uri("/csv/health/last-intervals")
                .header("host", "localhost");
            let headers =
                [("sec-fetch-site", site), ("sec-fetch-mode", mode), ("sec-fetch-dest", destination)];
            for (name, value) in headers.into_iter().filter(|(_, value)| !value.is_empty()) {
                request = request.header(name, value);
            }
            let status = lab.ask(request.body(Body::empty()).unwrap()).await.0;
            assert_eq!(status, expected, "{method} {site} {mode} {destination}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_no_flow_is_told_and_no_zero() {
    let lab = Lab::open();
    let text = lab.whole("/").await;
    assert!(!text.contains("class=\"beside\""), "{text}");
    // One that has none of its flows there, and one that lost some.
    let start = unix_nanoseconds() - 3 * HOUR;
    let rows = || [flow("192.0.2.1", 6, 23, 5, start)];
    let silent =
        Sample { with_flows: false, end: start + HOUR, ..Sample::new("osaka", 1, start).with(rows()) };
    let lossy = Sample { lost: 7, end: start + HOUR, ..Sample::new("nagoya", 1, start).with(rows()) };
    let mut store = SqliteStore::open(&lab.folder.path().join("another"), SqliteOptions::default()).unwrap();
    store.commit(&[silent.incoming(), lossy.incoming()]).unwrap();
    let site = Site::new(
        lab.folder.path().join("another"),
        Duration::from_secs(2),
        Guard::Anybody,
        Names::default(),
        true,
        Arc::default(),
    );
    let lab = Lab { router: router(Arc::new(site.unwrap())), ..lab };
    let text = lab.whole("/").await;
    assert!(text.contains("<strong class=\"beside\">12</strong> of 17"), "{text}");
    let text = lab.whole("/?sensor=osaka").await;
    assert!(text.contains("<p class=\"empty\">counted, but in no flow</p>"), "{text}");
    let text = lab.whole("/?sensor=nagoya").await;
    assert!(text.contains("<strong class=\"beside\">7</strong> of 12"), "{text}");
    assert!(text.contains("23/TCP") && !text.contains("counted, but in no flow"), "{text}");
    // Nothing is known of it, and nothing is looked for.
    let text = lab.whole("/?sensor=nobody").await;
    assert!(text.contains("No sensor was observing in this time."), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_view_is_told() {
    let lab = Lab::open();
    let (status, _, text) = lab.get("/?service=%3Cb%3E").await;
    assert!(status == StatusCode::BAD_REQUEST && text.contains("service=&lt;b&gt;: a service is"), "{text}");
    assert_eq!(lab.get("/csv/services/ranking?x=1").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(lab.get("/csv/services/nothing").await.0, StatusCode::NOT_FOUND);
    assert_eq!(lab.get("/csv/nothing/ranking").await.0, StatusCode::NOT_FOUND);
    let request = Request::post("/").header("host", "localhost").body(Body::empty()).unwrap();
    assert_eq!(lab.ask(request).await.0, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_in_the_language_that_is_asked_for() {
    let lab = Lab::open();
    let (_, headers, text) = lab.get("/?lang=ja").await;
    assert!(text.contains("<html lang=\"ja\">") && text.contains("センサーの稼働状況"));
    assert!(headers["vary"].to_str().unwrap().contains("accept-language"));
    let request = Request::get("/").header("host", "localhost").header("accept-language", "ja,en;q=0.5");
    let (_, _, text) = lab.ask(request.body(Body::empty()).unwrap()).await;
    assert!(text.contains("<html lang=\"ja\">"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_observed_is_no_zero() {
    let lab = Lab::open();
    let text = lab.whole(&format!("/?sensor={}", super::written::encoded(HOSTILE))).await;
    let services = text.split("id=\"services-figure\"").nth(1).unwrap().split("</table>").next().unwrap();
    let rows: Vec<&str> = between(services, "<tr>", "</tr>").into_iter().skip(1).collect();
    assert_eq!(rows.len(), 24);
    let gaps: Vec<bool> = rows.iter().map(|row| row.contains("not observed")).collect();
    // It counted from the 19th hour before now to the 10th.
    assert!(gaps[..9].iter().all(|gap| *gap) && gaps[11..19].iter().all(|gap| !*gap), "{gaps:?}");
    assert!(gaps[21..].iter().all(|gap| *gap), "{gaps:?}");
    assert!(text.contains("class=\"gap\"") && text.contains("SILENT for"));
}
