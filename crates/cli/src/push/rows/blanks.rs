//! Decides which characters are blank or invisible, by their Unicode class.

use unicode_general_category::{GeneralCategory, get_general_category};

/// Whether the text has only blanks, control characters and invisible characters.
pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(is_blank_char)
}

/// Removes blank and invisible characters from both ends.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(is_blank_char)
}

fn is_blank_char(character: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator, SpaceSeparator};
    let category = get_general_category(character);
    matches!(category, Control | Format | LineSeparator | ParagraphSeparator | SpaceSeparator)
        || matches!(
            character,
            // Characters without a shape: fillers, joiners and the empty Braille cell.
            '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
                | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}'
                | '\u{e0100}'..='\u{e01ef}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unicode_class_decides_what_is_blank() {
        for blank in [
            "",
            "  ",
            "\t",
            "\u{a0}",
            "\u{200b}",
            "\u{feff}",
            "\u{2028}",
            "\u{2060}",
            "\u{ad}",
            "\u{200e}\u{202f}",
            "\u{3000}",
            "\u{3164}",
            "\u{2800}",
            "\u{0}",
            "\u{61c}",
            "\u{180e}",
        ] {
            assert!(is_blank(blank), "{blank:?}");
        }
        for visible in ["a", " a ", "\u{200b}.", "-", "|", "0", "\u{300}", "\u{fffd}"] {
            assert!(!is_blank(visible), "{visible:?}");
        }
        assert_eq!(trim("\u{feff} a b\u{a0}\u{200b}"), "a b");
    }
}
