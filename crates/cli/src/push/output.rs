//! Writes the reports to standard output, and a progress bar to standard error.

use super::report::RowReport;
use super::table::Table;
use crate::terminal::print;
use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal, Write};
use telecrm::Workspace;
use telecrm::workspace::FieldType;

/// How reports are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    JsonLines,
    Table,
}

impl Format {
    /// Returns None if the flags leave it open.
    pub(crate) fn of_flags(json: bool, table: bool) -> Option<Self> {
        if json { Some(Self::JsonLines) } else { table.then_some(Self::Table) }
    }
}

/// Writes each report as soon as it is known.
pub(crate) struct Output {
    stdout: io::Stdout,
    /// None writes JSON lines.
    table: Option<Table>,
    progress: ProgressBar,
}

/// Column widths: a phone number, or an address of usual length.
const PHONE_WIDTH: usize = 13;
const OTHER_WIDTH: usize = 28;

impl Output {
    /// Writes the header of a table. The default format is a table on a terminal, else JSON lines.
    pub(crate) fn start(
        format: Option<Format>,
        workspace: Option<&Workspace>,
        rows: Option<u64>,
    ) -> io::Result<Self> {
        let stdout = io::stdout();
        let is_terminal = stdout.is_terminal();
        let as_table = format.map_or(is_terminal, |format| format == Format::Table);
        let table = as_table.then(|| {
            let width = is_terminal.then(|| usize::from(Term::stdout().size().1));
            Table::new(identifier_width(workspace), width, console::colors_enabled())
        });
        let (progress, template) = match rows {
            Some(rows) => (ProgressBar::new(rows), "{bar:30} {pos} of {len} rows, {eta} left"),
            None => (ProgressBar::no_length(), "{spinner} {pos} rows, {per_sec}"),
        };
        // Draws nothing if standard error is not a terminal.
        progress.set_draw_target(ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template(template) {
            progress.set_style(style);
        }
        let mut output = Self { stdout, table, progress };
        if let Some(table) = &output.table {
            output.write(&table.header())?;
        }
        Ok(output)
    }

    pub(crate) fn row(&mut self, report: &RowReport) -> io::Result<()> {
        let text = match &self.table {
            Some(table) => table.row(report),
            None => serde_json::to_string(report)? + "\n",
        };
        self.write(&text)?;
        self.progress.inc(1);
        Ok(())
    }

    /// Prints a message on standard error, above the progress bar.
    pub(crate) fn print(&self, text: &str) {
        self.progress.suspend(|| print(text));
    }

    pub(crate) fn is_table(&self) -> bool {
        self.table.is_some()
    }

    pub(crate) fn end(self) {
        self.progress.finish_and_clear();
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.progress.suspend(|| {
            self.stdout.write_all(text.as_bytes())?;
            // A program that reads the pipe sees each row at once.
            self.stdout.flush()
        })
    }
}

fn identifier_width(workspace: Option<&Workspace>) -> usize {
    let field = workspace.and_then(|workspace| workspace.field(workspace.identifier().api_name()));
    match field.map(|field| &field.field_type) {
        Some(FieldType::Phone) | None => PHONE_WIDTH,
        Some(_) => OTHER_WIDTH,
    }
}
