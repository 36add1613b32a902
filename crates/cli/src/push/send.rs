//! One row over the wire: sent, and read back if that is wanted.

use super::plan::Parcel;
use super::report::{ErrorKind, Outcome, RowError, RowReport, has_losses};
use crate::clock;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use telecrm::{Operation, Receipt, Telecrm, Verification};
use telecrm_emulator::Emulator;
use tokio::sync::{Mutex, MutexGuard, watch};

/// Sends rows. Cloning it is free.
#[derive(Clone)]
pub(crate) struct Sender(Arc<Inner>);

struct Inner {
    telecrm: Telecrm,
    reader: Option<Reader>,
    /// Held by the row that waits for the rate limit.
    gate: Mutex<()>,
}

/// How rows are read back.
pub(crate) struct Reader {
    /// The emulator within this process can tell when it has nothing more to do.
    pub(crate) emulator: Option<Arc<Emulator>>,
    pub(crate) timeout: Duration,
}

/// What came of one row.
pub(crate) struct Sent {
    pub(crate) report: RowReport,
    pub(crate) lane: Option<String>,
}

/// How much of a run has come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Halt {
    Nothing,
    /// No further row leaves.
    Sending,
    /// Nor is one read back.
    Everything,
}

/// What the rows under way heed.
pub(crate) type Stopped = watch::Receiver<Halt>;

impl Sender {
    pub(crate) fn new(telecrm: Telecrm, reader: Option<Reader>) -> Self {
        Self(Arc::new(Inner {
            telecrm,
            reader,
            gate: Mutex::new(()),
        }))
    }

    /// Rows under way finish the attempt that they are at.
    pub(crate) fn shutdown(&self) {
        self.0.telecrm.shutdown();
    }

    pub(crate) async fn send(self, mut parcel: Parcel, mut stopped: Stopped) -> Sent {
        let lane = parcel.lane.take();
        let report = match &self.0.reader {
            Some(reader) => self.verified(reader, parcel, stopped).await,
            None => match self.push(&parcel, &mut stopped).await {
                Some(Ok(_)) => parcel.report(Outcome::Accepted, None),
                Some(Err(error)) => not_pushed(parcel, &error),
                None => parcel.report(Outcome::Skipped, Some(run_stopped())),
            },
        };
        Sent { report, lane }
    }

    /// Looks before, sends, and looks again.
    async fn verified(&self, reader: &Reader, parcel: Parcel, mut stopped: Stopped) -> RowReport {
        let ingest = self.0.telecrm.ingest();
        let baseline = tokio::select! {
            biased;
            () = has_ended(&mut stopped, Halt::Sending) => None,
            baseline = ingest.baseline(&parcel.lead) => Some(baseline),
        };
        let baseline = match baseline {
            None => return parcel.report(Outcome::Skipped, Some(run_stopped())),
            Some(Ok(baseline)) => baseline,
            Some(Err(error)) => {
                let mut error = not_read(&error);
                error.message.insert_str(0, "nothing was sent, because ");
                return parcel.report(Outcome::Failed, Some(error));
            }
        };
        let (receipt, doubt) = match self.push(&parcel, &mut stopped).await {
            None => return parcel.report(Outcome::Skipped, Some(run_stopped())),
            Some(Ok(receipt)) => (receipt, None),
            // The answer was lost; reading back may still show that the lead arrived.
            Some(Err(error)) if error.is_outcome_unknown() => {
                (Receipt::unconfirmed(parcel.lead.clone()), Some(error))
            }
            Some(Err(error)) => return not_pushed(parcel, &error),
        };
        let receipt = receipt.since(baseline);
        tokio::select! {
            biased;
            () = has_ended(&mut stopped, Halt::Everything) => {
                let error = RowError::new(ErrorKind::RunStopped, "sent, and not read back, because the run was stopped");
                parcel.report(Outcome::Accepted, Some(error))
            }
            verdict = self.verdict(reader, &receipt) => match (verdict, doubt) {
                (verdict @ Ok(Verification::Stored(_)), _) | (verdict, None) => verdict_on(parcel, verdict),
                (_, Some(error)) => not_pushed(parcel, &error),
            },
        }
    }

    /// Sends a row as soon as the rate limit allows; nothing if the run is stopped before that.
    ///
    /// Once the request may have left, its answer is waited for: only that tells what became of the row.
    async fn push(
        &self,
        parcel: &Parcel,
        stopped: &mut Stopped,
    ) -> Option<Result<Receipt, telecrm::Error>> {
        let ingest = self.0.telecrm.ingest();
        let mut push = pin!(ingest.push(&parcel.lead));
        let first = tokio::select! {
            biased;
            () = has_ended(stopped, Halt::Sending) => return None,
            // The first step takes the place that is free, before the gate opens for the next row.
            _gate = self.free_place() => poll_fn(|context| Poll::Ready(push.as_mut().poll(context))).await,
        };
        Some(match first {
            Poll::Ready(result) => result,
            Poll::Pending => push.await,
        })
    }

    /// Waits until a request would leave at once. The facade would wait as well, but not tell whether it does.
    async fn free_place(&self) -> MutexGuard<'_, ()> {
        let gate = self.0.gate.lock().await;
        loop {
            let limits = self.0.telecrm.async_limits();
            let usable = limits.iter().filter(|limit| !limit.set_aside);
            match usable.map(|limit| limit.next_free_in).min() {
                Some(wait) if !wait.is_zero() => clock::sleep(wait).await,
                _ => return gate,
            }
        }
    }

    async fn verdict(
        &self,
        reader: &Reader,
        receipt: &Receipt,
    ) -> Result<Verification, telecrm::Error> {
        if let Some(emulator) = &reader.emulator {
            // Whether it settles or the time is over: the next look is the last.
            let _ = clock::within(reader.timeout, emulator.settle()).await;
        }
        self.0.telecrm.ingest().verify(receipt).await
    }
}

/// Ready once so much of the run has come to its end.
async fn has_ended(stopped: &mut Stopped, what: Halt) {
    let _ = stopped.wait_for(|halt| *halt >= what).await;
}

pub(crate) fn run_stopped() -> RowError {
    RowError::new(
        ErrorKind::RunStopped,
        "not sent, because the run was stopped",
    )
}

/// Why a lead cannot be read back. One that vanishes while it is read says nothing of the other rows.
fn not_read(error: &telecrm::Error) -> RowError {
    let mut row_error = RowError::from(error);
    if error.is_not_found() && error.operation() == Some(Operation::GetLead) {
        row_error.kind = ErrorKind::NotReadable;
    }
    row_error
}

fn not_pushed(parcel: Parcel, error: &telecrm::Error) -> RowReport {
    if error.is_stopped() && !error.is_outcome_unknown() {
        return parcel.report(Outcome::Skipped, Some(run_stopped()));
    }
    let outcome = if error.is_outcome_unknown() {
        Outcome::Unknown
    } else {
        Outcome::Failed
    };
    parcel.report(outcome, Some(error.into()))
}

fn verdict_on(mut parcel: Parcel, verdict: Result<Verification, telecrm::Error>) -> RowReport {
    let (outcome, error) = match verdict {
        Ok(Verification::Stored(_)) if has_losses(&parcel.findings) => (Outcome::Differs, None),
        Ok(Verification::Stored(_)) => (Outcome::Stored, None),
        Ok(Verification::Differs { losses, .. }) => {
            parcel.add(losses);
            (Outcome::Differs, None)
        }
        Ok(Verification::Missing(loss)) => {
            parcel.add([loss]);
            (Outcome::Missing, None)
        }
        Ok(Verification::Unknown { reason, .. }) => {
            let error = RowError::new(ErrorKind::NotReadable, reason);
            (Outcome::Unknown, Some(error))
        }
        Ok(other) => {
            let error = RowError::new(ErrorKind::NotReadable, format!("not understood: {other:?}"));
            (Outcome::Unknown, Some(error))
        }
        Err(error) => (Outcome::Unknown, Some(not_read(&error))),
    };
    parcel.report(outcome, error)
}
