//! `apus-collector`, the collector. This file alone decides exit codes.

use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use collector::backup::BackupError;
use collector::cli::{Command, CommandLine};
use collector::config::ConfigError;
use collector::export::ExportError;
use collector::import::ImportError;
use collector::regions::RegionsError;
use collector::sensors::SensorsError;
use collector::serve::ServeError;
use collector::sql::SqlError;
use collector::store::StoreError;
use collector::stored::{Known, OpenError, Opening, Patient, Serving};
use collector::validate::Validator;
use collector::verify::VerifyError;
use collector::web::user::{self, UserError};
use collector::{
    backup, detect, export, import, notify, pki, regions, report, sensors, serve, sql, stored, verify,
};
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;

/// It could not be done: what stands in the way is in the message.
const FAILED: u8 = 1;
/// The command line or the configuration cannot be followed. clap uses the same.
const USAGE: u8 = 2;
/// An input could not be taken in whole; what could be was.
const INCOMPLETE_INPUT: u8 = 3;
/// Something in the store is not what it must be.
const CONSERVATION: u8 = 4;

fn main() -> ExitCode {
    collector::logs::start();
    let command = CommandLine::parse().command;
    let mut output = io::BufWriter::new(io::stdout().lock());
    let code = run_command(&command, &mut output);
    match output.flush() {
        // Where something else went wrong, that has been told.
        Err(error) if code == ExitCode::SUCCESS => {
            eprintln!("apus-collector: cannot write to the standard output: {error}");
            ExitCode::from(FAILED)
        }
        _ => code,
    }
}

/// Why batches are not taken in.
#[derive(Debug, thiserror::Error)]
enum IntakeCommandError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Store(#[from] OpenError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error("the thread that writes the store has crashed, see above; what it had not stored comes again")]
    Crashed,
}

fn run_command(command: &Command, output: &mut impl io::Write) -> ExitCode {
    let store = |error: &StoreError| if matches!(error, StoreError::Config(_)) { USAGE } else { FAILED };
    let usage = |is_usage: bool| if is_usage { USAGE } else { FAILED };
    match command {
        Command::Serve(arguments) => finish(serve_batches(arguments), intake_code),
        Command::Import(arguments) => finish(import_files(arguments, output), intake_code),
        Command::Pki(arguments) => finish(pki::run(arguments, output), |_| FAILED),
        Command::Page(arguments) => finish(user::run(arguments, output), |error| match error {
            UserError::Config(_) | UserError::NoFile => USAGE,
            _ => FAILED,
        }),
        Command::Regions(arguments) => {
            finish(regions::command::run(arguments, output), |error| match error {
                RegionsError::Config(_) => USAGE,
                RegionsError::Incomplete { .. } => INCOMPLETE_INPUT,
                _ => FAILED,
            })
        }
        Command::Sensors(arguments) => finish(sensors::run(arguments, output), |error| match error {
            SensorsError::Store(error) => store(error),
            SensorsError::Print(_) => FAILED,
        }),
        Command::Report(arguments) => finish(report::run(arguments, output), |error| usage(error.is_usage())),
        Command::Notify(arguments) => finish(notify::run(arguments, output), |error| usage(error.is_usage())),
        Command::Detect(arguments) => finish(detect::run(arguments, output), |error| usage(error.is_usage())),
        Command::Sql(arguments) => finish(sql::run(arguments, output), |error| match error {
            SqlError::Store(StoreError::Question { .. }) => USAGE,
            SqlError::Store(error) => store(error),
            SqlError::Print(_) => FAILED,
        }),
        Command::Export(arguments) => finish(export::run(arguments, output), |error| match error {
            ExportError::Store(error) => store(error),
            ExportError::Period => USAGE,
            _ => FAILED,
        }),
        Command::Verify(arguments) => finish(verify::run(arguments, output), |error| match error {
            VerifyError::Breaches(_) => CONSERVATION,
            VerifyError::Store(error) => store(error),
            VerifyError::Print(_) => FAILED,
        }),
        Command::Backup(arguments) => finish(backup::run(arguments, output), |error| match error {
            BackupError::Store(error) => store(error),
            BackupError::Print(_) => FAILED,
        }),
    }
}

fn intake_code(error: &IntakeCommandError) -> u8 {
    match error {
        IntakeCommandError::Config(_) | IntakeCommandError::Serve(ServeError::Config(_)) => USAGE,
        IntakeCommandError::Import(ImportError::Incomplete { .. }) => INCOMPLETE_INPUT,
        _ => FAILED,
    }
}

fn serve_batches(arguments: &serve::Arguments) -> Result<(), IntakeCommandError> {
    let settings = arguments.settings()?;
    let _serving = Serving::take(&settings)?;
    let (committer, stored) = stored::open(&settings, Opening::Create, end_serving)?;
    let known = Known::open(&settings).map_err(OpenError::from)?;
    let served = serve::run(settings, Arc::new(stored), Arc::new(known));
    let has_crashed = !committer.is_running();
    // What has been handed in is stored, and answered where somebody still listens.
    committer.finish();
    served?;
    if has_crashed { Err(IntakeCommandError::Crashed) } else { Ok(()) }
}

/// Has this process end as on SIGTERM: whoever supervises it starts it again, where it would turn batches away forever.
fn end_serving() {
    log::error!("the thread that writes the store has crashed: this is a bug; the collector ends");
    if let Err(error) = signal::kill(Pid::this(), Signal::SIGTERM) {
        log::error!("cannot end in order ({error}), so at once: sensors send again what was not stored");
        std::process::exit(i32::from(FAILED));
    }
}

fn import_files(
    arguments: &import::Arguments,
    output: &mut impl io::Write,
) -> Result<(), IntakeCommandError> {
    let mut settings = arguments.settings()?;
    settings.store = settings.store.adding();
    let opening = if arguments.create { Opening::Create } else { Opening::Existing };
    let (committer, stored) = stored::open(&settings, opening, || ())?;
    let stored = Patient(stored);
    let known = Known::open(&settings).map_err(OpenError::from)?;
    let validator = Validator::new(settings.rules.clone(), Arc::new(known));
    let imported = import::run(&arguments.files, settings.limits.body_bytes, &validator, &stored, output);
    drop(stored);
    committer.finish();
    Ok(imported?)
}

/// Reports the error, with its causes, on one line, and gives its exit code.
fn finish<E: Error>(result: Result<(), E>, code: impl FnOnce(&E) -> u8) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("apus-collector: {}", collector::one_line(&error));
            ExitCode::from(code(&error))
        }
    }
}
