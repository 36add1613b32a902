//! Text helpers: invisible characters, and lists inside sentences.

/// The items in backticks, separated by commas.
pub(crate) fn quoted<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let quoted: Vec<_> = items.into_iter().map(|item| format!("`{}`", item.as_ref())).collect();
    quoted.join(", ")
}

/// Whether a character is invisible: joiners, direction marks and the like. Copied text often
/// contains them.
pub(crate) fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Describes the first invisible character. Returns None if the text has none.
pub(crate) fn find_invisible(text: &str) -> Option<String> {
    let letter = text.chars().find(|letter| is_invisible(*letter))?;
    let code = u32::from(letter);
    Some(format!("an invisible character (U+{code:04X})"))
}

/// The text without its invisible characters.
pub(crate) fn without_invisible(text: &str) -> String {
    text.chars().filter(|c| !is_invisible(*c)).collect()
}

/// The text without blanks and invisible characters at its ends.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(|letter: char| letter.is_whitespace() || is_invisible(letter))
}
