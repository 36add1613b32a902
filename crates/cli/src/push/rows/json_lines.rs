//! JSON lines: each line is a lead in the form of the Async API.

use super::{Row, Rows, unreadable_rest};
use crate::problem::Problem;
use serde_json::error::Category;
use std::io::{self, BufRead, BufReader, Read};
use telecrm::Lead;

/// A longer line is not a lead.
const MAX_LINE_BYTES: u64 = 16 * 1024 * 1024;

pub(super) fn read(input: impl Read + Send + 'static) -> Rows {
    Rows { rows: Box::new(JsonLines::new(input)), warnings: Vec::new(), may_have_actions: true }
}

/// Counts the lines that are not blank.
pub(super) fn count(input: impl Read) -> Option<u64> {
    let mut lines = JsonLines::new(input);
    let mut count = 0;
    while lines.next_line().ok()? {
        count += u64::from(!lines.text().is_empty());
    }
    Some(count)
}

/// Iterates over the rows of a file.
struct JsonLines<R> {
    input: BufReader<R>,
    buffer: Vec<u8>,
    line: u64,
    row: u64,
    ended: bool,
}

impl<R: Read> JsonLines<R> {
    fn new(input: R) -> Self {
        Self { input: BufReader::new(input), buffer: Vec::new(), line: 0, row: 0, ended: false }
    }

    /// Reads the next line, up to the maximum, into the buffer. Returns false after the last line.
    fn next_line(&mut self) -> io::Result<bool> {
        self.buffer.clear();
        let mut input = (&mut self.input).take(MAX_LINE_BYTES);
        let length = input.read_until(b'\n', &mut self.buffer)? as u64;
        if length == MAX_LINE_BYTES && self.buffer.last() != Some(&b'\n') {
            self.input.skip_until(b'\n')?;
        }
        self.line += 1;
        Ok(length > 0)
    }

    /// Returns the line without surrounding blanks and without a byte order mark.
    fn text(&self) -> &[u8] {
        let line = match self.buffer.strip_prefix(b"\xef\xbb\xbf") {
            Some(line) if self.line == 1 => line,
            _ => &self.buffer,
        };
        line.trim_ascii()
    }
}

impl<R: Read> Iterator for JsonLines<R> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        while !self.ended {
            match self.next_line() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    self.ended = true;
                    return Some(unreadable_rest(self.row + 1, self.line + 1, &error));
                }
            }
            let text = self.text();
            if text.is_empty() {
                continue;
            }
            let lead = parse(text).map_err(|problem| problem.at(format!("line {}", self.line)));
            self.row += 1;
            return Some(Row { number: self.row, lead });
        }
        None
    }
}

/// The message of serde_json for more than 127 levels of lists and objects.
const TOO_DEEP: &str = "recursion limit exceeded";

fn parse(text: &[u8]) -> Result<Lead, Problem> {
    if text.len() as u64 >= MAX_LINE_BYTES - 1 {
        let problem = Problem::new("the line is longer than 16 MiB");
        return Err(problem.hint("write one lead per line"));
    }
    let text = std::str::from_utf8(text).map_err(|error| {
        let byte = error.valid_up_to() + 1;
        Problem::new(format!("not UTF-8 at byte {byte}")).hint("save the file as UTF-8")
    })?;
    serde_json::from_str(text).map_err(|error| {
        let full = error.to_string();
        // A nested value has its own place in front of that in the line.
        let (reason, place) = full.split_once(" at line 1 column ").unwrap_or((&full, ""));
        let column = place.split(' ').next().unwrap_or(place);
        match error.classify() {
            Category::Eof => {
                Problem::new(format!("the JSON ends early at column {column} ({reason})"))
                    .hint("write each lead on one line")
            }
            Category::Data if reason == TOO_DEEP => {
                Problem::new(format!("more than 127 levels of nested JSON at column {column}"))
                    .hint("send the nested JSON as text, or remove it")
            }
            // The JSON is valid, but not a lead. The message says what is wrong.
            Category::Data => Problem::new(reason),
            Category::Syntax | Category::Io => Problem::new(format!(
                "invalid JSON at column {column} ({reason})"
            ))
            .hint("write one lead per line, such as {\"fields\": {\"phone\": \"919999999999\"}}"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &'static [u8]) -> Vec<(u64, Result<String, String>)> {
        let rows = read(text).rows;
        rows.map(|row| {
            (
                row.number,
                row.lead
                    .map(|lead| lead.to_json().to_string())
                    .map_err(|problem| problem.to_string()),
            )
        })
        .collect()
    }

    fn error(text: &'static [u8]) -> String {
        let mut rows = rows(text);
        assert_eq!(rows.len(), 1, "{rows:?}");
        rows.remove(0).1.expect_err("not a lead")
    }

    #[test]
    fn blank_lines_are_skipped_and_bad_lines_are_errors() {
        let rows =
            rows(b"\xef\xbb\xbf{\"fields\":{\"phone\":\"1\"}}\r\n\n  \n{oops}\n{\"fields\":{}}");
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[0], (1, Ok(r#"{"fields":{"phone":"1"}}"#.to_owned())));
        let (number, error) = &rows[1];
        assert_eq!(*number, 2);
        let error = error.as_ref().expect_err("invalid JSON");
        assert!(error.starts_with("line 4: invalid JSON at column 2"), "{error}");
        assert_eq!(rows[2], (3, Ok(r#"{"fields":{}}"#.to_owned())));
    }

    #[test]
    fn a_bad_line_is_an_error_with_a_hint() {
        insta::assert_snapshot!(error(b"{\"fields\": {\"phone\": \"91\""), @r#"
        line 1: the JSON ends early at column 25 (EOF while parsing an object)
          hint: write each lead on one line
        "#);
        insta::assert_snapshot!(error(b"phone,name"), @r#"
        line 1: invalid JSON at column 1 (expected value)
          hint: write one lead per line, such as {"fields": {"phone": "919999999999"}}
        "#);
        insta::assert_snapshot!(error(b"{\"phone\": \"919999900001\"}"), @r#"line 1: `fields` is missing (write {"fields": {…}, "actions": […]})"#);
        insta::assert_snapshot!(error(b"[1]"), @"line 1: the lead is a list, not an object");
        insta::assert_snapshot!(error(b"{\"fields\": {\"name\": \"\xff\"}}"), @r#"
        line 1: not UTF-8 at byte 22
          hint: save the file as UTF-8
        "#);
        insta::assert_snapshot!(error(b"{\"fields\": {\"name\": \"A\", \"name\": \"B\"}}"), @"line 1: duplicate key `fields.name`");
    }

    #[test]
    fn numbers_keep_every_digit() {
        let lines = br#"{"fields":{"deal_size":[0.12345678901234567,1e400,-0],"id":18446744073709551616,"name":"\\\"1"}}"#;
        let rows: Vec<_> = read(&lines[..]).rows.collect();
        let lead = rows[0].lead.as_ref().expect("a lead");
        let written = serde_json::to_string(lead).expect("JSON");
        assert_eq!(written, String::from_utf8_lossy(lines));
    }

    #[test]
    fn too_many_levels_of_json_are_an_error() {
        let lists = ["[", "]"].map(|bracket| bracket.repeat(500)).concat();
        let deep: &'static [u8] = [r#"{"fields": {"a": "#, &lists, "}}"].concat().leak().as_bytes();
        insta::assert_snapshot!(error(deep), @r#"
        line 1: more than 127 levels of nested JSON at column 143
          hint: send the nested JSON as text, or remove it
        "#);
    }

    #[test]
    fn an_endless_line_is_refused_and_the_next_line_is_read() {
        let long = std::iter::repeat_n(b'x', 17 * 1024 * 1024);
        let text: Vec<u8> = long.chain(*b"\n{\"fields\":{}}\n").collect();
        let rows: Vec<_> = read(io::Cursor::new(text)).rows.collect();
        assert_eq!(rows.len(), 2);
        assert!(rows[0].lead.as_ref().is_err_and(|problem| problem.message.contains("16 MiB")));
        assert!(rows[1].lead.is_ok());
    }

    #[test]
    fn a_read_error_is_the_last_row() {
        struct Failing;
        impl Read for Failing {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("the disk is gone"))
            }
        }
        let rows: Vec<_> = read(b"{\"fields\":{}}\n".chain(Failing)).rows.collect();
        assert_eq!(rows.len(), 2);
        let error = rows[1].lead.as_ref().expect_err("unreadable");
        assert!(error.message.contains("line 2: cannot read on: the disk is gone"), "{error}");
    }
}
