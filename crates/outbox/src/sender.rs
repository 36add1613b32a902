//! What the worker sends through: a trait, and the client of the crate `telecrm` behind it.

use std::pin::Pin;
use std::time::Duration;
use telecrm::{CallOptions, Error, Finding, Lead, Phase, Receipt, Telecrm, Verification};

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Sends leads, and reads them back.
///
/// Implement it for tests. [`TelecrmSender`] is the one that reaches telecrm.
pub trait Sender: Send + Sync + 'static {
    /// The names of the token slots. A name must not reveal its token. Each slot has a rate limit
    /// of its own.
    fn slots(&self) -> Vec<String>;

    /// Sends a lead once, with the token of this slot.
    fn send<'a>(&'a self, lead: &'a Lead, slot: &'a str) -> Boxed<'a, Answer>;

    /// Whether the actions of a lead that may have been sent are in its timeline.
    fn arrived<'a>(&'a self, lead: &'a Lead) -> Boxed<'a, Arrival>;

    /// Reads leads back. The result has one entry per lead, in the same order.
    fn read_back<'a>(&'a self, leads: &'a [Lead]) -> Boxed<'a, Vec<ReadBack>>;
}

/// How one send ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// telecrm took the lead into its queue.
    Accepted,
    /// The server answered with a status other than success.
    Refused {
        /// The HTTP status.
        status: u16,
        /// The code in the body, such as `ENTERPRISE_LICENSE_EXPIRED`.
        code: Option<String>,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },
    /// A success status with an error in the body.
    ErrorBody(String),
    /// A success status with a body other than an acknowledgement, such as a web page.
    Unreadable,
    /// Nothing was sent: no connection.
    NotSent,
    /// Sent, at least in part, and no answer came.
    NoAnswer,
}

/// Whether a lead that may have been sent has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// Everything is there.
    Arrived,
    /// The actions are not there.
    NotThere,
    /// Unknown at present.
    Unknown,
}

/// What reading a lead back has shown.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ReadBack {
    /// The lead is there with everything that was sent.
    Stored,
    /// The lead is there. These parts are missing or have another value.
    Differs(Vec<Finding>),
    /// There is no such lead.
    Missing,
    /// Unknown at present.
    Unknown,
}

/// Sends through a client.
///
/// The client should have a [verify timeout](telecrm::Builder::verify_timeout) of zero, because the
/// worker itself reads a lead several times. All tokens of the client are one slot.
pub struct TelecrmSender {
    sending: Telecrm,
    reading: Telecrm,
}

impl TelecrmSender {
    /// Uses this client. The worker repeats requests, so each is sent once.
    pub fn new(telecrm: &Telecrm) -> Self {
        let once = CallOptions::new().attempts(1).attempt_timeout(Duration::from_secs(15));
        let once = once.total_timeout(Duration::from_secs(18));
        Self { sending: telecrm.with_options(once), reading: telecrm.clone() }
    }

    async fn verify(&self, lead: &Lead) -> ReadBack {
        match self.reading.ingest().verify(&Receipt::unconfirmed(lead.clone())).await {
            Ok(Verification::Stored(_)) => ReadBack::Stored,
            Ok(Verification::Differs { losses, .. }) => ReadBack::Differs(losses),
            Ok(Verification::Missing(_)) => ReadBack::Missing,
            _ => ReadBack::Unknown,
        }
    }
}

impl Sender for TelecrmSender {
    fn slots(&self) -> Vec<String> {
        vec!["async".to_owned()]
    }

    fn send<'a>(&'a self, lead: &'a Lead, _slot: &'a str) -> Boxed<'a, Answer> {
        Box::pin(async move {
            match self.sending.ingest().push(lead).await {
                Ok(_) => Answer::Accepted,
                Err(error) => answer(&error),
            }
        })
    }

    fn arrived<'a>(&'a self, lead: &'a Lead) -> Boxed<'a, Arrival> {
        Box::pin(async move {
            let whole = |finding: &Finding| finding.kind == telecrm::FindingKind::ActionDropped;
            match self.verify(lead).await {
                ReadBack::Stored => Arrival::Arrived,
                ReadBack::Missing => Arrival::NotThere,
                ReadBack::Differs(losses) => {
                    let lost = losses.iter().filter(|loss| whole(loss)).count();
                    if lost == lead.actions().len() {
                        Arrival::NotThere
                    } else if lost == 0 {
                        Arrival::Arrived
                    } else {
                        Arrival::Unknown
                    }
                }
                ReadBack::Unknown => Arrival::Unknown,
            }
        })
    }

    fn read_back<'a>(&'a self, leads: &'a [Lead]) -> Boxed<'a, Vec<ReadBack>> {
        Box::pin(async move {
            let mut results = Vec::new();
            for lead in leads {
                results.push(self.verify(lead).await);
            }
            results
        })
    }
}

/// What an error of the client says about the send.
fn answer(error: &Error) -> Answer {
    match (error.phase(), error.status_code()) {
        (Phase::NotBuilt | Phase::NotSent, _) => Answer::NotSent,
        (Phase::Answered, Some(200..300)) => {
            let code = error.code().map(|code| code.as_str().to_owned());
            Answer::ErrorBody(code.unwrap_or_else(|| "an error with a success status".to_owned()))
        }
        (Phase::Answered, Some(status)) => Answer::Refused {
            status,
            code: error.code().map(|code| code.as_str().to_owned()),
            retry_after: error.retry_after(),
        },
        (Phase::Unreadable, _) => Answer::Unreadable,
        _ => Answer::NoAnswer,
    }
}
