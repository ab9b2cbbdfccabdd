//! The operator's groups of addresses: known scanners, the visitors of a honeypot.
//!
//! A group is one file or several, each in force from a day on, so that an old report is made again with the list of
//! its time.

mod list;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use crate::config::{GroupFile, Settings};
use crate::store::Day;

pub use list::List;

/// Why there are no groups.
#[derive(Debug, thiserror::Error)]
pub enum GroupsError {
    #[error("group {group:?}: cannot read {}: {source}", .path.display())]
    Unreadable { group: String, path: PathBuf, source: std::io::Error },
    #[error("group {group:?}: {}, line {line}: {what}", .path.display())]
    Invalid { group: String, path: PathBuf, line: usize, what: String },
}

/// All groups, by their names.
#[derive(Clone, Debug, Default)]
pub struct Groups(BTreeMap<String, Group>);

/// Addresses that belong together, by day.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// With the first day on which each is in force; the newest is the first.
    lists: Vec<(Day, List)>,
}

impl Groups {
    /// Reads the files of all groups that are configured.
    ///
    /// # Errors
    /// Where a file cannot be read, or has a line that is no address and no prefix.
    pub fn open(settings: &Settings) -> Result<Self, GroupsError> {
        let read = |(name, files): (&String, &Vec<GroupFile>)| {
            let lists = files.iter().map(|file| Ok((file.from, read(name, file)?)));
            Ok((name.clone(), Group { lists: lists.collect::<Result<_, _>>()? }))
        };
        settings.groups.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Group> {
        self.0.get(name)
    }

    /// The names of all groups, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl Group {
    /// Whether an address belongs to it by the list that is in force on a day: the newest from that day or before.
    #[must_use]
    pub fn contains(&self, address: IpAddr, day: Day) -> bool {
        self.on(day).is_some_and(|list| list.contains(address))
    }

    /// The list that is in force on a day, if one is.
    #[must_use]
    pub fn on(&self, day: Day) -> Option<&List> {
        self.lists.iter().find(|(from, _)| *from <= day).map(|(_, list)| list)
    }
}

fn read(group: &str, GroupFile { file, from: _ }: &GroupFile) -> Result<List, GroupsError> {
    let content = std::fs::read(file).map_err(|source| GroupsError::Unreadable {
        group: group.into(),
        path: file.clone(),
        source,
    })?;
    List::parse(&content).map_err(|(line, what)| GroupsError::Invalid {
        group: group.into(),
        path: file.clone(),
        line,
        what,
    })
}

#[cfg(test)]
mod tests;
