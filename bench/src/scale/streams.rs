//! Several veth pairs, with one program attached natively at the far end of each.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use aya::Ebpf;
use aya::programs::XdpMode;
use sensor_user::config::{Action, Options};
use sensor_user::program::{self, Alone};
use sensor_user::watcher::Watcher;
use testbed::{Generator, Link, Namespace, Order, mix};

use super::under_test::drop_everything;

/// What is attached.
#[derive(Clone, Copy)]
pub enum Receiver {
    Drop,
    /// The sensor without digests, which drops what is observed, as the bare drop does.
    Sensor,
}

impl Receiver {
    pub const BOTH: [Self; 2] = [Self::Drop, Self::Sensor];
    /// Their labels.
    pub const LABELS: [&'static str; 2] = ["drop", "sensor"];
}

/// Pairs, of which one program takes in what comes by any.
pub struct Streams<'a> {
    links: Vec<Link<'a>>,
    /// Detaches on drop.
    _ebpf: Ebpf,
    watcher: Option<Watcher>,
    sent: u64,
}

/// What was sent by some of the pairs.
pub struct Flood {
    pub packets: u64,
    pub elapsed: Duration,
    /// Of all senders, the receiving program's contained.
    pub processor_time: Duration,
}

impl<'a> Streams<'a> {
    /// So many pairs between two namespaces, with the program at their far ends.
    pub fn new([sender, receiver]: [&'a Namespace; 2], links: usize, attached: Receiver) -> Result<Self> {
        let links = (0..links).map(|_| Link::between(sender, receiver)).collect::<Result<Vec<_>, _>>()?;
        let (mut ebpf, name, watcher) = match attached {
            Receiver::Drop => {
                let variant = drop_everything()?;
                (variant.ebpf, variant.program, None)
            }
            Receiver::Sensor => {
                let observed = mix::OBSERVED.iter().map(|prefix| prefix.parse());
                let options = Options {
                    observed: Some(observed.collect::<Result<_, _>>()?),
                    action: Some(Action::Drop),
                    digests: Some(false),
                    ..Options::default()
                };
                let Alone { ebpf, name, .. } = Alone::load(&options.resolve()?)?;
                let watcher = Watcher::new(&ebpf)?;
                (ebpf, name, Some(watcher))
            }
        };
        let program = program::xdp(&mut ebpf, name)?;
        for Link { telescope: end, .. } in &links {
            let attached = end.namespace.within(|| program.attach_to_if_index(end.index, XdpMode::Driver))?;
            attached.context("cannot attach to a veth pair")?;
        }
        Ok(Self { links, _ebpf: ebpf, watcher, sent: 0 })
    }

    /// Sends as many packets by each of the first pairs as there are CPUs, at once, from a CPU each. The clock runs from
    /// when all of them are ready, for which each has to wait for RCU grace periods, to the last one's end.
    pub fn at_once(&mut self, generators: &mut [Generator], cpus: &[usize], packets: u64) -> Result<Flood> {
        let links = &self.links;
        ensure!(cpus.len() <= links.len() && cpus.len() <= generators.len(), "fewer pairs than CPUs");
        let all_ready = &Barrier::new(cpus.len());
        let sent = thread::scope(|scope| {
            let senders: Vec<_> = generators
                .iter_mut()
                .zip(links)
                .zip(cpus)
                .map(|((generator, link), cpu)| {
                    scope.spawn(move || {
                        let (cpus, mut begun) = ([*cpu], Instant::now());
                        let order = Order { cpus: &cpus, ..Order::packets(packets) };
                        let sent = generator.send_after(link, &order, || {
                            all_ready.wait();
                            begun = Instant::now();
                        });
                        sent.map(|sent| (begun, sent))
                    })
                })
                .collect();
            // All are waited for before the first error is given.
            let results: Vec<_> = senders.into_iter().map(thread::ScopedJoinHandle::join).collect();
            results
                .into_iter()
                .map(|result| Ok(result.map_err(|_| anyhow!("a generator panicked"))??))
                .collect::<Result<Vec<_>>>()
        })?;
        let begun = sent.iter().map(|(begun, _)| *begun).min();
        let ended = sent.iter().map(|(begun, sent)| *begun + sent.elapsed).max();
        let elapsed = begun.zip(ended).map_or(Duration::ZERO, |(begun, ended)| ended - begun);
        Ok(self.flood(
            elapsed,
            sent.iter().map(|(_, sent)| sent).map(|sent| (sent.packets, sent.processor_time)),
        ))
    }

    /// Sends the packets by the first so many pairs, an equal share by each, one after the other from one CPU.
    pub fn in_turn(
        &mut self,
        generator: &mut Generator,
        cpu: usize,
        links: usize,
        packets: u64,
    ) -> Result<Flood> {
        let cpus = [cpu];
        let started = Instant::now();
        let sent = self.links[..links]
            .iter()
            .map(|link| {
                let order = Order { cpus: &cpus, ..Order::packets(packets / links as u64) };
                generator.send(link, &order).map(|sent| (sent.packets, sent.processor_time))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let elapsed = started.elapsed();
        Ok(self.flood(elapsed, sent))
    }

    fn flood(&mut self, elapsed: Duration, sent: impl IntoIterator<Item = (u64, Duration)>) -> Flood {
        let mut flood = Flood { packets: 0, elapsed, processor_time: Duration::ZERO };
        for (packets, processor_time) in sent {
            flood.packets += packets;
            flood.processor_time += processor_time;
        }
        self.sent += flood.packets;
        flood
    }

    /// Whether all that was sent was counted, in words; nothing where what is attached does not count.
    pub fn check(&self) -> Result<Option<String>> {
        let Some(watcher) = &self.watcher else {
            return Ok(None);
        };
        let (cut, sent) = (watcher.cut(), self.sent);
        ensure!(cut.breaches.is_empty(), "conservation is broken: {}", cut.breaches[0]);
        let counted = cut.totals.packets;
        ensure!(sent == counted, "{sent} packets sent, {counted} counted");
        Ok(Some(format!("sent {sent} by {} interfaces, counted {counted}", self.links.len())))
    }
}

impl Flood {
    #[expect(clippy::cast_precision_loss, reason = "a cost, of which only the first digits matter")]
    pub fn nanoseconds_per_packet(&self) -> f64 {
        self.processor_time.as_secs_f64() * 1e9 / self.packets as f64
    }

    /// By the clock, in which the generators' waiting for RCU grace periods is contained.
    #[expect(clippy::cast_precision_loss, reason = "a rate, of which only the first digits matter")]
    pub fn million_packets_per_second(&self) -> f64 {
        self.packets as f64 / self.elapsed.as_secs_f64() / 1e6
    }
}
