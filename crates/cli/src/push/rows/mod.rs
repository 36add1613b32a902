//! Reads leads from a file or from standard input, one row at a time.

mod cells;
mod csv;
mod dates;
mod encoding;
mod gzip;
mod json;
mod json_lead;
mod json_lines;
mod lines;
mod mapping;
mod number;
mod records;
mod sheet;
mod structure;
#[cfg(test)]
mod tests;

pub(crate) use number::explain as explain_number;
pub(crate) use structure::Structure;

use crate::args::{FileFormat, OnBadQuote, Reading};
use crate::exit::Failure;
use crate::input;
use crate::problem::Problem;
use dates::DateColumns;
use encoding_rs::{Encoding, UTF_8};
use sheet::SheetRow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use telecrm::text::trim;
use telecrm::{Finding, Lead, Workspace};

/// How much of standard input decides its encoding and separator.
const START_BYTES: usize = 1024 * 1024;

/// One row of the input.
#[derive(Debug, PartialEq)]
pub(crate) struct Row {
    /// Counts data rows from 1.
    pub(crate) number: u64,
    /// The line on which the row begins.
    pub(crate) line: u64,
    /// The lead, or why the row is unreadable.
    pub(crate) lead: Result<Lead, Problem>,
    /// What reading left out of the lead.
    pub(crate) findings: Vec<Finding>,
    breaks: Breaks,
}

/// What a row breaks, apart from itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Breaks {
    Nothing,
    /// Where the row ends is a guess.
    RowEnd,
    /// No row after this one can be read.
    Rest,
}

/// What a reader does after a row that breaks the structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AfterFault {
    GoOn,
    End,
}

/// An open file, or standard input.
pub(crate) struct Input {
    name: String,
    format: FileFormat,
    encoding: &'static Encoding,
    reading: Reading,
    mapping: BTreeMap<String, String>,
    notes: Vec<String>,
    source: Source,
}

type Bytes = Box<dyn Read + Send>;

/// Opens an input that can be read twice.
type Opener = Arc<dyn Fn() -> io::Result<Bytes> + Send + Sync>;

enum Source {
    Repeatable(Opener),
    Sheet(Arc<Vec<SheetRow>>),
    Stream(Bytes),
}

/// What is read at one time.
enum Content {
    Text(Bytes),
    Sheet(Arc<Vec<SheetRow>>),
}

/// The rows of an input, and what is known about the input as a whole.
pub(crate) struct Rows {
    pub(crate) rows: Box<dyn Iterator<Item = Row> + Send>,
    /// How the input is read, where that is not the default.
    pub(crate) notes: Vec<String>,
    pub(crate) warnings: Vec<Problem>,
    pub(crate) may_have_actions: bool,
    /// The fields that the columns fill, as far as they are known.
    columns: Vec<(String, String)>,
}

impl Input {
    /// Opens a file, or standard input for `-`, and detects its format and encoding.
    pub(crate) fn open(path: &Path, reading: Reading) -> Result<Self, Failure> {
        let is_stdin = path == Path::new("-");
        let name = input::name(path);
        let named = match reading.format {
            Some(format) => Some(format),
            None if is_stdin => None,
            None => Some(format_of_name(path).ok_or_else(|| {
                if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("xls")) {
                    return Failure::usage(format!("{name}: old workbooks (.xls) cannot be read"))
                        .hint("save it as .xlsx or CSV");
                }
                Failure::usage(format!("{name}: unknown file extension"))
                    .hint("use .csv, .jsonl, .json or .xlsx, or name the format with --format")
            })?),
        };
        if is_stdin {
            let bytes = gzip::decoded(Box::new(io::stdin())).map_err(unreadable(&name))?;
            return Self::detect(name, named, reading, bytes, None);
        }
        let file = File::open(path).map_err(unreadable(&name))?;
        let metadata = file.metadata().map_err(unreadable(&name))?;
        if metadata.is_dir() {
            return Err(unreadable(&name)(io::ErrorKind::IsADirectory.into()));
        }
        if !metadata.is_file() {
            let bytes = gzip::decoded(Box::new(file)).map_err(unreadable(&name))?;
            return Self::detect(name, named, reading, bytes, None);
        }
        let path = path.to_owned();
        let opener: Opener = Arc::new(move || gzip::decoded(Box::new(File::open(&path)?)));
        let bytes = opener().map_err(unreadable(&name))?;
        Self::detect(name, named, reading, bytes, Some(opener))
    }

    /// Reads text that is part of this program.
    pub(crate) fn from_bytes(
        name: &str,
        bytes: &'static [u8],
        reading: Reading,
    ) -> Result<Self, Failure> {
        let opener: Opener = Arc::new(move || Ok(Box::new(bytes)));
        let format = format_of_name(Path::new(name));
        Self::detect(name.to_owned(), format, reading, Box::new(bytes), Some(opener))
    }

    /// Detects format and encoding. Without an opener the input is a stream.
    fn detect(
        name: String,
        named: Option<FileFormat>,
        reading: Reading,
        mut bytes: Bytes,
        opener: Option<Opener>,
    ) -> Result<Self, Failure> {
        let unreadable = unreadable(&name);
        let mapping = mapping::read(&reading)?;
        if named == Some(FileFormat::Xlsx) {
            let read = sheet::read(bytes, reading.sheet.as_deref());
            let (rows, note) = read.map_err(|problem| problem.at(&name))?;
            let (source, notes) = (Source::Sheet(Arc::new(rows)), note.into_iter().collect());
            let (format, encoding) = (FileFormat::Xlsx, UTF_8);
            return Ok(Self { name, format, encoding, reading, mapping, notes, source });
        }
        if reading.sheet.is_some() {
            return Err(Failure::usage(format!("{name}: only workbooks have sheets"))
                .hint("leave out --sheet, or use --format xlsx"));
        }
        let mut start = Vec::new();
        // Other programs may write JSON lines slowly, so the first line has to be enough.
        read_start(&mut bytes, &mut start, |start| start.trim_ascii_start().contains(&b'\n'))
            .map_err(&unreadable)?;
        let at_file = |problem: Problem| problem.at(&name);
        if start.starts_with(b"PK\x03\x04") {
            let problem = Problem::new("this is a workbook or an archive, not text");
            return Err(at_file(problem.hint("use --format xlsx for a workbook")).into());
        }
        let shown = encoding::of_start(&start).map_err(at_file)?;
        let encoding = reading.encoding.or(shown);
        let mut text = Vec::new();
        encoding::decode(start.as_slice(), encoding.unwrap_or(UTF_8))
            .read_to_end(&mut text)
            .map_err(&unreadable)?;
        let text = String::from_utf8_lossy(&text);
        let format = format_of_text(named, reading.format.is_some(), &text).map_err(at_file)?;
        let encoding = match (encoding, &opener) {
            (Some(encoding), _) => encoding,
            (None, _) if format != FileFormat::Csv => UTF_8,
            (None, Some(open)) => {
                let all = open().map_err(&unreadable)?;
                encoding::of_text(all).map_err(&unreadable)?.map_err(at_file)?
            }
            (None, None) => {
                read_start(&mut bytes, &mut start, |_| false).map_err(&unreadable)?;
                // A character may be cut off at the end.
                let lines = start.iter().rposition(|byte| *byte == b'\n');
                let end = lines.filter(|_| start.len() >= START_BYTES).unwrap_or(start.len());
                encoding::of_text(&start[..end]).map_err(&unreadable)?.map_err(at_file)?
            }
        };
        let source = match opener {
            Some(opener) => Source::Repeatable(opener),
            None => Source::Stream(Box::new(Cursor::new(start).chain(bytes))),
        };
        let notes = Vec::new();
        Ok(Self { name, format, encoding, reading, mapping, notes, source })
    }

    /// Whether this is a regular file.
    pub(crate) fn is_file(&self) -> bool {
        !matches!(self.source, Source::Stream(_))
    }

    /// Starts reading. The workspace decides the types of CSV cells; without one they are text.
    ///
    /// A file is read once before, to find broken rows and leads with several rows. `lead_hash`
    /// tells leads apart.
    ///
    /// # Errors
    /// Returns a usage error if the file is not what it should be.
    pub(crate) fn read(
        mut self,
        workspace: Option<Arc<Workspace>>,
        lead_hash: impl Fn(&Lead) -> Option<u64>,
    ) -> Result<(Rows, Option<Structure>), Failure> {
        let on_bad_quote = self.reading.on_bad_quote;
        let nothing = Source::Stream(Box::new(io::empty()));
        let open: Box<dyn Fn() -> io::Result<Content>> =
            match std::mem::replace(&mut self.source, nothing) {
                Source::Repeatable(opener) => Box::new(move || opener().map(Content::Text)),
                Source::Sheet(rows) => Box::new(move || Ok(Content::Sheet(rows.clone()))),
                Source::Stream(bytes) => {
                    let after_fault = match on_bad_quote {
                        OnBadQuote::Stop => AfterFault::End,
                        OnBadQuote::Reject => AfterFault::GoOn,
                    };
                    let rows = self.rows(Content::Text(bytes), workspace, after_fault)?;
                    self.save_mapping(&rows)?;
                    return Ok((rows, None));
                }
            };
        let open = || open().map_err(unreadable(&self.name));
        let rows = self.rows(open()?, workspace.clone(), AfterFault::GoOn)?;
        self.save_mapping(&rows)?;
        let has_columns = matches!(self.format, FileFormat::Csv | FileFormat::Xlsx);
        let mut dates = workspace.clone().filter(|_| has_columns).map(DateColumns::new);
        let structure = Structure::of(rows.rows, |lead| {
            dates.iter_mut().for_each(|dates| dates.add(lead));
            lead_hash(lead)
        });
        structure.check(&self.name, on_bad_quote)?;
        let mut rows = self.rows(open()?, workspace, AfterFault::GoOn)?;
        rows.warnings.extend(dates.iter().flat_map(DateColumns::warnings));
        Ok((rows, Some(structure)))
    }

    fn save_mapping(&self, rows: &Rows) -> Result<(), Failure> {
        self.reading.save_map.iter().try_for_each(|path| mapping::save(path, &rows.columns))
    }

    fn rows(
        &self,
        content: Content,
        workspace: Option<Arc<Workspace>>,
        after_fault: AfterFault,
    ) -> Result<Rows, Failure> {
        let has_columns = matches!(self.format, FileFormat::Csv | FileFormat::Xlsx);
        if !has_columns && !self.reading.date_format.is_empty() {
            let failure = Failure::usage(format!("{}: only CSV has date columns", self.name));
            return Err(failure.hint("leave out --date-format, and write Unix milliseconds"));
        }
        if !has_columns && (!self.mapping.is_empty() || self.reading.save_map.is_some()) {
            let failure = Failure::usage(format!("{}: JSON has no columns to map", self.name));
            return Err(failure.hint("leave out --map, --mapping and --save-map"));
        }
        let columns =
            csv::Columns { reading: &self.reading, mapping: &self.mapping, workspace, after_fault };
        let at_file = |problem: Problem| problem.at(&self.name);
        let mut rows = match content {
            Content::Sheet(rows) => csv::read_sheet(rows, columns).map_err(at_file)?,
            Content::Text(bytes) => {
                let text = encoding::decode(bytes, self.encoding);
                match self.format {
                    FileFormat::Csv | FileFormat::Xlsx => {
                        csv::read(text, columns).map_err(at_file)?
                    }
                    FileFormat::Jsonl => json_lines::read(text),
                    FileFormat::Json => json::read(text),
                }
            }
        };
        rows.notes.extend(self.notes.iter().cloned());
        if self.encoding != UTF_8 {
            let encoding = self.encoding.name();
            rows.notes.insert(0, format!("the text is {encoding} (change it with --encoding)"));
        }
        rows.notes.iter_mut().for_each(|note| note.insert_str(0, &format!("{}: ", self.name)));
        Ok(rows)
    }
}

fn unreadable(name: &str) -> impl Fn(io::Error) -> Failure + use<> {
    let name = name.to_owned();
    move |error| {
        Failure::usage(format!("cannot read {name}: {error}"))
            .hint("check the file's name and permissions")
    }
}

/// Reads on until there is enough, or to the end or the limit.
fn read_start(
    bytes: &mut impl Read,
    start: &mut Vec<u8>,
    is_enough: impl Fn(&[u8]) -> bool,
) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    while start.len() < START_BYTES && !is_enough(start) {
        match bytes.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => start.extend_from_slice(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn format_of_name(path: &Path) -> Option<FileFormat> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    match name.rsplit_once('.')?.1 {
        "csv" => Some(FileFormat::Csv),
        "jsonl" | "ndjson" => Some(FileFormat::Jsonl),
        "json" => Some(FileFormat::Json),
        "xlsx" | "xlsm" => Some(FileFormat::Xlsx),
        _ => None,
    }
}

/// Decides the format by the first line, and refuses a name that contradicts it.
fn format_of_text(
    named: Option<FileFormat>,
    is_explicit: bool,
    text: &str,
) -> Result<FileFormat, Problem> {
    use FileFormat::{Csv, Json, Jsonl};
    let text = trim(text);
    let first_line = text.lines().next().unwrap_or_default().trim_end();
    let found = match text.chars().next() {
        None => return Ok(named.unwrap_or(Jsonl)),
        Some('[') => Json,
        // Pretty-printed JSON ends its lines within the lead.
        Some('{') if first_line.ends_with(['{', '[', ',', ':']) => Json,
        Some('{') => Jsonl,
        Some(_) => Csv,
    };
    match (named.unwrap_or(found), found) {
        (Csv, Json) => Err(Problem::new("this is JSON, not CSV").hint("use --format json")),
        (Csv, Jsonl) => Err(Problem::new("this is JSON lines, not CSV").hint("use --format jsonl")),
        (Json | Jsonl, Csv) => Err(Problem::new("line 1: this is not JSON")
            .hint("use --format csv if the first line names the columns")),
        (Jsonl, Json) if !is_explicit => Ok(Json),
        (named, _) => Ok(named),
    }
}

impl Row {
    fn new(number: u64, line: u64, lead: Result<Lead, Problem>) -> Self {
        Self { number, line, lead, findings: Vec::new(), breaks: Breaks::Nothing }
    }

    /// A row that breaks the structure of its input.
    fn broken(number: u64, line: u64, mut problem: Problem, breaks: Breaks) -> Self {
        if breaks == Breaks::Rest {
            problem.message.push_str(", so later rows were not read");
        }
        Self { breaks, ..Self::new(number, line, Err(problem)) }
    }
}

/// The last row of an input that cannot be read further.
fn unreadable_rest(number: u64, line: u64, error: &io::Error) -> Row {
    let problem = Problem::new(format!("line {line}: cannot read on: {error}"));
    Row::broken(number, line, problem, Breaks::Rest)
}
