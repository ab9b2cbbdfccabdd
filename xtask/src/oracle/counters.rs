//! Counters by name: `outcomes.ipv4_tcp`, `tcp.scan_dst_ports.23`, as in the sensor's JSON document.
//! A counter that is not there is 0.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use serde_json::Value;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    by_name: BTreeMap<String, u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub what: String,
    pub apus: String,
    pub tshark: String,
}

impl Counters {
    /// Every number in a document, under its path. Words in it are no counters.
    pub fn from_document(document: &Value) -> Result<Self> {
        let mut counters = Self::default();
        counters.gather("", document)?;
        Ok(counters)
    }

    fn gather(&mut self, path: &str, value: &Value) -> Result<()> {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    let separator = if path.is_empty() { "" } else { "." };
                    self.gather(&format!("{path}{separator}{name}"), member)?;
                }
            }
            Value::Number(number) => match number.as_u64() {
                Some(count) => self.add(path, count),
                None => bail!("{path} is {number}, which is no count"),
            },
            Value::String(_) | Value::Null | Value::Bool(_) => {}
            Value::Array(_) => bail!("{path} is a list, where counters have names"),
        }
        Ok(())
    }

    pub fn add(&mut self, name: &str, count: u64) {
        if count == 0 {
            return;
        }
        match self.by_name.get_mut(name) {
            Some(sum) => *sum += count,
            None => {
                self.by_name.insert(name.to_owned(), count);
            }
        }
    }

    pub fn get(&self, name: &str) -> u64 {
        self.by_name.get(name).copied().unwrap_or_default()
    }

    /// Every counter that is not the same in both, by name.
    pub fn differences(apus: &Self, tshark: &Self) -> Vec<Difference> {
        let names: BTreeSet<&String> = apus.by_name.keys().chain(tshark.by_name.keys()).collect();
        let mut differences = Vec::new();
        for name in names {
            let (ours, theirs) = (apus.get(name), tshark.get(name));
            if ours != theirs {
                differences.push(Difference {
                    what: name.clone(),
                    apus: ours.to_string(),
                    tshark: theirs.to_string(),
                });
            }
        }
        differences
    }
}
