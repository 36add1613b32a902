//! The emulator's web pages: API calls, leads, the workspace, fault rules and the profile.

mod call;
mod calls;
mod conformance;
mod events;
mod filter;
mod json;
mod leads;
mod nullable;
mod outcome;
mod page;
mod settings;
mod snippets;
mod workspace;

use crate::app::App;
use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::map_response;
use axum::response::{Redirect, Response};
use axum::routing::{get, post};

/// The address of the first page, below which all others are.
const HOME: &str = "/_emulator/";

/// Lets the browser load and contact this server only. Scripts must be files of this server.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; \
    base-uri 'none'";

const SECURITY_HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // With `no-referrer`, browsers also leave out the `Origin` of our own forms.
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// File name, content type and content of each static file.
const ASSETS: [(&str, &str, &str); 4] = [
    ("style.css", "text/css; charset=utf-8", include_str!("style.css")),
    ("theme.js", "text/javascript; charset=utf-8", include_str!("theme.js")),
    ("live.js", "text/javascript; charset=utf-8", include_str!("live.js")),
    ("icon.svg", "image/svg+xml", include_str!("icon.svg")),
];

pub(crate) fn router() -> Router<App> {
    let at = |path: &str| format!("{HOME}{path}");
    let mut router = Router::new()
        .route("/_emulator", get(async || Redirect::permanent(HOME)))
        .route(HOME, get(calls::page))
        .route(&at("events"), get(events::stream))
        .route(&at("calls/{seq}"), get(call::page))
        .route(&at("leads"), get(leads::list))
        .route(&at("leads/{lead}"), get(leads::detail))
        .route(&at("workspace"), get(workspace::page))
        .route(&at("settings"), get(settings::page))
        .route(&at("settings/faults"), post(settings::add_fault))
        .route(&at("settings/faults/clear"), post(settings::clear_faults))
        .route(&at("settings/faults/remove"), post(settings::remove_fault))
        .route(&at("settings/profile"), post(settings::set_profile))
        .route(&at("settings/reset"), post(settings::reset));
    for (name, content_type, content) in ASSETS {
        let answer = async move || ([(header::CONTENT_TYPE, content_type)], content);
        router = router.route(&at(name), get(answer));
    }
    router.layer(map_response(add_security_headers))
}

async fn add_security_headers(mut response: Response) -> Response {
    for (name, value) in SECURITY_HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Returns true if a browser opens `/` itself. For other clients, `/` is the root of the Async API.
pub(crate) fn is_front_door(request: &Request) -> bool {
    let accept = request.headers().get(header::ACCEPT);
    let is_browser = accept.is_some_and(|types| types.as_bytes().starts_with(b"text/html"));
    request.uri().path() == "/" && request.method() == Method::GET && is_browser
}

/// Redirects to the list of calls.
pub(crate) fn home() -> Redirect {
    Redirect::temporary(HOME)
}
