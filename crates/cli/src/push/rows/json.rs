//! JSON documents: a list of leads, or leads one after the other, each on any number of lines.

use super::json_lead::{self, MAX_LEAD_BYTES};
use super::{Breaks, Row, Rows, unreadable_rest};
use crate::problem::Problem;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::io::{self, BufReader, Read};

pub(super) fn read(input: impl Read + Send + 'static) -> Rows {
    Rows {
        rows: Box::new(JsonRows {
            input: LineCounter { input: BufReader::new(input), line: 1, after_cr: false },
            expected: Expected::Start,
            row: 0,
            ended: false,
        }),
        notes: Vec::new(),
        warnings: Vec::new(),
        may_have_actions: true,
        columns: Vec::new(),
    }
}

/// What may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// A list, or the first lead.
    Start,
    /// Another lead, outside of a list.
    Lead,
    /// The first lead of a list, or the end of the list.
    FirstItem,
    Item,
    CommaOrEnd,
    End,
}

/// Iterates over the rows of an input. After broken JSON, the next lead cannot be found.
struct JsonRows<R> {
    input: LineCounter<R>,
    expected: Expected,
    row: u64,
    ended: bool,
}

/// Why no further lead can be read.
enum Fault {
    Broken(Problem),
    Io(io::Error),
}

impl<R: Read> Iterator for JsonRows<R> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        if self.ended {
            return None;
        }
        let found = self.next_value().transpose()?;
        self.row += 1;
        let line = self.input.line;
        let fault = match found {
            Ok((line, text)) => {
                let lead = json_lead::parse(text.get().as_bytes(), line);
                return Some(Row::new(self.row, line, lead));
            }
            Err(fault) => fault,
        };
        self.ended = true;
        Some(match fault {
            Fault::Broken(problem) => Row::broken(self.row, line, problem, Breaks::Rest),
            Fault::Io(error) => unreadable_rest(self.row, line, &error),
        })
    }
}

impl<R: Read> JsonRows<R> {
    fn fault(&self, what: impl Into<String>, hint: &str) -> Fault {
        let problem = Problem::new(what).at(format!("line {}", self.input.line));
        Fault::Broken(problem.hint(hint))
    }

    /// Returns the next value and the line on which it begins. Returns None after the last one.
    fn next_value(&mut self) -> Result<Option<(u64, Box<RawValue>)>, Fault> {
        use Expected::{CommaOrEnd, End, FirstItem, Item, Lead, Start};
        loop {
            let Some(byte) = self.input.byte().map_err(Fault::Io)? else {
                return match self.expected {
                    Start | Lead | End => Ok(None),
                    FirstItem | Item | CommaOrEnd => Err(self
                        .fault("the list never closes", "the file may be cut off; write it again")),
                };
            };
            self.expected = match (self.expected, byte) {
                (expected, b' ' | b'\t' | b'\r' | b'\n') => expected,
                (Start, b'[') => FirstItem,
                (FirstItem | CommaOrEnd, b']') => End,
                (CommaOrEnd, b',') => Item,
                (Start | Lead, b'{') => {
                    self.expected = Lead;
                    return self.value().map(Some);
                }
                (FirstItem | Item, b'{') => {
                    self.expected = CommaOrEnd;
                    return self.value().map(Some);
                }
                (_, byte) => {
                    let what = format!("unexpected {:?}", char::from(byte));
                    let hint =
                        "write a list of leads, such as [{\"fields\": {…}}, {\"fields\": {…}}]";
                    return Err(self.fault(what, hint));
                }
            };
        }
    }

    /// Reads the rest of the object whose first byte was read.
    fn value(&mut self) -> Result<(u64, Box<RawValue>), Fault> {
        let line = self.input.line;
        let rest = (&mut self.input).take(MAX_LEAD_BYTES as u64);
        let mut reader = serde_json::Deserializer::from_reader((&b"{"[..]).chain(rest));
        let error = match Box::<RawValue>::deserialize(&mut reader) {
            Ok(text) => return Ok((line, text)),
            Err(error) => error,
        };
        drop(reader);
        let reason = error.to_string();
        let (reason, _) = reason.split_once(" at line ").unwrap_or((&reason, ""));
        Err(if error.is_io() {
            Fault::Io(error.into())
        } else if error.is_eof() {
            self.fault(
                "the input ends within a lead, or the lead is longer than 16 MiB",
                "check the quotes and brackets, or write the file again if it was cut off",
            )
        } else {
            let column = error.column();
            self.fault(
                format!("invalid JSON at column {column} ({reason})"),
                "check the quotes, commas and brackets",
            )
        })
    }
}

/// Counts the lines that are read. A line ends with LF, CR LF or CR.
struct LineCounter<R> {
    input: BufReader<R>,
    line: u64,
    after_cr: bool,
}

impl<R: Read> LineCounter<R> {
    fn byte(&mut self) -> io::Result<Option<u8>> {
        let mut byte = [0];
        let length = self.read(&mut byte)?;
        Ok((length > 0).then_some(byte[0]))
    }
}

impl<R: Read> Read for LineCounter<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = loop {
            match self.input.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                length => break length?,
            }
        };
        for byte in &buffer[..length] {
            let ends_line = *byte == b'\r' || (*byte == b'\n' && !self.after_cr);
            self.line += u64::from(ends_line);
            self.after_cr = *byte == b'\r';
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &'static str) -> Vec<(u64, Result<String, String>)> {
        let rows = read(text.as_bytes()).rows;
        rows.map(|row| {
            let lead = row.lead.map(|lead| lead.to_json()["fields"]["a"].to_string());
            (row.line, lead.map_err(|problem| problem.message))
        })
        .collect()
    }

    fn leads(text: &'static str) -> Vec<(u64, String)> {
        let rows = rows(text).into_iter();
        rows.map(|(line, lead)| (line, lead.expect(text))).collect()
    }

    #[test]
    fn lists_and_sequences_are_read_with_their_lines() {
        let expected = [(2, "1".to_owned()), (3, "\"],{\\\"\"".to_owned())];
        for text in [
            "[\n{\"fields\":{\"a\":1}},\r\n{\"fields\":{\"a\":\"],{\\\"\"}}]\n",
            "\n{\"fields\":{\"a\":1}}\r{\"fields\":{\"a\":\"],{\\\"\"}}",
        ] {
            assert_eq!(leads(text), expected, "{text}");
        }
        assert_eq!(leads(" [ ] "), []);
        assert_eq!(leads("{\n\"fields\":\n{\"a\":1}}\n{\n\"fields\": {}}").len(), 2);
    }

    #[test]
    fn broken_json_ends_the_input() {
        for (text, expected) in [
            ("[{\"fields\":{}}", "line 1: the list never closes"),
            ("[{\"fields\":{}},", "line 1: the list never closes"),
            ("[{\"fields\":{}}\n{\"fields\":{}}]", "line 2: unexpected '{'"),
            ("[,{\"fields\":{}}]", "line 1: unexpected ','"),
            ("[]\n[]", "line 2: unexpected '['"),
            ("[{\"fields\":\n{\"a\":1}", "line 2: the input ends within a lead"),
            ("[{\"fields\":\n{oops}}]", "line 2: invalid JSON at column 2 (key must be a string)"),
        ] {
            let last = rows(text).pop().expect("a row").1.expect_err(text);
            assert!(last.starts_with(expected), "{text}: {last}");
        }
    }

    #[test]
    fn an_object_that_is_not_a_lead_is_an_error_of_its_row() {
        let rows = rows("[{\"a\":1}, {\"fields\":{\"a\":1}}, {}, {\"fields\":5}]");
        let valid: Vec<_> = rows.iter().map(|(_, lead)| lead.is_ok()).collect();
        assert_eq!(valid, [false, true, false, false]);
    }
}
