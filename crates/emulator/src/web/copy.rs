//! A call as a command and as code, to make it again. Tokens stay in the environment.

use super::json;
use crate::log::LogEntry;
use crate::log::exchange::{Exchange, LoggedBody as Kept};
use crate::operations::SYNC_BASE;
use axum::extract::Query;
use axum::http::{Uri, header};
use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use std::fmt::Write;

/// Where a call went, in the words of the environment.
struct Target<'a> {
    is_sync: bool,
    /// With the legacy prefix, if it has one.
    path: &'a str,
    /// The path below this emulator's enterprise.
    below: Option<&'a str>,
}

impl<'a> Target<'a> {
    fn of(path: &'a str, enterprise: &str) -> Self {
        let sync = path
            .strip_prefix(SYNC_BASE)
            .filter(|rest| rest.starts_with('/'));
        let below = sync.unwrap_or(path).strip_prefix("/enterprise/");
        Self {
            is_sync: sync.is_some(),
            path: sync.unwrap_or(path),
            below: below
                .and_then(|rest| rest.strip_prefix(enterprise))
                .filter(|rest| rest.starts_with('/')),
        }
    }

    fn api(&self) -> &'static str {
        match self.is_sync {
            true => "SYNC",
            false => "ASYNC",
        }
    }
}

/// The body to send again, if there is one.
fn body(kept: Option<&Kept>) -> Result<Option<&str>, &'static str> {
    let Some(kept) = kept else {
        return Ok(None);
    };
    if !kept.is_whole() {
        return Err("The body is too long to be copied: only its beginning is kept.");
    }
    let text = std::str::from_utf8(kept.bytes());
    text.map(Some)
        .map_err(|_| "The body is no text, and cannot be copied.")
}

/// A command line for a POSIX shell, with the five variables that the emulator exports.
pub(crate) fn curl(
    entry: &LogEntry,
    exchange: &Exchange,
    enterprise: &str,
) -> Result<String, &'static str> {
    let target = Target::of(&entry.path, enterprise);
    let api = target.api();
    let mut address = match target.below {
        Some(rest) => format!("/enterprise/$TELECRM_ENTERPRISE_ID{}", inside_quotes(rest)),
        None => inside_quotes(target.path),
    };
    if let Some(query) = &exchange.query {
        address = format!("{address}?{}", inside_quotes(query));
    }
    // With `--request HEAD` curl waits for a body that never comes.
    let method = match entry.method.as_str() {
        "HEAD" => "--head".to_owned(),
        method => format!("--request {}", word(method)),
    };
    // Without these two curl takes brackets for a pattern, and dots out of the path.
    let mut command =
        format!("curl {method} --globoff --path-as-is \"$TELECRM_{api}_URL{address}\"");
    let mut option = |option: &str| {
        // A text takes whatever is written to it.
        let _ = write!(command, " \\\n  {option}");
    };
    let token = Token::of(exchange, target.is_sync);
    match token {
        Token::None => {}
        Token::Right => option(&format!(
            "--header \"Authorization: Bearer $TELECRM_{api}_TOKEN\""
        )),
        Token::OtherApi(other) => option(&format!(
            "--header \"Authorization: Bearer $TELECRM_{other}_TOKEN\""
        )),
        Token::Unknown => option("--header 'Authorization: Bearer not-a-token-of-this-emulator'"),
    }
    if let Some(body) = body(exchange.request.body.as_ref())? {
        let content_type = match exchange.request.header(&header::CONTENT_TYPE) {
            Some(content_type) => format!("Content-Type: {content_type}"),
            // curl has one of its own unless told otherwise.
            None => "Content-Type:".to_owned(),
        };
        option(&format!("--header {}", quoted(&content_type)));
        option(&format!("--data-raw {}", quoted(body)));
    }
    Ok(match token {
        Token::Unknown => format!("# It had no token of this emulator.\n{command}"),
        _ => command,
    })
}

/// The token that a call came with. Of itself nothing is kept.
enum Token {
    None,
    Right,
    /// One for the other API, by its name in the environment.
    OtherApi(&'static str),
    Unknown,
}

impl Token {
    fn of(exchange: &Exchange, is_sync: bool) -> Self {
        let Some(shown) = exchange.request.header(&header::AUTHORIZATION) else {
            return Self::None;
        };
        match (
            shown.contains("(a Sync token)"),
            shown.contains("(an Async token)"),
        ) {
            (true, _) if !is_sync => Self::OtherApi("SYNC"),
            (_, true) if is_sync => Self::OtherApi("ASYNC"),
            (false, false) => Self::Unknown,
            _ => Self::Right,
        }
    }
}

/// A method is any token of HTTP, and some of those are commands to a shell.
fn word(text: &str) -> Cow<'_, str> {
    match text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        true => text.into(),
        false => quoted(text).into(),
    }
}

/// What a shell does not touch.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn inside_quotes(text: &str) -> String {
    let mut safe = String::new();
    for character in text.chars() {
        if matches!(character, '"' | '$' | '`' | '\\') {
            safe.push('\\');
        }
        safe.push(character);
    }
    safe
}

/// Rust, for a `telecrm: Telecrm`, with `telecrm::Method` in scope.
pub(crate) fn rust(
    entry: &LogEntry,
    exchange: &Exchange,
    enterprise: &str,
) -> Result<String, &'static str> {
    let target = Target::of(&entry.path, enterprise);
    let path = target.below.and_then(segments).ok_or(
        "The library does not send to this path: it is none below this emulator's enterprise.",
    )?;
    let method = match entry.method.as_str() {
        "GET" => "Get",
        "POST" => "Post",
        "PUT" => "Put",
        "PATCH" => "Patch",
        "DELETE" => "Delete",
        _ => return Err("The library does not send with this method."),
    };
    let mut code = format!("let reply = telecrm\n    .request(Method::{method}, {path:?})");
    if !target.is_sync {
        code.push_str("\n    .over_async()");
    }
    for (name, value) in pairs(exchange.query.as_deref()) {
        let _ = write!(code, "\n    .query({name:?}, {value:?})");
    }
    if let Some(body) = body(exchange.request.body.as_ref())? {
        if !json::is_json(body) {
            return Err("The body is not JSON, and the library sends nothing else.");
        }
        let body = escape_directions(&json::pretty_text(body));
        let hashes = hashes(&body);
        let _ = write!(
            code,
            "\n    .json(&serde_json::from_str::<serde_json::Value>(\n        r{hashes}\"{body}\"{hashes},\n    )?)"
        );
    }
    code.push_str("\n    .send()\n    .await?;");
    Ok(code)
}

/// A path as the library takes it, which escapes it anew.
fn segments(path: &str) -> Option<String> {
    let segment = |segment| percent_decode_str(segment).decode_utf8().ok();
    let segments: Vec<_> = path.split('/').map(segment).collect::<Option<_>>()?;
    let is_one = |segment: &Cow<'_, str>| !segment.contains(['/', '?', '#', '\\']);
    segments.iter().all(is_one).then(|| segments.join("/"))
}

/// Rust takes no characters that turn the direction of writing. In JSON they stand in texts only, where they can be escaped.
fn escape_directions(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
                let _ = write!(escaped, "\\u{:04X}", u32::from(character));
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

/// As many as a raw string needs, so that nothing in it ends it.
fn hashes(text: &str) -> String {
    let longest = text
        .split('"')
        .skip(1)
        .map(|rest| rest.len() - rest.trim_start_matches('#').len())
        .max();
    "#".repeat(longest.map_or(1, |longest| longest + 1))
}

fn pairs(query: Option<&str>) -> Vec<(String, String)> {
    let uri = query.and_then(|query| format!("/?{query}").parse::<Uri>().ok());
    let pairs = uri.and_then(|uri| Query::try_from_uri(&uri).ok());
    pairs.map_or(Vec::new(), |Query(pairs)| pairs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::exchange::BodySlot as Slot;

    #[test]
    fn a_raw_string_ends_where_its_text_ends() {
        assert_eq!(hashes("plain"), "#");
        assert_eq!(hashes(r#"{"a": 1}"#), "#");
        assert_eq!(hashes(r##"{"a": "#"}"##), "##");
        assert_eq!(hashes(r###"a"##b"#c"###), "###");
    }

    #[test]
    fn paths_are_copied_unless_the_library_could_not_send_them() {
        assert_eq!(segments("/lead/a%20b").as_deref(), Some("/lead/a b"));
        for path in ["/lead/a%2Fb", "/lead/%3F", "/lead/%ff", "/lead/%5C"] {
            assert_eq!(segments(path), None, "{path}");
        }
    }

    fn copied(
        method: &str,
        address: &str,
        headers: &[(header::HeaderName, &str)],
        bearer: &str,
        body: &str,
    ) -> [String; 2] {
        let uri: Uri = address.parse().unwrap();
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().unwrap()));
        let mut exchange = Exchange::begin(0, &uri, &headers.collect(), bearer);
        if !body.is_empty() {
            let slot = Slot::default();
            slot.put(&body.to_owned().into());
            exchange.request.body = slot.body();
        }
        let entry = LogEntry {
            seq: 1,
            method: method.to_owned(),
            path: uri.path().to_owned(),
            operation: None,
            status: 200,
            ms: None,
            fault: None,
            stored: None,
            findings: Vec::new(),
        };
        [curl(&entry, &exchange, "e"), rust(&entry, &exchange, "e")]
            .map(|copy| copy.unwrap_or_else(str::to_owned))
    }

    #[test]
    fn odd_methods_are_no_commands() {
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
    fn no_header_is_copied_that_was_not_there() {
        let json = (header::CONTENT_TYPE, "application/json");
        let [with, _] = copied("POST", "/enterprise/e/a", &[json], "", "{}");
        assert!(
            with.contains("--header 'Content-Type: application/json'"),
            "{with}"
        );
        let [without, _] = copied("POST", "/enterprise/e/a", &[], "", "{}");
        assert!(without.contains("--header 'Content-Type:'"), "{without}");
        assert!(!without.contains("Authorization"), "{without}");
    }

    #[test]
    fn the_token_is_as_right_as_it_was() {
        let token = |bearer| {
            let sent = (header::AUTHORIZATION, "Bearer secret");
            copied("GET", "/enterprise/e/a", &[sent], bearer, "")[0].clone()
        };
        assert!(token("Bearer … (an Async token)").contains("Bearer $TELECRM_ASYNC_TOKEN"));
        assert!(token("Bearer … (a Sync token)").contains("Bearer $TELECRM_SYNC_TOKEN"));
        let wrong = token("…");
        assert!(
            wrong.starts_with("# It had no token of this emulator.\ncurl "),
            "{wrong}"
        );
        assert!(!wrong.contains("_TOKEN"), "{wrong}");
    }

    #[test]
    fn rust_takes_no_characters_that_turn_the_direction() {
        let body = "{\"name\": \"a\u{202E}b\u{2066}c\"}";
        let [_, code] = copied("POST", "/enterprise/e/a", &[], "", body);
        assert!(code.contains(r"a\u202Eb\u2066c"), "{code}");
        assert!(!code.contains(['\u{202E}', '\u{2066}']), "{code}");
    }

    #[test]
    fn a_shell_sees_only_its_own_variables() {
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(inside_quotes(r#"/a$(id)`b`"c\d"#), r#"/a\$(id)\`b\`\"c\\d"#);
    }
}
