//! Reads leads from a file or from standard input, one row at a time.

mod csv;
mod json_lines;
mod number;
mod quotes;

use crate::exit::Failure;
use crate::problem::Problem;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use telecrm::{Lead, Workspace};

/// One row of the input.
#[derive(Debug, PartialEq)]
pub(crate) struct Row {
    /// Counts data rows from 1.
    pub(crate) number: u64,
    /// The lead, or why the row is unreadable.
    pub(crate) lead: Result<Lead, Problem>,
}

/// An open file, or standard input.
pub(crate) struct Input {
    name: String,
    format: Format,
    bytes: Box<dyn Read + Send>,
    /// The path of a regular file, which has an end and can be read twice.
    file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    JsonLines,
}

/// The rows of an input, and warnings about the input as a whole.
pub(crate) struct Rows {
    pub(crate) rows: Box<dyn Iterator<Item = Row> + Send>,
    pub(crate) warnings: Vec<Problem>,
    pub(crate) may_have_actions: bool,
}

impl Input {
    /// Opens a file, whose extension decides the format, or standard input for `-`.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        if path == Path::new("-") {
            return Ok(Self {
                name: "standard input".to_owned(),
                format: Format::JsonLines,
                bytes: Box::new(io::stdin()),
                file: None,
            });
        }
        let name = path.display().to_string();
        let format = Format::of(path).ok_or_else(|| {
            Failure::usage(format!("{name}: unknown file extension"))
                .hint("use .csv or .jsonl, or - for JSON lines on standard input")
        })?;
        let unreadable = |error: io::Error| {
            Failure::usage(format!("cannot read {name}: {error}"))
                .hint("check the file's name and permissions")
        };
        let file = File::open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        if metadata.is_dir() {
            return Err(unreadable(io::ErrorKind::IsADirectory.into()));
        }
        Ok(Self {
            format,
            bytes: Box::new(file),
            file: metadata.is_file().then(|| path.to_owned()),
            name,
        })
    }

    /// Whether this is a regular file.
    pub(crate) fn is_file(&self) -> bool {
        self.file.is_some()
    }

    /// Counts the rows of a regular file. Returns None for other inputs.
    pub(crate) fn count(&self) -> Option<u64> {
        let file = File::open(self.file.as_ref()?).ok()?;
        match self.format {
            Format::Csv => csv::count(file),
            Format::JsonLines => json_lines::count(file),
        }
    }

    /// Starts reading. The workspace decides the types of CSV cells; without one they are text.
    pub(crate) fn rows(self, workspace: Option<Arc<Workspace>>) -> Result<Rows, Failure> {
        match self.format {
            Format::Csv => {
                Ok(csv::read(self.bytes, workspace).map_err(|problem| problem.at(&self.name))?)
            }
            Format::JsonLines => Ok(json_lines::read(self.bytes)),
        }
    }
}

impl Format {
    fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "csv" => Some(Self::Csv),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            _ => None,
        }
    }
}

/// The last row of an input that cannot be read further.
fn unreadable_rest(number: u64, line: u64, error: &io::Error) -> Row {
    let message = format!("line {line}: cannot read on: {error}; rows from here on were not sent");
    Row { number, lead: Err(Problem::new(message)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_decides_the_format() {
        for (name, format) in [
            ("a.csv", Some(Format::Csv)),
            ("A.CSV", Some(Format::Csv)),
            ("a.jsonl", Some(Format::JsonLines)),
            ("a.ndjson", Some(Format::JsonLines)),
            ("leads", None),
            ("leads.xlsx", None),
            ("leads.json", None),
        ] {
            assert_eq!(Format::of(Path::new(name)), format, "{name}");
        }
    }

    #[test]
    fn every_row_that_is_read_is_counted() {
        let folder = std::env::temp_dir();
        for (name, text) in [
            ("count.csv", "phone,note\n1,\"two\nlines\"\n\n2\n3,x"),
            ("count.jsonl", "\u{feff}\n{\"fields\":{}}\n  \n{oops\n{}"),
        ] {
            let path = folder.join(format!("telecrm-{}-{name}", std::process::id()));
            std::fs::write(&path, text).expect("writes");
            let input = Input::open(&path).expect("opens");
            let counted = input.count();
            let rows = input.rows(None).expect("a header").rows.count();
            std::fs::remove_file(&path).expect("removes");
            assert_eq!((counted, rows), (Some(3), 3), "{name}");
        }
    }
}
