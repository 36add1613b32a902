//! Suggestions: finds the known name that somebody probably meant.

use crate::text::{folded, is_folded};

/// The one label that differs from the text only in case, in the kind of blanks and dashes, and in
/// invisible characters. Returns None if there are several or none.
pub(crate) fn only_label<'a>(
    labels: impl IntoIterator<Item = &'a str>,
    text: &str,
) -> Option<&'a str> {
    let text = folded(text);
    let mut same = labels.into_iter().filter(|label| is_folded(label, &text));
    let label = same.next()?;
    same.next().is_none().then_some(label)
}

/// The known name that is most similar to a name. Returns None if none is similar enough.
pub(crate) fn closest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const LEAST: f64 = 0.85;
    let plain = |text: &str| text.to_lowercase().replace([' ', '-'], "_");
    let name = plain(name);
    let similarity = |candidate: &str| strsim::jaro_winkler(&name, &plain(candidate));
    known
        .into_iter()
        .map(|candidate| (similarity(candidate), candidate))
        .filter(|(similarity, _)| *similarity > LEAST)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate)
}

/// Suggests the known name that is most similar to a name.
pub(crate) fn similar_name<'a>(
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    closest(name, known).map(|near| format!("use `{near}`"))
}
