//! Formats JSON text for people without changing the order of keys or the digits of numbers.

use maud::{Markup, PreEscaped, Render, html};
use serde::de::IgnoredAny;

/// Indents and colours a JSON body. Other text stays as it is.
pub(crate) fn pretty(body: &[u8]) -> Markup {
    let text = String::from_utf8_lossy(body);
    let mut markup = String::new();
    if is_json(&text) {
        tokens(&text, |class, token| match class {
            None => token.render_to(&mut markup),
            Some(class) => html! { span class=(class) { (token) } }.render_to(&mut markup),
        });
    } else {
        text.render_to(&mut markup);
    }
    PreEscaped(markup)
}

/// Indents JSON as plain text.
pub(crate) fn pretty_text(text: &str) -> String {
    let mut pretty = String::new();
    tokens(text, |_, token| pretty.push_str(token));
    pretty
}

pub(crate) fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Calls `take` for each token of the JSON text and the white space after it, with the CSS class
/// of tokens that have a colour.
fn tokens(text: &str, mut take: impl FnMut(Option<&'static str>, &str)) {
    let mut depth = 0;
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => string_length(rest),
            '{' | '}' | '[' | ']' | ',' | ':' => 1,
            _ => rest.find([',', '}', ']', ' ', '\n', '\r', '\t']).unwrap_or(rest.len()),
        };
        let (token, after) = rest.split_at(length);
        rest = after.trim_start();
        match first {
            '{' | '[' => {
                take(None, token);
                if rest.starts_with(['}', ']']) {
                    take(None, &rest[..1]);
                    rest = rest[1..].trim_start();
                } else {
                    depth += 1;
                    take(None, &new_line(depth));
                }
            }
            '}' | ']' => {
                depth -= 1;
                take(None, &new_line(depth));
                take(None, token);
            }
            ',' => {
                take(None, token);
                take(None, &new_line(depth));
            }
            ':' => take(None, ": "),
            '"' if rest.starts_with(':') => take(Some("key"), token),
            '"' => take(Some("text"), token),
            _ => take(Some("literal"), token),
        }
    }
}

fn new_line(depth: usize) -> String {
    format!("\n{}", "  ".repeat(depth))
}

/// The length of the JSON string at the beginning of the text, with its quotes.
fn string_length(text: &str) -> usize {
    let mut is_escaped = false;
    for (place, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return place + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formatting_changes_white_space_only() {
        for written in [
            "{}",
            "[]",
            " [ ] ",
            r#"{"b":1,"a":[1.50,{"c":"x, \"y\": {"},[]],"d":{}}"#,
            r#"{"n":12345678901234567890,"t":true,"z":null,"u":"\u00e9\\"}"#,
            "\"text\"",
            "7",
        ] {
            let formatted = pretty_text(written);
            let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect(written);
            assert_eq!(read(&formatted), read(written), "{formatted}");
            let dense = |text: &str| text.replace(['\n', ' '], "");
            assert_eq!(dense(&formatted), dense(written));
        }
        assert_eq!(
            pretty_text(r#"{"b":1,"a":[{"c":"d"},[]]}"#),
            "{\n  \"b\": 1,\n  \"a\": [\n    {\n      \"c\": \"d\"\n    },\n    []\n  ]\n}"
        );
    }

    #[test]
    fn other_text_is_unchanged_and_markup_is_escaped() {
        assert_eq!(pretty(b"OK <b>").into_string(), "OK &lt;b&gt;");
        assert_eq!(
            pretty(br#"{"<i>":"</pre>"}"#).into_string(),
            "{\n  <span class=\"key\">&quot;&lt;i&gt;&quot;</span>: <span class=\"text\">&quot;&lt;/pre&gt;&quot;</span>\n}"
        );
        let deep = "[".repeat(100_000);
        assert_eq!(pretty(deep.as_bytes()).into_string().len(), deep.len());
    }
}
