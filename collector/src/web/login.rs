//! Logging in, and out.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse as _, Redirect, Response};

use super::Site;
use super::guard::{self, Guard, Visitor};
use super::look::{Look, decoded};
use super::page::document;
use super::routes::language_of;
use super::users::Hashed;
use super::words::{self, Word};
use crate::language::Language;
use crate::render::escape::xml;

/// Bytes of a form.
const MOST_FORM: usize = 8 << 10;
/// How long an attempt waits for those before it: one password is looked at at a time.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a form may take to come.
const LONGEST_FORM: Duration = Duration::from_secs(10);

/// What a person was told last.
fn form(look: &Look, language: Language, complaint: Option<Word>) -> Html<String> {
    let word = |word: Word| word.of(language);
    let mut body = format!("<main class=\"login\" id=\"main\"><h1>{}</h1>", word(words::TITLE));
    if let Some(complaint) = complaint {
        let _infallible = write!(body, "<p class=\"failed\" role=\"alert\">{}</p>", word(complaint));
    }
    let _infallible = write!(
        body,
        "<form method=\"post\" action=\"/login{}\"><label for=\"name\">{}</label>\
         <input id=\"name\" name=\"name\" autocomplete=\"username\" autocapitalize=\"none\" required autofocus>\
         <label for=\"password\">{}</label>\
         <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\" required>\
         <button>{}</button></form><nav aria-label=\"{}\"><ul>",
        xml(&look.query()),
        word(words::NAME),
        word(words::PASSWORD),
        word(words::LOG_IN),
        word(words::LANGUAGES),
    );
    for other in Language::ALL {
        let look = Look { language: Some(other), ..look.clone() };
        let name = if other == Language::Japanese { "日本語" } else { "English" };
        let code = other.code();
        let _infallible =
            write!(body, "<li><a lang=\"{code}\" href=\"/login{}\">{name}</a></li>", xml(&look.query()));
    }
    body += "</ul></nav></main>";
    Html(document(language, word(words::LOG_IN), &body))
}

fn look_of(uri: &Uri) -> Look {
    // Who has lost their way logs in to the first page.
    Look::read(uri.query().unwrap_or_default()).unwrap_or_default()
}

pub async fn show(uri: Uri, headers: HeaderMap) -> Html<String> {
    let look = look_of(&uri);
    let language = language_of(&look, &headers);
    form(&look, language, None)
}

pub async fn log_in(
    State(site): State<Arc<Site>>,
    visitor: Option<Extension<Visitor>>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let look = look_of(&uri);
    let language = language_of(&look, &headers);
    let target = format!("/{}", look.query());
    let Guard::Users { users, sessions, attempts } = &site.guard else {
        return Redirect::to(&target).into_response();
    };
    if !guard::is_own_form(&headers) {
        return (StatusCode::FORBIDDEN, "this form was not sent from here\n").into_response();
    }
    let body = match tokio::time::timeout(LONGEST_FORM, to_bytes(body, MOST_FORM)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return (StatusCode::PAYLOAD_TOO_LARGE, "no form is so long\n").into_response(),
        Err(_) => return (StatusCode::REQUEST_TIMEOUT, "the form did not come\n").into_response(),
    };
    let address = guard::address(visitor);
    let too_many = || {
        let form = form(&look, language, Some(words::TOO_MANY));
        (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "60")], form).into_response()
    };
    if !attempts.may(address) {
        return too_many();
    }
    let body = String::from_utf8_lossy(&body).into_owned();
    let field = |name: &str| {
        let mut pairs = body.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| decoded(value)).unwrap_or_default()
    };
    let (name, password) = (field("name"), field("password"));
    let known = users.find(&name);
    let hashed = known.clone().unwrap_or_else(Hashed::of_nobody);
    let turn = Arc::clone(&site.hashing).acquire_owned();
    let Ok(Ok(turn)) = tokio::time::timeout(PATIENCE, turn).await else {
        return too_many();
    };
    let checked = tokio::task::spawn_blocking(move || {
        // It is looked at to its end even where the one who asked has gone: the turn ends with it, and not before.
        let _turn = turn;
        hashed.is_of(&password)
    });
    let checked = checked.await;
    match known.filter(|_| checked.unwrap_or(false)).and_then(|hashed| sessions.begin(&name, hashed)) {
        Some(token) => {
            log::info!("{name} has logged in to the page from {address}");
            ([(header::SET_COOKIE, guard::cookie(Some(&token)))], Redirect::to(&target)).into_response()
        }
        None => {
            log::warn!("somebody at {address} could not log in to the page");
            (StatusCode::UNAUTHORIZED, form(&look, language, Some(words::WRONG))).into_response()
        }
    }
}

pub async fn log_out(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    if !guard::is_own_form(&headers) {
        return (StatusCode::FORBIDDEN, "this form was not sent from here\n").into_response();
    }
    if let (Guard::Users { sessions, .. }, Some(token)) = (&site.guard, guard::token(&headers)) {
        sessions.end(token);
    }
    ([(header::SET_COOKIE, guard::cookie(None))], Redirect::to("/login")).into_response()
}
