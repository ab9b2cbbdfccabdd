//! `apus-sensor check`: is this host fit for the sensor, and where not, what is to be done.
//!
//! Facts are read in [`facts`] and [`trial`]; what they mean is decided, without asking anyone, in
//! [`host`], [`kernel`], [`nic`] and [`attachment`].

mod attachment;
mod facts;
mod host;
mod kernel;
mod line;
mod nic;
mod report;
mod system;
#[cfg(test)]
mod tests;
mod trial;

use std::io::{self, IsTerminal as _};
use std::num::NonZeroU32;
use std::path::PathBuf;

use aya::programs::{ProgramError, loaded_programs};
use clap::Args;

pub use line::{Line, Status};

use crate::config::{Action, ConfigError, CountingFlags, Mode, Options, PinFlags, Settings};
use crate::features::{Cpus, Features};
use crate::interface::{Interface, Link};
use crate::pins::Pins;
use crate::program::{LoadError, Slots};
use facts::{Memory, Privileges};
use kernel::Answer;
use trial::Trial;

/// Shows whether this host and its interfaces are fit for the sensor, and what to do where not
///
/// It changes nothing for good: the sensor's program is loaded and let go, and attached to each named
/// interface for an instant, where no XDP program is attached already. Some network cards set up their
/// queues anew when a program is attached natively, and lose packets meanwhile, or their link for
/// seconds; --no-attach leaves that trial out.
///
/// Exits with 0 where nothing fails, with 1 otherwise.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Configuration file (TOML), as run has it; flags win over it
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Interface to look at; may be repeated
    #[arg(short, long = "interface", value_name = "NAME")]
    interfaces: Option<Vec<String>>,
    /// How run is to attach [default: auto]
    #[arg(long, value_enum)]
    mode: Option<Mode>,
    /// How many CPUs are to have counters of their own; the others share one set [default: 64]
    #[arg(long, value_name = "NUMBER")]
    counter_cpus: Option<NonZeroU32>,
    #[command(flatten)]
    pins: PinFlags,
    /// Attach nothing, not even for an instant
    #[arg(long)]
    no_attach: bool,
    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("cannot read which CPUs there are: {0}; mount /sys")]
    Cpus(io::Error),
    #[error("cannot print: {0}")]
    Output(#[from] io::Error),
}

impl Arguments {
    fn settings(&self) -> Result<Settings, ConfigError> {
        let file = CountingFlags { config: self.config.clone(), ..CountingFlags::default() };
        let flags = Options {
            interfaces: self.interfaces.clone(),
            mode: self.mode,
            counter_cpus: self.counter_cpus,
            pin_directory: self.pins.pin_directory.clone(),
            ..Options::default()
        };
        flags.or(file.options()?).resolve()
    }
}

/// Checks, and writes the result to `output`. Says whether nothing fails.
///
/// # Errors
/// Where the configuration makes no sense, or the result cannot be written.
pub fn run(arguments: &Arguments, output: impl io::Write) -> Result<bool, CheckError> {
    let lines = lines(&arguments.settings()?, !arguments.no_attach)?;
    if arguments.json {
        report::json(&lines, output)?;
    } else {
        let colour = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        report::text(&lines, colour, output)?;
    }
    Ok(lines.iter().all(|line| line.status != Status::Fail))
}

/// All there is to say about this host and the configured interfaces.
///
/// # Errors
/// Where not even the CPUs are known.
pub fn lines(settings: &Settings, may_attach: bool) -> Result<Vec<Line>, CheckError> {
    let cpus = Cpus::probe().map_err(CheckError::Cpus)?;
    let memory =
        facts::memory(Slots::plan(cpus, settings.counter_cpus), cpus, &Pins::new(&settings.pin_directory));
    let privileges = facts::privileges().ok();
    let features = Features::probe();
    let mut trial = load(settings, &memory, &features);

    let mut lines = vec![host::kernel(&facts::kernel_release())];
    lines.extend(kernel::lines(&features));
    lines.extend(of_host(settings, &memory, privileges, &mut trial));
    for name in &settings.interfaces {
        let of_interface = match Interface::find(name) {
            Ok(interface) => {
                let examination = Examination {
                    settings,
                    memory: &memory,
                    multi_buffer: features.as_ref().ok().map(|features| features.multi_buffer),
                    may_attach,
                    trial: trial.as_mut().ok(),
                };
                examination.lines(&interface)
            }
            Err(error) => vec![nic::missing(&error)],
        };
        lines.extend(of_interface.into_iter().map(|line| line.on(name)));
    }
    Ok(lines)
}

/// Loads the program with its counters where there is room for them, else with one slot for all CPUs.
fn load(
    settings: &Settings,
    memory: &Memory,
    features: &Result<Features, ProgramError>,
) -> Result<Trial, String> {
    let features = features.as_ref().map_err(|error| match Answer::from(error) {
        Answer::Forbidden => LoadError::Permission.to_string(),
        _ => crate::one_line(error),
    })?;
    let slots = if host::has_room(memory) { memory.slots } else { Slots::existing(memory.cpus, 1) };
    Trial::load(settings, slots, *features).map_err(|error| trial::refusal(&error))
}

fn of_host(
    settings: &Settings,
    memory: &Memory,
    privileges: Option<Privileges>,
    trial: &mut Result<Trial, String>,
) -> Vec<Line> {
    let links = trial.as_mut().ok().map(Trial::attach_apart);
    let loaded = trial.as_ref().map(|trial| trial.loaded).map_err(Clone::clone);
    let compiled = loaded.as_ref().ok().map(|loaded| loaded.machine_code_bytes > 0);
    let place = facts::pin_place(&settings.pin_directory);
    vec![
        kernel::links(links.as_ref()),
        host::btf(facts::has_btf()),
        host::jit(facts::jit_switch(), compiled),
        place.map_or_else(|error| host::pin_place_unknown(&error), |place| host::pin_place(&place)),
        privileges.map_or_else(host::privileges_unknown, host::privileges),
        host::memory(memory),
        host::sensor(loaded, privileges),
    ]
}

/// What is needed to look at an interface.
struct Examination<'a> {
    settings: &'a Settings,
    memory: &'a Memory,
    multi_buffer: Option<bool>,
    may_attach: bool,
    trial: Option<&'a mut Trial>,
}

impl Examination<'_> {
    fn lines(self, interface: &Interface) -> Vec<Line> {
        let link = match interface.link() {
            Ok(link) => link,
            Err(error) => return vec![nic::missing(&error)],
        };
        let mut lines = vec![
            nic::link(interface, link),
            nic::driver(interface.driver()),
            nic::mtu(interface, link.mtu, self.settings.mode, self.multi_buffer),
            nic::queues(interface, interface.channels(), self.memory),
        ];
        if self.settings.action == Action::Drop {
            lines.push(nic::own_addresses(&interface.addresses(), &self.settings.observed));
        }
        lines.extend(self.attachment(interface, link));
        lines
    }

    fn attachment(self, interface: &Interface, link: Link) -> Vec<Line> {
        if let Some(program) = link.xdp {
            let pins = Pins::new(&self.settings.pin_directory);
            let ours = pins.links().is_ok_and(|links| links.contains(&interface.index));
            let name = program.identifier.and_then(program_name);
            return vec![attachment::attached(interface, program, ours, name.as_deref())];
        }
        if !self.may_attach {
            return vec![attachment::untried("--no-attach", "leave --no-attach out")];
        }
        match self.trial {
            Some(trial) => {
                attachment::trial(interface, self.settings.mode, |mode| trial.attach(interface.index, mode))
            }
            None => vec![attachment::unloaded()],
        }
    }
}

/// The name of a loaded program, where this process may know.
fn program_name(identifier: u32) -> Option<String> {
    let mut programs = loaded_programs().filter_map(Result::ok);
    programs.find(|program| program.id() == identifier)?.name_as_str().map(str::to_owned)
}
