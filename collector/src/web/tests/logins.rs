//! Who may look, and who is asked to log in.

use std::net::SocketAddr;
use std::path::Path;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};

use super::Lab;
use crate::web::guard::{Certified, Guard, Visitor};
use crate::web::users::{self, Users};

fn login(form: &str) -> axum::http::request::Builder {
    Request::post("/login?period=7d").header("host", "apus.example").header("content-length", form.len())
}

fn guarded() -> Lab {
    let guard = |folder: &Path| {
        users::add(&folder.join("users"), "mika", "correct horse").unwrap();
        Guard::of_users(Users::new(folder.join("users")))
    };
    Lab::new(guard, false)
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_looks_without_a_session() {
    let lab = guarded();
    let (status, headers, _) = lab.get("/?period=7d").await;
    assert_eq!((status, headers["location"].to_str().unwrap()), (StatusCode::SEE_OTHER, "/login?period=7d"));
    assert_eq!(lab.get("/csv/services/ranking").await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(lab.get("/login").await.0, StatusCode::OK);
    assert_eq!(lab.get("/assets/page.css").await.0, StatusCode::OK);

    let right = "name=mika&password=correct+horse";
    for (form, origin, expected) in [
        ("name=mika&password=wrong+horse", None, StatusCode::UNAUTHORIZED),
        ("name=nobody&password=correct+horse", None, StatusCode::UNAUTHORIZED),
        (right, Some("https://evil.example"), StatusCode::FORBIDDEN),
        (right, Some("null"), StatusCode::FORBIDDEN),
        (right, Some("null cross-site"), StatusCode::FORBIDDEN),
        (right, Some("https://apus.example same-site"), StatusCode::FORBIDDEN),
        // As browsers do it that tell no referrer.
        (right, Some("null same-origin"), StatusCode::SEE_OTHER),
        (right, Some("https://apus.example"), StatusCode::SEE_OTHER),
    ] {
        let mut request = login(form);
        if let Some((origin, site)) = origin.map(|origin| origin.split_once(' ').unwrap_or((origin, ""))) {
            request = request.header("origin", origin);
            if !site.is_empty() {
                request = request.header("sec-fetch-site", site);
            }
        }
        let (status, headers, _) = lab.ask(request.body(Body::from(form)).unwrap()).await;
        assert_eq!(status, expected, "{form} {origin:?}");
        assert_eq!(headers.contains_key(header::SET_COOKIE), expected == StatusCode::SEE_OTHER);
        if expected != StatusCode::SEE_OTHER {
            continue;
        }
        let cookie = headers[header::SET_COOKIE].to_str().unwrap();
        for word in ["__Host-apus=", "Path=/;", "Secure", "HttpOnly", "SameSite=Strict"] {
            assert!(cookie.contains(word), "{cookie}");
        }
        assert_eq!(headers["location"], "/?period=7d");
        let pair = cookie.split(';').next().unwrap().to_owned();
        let with = |path: &str| {
            Request::get(path)
                .header("host", "apus.example")
                .header("cookie", format!("a=b; {pair}"))
                .body(Body::empty())
                .unwrap()
        };
        let (status, _, text) = lab.ask(with("/")).await;
        assert!(status == StatusCode::OK && text.contains("(mika)"), "{text}");
        if origin.is_some_and(|origin| origin.contains("null")) {
            continue;
        }
        // Who is removed is out at once.
        users::remove(&lab.folder.path().join("users"), "mika").unwrap();
        assert_eq!(lab.ask(with("/csv/services/ranking")).await.0, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_are_few_and_forms_short() {
    let lab = guarded();
    let form = "name=mika&password=x";
    let mut statuses = Vec::new();
    let visitor = |address: &str| Visitor(SocketAddr::new(address.parse().unwrap(), 1));
    let begin = std::time::Instant::now();
    for _ in 0..7 {
        let request = login(form).extension(visitor("192.0.2.1")).body(Body::from(form)).unwrap();
        statuses.push(lab.ask(request).await.0.as_u16());
    }
    // Every twelve seconds there is one more, and a slow machine may need as long.
    let more = begin.elapsed().as_secs() as usize / 12;
    let made = statuses.iter().filter(|status| **status == 401).count();
    assert!((5..=5 + more).contains(&made), "{made} in {:?}: {statuses:?}", begin.elapsed());
    assert!(statuses[..5].iter().all(|status| *status == 401), "{statuses:?}");
    assert!(statuses[5..].iter().all(|status| [401, 429].contains(status)), "{statuses:?}");
    // Another one's are not used up.
    let request = login(form).extension(visitor("192.0.2.2")).body(Body::from(form)).unwrap();
    assert_eq!(lab.ask(request).await.0, StatusCode::UNAUTHORIZED);
    let long = "x".repeat(20_000);
    let request = login(&long).extension(visitor("192.0.2.3")).body(Body::from(long.clone())).unwrap();
    assert_eq!(lab.ask(request).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_as_good_as_a_login() {
    for guard in [guarded(), Lab::new(|_| Guard::Certificates, false)] {
        let request = |certified: bool| {
            let mut request = Request::get("/csv/health/last-intervals").header("host", "apus.example");
            if certified {
                request = request.extension(Certified("mika".into()));
            }
            request.body(Body::empty()).unwrap()
        };
        assert_eq!(guard.ask(request(false)).await.0, StatusCode::UNAUTHORIZED);
        assert_eq!(guard.ask(request(true)).await.0, StatusCode::OK);
    }
}
