//! One round.

use std::fs;
use std::num::NonZeroU32;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use fastrand::Rng;
use nix::sys::signal::Signal;
use serde_json::Value;
use testbed::mix::Mix;
use testbed::{Collector, Generator, Identity, Link, Order, Pace, document};

use super::fault::Fault;
use super::scene::{Filled, SENSOR, Scene};
use crate::agent::{Agent, OBSERVING};

/// How long it may take until everything is stored after all is mended.
const PATIENCE: Duration = Duration::from_secs(60);
const MOMENT: Duration = Duration::from_millis(25);
/// Time for some intervals, for which there is no room.
const CROWDING: Duration = Duration::from_millis(1_500);

/// One round: a fresh spool and a fresh store.
pub struct Round<'a> {
    scene: &'a Scene<'a>,
    link: &'a Link<'a>,
    random: Rng,
    number: u64,
    agents: u32,
    agent: Option<Agent>,
    collector: Option<Collector<'a>>,
    /// The machine that the collector is on.
    at: usize,
    configuration: PathBuf,
    clock: PathBuf,
    is_clock_ours: bool,
    /// What the agent's configuration names, and what lies there at the moment.
    identity: PathBuf,
    store: PathBuf,
    pub faults: Vec<Fault>,
}

/// What rounds came to: whether the faults have left their traces.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    pub packets: u64,
    pub intervals: u64,
    /// Sequences that became part of a longer interval.
    pub merged: u64,
    /// Intervals in which the clock was set.
    pub clock_steps: u64,
    /// Intervals whose flows were dropped on the way, and packets that are in no flow.
    pub without_flows: u64,
    pub packets_in_no_flow: u64,
}

impl Told {
    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            packets: self.packets + other.packets,
            intervals: self.intervals + other.intervals,
            merged: self.merged + other.merged,
            clock_steps: self.clock_steps + other.clock_steps,
            without_flows: self.without_flows + other.without_flows,
            packets_in_no_flow: self.packets_in_no_flow + other.packets_in_no_flow,
        }
    }
}

impl<'a> Round<'a> {
    /// Sets it up, and starts collector and agent.
    ///
    /// # Errors
    /// Where something does not start.
    pub fn new(scene: &'a Scene<'a>, link: &'a Link<'a>, seed: u64) -> Result<Self> {
        let mut random = Rng::with_seed(seed);
        let spool = scene.spool_disk.path().join(format!("round-{seed}"));
        let store = scene.store_disk.path().join(format!("round-{seed}"));
        fs::create_dir_all(&spool)?;
        let configuration = spool.join("apus.toml");
        // Small ones, so that flows are dropped and counts merged, and large ones.
        let spool_bytes = if random.bool() { 1 << 20 } else { 48_u64 << 20 };
        let mut round = Self {
            scene,
            link,
            number: seed,
            agents: 0,
            agent: None,
            collector: None,
            at: 0,
            clock: spool.join("clock"),
            is_clock_ours: random.bool(),
            identity: spool.join("identity"),
            configuration,
            store,
            random,
            faults: Vec::new(),
        };
        fs::write(&round.clock, "+0")?;
        fs::create_dir_all(&round.identity)?;
        round.use_identity(&scene.good)?;
        let folder = spool.join("spool");
        let urls =
            [0, 1].map(|place| format!("\"https://{}:8443\"", scene.uplinks[place].collector_address()));
        fs::write(
            &round.configuration,
            format!(
                "interval = \"100ms\"\nsensor = \"{SENSOR}\"\n[spool]\nfolder = {folder:?}\nmax_bytes = {spool_bytes}\n\
                 [ship]\nurl = [{}]\nca = {:?}\ncertificate = {:?}\nkey = {:?}\nlongest_pause = \"200ms\"\n",
                urls.join(", "),
                scene.authority.certificate(),
                round.identity.join("certificate"),
                round.identity.join("key"),
            ),
        )?;
        round.start_collector()?;
        round.start_agent()?;
        Ok(round)
    }

    /// Sends bursts, with a fault at some moment of each; then mends everything, and compares.
    ///
    /// # Errors
    /// Where what is stored is not what was sent.
    pub fn run(mut self, generator: &mut Generator, mix: &Mix) -> Result<Told> {
        let mut by_kind = vec![0; mix.kinds().len()];
        let mut held: Vec<Filled> = Vec::new();
        for _ in 0..self.random.u32(2..5) {
            let fault = Fault::any(&mut self.random);
            self.faults.push(fault);
            let order = Order {
                pace: Pace::PacketsPerSecond(NonZeroU32::new(60_000).context("no rate")?),
                ..Order::packets(self.random.u64(1_000..15_000))
            };
            let link = self.link;
            let sent = thread::scope(|scope| {
                let sending = scope.spawn(|| generator.send(link, &order));
                thread::sleep(Duration::from_millis(self.random.u64(..250)));
                let held_by_fault = self.strike(fault);
                let sent = sending.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
                held.extend(held_by_fault?);
                anyhow::Ok(sent)
            })?;
            by_kind.iter_mut().zip(&sent.by_kind).for_each(|(sum, packets)| *sum += packets);
            if self.random.bool() {
                held.clear();
                self.mend()?;
            }
        }
        drop(held);
        self.mend()?;
        let told = self.compare(&mix.expected(&by_kind));
        told.with_context(|| {
            let words = self.agent.as_ref().and_then(|agent| agent.errors().ok()).unwrap_or_default();
            let collector = self.collector.as_ref().map(Collector::words).unwrap_or_default();
            format!("round {} with {:?}\nagent: {words}\ncollector: {collector}", self.number, self.faults)
        })
    }

    fn start_agent(&mut self) -> Result<()> {
        self.agents += 1;
        let interface = self.link.telescope.interface.as_str();
        let configuration = self.configuration.to_string_lossy().into_owned();
        let mut arguments = vec!["--config", &configuration, "--interface", interface, "--action", "drop"];
        arguments.extend(OBSERVING);
        let clock = self.is_clock_ours.then_some((self.scene.clock.as_path(), self.clock.as_path()));
        let name = format!("agent-{}-{}", self.number, self.agents);
        self.agent = Some(self.scene.host.start_with_clock(&name, &arguments, clock)?);
        Ok(())
    }

    fn start_collector(&mut self) -> Result<()> {
        let Scene { collector, collectors, uplinks, authority, server, .. } = self.scene;
        let address = uplinks[self.at].collector_address();
        let arguments = ["--commit-seconds", "0.05"];
        let started = Collector::start(
            collector,
            collectors[self.at],
            &address,
            &self.store,
            authority,
            server,
            &arguments,
        )?;
        self.collector = Some(started);
        Ok(())
    }

    fn use_identity(&self, identity: &Identity) -> Result<()> {
        for (name, target) in [("certificate", &identity.certificate), ("key", &identity.key)] {
            let new = self.identity.join("new");
            symlink(target, &new)?;
            fs::rename(&new, self.identity.join(name))?;
        }
        Ok(())
    }

    /// Lets it happen. What must last until all is mended is given back.
    fn strike(&mut self, fault: Fault) -> Result<Option<Filled>> {
        let uplink = &self.scene.uplinks[self.at];
        match fault {
            Fault::Nothing => {}
            Fault::KillAgent => drop(self.agent.take().map(Agent::kill)),
            Fault::KillCollector => drop(self.collector.take()),
            Fault::KillBoth => {
                drop(self.collector.take());
                drop(self.agent.take().map(Agent::kill));
            }
            Fault::RestartAgent => {
                // It may have been killed before, or have no room for its last interval.
                drop(self.agent.take().map(|agent| agent.stop(Signal::SIGTERM)));
                self.start_agent_where_there_is_room()?;
            }
            Fault::RestartCollector => {
                drop(self.collector.take().map(Collector::stop));
                self.start_collector_where_there_is_room();
            }
            Fault::CutNetwork => uplink.cut()?,
            Fault::SlowNetwork => uplink.slow_down(Some(2_000_000))?,
            Fault::FillSpool => return Filled::new(self.scene.spool_disk.path()).map(Some),
            Fault::CrowdSpool => {
                drop(self.collector.take());
                let room = self.random.u64(64 << 10..160 << 10);
                let filled = Filled::but_for(self.scene.spool_disk.path(), room)?;
                thread::sleep(CROWDING);
                return Ok(Some(filled));
            }
            Fault::FillStore => return Filled::new(self.scene.store_disk.path()).map(Some),
            Fault::SetClock(seconds) => fs::write(&self.clock, format!("{seconds:+}"))?,
            Fault::ExpireCertificate => self.use_identity(&self.scene.expired)?,
            Fault::MoveCollector => {
                drop(self.collector.take());
                self.at = 1 - self.at;
                let elsewhere =
                    self.scene.store_disk.path().join(format!("moved-{}-{}", self.number, self.at));
                fs::rename(&self.store, &elsewhere)?;
                self.store = elsewhere;
                self.start_collector_where_there_is_room();
            }
        }
        Ok(None)
    }

    /// With a full disk neither starts; then the mending does it.
    fn start_collector_where_there_is_room(&mut self) {
        let _when_mended = self.start_collector();
    }

    fn start_agent_where_there_is_room(&mut self) -> Result<()> {
        match self.start_agent() {
            Err(error) if format!("{error:#}").contains("No space left") => Ok(()),
            started => started,
        }
    }

    /// Everything works again.
    fn mend(&mut self) -> Result<()> {
        for uplink in &self.scene.uplinks {
            uplink.mend()?;
            // Where it is not slow there is nothing to remove.
            let _was_not_slow = uplink.slow_down(None);
        }
        fs::write(&self.clock, "+0")?;
        self.use_identity(&self.scene.good)?;
        if self.collector.as_mut().is_none_or(|collector| !collector.is_running()) {
            self.start_collector()?;
        }
        if self.agent.as_mut().is_none_or(|agent| !agent.is_running()) {
            self.start_agent()?;
        }
        Ok(())
    }

    fn compare(&mut self, expected: &Value) -> Result<Told> {
        let deadline = Instant::now() + PATIENCE;
        let collector = self.collector.as_ref().context("no collector")?;
        let sent = expected["packets"].as_u64().unwrap_or_default();
        let stored = loop {
            let stored = collector.counted()?;
            if stored["packets"].as_u64().unwrap_or_default() >= sent {
                break stored;
            }
            ensure!(
                Instant::now() < deadline,
                "of {sent} packets sent only {} are stored",
                stored["packets"]
            );
            thread::sleep(MOMENT);
        };
        let differences = document::differences(expected, &stored);
        ensure!(differences.is_empty(), "what is stored is not what was sent: {differences:?}");
        let agent = self.agent.take().context("no agent")?;
        let (status, _) = agent.stop(Signal::SIGTERM)?;
        ensure!(status.success(), "the agent ended with {status}");
        self.intervals()
    }

    /// Each sequence of an epoch, from the first to the last, is there once.
    fn intervals(&mut self) -> Result<Told> {
        let collector = self.collector.take().context("no collector")?;
        let rows = collector
            .sql("SELECT epoch, first_sequence, last_sequence AS sequence FROM intervals ORDER BY 1, 2")?;
        let mut next = (Value::Null, 1);
        for row in &rows {
            let (first, last) = (row["first_sequence"].as_u64(), row["sequence"].as_u64());
            let (first, last) = first.zip(last).context("an interval without sequence")?;
            if row["epoch"] != next.0 {
                next = (row["epoch"].clone(), 1);
            }
            if first != next.1 {
                bail!("interval {first} to {last} comes where {} should", next.1);
            }
            next.1 = last + 1;
        }
        let question = "SELECT SUM(packets) AS packets, COUNT(*) AS intervals, \
                        SUM(last_sequence - first_sequence) AS merged, SUM(clock_step_ns != 0) AS clock_steps, \
                        SUM(flow_rows > 0 AND flows_kept = 'never_came') AS without_flows, \
                        SUM(flow_packets_missing) AS packets_in_no_flow FROM intervals";
        let sums = collector.sql(question)?;
        let number = |name: &str| sums[0][name].as_u64().with_context(|| format!("no {name}"));
        let told = Told {
            packets: number("packets")?,
            intervals: number("intervals")?,
            merged: number("merged")?,
            clock_steps: number("clock_steps")?,
            without_flows: number("without_flows")?,
            packets_in_no_flow: number("packets_in_no_flow")?,
        };
        collector.verify()?;
        collector.stop()?;
        self.scene.host.run("detach", &[])?;
        let _room_for_the_next = fs::remove_dir_all(&self.store);
        if let Some(folder) = self.configuration.parent() {
            fs::remove_dir_all(folder)?;
        }
        Ok(told)
    }
}
