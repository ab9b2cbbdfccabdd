//! What stands before the sections and after them: the head, the contents, the sources.

use crate::language::Language;
use crate::render::calendar;
use crate::render::escape::{anchor, xml};
use crate::render::numbers::{decimals, share};
use crate::render::words::Words;
use crate::report::model::{Report, SensorDays};

/// More sensors are told at the end, so that the report begins on its first page.
const MOST_IN_HEAD: usize = 6;

/// Title, period, and sensors.
#[must_use]
pub fn header(report: &Report, language: Language) -> String {
    let words = Words::of(language);
    let mut html = format!("<header>\n<h1>{}</h1>\n<dl>\n", xml(report.title.of(language)));
    let mut entry = |name: &str, value: &str| {
        html.push_str(&format!("<div><dt>{name}</dt><dd>{value}</dd></div>\n"));
    };
    for (name, span) in [(words.period, &report.period), (words.compared_with, &report.previous)] {
        let value = xml(&calendar::span(span, language));
        match &span.name {
            Some(quarter) => entry(name, &format!("<b>{}</b> {value}", xml(quarter))),
            None => entry(name, &value),
        }
    }
    entry(words.sensors, &xml(&sensors_in_words(report, language)));
    html.push_str("</dl>\n");
    if report.sensors.len() <= MOST_IN_HEAD {
        html.push_str(&sensors(report, language));
    }
    html.push_str("</header>\n");
    html
}

/// Such as `3 (270.5 of 276 sensor-days observed, 98.0%)`.
#[must_use]
pub fn sensors_in_words(report: &Report, language: Language) -> String {
    let words = Words::of(language);
    let count = report.sensors.len();
    let observed: f64 = report.sensors.iter().map(|sensor| sensor.observed_days).sum();
    let whole = count as f64 * f64::from(report.period.days);
    if whole == 0.0 {
        return count.to_string();
    }
    let (observed_days, whole_days, part) =
        (decimals(observed, 1), decimals(whole, 0), share(observed / whole));
    match language {
        Language::English => {
            format!("{count} ({observed_days} of {whole_days} {}, {part})", words.sensor_days)
        }
        Language::Japanese => {
            format!("{count}台（延べ{whole_days}センサー日のうち{observed_days}を観測、{part}）")
        }
    }
}

fn sensors(report: &Report, language: Language) -> String {
    let words = Words::of(language);
    if report.sensors.is_empty() {
        return String::new();
    }
    let mut html = format!(
        "<div class=\"scroll\"><table class=\"sensors\">\n<thead><tr><th scope=\"col\">{}</th>\
         <th scope=\"col\" class=\"number\">{}</th><th scope=\"col\" class=\"number\">{}</th>\
         <th scope=\"col\" class=\"number\">{}</th></tr></thead>\n<tbody>\n",
        words.sensor, words.observed_days, words.observed_share, words.previous_observed_days
    );
    for SensorDays { sensor, observed_days, previous_observed_days } in &report.sensors {
        html.push_str(&format!(
            "<tr><th scope=\"row\">{}</th><td class=\"number\">{}</td><td class=\"number\">{}</td>\
             <td class=\"number\">{}</td></tr>\n",
            xml(sensor),
            decimals(*observed_days, 1),
            xml(&share(observed_days / f64::from(report.period.days.max(1)))),
            decimals(*previous_observed_days, 1)
        ));
    }
    html.push_str("</tbody>\n</table></div>\n");
    html
}

/// The list of sections.
#[must_use]
pub fn contents(report: &Report, language: Language) -> String {
    let words = Words::of(language);
    let mut html =
        format!("<nav aria-labelledby=\"contents\">\n<h2 id=\"contents\">{}</h2>\n<ol>\n", words.contents);
    for section in &report.sections {
        let title = xml(section.title.of(language));
        html.push_str(&format!("<li><a href=\"#{}\">{title}</a></li>\n", anchor(&section.id)));
    }
    html.push_str("</ol>\n");
    html.push_str(&format!("<p><a href=\"#sources\">{}</a></p>\n</nav>\n", words.sources));
    html
}

/// What the numbers rest on.
#[must_use]
pub fn sources(report: &Report, words: &Words, language: Language) -> String {
    let mut html = format!(
        "<section id=\"sources\" aria-labelledby=\"sources-heading\">\n<h2 id=\"sources-heading\">{}</h2>\n<ul>\n\
         <li>{}</li>\n",
        words.sources, words.sensors_note
    );
    for source in &report.sources {
        html.push_str(&format!("<li>{}</li>\n", xml(source.of(language))));
    }
    html.push_str("</ul>\n");
    if report.sensors.len() > MOST_IN_HEAD {
        html.push_str(&format!("<h3>{}</h3>\n", words.sensors));
        html.push_str(&sensors(report, language));
    }
    html.push_str("</section>\n");
    html
}
