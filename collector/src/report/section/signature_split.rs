//! `signature_split`: a port with a signature against the same without, from home and from abroad.

mod origin;
mod windows;

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::ranking::peak;
use super::{Context, Counting, nothing_observed, packets_unit, section, series, sources_unit};
use crate::language::Text;
use crate::report::counting::Parts;
use crate::report::counting::ports::Cube;
use crate::report::counting::sources::ByDay;
use crate::report::destination::Destination;
use crate::report::mark::Mark;
use crate::report::model::{Section, Style};
use crate::report::numbers::{mean, percent, rounded, share, written};
use crate::report::observed::Observed;
use crate::report::period::ReportPeriod;
use origin::Origin;
use windows::Windows;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub port: Destination,
    pub signature: Mark,
    /// Packets that bear one of these are left out altogether.
    #[serde(default)]
    pub without: Vec<Mark>,
    /// Shows those with the signature alone.
    #[serde(default)]
    pub only_with: bool,
}

/// Which packets are of which kind: with what is asked for, or without it.
#[derive(Clone)]
pub struct Kinds<'a> {
    signature: Mark,
    without: Vec<Mark>,
    home: &'a [[u8; 2]],
}

impl Kinds<'_> {
    /// Whether packets are with it; nothing where they are left out.
    fn of(&self, signatures: u8, window: Option<u16>) -> Option<bool> {
        let is_excluded = self.without.iter().any(|mark| mark.is_on(signatures, window));
        (!is_excluded).then(|| self.signature.is_on(signatures, window))
    }

    fn origin(&self, region: [u8; 2]) -> Origin {
        Origin::of(region, self.home)
    }

    /// Windows that it takes to tell, by signature or in `without`; each once.
    fn windows(&self) -> impl Iterator<Item = u16> {
        let marks = [self.signature].into_iter().chain(self.without.iter().copied());
        let windows: BTreeSet<u16> = marks.filter_map(Mark::window).collect();
        windows.into_iter()
    }
}

/// What is counted.
enum Told<'a> {
    /// Packets by port, sources by themselves.
    Signatures { cube: Cube, sources: ByDay<'a, (bool, Origin)> },
    /// Sums by port tell no windows.
    Windows(Windows<'a>),
}

pub struct SignatureSplit<'a> {
    settings: Settings,
    kinds: Kinds<'a>,
    told: Told<'a>,
}

impl<'a> SignatureSplit<'a> {
    #[must_use]
    pub fn new(settings: &Settings, period: &ReportPeriod, observed: &Observed, home: &'a [[u8; 2]]) -> Self {
        let Settings { port, signature, without, only_with } = settings.clone();
        let narrowed = |wanted| if only_with { signature.narrowed(wanted) } else { wanted };
        let matches = port.matches().into_iter().map(narrowed).collect();
        let kinds = Kinds { signature, without, home };
        let told = if kinds.windows().next().is_none() {
            let of_row = kinds.clone();
            let sources = ByDay::new(matches, period, move |row| {
                Some((of_row.of(row.signatures, row.window)?, of_row.origin(row.region)))
            });
            Told::Signatures { cube: Cube::new(Some(port), period), sources }
        } else {
            Told::Windows(Windows::new(&kinds, port, matches, period, observed))
        };
        Self { settings: settings.clone(), kinds, told }
    }

    const fn counter(&self) -> &ByDay<'a, (bool, Origin)> {
        match &self.told {
            Told::Signatures { sources, .. } => sources,
            Told::Windows(windows) => windows.sources(),
        }
    }

    /// Whether a kind of packets was told apart on a day of the period.
    fn is_told_apart(&self, context: &Context<'_>, day: usize, with: bool) -> bool {
        match &self.told {
            Told::Signatures { .. } => context.observed.is_observed(context.period.offset() + day),
            Told::Windows(windows) => windows.told_apart(day, with).is_some(),
        }
    }

    /// Sources of packets, on days on which they were told apart.
    fn sources(&self, context: &Context<'_>, with: bool, origin: Origin) -> Vec<Option<f64>> {
        let sources = self.counter().sources((with, origin)).into_iter().enumerate();
        sources.map(|(day, sources)| self.is_told_apart(context, day, with).then_some(sources)).collect()
    }

    /// Whether packets are among those that were counted that other sensors may have seen than the report is of.
    const fn has_others(&self) -> bool {
        matches!(&self.told, Told::Windows(windows) if windows.is_shared())
    }

    /// How many days of the period a kind of packets was told apart on.
    fn days_told_apart(&self, context: &Context<'_>, with: bool) -> usize {
        let days = context.period.all_days() - context.period.offset();
        (0..days).filter(|day| self.is_told_apart(context, *day, with)).count()
    }

    /// Days of sensors that cannot tell.
    fn sensor_days_left_out(&self) -> u32 {
        match &self.told {
            Told::Signatures { .. } => 0,
            Told::Windows(windows) => windows.sensor_days_left_out(),
        }
    }

    /// What windows have to be told of.
    fn about_windows(&self, context: &Context<'_>) -> Vec<Text> {
        let mut summary = Vec::new();
        if matches!(self.told, Told::Signatures { .. }) {
            return summary;
        }
        let (told, observed) = (self.days_told_apart(context, true), context.observed.days().0);
        if told < observed {
            summary.push(Text::new(
                format!("The sensors watched these windows on {told} of the {observed} observed days; the others are gaps."),
                format!("観測できた{observed}日のうち、該当するウィンドウサイズを記録していたのは{told}日で、その他の日は空白としています。"),
            ));
        }
        let without = self.days_told_apart(context, false);
        if !self.settings.only_with && without < told {
            summary.push(Text::new(
                format!(
                    "Packets without the window are told on the {without} days on which the sensors that watched it did so \
                     all the time."
                ),
                format!("該当しないパケットは、このウィンドウサイズを記録していたセンサーが終日記録していた{without}日についてのみ示しています。"),
            ));
        }
        let left_out = self.sensor_days_left_out();
        if left_out > 0 {
            summary.push(Text::new(
                format!(
                    "On these days, {left_out} days of sensors that did not watch them are left out: such a sensor cannot \
                     say which packets are with a window, and which are without."
                ),
                format!(
                    "該当するウィンドウサイズを記録していなかったセンサーでは該当・非該当を区別できないため、\
                     これらの日の観測のうち、のべ{left_out}日分を除いています。"
                ),
            ));
        }
        if let Told::Windows(windows) = &self.told {
            let kinds: &[bool] = if self.settings.only_with { &[true] } else { &[true, false] };
            let days = kinds.iter().map(|with| windows.days_without_source(*with)).max().unwrap_or_default();
            if days > 0 {
                summary.push(Text::new(
                    format!(
                        "On {days} days a sensor's table of flows was full, and packets came whose source, region and window \
                         are not known: where they belong is a gap, and they are in none of the figures with a window."
                    ),
                    format!(
                        "{days}日についてはセンサーのフロー表が満杯となり、送信元・地域・ウィンドウサイズが不明なパケットがあるため、\
                         該当する系列を空白とし、該当パケットの数値にも含めていません。"
                    ),
                ));
            }
        }
        if self.has_others() {
            summary.push(Text::new(
                "Some of these sources were seen by other sensors, too, and it is not known how many of their packets each \
                 saw: packets per sensor are not told.",
                "一部の送信元は対象外のセンサーでも観測されており、センサーごとのパケット数を区別できないため、センサー1台あたりのパケット数は示していません。",
            ));
        }
        summary
    }

    /// Packets per sensor per day.
    fn packets(&self, context: &Context<'_>, with: bool, origin: Origin) -> Vec<Option<f64>> {
        match &self.told {
            Told::Signatures { cube, .. } => context.current(&cube.days(|region, signatures| {
                self.kinds.of(signatures, None) == Some(with) && self.kinds.origin(region) == origin
            })),
            Told::Windows(windows) => {
                let packets = windows.packets(with, origin).into_iter();
                packets.map(|packets| packets.filter(|_| !self.has_others()).map(rounded)).collect()
            }
        }
    }

    fn name(&self, with: bool) -> Text {
        let signature = match self.settings.signature {
            Mark::Signature(_) if with => Text::new(
                format!("with the {} signature", self.settings.signature),
                format!("{}の特徴あり", self.settings.signature),
            ),
            Mark::Signature(_) => Text::new(
                format!("without the {} signature", self.settings.signature),
                format!("{}の特徴なし", self.settings.signature),
            ),
            Mark::Window(window) if with => {
                Text::new(format!("with window {window}"), format!("ウィンドウサイズ{window}"))
            }
            Mark::Window(window) => {
                Text::new(format!("without window {window}"), format!("ウィンドウサイズ{window}以外"))
            }
        };
        let without: Vec<String> = self.settings.without.iter().map(Mark::to_string).collect();
        if without.is_empty() {
            return signature;
        }
        let without = without.join(", ");
        Text::new(format!("{}, not {without}", signature.en), format!("{}（{without}を除く）", signature.ja))
    }
}

/// The share of packets with the signature, over the days on which those without it are known, too.
fn share_with([without, with]: &[Vec<Option<f64>>; 2]) -> Option<f64> {
    let days: Vec<(f64, f64)> =
        with.iter().zip(without).filter_map(|(with, without)| Some(((*with)?, (*without)?))).collect();
    let (with, without) = days.iter().fold((0.0, 0.0), |sum, day| (sum.0 + day.0, sum.1 + day.1));
    share(with, with + without)
}

/// How many there were; nothing where that was not to be told on any day.
fn sentence(name: &Text, packets: Option<f64>, sources: Option<f64>) -> Option<Text> {
    let sources = written(sources?);
    Some(match packets.map(written) {
        Some(packets) => Text::new(
            format!(
                "{}: {packets} packets per sensor per day, from {sources} source addresses a day.",
                name.en
            ),
            format!(
                "{}：センサー1台あたり1日平均{packets}パケット、送信元IPアドレスは1日平均{sources}件でした。",
                name.ja
            ),
        ),
        None => Text::new(
            format!("{}: {sources} source addresses a day.", name.en),
            format!("{}：送信元IPアドレスは1日平均{sources}件でした。", name.ja),
        ),
    })
}

impl Counting for SignatureSplit<'_> {
    fn parts(&mut self) -> Parts<'_> {
        match &mut self.told {
            Told::Signatures { cube, sources } => Parts { cubes: vec![cube], counters: vec![sources] },
            Told::Windows(windows) => windows.parts(),
        }
    }

    fn finish(&mut self, context: &Context<'_>) -> Section {
        let label = self.settings.port.label(context.services);
        let name = self.name(true);
        let title = Text::new(
            format!("{}: {}", label.en, name.en),
            format!("{}宛のパケットのうち{}の観測状況", label.ja, name.ja),
        );
        if context.observed.days().0 == 0 {
            return section(title, vec![nothing_observed()], Vec::new(), json!({ "observed_days": 0 }));
        }
        let kinds: &[bool] = if self.settings.only_with { &[true] } else { &[true, false] };
        let (mut packets, mut sources, mut summary) = (Vec::new(), Vec::new(), Vec::new());
        let mut facts = Map::new();
        // By day: packets with the signature, and without.
        let count = context.period.all_days() - context.period.offset();
        let mut sums: [Vec<Option<f64>>; 2] = [vec![Some(0.0); count], vec![Some(0.0); count]];
        for &with in kinds {
            let mut of_kind = Map::new();
            for origin in Origin::ALL {
                let is_counted = self.counter().counts.contains_key(&(with, origin));
                let is_home_told = self.kinds.home.is_empty() == (origin == Origin::Anywhere);
                // What no table knows of is told where there is any; home and abroad always.
                if !is_counted && (!is_home_told || origin == Origin::Unknown) {
                    continue;
                }
                let of_packets = self.packets(context, with, origin);
                let of_sources = self.sources(context, with, origin);
                let id = format!("{}-{}", if with { "with" } else { "without" }, origin.name());
                let (name, words) = (self.name(with), origin.words());
                let name =
                    Text::new(format!("{}, {}", name.en, words.en), format!("{}・{}", name.ja, words.ja));
                let (mean_packets, mean_sources) = (mean(&of_packets), mean(&of_sources));
                for (sum, packets) in sums[usize::from(with)].iter_mut().zip(&of_packets) {
                    // A part of a day is not the day.
                    *sum = sum.zip(*packets).map(|(sum, packets)| sum + packets);
                }
                let highest = peak(&of_sources);
                of_kind.insert(
                    origin.name().into(),
                    json!({
                        "packets_per_sensor_per_day": mean_packets.map(rounded),
                        "sources_per_day": mean_sources.map(rounded),
                        "most_sources": highest.map(|(_, most)| most),
                        "most_sources_day": highest.map(|(day, _)| context.day(day).to_string()),
                    }),
                );
                summary.extend(sentence(&name, mean_packets, mean_sources));
                if !self.has_others() {
                    packets.push(series(id.clone(), name.clone(), of_packets));
                }
                sources.push(series(id, name, of_sources));
            }
            facts.insert(if with { "with" } else { "without" }.into(), Value::Object(of_kind));
        }
        if !self.settings.only_with {
            let part = share_with(&sums);
            facts.insert("share_with".into(), json!(part));
            summary.extend(part.map(|part| {
                Text::new(
                    format!("{} of the packets are {}.", percent(part), self.name(true).en),
                    format!("パケット数のうち{}は{}が占めました。", percent(part), self.name(true).ja),
                )
            }));
        }
        summary.extend(self.about_windows(context));
        facts.insert("days_told_apart".into(), json!(self.days_told_apart(context, true)));
        facts.insert("sensor_days_left_out".into(), json!(self.sensor_days_left_out()));
        facts.insert("port".into(), json!(self.settings.port.port()));
        facts.insert("transport".into(), json!(self.settings.port.transport()));
        facts.insert("signature".into(), json!(self.settings.signature.to_string()));
        let without: Vec<String> = self.settings.without.iter().map(Mark::to_string).collect();
        facts.insert("left_out".into(), json!(without));
        facts.insert(
            "home".into(),
            json!(self.kinds.home.iter().map(|home| super::region_code(*home)).collect::<Vec<_>>()),
        );
        let packets_title = Text::new(
            format!("Packets to {} by signature and origin", label.en),
            format!("{}宛のパケットの特徴別・送信元別観測数の推移", label.ja),
        );
        let sources_title = Text::new(
            format!("Sources of {} by signature and origin", label.en),
            format!("{}宛のパケットの特徴別・送信元別の送信元IPアドレス数の推移", label.ja),
        );
        let mut blocks = Vec::new();
        if !packets.is_empty() {
            blocks.push(context.figure(packets_title, Style::Lines, packets_unit(), packets));
        }
        blocks.push(context.figure(sources_title, Style::Lines, sources_unit(), sources));
        section(title, summary, blocks, Value::Object(facts))
    }
}
