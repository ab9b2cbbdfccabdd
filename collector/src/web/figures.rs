//! Figures of the page: drawn as those of reports are, in colours that follow light and dark.
//!
//! Letters do not grow with a drawing that is stretched. So there is one for each of some widths, and the style sheet shows
//! the one that fits where it stands.

use super::topics::Topic;
use crate::language::Language;
use crate::render::escape::xml;
use crate::render::svg::{self, Look, palette};
use crate::report::model::Figure;
use crate::store::Facet;

const STYLE: &str = include_str!("assets/page.css");

/// For a section that is as wide as the page.
const WIDE: Look<'_> = look("wide", 960, 270);
/// For one beside another, or a page of a middling width: too narrow for names beside lines.
const HALF: Look<'_> = look("half", 544, 250);
const PHONE: Look<'_> = look("phone", 352, 250);

const fn look(prefix: &'static str, width: u32, height: u32) -> Look<'static> {
    Look { width, height, prefix, is_themed: true, is_of_counts: true }
}

/// How wide the section of a figure may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// The page's.
    Whole,
    /// Half of it, where there is room for two.
    Half,
}

impl Room {
    pub const fn of(topic: Topic) -> Self {
        match topic {
            Topic::Health | Topic::SourceCount | Topic::SourceList | Topic::Observed => Self::Whole,
            Topic::Packets(Facet::Service) => Self::Whole,
            Topic::Packets(_) => Self::Half,
        }
    }

    /// The class of a section that has it.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Half => "half",
        }
    }
}

/// Draws a figure, under its title.
pub fn figure(figure: &Figure, room: Room, language: Language) -> String {
    let looks: &[Look<'_>] = match room {
        Room::Whole => &[WIDE, HALF, PHONE],
        Room::Half => &[HALF, PHONE],
    };
    let drawings: String = looks.iter().map(|look| svg::figure(figure, language, look)).collect();
    let title = xml(figure.title.of(language));
    format!("<figure class=\"figure\"><figcaption>{title}</figcaption>{drawings}</figure>")
}

/// The page's style sheet, with the colours of drawings before it.
pub fn style() -> String {
    palette::theme() + STYLE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Text;
    use crate::report::model::{Series, Style};

    fn drawn(name: &str, room: Room) -> String {
        let series = Series {
            id: "s0".into(),
            name: Text::same(name),
            values: vec![Some(1.0), None, Some(2.0)],
            is_on_right_axis: false,
        };
        let hours = ["2026-01-01 22:00", "2026-01-01 23:00", "2026-01-02 00:00"];
        let days = hours.map(str::to_owned).to_vec();
        let (title, unit) = (Text::same("<b>\""), Text::same("<i>"));
        let (id, style, series) = ("f".into(), Style::Lines, vec![series]);
        let drawn = Figure { id, title, style, unit, right_unit: None, days, series };
        figure(&drawn, room, Language::English)
    }

    #[test]
    fn a_name_is_no_markup_in_a_figure_and_a_gap_is_one() {
        let drawn = drawn("<script>\"&\u{202e}", Room::Whole);
        assert!(!drawn.contains("<script>") && !drawn.contains("<b>") && !drawn.contains("<i>"), "{drawn}");
        assert!(!drawn.contains("style=") && !drawn.contains('\u{202e}'), "{drawn}");
        // The hour that nobody observed, and what explains it.
        assert_eq!(drawn.matches("fill=\"url(#wide-f-absent)\"").count(), 2, "{drawn}");
        assert!(drawn.contains(">22:00<") && drawn.contains(">1 January 2026<"), "{drawn}");
    }

    #[test]
    fn each_drawing_is_told_and_no_id_is_there_twice() {
        for (room, drawings) in [(Room::Whole, 3), (Room::Half, 2)] {
            let drawn = drawn("tokyo", room);
            assert_eq!(drawn.matches("<svg ").count(), drawings);
            assert_eq!(drawn.matches("<desc id=").count(), drawings);
            let mut ids: Vec<&str> =
                drawn.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
            let all = ids.len();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), all, "{ids:?}");
        }
    }

    /// A drawing that is not shown at any width, or two at the same, would be a figure without or with one too many.
    #[test]
    fn the_sheet_knows_every_drawing_and_sets_its_colours() {
        let style = style();
        for look in [WIDE, HALF, PHONE] {
            assert!(style.contains(&format!(".{}-drawing", look.prefix)), "{}", look.prefix);
        }
        assert!(style.contains(&format!(".{} ", Room::Whole.class())), "{}", Room::Whole.class());
        let drawn = drawn("tokyo", Room::Whole);
        let used = drawn.split("var(").skip(1).filter_map(|rest| rest.split(',').next());
        for property in used {
            assert!(style.contains(&format!("{property}:#")), "{property}");
        }
    }
}
