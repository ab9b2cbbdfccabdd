//! Where the table is shown: in place on a terminal, else as a few lines now and then.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use serde_json::Value;
use testbed::document;

use crate::table::{self, Moment};
use crate::text::left;

/// Intervals between two lines where output is no terminal.
const LINE_EVERY: usize = 5;

pub struct Screen {
    kind: Kind,
    attachment: String,
    /// Intervals that are in `total`.
    seen: usize,
    total: Value,
    has_begun: bool,
}

enum Kind {
    /// JSON follows, and nothing else may be printed.
    Silent,
    Lines,
    Terminal {
        drawn: usize,
    },
}

impl Screen {
    pub fn new(silent: bool, attachment: &str) -> Self {
        let kind = if silent {
            Kind::Silent
        } else if io::stdout().is_terminal() {
            Kind::Terminal { drawn: 0 }
        } else {
            Kind::Lines
        };
        Self { kind, attachment: attachment.into(), seen: 0, total: document::empty(), has_begun: false }
    }

    /// Shows how things are, where there is something new to show.
    pub fn show(
        &mut self,
        intervals: &[Value],
        sent: u64,
        elapsed: Duration,
        length: Duration,
        stored: impl FnOnce() -> u64,
    ) -> io::Result<()> {
        let before = self.seen;
        for interval in intervals.iter().skip(before) {
            document::add(&mut self.total, interval);
            self.seen += 1;
        }
        if self.seen == before && self.has_begun {
            return Ok(());
        }
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        let nothing = Value::Null;
        let Self { kind, attachment, seen, total, has_begun: _ } = self;
        let latest = intervals.last().unwrap_or(&nothing);
        let stored = if matches!(kind, Kind::Terminal { .. }) { stored() } else { 0 };
        let moment = Moment { attachment, total, latest, sent, stored, elapsed, length };
        match kind {
            Kind::Lines if is_first => writeln!(io::stdout(), "{}\n{}", moment.title(), table::line_header()),
            Kind::Lines if seen.is_multiple_of(LINE_EVERY) => writeln!(io::stdout(), "{}", moment.line()),
            Kind::Silent | Kind::Lines => Ok(()),
            Kind::Terminal { drawn } => draw(&moment.table(), drawn),
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if matches!(self.kind, Kind::Terminal { drawn: 1.. }) {
            let _nobody_looks = io::stdout().write_all(SHOW_CURSOR.as_bytes());
        }
    }
}

const HIDE_CURSOR: &str = "\x1b[?25l";
const SHOW_CURSOR: &str = "\x1b[?25h";
const CLEAR_TO_END_OF_LINE: &str = "\x1b[K";
const CLEAR_BELOW: &str = "\x1b[J";

/// Draws over what was drawn before, in one write: no line is ever empty for a moment.
fn draw(lines: &[String], drawn: &mut usize) -> io::Result<()> {
    let (rows, columns) = size();
    let up = if *drawn > 0 { format!("\x1b[{drawn}A\r") } else { String::new() };
    let mut text = [HIDE_CURSOR, &up].concat();
    // A row is left for the cursor: the terminal must not scroll.
    *drawn = lines.len().min(rows.saturating_sub(1));
    for line in &lines[..*drawn] {
        text.push_str(left(line, columns.saturating_sub(1)).trim_end());
        text.push_str(CLEAR_TO_END_OF_LINE);
        text.push('\n');
    }
    text.push_str(CLEAR_BELOW);
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes())?;
    output.flush()
}

/// Rows and columns of the terminal; the classic ones where it does not tell.
fn size() -> (usize, usize) {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the kernel writes the structure that lives here.
    let told = unsafe { libc::ioctl(libc::STDOUT_FILENO, libc::TIOCGWINSZ, &raw mut size) } == 0;
    if told && size.ws_row > 0 && size.ws_col > 0 {
        (size.ws_row.into(), size.ws_col.into())
    } else {
        (24, 80)
    }
}
