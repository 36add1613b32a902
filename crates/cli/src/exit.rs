//! Exit codes, and failures that end the command.

use crate::problem::Problem;
use std::process::ExitCode;

/// The exit codes of the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Success = 0,
    Failed = 1,
    Usage = 2,
    Loss = 3,
    NotAuthorized = 4,
    NotFound = 5,
    RateLimited = 6,
    Unknown = 7,
    Interrupted = 130,
    Terminated = 143,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Ends the command early: the problem for standard error, and the exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) problem: Problem,
}

impl Failure {
    pub(crate) fn new(exit: Exit, problem: impl Into<Problem>) -> Self {
        Self { exit, problem: problem.into() }
    }

    pub(crate) fn usage(problem: impl Into<Problem>) -> Self {
        Self::new(Exit::Usage, problem)
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { problem: self.problem.hint(hint), ..self }
    }
}

/// A problem of the input or the settings is a usage error.
impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::usage(problem)
    }
}
