//! The picture of a model: a function of both and of nothing else.

mod panels;
mod sources;

use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span as Text};
use ratatui::widgets::Paragraph;

use super::model::{Model, Rates, Tables};
use super::numbers::{rate, short, time};
use super::sources::Order;
use crate::table::grouped;

/// Lines of the tables on the smallest terminal, their titles included.
const TABLE_LINES: u16 = 9;
/// Lines of that terminal.
const LINES: u16 = 24;
/// The most lines that the tables take.
const MOST_TABLE_LINES: u16 = 21;

const QUIET: Style = Style::new().add_modifier(Modifier::DIM);
const TITLE: Style = Style::new().add_modifier(Modifier::BOLD);
const WARNING: Style = Style::new().fg(Color::Yellow).add_modifier(Modifier::BOLD);

/// How somebody wants to look at it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    pub span: Span,
    pub order: Order,
    pub paused: bool,
}

/// The time that the tables are of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Span {
    #[default]
    Minute,
    Refresh,
    All,
}

impl Span {
    pub const fn next(self) -> Self {
        match self {
            Self::Minute => Self::Refresh,
            Self::Refresh => Self::All,
            Self::All => Self::Minute,
        }
    }

    const fn tables(self, model: &Model) -> &Tables {
        match self {
            Self::Minute => &model.minute,
            Self::Refresh => &model.refresh,
            Self::All => &model.all,
        }
    }
}

pub fn draw(model: &Model, look: &Look, frame: &mut Frame<'_>) {
    let notices = model.notices();
    let area = frame.area();
    let tables = (TABLE_LINES + area.height.saturating_sub(LINES) / 2).min(MOST_TABLE_LINES);
    let [header, warnings, rule, panels, sources, footer] = Layout::vertical([
        Constraint::Length(3),
        Constraint::Length(u16::try_from(notices.len()).unwrap_or(u16::MAX)),
        Constraint::Length(1),
        Constraint::Length(tables),
        Constraint::Fill(1),
        Constraint::Length(1),
    ])
    .areas(area);
    frame.render_widget(Paragraph::new(head(model, look, header.width)), header);
    let lines: Vec<Line<'_>> = notices.into_iter().map(|notice| Line::styled(notice, WARNING)).collect();
    frame.render_widget(Paragraph::new(lines), warnings);
    frame.render_widget(ruled(&heading(model, look), rule.width), rule);
    panels::draw(look.span.tables(model), look.span == Span::Refresh, frame, panels);
    sources::draw(model, frame, sources);
    foot(look, frame, footer);
}

/// Three lines: where and when, how much, and how the digests fare.
fn head(model: &Model, look: &Look, width: u16) -> Vec<Line<'static>> {
    let agent = if model.agent_runs { "agent runs" } else { "no agent" };
    let paused = if look.paused { "PAUSED  " } else { "" };
    let right = format!("{paused}{agent}  {}", model.now.strftime("%H:%M:%S UTC"));
    let room = usize::from(width).saturating_sub(right.len() + 2);
    let place = place(model, room);
    let gap = usize::from(width).saturating_sub(place.chars().count() + right.len());
    let Rates { packets, bytes, observed, digests, digests_lost } = model.rates;
    let numbers = format!(
        "packets {}/s  bytes {}/s  observed {}/s  {} in {}",
        rate(packets, grouped_or_short),
        rate(bytes, short),
        rate(observed, grouped_or_short),
        grouped_or_short(model.packets),
        time(model.age),
    );
    let is_losing = digests_lost > 0.0 || model.digests.waiting >= model.digests.room.max(1);
    let rings = if model.digests.on {
        format!(
            "digests {}/s  lost {}/s, {} in all  fullest ring {} % of {}",
            rate(digests, grouped_or_short),
            rate(digests_lost, short),
            short(model.digests.lost),
            percent(model.digests.waiting, model.digests.room),
            grouped(model.digests.room),
        )
    } else {
        "digests off".into()
    };
    vec![
        Line::from(vec![
            Text::styled(place, TITLE),
            Text::raw(" ".repeat(gap)),
            Text::styled(right, if model.agent_runs { Style::new() } else { WARNING }),
        ]),
        Line::from(numbers),
        Line::styled(rings, if is_losing && model.digests.on { WARNING } else { Style::new() }),
    ]
}

/// The sensor's interfaces, as many as there is room for, and how many more there are.
fn place(model: &Model, room: usize) -> String {
    let mut text = format!("Apus sensor{} on", if model.drops { ", dropping," } else { "" });
    for (place, interface) in model.interfaces.iter().enumerate() {
        let left = model.interfaces.len() - place;
        let next = format!(" {} ({})", interface.name, interface.mode);
        let reserve = if left > 1 { " and 64 more".len() } else { 0 };
        if text.len() + next.len() + reserve > room {
            return format!("{text}{} {left} more", if place > 0 { " and" } else { "" });
        }
        text += &next;
    }
    if model.interfaces.is_empty() { format!("{text} no interface") } else { text }
}

fn heading(model: &Model, look: &Look) -> String {
    let seconds = look.span.tables(model).seconds;
    match look.span {
        Span::Minute => format!("packets of the last {seconds:.0} s"),
        Span::Refresh => format!("packets per second, of the last {seconds:.1} s"),
        Span::All => format!("packets in all, of {}", time(model.age)),
    }
}

/// A line across, with words in it.
fn ruled(words: &str, width: u16) -> Paragraph<'static> {
    let rest = usize::from(width).saturating_sub(words.chars().count() + 4);
    Paragraph::new(Line::from(vec![
        Text::styled("── ", QUIET),
        Text::raw(words.to_owned()),
        Text::styled(format!(" {}", "─".repeat(rest)), QUIET),
    ]))
}

fn foot(look: &Look, frame: &mut Frame<'_>, area: Rect) {
    let pause = if look.paused { "go on" } else { "pause" };
    let keys = format!("q quit   p {pause}   Tab minute, second, all   s sources by {}", look.order.name());
    frame.render_widget(Paragraph::new(keys).style(QUIET).alignment(Alignment::Left), area);
}

/// All digits where they are not too many.
fn grouped_or_short(number: u64) -> String {
    if number < 10_000_000 { grouped(number) } else { short(number) }
}

/// How much of the whole, rounded down but never to nothing, so that only all of it is 100 %.
fn percent(part: u64, whole: u64) -> u64 {
    let percent = u128::from(part) * 100 / u128::from(whole.max(1));
    u64::try_from(percent).unwrap_or(100).max(u64::from(part > 0))
}

#[cfg(test)]
mod tests;
