//! Text: which characters are blank or invisible, by their Unicode class.

use std::borrow::Cow;
use unicode_general_category::{GeneralCategory, get_general_category};

use GeneralCategory::{
    ClosePunctuation, Control, DashPunctuation, DecimalNumber, Format, LineSeparator,
    OpenPunctuation, ParagraphSeparator, SpaceSeparator,
};

/// Whether a text has only characters that are blank or have no shape: spaces of any width,
/// controls, joiners, direction marks and the like.
///
/// ```
/// use telecrm_core::text::is_blank;
///
/// assert!(is_blank(" \t\u{a0}\u{200b}\u{feff}") && is_blank(""));
/// assert!(!is_blank(" - ") && !is_blank("\u{fffd}"));
/// ```
pub fn is_blank(text: &str) -> bool {
    text.chars().all(is_blank_char)
}

/// Whether a character is blank or has no shape.
pub(crate) fn is_blank_char(character: char) -> bool {
    if matches!(character, ' '..='~') {
        return character == ' ';
    }
    let category = get_general_category(character);
    matches!(category, SpaceSeparator | LineSeparator | ParagraphSeparator)
        || is_invisible(character)
        || character == '\u{2800}'
}

/// Removes blank and invisible characters from both ends.
///
/// ```
/// assert_eq!(telecrm_core::text::trim("\u{feff} a b\u{a0}\u{200b}"), "a b");
/// ```
pub fn trim(text: &str) -> &str {
    text.trim_matches(is_blank_char)
}

/// Whether a character takes no room: controls, joiners, direction marks, fillers and the like.
/// Copied text often contains them.
pub(crate) fn is_invisible(character: char) -> bool {
    !matches!(character, ' '..='~')
        && (matches!(get_general_category(character), Control | Format)
            || matches!(
                character,
                '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
                    | '\u{180b}'..='\u{180f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
                    | '\u{ffa0}' | '\u{e0100}'..='\u{e01ef}'
            ))
}

/// Whether a character is a dash of any kind.
fn is_dash(character: char) -> bool {
    character == '-'
        || !character.is_ascii()
            && (character == '\u{2212}' || get_general_category(character) == DashPunctuation)
}

/// The value of a decimal digit of any script.
fn digit(character: char) -> Option<u32> {
    let is_digit =
        |code: u32| char::from_u32(code).is_some_and(|c| get_general_category(c) == DecimalNumber);
    // Unicode lists the ten digits of a script one after the other, from zero.
    let code = u32::from(character);
    is_digit(code).then(|| (1..code).take_while(|back| is_digit(code - back)).count() as u32 % 10)
}

/// The text in ASCII as far as blanks, dashes, brackets, digits and `+` go. Drops invisible
/// characters.
///
/// ```
/// assert_eq!(telecrm_core::text::plain_symbols("（+९१\u{a0}98\u{2011}7\u{200b}"), "(+91 98-7");
/// ```
pub fn plain_symbols(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let plain = |c: char| match get_general_category(c) {
        _ if is_invisible(c) => None,
        _ if is_blank_char(c) => Some(' '),
        _ if is_dash(c) => Some('-'),
        OpenPunctuation => Some('('),
        ClosePunctuation => Some(')'),
        _ if c == '\u{ff0b}' => Some('+'),
        _ => Some(digit(c).and_then(|digit| char::from_digit(digit, 10)).unwrap_or(c)),
    };
    Cow::Owned(text.chars().filter_map(plain).collect())
}

/// The text in lower case, without the differences that are hard to see: blanks and dashes of other
/// kinds, several blanks, and invisible characters.
pub(crate) fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for character in text.chars() {
        if is_invisible(character) && !character.is_whitespace() {
            continue;
        }
        if is_blank_char(character) {
            if !folded.ends_with([' ', '-']) {
                folded.push(' ');
            }
        } else if is_dash(character) {
            folded.truncate(folded.trim_end().len());
            folded.push('-');
        } else {
            folded.extend(character.to_lowercase());
        }
    }
    folded.trim().to_owned()
}

/// Whether a text is folded to this one.
pub(crate) fn is_folded(text: &str, expected: &str) -> bool {
    // Most labels already begin with another letter.
    let first = text.chars().find(|c| !is_blank_char(*c)).and_then(|c| c.to_lowercase().next());
    let is_possible = first.is_none_or(is_dash) || first == expected.chars().next();
    is_possible && folded(text) == expected
}

/// The text without its invisible characters.
pub(crate) fn without_invisible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_invisible) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter(|c| !is_invisible(*c)).collect())
}

/// Describes the first invisible character. Returns None if the text has none.
pub(crate) fn find_invisible(text: &str) -> Option<String> {
    text.chars().find(|c| is_invisible(*c)).map(describe)
}

/// The text for people: an invisible character, and a blank or dash that looks like another one,
/// is shown as its code.
///
/// ```
/// assert_eq!(telecrm_core::text::shown("ABC\u{200b}-1"), "ABC<U+200B>-1");
/// ```
pub fn shown(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| matches!(c, ' '..='~') || !(is_blank_char(c) || is_dash(c));
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let show = |c: char| if is_plain(c) { c.into() } else { format!("<U+{:04X}>", u32::from(c)) };
    Cow::Owned(text.chars().map(show).collect())
}

/// Names a character inside a sentence: printable ASCII in backticks, all others by code and name.
///
/// ```
/// use telecrm_core::text::describe;
///
/// assert_eq!(describe('\u{2011}'), "U+2011 non-breaking hyphen");
/// assert_eq!(describe('/'), "`/`");
/// ```
pub fn describe(character: char) -> String {
    let name = match character {
        ' ' => return "a blank".to_owned(),
        '!'..='~' => return format!("`{character}`"),
        '\0' => "null",
        '\t' => "tab",
        '\n' => "line feed",
        '\r' => "carriage return",
        '\u{a0}' => "no-break space",
        '\u{ad}' => "soft hyphen",
        '\u{61c}' => "Arabic letter mark",
        '\u{2007}' => "figure space",
        '\u{2009}' => "thin space",
        '\u{200b}' => "zero width space",
        '\u{200c}' => "zero width non-joiner",
        '\u{200d}' => "zero width joiner",
        '\u{200e}' => "left-to-right mark",
        '\u{200f}' => "right-to-left mark",
        '\u{2010}' => "hyphen",
        '\u{2011}' => "non-breaking hyphen",
        '\u{2012}' => "figure dash",
        '\u{2013}' => "en dash",
        '\u{2014}' => "em dash",
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => "direction mark",
        '\u{202f}' => "narrow no-break space",
        '\u{2060}' => "word joiner",
        '\u{2212}' => "minus sign",
        '\u{3000}' => "ideographic space",
        '\u{feff}' => "byte order mark",
        '\u{fffd}' => "replacement character",
        _ => match get_general_category(character) {
            Control => "control character",
            _ if is_invisible(character) => "invisible character",
            _ if is_blank_char(character) => "blank",
            _ if is_dash(character) => "dash",
            OpenPunctuation | ClosePunctuation => "bracket",
            DecimalNumber => "digit of another script",
            _ if character.is_alphabetic() => "letter of another script",
            _ => "symbol",
        },
    };
    format!("U+{:04X} {name}", u32::from(character))
}

/// The items in backticks, separated by commas.
pub(crate) fn quoted<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let quoted: Vec<_> =
        items.into_iter().map(|item| format!("`{}`", shown(item.as_ref()))).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unicode_class_decides_what_is_blank() {
        for blank in [
            ' ', '\t', '\0', '\u{a0}', '\u{ad}', '\u{61c}', '\u{180e}', '\u{200b}', '\u{202f}',
            '\u{2028}', '\u{2060}', '\u{2800}', '\u{3000}', '\u{3164}', '\u{feff}',
        ] {
            assert!(is_blank_char(blank), "{blank:?}");
        }
        for visible in ['a', '.', '-', '|', '0', '~', '\u{300}', '\u{2011}', '\u{fffd}'] {
            assert!(!is_blank_char(visible), "{visible:?}");
        }
    }

    fn plain(text: &str, expected: &str) {
        assert_eq!(plain_symbols(text), expected);
    }

    cases! { plain:
        ascii("+91 (99999) 99-999", "+91 (99999) 99-999"),
        dashes("1\u{2010}2\u{2011}3\u{2013}4\u{2014}5\u{2212}6\u{fe63}7\u{ff0d}", "1-2-3-4-5-6-7-"),
        blanks("1\u{a0}2\u{2009}3\u{202f}4\u{3000}5", "1 2 3 4 5"),
        invisible("\u{200e}1\u{200b}2\u{feff}\t3", "123"),
        brackets("\u{ff08}1\u{ff09}", "(1)"),
        devanagari("९८७", "987"),
        arabic("٠١٩", "019"),
        fullwidth("＋９１", "+91"),
        mathematical("𝟎𝟗𝟘𝟡", "0909"),
        superscript("1²", "1²"),
    }

    fn same(one: &str, other: &str, expected: bool) {
        assert_eq!(folded(one) == folded(other), expected);
    }

    cases! { same:
        case("Cold Call", "cold CALL", true),
        no_break_space("Cold Call", "Cold\u{a0}Call", true),
        two_blanks(" Cold  Call", "Cold Call", true),
        non_breaking_hyphen("Walk-in", "Walk\u{2011}in", true),
        blanks_around_a_dash("1-10", "1 \u{2013} 10", true),
        invisible("Cold Call", "Co\u{ad}ld \u{200b}Call", true),
        missing_blank("Cold Call", "ColdCall", false),
        missing_dash("1-10", "110", false),
        a_dash_is_no_blank("-5", "5", false),
    }

    fn description(character: char, expected: &str) {
        assert_eq!(describe(character), expected);
    }

    cases! { description:
        dash('\u{2011}', "U+2011 non-breaking hyphen"),
        control('\u{7}', "U+0007 control character"),
        six_digits('\u{e0101}', "U+E0101 invisible character"),
        digit_of_another_script('९', "U+096F digit of another script"),
        letter('x', "`x`"),
    }

    #[test]
    fn texts_that_look_alike_are_shown_apart() {
        assert_eq!(shown("pho\u{200b}ne\u{a0}\u{2011}"), "pho<U+200B>ne<U+00A0><U+2011>");
        assert_eq!(shown("Zoë - 1"), "Zoë - 1");
    }
}
