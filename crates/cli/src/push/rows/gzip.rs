//! Input that gzip has compressed, recognised by its first two bytes.

use flate2::read::MultiGzDecoder;
use std::io::{self, Chain, Cursor, Read};

const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// A file that grows more than this is no list of leads but an attack.
const MAX_RATIO: u64 = 1000;

/// Files may grow so far in any case.
const FREE_BYTES: u64 = 64 * 1024 * 1024;

/// Returns the decompressed bytes of an input, or its bytes as they are.
pub(super) fn decoded(mut input: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    let mut start = Vec::new();
    input.by_ref().take(2).read_to_end(&mut start)?;
    let is_gzip = start == MAGIC;
    let input = Cursor::new(start).chain(input);
    if !is_gzip {
        return Ok(Box::new(input));
    }
    let input = MultiGzDecoder::new(Counted { input, read: 0 });
    Ok(Box::new(Bounded { input, written: 0 }))
}

type Input = Chain<Cursor<Vec<u8>>, Box<dyn Read + Send>>;

/// Counts the compressed bytes.
struct Counted {
    input: Input,
    read: u64,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(buffer)?;
        self.read += length as u64;
        Ok(length)
    }
}

/// Fails when the output is out of proportion to the input.
struct Bounded {
    input: MultiGzDecoder<Counted>,
    written: u64,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(buffer).map_err(|error| {
            io::Error::new(error.kind(), format!("the compressed data is broken: {error}"))
        })?;
        self.written += length as u64;
        if self.written > FREE_BYTES + self.input.get_ref().read * MAX_RATIO {
            return Err(io::Error::other(format!(
                "the compressed data is more than {MAX_RATIO} times as large when it is unpacked"
            )));
        }
        Ok(length)
    }
}
