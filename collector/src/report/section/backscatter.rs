//! `backscatter`: who is under attack by packets with forged sources, by what comes back to the sensors.

mod victims;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use sensor_ebpf::abi::TrafficClass;
use serde::Deserialize;
use serde_json::json;

use super::port_by_region::default_regions;
use super::ranking::peak;
use super::{
    Context, Counting, nothing_observed, region_code, region_label, section, sources_unit, stack, top_regions,
};
use crate::language::Text;
use crate::report::counting::Parts;
use crate::report::counting::sources::ByDay;
use crate::report::destination::Destination;
use crate::report::model::{Block, Cell, Column, ColumnKind, Matrix, MatrixRow, Section, Style, Table};
use crate::report::numbers::{mean, percent, rounded, share, written};
use crate::report::period::ReportPeriod;
use crate::store::Match;
use victims::{Victim, Victims};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Rows of the matrix.
    #[serde(default = "default_victims")]
    pub victims: usize,
    #[serde(default = "default_regions")]
    pub regions: usize,
    /// Ports that are told.
    #[serde(default = "default_ports")]
    pub ports: usize,
    #[serde(default)]
    pub addresses: Addresses,
}

const fn default_victims() -> usize {
    20
}

const fn default_ports() -> usize {
    5
}

/// How victims are named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Addresses {
    /// By number, and the /24 or /48 that they are in.
    #[default]
    Masked,
    Whole,
}

pub struct Backscatter<'a> {
    settings: Settings,
    by_region: ByDay<'a, [u8; 2]>,
    victims: Victims,
}

impl Backscatter<'_> {
    #[must_use]
    pub fn new(settings: &Settings, period: &ReportPeriod) -> Self {
        let of = |class| Match { protocol: Some(6), class: Some(class), ..Match::default() };
        let matches: Vec<_> =
            [TrafficClass::BackscatterSynAck, TrafficClass::BackscatterRst].map(of).to_vec();
        Self {
            settings: settings.clone(),
            by_region: ByDay::new(matches.clone(), period, |row| Some(row.region)),
            victims: Victims::new(matches),
        }
    }

    /// A victim's name, by its rank.
    fn name(&self, rank: usize, address: IpAddr) -> String {
        match (self.settings.addresses, address) {
            (Addresses::Whole, address) => address.to_string(),
            (Addresses::Masked, IpAddr::V4(address)) => {
                format!("#{rank} {}/24", Ipv4Addr::from_bits(address.to_bits() & !0xff))
            }
            (Addresses::Masked, IpAddr::V6(address)) => {
                format!("#{rank} {}/48", Ipv6Addr::from_bits(address.to_bits() >> 80 << 80))
            }
        }
    }
}

/// The ports with the most packets; ties by port.
fn top_ports(ports: impl IntoIterator<Item = (u16, u64)>, most: usize) -> Vec<(u16, u64)> {
    let mut ports: Vec<_> = ports.into_iter().collect();
    ports.sort_by(|(one, a), (other, b)| b.cmp(a).then(one.cmp(other)));
    ports.truncate(most);
    ports
}

impl Counting for Backscatter<'_> {
    fn parts(&mut self) -> Parts<'_> {
        Parts { cubes: Vec::new(), counters: vec![&mut self.by_region, &mut self.victims] }
    }

    fn finish(&mut self, context: &Context<'_>) -> Section {
        let title = Text::new("Backscatter of TCP", "TCPの跳ね返りパケット(バックスキャッター)の観測状況");
        if context.observed.days().0 == 0 {
            return section(title, vec![nothing_observed()], Vec::new(), json!({ "observed_days": 0 }));
        }
        let regions: Vec<[u8; 2]> = self.by_region.counts.keys().copied().collect();
        let of = |region: &[u8; 2]| (*region, context.of_period(&self.by_region.sources(*region)));
        let days: BTreeMap<_, _> = regions.iter().map(of).collect();
        let means: BTreeMap<_, _> =
            days.iter().map(|(region, days)| (*region, mean(days).unwrap_or(0.0))).collect();
        let top = top_regions(&means, self.settings.regions);
        let count = context.period.all_days() - context.period.offset();
        let mut all_days = vec![0.0; count];
        for region in &regions {
            let sources = self.by_region.sources(*region);
            all_days.iter_mut().zip(sources).for_each(|(sum, sources)| *sum += sources);
        }
        let all_days = context.of_period(&all_days);
        let packets = self.victims.packets as f64;
        let ports = top_ports(self.victims.ports.clone(), self.settings.ports);
        let mut victims: Vec<(&IpAddr, &Victim)> = self.victims.all.iter().collect();
        victims.sort_by(|(one, a), (other, b)| b.packets.cmp(&a.packets).then(one.cmp(other)));
        victims.truncate(self.settings.victims);

        let average = mean(&all_days).unwrap_or(0.0);
        let mut summary = vec![Text::new(
            format!("Answers to packets with forged sources came from {} addresses a day.", written(average)),
            format!(
                "送信元を詐称した攻撃への応答とみられるパケットの送信元IPアドレス数は、1日平均{}件でした。",
                written(average)
            ),
        )];
        if let Some((region, part)) =
            top.first().and_then(|region| Some((*region, share(*means.get(region)?, means.values().sum())?)))
        {
            let (name, part) = (region_label(region), percent(part));
            summary.push(Text::new(
                format!("{part} of these addresses are in {}.", name.en),
                format!("送信元IPアドレスの{part}は{}のものでした。", name.ja),
            ));
        }
        if let Some((port, of_port)) = ports.first()
            && let Some(part) = share(*of_port as f64, packets)
        {
            let (label, part) = (Destination::Tcp(*port).label(context.services), percent(part));
            summary.push(Text::new(
                format!("{part} of the packets came from {}, the service under attack.", label.en),
                format!(
                    "パケットの{part}は送信元ポートが{}で、このサービスが攻撃対象になったとみられます。",
                    label.ja
                ),
            ));
        }
        if self.victims.is_cut {
            summary.push(Text::new(
                "More addresses answered than can be remembered at once: those with few packets may be missing below, and \
                 days before one was remembered again are left blank.",
                "応答元の数が一度に記録できる数を超えたため、パケット数の少ないものは下の表に含まれない場合があります。再び記録されるまでの日は空白としています。",
            ));
        }

        let figure_title =
            Text::new("Sources of backscatter by region", "跳ね返りパケットの送信元地域別IPアドレス数の推移");
        let figure = context.figure(figure_title, Style::Stacked, sources_unit(), stack(&days, &top, count));
        let offset = context.period.offset();
        let matrix_rows = victims.iter().zip(1..).map(|((address, victim), rank)| {
            let is_known =
                |day: usize| context.observed.is_observed(offset + day) && day >= victim.known_from as usize;
            let mut values: Vec<Option<u64>> = (0..count).map(|day| is_known(day).then_some(0)).collect();
            for (day, packets) in &victim.days {
                values[*day as usize] = Some(*packets);
            }
            MatrixRow { name: Text::same(self.name(rank, **address)), values }
        });
        let matrix = Matrix {
            id: String::new(),
            title: Text::new("Packets by victim and day", "攻撃対象とみられるIPアドレス別・日別パケット数"),
            unit: Text::new("packets", "パケット数"),
            days: context.period.days(),
            rows: matrix_rows.collect(),
        };
        let column = |id: &str, name: Text, kind| Column { id: id.into(), name, kind };
        let port_rows = ports.iter().map(|(port, of_port)| {
            let part = share(*of_port as f64, packets);
            vec![
                Cell::Text(Destination::Tcp(*port).label(context.services)),
                Cell::Number(*of_port as f64),
                part.map_or(Cell::Nothing, Cell::Number),
            ]
        });
        let table = Table {
            id: String::new(),
            title: Text::new("Services under attack", "攻撃対象とみられるサービス(送信元ポート)"),
            columns: vec![
                column("service", Text::new("Source port", "送信元ポート番号"), ColumnKind::Text),
                column("packets", Text::new("Packets", "パケット数"), ColumnKind::Count),
                column("share", Text::new("Share", "割合"), ColumnKind::Share),
            ],
            rows: port_rows.collect(),
        };
        let port_facts = |ports: &[(u16, u64)], packets: f64| {
            let fact = |(port, of_port): &(u16, u64)| json!({ "port": port, "transport": "tcp", "packets": of_port, "share": share(*of_port as f64, packets) });
            ports.iter().map(fact).collect::<Vec<_>>()
        };
        let victim_facts = victims.iter().zip(1..).map(|((address, victim), rank)| {
            let ports = top_ports(victim.ports.iter().copied(), self.settings.ports);
            json!({
                "name": self.name(rank, **address),
                "region": region_code(victim.region),
                "packets": victim.packets,
                "known_from": (victim.known_from > 0).then(|| context.day(victim.known_from as usize).to_string()),
                "days": victim.days.len(),
                "first_day": victim.days.first().map(|(day, _)| context.day(*day as usize).to_string()),
                "last_day": victim.days.last().map(|(day, _)| context.day(*day as usize).to_string()),
                "ports": port_facts(&ports, victim.packets as f64),
            })
        });
        let region_facts = top.iter().map(|region| {
            let mean = means.get(region).copied().unwrap_or(0.0);
            let part = share(mean, means.values().sum());
            json!({ "region": region_code(*region), "sources_per_day": rounded(mean), "share": part })
        });
        let highest = peak(&all_days);
        let facts = json!({
            "sources_per_day": rounded(average),
            "most_sources": highest.map(|(_, most)| most),
            "most_sources_day": highest.map(|(day, _)| context.day(day).to_string()),
            "packets": self.victims.packets,
            "is_cut": self.victims.is_cut,
            "ports": port_facts(&ports, packets),
            "regions": region_facts.collect::<Vec<_>>(),
            "victims": victim_facts.collect::<Vec<_>>(),
        });
        let mut blocks = vec![figure];
        if !victims.is_empty() {
            blocks.extend([Block::Matrix(matrix), Block::Table(table)]);
        }
        section(title, summary, blocks, facts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Day;

    #[test]
    fn victims_are_named_by_rank_and_prefix() {
        let period = ReportPeriod::of_days(Day(20_000), Day(20_010)).unwrap();
        let settings = Settings { victims: 2, regions: 1, ports: 1, addresses: Addresses::Masked };
        let section = Backscatter::new(&settings, &period);
        assert_eq!(section.name(1, "192.0.2.3".parse().unwrap()), "#1 192.0.2.0/24");
        assert_eq!(section.name(2, "2001:db8:1:2::3".parse().unwrap()), "#2 2001:db8:1::/48");
    }
}
