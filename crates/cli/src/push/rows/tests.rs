//! Tests of reading whole files, and rounds of random files.

#[path = "../../../../../tests/common/rounds.rs"]
mod rounds;

use super::*;
use crate::args::Reading;

fn read_csv(
    input: impl Read + Send + 'static,
    workspace: Option<Arc<Workspace>>,
) -> Result<Rows, Problem> {
    let (reading, mapping) = (&Reading::default(), &BTreeMap::new());
    csv::read(input, csv::Columns { reading, mapping, workspace, after_fault: AfterFault::GoOn })
}

#[test]
fn the_extension_decides_the_format() {
    for (name, format) in [
        ("a.csv", Some(FileFormat::Csv)),
        ("A.CSV", Some(FileFormat::Csv)),
        ("a.jsonl", Some(FileFormat::Jsonl)),
        ("a.ndjson", Some(FileFormat::Jsonl)),
        ("a.json", Some(FileFormat::Json)),
        ("leads", None),
        ("leads.xlsx", Some(FileFormat::Xlsx)),
        ("leads.csv.gz", Some(FileFormat::Csv)),
        ("leads.xls", None),
    ] {
        assert_eq!(format_of_name(Path::new(name)), format, "{name}");
    }
}

#[test]
fn the_first_line_decides_the_format_of_standard_input() {
    use FileFormat::{Csv, Json, Jsonl};
    for (text, format) in [
        ("", Jsonl),
        ("\u{feff}\n{\"fields\":{}}\n", Jsonl),
        ("{\n  \"fields\": {}}", Json),
        ("{\"fields\": {\n}}", Json),
        (" [{}]", Json),
        ("phone,name\n", Csv),
        ("\"phone\"\n", Csv),
    ] {
        assert_eq!(format_of_text(None, false, text), Ok(format), "{text}");
    }
}

#[test]
fn every_row_that_is_read_is_counted() {
    let folder = std::env::temp_dir();
    for (name, text) in [
        ("count.csv", "phone,note\n1,\"two\nlines\"\n\n2\n,\n3,x"),
        ("count.jsonl", "\u{feff}\n{\"fields\":{}}\n  \n{oops\n{}"),
        ("count.json", "[{\"fields\":{}},\n{},{\"fields\":{}}]"),
    ] {
        let path = folder.join(format!("telecrm-{}-{name}", std::process::id()));
        std::fs::write(&path, text).expect("writes");
        let input = Input::open(&path, Reading::default()).map_err(|f| f.problem);
        let read = input.expect("opens").read(None, |_| None).map_err(|f| f.problem);
        let (rows, structure) = read.expect("a header");
        let counted = (structure.map(|structure| structure.rows), rows.rows.count());
        std::fs::remove_file(&path).expect("removes");
        assert_eq!(counted, (Some(3), 3), "{name}");
    }
}

/// Random numbers that a seed repeats.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        // The generator SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) % limit as u64) as usize
    }

    fn text(&mut self, pieces: &[&[u8]]) -> Vec<u8> {
        let count = self.below(60);
        let pieces = (0..count).flat_map(|_| pieces[self.below(pieces.len())]);
        pieces.copied().collect()
    }

    /// Removes, doubles or replaces a few bytes.
    fn damage(&mut self, text: &mut Vec<u8>, pieces: &[&[u8]]) {
        for _ in 0..self.below(4) {
            let at = self.below(text.len() + 1);
            let end = (at + self.below(3)).min(text.len());
            let piece = pieces[self.below(pieces.len())];
            text.splice(at..end, piece.iter().copied());
        }
    }
}

/// Reads a few bytes at a time, so that each place may be the end of a read.
struct Trickle(Cursor<Vec<u8>>, Random);

impl Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = (1 + self.1.below(7)).min(buffer.len());
        self.0.read(&mut buffer[..length])
    }
}

fn trickle(text: &[u8], seed: u64) -> Trickle {
    Trickle(Cursor::new(text.to_vec()), Random(seed))
}

/// Splits at LF, CR LF and CR.
fn physical_lines(text: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
        lines.push(&rest[..end]);
        let length = if rest[end..].starts_with(b"\r\n") { 2 } else { 1 };
        rest = &rest[end + length..];
    }
    lines.push(rest);
    lines
}

/// Every cell and text of the rounds may hold this letter, so that none gets lost unseen.
const MARK: u8 = b'm';

fn marks(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte == MARK).count()
}

/// Asserts that each line with a mark belongs to a row, and that each lead has all marks of its
/// lines.
fn assert_every_line_is_read(
    text: &[u8],
    header_lines: usize,
    rows: &[Row],
    marks_of: fn(&Lead) -> usize,
) {
    let lines = physical_lines(text);
    let mut next = header_lines;
    for (index, row) in rows.iter().enumerate() {
        assert_eq!(row.number, index as u64 + 1);
        let start = row.line as usize - 1;
        assert!(start >= next, "line {} follows line {next}", row.line);
        let passed: usize = lines[next..start].iter().map(|line| marks(line)).sum();
        assert_eq!(passed, 0, "lines before line {} were passed over", row.line);
        next = match rows.get(index + 1) {
            Some(row) => row.line as usize - 1,
            None => lines.len(),
        };
        if let Ok(lead) = &row.lead {
            let expected: usize = lines[start..next].iter().map(|line| marks(line)).sum();
            assert_eq!(marks_of(lead), expected, "line {}", row.line);
        } else {
            // A broken record ends with its first line, and the others are read again.
            next = start + 1;
            if row.breaks == Breaks::Nothing || row.breaks == Breaks::Rest {
                next = rows.get(index + 1).map_or(lines.len(), |row| row.line as usize - 1);
            }
        }
    }
    let passed: usize = lines[next.min(lines.len())..].iter().map(|line| marks(line)).sum();
    assert_eq!(passed, 0, "lines after line {next} were passed over");
}

fn marks_of_values(lead: &Lead) -> usize {
    let values = lead.fields().values();
    values.map(|value| marks(value.to_string().as_bytes())).sum()
}

fn marks_of_json(lead: &Lead) -> usize {
    marks(serde_json::to_string(lead).expect("JSON").as_bytes())
}

const CSV: &[&[u8]] = &[
    b"\"",
    b"\"",
    b"\"\"",
    b",",
    b",",
    b",",
    b"\n",
    b"\n",
    b"\r",
    b"\r\n",
    b"m",
    b"m",
    b"am\xc3\xa9",
    b" ",
    b"\\",
    b"|",
    b"\xff",
    b"\0",
    b"\xe2\x80\x8b",
    b"m,m\n",
    b"m,\"m\"\n",
    b"919855000101,m\n",
];

const JSON: &[&[u8]] = &[
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\n",
    b"\r",
    b" ",
    b"m",
    b"\\",
    b"\\ud83d",
    b"1e999",
    b"null",
    b"\xff",
    b"\xc3\xa9",
    b"5",
];

fn round_of_csv(seed: u64) {
    let mut random = Random(seed);
    let text = [&b"phone,name\n"[..], &random.text(CSV)].concat();
    let workspace = Arc::new(Workspace::sample());
    for workspace in [None, Some(workspace)] {
        let input = trickle(&text, seed);
        let rows = read_csv(input, workspace).expect("a header");
        let rows: Vec<_> = rows.rows.collect();
        assert_every_line_is_read(&text, 1, &rows, marks_of_values);
    }
    // Whatever the header is, reading ends.
    let text = random.text(CSV);
    if let Ok(rows) = read_csv(trickle(&text, seed), None) {
        assert!(rows.rows.count() <= physical_lines(&text).len());
    }
    let _ = encoding::of_start(&text);
    let _ = encoding::of_text(trickle(&text, seed)).expect("reads");
}

fn round_of_json(seed: u64) {
    let mut random = Random(seed);
    let ends: [&[u8]; 3] = [b"\n", b"\r\n", b"\r"];
    let end = ends[random.below(3)];
    let lead = br#"{"fields":{"phone":"919855000101","note":"m,\"m\"]}"},"actions":[]}"#;
    let mut lines = vec![lead.to_vec(); random.below(5)];
    lines.iter_mut().for_each(|line| random.damage(line, JSON));
    let text = lines.join(end);
    let rows: Vec<_> = json_lines::read(trickle(&text, seed)).rows.collect();
    assert_every_line_is_read(&text, 0, &rows, marks_of_json);

    let leads = vec![lead.to_vec(); random.below(5)].join(&b",\n "[..]);
    let mut text = [b"[", leads.as_slice(), b"]"].concat();
    random.damage(&mut text, JSON);
    let rows: Vec<_> = json::read(trickle(&text, seed)).rows.collect();
    if rows.iter().all(|row| row.lead.is_ok()) {
        let found: usize =
            rows.iter().filter_map(|row| row.lead.as_ref().ok()).map(marks_of_json).sum();
        assert_eq!(found, marks(&text));
    }
    assert!(rows.iter().rev().skip(1).all(|row| row.breaks != Breaks::Rest));
}

#[test]
fn every_byte_of_random_csv_files_is_a_row_or_a_fault() {
    rounds::run(|seed| (0..100).for_each(|part| round_of_csv(seed * 100 + part)));
}

#[test]
fn every_byte_of_random_json_files_is_a_row_or_a_fault() {
    rounds::run(|seed| (0..100).for_each(|part| round_of_json(seed * 100 + part)));
}
