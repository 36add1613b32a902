//! Sends one row, and reads it back if the run verifies.

use super::plan::PreparedRow;
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

/// Sends rows. Clones share the connection.
#[derive(Clone)]
pub(crate) struct Sender(Arc<Inner>);

struct Inner {
    telecrm: Telecrm,
    read_back: Option<ReadBack>,
    /// Held by the row that waits for the rate limit.
    rate_limit_gate: Mutex<()>,
}

/// How rows are read back.
pub(crate) struct ReadBack {
    /// The emulator of this process, which knows when it has processed every row.
    pub(crate) emulator: Option<Arc<Emulator>>,
    pub(crate) timeout: Duration,
}

/// A row that is done, and the key that later rows of the same lead wait for.
pub(crate) struct FinishedRow {
    pub(crate) report: RowReport,
    pub(crate) lead_key: Option<String>,
}

/// How much of the run has stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stopped {
    Nothing,
    /// No further row is sent.
    Sending,
    /// No further row is sent or read back.
    SendingAndReading,
}

/// How rows in flight learn how much of the run has stopped.
pub(crate) type StopWatch = watch::Receiver<Stopped>;

impl Sender {
    pub(crate) fn new(telecrm: Telecrm, read_back: Option<ReadBack>) -> Self {
        Self(Arc::new(Inner { telecrm, read_back, rate_limit_gate: Mutex::new(()) }))
    }

    /// Lets rows in flight finish their request, without retries.
    pub(crate) fn shutdown(&self) {
        self.0.telecrm.shutdown();
    }

    pub(crate) async fn send(self, mut row: PreparedRow, mut stop: StopWatch) -> FinishedRow {
        let lead_key = row.lead_key.take();
        let report = match &self.0.read_back {
            Some(read_back) => self.send_and_verify(read_back, row, stop).await,
            None => match self.push(&row, &mut stop).await {
                Some(Ok(_)) => row.report(Outcome::Accepted, None),
                Some(Err(error)) => not_pushed(row, &error),
                None => row.report(Outcome::Skipped, Some(run_stopped())),
            },
        };
        FinishedRow { report, lead_key }
    }

    async fn send_and_verify(
        &self,
        read_back: &ReadBack,
        row: PreparedRow,
        mut stop: StopWatch,
    ) -> RowReport {
        let ingest = self.0.telecrm.ingest();
        let baseline = tokio::select! {
            biased;
            () = wait_for(&mut stop, Stopped::Sending) => None,
            baseline = ingest.baseline(&row.lead) => Some(baseline),
        };
        let baseline = match baseline {
            None => return row.report(Outcome::Skipped, Some(run_stopped())),
            Some(Ok(baseline)) => baseline,
            Some(Err(error)) => {
                let mut error = not_read(&error);
                error.problem.message.insert_str(0, "nothing was sent: ");
                return row.report(Outcome::Failed, Some(error));
            }
        };
        let (receipt, lost_answer) = match self.push(&row, &mut stop).await {
            None => return row.report(Outcome::Skipped, Some(run_stopped())),
            Some(Ok(receipt)) => (receipt, None),
            // The lead may have arrived although the answer was lost.
            Some(Err(error)) if error.is_outcome_unknown() => {
                (Receipt::unconfirmed(row.lead.clone()), Some(error))
            }
            Some(Err(error)) => return not_pushed(row, &error),
        };
        let receipt = receipt.since(baseline);
        let verification = tokio::select! {
            biased;
            () = wait_for(&mut stop, Stopped::SendingAndReading) => {
                let message = "sent, but not read back: the run was stopped";
                let error = RowError::new(ErrorKind::RunStopped, message);
                return row.report(Outcome::Accepted, Some(error));
            }
            verification = self.verify(read_back, &receipt) => verification,
        };
        match (verification, lost_answer) {
            (stored @ Ok(Verification::Stored(_)), _) => verified(row, stored),
            (_, Some(error)) => not_pushed(row, &error),
            (verification, None) => verified(row, verification),
        }
    }

    /// Sends a row as soon as the rate limit allows. Returns None if the run stops before that.
    ///
    /// Waits for the answer once the request may have left, because only that shows the outcome.
    async fn push(
        &self,
        row: &PreparedRow,
        stop: &mut StopWatch,
    ) -> Option<Result<Receipt, telecrm::Error>> {
        let ingest = self.0.telecrm.ingest();
        let mut push = pin!(ingest.push(&row.lead));
        let first_poll = tokio::select! {
            biased;
            () = wait_for(stop, Stopped::Sending) => return None,
            // The first poll takes the free slot before the gate opens for the next row.
            _gate = self.free_slot() => {
                poll_fn(|context| Poll::Ready(push.as_mut().poll(context))).await
            }
        };
        Some(match first_poll {
            Poll::Ready(result) => result,
            Poll::Pending => push.await,
        })
    }

    /// Waits until the rate limit lets a request leave at once.
    ///
    /// The client would wait as well, but could not tell whether the request has left.
    async fn free_slot(&self) -> MutexGuard<'_, ()> {
        let gate = self.0.rate_limit_gate.lock().await;
        loop {
            let limits = self.0.telecrm.async_limits();
            let usable = limits.iter().filter(|limit| !limit.set_aside);
            match usable.map(|limit| limit.next_free_in).min() {
                Some(wait) if !wait.is_zero() => clock::sleep(wait).await,
                _ => return gate,
            }
        }
    }

    async fn verify(
        &self,
        read_back: &ReadBack,
        receipt: &Receipt,
    ) -> Result<Verification, telecrm::Error> {
        if let Some(emulator) = &read_back.emulator {
            // The client looks once, whether the emulator is done or the time is over.
            let _ = clock::within(read_back.timeout, emulator.wait_idle()).await;
        }
        self.0.telecrm.ingest().verify(receipt).await
    }
}

/// Waits until this much of the run has stopped.
async fn wait_for(stop: &mut StopWatch, what: Stopped) {
    let _ = stop.wait_for(|stopped| *stopped >= what).await;
}

pub(crate) fn run_stopped() -> RowError {
    RowError::new(ErrorKind::RunStopped, "not sent: the run was stopped")
}

/// Converts an error of reading back. A lead that vanishes meanwhile does not stop the run.
fn not_read(error: &telecrm::Error) -> RowError {
    let mut row_error = RowError::from(error);
    if error.is_not_found() && error.operation() == Some(Operation::GetLead) {
        row_error.kind = ErrorKind::NotReadable;
    }
    row_error
}

fn not_pushed(row: PreparedRow, error: &telecrm::Error) -> RowReport {
    if error.is_outcome_unknown() {
        row.report(Outcome::Unknown, Some(error.into()))
    } else if error.is_shutdown() {
        row.report(Outcome::Skipped, Some(run_stopped()))
    } else {
        row.report(Outcome::Failed, Some(error.into()))
    }
}

fn verified(mut row: PreparedRow, verification: Result<Verification, telecrm::Error>) -> RowReport {
    let (outcome, error) = match verification {
        Ok(Verification::Stored(_)) if has_losses(&row.findings) => (Outcome::Differs, None),
        Ok(Verification::Stored(_)) => (Outcome::Stored, None),
        Ok(Verification::Differs { losses, .. }) => {
            row.add_losses(losses);
            (Outcome::Differs, None)
        }
        Ok(Verification::Missing(loss)) => {
            row.add_losses([loss]);
            (Outcome::Missing, None)
        }
        Ok(Verification::Unknown { reason, .. }) => {
            let error = RowError::new(ErrorKind::NotReadable, reason);
            (Outcome::Unknown, Some(error))
        }
        Ok(_) => {
            let error = RowError::new(ErrorKind::NotReadable, "unknown result of reading back");
            (Outcome::Unknown, Some(error))
        }
        Err(error) => (Outcome::Unknown, Some(not_read(&error))),
    };
    row.report(outcome, error)
}
