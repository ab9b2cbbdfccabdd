//! How a report's figures are counted, and what stands behind them.

use std::collections::BTreeSet;

use serde_json::json;

use super::build::Inputs;
use super::model::Section;
use super::observed::LEAST_SHARE;
use super::section::{Context, region_code};
use super::sections::Kind;
use crate::language::Text;

/// The last section: what the figures mean, and what is missing in them.
#[must_use]
pub fn section(context: &Context<'_>, inputs: &Inputs<'_>) -> Section {
    let observed = context.observed;
    let (days, previous_days) = observed.days();
    let all = context.period.all_days() - context.period.offset();
    let percent = super::numbers::percent(LEAST_SHARE);
    let mut summary = vec![
        Text::new(
            "Packets per sensor per day are the mean, over the sensors that were up on a day, of a sensor's packets \
             divided by the share of the day that it was up. Means of a period are over the days that were observed. \
             Days are of UTC.",
            "パケット数は、その日に稼働していた各センサーのパケット数を稼働時間の割合で補正し、センサー1台あたりで平均した値です。\
             期間の平均は、観測できた日を対象としています。日付は協定世界時(UTC)によります。",
        ),
        Text::new(
            "Ports are the destination ports of TCP scans (SYN without ACK, RST and FIN) and of UDP; echo requests of \
             ICMP are one row. Answers to forged packets (backscatter) are in neither table.",
            "宛先ポート番号は、TCPのスキャン(SYNのみのパケット)とUDPを対象とし、ICMPはエコー要求をまとめて集計しています。\
             送信元を詐称した攻撃への応答(跳ね返りパケット)は、いずれの表にも含みません。",
        ),
        Text::new(
            "The name of a port is that of the service registered for it, or the operator's own: it does not mean that \
             the traffic speaks it.",
            "ポート番号のサービス名は登録上または運用者による名称であり、実際の通信がそのサービスのものとは限りません。",
        ),
        Text::new(
            format!(
                "{days} of the period's {all} days were observed, and {previous_days} of the {} days before.",
                context.period.offset()
            ),
            format!(
                "観測できたのは対象期間{all}日のうち{days}日、前の期間{}日のうち{previous_days}日です。",
                context.period.offset()
            ),
        ),
    ];
    if days < all {
        summary.push(Text::new(
            "Days on which no sensor was observing, or of which no flows came, are gaps in the figures.",
            "センサーが稼働していなかった日や、フローデータが得られなかった日は、図では空白としています。",
        ));
    }
    if observed.left_out > 0 {
        summary.push(Text::new(
            format!(
                "{} days of sensors that were up for less than {percent} of them are left out.",
                observed.left_out
            ),
            format!(
                "稼働時間が1日の{percent}に満たないセンサーの観測(のべ{}日)は除いています。",
                observed.left_out
            ),
        ));
    }
    if observed.without_flows > 0 {
        let days = observed.without_flows;
        summary.push(Text::new(
            format!("On {days} days of sensors in the period only counters came, without flows: they are left out."),
            format!("対象期間のうちのべ{days}日は、計数のみでフローデータが得られなかったため除いています。"),
        ));
    }
    if observed.flow_packets_missing > 0 {
        let missing = super::numbers::written(observed.flow_packets_missing as f64);
        summary.push(Text::new(
            format!("{missing} observed packets of the period are in no flow that came, and so in no figure."),
            format!("対象期間に観測した{missing}パケットは、フローデータが得られなかったため、いずれの値にも含まれていません。"),
        ));
    }
    if let Some(numbers) = &observed.numbers {
        summary.push(Text::new(
            format!(
                "This report is of {} of the sensors. Source addresses are those that one of them saw; where shares of \
                 packets are told by source, they have what the other sensors saw of these, too.",
                numbers.len()
            ),
            format!(
                "本レポートは{}台のセンサーを対象としています。送信元IPアドレスはこれらのいずれかで観測されたものですが、\
                 送信元ごとのパケット数の割合には他のセンサーでの観測も含まれます。",
                numbers.len()
            ),
        ));
    }
    let needs_home =
        inputs.sections.wanted.iter().any(|wanted| matches!(wanted.kind, Kind::SignatureSplit(_)));
    if needs_home && inputs.home.is_empty() {
        summary.push(Text::new(
            "No region is configured to be home: home and abroad are not told apart.",
            "国内とする地域が設定されていないため、国内と国外を区別していません。",
        ));
    }
    if has_windows(inputs) {
        summary.push(Text::new(
            "Packets with a watched window, and those without it, are of the sensors that watched it on that day, all of \
             them together, divided by the time that they watched it. Days on which none did, or of which nothing tells, \
             are gaps.",
            "ウィンドウサイズ別のパケット数は、その日に該当するウィンドウサイズを記録していたセンサーの合計を、\
             記録していた時間の合計で割った値です。記録していなかった日や、記録の有無が分からない日は空白としています。",
        ));
    }
    let facts = json!({
        "days": all,
        "observed_days": days,
        "previous_days": context.period.offset(),
        "previous_observed_days": previous_days,
        "sensors": observed.sensors.len(),
        "sensor_days_left_out": observed.left_out,
        "sensor_days_without_flows": observed.without_flows,
        "flow_packets_missing": observed.flow_packets_missing,
        "home": inputs.home.iter().map(|home| region_code(*home)).collect::<Vec<_>>(),
        "regions_versions": context.counts.regions_versions,
    });
    let title = Text::new("About these figures", "集計方法について");
    super::section::section(title, summary, Vec::new(), facts)
}

fn has_windows(inputs: &Inputs<'_>) -> bool {
    inputs.sections.wanted.iter().any(|wanted| match &wanted.kind {
        Kind::SignatureSplit(settings) => {
            let mut marks = std::iter::once(&settings.signature).chain(&settings.without);
            marks.any(|mark| matches!(mark, super::mark::Mark::Window(_)))
        }
        _ => false,
    })
}

/// Tables and lists that the figures were told by.
#[must_use]
pub fn sources(context: &Context<'_>, inputs: &Inputs<'_>) -> Vec<Text> {
    let versions: Vec<String> =
        context.counts.regions_versions.iter().filter(|version| **version > 0).map(u32::to_string).collect();
    let mut sources = Vec::new();
    if context.counts.regions_versions.contains(&0) {
        sources.push(Text::new(
            "Regions: of some or all packets no table told the region",
            "送信元地域: 一部またはすべてのパケットについて、地域を判定する表がありませんでした",
        ));
    }
    if !versions.is_empty() {
        let versions = versions.join(", ");
        sources.push(Text::new(
            format!("Regions: statistics of the five regional Internet registries, version {versions}"),
            format!("送信元地域: 5つの地域インターネットレジストリの割り振り統計(版: {versions})"),
        ));
    }
    let groups: BTreeSet<&str> = inputs
        .sections
        .wanted
        .iter()
        .filter_map(|wanted| match &wanted.kind {
            Kind::GroupShare(settings) => Some(&*settings.group),
            Kind::GroupOverlap(settings) => Some(&*settings.group),
            _ => None,
        })
        .collect();
    for group in groups {
        sources
            .push(Text::new(format!("List of addresses: {group}"), format!("IPアドレスのリスト: {group}")));
    }
    for wanted in &inputs.sections.wanted {
        if let Kind::OutsideSeries(settings) = &wanted.kind {
            let name = settings.name.text();
            // Where it lies is nobody's business but the analyst's.
            let file = settings.file.file_name().unwrap_or_default().to_string_lossy();
            sources.push(Text::new(
                format!("Outside series: {} ({file})", name.en),
                format!("外部データ: {}({file})", name.ja),
            ));
        }
    }
    sources
}
