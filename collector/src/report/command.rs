//! `report`: a period's report as files.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread;

use files::part;

use super::build::{BuildError, Inputs, build};
use super::model::Report;
use super::observed::ObservedError;
use super::period::{PeriodError, Quarter, ReportPeriod};
use super::sections::{Sections, SectionsError};
use crate::config::ConfigError;
use crate::groups::{Groups, GroupsError};
use crate::language::Language;
use crate::services::{Services, ServicesError};
use crate::store::{Day, StoreArguments, StoreError};

/// Who may read a file: as the process's mask has it.
const MODE: u32 = 0o666;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Format {
    Html,
    Md,
    Json,
}

#[derive(Clone, Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("period").required(true).args(["quarter", "from"])))]
pub struct Arguments {
    #[command(flatten)]
    pub store: StoreArguments,
    /// A quarter, such as 2024Q2; it is compared with the one before.
    #[arg(long, value_name = "QUARTER")]
    pub quarter: Option<Quarter>,
    /// First day (2024-04-01), UTC; the period is compared with as many days before.
    #[arg(long, value_name = "DAY", requires = "to")]
    pub from: Option<Day>,
    /// First day after the period.
    #[arg(long, value_name = "DAY", requires = "from")]
    pub to: Option<Day>,
    /// A sensor that the report is of; may be repeated [default: all of them]
    #[arg(long, value_name = "NAME")]
    pub sensor: Vec<String>,
    #[arg(long, value_enum, default_value = "en")]
    pub lang: Language,
    /// May be repeated.
    #[arg(long, value_enum, default_value = "html")]
    pub format: Vec<Format>,
    /// File (TOML) of sections that the report has besides its tables of ports and regions.
    #[arg(long, value_name = "FILE")]
    pub sections: Option<PathBuf>,
    /// Folder that the files are written to, made where it is not there.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Replaces files that are there.
    #[arg(long)]
    pub force: bool,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Services(#[from] ServicesError),
    #[error(transparent)]
    Groups(#[from] GroupsError),
    #[error(transparent)]
    Period(#[from] PeriodError),
    #[error(transparent)]
    Sections(#[from] SectionsError),
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error("{} is there already: --force replaces it", .0.display())]
    Exists(PathBuf),
    #[error("cannot write {}: {source}", .path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot print: {0}")]
    Print(#[from] io::Error),
}

impl ReportError {
    /// Whether it is the command line, the configuration, or the file of sections that cannot be followed.
    #[must_use]
    pub const fn is_usage(&self) -> bool {
        match self {
            Self::Config(_) | Self::Services(_) | Self::Groups(_) | Self::Period(_) | Self::Sections(_) => {
                true
            }
            Self::Store(error) | Self::Build(BuildError::Observed(ObservedError::Store(error))) => {
                matches!(error, StoreError::Config(_))
            }
            Self::Build(error) => !matches!(error, BuildError::Crashed | BuildError::Restless),
            Self::Exists(_) | Self::Write { .. } | Self::Print(_) => false,
        }
    }
}

/// Makes the report, and writes its files.
///
/// # Errors
/// Where the store cannot be read, what is asked for cannot be followed, or a file cannot be written.
pub fn run(arguments: &Arguments, output: &mut impl Write) -> Result<(), ReportError> {
    let period = match (arguments.quarter, arguments.from, arguments.to) {
        (Some(quarter), ..) => ReportPeriod::of_quarter(quarter),
        (None, from, to) => ReportPeriod::of_days(from.unwrap_or_default(), to.unwrap_or_default())?,
    };
    let sections = arguments.sections.as_deref().map(Sections::read).transpose()?.unwrap_or_default();
    let mut formats = arguments.format.clone();
    formats.sort_unstable();
    formats.dedup();
    let paths: Vec<_> = formats
        .into_iter()
        .map(|format| (format, arguments.out.join(file_name(&period, arguments.lang, format))))
        .collect();
    // Before minutes of counting, not after.
    if let Some((_, path)) =
        paths.iter().find(|(_, path)| !arguments.force && path.symlink_metadata().is_ok())
    {
        return Err(ReportError::Exists(path.clone()));
    }
    let settings = arguments.store.flags.options()?.resolve()?;
    let (services, groups) = (Services::open(&settings)?, Groups::open(&settings)?);
    let inputs = Inputs {
        period,
        sensors: &arguments.sensor,
        sections: &sections,
        services: &services,
        groups: &groups,
        home: &settings.home,
    };
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let others = (0..cores).map(|_| arguments.store.reader()).collect::<Result<_, _>>()?;
    let report = build(&*arguments.store.reader()?, others, &inputs)?;
    std::fs::create_dir_all(&arguments.out)
        .map_err(|source| ReportError::Write { path: arguments.out.clone(), source })?;
    for (format, path) in paths {
        write(&path, rendered(&report, arguments.lang, format).as_bytes(), arguments.force)?;
        writeln!(output, "{}", path.display())?;
    }
    Ok(())
}

/// Such as `report-2024Q2.ja.html`. JSON is in all languages.
fn file_name(period: &ReportPeriod, language: Language, format: Format) -> String {
    let name = match period.quarter {
        Some(quarter) => quarter.to_string(),
        None => format!("{}-to-{}", period.from, period.to),
    };
    let code = language.code();
    match format {
        Format::Html => format!("report-{name}.{code}.html"),
        Format::Md => format!("report-{name}.{code}.md"),
        Format::Json => format!("report-{name}.json"),
    }
}

fn rendered(report: &Report, language: Language, format: Format) -> String {
    match format {
        Format::Html => crate::render::html(report, language),
        Format::Md => crate::render::markdown(report, language),
        Format::Json => crate::render::json(report),
    }
}

fn write(path: &Path, content: &[u8], force: bool) -> Result<(), ReportError> {
    let written =
        if force { part::replace(path, &[content], MODE) } else { part::write_new(path, &[content], MODE) };
    written.map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => ReportError::Exists(path.into()),
        _ => ReportError::Write { path: path.into(), source },
    })
}

#[cfg(test)]
mod tests;
