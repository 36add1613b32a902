//! The Async API.

use crate::{Local, answer, error, found};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use telecrm_emulator::Emulator;

#[tokio::test]
async fn as1_a_bare_code_loses_the_action_and_not_the_lead() {
    let local = Local::start().await;
    for code in [json!("1001"), json!(1001)] {
        let lead = json!({ "fields": { "phone": "919999999999" }, "actions": [
            { "type": code, "fields": { "note": "lost" } },
            { "type": "ACTION_1001", "fields": { "note": "kept" } },
        ] });
        let entry = local.push(lead).await;
        assert_eq!(found(&entry), [("actions[0]".into(), "action_dropped")]);
        assert_eq!(entry.findings[0].pitfall.as_deref(), Some("AS1"));
    }
    let lead = local.only_lead().await;
    let notes: Vec<_> =
        lead["actions"].as_array().unwrap().iter().map(|a| &a["fields"]["note"]).collect();
    assert_eq!(notes, ["kept", "kept"]);
    assert_eq!(lead["actions"][0]["type"], "1001");
}

#[tokio::test]
async fn as2_a_lead_without_its_identifier_is_dropped_after_200() {
    let local = Local::start().await;
    for fields in [json!({ "name": "Jane" }), json!({ "phone": "99999" }), json!({ "phone": null })]
    {
        let entry = local.push(json!({ "fields": fields, "campaign": "x" })).await;
        assert_eq!(entry.status, 200);
        assert_eq!(entry.stored, None);
        assert_eq!(found(&entry), [("fields.phone".into(), "lead_dropped")]);
    }
    assert_eq!(local.search(json!({})).await["total_count"], 0);
}

#[tokio::test]
async fn as3_each_bad_value_is_dropped_on_its_own() {
    let local = Local::start().await;
    let lead = json!({ "fields": { "phone": "919999999999", "name": "Jane", "rating": "3",
        "interests": "VIP, Returning", "alternate_phone": "99999", "budget": 5 } });
    let entry = local.push(lead).await;
    let lost = ["fields.alternate_phone", "fields.budget", "fields.interests", "fields.rating"];
    assert_eq!(found(&entry), lost.map(|path| (path.to_owned(), "field_dropped")));

    let fields = &local.only_lead().await["fields"];
    assert_eq!(fields["name"], "Jane");
    for path in lost {
        assert_eq!(fields[path.trim_start_matches("fields.")], Value::Null, "{path}");
    }
}

/// Asserts that a date is stored in this form, or has a finding if it is null.
async fn assert_date(written: Value, stored: Value) {
    let local = Local::start().await;
    let fields = json!({ "phone": "919999999999", "follow_up_date": written });
    let entry = local.push(json!({ "fields": fields })).await;
    let mut findings = entry.findings.iter();
    let is_lost = findings.any(|finding| finding.pitfall.as_deref() == Some("AS4"));
    assert_eq!(is_lost, stored.is_null());
    assert_eq!(local.only_lead().await["fields"]["follow_up_date"], stored);
}

const JUNE_1: i64 = 1_780_290_000_000;

scenarios! { assert_date:
    as4_a_date_in_milliseconds_is_stored(json!(JUNE_1), json!(JUNE_1))
    as4_a_date_in_the_format_of_the_workspace_is_stored(json!("01/06/2026 10:30:00"), json!(JUNE_1))
    as4_an_iso_date_is_dropped(json!("2026-06-01T10:30:00+05:30"), Value::Null)
}

#[tokio::test]
async fn as5_a_lead_can_be_lost_after_200() {
    let an_hour = Duration::from_secs(60 * 60);
    let local = Local::with(Emulator::builder().processing_delay(an_hour)).await;
    let lead = json!({ "fields": { "phone": "919999999999" } });
    let queued = answer(local.ingest().json(&lead)).await;
    assert_eq!(queued, (200, json!({ "status": "QUEUED" })));
    assert_eq!(local.search(json!({})).await["total_count"], 0);
    assert_eq!(local.emulator.log(0)[0].stored, None);
}

#[tokio::test]
async fn as6_unknown_fields_are_dropped() {
    let local = Local::start().await;
    let lead = json!({ "fields": { "phone": "919999999999", "Lead Type": "hot" }, "source": "ad" });
    let entry = local.push(lead).await;
    assert_eq!(
        found(&entry),
        [("fields.Lead Type".into(), "field_dropped"), ("source".into(), "field_dropped")]
    );
    assert_eq!(local.only_lead().await["fields"]["Lead Type"], Value::Null);
}

#[tokio::test]
async fn as7_other_action_types_are_dropped() {
    let local = Local::start().await;
    let lead = json!({ "fields": { "phone": "919999999999" }, "actions": [
        { "type": "SYSTEM_NOTE", "text": "hello" },
        {},
        { "type": "ACTION_9999" },
        { "type": "PAYMENT", "status": "PAID", "currency": "INR", "amount": "5000" },
        { "type": "PAYMENT", "status": "COMPLETED", "currency": "INR", "amount": "5000" },
    ] });
    let entry = local.push(lead).await;
    let lost = (0..4).map(|index| (format!("actions[{index}]"), "action_dropped"));
    assert_eq!(found(&entry), lost.collect::<Vec<_>>());

    let actions = &local.only_lead().await["actions"];
    assert_eq!(actions.as_array().unwrap().len(), 1);
    let payment = &actions[0];
    assert_eq!(
        [&payment["type"], &payment["status"], &payment["currency"], &payment["amount"]],
        ["PAYMENT", "COMPLETED", "INR", "5000"]
    );
    assert!(payment["id"].is_string() && payment["creationTimestamp"].is_i64());
}

#[tokio::test]
async fn as8_the_async_api_refuses_a_sync_token() {
    let local = Local::start().await;
    let emulator = &local.emulator;
    let url = format!("{}/enterprise/ent-local/autoupdatelead", emulator.async_url());
    let refused = (401, error("NOT_AUTHORIZED", "Invalid or missing access token."));
    let lead = json!({ "fields": { "phone": "919999999999" } });
    let request = || local.http.post(&url).json(&lead);
    assert_eq!(answer(request().bearer_auth(emulator.sync_token())).await, refused);
    assert_eq!(answer(request().bearer_auth("wrong")).await, refused);
    assert_eq!(answer(request()).await, refused);

    let elsewhere = format!("{}/enterprise/other/autoupdatelead", emulator.async_url());
    let token = emulator.async_token();
    assert_eq!(answer(local.http.post(elsewhere).bearer_auth(token).json(&lead)).await, refused);

    emulator.wait_idle().await;
    assert_eq!(local.search(json!({})).await["total_count"], 0);
}

#[tokio::test]
async fn en3_an_archived_status_is_dropped() {
    let local = Local::start().await;
    let entry =
        local.push(json!({ "fields": { "phone": "919999999999", "status": "Cold" } })).await;
    assert_eq!(found(&entry), [("fields.status".into(), "field_dropped")]);
    assert_eq!(entry.findings[0].pitfall.as_deref(), Some("EN3"));
    assert_eq!(local.only_lead().await["fields"]["status"], "Fresh");
}

#[tokio::test]
async fn en5_an_unknown_label_creates_one_option() {
    let local = Local::start().await;
    let lead = json!({ "fields": { "phone": "919999999999", "contact_source": "Fair", "interests": ["VIP", "New"] },
        "actions": [
            { "type": "ACTION_1001", "fields": { "outcome": "Undecided" } },
            { "type": "ACTION_1001", "fields": { "outcome": "Undecided" } },
        ] });
    let entry = local.push(lead.clone()).await;
    let created = [
        "fields.contact_source",
        "fields.interests",
        "actions[0].fields.outcome",
        "actions[1].fields.outcome",
    ];
    assert_eq!(found(&entry), created.map(|path| (path.to_owned(), "option_created")));
    assert_eq!(found(&local.push(lead).await), []);

    let (_, field) = local.get("/custom-fields/contact_source").await;
    let options = field["options"].as_array().unwrap();
    assert_eq!(options.len(), 4);
    assert_eq!(options[3]["label"], "Fair");
    assert!(options[3]["id"].is_string());
    let (_, summary) = local.get("/custom-fields").await;
    let fields = summary["customFields"].as_array().unwrap();
    let labels = |name| &fields.iter().find(|field| field["apiName"] == name).unwrap()["options"];
    assert_eq!(labels("contact_source"), &json!(["Website", "Referral", "Cold Call", "Fair"]));
    assert_eq!(labels("interests"), &json!(["VIP", "Returning", "New"]));

    let outcomes = json!(["Interested", "Not Interested", "Undecided"]);
    let (_, action) = local.get("/custom-actions/ACTION_1001").await;
    assert_eq!(action["fieldSchema"]["outcome"]["options"], outcomes);
    let (_, all) = local.get("/custom-actions?detail=true").await;
    assert_eq!(all["customActions"][0]["fieldSchema"]["outcome"]["options"], outcomes);
}

#[tokio::test]
async fn id2_all_spellings_of_a_number_are_one_lead() {
    let local = Local::start().await;
    local.push(json!({ "fields": { "phone": "9999999999", "name": "Jane", "rating": 2 } })).await;
    let first = local.only_lead().await;
    local.push(json!({ "fields": { "phone": "+919999999999", "rating": 5 } })).await;
    local.push(json!({ "fields": { "phone": "919999999999", "email": "jane@example.com" } })).await;

    let lead = local.only_lead().await;
    assert_eq!(lead["id"], first["id"]);
    let fields = &lead["fields"];
    assert_eq!(fields["phone"], "919999999999");
    assert_eq!(fields["name"], "Jane", "other fields keep their values");
    assert_eq!((&fields["rating"], &fields["email"]), (&json!(5), &json!("jane@example.com")));
    assert_eq!(fields["status"], "Fresh");
    assert_eq!(fields["created_on"], first["fields"]["created_on"]);
    assert!(fields["modified_on"].as_i64() > first["fields"]["modified_on"].as_i64());
}

#[tokio::test]
async fn an_update_keeps_the_stored_status() {
    let local = Local::start().await;
    local.push(json!({ "fields": { "phone": "919999999999", "status": "Won" } })).await;
    local.push(json!({ "fields": { "phone": "919999999999", "name": "Jane" } })).await;
    assert_eq!(local.only_lead().await["fields"]["status"], "Won");
}

#[tokio::test]
async fn leads_are_processed_in_order_of_arrival() {
    let local = Local::start().await;
    for rating in [1, 2, 3, 4, 5, 1, 2] {
        let lead = json!({ "fields": { "phone": "919999999999", "rating": rating }, "actions": [
            { "type": "ACTION_1002", "fields": { "attendees": rating } } ] });
        assert_eq!(answer(local.ingest().json(&lead)).await.0, 200);
    }
    local.emulator.wait_idle().await;
    let lead = local.only_lead().await;
    assert_eq!(lead["fields"]["rating"], 2);
    let newest_first: Vec<_> = lead["actions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a["fields"]["attendees"].as_i64().unwrap())
        .collect();
    assert_eq!(newest_first, [2, 1, 5, 4, 3, 2, 1]);
    let ids: std::collections::HashSet<_> =
        lead["actions"].as_array().unwrap().iter().map(|a| a["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 7);
    assert!(ids.iter().all(|id| id.len() == 24 && id.bytes().all(|b| b.is_ascii_hexdigit())));
}

#[tokio::test]
async fn actions_are_backdated_only_if_the_workspace_allows_it() {
    let local = Local::start().await;
    let lead = json!({ "fields": { "phone": "919999999999" }, "actions": [
        { "type": "ACTION_1002", "fields": { "note": "now" }, "created_on": "01/01/2023 11:30:00" },
        { "type": "ACTION_1001", "fields": { "note": "old" }, "created_on": "01/01/2023 11:30:00" },
    ] });
    let entry = local.push(lead).await;
    assert_eq!(found(&entry), [("actions[0].created_on".into(), "field_dropped")]);
    let lead = local.only_lead().await;
    assert_eq!(lead["actions"][0]["fields"]["note"], "now", "the newest entry is first");
    assert!(
        lead["actions"][0]["creationTimestamp"].as_i64() >= lead["fields"]["created_on"].as_i64()
    );
    assert_eq!(lead["actions"][1]["creationTimestamp"], 1_672_552_800_000_i64);
}

/// Asserts that a push with this body is refused, and logged.
async fn assert_push_refused(body: &'static str) {
    let local = Local::start().await;
    let (status, answer) = answer(local.ingest().body(body)).await;
    assert_eq!((status, &answer["error"]["code"]), (400, &json!("BAD_REQUEST")));
    assert!(answer["error"]["message"].is_string());
    assert_eq!(local.emulator.log(0).len(), 1);
}

scenarios! { assert_push_refused:
    broken_json_is_refused("{")
    a_push_without_a_body_is_refused("")
    a_list_is_not_a_lead("[]")
    a_push_without_fields_is_refused("{}")
    a_push_with_a_list_of_fields_is_refused(r#"{"fields":[]}"#)
    a_push_with_an_object_of_actions_is_refused(r#"{"fields":{},"actions":{}}"#)
}

#[tokio::test]
async fn older_paths_accept_leads() {
    let local = Local::start().await;
    let emulator = &local.emulator;
    for (index, path) in
        ["/enterprise/ent-local/wordpress", "/v2/enterprise/ent-local/autoupdatelead"]
            .iter()
            .enumerate()
    {
        let url = format!("{}{path}", emulator.async_url());
        let lead = json!({ "fields": { "phone": format!("91999999999{index}") } });
        let request = local.http.post(url).bearer_auth(emulator.async_token()).json(&lead);
        assert_eq!(answer(request).await, (200, json!({ "status": "QUEUED" })));
    }
    emulator.wait_idle().await;
    assert_eq!(local.search(json!({})).await["total_count"], 2);
    assert!(emulator.log(0).iter().all(|e| e.status != 200 || e.operation.is_some()));
}

#[tokio::test]
async fn the_identifier_can_be_another_field() {
    let mut seed = telecrm_emulator::WorkspaceFile::sample();
    seed.metadata.as_mut().unwrap().insert("leadIdentifierFieldId".into(), "email".into());
    let local = Local::with(Emulator::builder().seed(seed)).await;
    local.push(json!({ "fields": { "email": "Jane@Example.com", "name": "Jane" } })).await;
    local
        .push(json!({ "fields": { "email": " jane@example.com ", "phone": "919999999999" } }))
        .await;
    let lead = local.only_lead().await;
    assert_eq!(lead["fields"]["name"], "Jane");
    assert_eq!(lead["fields"]["phone"], "919999999999");
    let found = local.search(json!({ "fields": { "email": "JANE@EXAMPLE.COM" } })).await;
    assert_eq!(found["total_count"], 1);
    let id = lead["id"].as_str().unwrap();
    let (status, _) =
        local.post(&format!("/lead/{id}"), json!({ "fields": { "email": "x@example.com" } })).await;
    assert_eq!(status, 403);
    let request = local
        .sync(Method::POST, &format!("/lead/{id}"))
        .json(&json!({ "fields": { "phone": "919876543210" } }));
    assert_eq!(answer(request).await.0, 200);
}
