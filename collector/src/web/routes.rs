//! What can be asked for.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};

use super::counters::Kind;
use super::guard::{Person, add_headers, admit, check_request};
use super::look::{Look, LookError};
use super::page::{Page, document};
use super::topics::{Key, Topic};
use super::words;
use super::{Site, figures, login};
use crate::language::Language;
use crate::render::escape::xml;
use crate::sql;

/// How long a page waits for what is not known yet: what takes longer comes by the refresh.
const PAGE_PATIENCE: Duration = Duration::from_millis(50);
/// The same of a file, of which there is no refresh.
const FILE_PATIENCE: Duration = Duration::from_secs(20);

const SCRIPT: &str = include_str!("assets/page.js");
const ICON: &str = include_str!("assets/icon.svg");

/// The page's paths.
pub fn router(site: Arc<Site>) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/csv/{topic}/{id}", get(csv))
        .route("/login", get(login::show).post(login::log_in))
        .route("/logout", post(login::log_out))
        .route("/assets/page.css", get(async || asset("text/css; charset=utf-8", figures::style())))
        .route("/assets/page.js", get(async || asset("text/javascript; charset=utf-8", SCRIPT)))
        .route("/assets/icon.svg", get(async || asset("image/svg+xml", ICON)))
        .fallback(async || (StatusCode::NOT_FOUND, "there is nothing here; the page is at /\n"))
        .method_not_allowed_fallback(async || (StatusCode::METHOD_NOT_ALLOWED, "the page is read with GET\n"))
        .layer(from_fn_with_state(Arc::clone(&site), admit))
        .layer(from_fn_with_state(Arc::clone(&site), check_request))
        .layer(from_fn(add_headers))
        .layer(from_fn_with_state(Arc::clone(&site), counted))
        .with_state(site)
}

/// Counts what is answered, the refusals with the rest.
async fn counted(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let kind = Kind::of(request.uri().path());
    let answer = next.run(request).await;
    site.counters.answered(kind, answer.status());
    answer
}

fn asset(kind: &'static str, content: impl Into<Body>) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], content.into()).into_response()
}

/// The language that an address asks for, or else the browser.
pub fn language_of(look: &Look, headers: &HeaderMap) -> Language {
    look.language.unwrap_or_else(|| {
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        accepted.and_then(preferred).unwrap_or_default()
    })
}

/// Of the languages that there are, the one with the greatest weight; of those alike, the first.
fn preferred(accepted: &str) -> Option<Language> {
    let weighed = accepted.split(',').filter_map(|part| {
        let mut words = part.split(';');
        let tag = words.next()?.trim().to_ascii_lowercase();
        let primary = tag.split('-').next()?;
        let language = Language::ALL.into_iter().find(|language| language.code() == primary)?;
        let weight =
            words.find_map(|word| word.trim().strip_prefix("q=")?.parse::<f64>().ok()).unwrap_or(1.0);
        (weight > 0.0).then_some((language, weight))
    });
    weighed.reduce(|best, other| if other.1 > best.1 { other } else { best }).map(|(language, _)| language)
}

fn wrong_address(headers: &HeaderMap, error: &LookError) -> Response {
    let language = language_of(&Look::default(), headers);
    let body = format!(
        "<main id=\"main\"><h1>{}</h1><p class=\"failed\">{}</p><p><a href=\"/\">{}</a></p></main>",
        words::ERROR_TITLE.of(language),
        xml(&error.to_string()),
        words::BACK.of(language)
    );
    let document = document(language, words::ERROR_TITLE.of(language), &body);
    (StatusCode::BAD_REQUEST, Html(document)).into_response()
}

async fn page(
    State(site): State<Arc<Site>>,
    Extension(person): Extension<Person>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let look = match Look::read(uri.query().unwrap_or_default()) {
        Ok(look) => look,
        Err(error) => return wrong_address(&headers, &error),
    };
    let keys = Page::keys(&look.view);
    let entries = site.answers.look(&keys, PAGE_PATIENCE).await;
    let language = language_of(&look, &headers);
    let page =
        Page { look: &look, language, names: &site.names, user: person.0.as_deref(), entries: &entries };
    let vary = (header::VARY, HeaderValue::from_static("accept-language, cookie"));
    ([vary], Html(page.html())).into_response()
}

/// The answer to a question, as `apus-collector sql --format csv` prints it.
async fn csv(
    State(site): State<Arc<Site>>,
    Path((topic, id)): Path<(String, String)>,
    request: Request,
) -> Response {
    let Some(topic) = Topic::named(&topic) else {
        return (StatusCode::NOT_FOUND, "the page has no such section\n").into_response();
    };
    let look = match Look::read(request.uri().query().unwrap_or_default()) {
        Ok(look) => look,
        Err(error) => return wrong_address(request.headers(), &error),
    };
    let entry = site.answers.look(&[Key::new(topic, &look.view)], FILE_PATIENCE).await.pop().flatten();
    let Some(entry) = entry else {
        let later = [(header::RETRY_AFTER, "30")];
        return (StatusCode::SERVICE_UNAVAILABLE, later, "it is being worked out: ask again\n")
            .into_response();
    };
    if let Err(error) = &entry.asked {
        return (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response();
    }
    let Some(asked) = entry.find(&id) else {
        return (StatusCode::NOT_FOUND, "the section has no such file\n").into_response();
    };
    let mut text = Vec::new();
    if let Err(error) = sql::csv(&asked.answer, &mut text) {
        return (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response();
    }
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    ([kind], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browsers_languages_are_weighed() {
        for (accepted, expected) in [
            ("ja", Some(Language::Japanese)),
            ("en-US,en;q=0.9,ja;q=0.8", Some(Language::English)),
            ("fr, en;q=0.3, ja-JP;q=0.7", Some(Language::Japanese)),
            ("fr", None),
            ("ja;q=0, en;q=0.1", Some(Language::English)),
            ("", None),
            (";;q=x", None),
        ] {
            assert_eq!(preferred(accepted), expected, "{accepted}");
        }
    }
}
