//! One command, kept as data: what is run and what a person is told to run cannot differ.

use std::fmt;
use std::process::Command;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    pub environment: Vec<(&'static str, &'static str)>,
    pub program: &'static str,
    pub arguments: Vec<String>,
    pub root: bool,
}

impl CommandLine {
    pub fn new(program: &'static str, arguments: &[&str]) -> Self {
        Self {
            environment: Vec::new(),
            program,
            arguments: arguments.iter().map(|&word| word.to_owned()).collect(),
            root: false,
        }
    }

    pub fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.environment.push((name, value));
        self
    }

    pub fn by_root(mut self) -> Self {
        self.root = true;
        self
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(self.program);
        command.args(&self.arguments).envs(self.environment.iter().copied());
        command
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, output: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.environment {
            write!(output, "{name}={value} ")?;
        }
        output.write_str(self.program)?;
        self.arguments.iter().try_for_each(|word| write!(output, " {}", quoted(word)))
    }
}

/// A word as a shell takes it. No word used here has a quote in it.
fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_=+.,:/@%".contains(letter);
    if word.chars().all(is_plain) { word.to_owned() } else { format!("'{word}'") }
}
