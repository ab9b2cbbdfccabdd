//! Tables of counters, side by side.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::{TITLE, short};
use crate::table::grouped;
use crate::top::model::{Table, Tables};
use crate::top::numbers::rate;

/// From this width on a table has room for all digits.
const WIDE: usize = 22;

pub fn draw(tables: &Tables, per_second: bool, frame: &mut Frame<'_>, area: Rect) {
    let columns: [Rect; 5] = Layout::horizontal([Constraint::Fill(1); 5]).areas(area);
    let seconds = (per_second && tables.seconds > 0.0).then_some(tables.seconds);
    for (place, (table, column)) in tables.tables.iter().zip(columns).enumerate() {
        // A space between two; on wide terminals more.
        let gap = if place + 1 == columns.len() { 0 } else { (column.width / 12).max(1) };
        let inner = Rect { width: column.width.saturating_sub(gap), ..column };
        frame.render_widget(Paragraph::new(lines(table, seconds, inner)), inner);
    }
}

fn lines(table: &Table, seconds: Option<f64>, area: Rect) -> Vec<Line<'static>> {
    let (width, height) = (usize::from(area.width), usize::from(area.height).saturating_sub(1));
    let form = if width >= WIDE { grouped } else { short };
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let number = |packets: u64| seconds.map_or_else(|| form(packets), |s| rate(packets as f64 / s, form));
    // Ports are as wide as the widest, and the other names begin on the left.
    let line = |name: &str, packets: u64| {
        let number = number(packets);
        let room = width.saturating_sub(number.len());
        Line::from(format!("{name:<room$}{number}"))
    };
    let mut lines = vec![Line::styled(table.kind.title(), TITLE)];
    let shown = if table.of > height { height.saturating_sub(1) } else { table.of }.min(table.rows.len());
    lines.extend(table.rows[..shown].iter().map(|(name, packets)| line(name, *packets)));
    if table.of > shown {
        let rest = table.sum - table.rows[..shown].iter().map(|(_, packets)| packets).sum::<u64>();
        let others = if width >= WIDE {
            format!("{} others", grouped((table.of - shown) as u64))
        } else {
            "others".into()
        };
        lines.push(line(&others, rest));
    }
    lines
}
