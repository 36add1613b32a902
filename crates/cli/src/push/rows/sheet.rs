//! Reads a sheet of an .xlsx workbook: rows of text cells, in which dates and numbers are exact.

use super::records::{Fault, Record, RecordSource};
use crate::problem::Problem;
use calamine::{Data, DataRef, ExcelDateTime, Reader, Sheet, SheetVisible, Xlsx, XlsxError};
use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::sync::Arc;

/// The start of encrypted workbooks and of old ones, `.xls`.
const OLD_MAGIC: [u8; 4] = [0xd0, 0xcf, 0x11, 0xe0];

/// How the format inside old files names an encrypted workbook.
const ENCRYPTED: &[u8] = b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0";

const MAX_BYTES: u64 = 1024 * 1024 * 1024;

/// A sheet may have so many cells, counting those that only fill up rows.
const MAX_CELLS: usize = 50_000_000;

/// Numbers have so many digits in a workbook. More come from binary fractions.
const DIGITS: usize = 15;

/// How dates are written in cells.
pub(super) const DATE_FORMATS: [&str; 2] = ["YYYY-MM-DD HH:mm:ss", "YYYY-MM-DD"];

/// A row: its number in the sheet, and its cells.
pub(super) type SheetRow = (u64, Vec<String>);

/// Reads the named sheet, or the first visible one. Returns its rows, and a note if there are other
/// sheets.
pub(super) fn read(
    input: impl Read,
    wanted: Option<&str>,
) -> Result<(Vec<SheetRow>, Option<String>), Problem> {
    let mut bytes = Vec::new();
    let unreadable = |error| Problem::new(format!("cannot read the workbook: {error}"));
    input.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Problem::new("the workbook is larger than 1 GiB").hint("save it as CSV"));
    }
    if bytes.starts_with(&OLD_MAGIC) {
        let is_encrypted = bytes.windows(ENCRYPTED.len()).any(|window| window == ENCRYPTED);
        return Err(if is_encrypted {
            Problem::new("the workbook is encrypted").hint("save it without a password")
        } else {
            Problem::new("this is an old workbook (.xls)").hint("save it as .xlsx or CSV")
        });
    }
    let mut workbook = Xlsx::new(Cursor::new(bytes)).map_err(|error| broken(&error))?;
    let sheets: Vec<Sheet> = workbook.sheets_metadata().to_vec();
    let names = sheets.iter().map(|sheet| format!("`{}`", sheet.name)).collect::<Vec<_>>();
    let mut visible = sheets.iter().filter(|sheet| sheet.visible == SheetVisible::Visible);
    let sheet = match wanted {
        Some(name) => sheets.iter().find(|sheet| sheet.name == name),
        None => visible.next(),
    };
    let Some(sheet) = sheet else {
        let message = format!("no such sheet: {}", wanted.unwrap_or("none is visible"));
        return Err(Problem::new(message).hint(format!("the sheets are {}", names.join(", "))));
    };
    let note = (wanted.is_none() && sheets.len() > 1).then(|| {
        format!("sheet `{}` of {} (change it with --sheet)", sheet.name, names.join(", "))
    });
    Ok((read_rows(&mut workbook, &sheet.name)?, note))
}

fn read_rows(workbook: &mut Xlsx<Cursor<Vec<u8>>>, name: &str) -> Result<Vec<SheetRow>, Problem> {
    let mut cells = workbook.worksheet_cells_reader(name).map_err(|error| broken(&error))?;
    let mut rows: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    let (mut width, mut count) = (0, 0);
    while let Some(cell) = cells.next_cell().map_err(|error| broken(&error))? {
        let (row, column) = cell.get_position();
        let text = text(cell.get_value());
        if text.is_empty() {
            continue;
        }
        let column = column as usize;
        let cells = rows.entry(row).or_default();
        if cells.len() <= column {
            count += column + 1 - cells.len();
            cells.resize(column + 1, String::new());
        }
        cells[column] = text;
        width = width.max(column + 1);
        if count > MAX_CELLS {
            let message = format!("the sheet has more than {MAX_CELLS} cells");
            return Err(Problem::new(message).hint("save it as CSV"));
        }
    }
    if rows.len().saturating_mul(width) > MAX_CELLS {
        let message = format!("the sheet has more than {MAX_CELLS} cells, most of them empty");
        return Err(Problem::new(message).hint("remove what stands far to the right of the table"));
    }
    let rows = rows.into_iter().map(|(row, mut cells)| {
        cells.resize(width, String::new());
        (u64::from(row) + 1, cells)
    });
    Ok(rows.collect())
}

fn broken(error: &XlsxError) -> Problem {
    match error {
        XlsxError::Password => {
            Problem::new("the workbook is encrypted").hint("save it without a password")
        }
        error => Problem::new(format!("the workbook is broken: {error}"))
            .hint("open it in a spreadsheet program and save it again, or save it as CSV"),
    }
}

/// The text of a cell, as a CSV file would have it.
fn text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Float(number) => number_text(*number),
        DataRef::DateTime(time) => time_text(time),
        other => Data::from(other.clone()).to_string(),
    }
}

/// Writes a number without an exponent, and without the digits of its binary fraction.
fn number_text(number: f64) -> String {
    let rounded = format!("{number:.*e}", DIGITS - 1).parse().unwrap_or(number);
    if number.fract() == 0.0 { number.to_string() } else { f64::to_string(&rounded) }
}

fn time_text(time: &ExcelDateTime) -> String {
    let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
    // A time without a date, or a duration.
    if time.is_duration() || time.as_f64() < 1.0 {
        let hours = (time.as_f64() * 24.0).floor() as u64;
        return format!("{hours:02}:{minute:02}:{second:02}");
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    match (hour, minute, second) {
        (0, 0, 0) => date,
        _ => format!("{date} {hour:02}:{minute:02}:{second:02}"),
    }
}

/// Whether the text is an error that a formula has instead of a value.
pub(super) fn is_error(cell: &str) -> bool {
    matches!(cell, "#DIV/0!" | "#N/A" | "#NAME?" | "#NULL!" | "#NUM!" | "#REF!" | "#VALUE!")
}

/// The rows of a sheet as records.
pub(super) struct SheetRecords {
    rows: Arc<Vec<SheetRow>>,
    next: usize,
}

impl SheetRecords {
    pub(super) fn new(rows: Arc<Vec<SheetRow>>) -> Self {
        Self { rows, next: 0 }
    }
}

impl RecordSource for SheetRecords {
    fn next(&mut self) -> Option<Result<Record, Fault>> {
        let (line, cells) = self.rows.get(self.next)?;
        self.next += 1;
        let cells = cells.iter().map(|cell| cell.clone().into_bytes()).collect();
        Some(Ok(Record { line: *line, cells, more_lines: Vec::new(), spanning_quote: None }))
    }

    fn line(&self) -> u64 {
        self.rows.get(self.next).map_or(0, |(line, _)| *line)
    }

    fn retry_after_first_line(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_no_exponent_and_no_binary_fraction() {
        for (number, text) in [
            (919_876_543_210.0, "919876543210"),
            (0.1 + 0.2, "0.3"),
            (4.0, "4"),
            (1e15, "1000000000000000"),
        ] {
            assert_eq!(number_text(number), text);
        }
    }
}
