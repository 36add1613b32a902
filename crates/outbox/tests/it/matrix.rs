//! The failure matrix: one test per fault, named after what must happen.

use crate::support::{
    Fixture, Kind, Script, TestClock, lead, lead_with_action, options, phone_of, refused, url,
};
use rusqlite::Connection;
use std::time::Duration;
use telecrm::{FieldPath, Finding, FindingKind, WorkspaceFile};
use telecrm_outbox::{
    Answer, Arrival, ErrorKind, Event, Filter, Held, Item, Outbox, ReadBack, Requeued, State,
    WhenMaybeSent, Worker,
};

async fn state(fixture: &Fixture, seq: u64) -> State {
    item(fixture, seq).await.state
}

async fn item(fixture: &Fixture, seq: u64) -> Item {
    fixture.outbox.get(seq).await.unwrap().unwrap()
}

/// Starts sending, waits until this many requests are in flight, and kills the worker.
async fn crash_in_flight(fixture: &Fixture, requests: usize) {
    let mut worker = fixture.worker().await;
    fixture.script.answer(|_| None);
    let before = fixture.script.sent().len();
    let task = tokio::spawn(async move { worker.drain().await });
    while fixture.script.sent().len() < before + requests {
        tokio::task::yield_now().await;
    }
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    fixture.script.always(Answer::Accepted);
}

#[tokio::test]
async fn row_01_without_a_receipt_a_retry_with_the_same_key_adds_once() {
    let fixture = Fixture::new(Kind::Sqlite).await;
    let unfinished = tokio::time::timeout(Duration::ZERO, fixture.add_keyed(lead(1, "A"), "k"));
    // The caller gives up, whether or not the lead became durable.
    drop(unfinished.await);
    fixture.add_keyed(lead(1, "A"), "k").await.unwrap();
    assert_eq!(fixture.outbox.stats().await.unwrap().waiting(), 1);
}

#[tokio::test]
async fn row_02_an_acknowledged_lead_is_there_after_the_restart() {
    let fixture = Fixture::new(Kind::Sqlite).await;
    let seq = fixture.add_keyed(lead(1, "A"), "k").await.unwrap().seq;
    let reopened = fixture.reopen().await;
    let item = reopened.get(seq).await.unwrap().unwrap();
    assert_eq!((item.state, item.lead), (State::Queued, Some(lead(1, "A"))));
    assert_eq!(item.key.as_deref(), Some("k"));
}

#[tokio::test]
async fn row_03_claimed_lanes_are_taken_at_once_after_a_restart() {
    let fixture = Fixture::new(Kind::Sqlite).await;
    let seqs = fixture.add((0..3).map(|number| lead(number, "A"))).await;
    crash_in_flight(&fixture, 3).await;
    let mut worker = fixture.worker().await;
    // The burst of the slot is gone, so that the three are sent one after the other.
    for _ in 0..3 {
        worker.drain().await.unwrap();
        fixture.clock.seconds(1);
    }
    assert_eq!(fixture.script.sent().len(), 6);
    for seq in seqs {
        let item = item(&fixture, seq).await;
        assert_eq!((item.state, item.sends(), item.maybe_sent()), (State::Accepted, 2, true));
    }
}

#[tokio::test]
async fn row_04_killed_before_settling_sends_once_more_and_maybe_is_visible() {
    let fixture = Fixture::new(Kind::Sqlite).await;
    let seq = fixture.add([lead(1, "A")]).await[0];
    crash_in_flight(&fixture, 1).await;
    assert_eq!(state(&fixture, seq).await, State::InFlight);
    fixture.worker().await.drain().await.unwrap();
    assert_eq!(fixture.script.sent(), ["A", "A"]);
    assert!(item(&fixture, seq).await.maybe_sent());
}

#[tokio::test]
async fn row_05_items_in_flight_at_a_crash_are_found_without_any_election() {
    let fixture = Fixture::new(Kind::Sqlite).await;
    let seqs = fixture.add((0..3).map(|number| lead(number, "A"))).await;
    crash_in_flight(&fixture, 3).await;
    // Opening the file and starting to send is all that another process does.
    let reopened = fixture.reopen().await;
    let _worker = Worker::start(&reopened, fixture.script.clone()).await.unwrap();
    for seq in seqs {
        let item = reopened.get(seq).await.unwrap().unwrap();
        assert_eq!((item.state, item.maybe_sent()), (State::Queued, true));
    }
}

#[tokio::test]
async fn row_06_five_days_without_network_kill_nothing() {
    for answer in [Answer::NotSent, refused(401), refused(403)] {
        let fixture = Fixture::new(Kind::Memory).await;
        let seqs = fixture.add((0..10).map(|number| lead(number, "A"))).await;
        fixture.script.always(answer.clone());
        let mut worker = fixture.worker().await;
        for _ in 0..5 * 24 * 6 {
            worker.drain().await.unwrap();
            fixture.clock.seconds(600);
        }
        for seq in &seqs {
            let item = item(&fixture, *seq).await;
            assert_eq!((item.state, item.attempts()), (State::Queued, 0), "{answer:?}");
        }
        fixture.script.always(Answer::Accepted);
        for _ in 0..20 {
            worker.drain().await.unwrap();
            fixture.clock.seconds(60);
        }
        for seq in seqs {
            assert!(!state(&fixture, seq).await.is_open(), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn row_07_a_cut_network_opens_the_circuit_and_counts_no_attempts() {
    let fixture = Fixture::new(Kind::Memory).await;
    let seqs = fixture.add((0..50).map(|number| lead(number, "A"))).await;
    fixture.script.always(Answer::NotSent);
    let mut worker = fixture.worker().await;
    worker.drain().await.unwrap();
    let first = fixture.script.sent().len();
    let stats = fixture.outbox.stats().await.unwrap();
    assert_eq!(stats.held, Some(Held::Connection));
    // One probe in five seconds.
    for _ in 0..60 {
        fixture.clock.seconds(1);
        worker.drain().await.unwrap();
    }
    let probes = fixture.script.sent().len() - first;
    assert!((11..=13).contains(&probes), "{probes}");
    assert_eq!(item(&fixture, seqs[0]).await.attempts(), 0);
    assert_eq!(item(&fixture, seqs[0]).await.sends(), 0);
    // Leads can still be added.
    fixture.add([lead(99, "B")]).await;
    fixture.script.always(Answer::Accepted);
    for _ in 0..40 {
        fixture.clock.seconds(5);
        worker.drain().await.unwrap();
    }
    assert_eq!(fixture.outbox.stats().await.unwrap().waiting(), 0);
    assert_eq!(fixture.outbox.stats().await.unwrap().held, None);
}

#[tokio::test]
async fn row_08_after_a_lost_answer_fields_are_sent_again() {
    let fixture = Fixture::new(Kind::Memory).await;
    let seq = fixture.add([lead(1, "A")]).await[0];
    fixture.script.always(Answer::NoAnswer);
    let mut worker = fixture.worker().await;
    worker.drain().await.unwrap();
    assert!(item(&fixture, seq).await.maybe_sent());
    fixture.script.always(Answer::Accepted);
    fixture.clock.seconds(2);
    worker.drain().await.unwrap();
    assert_eq!(fixture.script.sent(), ["A", "A"]);
    assert_eq!(state(&fixture, seq).await, State::Accepted);
}

/// A lead with an action whose first answer is lost. Returns the item and how often it was sent.
async fn lost_answer_of_an_action(when: WhenMaybeSent, arrival: Arrival) -> (Item, usize) {
    let fixture = Fixture::with(Kind::Memory, |options| options.when_maybe_sent(when)).await;
    let seq = fixture.add([lead_with_action(1, "A")]).await[0];
    fixture.script.always(Answer::NoAnswer);
    fixture.script.arrived(arrival);
    let mut worker = fixture.worker().await;
    worker.drain().await.unwrap();
    fixture.script.always(Answer::Accepted);
    fixture.clock.seconds(30);
    worker.drain().await.unwrap();
    (item(&fixture, seq).await, fixture.script.sent().len())
}

#[tokio::test]
async fn row_08_actions_that_arrived_are_not_sent_again() {
    let (item, sent) = lost_answer_of_an_action(WhenMaybeSent::Check, Arrival::Arrived).await;
    assert_eq!((item.state, item.sends(), sent), (State::Accepted, 1, 1));
    assert!(item.maybe_sent());
}

#[tokio::test]
async fn row_08_actions_that_are_not_there_are_sent_again() {
    let (item, sent) = lost_answer_of_an_action(WhenMaybeSent::Check, Arrival::NotThere).await;
    assert_eq!((item.state, item.sends(), sent), (State::Accepted, 2, 2));
}

#[tokio::test]
async fn row_08_actions_of_unknown_outcome_wait() {
    let (item, sent) = lost_answer_of_an_action(WhenMaybeSent::Check, Arrival::Unknown).await;
    assert_eq!((item.state, item.sends(), sent), (State::Queued, 1, 1));
}

#[tokio::test]
async fn row_08_actions_are_sent_again_if_the_caller_says_so() {
    let (item, sent) = lost_answer_of_an_action(WhenMaybeSent::Resend, Arrival::Arrived).await;
    assert_eq!((item.state, sent), (State::Accepted, 2));
}

#[tokio::test]
async fn row_08_actions_are_held_if_the_caller_says_so() {
    let (item, sent) = lost_answer_of_an_action(WhenMaybeSent::Hold, Arrival::Arrived).await;
    assert_eq!((item.state, item.reason(), sent), (State::Dead, Some("unknown outcome"), 1));
}

#[tokio::test]
async fn row_09_a_refused_token_is_off_and_the_others_go_on() {
    let mut fixture = Fixture::new(Kind::Memory).await;
    fixture.script = Script::with_slots(&["a", "b"]);
    let mut events = fixture.outbox.events();
    fixture.add([lead(1, "A")]).await;
    fixture.script.always(refused(401));
    let mut worker = fixture.worker().await;
    worker.drain().await.unwrap();
    // Both are refused: held, and the lead stays.
    assert_eq!(fixture.script.slots_used().len(), 2);
    let stats = fixture.outbox.stats().await.unwrap();
    assert_eq!((stats.waiting(), stats.held), (1, Some(Held::Tokens)));
    let mut refusals = Vec::new();
    while refusals.len() < 2 {
        if let Some(Event::TokenRefused(slot)) = events.next().await {
            refusals.push(slot);
        }
    }
    refusals.sort();
    assert_eq!(refusals, ["a", "b"]);
    // Valid again: used within ten minutes.
    fixture.script.always(Answer::Accepted);
    fixture.clock.seconds(599);
    worker.drain().await.unwrap();
    assert_eq!(fixture.outbox.stats().await.unwrap().waiting(), 1);
    fixture.clock.seconds(1);
    worker.drain().await.unwrap();
    assert_eq!(fixture.outbox.stats().await.unwrap().waiting(), 0);
    assert_eq!(fixture.outbox.stats().await.unwrap().held, None);
}

#[tokio::test]
async fn row_09_leads_of_a_refused_token_go_out_through_another() {
    let mut fixture = Fixture::new(Kind::Memory).await;
    fixture.script = Script::with_slots(&["a", "b"]);
    fixture.add((0..30).map(|number| lead(number, "A"))).await;
    fixture.script.refuse_slot("a");
    let mut worker = fixture.worker().await;
    for _ in 0..3 {
        worker.drain().await.unwrap();
        fixture.clock.seconds(10);
    }
    let stats = fixture.outbox.stats().await.unwrap();
    assert_eq!((stats.waiting(), stats.held, stats.counters.refused_tokens), (0, None, 1));
    let by_a = fixture.script.slots_used().iter().filter(|slot| *slot == "a").count();
    assert!(by_a <= 15, "{by_a} requests, all of which were in flight together");
}

#[tokio::test]
async fn row_10_a_wrong_enterprise_is_held_and_nothing_dies() {
    let fixture = Fixture::new(Kind::Memory).await;
    let seqs = fixture.add((0..20).map(|number| lead(number, "A"))).await;
    fixture.script.always(refused(404));
    let mut worker = fixture.worker().await;
    for _ in 0..100 {
        worker.drain().await.unwrap();
        fixture.clock.seconds(60);
    }
    let stats = fixture.outbox.stats().await.unwrap();
    assert_eq!(stats.held, Some(Held::Workspace("404".to_owned())));
    assert_eq!((stats.waiting(), stats.count(State::Dead)), (20, 0));
    assert_eq!(item(&fixture, seqs[0]).await.attempts(), 0);
}

#[tokio::test]
async fn row_11_a_rate_limit_holds_the_token_without_a_burst_afterwards() {
    let fixture = Fixture::new(Kind::Memory).await;
    let seqs = fixture.add((0..20).map(|number| lead(number, "A"))).await;
    let wait = Some(Duration::from_secs(30));
    fixture.script.always(Answer::Refused { status: 429, code: None, retry_after: wait });
    let mut worker = fixture.worker().await;
    worker.drain().await.unwrap();
    assert_eq!(fixture.script.sent().len(), 20);
    fixture.script.always(Answer::Accepted);
    fixture.clock.seconds(29);
    worker.drain().await.unwrap();
    assert_eq!(fixture.script.sent().len(), 20);
    fixture.clock.seconds(1);
    worker.drain().await.unwrap();
    assert_eq!(fixture.script.sent().len(), 21);
    assert_eq!(item(&fixture, seqs[19]).await.attempts(), 0);
}

#[tokio::test]
async fn row_12_an_unknown_body_is_maybe_and_an_error_body_is_dead() {
    let fixture = Fixture::new(Kind::Memory).await;
    let seqs = fixture.add([lead(1, "page"), lead(2, "error"), lead(3, "ok")]).await;
    fixture.script.answer(|lead| {
        Some(match lead.get("name").unwrap().as_json().as_str() {
            Some("page") => Answer::Unreadable,
            Some("error") => Answer::ErrorBody("INVALID_LEAD".to_owned()),
            _ => Answer::Accepted,
        })
    });
    fixture.worker().await.drain().await.unwrap();
    let page = item(&fixture, seqs[0]).await;
    assert_eq!((page.state, page.maybe_sent()), (State::Queued, true));
    let error = item(&fixture, seqs[1]).await;
    assert_eq!((error.state, error.reason()), (State::Dead, Some("refused: INVALID_LEAD")));
    assert_eq!(state(&fixture, seqs[2]).await, State::Accepted);
}

#[tokio::test]
async fn row_13_a_server_fault_of_one_lead_uses_up_its_own_attempts_only() {
    let fixture = Fixture::new(Kind::Memory).await;
    let seqs = fixture.add([lead(1, "bad"), lead(2, "A"), lead(2, "B")]).await;
    fixture.script.answer(|lead| {
        let bad = lead.get("name") == Some(&"bad".into());
        Some(if bad { refused(500) } else { Answer::Accepted })
    });
    let mut worker = fixture.worker().await;
    for _ in 0..20 {
        worker.drain().await.unwrap();
        fixture.clock.seconds(600);
    }
    let bad = item(&fixture, seqs[0]).await;
    assert_eq!((bad.state, bad.reason()), (State::Dead, Some("failed 8 times")));
    assert_eq!(bad.answer(), Some("500"));
    assert_eq!(fixture.script.sent_to(1).len(), 8);
    assert_eq!(fixture.script.sent_to(2), ["A", "B"]);
}

#[tokio::test]
async fn row_13_five_server_faults_over_different_leads_are_not_the_leads_fault() {
    let fixture = Fixture::new(Kind::Memory).await;
    let seqs = fixture.add((0..5).map(|number| lead(number, "A"))).await;
    fixture.script.always(refused(503));
    let mut worker = fixture.worker().await;
    for _ in 0..50 {
        worker.drain().await.unwrap();
        fixture.clock.seconds(60);
    }
    let stats = fixture.outbox.stats().await.unwrap();
    assert_eq!(stats.held, Some(Held::Server));
    for seq in seqs {
        let item = item(&fixture, seq).await;
        assert_eq!((item.state, item.attempts()), (State::Queued, 0));
    }
}

#[tokio::test]
async fn row_14_a_poison_lead_dies_at_once_and_its_lane_goes_on_in_order() {
    let fixture = Fixture::new(Kind::Memory).await;
    let seqs = fixture.add([lead(1, "A"), lead(1, "bad"), lead(1, "C")]).await;
    fixture.script.answer(|lead| {
        let bad = lead.get("name") == Some(&"bad".into());
        Some(if bad { refused(422) } else { Answer::Accepted })
    });
    let mut worker = fixture.worker().await;
    for _ in 0..3 {
        worker.drain().await.unwrap();
        fixture.clock.seconds(2);
    }
    assert_eq!(fixture.script.sent(), ["A", "bad", "C"]);
    let bad = item(&fixture, seqs[1]).await;
    assert_eq!((bad.state, bad.reason()), (State::Dead, Some("refused: 422")));
}

#[tokio::test]
async fn row_15_a_lead_that_crashes_the_worker_three_times_is_dead() {
    let fixture = Fixture::new(Kind::Memory).await;
    let seqs = fixture.add([lead(1, "bad"), lead(2, "A")]).await;
    fixture.script.answer(|lead| {
        assert_ne!(lead.get("name"), Some(&"bad".into()), "a panic of this test");
        Some(Answer::Accepted)
    });
    let mut worker = fixture.worker().await;
    for _ in 0..4 {
        worker.drain().await.unwrap();
        fixture.clock.seconds(2);
    }
    let bad = item(&fixture, seqs[0]).await;
    assert_eq!((bad.state, bad.reason()), (State::Dead, Some("crashes the worker")));
    assert_eq!(fixture.script.sent_to(1).len(), 3);
    assert_eq!(state(&fixture, seqs[1]).await, State::Accepted);
}

/// The loss of a field. Only a check can make a finding.
fn loss(field: &str) -> Finding {
    let lead = lead(1, "A").set(field, "no such value");
    let checked = telecrm::Workspace::sample().check(&lead);
    let dropped = |finding: &&Finding| finding.kind == FindingKind::FieldDropped;
    checked.findings().iter().find(dropped).unwrap().clone()
}

#[tokio::test]
async fn row_16_what_the_server_dropped_silently_is_missing_or_differs() {
    let fixture = Fixture::new(Kind::Memory).await;
    let seqs = fixture.add([lead(1, "A"), lead(2, "B").set("rating", 4), lead(3, "C")]).await;
    let loss = loss("rating");
    fixture.script.read_back(move |lead| match lead.get("name").unwrap().as_json().as_str() {
        Some("A") => ReadBack::Missing,
        Some("B") => ReadBack::Differs(vec![loss.clone()]),
        _ => ReadBack::Stored,
    });
    let mut worker = fixture.worker().await;
    worker.drain().await.unwrap();
    // The server may need time: only the last look decides about what is not there.
    fixture.clock.seconds(30);
    worker.drain().await.unwrap();
    assert_eq!(state(&fixture, seqs[2]).await, State::Verified);
    assert_eq!(state(&fixture, seqs[0]).await, State::Accepted);
    for wait in [120, 600, 3600] {
        fixture.clock.seconds(wait);
        worker.drain().await.unwrap();
    }
    assert_eq!(state(&fixture, seqs[0]).await, State::Missing);
    let differs = item(&fixture, seqs[1]).await;
    assert_eq!(differs.state, State::Differs);
    assert_eq!(differs.findings()[0].path, FieldPath::Field("rating".to_owned()));
}

#[tokio::test]
async fn row_16_a_difference_belongs_to_the_last_item_that_wrote_the_field() {
    let fixture = Fixture::new(Kind::Memory).await;
    let seqs = fixture.add([lead(1, "A").set("rating", 3), lead(1, "B").set("rating", 4)]).await;
    let loss = loss("rating");
    fixture.script.read_back(move |lead| {
        assert_eq!((lead.get("name"), lead.get("rating")), (Some(&"B".into()), Some(&4.into())));
        ReadBack::Differs(vec![loss.clone()])
    });
    let mut worker = fixture.worker().await;
    for _ in 0..8 {
        worker.drain().await.unwrap();
        fixture.clock.seconds(1800);
    }
    assert_eq!(state(&fixture, seqs[0]).await, State::Verified);
    assert_eq!(state(&fixture, seqs[1]).await, State::Differs);
}

#[tokio::test]
async fn row_16_what_is_missing_after_a_lost_answer_is_sent_again_once() {
    let fixture = Fixture::new(Kind::Memory).await;
    let seq = fixture.add([lead(1, "A")]).await[0];
    let mut answers = vec![Answer::Accepted, Answer::Accepted, Answer::NoAnswer];
    fixture.script.answer(move |_| answers.pop());
    fixture.script.read_back(|_| ReadBack::Missing);
    let mut worker = fixture.worker().await;
    for _ in 0..20 {
        worker.drain().await.unwrap();
        fixture.clock.seconds(3600);
    }
    // Sent, sent again for the lost answer, and repaired once.
    assert_eq!(fixture.script.sent().len(), 3);
    assert_eq!(state(&fixture, seq).await, State::Missing);
}

#[tokio::test]
async fn row_17_one_of_sixteen_claims_fails_and_none_stays_leased() {
    let fixture = Fixture::new(Kind::Sqlite).await;
    let seqs = fixture.add((0..16).map(|number| lead(number, "A"))).await;
    let sqlite = Connection::open(fixture.folder.path().join("leads.outbox")).unwrap();
    sqlite.execute("UPDATE item SET body = 'torn' WHERE seq = ?1", [seqs[7]]).unwrap();
    let mut worker = fixture.worker().await;
    worker.drain().await.unwrap();
    assert_eq!(fixture.script.sent().len(), 15);
    let broken = item(&fixture, seqs[7]).await;
    let reason = "its lead cannot be read from the store";
    assert_eq!((broken.state, broken.reason()), (State::Dead, Some(reason)));
    let leased = "SELECT count(*) FROM lane WHERE leased = 1";
    let leased: i64 = sqlite.query_row(leased, [], |row| row.get(0)).unwrap();
    assert_eq!(leased, 0);
    // What is left of the lead is kept.
    let body = "SELECT body FROM item WHERE state = 6";
    assert_eq!(sqlite.query_row(body, [], |row| row.get::<_, String>(0)).unwrap(), "torn");
}

#[tokio::test]
async fn row_18_a_late_answer_of_a_lost_lease_is_kept_as_an_extra_send() {
    let fixture = Fixture::new(Kind::Sqlite).await;
    let seq = fixture.add([lead(1, "A")]).await[0];
    let (release, released) = tokio::sync::watch::channel(false);
    let slow = Slow { script: fixture.script.clone(), released };
    let mut first = Worker::start(&fixture.outbox, slow).await.unwrap();
    let task = tokio::spawn(async move {
        first.drain().await.unwrap();
        first
    });
    while fixture.script.sent().is_empty() {
        tokio::task::yield_now().await;
    }
    // Somebody deletes the lock file, and another process takes over.
    std::fs::remove_file(fixture.folder.path().join("leads.outbox-sender")).unwrap();
    let other = fixture.reopen().await;
    let mut second = Worker::start(&other, fixture.script.clone()).await.unwrap();
    second.drain().await.unwrap();
    fixture.clock.seconds(1);
    second.drain().await.unwrap();
    assert_eq!(state(&fixture, seq).await, State::Accepted);
    release.send_replace(true);
    drop(task.await.unwrap());
    let item = item(&fixture, seq).await;
    assert_eq!((item.state, item.extra_sends()), (State::Accepted, 1));
}

/// Accepts once it is released.
struct Slow {
    script: Script,
    released: tokio::sync::watch::Receiver<bool>,
}

type Boxed<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl telecrm_outbox::Sender for Slow {
    fn slots(&self) -> Vec<String> {
        telecrm_outbox::Sender::slots(&self.script)
    }

    fn send<'a>(&'a self, lead: &'a telecrm::Lead, slot: &'a str) -> Boxed<'a, Answer> {
        let mut released = self.released.clone();
        let answer = telecrm_outbox::Sender::send(&self.script, lead, slot);
        Box::pin(async move {
            released.wait_for(|released| *released).await.unwrap();
            answer.await
        })
    }

    fn arrived<'a>(&'a self, lead: &'a telecrm::Lead) -> Boxed<'a, Arrival> {
        telecrm_outbox::Sender::arrived(&self.script, lead)
    }

    fn read_back<'a>(&'a self, leads: &'a [telecrm::Lead]) -> Boxed<'a, Vec<ReadBack>> {
        telecrm_outbox::Sender::read_back(&self.script, leads)
    }
}

#[tokio::test]
async fn row_19_cancelled_in_flight_is_not_sent_again() {
    let fixture = Fixture::new(Kind::Sqlite).await;
    let seq = fixture.add([lead(1, "A")]).await[0];
    let mut worker = fixture.worker().await;
    fixture.script.answer(|_| None);
    let task = tokio::spawn(async move { worker.drain().await });
    while fixture.script.sent().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(fixture.outbox.cancel(seq).await.unwrap(), State::InFlight);
    task.abort();
    assert!(task.await.is_err());
    fixture.clock.seconds(60);
    fixture.worker().await.drain().await.unwrap();
    assert_eq!(fixture.script.sent(), ["A"]);
    let item = item(&fixture, seq).await;
    assert_eq!((item.state, item.maybe_sent()), (State::Cancelled, true));
}

#[tokio::test]
async fn row_20_dead_letters_of_one_lead_are_sent_again_in_order_one_at_a_time() {
    let fixture = Fixture::new(Kind::Memory).await;
    let names: Vec<_> = (0..500).map(|number| format!("n{number:03}")).collect();
    let seqs = fixture.add(names.iter().map(|name| lead(1, name))).await;
    fixture.script.always(refused(422));
    let mut worker = fixture.worker().await;
    while fixture.outbox.stats().await.unwrap().waiting() > 0 {
        worker.drain().await.unwrap();
        fixture.clock.seconds(2);
    }
    for seq in seqs {
        assert!(matches!(fixture.outbox.requeue(seq).await.unwrap(), Requeued::Queued(_)));
    }
    fixture.script.always(Answer::Accepted);
    let dead = fixture.script.sent().len();
    worker.drain().await.unwrap();
    assert_eq!(fixture.script.sent().len(), dead + 1);
    while fixture.outbox.stats().await.unwrap().waiting() > 0 {
        fixture.clock.seconds(2);
        worker.drain().await.unwrap();
    }
    assert_eq!(fixture.script.sent()[dead..], names);
}

#[tokio::test]
async fn row_21_an_older_dead_letter_does_not_overwrite_newer_values_unasked() {
    let fixture = Fixture::new(Kind::Memory).await;
    let seq = fixture.add([lead(1, "old")]).await[0];
    fixture.script.always(refused(422));
    let mut worker = fixture.worker().await;
    worker.drain().await.unwrap();
    fixture.add([lead(1, "new")]).await;
    let requeued = fixture.outbox.requeue(seq).await.unwrap();
    assert_eq!(requeued, Requeued::WouldOverwrite(vec!["name".to_owned()]));
    assert_eq!(state(&fixture, seq).await, State::Dead);
    assert_eq!(fixture.outbox.requeue_overwriting(seq).await.unwrap(), Requeued::Queued(3));
    let old = item(&fixture, seq).await;
    assert_eq!((old.state, old.merged_into()), (State::Merged, Some(3)));
}

#[tokio::test]
async fn row_22_one_lead_updated_many_times_does_not_slow_others() {
    let fixture = Fixture::new(Kind::Sqlite).await;
    fixture.add((0..2000).map(|number| lead(1, &format!("n{number}")))).await;
    fixture.add((2..22).map(|number| lead(number, "A"))).await;
    let mut worker = fixture.worker().await;
    worker.drain().await.unwrap();
    assert_eq!(fixture.script.sent().len(), 21);
    for _ in 0..50 {
        fixture.clock.seconds(2);
        worker.drain().await.unwrap();
    }
    let expected: Vec<_> = (0..51).map(|number| format!("n{number}")).collect();
    assert_eq!(fixture.script.sent_to(1), expected);
}

#[tokio::test]
async fn row_23_sends_that_fail_at_once_cause_no_busy_loop() {
    let fixture = Fixture::new(Kind::Memory).await;
    fixture.add((0..100).map(|number| lead(number, "A"))).await;
    fixture.script.always(refused(500));
    let mut worker = fixture.worker().await;
    for _ in 0..60 {
        worker.drain().await.unwrap();
        fixture.clock.seconds(1);
    }
    // A round per second, and one per answer.
    let rounds = worker.rounds();
    assert!(rounds < 60 + 2 * fixture.script.sent().len() as u64 + 10, "{rounds}");
    assert!(fixture.script.sent().len() < 100, "{}", fixture.script.sent().len());
}

#[tokio::test]
async fn row_24_a_paused_instance_holds_no_lease_that_others_need() {
    let fixture = Fixture::new(Kind::Sqlite).await;
    fixture.add([lead(1, "A"), lead(1, "B")]).await;
    let mut worker = fixture.worker().await;
    worker.drain().await.unwrap();
    fixture.outbox.pause("maintenance").await.unwrap();
    fixture.clock.seconds(2);
    worker.drain().await.unwrap();
    assert_eq!(fixture.script.sent(), ["A"]);
    // It does not even hold the right to send once it has stopped, and the pause outlives it.
    drop(worker);
    let reopened = fixture.reopen().await;
    let mut other = Worker::start(&reopened, fixture.script.clone()).await.unwrap();
    other.drain().await.unwrap();
    assert_eq!(fixture.script.sent(), ["A"]);
    reopened.resume().await.unwrap();
    other.drain().await.unwrap();
    assert_eq!(fixture.script.sent(), ["A", "B"]);
}

#[tokio::test]
async fn row_25_a_stop_with_the_network_cut_ends_in_time_and_says_what_may_have_been_sent() {
    let fixture =
        Fixture::with(Kind::Sqlite, |options| options.send_timeout(Duration::from_secs(100)));
    let fixture = fixture.await;
    let seqs = fixture.add((0..3).map(|number| lead(number, "A"))).await;
    fixture.script.answer(|_| None);
    let worker = fixture.worker().await;
    let stopper = worker.stopper();
    let run = tokio::spawn(worker.run());
    while fixture.script.sent().len() < 3 {
        tokio::task::yield_now().await;
    }
    stopper.stop();
    let mut seconds = 0;
    while !run.is_finished() {
        fixture.clock.seconds(1);
        seconds += 1;
        assert!(seconds <= 25);
        tokio::time::timeout(Duration::from_millis(5), std::future::pending::<()>()).await.ok();
    }
    assert_eq!(run.await.unwrap().maybe_sent, 3);
    for seq in seqs {
        let item = item(&fixture, seq).await;
        assert_eq!((item.state, item.maybe_sent()), (State::Queued, true));
    }
}

#[tokio::test]
async fn row_26_an_outbox_can_be_opened_again_and_beside_another() {
    let fixture = Fixture::new(Kind::Sqlite).await;
    let other = Fixture::new(Kind::Sqlite).await;
    fixture.add([lead(1, "A")]).await;
    drop(fixture.worker().await);
    let reopened = fixture.reopen().await;
    let mut worker = Worker::start(&reopened, fixture.script.clone()).await.unwrap();
    worker.drain().await.unwrap();
    assert_eq!(fixture.script.sent(), ["A"]);
    assert_eq!(other.outbox.stats().await.unwrap().waiting(), 0);
}

#[tokio::test]
async fn row_27_a_second_sender_on_the_file_is_refused_and_told_who_has_it() {
    let fixture = Fixture::new(Kind::Sqlite).await;
    let _worker = fixture.worker().await;
    let other = fixture.reopen().await;
    let error = Worker::start(&other, Script::new()).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Locked);
    let holder = format!("process {} sends from ", std::process::id());
    assert!(error.to_string().starts_with(&holder), "{error}");
    assert!(error.hint().is_some());
    // Adding and reading are possible.
    let added = other.enqueue([lead(1, "A")]).await.unwrap();
    assert_eq!(added[0].as_ref().unwrap().state, State::Queued);
}

#[tokio::test]
async fn row_28_below_the_low_water_mark_intake_refuses_and_draining_goes_on() {
    let fixture = Fixture::new(Kind::Sqlite).await;
    fixture.add([lead(1, "A")]).await;
    let full = options(&fixture.clock).low_water(u64::MAX);
    let full = Outbox::open(&url(&fixture.folder), full).await.unwrap();
    let error = full.enqueue([lead(2, "B")]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full);
    let mut worker = Worker::start(&full, fixture.script.clone()).await.unwrap();
    worker.drain().await.unwrap();
    assert_eq!(fixture.script.sent(), ["A"]);
}

#[tokio::test]
async fn row_28_a_full_disk_is_an_error_and_loses_nothing_acknowledged() {
    let fixture = Fixture::with(Kind::Sqlite, |options| options.max_pages(60)).await;
    let mut acknowledged = Vec::new();
    let error = loop {
        let number = u32::try_from(acknowledged.len()).unwrap();
        match fixture.outbox.enqueue([lead(number, &"x".repeat(500))]).await {
            Ok(mut receipts) => acknowledged.push(receipts.remove(0).unwrap().seq),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Full);
    // There is space again.
    let reopened = fixture.reopen().await;
    assert_eq!(reopened.stats().await.unwrap().waiting(), acknowledged.len() as u64);
    assert!(reopened.check().await.unwrap().is_clean());
    reopened.enqueue([lead(9999, "A")]).await.unwrap().remove(0).unwrap();
}

#[tokio::test]
async fn row_29_a_malformed_file_is_refused_and_stays_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("leads.outbox");
    let content = b"this is no database, and it is longer than a header of SQLite: ".repeat(20);
    std::fs::write(&path, &content).unwrap();
    let options = options(&crate::support::TestClock::new());
    let error = Outbox::open(&url(&folder), options).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(error.to_string().contains("leads.outbox"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), content);
}

#[tokio::test]
async fn row_29_what_can_be_read_from_a_torn_file_is_recovered() {
    let fixture = Fixture::new(Kind::Sqlite).await;
    fixture.add((0..200).map(|number| lead(number, &"x".repeat(500)))).await;
    let path = fixture.folder.path().join("leads.outbox");
    let Fixture { outbox, clock, folder, .. } = fixture;
    outbox.check().await.unwrap();
    drop(outbox);
    let content = std::fs::read(&path).unwrap();
    let torn = &content[..content.len() / 2];
    let copy = folder.path().join("torn.outbox");
    std::fs::write(&copy, torn).unwrap();
    let url = format!("sqlite:{}", copy.display());
    let error = Outbox::open(&url, options(&clock)).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(error.hint().unwrap().contains("export --recover"), "{error:#}");
    let mut recovered = Vec::new();
    let unreadable = Outbox::recover(&url, |item| recovered.push(item)).unwrap();
    assert!(recovered.len() > 20, "{}", recovered.len());
    assert_eq!(recovered.len() as u64 + unreadable, 200);
    assert!(recovered.iter().all(|item| item.lead.is_some()));
    assert_eq!(std::fs::read(&copy).unwrap(), torn);
}

#[tokio::test]
async fn row_30_opening_repairs_items_without_lanes_and_lanes_without_items() {
    let fixture = Fixture::new(Kind::Sqlite).await;
    fixture.add([lead(1, "A")]).await;
    let path = fixture.folder.path().join("leads.outbox");
    let sqlite = Connection::open(path).unwrap();
    let empty = "INSERT INTO lane VALUES (0, 'nobody', 0, 0, 0, 0, 0)";
    sqlite.execute_batch(&format!("DELETE FROM lane; {empty}")).unwrap();
    let reopened = fixture.reopen().await;
    let report = reopened.stats().await.unwrap().repaired;
    assert_eq!((report.leads_without_lane, report.lanes_without_items), (1, 1));
    assert!(reopened.check().await.unwrap().is_clean());
    let mut worker = Worker::start(&reopened, fixture.script.clone()).await.unwrap();
    worker.drain().await.unwrap();
    assert_eq!(fixture.script.sent(), ["A"]);
}

#[tokio::test]
async fn row_31_killed_in_the_middle_of_a_migration_opens_again() {
    let folder = tempfile::tempdir().unwrap();
    // The files as a kill leaves them: a part of the migration is in the log, without a commit.
    let killed = folder.path().join("killed.outbox");
    let sqlite = Connection::open(&killed).unwrap();
    let migration = "PRAGMA journal_mode=WAL; PRAGMA cache_size=1; BEGIN; CREATE TABLE item(seq);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000)
        INSERT INTO item SELECT i FROM n";
    sqlite.execute_batch(migration).unwrap();
    for suffix in ["", "-wal"] {
        let [from, to] = ["killed.outbox", "leads.outbox"].map(|name| format!("{name}{suffix}"));
        let size = std::fs::copy(folder.path().join(from), folder.path().join(to)).unwrap();
        assert!(size > 0, "the log has a part of the migration");
    }
    let options = options(&crate::support::TestClock::new());
    let outbox = Outbox::open(&url(&folder), options).await.unwrap();
    assert_eq!(outbox.stats().await.unwrap().waiting(), 0);
}

#[tokio::test]
async fn row_32_a_newer_schema_is_refused() {
    let fixture = Fixture::new(Kind::Sqlite).await;
    let sqlite = Connection::open(fixture.folder.path().join("leads.outbox")).unwrap();
    sqlite.pragma_update(None, "user_version", 2).unwrap();
    let options = options(&fixture.clock);
    let error = Outbox::open(&url(&fixture.folder), options).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Store);
    let message = "has version 2, and this program reads up to 1";
    assert!(error.to_string().ends_with(message), "{error}");
}

#[tokio::test]
async fn row_32_another_country_zone_or_enterprise_is_refused() {
    let fixture = Fixture::new(Kind::Sqlite).await;
    let own = || options(&fixture.clock);
    let other = telecrm_outbox::Options::new("other").clock(fixture.clock.clone());
    for (options, what) in [
        (own().country("AE"), "country `IN`, not `AE`"),
        (own().time_zone("Asia/Dubai"), "time zone `Asia/Kolkata`, not `Asia/Dubai`"),
        (other, "enterprise `ent-local`, not `other`"),
    ] {
        let error = Outbox::open(&url(&fixture.folder), options).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::OtherWorkspace);
        assert!(error.to_string().ends_with(&format!("belongs to the {what}")), "{error}");
    }
}

fn with_identifier(field: &str) -> WorkspaceFile {
    let mut json = WorkspaceFile::sample().to_json();
    json["metadata"]["leadIdentifierFieldId"] = field.into();
    WorkspaceFile::from_json(json).unwrap()
}

#[tokio::test]
async fn row_33_a_changed_identifier_pauses_and_says_how_to_go_on() {
    let fixture = Fixture::new(Kind::Sqlite).await;
    fixture.add([lead(1, "A")]).await;
    let error = fixture.outbox.set_workspace(&with_identifier("email")).await.unwrap_err();
    assert_eq!(error.to_string(), "the lead identifier changed from `phone` to `email`");
    assert!(error.hint().unwrap().contains("resume"));
    let mut worker = fixture.worker().await;
    worker.drain().await.unwrap();
    assert!(fixture.script.sent().is_empty());
    fixture.outbox.resume().await.unwrap();
    worker.drain().await.unwrap();
    assert_eq!(fixture.script.sent(), ["A"]);
}

#[tokio::test]
async fn row_34_after_pruning_the_file_is_small_and_keys_are_known() {
    let mut fixture = Fixture::new(Kind::Sqlite).await;
    let slots: Vec<_> = (0..20).map(|slot| format!("s{slot}")).collect();
    let slots: Vec<_> = slots.iter().map(String::as_str).collect();
    fixture.script = Script::with_slots(&slots);
    fixture.add_keyed(lead(5000, "key"), "k").await.unwrap();
    fixture.add((0..1000).map(|number| lead(number, &"x".repeat(1000)))).await;
    let path = fixture.folder.path().join("leads.outbox");
    let mut worker = fixture.worker().await;
    while fixture.outbox.stats().await.unwrap().count(State::Verified) < 1001 {
        worker.drain().await.unwrap();
        fixture.clock.seconds(30);
    }
    fixture.clock.seconds(60);
    assert!(fixture.outbox.check().await.unwrap().is_clean());
    let before = std::fs::metadata(&path).unwrap().len();
    assert_eq!(fixture.outbox.prune(Duration::ZERO).await.unwrap(), 1001);
    let after = std::fs::metadata(&path).unwrap().len();
    assert!(after * 4 < before, "{before} {after}");
    let again = fixture.add_keyed(lead(5000, "key"), "k").await.unwrap();
    assert!(again.repeated);
    let error = fixture.add_keyed(lead(5000, "other"), "k").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::KeyReused);
    // The promised time is over.
    fixture.clock.seconds(31 * 86_400);
    fixture.outbox.prune(Duration::ZERO).await.unwrap();
    assert!(!fixture.add_keyed(lead(5000, "other"), "k").await.unwrap().repeated);
}

#[tokio::test]
async fn row_35_pruning_never_removes_what_waits_is_dead_or_unverified() {
    let fixture = Fixture::new(Kind::Sqlite).await;
    let seqs = fixture.add([lead(1, "dead"), lead(2, "accepted")]).await;
    fixture.script.answer(|lead| {
        let dead = lead.get("name") == Some(&"dead".into());
        Some(if dead { refused(400) } else { Answer::Accepted })
    });
    fixture.worker().await.drain().await.unwrap();
    let waiting = fixture.add([lead(3, "waits")]).await[0];
    fixture.clock.seconds(365 * 86_400);
    assert_eq!(fixture.outbox.prune(Duration::ZERO).await.unwrap(), 0);
    for seq in [seqs[0], seqs[1], waiting] {
        assert!(item(&fixture, seq).await.lead.is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn row_36_listing_under_eight_producers_shows_each_lead_once() {
    let fixture = Fixture::new(Kind::Sqlite).await;
    let mut producers = tokio::task::JoinSet::new();
    for producer in 0..8 {
        let outbox = fixture.outbox.clone();
        producers.spawn(async move {
            for number in 0..50 {
                let added = outbox.enqueue([lead(producer * 100 + number, "A")]).await.unwrap();
                assert!(added[0].is_ok());
            }
        });
    }
    let (mut listed, mut after) = (Vec::new(), 0);
    while listed.len() < 400 {
        let page = fixture.outbox.list(Filter::new(), after, 7).await.unwrap();
        after = page.last().map_or(after, |item| item.seq);
        listed.extend(page.into_iter().map(|item| item.lead_key));
    }
    while producers.join_next().await.is_some() {}
    listed.sort();
    listed.dedup();
    assert_eq!(listed.len(), 400);
    assert!(fixture.outbox.list(Filter::new(), after, 7).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn row_37_others_add_and_read_while_one_sends() {
    let fixture = Fixture::new(Kind::Sqlite).await;
    let mut producers = tokio::task::JoinSet::new();
    for producer in 0..3 {
        let outbox = fixture.reopen().await;
        producers.spawn(async move {
            for number in 0..40 {
                let added = outbox.enqueue([lead(producer * 100 + number, "A")]).await.unwrap();
                assert!(added[0].is_ok());
                outbox.stats().await.unwrap();
            }
        });
    }
    let mut worker = fixture.worker().await;
    while producers.join_next().await.is_some() {
        worker.drain().await.unwrap();
        fixture.clock.seconds(5);
    }
    while fixture.outbox.stats().await.unwrap().waiting() > 0 {
        worker.drain().await.unwrap();
        fixture.clock.seconds(5);
    }
    let mut sent = fixture.script.sent();
    assert_eq!(sent.len(), 120);
    sent.dedup();
    assert_eq!(fixture.script.sent_to(239), ["A"]);
    assert_eq!(phone_of(239), "919800000239");
}

#[tokio::test]
async fn row_38_a_long_read_lets_the_log_grow_only_while_it_lasts_and_status_warns() {
    let fixture = Fixture::new(Kind::Sqlite).await;
    let add = async |number| fixture.add([lead(number, &"x".repeat(1_000_000))]).await;
    add(0).await;
    let reader = Connection::open(fixture.folder.path().join("leads.outbox")).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM item").unwrap();
    for number in 1..70 {
        add(number).await;
    }
    let stats = fixture.outbox.stats().await.unwrap();
    assert!(stats.log_bytes > 64 << 20, "{}", stats.log_bytes);
    assert_eq!(stats.warnings().len(), 1);
    assert!(stats.warnings()[0].starts_with("the log of the file has "));
    reader.execute_batch("COMMIT").unwrap();
    add(70).await;
    add(71).await;
    let stats = fixture.outbox.stats().await.unwrap();
    assert!(stats.log_bytes <= 64 << 20, "{}", stats.log_bytes);
    assert!(stats.warnings().is_empty());
}

#[tokio::test]
async fn row_40_a_suspended_process_loses_no_lease_and_sends_no_burst() {
    let fixture = Fixture::new(Kind::Sqlite).await;
    fixture.add((0..200).map(|number| lead(number, "A"))).await;
    let mut worker = fixture.worker().await;
    worker.drain().await.unwrap();
    assert_eq!(fixture.script.sent().len(), 60);
    // The clock that counts stands still while a machine sleeps: only the date goes on.
    fixture.clock.step_date(|date| date + Duration::from_secs(7200));
    let other = fixture.reopen().await;
    let refused = Worker::start(&other, fixture.script.clone()).await.err().unwrap();
    assert_eq!(refused.kind(), ErrorKind::Locked);
    fixture.clock.seconds(1);
    worker.drain().await.unwrap();
    assert!(fixture.script.sent().len() <= 65, "{}", fixture.script.sent().len());
}

#[tokio::test]
async fn row_40_a_step_of_the_date_steals_no_lease_and_allows_no_burst() {
    let hour = Duration::from_secs(3600);
    let fixture = Fixture::new(Kind::Sqlite).await;
    fixture.add((0..200).map(|number| lead(number, "A"))).await;
    let mut worker = fixture.worker().await;
    worker.drain().await.unwrap();
    assert_eq!(fixture.script.sent().len(), 60);
    fixture.clock.step_date(|date| date + hour);
    worker.drain().await.unwrap();
    assert_eq!(fixture.script.sent().len(), 60);
    fixture.clock.step_date(|date| date - 2 * hour);
    worker.drain().await.unwrap();
    assert_eq!(fixture.script.sent().len(), 60);
    // After a restart with a clock that has gone back, sending goes on within an hour.
    drop(worker);
    let reopened = fixture.reopen().await;
    let mut worker = Worker::start(&reopened, fixture.script.clone()).await.unwrap();
    worker.drain().await.unwrap();
    assert!(fixture.script.sent().len() <= 61);
    fixture.clock.advance(hour + Duration::from_secs(1));
    worker.drain().await.unwrap();
    assert!(fixture.script.sent().len() > 61);
}

#[tokio::test]
async fn files_are_readable_for_their_owner_only() {
    let fixture = Fixture::new(Kind::Sqlite).await;
    fixture.add([lead(1, "A")]).await;
    let _worker = fixture.worker().await;
    let mut files = 0;
    for file in std::fs::read_dir(fixture.folder.path()).unwrap() {
        let file = file.unwrap();
        #[cfg(unix)]
        {
            let mode =
                std::os::unix::fs::PermissionsExt::mode(&file.metadata().unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600, "{}", file.path().display());
        }
        files += 1;
    }
    assert_eq!(files, 4);
}

#[tokio::test]
async fn a_read_only_folder_and_a_folder_as_file_are_refused_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let options = || options(&crate::support::TestClock::new());
    let path = format!("sqlite:{}", folder.path().display());
    let error = Outbox::open(&path, options()).await.err().unwrap();
    assert!(error.to_string().ends_with("is a folder"), "{error}");
    let missing = format!("sqlite:{}/none/leads", folder.path().display());
    let error = Outbox::open(&missing, options()).await.err().unwrap();
    assert!(error.hint().is_some(), "{error}");
    let error = Outbox::open("postgres://x", options()).await.err().unwrap();
    assert_eq!(error.to_string(), "unknown store `postgres://x`");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_added_lead_wakes_the_worker_before_its_next_poll() {
    let clock = TestClock::new();
    let folder = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(&url(&folder), options(&clock)).await.unwrap();
    outbox.set_workspace(&WorkspaceFile::sample()).await.unwrap();
    let worker = Worker::start(&outbox, Script::new()).await.unwrap();
    let stopper = worker.stopper();
    let run = tokio::spawn(worker.run());
    let mut events = outbox.events();
    // The worker found nothing and waits. Its clock stands still, so it never polls by itself.
    clock.sleeper().await;
    outbox.enqueue([lead(1, "A")]).await.unwrap().remove(0).unwrap();
    while events.next().await != Some(Event::Accepted(1)) {}
    stopper.stop();
    assert_eq!(run.await.unwrap().maybe_sent, 0);
}
