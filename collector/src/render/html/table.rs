//! Tables, and how their cells are written.

use crate::language::Language;
use crate::render::escape::{anchor, xml};
use crate::render::numbers::{NOTHING, count, decimals, ratio, share};
use crate::render::words::Words;
use crate::report::model::{Cell, Column, ColumnKind, Table};

/// A table of more rows may be broken across pages.
const MOST_ROWS_TOGETHER: usize = 24;

/// A table with its number, such as `Table 1`, before its title.
#[must_use]
pub fn table(table: &Table, number: &str, language: Language) -> String {
    let words = Words::of(language);
    let is_long = table.rows.len() > MOST_ROWS_TOGETHER;
    let number = xml(number);
    let mut html = format!(
        "<div class=\"scroll{}\" id=\"{}\" tabindex=\"0\" role=\"region\" aria-label=\"{number}\"><table>\n\
         <caption><b>{number}</b>{}{}</caption>\n<thead><tr>",
        if is_long { " long" } else { "" },
        anchor(&table.id),
        words.colon,
        xml(table.title.of(language))
    );
    for column in &table.columns {
        let name = xml(column.name.of(language));
        html.push_str(&format!("<th scope=\"col\"{}>{name}</th>", class(column.kind)));
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    if table.rows.is_empty() {
        let columns = table.columns.len().max(1);
        html.push_str(&format!("<tr><td colspan=\"{columns}\">{}</td></tr>\n", words.nothing_to_list));
    }
    // What a row is about is its first text.
    let head = table.columns.iter().position(|column| column.kind == ColumnKind::Text);
    for row in &table.rows {
        html.push_str("<tr>");
        for (at, column) in table.columns.iter().enumerate() {
            let text = xml(&cell(row.get(at).unwrap_or(&Cell::Nothing), column, language));
            let class = class(column.kind);
            html.push_str(&match head == Some(at) {
                true => format!("<th scope=\"row\"{class}>{text}</th>"),
                false => format!("<td{class}>{text}</td>"),
            });
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table></div>\n");
    html
}

fn class(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Text => "",
        ColumnKind::Rank => " class=\"rank\"",
        ColumnKind::Count | ColumnKind::Decimal | ColumnKind::Share | ColumnKind::Ratio => {
            " class=\"number\""
        }
    }
}

/// What a cell says, unescaped.
#[must_use]
pub fn cell(cell: &Cell, column: &Column, language: Language) -> String {
    match (cell, column.kind) {
        (Cell::Text(text), _) => text.of(language).to_owned(),
        (Cell::Nothing, ColumnKind::Rank) => Words::of(language).below_ten.to_owned(),
        (Cell::Nothing, _) => NOTHING.to_owned(),
        (Cell::Number(number), ColumnKind::Count | ColumnKind::Rank | ColumnKind::Text) => count(*number),
        (Cell::Number(number), ColumnKind::Decimal) => decimals(*number, 1),
        (Cell::Number(number), ColumnKind::Share) => share(*number),
        (Cell::Number(number), ColumnKind::Ratio) => ratio(*number, language),
    }
}
