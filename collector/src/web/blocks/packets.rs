//! Packets by port, region, class, signature, or sensor: a ranking, and how it came about.

use std::fmt::Write as _;

use super::{Seen, link, percent};
use crate::render::escape::xml;
use crate::store::{Facet, FacetValue, Span, Value};
use crate::web::course::{self, integer};
use crate::web::look::{Period, View};
use crate::web::observed::{Absent, Observed};
use crate::web::topics::{self, BESIDE_FLOWS, COURSE, RANKING, Topic, width};
use crate::web::words;
use crate::web::written::count;

pub fn write(seen: &Seen<'_>, facet: Facet, html: &mut String) {
    seen.section(words::facet_title(facet), html, |entry, observed, html| {
        let Some(ranking) = entry.find(RANKING) else { return };
        if ranking.answer.rows.is_empty() {
            let _infallible = write!(html, "<p class=\"empty\">{}</p>", nothing(seen, entry.span, observed));
        } else {
            table(seen, facet, &ranking.answer.rows, html);
        }
        if facet == Facet::Service && !ranking.answer.rows.is_empty() {
            let _infallible = write!(html, "<p class=\"note\">{}</p>", seen.word(words::NAME_NOTE));
        }
        beside_flows(seen, observed, html);
        seen.behind(ranking, &seen.look.view, html);
        if let Some(figure) = course::packets(facet, entry, observed, seen.names) {
            let time = if seen.look.view.period == Period::Day { words::TIME } else { words::DAY_COLUMN };
            seen.figure(&figure, (entry.span, observed), time, html);
        }
        if let Some(course) = entry.find(COURSE) {
            seen.behind(course, &seen.look.view, html);
        }
    });
}

/// Why there are no packets: because nobody knows, or because there were none.
fn nothing(seen: &Seen<'_>, span: Span, observed: &Observed) -> String {
    let mut reason = None;
    for place in span.places() {
        match observed.absent(place, seen.look.view.sensor.as_deref()) {
            None => return seen.word(words::NOTHING).into(),
            Some(Absent::Unobserved) => {}
            Some(absent) => reason = reason.or(Some(absent)),
        }
    }
    let nobody = || seen.word(words::NOBODY).into();
    reason.map_or_else(nobody, |reason| reason.words(|word| seen.word(word)))
}

/// What these figures cannot have.
fn beside_flows(seen: &Seen<'_>, observed: &Observed, html: &mut String) {
    let beside = observed.beside_flows();
    if beside.missing == 0 {
        return;
    }
    let _infallible = write!(
        html,
        "<p class=\"note\">{}: <strong class=\"beside\">{}</strong> {} {}</p>",
        seen.word(words::BESIDE_FLOWS),
        count(beside.missing),
        seen.word(words::OF),
        count(beside.observed)
    );
    if let Some(asked) = seen.observed.and_then(|observed| observed.find(BESIDE_FLOWS)) {
        let View { period, sensor, .. } = seen.look.view.clone();
        seen.behind_of(Topic::Observed, asked, &View { period, sensor, ..View::default() }, html);
    }
}

fn table(seen: &Seen<'_>, facet: Facet, rows: &[Vec<Value>], html: &mut String) {
    let topic = seen.topic.name();
    let has_names = facet == Facet::Service
        && rows.iter().any(|row| match topics::value(facet, row) {
            Some(FacetValue::Service(service)) => seen.names.service(&service).is_some(),
            _ => false,
        });
    let _infallible = write!(
        html,
        "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-labelledby=\"{topic}-title\"><table><thead><tr>\
         <th scope=\"col\" class=\"number\">{}</th><th scope=\"col\">{}</th>",
        seen.word(words::RANK),
        seen.word(words::facet_column(facet))
    );
    if has_names {
        let _infallible = write!(html, "<th scope=\"col\">{}</th>", seen.word(words::SERVICE_NAME));
    }
    for word in [words::PACKETS, words::SHARE, words::BYTES] {
        let _infallible = write!(html, "<th scope=\"col\" class=\"number\">{}</th>", seen.word(word));
    }
    html.push_str("</tr></thead><tbody>");
    for (rank, row) in rows.iter().enumerate() {
        let Some(value) = topics::value(facet, row) else { continue };
        let figures = row.get(width(facet)..).unwrap_or_default();
        let target = seen.look.at(seen.look.view.with(&value));
        let words = seen.names.of(&value, seen.language);
        let _infallible = write!(
            html,
            "<tr><td class=\"number\">{}</td><th scope=\"row\">{}</th>",
            rank + 1,
            link(&format!("{topic}-{rank}"), &target, &words)
        );
        if has_names {
            let name = match &value {
                FacetValue::Service(service) => seen.names.service(service).unwrap_or_default(),
                _ => String::new(),
            };
            let _infallible = write!(html, "<td>{}</td>", xml(&name));
        }
        let share = match figures.get(2) {
            Some(Value::Real(share)) => *share,
            _ => 0.0,
        };
        let _infallible = write!(
            html,
            "<td class=\"number\">{}</td><td class=\"number share\">{}<svg class=\"bar\" viewBox=\"0 0 100 4\" \
             preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect width=\"{:.1}\" height=\"4\"/></svg></td>\
             <td class=\"number\">{}</td></tr>",
            count(integer(figures.first()).unwrap_or(0)),
            percent(share),
            share.clamp(0.0, 1.0) * 100.0,
            count(integer(figures.get(1)).unwrap_or(0)),
        );
    }
    html.push_str("</tbody></table></div>");
}
