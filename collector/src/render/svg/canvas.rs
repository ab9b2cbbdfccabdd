//! Writes SVG's elements, every word escaped and every coordinate with at most two decimals.

use std::fmt::{self, Display, Write};

use super::Look;
use super::palette::{Paint, Painted};
use crate::render::escape::{anchor, xml};

/// The size of all letters, in units of the view box.
pub const LETTER: f64 = 12.0;

/// A coordinate as it is written.
#[derive(Clone, Copy, Debug)]
pub struct At(pub f64);

impl Display for At {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = format!("{:.2}", self.0);
        let short = written.trim_end_matches('0').trim_end_matches('.');
        formatter.write_str(if short == "-0" { "0" } else { short })
    }
}

/// How wide a text will be about, in units of the view box: letters of a full width are as wide as they are high.
#[must_use]
pub fn width_of(text: &str) -> f64 {
    let of_one = |character: char| match character {
        'm' | 'w' | 'M' | 'W' | '@' => 0.86,
        'A'..='Z' | '%' | '×' | '–' | '−' => 0.68,
        'i' | 'j' | 'l' | '.' | ',' | '/' | ':' | '\'' => 0.3,
        'f' | 'r' | 't' | ' ' | '(' | ')' | '-' => 0.36,
        '\u{1100}'.. => 1.0,
        _ => 0.58,
    };
    text.chars().map(of_one).sum::<f64>() * LETTER
}

/// As much of a text as fits, with a mark where something is left off.
#[must_use]
pub fn fitting(text: &str, width: f64) -> String {
    if width_of(text) <= width {
        return text.to_owned();
    }
    let mut shown = String::new();
    let mut room = width - LETTER;
    for character in text.chars() {
        room -= width_of(character.encode_utf8(&mut [0; 4]));
        if room < 0.0 {
            break;
        }
        shown.push(character);
    }
    shown.push('…');
    shown
}

/// Where a text stands from its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    Start,
    Middle,
    End,
}

impl Align {
    const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

/// An SVG that is being written.
pub struct Canvas<'a> {
    pub svg: String,
    pub look: Look<'a>,
    id: String,
}

/// Appends what is formatted: writing to a string never fails.
macro_rules! put {
    ($canvas:expr, $($format:tt)*) => {{
        let _never_fails = ::std::fmt::Write::write_fmt(&mut $canvas.svg, ::std::format_args!($($format)*));
    }};
}
pub(super) use put;

impl<'a> Canvas<'a> {
    /// Begins a drawing of a size, told by its title and description.
    #[must_use]
    pub fn open(
        look: &Look<'a>,
        id: &str,
        title: &str,
        description: &str,
        (width, height): (f64, f64),
    ) -> Self {
        let prefix = anchor(look.prefix);
        let id = format!("{prefix}-{}", anchor(id));
        let mut canvas = Self { svg: String::new(), look: *look, id };
        let (id, ink) = (canvas.id.clone(), canvas.paint(Paint::Ink));
        put!(
            canvas,
            "<svg class=\"{prefix}-drawing\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\" \
             viewBox=\"0 0 {} {}\" font-size=\"{LETTER}\" fill=\"{ink}\">\
             <title id=\"{id}-title\">{}</title><desc id=\"{id}-desc\">{}</desc>\n",
            At(width),
            At(height),
            xml(title),
            xml(description)
        );
        let (ground, line) = (canvas.paint(Paint::Absent), canvas.paint(Paint::AbsentLine));
        put!(
            canvas,
            "<defs><pattern id=\"{id}-absent\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" \
             patternTransform=\"rotate(45)\"><rect width=\"6\" height=\"6\" fill=\"{ground}\"/>\
             <path d=\"M0 0V6\" stroke=\"{line}\" stroke-width=\"1.5\"/></pattern></defs>\n"
        );
        canvas
    }

    #[must_use]
    pub fn close(mut self) -> String {
        self.svg.push_str("</svg>\n");
        self.svg
    }

    #[must_use]
    pub fn paint(&self, paint: Paint) -> Painted {
        paint.of(&self.look)
    }

    /// What fills with a pattern.
    #[must_use]
    pub fn reference(&self, name: &str) -> String {
        format!("url(#{}-{name})", self.id)
    }

    /// Defines a pattern, whose content is given.
    pub fn pattern(&mut self, name: &str, size: u32, content: &str) {
        let id = format!("{}-{name}", self.id);
        put!(
            self,
            "<defs><pattern id=\"{id}\" width=\"{size}\" height=\"{size}\" patternUnits=\"userSpaceOnUse\">\
             {content}</pattern></defs>\n"
        );
    }

    /// A text of ink, or of another paint, whose line stands at `y`.
    pub fn text(&mut self, (x, y): (f64, f64), align: Align, paint: Paint, text: &str) {
        let (paint, align) = (self.paint(paint), align.name());
        put!(self, "<text x=\"{}\" y=\"{}\" fill=\"{paint}\"", At(x), At(y));
        if align != "start" {
            put!(self, " text-anchor=\"{align}\"");
        }
        put!(self, ">{}</text>\n", xml(text));
    }

    pub fn rect(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), fill: impl Display) {
        put!(
            self,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{fill}\"/>\n",
            At(x),
            At(y),
            At(width),
            At(height)
        );
    }

    /// A straight line.
    pub fn rule(&mut self, from: (f64, f64), to: (f64, f64), paint: Paint) {
        let paint = self.paint(paint);
        put!(
            self,
            "<path d=\"M{} {}L{} {}\" stroke=\"{paint}\" fill=\"none\"/>\n",
            At(from.0),
            At(from.1),
            At(to.0),
            At(to.1)
        );
    }

    /// An area of what was not observed.
    pub fn hatch(&mut self, x: f64, y: f64, width: f64, height: f64) {
        let fill = format!("url(#{}-absent)", self.id);
        self.rect((x, y), (width, height), fill);
    }

    pub fn frame(&mut self, x: f64, y: f64, width: f64, height: f64) {
        let paint = self.paint(Paint::Grid);
        put!(
            self,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"{paint}\"/>\n",
            At(x),
            At(y),
            At(width),
            At(height)
        );
    }

    /// A text on paper, so that it is read on whatever is behind.
    pub fn plate(&mut self, x: f64, y: f64, text: &str, room: f64) {
        let text = fitting(text, room - 12.0);
        let width = (width_of(&text) + 12.0).min(room);
        let paper = self.paint(Paint::Paper);
        self.rect((x - width / 2.0, y - 14.0), (width, 20.0), paper);
        self.text((x, y), Align::Middle, Paint::Muted, &text);
    }
}

/// Joins points to what a path's `d` begins with.
#[must_use]
pub fn path(points: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (index, (x, y)) in points.iter().enumerate() {
        let _never_fails = write!(path, "{}{} {}", if index == 0 { 'M' } else { 'L' }, At(*x), At(*y));
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_short() {
        assert_eq!(
            [0.0, -0.001, 1.5, 2.999, 100.0].map(|at| At(at).to_string()),
            ["0", "0", "1.5", "3", "100"]
        );
    }

    #[test]
    fn what_does_not_fit_is_cut_with_a_mark() {
        assert_eq!(fitting("23/TCP", 100.0), "23/TCP");
        assert_eq!(fitting("東京都千代田区", 40.0), "東京…");
        assert!(width_of(&fitting(&"W".repeat(1_000), 60.0)) <= 60.0);
    }
}
