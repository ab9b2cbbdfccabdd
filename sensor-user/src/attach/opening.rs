//! The program that the configuration asks for: found pinned, or loaded and pinned.

use aya::programs::links::{FdLink, PinnedLink};
use aya::programs::xdp::XdpLink;
use aya::programs::{ProgramError, Xdp};
use aya_obj::programs::XdpAttachType;
use sensor_ebpf::abi::{Control, maps};

use super::{AttachError, Notice, unix_nanoseconds};
use crate::config::{Action, Settings};
use crate::digests::RingMaps;
use crate::features::{Cpus, Features};
use crate::flows::law::Since;
use crate::logs::Lines;
use crate::pins::Pins;
use crate::program::{self, LoadError, Plan, Rings, Rodata, Slots};
use crate::state::{State, StateError, place_windows};

/// The program that the configuration asks for, pinned and ready to attach, and its maps.
pub struct Opened {
    pub state: State,
    pub program: Xdp,
    pub lines: Lines,
    pub since: Since,
}

pub fn open_program(
    settings: &Settings,
    pins: &Pins,
    notices: &mut Vec<Notice>,
) -> Result<Opened, AttachError> {
    let features = Features::probe().map_err(LoadError::probe)?;
    let cpus = Cpus::probe().map_err(LoadError::from)?;
    // An agent that was killed before it attached anything leaves maps that no packet reached.
    if pins.links()?.is_empty() && (!pins.has_counters() || State::is_unfinished(pins)?) {
        pins.clear()?;
    }
    let found = if pins.path().join(maps::CONTROL).exists() { Some(State::open(pins)?) } else { None };
    let (slots, windows, watched) = match &found {
        Some(state) => {
            let control = state.control();
            let (record, watched) = place_windows(&control, &settings.watched_windows)?;
            (Slots::existing(cpus, control.slots), record, watched)
        }
        None => {
            let watched = settings.watched_windows();
            (Slots::plan(cpus, settings.counter_cpus), watched.clone(), watched)
        }
    };
    let plan = Plan::with_slots(settings, slots, features);
    let rodata = Rodata::new(settings, &plan, &watched);
    let fingerprint = rodata.fingerprint();
    let found = match found {
        Some(state)
            if state.control().configuration == fingerprint
                && pins.is_complete()
                && state.rings.is_some() =>
        {
            notices.push(Notice::Resumed);
            return Ok(Opened {
                state,
                program: pinned_program(pins)?,
                lines: Lines::NONE,
                since: Since::Later,
            });
        }
        other => other,
    };

    // Rings of another size are other maps. What nobody has read of the old ones is lost, and the next
    // interval says how much that was.
    let renewed =
        found.as_ref().is_some_and(|state| state.rings.is_none() || !is_kept(&state.control(), plan.rings));
    // The same holds of evidence that nobody has written to a file yet.
    let has_evidence_ring = |control: Control| {
        control.configuration != 0 && control.evidence_ring_bytes == plan.evidence_ring_bytes
    };
    let evidence_renewed = found.as_ref().is_some_and(|state| !has_evidence_ring(state.control()));
    if let Some(state) = found.as_ref().filter(|_| renewed || evidence_renewed) {
        // From here on the maps may not be those of the program that runs. Should this agent die, the next one must
        // not take them for that.
        state.update(|control| control.configuration = 0);
    }
    if renewed {
        for name in [maps::RINGS, maps::IPV4_DIGESTS, maps::IPV6_DIGESTS] {
            pins.remove(&pins.map(name))?;
        }
    }
    if evidence_renewed {
        pins.remove(&pins.map(maps::EVIDENCE_RECORDS))?;
    }
    let mut ebpf = program::load(&rodata, &plan, Some(pins.path()))?;
    let fresh = found.is_none();
    let state = match found {
        Some(mut state) => {
            state.rings = Some(RingMaps::new(&ebpf, plan.rings).map_err(StateError::from)?);
            state
        }
        None => State::begin(&ebpf, &plan, unix_nanoseconds())?,
    };
    if plan.rings.is_on() && (fresh || renewed) {
        notices.push(Notice::Rings(plan.rings));
    }
    let program = program::xdp(&mut ebpf, program::program_name(&plan))?;
    pins.remove(&pins.next_program())?;
    program
        .pin(pins.next_program())
        .map_err(|source| AttachError::Pinning { what: "the program", source })?;
    // Until every link has the new program, the record is of none: an agent that comes after one that was
    // killed in between replaces them all again. The windows only become more, and are there before they
    // are counted.
    state.update(|control| {
        control.configuration = 0;
        (control.ring_records, control.ring_records_ipv6) = (plan.rings.records, plan.rings.records_ipv6);
        control.evidence_ring_bytes = plan.evidence_ring_bytes;
        control.watched_window_count = u32::try_from(windows.len()).unwrap_or(0);
        control.watched_windows.iter_mut().zip(&windows).for_each(|(place, window)| *place = *window);
    });
    for index in pins.links()? {
        replace(program, pins, index)?;
    }
    pins.promote_next_program()?;
    state.update(|control| {
        control.configuration = fingerprint;
        control.drop_observed = (settings.action == Action::Drop).into();
    });
    if !fresh {
        notices.extend([Notice::Resumed, Notice::Replaced]);
    }
    let lines = Lines::of(&mut ebpf).map_err(LoadError::from)?;
    let since = if fresh { Since::ItsBeginning } else { Since::Later };
    Ok(Opened { state, program: pinned_program(pins)?, lines, since })
}

/// Whether the rings that are there are those that are wanted, and no agent was killed while changing them.
fn is_kept(control: &Control, wanted: Rings) -> bool {
    control.configuration != 0
        && (control.ring_records, control.ring_records_ipv6) == (wanted.records, wanted.records_ipv6)
}

fn pinned_program(pins: &Pins) -> Result<Xdp, AttachError> {
    Ok(Xdp::from_pin(pins.program(), XdpAttachType::Interface).map_err(LoadError::from)?)
}

/// Puts the program in the place of the one that a pinned link holds, without a packet in between.
fn replace(program: &mut Xdp, pins: &Pins, index: u32) -> Result<(), AttachError> {
    let link_error = |source| AttachError::Link { interface: format!("interface {index}"), source };
    let link: FdLink = PinnedLink::from_pin(pins.link(index)).map_err(link_error)?.into();
    match program.attach_to_link(XdpLink::try_from(link).map_err(link_error)?) {
        // An interface that is gone has left a link that leads nowhere; it is removed afterwards.
        Ok(_) => Ok(()),
        Err(ProgramError::SyscallError(error)) if error.io_error.raw_os_error() == Some(libc::ENOLINK) => {
            Ok(())
        }
        Err(error) => Err(LoadError::from(error).into()),
    }
}
