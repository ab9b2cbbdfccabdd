//! A report, put together of what the store answers.

use std::collections::BTreeSet;
use std::thread;

use super::counting::ports::{Cube, PortCounts};
use super::counting::sources::SourceCounter;
use super::counting::{ports, sources};
use super::model::{Block, FORMAT, Report, Section};
use super::observed::{Observed, ObservedError};
use super::period::ReportPeriod;
use super::section::backscatter::Backscatter;
use super::section::group_overlap::GroupOverlap;
use super::section::group_share::GroupShare;
use super::section::growth::Growth;
use super::section::outside_series::{OutsideSeries, SeriesError};
use super::section::port_by_region::PortByRegion;
use super::section::region_days::RegionDays;
use super::section::signature_split::SignatureSplit;
use super::section::sources::Sources;
use super::section::{Context, Counting, ranking};
use super::sections::{Kind, Sections, Wanted};
use super::{about, title};
use crate::groups::{Group, Groups};
use crate::services::Services;
use crate::store::{Reader, StoreError};

/// What a report is made of, besides the store.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    pub period: ReportPeriod,
    /// Names of sensors, or none: all of them.
    pub sensors: &'a [String],
    pub sections: &'a Sections,
    pub services: &'a Services,
    pub groups: &'a Groups,
    /// Regions that are home.
    pub home: &'a [[u8; 2]],
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error(transparent)]
    Observed(#[from] ObservedError),
    #[error(
        "the section at line {line}: no group is called {name:?}; groups are in the configuration: {known}"
    )]
    Group { line: usize, name: String, known: String },
    #[error("the section at line {line}: {source}")]
    Series { line: usize, source: SeriesError },
    #[error("two sections have the id {0:?}")]
    SameId(String),
    #[error("counting the sources has crashed: this is a bug")]
    Crashed,
    #[error(
        "the store was written to whenever it was looked at, so that no moment of it could be told: try again"
    )]
    Restless,
}

impl From<StoreError> for BuildError {
    fn from(error: StoreError) -> Self {
        Self::Observed(error.into())
    }
}

/// How often readers are asked for the same moment: between two commits there is time for all of them.
const ATTEMPTS: usize = 100;

/// Makes a report, of the store as it is at one moment. The others are readers of the same store, which read its sources
/// side by side.
///
/// # Errors
/// Where the store cannot be read, or what a section names is not there.
pub fn build(
    reader: &dyn Reader,
    others: Vec<Box<dyn Reader>>,
    inputs: &Inputs<'_>,
) -> Result<Report, BuildError> {
    stay(reader, &others)?;
    let report = build_of_moment(reader, others, inputs);
    reader.go_on()?;
    report
}

/// Has all readers stay at the same moment.
fn stay(reader: &dyn Reader, others: &[Box<dyn Reader>]) -> Result<(), BuildError> {
    for _ in 0..ATTEMPTS {
        let moment = reader.stay()?;
        let mut is_same = true;
        for other in others {
            is_same &= other.stay()? == moment;
        }
        if is_same {
            return Ok(());
        }
    }
    Err(BuildError::Restless)
}

fn build_of_moment(
    reader: &dyn Reader,
    others: Vec<Box<dyn Reader>>,
    inputs: &Inputs<'_>,
) -> Result<Report, BuildError> {
    let Inputs { period, sensors, sections, services, groups: _, home: _ } = *inputs;
    let observed = Observed::read(reader, period, sensors)?;
    let mut counting = sections
        .wanted
        .iter()
        .map(|wanted| begin(wanted, inputs, &observed))
        .collect::<Result<Vec<_>, _>>()?;
    let (counts, days) = count(reader, others, inputs, &observed, &mut counting)?;
    let context = Context { period: &period, observed: &observed, counts: &counts, services };
    let mut all = vec![
        with_id("ports", ranking::ports(&context, sections.top, &days)),
        with_id("regions", ranking::regions(&context, sections.top)),
    ];
    for (counting, wanted) in counting.iter_mut().zip(&sections.wanted) {
        all.push(wanted_section(counting.finish(&context), wanted, &all)?);
    }
    all.push(with_id("about", about::section(&context, inputs)));
    number(&mut all);
    Ok(Report {
        format: FORMAT,
        title: title::title(&period),
        period: period.span(),
        previous: period.previous_span(),
        sensors: observed.sensors.clone(),
        sections: all,
        sources: about::sources(&context, inputs),
    })
}

/// Has everything counted that sections ask for; and the days of the destinations of table 1, which are known once all
/// have been counted.
fn count(
    reader: &dyn Reader,
    others: Vec<Box<dyn Reader>>,
    inputs: &Inputs<'_>,
    observed: &Observed,
    counting: &mut [Box<dyn Counting + '_>],
) -> Result<(PortCounts, Vec<Vec<f64>>), BuildError> {
    let Inputs { period, sections, services, .. } = inputs;
    let mut cubes: Vec<&mut Cube> = Vec::new();
    let mut counters: Vec<&mut dyn SourceCounter> = Vec::new();
    for section in counting {
        let parts = section.parts();
        cubes.extend(parts.cubes);
        counters.extend(parts.counters);
    }
    thread::scope(|scope| {
        let of_sources = scope.spawn(move || sources::count(others, period, observed, &mut counters));
        let mut of_ports = || {
            let counts = ports::count(reader, period, observed, &mut cubes)?;
            let top = {
                let context = Context { period, observed, counts: &counts, services };
                ranking::top_destinations(&context, sections.top)
            };
            let days = ports::days_of(reader, period, observed, &top)?;
            Ok((counts, days))
        };
        let counted: Result<_, StoreError> = of_ports();
        of_sources.join().map_err(|_| BuildError::Crashed)??;
        Ok(counted?)
    })
}

fn begin<'a>(
    wanted: &'a Wanted,
    inputs: &Inputs<'a>,
    observed: &Observed,
) -> Result<Box<dyn Counting + 'a>, BuildError> {
    let Inputs { period, sections, groups, home, .. } = *inputs;
    let line = wanted.line;
    let group = |name: &str| -> Result<&'a Group, BuildError> {
        groups.get(name).ok_or_else(|| {
            let known: Vec<&str> = groups.names().collect();
            let known = if known.is_empty() { "there are none".into() } else { known.join(", ") };
            BuildError::Group { line, name: name.into(), known }
        })
    };
    Ok(match &wanted.kind {
        Kind::PortByRegion(settings) => Box::new(PortByRegion::new(settings, &period)),
        Kind::SignatureSplit(settings) => Box::new(SignatureSplit::new(settings, &period, observed, home)),
        Kind::Backscatter(settings) => Box::new(Backscatter::new(settings, &period)),
        Kind::RegionDays(settings) => Box::new(RegionDays(settings.clone())),
        Kind::GroupShare(settings) => Box::new(GroupShare::new(settings, &period, group(&settings.group)?)),
        Kind::GroupOverlap(settings) => Box::new(GroupOverlap::new(settings, group(&settings.group)?)),
        Kind::Growth(settings) => Box::new(Growth::new(settings, &period)),
        Kind::Sources(settings) => Box::new(Sources::new(settings, &period)),
        Kind::OutsideSeries(settings) => Box::new(
            OutsideSeries::new(settings, &period, &sections.folder)
                .map_err(|source| BuildError::Series { line, source })?,
        ),
    })
}

fn with_id(id: impl Into<String>, section: Section) -> Section {
    Section { id: id.into(), ..section }
}

/// A section as its analyst wants it: id, title, and words.
fn wanted_section(mut section: Section, wanted: &Wanted, others: &[Section]) -> Result<Section, BuildError> {
    let taken: BTreeSet<&str> = others.iter().map(|other| &*other.id).chain(["about"]).collect();
    section.id = match &wanted.id {
        Some(id) if taken.contains(&**id) => return Err(BuildError::SameId(id.clone())),
        Some(id) => id.clone(),
        None => {
            let id = wanted.kind.id();
            let more = (2_u32..).map(|number| format!("{id}-{number}"));
            std::iter::once(id.clone()).chain(more).find(|id| !taken.contains(&**id)).unwrap_or(id)
        }
    };
    if let Some(title) = &wanted.title {
        section.title = title.clone();
    }
    section.summary.extend(wanted.note.clone());
    Ok(section)
}

/// Gives what sections show its ids: by kind, numbered in the order of the report.
fn number(sections: &mut [Section]) {
    let (mut figures, mut tables) = (0, 0);
    for section in sections {
        for block in &mut section.blocks {
            let (id, kind, number) = match block {
                Block::Figure(figure) => (&mut figure.id, "figure", &mut figures),
                Block::Matrix(matrix) => (&mut matrix.id, "figure", &mut figures),
                Block::Table(table) => (&mut table.id, "table", &mut tables),
            };
            *number += 1;
            *id = format!("{}-{kind}-{number}", section.id);
        }
    }
}

#[cfg(test)]
mod tests;
