//! The rows for people: a table that is written as it goes, so that a long run needs no memory.

use super::report::{ErrorKind, Outcome, RowReport};
use crate::terminal::printable;
use console::Style;
use telecrm::Finding;

/// How wide things are, and whether they are coloured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table {
    identifier: usize,
    /// The width of the terminal; lines are not broken without one.
    width: Option<usize>,
    colour: bool,
}

const ROW: usize = 5;
const OUTCOME: usize = 8;
/// Reasons need some room, even on a narrow terminal.
const NARROWEST: usize = 30;

impl Table {
    pub(crate) fn new(identifier: usize, width: Option<usize>, colour: bool) -> Self {
        Self {
            identifier,
            width,
            colour,
        }
    }

    pub(crate) fn header(self) -> String {
        let Self { identifier, .. } = self;
        let line = format!(
            "{:>ROW$}  {:identifier$}  {:OUTCOME$}  what was not stored as written, and why",
            "row", "identifier", "outcome"
        );
        format!("{}\n", self.style(Style::new().bold()).apply_to(line))
    }

    pub(crate) fn row(self, report: &RowReport) -> String {
        let Self { identifier, .. } = self;
        let key = printable(report.identifier.as_deref().unwrap_or("-"));
        let outcome = format!("{:OUTCOME$}", report.outcome.as_str());
        let outcome = self.style(colour_of(report.outcome)).apply_to(outcome);
        let mut text = format!("{:>ROW$}  {key:identifier$}  {outcome}", report.row);
        // A dropped lead is explained by its finding.
        let error = report
            .error
            .iter()
            .filter(|error| error.kind != ErrorKind::LeadDropped);
        let error = error.map(|error| error.message.clone());
        let notes = report.findings.iter().flat_map(sentences).chain(error);
        let notes: Vec<_> = notes.map(|note| printable(&note)).collect();
        let indent = ROW + 2 + identifier + 2 + OUTCOME + 2;
        let room = self.width.map_or(usize::MAX, |width| {
            width.saturating_sub(indent).max(NARROWEST)
        });
        // A note that goes on in the next line is set in, so that notes can be told apart.
        let wrapping = textwrap::Options::new(room).subsequent_indent("  ");
        for (index, line) in notes
            .iter()
            .flat_map(|note| textwrap::wrap(note, &wrapping))
            .enumerate()
        {
            match index {
                0 => text.push_str("  "),
                _ => text.extend(["\n", &" ".repeat(indent)]),
            }
            text.push_str(&line);
        }
        let mut text = text.trim_end().to_owned();
        text.push('\n');
        text
    }

    fn style(self, style: Style) -> Style {
        style.force_styling(self.colour)
    }
}

fn colour_of(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Stored => Style::new().green(),
        Outcome::Accepted => Style::new(),
        Outcome::Differs | Outcome::Skipped | Outcome::Unknown => Style::new().yellow(),
        Outcome::Missing | Outcome::Rejected | Outcome::Failed => Style::new().red(),
    }
}

/// The finding, and its hint as a note of its own.
fn sentences(finding: &Finding) -> Vec<String> {
    let hint = finding.hint().map(|hint| format!("  hint: {hint}"));
    [finding.to_string()].into_iter().chain(hint).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::push::report::RowError;
    use telecrm::{Lead, Workspace};

    fn differing() -> RowReport {
        let lead = Lead::new()
            .set("phone", "+91 99999 00002")
            .set("rating", 9)
            .set("contact_source", "Billboard");
        RowReport {
            row: 2,
            identifier: Some("919999900002".into()),
            outcome: Outcome::Differs,
            findings: Workspace::sample().check(&lead).report().to_vec(),
            error: None,
        }
    }

    fn unread() -> RowReport {
        RowReport {
            row: 3,
            identifier: None,
            outcome: Outcome::Rejected,
            findings: Vec::new(),
            error: Some(RowError::new(
                ErrorKind::UnreadableRow,
                "line 4: not JSON at column 2",
            )),
        }
    }

    #[test]
    fn a_row_tells_what_was_lost_created_and_mended() {
        let table = Table::new(12, None, false);
        let text = [
            table.header(),
            table.row(&differing()),
            table.row(&unread()),
        ]
        .concat();
        insta::assert_snapshot!(text);
    }

    #[test]
    fn long_reasons_stay_in_their_column() {
        let table = Table::new(12, Some(80), false);
        let text = table.row(&differing());
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
        insta::assert_snapshot!(text);
    }

    #[test]
    fn the_input_cannot_talk_to_the_terminal() {
        let lead = Lead::new()
            .set("phone", "919999900001")
            .set("status", "\u{1b}[2J\u{7}");
        let mut report = differing();
        report.findings = Workspace::sample().check(&lead).report().to_vec();
        let text = Table::new(12, Some(80), false).row(&report);
        assert!(
            text.contains("[2J") && !text.contains(['\u{1b}', '\u{7}']),
            "{text:?}"
        );
    }

    #[test]
    fn colour_is_only_there_if_it_is_wanted() {
        assert!(
            !Table::new(12, None, false)
                .row(&unread())
                .contains('\u{1b}')
        );
        assert!(Table::new(12, None, true).row(&unread()).contains('\u{1b}'));
    }
}
