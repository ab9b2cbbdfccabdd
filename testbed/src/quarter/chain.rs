//! The chain under test: captures through the XDP program, into a store, and out of it as a report.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{Context as _, Result, anyhow};
use jiff::Span;
use serde_json::Value;
use testbed::collector::{Answer, ask};

use crate::plan::Plan;
use crate::progress::Progress;
use crate::{capture, operator, registry};

/// Before the first day by so much is the tables of regions' date.
const TABLES_BEFORE: i64 = 10;
/// What a sensor's interval is as long as.
const INTERVAL: &str = "24h";

/// The programs, and the folder of one quarter.
pub struct Chain {
    pub sensor: PathBuf,
    pub collector: PathBuf,
    pub folder: PathBuf,
}

/// A quarter's report.
pub struct Reported {
    /// As JSON.
    pub report: Value,
    /// As HTML, by language.
    pub pages: Vec<(&'static str, String)>,
}

impl Chain {
    /// Sends the plan's packets, and stores what comes of them.
    ///
    /// # Errors
    /// Where a program fails; with its own words.
    pub fn fill(&self, plan: &Plan, progress: &Progress) -> Result<()> {
        progress.say("captures");
        let captures = self.folder("captures")?;
        let sensors: Vec<&str> =
            plan.description.sensors.iter().map(|sensor| sensor.get_ref().name.as_str()).collect();
        let paths: Vec<PathBuf> = sensors.iter().map(|name| captures.join(format!("{name}.pcap"))).collect();
        for (number, path) in paths.iter().enumerate() {
            capture::write(path, plan, number)?;
        }
        progress.say("replay");
        thread::scope(|scope| {
            let replays: Vec<_> = (0..sensors.len())
                .map(|number| {
                    let path = &paths[number];
                    scope.spawn(move || self.replay(plan, number, path))
                })
                .collect();
            replays
                .into_iter()
                .try_for_each(|replay| replay.join().map_err(|_| anyhow!("a replay panicked"))?)
        })?;
        progress.say("regions");
        operator::write(&self.folder("operator")?, plan)?;
        let day = plan.description.quarter.previous_first().checked_sub(Span::new().days(TABLES_BEFORE))?;
        let tables = registry::write(&self.folder("registries")?, day)?;
        // Before the first batches: each is told by the tables that are there when it is stored.
        self.run(self.collector(&["regions", "import"]).args(tables))?;
        progress.say("import");
        let mut import = self.collector(&["import", "--create", "--trust-times"]);
        for sensor in &sensors {
            import.args(batches(&self.batches(sensor))?);
        }
        self.run(&mut import)?;
        Ok(())
    }

    fn replay(&self, plan: &Plan, number: usize, capture: &Path) -> Result<()> {
        let sensor = plan.description.sensors[number].get_ref();
        let mut command = Command::new(&self.sensor);
        command.arg("replay").arg(capture).args(["--sensor", &sensor.name, "--interval", INTERVAL, "--json"]);
        command.args(["--observed", &sensor.observed.to_string()]);
        command.arg("--batches").arg(self.batches(&sensor.name));
        self.run(&mut command).map(drop)
    }

    /// Makes the report in all its forms.
    ///
    /// # Errors
    /// Where the collector fails; with its own words.
    pub fn report(&self, plan: &Plan) -> Result<Reported> {
        let sections = operator::write_sections(&self.folder("operator")?, plan)?;
        let quarter = plan.description.quarter.to_string();
        let out = self.folder.join("report");
        let read = |name: String| {
            let path = out.join(name);
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
        };
        let mut pages = Vec::new();
        // JSON is the same in all languages.
        for (language, formats) in [("en", &["json", "html"][..]), ("ja", &["html"])] {
            let mut command = self.collector(&["report", "--quarter", &quarter, "--lang", language]);
            command.arg("--sections").arg(&sections).arg("--out").arg(&out);
            command.args(formats.iter().flat_map(|format| ["--format", format]));
            self.run(&mut command)?;
            pages.push((language, read(format!("report-{quarter}.{language}.html"))?));
        }
        let text = read(format!("report-{quarter}.json"))?;
        let report = serde_json::from_str(&text).context("the report's JSON is none")?;
        Ok(Reported { report, pages })
    }

    /// Tells of the addresses at home that bear a mark, in the quarter.
    ///
    /// # Errors
    /// Where the collector fails; with its own words.
    pub fn notify(&self, plan: &Plan, mark: &str) -> Result<Value> {
        let mut command = self.collector(&["notify", "--signature", mark, "--format", "json"]);
        command.args(plan.description.home.iter().flat_map(|region| ["--region", region]));
        self.answer(in_quarter(&mut command, plan))
    }

    /// Looks for what is unusual in the quarter.
    ///
    /// # Errors
    /// Where the collector fails; with its own words.
    pub fn detect(&self, plan: &Plan) -> Result<Value> {
        let mut command = self.collector(&["detect", "--json", "--most", "1000"]);
        let least = plan.description.detect.least_packets;
        command.args(least.map(|least| format!("--least-packets={least}")));
        self.answer(in_quarter(&mut command, plan))
    }

    /// Asks the store.
    ///
    /// # Errors
    /// Where it does not answer.
    pub fn sql(&self, question: &str) -> Result<Answer> {
        ask(Command::new(&self.collector), &self.data(), question)
    }

    fn data(&self) -> PathBuf {
        self.folder.join("store")
    }

    fn batches(&self, sensor: &str) -> PathBuf {
        self.folder.join("batches").join(sensor)
    }

    /// A command of the collector's, with its configuration and data.
    fn collector(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.collector);
        command.args(words).arg("--config").arg(self.folder.join("operator/collector.toml"));
        command.arg("--data").arg(self.data());
        command
    }

    fn answer(&self, command: &mut Command) -> Result<Value> {
        serde_json::from_str(&self.run(command)?).context("the collector's JSON is none")
    }

    fn run(&self, command: &mut Command) -> Result<String> {
        Ok(testbed::run(command)?)
    }

    fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.join(name);
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(folder)
    }
}

fn in_quarter<'a>(command: &'a mut Command, plan: &Plan) -> &'a mut Command {
    let quarter = plan.description.quarter;
    command.args(["--from", &quarter.first().to_string(), "--to", &quarter.end().to_string()])
}

/// A folder's batches, oldest first.
fn batches(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = || format!("cannot read {}", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).with_context(failed)? {
        paths.push(entry.with_context(failed)?.path());
    }
    paths.sort();
    Ok(paths)
}
