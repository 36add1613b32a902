//! Admission: decides when a request may leave, and with which token.

use super::rate_limit::LimitState;
use crate::operation::Operation;
use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// Decides when a request may leave, and with which token.
///
/// By default a client keeps the limits of its tokens in memory. Give
/// [`Builder::sync_gate`](crate::Builder::sync_gate) or
/// [`Builder::async_gate`](crate::Builder::async_gate) another gate to change that, for example
/// one that several processes share. Tokens stay in the client. A gate knows them by their slot: a
/// number from zero, in the order of the builder.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::pin::Pin;
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use telecrm::{Gate, GateError, GateRequest, Lead, LimitState, TokenAnswer};
/// # use telecrm::{Operation, testing::{FakeTelecrm, Response}};
///
/// /// Lets a number of requests through, and no more.
/// struct Quota(AtomicUsize);
///
/// impl Gate for Quota {
///     fn acquire<'a>(
///         &'a self,
///         _request: GateRequest,
///     ) -> Pin<Box<dyn Future<Output = Result<usize, GateError>> + Send + 'a>> {
///         let one_less = |left: usize| left.checked_sub(1);
///         let left = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less);
///         let slot = left.map(|_| 0).map_err(|_| GateError::failed("the quota is used up"));
///         Box::pin(async { slot })
///     }
///
///     fn report(&self, _slot: usize, _answer: TokenAnswer) {}
///
///     fn slots(&self) -> Vec<LimitState> {
///         vec![LimitState::default()]
///     }
/// }
///
/// # let fake = FakeTelecrm::new().always(Operation::CreateOrUpdateLead, Response::queued());
/// # let builder = fake.builder();
/// let telecrm = builder.async_gate(Quota(AtomicUsize::new(1))).build()?;
/// let lead = Lead::new().set("phone", "919999999999");
/// let _receipt = telecrm.ingest().push(&lead).await?;
/// let error = telecrm.ingest().push(&lead).await.unwrap_err();
/// assert!(format!("{error:#}").contains("the quota is used up"));
/// # Ok(())
/// # }
/// ```
pub trait Gate: Send + Sync + 'static {
    /// Waits until a request may leave, and returns the slot of its token.
    ///
    /// A request that is admitted counts as sent. The future is dropped if the call is dropped or
    /// the client shuts down, and must then leave nothing behind.
    ///
    /// # Errors
    /// Return [`GateError::Late`] as soon as the wait would not end within
    /// [`left`](GateRequest::left). The call then ends unsent.
    fn acquire<'a>(
        &'a self,
        request: GateRequest,
    ) -> Pin<Box<dyn Future<Output = Result<usize, GateError>> + Send + 'a>>;

    /// Takes note of what the server said about the token of a slot. Must not block: a gate that
    /// keeps its state elsewhere writes it later.
    fn report(&self, slot: usize, answer: TokenAnswer);

    /// The state of every slot, in order. Must not block.
    ///
    /// After a 401 or 429 the call is repeated if a slot is not [set aside](LimitState::set_aside)
    /// and [free](LimitState::next_free_in) in time.
    fn slots(&self) -> Vec<LimitState>;
}

impl<G: Gate + ?Sized> Gate for Arc<G> {
    fn acquire<'a>(
        &'a self,
        request: GateRequest,
    ) -> Pin<Box<dyn Future<Output = Result<usize, GateError>> + Send + 'a>> {
        (**self).acquire(request)
    }

    fn report(&self, slot: usize, answer: TokenAnswer) {
        (**self).report(slot, answer);
    }

    fn slots(&self) -> Vec<LimitState> {
        (**self).slots()
    }
}

/// A request that asks a [`Gate`] to leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct GateRequest {
    /// The operation. `None` for [`Telecrm::request`](crate::Telecrm::request).
    pub operation: Option<Operation>,
    /// How long the request may wait. Zero allows no wait, [`Duration::MAX`] any.
    pub left: Duration,
}

impl GateRequest {
    /// A request that may wait this long.
    pub fn new(operation: Option<Operation>, left: Duration) -> Self {
        Self { operation, left }
    }
}

/// What the server said about a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenAnswer {
    /// Nothing: no response arrived, or one that says nothing about the token, such as 503.
    Nothing,
    /// The token is valid.
    Valid,
    /// The token is not valid (401).
    Refused,
    /// Too many requests used the token (429). The server may say how long to wait.
    Throttled(Option<Duration>),
}

/// Why a [`Gate`] does not let a request leave.
#[derive(Debug)]
#[non_exhaustive]
pub enum GateError {
    /// The wait would be too long.
    Late,
    /// The gate does not work, for example because it cannot read its state.
    Failed(Box<dyn StdError + Send + Sync>),
}

impl GateError {
    /// The gate does not work, for this reason. The reason is printed with the error of the call,
    /// so it must hold no secret.
    pub fn failed(reason: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Failed(reason.into())
    }
}

impl fmt::Display for GateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Late => f.write_str("the wait for a token would be too long"),
            Self::Failed(reason) => write!(f, "the gate failed: {reason}"),
        }
    }
}

impl StdError for GateError {}
