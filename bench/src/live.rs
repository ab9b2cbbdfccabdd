//! `bench live`: packets through a driver, into an attached sensor.
//!
//! The generator sends from one end of a veth pair, at full speed from one CPU; an XDP program is attached
//! natively at the other. The bare drop is what the path can carry; the sensor has to keep most of it, and
//! to have counted exactly what was sent.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use aya::Ebpf;
use aya::programs::XdpMode;
use clap::Args;
use comfy_table::{CellAlignment, Table};
use sensor_user::config::{Action, Options};
use sensor_user::program::{self, Alone};
use sensor_user::table::grouped;
use sensor_user::watcher::Watcher;
use serde::Serialize;
use testbed::{Generator, Link, Namespace, Order, mix};

use crate::kernel::Traffic;
use crate::statistics::Spread;

/// Measures packets per second over a veth pair: bare drop and the attached sensor
#[derive(Args)]
pub struct Arguments {
    /// Rounds; in each, every variant is run once, in turn
    #[arg(long, default_value_t = 11, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Packets sent to one variant in one round
    #[arg(long, default_value_t = 4_194_304, value_parser = clap::value_parser!(u64).range(1..))]
    packets: u64,
    /// What the packets are
    #[arg(long, value_enum, default_value_t = Traffic::Uniform)]
    traffic: Traffic,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    traffic: Traffic,
    rounds: u32,
    packets_per_round: u64,
    variants: Vec<Figure>,
    /// The sensor's rate as a part of the bare drop's in the same round.
    sensor_share_of_drop: Spread,
    /// The same per second of processor time: the stricter figure, without the generator's waiting.
    sensor_share_of_drop_by_cpu: Spread,
    /// Packets sent to the sensor in all rounds, and counted by it.
    sent: u64,
    counted: u64,
}

#[derive(Serialize)]
struct Figure {
    name: &'static str,
    /// By the clock, in which the generator's waiting for RCU grace periods is contained.
    packets_per_second: Spread,
    /// By the time of the one processor that sends and receives.
    packets_per_cpu_second: Spread,
}

struct Variant {
    name: &'static str,
    ebpf: Ebpf,
    program: &'static str,
    /// Where it counts.
    watcher: Option<Watcher>,
    rates: Vec<Rate>,
}

/// One round's packets per second.
struct Rate {
    clock: f64,
    processor: f64,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let (sender, receiver) = (Namespace::new()?, Namespace::new()?);
    let link = Link::between(&sender, &receiver)?;
    let mut generator = Generator::new(&arguments.traffic.mix())?;
    let mut variants = load_variants()?;
    let mut sent = 0;
    // A first round, to fill caches and branch predictors, is not counted in the rates.
    for round in 0..=arguments.rounds {
        for variant in &mut variants {
            let rate = variant.measure(&mut generator, &link, arguments.packets)?;
            if round > 0 {
                variant.rates.push(rate);
            }
        }
        sent += arguments.packets;
    }
    let report = report(arguments, &variants, sent)?;
    if arguments.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print(&report);
    }
    ensure!(report.sent == report.counted, "{} packets sent, {} counted", report.sent, report.counted);
    Ok(())
}

fn load_variants() -> Result<[Variant; 2]> {
    let drop = Ebpf::load(sensor_objects::BASELINE).context("cannot load the baseline programs")?;
    // It drops as well, so that both leave the network stack out.
    let options = Options {
        observed: Some(mix::OBSERVED.iter().map(|prefix| prefix.parse()).collect::<Result<_, _>>()?),
        action: Some(Action::Drop),
        digests: Some(false),
        ..Options::default()
    };
    let Alone { ebpf: sensor, name: program, .. } = Alone::load(&options.resolve()?)?;
    let mut variants = [
        Variant { name: "drop", ebpf: drop, program: "bare_drop", watcher: None, rates: Vec::new() },
        Variant {
            name: "sensor",
            watcher: Some(Watcher::new(&sensor)?),
            ebpf: sensor,
            program,
            rates: Vec::new(),
        },
    ];
    let [drop, _] = &mut variants;
    program::xdp(&mut drop.ebpf, drop.program)?.load()?;
    Ok(variants)
}

impl Variant {
    /// Attaches, sends, detaches.
    fn measure(&mut self, generator: &mut Generator, link: &Link<'_>, packets: u64) -> Result<Rate> {
        let end = &link.telescope;
        let program = program::xdp(&mut self.ebpf, self.program)?;
        let attached = end.namespace.within(|| program.attach_to_if_index(end.index, XdpMode::Driver))?;
        let attached = attached.context("cannot attach to the veth pair")?;
        let sent = generator.send(link, &Order::packets(packets));
        program.detach(attached)?;
        let sent = sent?;
        #[expect(clippy::cast_precision_loss, reason = "a rate, of which only the first digits matter")]
        let per_second = |time: Duration| sent.packets as f64 / time.as_secs_f64();
        Ok(Rate { clock: per_second(sent.elapsed), processor: per_second(sent.processor_time) })
    }
}

fn report(arguments: &Arguments, variants: &[Variant; 2], sent: u64) -> Result<Report> {
    let [drop, sensor] = variants;
    let figure = |variant: &Variant| {
        Ok::<_, anyhow::Error>(Figure {
            name: variant.name,
            packets_per_second: spread(variant.rates.iter().map(|rate| rate.clock))?,
            packets_per_cpu_second: spread(variant.rates.iter().map(|rate| rate.processor))?,
        })
    };
    let share = |rate: fn(&Rate) -> f64| {
        spread(sensor.rates.iter().zip(&drop.rates).map(|(sensor, drop)| rate(sensor) / rate(drop)))
    };
    let cut = sensor.watcher.as_ref().context("the sensor does not count")?.cut();
    ensure!(cut.breaches.is_empty(), "conservation is broken: {}", cut.breaches[0]);
    Ok(Report {
        traffic: arguments.traffic,
        rounds: arguments.rounds,
        packets_per_round: arguments.packets,
        variants: vec![figure(drop)?, figure(sensor)?],
        sensor_share_of_drop: share(|rate| rate.clock)?,
        sensor_share_of_drop_by_cpu: share(|rate| rate.processor)?,
        sent,
        counted: cut.totals.packets,
    })
}

fn spread(figures: impl Iterator<Item = f64>) -> Result<Spread> {
    Spread::new(figures.collect()).context("no rounds")
}

fn print(report: &Report) {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_BORDERS_ONLY);
    table.set_header([
        "variant",
        "million packets/s: min",
        "median",
        "max",
        "per CPU second: min",
        "median",
        "max",
    ]);
    let millions =
        |Spread { min, median, max }: &Spread| [min, median, max].map(|rate| format!("{:.2}", rate / 1e6));
    for Figure { name, packets_per_second, packets_per_cpu_second } in &report.variants {
        let rates = millions(packets_per_second).into_iter().chain(millions(packets_per_cpu_second));
        table.add_row([(*name).to_owned()].into_iter().chain(rates));
    }
    let shares = [report.sensor_share_of_drop, report.sensor_share_of_drop_by_cpu];
    let percent =
        |Spread { min, median, max }| [min, median, max].map(|share: f64| format!("{:.1} %", share * 100.0));
    table.add_row(["sensor / drop".to_owned()].into_iter().chain(shares.into_iter().flat_map(percent)));
    for column in 1..7 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    println!("{table}");
    println!("sent to the sensor {}, counted {}", grouped(report.sent), grouped(report.counted));
}
