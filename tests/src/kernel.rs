//! The sensor's XDP program in this kernel, unattached, with packets handed to it by hand.

use anyhow::{Context as _, Result, bail};
use aya::Ebpf;
use aya::programs::{TestRun as _, TestRunOptions, Xdp};
use sensor_ebpf::abi::BANKS;
use sensor_user::config::Settings;
use sensor_user::counters::Totals;
use sensor_user::features::Features;
use sensor_user::program::{Alone, Plan, Slots};
use sensor_user::watcher::Watcher;

use crate::counter_names::counts;
use crate::fixture::{Effect, Verdict};

/// What the kernel refuses to run an XDP program on: less than an Ethernet header.
pub const SHORTEST_FRAME: usize = 14;

const XDP_DROP: u32 = 1;
const XDP_PASS: u32 = 2;

/// A loaded program with counters of its own.
pub struct Kernel {
    pub ebpf: Ebpf,
    program: &'static str,
    pub plan: Plan,
    pub watcher: Watcher,
    /// What the counters had counted when [`Kernel::run`] was last asked.
    known: Totals,
}

impl Kernel {
    /// Loads the program as the agent would on this machine.
    ///
    /// # Errors
    /// Where the kernel refuses it.
    pub fn load(settings: &Settings) -> Result<Self> {
        Self::load_as(settings, Plan::probe(settings)?)
    }

    /// Loads the program with these slots.
    ///
    /// # Errors
    /// Where the kernel refuses it.
    pub fn load_with(settings: &Settings, slots: Slots) -> Result<Self> {
        Self::load_as(settings, Plan::with_slots(settings, slots, Features::probe()?))
    }

    fn load_as(settings: &Settings, plan: Plan) -> Result<Self> {
        let Alone { ebpf, name: program, plan } = Alone::load_as(settings, plan)?;
        let watcher = Watcher::new(&ebpf)?;
        anyhow::ensure!(watcher.slots() == plan.slots.count, "{} slots, {BANKS} banks each", watcher.slots());
        Ok(Self { ebpf, program, plan, watcher, known: Totals::default() })
    }

    /// Whether this kernel runs the program on frames that do not fit one buffer.
    #[must_use]
    pub const fn takes(&self, frame: &[u8]) -> bool {
        frame.len() >= SHORTEST_FRAME
            && (self.plan.features.multi_buffer || frame.len() <= crate::host::FIRST_BUFFER)
    }

    /// The program, to be run from any thread.
    ///
    /// # Errors
    /// Where the object has no such program.
    pub fn program(&self) -> Result<Runner<'_>> {
        let program = self.ebpf.program(self.program).context("the object has no such program")?;
        Ok(Runner { program: program.try_into()? })
    }

    /// What the counters have counted, with no packet under way.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.watcher.glance()
    }

    /// What happens to this frame, the only one since this was last asked.
    ///
    /// # Errors
    /// Where the kernel does not run the program, or a counter shrinks.
    pub fn run(&mut self, frame: &[u8]) -> Result<Effect> {
        let verdict = self.program()?.run(frame, 1)?;
        let totals = self.totals();
        let raised = totals.since(&self.known).context("a counter has shrunk")?;
        self.known = totals;
        Ok(Effect { verdict, raised: counts(&raised) })
    }
}

/// A program that takes packets.
#[derive(Clone, Copy)]
pub struct Runner<'a> {
    program: &'a Xdp,
}

impl Runner<'_> {
    /// Runs the program on this frame so many times, and says what became of the last.
    ///
    /// # Errors
    /// Where the kernel does not run it, or the program returns what it never should.
    pub fn run(self, frame: &[u8], repeat: u32) -> Result<Verdict> {
        let options = TestRunOptions { data_in: Some(frame), repeat, ..TestRunOptions::default() };
        let result =
            self.program.test_run(options).with_context(|| format!("on a frame of {} bytes", frame.len()))?;
        match result.return_value {
            XDP_PASS => Ok(Verdict::Pass),
            XDP_DROP => Ok(Verdict::Drop),
            other => bail!("the program returned {other}, neither XDP_PASS nor XDP_DROP"),
        }
    }
}
