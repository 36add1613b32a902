//! The sender of the crate `telecrm` against an emulated telecrm.

use crate::support::{TestClock, lead, lead_with_action, options};
use std::time::Duration;
use telecrm::FieldPath;
use telecrm_emulator::Emulator;
use telecrm_outbox::{Event, Outbox, State, TelecrmSender, WhenLossy, Worker};

/// An outbox whose leads go to the emulator as they are.
async fn start(emulator: &Emulator) -> (TestClock, Outbox, Worker) {
    let clock = TestClock::new();
    let options = options(&clock).when_lossy(WhenLossy::QueueAsIs);
    let outbox = Outbox::memory(options).await.unwrap();
    outbox.set_workspace(&telecrm::WorkspaceFile::sample()).await.unwrap();
    let telecrm = emulator.client_builder().verify_timeout(Duration::ZERO).build().unwrap();
    let worker = Worker::start(&outbox, TelecrmSender::new(&telecrm)).await.unwrap();
    (clock, outbox, worker)
}

#[tokio::test]
async fn leads_arrive_and_are_read_back() {
    let emulator = Emulator::start().await.unwrap();
    let (clock, outbox, mut worker) = start(&emulator).await;
    let leads = [lead_with_action(1, "A"), lead(2, "B").set("rating", 9)];
    let added = outbox.enqueue(leads).await.unwrap();
    let seqs: Vec<_> = added.into_iter().map(|receipt| receipt.unwrap().seq).collect();
    worker.drain().await.unwrap();
    emulator.wait_idle().await;
    clock.seconds(30);
    worker.drain().await.unwrap();
    let stored = outbox.get(seqs[0]).await.unwrap().unwrap();
    assert_eq!((stored.state, stored.sends()), (State::Verified, 1));
    // The check predicted the loss, so that no later look is needed.
    let differs = outbox.get(seqs[1]).await.unwrap().unwrap();
    assert_eq!(differs.state, State::Differs);
    assert_eq!(differs.findings().len(), 1);
    assert_eq!(differs.findings()[0].path, FieldPath::Field("rating".to_owned()));
}

#[tokio::test]
async fn leads_wait_while_telecrm_cannot_be_reached() {
    let emulator = Emulator::start().await.unwrap();
    let (clock, outbox, mut worker) = start(&emulator).await;
    let mut events = outbox.events();
    // No connection is open yet, so that none breaks in the middle of a request.
    drop(emulator);
    let seq = outbox.enqueue([lead(1, "A")]).await.unwrap().remove(0).unwrap().seq;
    for _ in 0..10 {
        worker.drain().await.unwrap();
        clock.seconds(5);
    }
    let item = outbox.get(seq).await.unwrap().unwrap();
    assert_eq!((item.state, item.attempts(), item.maybe_sent()), (State::Queued, 0, false));
    assert_eq!(item.answer(), Some("no connection"));
    while events.next().await != Some(Event::Held("telecrm cannot be reached".to_owned())) {}
}
