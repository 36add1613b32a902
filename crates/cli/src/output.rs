//! Prints records: JSON lines for scripts, text for people.

use crate::args::records::{Columns, Printing};
use crate::exit::{Exit, Failure};
use crate::terminal::printable;
use console::Term;
use serde::Serialize;
use serde_json::{Map, Value};
use std::io::{self, IsTerminal, Write};

/// Prints records to standard output.
pub(crate) struct Output {
    form: Form,
    /// The rows of a table, whose widths are known at its end.
    rows: Vec<Vec<String>>,
}

enum Form {
    Json(Columns),
    /// A table with these columns. A single record is pretty JSON.
    Table(Vec<String>),
}

const GAP: usize = 2;

impl Output {
    /// The columns are those of a table.
    pub(crate) fn new(printing: Printing, columns: &[&str]) -> Self {
        let for_people = printing.table || (printing.json.is_none() && io::stdout().is_terminal());
        let form = if for_people {
            Form::Table(columns.iter().map(|&name| name.to_owned()).collect())
        } else {
            Form::Json(printing.json.unwrap_or_default())
        };
        Self { form, rows: Vec::new() }
    }

    /// Prints a single record.
    pub(crate) fn record(self, record: &impl Serialize) -> Result<Exit, Failure> {
        let line = match &self.form {
            Form::Json(columns) => json(record, columns),
            Form::Table(_) => serde_json::to_string_pretty(record),
        };
        write_line(&line.map_err(not_json)?)?;
        Ok(Exit::Success)
    }

    /// Prints one record of a list. Returns false if nothing reads standard output any more.
    pub(crate) fn item(&mut self, record: &impl Serialize) -> Result<bool, Failure> {
        match &self.form {
            Form::Json(columns) => write_line(&json(record, columns).map_err(not_json)?),
            Form::Table(columns) => {
                let value = serde_json::to_value(record).map_err(not_json)?;
                self.rows.push(columns.iter().map(|name| cell(&value, name)).collect());
                Ok(true)
            }
        }
    }

    /// Prints the table.
    pub(crate) fn end(mut self) -> Result<Exit, Failure> {
        let Form::Table(columns) = self.form else {
            return Ok(Exit::Success);
        };
        self.rows.insert(0, columns.clone());
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| console::measure_text_width(&row[column]));
            cells.max().unwrap_or_default()
        };
        let widths: Vec<_> = (0..columns.len()).map(width).collect();
        let terminal = io::stdout().is_terminal().then(|| usize::from(Term::stdout().size().1));
        for row in &self.rows {
            let cells = row.iter().zip(&widths);
            let cells = cells.map(|(cell, width)| {
                console::pad_str(cell, width + GAP, console::Alignment::Left, None).into_owned()
            });
            let line = cells.collect::<String>();
            let line = match terminal {
                Some(width) => console::truncate_str(line.trim_end(), width, "…").into_owned(),
                None => line.trim_end().to_owned(),
            };
            if !write_line(&line)? {
                break;
            }
        }
        Ok(Exit::Success)
    }
}

/// A record as one line, or only the keys that are wanted. Missing keys are null.
fn json(record: &impl Serialize, columns: &Columns) -> serde_json::Result<String> {
    if columns.0.is_empty() {
        return serde_json::to_string(record);
    }
    let value = serde_json::to_value(record)?;
    let pick = |name: &String| (name.clone(), at(&value, name).clone());
    serde_json::to_string(&columns.0.iter().map(pick).collect::<Map<_, _>>())
}

/// The value at a path such as `fields.phone`. A name may contain dots.
fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    if let Some(found) = value.get(path) {
        return found;
    }
    match path.split_once('.') {
        Some((first, rest)) => value.get(first).map_or(&Value::Null, |inner| at(inner, rest)),
        None => &Value::Null,
    }
}

/// The text of a cell: a key of the record, or of its fields. Times are in UTC.
fn cell(record: &Value, name: &str) -> String {
    let value = match at(record, name) {
        Value::Null => at(at(record, "fields"), name),
        value => value,
    };
    let is_time = name.ends_with("_on") || name.ends_with("Timestamp");
    let time = value.as_i64().filter(|_| is_time);
    match (value, time.map(jiff::Timestamp::from_millisecond)) {
        (_, Some(Ok(time))) => format!("{time:.0}"),
        (Value::Null, _) => "-".to_owned(),
        (Value::String(text), _) => printable(text),
        (other, _) => printable(&other.to_string()),
    }
}

fn not_json(error: serde_json::Error) -> Failure {
    Failure::new(Exit::Failed, format!("cannot write the record as JSON: {error}"))
        .hint("read it with `telecrm api`, which prints the answer of the server")
}

/// Writes a line. Returns false if nothing reads standard output any more.
pub(crate) fn write_line(line: &str) -> Result<bool, Failure> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => {
            Err(Failure::new(Exit::Failed, format!("cannot write to standard output: {error}")))
        }
    }
}
