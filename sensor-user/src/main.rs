//! `apus-sensor`, the sensor agent. This file alone decides exit codes.

use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use sensor_user::attach::AttachError;
use sensor_user::check::CheckError;
use sensor_user::cli::{Command, CommandLine};
use sensor_user::detach::DetachError;
use sensor_user::drain::DrainError;
use sensor_user::flows::file::FlowsFileError;
use sensor_user::program::LoadError;
use sensor_user::replay::ReplayError;
use sensor_user::run::RunError;
use sensor_user::status::StatusError;
use sensor_user::top::TopError;
use sensor_user::{check, detach, names, replay, run, status, top};

/// It could not be done: what stands in the way is in the message.
const FAILED: u8 = 1;
/// The command line or the configuration cannot be followed. clap uses the same.
const USAGE: u8 = 2;
/// An input could not be read to its end; what could be was counted.
const INCOMPLETE_INPUT: u8 = 3;
/// Sums that must be equal were not.
const CONSERVATION: u8 = 4;
/// The kernel lacks what the sensor cannot do without.
const TOO_OLD: u8 = 5;

fn main() -> ExitCode {
    names::from_files_and_dns();
    let command = CommandLine::parse().command;
    let mut output = io::BufWriter::new(io::stdout().lock());
    let code = run_command(command, &mut output);
    match output.flush() {
        // Where something else went wrong, that has been told.
        Err(error) if code == ExitCode::SUCCESS => {
            eprintln!("apus-sensor: cannot write to the standard output: {error}");
            ExitCode::from(FAILED)
        }
        _ => code,
    }
}

fn run_command(command: Command, output: &mut impl io::Write) -> ExitCode {
    match command {
        Command::Run(arguments) => finish(run::run(&arguments, output), |error| match error {
            RunError::Config(_)
            | RunError::Attach(AttachError::NoInterface)
            | RunError::Drain(DrainError::Absent(_)) => USAGE,
            RunError::Conservation(_) | RunError::Shrunk { .. } => CONSERVATION,
            RunError::Attach(AttachError::Load(LoadError::TooOld(_))) => TOO_OLD,
            _ => FAILED,
        }),
        Command::Status(arguments) => finish(status::run(&arguments, output), |error| match error {
            StatusError::Config(_) => USAGE,
            _ => FAILED,
        }),
        Command::Top(arguments) => finish(top::run(&arguments), |error| match error {
            TopError::Config(_) => USAGE,
            TopError::Shrunk { .. } => CONSERVATION,
            _ => FAILED,
        }),
        Command::Detach(arguments) => finish(detach::run(&arguments, output), |error| match error {
            DetachError::Config(_) => USAGE,
            _ => FAILED,
        }),
        Command::Check(arguments) => match check::run(&arguments, output) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::from(FAILED),
            Err(error) => finish(Err(error), |error| match error {
                CheckError::Config(_) => USAGE,
                _ => FAILED,
            }),
        },
        Command::Replay(arguments) => finish(replay::run(&arguments, output), |error| match error {
            ReplayError::Config(_) | ReplayError::Flows(FlowsFileError::Format(_)) => USAGE,
            ReplayError::Captures(..) => INCOMPLETE_INPUT,
            ReplayError::Conservation(_) | ReplayError::Missing(_) | ReplayError::Shrunk => CONSERVATION,
            ReplayError::Load(LoadError::TooOld(_)) => TOO_OLD,
            _ => FAILED,
        }),
    }
}

/// Reports the error, with its causes, on one line, and gives its exit code.
fn finish<E: Error>(result: Result<(), E>, code: impl FnOnce(&E) -> u8) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("apus-sensor: {}", sensor_user::one_line(&error));
            ExitCode::from(code(&error))
        }
    }
}
