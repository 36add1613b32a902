//! Which path leads where, and what is asked of every request.

use crate::answer::{self, ApiError, BODY_LIMIT, Unwanted};
use crate::exchange::{Exchange, Slot, Whole};
use crate::faults::Applied;
use crate::limits::Limiter;
use crate::log::{Call, Effect, Ending, Logged};
use crate::profile::UnknownEnterprise;
use crate::recording::Unrecorded;
#[cfg(feature = "web")]
use crate::web;
use crate::{App, actions, clock, control, ingest, leads, recording, team_members, workspace};
use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{DefaultBodyLimit, FromRequest, MatchedPath, RawPathParams, Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{any, delete, get, post};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// What a browser says of the page that asks.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Where the Sync API begins.
pub(crate) const SYNC_BASE: &str = "/autoupdate/v2";

/// Where what only the emulator has begins.
const OWN: &str = "/_emulator";

/// Where something is, for those who ask where nothing is.
const BASES: &str = "the Sync API is below /autoupdate/v2/enterprise/{enterpriseId}, the Async API below \
    /enterprise/{enterpriseId}, and what only the emulator has below /_emulator";

/// The paths of the Sync API, and the operation behind each method.
const SYNC_OPERATIONS: [(&str, Method, &str); 18] = [
    ("/lead", Method::POST, "createLead"),
    ("/lead/{lead}", Method::GET, "getLead"),
    ("/lead/{lead}", Method::POST, "updateLead"),
    ("/lead/search", Method::POST, "searchLeads"),
    ("/lead/{lead}/action", Method::POST, "createActions"),
    ("/lead/{lead}/action/{action}", Method::GET, "getAction"),
    ("/lead/{lead}/action/{action}", Method::POST, "updateAction"),
    ("/lead/{lead}/action/search", Method::POST, "searchActions"),
    ("/team-members", Method::GET, "listTeamMembers"),
    ("/team-members", Method::POST, "createTeamMember"),
    ("/team-members/{email}", Method::GET, "getTeamMember"),
    (
        "/teammember/state_change",
        Method::POST,
        "setTeamMemberState",
    ),
    ("/metadata", Method::GET, "getMetadata"),
    ("/custom-fields", Method::GET, "listCustomFields"),
    ("/custom-fields/{name}", Method::GET, "getCustomField"),
    ("/custom-actions", Method::GET, "listCustomActions"),
    ("/custom-actions/{code}", Method::GET, "getCustomAction"),
    ("/lead-stage-pipeline", Method::GET, "getLeadStagePipeline"),
];

/// Everything the emulator answers.
pub(crate) fn router(app: App, local: SocketAddr) -> Router {
    let at = |path: &str| format!("{SYNC_BASE}/enterprise/{{enterprise}}{path}");
    let sync = Router::new()
        .route(&at("/lead"), post(leads::create))
        .route(&at("/lead/{lead}"), get(leads::get).post(leads::update))
        .route(&at("/lead/search"), post(leads::search))
        .route(&at("/lead/{lead}/action"), post(actions::create))
        .route(
            &at("/lead/{lead}/action/{action}"),
            get(actions::get).post(actions::update),
        )
        .route(&at("/lead/{lead}/action/search"), post(actions::search))
        .route(
            &at("/team-members"),
            get(team_members::list).post(team_members::create),
        )
        .route(&at("/team-members/{email}"), get(team_members::get))
        // The likely misspelling of the next, which must not be taken for an address (pitfall TM6).
        .route(&at("/team-members/state_change"), any(no_endpoint))
        .route(
            &at("/teammember/state_change"),
            post(team_members::change_state),
        )
        .route(&at("/metadata"), get(workspace::metadata))
        .route(&at("/custom-fields"), get(workspace::custom_fields))
        .route(&at("/custom-fields/{name}"), get(workspace::custom_field))
        .route(&at("/custom-actions"), get(workspace::custom_actions))
        .route(&at("/custom-actions/{code}"), get(workspace::custom_action))
        .route(&at("/lead-stage-pipeline"), get(workspace::pipeline))
        .method_not_allowed_fallback(method_not_allowed)
        .route_layer(from_fn_with_state(app.clone(), sync_token));
    let ingest = Router::new()
        .route(
            "/enterprise/{enterprise}/autoupdatelead",
            post(ingest::push),
        )
        // What the vendor's WordPress plugin and older code post to.
        .route("/enterprise/{enterprise}/wordpress", post(ingest::push))
        .route(
            "/v2/enterprise/{enterprise}/autoupdatelead",
            post(ingest::push),
        )
        .method_not_allowed_fallback(method_not_allowed)
        .route_layer(from_fn_with_state(app.clone(), async_token));
    let own = Router::new()
        .route("/_emulator/health", get(control::health))
        .route("/_emulator/log", get(control::log))
        .route("/_emulator/settle", post(control::settle))
        .route("/_emulator/reset", post(control::reset))
        .route("/_emulator/snapshot", post(control::snapshot))
        .route("/_emulator/restore", post(control::restore))
        .route(
            "/_emulator/clock",
            get(control::clock).post(control::set_clock),
        )
        .route(
            "/_emulator/profile",
            get(control::profile)
                .put(control::set_profile)
                .patch(control::change_profile),
        )
        .route(
            "/_emulator/faults",
            get(control::faults)
                .post(control::add_faults)
                .delete(control::clear_faults),
        )
        .route("/_emulator/faults/{id}", delete(control::remove_fault))
        .route("/_emulator/leads/{lead}/timeline", post(control::record))
        .route("/openapi/sync.yaml", get(control::sync_description))
        .route("/openapi/async.yaml", get(control::async_description))
        .method_not_allowed_fallback(method_not_allowed);
    #[cfg(feature = "web")]
    let own = own.merge(web::router().method_not_allowed_fallback(method_not_allowed));
    let own = own.layer(from_fn_with_state(app.clone(), acknowledge));
    sync.merge(ingest)
        .fallback(unknown)
        .layer(from_fn_with_state(app.clone(), record))
        .merge(own)
        .layer((
            DefaultBodyLimit::max(BODY_LIMIT),
            from_fn_with_state((app.clone(), local), guard),
        ))
        .with_state(app)
}

/// What is asked of every request, and of its answer. In one layer, because each costs as much as all that it does.
async fn guard(
    State((app, local)): State<(App, SocketAddr)>,
    request: Request,
    next: Next,
) -> Response {
    if let Err(refusal) =
        check_host(&request, local, &app.config.hosts).and_then(|()| check_origin(&request))
    {
        return refusal.into_response();
    }
    #[cfg(feature = "web")]
    if web::is_front_door(&request) {
        return web::home().into_response();
    }
    match &app.recorder {
        // Boxed, so that those who record nothing do not move it about.
        Some(recorder) => Box::pin(recording::run(&app, recorder, request, next)).await,
        None => next.run(request).await,
    }
}

/// Says nothing is done as long as the state file lacks what was done.
async fn acknowledge(State(app): State<App>, request: Request, next: Next) -> Response {
    let is_command = !request.method().is_safe();
    let response = next.run(request).await;
    match is_command {
        true => kept(&app, response),
        false => response,
    }
}

fn kept(app: &App, response: Response) -> Response {
    match app.keeper.failure() {
        None => response,
        Some(failure) => {
            ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "STATE_NOT_KEPT", failure)
                .into_response()
        }
    }
}

/// Lets happen what a fault wants, and writes the call into the log.
async fn record(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let elapsed = clock::stopwatch();
    let matched = request.extensions().get::<MatchedPath>();
    let call = Call {
        operation: matched.and_then(|path| operation(request.method(), path.as_str())),
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        status: 0,
        fault: None,
    };
    let whose = credentials(&app, request.headers());
    let exchange = Exchange::begin(clock::machine(), request.uri(), request.headers(), whose);
    let slot = Slot::default();
    request.extensions_mut().insert(slot.clone());
    let workspace = || app.store().workspace().clone();
    let struck = match request.extensions_mut().remove::<Unrecorded>() {
        Some(unrecorded) => Err(unrecorded.into()),
        None => {
            app.faults
                .strike(call.operation, request, app.config.patience, workspace)
                .await
        }
    };
    let begun = Begun {
        call,
        exchange,
        slot,
        elapsed,
    };
    let response = match struck {
        Err(error) => error.into_response(),
        Ok((request, None)) => next.run(request).await,
        Ok((request, Some(fault))) => {
            return Box::pin(go_wrong(app, begun, request, fault, next)).await;
        }
    };
    begun.end(&app, response, true).await
}

/// Lets happen what a fault wants.
async fn go_wrong<E>(
    app: App,
    mut begun: Begun<E>,
    request: Request,
    fault: Applied,
    next: Next,
) -> Response
where
    E: Fn() -> Duration + Send + 'static,
{
    begun.call.fault = Some(fault.name());
    recording::note_fault(&fault);
    let mut request = match answer::buffered(request, app.config.patience).await {
        Ok((request, _)) => request,
        Err(error) => return begun.end(&app, error.into_response(), true).await,
    };
    if fault.is_endless_wait() {
        begun.keep_body();
        // Whoever waits in vain may go away at any time, and this with it.
        let ending = Ending {
            status: 0,
            ms: None,
            exchange: begun.exchange,
        };
        app.log.append(begun.call, Effect::default(), Some(ending));
        app.log.closed().await;
        return fault.run(request, next).await;
    }
    request.extensions_mut().insert(fault.clone());
    if let Some(delay) = fault.delay() {
        return answer_late(app, begun, delay, request, next).await;
    }
    let is_answered = !fault.is_silence();
    let response = fault.run(request, next).await;
    begun.end(&app, response, is_answered).await
}

/// Carries a call out after a while. Its caller may have left by then, of which a server knows nothing; only what would come
/// into another state than it was meant for is given up.
async fn answer_late<E>(
    app: App,
    begun: Begun<E>,
    delay: Duration,
    request: Request,
    next: Next,
) -> Response
where
    E: Fn() -> Duration + Send + 'static,
{
    let caller = Arc::new(());
    let waiting = Arc::downgrade(&caller);
    let late = async move {
        let returns = *app.returns.borrow();
        clock::wait_until(clock::after(delay)).await;
        let is_alone = || waiting.strong_count() == 0;
        if is_alone() && *app.returns.borrow() != returns {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        let response = next.run(request).await;
        let is_answered = !is_alone();
        begun.end(&app, response, is_answered).await
    };
    let response = recording::spawn(late).await;
    drop(caller);
    response.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// A call on its way into the log.
struct Begun<E> {
    call: Call,
    exchange: Exchange,
    slot: Slot,
    elapsed: E,
}

impl<E: Fn() -> Duration> Begun<E> {
    /// Takes what was read of the body into the log, without a password.
    fn keep_body(&mut self) {
        let request = &mut self.exchange.request;
        request.body = self.slot.body();
        // What no operation reads may be meant for that one.
        if matches!(self.call.operation, None | Some("createTeamMember")) {
            request.mask_password();
        }
    }

    /// Writes down how the call ended, and gives the answer.
    async fn end(mut self, app: &App, response: Response, is_answered: bool) -> Response {
        self.keep_body();
        let Self {
            call,
            mut exchange,
            slot,
            elapsed,
        } = self;
        let mut response = kept(app, response);
        let status = match is_answered {
            false => 0,
            true => {
                let (remade, body) = whole(response).await;
                exchange.answered(remade.headers(), &body);
                response = remade;
                response.status().as_u16()
            }
        };
        let logged = response.extensions_mut().remove::<Logged>();
        let mut effect = response
            .extensions_mut()
            .remove::<Effect>()
            .unwrap_or_default();
        let ending = Ending {
            status,
            ms: Some(millis(elapsed())),
            exchange,
        };
        let seq = match logged {
            Some(Logged(seq)) => {
                app.log.end(seq, ending);
                seq
            }
            None => {
                effect.findings.extend(slot.repeated());
                app.log.append(call, effect, Some(ending))
            }
        };
        if app.recorder.is_some() && is_answered {
            response.extensions_mut().insert(Logged(seq));
        }
        response
    }
}

/// Milliseconds, to the microsecond.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// An answer, and all that it says; of one that a fault makes break off or go on for ever, the right part.
async fn whole(mut response: Response) -> (Response, Bytes) {
    if let Some(Whole(body)) = response.extensions_mut().remove::<Whole>() {
        return (response, body);
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    (Response::from_parts(parts, body.clone().into()), body)
}

/// Which token a request carries, in words: no token gets into the log.
fn credentials(app: &App, headers: &HeaderMap) -> &'static str {
    if place(headers, &app.config.sync_tokens).is_some() {
        "Bearer … (a Sync token)"
    } else if place(headers, &app.config.async_tokens).is_some() {
        "Bearer … (an Async token)"
    } else {
        "… (no token of this emulator)"
    }
}

/// The IDs of all operations.
pub(crate) fn operations() -> impl Iterator<Item = &'static str> {
    let sync = SYNC_OPERATIONS.iter().map(|(_, _, operation)| *operation);
    [ingest::OPERATION].into_iter().chain(sync)
}

fn operation(method: &Method, path: &str) -> Option<&'static str> {
    let Some(path) = path.strip_prefix(SYNC_BASE) else {
        return (method == Method::POST).then_some(ingest::OPERATION);
    };
    let path = path.strip_prefix("/enterprise/{enterprise}")?;
    let mut known = SYNC_OPERATIONS.iter();
    let (_, _, operation) = known.find(|(p, m, _)| *p == path && m == method)?;
    Some(operation)
}

/// Refuses requests that a web page has sent here by a host name of its own (DNS rebinding).
fn check_host(request: &Request, local: SocketAddr, allowed: &[String]) -> Result<(), ApiError> {
    let header = request.headers().get(header::HOST);
    let host = header
        .and_then(|host| host.to_str().ok())
        .or(request.uri().host());
    if host.is_some_and(|host| is_own_host(host, local, allowed)) {
        return Ok(());
    }
    let message = format!(
        "The Host header names neither localhost nor an address of {local}; a name by which other machines reach the emulator is given to it with --allow-host NAME (Builder::allow_host)"
    );
    Err(ApiError::new(StatusCode::FORBIDDEN, "FORBIDDEN", message))
}

/// Refuses commands of other web pages (cross-site request forgery): a browser says from where it was sent to do what
/// changes something. Whoever is no browser says nothing. The APIs have their tokens.
fn check_origin(request: &Request) -> Result<(), ApiError> {
    let is_command = request.uri().path().starts_with(OWN) && !request.method().is_safe();
    if !is_command || is_own_page(request.headers()) {
        return Ok(());
    }
    let message = "Another web page asks for this; only the emulator's own pages may";
    Err(ApiError::new(StatusCode::FORBIDDEN, "FORBIDDEN", message))
}

/// Whether one of the emulator's own pages asks, or no page. `Host` was looked at before.
fn is_own_page(headers: &HeaderMap) -> bool {
    let text = |name| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap_or_default())
    };
    match (text(header::ORIGIN), text(SEC_FETCH_SITE)) {
        (None, site) => site.is_none_or(|site| matches!(site, "none" | "same-origin")),
        (Some(origin), _) => origin.split_once("://").map(|(_, host)| host) == text(header::HOST),
    }
}

/// What is wrong with a name of a host, if anything.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let authority = name.parse::<Authority>();
    match authority.is_ok_and(|authority| authority.host() == name) {
        true => Ok(()),
        false => Err(format!(
            "{name:?} is no host name: write it without scheme, port and path, like crm.test"
        )),
    }
}

fn is_own_host(host: &str, local: SocketAddr, allowed: &[String]) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let is_allowed = |name: &String| name.eq_ignore_ascii_case(authority.host());
    if allowed.iter().any(is_allowed) {
        return true;
    }
    let name = authority
        .host()
        .trim_start_matches('[')
        .trim_end_matches(']');
    // An address cannot be rebound, so all are fine where all are listened on.
    let is_own_name = match name.parse::<IpAddr>() {
        Ok(ip) => ip.is_loopback() || ip == local.ip() || local.ip().is_unspecified(),
        Err(_) => name.eq_ignore_ascii_case("localhost"),
    };
    // Beyond this machine, ports may be mapped.
    let is_own_port = authority.port_u16().unwrap_or(80) == local.port();
    is_own_name && (is_own_port || !local.ip().is_loopback())
}

async fn sync_token(
    State(app): State<App>,
    path: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let enterprise = enterprise(&path)?;
    let token = place(request.headers(), &app.config.sync_tokens);
    if let Some(token) = token
        && enterprise == app.config.enterprise
    {
        return Ok(within(&app, &app.sync_limiter, token, request, next).await);
    }
    if token.is_some()
        && app.profile().unknown_enterprise == UnknownEnterprise::NotFound
        && is_metadata(&request)
    {
        let unknown = ApiError::not_found(
            "ENTERPRISE_NOT_FOUND",
            format_args!("The enterprise with ID {enterprise} was not found."),
        );
        return Ok(refuse(&app, request, unknown).await);
    }
    let refusal = ApiError::not_authorized(format_args!(
        "Enterprise with ID {enterprise} not found or invalid access token. Please generate a new one from the Website/API integrations section of the telecrm app."
    ));
    Ok(refuse(&app, request, refusal).await)
}

/// Refuses a request once it is there as a whole.
async fn refuse(app: &App, request: Request, refusal: impl IntoResponse) -> Response {
    let Ok(Unwanted) = Unwanted::from_request(request, app).await;
    refusal.into_response()
}

/// Answers a request if the token's limit allows it.
async fn within(
    app: &App,
    limiter: &Limiter,
    token: usize,
    request: Request,
    next: Next,
) -> Response {
    match limiter.take(token, app.keeper.now()) {
        Ok(()) => next.run(request).await,
        Err(too_many) => refuse(app, request, too_many).await,
    }
}

/// Whether this asks for what the workspace defines, where the documentation has a 404 for the enterprise.
fn is_metadata(request: &Request) -> bool {
    const OPERATIONS: [&str; 6] = [
        "getMetadata",
        "listCustomFields",
        "getCustomField",
        "listCustomActions",
        "getCustomAction",
        "getLeadStagePipeline",
    ];
    let matched = request.extensions().get::<MatchedPath>();
    let operation = matched.and_then(|path| operation(request.method(), path.as_str()));
    operation.is_some_and(|operation| OPERATIONS.contains(&operation))
}

async fn async_token(
    State(app): State<App>,
    path: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let enterprise = enterprise(&path)?;
    if let Some(token) = place(request.headers(), &app.config.async_tokens)
        && enterprise == app.config.enterprise
    {
        return Ok(within(&app, &app.async_limiter, token, request, next).await);
    }
    let refusal = ApiError::not_authorized("Invalid or missing access token.");
    Ok(refuse(&app, request, refusal).await)
}

/// The enterprise in the path. A path that is not UTF-8 ends here, before any handler reads it.
fn enterprise(path: &Result<RawPathParams, RawPathParamsRejection>) -> Result<&str, ApiError> {
    let params = path
        .as_ref()
        .map_err(|_| ApiError::bad_request("The path is malformed"))?;
    let mut params = params.iter();
    let found = params.find(|(name, _)| *name == "enterprise");
    Ok(found.map_or("", |(_, value)| value))
}

/// Which of these tokens the request carries.
pub(crate) fn place(headers: &HeaderMap, tokens: &[String]) -> Option<usize> {
    let bearer = bearer(headers)?;
    tokens.iter().position(|token| token == bearer)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim())
}

async fn method_not_allowed(method: Method, uri: Uri, _: Unwanted) -> ApiError {
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "METHOD_NOT_ALLOWED",
        format_args!(
            "{method} is not allowed at {}; the header Allow says what is; {BASES}",
            uri.path()
        ),
    )
}

/// An unknown path of the Sync API, or of what only the emulator has.
async fn no_endpoint(method: Method, uri: Uri, _: Unwanted) -> ApiError {
    ApiError::not_found(
        "NOT_FOUND",
        format_args!("There is no {method} {}: {BASES}", uri.path()),
    )
}

/// A path that leads nowhere.
async fn unknown(method: Method, uri: Uri, body: Unwanted) -> Response {
    let is_below = |base| {
        let rest = uri.path().strip_prefix(base);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if is_below(SYNC_BASE) || is_below(OWN) {
        return no_endpoint(method, uri, body).await.into_response();
    }
    web_app().await.into_response()
}

/// What the real host answers beside its API: a page of the web app (pitfall TR1).
async fn web_app() -> impl IntoResponse {
    let page = format!(
        "<!DOCTYPE html>\n<html><head><title>telecrm</title></head><body>Not found: {BASES}</body></html>\n"
    );
    (StatusCode::NOT_FOUND, Html(page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_and_addresses_of_its_own_are_answered() {
        let local: SocketAddr = "127.0.0.1:4010".parse().unwrap();
        for host in [
            "127.0.0.1:4010",
            "localhost:4010",
            "LOCALHOST:4010",
            "[::1]:4010",
        ] {
            assert!(is_own_host(host, local, &[]), "{host}");
        }
        for host in [
            "evil.example:4010",
            "localhost.evil.example:4010",
            "127.0.0.1.evil.example:4010",
            "127.0.0.1:80",
            "localhost",
            "10.0.0.7:4010",
            "",
        ] {
            assert!(!is_own_host(host, local, &[]), "{host}");
        }
        let everywhere: SocketAddr = "0.0.0.0:4010".parse().unwrap();
        assert!(is_own_host("10.0.0.7:8080", everywhere, &[]));
        assert!(!is_own_host("evil.example:4010", everywhere, &[]));
        // Names that are allowed can be reached by any port.
        let allowed = ["crm.test".to_owned()];
        for (host, is_own) in [
            ("crm.test:4010", true),
            ("CRM.test", true),
            ("other.crm.test:4010", false),
            ("crm.test.evil.example:4010", false),
            ("crm.test@evil.example:4010", false),
        ] {
            assert_eq!(is_own_host(host, everywhere, &allowed), is_own, "{host}");
        }
        assert_eq!(check_name("crm.test"), Ok(()));
        for name in [
            "",
            "crm.test:80",
            "http://crm.test",
            "a@crm.test",
            "crm test",
        ] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
