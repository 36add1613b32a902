//! Asks whether enterprise, tokens and hosts are right, before anything depends on them.

use super::ingest::Ingest;
use crate::handle::Handle;
use crate::{Error, ErrorCode, Operation};
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use telecrm_core::{Lead, write_hint};

/// A question to telecrm: are the settings of this client right? From
/// [`Telecrm::ping`](crate::Telecrm::ping).
#[derive(Debug, Clone)]
#[must_use = "a ping does nothing until it is awaited"]
pub struct Ping {
    handle: Handle,
    probes_async: bool,
}

impl Ping {
    pub(crate) fn new(handle: Handle) -> Self {
        Self { handle, probes_async: false }
    }

    /// Also probes the Async token, by pushing a lead without fields. telecrm documents that it
    /// drops such a lead (AS2).
    ///
    /// With several tokens, one of them is enough.
    /// [`async_limits`](crate::Telecrm::async_limits) then shows which ones were refused.
    pub fn probe_async(mut self) -> Self {
        self.probes_async = true;
        self
    }

    async fn send(self) -> PingReport {
        let handle = self.handle.in_one_call();
        let sync = if handle.sync.is_some() { Some(sync_access(&handle).await) } else { None };
        let ingest = if self.probes_async && handle.ingest.is_some() {
            let pushed = Ingest(handle).push(&Lead::new()).await;
            Some(pushed.map_or_else(|error| Access::of(&error), |_| Access::Granted))
        } else {
            None
        };
        PingReport { sync, ingest }
    }
}

impl IntoFuture for Ping {
    type Output = PingReport;
    type IntoFuture = Pin<Box<dyn Future<Output = PingReport> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

async fn sync_access(handle: &Handle) -> Access {
    let metadata = handle
        .send(Operation::GetMetadata, |api, enterprise_id| api.get_metadata_request(enterprise_id));
    match metadata.await {
        Ok(response) => match response.decode::<serde_json::Map<String, serde_json::Value>>() {
            Ok(_) => Access::Granted,
            Err(_) => Access::WrongHost,
        },
        Err(error) if error.is_not_authorized() && handle.takes_async_token().await => {
            Access::TokensSwapped
        }
        Err(error) => Access::of(&error),
    }
}

/// What [`Ping`] has found out.
///
/// `{}` is one sentence for each API. `{:#}` adds the hints on lines of their own.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = telecrm_emulator::Emulator::start().await?;
/// use telecrm::{Access, AsyncToken, PingReport, SyncToken, Telecrm};
///
/// let telecrm = Telecrm::builder(emulator.enterprise())
///     .sync_url(emulator.sync_url())
///     .async_url(emulator.async_url())
///     .sync_token(SyncToken::new(emulator.async_token())?) // the two tokens are swapped
///     .async_token(AsyncToken::new(emulator.sync_token())?)
///     .build()?;
/// let report: PingReport = telecrm.ping().await;
/// assert_eq!(report.sync, Some(Access::TokensSwapped));
/// assert!(!report.is_ok());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct PingReport {
    /// The Sync API. `None` without a Sync token.
    pub sync: Option<Access>,
    /// The Async API. `None` without an Async token, or if it was not
    /// [probed](Ping::probe_async).
    pub ingest: Option<Access>,
}

impl PingReport {
    /// Whether everything that was asked is right.
    pub fn is_ok(&self) -> bool {
        let asked: Vec<_> = [self.sync, self.ingest].into_iter().flatten().collect();
        !asked.is_empty() && asked.iter().all(|access| *access == Access::Granted)
    }
}

impl fmt::Display for PingReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (api, access) in [("Sync", self.sync), ("Async", self.ingest)] {
            let text = access.map_or("not asked", Access::text);
            write!(f, "{separator}{api} API: {text}")?;
            separator = if f.alternate() { "\n" } else { "; " };
            write_hint(f, access.and_then(|access| access.hint()))?;
        }
        Ok(())
    }
}

/// What a host says to a token and an enterprise. `{}` says it in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// Enterprise, token and host are right.
    Granted,
    /// The token is refused. telecrm answers the same for an unknown enterprise (EN7).
    Refused,
    /// The Sync token is refused, and the Async token is accepted in its place.
    TokensSwapped,
    /// The enterprise is not known.
    UnknownEnterprise,
    /// The licence of the enterprise has ended.
    LicenseExpired,
    /// The answer is not telecrm's, such as a web page (TR1).
    WrongHost,
    /// The host cannot be reached, or does not answer in time.
    Unreachable,
    /// Too many requests. The token is valid.
    RateLimited,
    /// The answer says nothing about the settings, such as an error of the server.
    Unclear,
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl Access {
    fn of(error: &Error) -> Self {
        match error.code() {
            Some(ErrorCode::EnterpriseNotFound) => return Self::UnknownEnterprise,
            Some(ErrorCode::EnterpriseLicenseExpired) => return Self::LicenseExpired,
            _ => {}
        }
        let is_server_error = error.status_code().is_some_and(|status| status >= 500);
        if error.is_not_authorized() {
            Self::Refused
        } else if error.is_rate_limited() {
            Self::RateLimited
        } else if error.is_connect() || error.is_timeout() {
            Self::Unreachable
        } else if error.status_code().is_some() && !is_server_error {
            Self::WrongHost
        } else {
            Self::Unclear
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Granted => "access granted",
            Self::Refused => "the token is refused, or the enterprise is not known",
            Self::TokensSwapped => "the Sync token and the Async token are swapped",
            Self::UnknownEnterprise => "the enterprise is not known",
            Self::LicenseExpired => "the licence of the enterprise has ended",
            Self::WrongHost => "the answer is not telecrm's",
            Self::Unreachable => "the host cannot be reached",
            Self::RateLimited => "too many requests",
            Self::Unclear => "the server has trouble",
        }
    }

    /// What to do about it. Returns `None` if nothing has to be done.
    pub fn hint(self) -> Option<&'static str> {
        match self {
            Self::Granted => None,
            Self::Refused => {
                Some("check the enterprise ID, then the type and workspace of the token")
            }
            Self::TokensSwapped => Some("exchange the two tokens"),
            Self::UnknownEnterprise => {
                Some("copy the enterprise ID from the dashboard (Settings, Website and API)")
            }
            Self::LicenseExpired => Some("renew the licence in the dashboard"),
            Self::WrongHost => {
                Some("check the base URL; that of the Sync API ends in /autoupdate/v2")
            }
            Self::Unreachable => Some("check the network and the base URL"),
            Self::RateLimited => Some("wait, or look for other programs with the same token"),
            Self::Unclear => Some("try again later"),
        }
    }
}
