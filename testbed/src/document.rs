//! The sensor's JSON documents as what they are to a test: counters with names.

use sensor_user::counters::Totals;
use sensor_user::document::Document;
use serde::Serialize;
use serde_json::{Map, Value};
use wire::{Counter, CounterError, Dimension, dimension};

/// A key that stands, in an expected document, for all its siblings that are not named: their sum is
/// known, and not which of them.
pub const ANY: &str = "*";

/// A counter that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Its place in the document, such as `/tcp/scan_dst_ports/23`.
    pub counter: String,
    pub expected: u64,
    pub counted: u64,
}

/// A document in which everything is zero.
#[must_use]
pub fn empty() -> Value {
    // Serializing into memory fails only for maps whose keys are no text.
    serde_json::to_value(Document::new(&Totals::default(), &[])).unwrap_or_default()
}

/// The document of counters in long form, as a collector has them; windows are told by their own numbers.
///
/// # Errors
/// Where there is a key that no counter has.
pub fn from_counters(counters: &[Counter]) -> Result<Value, CounterError> {
    let is_window = |counter: &&Counter| counter.dimension == Dimension::Window;
    let windows: Vec<u16> =
        counters.iter().filter(is_window).filter_map(|counter| u16::try_from(counter.key).ok()).collect();
    let mut totals = Totals::default();
    dimension::add_to(&mut totals, counters, &windows)?;
    Ok(serde_json::to_value(Document::new(&totals, &windows)).unwrap_or_default())
}

/// Adds `by` to the counter at `pointer`, such as `/tcp/scan_dst_ports/23`.
pub fn raise(document: &mut Value, pointer: &str, by: u64) {
    let mut place = document;
    for key in pointer.split('/').skip(1) {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        place = &mut place[key];
    }
    *place = (place.as_u64().unwrap_or(0) + by).into();
}

/// Adds an interval's counts to those of others. Only what [`empty`] has at its top is counts: an
/// interval's number is not.
pub fn add(total: &mut Value, interval: &Value) {
    let Value::Object(sections) = total.clone() else {
        return;
    };
    for section in sections.keys() {
        for (pointer, count) in counters(&interval[section], format!("/{section}")) {
            raise(total, &pointer, count);
        }
    }
}

/// Every counter of which one document has more than the other. Absent is zero.
#[must_use]
pub fn differences(expected: &Value, counted: &Value) -> Vec<Difference> {
    let expected: Map<String, Value> = named(expected);
    let mut counted: Map<String, Value> = named(counted);
    for wildcard in expected.keys().filter(|name| name.ends_with(ANY)) {
        let siblings = wildcard.trim_end_matches(ANY);
        let is_sibling = |name: &String| {
            name.starts_with(siblings)
                && !name[siblings.len()..].contains('/')
                && !expected.contains_key(name)
        };
        let names: Vec<String> = counted.keys().filter(|name| is_sibling(name)).cloned().collect();
        let sum: u64 = names.iter().filter_map(|name| counted.remove(name)?.as_u64()).sum();
        counted.insert(wildcard.clone(), sum.into());
    }
    let mut names: Vec<&String> = expected.keys().chain(counted.keys()).collect();
    names.sort();
    names.dedup();
    let count =
        |document: &Map<String, Value>, name: &str| document.get(name).and_then(Value::as_u64).unwrap_or(0);
    names
        .into_iter()
        .map(|name| Difference {
            counter: name.clone(),
            expected: count(&expected, name),
            counted: count(&counted, name),
        })
        .filter(|difference| difference.expected != difference.counted)
        .collect()
}

/// Every counter by its pointer, zeros too.
#[must_use]
pub fn counters(document: &Value, pointer: String) -> Vec<(String, u64)> {
    match document {
        Value::Object(fields) => {
            fields.iter().flat_map(|(key, value)| counters(value, format!("{pointer}/{key}"))).collect()
        }
        value => value.as_u64().map(|count| (pointer, count)).into_iter().collect(),
    }
}

fn named(document: &Value) -> Map<String, Value> {
    counters(document, String::new()).into_iter().map(|(name, count)| (name, count.into())).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn intervals_add_up_without_what_is_no_count() {
        let mut total = empty();
        let interval = json!({"sequence": 7, "packets": 2, "tcp": {"flags": {"0x02": 2}}});
        add(&mut total, &interval);
        add(&mut total, &interval);
        let mut expected = empty();
        raise(&mut expected, "/packets", 4);
        raise(&mut expected, "/tcp/flags/0x02", 4);
        assert_eq!(total, expected);
    }

    #[test]
    fn every_counter_is_compared_and_absent_is_zero() {
        let expected = json!({"packets": 3, "udp": {"dst_ports": {"53": 1}}, "bytes": 0});
        let counted = json!({"packets": 3, "udp": {"dst_ports": {"54": 1}}});
        let difference =
            |counter: &str, expected, counted| Difference { counter: counter.into(), expected, counted };
        let different = [difference("/udp/dst_ports/53", 1, 0), difference("/udp/dst_ports/54", 0, 1)];
        assert_eq!(differences(&expected, &counted), different);
    }

    #[test]
    fn a_wildcard_is_the_sum_of_the_siblings_that_are_not_named() {
        let expected = json!({"ports": {"23": 1, "*": 5}, "other": 1});
        assert_eq!(differences(&expected, &json!({"ports": {"23": 1, "1": 2, "2": 3}, "other": 1})), []);
        let different = differences(&expected, &json!({"ports": {"1": 2}, "other": 1}));
        assert_eq!(
            different.iter().map(|one| one.counter.as_str()).collect::<Vec<_>>(),
            ["/ports/*", "/ports/23"]
        );
    }
}
