//! JSON lines: the body of the Async API per line.

use super::{Row, Rows, broken};
use serde_json::error::Category;
use std::io::{self, BufRead, BufReader, Read};
use telecrm::Lead;

/// No lead is as long as that; a longer line is a file of another kind.
const LONGEST_LINE: u64 = 16 * 1024 * 1024;

pub(super) fn read(input: impl Read + Send + 'static) -> Rows {
    Rows {
        rows: Box::new(JsonLines::new(input)),
        warnings: Vec::new(),
        may_have_actions: true,
    }
}

/// How many lines are not blank.
pub(super) fn count(input: impl Read) -> Option<u64> {
    let mut lines = JsonLines::new(input);
    let mut count = 0;
    while lines.next_line().ok()? {
        count += u64::from(!lines.text().is_empty());
    }
    Some(count)
}

struct JsonLines<R> {
    input: BufReader<R>,
    buffer: Vec<u8>,
    line: u64,
    row: u64,
    ended: bool,
}

impl<R: Read> JsonLines<R> {
    fn new(input: R) -> Self {
        Self {
            input: BufReader::new(input),
            buffer: Vec::new(),
            line: 0,
            row: 0,
            ended: false,
        }
    }

    /// Fills the buffer with the next line, as far as it is not too long. Says whether there is one.
    fn next_line(&mut self) -> io::Result<bool> {
        self.buffer.clear();
        let mut input = (&mut self.input).take(LONGEST_LINE);
        let length = input.read_until(b'\n', &mut self.buffer)? as u64;
        if length == LONGEST_LINE && self.buffer.last() != Some(&b'\n') {
            self.input.skip_until(b'\n')?;
        }
        self.line += 1;
        Ok(length > 0)
    }

    /// The line without the blanks around it, and without the mark that some editors put in front of UTF-8.
    fn text(&self) -> &[u8] {
        let line = self.buffer.as_slice();
        let marked = line
            .strip_prefix(b"\xef\xbb\xbf")
            .filter(|_| self.line == 1);
        marked.unwrap_or(line).trim_ascii()
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
                    return Some(broken(self.row + 1, self.line + 1, &error));
                }
            }
            let text = self.text();
            if text.is_empty() {
                continue;
            }
            let lead = parse(text).map_err(|reason| format!("line {}: {reason}", self.line));
            self.row += 1;
            return Some(Row {
                number: self.row,
                lead,
            });
        }
        None
    }
}

/// What the parser says of more than 127 levels of lists and objects.
const TOO_DEEP: &str = "recursion limit exceeded";

fn parse(text: &[u8]) -> Result<Lead, String> {
    if text.len() as u64 >= LONGEST_LINE - 1 {
        return Err("longer than 16 MiB: write one lead per line".to_owned());
    }
    let text = std::str::from_utf8(text).map_err(|error| {
        let byte = error.valid_up_to() + 1;
        format!("not UTF-8 at byte {byte}: save the file as UTF-8")
    })?;
    serde_json::from_str(text).map_err(|error| {
        let full = error.to_string();
        // What is nested too deep is told with two places, of which the first is its own.
        let (reason, place) = full.split_once(" at line 1 column ").unwrap_or((&full, ""));
        let column = place.split(' ').next().unwrap_or(place);
        match error.classify() {
            Category::Eof => format!(
                "the JSON ends too early, at column {column} ({reason}): write each lead on one line"
            ),
            Category::Data if reason == TOO_DEEP => format!(
                "nested too deep at column {column}, below 127 levels: write nested JSON as a text, or leave it out"
            ),
            // JSON, and no lead: it says so itself.
            Category::Data => reason.to_owned(),
            Category::Syntax | Category::Io => format!(
                "not JSON at column {column} ({reason}): write one lead per line, {{\"fields\": {{…}}}}"
            ),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &'static [u8]) -> Vec<(u64, Result<String, String>)> {
        let rows = read(text).rows;
        rows.map(|row| (row.number, row.lead.map(|lead| lead.to_json().to_string())))
            .collect()
    }

    fn error(text: &'static [u8]) -> String {
        let mut rows = rows(text);
        assert_eq!(rows.len(), 1, "{rows:?}");
        rows.remove(0).1.expect_err("not a lead")
    }

    #[test]
    fn blank_lines_do_not_count_and_bad_lines_do_not_stop() {
        let rows =
            rows(b"\xef\xbb\xbf{\"fields\":{\"phone\":\"1\"}}\r\n\n  \n{oops}\n{\"fields\":{}}");
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[0], (1, Ok(r#"{"fields":{"phone":"1"}}"#.to_owned())));
        let (number, error) = &rows[1];
        assert_eq!(*number, 2);
        let error = error.as_ref().expect_err("not JSON");
        assert!(error.starts_with("line 4: not JSON at column 2"), "{error}");
        assert_eq!(rows[2], (3, Ok(r#"{"fields":{}}"#.to_owned())));
    }

    #[test]
    fn each_fault_names_place_reason_and_remedy() {
        insta::assert_snapshot!(error(b"{\"fields\": {\"phone\": \"91\""), @"line 1: the JSON ends too early, at column 25 (EOF while parsing an object): write each lead on one line");
        insta::assert_snapshot!(error(b"phone,name"), @r#"line 1: not JSON at column 1 (expected value): write one lead per line, {"fields": {…}}"#);
        insta::assert_snapshot!(error(b"{\"phone\": \"919999900001\"}"), @r#"line 1: `fields` is missing (expected {"fields": {…}, "actions": […]})"#);
        insta::assert_snapshot!(error(b"[1]"), @"line 1: the lead is a list, not an object");
        insta::assert_snapshot!(error(b"{\"fields\": {\"name\": \"\xff\"}}"), @"line 1: not UTF-8 at byte 22: save the file as UTF-8");
        insta::assert_snapshot!(error(b"{\"fields\": {\"name\": \"A\", \"name\": \"B\"}}"), @"line 1: duplicate key `fields.name`");
    }

    #[test]
    fn every_digit_is_kept() {
        let lines = br#"{"fields":{"deal_size":[0.12345678901234567,1e400,-0],"id":18446744073709551616,"name":"\\\"1"}}"#;
        let rows: Vec<_> = read(&lines[..]).rows.collect();
        let lead = rows[0].lead.as_ref().expect("a lead");
        let written = serde_json::to_string(lead).expect("JSON");
        assert_eq!(written, String::from_utf8_lossy(lines));
    }

    #[test]
    fn json_without_a_bottom_is_told_as_such() {
        let lists = ["[", "]"].map(|bracket| bracket.repeat(500)).concat();
        let deep: &'static [u8] = [r#"{"fields": {"a": "#, &lists, "}}"]
            .concat()
            .leak()
            .as_bytes();
        insta::assert_snapshot!(error(deep), @"line 1: nested too deep at column 143, below 127 levels: write nested JSON as a text, or leave it out");
    }

    #[test]
    fn an_endless_line_is_refused_and_the_next_one_read() {
        let long = std::iter::repeat_n(b'x', 17 * 1024 * 1024);
        let text: Vec<u8> = long.chain(*b"\n{\"fields\":{}}\n").collect();
        let rows: Vec<_> = read(io::Cursor::new(text)).rows.collect();
        assert_eq!(rows.len(), 2);
        assert!(
            rows[0]
                .lead
                .as_ref()
                .is_err_and(|error| error.contains("16 MiB"))
        );
        assert!(rows[1].lead.is_ok());
    }

    #[test]
    fn a_fault_of_the_disk_is_the_last_row() {
        struct Failing;
        impl Read for Failing {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("the disk is gone"))
            }
        }
        let rows: Vec<_> = read(b"{\"fields\":{}}\n".chain(Failing)).rows.collect();
        assert_eq!(rows.len(), 2);
        let error = rows[1].lead.as_ref().expect_err("broken");
        assert!(
            error.contains("line 2: reading failed: the disk is gone"),
            "{error}"
        );
    }
}
