//! The page itself: its frame, what was chosen, and the sections.

use std::fmt::Write as _;
use std::sync::Arc;

use super::answers::Entry;
use super::blocks::{Seen, health, packets, sources};
use super::look::{Look, Period, View};
use super::names::Names;
use super::topics::{Key, Topic};
use super::words::{self, Word};
use crate::intake::unix_nanoseconds;
use crate::language::Language;
use crate::render::escape::xml;
use crate::store::{Facet, FacetValue};

/// All that a page is made of.
pub struct Page<'a> {
    pub look: &'a Look,
    pub language: Language,
    pub names: &'a Names,
    /// Who has logged in.
    pub user: Option<&'a str>,
    /// What is known of each of [`Page::keys`].
    pub entries: &'a [Option<Arc<Entry>>],
}

impl Page<'_> {
    /// What is to be known for it: each of [`Topic::ALL`], and what was observed, by the sensor that is looked at and by all.
    pub fn keys(view: &View) -> Vec<Key> {
        let everybody = View { sensor: None, ..view.clone() };
        let topics = Topic::ALL.map(|topic| Key::new(topic, view)).into_iter();
        topics.chain([view, &everybody].map(|view| Key::new(Topic::Observed, view))).collect()
    }

    /// The whole document.
    pub fn html(&self) -> String {
        let mut body = String::new();
        self.header(&mut body);
        body += "<main id=\"main\" tabindex=\"-1\">";
        self.chosen(&mut body);
        let now = unix_nanoseconds();
        let known = |place: usize| self.entries.get(place).and_then(Option::as_deref);
        let (of_sensor, of_all) = (known(Topic::ALL.len()), known(Topic::ALL.len() + 1));
        for (place, topic) in Topic::ALL.into_iter().enumerate() {
            let observed = if matches!(topic, Topic::Packets(_)) { of_sensor } else { of_all };
            let (look, language, names) = (self.look, self.language, self.names);
            let seen = Seen { look, language, names, topic, entry: known(place), observed, now };
            match topic {
                Topic::Health => health::write(&seen, &mut body),
                Topic::Packets(facet) => packets::write(&seen, facet, &mut body),
                Topic::SourceCount => sources::write_count(&seen, &mut body),
                Topic::SourceList => sources::write_list(&seen, &mut body),
                // It has no section of its own.
                Topic::Observed => {}
            }
        }
        let _infallible = write!(body, "</main><footer><p>{}</p></footer>", words::UPDATES.of(self.language));
        document(self.language, words::TITLE.of(self.language), &body)
    }

    fn header(&self, html: &mut String) {
        let language = self.language;
        let word = |word: Word| word.of(language);
        let _infallible = write!(
            html,
            "<a class=\"skip\" href=\"#main\">{}</a><header><h1><a href=\"{}\">{}</a></h1>",
            word(words::SKIP),
            xml(&self.look.at(View::default())),
            word(words::TITLE),
        );
        let _infallible = write!(html, "<nav aria-label=\"{}\"><ul>", word(words::PERIODS));
        for period in Period::ALL {
            let view = View { period, ..self.look.view.clone() };
            let current = if period == self.look.view.period { " aria-current=\"page\"" } else { "" };
            let _infallible = write!(
                html,
                "<li><a id=\"period-{}\" href=\"{}\"{current}>{}</a></li>",
                period.name(),
                xml(&self.look.at(view)),
                word(words::period(period))
            );
        }
        let _infallible = write!(html, "</ul></nav><nav aria-label=\"{}\"><ul>", word(words::LANGUAGES));
        for other in Language::ALL {
            let look = Look { language: Some(other), ..self.look.clone() };
            let (code, name) = (other.code(), if other == Language::Japanese { "日本語" } else { "English" });
            let current = if other == language { " aria-current=\"true\"" } else { "" };
            let _infallible = write!(
                html,
                "<li><a id=\"lang-{code}\" lang=\"{code}\" hreflang=\"{code}\" href=\"/{}\"{current}>{name}</a></li>",
                xml(&look.query())
            );
        }
        html.push_str("</ul></nav>");
        if let Some(user) = self.user {
            let _infallible = write!(
                html,
                "<form method=\"post\" action=\"/logout\"><button id=\"logout\">{} ({})</button></form>",
                word(words::LOG_OUT),
                xml(user)
            );
        }
        html.push_str("</header>");
    }

    /// What is looked at, each part with a link that widens it again.
    fn chosen(&self, html: &mut String) {
        let View { period: _, sensor, service, region, class, signatures } = &self.look.view;
        let view = || self.look.view.clone();
        let class = class.map(|class| class.name().to_owned());
        let parts = [
            service.map(|one| (Facet::Service, FacetValue::Service(one), View { service: None, ..view() })),
            region.map(|code| (Facet::Region, FacetValue::Region(code), View { region: None, ..view() })),
            class.map(|name| (Facet::Class, FacetValue::Class(name), View { class: None, ..view() })),
            signatures.clone().map(|text| {
                (Facet::Signatures, FacetValue::Signatures(text), View { signatures: None, ..view() })
            }),
            sensor
                .clone()
                .map(|name| (Facet::Sensor, FacetValue::Sensor(name), View { sensor: None, ..view() })),
        ];
        let word = |word: Word| word.of(self.language);
        html.push_str("<section class=\"chosen\" aria-label=\"");
        let _infallible = write!(html, "{}\">", word(words::CHOSEN));
        if parts.iter().all(Option::is_none) {
            let _infallible = write!(html, "<p>{}</p>", word(words::EVERYTHING));
        } else {
            let _infallible = write!(html, "<p>{}:</p><ul>", word(words::CHOSEN));
            for (facet, value, wider) in parts.into_iter().flatten() {
                let column = word(words::facet_column(facet));
                let mut value_words = self.names.of(&value, self.language);
                if let FacetValue::Service(service) = &value
                    && let Some(name) = self.names.service(service)
                {
                    let _infallible = write!(value_words, " {name}");
                }
                let _infallible = write!(
                    html,
                    "<li>{column}: <strong>{}</strong> <a href=\"{}\" aria-label=\"{column}: {remove}\">{remove}</a></li>",
                    xml(&value_words),
                    xml(&self.look.at(wider)),
                    remove = word(words::REMOVE),
                );
            }
            html.push_str("</ul>");
        }
        html.push_str("</section>");
    }
}

/// A document around a body.
pub fn document(language: Language, title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{}</title>\
         <link rel=\"icon\" href=\"/assets/icon.svg\" type=\"image/svg+xml\">\
         <link rel=\"stylesheet\" href=\"/assets/page.css\"><script src=\"/assets/page.js\" defer></script>\
         </head><body>{body}</body></html>\n",
        language.code(),
        xml(title)
    )
}
