//! What every store must do. Each test runs over all stores.

use crate::support::{Fixture, Kind, lead, lead_with_action};
use std::time::Duration;
use telecrm::{FieldPath, Finding, FindingKind, WorkspaceFile};
use telecrm_outbox::{ErrorKind, Event, Filter, NewLead, Requeued, State};

macro_rules! on_every_store {
    ($($name:ident)*) => {
        mod memory {
            $(#[tokio::test] async fn $name() { super::$name(super::Kind::Memory).await; })*
        }
        mod sqlite {
            $(#[tokio::test] async fn $name() { super::$name(super::Kind::Sqlite).await; })*
        }
    };
}

on_every_store! {
    the_same_key_and_lead_get_the_first_receipt
    the_same_key_with_another_lead_is_refused
    an_exact_repeat_of_a_waiting_lead_is_merged
    leads_with_actions_are_never_merged
    items_are_sent_in_order_per_lead_with_one_in_flight
    a_merged_item_is_pruned_after_its_target_only
    listing_goes_on_after_the_last_number
    a_cancelled_item_is_not_sent
    a_full_outbox_refuses_new_leads_and_keeps_sending
    a_lossy_lead_is_refused_and_the_others_are_added
    a_paused_outbox_sends_nothing
    a_second_worker_is_refused
    an_export_moves_items_with_their_keys_and_states
    a_dead_item_is_edited_and_queued_again
    reading_back_can_be_asked_for
    a_lead_that_the_caller_checked_is_queued_as_it_is
    what_happens_is_an_event_and_is_counted
    leads_are_checked_again_if_the_workspace_changes_and_none_dies
}

async fn the_same_key_and_lead_get_the_first_receipt(kind: Kind) {
    let fixture = Fixture::new(kind).await;
    let first = fixture.add_keyed(lead(1, "A"), "k").await.unwrap();
    let again = fixture.add_keyed(lead(1, "A"), "k").await.unwrap();
    assert_eq!((first.seq, first.repeated), (again.seq, false));
    assert!(again.repeated);
    assert_eq!(fixture.outbox.stats().await.unwrap().waiting(), 1);
}

async fn the_same_key_with_another_lead_is_refused(kind: Kind) {
    let fixture = Fixture::new(kind).await;
    fixture.add_keyed(lead(1, "A"), "k").await.unwrap();
    let error = fixture.add_keyed(lead(1, "B"), "k").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::KeyReused);
    assert_eq!(error.to_string(), "the key was used for another lead, item 1");
    assert!(error.hint().is_some());
    assert_eq!(fixture.outbox.stats().await.unwrap().waiting(), 1);
}

async fn an_exact_repeat_of_a_waiting_lead_is_merged(kind: Kind) {
    let fixture = Fixture::new(kind).await;
    let seqs = fixture.add([lead(1, "A"), lead(1, "A"), lead(1, "B"), lead(1, "A")]).await;
    let merged = fixture.outbox.get(seqs[1]).await.unwrap().unwrap();
    assert_eq!((merged.state, merged.merged_into()), (State::Merged, Some(seqs[0])));
    // The last one repeats an item that is not its direct predecessor.
    assert_eq!(fixture.outbox.get(seqs[3]).await.unwrap().unwrap().state, State::Queued);
}

async fn leads_with_actions_are_never_merged(kind: Kind) {
    let fixture = Fixture::new(kind).await;
    fixture.add([lead_with_action(1, "A"), lead_with_action(1, "A")]).await;
    assert_eq!(fixture.outbox.stats().await.unwrap().waiting(), 2);
}

async fn items_are_sent_in_order_per_lead_with_one_in_flight(kind: Kind) {
    let fixture = Fixture::new(kind).await;
    fixture.add([lead(1, "A"), lead(2, "X"), lead(1, "B"), lead(1, "C")]).await;
    let mut worker = fixture.worker().await;
    worker.drain().await.unwrap();
    let (mut first, name) = (fixture.script.sent(), "X".to_owned());
    first.sort();
    assert_eq!(first, ["A".to_owned(), name]);
    for _ in 0..2 {
        fixture.clock.seconds(2);
        worker.drain().await.unwrap();
    }
    assert_eq!(fixture.script.sent_to(1), ["A", "B", "C"]);
    assert_eq!(fixture.outbox.stats().await.unwrap().count(State::Accepted), 4);
}

async fn a_merged_item_is_pruned_after_its_target_only(kind: Kind) {
    let fixture = Fixture::new(kind).await;
    fixture.add([lead(1, "A"), lead(1, "A")]).await;
    fixture.clock.seconds(10);
    assert_eq!(fixture.outbox.prune(Duration::ZERO).await.unwrap(), 0);
    let mut worker = fixture.worker().await;
    worker.drain().await.unwrap();
    fixture.clock.seconds(30);
    worker.drain().await.unwrap();
    assert_eq!(fixture.outbox.stats().await.unwrap().count(State::Verified), 1);
    fixture.clock.seconds(10);
    assert_eq!(fixture.outbox.prune(Duration::ZERO).await.unwrap(), 2);
}

async fn listing_goes_on_after_the_last_number(kind: Kind) {
    let fixture = Fixture::new(kind).await;
    let seqs = fixture.add((0..5).map(|number| lead(number, "A"))).await;
    let filter = Filter::new().state(State::Queued);
    let first = fixture.outbox.list(filter.clone(), 0, 3).await.unwrap();
    let rest = fixture.outbox.list(filter, first[2].seq, 3).await.unwrap();
    let listed: Vec<_> = first.iter().chain(&rest).map(|item| item.seq).collect();
    assert_eq!(listed, seqs);
    let of_one = Filter::new().lead_key(first[1].lead_key.clone());
    assert_eq!(fixture.outbox.list(of_one, 0, 9).await.unwrap(), first[1..2]);
}

async fn a_cancelled_item_is_not_sent(kind: Kind) {
    let fixture = Fixture::new(kind).await;
    let seqs = fixture.add([lead(1, "A"), lead(2, "B")]).await;
    assert_eq!(fixture.outbox.cancel(seqs[0]).await.unwrap(), State::Cancelled);
    fixture.worker().await.drain().await.unwrap();
    assert_eq!(fixture.script.sent(), ["B"]);
    let error = fixture.outbox.cancel(seqs[1]).await.unwrap_err();
    assert_eq!(error.to_string(), "item 2 is accepted, not waiting");
}

async fn a_full_outbox_refuses_new_leads_and_keeps_sending(kind: Kind) {
    let fixture = Fixture::with(kind, |options| options.capacity(2)).await;
    fixture.add([lead(1, "A"), lead(2, "B")]).await;
    let error = fixture.add_keyed(lead(3, "C"), "c").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full);
    fixture.worker().await.drain().await.unwrap();
    assert_eq!(fixture.script.sent().len(), 2);
    fixture.add_keyed(lead(3, "C"), "c").await.unwrap();
}

async fn a_lossy_lead_is_refused_and_the_others_are_added(kind: Kind) {
    let fixture = Fixture::new(kind).await;
    let leads = [lead(1, "A").set("nickname", "Jo"), lead(2, "B"), telecrm::Lead::new()];
    let results = fixture.outbox.enqueue(leads).await.unwrap();
    assert_eq!(results[0].as_ref().unwrap_err().kind(), ErrorKind::Lead);
    assert_eq!(results[1].as_ref().unwrap().state, State::Queued);
    assert_eq!(results[2].as_ref().unwrap_err().kind(), ErrorKind::Lead);
    assert_eq!(fixture.outbox.stats().await.unwrap().waiting(), 1);
}

async fn a_paused_outbox_sends_nothing(kind: Kind) {
    let fixture = Fixture::new(kind).await;
    fixture.add([lead(1, "A")]).await;
    fixture.outbox.pause("maintenance").await.unwrap();
    let mut worker = fixture.worker().await;
    worker.drain().await.unwrap();
    assert!(fixture.script.sent().is_empty());
    assert_eq!(fixture.outbox.stats().await.unwrap().paused.as_deref(), Some("maintenance"));
    fixture.outbox.resume().await.unwrap();
    worker.drain().await.unwrap();
    assert_eq!(fixture.script.sent(), ["A"]);
}

async fn a_second_worker_is_refused(kind: Kind) {
    let fixture = Fixture::new(kind).await;
    let worker = fixture.worker().await;
    let second = telecrm_outbox::Worker::start(&fixture.outbox, fixture.script.clone()).await;
    assert_eq!(second.err().unwrap().kind(), ErrorKind::Locked);
    drop(worker);
    fixture.worker().await;
}

async fn an_export_moves_items_with_their_keys_and_states(kind: Kind) {
    let fixture = Fixture::new(kind).await;
    // The check repairs the number, so that the lead in the store is another than the caller's.
    let given = lead(1, "A").set("phone", "+91 98000 00001");
    fixture.add_keyed(given.clone(), "done").await.unwrap();
    fixture.worker().await.drain().await.unwrap();
    fixture.add_keyed(lead(2, "B"), "waits").await.unwrap();
    fixture.add([lead(2, "C")]).await;
    let exported = fixture.outbox.export(0, 10).await.unwrap();
    let lines: Vec<_> =
        exported.iter().map(|(_, item)| serde_json::to_string(item).unwrap()).collect();
    let items = lines.iter().map(|line| serde_json::from_str(line).unwrap());

    let other = Fixture::new(kind).await;
    for receipt in other.outbox.import(items).await.unwrap() {
        assert!(!receipt.unwrap().repeated);
    }
    assert!(other.outbox.check().await.unwrap().is_clean());
    assert!(other.add_keyed(given, "done").await.unwrap().repeated);
    assert_eq!(other.outbox.find("done").await.unwrap().unwrap().state, State::Accepted);
    let mut worker = other.worker().await;
    worker.drain().await.unwrap();
    other.clock.seconds(2);
    worker.drain().await.unwrap();
    assert_eq!(other.script.sent(), ["B", "C"]);
    other.clock.seconds(30);
    worker.drain().await.unwrap();
    assert_eq!(other.outbox.stats().await.unwrap().count(State::Verified), 3);
    // A second time adds nothing under the same keys.
    let again = other.outbox.import(exported.into_iter().map(|(_, item)| item)).await.unwrap();
    assert_eq!(again.iter().filter(|receipt| receipt.as_ref().unwrap().repeated).count(), 2);
}

async fn a_dead_item_is_edited_and_queued_again(kind: Kind) {
    let fixture = Fixture::new(kind).await;
    let seq = fixture.add([lead(1, "bad")]).await[0];
    fixture.script.always(crate::support::refused(422));
    let mut worker = fixture.worker().await;
    worker.drain().await.unwrap();
    let error = fixture.outbox.edit(seq, telecrm::Lead::new().set("name", "x")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Lead);
    // The corrected lead is another person.
    assert!(fixture.outbox.edit(seq, lead(2, "good")).await.unwrap().is_empty());
    assert_eq!(fixture.outbox.get(seq).await.unwrap().unwrap().state, State::Dead);
    assert_eq!(fixture.outbox.requeue(seq).await.unwrap(), Requeued::Queued(2));
    fixture.script.always(telecrm_outbox::Answer::Accepted);
    worker.drain().await.unwrap();
    assert_eq!(fixture.script.sent_to(2), ["good"]);
    let error = fixture.outbox.edit(seq, lead(2, "again")).await.unwrap_err();
    assert_eq!(error.to_string(), "item 1 is merged, not dead");
}

async fn reading_back_can_be_asked_for(kind: Kind) {
    let fixture = Fixture::new(kind).await;
    fixture.add([lead(1, "A"), lead(2, "B")]).await;
    let mut worker = fixture.worker().await;
    worker.drain().await.unwrap();
    assert_eq!(fixture.outbox.stats().await.unwrap().unverified(), 2);
    assert_eq!(fixture.outbox.verify_now().await.unwrap(), 2);
    fixture.clock.seconds(3);
    let stats = fixture.outbox.stats().await.unwrap();
    assert_eq!(stats.verification_behind, Some(Duration::from_secs(3)));
    worker.drain().await.unwrap();
    let stats = fixture.outbox.stats().await.unwrap();
    assert_eq!((stats.unverified(), stats.verification_behind), (0, None));
    assert_eq!(stats.count(State::Verified), 2);
}

async fn a_lead_that_the_caller_checked_is_queued_as_it_is(kind: Kind) {
    let fixture = Fixture::new(kind).await;
    let certainty = telecrm::Certainty::Inferred;
    let path = FieldPath::Field("nickname".to_owned());
    let finding = Finding::new(path, FindingKind::FieldDropped, certainty, "a test");
    let checked = lead(1, "A").set("nickname", "Jo");
    let new = NewLead::checked(checked.clone(), vec![finding.clone()]).maybe_sent();
    let receipt = fixture.outbox.enqueue([new]).await.unwrap().remove(0).unwrap();
    assert_eq!(receipt.findings, std::slice::from_ref(&finding));
    let item = fixture.outbox.get(receipt.seq).await.unwrap().unwrap();
    assert_eq!((item.findings(), item.lead.as_ref()), ([finding].as_slice(), Some(&checked)));
    assert!(item.maybe_sent());
}

async fn what_happens_is_an_event_and_is_counted(kind: Kind) {
    let fixture = Fixture::new(kind).await;
    let mut events = fixture.outbox.events();
    let seqs = fixture.add([lead(1, "A"), lead(2, "dead")]).await;
    fixture.script.answer(|lead| {
        let dead = lead.get("name") == Some(&"dead".into());
        let accepted = telecrm_outbox::Answer::Accepted;
        Some(if dead { crate::support::refused(400) } else { accepted })
    });
    let mut worker = fixture.worker().await;
    worker.drain().await.unwrap();
    fixture.clock.seconds(30);
    worker.drain().await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(events.next().await.unwrap());
    }
    assert!(seen.contains(&Event::Queued(2)), "{seen:?}");
    assert!(seen.contains(&Event::Accepted(seqs[0])), "{seen:?}");
    assert!(seen.contains(&Event::Dead(seqs[1], "refused: 400".to_owned())), "{seen:?}");
    assert!(seen.contains(&Event::ReadBack(seqs[0], State::Verified)), "{seen:?}");
    let counters = fixture.outbox.stats().await.unwrap().counters;
    assert_eq!((counters.queued, counters.accepted), (2, 1));
    assert_eq!((counters.dead, counters.verified, counters.lossy), (1, 1, 0));
}

async fn leads_are_checked_again_if_the_workspace_changes_and_none_dies(kind: Kind) {
    let fixture = Fixture::new(kind).await;
    let seqs = fixture.add([lead(1, "A").set("budget", 5000)]).await;
    let mut changed = WorkspaceFile::sample();
    changed.custom_fields.retain(|field| field["apiName"] != "budget");
    fixture.outbox.set_workspace(&changed).await.unwrap();
    let item = fixture.outbox.get(seqs[0]).await.unwrap().unwrap();
    assert_eq!((item.state, item.findings().len()), (State::Queued, 1));
    fixture.outbox.set_workspace(&WorkspaceFile::sample()).await.unwrap();
    let item = fixture.outbox.get(seqs[0]).await.unwrap().unwrap();
    assert!(item.findings().is_empty());
}
