//! `cargo xtask test`: every test there is.

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cargo::{self, Programs};
use crate::kernel;
use crate::setup;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Run the privileged tests in a virtual machine with this kernel: a file, or one that a distribution ships, as
    /// `debian:12`; may be repeated. What follows then names the steps to run
    #[arg(long = "kernel", value_name = "FILE|NAME")]
    kernels: Vec<kernel::Name>,
    /// Minutes that each kernel may take
    #[arg(long, value_name = "MINUTES", default_value_t = 30, requires = "kernels")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1440))]
    kernel_limit: u64,
    /// Arguments for `cargo test`, as in `cargo xtask test -- --package end-to-end some_name`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    forwarded: Vec<OsString>,
}

/// `--tests` is every library, program and test folder, and does not insist that a package has each.
/// `APUS_PRIVILEGED=required` in the environment, which the tests inherit, makes a privileged test
/// that cannot run fail rather than skip. `APUS_SENSOR`, `APUS_COLLECTOR` and `APUS_BENCH` are the programs that end-to-end tests
/// run.
/// The XDP programs themselves are binaries for another machine: the feature they require keeps cargo from building
/// them here.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let Arguments { kernels, kernel_limit, forwarded } = arguments;
    if !kernels.is_empty() {
        setup::ensure(setup::Purpose::Kernels)?;
        let steps: Vec<_> = forwarded.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let limit = Duration::from_mins(*kernel_limit);
        return kernel::test(&kernel::Order { kernels, steps: &steps, limit });
    }
    // Behind a name everything is cargo's.
    let misplaced = forwarded
        .iter()
        .take_while(|word| *word != "--")
        .find(|word| word.to_str().is_some_and(|word| word == "--kernel" || word.starts_with("--kernel=")));
    ensure!(
        misplaced.is_none(),
        "--kernel goes before the names of steps: cargo xtask test --kernel NAME STEP"
    );
    setup::ensure(setup::Purpose::Test)?;
    let [sensor, collector, bench] =
        cargo::programs("checked", ["apus-sensor", "apus-collector", "apus-bench"])?;
    let mut command = cargo::command();
    command.args(["test", "--profile", "checked", "--tests"]);
    Programs { sensor, collector }.tell(&mut command).env("APUS_BENCH", bench);
    if !names_packages(forwarded) {
        command.arg("--workspace");
    }
    command.args(forwarded);
    cargo::become_program(command)
}

/// `--workspace` would override a choice of packages.
fn names_packages(forwarded: &[OsString]) -> bool {
    let words = forwarded.iter().map(|word| word.to_string_lossy());
    words.take_while(|word| word != "--").any(|word| word.starts_with("-p") || word.starts_with("--package"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_choice_of_packages_before_the_harness_arguments_counts() {
        let chosen = |words: &[&str]| {
            let words: Vec<_> = words.iter().map(OsString::from).collect();
            names_packages(&words)
        };
        assert!(chosen(&["-p", "tests"]));
        assert!(chosen(&["some_name", "--package=tests"]));
        assert!(!chosen(&["some_name", "--", "-p"]));
        assert!(!chosen(&[]));
    }
}
