//! The pages for people: what was called, what became of it, what there is, and what to let go wrong.

mod call;
mod calls;
mod contract;
mod copy;
mod events;
mod filter;
mod json;
mod leads;
mod nullable;
mod page;
mod parts;
mod switches;
mod workspace;

use crate::app::App;
use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::map_response;
use axum::response::{Redirect, Response};
use axum::routing::{get, post};

/// Where the pages begin.
const HOME: &str = "/_emulator/";

/// Nothing comes from elsewhere, and nothing stands in the page that could run or be sent away.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // With `no-referrer`, browsers would not say either that it is an own page from which a form comes.
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
];

pub(crate) fn router() -> Router<App> {
    let asset = |content_type, text: &'static str| {
        get(async move || ([(header::CONTENT_TYPE, content_type)], text))
    };
    Router::new()
        .route("/_emulator", get(async || Redirect::permanent(HOME)))
        .route(HOME, get(calls::page))
        .route("/_emulator/events", get(events::stream))
        .route("/_emulator/calls/{seq}", get(call::page))
        .route("/_emulator/leads", get(leads::list))
        .route("/_emulator/leads/{lead}", get(leads::detail))
        .route("/_emulator/workspace", get(workspace::page))
        .route("/_emulator/switches", get(switches::page))
        .route("/_emulator/switches/faults", post(switches::add_fault))
        .route(
            "/_emulator/switches/faults/clear",
            post(switches::clear_faults),
        )
        .route(
            "/_emulator/switches/faults/remove",
            post(switches::remove_fault),
        )
        .route("/_emulator/switches/profile", post(switches::set_profile))
        .route("/_emulator/switches/reset", post(switches::reset))
        .route(
            "/_emulator/style.css",
            asset("text/css; charset=utf-8", include_str!("style.css")),
        )
        .route(
            "/_emulator/theme.js",
            asset("text/javascript; charset=utf-8", include_str!("theme.js")),
        )
        .route(
            "/_emulator/live.js",
            asset("text/javascript; charset=utf-8", include_str!("live.js")),
        )
        .route(
            "/_emulator/icon.svg",
            asset("image/svg+xml", include_str!("icon.svg")),
        )
        .layer(map_response(guard))
}

/// Says to the browser what it must not do with a page.
async fn guard(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Whether a browser opens the address itself. To all others, `/` is where the Async API begins.
pub(crate) fn is_front_door(request: &Request) -> bool {
    let accept = request.headers().get(header::ACCEPT);
    let is_browser = accept.is_some_and(|types| types.as_bytes().starts_with(b"text/html"));
    request.uri().path() == "/" && request.method() == Method::GET && is_browser
}

/// Leads to the page of calls.
pub(crate) fn home() -> Redirect {
    Redirect::temporary(HOME)
}
