//! Detects the encoding of an input, and decodes it to UTF-8.

use crate::problem::Problem;
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use encoding_rs_io::{DecodeReaderBytes, DecodeReaderBytesBuilder};
use std::collections::BTreeSet;
use std::io::{self, Read};

/// Bytes as UTF-8, without a byte order mark. What is not UTF-8 in UTF-8 stays as it is.
pub(super) fn decode<R: Read>(
    input: R,
    encoding: &'static Encoding,
) -> DecodeReaderBytes<R, Vec<u8>> {
    DecodeReaderBytesBuilder::new()
        .encoding((encoding != UTF_8).then_some(encoding))
        .bom_sniffing(false)
        .utf8_passthru(true)
        .strip_bom(true)
        .build(input)
}

/// Returns the encoding that the first bytes show: by a mark, or by the zeros of UTF-16.
pub(super) fn of_start(start: &[u8]) -> Result<Option<&'static Encoding>, Problem> {
    let is_utf_32 = matches!(start, [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..])
        || matches!(start, [first, 0, 0, 0, ..] | [0, 0, 0, first, ..] if *first != 0);
    if is_utf_32 {
        let problem = Problem::new("the encoding is UTF-32, which cannot be read");
        return Err(problem.hint("save the file as UTF-8"));
    }
    Ok(match (Encoding::for_bom(start), start) {
        (Some((encoding, _)), _) => Some(encoding),
        (None, [first, 0, ..]) if *first != 0 => Some(UTF_16LE),
        (None, [0, second, ..]) if *second != 0 => Some(UTF_16BE),
        _ => None,
    })
}

/// Detects the encoding of text without a mark: UTF-8, or Windows-1252 if it cannot be UTF-8.
pub(super) fn of_text(mut input: impl Read) -> io::Result<Result<&'static Encoding, Problem>> {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let mut seen = BTreeSet::new();
    let (mut valid, mut invalid) = (0, 0);
    let mut buffer = vec![0; 64 * 1024];
    // Bytes of the last character, which the end of the read may have cut off.
    let mut cut = 0;
    loop {
        let length = match input.read(&mut buffer[cut..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            length => length?,
        };
        let is_last = length == 0;
        detector.feed(&buffer[cut..cut + length], is_last);
        seen.extend(buffer[cut..cut + length].iter().filter(|byte| !byte.is_ascii()));
        let end = cut + length;
        let begins_character = |count: &usize| buffer[end - count] >= 0xc0;
        let last = (1..=end.min(3)).find(begins_character);
        cut = last.filter(|_| !is_last).unwrap_or(0);
        for chunk in buffer[..end - cut].utf8_chunks() {
            valid += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
            invalid += usize::from(!chunk.invalid().is_empty());
        }
        buffer.copy_within(end - cut..end, 0);
        if is_last {
            break;
        }
    }
    // A few broken characters among valid ones are errors of their rows.
    if invalid == 0 || valid >= invalid {
        return Ok(Ok(UTF_8));
    }
    let guess = detector.guess(None, Utf8Detection::Deny);
    // Related encodings have most letters in common, and a guess from a few letters cannot tell
    // them apart.
    let reads_alike = |byte: &u8| guess.decode(&[*byte]).0 == WINDOWS_1252.decode(&[*byte]).0;
    if guess.is_single_byte() && seen.iter().all(reads_alike) {
        return Ok(Ok(WINDOWS_1252));
    }
    let name = guess.name();
    let message = format!("the text is not UTF-8; it looks like {name}, which is a guess");
    let hint = format!("save the file as UTF-8, or name its encoding, such as --encoding {name}");
    Ok(Err(Problem::new(message).hint(hint)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8], encoding: &'static Encoding) -> Vec<u8> {
        let mut text = Vec::new();
        decode(bytes, encoding).read_to_end(&mut text).expect("decodes");
        text
    }

    #[test]
    fn marks_and_zeros_show_the_encoding() {
        for (bytes, expected) in [
            (&b"\xef\xbb\xbfa"[..], Some(UTF_8)),
            (b"\xff\xfea\0", Some(UTF_16LE)),
            (b"\xfe\xff\0a", Some(UTF_16BE)),
            (b"a\0b\0", Some(UTF_16LE)),
            (b"\0a\0b", Some(UTF_16BE)),
            (b"ab", None),
            (b"", None),
        ] {
            assert_eq!(of_start(bytes), Ok(expected), "{bytes:?}");
        }
        assert!(of_start(b"\xff\xfe\0\0a\0\0\0").is_err());
        assert!(of_start(b"a\0\0\0b\0\0\0").is_err());
    }

    #[test]
    fn text_is_decoded_without_its_mark() {
        assert_eq!(decoded(b"\xef\xbb\xbfa\xff", UTF_8), b"a\xff");
        assert_eq!(decoded(b"\xff\xfea\0\xe9\0", UTF_16LE), "aé".as_bytes());
        assert_eq!(decoded(b"\0a\0\xe9", UTF_16BE), "aé".as_bytes());
        assert_eq!(decoded(b"Ren\xe9", WINDOWS_1252), "René".as_bytes());
    }

    #[test]
    fn text_that_cannot_be_utf_8_is_windows_1252() {
        let detect = |text: &[u8]| of_text(text).expect("reads");
        assert_eq!(detect(b"phone,name\n1,Asha\n"), Ok(UTF_8));
        assert_eq!(detect("phone,name\n1,आशा\n".as_bytes()), Ok(UTF_8));
        assert_eq!(detect(b"phone,name\n1,Jos\xe9\n2,Ren\xe9e\n"), Ok(WINDOWS_1252));
        for name in [
            &b"Ren\xe9e"[..],
            b"M\xfcller",
            b"Mu\xf1oz",
            b"Fran\xe7ois",
            b"O\x92Brien",
            b"\xa0\x96",
            b"\x80 500",
            b"\xc5sa",
        ] {
            assert_eq!(detect(name), Ok(WINDOWS_1252), "{name:?}");
        }
        // One broken character in UTF-8 does not change the others.
        assert_eq!(detect(b"phone,name\n1,Jos\xc3\xa9\n2,\xff\n"), Ok(UTF_8));
        // A read may end within a character.
        let long = ["é".repeat(40_000), "a".to_owned(), "é".repeat(40_000)].concat();
        assert_eq!(detect(long.as_bytes()), Ok(UTF_8));
        let russian = b"phone,name\n1,\xc0\xed\xed\xe0 \xcf\xe5\xf2\xf0\xee\xe2\xed\xe0\n";
        assert!(detect(russian).is_err_and(|problem| problem.hint.is_some()));
    }
}
