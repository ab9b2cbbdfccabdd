//! What the page is asked for, and what that costs, counted for the collector's metrics.

use std::time::Duration;

use axum::http::StatusCode;

use super::topics::Weight;
use crate::exposition::{Count, Families, Label, Level, Times};
use crate::serve::Failure;

/// Upper bounds of the times that questions take, in milliseconds: those that take longest are given up after half an hour.
const BOUNDS: &[u64] =
    &[1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000, 1_800_000];

/// Statuses that the page answers with. Others share a place.
const STATUSES: [(u16, &str); 13] = [
    (200, "200"),
    (303, "303"),
    (400, "400"),
    (401, "401"),
    (403, "403"),
    (404, "404"),
    (405, "405"),
    (408, "408"),
    (413, "413"),
    (421, "421"),
    (429, "429"),
    (500, "500"),
    (503, "503"),
];

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Page,
    File,
    Login,
    Asset,
    Other,
}

impl Kind {
    /// All of them, each in the place of its number.
    const ALL: [(Self, &'static str); 5] = [
        (Self::Page, "page"),
        (Self::File, "csv"),
        (Self::Login, "login"),
        (Self::Asset, "asset"),
        (Self::Other, "other"),
    ];

    pub fn of(path: &str) -> Self {
        match path {
            "/" => Self::Page,
            "/login" | "/logout" => Self::Login,
            _ if path.starts_with("/csv/") => Self::File,
            _ if path.starts_with("/assets/") => Self::Asset,
            _ => Self::Other,
        }
    }
}

/// Why a request is not answered, whatever it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    AnotherSite,
    AnotherHost,
    NotLoggedIn,
}

impl Refused {
    /// All of them, each in the place of its number.
    const ALL: [(Self, &'static str); 3] = [
        (Self::AnotherSite, "another_site"),
        (Self::AnotherHost, "another_host"),
        (Self::NotLoggedIn, "not_logged_in"),
    ];
}

/// Everything that is counted of the page.
#[derive(Debug)]
pub struct Counters {
    /// By kind, and then by status.
    requests: Vec<Count>,
    refused: Vec<Count>,
    /// By weight.
    questions: Vec<Times>,
    unanswered: Vec<Count>,
    /// Connections at present.
    pub connections: Level,
    handshakes_failed: Vec<Count>,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            requests: Count::many(Kind::ALL.len() * (STATUSES.len() + 1)),
            refused: Count::many(Refused::ALL.len()),
            questions: Weight::ALL.iter().map(|_| Times::new(BOUNDS)).collect(),
            unanswered: Count::many(Weight::ALL.len()),
            connections: Level::default(),
            handshakes_failed: Count::many(Failure::ALL.len()),
        }
    }
}

fn add(counts: &[Count], place: usize) {
    if let Some(count) = counts.get(place) {
        count.add(1);
    }
}

impl Counters {
    /// Counts an answer.
    pub fn answered(&self, kind: Kind, status: StatusCode) {
        let place = STATUSES.iter().position(|(known, _)| *known == status.as_u16());
        add(&self.requests, kind as usize * (STATUSES.len() + 1) + place.unwrap_or(STATUSES.len()));
    }

    pub fn refused(&self, why: Refused) {
        add(&self.refused, why as usize);
    }

    /// Counts a question to the store.
    pub fn asked(&self, weight: Weight, took: Duration, is_answered: bool) {
        if let Some(times) = self.questions.get(weight as usize) {
            times.add(took);
        }
        if !is_answered {
            add(&self.unanswered, weight as usize);
        }
    }

    pub fn handshake_failed(&self, failure: Failure) {
        add(&self.handshakes_failed, failure as usize);
    }

    /// Writes all of it.
    pub fn write(&self, families: &mut Families) {
        let statuses = || STATUSES.iter().map(|(_, name)| *name).chain(["other"]);
        let names = Kind::ALL.iter().flat_map(|(_, kind)| statuses().map(|status| (*kind, status)));
        let requests = names
            .zip(&self.requests)
            .map(|((kind, status), count)| (vec![("kind", kind), ("status", status)], count.get()))
            // There are many that never occur.
            .filter(|(_, count)| *count > 0);
        families.counters(
            "page_requests_total",
            "Requests to the page that were answered, by kind and status.",
            requests,
        );
        let one = |label: Label, count: &Count| (vec![label], count.get());
        let refused = Refused::ALL.iter().zip(&self.refused);
        families.counters(
            "page_refused_total",
            "Requests to the page that were turned away, by reason.",
            refused.map(|((_, name), count)| one(("reason", name), count)),
        );
        let weight = |weight: &Weight| vec![("weight", weight.name())];
        families.times(
            "page_question_seconds",
            "How long the page's questions to the store took, by weight.",
            Weight::ALL.iter().map(weight).zip(&self.questions),
        );
        let unanswered = Weight::ALL.iter().map(weight).zip(self.unanswered.iter().map(Count::get));
        families.counters(
            "page_questions_unanswered_total",
            "Those of them that had no answer, by weight.",
            unanswered,
        );
        families.gauge("page_connections", "Connections with the page at present.", &self.connections);
        let failed = Failure::ALL.iter().zip(&self.handshakes_failed);
        families.counters(
            "page_handshakes_failed_total",
            "Connections with the page that ended before the first request could come, by reason.",
            failed.map(|(failure, count)| one(("reason", failure.name()), count)),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_in_the_place_of_its_number() {
        for (place, (kind, _)) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, place);
        }
        for (place, (refused, _)) in Refused::ALL.into_iter().enumerate() {
            assert_eq!(refused as usize, place);
        }
        for (place, weight) in Weight::ALL.into_iter().enumerate() {
            assert_eq!(weight as usize, place);
        }
        for (number, name) in STATUSES {
            assert_eq!(number.to_string(), name);
        }
    }

    #[test]
    fn what_happened_is_told_where_it_belongs() {
        let counters = Counters::default();
        counters.answered(Kind::of("/csv/services/ranking"), StatusCode::OK);
        counters.answered(Kind::of("/"), StatusCode::IM_A_TEAPOT);
        counters.refused(Refused::AnotherHost);
        counters.asked(Weight::Heavy, Duration::from_millis(1_500), false);
        counters.connections.set(3);
        counters.handshake_failed(Failure::Revoked);
        let mut families = Families::default();
        counters.write(&mut families);
        let text = families.text();
        for line in [
            "page_requests_total{kind=\"csv\",status=\"200\"} 1",
            "page_requests_total{kind=\"page\",status=\"other\"} 1",
            "page_refused_total{reason=\"another_host\"} 1",
            "page_refused_total{reason=\"not_logged_in\"} 0",
            "page_question_seconds_bucket{weight=\"heavy\",le=\"2.000\"} 1",
            "page_question_seconds_sum{weight=\"heavy\"} 1.500000",
            "page_questions_unanswered_total{weight=\"heavy\"} 1",
            "page_questions_unanswered_total{weight=\"light\"} 0",
            "page_connections 3",
            "page_handshakes_failed_total{reason=\"revoked\"} 1",
        ] {
            assert!(text.lines().any(|found| found == format!("apus_collector_{line}")), "{line}\n{text}");
        }
    }
}
