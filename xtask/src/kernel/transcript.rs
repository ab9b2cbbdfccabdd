//! What a machine says of its steps, line by line.

use super::steps::{IMPOSSIBLE, Step, Wants};

/// One step, as it ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub name: String,
    /// 0 where all went well; 137 where it took too long and was killed.
    pub code: i32,
    pub seconds: f64,
    pub tests: Tests,
    /// What it printed.
    pub output: Vec<String>,
}

/// By the test harness's own count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tests {
    pub passed: u32,
    pub failed: u32,
}

/// What has been heard so far.
#[derive(Debug, Default)]
pub struct Transcript {
    /// The kernel's release, by its own word.
    pub release: Option<String>,
    pub outcomes: Vec<Outcome>,
    /// Files that the steps have left, as `base64` wrote them.
    pub results: String,
    begun: Option<(String, Vec<String>)>,
    is_in_results: bool,
}

impl Transcript {
    /// Takes in a line, and says whether it was the last.
    pub fn hear(&mut self, line: &str) -> bool {
        let Some(words) = line.strip_prefix("@apus ") else {
            if self.is_in_results {
                self.results.push_str(line);
                self.results.push('\n');
            } else if let Some((_, output)) = &mut self.begun {
                output.push(line.to_owned());
            }
            return false;
        };
        let words: Vec<_> = words.split_whitespace().collect();
        match words.as_slice() {
            ["up", release] => self.release = Some((*release).to_owned()),
            ["begin", name] => self.begun = Some(((*name).to_owned(), Vec::new())),
            ["end", name, code, before, after] => self.end(name, code, before, after),
            ["results"] => self.is_in_results = true,
            ["end-of-results"] => self.is_in_results = false,
            ["done"] => return true,
            // Of no step, and so nothing that could pass for one that went well.
            _ => {}
        }
        false
    }

    /// Whether files come, which are no words for people.
    pub const fn is_in_results(&self) -> bool {
        self.is_in_results
    }

    /// The step that was under way when the machine fell silent, and what it had printed.
    pub fn unfinished(&self) -> Option<(&str, &[String])> {
        self.begun.as_ref().map(|(name, output)| (name.as_str(), output.as_slice()))
    }

    fn end(&mut self, name: &str, code: &str, before: &str, after: &str) {
        let (begun, output) = self.begun.take().unwrap_or_default();
        let number = |text: &str| text.parse::<f64>().unwrap_or(0.0);
        self.outcomes.push(Outcome {
            // A code that is no number, or an end of what never began, is not well.
            code: code.parse().ok().filter(|_| begun == name).unwrap_or(-1),
            name: name.to_owned(),
            seconds: number(after) - number(before),
            tests: output.iter().map(String::as_str).fold(Tests::default(), Tests::add),
            output,
        });
    }
}

impl Tests {
    /// `test result: ok. 5 passed; 0 failed; 0 ignored; ...`
    fn add(self, line: &str) -> Self {
        let Some(result) = line.strip_prefix("test result: ") else { return self };
        let number = |what: &str| {
            let mut words = result.split([' ', ';']).filter(|word| !word.is_empty()).peekable();
            let mut found = 0;
            while let Some(word) = words.next() {
                if words.peek() == Some(&what) {
                    found = word.parse().unwrap_or(0);
                }
            }
            found
        };
        Self { passed: self.passed + number("passed"), failed: self.failed + number("failed") }
    }
}

impl Outcome {
    /// Whether it ended well by its own word.
    pub const fn is_well(&self) -> bool {
        self.code == 0
    }

    /// Whether it was not run for a good reason.
    pub const fn is_impossible(&self) -> bool {
        self.code == IMPOSSIBLE
    }

    /// Why it is no proof of what the step was for, whatever its code says.
    pub fn lacks(&self, step: &Step) -> Option<&'static str> {
        match step.wants {
            Wants::Impossible => (self.code != IMPOSSIBLE).then_some(
                "this kernel was said not to be able to do it, and did it: say so where it is registered",
            ),
            _ if self.is_impossible() => Some("this kernel has to be able to do it, and is not"),
            Wants::Tests if self.is_well() && self.tests.passed == 0 => Some("no test was run in it"),
            Wants::Tests | Wants::File => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(lines: &[&str]) -> (Transcript, bool) {
        let mut transcript = Transcript::default();
        let last = lines.iter().map(|line| transcript.hear(line)).last().unwrap_or(false);
        (transcript, last)
    }

    #[test]
    fn a_step_has_its_code_its_time_and_its_tests() {
        let (transcript, last) = heard(&[
            "@apus up 6.1.0-56-amd64",
            "@apus begin fixtures",
            "test one ... ok",
            "test result: FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 1 filtered out; finished in 1.2s",
            "@apus end fixtures 101 3.25 5.50",
            "@apus done",
        ]);
        assert!(last);
        assert_eq!(transcript.release.as_deref(), Some("6.1.0-56-amd64"));
        let [outcome] = transcript.outcomes.as_slice() else { panic!("{transcript:?}") };
        assert_eq!((outcome.code, outcome.seconds), (101, 2.25));
        assert_eq!(outcome.tests, Tests { passed: 12, failed: 3 });
        assert_eq!(outcome.output.len(), 2);
    }

    #[test]
    fn what_never_began_or_has_no_code_is_not_well() {
        for lines in [&["@apus end one 0 1 2"][..], &["@apus begin one", "@apus end one x 1 2"]] {
            let (transcript, _) = heard(lines);
            assert!(!transcript.outcomes[0].is_well(), "{lines:?}");
        }
    }

    #[test]
    fn a_step_in_which_nothing_was_tested_is_no_proof() {
        let step = |wants| Step { name: "one".into(), limit: 1, command: String::new(), wants };
        let ended = |code: &str, line: &str| {
            let (transcript, _) =
                heard(&["@apus begin one", line, &format!("@apus end one {code} 1 2"), "@apus done"]);
            transcript.outcomes[0].clone()
        };
        let passed = "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out";
        let empty = "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out";
        assert_eq!(ended("0", passed).lacks(&step(Wants::Tests)), None);
        assert!(ended("0", empty).lacks(&step(Wants::Tests)).is_some());
        assert!(ended("0", "").lacks(&step(Wants::Tests)).is_some());
        assert_eq!(ended("0", "").lacks(&step(Wants::File)), None);
        assert!(ended("4", "").lacks(&step(Wants::Tests)).is_some());
        assert_eq!(ended("4", "").lacks(&step(Wants::Impossible)), None);
        assert!(ended("0", passed).lacks(&step(Wants::Impossible)).is_some());
    }

    #[test]
    fn a_step_without_an_end_is_unfinished() {
        let (transcript, last) = heard(&["@apus begin one", "half a word"]);
        assert!(!last);
        assert_eq!(transcript.unfinished(), Some(("one", &["half a word".to_owned()][..])));
        assert_eq!(transcript.outcomes, []);
    }

    #[test]
    fn results_are_kept_apart_from_words() {
        let (transcript, _) = heard(&["@apus results", "QUJD", "REVG", "@apus end-of-results", "words"]);
        assert_eq!(transcript.results, "QUJD\nREVG\n");
    }
}
