//! The one error type of this crate.

mod progress;
mod response;
mod text;

pub use progress::Phase;
pub(crate) use progress::Progress;
pub(crate) use response::{ErrorBody, KEPT, MOST_DETAILS};
pub use response::{ErrorCode, ErrorDetail};

use crate::{Finding, Operation};
use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use std::borrow::Cow;
use std::error::Error as StdError;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Why a call failed.
///
/// `{error}` is one sentence about what happened. `{error:#}` adds the chain of sources and a
/// [hint](Self::hint). Neither holds a URL, a token, the enterprise ID or a payload. What to do
/// depends on how far the call came: see [`phase`](Self::phase) and the predicates.
///
/// ```
/// use telecrm::testing::Response;
/// use telecrm::{Error, Operation, Phase};
///
/// /// What a worker does after it failed to push a lead.
/// fn next_step(error: &Error) -> &'static str {
///     match error {
///         _ if error.is_outcome_unknown() => "read back before sending again",
///         _ if error.is_transient() => "send again later",
///         _ if error.is_not_authorized() => "check the token and the enterprise ID",
///         _ => "give the row back to its owner",
///     }
/// }
///
/// let lost = Response::timeout().into_error(Operation::CreateOrUpdateLead);
/// assert_eq!(lost.phase(), Phase::MaybeSent);
/// assert_eq!(next_step(&lost), "read back before sending again");
///
/// let unreachable = Response::connection_refused().into_error(Operation::CreateOrUpdateLead);
/// assert_eq!(unreachable.phase(), Phase::NotSent);
/// assert_eq!(next_step(&unreachable), "send again later");
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: Kind,
    operation: Option<Operation>,
    progress: Progress,
    body: ErrorBody,
    finding: Option<Finding>,
    answered: Option<Timestamp>,
    headers: HeaderMap,
    updated_lead: Option<String>,
    is_ambiguous: bool,
    hint: Option<Cow<'static, str>>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The settings of the client are invalid.
    Config,
    /// The request is invalid.
    Invalid,
    /// No connection was made.
    Connect,
    /// No response arrived in time.
    Timeout,
    /// The total timeout expired before the request was sent.
    Deadline,
    /// The client is shutting down.
    Shutdown,
    /// The gate does not work.
    Gate,
    /// The connection broke.
    Interrupted,
    /// The server answered with an error status.
    Status,
    /// The server answered with a success status and an error body.
    Contradictory,
    /// The response could not be read.
    Unreadable,
}

impl Error {
    pub(crate) fn new(kind: Kind) -> Self {
        let phase = match kind {
            Kind::Config | Kind::Invalid => Phase::NotBuilt,
            Kind::Connect | Kind::Deadline | Kind::Shutdown | Kind::Gate => Phase::NotSent,
            Kind::Timeout | Kind::Interrupted => Phase::MaybeSent,
            Kind::Status => Phase::Answered,
            Kind::Contradictory | Kind::Unreadable => Phase::Unreadable,
        };
        Self(Box::new(Inner {
            kind,
            operation: None,
            progress: Progress { phase, ..Progress::new(false) },
            body: ErrorBody::default(),
            finding: None,
            answered: None,
            headers: HeaderMap::new(),
            updated_lead: None,
            is_ambiguous: false,
            hint: None,
            source: None,
        }))
    }

    fn with_response(kind: Kind, status: StatusCode, body: ErrorBody) -> Self {
        let mut error = Self::new(kind);
        error.0.progress.status = Some(status);
        error.0.body = body.cut();
        error
    }

    fn with_message(kind: Kind, message: impl Into<String>) -> Self {
        let mut error = Self::new(kind);
        error.0.body.message = Some(message.into());
        error
    }

    /// The settings of the client do not allow the call.
    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::with_message(Kind::Config, message)
    }

    /// The request cannot be built.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::with_message(Kind::Invalid, message)
    }

    /// The arguments of this operation are invalid.
    pub(crate) fn invalid(operation: Operation, message: impl Into<String>) -> Self {
        let mut error = Self::refused(message);
        error.0.operation = Some(operation);
        error
    }

    /// telecrm would drop or empty a part of what was to be sent.
    pub(crate) fn would_lose(operation: Operation, finding: Finding) -> Self {
        let effect = if finding.is_loss() { "drop" } else { "empty" };
        let mut message = format!("telecrm would {effect} `{}`", finding.path);
        if let Some(pitfall) = &finding.pitfall {
            message += &format!(" ({pitfall})");
        }
        let mut error = Self::invalid(operation, message);
        error.0.finding = Some(finding);
        error
    }

    /// The HTTP client failed to build a request, or to send it and read the response.
    pub(crate) fn transport(error: reqwest::Error) -> Self {
        // The URL holds the enterprise ID.
        let error = error.without_url();
        if lacks_tls(&error) {
            return Self::config("this program was built without TLS")
                .with_hint("enable the feature `rustls` or `native-tls` of `telecrm`");
        }
        if error.is_builder() {
            return Self::refused("the request could not be built").because(error);
        }
        let kind = if error.is_connect() {
            Kind::Connect
        } else if error.is_timeout() {
            Kind::Timeout
        } else {
            Kind::Interrupted
        };
        Self::new(kind).because(error)
    }

    /// The server answered with an error status, or with an error body and a success status.
    pub(crate) fn error_response(status: StatusCode, body: ErrorBody) -> Self {
        let is_success = status.is_success();
        let kind = if is_success { Kind::Contradictory } else { Kind::Status };
        Self::with_response(kind, status, body)
    }

    /// The server refused the request with a success status.
    pub(crate) fn refusal(status: StatusCode, mut body: ErrorBody, reason: &str) -> Self {
        body.message = (!reason.is_empty()).then(|| reason.to_owned());
        Self::with_response(Kind::Status, status, body)
    }

    /// The response cannot be read.
    pub(crate) fn unreadable(
        status: StatusCode,
        body: ErrorBody,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self::with_response(Kind::Unreadable, status, body).because(source)
    }

    /// The response broke off, or did not arrive in time.
    pub(crate) fn cut(status: StatusCode, body: ErrorBody, error: reqwest::Error) -> Self {
        let kind = if error.is_timeout() { Kind::Timeout } else { Kind::Unreadable };
        let mut cut = Self::with_response(kind, status, body).because(error);
        cut.0.progress.phase = Phase::Unreadable;
        cut
    }

    /// Each of several responses can be read, but they contradict each other.
    pub(crate) fn inconsistent(operation: Operation, reason: String) -> Self {
        let mut error = Self::with_message(Kind::Unreadable, reason);
        error.0.operation = Some(operation);
        error.0.progress.status = Some(StatusCode::OK);
        error
    }

    pub(crate) fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds which call failed, and what is known of it.
    pub(crate) fn during(mut self, operation: Option<Operation>, progress: &Progress) -> Self {
        let Progress { phase, status, .. } = self.0.progress;
        self.0.operation = operation;
        self.0.progress = Progress { phase, status, ..*progress }.summary();
        self
    }

    /// Adds that an earlier call updated the fields of this lead.
    pub(crate) fn after_update(mut self, lead_id: String) -> Self {
        self.0.updated_lead = Some(lead_id);
        self
    }

    /// Adds that several leads have the identifier.
    pub(crate) fn ambiguous(mut self) -> Self {
        self.0.is_ambiguous = true;
        self
    }

    /// Adds when the server answered.
    pub(crate) fn dated(mut self, date: Option<Timestamp>) -> Self {
        self.0.answered = date;
        self
    }

    /// Adds the headers of the response.
    pub(crate) fn with_headers(mut self, headers: HeaderMap) -> Self {
        self.0.headers = headers;
        self
    }

    /// When the server answered, by its own clock. Returns `None` if the response has no date.
    pub(crate) fn answered(&self) -> Option<Timestamp> {
        self.0.answered
    }

    pub(crate) fn kind(&self) -> Kind {
        self.0.kind
    }

    fn status(&self) -> Option<StatusCode> {
        self.0.progress.status
    }

    /// How far the call came.
    pub fn phase(&self) -> Phase {
        self.0.progress.phase
    }

    /// The operation that was called. Returns `None` for
    /// [`Telecrm::request`](crate::Telecrm::request) and for errors outside of a call.
    ///
    /// ```
    /// use telecrm::{ErrorCode, Operation};
    /// use telecrm::testing::Response;
    ///
    /// let response = Response::error(404, ErrorCode::LeadNotFound, "no such lead");
    /// let error = response.into_error(Operation::GetLead);
    /// assert_eq!((error.operation(), error.status_code()), (Some(Operation::GetLead), Some(404)));
    /// assert!(error.is_not_found());
    /// ```
    pub fn operation(&self) -> Option<Operation> {
        self.0.operation
    }

    /// The HTTP status. Returns `None` if no response arrived.
    pub fn status_code(&self) -> Option<u16> {
        self.status().map(|status| status.as_u16())
    }

    /// The server's code. Returns `None` if the response has no code.
    pub fn code(&self) -> Option<&ErrorCode> {
        self.0.body.code.as_ref()
    }

    /// The finding because of which the request was not sent. Its text may repeat a value.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use telecrm::testing::FakeTelecrm;
    /// use telecrm::{FieldPath, Phase};
    ///
    /// // telecrm would drop this status without an error (LE8), so nothing is sent.
    /// let leads = FakeTelecrm::new().client().leads();
    /// let error = leads.update("62ab16e", [("status", "Frozen")]).await.unwrap_err();
    /// assert_eq!(error.phase(), Phase::NotBuilt);
    /// assert_eq!(error.finding().expect("a loss").path, FieldPath::Field("status".into()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn finding(&self) -> Option<&Finding> {
        self.0.finding.as_ref()
    }

    /// The ID of a lead whose fields [`upsert`](crate::Leads::upsert) had updated before it failed
    /// to create the actions.
    ///
    /// To go on, [create](crate::Actions::create) only the actions. Read the timeline first if
    /// [the outcome is unknown](Self::is_outcome_unknown).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use telecrm::testing::{FakeTelecrm, Response};
    /// use telecrm::{CustomAction, ErrorCode, Lead, Operation};
    ///
    /// let exists = Response::error(409, ErrorCode::LeadAlreadyExists, "exists");
    /// let row = serde_json::json!({ "id": "62ab16e", "fields": { "phone": "919999999999" } });
    /// let refused = Response::error(400, ErrorCode::BadRequest, "no such action");
    /// let fake = FakeTelecrm::new()
    ///     .on(Operation::CreateLead, exists)
    ///     .on(Operation::SearchLeads, Response::page([row.clone()]))
    ///     .on(Operation::UpdateLead, Response::json(row))
    ///     .on(Operation::CreateActions, refused);
    ///
    /// let visit = CustomAction::new(1001)?.field("note", "called");
    /// let lead = Lead::new().set("phone", "919999999999").set("rating", 4).action(visit);
    /// let error = fake.client().leads().upsert(&lead).await.unwrap_err();
    /// assert_eq!(error.operation(), Some(Operation::CreateActions));
    /// assert_eq!(error.updated_lead(), Some("62ab16e"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn updated_lead(&self) -> Option<&str> {
        self.0.updated_lead.as_deref()
    }

    /// The server's message, of which 64 KiB are kept.
    ///
    /// The enterprise ID, tokens and values that were sent are masked in any case, without accents,
    /// invisible characters and blanks, and escaped as in URLs, JSON or HTML. So are phone numbers
    /// in every spelling and their last four digits, the words of values of up to four words, and
    /// parts of tokens. Encodings such as Base64, translations, parts of longer texts, and values
    /// of one or two letters are not.
    pub fn message(&self) -> Option<&str> {
        self.0.body.message.as_deref()
    }

    /// What the server says about single fields, masked like the message.
    pub fn details(&self) -> &[ErrorDetail] {
        &self.0.body.details
    }

    /// How often the request was sent. Attempts without a connection do not count.
    pub fn attempts(&self) -> u32 {
        self.0.progress.attempts
    }

    /// The number of the token that was used last: from zero, in the order of the builder. Returns
    /// `None` if no request was sent.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use telecrm::testing::{FakeTelecrm, Response};
    /// use telecrm::{ErrorCode, Lead, Operation};
    ///
    /// let refused = Response::error(401, ErrorCode::NotAuthorized, "no");
    /// let fake = FakeTelecrm::new().always(Operation::CreateOrUpdateLead, refused);
    /// let lead = Lead::new().set("phone", "919999999999");
    /// let error = fake.client().ingest().push(&lead).await.unwrap_err();
    /// assert_eq!(error.token_slot(), Some(0));
    /// # Ok(())
    /// # }
    /// ```
    pub fn token_slot(&self) -> Option<usize> {
        self.0.progress.slot
    }

    /// How long the server asked to wait, counted from its response. A date is measured by the
    /// server's clock.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use telecrm::testing::{FakeTelecrm, Response};
    /// use telecrm::{CallOptions, Operation};
    ///
    /// let slow_down = Response::rate_limited(Some(17));
    /// let fake = FakeTelecrm::new().always(Operation::GetMetadata, slow_down);
    /// let patience = CallOptions::new().throttle_timeout(Duration::from_secs(20));
    /// let telecrm = fake.client().with_options(patience);
    ///
    /// let error = telecrm.schema().metadata().await.unwrap_err();
    /// assert!(error.is_rate_limited());
    /// assert_eq!((error.attempts(), error.retry_after()), (2, Some(Duration::from_secs(17))));
    /// # Ok(())
    /// # }
    /// ```
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.progress.retry_after
    }

    /// The first value of a header of the error response, in any case. Returns `None` if it is
    /// missing or not text.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use telecrm::Operation;
    /// use telecrm::testing::{FakeTelecrm, Response};
    ///
    /// let fake = FakeTelecrm::new().always(Operation::GetLead, Response::html(404));
    /// let error = fake.client().leads().get("62ab16e").await.unwrap_err();
    /// assert_eq!(error.header("Content-Type"), Some("text/html"));
    /// assert_eq!(error.request_id(), None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn header(&self, name: &str) -> Option<&str> {
        self.0.headers.get(name)?.to_str().ok()
    }

    /// The ID of the request, for a question to telecrm's support. telecrm documents no header for
    /// it, so this looks for those that servers and proxies commonly send.
    pub fn request_id(&self) -> Option<&str> {
        REQUEST_IDS.iter().find_map(|name| self.header(name))
    }

    /// The unmasked body of the response, cut at 64 KiB. It may hold personal data and the
    /// enterprise ID.
    pub fn body(&self) -> &[u8] {
        &self.0.body.bytes
    }

    /// The server refused the token or does not know the enterprise. It uses one code for both
    /// (pitfall EN7).
    ///
    /// The server has not acted.
    ///
    /// # Troubleshooting
    /// Compare the enterprise ID with the dashboard first. Then check that the token belongs to
    /// that workspace and has the right type, Sync or Async. The server always asks for a new
    /// token; only [`message`](Self::message) keeps that advice.
    pub fn is_not_authorized(&self) -> bool {
        self.status() == Some(StatusCode::UNAUTHORIZED)
    }

    /// The lead, action, field or enterprise does not exist.
    ///
    /// The server has not acted.
    ///
    /// # Troubleshooting
    /// Find the ID with a search. If the body is a web page, the base URL is wrong (pitfall TR1).
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(StatusCode::NOT_FOUND)
    }

    /// A lead with this identifier exists already (pitfall LE4).
    ///
    /// The server has not acted.
    ///
    /// # Troubleshooting
    /// Update that lead, or use [`upsert`](crate::Leads::upsert) or [`push`](crate::Ingest::push),
    /// which create or update.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use telecrm::Lead;
    /// use telecrm_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// let leads = emulator.client().leads();
    /// let lead = Lead::new().set("phone", "919999999999");
    /// leads.create(&lead).await?.complete()?;
    /// let error = leads.create(&lead).await.unwrap_err();
    /// assert!(error.is_already_exists());
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_already_exists(&self) -> bool {
        self.status() == Some(StatusCode::CONFLICT)
    }

    /// Several leads have this identifier, so [`upsert`](crate::Leads::upsert) cannot tell which of
    /// them is meant.
    ///
    /// The server has not acted.
    ///
    /// # Troubleshooting
    /// Merge the leads in the dashboard, or update the right one by its ID.
    pub fn is_ambiguous(&self) -> bool {
        self.0.is_ambiguous
    }

    /// The server received more requests than its rate limit allows (pitfall AS9).
    ///
    /// The server has not acted.
    ///
    /// # Troubleshooting
    /// Wait for [`retry_after`](Self::retry_after), then send the request again. Programs that
    /// share a token share its limit: give each a part with
    /// [`RateLimit::new`](crate::RateLimit::new).
    pub fn is_rate_limited(&self) -> bool {
        self.status() == Some(StatusCode::TOO_MANY_REQUESTS)
    }

    /// The server could not be reached.
    ///
    /// No request was sent, in any attempt, so the server has not acted.
    ///
    /// # Troubleshooting
    /// Check the network and the base URL. Sending the request again is safe.
    pub fn is_connect(&self) -> bool {
        self.0.kind == Kind::Connect && self.phase() == Phase::NotSent
    }

    /// The response, or its end, did not arrive within the timeout of an attempt.
    ///
    /// The server may have acted.
    ///
    /// A call whose total timeout expired before a request was sent does not count as a timeout.
    /// It is [transient](Self::is_transient), in the phase [`NotSent`](Phase::NotSent).
    ///
    /// # Troubleshooting
    /// Repeat a read. Before you repeat a write, read the data back: see
    /// [`is_outcome_unknown`](Self::is_outcome_unknown). If this happens often, raise
    /// [`CallOptions::attempt_timeout`](crate::CallOptions::attempt_timeout).
    pub fn is_timeout(&self) -> bool {
        self.0.kind == Kind::Timeout
    }

    /// The client was [shut down](crate::Telecrm::shutdown) while the request waited for the rate
    /// limit.
    ///
    /// The request was not sent. An earlier attempt may have reached the server: see
    /// [`is_outcome_unknown`](Self::is_outcome_unknown).
    ///
    /// # Troubleshooting
    /// If the outcome is known, send the request with another client.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use telecrm::testing::{FakeTelecrm, Response};
    /// use telecrm::{Operation, RateLimit};
    ///
    /// let lead = Response::json(serde_json::json!({ "id": "62ab16e" }));
    /// let fake = FakeTelecrm::new().always(Operation::GetLead, lead);
    /// let telecrm = fake.builder().sync_limit(Some(RateLimit::new(100, 1))).build()?;
    /// telecrm.leads().get("62ab16e").await?;
    /// telecrm.shutdown();
    /// let error = telecrm.leads().get("62ab16e").await.unwrap_err();
    /// assert!(error.is_shutdown() && error.attempts() == 0 && !error.is_outcome_unknown());
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_shutdown(&self) -> bool {
        self.0.kind == Kind::Shutdown
    }

    /// The same request may succeed later: the network failed, a timeout expired, the rate limit
    /// was exceeded, or the server had an error.
    ///
    /// The server may have acted if [`is_outcome_unknown`](Self::is_outcome_unknown) returns
    /// `true`.
    ///
    /// # Troubleshooting
    /// Repeat the request later, unless it is a write with an unknown outcome.
    pub fn is_transient(&self) -> bool {
        self.0.progress.is_transient()
    }

    /// The request was a write, and the client does not know whether the server carried it out.
    ///
    /// The server may have acted.
    ///
    /// # Troubleshooting
    /// Read the data back before you send the request again.
    pub fn is_outcome_unknown(&self) -> bool {
        self.0.progress.is_outcome_unknown()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let source = self.0.source.as_deref()?;
        Some(source)
    }
}

/// The headers that servers and proxies send the ID of a request in.
pub(crate) const REQUEST_IDS: [&str; 4] =
    ["x-request-id", "x-correlation-id", "x-amzn-requestid", "cf-ray"];

/// For functions that return `io::Result`. The error of the call is the inner error.
///
/// ```
/// use std::io;
/// use telecrm::Operation;
/// use telecrm::testing::Response;
///
/// let error = Response::timeout().into_error(Operation::GetLead);
/// assert_eq!(io::Error::from(error).kind(), io::ErrorKind::TimedOut);
/// ```
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.kind() {
            _ if error.is_not_authorized() => io::ErrorKind::PermissionDenied,
            _ if error.is_not_found() => io::ErrorKind::NotFound,
            _ if error.is_already_exists() => io::ErrorKind::AlreadyExists,
            Kind::Config | Kind::Invalid => io::ErrorKind::InvalidInput,
            Kind::Timeout | Kind::Deadline => io::ErrorKind::TimedOut,
            Kind::Connect => io::ErrorKind::NotConnected,
            Kind::Interrupted => io::ErrorKind::ConnectionAborted,
            Kind::Contradictory | Kind::Unreadable => io::ErrorKind::InvalidData,
            Kind::Status | Kind::Shutdown | Kind::Gate => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

/// Whether an `https` address was called by a program without TLS. reqwest has no predicate for
/// that, only the text of a source.
fn lacks_tls(error: &reqwest::Error) -> bool {
    if !error.is_connect() {
        return false;
    }
    let mut source = error.source();
    while let Some(cause) = source {
        if cause.to_string().contains("scheme is not http") {
            return true;
        }
        source = cause.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_cannot_be_built_is_not_sent() {
        let error = reqwest::Client::new().get("nowhere").build();
        let error = Error::transport(error.expect_err("no URL"));
        assert_eq!(error.phase(), Phase::NotBuilt);
        assert_eq!(error.to_string(), "the request could not be built");
    }
}
