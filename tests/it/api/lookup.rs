//! Finding the lead that an identifier means, for `verify` and `upsert`.

use crate::support::{cases, client, emulator, jane, lead_exists};
use serde_json::{Value, json};
use std::time::Duration;
use telecrm::testing::{FakeTelecrm, Response};
use telecrm::{Filter, Lead, Operation, Upserted, Verification, WorkspaceFile};

// Numbers of two countries

/// The number 6591234567 is one of Singapore. With an Indian country code it is another number.
fn singaporean_lead() -> Lead {
    Lead::new().set("phone", "+6591234567").set("name", "Jane Doe")
}

fn indian_row() -> Value {
    json!({ "id": "in", "fields": { "phone": "916591234567", "name": "Jane Doe" } })
}

fn singaporean_row() -> Value {
    json!({ "id": "sg", "fields": { "phone": "6591234567", "name": "Jane Doe" } })
}

fn fake_that_finds<const N: usize>(rows: [Value; N]) -> FakeTelecrm {
    FakeTelecrm::new()
        .always(Operation::CreateOrUpdateLead, Response::queued())
        .always(Operation::CreateLead, lead_exists())
        .always(Operation::SearchLeads, Response::page(rows))
        .always(Operation::UpdateLead, Response::json(json!({ "fields": {} })))
}

async fn id2_verify_takes_the_lead_of_the_right_country(fake: FakeTelecrm, stored: Option<&str>) {
    let telecrm = fake.builder().verify_timeout(Duration::ZERO).build();
    let ingest = telecrm.expect("builds").ingest();
    let receipt = ingest.push(&singaporean_lead()).await.expect("queued");
    let found = match ingest.verify(&receipt).await.expect("read") {
        Verification::Stored(lead) => lead.id().map(str::to_owned),
        Verification::Missing(_) => None,
        other => panic!("{other:?}"),
    };
    assert_eq!(found.as_deref(), stored);
}

cases! { async id2_verify_takes_the_lead_of_the_right_country:
    only_the_other_one_exists(fake_that_finds([indian_row()]), None);
    both_exist(fake_that_finds([indian_row(), singaporean_row()]), Some("sg"));
}

async fn id2_upsert_updates_the_lead_of_the_right_country(
    fake: FakeTelecrm,
    updated: Option<&str>,
) {
    let upserted = fake.client().leads().upsert(&singaporean_lead()).await;
    assert_eq!(upserted.is_ok(), updated.is_some(), "{upserted:?}");
    let written = fake.requests_to(Operation::UpdateLead);
    let paths: Vec<_> = written.iter().map(|sent| sent.path().to_owned()).collect();
    let expected = updated.map(|id| format!("/lead/{id}"));
    assert_eq!(paths, Vec::from_iter(expected));
}

cases! { async id2_upsert_updates_the_lead_of_the_right_country:
    only_the_other_one_exists(fake_that_finds([indian_row()]), None);
    both_exist(fake_that_finds([indian_row(), singaporean_row()]), Some("sg"));
}

// Identifiers that differ by a plus sign

/// A workspace with this field as its identifier.
fn identified_by(identifier: &str) -> WorkspaceFile {
    let field = |api_name: &str, kind: &str| {
        json!({ "id": api_name, "type": kind, "apiName": api_name,
            "isLeadid": api_name == identifier })
    };
    let file = json!({
        "metadata": { "leadIdentifierFieldId": identifier },
        "customFields": [
            field("phone", "PHONE"),
            field("email", "EMAIL"),
            field("customer", "TEXT"),
            field("rating", "RATING"),
        ],
        "customActions": [{ "code": "ACTION_1001", "fieldSchema": { "note": { "type": "TEXT" } } }],
        "leadStagePipeline": { "leadStages": [] },
    });
    WorkspaceFile::from_json(file).expect("a workspace")
}

/// A fake that finds both leads at first, and later only the one of which `other` is the value.
fn fake_with_both(identifier: &str, mine: &str, other: &str) -> FakeTelecrm {
    let row = |id: &str, value: &str| json!({ "id": id, "fields": { identifier: value } });
    FakeTelecrm::new()
        .workspace(&identified_by(identifier))
        .always(Operation::CreateLead, lead_exists())
        .on(Operation::SearchLeads, Response::page([row("other", other), row("mine", mine)]))
        .always(Operation::SearchLeads, Response::page([row("other", other)]))
        .always(Operation::UpdateLead, Response::json(json!({ "fields": { "rating": 4 } })))
}

async fn id2_a_plus_sign_is_ignored_in_phone_numbers_only(
    identifier: &str,
    mine: &str,
    other: &str,
) {
    let fake = fake_with_both(identifier, mine, other);
    let lead = Lead::new().set(identifier, mine).set("rating", 4);
    let upserted = fake.client().leads().upsert(&lead).await.expect("found");
    let Upserted::Updated { lead_id, .. } = upserted else {
        panic!("{upserted:?}");
    };
    assert_eq!(lead_id, "mine", "{mine} is not {other}");
    let asked = fake.requests_to(Operation::SearchLeads)[0].body().cloned();
    let asked = asked.expect("a body")["fields"][identifier].to_string();
    assert!(!asked.contains(other), "{asked}");
    // From now on only the other lead is found.
    let error = fake.client().leads().upsert(&lead).await;
    assert!(error.expect_err("not found").is_already_exists());
    assert_eq!(fake.requests_to(Operation::UpdateLead).len(), 1);
}

cases! { async id2_a_plus_sign_is_ignored_in_phone_numbers_only:
    a_text("customer", "A12", "+A12");
    a_number_in_a_text_field("customer", "5", "+5");
    an_address("email", "jane@example.com", "+jane@example.com");
}

// Leads that exist and cannot be found

async fn le7_an_upsert_that_cannot_find_the_existing_lead_says_why(rows: Vec<Value>, reason: &str) {
    let fake = FakeTelecrm::new()
        .always(Operation::CreateLead, lead_exists())
        .always(Operation::SearchLeads, Response::page(rows));
    let lead = Lead::new().set("phone", "919999999999");
    let error = fake.client().leads().upsert(&lead).await;
    let error = error.expect_err("the lead cannot be updated");
    assert!(error.is_already_exists() && !error.is_outcome_unknown());
    assert!(format!("{error:#}").contains(reason), "{error:#}");
    assert!(error.hint().is_some_and(|hint| hint.contains("update it by its ID")), "{error:#}");
}

cases! { async le7_an_upsert_that_cannot_find_the_existing_lead_says_why:
    no_search_finds_it(vec![], "a search does not find the existing lead");
    the_search_shows_no_id(
        vec![json!({ "fields": { "phone": "919999999999" } })],
        "returned the existing lead without an ID (LE7)",
    );
}

#[tokio::test]
async fn find_takes_any_spelling_of_the_identifier() {
    let emulator = emulator().await;
    let leads = client(&emulator).leads();
    assert_eq!(leads.find("+91 99999 99999").await.expect("searched"), None);
    let _ = leads.create(&jane()).await.expect("created");
    for spelling in ["919999999999", "+91 99999 99999", "919999999999 "] {
        let found = leads.find(spelling).await.expect("searched");
        assert!(found.is_some_and(|lead| lead.id().is_some()), "{spelling}");
    }
}

#[tokio::test]
async fn first_is_the_newest_lead_that_matches() {
    let emulator = emulator().await;
    let leads = client(&emulator).leads();
    let won = Filter::new().eq("status", "Won");
    assert_eq!(leads.first(&won).await.expect("searched"), None);
    let _ = leads.create(&jane().set("status", "Won")).await.expect("created");
    assert!(leads.first(&won).await.expect("searched").is_some());
}
