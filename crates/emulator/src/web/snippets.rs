//! Code that sends a call again: a curl command, and Rust. Tokens come from the environment.

use super::json;
use crate::env::{quoted, single_quoted};
use crate::log::LogEntry;
use crate::log::exchange::Exchange;
use crate::operations::SYNC_BASE;
use axum::extract::Query;
use axum::http::Uri;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use percent_encoding::percent_decode_str;
use std::fmt::Write;

/// The address of a call, relative to what the environment variables hold.
struct Target<'a> {
    is_sync: bool,
    /// The path below the base URL of its API.
    path: &'a str,
    /// The path below this emulator's enterprise. None if the path is outside of it.
    below_enterprise: Option<&'a str>,
}

impl<'a> Target<'a> {
    fn of(path: &'a str, enterprise: &str) -> Self {
        let is_below = |rest: &&str| rest.starts_with('/');
        let sync = path.strip_prefix(SYNC_BASE).filter(is_below);
        let path = sync.unwrap_or(path);
        let below = path.strip_prefix("/enterprise/");
        Self {
            is_sync: sync.is_some(),
            path,
            below_enterprise: below.and_then(|rest| rest.strip_prefix(enterprise)).filter(is_below),
        }
    }
}

/// The body to send again. Returns None if the call had none.
fn body(exchange: &Exchange) -> Result<Option<&str>, &'static str> {
    let Some(body) = &exchange.request.body else {
        return Ok(None);
    };
    if !body.is_whole() {
        return Err("The body is too long: the log has only its beginning.");
    }
    let text = std::str::from_utf8(&body.bytes);
    text.map(Some).map_err(|_| "The body is not UTF-8 text.")
}

/// A command for a POSIX shell that has the five variables of the emulator's `export` lines.
pub(crate) fn curl(
    entry: &LogEntry,
    exchange: &Exchange,
    enterprise: &str,
) -> Result<String, &'static str> {
    let target = Target::of(&entry.path, enterprise);
    let api = if target.is_sync { "SYNC" } else { "ASYNC" };
    let mut address = in_double_quotes(target.path);
    if let Some(rest) = target.below_enterprise {
        let rest = in_double_quotes(rest);
        address = format!("/enterprise/$TELECRM_ENTERPRISE_ID{rest}");
    }
    if let Some(query) = &entry.query {
        address = format!("{address}?{}", in_double_quotes(query));
    }
    let method = match entry.method.as_str() {
        // With `--request HEAD` curl waits for a body that never comes.
        "HEAD" => "--head".to_owned(),
        // HTTP allows methods such as `|`, which mean something to a shell.
        method => format!("--request {}", quoted(method)),
    };
    let token = Token::of(exchange);
    let comment = match token {
        Token::Invalid => "# The call was sent without a valid token.\n",
        _ => "",
    };
    // Without the two options curl takes brackets for a pattern, and removes `..` from the path.
    let mut lines = vec![format!(
        "{comment}curl {method} --globoff --path-as-is \"$TELECRM_{api}_URL{address}\""
    )];
    let mut header = |header: &str| lines.push(format!("--header {header}"));
    match token {
        Token::None => {}
        Token::Valid(api) => header(&format!("\"Authorization: Bearer $TELECRM_{api}_TOKEN\"")),
        Token::Invalid => header("'Authorization: Bearer not-a-token-of-this-emulator'"),
    }
    if let Some(body) = body(exchange)? {
        let content_type = exchange.request.header(&CONTENT_TYPE);
        // An empty header keeps curl from adding a content type of its own.
        let content_type = content_type.map_or(String::new(), |value| format!(" {value}"));
        header(&single_quoted(&format!("Content-Type:{content_type}")));
        lines.push(format!("--data-raw {}", single_quoted(body)));
    }
    Ok(lines.join(" \\\n  "))
}

/// The kind of token that a call came with. The log does not keep the token.
enum Token {
    None,
    /// A token for the API that this part of a variable's name stands for.
    Valid(&'static str),
    Invalid,
}

impl Token {
    fn of(exchange: &Exchange) -> Self {
        match exchange.request.header(&AUTHORIZATION) {
            None => Self::None,
            Some(masked) if masked.contains("(a Sync token)") => Self::Valid("SYNC"),
            Some(masked) if masked.contains("(an Async token)") => Self::Valid("ASYNC"),
            Some(_) => Self::Invalid,
        }
    }
}

/// Text as it must be written between double quotes for a shell to replace nothing in it.
fn in_double_quotes(text: &str) -> String {
    let escape = |character| matches!(character, '"' | '$' | '`' | '\\').then_some('\\');
    text.chars().flat_map(|character| escape(character).into_iter().chain([character])).collect()
}

/// Rust code that needs `telecrm: Telecrm`, and `telecrm::Method` in scope.
pub(crate) fn rust(
    entry: &LogEntry,
    exchange: &Exchange,
    enterprise: &str,
) -> Result<String, &'static str> {
    let target = Target::of(&entry.path, enterprise);
    let path = target.below_enterprise.and_then(decoded_path).ok_or(
        "The Rust client cannot send to this path: it is outside of the emulator's enterprise.",
    )?;
    let method = match entry.method.as_str() {
        "GET" => "Get",
        "POST" => "Post",
        "PUT" => "Put",
        "PATCH" => "Patch",
        "DELETE" => "Delete",
        _ => return Err("The Rust client does not support this method."),
    };
    let mut code = format!("let reply = telecrm\n    .request(Method::{method}, {path:?})");
    if !target.is_sync {
        code.push_str("\n    .over_async()");
    }
    // Writing to a String cannot fail.
    for (name, value) in query_pairs(entry.query.as_deref()) {
        let _ = write!(code, "\n    .query({name:?}, {value:?})");
    }
    if let Some(body) = body(exchange)? {
        if !json::is_json(body) {
            return Err("The Rust client sends JSON only, and the body is not JSON.");
        }
        let body = escape_direction_marks(&json::pretty_text(body));
        let hashes = hashes(&body);
        let _ = write!(
            code,
            "\n    .json(&serde_json::from_str::<serde_json::Value>(\n        r{hashes}\"{body}\"{hashes},\n    )?)"
        );
    }
    code.push_str("\n    .send()\n    .await?;");
    Ok(code)
}

/// The path before percent-encoding, as the client takes it. Returns None if the client would
/// encode it to another path.
fn decoded_path(path: &str) -> Option<String> {
    let decode = |segment| {
        let decoded = percent_decode_str(segment).decode_utf8().ok()?;
        (!decoded.contains(['/', '?', '#', '\\'])).then_some(decoded)
    };
    let segments: Vec<_> = path.split('/').map(decode).collect::<Option<_>>()?;
    Some(segments.join("/"))
}

/// Escapes the characters that change the direction of text, which Rust does not allow in source
/// code. In JSON they occur in strings only.
fn escape_direction_marks(json: &str) -> String {
    let escape = |character| match character {
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
            format!("\\u{:04X}", u32::from(character))
        }
        _ => character.to_string(),
    };
    json.chars().map(escape).collect()
}

/// The hashes that a raw string needs so that nothing in the text ends it.
fn hashes(text: &str) -> String {
    let after_quotes = text.split('"').skip(1);
    let counts = after_quotes.map(|rest| rest.len() - rest.trim_start_matches('#').len());
    "#".repeat(counts.max().unwrap_or_default() + 1)
}

fn query_pairs(query: Option<&str>) -> Vec<(String, String)> {
    let uri = query.and_then(|query| format!("/?{query}").parse::<Uri>().ok());
    let pairs = uri.and_then(|uri| Query::try_from_uri(&uri).ok());
    pairs.map_or(Vec::new(), |Query(pairs)| pairs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::exchange::BodySlot;

    #[test]
    fn raw_strings_have_enough_hashes() {
        assert_eq!(hashes("plain"), "#");
        assert_eq!(hashes(r#"{"a": 1}"#), "#");
        assert_eq!(hashes(r##"{"a": "#"}"##), "##");
        assert_eq!(hashes(r###"a"##b"#c"###), "###");
    }

    #[test]
    fn paths_that_the_library_cannot_send_are_refused() {
        assert_eq!(decoded_path("/lead/a%20b").as_deref(), Some("/lead/a b"));
        for path in ["/lead/a%2Fb", "/lead/%3F", "/lead/%ff", "/lead/%5C"] {
            assert_eq!(decoded_path(path), None, "{path}");
        }
    }

    fn copied(
        method: &str,
        address: &str,
        headers: &[(axum::http::HeaderName, &str)],
        bearer: &str,
        body: &str,
    ) -> [String; 2] {
        let uri: Uri = address.parse().unwrap();
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap()));
        let mut exchange = Exchange::begin(0, &headers.collect(), bearer);
        if !body.is_empty() {
            let slot = BodySlot::default();
            slot.put(&body.to_owned().into());
            exchange.request.body = slot.body();
        }
        let method = method.parse().unwrap();
        let entry = LogEntry::new(&method, &uri, None);
        [curl(&entry, &exchange, "e"), rust(&entry, &exchange, "e")]
            .map(|copy| copy.unwrap_or_else(str::to_owned))
    }

    #[test]
    fn odd_methods_are_quoted_for_the_shell() {
        let method = |method| copied(method, "/enterprise/e/x[1]/../y", &[], "", "")[0].clone();
        let rest = "--globoff --path-as-is \"$TELECRM_ASYNC_URL/enterprise/$TELECRM_ENTERPRISE_ID/x[1]/../y\"";
        for (sent, written) in [
            ("GET", "--request GET"),
            ("HEAD", "--head"),
            ("`id`", "--request '`id`'"),
            ("$HOME", "--request '$HOME'"),
            ("a'|id", r"--request 'a'\''|id'"),
        ] {
            assert_eq!(method(sent), format!("curl {written} {rest}"));
        }
    }

    #[test]
    fn only_headers_that_were_sent_are_copied() {
        let json = (CONTENT_TYPE, "application/json");
        let [with, _] = copied("POST", "/enterprise/e/a", &[json], "", "{}");
        assert!(with.contains("--header 'Content-Type: application/json'"), "{with}");
        let [without, _] = copied("POST", "/enterprise/e/a", &[], "", "{}");
        assert!(without.contains("--header 'Content-Type:'"), "{without}");
        assert!(!without.contains("Authorization"), "{without}");
    }

    #[test]
    fn the_token_variable_matches_the_token_that_was_sent() {
        let token = |bearer| {
            let sent = (AUTHORIZATION, "Bearer secret");
            copied("GET", "/enterprise/e/a", &[sent], bearer, "")[0].clone()
        };
        assert!(token("Bearer … (an Async token)").contains("Bearer $TELECRM_ASYNC_TOKEN"));
        assert!(token("Bearer … (a Sync token)").contains("Bearer $TELECRM_SYNC_TOKEN"));
        let wrong = token("…");
        assert!(wrong.starts_with("# The call was sent without a valid token.\ncurl "), "{wrong}");
        assert!(!wrong.contains("_TOKEN"), "{wrong}");
    }

    #[test]
    fn direction_marks_are_escaped_in_rust() {
        let body = "{\"name\": \"a\u{202E}b\u{2066}c\"}";
        let [_, code] = copied("POST", "/enterprise/e/a", &[], "", body);
        assert!(code.contains(r"a\u202Eb\u2066c"), "{code}");
        assert!(!code.contains(['\u{202E}', '\u{2066}']), "{code}");
    }

    #[test]
    fn variables_and_commands_in_values_are_escaped() {
        assert_eq!(single_quoted("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(in_double_quotes(r#"/a$(id)`b`"c\d"#), r#"/a\$(id)\`b\`\"c\\d"#);
    }
}
