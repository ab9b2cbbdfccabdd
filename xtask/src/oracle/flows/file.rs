//! The sensor's file of flows: CSV, with the names of the columns in the first line.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::schema::{Kind, Schema, kind};
use super::{Key, Table};
use crate::oracle::clock;

/// Every row of a file that the sensor wrote.
pub fn read(schema: &Schema, path: &Path) -> Result<Table> {
    let text = fs::read_to_string(path).context("the sensor has written no flows")?;
    parse(schema, &text)
}

pub fn parse(schema: &Schema, text: &str) -> Result<Table> {
    // What is in these files needs none; so no comma is anything but the end of a field.
    ensure!(!text.contains('"'), "there are quotation marks in the flows");
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().context("the flows have no names of columns")?.split(',').collect();
    let Schema { flow_key, keys, values } = schema;
    let place = |column: &&str| {
        let place = names.iter().position(|name| name == column);
        place.with_context(|| format!("the flows by {flow_key} have no column {column}"))
    };
    let key_places: Vec<usize> = keys.iter().map(place).collect::<Result<_>>()?;
    let value_places: Vec<usize> = values.iter().map(place).collect::<Result<_>>()?;
    let known = key_places.len() + value_places.len();
    ensure!(names.len() == known, "the flows by {flow_key} have columns that nothing is known of: {names:?}");
    let mut table = Table::new();
    for line in lines {
        let fields: Vec<&str> = line.split(',').collect();
        ensure!(fields.len() == names.len(), "{} columns, but in {line:?}", names.len());
        let read = |places: &[usize]| -> Result<Vec<String>> {
            places.iter().map(|place| plain(names[*place], fields[*place])).collect()
        };
        let key: Key = read(&key_places)?;
        let values = read(&value_places)?;
        let twice = table.insert(key, values).is_some();
        ensure!(!twice, "two flows by {flow_key} have the same key: {line:?}");
    }
    Ok(table)
}

/// The same in the one way in which it is compared.
fn plain(column: &str, field: &str) -> Result<String> {
    Ok(match kind(column) {
        Kind::Address if !field.is_empty() => {
            let address: IpAddr = field.parse().with_context(|| format!("{column} is {field:?}"))?;
            address.to_string()
        }
        Kind::Time => clock::from_rfc3339(field).context(column.to_owned())?.to_string(),
        Kind::Address | Kind::Text => field.to_owned(),
    })
}
