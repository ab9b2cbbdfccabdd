//! Who may look, and which requests are answered at all.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::Site;
use super::connections::Ticket;
use super::counters::Refused;
use super::sessions::{Attempts, LASTING, Sessions};
use super::users::Users;

/// The prefix binds it to this host alone, over TLS alone; browsers take 127.0.0.1 for as safe.
const COOKIE: &str = "__Host-apus";

/// Who may look.
pub enum Guard {
    /// Whoever reaches it: on this host.
    Anybody,
    /// Those who have logged in, or have shown a certificate where that is asked for.
    Users { users: Box<Users>, sessions: Sessions, attempts: Attempts },
    /// Those who have shown a certificate: TLS lets nobody else in.
    Certificates,
}

impl Guard {
    pub fn of_users(users: Users) -> Self {
        Self::Users { users: Box::new(users), sessions: Sessions::default(), attempts: Attempts::default() }
    }
}

/// The name in the certificate that a connection has shown.
#[derive(Clone, Debug)]
pub struct Certified(pub String);

/// The other end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Visitor(pub SocketAddr);

/// Who looks: a name, where it is known.
#[derive(Clone, Debug, Default)]
pub struct Person(pub Option<String>);

/// Whoever asks for an asset sees what is public anyway.
fn is_public(uri: &Uri) -> bool {
    uri.path().starts_with("/assets/") || uri.path() == "/login"
}

/// Lets those pass who may look.
pub async fn admit(State(site): State<Arc<Site>>, mut request: Request, next: Next) -> Response {
    let certified = request.extensions().get::<Certified>().map(|certified| certified.0.clone());
    let person = match &site.guard {
        Guard::Anybody => Some(Person(None)),
        Guard::Certificates => certified.map(|_| Person(None)),
        Guard::Users { users, sessions, .. } => {
            let of_session = || {
                let token = token(request.headers())?;
                sessions.user(token, |name| users.find(name))
            };
            if certified.is_some() { Some(Person(None)) } else { of_session().map(|user| Person(Some(user))) }
        }
    };
    match person {
        Some(person) => {
            if let Some(ticket) = request.extensions().get::<Arc<Ticket>>() {
                ticket.let_in();
            }
            request.extensions_mut().insert(person);
            next.run(request).await
        }
        None if is_public(request.uri()) => {
            request.extensions_mut().insert(Person::default());
            next.run(request).await
        }
        None => {
            site.counters.refused(Refused::NotLoggedIn);
            outside(&request)
        }
    }
}

/// What somebody gets who has to log in first.
fn outside(request: &Request) -> Response {
    if request.uri().path() == "/" && request.method() == Method::GET {
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        return Redirect::to(&format!("/login{query}")).into_response();
    }
    (StatusCode::UNAUTHORIZED, "log in at /login first\n").into_response()
}

/// The token of a session in a request's cookies.
pub fn token(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

/// The cookie of a session; without a token, one that ends it.
pub fn cookie(token: Option<&str>) -> HeaderValue {
    let (value, seconds) = token.map_or(("", 0), |token| (token, LASTING.as_secs()));
    let text = format!("{COOKIE}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Strict");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// Which requests are answered at all, whoever may look: none that another site has a browser send, but for whoever follows a
/// link from there. What is asked for in pictures and frames of other sites could keep the store busy, even if they cannot
/// read the answer.
///
/// And where nobody has to log in, a name that somebody else's DNS gives this host must not let their pages read this one: only
/// requests for this host by its own names are answered.
pub async fn check_request(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    if !is_asked_for_here(request.method(), request.headers()) {
        site.counters.refused(Refused::AnotherSite);
        return (StatusCode::FORBIDDEN, "another site asked for this\n").into_response();
    }
    if site.is_local && !is_this_host(request.headers(), request.uri()) {
        site.counters.refused(Refused::AnotherHost);
        return (StatusCode::MISDIRECTED_REQUEST, "ask for it as 127.0.0.1 or localhost\n").into_response();
    }
    next.run(request).await
}

/// Whether a person or this page itself asks for it, as far as a browser says; other programs say nothing.
fn is_asked_for_here(method: &Method, headers: &HeaderMap) -> bool {
    let is = |name: &str, expected: &str| headers.get(name).is_some_and(|value| value == expected);
    let mut sites = headers.get_all("sec-fetch-site").iter();
    match (sites.next(), sites.next()) {
        (None, _) => true,
        (Some(site), None) if site == "same-origin" || site == "none" => true,
        (Some(_), _) => {
            method == Method::GET && is("sec-fetch-mode", "navigate") && is("sec-fetch-dest", "document")
        }
    }
}

fn is_this_host(headers: &HeaderMap, uri: &Uri) -> bool {
    if let Some(host) = uri.host() {
        return is_loopback(host);
    }
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next().and_then(|host| host.to_str().ok()), hosts.next()) else {
        return false;
    };
    let name = match host.rsplit_once(':') {
        // Any port: it may be forwarded.
        Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    is_loopback(name)
}

fn is_loopback(name: &str) -> bool {
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether a form was sent from one of this page's own documents, as far as a browser says.
pub fn is_own_form(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    // Without a referrer, a form's origin is null even to its own host: this one is told all the same.
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    match (text("origin"), text("host")) {
        (None, _) => true,
        (Some(origin), Some(host)) => {
            origin.split_once("://").is_some_and(|(_, authority)| authority == host)
        }
        (Some(_), None) => false,
    }
}

/// What every answer says to browsers.
pub async fn add_headers(request: Request<Body>, next: Next) -> Response {
    const HEADERS: [(&str, &str); 8] = [
        (
            "content-security-policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    ];
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The address that attempts are counted by.
pub fn address(visitor: Option<Extension<Visitor>>) -> IpAddr {
    visitor.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |Extension(Visitor(address))| address.ip())
}
