//! Authentication: the enterprise ID, the token and its rate limit.

use super::request::DiscardedBody;
use super::response::ApiError;
use crate::app::App;
use crate::config::Config;
use crate::faults::rate_limit::{LimitExceeded, Limiter};
use crate::operations::{self, Operation};
use crate::profile::UnknownEnterprise;
use crate::recording::RecordedToken;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequest, MatchedPath, RawPathParams, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Lets requests with a Sync token pass.
pub(crate) async fn sync_token(
    State(app): State<App>,
    path: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let enterprise = enterprise(&path)?;
    let token = token_index(request.headers(), &app.config.sync_tokens);
    if let Some(token) = token
        && enterprise == app.config.enterprise
    {
        return Ok(limited(&app, &app.sync_limiter, token, request, next).await);
    }
    if token.is_some()
        && app.profile().unknown_enterprise == UnknownEnterprise::NotFound
        && reads_workspace(&request)
    {
        let unknown = ApiError::not_found(
            "ENTERPRISE_NOT_FOUND",
            format_args!("The enterprise with ID {enterprise} was not found."),
        );
        return Ok(refuse(&app, request, unknown).await);
    }
    let refusal = ApiError::not_authorized(format_args!(
        "Enterprise with ID {enterprise} not found or invalid access token. Please generate a new \
         one from the Website/API integrations section of the telecrm app."
    ));
    Ok(refuse(&app, request, refusal).await)
}

/// Lets requests with an Async token pass.
pub(crate) async fn async_token(
    State(app): State<App>,
    path: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let enterprise = enterprise(&path)?;
    if let Some(token) = token_index(request.headers(), &app.config.async_tokens)
        && enterprise == app.config.enterprise
    {
        return Ok(limited(&app, &app.async_limiter, token, request, next).await);
    }
    let refusal = ApiError::not_authorized("Invalid or missing access token.");
    Ok(refuse(&app, request, refusal).await)
}

/// Which token a request has. Returns None if it has none at all.
pub(super) fn token(config: &Config, headers: &HeaderMap) -> Option<RecordedToken> {
    headers.get(header::AUTHORIZATION)?;
    let sync = token_index(headers, &config.sync_tokens).map(RecordedToken::Sync);
    let ingest = token_index(headers, &config.async_tokens).map(RecordedToken::Async);
    sync.or(ingest).or(Some(RecordedToken::Unknown))
}

/// The index of the request's token among these. Returns None for any other token.
fn token_index(headers: &HeaderMap, tokens: &[String]) -> Option<usize> {
    let header = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Bearer") {
        return None;
    }
    tokens.iter().position(|known| known == token.trim())
}

/// Answers a request if the rate limit of its token allows it.
async fn limited(
    app: &App,
    limiter: &Limiter,
    token: usize,
    request: Request,
    next: Next,
) -> Response {
    match limiter.take(token, app.shared_store.now()) {
        Ok(()) => next.run(request).await,
        Err(exceeded) => refuse(app, request, too_many_requests(&exceeded)).await,
    }
}

fn too_many_requests(exceeded: &LimitExceeded) -> Response {
    let mut response = ApiError::too_many("Too many requests within an hour").into_response();
    if let Some(seconds) = exceeded.retry_after {
        let value = HeaderValue::from(seconds);
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}

/// Refuses a request after its whole body has arrived.
async fn refuse(app: &App, request: Request, refusal: impl IntoResponse) -> Response {
    let Ok(DiscardedBody) = DiscardedBody::from_request(request, app).await;
    refusal.into_response()
}

/// Whether a request reads the workspace, for which the documentation has a 404 of its own.
fn reads_workspace(request: &Request) -> bool {
    let path = request.extensions().get::<MatchedPath>();
    let route = path.and_then(|path| operations::find(request.method(), path.as_str()));
    route.is_some_and(|route| {
        matches!(
            route.operation,
            Operation::GetMetadata
                | Operation::ListCustomFields
                | Operation::GetCustomField
                | Operation::ListCustomActions
                | Operation::GetCustomAction
                | Operation::GetLeadStagePipeline
        )
    })
}

/// The enterprise in the path. A path that is not UTF-8 fails here, before any handler reads it.
fn enterprise(path: &Result<RawPathParams, RawPathParamsRejection>) -> Result<&str, ApiError> {
    let params = path.as_ref().map_err(|_| ApiError::bad_request("The path is malformed"))?;
    let mut params = params.iter();
    let found = params.find(|(name, _)| *name == "enterprise");
    Ok(found.map_or("", |(_, value)| value))
}
