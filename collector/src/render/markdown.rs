//! The report as GitHub-flavoured Markdown: tables, and figures as what a text can show of them.

mod figures;

use super::calendar;
use super::escape::markdown as escaped;
use super::html::{cell, sensors_in_words};
use super::numbers::decimals;
use super::words::Words;
use crate::language::Language;
use crate::report::model::{Block, Cell, ColumnKind, Report, Section, Table};

/// The whole report.
#[must_use]
pub fn markdown(report: &Report, language: Language) -> String {
    let words = Words::of(language);
    let mut text = format!("# {}\n\n", escaped(report.title.of(language)));
    for (name, span) in [(words.period, &report.period), (words.compared_with, &report.previous)] {
        let quarter = span.name.as_ref().map(|name| format!("{} ", escaped(name))).unwrap_or_default();
        text.push_str(&format!(
            "- {name}{}{quarter}{}\n",
            words.colon,
            escaped(&calendar::span(span, language))
        ));
    }
    text.push_str(&format!(
        "- {}{}{}\n\n",
        words.sensors,
        words.colon,
        escaped(&sensors_in_words(report, language))
    ));
    if !report.sensors.is_empty() {
        let head = [words.sensor, words.observed_days, words.previous_observed_days].map(str::to_owned);
        let rows = report.sensors.iter().map(|sensor| {
            let days = [sensor.observed_days, sensor.previous_observed_days].map(|days| decimals(days, 1));
            [escaped(&sensor.sensor)].into_iter().chain(days).collect()
        });
        text.push_str(&grid(&head, &[false, true, true], rows));
    }
    let (mut figures, mut tables) = (0, 0);
    for (at, section) in report.sections.iter().enumerate() {
        text.push_str(&section_text(section, at + 1, &mut figures, &mut tables, language));
    }
    text.push_str(&format!("## {}\n\n- {}\n", words.sources, words.sensors_note));
    for source in &report.sources {
        text.push_str(&format!("- {}\n", escaped(source.of(language))));
    }
    text
}

fn section_text(
    section: &Section,
    number: usize,
    figures: &mut u32,
    tables: &mut u32,
    language: Language,
) -> String {
    let words = Words::of(language);
    let mut text = format!("## {number}. {}\n\n", escaped(section.title.of(language)));
    let sentences: Vec<String> =
        section.summary.iter().map(|sentence| escaped(sentence.of(language))).collect();
    if !sentences.is_empty() {
        text.push_str(&format!("{}\n\n", sentences.join(words.between_sentences)));
    }
    for block in &section.blocks {
        let (kind, number, title) = match block {
            Block::Table(table) => (words.table, &mut *tables, &table.title),
            Block::Figure(figure) => (words.figure, &mut *figures, &figure.title),
            Block::Matrix(matrix) => (words.figure, &mut *figures, &matrix.title),
        };
        *number += 1;
        text.push_str(&format!(
            "**{kind}{}{number}**{}{}\n\n",
            words.before_number,
            words.colon,
            escaped(title.of(language))
        ));
        text.push_str(&match block {
            Block::Table(table) => table_text(table, language),
            Block::Figure(figure) => figures::figure(figure, language),
            Block::Matrix(matrix) => figures::matrix(matrix, language),
        });
    }
    text
}

fn table_text(table: &Table, language: Language) -> String {
    let head: Vec<String> = table.columns.iter().map(|column| escaped(column.name.of(language))).collect();
    let are_numbers: Vec<bool> = table.columns.iter().map(|column| column.kind != ColumnKind::Text).collect();
    if table.rows.is_empty() || head.is_empty() {
        return format!("{}\n\n", Words::of(language).nothing_to_list);
    }
    let rows = table.rows.iter().map(|row| {
        let cells = table.columns.iter().enumerate();
        cells
            .map(|(at, column)| escaped(&cell(row.get(at).unwrap_or(&Cell::Nothing), column, language)))
            .collect()
    });
    grid(&head, &are_numbers, rows)
}

/// A table of cells that are escaped already, and an empty line.
fn grid(head: &[String], are_numbers: &[bool], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(head);
    let rules: Vec<String> =
        are_numbers.iter().map(|is_number| if *is_number { "---:" } else { "---" }.to_owned()).collect();
    text.push_str(&line(&rules));
    for row in rows {
        text.push_str(&line(&row));
    }
    text.push('\n');
    text
}
