//! Reading leads from a file or from standard input, one row at a time.

mod csv;
mod json_lines;

use crate::exit::Failure;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use telecrm::{Lead, Workspace};

/// One row of the input.
#[derive(Debug, PartialEq)]
pub(crate) struct Row {
    /// Counts data rows from 1.
    pub(crate) number: u64,
    /// The lead, or why there is none: place, reason and remedy.
    pub(crate) lead: Result<Lead, String>,
}

/// Where rows come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Stdin,
    Csv(PathBuf),
    JsonLines(PathBuf),
}

/// The rows of an input, and what is to be said of it as a whole.
pub(crate) struct Rows {
    pub(crate) rows: Box<dyn Iterator<Item = Row> + Send>,
    pub(crate) warnings: Vec<String>,
}

impl Source {
    /// Tells the format by the name.
    pub(crate) fn new(path: &Path) -> Result<Self, Failure> {
        if path == Path::new("-") {
            return Ok(Self::Stdin);
        }
        let extension = path.extension().and_then(|extension| extension.to_str());
        match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("csv") => Ok(Self::Csv(path.to_owned())),
            Some("jsonl" | "ndjson") => Ok(Self::JsonLines(path.to_owned())),
            _ => Err(Failure::usage(format!(
                "{}: the name does not tell the format: .csv for a table, .jsonl for a lead per line, or - for JSON lines on standard input",
                path.display()
            ))),
        }
    }

    /// Starts reading. Cells of a table are typed by the workspace; without one they are text.
    pub(crate) fn open(&self, workspace: Option<Arc<Workspace>>) -> Result<Rows, Failure> {
        match self {
            Self::Stdin => Ok(json_lines::read(io::stdin())),
            Self::JsonLines(path) => Ok(json_lines::read(open(path)?)),
            Self::Csv(path) => csv::read(open(path)?, workspace)
                .map_err(|reason| Failure::usage(format!("{}: {reason}", path.display()))),
        }
    }

    /// How many rows there are, where that can be told before reading them.
    pub(crate) fn count(&self) -> Option<u64> {
        let rows = match self {
            Self::Stdin => return None,
            Self::JsonLines(path) => json_lines::read(open(path).ok()?).rows,
            Self::Csv(path) => csv::read(open(path).ok()?, None).ok()?.rows,
        };
        Some(rows.count() as u64)
    }

    /// That it can be read at all, before anything else is done.
    pub(crate) fn probe(&self) -> Result<(), Failure> {
        match self {
            Self::Stdin => Ok(()),
            Self::Csv(path) | Self::JsonLines(path) => open(path).map(drop),
        }
    }
}

fn open(path: &Path) -> Result<BufReader<File>, Failure> {
    let unreadable = |error: io::Error| {
        Failure::usage(format!(
            "{} cannot be read: {error}; check the name and the permissions",
            path.display()
        ))
    };
    let mut file = BufReader::new(File::open(path).map_err(unreadable)?);
    // A directory opens like a file, and fails only here.
    io::BufRead::fill_buf(&mut file).map_err(unreadable)?;
    Ok(file)
}

/// A row after which there can be none, because reading itself failed.
fn broken(number: u64, line: u64, error: &io::Error) -> Row {
    Row {
        number,
        lead: Err(format!(
            "line {line}: reading failed: {error}; rows from here on were not seen"
        )),
    }
}

/// What of a reader remains readable: everything.
trait Input: Read + Send + 'static {}
impl<R: Read + Send + 'static> Input for R {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_tells_the_format() {
        for (name, source) in [
            ("-", Source::Stdin),
            ("a.csv", Source::Csv("a.csv".into())),
            ("A.CSV", Source::Csv("A.CSV".into())),
            ("a.jsonl", Source::JsonLines("a.jsonl".into())),
            ("a.ndjson", Source::JsonLines("a.ndjson".into())),
        ] {
            assert_eq!(Source::new(Path::new(name)).expect("known"), source);
        }
        for name in ["leads", "leads.xlsx", "leads.json"] {
            let failure = Source::new(Path::new(name))
                .expect_err("unknown")
                .to_string();
            assert!(
                failure.contains(name) && failure.contains(".jsonl"),
                "{failure}"
            );
        }
    }

    #[test]
    fn what_cannot_be_opened_is_said_before_any_row() {
        let folder = Source::Csv(env!("CARGO_MANIFEST_DIR").into());
        let absent = Source::JsonLines("no/such/file.jsonl".into());
        for source in [folder, absent] {
            let failure = source.probe().expect_err("cannot be read");
            assert!(failure.to_string().contains("cannot be read"), "{failure}");
        }
    }
}
