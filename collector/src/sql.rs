//! `sql`: a question in SQL, which can change nothing.

use std::io::{self, Write};
use std::time::Duration;

use crate::store::{Answer, StoreArguments, StoreError, Value};

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Table,
    Csv,
    Json,
}

#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    pub store: StoreArguments,
    /// One SELECT. Tables are intervals, counters, flows, tuples, port_day, source_day, counter_day, uptime_day, window_day, port_hour, uptime_hour.
    pub question: String,
    #[arg(long, value_enum, default_value = "table")]
    pub format: Format,
    /// Rows that are answered at most; all of them have to fit in memory.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub rows: usize,
    /// How long the answer may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub seconds: u64,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot print: {0}")]
    Print(#[from] io::Error),
}

/// Prints the answer.
///
/// # Errors
/// Where the question cannot be answered.
pub fn run(arguments: &Arguments, output: &mut impl Write) -> Result<(), SqlError> {
    let Arguments { store, question, format, rows, seconds } = arguments;
    let answer = store.reader()?.query(question, *rows, Duration::from_secs(*seconds))?;
    match format {
        Format::Table => table(&answer, output)?,
        Format::Csv => csv(&answer, output)?,
        Format::Json => json(&answer, output)?,
    }
    if answer.is_cut {
        log::warn!("there are more than {rows} rows: ask for more with --rows, or for less with LIMIT");
    }
    Ok(())
}

fn table(answer: &Answer, output: &mut impl Write) -> io::Result<()> {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(&answer.columns);
    for row in &answer.rows {
        table.add_row(row.iter().map(Value::to_string));
    }
    for line in table.lines() {
        writeln!(output, "{}", line.trim_end())?;
    }
    Ok(())
}

/// As RFC 4180 has it.
///
/// # Errors
/// Where it cannot be written.
pub fn csv(answer: &Answer, output: &mut impl Write) -> io::Result<()> {
    let quote = |text: &str| {
        if text.contains(['"', ',', '\n', '\r']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text.to_owned()
        }
    };
    let header: Vec<String> = answer.columns.iter().map(|name| quote(name)).collect();
    writeln!(output, "{}", header.join(","))?;
    for row in &answer.rows {
        let row: Vec<String> = row.iter().map(|value| quote(&value.to_string())).collect();
        writeln!(output, "{}", row.join(","))?;
    }
    Ok(())
}

/// A list of rows, each a list, for two columns may have one name.
fn json(answer: &Answer, output: &mut impl Write) -> io::Result<()> {
    let value = |value: &Value| match value {
        Value::Nothing => serde_json::Value::Null,
        Value::Integer(number) => (*number).into(),
        Value::Real(number) => (*number).into(),
        Value::Text(text) => text.as_str().into(),
        Value::Bytes(_) => value.to_string().into(),
    };
    let rows: Vec<Vec<_>> = answer.rows.iter().map(|row| row.iter().map(value).collect()).collect();
    let all = serde_json::json!({ "columns": answer.columns, "rows": rows, "is_cut": answer.is_cut });
    serde_json::to_writer(&mut *output, &all)?;
    writeln!(output)
}

#[cfg(test)]
mod tests;
