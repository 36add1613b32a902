//! Checks that a page is well-formed, accessible, and loads and runs nothing foreign.

/// Elements without an end tag.
const VOID: [&str; 5] = ["meta", "link", "input", "img", "br"];

/// # Panics
/// Panics if tags do not match, an ID is missing or used twice, a form field has no label, or the
/// page has a script, style or address that is not the emulator's.
pub(crate) fn check(place: &str, html: &str) {
    let mut open: Vec<(String, bool)> = Vec::new();
    let mut ids = Vec::new();
    let mut referenced = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        let end = start
            + rest[start..].find('>').unwrap_or_else(|| panic!("{place}: a tag without an end"));
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if tag.starts_with('!') {
            continue;
        }
        if let Some(name) = tag.strip_prefix('/') {
            let (opened, _) = open.pop().unwrap_or_default();
            assert_eq!(opened, name, "{place}: </{name}> ends <{opened}>");
            continue;
        }
        let name = tag.split_whitespace().next().unwrap_or_default();
        let attributes = attributes(tag);
        let value = |wanted: &str| {
            attributes.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value)
        };
        for (attribute, text) in &attributes {
            assert!(
                !attribute.starts_with("on") && *attribute != "style",
                "{place}: {attribute} in <{tag}>"
            );
            if ["src", "href", "action"].contains(attribute) {
                let is_own = text.is_empty()
                    || text.starts_with('#')
                    || text.starts_with('?')
                    || text.starts_with("/_emulator/");
                assert!(is_own, "{place}: <{tag}> has a foreign address");
            }
        }
        if let Some(id) = value("id") {
            assert!(!ids.contains(&id), "{place}: two elements have the ID {id:?}");
            ids.push(id);
        }
        referenced.extend(
            ["for", "aria-labelledby", "aria-describedby", "data-copy"]
                .into_iter()
                .filter_map(value),
        );
        match name {
            "script" => {
                assert!(value("src").is_some() && rest.starts_with("</script>"), "{place}: <{tag}>")
            }
            "style" | "iframe" | "object" | "base" => panic!("{place}: <{tag}>"),
            "img" => assert!(value("alt").is_some(), "{place}: <{tag}> has no alt"),
            "input" | "select" | "textarea" => {
                let is_labelled =
                    open.iter().any(|(name, _)| name == "label") || value("id").is_some();
                assert!(is_labelled, "{place}: <{tag}> has no label");
            }
            _ => {}
        }
        if !VOID.contains(&name) {
            open.push((name.to_owned(), false));
        }
    }
    assert!(open.is_empty(), "{place}: {open:?} are not ended");
    for id in referenced {
        assert!(ids.contains(&id), "{place}: no element has the ID {id:?}");
    }
    assert_eq!(html.matches("<h1").count(), 1, "{place}: a page needs one h1");
}

/// Names and values. All values are quoted, and contain neither quotes nor angle brackets.
fn attributes(tag: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = tag;
    while let Some((before, after)) = rest.split_once("=\"") {
        let name = before.rsplit(' ').next().unwrap_or_default();
        let (value, after) = after.split_once('"').unwrap_or_else(|| panic!("<{tag}>"));
        found.push((name, value));
        rest = after;
    }
    found
}

/// The text without markup, with single spaces.
pub(crate) fn plain(html: &str) -> String {
    let text = text(html, " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The exact text, with each tag replaced by `tag`.
pub(crate) fn text(html: &str, tag: &str) -> String {
    let mut text = String::new();
    let mut is_tag = false;
    for character in html.chars() {
        match character {
            '<' => {
                is_tag = true;
                text.push_str(tag);
            }
            '>' if is_tag => is_tag = false,
            _ if is_tag => {}
            _ => text.push(character),
        }
    }
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    text.replace("&amp;", "&")
}

#[test]
#[should_panic(expected = "</b> ends <i>")]
fn crossing_tags_are_found() {
    check("a page", "<h1><i></b></h1>");
}

#[test]
#[should_panic(expected = "has a foreign address")]
fn foreign_addresses_are_found() {
    check("a page", "<h1></h1><img alt=\"\" src=\"https://example.com/x\">");
}

#[test]
#[should_panic(expected = "onclick")]
fn scripts_in_attributes_are_found() {
    check("a page", "<h1 onclick=\"x\"></h1>");
}
