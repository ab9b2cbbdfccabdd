//! The generator against the sensor's XDP program, attached by hand: every counter, to the packet.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::fs;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use aya::programs::XdpMode;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::unistd::{Pid, getpid, gettid};
use sensor_user::config::{Options, Settings};
use sensor_user::document::Document;

use sensor_user::program::Alone;
use sensor_user::watcher::Watcher;
use serde_json::Value;
use testbed::{Error, Generator, Link, Namespace, Order, Pace, document, machine, mix, privileged};

/// The sensor's program on the telescope's end of a link, with what it counts.
struct Sensor {
    _alone: Alone,
    watcher: Watcher,
    settings: Settings,
}

impl Sensor {
    fn attach(link: &Link<'_>, mode: XdpMode) -> Result<Self> {
        let observed = mix::OBSERVED.iter().map(|prefix| prefix.parse()).collect::<Result<_, _>>()?;
        let settings = Options { observed: Some(observed), ..Options::default() }.resolve()?;
        let mut alone = Alone::load(&settings)?;
        let program = alone.program()?;
        let end = &link.telescope;
        end.namespace.within(|| program.attach_to_if_index(end.index, mode))??;
        Ok(Self { watcher: Watcher::new(&alone.ebpf)?, _alone: alone, settings })
    }

    fn document(&self) -> Result<Value> {
        let cut = self.watcher.cut();
        ensure!(cut.breaches.is_empty(), "{:?}", cut.breaches);
        Ok(serde_json::to_value(Document::new(&cut.totals, &self.settings.watched_windows))?)
    }
}

#[test]
fn every_kind_is_counted_to_the_packet() {
    if !privileged() {
        return;
    }
    let (sender, receiver) = (Namespace::new().unwrap(), Namespace::new().unwrap());
    let link = Link::between(&sender, &receiver).unwrap();
    let sensor = Sensor::attach(&link, XdpMode::Driver).unwrap();
    let mix = mix::telescope();
    let mut generator = Generator::new(&mix).unwrap();
    let packets = machine::packets(300_001);
    let sent = generator.send(&link, &Order::packets(packets)).unwrap();
    assert_eq!(sent.packets, packets);
    for (kind, packets) in mix.kinds().iter().zip(&sent.by_kind) {
        assert!(*packets > 0, "{} was not sent", kind.name);
    }
    assert_eq!(mix.expected(&sent.by_kind), sensor.document().unwrap());

    // From every CPU at once, and paced: what is counted goes on from there.
    let cpus: Vec<usize> = aya::util::online_cpus().unwrap().into_iter().map(|cpu| cpu as usize).collect();
    let order = Order { cpus: &cpus, ..Order::packets(machine::packets(200_003)) };
    assert_eq!(generator.send(&link, &order).unwrap().packets, order.packets);
    let pace = Pace::PacketsPerSecond(NonZeroU32::new(50_000).unwrap());
    let paced = generator.send(&link, &Order { pace, ..Order::packets(5_000) }).unwrap();
    assert!(paced.elapsed >= Duration::from_millis(90), "5,000 packets in {:?}", paced.elapsed);
    assert_eq!(mix.expected(&generator.generated()), sensor.document().unwrap());
}

#[test]
fn a_sensor_in_the_network_stack_counts_the_same() {
    if !privileged() {
        return;
    }
    let (sender, receiver) = (Namespace::new().unwrap(), Namespace::new().unwrap());
    let link = Link::between(&sender, &receiver).unwrap();
    link.receive_without_xdp().unwrap();
    let sensor = Sensor::attach(&link, XdpMode::Skb).unwrap();
    let mix = mix::telescope();
    let sent = Generator::new(&mix).unwrap().send(&link, &Order::packets(machine::packets(100_000))).unwrap();
    assert_eq!(document::differences(&mix.expected(&sent.by_kind), &sensor.document().unwrap()), []);
}

#[test]
fn uniform_traffic_is_as_uniform_as_its_name() {
    if !privileged() {
        return;
    }
    let (sender, receiver) = (Namespace::new().unwrap(), Namespace::new().unwrap());
    let link = Link::between(&sender, &receiver).unwrap();
    let sensor = Sensor::attach(&link, XdpMode::Driver).unwrap();
    let mix = mix::uniform(mix::UniformLength::Sixty);
    let packets = machine::packets(1 << 20);
    let sent = Generator::new(&mix).unwrap().send(&link, &Order::packets(packets)).unwrap();
    let counted = sensor.document().unwrap();
    assert_eq!(document::differences(&mix.expected(&sent.by_kind), &counted), []);
    // Of so many ports with so many packets each on average, Poisson leaves some without any: with sixteen, one in nine
    // million. How many, is within five deviations.
    let ports = counted["tcp"]["scan_dst_ports"].as_object().unwrap();
    let all = f64::from(1 << 16);
    let without = all * (-f64::from(u32::try_from(packets).unwrap()) / all).exp();
    let found = all - f64::from(u32::try_from(ports.len()).unwrap());
    assert!((found - without).abs() <= 5.0 * without.sqrt(), "{found} ports without a packet, of {without}");
    let most = ports.values().filter_map(Value::as_u64).max().unwrap();
    assert!(most < 60, "{most} packets to one port");
}

#[test]
fn frames_of_an_imix_arrive_at_their_full_length() {
    if !privileged() {
        return;
    }
    let (sender, receiver) = (Namespace::new().unwrap(), Namespace::new().unwrap());
    let link = Link::between(&sender, &receiver).unwrap();
    let sensor = Sensor::attach(&link, XdpMode::Driver).unwrap();
    let mix = mix::imix();
    let sent = Generator::new(&mix).unwrap().send(&link, &Order::packets(machine::packets(120_000))).unwrap();
    let shares: Vec<u64> = sent.by_kind.iter().map(|packets| packets * 12 / sent.packets).collect();
    // Drawn at random, each within a hundredth of its share.
    assert!(matches!(shares.as_slice(), [6 | 7, 3 | 4, 0 | 1]), "{:?}", sent.by_kind);
    // Bytes, too: a frame that was cut short, or not, would show.
    assert_eq!(document::differences(&mix.expected(&sent.by_kind), &sensor.document().unwrap()), []);
}

/// A link whose far end takes in nothing, in whatever way the packets are sent.
fn cut(link: Link<'_>) -> Link<'_> {
    link.telescope.namespace.run("ip", &["link", "set", "dev", &link.telescope.interface, "down"]).unwrap();
    link
}

#[test]
fn offered_packets_are_those_that_were_made_whether_they_arrive_or_not() {
    if !privileged() {
        return;
    }
    let (sender, receiver) = (Namespace::new().unwrap(), Namespace::new().unwrap());
    let link = cut(Link::between(&sender, &receiver).unwrap());
    let mut generator = Generator::new(&mix::telescope()).unwrap();
    assert_eq!(generator.offer(&link, &Order::packets(100)).unwrap().packets, 100);
    assert_eq!(link.telescope.statistics().unwrap().received, 0);
}

#[test]
fn sending_stops_when_told_to_and_counts_what_was_sent() {
    if !privileged() {
        return;
    }
    let (sender, receiver) = (Namespace::new().unwrap(), Namespace::new().unwrap());
    let link = Link::between(&sender, &receiver).unwrap();
    let sensor = Sensor::attach(&link, XdpMode::Driver).unwrap();
    let mix = mix::telescope();
    let mut generator = Generator::new(&mix).unwrap();
    let (stop, progress) = (AtomicBool::new(false), generator.progress());
    let order = Order { stop: Some(&stop), ..Order::packets(u64::MAX) };
    let sent = thread::scope(|scope| {
        let sending = scope.spawn(|| generator.send(&link, &order));
        while progress.packets() == 0 {
            thread::sleep(Duration::from_millis(1));
        }
        stop.store(true, Ordering::Relaxed);
        sending.join().unwrap().unwrap()
    });
    assert_eq!(sent.packets, progress.packets());
    assert_eq!(mix.expected(&sent.by_kind), sensor.document().unwrap());
}

/// Sends a signal that means nothing to the threads that this one has started, which bear its name.
fn disturb_own_threads() {
    extern "C" fn nothing(_: libc::c_int) {}
    let action = SigAction::new(SigHandler::Handler(nothing), SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: the handler does nothing.
    unsafe { sigaction(Signal::SIGUSR1, &action) }.unwrap();
    let (process, this) = (getpid(), gettid());
    let name = |thread: Pid| fs::read_to_string(format!("/proc/self/task/{thread}/comm"));
    let own_name = name(this).unwrap();
    for entry in fs::read_dir("/proc/self/task").unwrap() {
        let thread = Pid::from_raw(entry.unwrap().file_name().to_str().unwrap().parse().unwrap());
        if thread != this && name(thread).is_ok_and(|name| name == own_name) {
            // One that has ended meanwhile hears nothing.
            // SAFETY: numbers only.
            unsafe { libc::syscall(libc::SYS_tgkill, process.as_raw(), thread.as_raw(), libc::SIGUSR1) };
        }
    }
}

#[test]
fn while_it_sends_no_program_is_where_frames_come_in() {
    if !privileged() {
        return;
    }
    let (sender, receiver) = (Namespace::new().unwrap(), Namespace::new().unwrap());
    let link = Link::between(&sender, &receiver).unwrap();
    let _sensor = Sensor::attach(&link, XdpMode::Driver).unwrap();
    let mut generator = Generator::new(&mix::telescope()).unwrap();
    // Names of interfaces that have a program, and of those that are up.
    let interfaces = || {
        let text = sender.run("ip", &["-json", "link", "show"]).unwrap();
        let all: Vec<Value> = serde_json::from_str(&text).unwrap();
        let is_up = |one: &Value| one["flags"].as_array().unwrap().contains(&"UP".into());
        let name = |one: &Value| one["ifname"].as_str().unwrap().to_owned();
        let having_program: Vec<String> = all.iter().filter(|one| one["xdp"].is_object()).map(name).collect();
        (having_program, all.iter().filter(|one| is_up(one)).map(name).collect::<Vec<_>>())
    };
    let (stop, progress) = (AtomicBool::new(false), generator.progress());
    let order = Order { stop: Some(&stop), ..Order::packets(u64::MAX) };
    let (with_program, up) = thread::scope(|scope| {
        let sending = scope.spawn(|| generator.send(&link, &order));
        while progress.packets() == 0 {
            thread::sleep(Duration::from_millis(1));
        }
        let seen = interfaces();
        stop.store(true, Ordering::Relaxed);
        sending.join().unwrap().unwrap();
        seen
    });
    // It is attached, or it would wait for the dispatcher; and only where nothing can come in.
    assert_eq!(up, [link.generator.interface.as_str()]);
    assert!(with_program.len() == 1 && !up.contains(&with_program[0]), "{with_program:?}");
    assert_eq!(interfaces().0, [""; 0]);
}

#[test]
fn signals_cost_no_packet_and_no_count() {
    if !privileged() {
        return;
    }
    let (sender, receiver) = (Namespace::new().unwrap(), Namespace::new().unwrap());
    let link = Link::between(&sender, &receiver).unwrap();
    let sensor = Sensor::attach(&link, XdpMode::Driver).unwrap();
    let mix = mix::telescope();
    let mut generator = Generator::new(&mix).unwrap();
    let progress = generator.progress();
    let order = Order::packets(machine::packets(300_000));
    let mut disturbed = 0;
    let sent = thread::scope(|scope| {
        let sending = scope.spawn(|| generator.send(&link, &order));
        while !sending.is_finished() {
            // While packets are made, and neither before nor after.
            if (1..order.packets).contains(&progress.packets()) {
                disturb_own_threads();
                disturbed += 1;
            }
            thread::sleep(Duration::from_micros(500));
        }
        sending.join().unwrap().unwrap()
    });
    assert!(disturbed > 0);
    assert_eq!(sent.packets, order.packets);
    assert_eq!(document::differences(&mix.expected(&sent.by_kind), &sensor.document().unwrap()), []);
}

#[test]
fn packets_that_do_not_arrive_are_an_error() {
    if !privileged() {
        return;
    }
    let (sender, receiver) = (Namespace::new().unwrap(), Namespace::new().unwrap());
    let link = cut(Link::between(&sender, &receiver).unwrap());
    let mut generator = Generator::new(&mix::telescope()).unwrap();
    let lost = generator.send(&link, &Order::packets(100)).unwrap_err();
    assert!(matches!(lost, Error::Lost { sent: 100, arrived: 0 }), "{lost}");
}
