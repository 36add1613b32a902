//! Texts: several in one sentence, and one letter by letter.

use serde_json::{Map, Value};

/// The text of each.
pub(crate) fn texts<'a, T>(all: &'a [T], text: impl Fn(&'a T) -> &'a str) -> Vec<&'a str> {
    let mut texts = Vec::new();
    for one in all {
        texts.push(text(one));
    }
    texts
}

/// Each of the texts once, to look it up.
pub(crate) fn set(texts: &[&str]) -> Map<String, Value> {
    let mut set = Map::new();
    for text in texts {
        set.insert((*text).to_owned(), Value::Null);
    }
    set
}

/// What leads in, and the items, each in quotes; nothing without items.
pub(crate) fn list(lead_in: &str, quote: &str, items: &[&str]) -> Option<String> {
    let mut list = String::new();
    for item in items {
        let before = if list.is_empty() { lead_in } else { "," };
        list += &format!("{before} {quote}{item}{quote}");
    }
    (!items.is_empty()).then_some(list)
}

/// Whether nobody sees the letter: joints, marks of direction and the like, which what is copied from elsewhere brings along.
pub(crate) fn is_unseen(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// What there is to say of a letter that nobody sees, if there is one.
pub(crate) fn unseen(text: &str) -> Option<String> {
    let letter = text.chars().find(|letter| is_unseen(*letter))?;
    let code = u32::from(letter);
    Some(format!("a character that nobody sees (U+{code:04X})"))
}

/// The text without blanks, and without what nobody sees, at its ends.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(|letter: char| letter.is_whitespace() || is_unseen(letter))
}

/// The text with what becomes of each letter, which may be nothing.
pub(crate) fn each_letter(text: &str, becomes: fn(char) -> Option<char>) -> String {
    let mut letters = String::new();
    for letter in text.chars() {
        if let Some(letter) = becomes(letter) {
            letters.push(letter);
        }
    }
    letters
}
