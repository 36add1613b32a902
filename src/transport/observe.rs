//! Observability: spans, events and reports of calls. None of them holds data.

use super::backend::Reply;
use super::call::Call;
use super::rate_limit::LimitState;
use crate::clock::Clock;
use crate::error::{Error, Kind, Phase, Progress};
use crate::operation::Operation;
use reqwest::Request;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::field::Empty;

/// How a call ended, for metrics. [`Builder::on_call`](crate::Builder::on_call) receives it.
///
/// It covers the exchange with the server. A response that arrived but cannot be decoded counts as
/// a response.
///
/// ```
/// use telecrm::{CallReport, Operation};
///
/// fn line(report: &CallReport) -> String {
///     let name = report.operation.map_or("request", Operation::id);
///     let ending = report.error_type.as_deref().unwrap_or("ok");
///     format!("{name}: {ending}, {} attempts, {:?} of waits", report.attempts, report.waited)
/// }
///
/// let telecrm = telecrm::Telecrm::builder("enterprise-id")
///     .on_call(|report| println!("{}", line(report)))
///     .build()?;
/// # Ok::<(), telecrm::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallReport {
    /// The operation that was called. `None` for [`Telecrm::request`](crate::Telecrm::request).
    pub operation: Option<Operation>,
    /// The status of the last response, as in [`Error::status_code`]. `None` if the last request
    /// that was sent got none.
    pub status: Option<u16>,
    /// How often the request was sent. Attempts without a connection do not count.
    pub attempts: u32,
    /// The number of the token that was used last: from zero, in the order of the builder.
    pub slot: Option<usize>,
    /// How long the call took, including waits.
    pub duration: Duration,
    /// How long the call waited for the rate limit and between attempts.
    pub waited: Duration,
    /// Why the call failed: the status, or `not_sent`, `failure`, `deadline`, `shutdown` or
    /// `cancelled`. `None` for a success.
    pub error_type: Option<String>,
}

/// The function that receives the reports. `None` if the program does not want them.
pub(crate) type Observer = Option<Arc<dyn Fn(&CallReport) + Send + Sync>>;

/// The server began to refuse a token, or accepts it again.
/// [`Builder::on_slot`](crate::Builder::on_slot) receives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SlotEvent {
    /// `Sync` or `Async`.
    pub api: &'static str,
    /// The number of the token: from zero, in the order of the builder.
    pub slot: usize,
    /// Whether the server refused the token.
    pub is_refused: bool,
    /// The state of the slot.
    pub state: LimitState,
}

/// The function that receives the events of token slots.
pub(crate) type SlotObserver = Option<Arc<dyn Fn(&SlotEvent) + Send + Sync>>;

/// Reports one call when it is dropped, so that a call that is cancelled is reported too.
pub(super) struct Watch<'a> {
    call: &'a mut Call,
    observer: &'a Observer,
    clock: &'a dyn Clock,
    began: Instant,
    span: tracing::Span,
    error_type: Option<String>,
}

impl<'a> Watch<'a> {
    pub(super) fn begin(
        request: &Request,
        call: &'a mut Call,
        observer: &'a Observer,
        clock: &'a dyn Clock,
    ) -> Self {
        // The names are OpenTelemetry's for HTTP clients. `url.full` is missing because it holds
        // the enterprise ID.
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
            call,
            observer,
            clock,
            began: clock.now(),
            span,
            error_type: Some("cancelled".to_owned()),
        }
    }

    pub(super) fn span(&self) -> tracing::Span {
        self.span.clone()
    }

    pub(super) fn call(&mut self) -> &mut Call {
        self.call
    }

    pub(super) fn end(mut self, result: &Result<Reply, Error>) {
        let Progress { phase, status, .. } = self.call.progress.summary();
        let name = match (result.as_ref().err().map(Error::kind), phase) {
            (Some(Kind::Deadline), _) => "deadline".to_owned(),
            (Some(Kind::Shutdown), _) => "shutdown".to_owned(),
            (_, Phase::NotBuilt | Phase::NotSent) => "not_sent".to_owned(),
            (_, Phase::MaybeSent | Phase::Unreadable) => "failure".to_owned(),
            (_, Phase::Answered) => {
                status.map(|status| status.as_u16()).unwrap_or_default().to_string()
            }
        };
        self.error_type = (!self.call.progress.is_success()).then_some(name);
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let Progress { tries, attempts, waited, status, slot, .. } = self.call.progress.summary();
        let status = status.map(|status| status.as_u16());
        if let Some(status) = status {
            self.span.record("http.response.status_code", status);
        }
        if tries > 1 {
            self.span.record("http.request.resend_count", tries - 1);
        }
        if let Some(error_type) = &self.error_type {
            self.span.record("error.type", error_type);
        }
        let Some(observer) = self.observer else {
            return;
        };
        let report = CallReport {
            operation: self.call.operation,
            status,
            attempts,
            slot,
            duration: self.clock.now().saturating_duration_since(self.began),
            waited,
            error_type: self.error_type.take(),
        };
        notify("on_call", || observer(&report));
    }
}

/// Calls a function of the program. A panic in it is logged, because it must not replace the result
/// of the call.
fn notify(name: &str, observer: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(observer)).is_err() {
        tracing::error!("the function given to `{name}` panicked");
    }
}

/// Logs and reports that the state of a token slot changed.
pub(super) fn slot_changed(event: &SlotEvent, observer: &SlotObserver) {
    let SlotEvent { api, slot, is_refused, .. } = *event;
    if is_refused {
        tracing::warn!(api, slot, "token refused");
    } else {
        tracing::info!(api, slot, "token accepted again");
    }
    if let Some(observer) = observer {
        notify("on_slot", || observer(event));
    }
}

/// Logs the end of an attempt.
pub(super) fn attempted(progress: &Progress) {
    let attempt = progress.tries;
    let status = progress.status.map(|status| status.as_u16());
    if progress.is_success() {
        tracing::debug!(attempt, status, "attempt succeeded");
    } else {
        tracing::warn!(attempt, status, phase = ?progress.phase, "attempt failed");
    }
}

/// Logs a wait for the rate limit or before the next attempt.
pub(super) fn waiting(duration: Duration) {
    let milliseconds = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(milliseconds, "waiting");
}
