//! Results with one of everything.

use super::{
    Aim, Axis, Bar, Benchmark, Better, Figure, Machine, Measured, Measurement, Outcome, Plot, Point,
    Quantiles, Results, Scale, Series,
};
use crate::statistics::Spread;

fn spread(min: f64, median: f64, max: f64) -> Spread {
    let [lower_quartile, upper_quartile] = [min, max].map(|end| f64::midpoint(end, median));
    Spread { rounds: 21, min, lower_quartile, median, upper_quartile, max }
}

/// One of these names: bars, lines, quantiles.
pub fn figure(name: &str) -> Figure {
    let bar = |label: &str, measured| Bar { label: label.into(), measured };
    let point = |x: f64, y: f64| Point { x, y: spread(y - 1.0, y, y + 1.0) };
    let plot = match name {
        "bars" => Plot::Bars(vec![
            bar("bare drop", Measured::Spread(spread(17.4, 18.8, 21.8))),
            bar("sensor", Measured::Spread(spread(31.1, 33.0, 36.5))),
            bar("<argus> & co", Measured::Absent("no package of that name".into())),
        ]),
        "lines" => Plot::Lines {
            x: Axis { title: "sources".into(), scale: Scale::Logarithmic },
            y: Scale::Linear,
            series: vec![
                Series {
                    label: "sensor".into(),
                    points: vec![point(1.0, 11.0), point(10_000.0, 14.0), point(1e6, 26.0)],
                },
                Series { label: "collector".into(), points: vec![Point { x: 1e6, y: Spread::once(150.0) }] },
            ],
        },
        _ => Plot::Quantiles(vec![Quantiles {
            label: "stored".into(),
            count: 1_234,
            p50: 0.655,
            p90: 0.893,
            p99: 1.081,
            p999: 1.2,
            max: 1.31,
        }]),
    };
    Figure {
        name: name.into(),
        title: format!("Title of {name}"),
        unit: "ns per packet".into(),
        better: Better::Lower,
        plot,
    }
}

pub fn measurement() -> Measurement {
    let aim = |measured| Aim {
        of: "the sensor above the bare drop".into(),
        aim: 25.0,
        measured,
        unit: "ns per packet".into(),
        better: Better::Lower,
    };
    Measurement {
        figures: ["bars", "lines", "quantiles"].map(figure).into(),
        aims: vec![aim(14.3), aim(31.0)],
        checked: vec!["sent 50,331,648, counted 50,331,648".into()],
        warnings: vec!["the machine is noisy".into()],
    }
}

pub fn results() -> Results {
    let benchmark = |name: &str, outcome| Benchmark {
        name: name.into(),
        title: format!("What {name} is"),
        mode: "the kernel alone".into(),
        command: format!("cargo xtask bench {name}"),
        seconds: 13.0,
        outcome,
    };
    Results {
        begun: "2026-03-01T12:00:00Z".into(),
        is_quick: false,
        is_part: false,
        machine: Machine {
            processor: "A processor".into(),
            cpus: 2,
            caches: vec!["L1 data 32K".into(), "L2 unified 2048K".into()],
            memory_bytes: 8 << 30,
            virtualised: true,
            kernel: "6.18.0".into(),
            system: "Debian GNU/Linux 12 (bookworm)".into(),
            versions: [("apus".into(), "0.1.0".into()), ("rustc".into(), "1.95.0".into())].into(),
        },
        benchmarks: vec![
            benchmark("kernel", Outcome::Measured(measurement())),
            benchmark("live", Outcome::Failed("ended by signal 9".into())),
            benchmark("nic", Outcome::LeftOut("--interface is not given".into())),
        ],
    }
}
