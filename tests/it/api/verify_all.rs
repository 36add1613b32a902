//! `ingest().verify_all`: reading many pushed leads back with few requests.

use crate::support::lists::{ListServer, Lists};
use crate::support::{async_token, builder, cases, client, emulator, rounds, sync_token, visit};
use futures_util::{StreamExt, stream};
use std::collections::BTreeMap;
use std::time::Duration;
use telecrm::testing::{FakeTelecrm, ManualClock, Response};
use telecrm::{CallOptions, Error, ErrorCode, Lead, Operation, Receipt, Telecrm, Verification};
use telecrm_emulator::{Emulator, Fault};

fn phone(number: usize) -> String {
    format!("9199999{number:05}")
}

fn leads(count: usize) -> impl Iterator<Item = Lead> {
    (0..count).map(|number| Lead::new().set("phone", phone(number)).set("rating", 4))
}

/// Pushes leads, and waits until the emulator has stored them.
async fn push(emulator: &Emulator, leads: impl IntoIterator<Item = Lead>) -> Vec<Receipt> {
    let ingest = client(emulator).ingest();
    let pushed = stream::iter(leads).map(|lead| {
        let ingest = ingest.clone();
        async move { ingest.push(&lead).await.expect("queued") }
    });
    let receipts = pushed.buffered(32).collect().await;
    emulator.wait_idle().await;
    receipts
}

/// The number of requests to the Sync API, apart from the four that discover the workspace.
fn sync_requests(emulator: &Emulator) -> usize {
    let log = emulator.log(0);
    let operations = log.iter().filter_map(|entry| entry.operation.as_deref());
    let reads = ["searchLeads", "getLead", "searchActions", "getAction"];
    operations.filter(|operation| reads.contains(operation)).count()
}

fn count(results: &[(Receipt, Result<Verification, Error>)]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for (_, result) in results {
        *counts.entry(name(result)).or_default() += 1;
    }
    counts
}

fn name(result: &Result<Verification, Error>) -> &'static str {
    match result {
        Ok(Verification::Stored(_)) => "stored",
        Ok(Verification::Differs { .. }) => "differs",
        Ok(Verification::Missing(_)) => "missing",
        Ok(_) => "unknown",
        Err(_) => "error",
    }
}

#[tokio::test]
async fn a_thousand_plain_leads_cost_at_most_fifty_requests() {
    let emulator = emulator().await;
    let receipts = push(&emulator, leads(1000)).await;
    let results = client(&emulator).ingest().verify_all(receipts).collect().await;
    assert_eq!(count(&results), BTreeMap::from([("stored", 1000)]));
    let requests = sync_requests(&emulator);
    assert!(requests <= 50, "{requests}");
}

#[tokio::test]
async fn a_lead_with_an_action_costs_one_request_more() {
    let emulator = emulator().await;
    let leads = leads(200).map(|lead| lead.action(visit("called")));
    let receipts = push(&emulator, leads).await;
    let results = client(&emulator).ingest().verify_all(receipts).collect().await;
    assert_eq!(count(&results), BTreeMap::from([("stored", 200)]));
    let requests = sync_requests(&emulator);
    assert!(requests <= 220, "{requests}");
}

#[tokio::test]
async fn a_timeline_of_a_hundred_entries_costs_no_more() {
    let emulator = emulator().await;
    let receipts = push(&emulator, leads(1).map(|lead| lead.action(visit("called")))).await;
    let telecrm = client(&emulator);
    let lead = telecrm.leads().stream(telecrm::Filter::new()).next().await;
    let id = lead.expect("one").expect("read").id().expect("an ID").to_owned();
    let others = (0..99).map(|_| visit("again"));
    let _ = telecrm.leads().actions(&id).create(others).await.expect("created");
    let before = sync_requests(&emulator);
    let results = telecrm.ingest().verify_all(receipts).collect().await;
    assert_eq!(count(&results), BTreeMap::from([("stored", 1)]));
    assert_eq!(sync_requests(&emulator) - before, 2, "a search and the lead");
}

#[tokio::test]
async fn each_result_comes_with_its_receipt() {
    let emulator = emulator().await;
    let lossy = Lead::new().set("phone", phone(3)).set("rating", 9);
    let mut receipts = push(&emulator, leads(3).chain([lossy.clone()])).await;
    let never_sent = Lead::new().set("phone", phone(4));
    receipts.push(Receipt::unconfirmed(never_sent.clone()));
    let results = client(&emulator).ingest().verify_all(receipts).collect().await;
    for (receipt, result) in &results {
        let expected = match receipt.sent() {
            sent if *sent == lossy => "differs",
            sent if *sent == never_sent => "missing",
            _ => "stored",
        };
        assert_eq!(name(result), expected, "{receipt:?}");
    }
    assert_eq!(results.len(), 5);
}

#[tokio::test]
async fn leads_that_arrive_later_are_asked_for_again_alone() {
    let emulator = Emulator::start().await.expect("starts");
    let late = Fault::process_later(Duration::from_millis(1500)).field("phone", phone(7));
    emulator.fault(late).expect("a fault");
    let telecrm =
        builder(&emulator).verify_timeout(Duration::from_secs(20)).build().expect("builds");
    let ingest = telecrm.ingest();
    let mut receipts = Vec::new();
    for lead in leads(20) {
        receipts.push(ingest.push(&lead).await.expect("queued"));
    }
    let results = ingest.verify_all(receipts).collect().await;
    assert_eq!(count(&results), BTreeMap::from([("stored", 20)]));
    assert!(sync_requests(&emulator) <= 12, "{}", sync_requests(&emulator));
}

/// A client that does not retry, at a server on loopback. Its clock is simulated.
fn at(server: &ListServer) -> Telecrm {
    Telecrm::builder("ent")
        .sync_url(&server.url)
        .async_url(&server.url)
        .sync_token(sync_token("s"))
        .async_token(async_token("a"))
        .call_options(CallOptions::new().attempts(1))
        .clock(ManualClock::new())
        .verify_timeout(Duration::ZERO)
        .build()
        .expect("builds")
}

/// Verifies 60 leads of which two are missing, the last one of the list among them.
async fn finds_every_lead(lists: Lists, most_requests: usize) {
    let exists = |number: &usize| *number != 20 && *number != 59;
    let phones = (0..60).filter(exists).map(phone).collect();
    let server = ListServer::start(lists, phones).await;
    let receipts = leads_without_rating(60).map(Receipt::unconfirmed);
    let results = at(&server).ingest().verify_all(receipts).collect().await;
    for (receipt, result) in &results {
        let phone = receipt.sent().get("phone").and_then(|phone| phone.as_str()).expect("a phone");
        let expected = if [self::phone(20), self::phone(59)].contains(&phone.to_owned()) {
            "missing"
        } else {
            "stored"
        };
        assert_eq!(name(result), expected, "{phone}: {result:?}");
    }
    assert_eq!(results.len(), 60);
    let searches = server.searches().len();
    assert!(searches <= most_requests, "{:?}", server.searches());
}

fn leads_without_rating(count: usize) -> impl Iterator<Item = Lead> {
    (0..count).map(|number| Lead::new().set("phone", phone(number)))
}

cases! { async finds_every_lead:
    supported(Lists::Supported, 40);
    error_beyond_ten(Lists::ErrorBeyond(10), 60);
    error_beyond_one_lead(Lists::ErrorBeyond(3), 140);
    ignored_beyond_thirty(Lists::IgnoredBeyond(30), 140);
    only_the_first(Lists::OnlyTheFirst, 200);
    match_nothing(Lists::MatchNothing, 200);
    twins(Lists::Twins, 40);
}

#[tokio::test]
async fn rows_without_an_identifier_prove_nothing() {
    let server = ListServer::start(Lists::WithoutIdentifier, (0..4).map(phone).collect()).await;
    let receipts = leads_without_rating(4).map(Receipt::unconfirmed);
    let results = at(&server).ingest().verify_all(receipts).collect().await;
    assert_eq!(count(&results), BTreeMap::from([("unknown", 4)]));
}

#[tokio::test]
async fn the_client_remembers_how_long_a_list_may_be() {
    let server = ListServer::start(Lists::ErrorBeyond(10), (0..40).map(phone).collect()).await;
    let ingest = at(&server).ingest();
    let receipts = || leads_without_rating(40).map(Receipt::unconfirmed);
    let _ = ingest.verify_all(receipts()).collect().await;
    let first = server.searches().len();
    let _ = ingest.verify_all(receipts()).collect().await;
    let second = server.searches().split_off(first);
    assert!(second.iter().all(|values| *values <= 10), "{second:?}");
}

#[tokio::test]
async fn a_refused_token_ends_each_result_with_the_error_after_one_request() {
    let refused = Response::error(401, ErrorCode::NotAuthorized, "no");
    let fake = FakeTelecrm::new().always(Operation::SearchLeads, refused);
    let receipts = leads_without_rating(30).map(Receipt::unconfirmed);
    let results = fake.client().ingest().verify_all(receipts).collect().await;
    assert_eq!(count(&results), BTreeMap::from([("error", 30)]));
    assert_eq!(fake.requests_to(Operation::SearchLeads).len(), 1);
}

#[tokio::test]
async fn an_outage_leaves_every_result_unknown() {
    let fake = FakeTelecrm::new().always(Operation::SearchLeads, Response::connection_refused());
    let receipts = leads_without_rating(30).map(Receipt::unconfirmed);
    let results = fake.client().ingest().verify_all(receipts).collect().await;
    assert_eq!(count(&results), BTreeMap::from([("unknown", 30)]));
}

#[tokio::test]
async fn shutting_down_ends_the_wait_for_what_is_not_there_yet() {
    let no_rows: [serde_json::Value; 0] = [];
    let fake = FakeTelecrm::new().always(Operation::SearchLeads, Response::page(no_rows));
    let telecrm = fake.client();
    telecrm.shutdown();
    let receipts = leads_without_rating(3).map(Receipt::unconfirmed);
    let results = telecrm.ingest().verify_all(receipts).collect().await;
    assert_eq!(count(&results), BTreeMap::from([("unknown", 3)]));
}

#[tokio::test]
async fn receipts_are_taken_while_others_are_still_pushed() {
    let emulator = emulator().await;
    let ingest = client(&emulator).ingest();
    let pushed = {
        let ingest = ingest.clone();
        stream::iter(leads(120)).then(move |lead| {
            let ingest = ingest.clone();
            async move { ingest.push(&lead).await.expect("queued") }
        })
    };
    let telecrm =
        builder(&emulator).verify_timeout(Duration::from_secs(20)).build().expect("builds");
    let results = telecrm.ingest().verify_stream(pushed).collect().await;
    assert_eq!(count(&results), BTreeMap::from([("stored", 120)]));
}

#[tokio::test]
async fn leads_without_identifier_are_missing_without_a_request() {
    let fake = FakeTelecrm::new();
    let receipts = [Lead::new(), Lead::new().set("name", "Jane")].map(Receipt::unconfirmed);
    let results = fake.client().ingest().verify_all(receipts).collect().await;
    assert_eq!(count(&results), BTreeMap::from([("missing", 2)]));
    assert_eq!(fake.requests_to(Operation::SearchLeads).len(), 0);
}

#[tokio::test]
async fn nothing_to_verify_needs_no_request() {
    let fake = FakeTelecrm::new();
    assert!(fake.client().ingest().verify_all([]).collect().await.is_empty());
    assert!(fake.requests().is_empty());
}

#[tokio::test]
async fn several_pushes_of_one_lead_are_compared_with_what_they_make_together() {
    let emulator = emulator().await;
    let telecrm = client(&emulator);
    let _ = telecrm.workspace().await.expect("discovered");
    let lead = || Lead::new().set("phone", phone(1));
    let pushes = [
        lead().set("name", "Old").set("rating", 3).action(visit("first")),
        lead().set("name", "New").action(visit("second")),
        lead().set("rating", 9).action(visit("third")),
    ];
    let mut receipts = Vec::new();
    for push in &pushes {
        receipts.push(telecrm.ingest().push(push).await.expect("queued"));
    }
    emulator.wait_idle().await;
    let before = sync_requests(&emulator);
    let results = telecrm.ingest().verify_all(receipts).collect().await;
    assert_eq!(sync_requests(&emulator) - before, 2, "one lead is looked for once");
    let names: Vec<_> = results.iter().map(|(_, result)| name(result)).collect();
    // The third push lost its rating. The first push wrote one, too, which the third replaced.
    assert_eq!(names, ["differs", "stored", "differs"]);
    let Ok(Verification::Differs { losses, .. }) = &results[2].1 else { panic!("{results:?}") };
    assert_eq!(losses[0].path.to_string(), "fields.rating");
}

#[tokio::test]
async fn an_action_that_is_lost_belongs_to_the_push_that_sent_it() {
    let emulator = emulator().await;
    let telecrm = client(&emulator);
    let _ = telecrm.workspace().await.expect("discovered");
    let lead = |note| Lead::new().set("phone", phone(1)).action(visit(note));
    let mut receipts = push(&emulator, [lead("one"), lead("two")]).await;
    receipts.push(Receipt::unconfirmed(lead("three")));
    let results = telecrm.ingest().verify_all(receipts).collect().await;
    let names: Vec<_> = results.iter().map(|(_, result)| name(result)).collect();
    assert_eq!(names, ["stored", "stored", "differs"]);
    let Ok(Verification::Differs { losses, .. }) = &results[2].1 else { panic!("{results:?}") };
    assert_eq!(losses[0].path.to_string(), "actions[0]");
}

/// Pushes random leads of which the server loses some, and verifies them in both ways.
async fn both_ways_agree(seed: u64) {
    let mut random = seed;
    let mut next = |below: u64| {
        random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (random >> 33) % below
    };
    let emulator = Emulator::builder().random_seed(seed).start().await.expect("starts");
    emulator.fault(Fault::process_never().chance(0.2)).expect("a fault");
    emulator.fault(Fault::process_twice().chance(0.1)).expect("a fault");
    let failing = Fault::answer(telecrm_emulator::FaultyAnswer::new(500));
    emulator.fault(failing.on("searchLeads").chance(0.2)).expect("a fault");
    let leads = (0..70).map(|number| {
        let lead = Lead::new().set("phone", phone(number)).set("rating", 1 + next(6) as i64);
        match next(4) {
            0 => lead.action(visit("called")),
            1 => lead.set("unknown", "x"),
            _ => lead,
        }
    });
    let receipts = push(&emulator, leads.collect::<Vec<_>>()).await;
    let telecrm = builder(&emulator).clock(ManualClock::new()).build().expect("builds");
    let mut one_by_one = BTreeMap::new();
    for receipt in &receipts {
        let phone = receipt.sent().get("phone").expect("a phone").to_string();
        one_by_one.insert(phone, name(&telecrm.ingest().verify(receipt).await));
    }
    for (receipt, result) in telecrm.ingest().verify_all(receipts).collect().await {
        let phone = receipt.sent().get("phone").expect("a phone").to_string();
        // A failed read is no result of the lead.
        if one_by_one[&phone] != "unknown" && name(&result) != "unknown" {
            assert_eq!(name(&result), one_by_one[&phone], "seed {seed}, {phone}: {result:?}");
        }
    }
}

#[test]
fn both_ways_agree_under_random_losses() {
    rounds::run(|seed| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        (0..4).for_each(|part| runtime.block_on(both_ways_agree(seed * 4 + part)));
    });
}
