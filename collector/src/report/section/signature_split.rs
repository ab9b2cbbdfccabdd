//! `signature_split`: a port with a signature against the same without, from home and from abroad.

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
use crate::report::period::ReportPeriod;
use crate::store::UNKNOWN;

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

/// Where packets come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Origin {
    Home,
    Abroad,
    /// No table says where.
    Unknown,
    /// Nothing is configured to be home.
    Anywhere,
}

impl Origin {
    const ALL: [Self; 4] = [Self::Home, Self::Abroad, Self::Unknown, Self::Anywhere];

    fn of(region: [u8; 2], home: &[[u8; 2]]) -> Self {
        match region {
            _ if home.is_empty() => Self::Anywhere,
            region if home.contains(&region) => Self::Home,
            UNKNOWN => Self::Unknown,
            _ => Self::Abroad,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Abroad => "abroad",
            Self::Unknown => "unknown",
            Self::Anywhere => "anywhere",
        }
    }

    fn words(self) -> Text {
        match self {
            Self::Home => Text::new("home", "国内"),
            Self::Abroad => Text::new("abroad", "国外"),
            Self::Unknown => Text::new("unknown region", "地域不明"),
            Self::Anywhere => Text::new("all regions", "全地域"),
        }
    }
}

pub struct SignatureSplit<'a> {
    settings: Settings,
    home: &'a [[u8; 2]],
    cube: Option<Cube>,
    counter: ByDay<'a, (bool, Origin)>,
    /// Windows that it asks for, by signature or in `without`.
    windows: Vec<u16>,
}

impl<'a> SignatureSplit<'a> {
    #[must_use]
    pub fn new(settings: &Settings, period: &ReportPeriod, home: &'a [[u8; 2]]) -> Self {
        let Settings { port, signature, without, only_with } = settings.clone();
        let narrowed = |wanted| if only_with { signature.narrowed(wanted) } else { wanted };
        let matches = port.matches().into_iter().map(narrowed).collect();
        let excluded = without.clone();
        let counter = ByDay::new(matches, period, move |row| {
            let is_excluded = excluded.iter().any(|mark| mark.is_on(row.signatures, row.window));
            let with = signature.is_on(row.signatures, row.window);
            (!is_excluded).then(|| (with, Origin::of(row.region, home)))
        });
        // Sums by port tell no windows: sums by source do.
        let windows: Vec<u16> = [signature].iter().chain(&without).filter_map(|mark| mark.window()).collect();
        let cube = windows.is_empty().then(|| Cube::new(Some(port), period));
        Self { settings: settings.clone(), home, cube, counter, windows }
    }

    /// The days' worth of time, on a day of the period, that a kind of packets was told apart; absent where it was not.
    ///
    /// Packets with a window come from sensors that watched it alone. Packets without it come from the others, too, which
    /// cannot say so: they are told where all watched it.
    fn told_apart(&self, context: &Context<'_>, day: usize, with: bool) -> Option<f64> {
        let place = context.period.offset() + day;
        match (self.settings.signature, self.windows.as_slice()) {
            (_, []) => context.observed.sensor_days(place),
            (Mark::Window(window), [_]) if with => context.observed.watched(place, window),
            (_, windows) => {
                let is_told = context.observed.is_all_watched(place, windows);
                context.observed.sensor_days(place).filter(|_| is_told)
            }
        }
    }

    /// Sources of packets, on days on which they were told apart.
    fn sources(&self, context: &Context<'_>, with: bool, origin: Origin) -> Vec<Option<f64>> {
        let sources = self.counter.sources((with, origin)).into_iter().enumerate();
        sources.map(|(day, sources)| self.told_apart(context, day, with).map(|_| sources)).collect()
    }

    /// Whether packets are among those that were counted that other sensors may have seen than the report is of.
    const fn has_others(&self) -> bool {
        self.cube.is_none() && self.counter.is_shared
    }

    /// How many days of the period the packets with the signature were told apart on.
    fn days_told_apart(&self, context: &Context<'_>) -> usize {
        let days = context.period.all_days() - context.period.offset();
        (0..days).filter(|day| self.told_apart(context, *day, true).is_some()).count()
    }

    /// What windows have to be told of.
    fn about_windows(&self, context: &Context<'_>) -> Vec<Text> {
        let mut summary = Vec::new();
        if self.windows.is_empty() {
            return summary;
        }
        let (told, observed) = (self.days_told_apart(context), context.observed.days().0);
        if told < observed {
            summary.push(Text::new(
                format!("The sensors watched these windows on {told} of the {observed} observed days; the others are gaps."),
                format!("観測できた{observed}日のうち、該当するウィンドウサイズを記録していたのは{told}日で、その他の日は空白としています。"),
            ));
        }
        let days = context.period.all_days() - context.period.offset();
        let without = (0..days).filter(|day| self.told_apart(context, *day, false).is_some()).count();
        if !self.settings.only_with && without < told {
            summary.push(Text::new(
                format!("Packets without the window are told on the {without} days on which all sensors watched it."),
                format!("該当しないパケットは、全センサーがこのウィンドウサイズを記録していた{without}日についてのみ示しています。"),
            ));
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
        let Some(cube) = &self.cube else {
            let packets = self.counter.packets((with, origin)).into_iter().enumerate();
            let of_day = |(day, packets): (usize, f64)| {
                let days = self.told_apart(context, day, with).filter(|_| !self.has_others())?;
                Some(rounded(packets / days))
            };
            return packets.map(of_day).collect();
        };
        let Settings { signature, without, .. } = &self.settings;
        let days = cube.days(|region, signatures| {
            !without.iter().any(|mark| mark.is_on(signatures, None))
                && signature.is_on(signatures, None) == with
                && Origin::of(region, self.home) == origin
        });
        context.current(&days)
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
        Parts { cubes: self.cube.iter_mut().collect(), counters: vec![&mut self.counter] }
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
        let mut sums: [Vec<Option<f64>>; 2] = [vec![None; count], vec![None; count]];
        for &with in kinds {
            let mut of_kind = Map::new();
            for origin in Origin::ALL {
                let is_counted = self.counter.counts.contains_key(&(with, origin));
                let is_home_told = self.home.is_empty() == (origin == Origin::Anywhere);
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
                    if let Some(packets) = packets {
                        *sum = Some(sum.unwrap_or(0.0) + packets);
                    }
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
        facts.insert("days_told_apart".into(), json!(self.days_told_apart(context)));
        facts.insert("port".into(), json!(self.settings.port.port()));
        facts.insert("transport".into(), json!(self.settings.port.transport()));
        facts.insert("signature".into(), json!(self.settings.signature.to_string()));
        let without: Vec<String> = self.settings.without.iter().map(Mark::to_string).collect();
        facts.insert("left_out".into(), json!(without));
        facts.insert(
            "home".into(),
            json!(self.home.iter().map(|home| super::region_code(*home)).collect::<Vec<_>>()),
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
