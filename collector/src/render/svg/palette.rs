//! Colours that are told apart by whoever sees few colours, and in greyscale.
//!
//! Lines have those of Okabe and Ito (<https://jfly.uni-koeln.de/color/>), the darker ones first and the lighter ones
//! darkened until they stand out from white paper; a dash and a marker of its own tell each line without any colour.
//! Areas go from dark to light, so that each differs from its neighbours in lightness.

use std::fmt::{self, Write};

use super::Look;

/// What something is drawn with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    Ink,
    Muted,
    Grid,
    Paper,
    /// Behind what was not observed, and the lines of its hatching.
    Absent,
    AbsentLine,
    /// By place, beginning again after the last.
    Line(usize),
    Area(usize),
    /// From the lightest, 0, to the darkest, 5.
    Shade(usize),
}

/// How many of each there are.
pub const LINES: usize = 7;
pub const AREAS: usize = 5;
pub const SHADES: usize = 6;

/// On paper, and where it is dark.
type Colours = (&'static str, &'static str);

const INK: Colours = ("#1f2933", "#e6eaee");
const MUTED: Colours = ("#52606d", "#a9b4bf");
const GRID: Colours = ("#dde2e7", "#38424c");
const PAPER: Colours = ("#ffffff", "#18212b");
const ABSENT: Colours = ("#f3f4f6", "#20272e");
const ABSENT_LINE: Colours = ("#c9ced4", "#46515c");
const LINE: [Colours; LINES] = [
    ("#0072b2", "#56b4e9"),
    ("#d55e00", "#ff9a4d"),
    ("#1b1b1b", "#f2f2f2"),
    ("#009e73", "#2fd6a4"),
    ("#b5568f", "#e3a1c8"),
    ("#b87a00", "#e69f00"),
    ("#3b8fc4", "#8fd0f5"),
];
const AREA: [Colours; AREAS] = [
    ("#17365c", "#2f6296"),
    ("#2a7fb8", "#4b9fd6"),
    ("#e08a2b", "#e69f4d"),
    ("#9ecae8", "#b5dcf5"),
    ("#f4e3b2", "#f7ebc6"),
];
const SHADE: [Colours; SHADES] = [
    ("#e3eef8", "#18242f"),
    ("#c2dbef", "#1d3850"),
    ("#8fc1e3", "#205078"),
    ("#4f9bcb", "#2f6a98"),
    ("#1f6ea8", "#7db3de"),
    ("#0b3a6b", "#c4e0f7"),
];

impl Paint {
    fn colours(self) -> Colours {
        match self {
            Self::Ink => INK,
            Self::Muted => MUTED,
            Self::Grid => GRID,
            Self::Paper => PAPER,
            Self::Absent => ABSENT,
            Self::AbsentLine => ABSENT_LINE,
            Self::Line(place) => LINE[place % LINES],
            Self::Area(place) => AREA[place % AREAS],
            Self::Shade(place) => SHADE[place.min(SHADES - 1)],
        }
    }

    fn property(self) -> String {
        match self {
            Self::Ink => "ink".into(),
            Self::Muted => "muted".into(),
            Self::Grid => "grid".into(),
            Self::Paper => "paper".into(),
            Self::Absent => "absent".into(),
            Self::AbsentLine => "absent-line".into(),
            Self::Line(place) => format!("line-{}", place % LINES + 1),
            Self::Area(place) => format!("area-{}", place % AREAS + 1),
            Self::Shade(place) => format!("shade-{}", place.min(SHADES - 1) + 1),
        }
    }

    /// As the value of a `fill` or `stroke`.
    #[must_use]
    pub fn of(self, look: &Look<'_>) -> Painted {
        Painted { paint: self, is_themed: look.is_themed }
    }

    /// What is read on top of it.
    #[must_use]
    pub fn letters(self) -> Self {
        match self {
            Self::Shade(place) if place >= 4 => Self::Paper,
            _ => Self::Ink,
        }
    }

    fn all() -> impl Iterator<Item = Self> {
        [Self::Ink, Self::Muted, Self::Grid, Self::Paper, Self::Absent, Self::AbsentLine]
            .into_iter()
            .chain((0..LINES).map(Self::Line))
            .chain((0..AREAS).map(Self::Area))
            .chain((0..SHADES).map(Self::Shade))
    }
}

/// A paint as it is written.
#[derive(Clone, Copy, Debug)]
pub struct Painted {
    paint: Paint,
    is_themed: bool,
}

impl fmt::Display for Painted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (light, _) = self.paint.colours();
        match self.is_themed {
            true => write!(formatter, "var(--figure-{}, {light})", self.paint.property()),
            false => formatter.write_str(light),
        }
    }
}

/// The style sheet of the colours of a themed [`Look`]: light, and dark where the reader's system is.
#[must_use]
pub fn theme() -> String {
    let (mut light, mut dark) = (String::new(), String::new());
    for paint in Paint::all() {
        let colours = paint.colours();
        for (sheet, colour) in [(&mut light, colours.0), (&mut dark, colours.1)] {
            let _never_fails = write!(sheet, "--figure-{}:{colour};", paint.property());
        }
    }
    format!(":root{{{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance, of WCAG 2.
    fn luminance(colour: &str) -> f64 {
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    fn contrast(one: &str, other: &str) -> f64 {
        let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
        if one > other { one / other } else { other / one }
    }

    #[test]
    fn every_line_stands_out_from_the_paper() {
        for (light, dark) in LINE {
            assert!(contrast(light, PAPER.0) >= 3.0, "{light}: {}", contrast(light, PAPER.0));
            assert!(contrast(dark, PAPER.1) >= 3.0, "{dark}: {}", contrast(dark, PAPER.1));
        }
    }

    #[test]
    fn words_are_read_on_paper_and_on_every_shade() {
        for words in [INK, MUTED] {
            assert!(contrast(words.0, PAPER.0) >= 4.5 && contrast(words.1, PAPER.1) >= 4.5);
        }
        for place in 0..SHADES {
            let shade = Paint::Shade(place);
            let (ground, letters) = (shade.colours(), shade.letters().colours());
            assert!(contrast(ground.0, letters.0) >= 4.5, "{place}: {}", contrast(ground.0, letters.0));
            assert!(contrast(ground.1, letters.1) >= 4.5, "{place} dark: {}", contrast(ground.1, letters.1));
        }
    }

    #[test]
    fn neighbouring_areas_and_shades_differ_in_lightness() {
        for pair in AREA.windows(2).chain(SHADE.windows(2)) {
            assert!(contrast(pair[0].0, pair[1].0) >= 1.2, "{pair:?}: {}", contrast(pair[0].0, pair[1].0));
        }
    }

    #[test]
    fn the_theme_sets_every_colour_twice() {
        for paint in Paint::all() {
            assert_eq!(theme().matches(&format!("--figure-{}:", paint.property())).count(), 2);
        }
    }
}
