//! One line of the result.

use serde::Serialize;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Pass,
    /// The sensor counts, but less well than it could, or something could not be found out.
    Warn,
    /// The sensor does not run until this is remedied.
    Fail,
}

impl Status {
    /// Its word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// What was looked at, how it came out, what was found, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    pub check: &'static str,
    /// The interface that it is about; none where it is about the host.
    pub interface: Option<String>,
    pub status: Status,
    pub found: String,
    /// Always there where something fails.
    pub remedy: Option<String>,
}

impl Line {
    #[must_use]
    pub fn pass(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, interface: None, status: Status::Pass, found: found.into(), remedy: None }
    }

    #[must_use]
    pub fn warn(check: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { status: Status::Warn, remedy: Some(remedy.into()), ..Self::pass(check, found) }
    }

    #[must_use]
    pub fn fail(check: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { status: Status::Fail, remedy: Some(remedy.into()), ..Self::pass(check, found) }
    }

    /// The same about an interface.
    #[must_use]
    pub fn on(self, interface: &str) -> Self {
        Self { interface: Some(interface.into()), ..self }
    }

    /// What it is about, in words.
    #[must_use]
    pub fn subject(&self) -> String {
        match &self.interface {
            Some(interface) => format!("{interface}: {}", self.check),
            None => self.check.into(),
        }
    }
}

/// What to do where this process may not ask the kernel.
pub const PERMISSION: &str = crate::privileges::NEEDED;
