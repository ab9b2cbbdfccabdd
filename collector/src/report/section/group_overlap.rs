//! `group_overlap`: how many of a period's sources are in an operator's list.

use sensor_ebpf::abi::TrafficClass;
use serde::Deserialize;
use serde_json::json;

use super::{Context, Counting, nothing_observed, section, too_many_ipv6};
use crate::groups::Group;
use crate::language::Text;
use crate::report::counting::Parts;
use crate::report::counting::addresses::AddressSet;
use crate::report::counting::sources::SourceCounter;
use crate::report::destination::Destination;
use crate::report::model::{Block, Cell, Column, ColumnKind, Section, Table};
use crate::report::numbers::{percent, share, written};
use crate::store::{Match, SourceRow};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub group: String,
    pub port: Option<Destination>,
}

pub struct GroupOverlap<'a> {
    settings: Settings,
    counter: Overlap<'a>,
}

/// The period's distinct sources, and those of them that were in the group on a day on which they were seen.
struct Overlap<'a> {
    matches: Vec<Match>,
    group: &'a Group,
    all: AddressSet,
    listed: AddressSet,
}

impl SourceCounter for Overlap<'_> {
    fn matches(&self) -> &[Match] {
        &self.matches
    }

    fn take(&mut self, _day: usize, row: &SourceRow<'_>) {
        self.all.insert(row.source);
        if self.group.contains(row.source, row.day) {
            self.listed.insert(row.source);
        }
    }
}

impl<'a> GroupOverlap<'a> {
    #[must_use]
    pub fn new(settings: &Settings, group: &'a Group) -> Self {
        let all = || vec![Match { class: Some(TrafficClass::Scan), ..Match::default() }];
        let matches = settings.port.map_or_else(all, Destination::matches);
        let (all, listed) = (AddressSet::default(), AddressSet::default());
        Self { settings: settings.clone(), counter: Overlap { matches, group, all, listed } }
    }
}

impl Counting for GroupOverlap<'_> {
    fn parts(&mut self) -> Parts<'_> {
        Parts { cubes: Vec::new(), counters: vec![&mut self.counter] }
    }

    fn finish(&mut self, context: &Context<'_>) -> Section {
        let Settings { group, port } = &self.settings;
        let what = port
            .map_or_else(|| Text::new("all scans", "すべてのスキャン"), |port| port.label(context.services));
        let title = Text::new(
            format!("Sources of {} that are in {group}", what.en),
            format!("{}の送信元IPアドレスと「{group}」の重なり", what.ja),
        );
        if context.observed.days().0 == 0 {
            return section(title, vec![nothing_observed()], Vec::new(), json!({ "observed_days": 0 }));
        }
        let (all, listed) = (self.counter.all.len(), self.counter.listed.len());
        let part = share(listed as f64, all as f64);
        let summary = match part {
            None => Text::new(
                format!("There were no sources of {}.", what.en),
                format!("{}の送信元IPアドレスは観測されませんでした。", what.ja),
            ),
            Some(part) => Text::new(
                format!(
                    "Of {} source addresses of {}, {} are in {group}: {}.",
                    written(all as f64),
                    what.en,
                    written(listed as f64),
                    percent(part)
                ),
                format!(
                    "{}の送信元IPアドレス{}件のうち、{}件({})が「{group}」に含まれていました。",
                    what.ja,
                    written(all as f64),
                    written(listed as f64),
                    percent(part)
                ),
            ),
        };
        let column = |id: &str, name: Text, kind| Column { id: id.into(), name, kind };
        let table = Table {
            id: String::new(),
            title: title.clone(),
            columns: vec![
                column("service", Text::new("Service", "宛先ポート番号"), ColumnKind::Text),
                column("sources", Text::new("Source addresses", "送信元IPアドレス数"), ColumnKind::Count),
                column("listed", Text::new("In the list", "リストに含まれる数"), ColumnKind::Count),
                column("share", Text::new("Share", "割合"), ColumnKind::Share),
            ],
            rows: vec![vec![
                Cell::Text(what),
                Cell::Number(all as f64),
                Cell::Number(listed as f64),
                part.map_or(Cell::Nothing, Cell::Number),
            ]],
        };
        let facts = json!({
            "group": group,
            "port": port.and_then(Destination::port),
            "transport": port.map(Destination::transport),
            "sources": all, "listed": listed, "share": part,
            "is_cut": self.counter.all.is_full(),
        });
        let mut summary = vec![summary];
        summary.extend(self.counter.all.is_full().then(too_many_ipv6));
        section(title, summary, vec![Block::Table(table)], facts)
    }
}
