//! Authentication: the enterprise ID, the token and its rate limit.

use super::explain;
use super::request::DiscardedBody;
use super::response::ApiError;
use crate::app::App;
use crate::config::Config;
use crate::faults::rate_limit::LimitExceeded;
use crate::operations::{self, Operation, SYNC_BASE};
use crate::profile::UnknownEnterprise;
use crate::recording::RecordedToken;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequest, RawPathParams, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Lets requests pass that have a token of their API, as often as its rate limit allows.
pub(crate) async fn authorize(
    State(app): State<App>,
    path: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let enterprise = enterprise(&path)?;
    let is_sync = request.uri().path().starts_with(SYNC_BASE);
    let (tokens, limiter) = if is_sync {
        (&app.config.sync_tokens, &app.sync_limiter)
    } else {
        (&app.config.async_tokens, &app.async_limiter)
    };
    let token = token_index(request.headers(), tokens);
    if let Some(token) = token
        && enterprise == app.config.enterprise
    {
        return Ok(match limiter.take(token, app.shared_store.now()) {
            Ok(()) => next.run(request).await,
            Err(exceeded) => refuse(&app, request, too_many_requests(&exceeded, is_sync)).await,
        });
    }
    let names_enterprise = token.is_some()
        && app.profile().unknown_enterprise == UnknownEnterprise::NotFound
        && reads_workspace(&request);
    let refusal = if !is_sync {
        ApiError::not_authorized("Invalid or missing access token.")
    } else if names_enterprise {
        ApiError::not_found(
            "ENTERPRISE_NOT_FOUND",
            format_args!("The enterprise with ID {enterprise} was not found."),
        )
    } else {
        ApiError::not_authorized(format_args!(
            "Enterprise with ID {enterprise} not found or invalid access token. Please generate a \
             new one from the Website/API integrations section of the telecrm app."
        ))
    };
    let cause = if explain::is_preflight(request.method(), request.headers()) {
        explain::preflight()
    } else {
        explain::credentials(&app.config, request.headers(), is_sync, enterprise)
    };
    Ok(refuse(&app, request, refusal.refused(cause)).await)
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

fn too_many_requests(exceeded: &LimitExceeded, is_sync: bool) -> Response {
    let api = if is_sync { "sync" } else { "async" };
    let message = format!(
        "the token has used up its requests of this hour (--{api}-limit); wait, or use another \
         token (AS9)"
    );
    let error = ApiError::too_many("Too many requests within an hour");
    let mut response = error.refused(("rate_limited", message)).into_response();
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
    operations::route(request).is_some_and(|route| {
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
