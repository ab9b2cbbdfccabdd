//! `apus-sensor top`: a live view of a running sensor, in a terminal.
//!
//! It only looks: nothing here writes to a map, so it may run beside an agent, without one, and more than
//! once. [`observer`] gathers, [`model`] is what was gathered, and [`view`] makes a picture of that.

mod history;
mod model;
mod numbers;
mod observer;
mod peeker;
mod screen;
mod sources;
mod view;

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use files::values::parse_duration;

use crate::config::{ConfigError, SetFlags};
use crate::pins::{PinError, Pins};
use crate::state::StateError;
use observer::Observer;
use screen::{Command, Screen};
use view::Look;

const SHORTEST_REFRESH: Duration = Duration::from_millis(100);
/// The first picture has no rates yet, and stays no longer than this.
const FIRST_REFRESH: Duration = Duration::from_millis(250);
const LONGEST_REFRESH: Duration = Duration::from_hours(1);

/// Shows live what arrives: rates, ports, signatures and sources
///
/// It only reads, so it may run beside an agent, and leaves every digest to it.
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    set: SetFlags,
    /// Time from one picture to the next, such as 1s or 500ms
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = parse_refresh)]
    refresh: Duration,
}

/// Why nothing is shown, or no longer.
#[derive(Debug, thiserror::Error)]
pub enum TopError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(
        "the standard output is not a terminal, which a live view needs: use `apus-sensor status`, or \
         `apus-sensor status --json` for a program"
    )]
    NoTerminal,
    #[error(transparent)]
    Pin(#[from] PinError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error(
        "no sensor is pinned in {path}: start one with `apus-sensor run`, or name another --pin-directory"
    )]
    Absent { path: PathBuf },
    #[error("the sensor in {path} was detached: start one with `apus-sensor run`, and this again")]
    Detached { path: PathBuf },
    #[error("a counter has shrunk, which none may: something else writes to the pinned maps of {path}")]
    Shrunk { path: PathBuf },
    #[error("cannot watch for signals: {0}")]
    Signals(io::Error),
    #[error("cannot use the terminal: {0}; `apus-sensor status` needs none")]
    Terminal(#[from] io::Error),
}

/// Shows the sensor until somebody quits.
///
/// # Errors
/// Where there is no terminal or no sensor, or either goes away.
pub fn run(arguments: &Arguments) -> Result<(), TopError> {
    let pins = Pins::new(&arguments.set.pin_directory()?);
    if !io::stdout().is_terminal() {
        return Err(TopError::NoTerminal);
    }
    // Everything that may be wrong with the set is told before the terminal is another.
    let mut observer = Observer::open(pins)?;
    let mut screen = Screen::open()?;
    let mut look = Look::default();
    let mut model = observer.refresh(look.order)?;
    let mut next = Instant::now() + arguments.refresh.min(FIRST_REFRESH);
    loop {
        screen.draw(&model, &look)?;
        match screen.wait(next)? {
            Some(Command::Quit) => return Ok(()),
            Some(Command::Pause) => look.paused = !look.paused,
            Some(Command::NextSpan) => look.span = look.span.next(),
            Some(Command::NextOrder) => {
                look.order = look.order.next();
                model.sources = observer.sources(look.order);
            }
            Some(Command::Redraw) => {}
            None => {
                // While it pauses as well: digests do not wait for whoever looks at them.
                let fresh = observer.refresh(look.order)?;
                if !look.paused {
                    model = fresh;
                }
                next = Instant::now() + arguments.refresh;
            }
        }
    }
}

fn parse_refresh(text: &str) -> Result<Duration, String> {
    let refresh = parse_duration(text)?;
    if !(SHORTEST_REFRESH..=LONGEST_REFRESH).contains(&refresh) {
        return Err(format!("\"{text}\" is not between 100ms and 1h"));
    }
    Ok(refresh)
}
