//! What is run inside, in which order, and how long each may take.

use std::path::Path;

use super::distributions::{Interpreter, Support};

/// A test program, as a file of `tests/` is named.
#[derive(Debug)]
pub struct Test {
    pub name: &'static str,
    /// Names of tests that take a program which is not there; they run locally.
    pub skips: &'static [&'static str],
    /// Whether it runs on kernels below the floor, too.
    pub below_floor: bool,
}

impl Test {
    const fn new(name: &'static str) -> Self {
        Self { name, skips: &[], below_floor: false }
    }

    const fn without(self, skips: &'static [&'static str]) -> Self {
        Self { skips, ..self }
    }
}

/// In the order in which they run: the kernel's part by itself first.
pub const TESTS: &[Test] = &[
    Test { below_floor: true, ..Test::new(FLOOR) },
    Test::new("names"),
    Test::new("fixtures"),
    Test::new("captures"),
    Test::new("observed"),
    Test::new("slots"),
    Test::new("digests"),
    Test::new("check"),
    Test::new("capabilities"),
    // Inside, `sleep` is the shell's own.
    Test::new("namespace").without(&["a_namespace_is_deleted_with_the_processes_in_it"]),
    Test::new("pinning"),
    Test::new("generator"),
    Test::new("counting"),
    Test::new("flows"),
    // The files are read by tshark.
    Test::new("evidence").without(&[
        "the_files_hold_every_mirai_packet_and_no_other",
        "limits_hold_and_a_killed_agent_leaves_a_readable_file",
    ]),
    Test::new("cuts"),
];

/// One line of what the machine does: a name, a limit in seconds, and a command for its shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub name: String,
    pub limit: u32,
    pub command: String,
    pub wants: Wants,
}

/// What has to have come of a step besides its code of 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// One test at least that has passed.
    Tests,
    /// A file, which is judged outside.
    File,
    /// [`IMPOSSIBLE`] in the place of 0: this kernel cannot do it.
    Impossible,
}

/// With this a step says that the kernel cannot be brought into the state that it is about.
pub const IMPOSSIBLE: i32 = 4;

/// Seconds that a step may take in an emulated machine on a busy host: several times what the slowest takes on an idle
/// one, so that only what hangs is ended.
const LIMIT: u32 = 300;
/// The step about what the kernel lacks, which is run on those that lack too much, too.
pub const FLOOR: &str = "floor";
/// The captures that the oracle judges, below the workspace.
pub const CAPTURES: &str = "tests/captures";
/// The step in which the sensor replays them, for the oracle outside.
pub const ORACLE: &str = "oracle";
/// The step that measures the verifier.
pub const VERIFIER: &str = "verifier";

/// What is run on a kernel of which this is expected; only steps that are named, where any are.
pub fn steps(support: Support, named: &[String], workspace: &Path) -> Vec<Step> {
    let is_named = |step: &Step| named.is_empty() || named.contains(&step.name);
    let runs = support != Support::Refused;
    let tests = TESTS.iter().filter(|test| runs || test.below_floor).map(of_test);
    let captures = quoted(&workspace.join(CAPTURES).to_string_lossy());
    let interpreted = match support {
        Support::Runs { interpreter: Interpreter::Absent, .. } => Wants::Impossible,
        _ => Wants::Tests,
    };
    let supported = [
        Step::new(ORACLE, &format!("/apus/replay.sh {captures}"), Wants::File),
        Step::new("without-jit", "/apus/without-jit.sh", interpreted),
        Step::new("without-btf", "/apus/without-btf.sh", Wants::Tests),
        Step::new(
            VERIFIER,
            "mkdir -p /tmp/results && /apus/bin/apus-verifier >/tmp/results/verifier.json",
            Wants::File,
        ),
    ];
    let supported = supported.into_iter().filter(|_| runs);
    tests.chain(supported).filter(is_named).collect()
}

/// As one word for a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Names that no step has.
pub fn unknown(named: &[String]) -> Vec<&str> {
    let all = steps(Support::Unknown, &[], Path::new("/"));
    let is_known = |name: &&String| all.iter().any(|step| step.name == **name);
    named.iter().filter(|name| !is_known(name)).map(String::as_str).collect()
}

fn of_test(test: &Test) -> Step {
    let mut command = format!("/apus/bin/{}", test.name);
    command.extend(test.skips.iter().map(|name| format!(" --skip {name}")));
    Step::new(test.name, &command, Wants::Tests)
}

impl Step {
    fn new(name: &str, command: &str, wants: Wants) -> Self {
        Self { name: name.to_owned(), limit: LIMIT, command: command.to_owned(), wants }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_below_the_floor_runs_only_what_is_about_it() {
        let names = |support| {
            let steps = steps(support, &[], Path::new("/apus"));
            steps.into_iter().map(|step| step.name).collect::<Vec<_>>()
        };
        assert_eq!(names(Support::Refused), ["floor"]);
        assert!(names(Support::Unknown).contains(&ORACLE.to_owned()));
    }

    #[test]
    fn a_name_that_no_step_has_is_found() {
        assert_eq!(unknown(&["fixtures".to_owned(), "oracle".to_owned(), "page".to_owned()]), ["page"]);
    }

    #[test]
    fn steps_that_are_named_are_all_there_are() {
        let steps = steps(Support::Unknown, &["fixtures".to_owned()], Path::new("/apus"));
        assert_eq!(steps, [Step::new("fixtures", "/apus/bin/fixtures", Wants::Tests)]);
    }

    #[test]
    fn only_a_kernel_that_cannot_interpret_may_say_so() {
        let wants = |interpreter| {
            let support = Support::Runs { fallbacks: "", interpreter };
            steps(support, &["without-jit".to_owned()], Path::new("/apus")).remove(0).wants
        };
        assert_eq!(wants(Interpreter::Present), Wants::Tests);
        assert_eq!(wants(Interpreter::Absent), Wants::Impossible);
    }

    #[test]
    fn a_path_is_one_word() {
        assert_eq!(quoted("/a b/it's"), r"'/a b/it'\''s'");
    }
}
