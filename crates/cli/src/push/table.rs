//! The table for people. Each row is written as soon as it is known, so a long run needs no memory.

use super::report::{Outcome, RowReport};
use crate::problem::Problem;
use crate::terminal::printable;
use console::Style;
use telecrm::Finding;
use telecrm::text::shown;

/// The widths of the columns, and whether the table has colours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table {
    identifier_width: usize,
    /// The width of the terminal. None keeps each note on one line.
    terminal_width: Option<usize>,
    has_colours: bool,
}

const ROW_WIDTH: usize = 5;
const OUTCOME_WIDTH: usize = 8;
const MIN_NOTES_WIDTH: usize = 30;

impl Table {
    pub(crate) fn new(
        identifier_width: usize,
        terminal_width: Option<usize>,
        has_colours: bool,
    ) -> Self {
        Self { identifier_width, terminal_width, has_colours }
    }

    pub(crate) fn header(self) -> String {
        let width = self.identifier_width;
        let line = format!(
            "{:>ROW_WIDTH$}  {:width$}  {:OUTCOME_WIDTH$}  notes",
            "row", "identifier", "outcome"
        );
        format!("{}\n", self.style(Style::new().bold()).apply_to(line))
    }

    pub(crate) fn row(self, report: &RowReport) -> String {
        let width = self.identifier_width;
        let identifier = printable(&shown(report.identifier.as_deref().unwrap_or("-")));
        let outcome = format!("{:OUTCOME_WIDTH$}", report.outcome.as_str());
        let outcome = self.style(colour_of(report.outcome)).apply_to(outcome);
        let start = format!("{:>ROW_WIDTH$}  {identifier:width$}  {outcome}", report.row);
        let indent = ROW_WIDTH + 2 + width + 2 + OUTCOME_WIDTH + 2;
        let notes_width = self
            .terminal_width
            .map_or(usize::MAX, |width| width.saturating_sub(indent).max(MIN_NOTES_WIDTH));
        let error = report.error.as_ref().filter(|error| !error.kind.is_said_by_a_finding());
        let notes = report.findings.iter().map(note);
        let notes = notes.chain(error.map(|error| error.problem.clone()));
        let lines: Vec<String> = notes.flat_map(|note| wrap(&note, notes_width)).collect();
        let notes = lines.join(&format!("\n{}", " ".repeat(indent)));
        format!("{}\n", format!("{start}  {notes}").trim_end())
    }

    fn style(self, style: Style) -> Style {
        style.force_styling(self.has_colours)
    }
}

fn colour_of(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Clean | Outcome::Stored => Style::new().green(),
        Outcome::Repaired => Style::new(),
        Outcome::Accepted | Outcome::Queued => Style::new(),
        Outcome::Lossy | Outcome::Differs | Outcome::Skipped | Outcome::Unknown => {
            Style::new().yellow()
        }
        Outcome::Missing | Outcome::Rejected | Outcome::Failed => Style::new().red(),
    }
}

/// Breaks a note into lines. Its hint and continued lines are indented.
fn wrap(note: &Problem, width: usize) -> Vec<String> {
    let wrap = |text: &str, first, next| -> Vec<String> {
        let options = textwrap::Options::new(width).initial_indent(first).subsequent_indent(next);
        let text = printable(text);
        let lines = textwrap::wrap(&text, options).into_iter();
        lines.map(|line| line.into_owned()).collect()
    };
    let mut lines = wrap(&note.message, "", "  ");
    if let Some(hint) = &note.hint {
        lines.extend(wrap(&format!("hint: {hint}"), "  ", "    "));
    }
    lines
}

/// What happened to a part of the row, and what to do about it.
fn note(finding: &Finding) -> Problem {
    Problem { message: finding.to_string(), hint: finding.hint() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::push::report::{ErrorKind, RowError};
    use telecrm::{Lead, Workspace};

    fn differing() -> RowReport {
        let lead = Lead::new()
            .set("phone", "+91 99999 00002")
            .set("rating", 9)
            .set("contact_source", "Billboard");
        RowReport {
            row: 2,
            line: 2,
            national_numbers: 0,
            identifier: Some("919999900002".into()),
            outcome: Outcome::Differs,
            findings: Workspace::sample().check(&lead).report().to_vec(),
            error: None,
        }
    }

    fn unreadable() -> RowReport {
        RowReport {
            row: 3,
            line: 3,
            national_numbers: 0,
            identifier: None,
            outcome: Outcome::Rejected,
            findings: Vec::new(),
            error: Some(RowError::new(
                ErrorKind::UnreadableRow,
                "line 4: invalid JSON at column 2",
            )),
        }
    }

    #[test]
    fn notes_name_losses_new_options_and_repairs() {
        let table = Table::new(12, None, false);
        let text = [table.header(), table.row(&differing()), table.row(&unreadable())].concat();
        insta::assert_snapshot!(text);
    }

    #[test]
    fn long_notes_stay_in_their_column() {
        let table = Table::new(12, Some(80), false);
        let text = table.row(&differing());
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn input_cannot_control_the_terminal() {
        let lead = Lead::new().set("phone", "919999900001").set("status", "\u{1b}[2J\u{7}");
        let mut report = differing();
        report.findings = Workspace::sample().check(&lead).report().to_vec();
        let text = Table::new(12, Some(80), false).row(&report);
        assert!(text.contains("[2J") && !text.contains(['\u{1b}', '\u{7}']), "{text:?}");
    }

    #[test]
    fn the_table_has_colours_only_on_request() {
        assert!(!Table::new(12, None, false).row(&unreadable()).contains('\u{1b}'));
        assert!(Table::new(12, None, true).row(&unreadable()).contains('\u{1b}'));
    }
}
