//! `push_all` and `upsert_all`: many writes with one call.

use crate::support::{async_token, client, emulator, socket, sync_token};
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use telecrm::testing::{FakeTelecrm, Response};
use telecrm::{ErrorCode, Lead, Operation, RateLimit, Telecrm, WorkspaceFile};
use tokio::sync::Notify;

fn phone(number: usize) -> String {
    format!("9199999{number:05}")
}

fn leads(count: usize) -> Vec<Lead> {
    (0..count).map(|number| Lead::new().set("phone", phone(number)).set("rating", 4)).collect()
}

fn fake() -> FakeTelecrm {
    FakeTelecrm::new().always(Operation::CreateOrUpdateLead, Response::queued())
}

/// An Async API that answers only when `at_once` pushes are in flight.
#[derive(Clone, Default)]
struct Crowd {
    at_once: usize,
    pushes: Arc<Mutex<Pushes>>,
    changed: Arc<Notify>,
}

#[derive(Default)]
struct Pushes {
    in_flight: Vec<Value>,
    /// The largest number in flight at a time.
    most: usize,
    /// Whether two pushes of one lead were in flight at a time.
    overlapped: bool,
    done: Vec<Value>,
}

impl Crowd {
    async fn start(at_once: usize) -> (Self, String) {
        let (listener, url) = socket::listen().await;
        let crowd = Self { at_once, ..Self::default() };
        let path = "/enterprise/{enterprise}/autoupdatelead";
        let app = Router::new().route(path, post(hold)).with_state(crowd.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (crowd, url)
    }

    fn client(&self, url: &str, workspace: Option<&WorkspaceFile>) -> Telecrm {
        let mut builder = Telecrm::builder("ent").async_url(url).async_token(async_token("a"));
        if let Some(file) = workspace {
            let workspace = telecrm::Workspace::from_file(file).expect("a workspace");
            builder = builder.workspace(workspace).sync_token(sync_token("s"));
        }
        builder.build().expect("builds")
    }
}

async fn hold(State(crowd): State<Crowd>, Json(push): Json<Value>) -> Json<Value> {
    let fields = push["fields"].clone();
    {
        let mut pushes = crowd.pushes.lock().expect("not poisoned");
        let is_same = |other: &Value| other["phone"] == fields["phone"];
        pushes.overlapped |= pushes.in_flight.iter().any(is_same);
        pushes.in_flight.push(fields.clone());
        pushes.most = pushes.most.max(pushes.in_flight.len());
    }
    crowd.changed.notify_waiters();
    loop {
        let changed = crowd.changed.notified();
        if crowd.pushes.lock().expect("not poisoned").most >= crowd.at_once {
            break;
        }
        changed.await;
    }
    let mut pushes = crowd.pushes.lock().expect("not poisoned");
    pushes.in_flight.retain(|other| *other != fields);
    pushes.done.push(fields);
    Json(json!({ "status": "QUEUED" }))
}

#[tokio::test]
async fn every_lead_has_one_result_with_its_index() {
    let emulator = emulator().await;
    let results: Vec<_> = client(&emulator).ingest().push_all(leads(100)).collect().await;
    let indexes: BTreeSet<_> = results.iter().map(|(index, _)| *index).collect();
    assert_eq!((results.len(), indexes), (100, (0..100).collect()));
    for (index, result) in results {
        let receipt = result.expect("queued");
        assert_eq!(receipt.sent().get("phone"), Some(&phone(index).into()));
    }
}

#[tokio::test]
async fn an_awaited_batch_returns_results_in_the_order_of_the_leads() {
    let emulator = emulator().await;
    let mut leads = leads(20);
    leads[7] = Lead::new().set("phone", "not a number");
    let results = client(&emulator).leads().upsert_all(leads).await;
    let failed: Vec<_> = (0..20).filter(|index| results[*index].is_err()).collect();
    assert_eq!(failed, [7]);
}

#[tokio::test]
async fn sixteen_leads_are_written_at_a_time() {
    let (crowd, url) = Crowd::start(16).await;
    let telecrm = crowd.client(&url, Some(&WorkspaceFile::sample()));
    let results = telecrm.ingest().push_all(leads(64)).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(crowd.pushes.lock().expect("not poisoned").most, 16);
}

#[tokio::test]
async fn leads_with_one_identifier_are_written_in_their_order() {
    let (crowd, url) = Crowd::start(2).await;
    let telecrm = crowd.client(&url, Some(&WorkspaceFile::sample()));
    // The spellings differ, and name two leads.
    let spellings = ["+919999999999", "919999999998", "919999999999", "919999999998"];
    let leads = (0..40).map(|row| {
        let phone = spellings[row % spellings.len()];
        Lead::new().set("phone", phone).set("note", row.to_string())
    });
    let results = telecrm.ingest().push_all(leads.collect::<Vec<_>>()).await;
    assert!(results.iter().all(Result::is_ok));
    let pushes = crowd.pushes.lock().expect("not poisoned");
    for lead in 0..2 {
        let rows = pushes.done.iter().filter_map(|fields| fields["note"].as_str()?.parse().ok());
        let rows: Vec<usize> = rows.filter(|row| row % 2 == lead).collect();
        assert_eq!(rows.len(), 20);
        assert!(rows.is_sorted(), "{rows:?}");
    }
}

#[tokio::test]
async fn without_a_workspace_leads_are_written_one_at_a_time() {
    let (crowd, url) = Crowd::start(1).await;
    let results = crowd.client(&url, None).ingest().push_all(leads(20)).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(crowd.pushes.lock().expect("not poisoned").most, 1);
}

#[tokio::test]
async fn a_long_list_waits_for_the_rate_limit_and_does_not_time_out() {
    let fake = fake();
    let builder = fake.builder().async_limit(Some(RateLimit::new(61, 1)));
    let results = builder.build().expect("builds").ingest().push_all(leads(100)).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let waited = fake.clock().slept().as_secs();
    assert!((5900..=6000).contains(&waited), "{waited} s for 100 leads at one a minute");
}

#[tokio::test]
async fn a_batch_that_is_stopped_writes_nothing_more() {
    let fake = fake();
    let mut pushes = fake.client().ingest().push_all(leads(100));
    let _ = pushes.next().await.expect("a result").1.expect("queued");
    pushes.stop();
    let others: Vec<_> = pushes.collect().await;
    assert!(others.iter().all(|(_, result)| result.is_ok()));
    assert_eq!(others.len() + 1, fake.requests_to(Operation::CreateOrUpdateLead).len());
    assert!(others.len() < 32, "{}", others.len());
}

#[tokio::test]
async fn a_client_that_shuts_down_gives_every_lead_a_result() {
    let fake = fake();
    let telecrm = fake.builder().async_limit(Some(RateLimit::new(61, 1))).build().expect("builds");
    let mut pushes = telecrm.ingest().push_all(leads(10));
    let _ = pushes.next().await.expect("a result").1.expect("queued");
    telecrm.shutdown();
    let others: Vec<_> = pushes.collect().await;
    assert_eq!(others.len(), 9);
    let sent = fake.requests_to(Operation::CreateOrUpdateLead).len();
    let failed = others.iter().filter(|(_, result)| result.is_err()).count();
    assert_eq!(sent + failed, 10);
    assert!(failed > 0);
}

#[tokio::test]
async fn a_failed_write_does_not_hold_back_later_ones_of_the_same_lead() {
    let refused = Response::error(400, ErrorCode::EnterpriseNotFound, "no");
    let fake = FakeTelecrm::new()
        .on(Operation::CreateOrUpdateLead, refused)
        .always(Operation::CreateOrUpdateLead, Response::queued());
    let lead = leads(1).remove(0);
    let results = fake.client().ingest().push_all([lead.clone(), lead]).await;
    assert_eq!(results.iter().map(Result::is_ok).collect::<Vec<_>>(), [false, true]);
}

#[tokio::test]
async fn without_a_token_every_lead_has_the_error() {
    let telecrm = Telecrm::builder("ent").build().expect("builds");
    let results = telecrm.ingest().push_all(leads(3)).await;
    let errors: Vec<_> = results.into_iter().map(|result| result.expect_err("no token")).collect();
    assert_eq!(errors.len(), 3);
    assert!(errors[0].to_string().contains("needs an Async token"), "{}", errors[0]);
}
