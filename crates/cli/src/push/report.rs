//! What is said of each row, and what the whole run amounts to.

use crate::exit::Exit;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use telecrm::Finding;

/// What became of one row: a line of the JSON output.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct RowReport {
    /// Counts data rows from 1.
    pub(crate) row: u64,
    /// The lead identifier in its normal form, where it is known.
    pub(crate) identifier: Option<String>,
    pub(crate) outcome: Outcome,
    pub(crate) findings: Vec<Finding>,
    pub(crate) error: Option<RowError>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// Read back, and nothing is lost.
    Stored,
    /// Read back, and something is lost.
    Differs,
    /// No lead until the deadline.
    Missing,
    /// Sent, and not read back.
    Accepted,
    /// Perhaps sent, or not readable.
    Unknown,
    /// Not sent: `--on-finding`, or the run was stopped.
    Skipped,
    /// Not sent: unreadable, or nothing valid to send.
    Rejected,
    /// Not taken by the server, or not sent because of a fault.
    Failed,
}

impl Outcome {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Differs => "differs",
            Self::Missing => "missing",
            Self::Accepted => "accepted",
            Self::Unknown => "unknown",
            Self::Skipped => "skipped",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct RowError {
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
    /// Whether it says something of the server rather than of the row.
    #[serde(skip)]
    pub(crate) of_server: bool,
}

/// The values of `error.kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ErrorKind {
    /// The row is not a lead.
    UnreadableRow,
    /// telecrm would drop the lead as a whole.
    LeadDropped,
    /// The run ended before this row's turn.
    RunStopped,
    /// 401.
    NotAuthorized,
    /// 404.
    NotFound,
    /// 429.
    RateLimited,
    /// The server could not be reached; nothing was sent.
    Connect,
    /// No answer in time to a read.
    Timeout,
    /// The server may have acted.
    OutcomeUnknown,
    /// Another 4xx.
    Refused,
    /// A 5xx or a broken connection while reading.
    Server,
    /// No request could be made of it.
    InvalidRequest,
    /// The answer could not be understood.
    UnreadableAnswer,
    /// What telecrm shows of the lead is not enough to tell.
    NotReadable,
}

impl From<&telecrm::Error> for ErrorKind {
    fn from(error: &telecrm::Error) -> Self {
        if error.is_not_authorized() {
            Self::NotAuthorized
        } else if error.is_not_found() {
            Self::NotFound
        } else if error.is_rate_limited() {
            Self::RateLimited
        } else if error.is_outcome_unknown() {
            Self::OutcomeUnknown
        } else if error.is_connect() {
            Self::Connect
        } else if error.is_timeout() {
            Self::Timeout
        } else {
            match error.phase() {
                telecrm::Phase::NotBuilt => Self::InvalidRequest,
                telecrm::Phase::Unreadable => Self::UnreadableAnswer,
                _ if error.is_transient() => Self::Server,
                _ => Self::Refused,
            }
        }
    }
}

impl RowError {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            of_server: false,
        }
    }
}

impl From<&telecrm::Error> for RowError {
    fn from(error: &telecrm::Error) -> Self {
        let redirected = |status| (300..400).contains(&status);
        Self {
            of_server: error.is_transient()
                || error.phase() == telecrm::Phase::Unreadable
                || error.status_code().is_some_and(redirected),
            ..Self::new(error.into(), with_sources(error))
        }
    }
}

/// An error with its sources and without its hint.
pub(crate) fn with_sources(error: &telecrm::Error) -> String {
    let text = format!("{error:#}");
    match text.split_once("\n  hint: ") {
        Some((text, _)) => text.to_owned(),
        None => text,
    }
}

/// Whether anything is lost in the end: what was mended is not.
pub(crate) fn has_losses(findings: &[Finding]) -> bool {
    findings.iter().any(is_lost)
}

pub(crate) fn is_lost(finding: &Finding) -> bool {
    finding.is_loss() && !finding.repaired
}

/// The rows so far, counted.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    outcomes: BTreeMap<Outcome, u64>,
    errors: BTreeSet<ErrorKind>,
    losses: bool,
}

impl Tally {
    pub(crate) fn add(&mut self, report: &RowReport) {
        *self.outcomes.entry(report.outcome).or_default() += 1;
        self.errors
            .extend(report.error.as_ref().map(|error| error.kind));
        self.losses |= has_losses(&report.findings);
    }

    pub(crate) fn rows(&self) -> u64 {
        self.outcomes.values().sum()
    }

    fn count(&self, outcomes: &[Outcome]) -> u64 {
        outcomes
            .iter()
            .filter_map(|outcome| self.outcomes.get(outcome))
            .sum()
    }

    /// How many rows left this machine, or may have.
    pub(crate) fn sent(&self) -> u64 {
        use Outcome::{Accepted, Differs, Missing, Stored, Unknown};
        self.count(&[Stored, Differs, Missing, Accepted, Unknown])
    }

    pub(crate) fn exit(&self) -> Exit {
        let any = |outcome| self.count(&[outcome]) > 0;
        let error = |kind| self.errors.contains(&kind);
        if error(ErrorKind::NotAuthorized) {
            Exit::NotAuthorized
        } else if error(ErrorKind::NotFound) {
            Exit::NotFound
        } else if error(ErrorKind::RateLimited) {
            Exit::RateLimited
        } else if any(Outcome::Unknown) {
            Exit::Unknown
        } else if any(Outcome::Failed) || error(ErrorKind::UnreadableRow) {
            Exit::Failed
        } else if self.losses || any(Outcome::Missing) || any(Outcome::Skipped) {
            Exit::Loss
        } else {
            Exit::Success
        }
    }
}

/// `12 stored, 3 differs`.
impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, (outcome, count)) in self.outcomes.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{count} {}", outcome.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use telecrm::{Certainty, FieldPath, FindingKind};

    fn row(outcome: Outcome, kind: Option<ErrorKind>) -> RowReport {
        RowReport {
            row: 1,
            identifier: None,
            outcome,
            findings: Vec::new(),
            error: kind.map(|kind| RowError::new(kind, "m")),
        }
    }

    fn finding(kind: FindingKind, repaired: bool) -> Finding {
        let path = FieldPath::Field("rating".into());
        let mut finding = Finding::new(path, kind, Certainty::Documented, "r");
        finding.repaired = repaired;
        finding
    }

    fn exit(rows: &[RowReport]) -> Exit {
        let mut tally = Tally::default();
        rows.iter().for_each(|row| tally.add(row));
        tally.exit()
    }

    #[test]
    fn the_gravest_row_decides_the_exit_code() {
        // Each line is outranked by the one before it.
        let ladder = [
            (
                row(Outcome::Failed, Some(ErrorKind::NotAuthorized)),
                Exit::NotAuthorized,
            ),
            (
                row(Outcome::Failed, Some(ErrorKind::NotFound)),
                Exit::NotFound,
            ),
            (
                row(Outcome::Failed, Some(ErrorKind::RateLimited)),
                Exit::RateLimited,
            ),
            (
                row(Outcome::Unknown, Some(ErrorKind::OutcomeUnknown)),
                Exit::Unknown,
            ),
            (
                row(Outcome::Rejected, Some(ErrorKind::UnreadableRow)),
                Exit::Failed,
            ),
            (
                row(Outcome::Skipped, Some(ErrorKind::RunStopped)),
                Exit::Loss,
            ),
            (row(Outcome::Accepted, None), Exit::Success),
        ];
        for from in 0..ladder.len() {
            let rows: Vec<_> = ladder[from..].iter().map(|(row, _)| row.clone()).collect();
            assert_eq!(exit(&rows), ladder[from].1, "{:?}", rows[0]);
        }
    }

    #[test]
    fn only_unmended_losses_count() {
        for (kind, repaired, expected) in [
            (FindingKind::FieldDropped, false, Exit::Loss),
            (FindingKind::FieldDropped, true, Exit::Success),
            (FindingKind::OptionCreated, false, Exit::Success),
            (FindingKind::ValueChanged, false, Exit::Success),
        ] {
            let mut row = row(Outcome::Accepted, None);
            row.findings = vec![finding(kind, repaired)];
            assert_eq!(exit(&[row]), expected, "{kind:?} {repaired}");
        }
    }

    #[test]
    fn a_lead_with_nothing_valid_in_it_is_a_loss_and_not_a_failure() {
        let mut row = row(Outcome::Rejected, Some(ErrorKind::LeadDropped));
        row.findings = vec![finding(FindingKind::LeadDropped, false)];
        assert_eq!(exit(&[row]), Exit::Loss);
    }

    #[test]
    fn the_json_has_the_agreed_keys() {
        let mut row = row(Outcome::Differs, Some(ErrorKind::NotReadable));
        row.findings = vec![finding(FindingKind::FieldDropped, false)];
        insta::assert_snapshot!(serde_json::to_string(&row).expect("serialises"), @r#"{"row":1,"identifier":null,"outcome":"differs","findings":[{"path":"fields.rating","kind":"field_dropped","reason":"r","suggestion":null,"pitfall":null,"certainty":"documented","repaired":false}],"error":{"kind":"not_readable","message":"m"}}"#);
    }
}
