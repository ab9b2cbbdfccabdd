//! The live page in a browser: what people see, do, and are told.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use end_to_end::browser::{Browser, ENTER, Eyes, TAB};
use end_to_end::page::{GAPPY, PAGE, QUIET, STEADY, Stage};
use end_to_end::privileged;
use serde_json::{Value, json};

const LOOPBACK: [&str; 2] = ["--page", "127.0.0.1:8480"];
/// Nothing is being worked out any more.
const DONE: &str = "document.querySelectorAll('section[data-live]').length === 8 \
                    && !document.querySelector('section[data-pending]')";

#[test]
fn people_see_what_is_stored() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let stage = Stage::new()?;
    let mut collector = stage.collector(&LOOPBACK)?;
    let browser = Browser::start(&stage.namespace, Eyes::DESK)?;
    loads(&stage, &browser).context("load")?;
    numbers_are_those_of_sql(&stage, &browser).context("numbers")?;
    drills_down(&browser).context("drill down")?;
    silence_is_a_gap(&browser).context("gaps")?;
    switches_language(&stage, &browser).context("language")?;
    works_by_keyboard(&browser).context("keyboard")?;
    fits_a_phone(&stage, &browser).context("phone")?;
    is_dark(&stage, &browser).context("dark")?;
    works_without_scripts(&browser).context("without scripts")?;
    ensure!(collector.is_running(), "the collector ended: {}", collector.words());
    // The page is open, and nothing keeps the collector from its end.
    let begin = Instant::now();
    browser.go(PAGE)?;
    collector.stop()?;
    ensure!(begin.elapsed() < Duration::from_secs(10), "it took {:?} to end", begin.elapsed());
    Ok(())
}

/// Goes to an address of the page, and waits until everything is there.
fn show(browser: &Browser<'_>, query: &str) -> Result<()> {
    browser.go(&format!("{PAGE}{query}"))?;
    browser.until(DONE)
}

fn loads(stage: &Stage, browser: &Browser<'_>) -> Result<()> {
    for period in ["24h", "7d", "90d"] {
        show(browser, &format!("?period={period}&lang=en"))?;
        stage.keep(&format!("en-{period}"), &browser.picture()?)?;
    }
    show(browser, "")?;
    ensure!(browser.text("h1")? == "Apus network telescope", "{}", browser.text("h1")?);
    ensure!(browser.text("#services tbody th a")? == "23/TCP", "{}", browser.text("#services tbody")?);
    ensure!(browser.text("#services tbody td:nth-child(3)")? == "telnet", "no name of the service");
    let own =
        "performance.getEntriesByType('resource').every(entry => entry.name.startsWith(location.origin))";
    ensure!(browser.value(own)? == true, "something is of another host");
    let complaints = browser.complaints()?;
    ensure!(complaints.is_empty(), "the page complains: {complaints:?}");
    Ok(())
}

/// Each file has what the SQL beside it gives, and each figure's table the same sums.
fn numbers_are_those_of_sql(stage: &Stage, browser: &Browser<'_>) -> Result<()> {
    for query in ["?", "?period=7d", "?period=90d&service=tcp-23", "?class=scan&sensor=tokyo-1"] {
        // At the turn of an hour or a day the question is another one.
        let differs = different_files(stage, browser, query)?;
        let differs = if differs.is_empty() { differs } else { different_files(stage, browser, query)? };
        ensure!(differs.is_empty(), "{query}: {differs:?}");
        // A figure and its file are asked for one after the other: again once, for the same reason.
        if figures_add_up(browser).is_err() {
            show(browser, query)?;
            figures_add_up(browser).with_context(|| format!("{query}: figures"))?;
        }
    }
    Ok(())
}

fn different_files(stage: &Stage, browser: &Browser<'_>, query: &str) -> Result<Vec<String>> {
    show(browser, query)?;
    let files = "Promise.all([...document.querySelectorAll('.csv a')].map(async a => [a.pathname, \
                 a.closest('.behind').querySelector('code').textContent, \
                 await (await fetch(a.href)).text()]))";
    let files = browser.value(files)?;
    let files = files.as_array().context("no files")?;
    ensure!(files.len() >= 14, "only {} files", files.len());
    let mut differ = Vec::new();
    for file in files {
        let text = |place: usize| file[place].as_str().context("no text");
        let (name, sql, csv) = (text(0)?, text(1)?, text(2)?);
        let answered = stage.sql(sql)?;
        if answered != csv {
            differ.push(format!("{name}:\n{sql}\n{answered}\n{csv}"));
        }
    }
    Ok(differ)
}

fn figures_add_up(browser: &Browser<'_>) -> Result<()> {
    let sums = "Promise.all(['services', 'regions', 'classes', 'signatures', 'sensors'].map(async name => { \
        const number = text => Number(text.replaceAll(',', '')); \
        const section = document.getElementById(name); \
        const cells = [...section.querySelectorAll('details table tbody td.number')].map(cell => number(cell.textContent)); \
        const link = [...section.querySelectorAll('.csv a')].find(a => a.pathname.endsWith('over-time')); \
        const rows = (await (await fetch(link.href)).text()).trim().split('\\n').slice(1); \
        const packets = rows.map(row => number(row.split(',').pop())); \
        const add = list => list.reduce((sum, more) => sum + more, 0); \
        return [name, add(cells), add(packets)]; }))";
    let sums = browser.value(sums)?;
    for sum in sums.as_array().context("no sums")? {
        ensure!(sum[1] == sum[2] && sum[1].as_f64() > Some(0.0), "{sum}");
    }
    Ok(())
}

/// From port to region to sources, each by an address of its own.
fn drills_down(browser: &Browser<'_>) -> Result<()> {
    show(browser, "")?;
    let all = browser.text("#source-count")?;
    browser.click("#services-0")?;
    browser.until(DONE)?;
    ensure!(browser.url()?.contains("service=tcp-23"), "{}", browser.url()?);
    ensure!(browser.text(".chosen")?.contains("23/TCP telnet"), "{}", browser.text(".chosen")?);
    browser.click("#regions-0")?;
    browser.until(DONE)?;
    ensure!(browser.url()?.ends_with("?service=tcp-23&region=ZZ"), "{}", browser.url()?);
    let some = browser.text("#source-count")?;
    let number = |text: &str| text.replace(',', "").parse::<u64>().context("no number");
    ensure!(number(&some)? > 0 && number(&some)? < number(&all)?, "{some} of {all}");
    ensure!(browser.value("document.querySelectorAll('#source-list tbody tr').length")? == 50, "no sources");
    // Back again, by one link each.
    browser.click(".chosen li a")?;
    browser.until(DONE)?;
    ensure!(browser.url()?.ends_with("?region=ZZ"), "{}", browser.url()?);
    Ok(())
}

fn silence_is_a_gap(browser: &Browser<'_>) -> Result<()> {
    show(browser, "?period=24h")?;
    let row = |sensor: &str| -> Result<String> {
        let expression = format!(
            "[...document.querySelectorAll('#health tbody tr')].find(row => \
             row.querySelector('th').innerText === {})?.innerText ?? ''",
            json!(sensor)
        );
        Ok(browser.value(&expression)?.as_str().unwrap_or_default().to_owned())
    };
    ensure!(row(STEADY)?.contains("Reporting"), "{}", row(STEADY)?);
    // In words, not by a colour alone; and a name is no markup.
    let quiet = row(QUIET)?;
    ensure!(quiet.contains("SILENT for 6 h") || quiet.contains("SILENT for 5 h"), "{quiet}");
    ensure!(!row(GAPPY)?.is_empty(), "{}", browser.text("#health")?);
    ensure!(browser.text("#reporting")? == "2 / 3", "{}", browser.text("#reporting")?);
    let count =
        |selector: &str| browser.value(&format!("document.querySelectorAll({}).length", json!(selector)));
    ensure!(count("#health .strip .none")?.as_u64() > Some(3), "the strip has no gaps");
    // A line for the silent sensor that ends before the others do; where nobody observes, the whole figure has a gap.
    let table = browser.value(
        "(() => { const head = [...document.querySelectorAll('#sensors-figure thead th')].map(cell => cell.textContent); \
         const rows = [...document.querySelectorAll('#sensors-figure tbody tr')].map(row => \
             [...row.children].map(cell => cell.textContent)); return [head, rows]; })()",
    )?;
    let column = table[0].as_array().context("no table")?.iter().position(|name| name == QUIET);
    let column = column.with_context(|| format!("{QUIET} is not in the figure: {table}"))?;
    let of_quiet: Vec<&Value> =
        table[1].as_array().context("no rows")?.iter().map(|row| &row[column]).collect();
    // The newest first.
    ensure!(
        of_quiet.len() == 24 && of_quiet[1] == "not observed" && of_quiet[3] == "not observed",
        "{of_quiet:?}"
    );
    ensure!(of_quiet[12] != "not observed" && of_quiet[12] != "0", "{of_quiet:?}");
    show(browser, &format!("?sensor={QUIET}"))?;
    let gaps =
        || -> Result<bool> { Ok(count("#services .figure rect[fill$='-absent)']")?.as_u64() >= Some(1)) };
    ensure!(gaps()?, "the silent sensor's figure has no gap");
    show(browser, "?period=90d")?;
    ensure!(gaps()?, "days before the first interval are no gap");
    Ok(())
}

fn switches_language(stage: &Stage, browser: &Browser<'_>) -> Result<()> {
    show(browser, "?period=7d&service=tcp-23")?;
    browser.click("#lang-ja")?;
    browser.until(DONE)?;
    stage.keep("ja-7d", &browser.picture()?)?;
    ensure!(browser.url()?.ends_with("?period=7d&service=tcp-23&lang=ja"), "{}", browser.url()?);
    ensure!(
        browser.value("document.documentElement.lang")? == "ja",
        "the document's language is another one"
    );
    ensure!(browser.text("#health h2")? == "センサーの稼働状況", "{}", browser.text("#health h2")?);
    // It stays where links lead.
    browser.click("#regions-0")?;
    browser.until(DONE)?;
    ensure!(browser.text("#health h2")? == "センサーの稼働状況", "{}", browser.url()?);
    let same = browser.value("document.querySelectorAll('#lang-en[hreflang=en]').length")?;
    ensure!(same == 1, "there is no way back");
    // What the browser prefers is what it gets, unless the address says otherwise.
    let asked = "fetch('/', { headers: { 'Accept-Language': 'fr, ja;q=0.8' } }).then(a => a.text())";
    let document = browser.value(asked)?;
    ensure!(document.as_str().is_some_and(|text| text.contains("<html lang=\"ja\">")), "not in Japanese");
    Ok(())
}

/// From the top to a link far below and through it, with keys alone.
fn works_by_keyboard(browser: &Browser<'_>) -> Result<()> {
    show(browser, "?lang=en")?;
    let focus = || browser.value("document.activeElement.className || document.activeElement.id");
    browser.press(&TAB.to_string())?;
    ensure!(focus()? == "skip", "the first stop is {}", focus()?);
    let place = "document.activeElement.getBoundingClientRect().top";
    ensure!(browser.value(place)?.as_f64() >= Some(0.0), "the skip link does not show itself");
    browser.press(&ENTER.to_string())?;
    let mut stops = Vec::new();
    for _ in 0..60 {
        browser.press(&TAB.to_string())?;
        let id = browser.value("document.activeElement.id")?.as_str().unwrap_or_default().to_owned();
        let outline = browser.value("getComputedStyle(document.activeElement).outlineStyle")?;
        ensure!(outline != "none", "{id:?} does not show that it has the focus");
        stops.push(id);
        if stops.last().is_some_and(|id| id == "services-1") {
            break;
        }
    }
    ensure!(stops.last().is_some_and(|id| id == "services-1"), "the keys lead elsewhere: {stops:?}");
    ensure!(!stops.iter().any(|id| id == "period-7d"), "the link does not skip: {stops:?}");
    browser.press(&ENTER.to_string())?;
    browser.until("location.search.includes('service=')")?;
    browser.until(DONE)?;
    // A table opens, and its box scrolls, by keys as well.
    browser.value("document.querySelector('#services-figure summary').focus()")?;
    browser.press(&ENTER.to_string())?;
    browser.until("document.getElementById('services-figure').open")?;
    Ok(())
}

fn fits_a_phone(stage: &Stage, browser: &Browser<'_>) -> Result<()> {
    for (name, dark) in [("light", false), ("dark", true)] {
        browser.look(Eyes { dark, ..Eyes::PHONE })?;
        for (query, language) in [("?lang=en", "en"), ("?period=90d&service=tcp-23&lang=ja", "ja")] {
            show(browser, query)?;
            stage.keep(&format!("phone-{name}-{language}"), &browser.picture()?)?;
            let widths = browser.value("[document.documentElement.scrollWidth, innerWidth]")?;
            ensure!(widths[0].as_u64() <= Some(390), "{query}: it scrolls sideways: {widths}");
        }
    }
    browser.look(Eyes::DESK)
}

fn is_dark(stage: &Stage, browser: &Browser<'_>) -> Result<()> {
    let ground =
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).reduce((a, b) => a + Number(b), 0)";
    show(browser, "")?;
    ensure!(browser.value(ground)?.as_u64() > Some(600), "light is not light");
    browser.look(Eyes { dark: true, ..Eyes::DESK })?;
    show(browser, "?period=7d")?;
    stage.keep("dark-7d", &browser.picture()?)?;
    ensure!(browser.value(ground)?.as_u64() < Some(150), "dark is not dark");
    browser.look(Eyes::DESK)
}

fn works_without_scripts(browser: &Browser<'_>) -> Result<()> {
    browser.scripts(false)?;
    browser.go(PAGE)?;
    let document = browser.source()?;
    browser.scripts(true)?;
    ensure!(
        document.contains("23/TCP") && !document.contains("data-pending"),
        "it takes a script to be read"
    );
    Ok(())
}

#[test]
fn the_page_updates_itself() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let stage = Stage::new()?;
    let collector = stage.collector(&LOOPBACK)?;
    let browser = Browser::start(&stage.namespace, Eyes::DESK)?;
    // Of days that nothing falls out of, whatever the time is.
    show(&browser, "?period=7d")?;
    let number = |text: String| text.replace(',', "").parse::<u64>().context("no number");
    let packets = || number(browser.text("#classes tbody td:nth-child(3)")?);
    let before = packets()?;
    // What a person is doing stays as it is.
    browser.value("document.querySelector('#classes details').open = true")?;
    browser.value("document.getElementById('classes-0').focus()")?;
    browser.value("window.scrollTo(0, 400)")?;
    ensure!(browser.text("#reporting")? == "2 / 3", "{}", browser.text("#reporting")?);
    stage.send(QUIET, 5)?;
    browser.until("document.getElementById('reporting').innerText === '3 / 3'")?;
    browser.until(&format!(
        "Number(document.querySelector('#classes tbody td:nth-child(3)').innerText.replaceAll(',', '')) > {before}"
    ))?;
    let state = browser.value(
        "[document.activeElement.id, document.querySelector('#classes details').open, scrollY, location.pathname]",
    )?;
    ensure!(state == json!(["classes-0", true, 400, "/"]), "{state}");
    let complaints = browser.complaints()?;
    ensure!(complaints.is_empty(), "the page complains: {complaints:?}");
    collector.stop()
}

#[test]
fn who_has_not_logged_in_sees_nothing() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let stage = Stage::new()?;
    let users = stage.folder.path().join("users");
    stage.user("mika", "correct horse", &users)?;
    let configuration = stage.folder.path().join("collector.toml");
    std::fs::write(&configuration, format!("page = \"0.0.0.0:8480\"\npage_users = {users:?}\n"))?;
    let configuration = configuration.to_string_lossy();
    let collector = stage.collector(&["--config", &configuration])?;
    let browser = Browser::start(&stage.namespace, Eyes::DESK)?;
    let page = PAGE.replace("http:", "https:");
    browser.go(&format!("{page}?period=7d&lang=en"))?;
    ensure!(browser.url()?.ends_with("/login?period=7d&lang=en"), "{}", browser.url()?);
    stage.keep("login", &browser.picture()?)?;
    let status = browser.value("fetch('/csv/services/ranking').then(a => a.status)")?;
    ensure!(status == 401, "a file is to be had: {status}");
    // The name has the focus already.
    browser.press(&format!("mika{TAB}wrong horse{ENTER}"))?;
    browser.until("document.querySelector('.failed')?.innerText === 'Name or password is wrong.'")?;
    browser.press(&format!("mika{TAB}correct horse{ENTER}"))?;
    browser.until("location.pathname === '/' && location.search === '?period=7d&lang=en'")?;
    browser.until(DONE)?;
    ensure!(browser.value("document.cookie")? == "", "scripts can read the cookie");
    browser.click("#logout")?;
    browser.until("location.pathname === '/login'")?;
    browser.go(&page)?;
    ensure!(browser.url()?.contains("/login"), "{}", browser.url()?);
    collector.stop()
}
