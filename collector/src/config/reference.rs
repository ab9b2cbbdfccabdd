//! What is known of ports, addresses and regions beside the traffic.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr as _;

use serde::{Deserialize, Deserializer};

use super::ConfigError;
use crate::regions::names::is_region;
use crate::services::{Service, parse_service};
use crate::store::{Day, read_region};

/// Table `services`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServiceOptions {
    pub file: Option<PathBuf>,
    pub names: Option<BTreeMap<String, String>>,
}

/// Names of ports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceSettings {
    /// The services file; absent where the system's own is used.
    pub file: Option<PathBuf>,
    /// The operator's own, which win over the file.
    pub names: BTreeMap<Service, String>,
}

impl ServiceOptions {
    /// These options, and those of `other` where these have none.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self { file: self.file.or(other.file), names: self.names.or(other.names) }
    }

    /// Checks the operator's own names.
    pub(super) fn resolve(self) -> Result<ServiceSettings, ConfigError> {
        let names = self.names.unwrap_or_default().into_iter().map(|(service, name)| {
            let named = parse_service(&service).filter(|_| is_name(&name));
            named.map(|number| (number, name)).ok_or(ConfigError::Service(service))
        });
        Ok(ServiceSettings { file: self.file, names: names.collect::<Result<_, _>>()? })
    }
}

fn is_name(name: &str) -> bool {
    !name.trim().is_empty() && !name.chars().any(char::is_control)
}

/// One group in table `groups`: a file, or several, each with the day from which it is in force.
#[derive(Clone, Debug)]
pub struct GroupOptions(Vec<GroupFile>);

/// A list of addresses of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupFile {
    pub file: PathBuf,
    /// First day on which it is in force, the first of all where none is told.
    pub from: Day,
}

impl<'de> Deserialize<'de> for GroupOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Dated {
            file: PathBuf,
            from: Option<String>,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            File(PathBuf),
            Files(Vec<Dated>),
        }
        let refuse = serde::de::Error::custom::<String>;
        let written = Written::deserialize(deserializer).map_err(|_| {
            refuse(
                "a group is a file (\"scanners.txt\"), or a list of files, each with the day from which it is in \
                 force ({ file = \"scanners.txt\", from = \"2024-01-01\" })"
                    .into(),
            )
        })?;
        let dated = match written {
            Written::File(file) => vec![Dated { file, from: None }],
            Written::Files(files) => files,
        };
        let file = |Dated { file, from }| {
            let from = from.map_or(Ok(Day::default()), |from| {
                Day::from_str(&from).map_err(|why| refuse(format!("from = {from:?} is not a day: {why}")))
            });
            Ok(GroupFile { file, from: from? })
        };
        dated.into_iter().map(file).collect::<Result<_, _>>().map(Self)
    }
}

/// Groups of addresses, by name; each one's files from the newest to the oldest, no two from the same day.
pub type GroupSettings = BTreeMap<String, Vec<GroupFile>>;

/// Checks the groups.
pub(super) fn groups(options: BTreeMap<String, GroupOptions>) -> Result<GroupSettings, ConfigError> {
    let group = |(name, GroupOptions(mut files)): (String, GroupOptions)| {
        files.sort_by_key(|file| std::cmp::Reverse(file.from));
        if let Some(same) = files.windows(2).find(|pair| pair[0].from == pair[1].from) {
            let day = same[0].from;
            return Err(ConfigError::GroupDay { name, day });
        }
        if files.is_empty() || !is_name(&name) {
            return Err(ConfigError::Group(name));
        }
        Ok((name, files))
    };
    options.into_iter().map(group).collect()
}

/// Checks the regions that are home.
pub(super) fn home(codes: Vec<String>) -> Result<Vec<[u8; 2]>, ConfigError> {
    let region =
        |code: String| read_region(&code).filter(|region| is_region(*region)).ok_or(ConfigError::Home(code));
    let mut home: Vec<[u8; 2]> = Vec::new();
    for region in codes.into_iter().map(region) {
        let region = region?;
        if !home.contains(&region) {
            home.push(region);
        }
    }
    Ok(home)
}

#[cfg(test)]
mod tests {
    use super::super::{Options, Settings};
    use super::*;

    fn resolved(text: &str) -> Result<Settings, String> {
        let options: Options = toml::from_str(text).map_err(|error| error.to_string())?;
        options.resolve().map_err(|error| error.to_string())
    }

    #[test]
    fn every_form_is_taken() {
        let settings = resolved(
            r#"
            home = ["jp", "JP", "KR"]
            [services]
            file = "services.csv"
            [services.names]
            "8728/tcp" = "MikroTik API"
            "53/UDP" = "DNS"
            [groups]
            visitors = "visitors.txt"
            [[groups.survey-scanners]]
            file = "old.txt"
            [[groups.survey-scanners]]
            file = "new.txt"
            from = "2024-01-01"
            "#,
        )
        .unwrap();
        assert_eq!(settings.home, [*b"JP", *b"KR"]);
        assert_eq!(settings.services.file, Some("services.csv".into()));
        let names: Vec<_> = settings.services.names.into_iter().collect();
        assert_eq!(names, [((6, 8728), "MikroTik API".into()), ((17, 53), "DNS".into())]);
        let file = |file: &str, from| GroupFile { file: file.into(), from: Day(from) };
        assert_eq!(settings.groups["visitors"], [file("visitors.txt", 0)]);
        assert_eq!(settings.groups["survey-scanners"], [file("new.txt", 19_723), file("old.txt", 0)]);
        let nothing = resolved("").unwrap();
        assert_eq!((nothing.home.len(), nothing.groups.len()), (0, 0));
        assert_eq!(nothing.services, ServiceSettings::default());
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (text, words) in [
            ("home = [\"QQ\"]", "\"QQ\""),
            ("home = [\"Japan\"]", "\"Japan\""),
            ("home = \"JP\"", "sequence"),
            ("services.names = { \"tcp/23\" = \"telnet\" }", "\"tcp/23\""),
            ("services.names = { \"65536/tcp\" = \"x\" }", "\"65536/tcp\""),
            ("services.names = { \"23/tcp\" = \" \" }", "\"23/tcp\""),
            ("services.path = \"x\"", "path"),
            ("groups.a = 1", "a group is a file"),
            ("groups.a = []", "group \"a\""),
            ("groups.\" \" = \"x\"", "group \" \""),
            ("groups.a = [{ file = \"x\", from = \"2023-02-29\" }]", "not a day"),
            ("groups.a = [{ file = \"x\", since = \"2023-02-28\" }]", "a group is a file"),
            ("groups.a = [{ file = \"x\" }, { file = \"y\" }]", "1970-01-01"),
        ] {
            let error = resolved(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
