//! The page's sections, and what each of them has: its figure, its table, its CSV, and the SQL behind it.

pub mod health;
pub mod packets;
pub mod sources;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::answers::Entry;
use super::course::name_of;
use super::figures::{self, Room};
use super::look::{Look, View};
use super::names::Names;
use super::observed::{Absent, Observed};
use super::topics::{Asked, Topic};
use super::words::{self, Word};
use super::written::count;
use crate::language::Language;
use crate::render::escape::{xml, xml_of_lines};
use crate::report::model::Figure;
use crate::store::{Facet, Hour, Span, Value, utc};

/// What a section is made of.
pub struct Seen<'a> {
    pub look: &'a Look,
    pub language: Language,
    pub names: &'a Names,
    pub topic: Topic,
    /// Absent while it is being worked out.
    pub entry: Option<&'a Entry>,
    /// What was observed by the sensors that are looked at here.
    pub observed: Option<&'a Entry>,
    /// Nanoseconds since the Unix epoch.
    pub now: u64,
}

impl Seen<'_> {
    pub const fn word(&self, word: Word) -> &'static str {
        word.of(self.language)
    }

    /// Writes the section around what `inside` writes of the entry, or what stands in its place.
    pub fn section(
        &self,
        title: Word,
        html: &mut String,
        inside: impl FnOnce(&Entry, &Observed, &mut String),
    ) {
        let name = self.topic.name();
        // What was not observed is no zero: as long as that is not known, nothing is told.
        let both = self.entry.zip(self.observed);
        let pending = if both.is_none() { " data-pending" } else { "" };
        let _infallible = write!(
            html,
            "<section id=\"{name}\" class=\"{}\" data-live{pending} aria-labelledby=\"{name}-title\">\
             <h2 id=\"{name}-title\">{}</h2>",
            Room::of(self.topic).class(),
            self.word(title)
        );
        match both {
            None => {
                let _infallible = write!(html, "<p class=\"pending\">{}</p>", self.word(words::WORKING));
            }
            Some((Entry { asked: Err(error), .. }, _) | (_, Entry { asked: Err(error), .. })) => {
                let failed = self.word(words::FAILED);
                let _infallible = write!(html, "<p class=\"failed\">{failed} {}</p>", xml(error));
            }
            Some((entry, observed)) => {
                if let Some(error) = entry.failed.as_ref().or(observed.failed.as_ref()) {
                    let failed = self.word(words::NOT_ANEW);
                    let _infallible = write!(html, "<p class=\"failed\">{failed} {}</p>", xml(error));
                }
                inside(entry, &Observed::read(observed), html);
                let _infallible = write!(
                    html,
                    "<p class=\"asof\">{}: <time>{}</time></p>",
                    self.word(words::AS_OF),
                    second(entry.at)
                );
            }
        }
        html.push_str("</section>");
    }

    /// A figure, and as its table the same numbers; nothing where nobody was observing.
    pub fn figure(
        &self,
        figure: &Figure,
        (span, observed): (Span, &Observed),
        time: Word,
        html: &mut String,
    ) {
        if figure.series.iter().all(|series| series.values.iter().all(Option::is_none)) {
            return;
        }
        html.push_str(&figures::figure(figure, Room::of(self.topic), self.language));
        self.tell_gaps(figure, span, observed, html);
        let is_present = span.places().last().is_some_and(|place| {
            let present = Hour::of(self.now);
            place.0 == present.day() && place.1.is_none_or(|hour| hour == present.of_day())
        });
        if is_present {
            let _infallible = write!(html, "<p class=\"note\">{}</p>", self.word(words::LAST_IS_SHORT));
        }
        let title = figure.title.of(self.language);
        self.open_table(&format!("{}-figure", figure.id), title, html);
        let _infallible = write!(html, "<tr><th scope=\"col\">{}</th>", self.word(time));
        for series in &figure.series {
            let _infallible = write!(
                html,
                "<th scope=\"col\" class=\"number\">{}</th>",
                xml(series.name.of(self.language))
            );
        }
        html.push_str("</tr></thead><tbody>");
        for (place, unit) in span.places().into_iter().enumerate().rev() {
            let _infallible = write!(html, "<tr><th scope=\"row\">{}</th>", name_of(unit));
            for series in &figure.series {
                let absent = || {
                    let is_of_sensors = self.topic == Topic::Packets(Facet::Sensor);
                    let sensor = Some(series.name.of(self.language)).filter(|_| is_of_sensors);
                    let absent = observed.absent(unit, sensor).unwrap_or(Absent::Unobserved);
                    absent.words(|word| self.word(word))
                };
                match series.values.get(place).copied().flatten() {
                    Some(value) => {
                        let _infallible = write!(html, "<td class=\"number\">{}</td>", count(value as u64));
                    }
                    None => {
                        let _infallible = write!(html, "<td class=\"gap\">{}</td>", absent());
                    }
                }
            }
            html.push_str("</tr>");
        }
        html.push_str("</tbody></table></div></details>");
    }

    /// Why there are gaps, where it is not that nobody was observing.
    fn tell_gaps(&self, figure: &Figure, span: Span, observed: &Observed, html: &mut String) {
        let places = span.places();
        let is_gap = |place: usize| {
            figure.series.iter().any(|series| series.values.get(place).copied().flatten().is_none())
        };
        let gaps = places.iter().enumerate().filter(|(place, _)| is_gap(*place));
        let reasons: BTreeSet<String> = gaps
            .filter_map(|(_, place)| observed.absent(*place, None))
            .filter(|absent| *absent != Absent::Unobserved)
            .map(|absent| absent.words(|word| self.word(word)))
            .collect();
        for reason in reasons {
            let _infallible = write!(html, "<p class=\"note\">{}: {reason}</p>", self.word(words::GAPS));
        }
    }

    /// Opens a table that a person opens; what is to be closed is `</tbody></table></div></details>`.
    pub fn open_table(&self, id: &str, title: &str, html: &mut String) {
        let table = self.word(words::TABLE);
        let _infallible = write!(
            html,
            "<details id=\"{id}\"><summary>{table}: {title}</summary>\
             <div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"{table}: {title} ({})\"><table><thead>",
            self.word(words::SCROLLS),
            title = xml(title),
        );
    }

    /// Where the answer is to be had as CSV, and the SQL behind it.
    pub fn behind(&self, asked: &Asked, view: &View, html: &mut String) {
        self.behind_of(self.topic, asked, view, html);
    }

    /// The same, of another topic's answer.
    pub fn behind_of(&self, topic: Topic, asked: &Asked, view: &View, html: &mut String) {
        let (section, topic, id) = (self.topic.name(), topic.name(), asked.id);
        let look = Look { view: view.clone(), language: self.look.language };
        let file = self.word(words::file(id));
        let _infallible = write!(
            html,
            "<div class=\"behind\"><p class=\"csv\"><a href=\"/csv/{topic}/{id}{}\" download=\"{topic}-{id}.csv\">\
             {}: {file}</a></p><details id=\"{section}-{id}-sql\"><summary>{}: {file}</summary><p class=\"note\">{}</p>\
             <pre tabindex=\"0\"><code>{}</code></pre></details></div>",
            xml(&look.query()),
            self.word(words::CSV),
            self.word(words::SQL),
            self.word(words::ASK),
            xml_of_lines(&asked.sql)
        );
    }
}

/// A moment, to the second.
pub fn second(nanoseconds: u64) -> String {
    let text = utc(nanoseconds);
    match text.split_once('.') {
        Some((second, _)) => format!("{}Z", second.replace('T', " ")),
        None => text,
    }
}

/// A moment of an answer, to the second.
pub fn second_of(value: Option<&Value>) -> String {
    match value {
        Some(Value::Text(text)) => match text.split_once('.') {
            Some((second, _)) => format!("{}Z", second.replace('T', " ")),
            None => text.clone(),
        },
        _ => String::new(),
    }
}

/// A link that narrows the view.
pub fn link(id: &str, target: &str, words: &str) -> String {
    format!("<a id=\"{}\" href=\"{}\">{}</a>", xml(id), xml(target), xml(words))
}

/// A share of 1, as per cent.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
