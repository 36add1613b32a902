//! Texts: several in one sentence, and one without some of its letters.

/// The text of each.
pub(crate) fn texts<'a, T>(all: &'a [T], text: impl Fn(&'a T) -> &'a str) -> Vec<&'a str> {
    let mut texts = Vec::new();
    for one in all {
        texts.push(text(one));
    }
    texts
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

/// The text without some of its letters.
pub(crate) fn without(text: &str, is_left_out: fn(char) -> bool) -> String {
    let mut rest = text.to_owned();
    rest.retain(|c| !is_left_out(c));
    rest
}
