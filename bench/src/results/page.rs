//! The results as one page of HTML: it has its style and its drawings in itself, runs no script, and asks for no other
//! file. What is drawn is told in words as well, by `title`, `desc`, and a table.

mod axis;
mod bars;
mod draw;
mod lines;
mod quantiles;

use collector::render::escape::{anchor, xml};
use collector::render::numbers::{Measure, decimals};
use collector::render::svg::{Look, palette};

use super::terminal::better;
use super::{Aim, Benchmark, Better, Figure, Grid, Machine, Measurement, Outcome, Results};

const STYLE: &str = include_str!("page/style.css");
/// As wide as the text, and as a phone; the page's style sheet shows one of them.
const WIDE: Look<'_> = Look { width: 760, height: 300, prefix: "wide", is_themed: true, is_of_counts: false };
const PHONE: Look<'_> =
    Look { width: 360, height: 280, prefix: "phone", is_themed: true, is_of_counts: false };

/// The whole page.
#[must_use]
pub fn page(results: &Results) -> String {
    let date = xml(&results.begun.replace('T', " ").replace('Z', " UTC"));
    let quick = if results.is_quick {
        "<p class=\"warning\">A quick run: each benchmark had less to do than usual.</p>\n"
    } else {
        ""
    };
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta name=\"color-scheme\" content=\"light dark\"/>\n\
         <title>Apus: benchmarks of {date}</title>\n<style>\n{}{STYLE}</style>\n</head>\n<body>\n\
         <header>\n<h1>Apus: benchmarks</h1>\n<p>{date}. Ratios within one run carry over to other machines; absolute \
         figures do not.</p>\n{quick}{}</header>\n{}<main>\n{}",
        palette::theme(),
        machine(&results.machine),
        contents(results),
        aims(results),
    );
    results.benchmarks.iter().for_each(|benchmark| page.push_str(&section(benchmark)));
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn machine(machine: &Machine) -> String {
    let Machine { processor, cpus, caches, memory_bytes, virtualised, kernel, system, versions } = machine;
    let versions: Vec<String> = versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    let virtualised = if *virtualised { "in a virtual machine" } else { "on hardware of its own" };
    let lines = [
        ("Processor", format!("{processor}; {cpus} CPUs, {virtualised}")),
        ("Caches", caches.join(", ")),
        ("Memory", format!("{} MiB", memory_bytes >> 20)),
        ("Kernel", format!("Linux {kernel}, {system}")),
        ("Versions", versions.join(", ")),
    ];
    let line =
        |(name, value): &(&str, String)| format!("<div><dt>{name}</dt><dd>{}</dd></div>\n", xml(value));
    format!("<dl>\n{}</dl>\n", lines.iter().map(line).collect::<String>())
}

fn contents(results: &Results) -> String {
    let item = |benchmark: &Benchmark| {
        let state = match &benchmark.outcome {
            Outcome::Measured(measurement) if measurement.warnings.is_empty() => String::new(),
            Outcome::Measured(measurement) => format!(" (warnings: {})", measurement.warnings.len()),
            Outcome::Failed(_) => " (failed)".into(),
            Outcome::LeftOut(_) => " (not run)".into(),
        };
        let Benchmark { name, title, .. } = benchmark;
        format!("<li><a href=\"#{}\">{}</a>: {}{state}</li>\n", anchor(name), xml(name), xml(title))
    };
    let items: String = results.benchmarks.iter().map(item).collect();
    format!("<nav aria-label=\"Benchmarks\">\n<ul>\n{items}</ul>\n</nav>\n")
}

fn aims(results: &Results) -> String {
    let rows: String = results
        .benchmarks
        .iter()
        .flat_map(|benchmark| {
            let aims = benchmark.measurement().map_or(&[][..], |measurement| &measurement.aims);
            aims.iter().map(|aim| aim_row(&benchmark.name, aim))
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    format!(
        "<section id=\"aims\"><h2>Aims</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Aims\"><table>\n\
         <thead><tr><th scope=\"col\">what is aimed at</th><th scope=\"col\" class=\"number\">aim</th>\
         <th scope=\"col\" class=\"number\">measured</th><th scope=\"col\">outcome</th></tr></thead>\n<tbody>\n{rows}</tbody>\n\
         </table></div></section>\n"
    )
}

fn aim_row(benchmark: &str, aim: &Aim) -> String {
    let Aim { of, aim: wanted, measured, unit, better } = aim;
    let measure = Measure::of([*wanted, *measured].into_iter());
    // A sign besides the colour, for whoever sees few of them.
    let (class, sign, word) = if aim.is_met() { ("met", "✓", "met") } else { ("missed", "✗", "missed") };
    let bound = match better {
        Better::Lower => "≤",
        Better::Higher => "≥",
    };
    format!(
        "<tr><th scope=\"row\">{}: {}</th><td class=\"number\">{bound} {} {}</td><td class=\"number\">{} {}</td>\
         <td class=\"{class}\"><span aria-hidden=\"true\">{sign}</span> {word}</td></tr>\n",
        xml(benchmark),
        xml(of),
        measure.write(*wanted),
        xml(unit),
        measure.write(*measured),
        xml(unit)
    )
}

fn section(benchmark: &Benchmark) -> String {
    let Benchmark { name, title, mode, command, seconds, outcome } = benchmark;
    let id = anchor(name);
    let mut html = format!(
        "<section id=\"{id}\" aria-labelledby=\"{id}-heading\">\n<h2 id=\"{id}-heading\">{}: {}</h2>\n<p>Path: {}.",
        xml(name),
        xml(title),
        xml(mode)
    );
    match outcome {
        Outcome::Measured(measurement) => {
            html.push_str(&format!(
                " Took {} s, by <code>{}</code>.</p>\n",
                decimals(*seconds, 0),
                xml(command)
            ));
            html.push_str(&measured(&id, command, measurement));
        }
        Outcome::Failed(reason) => html.push_str(&format!(
            "</p>\n<p class=\"warning\"><b>Failed</b> after {} s: {}. Again: <code>{}</code></p>\n",
            decimals(*seconds, 0),
            xml(reason),
            xml(command)
        )),
        Outcome::LeftOut(reason) => {
            html.push_str(&format!("</p>\n<p><b>Not run</b>: {}.</p>\n", xml(reason)));
        }
    }
    html.push_str("</section>\n");
    html
}

fn measured(id: &str, command: &str, measurement: &Measurement) -> String {
    let Measurement { figures, aims: _, checked, warnings } = measurement;
    let list = |class: &str, name: &str, sentences: &[String]| {
        let items: String =
            sentences.iter().map(|sentence| format!("<li>{}</li>\n", xml(sentence))).collect();
        let is_empty = sentences.is_empty();
        if is_empty {
            items
        } else {
            format!("<div class=\"{class}\"><b>{name}</b><ul>\n{items}</ul></div>\n")
        }
    };
    let mut html = list("warning", "Warnings", warnings);
    figures.iter().for_each(|figure| html.push_str(&drawn(id, command, figure)));
    html.push_str(&list("checked", "Checked", checked));
    html
}

/// A figure twice, of which the style sheet shows one, and its table.
fn drawn(benchmark: &str, command: &str, figure: &Figure) -> String {
    let id = format!("{benchmark}-{}", anchor(&figure.name));
    let Figure { title, unit, better: way, .. } = figure;
    format!(
        "<figure id=\"{id}\">\n<figcaption><b>{}</b> ({}; {})</figcaption>\n\
         <div class=\"wide\">{}</div>\n<div class=\"phone\">{}</div>\n</figure>\n{}",
        xml(title),
        xml(unit),
        better(*way),
        draw::figure(figure, &id, &WIDE),
        draw::figure(figure, &id, &PHONE),
        values(command, figure)
    )
}

fn values(command: &str, figure: &Figure) -> String {
    let Grid { head, rows, notes } = Grid::of(figure);
    let heading = |(place, cell): (usize, &String)| {
        let class = if place > 0 { " class=\"number\"" } else { "" };
        format!("<th scope=\"col\"{class}>{}</th>", xml(cell))
    };
    let head: String = head.iter().enumerate().map(heading).collect();
    let cell = |(place, cell): (usize, &String)| match place {
        0 => format!("<th scope=\"row\">{}</th>", xml(cell)),
        _ => format!("<td class=\"number\">{}</td>", xml(cell)),
    };
    let row =
        |row: &Vec<String>| format!("<tr>{}</tr>\n", row.iter().enumerate().map(cell).collect::<String>());
    let rows: String = rows.iter().map(row).collect();
    let notes: String = notes.iter().map(|note| format!("<p>{}</p>\n", xml(note))).collect();
    let title = xml(&figure.title);
    format!(
        "<details>\n<summary>Values and command</summary>\n<p><code>{}</code></p>\n{notes}\
         <div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Values: {title}\"><table>\n\
         <thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n</details>\n",
        xml(command)
    )
}

#[cfg(test)]
mod tests;
