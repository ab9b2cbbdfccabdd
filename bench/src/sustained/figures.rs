//! The course of a run as figures: a line each over the agent's intervals.

use sensor_user::table::grouped;

use super::{Report, Second};
use crate::results::{Aim, Axis, Bar, Better, Figure, Measurement, Plot, Point, Scale, Series};
use crate::statistics::Spread;

#[expect(clippy::cast_precision_loss, reason = "figures, of which only the first digits matter")]
pub fn measurement(report: &Report) -> Measurement {
    let Report { seconds, sent, counted, observed, digests_written, digests_lost, .. } = report;
    let rate = *sent as f64 / seconds / 1e6;
    let series = |label: &str, value: &dyn Fn(&Second) -> f64| series(report, label, value);
    let millions = |number: u64| number as f64 / 1e6;
    let full = |second: &Second| 100.0 * second.most_waiting as f64 / second.ring_records.max(1) as f64;
    let packets = series("packets", &|second| millions(second.packets));
    let lost = series("digests lost", &|second| millions(second.digests_lost));
    let rows = series("flows", &|second| millions(second.flows));
    let beyond = series("packets beyond the limit", &|second| millions(second.overflow_packets));
    let load = vec![series("fullest ring", &full), series("agent's CPU", &|second| second.agent_cpu_percent)];
    let whole = [
        ("rate", "Sent and counted", "million packets/s", Better::Higher, rate),
        ("cpu", "The agent, of a CPU", "%", Better::Lower, report.agent_cpu_percent),
        (
            "memory",
            "The agent's memory at most, rings and counters with it",
            "MiB",
            Better::Lower,
            mebibytes(report),
        ),
    ];
    let bar = |(name, title, unit, better, value): (&str, &str, &str, Better, f64)| {
        Figure::bars(name, title, unit, better, vec![Bar::once("the whole run", value)])
    };
    let mut figures = vec![
        lines(
            "course",
            "Counted, interval by interval",
            "million per interval",
            Better::Higher,
            vec![packets, lost],
        ),
        lines("load", "How full the rings were, and the agent's CPU", "%", Better::Lower, load),
        lines(
            "flows",
            "Flows, and packets for which there was no room",
            "million per interval",
            Better::Higher,
            vec![rows, beyond],
        ),
    ];
    figures.extend(whole.map(bar));
    let lost_share = 100.0 * *digests_lost as f64 / (*observed).max(1) as f64;
    Measurement {
        figures,
        aims: vec![Aim {
            of: "digests lost".into(),
            aim: 0.0,
            measured: lost_share,
            unit: "% of the packets observed".into(),
            better: Better::Lower,
        }],
        checked: vec![
            format!("{seconds:.0} s: sent {}, counted {}", grouped(*sent), grouped(*counted)),
            format!(
                "of {} packets observed {} digests were written and {} lost; conservation held in {} intervals",
                grouped(*observed),
                grouped(*digests_written),
                grouped(*digests_lost),
                report.intervals.len()
            ),
        ],
        warnings: Vec::new(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "MiB")]
fn mebibytes(report: &Report) -> f64 {
    report.agent_memory_bytes as f64 / f64::from(1 << 20)
}

#[expect(clippy::cast_precision_loss, reason = "the number of an interval")]
fn series(report: &Report, label: &str, value: &dyn Fn(&Second) -> f64) -> Series {
    let point =
        |(place, second): (usize, &Second)| Point { x: (place + 1) as f64, y: Spread::once(value(second)) };
    Series { label: label.into(), points: report.intervals.iter().enumerate().map(point).collect() }
}

fn lines(name: &str, title: &str, unit: &str, better: Better, series: Vec<Series>) -> Figure {
    let x = Axis { title: "interval of the agent".into(), scale: Scale::Linear };
    let plot = Plot::Lines { x, y: Scale::Linear, series };
    Figure { name: name.into(), title: title.into(), unit: unit.into(), better, plot }
}
