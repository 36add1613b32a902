//! Explains refusals that telecrm's answers leave open: which of several mistakes a 401 is, and
//! what is wrong with a path.

use crate::config::Config;
use crate::operations::SYNC_BASE;
use axum::http::{HeaderMap, Method, Uri, header};

/// The name of a cause, and the explanation.
pub(crate) type Cause = (&'static str, String);

/// Header that browsers send in a preflight.
pub(crate) const PREFLIGHT: header::HeaderName = header::ACCESS_CONTROL_REQUEST_METHOD;

/// Whether a browser asks whether a page may send the request.
pub(super) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::OPTIONS && headers.contains_key(PREFLIGHT)
}

pub(super) fn preflight() -> Cause {
    let message = "a browser asks whether a web page may send this call (CORS preflight); to allow \
                   it, start the emulator with --cors (Builder::cors), and never ship a token to \
                   browsers";
    ("preflight", message.to_owned())
}

/// Why a request with these headers and this enterprise is not authorized. Contains no token.
pub(super) fn credentials(
    config: &Config,
    headers: &HeaderMap,
    is_sync: bool,
    enterprise: &str,
) -> Cause {
    if is_token(config, enterprise) {
        let message = "the path has a token in place of the enterprise ID; put the token into the \
                       header `Authorization: Bearer TOKEN`";
        return ("token_as_enterprise", message.to_owned());
    }
    if let Err(cause) = token(config, headers, is_sync) {
        return cause;
    }
    let known = &config.enterprise;
    if is_placeholder(enterprise) {
        let message = format!("the path has a placeholder instead of the enterprise ID `{known}`");
        return ("placeholder_enterprise", message);
    }
    let message = format!(
        "the token is valid, but the path names another enterprise than `{known}`; correct the \
         path, or start the emulator with --enterprise"
    );
    ("unknown_enterprise", message)
}

/// Checks the token. The error says what is wrong with it.
fn token(config: &Config, headers: &HeaderMap, is_sync: bool) -> Result<(), Cause> {
    let cause = |name, message: String| Err((name, message));
    let (api, own, other_api, other) = if is_sync {
        ("Sync", &config.sync_tokens, "Async", &config.async_tokens)
    } else {
        ("Async", &config.async_tokens, "Sync", &config.sync_tokens)
    };
    let mut sent = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = sent.next() else {
        let message = "the request has no header `Authorization: Bearer TOKEN`";
        return cause("no_authorization", message.to_owned());
    };
    if sent.next().is_some() {
        let message = "the request has several Authorization headers; send one";
        return cause("repeated_authorization", message.to_owned());
    }
    let Some(value) = value.to_str().ok().map(str::trim) else {
        let message = "the Authorization header has characters that are not ASCII";
        return cause("unreadable_authorization", message.to_owned());
    };
    let is_known = |text: &str| own.iter().chain(other).any(|known| known == text);
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    let token = token.trim();
    if !scheme.eq_ignore_ascii_case("Bearer") {
        // A scheme is a short word. Anything else may be a secret, so it is not repeated.
        let is_word = scheme.len() < 12 && scheme.bytes().all(|b| b.is_ascii_alphabetic());
        if token.is_empty() || is_known(value) || !is_word {
            let message = "the Authorization header does not begin with `Bearer ` and a blank";
            return cause("no_scheme", message.to_owned());
        }
        let message = format!("the scheme of the Authorization header is {scheme}, not Bearer");
        return cause("other_scheme", message);
    }
    if token.is_empty() {
        let message = "there is no token after `Bearer`; is its variable set?";
        return cause("no_token", message.to_owned());
    }
    if token.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("Bearer")) {
        let message = "the header says `Bearer` twice; the client may add it already";
        return cause("doubled_scheme", message.to_owned());
    }
    if token.contains(',') {
        let message = "the header has several tokens; send one of them";
        return cause("several_tokens", message.to_owned());
    }
    if is_known(token.trim_matches(['"', '\'', '<', '>'])) && !is_known(token) {
        let message = "the token is in quotes or brackets; send it without them";
        return cause("quoted_token", message.to_owned());
    }
    if is_placeholder(token) {
        let message = "the header has a placeholder instead of a token; is its variable set?";
        return cause("placeholder_token", message.to_owned());
    }
    if own.iter().any(|known| known == token) {
        return Ok(());
    }
    if other.iter().any(|known| known == token) {
        let name = if is_sync { "async_token_on_sync" } else { "sync_token_on_async" };
        let message =
            format!("this is an {other_api} token; the {api} API takes {api} tokens only");
        return cause(name, message.replace("an Sync", "a Sync"));
    }
    let message = format!(
        "the emulator does not have this token; `telecrm emulator` prints its {api} token when it \
         starts"
    );
    cause("unknown_token", message)
}

/// Whether a text is a token of this emulator, or looks like one of telecrm.
pub(super) fn is_token(config: &Config, text: &str) -> bool {
    let mut known = config.sync_tokens.iter().chain(&config.async_tokens);
    known.any(|token| token == text) || (text.len() > 60 && text.contains([':', '%']))
}

fn is_placeholder(text: &str) -> bool {
    text.starts_with(['{', '<', '$', '%'])
        || ["undefined", "null", "None", "TOKEN", "enterpriseId"].contains(&text)
}

/// What is wrong with a path that no operation has.
pub(crate) fn path(method: &Method, uri: &Uri) -> Cause {
    let path = uri.path();
    let below = path.strip_prefix(SYNC_BASE);
    let missing_base = below.is_none() && path.starts_with("/enterprise/");
    let doubled = below.is_some_and(|rest| rest.starts_with(SYNC_BASE));
    let ingest = below.is_some_and(|rest| rest.ends_with("/autoupdatelead"));
    if path.ends_with("/team-members/state_change") {
        let message = "the path of this operation is /teammember/state_change, in one word (TM6)";
        ("misspelled_path", message.to_owned())
    } else if missing_base {
        let message = format!("the Sync API is below {SYNC_BASE}, which the base URL lacks (TR1)");
        ("missing_base_path", message)
    } else if doubled {
        ("doubled_base_path", format!("the path has {SYNC_BASE} twice"))
    } else if ingest {
        let message = format!("autoupdatelead belongs to the Async API, which has no {SYNC_BASE}");
        ("async_path_on_sync", message)
    } else if path.len() > 1 && path.ends_with('/') {
        ("trailing_slash", "the path ends with a slash; leave it out".to_owned())
    } else if path.contains("//") {
        ("doubled_slash", "the path has two slashes in a row".to_owned())
    } else {
        ("unknown_path", format!("telecrm has no {method} {path}"))
    }
}

/// Why this method is not allowed at a path that other methods have.
pub(crate) fn method(method: &Method, uri: &Uri) -> Cause {
    let path = uri.path();
    if *method == Method::GET && path.ends_with("/search") {
        return get_on_search();
    }
    let message = match *method {
        Method::PUT | Method::PATCH => "telecrm updates with POST",
        Method::DELETE => "telecrm cannot delete anything over its APIs",
        _ => "the header Allow of the answer names the right method",
    };
    ("wrong_method", format!("{method} is not allowed here: {message}"))
}

/// A search by GET, which reads as a lead or an action with the ID `search`.
pub(crate) fn get_on_search() -> Cause {
    let message = "a search is a POST with a JSON filter as its body; GET reads `search` as an ID \
                   (LE3)";
    ("get_on_search", message.to_owned())
}
