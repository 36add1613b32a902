//! Seeds: leads with timelines, and what is refused because it cannot mean what it says.

use crate::{Local, found};
use serde_json::{Value, json};
use telecrm_emulator::{Builder, Emulator, WorkspaceFile};

fn seed(change: impl FnOnce(&mut Value)) -> Builder {
    let mut file = WorkspaceFile::sample().to_json();
    change(&mut file);
    Emulator::builder().seed(WorkspaceFile::from_json(file).expect("a workspace file"))
}

fn flag(file: &mut Value, name: &str, is_identifier: bool) {
    let fields = file["customFields"].as_array_mut().expect("a list").iter_mut();
    for field in fields.filter(|field| field["apiName"] == name) {
        field["isLeadid"] = is_identifier.into();
    }
}

/// Asserts that a seed with this change is refused with an error that names this.
async fn assert_refused(change: impl FnOnce(&mut Value), named: &str) {
    let error = seed(change).start().await.expect_err("refused");
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    let error = format!("{:#}", error.get_ref().expect("a reason"));
    assert!(error.contains(named) && error.contains("hint: "), "{error}");
}

scenarios! { assert_refused:
    an_identifier_that_is_no_field_is_refused(
        |file: &mut Value| {
            file["metadata"]["leadIdentifierFieldId"] = "nofield".into();
            flag(file, "phone", false);
        },
        "no field has the ID or API name `nofield`")
    a_rating_as_identifier_is_refused(
        |file: &mut Value| file["metadata"]["leadIdentifierFieldId"] = "rating".into(),
        "of the type RATING")
    several_flagged_identifiers_are_refused(
        |file: &mut Value| ["name", "email"].map(|name| flag(file, name, true)).into_iter().collect(),
        "`name`, `phone`, `email` all have isLeadid")
    a_code_with_a_letter_is_refused(
        |file: &mut Value| file["customActions"][0]["code"] = "1001x".into(),
        "customActions[0].code: `1001x`")
    an_unknown_setting_is_refused(
        |file: &mut Value| file["emulator"] = json!({ "seets": 1 }),
        "write `seats`")
    a_misspelt_key_is_refused(
        |file: &mut Value| file["custmFields"] = json!([]),
        "write `customFields`")
    a_pipeline_without_a_status_is_refused(
        |file: &mut Value| file["leadStagePipeline"] = json!({ "leadStages": [] }),
        "has no status")
    a_lead_with_a_value_that_cannot_be_stored_is_refused(
        |file: &mut Value| {
            file["leads"] = json!([{ "fields": { "phone": "919999999999", "rating": 9 } }]);
        },
        "leads[0].fields.rating: a rating is a whole number from 1 to 5")
    an_action_that_cannot_be_stored_is_refused(
        |file: &mut Value| {
            file["leads"] = json!([{ "fields": { "phone": "919999999999" },
                "actions": [{ "type": "9999" }] }]);
        },
        "leads[0].actions[0]")
    leads_out_of_order_are_refused(
        |file: &mut Value| {
            file["leads"] = json!([
                { "fields": { "phone": "919999999991" }, "createdOn": 2_000_000_000_000_u64 },
                { "fields": { "phone": "919999999992" }, "createdOn": 1_000_000_000_000_u64 },
            ]);
        },
        "leads[1].createdOn")
}

#[tokio::test]
async fn an_email_address_can_be_the_identifier() {
    let builder = seed(|file| {
        file["metadata"]["leadIdentifierFieldId"] = "email".into();
        flag(file, "phone", false);
        flag(file, "email", true);
    });
    let local = Local::with(builder).await;
    let entry = local.push(json!({ "fields": { "email": "jane@example.com" } })).await;
    assert_eq!(found(&entry), []);
}

#[tokio::test]
async fn unknown_keys_are_kept() {
    let local = Local::with(seed(|file| file["comment"] = "ours".into())).await;
    assert_eq!(local.get("/metadata").await.0, 200);
}

fn with_leads() -> Builder {
    seed(|file| {
        file["leads"] = json!([
            { "fields": { "phone": "919999999991", "name": "Jane" }, "createdOn": 1_700_000_000_000_u64,
              "actions": [
                { "type": "ACTION_1001", "fields": { "note": "seen" } },
                { "type": "PAYMENT", "status": "COMPLETED", "currency": "INR", "amount": "5" },
                { "type": "OUTGOING_CALL", "duration": 96, "creationTimestamp": 1_700_000_100_000_u64 },
            ] },
            { "fields": { "phone": "+919999999991", "name": "Twin" } },
        ]);
    })
}

#[tokio::test]
async fn a_seed_has_leads_with_timelines_and_duplicates() {
    let local = Local::with(with_leads()).await;
    for spelling in ["919999999991", "+919999999991", "9999999991"] {
        let rows = local.search(json!({ "fields": { "phone": spelling } })).await;
        let phones: Vec<_> =
            rows["data"].as_array().unwrap().iter().map(|row| &row["fields"]["phone"]).collect();
        assert_eq!(phones, ["+919999999991", "919999999991"], "{spelling}");
    }
    let rows = local.search(json!({ "fields": { "name": "Jane" } })).await;
    let row = &rows["data"][0];
    assert_eq!(row["fields"]["created_on"], 1_700_000_000_000_u64);
    assert_eq!(row["fields"]["status"], "Fresh");
    let id = row["id"].as_str().expect("an ID");
    let (_, lead) = local.get(&format!("/lead/{id}?includeActions=true")).await;
    let types: Vec<_> = lead["actions"].as_array().unwrap().iter().map(|a| &a["type"]).collect();
    assert_eq!(types, ["OUTGOING_CALL", "PAYMENT", "1001"]);
}

#[tokio::test]
async fn a_reset_restores_the_leads_of_the_seed() {
    let local = Local::with(with_leads()).await;
    local.create(json!({ "phone": "919999999993" })).await;
    local.emulator.reset();
    assert_eq!(local.search(json!({})).await["total_count"], 2);
    local.create(json!({ "phone": "919999999993" })).await;
    assert_eq!(local.search(json!({})).await["total_count"], 3);
}

#[tokio::test]
async fn a_state_file_keeps_the_leads_of_its_seed() {
    let file = crate::state_file::StateFile::new();
    for _ in 0..2 {
        let local = Local::with(with_leads().state(file.path())).await;
        let rows = local.search(json!({ "fields": { "phone": "919999999991" } })).await;
        assert_eq!(rows["total_count"], 2);
        local.emulator.shutdown().await;
    }
}
