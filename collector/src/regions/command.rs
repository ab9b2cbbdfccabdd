//! `regions`: takes in the registries' files, and tells regions.

mod lookup;

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Subcommand;

use super::import::{Checked, ImportError, import};
use super::index::{Index, IndexError, Version};
use super::update::{Fetcher, Origin, UpdateError};
use super::{FOLDER, Registry};
use crate::config::{ConfigError, StoreFlags};
use crate::store::Day;

/// Takes in the statistics of the regional Internet registries, by which addresses have regions
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: RegionsCommand,
}

#[derive(Clone, Debug, Subcommand)]
enum RegionsCommand {
    /// Takes in files that are here
    Import {
        #[command(flatten)]
        store: StoreFlags,
        /// First day on which they are in force [default: the newest file's own]
        #[arg(long, value_name = "DATE")]
        from: Option<Day>,
        /// Files in the registries' format (delegated or delegated-extended), one of each registry
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Gets the newest files of all registries and takes them in
    Update {
        #[command(flatten)]
        store: StoreFlags,
        /// Gets them from below this address, which may have {registry} in it, such as
        /// https://ftp.ripe.net/pub/stats/{registry}
        #[arg(long, value_name = "URL", conflicts_with = "from_folder")]
        from_mirror: Option<String>,
        /// Gets them from a folder, under the names that the registries give them
        #[arg(long, value_name = "FOLDER")]
        from_folder: Option<PathBuf>,
    },
    Lookup(lookup::Lookup),
    /// Tells which versions of the table there are
    List {
        #[command(flatten)]
        store: StoreFlags,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
}

/// Why a command about regions fails.
#[derive(Debug, thiserror::Error)]
pub enum RegionsError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    Update(#[from] UpdateError),
    #[error("{failed} of {registries} registries' files were not taken in, see above")]
    Incomplete { failed: usize, registries: usize },
    #[error("cannot print: {0}")]
    Print(#[from] io::Error),
}

/// Does it.
///
/// # Errors
/// Where it cannot be done, or not wholly.
pub fn run(arguments: &Arguments, output: &mut impl Write) -> Result<(), RegionsError> {
    let data = |flags: &StoreFlags| Ok::<_, ConfigError>(flags.options()?.resolve()?.data);
    match &arguments.command {
        RegionsCommand::Import { store, from, files } => {
            let data = data(store)?;
            let checked = files.iter().map(|path| Checked::read(path)).collect::<Result<Vec<_>, _>>()?;
            tell(&import(&data, &checked, *from)?.versions, output)
        }
        RegionsCommand::Update { store, from_mirror, from_folder } => {
            let origin = match (from_mirror, from_folder) {
                (Some(address), _) => Origin::Mirror(address.clone()),
                (_, Some(folder)) => Origin::Folder(folder.clone()),
                _ => Origin::Registries,
            };
            update(&data(store)?, origin, output)
        }
        RegionsCommand::Lookup(lookup) => lookup::run(lookup, &data(&lookup.store)?, output),
        RegionsCommand::List { store, json } => {
            let index = Index::read(&data(store)?.join(FOLDER))?;
            if *json {
                output.write_all(&index.to_json())?;
            } else if index.versions.is_empty() {
                writeln!(
                    output,
                    "no table yet: every region is ZZ; \"apus-collector regions update\" gets the files"
                )?;
            } else {
                index.versions.iter().try_for_each(|version| tell_one(version, output))?;
            }
            Ok(())
        }
    }
}

fn update(data: &std::path::Path, origin: Origin, output: &mut impl Write) -> Result<(), RegionsError> {
    let fetcher = Fetcher::new(origin.clone())?;
    let (mut checked, mut failed) = (Vec::new(), 0);
    for registry in Registry::ALL {
        writeln!(output, "{registry}: {}", origin.of(registry))?;
        // It may take a while.
        output.flush()?;
        match fetcher.fetch(registry) {
            Ok(file) => {
                let (records, date) = (file.statistics.records.len(), file.statistics.date);
                writeln!(output, "{registry}: {records} ranges, as of {date}")?;
                checked.push(file);
            }
            Err(error) => {
                failed += 1;
                writeln!(output, "{registry}: failed: {}", crate::one_line(&error))?;
            }
        }
    }
    if !checked.is_empty() {
        tell(&import(data, &checked, None)?.versions, output)?;
    }
    match failed {
        0 => Ok(()),
        _ => Err(RegionsError::Incomplete { failed, registries: Registry::ALL.len() }),
    }
}

fn tell(versions: &[Version], output: &mut impl Write) -> Result<(), RegionsError> {
    if versions.is_empty() {
        writeln!(output, "no new version: these files are in force already, or newer ones are")?;
    }
    Ok(versions.iter().try_for_each(|version| tell_one(version, output))?)
}

fn tell_one(Version { version, from, files, date: _ }: &Version, output: &mut impl Write) -> io::Result<()> {
    let files: Vec<_> = files.iter().map(|file| format!("{} {}", file.registry, file.date)).collect();
    writeln!(output, "version {version}, in force from {from}: {}", files.join(", "))
}
