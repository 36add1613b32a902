//! Reports: the outcome of each row, and the tally that decides the exit code.

use super::reasons::Reasons;
use crate::exit::Exit;
use crate::problem::Problem;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use telecrm::Finding;

/// The report of one row: a line of the JSON output.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct RowReport {
    /// Counts data rows from 1.
    pub(crate) row: u64,
    /// The line of the input on which the row begins.
    pub(crate) line: u64,
    /// The lead identifier in its normal form, if it is known.
    pub(crate) identifier: Option<String>,
    pub(crate) outcome: Outcome,
    pub(crate) findings: Vec<Finding>,
    pub(crate) error: Option<RowError>,
    /// How many phone numbers have no country code, which the summary says once.
    #[serde(skip)]
    pub(crate) national_numbers: u64,
}

impl RowReport {
    /// The report of a row that is not sent.
    pub(crate) fn unsent(row: u64, line: u64, outcome: Outcome, error: RowError) -> Self {
        Self {
            row,
            line,
            identifier: None,
            outcome,
            findings: Vec::new(),
            error: Some(error),
            national_numbers: 0,
        }
    }

    /// The report of a row that cannot be read.
    pub(crate) fn unreadable(row: u64, line: u64, problem: Problem) -> Self {
        let error = RowError::new(ErrorKind::UnreadableRow, problem);
        Self::unsent(row, line, Outcome::Rejected, error)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// Checked; nothing would be lost.
    Clean,
    /// Checked; nothing would be lost, because a push repairs it.
    Repaired,
    /// Checked; something would be lost.
    Lossy,
    /// Read back; nothing is lost.
    Stored,
    /// Read back; something is lost.
    Differs,
    /// No such lead when the timeout ended.
    Missing,
    /// Sent, but not read back.
    Accepted,
    /// Kept in the outbox, not sent yet.
    Queued,
    /// Possibly sent, or not readable.
    Unknown,
    /// Not sent, because of `--on-finding` or because the run stopped.
    Skipped,
    /// Not sent: the row is unreadable, or nothing in it is valid.
    Rejected,
    /// Refused by the server, or not sent because of an error.
    Failed,
}

impl Outcome {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Repaired => "repaired",
            Self::Lossy => "lossy",
            Self::Stored => "stored",
            Self::Differs => "differs",
            Self::Missing => "missing",
            Self::Accepted => "accepted",
            Self::Queued => "queued",
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
    #[serde(flatten)]
    pub(crate) problem: Problem,
    /// Whether the server is at fault, so that other rows may fail in the same way.
    #[serde(skip)]
    pub(crate) is_server_fault: bool,
}

/// The values of `error.kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ErrorKind {
    /// The row is not a lead.
    UnreadableRow,
    /// telecrm would drop the whole lead.
    LeadDropped,
    /// The identifier is a placeholder, which makes different people one lead.
    PlaceholderIdentifier,
    /// An earlier row has the same lead.
    RepeatedLead,
    /// The outbox did not take the lead.
    NotQueued,
    /// The run ended before this row was sent.
    RunStopped,
    /// Status 401.
    NotAuthorized,
    /// Status 404.
    NotFound,
    /// Status 429.
    RateLimited,
    /// The server could not be reached, so nothing was sent.
    Connect,
    /// A read had no answer in time.
    Timeout,
    /// The server may have stored the row.
    OutcomeUnknown,
    /// Another status 4xx.
    Refused,
    /// A status 5xx, or a broken connection, of a read.
    Server,
    /// The client could not build a request.
    InvalidRequest,
    /// The client could not decode the answer.
    UnreadableAnswer,
    /// The lead could not be read back completely.
    NotReadable,
}

impl ErrorKind {
    /// Whether a finding already says why nothing of the lead is sent.
    pub(crate) fn is_said_by_a_finding(self) -> bool {
        matches!(self, Self::LeadDropped | Self::PlaceholderIdentifier)
    }
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
    pub(crate) fn new(kind: ErrorKind, problem: impl Into<Problem>) -> Self {
        Self { kind, problem: problem.into(), is_server_fault: false }
    }
}

impl From<&telecrm::Error> for RowError {
    fn from(error: &telecrm::Error) -> Self {
        let is_redirect = |status| (300..400).contains(&status);
        Self {
            is_server_fault: error.is_transient()
                || error.phase() == telecrm::Phase::Unreadable
                || error.status_code().is_some_and(is_redirect),
            ..Self::new(error.into(), error)
        }
    }
}

pub(crate) fn has_losses(findings: &[Finding]) -> bool {
    findings.iter().any(is_lost)
}

/// Whether the finding is a loss that the check did not repair.
pub(crate) fn is_lost(finding: &Finding) -> bool {
    finding.is_loss() && !finding.repaired
}

/// Counts the reported rows.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    outcomes: BTreeMap<Outcome, u64>,
    errors: BTreeSet<ErrorKind>,
    has_losses: bool,
    pub(crate) national_numbers: u64,
    pub(crate) reasons: Reasons,
}

impl Tally {
    pub(crate) fn add(&mut self, report: &RowReport) {
        *self.outcomes.entry(report.outcome).or_default() += 1;
        self.errors.extend(report.error.as_ref().map(|error| error.kind));
        self.has_losses |= has_losses(&report.findings);
        self.national_numbers += report.national_numbers;
        let is_said =
            |error: &&RowError| report.findings.is_empty() || !error.kind.is_said_by_a_finding();
        let error = report.error.as_ref().filter(is_said).map(|error| &error.problem);
        self.reasons.add(report.row, &report.findings, error);
    }

    pub(crate) fn rows(&self) -> u64 {
        self.outcomes.values().sum()
    }

    /// Number of rows that were checked, queued or sent, or may have been sent.
    pub(crate) fn processed(&self) -> u64 {
        use Outcome::{
            Accepted, Clean, Differs, Lossy, Missing, Queued, Repaired, Stored, Unknown,
        };
        let sent = [Clean, Repaired, Lossy, Stored, Differs, Missing, Accepted, Queued, Unknown];
        sent.iter().filter_map(|outcome| self.outcomes.get(outcome)).sum()
    }

    pub(crate) fn exit(&self) -> Exit {
        let any = |outcome| self.outcomes.contains_key(&outcome);
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
        } else if self.has_losses
            || error(ErrorKind::PlaceholderIdentifier)
            || error(ErrorKind::NotQueued)
            || any(Outcome::Missing)
            || any(Outcome::Skipped)
        {
            Exit::Loss
        } else {
            Exit::Success
        }
    }
}

/// Formats the counts: `12 stored, 3 differs`.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcomes = self.outcomes.iter();
        let counts: Vec<_> =
            outcomes.map(|(outcome, count)| format!("{count} {}", outcome.as_str())).collect();
        f.write_str(&counts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use telecrm::{Certainty, FieldPath, FindingKind};

    fn row(outcome: Outcome, kind: Option<ErrorKind>) -> RowReport {
        RowReport {
            row: 1,
            line: 2,
            identifier: None,
            outcome,
            findings: Vec::new(),
            national_numbers: 0,
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
    fn the_most_severe_row_decides_the_exit_code() {
        // Sorted by severity, the most severe row first.
        let rows_by_severity = [
            (row(Outcome::Failed, Some(ErrorKind::NotAuthorized)), Exit::NotAuthorized),
            (row(Outcome::Failed, Some(ErrorKind::NotFound)), Exit::NotFound),
            (row(Outcome::Failed, Some(ErrorKind::RateLimited)), Exit::RateLimited),
            (row(Outcome::Unknown, Some(ErrorKind::OutcomeUnknown)), Exit::Unknown),
            (row(Outcome::Rejected, Some(ErrorKind::UnreadableRow)), Exit::Failed),
            (row(Outcome::Skipped, Some(ErrorKind::RunStopped)), Exit::Loss),
            (row(Outcome::Accepted, None), Exit::Success),
        ];
        for from in 0..rows_by_severity.len() {
            let rows: Vec<_> =
                rows_by_severity[from..].iter().map(|(row, _)| row.clone()).collect();
            assert_eq!(exit(&rows), rows_by_severity[from].1, "{:?}", rows[0]);
        }
    }

    #[test]
    fn only_losses_without_a_repair_count() {
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
    fn a_lead_without_valid_parts_is_a_loss_and_not_a_failure() {
        let mut row = row(Outcome::Rejected, Some(ErrorKind::LeadDropped));
        row.findings = vec![finding(FindingKind::LeadDropped, false)];
        assert_eq!(exit(&[row]), Exit::Loss);
    }

    #[test]
    fn the_json_has_the_agreed_keys() {
        let mut row = row(Outcome::Differs, Some(ErrorKind::NotReadable));
        row.findings = vec![finding(FindingKind::FieldDropped, false)];
        insta::assert_snapshot!(serde_json::to_string(&row).expect("serialises"), @r#"{"row":1,"line":2,"identifier":null,"outcome":"differs","findings":[{"path":"fields.rating","kind":"field_dropped","reason":"r","suggestion":null,"pitfall":null,"certainty":"documented","repaired":false}],"error":{"kind":"not_readable","message":"m","hint":null}}"#);
    }
}
