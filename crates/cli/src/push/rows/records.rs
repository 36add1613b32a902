//! Reads the records of CSV strictly by RFC 4180, and finds the quotes that break it.
//!
//! Lenient readers take everything after a stray quote as one cell, up to the next stray quote.
//! The leads between them would disappear without a trace.

use super::lines::Lines;
use crate::problem::Problem;
use std::io::{self, Read};
use std::mem;

/// A longer record has lost a quote, or the input is not CSV.
pub(super) const MAX_RECORD_BYTES: usize = 16 * 1024 * 1024;

const DOUBLE_IT: &str = "put the whole cell in quotes, and double each quote that is part of it";
const CLOSE_IT: &str = "close the quote, or double it if it is part of the text";
const NO_BACKSLASH: &str = "write \"\" for a quote inside a cell, instead of \\\"";
const CHECK_QUOTES: &str = "check the quotes and the line ends";

/// One record, which may span lines.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// The line on which it begins.
    pub(super) line: u64,
    pub(super) cells: Vec<Vec<u8>>,
    /// The lines after the first one, if it spans several.
    pub(super) more_lines: Vec<u8>,
    /// Line and column of the first quote that does not close on its line.
    pub(super) spanning_quote: Option<(u64, usize)>,
}

/// Why a record cannot be read.
#[derive(Debug)]
pub(super) enum Fault {
    /// The structure is broken in this line.
    Broken(u64, Problem),
    /// The next lines cannot be found, so nothing after this can be read.
    Endless(u64, Problem),
    Io(io::Error),
}

/// Where records come from.
pub(super) trait RecordSource {
    /// Reads the next record. Returns None after the last one.
    fn next(&mut self) -> Option<Result<Record, Fault>>;

    /// Returns the line that is read next.
    fn line(&self) -> u64;

    /// Goes back to the line after the first one of the last record.
    fn retry_after_first_line(&mut self);
}

/// Iterates over records of text. Blank lines are passed over.
pub(super) struct Records<R> {
    lines: Lines<R>,
    delimiter: u8,
    /// The bytes of the last record, its first line, and where that ends.
    text: Vec<u8>,
    first_line: u64,
    first_end: usize,
}

impl<R: Read> Records<R> {
    pub(super) fn new(lines: Lines<R>, delimiter: u8) -> Self {
        Self { lines, delimiter, text: Vec::new(), first_line: 0, first_end: 0 }
    }
}

impl<R: Read> RecordSource for Records<R> {
    fn line(&self) -> u64 {
        self.lines.number() + 1
    }

    fn retry_after_first_line(&mut self) {
        self.lines.unread(&self.text[self.first_end..], self.first_line);
    }

    fn next(&mut self) -> Option<Result<Record, Fault>> {
        self.text.clear();
        let mut scanner = Scanner::default();
        let mut spanning_quote = None;
        loop {
            let line = self.line();
            let from = self.text.len();
            let limit = MAX_RECORD_BYTES.saturating_sub(from);
            match self.lines.read(&mut self.text, limit) {
                Err(error) => return Some(Err(Fault::Io(error))),
                Ok(true) => {}
                Ok(false) if scanner.state == State::Start && from == 0 => return None,
                Ok(false) => {
                    let (line, column) = scanner.opened;
                    let message = at(line, column, "this quote never closes");
                    let problem = Problem::new(message).hint(CLOSE_IT);
                    return Some(Err(Fault::Broken(self.first_line, problem)));
                }
            }
            if from == 0 {
                self.first_line = line;
                self.first_end = self.text.len();
            }
            if self.text.len() >= MAX_RECORD_BYTES {
                let line = self.first_line;
                let problem = Problem::new(format!("line {line}: the row is longer than 16 MiB"));
                let problem = problem.hint(CHECK_QUOTES);
                return Some(Err(if from == 0 {
                    Fault::Endless(line, problem)
                } else {
                    Fault::Broken(line, problem)
                }));
            }
            if from == 0 && matches!(self.text[..], [b'\r' | b'\n', ..]) {
                self.text.clear();
                continue;
            }
            match scanner.scan(&self.text, from, line, self.delimiter) {
                Ok(false) => {
                    spanning_quote.get_or_insert(scanner.opened);
                }
                Ok(true) => {
                    return Some(Ok(Record {
                        line: self.first_line,
                        cells: scanner.cells,
                        more_lines: self.text[self.first_end..].to_vec(),
                        spanning_quote,
                    }));
                }
                Err(problem) => return Some(Err(Fault::Broken(self.first_line, problem))),
            }
        }
    }
}

pub(super) fn at(line: u64, column: usize, what: &str) -> String {
    format!("line {line}, column {column}: {what}")
}

/// Splits one line without regard to the lines around it. Returns None if its quotes are broken.
pub(super) fn split(line: &[u8], delimiter: u8) -> Option<Vec<Vec<u8>>> {
    let mut scanner = Scanner::default();
    let is_whole = scanner.scan(line, 0, 1, delimiter).ok()?;
    is_whole.then_some(scanner.cells)
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before a cell. Only here, a quote opens a quoted cell.
    #[default]
    Start,
    Unquoted,
    Quoted,
    /// After a quote in a quoted cell, which ends the cell unless another quote follows.
    Quote,
}

/// Splits the lines of one record into cells.
#[derive(Default)]
struct Scanner {
    state: State,
    cells: Vec<Vec<u8>>,
    cell: Vec<u8>,
    /// Line and column of the last quote that opened a cell.
    opened: (u64, usize),
}

impl Scanner {
    /// Scans the line of `text` that begins at `from`. Returns whether it ends the record.
    fn scan(
        &mut self,
        text: &[u8],
        from: usize,
        line: u64,
        delimiter: u8,
    ) -> Result<bool, Problem> {
        for (index, &byte) in text.iter().enumerate().skip(from) {
            let column = || String::from_utf8_lossy(&text[from..index]).chars().count() + 1;
            self.state = match (self.state, byte) {
                (State::Quoted, b'"') => State::Quote,
                (State::Quoted, _) => {
                    self.cell.push(byte);
                    State::Quoted
                }
                (State::Quote, b'"') => {
                    self.cell.push(byte);
                    State::Quoted
                }
                (_, b'\r' | b'\n') => {
                    self.cells.push(mem::take(&mut self.cell));
                    return Ok(true);
                }
                (_, byte) if byte == delimiter => {
                    self.cells.push(mem::take(&mut self.cell));
                    State::Start
                }
                (State::Start, b'"') => {
                    self.opened = (line, column());
                    State::Quoted
                }
                (State::Quote, _) => return Err(self.after_quote(line, column())),
                (State::Unquoted, b'"') => {
                    let what = if self.cell.iter().all(u8::is_ascii_whitespace) {
                        "a blank before a quote"
                    } else {
                        "a quote inside a cell that is not in quotes"
                    };
                    return Err(Problem::new(at(line, column(), what)).hint(DOUBLE_IT));
                }
                (State::Start | State::Unquoted, _) => {
                    self.cell.push(byte);
                    State::Unquoted
                }
            };
        }
        if self.state == State::Quoted {
            return Ok(false);
        }
        // The last line of a file may lack its line end.
        self.cells.push(mem::take(&mut self.cell));
        Ok(true)
    }

    fn after_quote(&self, line: u64, column: usize) -> Problem {
        let mut message = at(line, column, "text after a closing quote");
        let (opened_line, opened_column) = self.opened;
        if opened_line != line {
            let opened = format!(" of the cell from line {opened_line}, column {opened_column}");
            message.push_str(&opened);
        }
        let hint = if self.cell.ends_with(b"\\") { NO_BACKSLASH } else { DOUBLE_IT };
        Problem::new(message).hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads all records, and goes on after each fault.
    fn read(text: &str) -> Vec<Result<Vec<String>, String>> {
        let mut records = Records::new(Lines::new(text.as_bytes()), b',');
        let mut all = Vec::new();
        while let Some(next) = records.next() {
            all.push(match next {
                Ok(record) => {
                    let texts = record.cells.into_iter().map(String::from_utf8);
                    Ok(texts.collect::<Result<_, _>>().expect("UTF-8"))
                }
                Err(Fault::Broken(_, problem)) => {
                    records.retry_after_first_line();
                    Err(problem.message)
                }
                Err(fault) => panic!("{fault:?}"),
            });
        }
        all
    }

    fn fault(text: &str) -> String {
        let all = read(text);
        all.into_iter().find_map(Result::err).expect("a fault")
    }

    #[test]
    fn valid_records_are_split() {
        for (text, expected) in [
            ("a,b\n1,2\n", vec![vec!["a", "b"], vec!["1", "2"]]),
            ("\"a\",\"b\"\r\n\"x\r\ny\",\"\"", vec![vec!["a", "b"], vec!["x\r\ny", ""]]),
            ("\"say \"\"hello\"\"\",2\r\r3", vec![vec!["say \"hello\"", "2"], vec!["3"]]),
            ("\"\"\"\"\n,\n", vec![vec!["\""], vec!["", ""]]),
            ("it's 6', \n", vec![vec!["it's 6'", " "]]),
            ("\n\n", vec![]),
        ] {
            let records: Result<Vec<_>, _> = read(text).into_iter().collect();
            assert_eq!(records.expect("valid"), expected, "{text:?}");
        }
    }

    #[test]
    fn each_fault_has_line_and_column() {
        for (text, expected) in [
            ("a\n\"b", "line 2, column 1: this quote never closes"),
            ("a\r1,\"x\ry\"\r2,\"b\r", "line 4, column 3: this quote never closes"),
            ("é, \"b\"", "line 1, column 4: a blank before a quote"),
            ("5\" pipe", "line 1, column 2: a quote inside a cell that is not in quotes"),
            ("\"a\"b,c", "line 1, column 4: text after a closing quote"),
            ("\"a\" ,c", "line 1, column 4: text after a closing quote"),
            (
                "1,\"a\n\"b\"\n",
                "line 2, column 2: text after a closing quote of the cell from line 1, column 3",
            ),
        ] {
            assert_eq!(fault(text), expected, "{text:?}");
        }
    }

    #[test]
    fn reading_goes_on_at_the_line_after_the_first_of_a_broken_record() {
        let text = "1,\"A\n2,B\n3,\"C\"\n4,\"D\n5,E\n";
        let kept: Vec<_> = read(text).into_iter().filter_map(Result::ok).collect();
        let ids: Vec<_> = kept.iter().map(|cells| cells[0].as_str()).collect();
        assert_eq!(ids, ["2", "3", "5"]);
    }

    #[test]
    fn an_endless_line_ends_the_input() {
        let mut records = Records::new(Lines::new(io::repeat(b'x')), b',');
        assert!(matches!(records.next(), Some(Err(Fault::Endless(1, _)))));
    }
}
