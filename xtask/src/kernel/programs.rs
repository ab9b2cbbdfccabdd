//! The agent and the test programs, each one file that needs no other: they run where there is no library at all. The
//! agent is the very file that ships.

use std::collections::BTreeMap;
use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::steps::TESTS;
use super::tools;
use crate::cargo;

/// Packages whose tests run inside.
const PACKAGES: [&str; 3] = ["end-to-end", "testbed", "sensor-user"];
pub const AGENT: &str = "apus-sensor";
/// Another agent to run inside.
const AGENT_VARIABLE: &str = "APUS_SENSOR";

/// Files by name.
pub struct Programs {
    by_name: BTreeMap<String, PathBuf>,
}

impl Programs {
    /// Builds them as the local tests are built, and linked statically. A package's own programs are built with its
    /// tests.
    pub fn build() -> Result<Self> {
        // The machine's only file system is in its memory.
        let mut command = cargo::static_command("test", "-C strip=symbols")?;
        command.args(["--no-run", "--profile", "checked"]);
        command.args(PACKAGES.iter().flat_map(|package| ["--package", package]));
        command.args(TESTS.iter().flat_map(|test| ["--test", test.name]));
        command.arg("--message-format=json-render-diagnostics").stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot start cargo")?;
        let messages = child.stdout.take().context("cargo's messages cannot be read")?;
        let mut by_name = BTreeMap::new();
        for line in BufReader::new(messages).lines() {
            let line = line.context("cargo's messages cannot be read")?;
            by_name.extend(executable_in(&line));
        }
        let status = child.wait().context("lost sight of cargo")?;
        if !status.success() {
            bail!("building the tests failed ({status}); what cargo says is above");
        }
        by_name.insert(AGENT.to_owned(), agent()?);
        Ok(Self { by_name })
    }

    /// All of them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// Where a program is.
    pub fn path(&self, name: &str) -> Result<&Path> {
        self.by_name.get(name).map(PathBuf::as_path).with_context(|| format!("cargo has not built {name}"))
    }
}

/// The agent that ships, or the one that is named.
fn agent() -> Result<PathBuf> {
    let Some(agent) = env::var_os(AGENT_VARIABLE).map(PathBuf::from) else { return cargo::static_sensor() };
    let libraries = tools::libraries(&agent).with_context(|| format!("of {AGENT_VARIABLE}"))?;
    ensure!(
        agent.is_file() && libraries.is_empty(),
        "{AGENT_VARIABLE} names {}, which needs libraries that are not inside: `cargo xtask build` makes one that \
         needs none",
        agent.display()
    );
    Ok(agent)
}

/// Name and place of a test's program, or of one that is no test; the tests inside a program are run locally.
fn executable_in(line: &str) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_str(line).ok()?;
    let executable = message["executable"].as_str()?;
    let is_test = message["profile"]["test"] == true;
    let kind = if is_test { "test" } else { "bin" };
    let is_wanted = message["target"]["kind"].as_array()?.iter().any(|found| found == kind);
    is_wanted.then(|| Some((message["target"]["name"].as_str()?.to_owned(), executable.into())))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_and_programs_are_told_from_the_tests_inside_programs() {
        let message = |kind: &str, test: bool| {
            format!(
                r#"{{"reason":"compiler-artifact","target":{{"kind":["{kind}"],"name":"one"}},
                "profile":{{"test":{test}}},"executable":"/target/one"}}"#
            )
        };
        let expected = Some(("one".to_owned(), PathBuf::from("/target/one")));
        assert_eq!(executable_in(&message("test", true)), expected);
        assert_eq!(executable_in(&message("bin", false)), expected);
        assert_eq!(executable_in(&message("bin", true)), None);
        assert_eq!(executable_in(&message("lib", true)), None);
        assert_eq!(executable_in(r#"{"reason":"build-finished","success":true}"#), None);
    }
}
