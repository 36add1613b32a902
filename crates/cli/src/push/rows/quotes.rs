//! Checks the quotes of a CSV input.
//!
//! The crate `csv` reads everything after an unclosed quote as one cell, to the end of the input.
//! Many leads would then disappear in a cell of the lead before them.

use crate::problem::Problem;
use std::io::{self, Read};

/// A longer record has lost a quote, or the file is not CSV.
pub(super) const MAX_RECORD_BYTES: u64 = 16 * 1024 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Passes bytes through, and fails at the end of an unclosed quote or an endless record.
pub(super) struct QuoteCheck<R> {
    input: R,
    state: State,
    line: u64,
    record_bytes: u64,
    /// The line on which the record begins.
    record_line: u64,
    /// How many bytes of a leading byte order mark were read. None after other bytes.
    mark: Option<usize>,
}

/// Where the last byte was, according to RFC 4180 and the crate `csv`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before a cell. Only here, a quote opens a quoted cell.
    Start,
    Unquoted,
    /// In a quoted cell whose quote is on this line.
    Quoted(u64),
    /// After a quote in a quoted cell, which ends the cell unless another quote follows.
    Quote(u64),
}

impl<R> QuoteCheck<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, state: State::Start, line: 1, record_bytes: 0, record_line: 1, mark: Some(0) }
    }

    fn advance(&mut self, byte: u8) {
        if let Some(read) = self.mark {
            if BYTE_ORDER_MARK.get(read) == Some(&byte) {
                self.mark = Some(read + 1);
                return;
            }
            self.mark = None;
        }
        self.line += u64::from(byte == b'\n');
        if !matches!(self.state, State::Quoted(_)) && matches!(byte, b'\r' | b'\n') {
            self.record_bytes = 0;
            self.record_line = self.line;
            self.state = State::Start;
            return;
        }
        self.record_bytes += 1;
        self.state = match (self.state, byte) {
            (State::Start, b'"') => State::Quoted(self.line),
            (State::Quoted(line), b'"') => State::Quote(line),
            (State::Quote(line), b'"') => State::Quoted(line),
            (State::Quoted(line), _) => State::Quoted(line),
            (_, b',') => State::Start,
            _ => State::Unquoted,
        };
    }

    fn check_end(&self) -> Result<(), Problem> {
        let State::Quoted(line) = self.state else {
            return Ok(());
        };
        let message =
            format!("line {line}: this quote never closes; rows from here on were not sent");
        Err(Problem::new(message).hint("close the quote, or double it if it is part of the text"))
    }

    fn check_length(&self) -> Result<(), Problem> {
        if self.record_bytes <= MAX_RECORD_BYTES {
            return Ok(());
        }
        let line = match self.state {
            State::Quoted(line) | State::Quote(line) => line,
            State::Start | State::Unquoted => self.record_line,
        };
        let message =
            format!("line {line}: the row is longer than 16 MiB; rows from here on were not sent");
        Err(Problem::new(message).hint("check the quotes and the line ends"))
    }
}

impl<R: Read> Read for QuoteCheck<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Before reading on, so that earlier records in the last buffer are still read.
        self.check_length().map_err(io::Error::other)?;
        let length = self.input.read(buffer)?;
        for byte in buffer.iter().take(length) {
            self.advance(*byte);
        }
        if length == 0 && !buffer.is_empty() {
            self.check_end().map_err(io::Error::other)?;
        }
        Ok(length)
    }
}

/// Returns the problem that this check found. Returns None for an error of the input itself.
pub(super) fn problem(error: &io::Error) -> Option<&Problem> {
    error.get_ref()?.downcast_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        match QuoteCheck::new(text).read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(error) => Err(problem(&error).expect("of the check").to_string()),
        }
    }

    #[test]
    fn valid_quotes_pass_unchanged() {
        for text in [
            "",
            "a,b\n1,2\n",
            "\"a\",\"b\"\r\n\"x\ny\",\"\"\n",
            "\"say \"\"hello\"\"\",2",
            "5\" pipe,it's 6\"\n",
            "\u{feff}\"a\",b\n",
            "\"a\"b,c\"\n",
            "\"\"\"\"",
        ] {
            assert_eq!(read(text.as_bytes()).as_deref(), Ok(text.as_bytes()));
        }
    }

    #[test]
    fn an_unclosed_quote_is_an_error_with_its_line() {
        for (text, line) in [
            ("\"a", 1),
            ("\u{feff}\"a\n", 1),
            ("a\r\n1,\"x\ny\"\n2,\"b\n3,c\n", 4),
            ("a\n1,\"b\"\"\n", 2),
            ("a\n\"b\"\n\"", 3),
        ] {
            let error = read(text.as_bytes()).expect_err("unclosed");
            assert!(error.starts_with(&format!("line {line}: this quote")), "{error}");
        }
    }
}
