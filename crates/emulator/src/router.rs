//! Routes and the layers that every request passes.

use crate::api;
use crate::app::App;
use crate::control;
use crate::http::origin::{OWN, check_host, check_origin};
use crate::http::{ApiError, BODY_LIMIT, DiscardedBody, auth, call, capture, explain};
use crate::log::{Effect, Refusal};
use crate::operations::{ROUTES, SYNC_BASE};
use crate::problem::Problem;
#[cfg(feature = "web")]
use crate::web;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Extension, Html, IntoResponse, Response};
use axum::routing::{MethodFilter, any};
use std::net::SocketAddr;
use tower_http::cors::CorsLayer;

/// Helps a caller who asks for an unknown path.
const BASES: &str = "The Sync API is below /autoupdate/v2/enterprise/{enterpriseId}, the Async \
    API below /enterprise/{enterpriseId}, and the emulator's own endpoints below /_emulator";

/// The easy misspelling of `/teammember/state_change`. Without a route of its own, it would read
/// as the address of a team member (pitfall TM6).
const MISSPELLED_STATE_CHANGE: &str =
    "/autoupdate/v2/enterprise/{enterprise}/team-members/state_change";

/// Everything that the emulator answers.
pub(crate) fn router(app: App, local: SocketAddr) -> Router {
    let mut apis = Router::new().route(MISSPELLED_STATE_CHANGE, any(no_endpoint));
    for route in ROUTES {
        let method =
            if route.method == Method::GET { MethodFilter::GET } else { MethodFilter::POST };
        apis = apis.route(route.path, api::handler(route.operation, method));
    }
    let own = control::router();
    #[cfg(feature = "web")]
    let own = own.merge(web::router());
    let own = own
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(app.clone(), acknowledge));
    let mut apis = apis
        .method_not_allowed_fallback(method_not_allowed)
        .route_layer(from_fn_with_state(app.clone(), auth::authorize))
        .fallback(unknown)
        .layer(from_fn_with_state(app.clone(), call::run));
    if app.config.cors {
        apis = apis.layer(CorsLayer::permissive().allow_private_network(true));
    }
    apis.merge(own)
        .layer((DefaultBodyLimit::max(BODY_LIMIT), from_fn_with_state((app.clone(), local), guard)))
        .with_state(app)
}

/// Checks where a request comes from, and records it. One layer does both, since a layer costs more
/// than either.
async fn guard(
    State((app, local)): State<(App, SocketAddr)>,
    request: Request,
    next: Next,
) -> Response {
    let checked = check_host(&request, local, &app.config.hosts);
    if let Err(refusal) = checked.and_then(|()| check_origin(&request)) {
        return refusal.into_response();
    }
    #[cfg(feature = "web")]
    if web::is_front_door(&request) {
        return web::home().into_response();
    }
    match &app.recorder {
        // Boxed, so that calls without a recording do not carry the size of this future.
        Some(recorder) => Box::pin(capture::run(&app, recorder, request, next)).await,
        None => next.run(request).await,
    }
}

/// Answers a command with an error as long as the state file lacks a change.
async fn acknowledge(State(app): State<App>, request: Request, next: Next) -> Response {
    let is_command = !request.method().is_safe();
    let response = next.run(request).await;
    if is_command { call::acknowledged(&app, response) } else { response }
}

async fn method_not_allowed(method: Method, uri: Uri, _: DiscardedBody) -> ApiError {
    let problem = Problem::new(format!("{method} is not allowed at {}", uri.path()))
        .hint(format!("the header Allow lists the allowed methods. {BASES}"));
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", problem)
        .refused(explain::method(&method, &uri))
}

/// Answers an unknown path of the Sync API or of the emulator's own endpoints.
async fn no_endpoint(method: Method, uri: Uri, _: DiscardedBody) -> ApiError {
    ApiError::missing(Problem::new(format!("There is no {method} {}", uri.path())).hint(BASES))
        .refused(explain::path(&method, &uri))
}

/// Answers an unknown path.
async fn unknown(method: Method, uri: Uri, body: DiscardedBody) -> Response {
    let is_below = |base| {
        let rest = uri.path().strip_prefix(base);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if is_below(SYNC_BASE) || is_below(OWN) {
        return no_endpoint(method, uri, body).await.into_response();
    }
    not_an_api(explain::path(&method, &uri))
}

/// The page of the web app, with which the real host answers outside its APIs (pitfall TR1).
fn not_an_api((cause, message): explain::Cause) -> Response {
    let page = format!(
        "<!DOCTYPE html>\n<html><head><title>telecrm</title></head><body>Not found: {BASES}\
         </body></html>\n"
    );
    let refused = Some(Refusal::new(cause, message));
    let effect = Effect { refused, ..Effect::default() };
    (StatusCode::NOT_FOUND, Extension(effect), Html(page)).into_response()
}
