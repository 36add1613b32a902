//! The switches of the profile.

use crate::{Answer, Local, answer, error};
use serde_json::{Value, json};
use telecrm_emulator::{Builder, Emulator, Profile};

fn switched(name: &str, value: &str) -> Builder {
    let profile = Profile::documented().with(name, value).expect("a switch");
    Emulator::builder().profile(profile)
}

async fn with(name: &str, value: &str) -> Local {
    Local::with(switched(name, value)).await
}

fn jane() -> Value {
    json!({ "phone": "919999999999", "status": "Contacted", "rating": 4, "assignee": "jane.doe@example.com" })
}

async fn assert_row_ids(value: &str, has_id: bool) {
    let local = with("search-ids", value).await;
    local.create(jane()).await;
    let row = local.search(json!({})).await["data"][0].clone();
    assert_eq!(row["id"].is_string(), has_id);
}

scenarios! { assert_row_ids:
    le7_rows_have_ids("yes", true)
    le7_rows_have_no_ids("no", false)
}

async fn assert_row_attributes(value: &str, inside: bool, at_top_level: bool) {
    let local = with("lead-attributes", value).await;
    let id = local.create(jane()).await;
    let row = local.search(json!({})).await["data"][0].clone();
    for (name, key) in [("status", "status"), ("rating", "rating"), ("assignee", "employeeid")] {
        let wanted = &jane()[name];
        assert_eq!(&row["fields"][name] == wanted, inside, "{value}: {name} inside");
        assert_eq!(&row[key] == wanted, at_top_level, "{value}: {name} at the top level");
    }
    let lead = local.get(&format!("/lead/{id}")).await.1;
    assert_eq!(lead["fields"]["status"], "Contacted", "a single lead has it in `fields`");
    assert_eq!(lead["fields"]["employeeid"].is_string(), at_top_level);
}

scenarios! { assert_row_attributes:
    le11_rows_have_the_status_in_fields("fields", true, false)
    le11_rows_have_the_status_at_the_top_level("row", false, true)
    le11_rows_have_the_status_in_both_places("both", true, true)
}

#[tokio::test]
async fn the_pipeline_has_stages_or_is_flat() {
    let local = with("pipeline", "flat").await;
    let (_, flat) = local.get("/lead-stage-pipeline").await;
    assert_eq!(flat["leadStages"], Value::Null);
    let stages = Local::start().await.get("/lead-stage-pipeline").await.1;
    let labels = |statuses: &Value, archived: bool| -> Vec<Value> {
        let statuses = statuses.as_array().cloned().unwrap_or_default().into_iter();
        statuses
            .filter(|status| status["isArchived"].as_bool().unwrap_or(archived) == archived)
            .map(|status| status["label"].clone())
            .collect()
    };
    let nested = |key: &str, archived| -> Vec<Value> {
        let stages = stages["leadStages"].as_array().expect("stages").iter();
        stages.flat_map(|stage| labels(&stage[key], archived)).collect()
    };
    assert_eq!(labels(&flat["statuses"], false), nested("activeStatuses", false));
    assert_eq!(labels(&flat["statuses"], true), nested("archivedStatuses", true));
    let won = flat["statuses"].as_array().unwrap().iter().find(|s| s["label"] == "Won").unwrap();
    assert_eq!(won["stageType"], "WON");
    assert!(!flat["lostReasons"].as_array().unwrap().is_empty());
    local.create(jane()).await;
}

#[tokio::test]
async fn le10_an_assignee_and_several_statuses_answer_500() {
    let local = with("assignee-and-statuses", "fails").await;
    local.create(jane()).await;
    let search = async |status: Value| {
        let filter = json!({ "fields": { "assignee": "jane.doe@example.com", "status": status } });
        local.post("/lead/search", filter).await.0
    };
    assert_eq!(search(json!(["Fresh", "Contacted"])).await, 500);
    assert_eq!(search(json!(["Contacted"])).await, 200);
    assert_eq!(search(json!("Contacted")).await, 200);
    let several = json!({ "fields": { "status": ["Fresh", "Contacted"] } });
    assert_eq!(local.search(several.clone()).await["total_count"], 1);
    let both = json!({ "fields": { "assignee": "jane.doe@example.com", "status": ["Fresh", "Contacted"] } });
    assert_eq!(Local::start().await.search(both).await["total_count"], 0);
}

async fn assert_async_answer(value: &str, status: u16, content_type: &str, body: &str) {
    let local = with("async-answer", value).await;
    let response =
        local.ingest().json(&json!({ "fields": jane() })).send().await.expect("an answer");
    assert_eq!(response.status(), status);
    let header =
        response.headers().get("content-type").map(|v| v.to_str().expect("an answer").to_owned());
    assert_eq!(header.unwrap_or_default(), content_type);
    assert!(response.text().await.expect("an answer").starts_with(body));
    local.emulator.wait_idle().await;
    assert_eq!(local.search(json!({})).await["total_count"], 1, "{value}");
    assert_eq!(local.emulator.log(0)[0].status, status);
}

scenarios! { assert_async_answer:
    the_async_api_answers_queued("queued", 200, "application/json", r#"{"status":"QUEUED"}"#)
    the_async_api_answers_ok("ok", 200, "text/plain; charset=utf-8", "OK")
    the_async_api_answers_accepted("accepted", 200, "application/json", r#"{"result":"Accepted"}"#)
    the_async_api_answers_204("204", 204, "", "")
    the_async_api_answers_a_page("html", 200, "text/html; charset=utf-8", "<!DOCTYPE html>")
}

/// Pushes a lead with a note and a change of its stage. Returns its timeline and the number of
/// findings.
async fn push_with_note(value: &str) -> (Value, usize) {
    let mut lead = json!({ "fields": jane() });
    let note = json!({ "type": "SYSTEM_NOTE", "text": "Came by", "id": "mine" });
    lead["actions"] = json!([note, { "type": "STAGE_CHANGE" }]);
    let local = with("system-notes", value).await;
    let entry = local.push(lead).await;
    (local.only_lead().await["actions"].clone(), entry.findings.len())
}

#[tokio::test]
async fn as7_a_system_note_is_dropped() {
    assert_eq!(push_with_note("dropped").await, (json!([]), 2));
}

#[tokio::test]
async fn as7_a_system_note_is_added_to_the_timeline() {
    let (timeline, findings) = push_with_note("kept").await;
    assert_eq!(findings, 1);
    assert_eq!(timeline.as_array().unwrap().len(), 1);
    assert_eq!([&timeline[0]["type"], &timeline[0]["text"]], ["SYSTEM_NOTE", "Came by"]);
    assert_ne!(timeline[0]["id"], "mine");
}

async fn of_another_enterprise(local: &Local, path: &str) -> Answer {
    let url = format!("{}/enterprise/62ab16e{path}", local.emulator.sync_url());
    answer(local.http.get(url).bearer_auth(local.emulator.sync_token())).await
}

#[tokio::test]
async fn en7_an_unknown_enterprise_is_401_or_404_for_workspace_operations() {
    let local = with("unknown-enterprise", "404").await;
    let missing =
        (404, error("ENTERPRISE_NOT_FOUND", "The enterprise with ID 62ab16e was not found."));
    for path in [
        "/metadata",
        "/custom-fields",
        "/custom-fields/phone",
        "/custom-actions",
        "/custom-actions/ACTION_1001",
        "/lead-stage-pipeline",
    ] {
        assert_eq!(of_another_enterprise(&local, path).await, missing, "{path}");
        assert_eq!(of_another_enterprise(&Local::start().await, path).await.0, 401, "{path}");
    }
    for path in ["/team-members", "/lead/62ab16e"] {
        assert_eq!(of_another_enterprise(&local, path).await.0, 401, "{path}");
    }
    let url = format!("{}/enterprise/62ab16e/metadata", local.emulator.sync_url());
    assert_eq!(answer(local.http.get(url)).await.0, 401, "without a token");
}

#[tokio::test]
async fn blanks_in_phone_numbers_are_refused_or_stripped() {
    let spelled = json!({ "fields": { "phone": "+91 (99999) 999-99" } });
    let (status, _) = Local::start().await.post("/lead", spelled.clone()).await;
    assert_eq!(status, 400);
    let local = with("phone-blanks", "stripped").await;
    let entry = local.push(spelled).await;
    assert_eq!(entry.stored.as_ref().unwrap()["fields"]["phone"], "919999999999");
    assert_eq!(crate::found(&entry), [("fields.phone".to_owned(), "value_changed")]);
    assert_eq!(local.post("/lead", json!({ "fields": { "phone": "call me" } })).await.0, 400);
    local.emulator.reset();
    local.create(json!({ "phone": "99999 99999" })).await;
}

async fn assert_found_in_another_case(value: &str, found: u64) {
    let local = with("status-case", value).await;
    local.create(jane()).await;
    let filter = json!({ "fields": { "status": "CONTACTED" } });
    assert_eq!(local.search(filter).await["total_count"], found);
}

scenarios! { assert_found_in_another_case:
    le6_a_status_filter_is_case_sensitive("matters", 0)
    le6_a_status_filter_is_case_insensitive("ignored", 1)
}

async fn assert_update_with_unknown_status(value: &str, status: u16, is_written: bool) {
    let local = with("unknown-labels", value).await;
    let id = local.create(jane()).await;
    let body = json!({ "fields": { "status": "Won over", "rating": 5 } });
    assert_eq!(local.post(&format!("/lead/{id}"), body).await.0, status);
    let lead = local.get(&format!("/lead/{id}")).await.1;
    assert_eq!(lead["fields"]["status"], "Contacted");
    assert_eq!(lead["fields"]["rating"] == 5, is_written);
}

scenarios! { assert_update_with_unknown_status:
    le8_an_unknown_status_is_dropped("dropped", 200, true)
    le8_an_unknown_status_is_refused("refused", 400, false)
}

/// A lead with a bad rating and an unknown status.
fn bad_lead() -> Value {
    let mut fields = jane();
    fields["rating"] = json!(6);
    fields["status"] = json!("Won over");
    json!({ "fields": fields })
}

#[tokio::test]
async fn a_bad_value_of_a_new_lead_is_a_remark() {
    let local = with("bad-values", "remarked").await;
    assert_eq!(local.post("/lead", bad_lead()).await.0, 201);
}

#[tokio::test]
async fn a_bad_value_of_a_new_lead_is_refused() {
    let local = with("bad-values", "refused").await;
    let refused = error("VALIDATION_ERROR", "Rating must be between 1 and 5");
    assert_eq!(local.post("/lead", bad_lead()).await, (400, refused));
    assert_eq!(local.search(json!({})).await["total_count"], 0);
    let unknown = json!({ "phone": "918888888888", "status": "Won over", "nonsense": 1 });
    local.create(unknown).await;
}

async fn assert_identifier(value: &str, expected: &str) {
    let local = with("identifier-field", value).await;
    let metadata = local.get("/metadata").await.1;
    assert_eq!(metadata["leadIdentifierFieldId"], expected);
}

scenarios! { assert_identifier:
    en6_the_metadata_name_the_identifier_as_the_seed_does("as-seeded", "phone")
    en6_the_metadata_name_the_identifier_by_its_id("id", "5f8a1b2c3d4e5f6a7b8c9d02")
    en6_the_metadata_name_the_identifier_by_its_api_name("api-name", "phone")
}

#[tokio::test]
async fn the_reported_profile_has_all_reported_answers() {
    let local = Local::with(Emulator::builder().profile(Profile::reported())).await;
    let lead = json!({ "fields": jane(), "actions": [{ "type": "ACTION_1001", "fields": { "note": "x" } }] });
    let pushed = local.ingest().json(&lead).send().await.expect("the emulator answers");
    assert_eq!(pushed.text().await.expect("a text"), "OK");
    local.emulator.wait_idle().await;
    let entry = local.emulator.log(0).pop().expect("the call is in the log");
    assert!(entry.findings.is_empty());
    let row = local.search(json!({})).await["data"][0].clone();
    assert_eq!(
        (&row["status"], &row["employeeid"], &row["actions"], &row["fields"]["status"]),
        (&json!("Contacted"), &json!("jane.doe@example.com"), &json!([]), &Value::Null)
    );
    assert!(row["id"].is_string());
    assert_eq!(row["creationTimestamp"], row["fields"]["created_on"]);
    assert!(row["creationTimestamp"].is_i64(), "{row}");
    let lead = local.only_lead().await;
    assert_eq!(lead["actions"][0]["type"], "ACTION_1001");
    assert!(lead["actions"][0]["creationTimestamp"].is_i64());
    assert!(local.get("/lead-stage-pipeline").await.1["statuses"].is_array());
    let both = json!({ "fields": { "assignee": "jane.doe@example.com", "status": ["Fresh", "Contacted"] } });
    assert_eq!(local.post("/lead/search", both).await.0, 500);
}

#[tokio::test]
async fn the_profile_changes_at_run_time() {
    let local = Local::start().await;
    let url = format!("{}/_emulator/profile", local.emulator.url());
    let (status, documented) = answer(local.http.get(&url)).await;
    assert_eq!(
        (status, documented.as_object().map(serde_json::Map::len)),
        (200, Some(Profile::switches().len()))
    );
    assert_eq!(documented["async-answer"], "queued");

    let change = json!({ "async-answer": "ok", "phone-blanks": "stripped" });
    let (status, changed) = answer(local.http.patch(&url).json(&change)).await;
    assert_eq!(
        (status, &changed["async-answer"], &changed["status-case"]),
        (200, &json!("ok"), &json!("matters"))
    );
    let taken = local.ingest().json(&json!({ "fields": { "phone": "+91 99999-99999" } }));
    assert_eq!(taken.send().await.unwrap().text().await.unwrap(), "OK");
    local.emulator.wait_idle().await;
    assert_eq!(local.only_lead().await["fields"]["phone"], "919999999999");
    local.emulator.reset();
    assert_eq!(local.emulator.profile().values()["phone-blanks"], "stripped");
    local.create(json!({ "phone": "+91 99999-99999" })).await;

    let set = json!({ "profile": "reported", "search-ids": "no" });
    let (status, reported) = answer(local.http.put(&url).json(&set)).await;
    let expected = Profile::reported().with("search-ids", "no").unwrap();
    assert_eq!((status, reported), (200, json!(expected.values())));
    assert_eq!(local.emulator.profile(), expected);
    let (_, pipeline) = local.get("/lead-stage-pipeline").await;
    assert!(pipeline["statuses"].is_array());
    let (_, bare) = answer(local.http.put(&url).json(&json!({}))).await;
    assert_eq!(bare, documented);
}

/// Asserts that this profile is refused with this reason, and changes no switch.
async fn assert_profile_refused(profile: Value, reason: &str) {
    let local = Local::start().await;
    let url = format!("{}/_emulator/profile", local.emulator.url());
    let (status, refused) = answer(local.http.put(&url).json(&profile)).await;
    let message = refused["error"]["message"].as_str().unwrap_or_default();
    assert!(status == 400 && message.contains(reason), "{message}");
    assert_eq!(local.emulator.profile(), Profile::documented());
}

scenarios! { assert_profile_refused:
    an_unknown_value_is_refused(json!({ "async-answer": "yes" }), "queued, ok, accepted, 204, html")
    an_unknown_switch_is_refused(
        json!({ "search-ids": "no", "nonsense": "x" }), "search-ids, lead-attributes"
    )
    a_boolean_value_is_refused(json!({ "search-ids": false }), "search-ids should be a text")
    an_unknown_profile_is_refused(json!({ "profile": "live" }), "documented, reported")
    a_list_is_not_a_profile(json!([]), "switches")
}

/// Pushes a lead under a switch, and returns the answer with the lead's fields and timeline.
async fn pushed(switch: (&str, &str), lead: Value) -> (Value, Value) {
    let local = with(switch.0, switch.1).await;
    let answer = local.ingest().json(&lead).send().await.expect("the emulator answers");
    let answer = answer.json().await.expect("JSON");
    local.emulator.wait_idle().await;
    let lead = match local.search(json!({})).await["total_count"].as_u64() {
        Some(0) => Value::Null,
        _ => local.only_lead().await,
    };
    (answer, lead)
}

#[tokio::test]
async fn the_older_host_answers_with_the_id_of_the_stored_lead() {
    let (answer, lead) = pushed(("async-answer", "legacy"), json!({ "fields": jane() })).await;
    assert_eq!(
        answer,
        json!({ "status": "updated", "modifiedLeadIds": [lead["id"]], "errorString": "",
            "uniqueIdentifier": "919999999999" })
    );
}

#[tokio::test]
async fn the_older_host_answers_200_to_a_lead_that_it_refuses() {
    let bad = json!({ "fields": { "phone": "99" } });
    let (answer, lead) = pushed(("async-answer", "legacy"), bad).await;
    assert_eq!((&answer["status"], &answer["modifiedLeadIds"]), (&json!("error"), &json!([])));
    assert!(answer["errorString"].as_str().expect("a text").contains("phone number"), "{answer}");
    assert_eq!(lead, Value::Null);
}

/// Asserts which spelling of `follow_up_date` names the field under a value of the switch `keys`.
async fn assert_keys(keys: &str, written: &str, is_stored: bool) {
    let fields = json!({ "phone": "919999999999", written: "01/06/2026 10:30" });
    let (_, lead) = pushed(("keys", keys), json!({ "fields": fields })).await;
    assert_eq!(lead["fields"]["follow_up_date"].is_i64(), is_stored, "{lead}");
}

scenarios! { assert_keys:
    as6_only_the_api_name_names_a_field("exact", "Follow_Up_Date", false)
    as6_another_case_names_a_field("case", "Follow_Up_Date", true)
    as6_a_label_does_not_name_a_field("case", "Follow Up Date", false)
    as6_a_label_names_a_field("label", "Follow Up Date", true)
}

#[tokio::test]
async fn le8_an_unknown_status_leaves_a_note() {
    let lead = json!({ "fields": { "phone": "919999999999", "status": "NEW" } });
    let (_, lead) = pushed(("unknown-status", "noted"), lead).await;
    let note = &lead["actions"][0];
    assert_eq!(
        (&note["type"], &note["text"]),
        (&json!("SYSTEM_NOTE"), &json!("No matched status for NEW"))
    );
}

#[tokio::test]
async fn notes_are_kept_in_their_places() {
    let lead = json!({ "fields": jane(), "actions": [
        { "type": "SYSTEM_NOTE", "text": "first" },
        { "type": "ACTION_1001", "fields": {} },
        { "type": "SYSTEM_NOTE", "text": "last" },
    ] });
    let (_, lead) = pushed(("system-notes", "kept"), lead).await;
    let types: Vec<_> = lead["actions"].as_array().unwrap().iter().map(|a| &a["type"]).collect();
    assert_eq!(types, ["SYSTEM_NOTE", "1001", "SYSTEM_NOTE"]);
    assert_eq!(lead["actions"][0]["text"], "last", "the newest comes first");
}

#[tokio::test]
async fn rows_have_computed_fields() {
    let local = with("computed-fields", "shown").await;
    let id = local.create(jane()).await;
    for duration in [125, -1] {
        let call = json!({ "type": "OUTGOING_CALL", "duration": duration });
        let url = format!("{}/_emulator/leads/{id}/timeline", local.emulator.url());
        assert_eq!(answer(local.http.post(url).json(&call)).await.0, 201);
    }
    let row = local.search(json!({})).await["data"][0].clone();
    let lead = local.get(&format!("/lead/{id}")).await.1;
    for fields in [&row["fields"], &lead["fields"]] {
        assert_eq!(fields["calls_count"], 2);
        assert_eq!(fields["connected_call_count"], 1);
        assert_eq!(fields["call_connection_rate_(%)"], 50);
        assert_eq!(fields["total_call_duration"], 125);
        assert_eq!(fields["last_activity_type"], "OUTGOING_CALL");
    }
    assert_eq!(row["labelids"], json!([]));
}
