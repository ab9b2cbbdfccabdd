//! The whole of it: what is written can be read, shows what it should, and asks for nothing.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;

use super::svg::{self, Look};
use super::testing::well_formed::{Element, elements};
use super::testing::{random, sample};
use super::{html, json, markdown};
use crate::language::{Language, Text};
use crate::report::model::{Block, Figure, Report, Series, Style};

/// Every coordinate of an element within its view box, or what is not.
fn inside(svg: &[Element]) -> Result<(), String> {
    let mut size = (0.0, 0.0);
    for element in svg {
        if let Some(view) = element.get("viewBox") {
            let sides: Vec<f64> = view.split(' ').map(|side| side.parse().unwrap()).collect();
            size = (sides[2], sides[3]);
        }
        let is_pattern = matches!(element.get("d"), Some(d) if d.starts_with("M0 0V") || d.starts_with("M-1") || d.starts_with("M3 0V"));
        let along = |name| {
            element.get(name).map(|value| value.parse::<f64>().map_err(|error| format!("{value}: {error}")))
        };
        for (names, most) in [(["x", "cx", "width"], size.0), (["y", "cy", "height"], size.1)] {
            let mut sum = 0.0;
            for value in names.into_iter().filter_map(along) {
                let value = value?;
                sum += value;
                if !(0.0..=most + 0.02).contains(&value) || sum > most + 0.02 {
                    return Err(format!("<{}> goes to {sum} of {most}", element.name));
                }
            }
        }
        let Some(d) = element.get("d").filter(|_| !is_pattern) else { continue };
        for (at, part) in d.split(|c: char| "MLZHV ".contains(c)).filter(|part| !part.is_empty()).enumerate()
        {
            let value: f64 = part.parse().map_err(|error| format!("{part}: {error}"))?;
            let most = if d.contains(['H', 'V']) { size.0.max(size.1) } else { [size.0, size.1][at % 2] };
            if !(0.0..=most + 0.02).contains(&value) {
                return Err(format!("a path goes to {value} of {most}"));
            }
        }
    }
    Ok(())
}

/// Nothing that runs, and nothing that is fetched.
fn asks_for_nothing(page: &[Element]) -> Result<(), String> {
    for element in page {
        if ["script", "link", "img", "iframe", "object", "image", "use", "base", "form"]
            .contains(&&*element.name)
        {
            return Err(format!("<{}>", element.name));
        }
        for (name, value) in &element.attributes {
            let is_own = value.starts_with('#');
            let is_address = ["src", "href", "action"].contains(&&**name) && !is_own;
            let fetches = value.contains("url(") && !value.starts_with("url(#");
            if is_address || fetches || name.starts_with("on") || name == "style" {
                return Err(format!("{name}={value}"));
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_page_of_anyones_words_is_well_formed_and_asks_for_nothing(report in random::report()) {
        for language in Language::ALL {
            let page = html(&report, language);
            let elements = elements(&page).map_err(TestCaseError::fail)?;
            asks_for_nothing(&elements).map_err(TestCaseError::fail)?;
            prop_assert!(!page.contains("<script"));
            let text = markdown(&report, language);
            let is_text = !text.contains("<script") && !text.contains('\u{1b}') && !text.contains("](https://");
            prop_assert!(is_text, "markup of others");
        }
        serde_json::from_str::<serde_json::Value>(&json(&report)).unwrap();
    }

    #[test]
    fn every_figure_is_within_its_view_box(
        figure in random::figure(),
        matrix in random::matrix(),
        width in 0..1_200_u32,
        height in 0..600_u32,
        is_themed in any::<bool>(),
    ) {
        let look = Look { width, height, prefix: "t", is_themed, is_of_counts: is_themed };
        for language in Language::ALL {
            for svg in [svg::figure(&figure, language, &look), svg::matrix(&matrix, language, &look)] {
                let elements = elements(&svg).map_err(TestCaseError::fail)?;
                inside(&elements).map_err(TestCaseError::fail)?;
                asks_for_nothing(&elements).map_err(TestCaseError::fail)?;
            }
        }
    }
}

fn figure_of(days: &[&str], series: &[(&str, &[Option<f64>])], style: Style) -> Figure {
    Figure {
        id: "f".into(),
        title: Text::new("Packets", "パケット"),
        style,
        unit: Text::new("packets per sensor per day", "1センサー1日あたりのパケット数"),
        right_unit: None,
        days: days.iter().map(|day| (*day).to_owned()).collect(),
        series: series
            .iter()
            .map(|(name, values)| Series {
                id: (*name).into(),
                name: Text::same(*name),
                values: values.to_vec(),
                is_on_right_axis: false,
            })
            .collect(),
    }
}

#[test]
fn a_small_figure_is_drawn_as_ever() {
    let days = ["2024-04-01", "2024-04-02", "2024-04-03", "2024-04-04", "2024-04-05"];
    let figure = figure_of(
        &days,
        &[("23/TCP", &[Some(10.0), Some(30.0), None, Some(20.0), Some(25.0)])],
        Style::Lines,
    );
    let look = Look { width: 300, height: 160, ..Look::PAGE };
    let drawn = svg::figure(&figure, Language::English, &look);
    let golden = include_str!("testing/golden.svg");
    assert!(drawn == golden, "not as in testing/golden.svg, but:\n{drawn}");
}

#[test]
fn a_gap_is_a_band_and_never_zero() {
    let days = ["2024-04-01", "2024-04-02", "2024-04-03", "2024-04-04", "2024-04-05"];
    let values = [Some(10.0), Some(30.0), None, Some(20.0), None];
    for style in [Style::Lines, Style::Stacked] {
        let svg = svg::figure(&figure_of(&days, &[("a", &values)], style), Language::English, &Look::PAGE);
        let elements = elements(&svg).unwrap();
        let bands =
            elements.iter().filter(|of| of.name == "rect" && of.get("fill") == Some("url(#figure-f-absent)"));
        // Two bands, and the sample that explains them.
        assert_eq!(bands.count(), 3, "{svg}");
        if style == Style::Lines {
            let lines = elements.iter().filter(|of| of.get("stroke-width") == Some("1.8")).count();
            assert_eq!(lines, 2, "one of two days, and the name's sample; a day alone is a dot");
        }
    }
}

#[test]
fn nothing_observed_is_said() {
    let none = [None, None];
    let figures = [
        figure_of(&["2024-04-01", "2024-04-02"], &[], Style::Lines),
        figure_of(&["2024-04-01", "2024-04-02"], &[("a", &none)], Style::Stacked),
        figure_of(&[], &[("a", &[])], Style::Lines),
    ];
    for figure in figures {
        let svg = svg::figure(&figure, Language::English, &Look::PAGE);
        assert!(svg.contains(">Nothing was observed in this period</text>"), "{svg}");
    }
}

#[test]
fn each_line_has_a_look_of_its_own() {
    let values = [Some(1.0), Some(2.0)];
    let series: Vec<(&str, &[Option<f64>])> =
        ["a", "b", "c", "d", "e", "f", "g"].map(|name| (name, &values[..])).to_vec();
    let svg = svg::figure(
        &figure_of(&["2024-04-01", "2024-04-02"], &series, Style::Lines),
        Language::English,
        &Look::PAGE,
    );
    let elements = elements(&svg).unwrap();
    let strokes = elements.iter().filter(|of| of.get("stroke-width") == Some("1.8"));
    let looks: std::collections::HashSet<_> =
        strokes.map(|of| (of.get("stroke").unwrap(), of.get("stroke-dasharray").unwrap_or(""))).collect();
    assert_eq!(looks.len(), 7);
}

#[test]
fn a_themed_figure_has_its_colours_from_the_page() {
    let figure = figure_of(&["2024-04-01"], &[("a", &[Some(1.0)])], Style::Lines);
    let svg = svg::figure(&figure, Language::English, &Look { is_themed: true, ..Look::PAGE });
    for element in elements(&svg).unwrap() {
        for paint in [element.get("fill"), element.get("stroke")].into_iter().flatten() {
            assert!(
                paint == "none" || paint.starts_with("url(#") || paint.starts_with("var(--figure-"),
                "{paint}"
            );
        }
    }
}

#[test]
fn the_report_has_its_parts_in_both_languages() {
    let report = sample::report();
    for (language, words) in [
        (
            Language::English,
            ["<b>Figure 1</b>: ", "<b>Table 2</b>: ", "below 10", "1.8 ×", "Notes and sources"],
        ),
        (Language::Japanese, ["<b>図1</b>：", "<b>表2</b>：", "TOP10外", "1.8倍", "注記と出典"]),
    ] {
        let page = html(&report, language);
        let elements = elements(&page).unwrap();
        asks_for_nothing(&elements).unwrap();
        inside(&elements).unwrap();
        assert_eq!(elements[0].get("lang"), Some(language.code()));
        for words in words {
            assert!(page.contains(words), "no {words}");
        }
        let mut ids = std::collections::HashSet::new();
        assert!(elements.iter().filter_map(|of| of.get("id")).all(|id| ids.insert(id)), "an id twice");
        let refers = elements.iter().filter_map(|of| of.get("href")).filter_map(|to| to.strip_prefix('#'));
        for to in refers
            .chain(elements.iter().filter_map(|of| of.get("aria-labelledby")).flat_map(|to| to.split(' ')))
        {
            assert!(ids.contains(to), "{to} is nowhere");
        }
    }
}

#[test]
fn markdown_has_tables_of_one_width() {
    let report = sample::report();
    for language in Language::ALL {
        let text = markdown(&report, language);
        let mut columns = None;
        for line in text.lines() {
            let bars = line.replace("\\|", "").matches('|').count();
            if line.starts_with('|') {
                assert_eq!(*columns.get_or_insert(bars), bars, "{line}");
            } else {
                columns = None;
                assert_eq!(bars, 0, "{line}");
            }
        }
        assert!(text.contains("▁") && text.contains("·"));
    }
}

#[test]
fn json_is_the_report() {
    let report = sample::report();
    let read: Report = serde_json::from_str(&json(&report)).unwrap();
    let (read, report) = (format!("{read:#?}"), format!("{report:#?}"));
    let other = read.lines().zip(report.lines()).find(|(read, written)| read != written);
    assert_eq!(other, None);
}

/// For whoever wants to look at it: `APUS_RENDERED=FOLDER cargo test -p collector --lib render` leaves the report there,
/// and its figures as the live page has them.
#[test]
fn the_same_report_gives_the_same_bytes() {
    let report = sample::report();
    let folder = std::env::var_os("APUS_RENDERED").map(PathBuf::from);
    let mut themed = format!(
        "<!DOCTYPE html>\n<html><head><style>{}body{{background:var(--figure-paper);width:700px}}</style></head><body>",
        svg::palette::theme()
    );
    let look = Look { is_themed: true, ..Look::PAGE };
    for block in report.sections.iter().flat_map(|section| &section.blocks) {
        match block {
            Block::Figure(figure) => themed.push_str(&svg::figure(figure, Language::English, &look)),
            Block::Matrix(matrix) => themed.push_str(&svg::matrix(matrix, Language::English, &look)),
            Block::Table(_) => {}
        }
    }
    for language in Language::ALL {
        let (page, text) = (html(&report, language), markdown(&report, language));
        assert!(page == html(&report, language) && text == markdown(&report, language));
        if let Some(folder) = &folder {
            fs::create_dir_all(folder).unwrap();
            fs::write(folder.join(format!("report.{}.html", language.code())), page).unwrap();
            fs::write(folder.join(format!("report.{}.md", language.code())), text).unwrap();
            fs::write(folder.join("themed.html"), format!("{themed}</body></html>")).unwrap();
        }
    }
}
