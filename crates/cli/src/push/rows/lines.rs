//! Reads lines that end with LF, CR LF or CR, and can go back to an earlier line.

use std::io::{self, BufRead, BufReader, Read};

pub(super) struct Lines<R> {
    input: BufReader<R>,
    /// Bytes to read again, and how many of them were read.
    again: Vec<u8>,
    position: usize,
    /// Counts the lines that were read.
    number: u64,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input: BufReader::with_capacity(64 * 1024, input),
            again: Vec::new(),
            position: 0,
            number: 0,
        }
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Appends the next line with its end, or its first `limit` bytes. Returns false at the end.
    pub(super) fn read(&mut self, line: &mut Vec<u8>, limit: usize) -> io::Result<bool> {
        let start = line.len();
        let mut ended = false;
        while !ended && line.len() - start < limit {
            let bytes = self.peek()?;
            if bytes.is_empty() {
                break;
            }
            let bytes = &bytes[..bytes.len().min(limit - (line.len() - start))];
            let end = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
            ended = end.is_some();
            let length = end.map_or(bytes.len(), |end| end + 1);
            line.extend_from_slice(&bytes[..length]);
            self.consume(length);
        }
        if ended && line.last() == Some(&b'\r') && self.peek()?.first() == Some(&b'\n') {
            line.push(b'\n');
            self.consume(1);
        }
        let has_line = line.len() > start;
        self.number += u64::from(has_line);
        Ok(has_line)
    }

    /// Passes over the rest of a line that was longer than the limit.
    pub(super) fn skip_rest(&mut self) -> io::Result<()> {
        let number = self.number;
        let mut part = Vec::new();
        while self.read(&mut part, 64 * 1024)? && !part.ends_with(b"\n") && !part.ends_with(b"\r") {
            part.clear();
        }
        self.number = number;
        Ok(())
    }

    /// Goes back by these bytes, which were read last and follow the line with this number.
    pub(super) fn unread(&mut self, bytes: &[u8], line: u64) {
        self.number = line;
        if self.position >= bytes.len() {
            self.position -= bytes.len();
        } else {
            // Some came from the input, so that the bytes to read again are used up.
            self.again = bytes.to_vec();
            self.position = 0;
        }
    }

    fn peek(&mut self) -> io::Result<&[u8]> {
        if self.position < self.again.len() {
            return Ok(&self.again[self.position..]);
        }
        loop {
            match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(_) => break,
            }
        }
        Ok(self.input.buffer())
    }

    fn consume(&mut self, length: usize) {
        if self.position < self.again.len() {
            self.position += length;
        } else {
            self.again.clear();
            self.position = 0;
            self.input.consume(length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_line_end_ends_one_line() {
        let mut lines = Lines::new(&b"a\nb\r\nc\rd\r\r\ne"[..]);
        let mut all = Vec::new();
        let mut line = Vec::new();
        while lines.read(&mut line, 100).expect("reads") {
            all.push(String::from_utf8(std::mem::take(&mut line)).expect("UTF-8"));
        }
        assert_eq!(all, ["a\n", "b\r\n", "c\r", "d\r", "\r\n", "e"]);
        assert_eq!(lines.number(), 6);
    }

    #[test]
    fn lines_can_be_read_again() {
        let mut lines = Lines::new(&b"a\nb\nc\nd"[..]);
        let mut text = Vec::new();
        for _ in 0..3 {
            lines.read(&mut text, 100).expect("reads");
        }
        lines.unread(b"b\nc\n", 1);
        let mut again = Vec::new();
        lines.read(&mut again, 100).expect("reads");
        lines.unread(b"", 2);
        lines.read(&mut again, 100).expect("reads");
        lines.read(&mut again, 100).expect("reads");
        assert_eq!(again, b"b\nc\nd");
        lines.unread(b"c\nd", 2);
        again.clear();
        while lines.read(&mut again, 100).expect("reads") {}
        assert_eq!((again.as_slice(), lines.number()), (&b"c\nd"[..], 4));
    }
}
