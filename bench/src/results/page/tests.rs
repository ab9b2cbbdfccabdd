use proptest::prelude::*;

use super::super::{Axis, Bar, Measured, Plot, Point, Scale, Series, testing};
use super::*;
use crate::statistics::Spread;

#[test]
fn everything_measured_is_on_the_page() {
    let page = page(&testing::results());
    for words in [
        "<h2 id=\"kernel-heading\">kernel: What kernel is</h2>",
        "<code>cargo xtask bench kernel</code>",
        "<figure id=\"kernel-lines\">",
        "&lt;argus&gt; &amp; co",
        "not measured: no package of that name",
        "<li>sent 50,331,648, counted 50,331,648</li>",
        "<li>the machine is noisy</li>",
        "✓</span> met",
        "✗</span> missed",
        "≤ 25.0 ns per packet",
        "<b>Failed</b> after 13 s: ended by signal 9",
        "<b>Not run</b>: --interface is not given",
        "A processor; 2 CPUs, in a virtual machine",
        "prefers-color-scheme: dark",
    ] {
        assert!(page.contains(words), "no {words:?}");
    }
    assert_eq!(page.matches("<svg ").count(), 6, "each figure twice");
    assert_eq!(page.matches("<details>").count(), 3);
}

#[test]
fn the_page_asks_for_nothing_and_runs_nothing() {
    let page = page(&testing::results());
    for word in ["<script", "http:", "https:", "url(http", "@import", " src=", "<link", "onload"] {
        assert!(!page.contains(word), "{word}");
    }
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), -1e3..1e3, 1e-6..1e12]
}

fn spread() -> impl Strategy<Value = Spread> {
    prop::collection::vec(number(), 1..4).prop_map(|figures| Spread::new(figures).unwrap())
}

fn plot() -> impl Strategy<Value = Plot> {
    let bar = ("[ -~]{0,60}", spread())
        .prop_map(|(label, spread)| Bar { label, measured: Measured::Spread(spread) });
    let absent =
        "[ -~]{0,60}".prop_map(|reason| Bar { label: "x".into(), measured: Measured::Absent(reason) });
    let bars = prop::collection::vec(prop_oneof![bar, absent], 0..6).prop_map(Plot::Bars);
    let point = (number(), spread()).prop_map(|(x, y)| Point { x, y });
    let series = ("[ -~]{0,40}", prop::collection::vec(point, 0..5))
        .prop_map(|(label, points)| Series { label, points });
    let scale = || prop_oneof![Just(Scale::Linear), Just(Scale::Logarithmic)];
    let lines = (scale(), scale(), prop::collection::vec(series, 0..9))
        .prop_map(|(scale, y, series)| Plot::Lines { x: Axis { title: "x".into(), scale }, y, series });
    prop_oneof![bars, lines]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_figure_is_drawn_inside_its_box(plot in plot()) {
        let figure = Figure { plot, ..testing::figure("bars") };
        for look in [WIDE, PHONE] {
            let svg = draw::figure(&figure, "id", &look);
            prop_assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
            prop_assert!(!svg.contains("NaN") && !svg.contains("inf\""), "{}", svg);
            for at in svg.split(" x=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
                let at: f64 = at.parse().unwrap();
                prop_assert!((-1.0..=f64::from(look.width) + 1.0).contains(&at), "{at} in {svg}");
            }
        }
    }
}
