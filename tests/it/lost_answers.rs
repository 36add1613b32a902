//! Creations whose answer was lost: the client reads back whether the lead is the one it sent.

use crate::support::{
    bare_lead, bare_visit, cases, emulator, jane, lead_exists, sync_token, visit,
};
use serde_json::{Value, json};
use std::time::Duration;
use telecrm::testing::{FakeTelecrm, ManualClock, Response};
use telecrm::{Clock, Created, Error, Lead, Operation, Outcome, PageRequest, Telecrm};
use telecrm_emulator::Emulator;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How the proxy passes on the creation whose answer it loses.
#[derive(Clone, Copy, PartialEq)]
enum Passed {
    Unchanged,
    /// With another name, as if another program had created the lead.
    WithAnotherName,
}

/// A proxy before an emulator that passes requests on, and loses the answer to the first creation.
async fn proxy_that_loses_a_creation(emulator: &Emulator, passed: Passed) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let own = listener.local_addr().expect("an address").to_string();
    let url = format!("http://{own}/autoupdate/v2");
    let target = emulator.url().trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        let mut has_lost_one = false;
        while let Ok((mut inward, _)) = listener.accept().await {
            let mut outward = TcpStream::connect(&target).await.expect("the emulator listens");
            let mut buffer = [0; 16_384];
            let count = inward.read(&mut buffer).await.unwrap_or(0);
            let request = String::from_utf8_lossy(&buffer[..count]).replace(&own, &target);
            let is_creation =
                request.starts_with("POST /autoupdate/v2/enterprise/ent-local/lead HTTP");
            if is_creation && !has_lost_one {
                has_lost_one = true;
                let request = if passed == Passed::WithAnotherName {
                    request.replace("Jane", "Jean")
                } else {
                    request
                };
                outward.write_all(request.as_bytes()).await.expect("sent");
                let _ = outward.read(&mut buffer).await;
                continue;
            }
            outward.write_all(request.as_bytes()).await.expect("sent");
            let _ = tokio::time::timeout(
                Duration::from_secs(5),
                tokio::io::copy_bidirectional(&mut inward, &mut outward),
            )
            .await;
        }
    });
    url
}

/// A client behind such a proxy, which opens a connection for each request.
async fn client_behind_the_proxy(emulator: &Emulator, passed: Passed) -> Telecrm {
    Telecrm::builder(emulator.enterprise())
        .sync_url(proxy_that_loses_a_creation(emulator, passed).await)
        .sync_token(sync_token(emulator.sync_token()))
        .http(reqwest::ClientBuilder::new().pool_max_idle_per_host(0))
        .clock(ManualClock::new())
        .build()
        .expect("builds")
}

fn jane_with_an_action() -> Lead {
    jane().action(bare_visit())
}

#[tokio::test]
async fn le4_a_creation_whose_answer_is_lost_is_resolved_by_reading_back() {
    let emulator = emulator().await;
    let telecrm = client_behind_the_proxy(&emulator, Passed::Unchanged).await;
    let created = telecrm.leads().create(&jane_with_an_action()).await;
    let created = created.expect("found again").complete().expect("complete");
    let page = PageRequest { skip: 0, limit: 10 };
    let leads = telecrm.leads();
    let stored = leads.get_with_actions(&created.lead_id, page).await;
    let stored = stored.expect("read");
    assert_eq!(stored.actions().len(), 1, "created once");
}

#[tokio::test]
async fn le4_a_creation_stays_in_doubt_if_reading_back_shows_another_lead() {
    let emulator = emulator().await;
    let telecrm = client_behind_the_proxy(&emulator, Passed::WithAnotherName).await;
    let created = telecrm.leads().create(&jane_with_an_action()).await;
    let error = created.expect_err("the lead may be of another program");
    assert!(error.is_already_exists() && error.is_outcome_unknown());
}

#[tokio::test]
async fn le4_an_upsert_in_doubt_does_not_append_its_actions_again() {
    let emulator = emulator().await;
    let telecrm = client_behind_the_proxy(&emulator, Passed::WithAnotherName).await;
    let error = telecrm.leads().upsert(&jane_with_an_action()).await;
    let error = error.expect_err("in doubt");
    assert!(error.is_already_exists() && error.is_outcome_unknown());
    let log = emulator.log(0);
    let written = log.iter().filter(|entry| entry.stored.is_some()).count();
    assert_eq!(written, 1, "only the creation");
}

/// Creates a lead whose answer is lost, where reading back shows the action and this time.
async fn created_and_read_back(created_on: Value) -> Result<Outcome<Created>, Error> {
    let fields = json!({ "phone": "919999999999", "created_on": created_on });
    let entry = json!({ "id": "a1", "type": "ACTION_1001", "fields": { "note": "called" } });
    let page = |actions: Value| Response::json(json!({ "fields": fields, "actions": actions }));
    let fake = FakeTelecrm::new()
        .on(Operation::CreateLead, Response::html(502))
        .on(Operation::CreateLead, lead_exists())
        .always(
            Operation::SearchLeads,
            Response::page([json!({ "id": "62ab16e", "fields": fields })]),
        )
        .on(Operation::GetLead, page(json!([entry])))
        .on(Operation::GetLead, page(json!([])))
        // A timeline with a single entry is read again, to see whether it is steady.
        .on(Operation::GetLead, page(json!([entry])));
    let lead = bare_lead().action(visit("called"));
    fake.client().leads().create(&lead).await
}

/// Now, as the fake's clock shows it in milliseconds.
fn now() -> i64 {
    let date = FakeTelecrm::new().clock().date();
    let now = jiff::Timestamp::try_from(date).expect("a date");
    now.as_millisecond()
}

#[tokio::test]
async fn le4_a_creation_is_resolved_if_the_lead_was_created_just_now() {
    let outcome = created_and_read_back(now().into()).await;
    let created = outcome.expect("found again").complete().expect("complete");
    assert_eq!(created.lead_id, "62ab16e");
}

async fn le4_an_older_action_does_not_resolve_a_creation(created_on: Value) {
    let error = created_and_read_back(created_on).await;
    let error = error.expect_err("the action may be an older one");
    assert!(error.is_already_exists() && error.is_outcome_unknown());
}

cases! { async le4_an_older_action_does_not_resolve_a_creation:
    of_a_lead_created_an_hour_ago((now() - 3_600_000).into());
    of_a_lead_without_a_creation_time(Value::Null);
}

fn fake_that_cannot_be_searched() -> FakeTelecrm {
    FakeTelecrm::new()
        .on(Operation::CreateLead, Response::connection_reset())
        .always(Operation::CreateLead, lead_exists())
        .always(Operation::SearchLeads, Response::html(502))
}

#[track_caller]
fn assert_doubt_with_the_failed_search(error: &Error) {
    assert!(error.is_outcome_unknown(), "{error}");
    assert_eq!(error.operation(), Some(Operation::CreateLead));
    let text = format!("{error:#}");
    let (chain, hint) = text.split_once("\n  hint: ").expect("a hint");
    assert!(chain.ends_with(": searching leads failed: the server answered 502"), "{text}");
    assert_eq!(Some(hint), error.hint());
}

#[tokio::test]
async fn a_creation_stays_in_doubt_if_it_cannot_be_read_back() {
    let leads = fake_that_cannot_be_searched().client().leads();
    let error = leads.create(&bare_lead()).await;
    assert_doubt_with_the_failed_search(&error.expect_err("in doubt"));
}

#[tokio::test]
async fn an_upsert_stays_in_doubt_if_its_creation_cannot_be_read_back() {
    let leads = fake_that_cannot_be_searched().client().leads();
    let error = leads.upsert(&bare_lead()).await;
    assert_doubt_with_the_failed_search(&error.expect_err("in doubt"));
}
