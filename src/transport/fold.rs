//! Folding: brings texts into one spelling, so that a value is found in whatever form a server
//! repeats it.

use icu_normalizer::DecomposingNormalizerBorrowed;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use std::ops::Range;
use telecrm_core::text::plain_symbols;

/// A text in lower case, without accents, invisible characters and escapes, with ASCII digits and
/// blanks.
#[derive(Default)]
pub(super) struct Folded {
    pub(super) text: String,
    /// The places in the original text, for each byte of the folded one.
    places: Vec<(usize, usize)>,
}

impl Folded {
    pub(super) fn new(text: &str) -> Self {
        let mut folded = Self::default();
        let mut start = 0;
        while start < text.len() {
            let (decoded, length) = decode(&text[start..]);
            let end = start + length;
            for character in decoded.chars() {
                folded.push(character);
                folded.places.resize(folded.text.len(), (start, end));
            }
            start = end;
        }
        folded
    }

    /// The place in the original text.
    pub(super) fn place(&self, range: Range<usize>) -> Range<usize> {
        self.places[range.start].0..self.places[range.end - 1].1
    }

    fn push(&mut self, character: char) {
        if character.is_ascii() {
            self.text.push(character.to_ascii_lowercase());
            return;
        }
        let mut buffer = [0; 4];
        let plain = plain_symbols(character.encode_utf8(&mut buffer));
        let letters = DecomposingNormalizerBorrowed::new_nfkd().normalize_iter(plain.chars());
        let letters = letters.filter(|letter| !is_accent(*letter));
        self.text.extend(letters.flat_map(char::to_lowercase).filter(|letter| !is_accent(*letter)));
    }
}

/// Whether a character is an accent of the letter before it.
fn is_accent(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}')
}

/// What the text begins with, without the escapes of URLs, JSON and HTML, and how long that is.
fn decode(text: &str) -> (Cow<'_, str>, usize) {
    let decoded = match text.as_bytes()[0] {
        b'%' => percent(text),
        b'\\' => backslash(text),
        b'&' => entity(text),
        _ => None,
    };
    decoded.unwrap_or_else(|| {
        let length = text.chars().next().map_or(1, char::len_utf8);
        (Cow::Borrowed(&text[..length]), length)
    })
}

/// `%C3%AB`: bytes that follow each other are one text.
fn percent(text: &str) -> Option<(Cow<'_, str>, usize)> {
    let is_escape = |bytes: &&[u8]| {
        bytes.len() == 3 && bytes[0] == b'%' && bytes[1..].iter().all(u8::is_ascii_hexdigit)
    };
    let length = 3 * text.as_bytes().chunks(3).take_while(is_escape).count();
    (length > 0).then(|| (percent_decode_str(&text[..length]).decode_utf8_lossy(), length))
}

/// `\u00eb` or `\"`.
fn backslash(text: &str) -> Option<(Cow<'_, str>, usize)> {
    let escaped = text[1..].chars().next()?;
    let digits = text.get(2..6).filter(|_| escaped == 'u');
    if let Some(code) = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
        let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
        return Some((character.to_string().into(), 6));
    }
    let plain = if matches!(escaped, 'n' | 'r' | 't') { ' ' } else { escaped };
    Some((plain.to_string().into(), 1 + escaped.len_utf8()))
}

/// `&#39;`, `&#x27;` or `&amp;`.
fn entity(text: &str) -> Option<(Cow<'_, str>, usize)> {
    let end = text.bytes().take(10).position(|byte| byte == b';')?;
    let name = &text[1..end];
    let code = name.strip_prefix('#').and_then(|number| match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => number.parse().ok(),
    });
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        _ => code.and_then(char::from_u32)?,
    };
    Some((character.to_string().into(), end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn folded(text: &str) -> String {
        Folded::new(text).text
    }

    #[test]
    fn case_accents_and_invisible_characters_do_not_count() {
        for text in ["ZOË Müller", "Zoe\u{308} Mu\u{308}ller", "zoë\u{200b} mü\u{ad}ller"] {
            assert_eq!(folded(text), "zoe muller", "{text}");
        }
        assert_eq!(folded("İstanbul"), "istanbul");
    }

    #[test]
    fn digits_and_blanks_of_other_scripts_are_those_of_ascii() {
        assert_eq!(folded("+٩٨١\u{a0}９८"), "+981 98");
    }

    #[test]
    fn escapes_are_read() {
        assert_eq!(folded("zoe%40a.in Zo%C3%AB 100%"), "zoe@a.in zoe 100%");
        assert_eq!(folded(r#"Zo\u00eb \"x\" a\nb \"#), "zoe \"x\" a b \\");
        assert_eq!(folded("O&#39;Brien &amp; Sons &#x26; & &x;"), "o'brien & sons & & &x;");
    }

    #[test]
    fn a_place_covers_the_whole_escape() {
        let text = "a Zo%C3%AB b";
        let folded = Folded::new(text);
        let start = folded.text.find("zoe").expect("there");
        assert_eq!(&text[folded.place(start..start + 3)], "Zo%C3%AB");
    }

    proptest! {
        #[test]
        fn every_text_can_be_folded(text in r"[%\\&#;xu0-9a-fëé\u{300}\u{200b}]{0,40}") {
            let folded = Folded::new(&text);
            prop_assert_eq!(folded.places.len(), folded.text.len());
            if !folded.text.is_empty() {
                prop_assert!(text.get(folded.place(0..folded.text.len())).is_some());
            }
        }
    }
}
