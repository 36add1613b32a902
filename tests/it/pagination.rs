//! Streams of leads, actions and members: every item once, and no end that is not one.

use crate::support::clock::{SECOND, SteppedClock};
use crate::support::{cases, client, client_at, emulator, sync_token};
use futures_util::TryStreamExt;
use httpmock::{Method, MockServer};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use telecrm::testing::{FakeTelecrm, Response};
use telecrm::{
    ActionFilter, ErrorCode, Filter, Gate, GateError, GateRequest, Items, Lead, LeadRecord,
    LimitState, Operation, Telecrm, TokenAnswer,
};
use telecrm_emulator::Emulator;

async fn emulator_with_leads(count: usize) -> (Emulator, Telecrm) {
    let emulator = emulator().await;
    let telecrm = client(&emulator);
    for serial in 0..count {
        let status = ["Fresh", "Won", "Lost"][serial % 3];
        let lead = Lead::new()
            .set("phone", format!("91{serial:010}").replacen("910", "919", 1))
            .set("assignee", "jane.doe@example.com")
            .set("status", status);
        let _ = telecrm.ingest().push(&lead).await.expect("queued");
    }
    emulator.wait_idle().await;
    (emulator, telecrm)
}

/// All leads, with so many pages read ahead, or without reading ahead.
fn all_leads(telecrm: &Telecrm, prefetch: usize) -> Items<LeadRecord> {
    let stream = telecrm.leads().stream(Filter::new());
    if prefetch > 0 { stream.prefetch(prefetch) } else { stream }
}

// Every item once

async fn every_lead_comes_once_and_newest_first_while_others_arrive(prefetch: usize) {
    let (emulator, telecrm) = emulator_with_leads(250).await;
    let mut stream = all_leads(&telecrm, prefetch);
    let mut seen = HashSet::new();
    let mut last = i64::MAX;
    while let Some(lead) = stream.next().await {
        let lead = lead.expect("read");
        let created = lead.get("created_on").and_then(|time| time.as_i64());
        let created = created.expect("a time");
        assert!(created <= last);
        last = created;
        assert!(seen.insert(lead.id().expect("an ID").to_owned()));
        if seen.len() % 50 == 0 {
            let late = Lead::new().set("phone", format!("9188{prefetch}{:07}", seen.len()));
            let _ = telecrm.ingest().push(&late).await.expect("queued");
            emulator.wait_idle().await;
        }
    }
    assert!(seen.len() >= 250);
}

cases! { async every_lead_comes_once_and_newest_first_while_others_arrive:
    page_by_page(0);
    with_three_pages_read_ahead(3);
}

fn won_or_lost_leads_of_jane() -> Filter {
    Filter::new().eq("assignee", "jane.doe@example.com").any_of("status", ["Won", "Lost"])
}

#[tokio::test]
async fn le10_leads_of_an_assignee_with_several_statuses_are_counted_status_by_status() {
    let (emulator, telecrm) = emulator_with_leads(30).await;
    let before = emulator.log(0).len();
    let count = telecrm.leads().count(&won_or_lost_leads_of_jane()).await;
    assert_eq!(count.expect("counted"), 20);
    assert_eq!(emulator.log(0).len() - before, 2);
}

#[tokio::test]
async fn le10_leads_of_an_assignee_with_several_statuses_are_merged_in_order() {
    let (_emulator, telecrm) = emulator_with_leads(30).await;
    let leads = telecrm.leads().stream(won_or_lost_leads_of_jane());
    let leads: Vec<_> = leads.try_collect().await.expect("read");
    assert_eq!(leads.len(), 20);
    let times: Vec<_> = leads.iter().filter_map(|lead| lead.get("created_on")?.as_i64()).collect();
    assert!(times.is_sorted_by(|one, other| one >= other));
}

#[tokio::test]
async fn a_timeline_is_read_back_in_time() {
    let server = MockServer::start_async().await;
    let entry = |number: i64| json!({ "id": format!("a{number}"), "type": "1001", "creationTimestamp": 1000 + number });
    let page = |numbers: std::ops::Range<i64>, total: u32| {
        let data: Vec<_> = numbers.rev().map(entry).collect();
        json!({ "data": data, "total_count": total, "skip": 0, "limit": 100 })
    };
    let path = "/enterprise/ent/lead/l1/action/search";
    server.mock(|when, then| {
        when.method(Method::POST).path(path).json_body(json!({}));
        then.status(200).json_body(page(50..150, 150));
    });
    // The second request asks for the oldest time of the first page, and for what is older.
    server.mock(|when, then| {
        when.method(Method::POST).path(path).json_body(json!({ "created_on": { "to": 1050 } }));
        then.status(200).json_body(page(0..51, 51));
    });
    let timeline = client_at(server.base_url()).leads().actions("l1");
    let ids: Vec<_> = timeline
        .stream(ActionFilter::new())
        .map_ok(|entry| entry.id().map(str::to_owned))
        .try_collect()
        .await
        .expect("read");
    assert_eq!(ids.len(), 150);
    assert_eq!((ids[0].as_deref(), ids[149].as_deref()), (Some("a149"), Some("a0")));
}

#[tokio::test]
async fn a_timeline_with_times_in_quotes_is_read_back_in_time() {
    let entry =
        |time: u32| json!({ "id": format!("a{time}"), "creationTimestamp": time.to_string() });
    let page = |times: std::ops::RangeInclusive<u32>, total: u32| {
        let data: Vec<_> = times.rev().map(entry).collect();
        Response::json(json!({ "data": data, "total_count": total }))
    };
    let fake = FakeTelecrm::new()
        .on(Operation::SearchActions, page(51..=150, 150))
        .on(Operation::SearchActions, page(1..=51, 51));
    let timeline = fake.client().leads().actions("l1");
    let timeline = timeline.stream(ActionFilter::new()).collect().await;
    assert_eq!(timeline.expect("read").len(), 150);
    let asked = fake.requests()[1].body().cloned().expect("a filter");
    assert_eq!(asked["created_on"]["to"], 51);
}

#[tokio::test]
async fn a_stream_of_the_leads_of_one_time_asks_for_no_other_time() {
    let row = |index: u32| json!({ "id": format!("l{index}"), "fields": { "created_on": 250 } });
    let page = |rows: std::ops::Range<u32>| {
        let rows: Vec<_> = rows.map(row).collect();
        Response::json(json!({ "data": rows, "total_count": 150 }))
    };
    let fake = FakeTelecrm::new()
        .on(Operation::SearchLeads, page(0..100))
        .on(Operation::SearchLeads, page(99..150));
    let filter = Filter::new().eq("created_on", 250);
    let leads = fake.client().leads().stream(filter).collect().await;
    assert_eq!(leads.expect("read").len(), 150);
    for request in fake.requests() {
        let body = request.body().expect("a filter");
        assert_eq!(body["fields"]["created_on"], 250, "{body}");
    }
}

#[tokio::test]
async fn le7_a_lead_without_an_id_is_recognised_by_its_identifier() {
    let row = |serial: u32, name: &str| json!({ "fields": { "phone": format!("9190000{serial:05}"), "created_on": serial, "name": name } });
    let page = |rows: Vec<Value>, total: u32| {
        Response::json(json!({ "data": rows, "total_count": total }))
    };
    let first = (101..=200).rev().map(|serial| row(serial, "before"));
    // The last lead of the first page comes again. It was changed in the meantime.
    let second = (95..=101).rev().map(|serial| row(serial, "after"));
    let fake = FakeTelecrm::new()
        .on(Operation::SearchLeads, page(first.collect(), 106))
        .on(Operation::SearchLeads, page(second.collect(), 7));
    let telecrm = fake.client();
    telecrm.workspace().await.expect("discovered");
    let leads = telecrm.leads().stream(Filter::new()).collect().await;
    let leads = leads.expect("read");
    let phones: Vec<_> = leads.iter().filter_map(|lead| lead.get("phone")?.as_str()).collect();
    let expected: Vec<_> = (95..=200).rev().map(|serial| format!("9190000{serial:05}")).collect();
    assert_eq!(phones, expected);
}

/// Drops each future of `next` after one poll. Its request has to go on in the next one.
async fn an_item_whose_future_is_dropped_is_not_missed(prefetch: usize) {
    let row = |serial: i64| json!({ "id": serial.to_string(), "fields": { "created_on": serial } });
    let page = |from: i64| Response::page((0..100).map(|serial| row(from - serial)));
    let fake = FakeTelecrm::new()
        .on(Operation::SearchLeads, Response::html(503))
        .on(Operation::SearchLeads, page(300))
        .on(Operation::SearchLeads, Response::html(503))
        .on(Operation::SearchLeads, page(201))
        .on(Operation::SearchLeads, Response::page([row(102)]));
    let (clock, telecrm) = SteppedClock::client(&fake);
    let mut leads = all_leads(&telecrm, prefetch);
    let mut found = Vec::new();
    let mut dropped = 0;
    loop {
        let next = poll_fn(|context| Poll::Ready(std::pin::pin!(leads.next()).poll(context)));
        match next.await {
            Poll::Ready(Some(lead)) => found.extend(lead.expect("read").id().map(str::to_owned)),
            Poll::Ready(None) => break,
            Poll::Pending => {
                dropped += 1;
                clock.advance(SECOND);
                tokio::task::yield_now().await;
            }
        }
    }
    let expected: Vec<_> = (102..=300).rev().map(|serial| serial.to_string()).collect();
    assert_eq!(found, expected);
    assert!(dropped >= 2, "{dropped}");
}

cases! { async an_item_whose_future_is_dropped_is_not_missed:
    page_by_page(0);
    with_two_pages_read_ahead(2);
}

// Where a stream ends

#[tokio::test]
async fn a_page_shorter_than_asked_is_not_the_last_one_while_the_total_counts_more() {
    let row = |serial: u32| json!({ "name": "Jane", "email": format!("{serial}@example.com") });
    let page = |from: u32| {
        let rows: Vec<Value> = (from..from + 3).map(row).collect();
        Response::json(json!({ "data": rows, "total_count": 9 }))
    };
    // Each page begins with the last item of the page before it.
    let fake = [0, 2, 4, 6]
        .into_iter()
        .fold(FakeTelecrm::new(), |fake, from| fake.on(Operation::ListTeamMembers, page(from)));
    let members = fake.client().team_members().stream().collect().await;
    assert_eq!(members.expect("read").len(), 9);
    let skipped: Vec<_> =
        fake.requests().iter().map(|request| request.query("skip").map(str::to_owned)).collect();
    assert_eq!(skipped.iter().flatten().collect::<Vec<_>>(), ["0", "2", "4", "6"]);
}

async fn m10_a_page_that_keeps_failing_ends_the_stream(prefetch: usize) {
    let server = MockServer::start_async().await;
    server.mock(|when, then| {
        when.method(Method::POST);
        then.status(401);
    });
    let telecrm = client_at(server.base_url());
    let mut stream = all_leads(&telecrm, prefetch);
    for _ in 0..3 {
        assert!(stream.next().await.expect("an item").is_err());
    }
    assert!(stream.next().await.is_none());
}

cases! { async m10_a_page_that_keeps_failing_ends_the_stream:
    page_by_page(0);
    with_two_pages_read_ahead(2);
}

async fn m10_a_page_that_fails_once_is_requested_again(prefetch: usize) {
    let row = |serial: i64| json!({ "id": serial.to_string(), "fields": { "created_on": serial } });
    let page = |from: i64| Response::page((0..100).map(|serial| row(from - serial)));
    let fake = FakeTelecrm::new()
        .on(Operation::SearchLeads, page(300))
        .on(Operation::SearchLeads, Response::error(400, ErrorCode::BadRequest, "hiccup"))
        .on(Operation::SearchLeads, page(201))
        .on(Operation::SearchLeads, Response::page([row(102)]));
    let mut stream = all_leads(&fake.client(), prefetch);
    let (mut ids, mut errors) = (HashSet::new(), 0);
    while let Some(lead) = stream.next().await {
        match lead {
            Ok(lead) => assert!(ids.insert(lead.id().expect("an ID").to_owned())),
            Err(_) => errors += 1,
        }
    }
    assert_eq!((ids.len(), errors), (199, 1));
}

cases! { async m10_a_page_that_fails_once_is_requested_again:
    page_by_page(0);
    with_two_pages_read_ahead(2);
}

/// A fake with three pages of a hundred leads.
fn fake_with_three_pages() -> FakeTelecrm {
    let row = |serial: i64| json!({ "id": serial.to_string(), "fields": { "created_on": serial } });
    let page = |from: i64| Response::page((0..100).map(move |serial| row(from - serial)));
    FakeTelecrm::new()
        .on(Operation::SearchLeads, page(1000))
        .on(Operation::SearchLeads, page(901))
        .always(Operation::SearchLeads, page(802))
}

/// Panics at the third request.
struct BrokenGate(AtomicU32);

impl Gate for BrokenGate {
    fn acquire<'a>(
        &'a self,
        _: GateRequest,
    ) -> Pin<Box<dyn Future<Output = Result<usize, GateError>> + Send + 'a>> {
        let request = self.0.fetch_add(1, Ordering::Relaxed);
        assert!(request < 2, "the gate of this program is broken");
        Box::pin(std::future::ready(Ok(0)))
    }

    fn report(&self, _: usize, _: TokenAnswer) {}

    fn slots(&self) -> Vec<LimitState> {
        vec![LimitState::default()]
    }
}

#[tokio::test]
async fn a_panic_in_the_task_that_reads_ahead_reaches_the_reader() {
    let gate = BrokenGate(AtomicU32::new(0));
    let telecrm = fake_with_three_pages().builder().sync_gate(gate).build().expect("builds");
    let reading = tokio::spawn(all_leads(&telecrm, 1).collect());
    assert!(reading.await.is_err(), "the reader panics as well");
}

#[test]
fn a_stream_whose_runtime_ended_is_an_error_and_not_the_end() {
    let telecrm = fake_with_three_pages().client();
    let runtime = || {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.expect("a runtime")
    };
    let (one, other) = (runtime(), runtime());
    let mut stream = one.block_on(async { all_leads(&telecrm, 1) });
    assert!(matches!(one.block_on(stream.next()), Some(Ok(_))));
    drop(one);
    let error = other.block_on(stream.collect());
    let error = error.expect_err("there are more leads");
    assert!(!error.is_outcome_unknown(), "a read: {error}");
    assert!(error.to_string().contains("runtime"), "{error}");
}

#[test]
fn a_cursor_of_another_list_or_enterprise_is_refused() {
    let telecrm = Telecrm::builder("ent-1").sync_token(sync_token("s")).build().expect("builds");
    let other = Telecrm::builder("ent-2").sync_token(sync_token("s")).build().expect("builds");
    let cursor = telecrm.leads().stream(Filter::new()).cursor();
    assert!(telecrm.leads().stream_from(&cursor).is_ok());
    let text = |error: telecrm::Error| format!("{error:#}");
    let refused = other.leads().stream_from(&cursor).map(drop).map_err(text);
    assert_eq!(
        refused.unwrap_err(),
        "searching leads failed: the cursor belongs to another enterprise\n\
         \x20 hint: keep one cursor for each enterprise"
    );
    let refused = telecrm.team_members().stream_from(&cursor).map(drop).map_err(text);
    assert!(refused.unwrap_err().contains("the cursor belongs to another list\n  hint: "));
    let actions = telecrm.leads().actions("l1").stream(ActionFilter::new()).cursor();
    assert!(telecrm.leads().actions("l1").stream_from(&actions).is_ok());
    assert!(telecrm.leads().actions("l2").stream_from(&actions).is_err());
}
