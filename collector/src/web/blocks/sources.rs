//! Source addresses: how many there are, and those that sent most.

use std::fmt::Write as _;

use super::{Seen, link, second_of};
use crate::render::escape::xml;
use crate::store::Value;
use crate::web::answers::Entry;
use crate::web::course::{self, integer};
use crate::web::look::{Period, View};
use crate::web::names::Names;
use crate::web::topics::{BY_DAY, COUNT, LIST};
use crate::web::words;
use crate::web::written::count;

/// Nothing tells how much of a source each sensor saw: what is behind it is of all of them.
fn view(seen: &Seen<'_>) -> View {
    View { sensor: None, ..seen.look.view.clone() }
}

pub fn write_count(seen: &Seen<'_>, html: &mut String) {
    seen.section(words::SOURCES_TITLE, html, |entry, observed, html| {
        note(seen, html);
        if let Some(asked) = entry.find(COUNT) {
            let sources = integer(asked.answer.rows.first().and_then(|row| row.first())).unwrap_or(0);
            let _infallible = write!(
                html,
                "<p class=\"total\">{}: <strong id=\"source-count\">{}</strong></p>",
                seen.word(words::IN_ALL),
                count(sources)
            );
            seen.behind(asked, &view(seen), html);
        }
        if let Some(figure) = course::sources(entry, observed) {
            seen.figure(&figure, (entry.span, observed), words::DAY_COLUMN, html);
        }
        if let Some(by_day) = entry.find(BY_DAY) {
            seen.behind(by_day, &view(seen), html);
        }
    });
}

fn note(seen: &Seen<'_>, html: &mut String) {
    if seen.look.view.sensor.is_some() {
        let _infallible = write!(html, "<p class=\"note\">{}</p>", seen.word(words::ALL_SENSORS));
    }
}

pub fn write_list(seen: &Seen<'_>, html: &mut String) {
    seen.section(words::SOURCE_LIST, html, |entry, _, html| {
        note(seen, html);
        if seen.look.view.period == Period::Day {
            let _infallible = write!(html, "<p class=\"note\">{}</p>", seen.word(words::WHOLE_DAYS));
        }
        list(seen, entry, html);
        if let Some(asked) = entry.find(LIST) {
            seen.behind(asked, &view(seen), html);
        }
    });
}

fn list(seen: &Seen<'_>, entry: &Entry, html: &mut String) {
    let Some(asked) = entry.find(LIST) else { return };
    if asked.answer.rows.is_empty() {
        let _infallible = write!(html, "<p class=\"empty\">{}</p>", seen.word(words::NOTHING));
        return;
    }
    let name = seen.topic.name();
    let _infallible = write!(
        html,
        "<div class=\"wide tall\" tabindex=\"0\" role=\"region\" aria-labelledby=\"{name}-title\"><table><thead><tr>"
    );
    let columns = [
        (words::SOURCE, ""),
        (words::REGION, ""),
        (words::PACKETS, " class=\"number\""),
        (words::FIRST_SEEN, ""),
        (words::LAST_SEEN, ""),
        (words::PORTS_COLUMN, " class=\"number\""),
        (words::SIGNATURE, ""),
    ];
    for (word, class) in columns {
        let _infallible = write!(html, "<th scope=\"col\"{class}>{}</th>", seen.word(word));
    }
    html.push_str("</tr></thead><tbody>");
    for (place, row) in asked.answer.rows.iter().enumerate() {
        let text = |column: usize| match row.get(column) {
            Some(Value::Text(text)) => text.as_str(),
            _ => "",
        };
        let region = match text(1).as_bytes().try_into() {
            Ok(code) => region(seen, place, code),
            Err(_) => String::new(),
        };
        let _infallible = write!(
            html,
            "<tr><th scope=\"row\"><code>{}</code></th><td>{region}</td><td class=\"number\">{}</td><td class=\"time\">{}</td>\
             <td class=\"time\">{}</td><td class=\"number\">{}</td><td>{}</td></tr>",
            xml(text(0)),
            count(integer(row.get(2)).unwrap_or(0)),
            second_of(row.get(3)),
            second_of(row.get(4)),
            count(integer(row.get(5)).unwrap_or(0)),
            xml(text(6)),
        );
    }
    html.push_str("</tbody></table></div>");
}

fn region(seen: &Seen<'_>, place: usize, code: [u8; 2]) -> String {
    let names: &Names = seen.names;
    let target = seen.look.at(View { region: Some(code), ..seen.look.view.clone() });
    link(&format!("source-region-{place}"), &target, &names.region(code, seen.language))
}
