//! The page's own words, in each language.

use crate::language::Language;
use crate::store::Facet;

use super::look::Period;
use super::topics;

/// The same words in each language.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    en: &'static str,
    ja: &'static str,
}

impl Word {
    pub const fn of(self, language: Language) -> &'static str {
        match language {
            Language::English => self.en,
            Language::Japanese => self.ja,
        }
    }
}

macro_rules! words {
    ($($name:ident: $en:literal, $ja:literal;)+) => {
        $(pub const $name: Word = Word { en: $en, ja: $ja };)+
        #[cfg(test)]
        const ALL: &[Word] = &[$($name),+];
    };
}

words! {
    TITLE: "Apus network telescope", "Apus ネットワーク観測";
    SKIP: "Skip to the figures", "図へ移動";
    PERIODS: "Period", "期間";
    LANGUAGES: "Language", "言語";
    DAY: "24 hours", "24時間";
    WEEK: "7 days", "7日間";
    QUARTER: "90 days", "90日間";
    LOG_OUT: "Log out", "ログアウト";
    LOG_IN: "Log in", "ログイン";
    NAME: "Name", "ユーザー名";
    PASSWORD: "Password", "パスワード";
    WRONG: "Name or password is wrong.", "ユーザー名またはパスワードが違います。";
    TOO_MANY: "Too many attempts: wait a minute, then try again.", "試行回数が多すぎます。1分ほど待ってから再度お試しください。";
    CHOSEN: "Only", "絞り込み";
    EVERYTHING: "All packets of all sensors.", "すべてのセンサーの全パケット。";
    REMOVE: "show all again", "解除";
    NOW: "Now", "現在";
    PACKETS: "Packets", "パケット数";
    BYTES: "Bytes", "バイト数";
    SHARE: "Share", "割合";
    RANK: "Rank", "順位";
    SOURCES: "Source addresses", "送信元アドレス";
    SOURCES_TITLE: "Source addresses", "送信元アドレス数";
    SOURCE: "Source address", "送信元アドレス";
    SENSOR: "Sensor", "センサー";
    STATE: "State", "状態";
    LAST_SEEN: "Last seen", "最終観測";
    FIRST_SEEN: "First seen", "最初の観測";
    RATE: "Packets per second", "毎秒パケット数";
    OBSERVED: "Observed", "観測率";
    GAPS: "Gaps", "欠測";
    NO_GAPS: "none", "なし";
    MORE_GAPS: "and more", "ほか";
    REPORTING: "Reporting", "稼働中";
    SILENT: "SILENT", "応答なし";
    SILENT_FOR: "for", "経過";
    HEALTH: "Sensors", "センサーの稼働状況";
    PORTS: "Ports and types", "宛先ポート・種別";
    PORT: "Port or type", "ポート・種別";
    SERVICE_NAME: "Registered name", "登録名";
    NAME_NOTE: "A registered name does not mean that the traffic speaks it. Of backscatter, the port is the source's: the service that answers.",
        "登録名は、通信の内容がそのサービスであることを意味しません。バックスキャッターでは送信元ポート（応答したサービス）です。";
    REGIONS: "Source regions", "送信元地域";
    REGION: "Region", "地域";
    UNKNOWN_REGION: "unknown", "不明";
    CLASSES: "Traffic classes", "トラフィック種別";
    CLASS: "Class", "種別";
    SIGNATURES: "Signatures", "シグネチャ";
    SIGNATURE: "Signature", "シグネチャ";
    NO_SIGNATURE: "none", "なし";
    BY_SENSOR: "Packets by sensor", "センサー別パケット数";
    TIME: "Time (UTC)", "時刻 (UTC)";
    DAY_COLUMN: "Day (UTC)", "日付 (UTC)";
    NOT_OBSERVED: "not observed", "観測なし";
    NO_HOURS: "no sums by hour before {day}", "{day}より前の1時間ごとの集計はありません";
    NO_FLOWS: "counted, but in no flow", "計数のみ（フロー情報なし）";
    BESIDE_FLOWS: "Packets that are in no flow, and so in none of these figures", "フロー情報がなく、ここに含まれないパケット";
    WHOLE_DAYS: "Sources are summed up by day: these were seen in the last 24 hours, and their packets are those of the whole days (UTC).",
        "送信元は日単位（UTC）で集計されています。直近24時間に観測された送信元を、該当する日全体のパケット数で示します。";
    NOT_ANEW: "This could not be worked out anew; shown is what was known before:", "再集計できなかったため、以前の結果を表示しています：";
    TABLE: "Table", "表";
    CSV: "CSV", "CSV";
    SQL: "SQL", "SQL";
    ASK: "Paste it into: apus-collector sql \"…\"", "apus-collector sql \"…\" に貼り付けて実行できます";
    WORKING: "Being worked out; it appears here by itself.", "集計中です。終わりしだい表示されます。";
    FAILED: "This cannot be answered now:", "現在回答できません：";
    NOTHING: "No packets.", "パケットはありません。";
    NOBODY: "No sensor was observing in this time.", "この期間に観測していたセンサーはありません。";
    NO_SENSORS: "No sensor has sent anything yet.", "まだどのセンサーからもデータが届いていません。";
    AS_OF: "As of", "集計時刻";
    LAST_IS_SHORT: "The last point is of an hour or day that is not over.", "最後の点は、まだ終わっていない時間・日のものです。";
    PER_HOUR: "packets per hour", "パケット／時";
    PER_DAY: "packets per day", "パケット／日";
    SOURCES_PER_DAY: "source addresses per day", "送信元アドレス数／日";
    ALL_SENSORS: "Counted over all sensors.", "全センサーでの集計です。";
    SOURCE_LIST: "Sources with the most packets", "パケット数の多い送信元";
    PORTS_COLUMN: "Ports", "ポート数";
    UPDATES: "This page updates itself every 10 seconds. Times are UTC.", "このページは10秒ごとに自動更新されます。時刻はUTCです。";
    UPTIME_STRIP: "Up-time", "稼働時間";
    STRIP_FULL: "observed", "観測";
    IN_ALL: "In all", "合計";
    OF: "of", "／";
    ERROR_TITLE: "This cannot be shown", "表示できません";
    BACK: "To the first page", "最初のページへ";
    RANKING_FILE: "ranking", "順位";
    COURSE_FILE: "over time", "推移";
    UPTIME_FILE: "up-time", "稼働時間";
    SENSORS_FILE: "last intervals", "最終インターバル";
    BESIDE_FILE: "in no flow", "フロー情報なし";
    HOURS_FILE: "first day by hour", "1時間ごとの集計の開始日";
    COUNT_FILE: "in all", "合計";
    BY_DAY_FILE: "by day", "日別";
    LIST_FILE: "sources", "送信元";
    SCROLLS: "scrolls sideways", "横にスクロールできます";
}

pub const fn period(period: Period) -> Word {
    match period {
        Period::Day => DAY,
        Period::Week => WEEK,
        Period::Quarter => QUARTER,
    }
}

pub const fn facet_title(facet: Facet) -> Word {
    match facet {
        Facet::Service => PORTS,
        Facet::Region => REGIONS,
        Facet::Class => CLASSES,
        Facet::Signatures => SIGNATURES,
        Facet::Sensor => BY_SENSOR,
    }
}

/// What a question's file is called.
pub fn file(id: &str) -> Word {
    match id {
        topics::RANKING => RANKING_FILE,
        topics::COURSE => COURSE_FILE,
        topics::UPTIME => UPTIME_FILE,
        topics::SENSORS => SENSORS_FILE,
        topics::BESIDE_FLOWS => BESIDE_FILE,
        topics::HOURS_FROM => HOURS_FILE,
        topics::COUNT => COUNT_FILE,
        topics::BY_DAY => BY_DAY_FILE,
        _ => LIST_FILE,
    }
}

pub const fn facet_column(facet: Facet) -> Word {
    match facet {
        Facet::Service => PORT,
        Facet::Region => REGION,
        Facet::Class => CLASS,
        Facet::Signatures => SIGNATURE,
        Facet::Sensor => SENSOR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_in_every_language() {
        for word in ALL {
            for language in Language::ALL {
                assert!(!word.of(language).is_empty(), "{word:?}");
            }
        }
    }
}
