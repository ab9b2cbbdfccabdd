//! The words that every report has.

use crate::language::Language;

/// Its fields are what they say in English.
pub struct Words {
    pub contents: &'static str,
    pub period: &'static str,
    pub compared_with: &'static str,
    pub sensors: &'static str,
    pub sensor: &'static str,
    pub observed_days: &'static str,
    pub observed_share: &'static str,
    pub previous_observed_days: &'static str,
    pub sensor_days: &'static str,
    pub sensors_note: &'static str,
    pub figure: &'static str,
    pub table: &'static str,
    /// Between `Figure` and its number.
    pub before_number: &'static str,
    /// Between a number and a title.
    pub colon: &'static str,
    /// Between one sentence and the next.
    pub between_sentences: &'static str,
    pub between_names: &'static str,
    pub values_of: &'static str,
    pub day: &'static str,
    pub not_observed: &'static str,
    pub nothing_observed: &'static str,
    pub nothing_to_list: &'static str,
    pub sources: &'static str,
    /// A port or region that was not among the ten first, as JPCERT/CC's reports have it.
    pub below_ten: &'static str,
    pub total: &'static str,
    pub right_axis: &'static str,
    pub weekly_means: &'static str,
    pub week_from: &'static str,
    pub series: &'static str,
    pub trend: &'static str,
    pub mean: &'static str,
    pub lowest: &'static str,
    pub highest: &'static str,
    pub row: &'static str,
    pub observed_total: &'static str,
    pub highest_day: &'static str,
}

impl Words {
    pub const fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &ENGLISH,
            Language::Japanese => &JAPANESE,
        }
    }
}

static ENGLISH: Words = Words {
    contents: "Contents",
    period: "Period",
    compared_with: "Compared with",
    sensors: "Sensors",
    sensor: "Sensor",
    observed_days: "Days observed",
    observed_share: "Share of the period",
    previous_observed_days: "In the previous period",
    sensor_days: "sensor-days observed",
    sensors_note: "Packets are counted per sensor and day, by the time that each sensor was observing. \
                   Days on which none was observing are gaps.",
    figure: "Figure",
    table: "Table",
    before_number: " ",
    colon: ": ",
    between_sentences: " ",
    between_names: ", ",
    values_of: "Values of ",
    day: "Day (UTC)",
    not_observed: "not observed",
    nothing_observed: "Nothing was observed in this period",
    nothing_to_list: "Nothing to list",
    sources: "Notes and sources",
    below_ten: "below 10",
    total: "Total",
    right_axis: " (right axis)",
    weekly_means: "Means of the days observed in each week (of seven days from the first day); – where none was.",
    week_from: "Week from",
    series: "Series",
    trend: "By week",
    mean: "Mean",
    lowest: "Lowest",
    highest: "Highest",
    row: "Row",
    observed_total: "Total",
    highest_day: "Highest day",
};

static JAPANESE: Words = Words {
    contents: "目次",
    period: "対象期間",
    compared_with: "比較期間",
    sensors: "センサー",
    sensor: "センサー",
    observed_days: "観測日数",
    observed_share: "期間に占める割合",
    previous_observed_days: "前期間の観測日数",
    sensor_days: "センサー日を観測",
    sensors_note: "パケット数は、各センサーが稼働していた時間で正規化した、1センサー1日あたりの値です。\
                   どのセンサーも観測していなかった日は空白で示します。",
    figure: "図",
    table: "表",
    before_number: "",
    colon: "：",
    between_sentences: "",
    between_names: "、",
    values_of: "数値：",
    day: "日付（UTC）",
    not_observed: "観測なし",
    nothing_observed: "この期間の観測はありません",
    nothing_to_list: "該当なし",
    sources: "注記と出典",
    below_ten: "TOP10外",
    total: "合計",
    right_axis: "（右軸）",
    weekly_means: "初日から7日ごとの、観測した日の平均。観測のない週は「–」。",
    week_from: "週の初日",
    series: "系列",
    trend: "週ごとの推移",
    mean: "平均",
    lowest: "最小",
    highest: "最大",
    row: "項目",
    observed_total: "合計",
    highest_day: "最大の日",
};
