//! JSON lines: each line is a lead in the form of the Async API.

use super::json_lead::{self, MAX_LEAD_BYTES};
use super::lines::Lines;
use super::{Row, Rows, unreadable_rest};
use crate::problem::Problem;
use std::io::Read;

pub(super) fn read(input: impl Read + Send + 'static) -> Rows {
    Rows {
        rows: Box::new(JsonLines { lines: Lines::new(input), row: 0, ended: false }),
        notes: Vec::new(),
        warnings: Vec::new(),
        may_have_actions: true,
        columns: Vec::new(),
    }
}

/// Iterates over the rows of an input. Blank lines are passed over.
struct JsonLines<R> {
    lines: Lines<R>,
    row: u64,
    ended: bool,
}

impl<R: Read> Iterator for JsonLines<R> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        let mut text = Vec::new();
        while !self.ended {
            text.clear();
            let mut result = self.lines.read(&mut text, MAX_LEAD_BYTES);
            let line = self.lines.number();
            let is_too_long = text.len() >= MAX_LEAD_BYTES;
            if is_too_long {
                result = self.lines.skip_rest().map(|()| true);
            }
            match result {
                Ok(true) if text.trim_ascii().is_empty() => continue,
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    self.ended = true;
                    return Some(unreadable_rest(self.row + 1, line + 1, &error));
                }
            }
            let lead = if is_too_long {
                let problem = Problem::new(format!("line {line}: the line is longer than 16 MiB"));
                Err(problem.hint("write one lead per line"))
            } else {
                json_lead::parse(text.trim_ascii(), line)
            };
            self.row += 1;
            return Some(Row::new(self.row, line, lead));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

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
        let rows = rows(b"{\"fields\":{\"phone\":\"1\"}}\r\n\n  \n{oops}\n{\"fields\":{}}");
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
          hint: save the file as UTF-8, or name its encoding with --encoding
        "#);
        insta::assert_snapshot!(error(b"{\"fields\": {\"name\": \"A\", \"name\": \"B\"}}"), @"line 1: duplicate key `fields.name`");
    }

    #[test]
    fn numbers_keep_every_digit() {
        let lines = br#"{"fields":{"deal_size":[0.12345678901234567,1e300,-0],"id":18446744073709551616,"name":"\\\"1"}}"#;
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
