//! The page of the benchmarks' results in a browser: a plot for every figure, on a desk, a phone, and in the dark.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use bench::results::{Results, page};
use end_to_end::browser::{Browser, Eyes};
use end_to_end::privileged;
use serde_json::json;
use testbed::Namespace;

#[test]
fn every_figure_is_drawn() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let results = Results::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("results/small.json"))?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("page.html");
    fs::write(&path, page(&results))?;
    let namespace = Namespace::new()?;
    namespace.run("ip", &["link", "set", "dev", "lo", "up"])?;
    let browser = Browser::start(&namespace, Eyes::DESK)?;
    browser.go(&format!("file://{}", path.display()))?;
    for (name, eyes) in [
        ("desk", Eyes::DESK),
        ("dark", Eyes { dark: true, ..Eyes::DESK }),
        ("phone", Eyes::PHONE),
        ("phone-dark", Eyes { dark: true, ..Eyes::PHONE }),
    ] {
        browser.look(eyes)?;
        figures_are_seen(&browser, &results).context(name)?;
        if let Some(folder) = std::env::var_os("APUS_PICTURES") {
            fs::write(Path::new(&folder).join(format!("results-{name}.png")), browser.picture()?)?;
        }
    }
    what_failed_is_told(&browser)?;
    let complaints = browser.complaints()?;
    ensure!(complaints.is_empty(), "the page complains: {complaints:?}");
    ensure!(
        browser.value("performance.getEntriesByType('resource').length")? == 0,
        "the page asks for other files"
    );
    Ok(())
}

/// Each figure has one drawing that is seen, which lies within the screen, is told in words, and has as many marks as the
/// figure has values; and a table.
fn figures_are_seen(browser: &Browser<'_>, results: &Results) -> Result<()> {
    let mut figures = 0;
    for benchmark in &results.benchmarks {
        for figure in benchmark.measurement().iter().flat_map(|measurement| &measurement.figures) {
            let id = format!("{}-{}", benchmark.name, figure.name.replace('_', "-"));
            let seen = format!(
                "(figure => {{ \
                   const seen = [...figure.querySelectorAll('svg')].filter(svg => svg.getBoundingClientRect().height > 0); \
                   const box = seen[0].getBoundingClientRect(); \
                   const told = seen[0].getAttribute('aria-labelledby').split(' ') \
                     .map(id => document.getElementById(id)?.textContent ?? ''); \
                   const inside = [...seen[0].querySelectorAll('text')].every(text => {{ \
                     const its = text.getBoundingClientRect(); \
                     return its.left >= box.left - 1 && its.right <= box.right + 1; }}); \
                   return {{ number: seen.length, width: box.width, fits: box.right <= innerWidth && box.left >= 0, \
                     told: told.every(words => words.length > 3), inside, \
                     marks: seen[0].querySelectorAll('rect, circle, path').length, \
                     rows: figure.nextElementSibling.querySelectorAll('tbody tr').length }}; \
                 }})(document.getElementById({}))",
                json!(id)
            );
            let seen = browser.value(&seen).with_context(|| format!("figure {id}"))?;
            let rows = bench::results::Grid::of(figure).rows.len();
            ensure!(
                seen["number"] == 1 && seen["fits"] == true && seen["told"] == true && seen["inside"] == true,
                "{id}: {seen}"
            );
            ensure!(
                seen["width"].as_f64() > Some(250.0) && seen["rows"] == rows,
                "{id}: {seen}, {rows} rows"
            );
            ensure!(seen["marks"].as_u64() > Some(rows as u64), "{id}: {seen}");
            figures += 1;
        }
    }
    let drawings = browser.value("document.querySelectorAll('figure').length")?;
    ensure!(figures > 0 && drawings == figures, "{figures} figures, {drawings} drawings");
    let fits = browser.value("document.documentElement.scrollWidth <= innerWidth")?;
    ensure!(fits == true, "the page is wider than the screen");
    Ok(())
}

fn what_failed_is_told(browser: &Browser<'_>) -> Result<()> {
    for (selector, words) in [
        ("#live", "5 packets sent, 4 counted"),
        ("#nic", "--interface is not given"),
        ("#kernel .warning", "the machine is noisy"),
        ("#kernel .checked", "sent 50,331,648"),
        ("#aims .met", "met"),
        ("#aims .missed", "missed"),
        ("#kernel-above-drop", "no package of that name"),
    ] {
        let text = browser.value(&format!("document.querySelector({}).textContent", json!(selector)))?;
        let text = text.as_str().unwrap_or_default();
        ensure!(text.contains(words), "{selector}: {text}");
    }
    Ok(())
}
