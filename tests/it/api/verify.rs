//! `ingest().verify`: reading a pushed lead back, and how long it looks for the lead.

use crate::support::{bare_lead, bare_visit, builder, cases, client, emulator, jane, visit};
use serde_json::{Value, json};
use std::time::Duration;
use telecrm::testing::{FakeTelecrm, Response};
use telecrm::{FieldPath, Lead, Operation, Receipt, Verification, WorkspaceFile};
use telecrm_emulator::Emulator;

// Actions

#[tokio::test]
async fn as5_a_new_action_is_distinguished_from_an_equal_older_one() {
    let emulator = emulator().await;
    let ingest = client(&emulator).ingest();
    let sent = jane().action(visit("same note"));
    let first = ingest.push(&sent).await.expect("queued");
    emulator.wait_idle().await;
    assert!(matches!(ingest.verify(&first).await, Ok(Verification::Stored(_))));

    let baseline = ingest.baseline(&sent).await.expect("read");
    let _ = ingest.push(&jane()).await.expect("queued");
    emulator.wait_idle().await;
    let second = ingest.push(&sent).await.expect("queued");
    emulator.wait_idle().await;
    assert!(matches!(ingest.verify(&second.since(baseline)).await, Ok(Verification::Stored(_))));
}

#[tokio::test]
async fn as5_an_equal_older_action_does_not_prove_a_push() {
    let emulator = emulator().await;
    let ingest = client(&emulator).ingest();
    let sent = jane().action(visit("same note"));
    let receipt = ingest.push(&sent).await.expect("queued");
    emulator.wait_idle().await;

    // This receipt claims a push after the baseline, which was never made.
    let baseline = ingest.baseline(&sent).await.expect("read");
    let never_sent = receipt.since(baseline);
    let Ok(Verification::Differs { losses, .. }) = ingest.verify(&never_sent).await else {
        panic!("the timeline has no new action");
    };
    assert_eq!(losses[0].path, FieldPath::Action(0));
}

async fn emulator_without_ids_in_searches() -> Emulator {
    let emulator = Emulator::builder().search_ids(telecrm_emulator::SearchIds::No).start().await;
    emulator.expect("starts")
}

#[tokio::test]
async fn le7_without_ids_in_searches_the_outcome_of_actions_is_unknown() {
    let emulator = emulator_without_ids_in_searches().await;
    let ingest = client(&emulator).ingest();
    let receipt = ingest.push(&jane().action(visit("x"))).await;
    let receipt = receipt.expect("queued");
    emulator.wait_idle().await;
    let Ok(Verification::Unknown { reason, .. }) = ingest.verify(&receipt).await else {
        panic!("actions cannot be seen");
    };
    assert!(reason.contains("LE7"), "{reason}");
}

#[tokio::test]
async fn le7_without_ids_in_searches_a_lead_without_actions_is_verified() {
    let emulator = emulator_without_ids_in_searches().await;
    let ingest = client(&emulator).ingest();
    let receipt = ingest.push(&bare_lead()).await.expect("queued");
    emulator.wait_idle().await;
    assert!(matches!(ingest.verify(&receipt).await, Ok(Verification::Stored(_))));
}

// How long it looks

async fn slow_emulator() -> Emulator {
    let emulator = Emulator::builder().processing_delay(Duration::from_millis(300)).start().await;
    emulator.expect("starts")
}

#[tokio::test]
async fn verify_waits_until_the_server_has_processed_the_lead() {
    let emulator = slow_emulator().await;
    let telecrm =
        builder(&emulator).verify_timeout(Duration::from_secs(20)).build().expect("builds");
    let receipt = telecrm.ingest().push(&jane()).await.expect("queued");
    assert!(matches!(telecrm.ingest().verify(&receipt).await, Ok(Verification::Stored(_))));
}

#[tokio::test]
async fn verify_waits_no_longer_than_its_timeout() {
    let emulator = slow_emulator().await;
    let ingest = client(&emulator).ingest();
    let receipt = ingest.push(&jane()).await.expect("queued");
    assert!(matches!(ingest.verify(&receipt).await, Ok(Verification::Missing(_))));
}

/// The sample workspace without a country, which decides how national numbers are read.
fn without_a_country() -> WorkspaceFile {
    let mut file = WorkspaceFile::sample();
    file.emulator.remove("defaultCountry");
    file
}

async fn as3_verify_looks_once_if_the_documentation_says_that_the_lead_is_dropped(
    phone: &str,
    is_documented: bool,
) {
    let no_rows: [Value; 0] = [];
    let fake = FakeTelecrm::new()
        .workspace(&without_a_country())
        .always(Operation::CreateOrUpdateLead, Response::queued())
        .always(Operation::SearchLeads, Response::page(no_rows));
    let ingest = fake.client().ingest();
    let lead = Lead::new().set("phone", phone);
    let receipt = ingest.push(&lead).await.expect("queued");
    let verification = ingest.verify(&receipt).await.expect("read");
    let Verification::Missing(finding) = verification else {
        panic!("{phone}: {verification:?}");
    };
    assert!(finding.to_string().contains("lead dropped"), "{phone}: {finding}");
    let looks = fake.requests_to(Operation::SearchLeads).len();
    assert_eq!(looks == 1, is_documented, "{phone}: {looks}");
    let waited = fake.clock().slept() >= Duration::from_secs(30);
    assert_eq!(waited, !is_documented, "{phone}");
}

cases! { async as3_verify_looks_once_if_the_documentation_says_that_the_lead_is_dropped:
    a_number_of_five_digits("99999", true);
    // The documentation is silent on blanks, and on the country of this workspace.
    a_number_with_blanks("+91 99999 99999", false);
    a_number_without_a_country_code("50123456", false);
}

#[tokio::test]
async fn verify_ends_in_time_if_the_server_stalls() {
    let fake = FakeTelecrm::new()
        .always(Operation::CreateOrUpdateLead, Response::queued())
        .always(Operation::SearchLeads, Response::timeout());
    let ingest = fake.client().ingest();
    let receipt = ingest.push(&bare_lead()).await.expect("queued");
    let verification = ingest.verify(&receipt).await.expect("a verification");
    assert!(matches!(verification, Verification::Unknown { lead: None, .. }));
    // The 30 s of verify, and the 30 s of an attempt in flight.
    assert!(fake.clock().slept() <= Duration::from_secs(60), "{:?}", fake.clock().slept());
    assert!(!fake.requests_to(Operation::SearchLeads).is_empty());
}

// Pushes whose answer was lost

#[tokio::test]
async fn as5_an_unconfirmed_push_that_was_not_sent_is_missing() {
    let emulator = emulator().await;
    let unconfirmed = Receipt::unconfirmed(jane());
    assert!(matches!(
        client(&emulator).ingest().verify(&unconfirmed).await,
        Ok(Verification::Missing(_))
    ));
}

#[tokio::test]
async fn as5_an_unconfirmed_push_that_arrived_is_stored() {
    let emulator = emulator().await;
    let ingest = client(&emulator).ingest();
    let unconfirmed = Receipt::unconfirmed(jane());
    let _ = ingest.push(&jane()).await.expect("queued");
    emulator.wait_idle().await;
    assert!(matches!(ingest.verify(&unconfirmed).await, Ok(Verification::Stored(_))));
}

// Long timelines

/// A page of a timeline with the entries of these numbers. Entry 1 has the note of the push.
fn timeline(numbers: impl IntoIterator<Item = u32>) -> Response {
    let entry = |number| {
        let note = match number {
            1 => "called".to_owned(),
            number => format!("note {number}"),
        };
        json!({ "id": format!("a{number}"), "type": "1001", "fields": { "note": note } })
    };
    let actions: Vec<_> = numbers.into_iter().map(entry).collect();
    Response::json(json!({ "id": "62ab16e", "fields": {}, "actions": actions }))
}

/// Verifies a push of one action against these pages. Returns also the `skip` of each request.
async fn verified(pages: impl IntoIterator<Item = Response>) -> (Verification, Vec<String>) {
    let found = json!({ "id": "62ab16e", "fields": { "phone": "919999999999" } });
    let fake = FakeTelecrm::new()
        .always(Operation::CreateOrUpdateLead, Response::queued())
        .always(Operation::SearchLeads, Response::page([found]));
    let fake = pages.into_iter().fold(fake, |fake, page| fake.on(Operation::GetLead, page));
    let telecrm = fake.builder().verify_timeout(Duration::ZERO).build().expect("builds");
    let lead = bare_lead().action(bare_visit().field("note", "called"));
    let receipt = telecrm.ingest().push(&lead).await.expect("queued");
    let verification = telecrm.ingest().verify(&receipt).await.expect("read");
    let sent = fake.requests_to(Operation::GetLead);
    let skips = sent.iter().map(|sent| sent.query("skip").unwrap_or("0"));
    (verification, skips.map(str::to_owned).collect())
}

#[tokio::test]
async fn a_page_of_a_timeline_that_is_shorter_than_asked_is_not_the_last_one() {
    let pages = [(16..=25).rev(), (7..=16).rev(), (1..=7).rev(), (1..=1).rev()];
    let (verification, skips) = verified(pages.map(timeline)).await;
    assert!(matches!(verification, Verification::Stored(_)), "{verification:?}");
    assert_eq!(skips, ["0", "9", "18", "24"]);
}

/// A new entry arrives between the two pages, so that every older one moves by one.
fn shifted_pages() -> [Response; 2] {
    [timeline((2..=11).rev()), timeline([3, 2, 1])]
}

#[tokio::test]
async fn a_timeline_that_changes_while_it_is_read_is_read_again() {
    let steady = [timeline((2..=12).rev()), timeline([2, 1]), timeline([1])];
    let (verification, skips) = verified(shifted_pages().into_iter().chain(steady)).await;
    assert!(matches!(verification, Verification::Stored(_)), "{verification:?}");
    assert_eq!(skips, ["0", "9", "0", "10", "11"]);
}

#[tokio::test]
async fn a_timeline_that_changes_each_time_leaves_the_outcome_unknown() {
    let (verification, _) = verified((0..3).flat_map(|_| shifted_pages())).await;
    let Verification::Unknown { reason, .. } = verification else {
        panic!("{verification:?}");
    };
    assert!(reason.contains("changed during every read"), "{reason}");
}
