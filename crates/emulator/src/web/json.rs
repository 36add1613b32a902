//! JSON as it was written, laid out to be read.

use maud::{Markup, PreEscaped, Render, html};
use serde::de::IgnoredAny;

/// A body: JSON with indentation and colours, anything else as it is. Keys stay in their order, and numbers keep
/// their digits.
pub(crate) fn pretty(body: &[u8]) -> Markup {
    let text = String::from_utf8_lossy(body);
    let mut markup = String::new();
    match is_json(&text) {
        false => text.render_to(&mut markup),
        true => pieces(&text, |piece| match piece {
            Piece::Plain(text) => text.render_to(&mut markup),
            Piece::Marked(class, text) => {
                html! { span class=(class) { (text) } }.render_to(&mut markup);
            }
        }),
    }
    PreEscaped(markup)
}

/// The same as plain text.
pub(crate) fn pretty_text(text: &str) -> String {
    let mut pretty = String::new();
    pieces(text, |piece| match piece {
        Piece::Plain(text) | Piece::Marked(_, text) => pretty.push_str(text),
    });
    pretty
}

pub(crate) fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

enum Piece<'a> {
    Plain(&'a str),
    /// With the class that colours it.
    Marked(&'static str, &'a str),
}

/// Lays out a text that is JSON.
fn pieces(text: &str, mut take: impl FnMut(Piece<'_>)) {
    let mut depth = 0;
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => string_length(rest),
            '{' | '}' | '[' | ']' | ',' | ':' => 1,
            _ => rest
                .find([',', '}', ']', ' ', '\n', '\r', '\t'])
                .unwrap_or(rest.len()),
        };
        let (token, after) = rest.split_at(length);
        rest = after.trim_start();
        match first {
            '{' | '[' => {
                take(Piece::Plain(token));
                if rest.starts_with(['}', ']']) {
                    take(Piece::Plain(&rest[..1]));
                    rest = rest[1..].trim_start();
                } else {
                    depth += 1;
                    take(Piece::Plain(&new_line(depth)));
                }
            }
            '}' | ']' => {
                depth -= 1;
                take(Piece::Plain(&new_line(depth)));
                take(Piece::Plain(token));
            }
            ',' => {
                take(Piece::Plain(token));
                take(Piece::Plain(&new_line(depth)));
            }
            ':' => take(Piece::Plain(": ")),
            '"' if rest.starts_with(':') => take(Piece::Marked("key", token)),
            '"' => take(Piece::Marked("text", token)),
            _ => take(Piece::Marked("literal", token)),
        }
    }
}

fn new_line(depth: usize) -> String {
    format!("\n{}", "  ".repeat(depth))
}

/// How long the string is with which the text begins, its quotes included.
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
    fn layout_changes_nothing_but_blanks() {
        for written in [
            "{}",
            "[]",
            " [ ] ",
            r#"{"b":1,"a":[1.50,{"c":"x, \"y\": {"},[]],"d":{}}"#,
            r#"{"n":12345678901234567890,"t":true,"z":null,"u":"\u00e9\\"}"#,
            "\"text\"",
            "7",
        ] {
            let laid_out = pretty_text(written);
            let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect(written);
            assert_eq!(read(&laid_out), read(written), "{laid_out}");
            let dense = |text: &str| text.replace(['\n', ' '], "");
            assert_eq!(dense(&laid_out), dense(written));
        }
        assert_eq!(
            pretty_text(r#"{"b":1,"a":[{"c":"d"},[]]}"#),
            "{\n  \"b\": 1,\n  \"a\": [\n    {\n      \"c\": \"d\"\n    },\n    []\n  ]\n}"
        );
    }

    #[test]
    fn what_is_no_json_stays_as_it_is_and_nothing_is_markup() {
        assert_eq!(pretty(b"OK <b>").into_string(), "OK &lt;b&gt;");
        assert_eq!(
            pretty(br#"{"<i>":"</pre>"}"#).into_string(),
            "{\n  <span class=\"key\">&quot;&lt;i&gt;&quot;</span>: <span class=\"text\">&quot;&lt;/pre&gt;&quot;</span>\n}"
        );
        let deep = "[".repeat(100_000);
        assert_eq!(pretty(deep.as_bytes()).into_string().len(), deep.len());
    }
}
