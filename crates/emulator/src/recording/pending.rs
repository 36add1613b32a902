//! The call that the current task answers, while a recording is made.

use super::recorder::Recorder;
use super::{Event, EventKind, RecordedAnswer, RecordedCall, RecordingError};
use crate::faults::FaultKind;
use crate::sync::lock;
use std::sync::{Arc, Mutex};
use tokio::task::JoinHandle;

tokio::task_local! {
    static CALL: Arc<PendingCall>;
}

/// A call that is being answered. If its client disconnects, it is recorded without an answer once
/// the work on it has ended.
pub(crate) struct PendingCall {
    recorder: Arc<Recorder>,
    call: Mutex<Option<RecordedCall>>,
    /// The turn and the time at which the call locked the store.
    turn: Mutex<Option<(u64, i64)>>,
    /// Gives a turn and a time to a call that never locks the store.
    take_turn: Box<dyn Fn() -> (u64, i64) + Send + Sync>,
}

impl PendingCall {
    pub(crate) fn new(
        recorder: Arc<Recorder>,
        call: RecordedCall,
        take_turn: impl Fn() -> (u64, i64) + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            recorder,
            call: Mutex::new(Some(call)),
            turn: Mutex::default(),
            take_turn: Box::new(take_turn),
        })
    }

    /// Answers the call in the scope of this recording.
    pub(crate) async fn run<F: Future>(self: &Arc<Self>, answer: F) -> F::Output {
        CALL.scope(Arc::clone(self), answer).await
    }

    /// Whether a fault gave the client no answer, or one without a proper end.
    pub(crate) fn has_broken_answer(&self) -> bool {
        let call = lock(&self.call);
        let fault = call.as_ref().and_then(|call| call.fault.as_ref());
        fault.is_some_and(FaultKind::breaks_answer)
    }

    /// Writes the call to the recording, unless that has happened already.
    pub(crate) fn finish(&self, answer: Option<RecordedAnswer>) -> Result<(), RecordingError> {
        let Some(mut call) = lock(&self.call).take() else {
            return Ok(());
        };
        let turn = *lock(&self.turn);
        if answer.is_none() && turn.is_none() && call.fault.is_none() {
            // The client disconnected before the call had any effect.
            return Ok(());
        }
        let (turn, time) = turn.unwrap_or_else(&self.take_turn);
        call.answer = answer;
        let kind = EventKind::Call(Box::new(call));
        self.recorder.write(&Event { turn, time, kind })
    }
}

impl Drop for PendingCall {
    fn drop(&mut self) {
        // The client has gone. If writing fails, the next call gets the error.
        let _ = self.finish(None);
    }
}

/// Notes that the current call has locked the store. Does nothing without a recording.
pub(crate) fn note_turn(turn: u64, time: i64) {
    let _ = CALL.try_with(|call| *lock(&call.turn) = Some((turn, time)));
}

/// Notes the fault of the current call. Does nothing without a recording.
pub(crate) fn note_fault(fault: &FaultKind) {
    let _ = CALL.try_with(|call| {
        if let Some(call) = &mut *lock(&call.call) {
            call.fault = Some(fault.clone());
        }
    });
}

/// Spawns work that belongs to the current call. It runs to its end even if the client disconnects.
pub(crate) fn spawn<F>(work: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    match CALL.try_with(Arc::clone) {
        Ok(call) => tokio::spawn(CALL.scope(call, work)),
        Err(_) => tokio::spawn(work),
    }
}
