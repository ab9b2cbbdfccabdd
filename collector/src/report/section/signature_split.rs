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
        let of_windows = [signature].iter().chain(&without).any(|mark| matches!(mark, Mark::Window(_)));
        let cube = (!of_windows).then(|| Cube::new(Some(port), period));
        Self { settings: settings.clone(), home, cube, counter }
    }

    /// Packets per sensor per day.
    fn packets(&self, context: &Context<'_>, with: bool, origin: Origin) -> Vec<Option<f64>> {
        let Some(cube) = &self.cube else {
            let offset = context.period.offset();
            let packets = self.counter.packets((with, origin)).into_iter().enumerate();
            let of_day = |(day, packets): (usize, f64)| {
                context.observed.sensor_days(offset + day).map(|days| rounded(packets / days))
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
        let mut means = [0.0; 2];
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
                let of_sources = context.of_period(&self.counter.sources((with, origin)));
                let id = format!("{}-{}", if with { "with" } else { "without" }, origin.name());
                let (name, words) = (self.name(with), origin.words());
                let name =
                    Text::new(format!("{}, {}", name.en, words.en), format!("{}・{}", name.ja, words.ja));
                let mean_packets = mean(&of_packets).unwrap_or(0.0);
                let mean_sources = mean(&of_sources).unwrap_or(0.0);
                means[usize::from(with)] += mean_packets;
                let highest = peak(&of_sources);
                of_kind.insert(
                    origin.name().into(),
                    json!({
                        "packets_per_sensor_per_day": rounded(mean_packets),
                        "sources_per_day": rounded(mean_sources),
                        "most_sources": highest.map(|(_, most)| most),
                        "most_sources_day": highest.map(|(day, _)| context.day(day).to_string()),
                    }),
                );
                summary.push(Text::new(
                    format!(
                        "{}: {} packets per sensor per day, from {} source addresses a day.",
                        name.en,
                        written(mean_packets),
                        written(mean_sources)
                    ),
                    format!(
                        "{}：センサー1台あたり1日平均{}パケット、送信元IPアドレスは1日平均{}件でした。",
                        name.ja,
                        written(mean_packets),
                        written(mean_sources)
                    ),
                ));
                packets.push(series(id.clone(), name.clone(), of_packets));
                sources.push(series(id, name, of_sources));
            }
            facts.insert(if with { "with" } else { "without" }.into(), Value::Object(of_kind));
        }
        if !self.settings.only_with
            && let Some(part) = share(means[1], means[0] + means[1])
        {
            facts.insert("share_with".into(), json!(part));
            summary.push(Text::new(
                format!("{} of the packets are {}.", percent(part), self.name(true).en),
                format!("パケット数のうち{}は{}が占めました。", percent(part), self.name(true).ja),
            ));
        }
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
        let blocks = vec![
            context.figure(packets_title, Style::Lines, packets_unit(), packets),
            context.figure(sources_title, Style::Lines, sources_unit(), sources),
        ];
        section(title, summary, blocks, Value::Object(facts))
    }
}
