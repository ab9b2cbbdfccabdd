//! The report as one page of HTML, which is well-formed XML as well: it has its style in itself, runs no script, and
//! asks for no other file.

mod front;
mod table;

pub use front::sensors_in_words;
pub use table::{cell, table};

use super::calendar::day;
use super::escape::{anchor, xml};
use super::numbers::{Measure, NOTHING, count};
use super::svg::{self, Look};
use super::words::Words;
use crate::language::Language;
use crate::report::model::{Block, Figure, Matrix, Report, Section};

const STYLE: &str = include_str!("html/style.css");

/// Numbers of figures and tables, which are counted through the whole report.
#[derive(Default)]
struct Counters {
    figures: u32,
    tables: u32,
}

/// The whole page.
#[must_use]
pub fn html(report: &Report, language: Language) -> String {
    let words = Words::of(language);
    let code = language.code();
    let title = xml(report.title.of(language));
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"{code}\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n"
    );
    page.push_str(&front::header(report, language));
    page.push_str(&front::contents(report, language));
    page.push_str("<main>\n");
    let mut counters = Counters::default();
    for (at, section) in report.sections.iter().enumerate() {
        page.push_str(&section_html(section, at + 1, &mut counters, language));
    }
    page.push_str("</main>\n<footer>\n");
    page.push_str(&front::sources(report, words, language));
    page.push_str("</footer>\n</body>\n</html>\n");
    page
}

fn section_html(section: &Section, number: usize, counters: &mut Counters, language: Language) -> String {
    let words = Words::of(language);
    let id = anchor(&section.id);
    let mut html = format!(
        "<section id=\"{id}\" aria-labelledby=\"{id}-heading\">\n<h2 id=\"{id}-heading\">{number}. {}</h2>\n",
        xml(section.title.of(language))
    );
    let sentences: Vec<String> = section.summary.iter().map(|sentence| xml(sentence.of(language))).collect();
    if !sentences.is_empty() {
        html.push_str(&format!("<p>{}</p>\n", sentences.join(words.between_sentences)));
    }
    for block in &section.blocks {
        html.push_str(&match block {
            Block::Table(block) => {
                counters.tables += 1;
                table(block, &format!("{}{}{}", words.table, words.before_number, counters.tables), language)
            }
            Block::Figure(figure) => {
                counters.figures += 1;
                let draw = |look: &Look<'_>| svg::figure(figure, language, look);
                drawn(&figure.id, figure.title.of(language), counters.figures, draw, words)
                    + &values_of_figure(figure, counters.figures, language)
            }
            Block::Matrix(matrix) => {
                counters.figures += 1;
                let draw = |look: &Look<'_>| svg::matrix(matrix, language, look);
                drawn(&matrix.id, matrix.title.of(language), counters.figures, draw, words)
                    + &values_of_matrix(matrix, counters.figures, language)
            }
        });
    }
    html.push_str("</section>\n");
    html
}

/// A figure twice, of which the style sheet shows one: for paper and screens, and for phones.
fn drawn(id: &str, title: &str, number: u32, draw: impl Fn(&Look<'_>) -> String, words: &Words) -> String {
    format!(
        "<figure id=\"{}\">\n<div class=\"wide\">{}</div>\n<div class=\"phone\">{}</div>\n\
         <figcaption><b>{}{}{number}</b>{}{}</figcaption>\n</figure>\n",
        anchor(id),
        draw(&Look::PAGE),
        draw(&Look::PHONE),
        words.figure,
        words.before_number,
        words.colon,
        xml(title)
    )
}

fn values_of_figure(figure: &Figure, number: u32, language: Language) -> String {
    let names = figure.series.iter().map(|series| series.name.of(language));
    let measures: Vec<Measure> =
        figure.series.iter().map(|series| Measure::of(series.values.iter().flatten().copied())).collect();
    let value = |series: usize, day: usize| {
        let value = figure.series.get(series)?.values.get(day).copied().flatten()?;
        value.is_finite().then_some(measures.get(series)?.write(value))
    };
    values(number, &figure.days, &names.collect::<Vec<_>>(), value, language)
}

fn values_of_matrix(matrix: &Matrix, number: u32, language: Language) -> String {
    let names = matrix.rows.iter().map(|row| row.name.of(language));
    let value = |row: usize, day: usize| {
        matrix.rows.get(row)?.values.get(day).copied().flatten().map(|value| count(value as f64))
    };
    values(number, &matrix.days, &names.collect::<Vec<_>>(), value, language)
}

/// What a figure shows as a table, for whoever wants the numbers: on a screen only.
fn values(
    number: u32,
    days: &[String],
    names: &[&str],
    value: impl Fn(usize, usize) -> Option<String>,
    language: Language,
) -> String {
    let words = Words::of(language);
    let title = format!("{}{}{}{number}", words.values_of, words.figure, words.before_number);
    // What scrolls can be reached by the keyboard, and so has a name.
    let mut html = format!(
        "<details class=\"values\">\n<summary>{title}</summary>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" \
         aria-label=\"{title}\"><table>\n<thead><tr><th scope=\"col\">{}</th>",
        words.day
    );
    for name in names {
        html.push_str(&format!("<th scope=\"col\" class=\"number\">{}</th>", xml(name)));
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for (at, text) in days.iter().enumerate() {
        html.push_str(&format!("<tr><th scope=\"row\">{}</th>", xml(&day(text, language))));
        for series in 0..names.len() {
            let cell = value(series, at);
            match cell {
                Some(cell) => html.push_str(&format!("<td class=\"number\">{}</td>", xml(&cell))),
                None => html.push_str(&format!(
                    "<td class=\"number absent\"><span title=\"{}\">{NOTHING}</span></td>",
                    words.not_observed
                )),
            }
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table></div>\n</details>\n");
    html
}
