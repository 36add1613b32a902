//! A watch over the quotes of a CSV input.
//!
//! The reader of the crate `csv` takes whatever follows an unclosed quote for one cell, to the end of the input, and
//! holds all of it: leads would vanish into a cell of the one before.

use std::fmt;
use std::io::{self, Read};

/// No lead is as long as that; a longer record is one that lost a quote, or a file of another kind.
pub(super) const LONGEST_RECORD: u64 = 16 * 1024 * 1024;

const MARK: &[u8] = b"\xef\xbb\xbf";

/// Bytes that fail where a record cannot be what was meant.
pub(super) struct Watched<R> {
    input: R,
    state: State,
    line: u64,
    /// Bytes of the record so far.
    length: u64,
    /// The line in which the record starts.
    start: u64,
    /// How many bytes of the mark in front of UTF-8 were passed over; nothing once other bytes came.
    mark: Option<usize>,
}

/// Where the last byte stands, as RFC 4180 and the crate `csv` see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In front of a cell: only here a quote opens.
    Start,
    Bare,
    /// In a quoted cell, and the line of its quote.
    Quoted(u64),
    /// After a quote within a quoted cell: the second half of a pair, or the end of it.
    Quote(u64),
}

/// Why the input cannot be read on: place, reason and remedy.
#[derive(Debug)]
pub(super) struct Fault(String);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}

impl<R> Watched<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            state: State::Start,
            line: 1,
            length: 0,
            start: 1,
            mark: Some(0),
        }
    }

    fn watch(&mut self, byte: u8) {
        if let Some(passed) = self.mark {
            let goes_on = MARK.get(passed) == Some(&byte);
            self.mark = goes_on.then_some(passed + 1);
            if goes_on {
                return;
            }
        }
        self.length += 1;
        let ends = !matches!(self.state, State::Quoted(_)) && matches!(byte, b'\r' | b'\n');
        self.line += u64::from(byte == b'\n');
        if ends {
            self.length = 0;
            self.start = self.line;
        }
        self.state = match (self.state, byte) {
            _ if ends => State::Start,
            (State::Start, b'"') => State::Quoted(self.line),
            (State::Quoted(line), b'"') => State::Quote(line),
            (State::Quote(line), b'"') => State::Quoted(line),
            (State::Quoted(line), _) => State::Quoted(line),
            (_, b',') => State::Start,
            _ => State::Bare,
        };
    }

    fn unclosed(&self) -> Option<Fault> {
        let State::Quoted(line) = self.state else {
            return None;
        };
        Some(Fault(format!(
            "line {line}: a quote opens here and never closes, so it cannot be told where this row ends: close it, or double a quote that is meant as such; nothing from here on was sent"
        )))
    }

    fn too_long(&self) -> Option<Fault> {
        if self.length <= LONGEST_RECORD {
            return None;
        }
        let (line, reason) = match self.state {
            State::Quoted(line) | State::Quote(line) => {
                (line, "a quote opens here, and the row is")
            }
            State::Start | State::Bare => (self.start, "the row is"),
        };
        Some(Fault(format!(
            "line {line}: {reason} longer than 16 MiB: check the quotes and the line ends; nothing from here on was sent"
        )))
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Here and not where it shows, so that the records before it in the buffer are still read.
        if let Some(fault) = self.too_long() {
            return Err(io::Error::other(fault));
        }
        let length = self.input.read(buffer)?;
        for byte in buffer.iter().take(length) {
            self.watch(*byte);
        }
        match self
            .unclosed()
            .filter(|_| length == 0 && !buffer.is_empty())
        {
            Some(fault) => Err(io::Error::other(fault)),
            None => Ok(length),
        }
    }
}

/// The fault behind an error of reading, if it is one of the text.
pub(super) fn fault(error: &io::Error) -> Option<&Fault> {
    error.get_ref()?.downcast_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        match Watched::new(text).read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(error) => Err(fault(&error).expect("one of the text").to_string()),
        }
    }

    #[test]
    fn what_is_well_quoted_passes_unchanged() {
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
    fn an_unclosed_quote_is_told_with_its_line() {
        for (text, line) in [
            ("\"a", 1),
            ("\u{feff}\"a\n", 1),
            ("a\r\n1,\"x\ny\"\n2,\"b\n3,c\n", 4),
            ("a\n1,\"b\"\"\n", 2),
            ("a\n\"b\"\n\"", 3),
        ] {
            let error = read(text.as_bytes()).expect_err("unclosed");
            assert!(
                error.starts_with(&format!("line {line}: a quote")),
                "{error}"
            );
        }
    }
}
