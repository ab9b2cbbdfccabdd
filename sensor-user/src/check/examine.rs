//! From facts to lines: first those about the host, then those about each interface.

use std::num::NonZeroU32;

use aya::programs::{ProgramError, loaded_programs};
use sensor_ebpf::abi::EVIDENCE_SMALLEST_RING;

use super::facts::{self, Memory};
use super::line::Line;
use super::trial::{Refusal, Trial};
use super::{CheckError, attachment, host, kernel, nic};
use crate::config::{Action, Settings};
use crate::features::{Cpus, Features, has_btf};
use crate::interface::{Interface, Link};
use crate::pins::Pins;
use crate::privileges::Privileges;
use crate::program::{LoadError, Plan, Rings, Slots};

/// All there is to say about this host and the configured interfaces.
///
/// # Errors
/// Where not even the CPUs are known.
pub fn lines(settings: &Settings, may_attach: bool) -> Result<Vec<Line>, CheckError> {
    let cpus = Cpus::probe().map_err(CheckError::Cpus)?;
    let slots = Slots::plan(cpus, settings.counter_cpus);
    let rings = Rings::plan(slots, settings.digests, settings.ring_records);
    let memory = facts::memory(slots, rings, cpus, &Pins::new(&settings.pin_directory));
    let features = Features::probe();
    let multi_buffer = features.as_ref().ok().map(|features| features.multi_buffer);

    let mut lines = vec![host::kernel(&facts::kernel_release())];
    let planned = features.as_ref().ok().map(|features| Plan::with_slots(settings, slots, *features));
    lines.extend(kernel::lines(&features, planned.as_ref().map(Plan::kernel_memory)));
    let mut trial = load(settings, &memory, features);
    lines.extend(of_host(settings, &memory, Privileges::read().ok(), &mut trial));
    for name in &settings.interfaces {
        let of_interface = match Interface::find(name) {
            Ok(interface) => {
                let trial = trial.as_mut().ok();
                Examination { settings, memory: &memory, multi_buffer, may_attach, trial }.lines(&interface)
            }
            Err(error) => vec![nic::missing(&error)],
        };
        lines.extend(of_interface.into_iter().map(|line| line.on(name)));
    }
    Ok(lines)
}

/// Loads the program with its counters and rings where there is room for them, else with one slot for all CPUs
/// and the smallest rings.
fn load(
    settings: &Settings,
    memory: &Memory,
    features: Result<Features, ProgramError>,
) -> Result<Trial, Refusal> {
    let (slots, rings) = if host::has_room(memory) {
        (memory.slots, memory.rings)
    } else {
        let slots = Slots::existing(memory.cpus, 1);
        (slots, Rings::plan(slots, settings.digests, Some(NonZeroU32::MIN)))
    };
    features
        .map_err(LoadError::probe)
        .and_then(|features| {
            let evidence_ring_bytes = EVIDENCE_SMALLEST_RING;
            Trial::load(settings, Plan { features, slots, rings, evidence_ring_bytes })
        })
        .map_err(Refusal::from)
}

fn of_host(
    settings: &Settings,
    memory: &Memory,
    privileges: Option<Privileges>,
    trial: &mut Result<Trial, Refusal>,
) -> Vec<Line> {
    let links = trial.as_mut().ok().map(Trial::attach_apart);
    let loaded = trial.as_ref().map(|trial| &trial.loaded);
    let compiled = loaded.ok().map(|loaded| loaded.machine_code_bytes > 0);
    let place = facts::pin_place(&settings.pin_directory);
    vec![
        kernel::links(links.as_ref()),
        host::btf(has_btf()),
        host::jit(facts::jit_switch(), compiled),
        place.map_or_else(|error| host::pin_place_unknown(&error), |place| host::pin_place(&place)),
        privileges.map_or_else(host::privileges_unknown, host::privileges),
        host::memory(memory),
        host::sensor(loaded, privileges),
    ]
}

/// What it takes to look at an interface.
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
