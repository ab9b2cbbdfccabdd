//! What an analyst has a report say besides its tables: a file of sections.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};

use super::section::{
    backscatter, group_overlap, group_share, growth, outside_series, port_by_region, ranking, region_days,
    signature_split, sources,
};
use crate::language::Text;
use crate::store::read_region;

/// Ranks of the tables that every report has, unless told.
const DEFAULT_TOP: usize = 5;

/// The sections of a report.
#[derive(Clone, Debug)]
pub struct Sections {
    /// Ranks of the tables that every report has.
    pub top: usize,
    /// Where files that sections name are looked for.
    pub folder: PathBuf,
    pub wanted: Vec<Wanted>,
}

impl Default for Sections {
    fn default() -> Self {
        Self { top: DEFAULT_TOP, folder: PathBuf::new(), wanted: Vec::new() }
    }
}

/// A section that is wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The line that it begins at.
    pub line: usize,
    pub id: Option<String>,
    pub title: Option<Text>,
    /// The analyst's own words.
    pub note: Option<Text>,
    pub kind: Kind,
}

/// A kind of section, and what it is of.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    PortByRegion(port_by_region::Settings),
    SignatureSplit(signature_split::Settings),
    Backscatter(backscatter::Settings),
    RegionDays(region_days::Settings),
    GroupShare(group_share::Settings),
    GroupOverlap(group_overlap::Settings),
    Growth(growth::Settings),
    Sources(sources::Settings),
    OutsideSeries(outside_series::Settings),
}

impl Kind {
    /// What an id begins with.
    #[must_use]
    pub fn id(&self) -> String {
        let of = |kind: &str, what: Option<String>| {
            what.map_or_else(|| kind.into(), |what| format!("{kind}-{what}"))
        };
        match self {
            Self::PortByRegion(settings) => of("port-by-region", Some(settings.port.id())),
            Self::SignatureSplit(settings) => {
                let mark = settings.signature.to_string().replace(':', "-");
                of("signature-split", Some(format!("{}-{mark}", settings.port.id())))
            }
            Self::Backscatter(_) => of("backscatter", None),
            Self::RegionDays(settings) => of("region-days", Some(settings.region.id())),
            Self::GroupShare(settings) => of("group-share", settings.region.map(Region::id)),
            Self::GroupOverlap(settings) => {
                of("group-overlap", settings.port.map(super::destination::Destination::id))
            }
            Self::Growth(settings) => of("growth", Some(settings.port.id())),
            Self::Sources(settings) => of("sources", Some(settings.port.id())),
            Self::OutsideSeries(settings) => {
                of("outside-series", settings.port.map(super::destination::Destination::id))
            }
        }
    }
}

/// A region, by its two letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region(pub [u8; 2]);

impl Region {
    #[must_use]
    pub fn id(self) -> String {
        super::section::region_code(self.0).to_ascii_lowercase()
    }
}

impl std::str::FromStr for Region {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        read_region(text)
            .map(Self)
            .ok_or_else(|| format!("\"{text}\" is not a region: write two letters such as JP"))
    }
}

impl<'de> Deserialize<'de> for Region {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Words in one language, which are then the same in all, or in each.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Words {
    One(String),
    Each(EachLanguage),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EachLanguage {
    en: String,
    ja: String,
}

impl Words {
    #[must_use]
    pub fn text(&self) -> Text {
        match self {
            Self::One(text) => Text::same(text.clone()),
            Self::Each(EachLanguage { en, ja }) => Text::new(en.clone(), ja.clone()),
        }
    }
}

/// Why sections cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum SectionsError {
    #[error("cannot read the sections {}: {source}", .path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{}, line {line}: {what}", .path.display())]
    Invalid { path: PathBuf, line: usize, what: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default = "default_top")]
    top: toml::Spanned<usize>,
    #[serde(default)]
    section: Vec<toml::Spanned<toml::Table>>,
}

fn default_top() -> toml::Spanned<usize> {
    toml::Spanned::new(0..0, DEFAULT_TOP)
}

impl Sections {
    /// Reads a file of sections.
    ///
    /// # Errors
    /// Where it cannot be read, or something in it cannot be followed, with its line.
    pub fn read(path: &Path) -> Result<Self, SectionsError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| SectionsError::Unreadable { path: path.into(), source })?;
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let (top, wanted) =
            parse(&text).map_err(|(line, what)| SectionsError::Invalid { path: path.into(), line, what })?;
        Ok(Self { top, folder, wanted })
    }
}

fn parse(text: &str) -> Result<(usize, Vec<Wanted>), (usize, String)> {
    let line = |place| files::configuration::line(text, place);
    let file: File = toml::from_str(text).map_err(|error| {
        let place = error.span().map_or(0, |span| span.start);
        (line(place), error.message().replace('\n', " "))
    })?;
    if !(1..=ranking::RANKS).contains(file.top.get_ref()) {
        return Err((line(file.top.span().start), format!("top is from 1 to {}", ranking::RANKS)));
    }
    let section = |section: toml::Spanned<toml::Table>| {
        let begin = line(section.span().start);
        one(section.into_inner(), begin).map_err(|what| (begin, what))
    };
    let wanted = file.section.into_iter().map(section).collect::<Result<_, _>>()?;
    Ok((file.top.into_inner(), wanted))
}

fn one(mut table: toml::Table, line: usize) -> Result<Wanted, String> {
    let words = |value: Option<toml::Value>, key: &str| -> Result<Option<Text>, String> {
        let read = |value: toml::Value| value.try_into::<Words>().map(|words| words.text());
        value.map(read).transpose().map_err(|_| {
            format!("{key} is text, or text in each language such as {{ en = \"...\", ja = \"...\" }}")
        })
    };
    let title = words(table.remove("title"), "title")?;
    let note = words(table.remove("note"), "note")?;
    let id = match table.remove("id") {
        None => None,
        Some(toml::Value::String(id)) if is_id(&id) && !is_reserved(&id) => Some(id),
        Some(toml::Value::String(id)) if is_reserved(&id) => {
            return Err(format!("id is \"{id}\", which has another meaning in a report: choose another"));
        }
        Some(id) => return Err(format!("id is {id}: it has to be of a to z, 0 to 9, and -")),
    };
    let kind =
        toml::Value::Table(table).try_into::<Kind>().map_err(|error| error.message().replace('\n', " "))?;
    check(&kind)?;
    Ok(Wanted { line, id, title, note, kind })
}

/// Whether it can be an anchor, and part of a file's name.
fn is_id(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// Whether a part of every report has it, or may be given it: its lists of sections and sources, its figures and tables.
fn is_reserved(id: &str) -> bool {
    let is_numbered = |mark: &str| {
        id.rsplit_once(mark)
            .is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    matches!(id, "sources" | "contents") || is_numbered("-figure-") || is_numbered("-table-")
}

fn check(kind: &Kind) -> Result<(), String> {
    match kind {
        Kind::RegionDays(settings) if !(settings.below > 0.0 && settings.below < 1.0) => {
            Err("below is a share of the median, between 0 and 1".into())
        }
        Kind::RegionDays(settings) if settings.days == 0 => Err("days is at least 1".into()),
        Kind::Backscatter(settings) if settings.victims > 1000 => Err("victims is at most 1000".into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_can_be_asked_for() {
        let text = r#"
            top = 10
            [[section]]
            kind = "port_by_region"
            port = "1433/tcp"
            title = { en = "SQL", ja = "SQLサーバー" }
            note = "as seen before"
            id = "sql"
            [[section]]
            kind = "signature_split"
            port = "23/tcp"
            signature = "window:5656"
            without = ["mirai"]
            only_with = true
            [[section]]
            kind = "backscatter"
            addresses = "whole"
            [[section]]
            kind = "region_days"
            region = "ir"
            [[section]]
            kind = "group_share"
            group = "scanners"
            region = "NL"
            [[section]]
            kind = "group_overlap"
            group = "visitors"
            [[section]]
            kind = "growth"
            port = "6379/tcp"
            [[section]]
            kind = "sources"
            port = "53/udp"
            [[section]]
            kind = "outside_series"
            file = "open.csv"
            name = "open resolvers"
            unit = { en = "hosts", ja = "台" }
            port = "icmp"
        "#;
        let (top, wanted) = parse(text).unwrap();
        assert_eq!((top, wanted.len()), (10, 9));
        let ids: Vec<String> = wanted.iter().map(|wanted| wanted.kind.id()).collect();
        let expected = [
            "port-by-region-1433-tcp",
            "signature-split-23-tcp-window-5656",
            "backscatter",
            "region-days-ir",
            "group-share-nl",
            "group-overlap",
            "growth-6379-tcp",
            "sources-53-udp",
            "outside-series-icmp",
        ];
        assert_eq!(ids, expected);
        assert_eq!(wanted[0].title, Some(Text::new("SQL", "SQLサーバー")));
        assert_eq!(wanted[0].note, Some(Text::same("as seen before")));
        assert_eq!((wanted[0].id.as_deref(), wanted[0].line), (Some("sql"), 3));
        assert_eq!(parse("").unwrap().0, 5);
    }

    #[test]
    fn what_cannot_be_followed_is_told_with_its_line() {
        for (text, line, words) in [
            ("top = 11", 1, "from 1 to 10"),
            ("\ntop = 0", 2, "from 1 to 10"),
            ("\n\ntops = 5", 3, "tops"),
            ("[[section]]\nkind = \"weather\"", 1, "weather"),
            ("\n[[section]]\nport = \"23/tcp\"", 2, "kind"),
            ("[[section]]\nkind = \"growth\"\n[[section]]\nkind = \"growth\"\nport = \"23\"", 1, "port"),
            ("\n\n[[section]]\nkind = \"growth\"\nport = \"23\"", 3, "\"23\""),
            ("[[section]]\nkind = \"growth\"\nport = \"23/tcp\"\nports = 1", 1, "ports"),
            ("[[section]]\nkind = \"backscatter\"\ntitle = { en = \"x\" }", 1, "title"),
            ("[[section]]\nkind = \"backscatter\"\nid = \"A\"", 1, "id is"),
            ("[[section]]\nkind = \"backscatter\"\nid = \"sources\"", 1, "another meaning"),
            ("[[section]]\nkind = \"backscatter\"\nid = \"contents\"", 1, "another meaning"),
            ("[[section]]\nkind = \"backscatter\"\nid = \"ports-figure-1\"", 1, "another meaning"),
            ("[[section]]\nkind = \"backscatter\"\nid = \"a-table-20\"", 1, "another meaning"),
            ("[[section]]\nkind = \"region_days\"\nregion = \"Japan\"", 1, "\"Japan\""),
            ("[[section]]\nkind = \"region_days\"\nregion = \"JP\"\nbelow = 1.5", 1, "below"),
            ("[[section]]\nkind = \"signature_split\"\nport = \"23/tcp\"\nsignature = \"x\"", 1, "\"x\""),
            ("top = ", 1, ""),
        ] {
            let (found, what) = parse(text).unwrap_err();
            assert!(found == line && what.contains(words), "{text}: line {found}: {what}");
        }
    }
}
