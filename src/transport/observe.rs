//! What can be seen of calls from outside: spans, events and reports, none of them with data.

use super::call::{Call, Reply, Transport, TransportFailure, ending};
use super::retry::AttemptOutcome;
use crate::Operation;
use reqwest::Request;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::field::Empty;

/// What a call brought, for metrics. To [`Builder::on_call`](crate::Builder::on_call).
///
/// It tells of the exchange with the server: an answer that cannot be understood afterwards is an answer here.
///
/// ```
/// use telecrm::{CallReport, Operation};
///
/// fn line(report: &CallReport) -> String {
///     let name = report.operation.map_or("request", Operation::id);
///     let ending = report.error_type.as_deref().unwrap_or("ok");
///     format!("{name} {ending} after {} attempts, {:?} of it waiting", report.attempts, report.waited)
/// }
/// # let telecrm = telecrm::testing::FakeTelecrm::new().builder().on_call(|report| _ = line(report)).build()?;
/// # let _ = telecrm;
/// # Ok::<(), telecrm::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallReport {
    /// What was called; nothing for [`Telecrm::request`](crate::Telecrm::request).
    pub operation: Option<Operation>,
    /// The status of the last answer.
    pub status: Option<u16>,
    /// How often the request was sent.
    pub attempts: u32,
    /// How long the call took, waits included.
    pub duration: Duration,
    /// How long it waited for the limit and between attempts.
    pub waited: Duration,
    /// Why it did not succeed: the status, or `not_sent`, `failure`, `out_of_time`, `stopped` or `cancelled`.
    pub error_type: Option<String>,
}

/// Who is told of calls.
#[derive(Clone, Default)]
pub(crate) struct Observer(Option<Arc<Tell>>);

type Tell = dyn Fn(&CallReport) + Send + Sync;

impl Observer {
    pub(crate) fn new(observer: impl Fn(&CallReport) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(observer)))
    }
}

/// Watches one call, and reports it when it is over, also when it is dropped half-way.
pub(super) struct Watch<'a> {
    transport: &'a Transport,
    call: &'a Call,
    span: tracing::Span,
    began: Instant,
    status: Option<u16>,
    error_type: Option<Cow<'static, str>>,
}

impl<'a> Watch<'a> {
    pub(super) fn begin(transport: &'a Transport, request: &Request, call: &'a Call) -> Self {
        // The names are OpenTelemetry's for HTTP clients. `url.full` is missing: it holds the enterprise ID.
        let span = tracing::info_span!(
            "telecrm",
            otel.kind = "client",
            telecrm.operation = call.operation.map(Operation::id),
            http.request.method = request.method().as_str(),
            http.request.resend_count = Empty,
            http.response.status_code = Empty,
            server.address = request.url().host_str(),
            server.port = request.url().port_or_known_default(),
            "error.type" = Empty,
        );
        Self {
            transport,
            call,
            span,
            began: transport.settings.clock.now(),
            status: None,
            error_type: Some("cancelled".into()),
        }
    }

    pub(super) fn began(&self) -> Instant {
        self.began
    }

    pub(super) fn span(&self) -> tracing::Span {
        self.span.clone()
    }

    pub(super) fn end(mut self, result: &reqwest::Result<Reply>) {
        let reply = result.as_ref().ok();
        let none = reply.and_then(|reply| reply.failure);
        self.status = match none {
            Some(_) => None,
            None => reply.map(|reply| reply.status.as_u16()),
        };
        self.error_type = match ending(result) {
            _ if none == Some(TransportFailure::OutOfTime) => Some("out_of_time".into()),
            _ if none == Some(TransportFailure::Stopped) => Some("stopped".into()),
            AttemptOutcome::NotSent => Some("not_sent".into()),
            AttemptOutcome::InDoubt => Some("failure".into()),
            AttemptOutcome::Answered(status) if status.is_success() => None,
            AttemptOutcome::Answered(status) => Some(status.as_u16().to_string().into()),
        };
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let attempts = self.call.attempts();
        if let Some(status) = self.status {
            self.span.record("http.response.status_code", status);
        }
        if attempts > 1 {
            self.span.record("http.request.resend_count", attempts - 1);
        }
        if let Some(error_type) = &self.error_type {
            self.span.record("error.type", &**error_type);
        }
        if let Some(tell) = &self.transport.settings.observer.0 {
            tell(&CallReport {
                operation: self.call.operation,
                status: self.status,
                attempts,
                duration: self
                    .transport
                    .settings
                    .clock
                    .now()
                    .saturating_duration_since(self.began),
                waited: self.call.waited(),
                error_type: self.error_type.take().map(Cow::into_owned),
            });
        }
    }
}

/// An attempt is over.
pub(super) fn attempted(attempt: u32, ending: AttemptOutcome) {
    match ending {
        AttemptOutcome::Answered(status) if status.is_success() => {
            tracing::debug!(attempt, status = status.as_u16(), "answered");
        }
        AttemptOutcome::Answered(status) => {
            tracing::warn!(attempt, status = status.as_u16(), "refused");
        }
        AttemptOutcome::NotSent => tracing::warn!(attempt, "not sent"),
        AttemptOutcome::InDoubt => tracing::warn!(attempt, "no whole answer"),
    }
}

/// The call waits, for the limit or before its next attempt.
pub(super) fn waiting(duration: Duration) {
    let milliseconds = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(milliseconds, "waiting");
}
