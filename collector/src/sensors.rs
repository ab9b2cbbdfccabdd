//! `sensors`: how each sensor does.

use std::io::{self, Write};

use jiff::Timestamp;

use crate::store::{Day, Period, SensorOverview, StoreArguments, StoreError, utc};

#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    pub store: StoreArguments,
    /// Days that the figures are of, today included.
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub days: u32,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
}

/// Why nothing is told of the sensors.
#[derive(Debug, thiserror::Error)]
pub enum SensorsError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot print: {0}")]
    Print(#[from] io::Error),
}

/// Prints how each sensor does.
///
/// # Errors
/// Where the store cannot be read.
pub fn run(arguments: &Arguments, output: &mut impl Write) -> Result<(), SensorsError> {
    let now = u64::try_from(Timestamp::now().as_nanosecond()).unwrap_or(0);
    let tomorrow = Day(Day::of(now).0 + 1);
    let period = Period::days(tomorrow.before(arguments.days), tomorrow);
    let sensors = arguments.store.reader()?.sensors(period)?;
    if arguments.json {
        serde_json::to_writer_pretty(&mut *output, &sensors).map_err(io::Error::from)?;
        writeln!(output)?;
    } else {
        print(&sensors, now, arguments.days, output)?;
    }
    Ok(())
}

const HEADER: [&str; 12] = [
    "SENSOR",
    "LAST SEEN",
    "AGO",
    "VERSION",
    "EPOCHS",
    "MISSING",
    "INTERVALS",
    "PACKETS",
    "DIGESTS LOST",
    "NOT IN FLOWS",
    "CLOCK",
    "UP",
];

fn print(sensors: &[SensorOverview], now: u64, days: u32, output: &mut impl Write) -> io::Result<()> {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(HEADER);
    for sensor in sensors {
        let up: f64 = sensor.uptime.iter().map(|(_, seconds)| seconds).sum();
        table.add_row([
            sensor.sensor.clone(),
            sensor.last_end.map_or_else(|| "-".into(), to_the_second),
            sensor.last_end.map_or_else(|| "-".into(), |last| ago(now.saturating_sub(last))),
            sensor.program_version.clone(),
            sensor.epochs.to_string(),
            sensor.missing_sequences.to_string(),
            sensor.intervals.to_string(),
            sensor.packets.to_string(),
            sensor.digests_lost.to_string(),
            sensor.flow_packets_missing.to_string(),
            sensor.clock_skew_seconds.map_or_else(|| "-".into(), |seconds| format!("{seconds:+.3} s")),
            format!("{:.2} h on {} days", up / 3600.0, sensor.uptime.len()),
        ]);
    }
    for line in table.lines() {
        writeln!(output, "{}", line.trim_end())?;
    }
    writeln!(output, "INTERVALS to UP are of the last {days} days, by UTC.")?;
    for sensor in sensors {
        for (day, seconds) in &sensor.uptime {
            writeln!(output, "up: {} {day} {seconds:.3} s", sensor.sensor)?;
        }
    }
    Ok(())
}

/// A time without its decimals, for a column that people read.
fn to_the_second(nanoseconds: u64) -> String {
    utc(nanoseconds / 1_000_000_000 * 1_000_000_000).replace(".000000000", "")
}

/// How long ago, in its largest unit.
fn ago(nanoseconds: u64) -> String {
    match nanoseconds / 1_000_000_000 {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / 86_400),
    }
}
