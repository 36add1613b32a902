//! Where the rows go: standard output for data, standard error for the rest.

use super::report::RowReport;
use super::table::Table;
use crate::terminal::say;
use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal, Write};
use telecrm::{FieldType, Workspace};

/// Writes each row as soon as its turn comes.
pub(crate) struct Output {
    stdout: io::Stdout,
    form: Form,
    progress: ProgressBar,
}

enum Form {
    JsonLines,
    Table(Table),
}

/// Wide enough for a phone number, and for most addresses.
const PHONE: usize = 13;
const OTHER: usize = 28;

impl Output {
    /// Starts with the table's header; a progress bar shows on a terminal only.
    pub(crate) fn start(
        as_table: Option<bool>,
        workspace: Option<&Workspace>,
        rows: Option<u64>,
    ) -> io::Result<Self> {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        let form = if as_table.unwrap_or(terminal) {
            let width = terminal.then(|| usize::from(Term::stdout().size().1));
            Form::Table(Table::new(
                identifier_width(workspace),
                width,
                console::colors_enabled(),
            ))
        } else {
            Form::JsonLines
        };
        let progress = match rows {
            Some(rows) => ProgressBar::new(rows),
            None => ProgressBar::no_length(),
        };
        // Hidden by itself where standard error is no terminal.
        progress.set_draw_target(ProgressDrawTarget::stderr());
        let template = match rows {
            Some(_) => "{bar:30} {pos} of {len} rows, {eta} left",
            None => "{spinner} {pos} rows, {per_sec}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            progress.set_style(style);
        }
        let mut output = Self {
            stdout,
            form,
            progress,
        };
        if let Form::Table(table) = &output.form {
            output.write(&table.header())?;
        }
        Ok(output)
    }

    pub(crate) fn row(&mut self, report: &RowReport) -> io::Result<()> {
        let text = match &self.form {
            Form::Table(table) => table.row(report),
            Form::JsonLines => serde_json::to_string(report)? + "\n",
        };
        self.write(&text)?;
        self.progress.inc(1);
        Ok(())
    }

    /// Says something beside the data.
    pub(crate) fn say(&self, text: &str) {
        self.progress.suspend(|| say(text));
    }

    pub(crate) fn end(self) {
        self.progress.finish_and_clear();
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.progress.suspend(|| {
            // Line by line, so that a reader sees each row when it is known.
            self.stdout.write_all(text.as_bytes())?;
            self.stdout.flush()
        })
    }
}

fn identifier_width(workspace: Option<&Workspace>) -> usize {
    let field = workspace.and_then(|workspace| workspace.field(workspace.identifier().api_name()));
    match field.map(|field| &field.field_type) {
        Some(FieldType::Phone) | None => PHONE,
        Some(_) => OTHER,
    }
}
