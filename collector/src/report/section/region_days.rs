//! `region_days`: a region's packets by day, and the days on which they were missing.

use serde::Deserialize;
use serde_json::json;

use super::{
    Context, Counting, date, nothing_observed, packets_unit, region_code, region_label, section, series,
};
use crate::language::Text;
use crate::report::counting::Parts;
use crate::report::model::{Section, Style};
use crate::report::numbers::{mean, outage, percent, rounded, written};
use crate::report::sections::Region;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub region: Region,
    /// Share of its median below which a day is low.
    #[serde(default = "default_below")]
    pub below: f64,
    /// Low days that make an outage.
    #[serde(default = "default_days")]
    pub days: usize,
}

const fn default_below() -> f64 {
    0.5
}

const fn default_days() -> usize {
    3
}

pub struct RegionDays(pub Settings);

impl Counting for RegionDays {
    fn parts(&mut self) -> Parts<'_> {
        // Every region is counted anyway.
        Parts::default()
    }

    fn finish(&mut self, context: &Context<'_>) -> Section {
        let Settings { region: Region(region), below, days } = self.0;
        let label = region_label(region);
        let title = Text::new(
            format!("Packets from {}", label.en),
            format!("送信元地域が{}のパケットの観測状況", label.ja),
        );
        if context.observed.days().0 == 0 {
            return section(title, vec![nothing_observed()], Vec::new(), json!({ "observed_days": 0 }));
        }
        let none = vec![0.0; context.period.all_days()];
        let values = context.current(context.counts.regions.get(&region).unwrap_or(&none));
        let found = outage(&values, below, days);
        let usual = mean(&values).unwrap_or(0.0);
        let mut summary = vec![Text::new(
            format!("{} packets came from {} per sensor per day.", written(usual), label.en),
            format!(
                "{}を送信元とするパケットは、センサー1台あたり1日平均{}パケットでした。",
                label.ja,
                written(usual)
            ),
        )];
        let mut facts = json!({
            "region": region_code(region),
            "packets_per_sensor_per_day": rounded(usual),
            "first_day": null, "last_day": null, "low_days": 0, "usual": null, "low": null, "drop": null,
        });
        match found {
            None => summary.push(Text::new(
                format!(
                    "On no {days} days in a row were there less than {} of what was usual.",
                    percent(below)
                ),
                format!("通常の{}を下回る日が{days}日以上続くことはありませんでした。", percent(below)),
            )),
            Some(found) => {
                let drop = if found.usual > 0.0 { 1.0 - found.mean / found.usual } else { 0.0 };
                let (first, last) = (context.day(found.first), context.day(found.last));
                facts["first_day"] = json!(first.to_string());
                facts["last_day"] = json!(last.to_string());
                facts["low_days"] = json!(found.days);
                facts["usual"] = json!(rounded(found.usual));
                facts["low"] = json!(rounded(found.mean));
                facts["drop"] = json!(rounded(drop));
                let (first, last) = (date(first), date(last));
                summary.push(Text::new(
                    format!(
                        "From {} to {} they fell by {}: from a median of {} to {} on average.",
                        first.en,
                        last.en,
                        percent(drop),
                        written(found.usual),
                        written(found.mean)
                    ),
                    format!(
                        "{}から{}にかけて、通常の中央値{}パケットから平均{}パケットへと{}減少しました。",
                        first.ja,
                        last.ja,
                        written(found.usual),
                        written(found.mean),
                        percent(drop)
                    ),
                ));
            }
        }
        let line = series(region_code(region).to_ascii_lowercase(), label.clone(), values);
        let figure_title = Text::new(
            format!("Packets from {} by day", label.en),
            format!("送信元地域が{}のパケット観測数の推移", label.ja),
        );
        let figure = context.figure(figure_title, Style::Lines, packets_unit(), vec![line]);
        section(title, summary, vec![figure], facts)
    }
}
