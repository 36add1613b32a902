//! The one error of this crate.

use crate::transport::{Call, TransportFailure};
use crate::{FieldValue, Finding, Operation};
use bytes::Bytes;
use jiff::Timestamp;
use memchr::memmem::Finder;
use reqwest::StatusCode;
use serde_json::Value;
use std::error::Error as StdError;
use std::fmt;
use std::sync::LazyLock;
use std::time::Duration;

/// Why a call did not succeed.
///
/// `{error}` is one sentence without URL, token, enterprise ID or payload; `{error:#}` adds the chain of causes. What
/// to do depends on how far the call came: see [`phase`](Self::phase) and the predicates.
///
/// ```
/// use telecrm::testing::Response;
/// use telecrm::{Error, Operation, Phase};
///
/// /// What a worker does with a lead that could not be pushed.
/// fn next_step(error: &Error) -> &'static str {
///     match error {
///         _ if error.is_outcome_unknown() => "read back before sending again",
///         _ if error.is_transient() => "send again later",
///         _ if error.is_not_authorized() => "check token, type of token and enterprise",
///         _ => "give the row back to its owner",
///     }
/// }
///
/// let lost = Response::timeout().into_error(Operation::CreateOrUpdateLead);
/// assert_eq!((lost.phase(), next_step(&lost)), (Phase::MaybeSent, "read back before sending again"));
/// assert!(lost.is_timeout() && !lost.is_connect());
///
/// let unreachable = Response::refused().into_error(Operation::CreateOrUpdateLead);
/// assert_eq!(unreachable.phase(), Phase::NotSent);
/// assert!(unreachable.is_connect() && next_step(&unreachable) == "send again later");
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: Kind,
    operation: Option<Operation>,
    writes: bool,
    finding: Option<Finding>,
    status: Option<StatusCode>,
    code: Option<ErrorCode>,
    message: Option<String>,
    details: Vec<ErrorDetail>,
    retry_after: Option<Duration>,
    answered: Option<Timestamp>,
    attempts: u32,
    doubtful: bool,
    updated_lead: Option<String>,
    body: Bytes,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Config,
    Invalid,
    Connect,
    Timeout,
    OutOfTime,
    Stopped,
    Interrupted,
    Status,
    Contradictory,
    Unreadable,
}

/// How far a call came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// No request was made: the client or the arguments are at fault.
    NotBuilt,
    /// No request left: the server could not be reached.
    NotSent,
    /// The request left, or part of it, and no answer came: the server may have acted.
    MaybeSent,
    /// The server answered, and refused.
    Answered,
    /// The server answered, and the answer could not be read, or is an error under a success: it may have acted.
    Unreadable,
}

telecrm_core::open_enum! {
    /// The server's code for what went wrong.
    pub enum ErrorCode {
        BadRequest = "BAD_REQUEST",
        ValidationError = "VALIDATION_ERROR",
        InvalidLead = "INVALID_LEAD",
        NotAuthorized = "NOT_AUTHORIZED",
        BuyLicense = "BUY_LICENSE",
        LeadNotFound = "LEAD_NOT_FOUND",
        ActionNotFound = "ACTION_NOT_FOUND",
        TeamMemberNotFound = "TEAM_MEMBER_NOT_FOUND",
        EnterpriseNotFound = "ENTERPRISE_NOT_FOUND",
        NotFound = "NOT_FOUND",
        LeadAlreadyExists = "LEAD_ALREADY_EXISTS",
        TooManyRequests = "TOO_MANY_REQUESTS",
        EnterpriseLicenseExpired = "ENTERPRISE_LICENSE_EXPIRED",
        InvalidToken = "INVALID_TOKEN",
        Unauthorized = "UNAUTHORIZED",
    }
}

/// One line of what the server has to say of an invalid request.
///
/// ```
/// use telecrm::{ErrorCode, ErrorDetail, Operation};
/// use telecrm::testing::Response;
///
/// let body = r#"{ "error": { "code": "VALIDATION_ERROR", "message": "Validation failed",
///     "details": [{ "field": "fields.email", "message": "must be an address" }] } }"#;
/// let error = Response::text(400, "application/json", body).into_error(Operation::CreateLead);
/// assert_eq!(error.code(), Some(&ErrorCode::ValidationError));
/// assert_eq!(error.message(), Some("Validation failed"));
/// let is_email = |detail: &&ErrorDetail| detail.field == "fields.email";
/// assert!(error.details().iter().any(|detail| is_email(&detail)));
/// // All of the answer, for a person to read; it may hold personal data.
/// assert_eq!(error.body(), body.as_bytes());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorDetail {
    /// The field it is about.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

impl Error {
    fn new(kind: Kind) -> Self {
        Self(Box::new(Inner {
            kind,
            operation: None,
            writes: false,
            finding: None,
            status: None,
            code: None,
            message: None,
            details: Vec::new(),
            retry_after: None,
            answered: None,
            attempts: 0,
            doubtful: false,
            updated_lead: None,
            body: Bytes::new(),
            source: None,
        }))
    }

    pub(crate) fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        let mut error = Self::new(Kind::Config);
        error.0.message = Some(message.into());
        error
    }

    pub(crate) fn invalid(operation: Operation, message: impl Into<String>) -> Self {
        let mut error = Self::refused(message);
        error.0.operation = Some(operation);
        error
    }

    /// A part of what was to be sent would be lost or refused.
    pub(crate) fn would_lose(operation: Operation, finding: Finding) -> Self {
        let pitfall = finding.pitfall.as_deref();
        let pitfall = pitfall.map_or_else(String::new, |pitfall| format!(" ({pitfall})"));
        let what = match finding.is_loss() {
            true => "telecrm does not take",
            false => "telecrm would empty",
        };
        let mut error = Self::invalid(operation, format!("{what} `{}`{pitfall}", finding.path));
        error.0.finding = Some(finding);
        error
    }

    /// In the course of this call.
    pub(crate) fn during(mut self, call: &Call) -> Self {
        self.0.operation = call.operation;
        self.0.writes = call.writes();
        self.0.attempts = call.attempts();
        self.0.doubtful = call.was_in_doubt();
        self
    }

    /// After the fields of this lead were written by another call.
    pub(crate) fn after_update(mut self, lead_id: String) -> Self {
        self.0.updated_lead = Some(lead_id);
        self
    }

    pub(crate) fn failure(reason: TransportFailure) -> Self {
        match reason {
            TransportFailure::OutOfTime => Self::new(Kind::OutOfTime),
            TransportFailure::Stopped => Self::new(Kind::Stopped),
            TransportFailure::Unrepeatable => {
                Self::refused("a body that is a stream cannot be sent here")
            }
            #[cfg(feature = "testing")]
            TransportFailure::Refused => Self::new(Kind::Connect),
            #[cfg(feature = "testing")]
            TransportFailure::TimedOut => Self::new(Kind::Timeout),
            #[cfg(feature = "testing")]
            TransportFailure::Reset => Self::new(Kind::Interrupted),
            #[cfg(feature = "testing")]
            TransportFailure::Unscripted => Self::refused("the fake has no answer for it"),
        }
    }

    /// A request that could not be made.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        let mut error = Self::new(Kind::Invalid);
        error.0.message = Some(message.into());
        error
    }

    /// A call that brought no answer.
    pub(crate) fn transport(error: reqwest::Error) -> Self {
        if lacks_tls(&error) {
            return Self::config(
                "this program was built without TLS: enable the feature `rustls` or `native-tls` of `telecrm`",
            );
        }
        if error.is_builder() {
            return Self::refused("the request could not be built").because(error.without_url());
        }
        let kind = if error.is_connect() {
            Kind::Connect
        } else if error.is_timeout() {
            Kind::Timeout
        } else {
            Kind::Interrupted
        };
        // The URL holds the enterprise ID.
        Self::new(kind).because(error.without_url())
    }

    /// An answer that is not a success, or is one only by its status.
    pub(crate) fn status(
        status: StatusCode,
        retry_after: Option<Duration>,
        body: Bytes,
        mask: impl Fn(&str) -> String,
    ) -> Self {
        let mut error = Self::new(match status.is_success() {
            true => Kind::Contradictory,
            false => Kind::Status,
        });
        let inner = &mut error.0;
        inner.status = Some(status);
        inner.retry_after = retry_after;
        let envelope = Envelope::read(&body);
        inner.code = envelope.code.map(|code| match ErrorCode::from(code) {
            ErrorCode::Unknown(code) => ErrorCode::Unknown(mask(&code)),
            known => known,
        });
        inner.message = envelope.message.map(|message| cut(mask(&message)));
        inner.details = envelope.details;
        for detail in &mut inner.details {
            detail.field = mask(&detail.field);
            detail.message = cut(mask(&detail.message));
        }
        inner.body = kept(&body);
        error
    }

    /// From an answer of this date.
    pub(crate) fn dated(mut self, date: Option<Timestamp>) -> Self {
        self.0.answered = date;
        self
    }

    /// When the server answered, by its own clock, if it tells.
    pub(crate) fn answered(&self) -> Option<Timestamp> {
        self.0.answered
    }

    /// A success whose answer says nothing that could be understood.
    pub(crate) fn unreadable(
        status: StatusCode,
        body: Bytes,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        let mut error = Self::new(Kind::Unreadable).because(source);
        error.0.status = Some(status);
        error.0.body = kept(&body);
        error
    }

    /// Answers that can be read one by one, and not together.
    pub(crate) fn inconsistent(operation: Operation, reason: String) -> Self {
        let mut error = Self::new(Kind::Unreadable);
        error.0.status = Some(StatusCode::OK);
        error.0.operation = Some(operation);
        error.0.message = Some(reason);
        error
    }

    /// How far the call came.
    pub fn phase(&self) -> Phase {
        match self.0.kind {
            Kind::Config | Kind::Invalid => Phase::NotBuilt,
            Kind::Connect | Kind::OutOfTime | Kind::Stopped => Phase::NotSent,
            Kind::Timeout | Kind::Interrupted => Phase::MaybeSent,
            Kind::Status => Phase::Answered,
            Kind::Contradictory | Kind::Unreadable => Phase::Unreadable,
        }
    }

    /// The operation that was called.
    ///
    /// ```
    /// use telecrm::{ErrorCode, Operation};
    /// use telecrm::testing::Response;
    ///
    /// let error = Response::refusal(404, ErrorCode::LeadNotFound, "no such lead").into_error(Operation::GetLead);
    /// assert_eq!((error.operation(), error.status_code()), (Some(Operation::GetLead), Some(404)));
    /// assert!(error.is_not_found());
    /// ```
    pub fn operation(&self) -> Option<Operation> {
        self.0.operation
    }

    /// The HTTP status, if the server answered.
    pub fn status_code(&self) -> Option<u16> {
        self.0.status.map(|status| status.as_u16())
    }

    /// The server's code, if it sent its envelope.
    pub fn code(&self) -> Option<&ErrorCode> {
        self.0.code.as_ref()
    }

    /// What telecrm would lose or refuse, where that kept the call from being made. Its text may repeat a value.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::collections::BTreeMap;
    /// use telecrm::{FieldPath, Phase};
    /// # let telecrm = telecrm::testing::FakeTelecrm::new().client();
    ///
    /// // telecrm would drop this status without a word (LE8), so nothing is sent.
    /// let changes = BTreeMap::from([("status".to_owned(), "Frozen".into())]);
    /// let error = telecrm.leads().update("62ab16e", changes).await.unwrap_err();
    /// assert_eq!(error.phase(), Phase::NotBuilt);
    /// assert_eq!(error.finding().expect("a loss").path, FieldPath::Field("status".into()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn finding(&self) -> Option<&Finding> {
        self.0.finding.as_ref()
    }

    /// The ID of the lead whose fields an [`upsert`](crate::Leads::upsert) had written when this happened, with its actions left.
    ///
    /// To go on, [create](crate::Actions::create) the actions alone; if [the outcome is unknown](Self::is_outcome_unknown), look
    /// at the timeline first.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use telecrm::{CustomAction, ErrorCode, Lead, Operation};
    /// # use telecrm::testing::{Response, FakeTelecrm};
    /// # let row = serde_json::json!({ "id": "62ab16e", "fields": { "phone": "919999999999" } });
    /// # let fake = FakeTelecrm::new()
    /// #     .on(Operation::CreateLead, Response::refusal(409, ErrorCode::LeadAlreadyExists, "exists"))
    /// #     .on(Operation::SearchLeads, Response::page([row.clone()]))
    /// #     .on(Operation::UpdateLead, Response::json(row))
    /// #     .on(Operation::CreateActions, Response::refusal(400, ErrorCode::BadRequest, "no such action"));
    /// # let telecrm = fake.client();
    ///
    /// let visit = CustomAction::new(1001)?.field("note", "called");
    /// let lead = Lead::new().set("phone", "919999999999").set("rating", 4).action(visit);
    /// let error = telecrm.leads().upsert(&lead).await.unwrap_err();
    /// assert_eq!((error.operation(), error.updated_lead()), (Some(Operation::CreateActions), Some("62ab16e")));
    /// # Ok(())
    /// # }
    /// ```
    pub fn updated_lead(&self) -> Option<&str> {
        self.0.updated_lead.as_deref()
    }

    /// What the server says, with enterprise ID, tokens and the values that were sent masked.
    pub fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// What the server says of single fields, masked likewise.
    pub fn details(&self) -> &[ErrorDetail] {
        &self.0.details
    }

    /// How often the request was sent.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// How long the server asks to wait, from its answer on; a date by which it says so is measured by its own clock.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use telecrm::{CallOptions, Operation};
    /// # use telecrm::testing::{Response, FakeTelecrm};
    /// # let fake = FakeTelecrm::new().always(Operation::GetMetadata, Response::rate_limited(Some(17)));
    /// # let telecrm = fake.client().with_options(CallOptions::new().attempts(2));
    ///
    /// let error = telecrm.schema().metadata().await.unwrap_err();
    /// assert!(error.is_rate_limited());
    /// assert_eq!((error.attempts(), error.retry_after()), (2, Some(Duration::from_secs(17))));
    /// # Ok(())
    /// # }
    /// ```
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The answer's body as it came, cut at 64 KiB. It may hold personal data and the enterprise ID.
    pub fn body(&self) -> &[u8] {
        &self.0.body
    }

    /// The server refused the token or does not know the enterprise: one code for both (pitfall EN7).
    ///
    /// It has not acted. Compare the enterprise ID first; a new token is needed only if the ID is right and the token is of the right
    /// type. The server asks for one whatever is wrong, which the error leaves out and only [`message`](Self::message) has.
    pub fn is_not_authorized(&self) -> bool {
        self.0.status == Some(StatusCode::UNAUTHORIZED)
    }

    /// There is no such lead, action, field or enterprise.
    ///
    /// The server has not acted. Look for the ID by a search; with an HTML body the base URL is wrong (pitfall TR1).
    pub fn is_not_found(&self) -> bool {
        self.0.status == Some(StatusCode::NOT_FOUND)
    }

    /// A lead with this identifier exists (pitfall LE4).
    ///
    /// The server has not acted. Update that lead, or push, which does either.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = telecrm_emulator::Emulator::start().await?;
    /// # let telecrm = telecrm::Telecrm::builder(emulator.enterprise())
    /// #     .sync_token(telecrm::SyncToken::new(emulator.sync_token())?)
    /// #     .async_token(telecrm::AsyncToken::new(emulator.async_token())?)
    /// #     .sync_url(emulator.sync_url())
    /// #     .async_url(emulator.async_url())
    /// #     .build()?;
    /// use telecrm::Lead;
    ///
    /// let lead = Lead::new().set("phone", "919999999999");
    /// telecrm.leads().create(&lead).await?.complete()?;
    /// let error = telecrm.leads().create(&lead).await.unwrap_err();
    /// assert!(error.is_already_exists());
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_already_exists(&self) -> bool {
        self.0.status == Some(StatusCode::CONFLICT)
    }

    /// More requests than the limit allows (pitfall AS9).
    ///
    /// The server has not taken the request. Wait for [`retry_after`](Self::retry_after), then send it again.
    pub fn is_rate_limited(&self) -> bool {
        self.0.status == Some(StatusCode::TOO_MANY_REQUESTS)
    }

    /// The server could not be reached.
    ///
    /// Nothing was sent, so sending again is safe.
    pub fn is_connect(&self) -> bool {
        self.0.kind == Kind::Connect
    }

    /// No answer came in time. Where no time was left to send a request at all, it is [transient](Self::is_transient) in the phase
    /// [`NotSent`](Phase::NotSent).
    ///
    /// The server may have acted. A read can be repeated; before a write, see [`is_outcome_unknown`](Self::is_outcome_unknown).
    pub fn is_timeout(&self) -> bool {
        self.0.kind == Kind::Timeout
    }

    /// The client was [stopped](crate::Telecrm::shutdown) while the request waited for the rate limit.
    ///
    /// It was not sent, or not again: see [`is_outcome_unknown`](Self::is_outcome_unknown) for what an attempt before may have done. If
    /// that says no, another client can send it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use telecrm::{Operation, RateLimit};
    /// # use telecrm::testing::{Response, FakeTelecrm};
    /// # let fake = FakeTelecrm::new().always(Operation::GetLead, Response::json(serde_json::json!({ "id": "62ab16e" })));
    /// # let builder = fake.builder();
    ///
    /// let telecrm = builder.sync_limit(Some(RateLimit::new(100, 1))).build()?;
    /// telecrm.leads().get("62ab16e").await?;
    /// telecrm.shutdown();
    /// let error = telecrm.leads().get("62ab16e").await.unwrap_err();
    /// assert!(error.is_stopped() && error.attempts() == 0 && !error.is_outcome_unknown());
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_stopped(&self) -> bool {
        self.0.kind == Kind::Stopped
    }

    /// The fault may pass: the network, a time-out, too many requests, a server error.
    ///
    /// A read can be repeated. The server may have acted on a write if [`is_outcome_unknown`](Self::is_outcome_unknown) says so: repeat
    /// it only if not.
    pub fn is_transient(&self) -> bool {
        match self.0.kind {
            Kind::Connect | Kind::Timeout | Kind::OutOfTime | Kind::Stopped | Kind::Interrupted => {
                true
            }
            Kind::Config | Kind::Invalid | Kind::Contradictory | Kind::Unreadable => false,
            Kind::Status => self
                .0
                .status
                .is_some_and(|s| s.is_server_error() || matches!(s.as_u16(), 408 | 429)),
        }
    }

    /// Something was to be written, and it cannot be told whether it was.
    ///
    /// The server may have acted. Read back before sending again.
    pub fn is_outcome_unknown(&self) -> bool {
        let doubtful = self.0.status.is_some_and(leaves_doubt);
        let open = match self.phase() {
            Phase::MaybeSent | Phase::Unreadable => true,
            Phase::Answered => doubtful,
            Phase::NotBuilt | Phase::NotSent => false,
        };
        (open || self.0.doubtful) && self.0.writes
    }

    /// Whether the answer was a web page or other text where JSON belongs (pitfall TR1).
    fn is_not_json(&self) -> bool {
        let body = &self.0.body;
        // What is cut off begins as JSON all the same.
        let begins_as_json = matches!(
            unmarked(body).trim_ascii_start().first(),
            None | Some(b'{' | b'[')
        );
        self.0
            .status
            .is_some_and(|status| !status.is_server_error())
            && self.0.code.is_none()
            && !begins_as_json
            && json(body).is_none()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        if let Some(operation) = inner.operation {
            write!(f, "{} failed: ", operation.words())?;
        } else if !matches!(inner.kind, Kind::Config | Kind::Invalid) {
            f.write_str("the request failed: ")?;
        }
        match inner.kind {
            Kind::Config | Kind::Invalid => {}
            Kind::Connect => f.write_str("the server could not be reached")?,
            Kind::Timeout => f.write_str("no answer came in time")?,
            Kind::OutOfTime => {
                f.write_str("no time was left for it, by the rate limit or by another call")?
            }
            Kind::Stopped => {
                f.write_str("it would have had to wait, and the client was stopped")?
            }
            Kind::Interrupted => f.write_str("the connection broke before an answer came")?,
            Kind::Status => f.write_str("the server answered ")?,
            Kind::Contradictory => {
                f.write_str("the server answered an error under a success, with status ")?
            }
            Kind::Unreadable => {
                f.write_str("the server's answer could not be understood, with status ")?
            }
        }
        if let Some(status) = inner.status {
            write!(f, "{}", status.as_u16())?;
            if let Some(code) = &inner.code {
                write!(f, " {code}")?;
            }
        }
        if let Some(message) = &inner.message {
            let separator = if inner.status.is_some() { ": " } else { "" };
            let message = match self.is_not_authorized() {
                true => without_advice(message),
                false => message,
            };
            write!(f, "{separator}{message}")?;
        }
        for detail in &inner.details {
            write!(f, "; {}: {}", detail.field, detail.message)?;
        }
        if self.is_not_authorized() {
            f.write_str(
                " (the enterprise ID may be wrong, or the token, its type, or the workspace it belongs to: the server uses one code for all)",
            )?;
        } else if self.is_not_json() {
            f.write_str(" and text that is not JSON, such as a web page: is the base URL right?")?;
        }
        if inner.updated_lead.is_some() {
            f.write_str("; the fields of the lead were written before, and its actions are left")?;
        }
        if self.is_outcome_unknown() {
            f.write_str("; it cannot be told whether ")?;
            f.write_str(match inner.updated_lead {
                Some(_) => "any of them were written",
                None => "anything was written",
            })?;
        }
        if f.alternate() {
            let mut source = self.source();
            while let Some(cause) = source {
                write!(f, ": {cause}")?;
                source = cause.source();
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("operation", &self.0.operation)
            .field("status", &self.status_code())
            .field("code", &self.0.code)
            .field("finding", &self.0.finding)
            .field("message", &self.0.message)
            .field("retry_after", &self.0.retry_after)
            .field("attempts", &self.0.attempts)
            .field("updated_lead", &self.0.updated_lead.is_some())
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

/// Whether the address is one of https, and nothing in this program speaks it. Only the text of the cause tells.
fn lacks_tls(error: &reqwest::Error) -> bool {
    let mut cause = error.source().filter(|_| error.is_connect());
    while let Some(error) = cause {
        if error.to_string().contains("scheme is not http") {
            return true;
        }
        cause = error.source();
    }
    false
}

/// What is kept of an answer, and of a message in it.
const MOST: usize = 64 << 10;

/// A part is copied, as it would keep the whole in memory.
fn kept(body: &Bytes) -> Bytes {
    match body.len() {
        ..=MOST => body.clone(),
        _ => Bytes::copy_from_slice(&body[..MOST]),
    }
}

fn cut(message: String) -> String {
    match message.char_indices().nth(MOST) {
        Some((end, _)) => message[..end].to_owned(),
        None => message,
    }
}

/// What is wrong, without what to do about it: under 401 the server asks for a new token, whatever is wrong (EN7).
fn without_advice(message: &str) -> &str {
    message
        .split_once(" Please ")
        .map_or(message, |(what, _)| what)
}

/// Whether a server that answers so may have acted all the same.
pub(crate) fn leaves_doubt(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT
}

/// A body without the mark that some put in front of UTF-8.
pub(crate) fn unmarked(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// The JSON of a body, whatever numbers and texts are in it.
pub(crate) fn json(body: &[u8]) -> Option<Value> {
    let value: FieldValue = serde_json::from_slice(unmarked(body)).ok()?;
    Some(value.into_json())
}

/// Whether an answer may have a key `error`, also deep within.
pub(crate) fn has_error_key(body: &[u8]) -> bool {
    static KEY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"error\""));
    KEY.find(body).is_some()
}

/// Whether an answer speaks of an error, whatever its status and whatever else is in it.
pub(crate) fn tells_of_an_error(body: &[u8]) -> bool {
    // Most answers have no such key, and need not be read for it.
    let answer = has_error_key(body).then(|| json(body)).flatten();
    match answer.as_ref().and_then(|answer| answer.get("error")) {
        None | Some(Value::Null) => false,
        Some(Value::Bool(is_error)) => *is_error,
        Some(Value::Number(code)) => code.as_f64() != Some(0.0),
        Some(Value::String(message)) => !message.trim().is_empty(),
        Some(Value::Array(errors)) => !errors.is_empty(),
        Some(Value::Object(error)) => !error.is_empty(),
    }
}

/// The error envelope, in every form that was ever seen: `error` as an object or a text, or only a `message`.
#[derive(Default)]
struct Envelope {
    code: Option<String>,
    message: Option<String>,
    details: Vec<ErrorDetail>,
}

impl Envelope {
    fn read(body: &[u8]) -> Self {
        let Some(answer) = json(body) else {
            return Self::default();
        };
        let error = answer.get("error").unwrap_or(&answer);
        if let Some(message) = error.as_str() {
            return Self {
                message: Some(message.to_owned()),
                ..Self::default()
            };
        }
        let text = |json: &Value, key: &str| json.get(key)?.as_str().map(str::to_owned);
        let mut details = Vec::new();
        if let Some(Value::Array(list)) = error.get("details") {
            for detail in list {
                details.push(ErrorDetail {
                    field: text(detail, "field").unwrap_or_default(),
                    message: text(detail, "message").unwrap_or_default(),
                });
            }
        }
        Self {
            code: text(error, "code"),
            message: text(error, "message").or_else(|| text(&answer, "message")),
            details,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CallOptions;

    fn answered(operation: Operation, status: u16, body: &str) -> Error {
        let status = StatusCode::from_u16(status).expect("a status");
        let body = Bytes::copy_from_slice(body.as_bytes());
        let call = Call::new(
            Some(operation),
            operation.idempotency(),
            CallOptions::default(),
        );
        Error::status(status, None, body, |m| m.replace("ent-1", "…")).during(&call)
    }

    #[test]
    fn every_form_of_the_envelope_is_read() {
        for (body, code, message) in [
            (
                r#"{"error":{"code":"LEAD_NOT_FOUND","message":"m"}}"#,
                Some("LEAD_NOT_FOUND"),
                Some("m"),
            ),
            (r#"{"error":"m"}"#, None, Some("m")),
            (r#"{"message":"m"}"#, None, Some("m")),
            (r#"{"error":{"code":7}}"#, None, None),
            ("[]", None, None),
            ("Not Found", None, None),
            ("<html></html>", None, None),
            ("", None, None),
        ] {
            let error = answered(Operation::GetLead, 404, body);
            assert_eq!(error.code().map(ErrorCode::as_str), code, "{body}");
            assert_eq!(error.message(), message, "{body}");
            assert_eq!(error.body(), body.as_bytes());
            assert!(error.is_not_found());
        }
    }

    #[test]
    fn en7_a_401_names_both_halves_and_masks_the_enterprise() {
        let error = answered(
            Operation::GetMetadata,
            401,
            r#"{"error":{"code":"NOT_AUTHORIZED","message":"Enterprise with ID ent-1 not found or invalid access token. Please generate a new one from the Website/API integrations section of the telecrm app."}}"#,
        );
        assert_eq!(
            error.to_string(),
            "reading the workspace failed: the server answered 401 NOT_AUTHORIZED: Enterprise with ID … not found or invalid access token. \
             (the enterprise ID may be wrong, or the token, its type, or the workspace it belongs to: the server uses one code for all)"
        );
        assert!(!format!("{error:?}").contains("ent-1"));
        let message = error.message().expect("kept");
        assert!(message.contains("generate a new one"), "{message}");
    }

    #[test]
    fn a_request_that_cannot_be_built_is_called_so() {
        let error = reqwest::Client::new().get("nowhere").build();
        let error = Error::transport(error.expect_err("no URL"));
        assert_eq!(error.phase(), Phase::NotBuilt);
        assert_eq!(error.to_string(), "the request could not be built");
    }

    #[test]
    fn a_long_answer_keeps_its_code_and_is_kept_in_part() {
        let echo = "ü".repeat(2 * MOST);
        let body = format!(
            r#"{{"error":{{"code":"LEAD_NOT_FOUND","message":"{echo}","details":[{{"field":"f","message":"m"}}]}}}}"#
        );
        let error = answered(Operation::GetLead, 404, &body);
        assert!(error.is_not_found());
        assert_eq!(error.code(), Some(&ErrorCode::LeadNotFound));
        assert_eq!(error.details().len(), 1);
        assert_eq!(error.message().expect("one").chars().count(), MOST);
        assert_eq!(error.body(), &body.as_bytes()[..MOST]);
    }

    #[test]
    fn an_error_keeps_no_more_of_an_answer_than_it_shows() {
        let body = Bytes::from(vec![b'x'; 2 * MOST]);
        assert_eq!(kept(&body).len(), MOST);
        let part = kept(&body);
        assert!(body.is_unique(), "the whole answer can go");
        drop(part);
    }

    #[test]
    fn json_that_is_cut_off_does_not_pass_for_a_web_page() {
        let body = Bytes::from_static(b" {\"fields\": {\"na");
        let error = Error::unreadable(StatusCode::OK, body, "cut off");
        assert_eq!(
            error.to_string(),
            "the request failed: the server's answer could not be understood, with status 200"
        );
    }

    #[test]
    fn tr1_a_web_page_points_at_the_base_url() {
        let error = answered(Operation::SearchLeads, 404, "<!doctype html><p>Not here");
        assert_eq!(
            error.to_string(),
            "searching leads failed: the server answered 404 and text that is not JSON, such as a web page: is the base URL right?"
        );
    }

    #[test]
    fn only_writes_have_unknown_outcomes() {
        assert!(answered(Operation::CreateOrUpdateLead, 502, "").is_outcome_unknown());
        assert!(!answered(Operation::CreateOrUpdateLead, 429, "").is_outcome_unknown());
        assert!(!answered(Operation::SearchLeads, 502, "").is_outcome_unknown());
    }

    #[test]
    fn details_are_part_of_the_sentence() {
        let error = answered(
            Operation::CreateTeamMember,
            400,
            r#"{"error":{"code":"BAD_REQUEST","message":"Validation failed","details":[{"field":"role","message":"Invalid role."}]}}"#,
        );
        assert_eq!(
            error.to_string(),
            "creating a team member failed: the server answered 400 BAD_REQUEST: Validation failed; role: Invalid role."
        );
    }
}
