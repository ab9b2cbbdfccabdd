//! What SQL can call here besides what SQLite brings.

use std::net::IpAddr;

use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{FromSql as _, FromSqlError, ValueRef};
use rusqlite::{Connection, Error, Result};

use super::address::{Address, SensorSet, region_of};
use super::kind;
use super::sum::Sum;
use crate::store::{region_code, utc};

const FLAGS: FunctionFlags = FunctionFlags::SQLITE_UTF8
    .union(FunctionFlags::SQLITE_DETERMINISTIC)
    .union(FunctionFlags::SQLITE_INNOCUOUS);

/// Gives a connection all of them.
pub fn register(connection: &Connection) -> Result<()> {
    connection.create_scalar_function(c"address_text", 1, FLAGS, address_text)?;
    connection.create_scalar_function(c"address_value", 1, FLAGS, address_value)?;
    connection.create_scalar_function(c"region_text", 1, FLAGS, |context| {
        Ok(region_code(region_of(context.get::<i64>(0)? & 1023)))
    })?;
    connection.create_scalar_function(c"signatures_text", 1, FLAGS, |context| {
        Ok(signatures_text(context.get::<i64>(0)?.to_le_bytes()[0]))
    })?;
    connection.create_scalar_function(c"watched_kind", 2, FLAGS, watched_kind)?;
    connection.create_aggregate_function(c"signatures_in_all", 1, FLAGS, SignaturesInAll)?;
    connection.create_scalar_function(c"utc", 1, FLAGS, |context| {
        let time: Option<i64> = context.get(0)?;
        Ok(time.and_then(|time| u64::try_from(time).ok()).map(utc))
    })?;
    connection.create_scalar_function(c"sensors_merge", 2, FLAGS, merge)?;
    connection.create_scalar_function(c"sensors_count", 1, FLAGS, |context| {
        let mut set = SensorSet::default();
        set.add(context.get_raw(0)).map_err(argument)?;
        Ok(set.count())
    })?;
    connection.create_aggregate_function(c"sensors_in_all", 1, FLAGS, InAll)?;
    connection.create_window_function(c"sum", 1, FLAGS, Sum)
}

/// Names of signatures, by their bits.
const SIGNATURES: [&str; 8] = ["mirai", "zmap", "masscan", "bit3", "bit4", "bit5", "bit6", "bit7"];

/// Signatures as people see them, such as `mirai+zmap`.
pub fn signatures_text(bits: u8) -> String {
    let names = SIGNATURES.iter().enumerate().filter(|(place, _)| bits & 1 << place != 0);
    names.map(|(_, name)| *name).collect::<Vec<_>>().join("+")
}

/// The bits of signatures whose text this is.
pub fn signatures_of(text: &str) -> Option<u8> {
    let bits = text.split('+').map(|name| SIGNATURES.iter().position(|known| *known == name));
    let bits = bits.fold(0_u8, |bits, place| place.map_or(bits, |place| bits | 1 << place));
    (signatures_text(bits) == text).then_some(bits)
}

/// The signatures that any of these texts has.
struct SignaturesInAll;

impl Aggregate<u8, String> for SignaturesInAll {
    fn init(&self, _: &mut Context<'_>) -> Result<u8> {
        Ok(0)
    }

    fn step(&self, context: &mut Context<'_>, bits: &mut u8) -> Result<()> {
        *bits |= context.get::<Option<String>>(0)?.and_then(|text| signatures_of(&text)).unwrap_or(0);
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, bits: Option<u8>) -> Result<String> {
        Ok(signatures_text(bits.unwrap_or(0)))
    }
}

fn argument(error: FromSqlError) -> Error {
    Error::UserFunctionError(Box::new(error))
}

/// An address as people write it; nothing for what is none.
fn address_text(context: &Context<'_>) -> Result<Option<String>> {
    match context.get_raw(0) {
        // A row of many sources has none: see `flows`.
        ValueRef::Null | ValueRef::Blob([]) => Ok(None),
        value => Address::column_result(value)
            .map(|address| Some(IpAddr::from(address).to_string()))
            .map_err(argument),
    }
}

/// An address as columns hold it, from how people write it; nothing for what is none.
fn address_value(context: &Context<'_>) -> Result<Option<Address>> {
    let text: String = context.get(0)?;
    Ok(text.parse::<IpAddr>().ok().map(Address::from))
}

/// A flow's kind as sums by source have it: with its window where that is one of the list. What is no list has none.
fn watched_kind(context: &Context<'_>) -> Result<i64> {
    let number: i64 = context.get(0)?;
    let Some(window) = kind::Kind::of(number).window else { return Ok(number & kind::WITHOUT_WINDOW) };
    // It is asked of each flow, so that the list is not read into memory each time.
    let list = context.get_raw(1).as_str().unwrap_or_default();
    let list = list.strip_prefix('[').and_then(|list| list.strip_suffix(']')).unwrap_or_default();
    let is_watched = list.split(',').any(|watched| watched.parse() == Ok(window));
    Ok(if is_watched { number } else { number & kind::WITHOUT_WINDOW })
}

/// The set of both sets' sensors: an id as long as there is only one, which is the case of nearly all rows.
fn merge(context: &Context<'_>) -> Result<rusqlite::types::Value> {
    if let (ValueRef::Integer(one), ValueRef::Integer(other)) = (context.get_raw(0), context.get_raw(1))
        && one == other
    {
        return Ok(one.into());
    }
    let mut set = SensorSet::default();
    set.add(context.get_raw(0)).map_err(argument)?;
    set.add(context.get_raw(1)).map_err(argument)?;
    Ok(set.into_bits().into())
}

struct InAll;

impl Aggregate<SensorSet, i64> for InAll {
    fn init(&self, _: &mut Context<'_>) -> Result<SensorSet> {
        Ok(SensorSet::default())
    }

    fn step(&self, context: &mut Context<'_>, set: &mut SensorSet) -> Result<()> {
        set.add(context.get_raw(0)).map_err(argument)
    }

    fn finalize(&self, _: &mut Context<'_>, set: Option<SensorSet>) -> Result<i64> {
        Ok(set.map_or(0, |set| set.count()))
    }
}
