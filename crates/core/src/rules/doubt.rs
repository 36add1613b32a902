//! Texts that telecrm stores as written, although somebody probably meant another text.

use super::field_outcome::{FieldOutcome, Note};
use crate::text::{describe, folded, is_blank_char, shown, trim};

/// Adds a doubt about the stored text to an outcome without a finding, or to a new option.
pub(super) fn with_text_doubt(outcome: FieldOutcome, text: &str) -> FieldOutcome {
    if text.is_ascii() {
        return outcome;
    }
    match text_doubt(text) {
        Some(note) if !outcome.has_note() => outcome.doubt(note),
        Some(note) if !outcome.created().is_empty() => outcome.with_hint_of(note),
        _ => outcome,
    }
}

/// Why a text was probably damaged before it came here.
fn text_doubt(text: &str) -> Option<Note> {
    if text.contains('\u{fffd}') {
        let replacement = describe('\u{fffd}');
        let reason = format!("the text has {replacement}, which stands for a lost character");
        return Some(Note::inferred("", reason).hint("write the text again from its source"));
    }
    let meant = before_wrong_decoding(text)?;
    let reason = "the text looks like UTF-8 that was read in another encoding";
    Some(Note::inferred("", reason).hint(format!("write `{}` if you mean that", shown(&meant))))
}

/// The characters that Windows-1252 has from 0x80 to 0x9F. A blank stands for none.
const WINDOWS_1252: &str = "€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ";

/// The text whose UTF-8 was read as Windows-1252, as in `RenÃ©` for `René`. Returns None if the
/// text has no such place.
fn before_wrong_decoding(text: &str) -> Option<String> {
    let byte = |c: char| match u8::try_from(c) {
        Ok(byte) => Some(byte),
        Err(_) => Some(0x80 + WINDOWS_1252.chars().position(|other| other == c)? as u8),
    };
    let mut found = false;
    let mut meant = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| !c.is_ascii()) {
        let (ascii, run) = rest.split_at(start);
        let (run, after) = run.split_at(run.find(|c: char| c.is_ascii()).unwrap_or(run.len()));
        let bytes: Option<Vec<u8>> = run.chars().map(byte).collect();
        let decoded = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        // The first bytes of accented letters, Indian scripts, dashes and quotes, and emoji.
        // Others are also real ends of words, as in `CAFÉ` before a no-break space.
        let is_wrong = run.starts_with(['Â', 'Ã', 'à', 'â', 'ð']);
        let decoded = decoded.filter(|_| is_wrong);
        found |= decoded.is_some();
        meant.push_str(ascii);
        meant.push_str(decoded.as_deref().unwrap_or(run));
        rest = after;
    }
    meant.push_str(rest);
    found.then_some(meant)
}

/// Why a text identifier probably makes different people one lead, or one person two leads.
pub(super) fn identifier_doubt(text: &str) -> Option<Note> {
    if is_placeholder(text) {
        let reason = "the identifier is a placeholder, so different people become one lead";
        return Some(Note::inferred("ID3", reason).hint("give each lead an identifier of its own"));
    }
    if is_spreadsheet_number(text) {
        let reason = "a spreadsheet shortened the identifier, so different people become one lead";
        let hint = "format the column as text, and export the file again";
        return Some(Note::inferred("ID3", reason).hint(hint));
    }
    let inner = |c: char| c != ' ' && is_blank_char(c) || is_look_alike(c, text);
    let ends = trim(text).len() < text.len();
    let odd = text.chars().find(|c| inner(*c)).or_else(|| ends.then_some(' '))?;
    let odd = describe(odd);
    let reason = format!("the identifier has {odd}, so it is not the one that looks like it");
    Some(Note::inferred("ID2", reason).hint("remove the character if you do not mean it"))
}

/// Whether a text stands for a missing value.
fn is_placeholder(text: &str) -> bool {
    const WORDS: [&str; 20] = [
        "n/a",
        "na",
        "n.a",
        "n.a.",
        "null",
        "none",
        "nil",
        "nan",
        "nat",
        "undefined",
        "unknown",
        "not available",
        "not applicable",
        "blank",
        "empty",
        "(blank)",
        "(empty)",
        "tbd",
        "true",
        "false",
    ];
    let folded = folded(text);
    let bare = folded.trim_matches(['<', '>', '[', ']', '\'', '"']);
    let has_no_letters = !bare.chars().any(char::is_alphanumeric);
    let is_error = bare.starts_with('#') && (bare.ends_with(['!', '?']) || bare == "#n/a");
    has_no_letters || is_error || bare.chars().all(|c| c == '0') || WORDS.contains(&bare)
}

/// Whether a spreadsheet wrote the text for a number with many digits, as in `9.87E+11`.
fn is_spreadsheet_number(text: &str) -> bool {
    let text = trim(text);
    let Some((mantissa, exponent)) = text.split_once("E+").or_else(|| text.split_once("e+")) else {
        return false;
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, "0"));
    digits(whole.trim_start_matches('-')) && digits(fraction) && digits(exponent)
}

/// Whether a letter of another script, or of another width, looks like a Latin letter of the text.
fn is_look_alike(character: char, text: &str) -> bool {
    matches!(character, '\u{ff01}'..='\u{ff5e}')
        || matches!(character, '\u{370}'..='\u{3ff}' | '\u{400}'..='\u{4ff}')
            && text.contains(|c: char| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrongly_decoded(text: &str, expected: Option<&str>) {
        assert_eq!(before_wrong_decoding(text).as_deref(), expected);
    }

    cases! { wrongly_decoded:
        accent("RenÃ© MÃ¼ller", Some("René Müller")),
        apostrophe("Oâ€™Brien", Some("O’Brien")),
        blank("AshaÂ\u{a0}Rao", Some("Asha\u{a0}Rao")),
        devanagari("à¤†à¤¶à¤¾", Some("आशा")),
        emoji("hi ðŸ˜€", Some("hi 😀")),
        right_accents("René Müller, São Paulo", None),
        capital_accents("SÃO PAULO À LA CARTE", None),
        before_a_no_break_space("CAFÉ\u{a0}!", None),
        right_devanagari("आशा", None),
        a_mark("50 °C – “ok”", None),
    }

    fn placeholder(text: &str, expected: bool) {
        assert_eq!(is_placeholder(text) || is_spreadsheet_number(text), expected);
    }

    cases! { placeholder:
        dash("-", true),
        em_dashes("\u{2014}\u{2014}", true),
        points("...", true),
        not_available("N/A", true),
        null("NULL", true),
        null_in_brackets("<null>", true),
        spreadsheet_error("#REF!", true),
        zeros("0000", true),
        exponent("9.87E+11", true),
        exponent_without_fraction("1E+05", true),
        exponent_with_comma("9,87654E+11", true),
        code("ABC-1", false),
        number("987654321012", false),
        code_with_an_exponent("E+11", false),
        nadia("Nadia", false),
        hash("#12", false),
    }
}
