//! What `apus-verifier` prints.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// One kernel's verifier on all programs.
#[derive(Clone, Debug, PartialEq)]
pub struct Costs {
    pub kernel: String,
    pub release: String,
    pub programs: Vec<Cost>,
}

/// One program.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    pub program: String,
    pub instructions: u64,
    pub states: u64,
    pub peak_states: u64,
    pub load_milliseconds: f64,
}

impl Costs {
    /// Reads the JSON document that was printed on this kernel.
    pub fn read(kernel: &str, json: &[u8]) -> Result<Self> {
        let document: Value =
            serde_json::from_slice(json).with_context(|| format!("what {kernel} has left"))?;
        let release = document["release"].as_str().context("it names no release")?.to_owned();
        let programs = document["programs"].as_array().context("it has no programs")?;
        ensure!(!programs.is_empty(), "{kernel} measured no program");
        let programs = programs.iter().map(cost).collect::<Result<_>>()?;
        Ok(Self { kernel: kernel.to_owned(), release, programs })
    }
}

fn cost(value: &Value) -> Result<Cost> {
    let number = |name: &str| value[name].as_u64().with_context(|| format!("a program has no {name}"));
    Ok(Cost {
        program: value["program"].as_str().context("a program has no name")?.to_owned(),
        instructions: number("instructions")?,
        states: number("states")?,
        peak_states: number("peak_states")?,
        load_milliseconds: value["load_milliseconds"].as_f64().context("a program took no time")?,
    })
}
