//! Sending a mix: an exact number of packets, counted by kind, and not one lost on the way.

mod counts;
mod order;
mod pacer;
mod sender;
mod socket;

use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use aya::Ebpf;
use aya::programs::xdp::XdpLinkId;
use aya::programs::{Xdp, XdpMode};
use sensor_ebpf::generate::{self, names};
use sensor_user::features::Features;
use sensor_user::mapping::MappedArray;
use sensor_user::program::{self, LoadError};

use crate::mix::Mix;
use crate::{Error, Link, Namespace, machine};

use counts::Counts;
pub use order::{Order, Pace, Sent};
use sender::Sender;

/// How long the last packets may take from one end to the other.
const LONGEST_FLIGHT: Duration = Duration::from_secs(2);

/// The generator program, loaded with a mix.
pub struct Generator {
    ebpf: Ebpf,
    /// The program of the object that this kernel takes.
    program: &'static str,
    counts: Arc<Counts>,
    kinds: usize,
    frame: Vec<u8>,
}

/// How far a generator is.
#[derive(Clone)]
pub struct Progress(Arc<Counts>);

impl Progress {
    /// Packets made so far, by all CPUs.
    #[must_use]
    pub fn packets(&self) -> u64 {
        self.0.all()
    }
}

impl Generator {
    /// Loads the program, and the mix into it.
    ///
    /// # Errors
    /// Where this process may not.
    pub fn new(mix: &Mix) -> Result<Self, Error> {
        // First, for it lifts the limit of locked memory where maps count as that.
        let features = Features::probe().map_err(LoadError::probe)?;
        let mut ebpf = Ebpf::load(sensor_objects::GENERATOR)?;
        let program = if features.multi_buffer { names::GENERATE } else { names::GENERATE_SINGLE_BUFFER };
        program::xdp(&mut ebpf, program)?.load()?;
        let generator = MappedArray::<generate::Generator>::of(names::GENERATOR, &ebpf)?;
        // SAFETY: the entry is live, and the program that reads it does not run yet.
        unsafe { mix.write_to(generator.entry(0)) };
        let counts = Arc::new(Counts::new(MappedArray::of(names::GENERATED, &ebpf)?));
        Ok(Self { ebpf, program, counts, kinds: mix.kinds().len(), frame: vec![0; mix.first_length()] })
    }

    /// The loaded object, for a run of its other program.
    pub fn ebpf_mut(&mut self) -> &mut Ebpf {
        &mut self.ebpf
    }

    /// Packets made so far by kind, in the order of the mix.
    #[must_use]
    pub fn generated(&self) -> Vec<u64> {
        self.counts.by_kind(self.kinds)
    }

    /// A view of the packets made so far, for whoever watches while they are sent.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress(Arc::clone(&self.counts))
    }

    /// Sends, and returns when the last packet has arrived at the telescope's end.
    ///
    /// # Errors
    /// Where packets cannot be made, or were lost on the way.
    pub fn send(&mut self, link: &Link<'_>, order: &Order<'_>) -> Result<Sent, Error> {
        self.send_after(link, order, || ())
    }

    /// As [`Self::send`], with `ready` between getting ready and the first packet: several that wait there for each other
    /// then send at once.
    ///
    /// # Errors
    /// As [`Self::send`]; `ready` is called in any case.
    pub fn send_after(
        &mut self,
        link: &Link<'_>,
        order: &Order<'_>,
        ready: impl FnOnce(),
    ) -> Result<Sent, Error> {
        let arrived = link.telescope.statistics();
        let sent = self.offer_after(link, order, ready);
        let (arrived, sent) = (arrived?.received, sent?);
        wait_for_arrival(link, arrived, sent.packets)?;
        Ok(sent)
    }

    /// Sends, and returns when the last packet has left, whether the telescope's end took them all or not: for
    /// receivers that cannot keep up with their interface.
    ///
    /// # Errors
    /// Where packets cannot be made.
    pub fn offer(&mut self, link: &Link<'_>, order: &Order<'_>) -> Result<Sent, Error> {
        self.offer_after(link, order, || ())
    }

    fn offer_after(
        &mut self,
        link: &Link<'_>,
        order: &Order<'_>,
        ready: impl FnOnce(),
    ) -> Result<Sent, Error> {
        let resident = self.stay_dispatched(link);
        // Others may wait for it there, whatever has gone wrong here.
        ready();
        let resident = resident?;
        let sent = self.send_counted(link.generator.index, Some(link.generator.namespace), order);
        if let Some(resident) = resident {
            program::xdp(&mut self.ebpf, self.program)?.detach(resident)?;
        }
        sent
    }

    /// Sends out of an interface of this thread's network namespace, whatever becomes of the packets: who wants to
    /// know asks the far end.
    ///
    /// # Errors
    /// Where packets cannot be made, or the interface's driver takes none from a program.
    pub fn send_out(&mut self, interface: u32, order: &Order<'_>) -> Result<Sent, Error> {
        self.send_counted(interface, None, order)
    }

    fn send_counted(
        &self,
        interface: u32,
        namespace: Option<&Namespace>,
        order: &Order<'_>,
    ) -> Result<Sent, Error> {
        let made = self.generated();
        let started = Instant::now();
        let processor_time = self.send_from_all(interface, namespace, order)?;
        let elapsed = started.elapsed();
        let by_kind: Vec<u64> = self.generated().iter().zip(made).map(|(now, before)| now - before).collect();
        Ok(Sent { packets: by_kind.iter().sum(), by_kind, elapsed, processor_time })
    }

    /// The kernel sends what a test run makes since the release in which packets have several buffers.
    fn sends_live_frames(&self) -> bool {
        self.program == names::GENERATE
    }

    /// Attaches the program to the link's parked interface. While a program is attached anywhere it stays in the kernel's
    /// dispatcher, and a run of it need not wait until it is patched in and out again (`bpf_prog_change_xdp`, some 25 ms),
    /// for each packet where the kernel sends none by itself. Not to the interface that it sends from: what came in there
    /// it would overwrite, and send back. Where another program is attached, as one that sends on the same link meanwhile,
    /// it does wait.
    fn stay_dispatched(&mut self, link: &Link<'_>) -> Result<Option<XdpLinkId>, Error> {
        let program = program::xdp(&mut self.ebpf, self.program)?;
        let attached =
            link.generator.namespace.within(|| program.attach_to_if_index(link.parked, XdpMode::Driver))?;
        Ok(attached.ok())
    }

    fn send_from_all(
        &self,
        interface: u32,
        namespace: Option<&Namespace>,
        order: &Order<'_>,
    ) -> Result<Duration, Error> {
        let program = self.ebpf.program(self.program).ok_or(LoadError::Absent(self.program))?;
        let program: &Xdp = program.try_into()?;
        let here = [sender::current_cpu()?];
        let cpus = if order.cpus.is_empty() { &here } else { order.cpus };
        let (counts, frame) = (&*self.counts, self.frame.as_slice());
        let live_frames = self.sends_live_frames();
        thread::scope(|scope| {
            let senders: Vec<_> = (0..)
                .zip(cpus)
                .map(|(place, &cpu)| {
                    let order = order.share(place, cpus.len() as u64);
                    let sender = Sender { program, live_frames, counts, frame, interface, cpu, order };
                    scope.spawn(move || match namespace {
                        Some(namespace) => namespace.within(|| sender.run())?,
                        None => sender.run(),
                    })
                })
                .collect();
            // All are waited for before the first error is given.
            let results: Vec<_> = senders.into_iter().map(thread::ScopedJoinHandle::join).collect();
            results.into_iter().map(|result| result.unwrap_or_else(|panic| resume_unwind(panic))).sum()
        })
    }
}

/// The link counts what its far end takes in: it has to be what was sent, neither less nor more.
fn wait_for_arrival(link: &Link<'_>, before: u64, sent: u64) -> Result<(), Error> {
    let deadline = Instant::now() + machine::patience(LONGEST_FLIGHT);
    loop {
        let arrived = link.telescope.statistics()?.received - before;
        if arrived == sent {
            return Ok(());
        }
        if arrived > sent || Instant::now() > deadline {
            return Err(Error::Lost { sent, arrived });
        }
        thread::sleep(Duration::from_millis(1));
    }
}
