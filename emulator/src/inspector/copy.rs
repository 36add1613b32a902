//! A call as a command and as code, to make it again. Tokens stay in the environment.

use super::json;
use crate::exchange::{Exchange, Kept};
use crate::log::LogEntry;
use crate::server::SYNC_BASE;
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
    let mut command = format!(
        "curl --request {} \"$TELECRM_{api}_URL{address}\"",
        entry.method
    );
    let mut option = |option: &str| {
        // A text takes whatever is written to it.
        let _ = write!(command, " \\\n  {option}");
    };
    if exchange.request.header(&header::AUTHORIZATION).is_some() {
        option(&format!(
            "--header \"Authorization: Bearer $TELECRM_{api}_TOKEN\""
        ));
    }
    if let Some(body) = body(exchange.request.body.as_ref())? {
        let content_type = exchange.request.header(&header::CONTENT_TYPE);
        let content_type = content_type.unwrap_or("application/json");
        option(&format!(
            "--header {}",
            quoted(&format!("Content-Type: {content_type}"))
        ));
        option(&format!("--data-raw {}", quoted(body)));
    }
    Ok(command)
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
        let body = json::pretty_text(body);
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

    #[test]
    fn a_shell_sees_only_its_own_variables() {
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(inside_quotes(r#"/a$(id)`b`"c\d"#), r#"/a\$(id)\`b\`\"c\\d"#);
    }
}
