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

#[tokio::test]
async fn le7_rows_have_ids_or_not() {
    for (value, carried) in [("yes", true), ("no", false)] {
        let local = with("search-ids", value).await;
        local.create(jane()).await;
        let row = local.search(json!({})).await["data"][0].clone();
        assert_eq!(row["id"].is_string(), carried, "{value}");
    }
}

#[tokio::test]
async fn le11_rows_have_the_status_in_fields_or_at_the_top_level() {
    for (value, inside, at_top_level) in [
        ("fields", true, false),
        ("row", false, true),
        ("both", true, true),
    ] {
        let local = with("lead-attributes", value).await;
        let id = local.create(jane()).await;
        let row = local.search(json!({})).await["data"][0].clone();
        for (name, key) in [
            ("status", "status"),
            ("rating", "rating"),
            ("assignee", "employeeid"),
        ] {
            let wanted = &jane()[name];
            assert_eq!(
                &row["fields"][name] == wanted,
                inside,
                "{value}: {name} inside"
            );
            assert_eq!(
                &row[key] == wanted,
                at_top_level,
                "{value}: {name} at the top level"
            );
        }
        let lead = local.get(&format!("/lead/{id}")).await.1;
        assert_eq!(
            lead["fields"]["status"], "Contacted",
            "a single lead has it in `fields`"
        );
        assert_eq!(lead["fields"]["employeeid"].is_string(), at_top_level);
    }
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
        stages
            .flat_map(|stage| labels(&stage[key], archived))
            .collect()
    };
    assert_eq!(
        labels(&flat["statuses"], false),
        nested("activeStatuses", false)
    );
    assert_eq!(
        labels(&flat["statuses"], true),
        nested("archivedStatuses", true)
    );
    let won = flat["statuses"]
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["label"] == "Won")
        .unwrap();
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

#[tokio::test]
async fn the_async_api_accepts_a_lead_with_four_answers() {
    for (value, status, content_type, body) in [
        ("queued", 200, "application/json", r#"{"status":"QUEUED"}"#),
        ("ok", 200, "text/plain; charset=utf-8", "OK"),
        ("204", 204, "", ""),
        ("html", 200, "text/html; charset=utf-8", "<!DOCTYPE html>"),
    ] {
        let local = with("async-answer", value).await;
        let response = local
            .ingest()
            .json(&json!({ "fields": jane() }))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), status);
        let header = response
            .headers()
            .get("content-type")
            .map(|v| v.to_str().unwrap().to_owned());
        assert_eq!(header.unwrap_or_default(), content_type);
        assert!(response.text().await.unwrap().starts_with(body));
        local.emulator.wait_idle().await;
        assert_eq!(local.search(json!({})).await["total_count"], 1, "{value}");
        assert_eq!(local.emulator.log(0)[0].status, status);
    }
}

#[tokio::test]
async fn as7_system_notes_are_dropped_or_kept() {
    let mut body = json!({ "fields": jane() });
    body["actions"] = json!([{ "type": "SYSTEM_NOTE", "text": "Came by", "id": "mine" }, { "type": "STAGE_CHANGE" }]);
    for (value, kept, lost) in [("dropped", 0, 2), ("kept", 1, 1)] {
        let local = with("system-notes", value).await;
        let entry = local.push(body.clone()).await;
        assert_eq!(entry.findings.len(), lost, "{value}");
        let timeline = local.only_lead().await["actions"].clone();
        assert_eq!(timeline.as_array().unwrap().len(), kept, "{value}");
        if kept == 1 {
            assert_eq!(
                [&timeline[0]["type"], &timeline[0]["text"]],
                ["SYSTEM_NOTE", "Came by"]
            );
            assert_ne!(timeline[0]["id"], "mine");
        }
    }
}

async fn of_another_enterprise(local: &Local, path: &str) -> Answer {
    let url = format!("{}/enterprise/62ab16e{path}", local.emulator.sync_url());
    answer(local.http.get(url).bearer_auth(local.emulator.sync_token())).await
}

#[tokio::test]
async fn en7_an_unknown_enterprise_is_401_or_404_for_workspace_operations() {
    let local = with("unknown-enterprise", "404").await;
    let missing = (
        404,
        error(
            "ENTERPRISE_NOT_FOUND",
            "The enterprise with ID 62ab16e was not found.",
        ),
    );
    for path in [
        "/metadata",
        "/custom-fields",
        "/custom-fields/phone",
        "/custom-actions",
        "/custom-actions/ACTION_1001",
        "/lead-stage-pipeline",
    ] {
        assert_eq!(of_another_enterprise(&local, path).await, missing, "{path}");
        assert_eq!(
            of_another_enterprise(&Local::start().await, path).await.0,
            401,
            "{path}"
        );
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
    assert_eq!(
        entry.stored.as_ref().unwrap()["fields"]["phone"],
        "919999999999"
    );
    assert_eq!(
        crate::found(&entry),
        [("fields.phone".to_owned(), "value_changed")]
    );
    assert_eq!(
        local
            .post("/lead", json!({ "fields": { "phone": "call me" } }))
            .await
            .0,
        400
    );
    local.emulator.reset();
    local.create(json!({ "phone": "99999 99999" })).await;
}

#[tokio::test]
async fn le6_a_status_filter_is_case_sensitive_or_not() {
    for (value, found) in [("matters", 0), ("ignored", 1)] {
        let local = with("status-case", value).await;
        local.create(jane()).await;
        let filter = json!({ "fields": { "status": "CONTACTED" } });
        assert_eq!(local.search(filter).await["total_count"], found, "{value}");
    }
}

#[tokio::test]
async fn le8_an_unknown_status_is_dropped_or_refused() {
    for (value, status) in [("dropped", 200), ("refused", 400)] {
        let local = with("unknown-labels", value).await;
        let id = local.create(jane()).await;
        let body = json!({ "fields": { "status": "Won over", "rating": 5 } });
        let (answered, _) = local.post(&format!("/lead/{id}"), body).await;
        assert_eq!(answered, status, "{value}");
        let lead = local.get(&format!("/lead/{id}")).await.1;
        assert_eq!(
            (&lead["fields"]["status"], &lead["fields"]["rating"] == 5),
            (&json!("Contacted"), status == 200)
        );
    }
}

#[tokio::test]
async fn a_bad_value_of_a_new_lead_is_a_remark_or_refused() {
    let mut lead = jane();
    lead["rating"] = json!(6);
    lead["status"] = json!("Won over");
    for (value, status) in [("remarked", 201), ("refused", 400)] {
        let local = with("bad-values", value).await;
        let (answered, body) = local.post("/lead", json!({ "fields": lead })).await;
        assert_eq!(answered, status, "{value}");
        if status == 400 {
            assert_eq!(
                body,
                error("VALIDATION_ERROR", "Rating must be between 1 and 5")
            );
            assert_eq!(local.search(json!({})).await["total_count"], 0);
            assert_eq!(local.post("/lead", json!({ "fields": { "phone": "918888888888", "status": "Won over", "nonsense": 1 } })).await.0, 201);
        }
    }
}

#[tokio::test]
async fn en6_the_metadata_name_the_identifier_by_id_or_api_name() {
    for (value, expected) in [
        ("as-seeded", "phone"),
        ("id", "5f8a1b2c3d4e5f6a7b8c9d02"),
        ("api-name", "phone"),
    ] {
        let local = with("identifier-field", value).await;
        assert_eq!(
            local.get("/metadata").await.1["leadIdentifierFieldId"],
            expected,
            "{value}"
        );
    }
}

#[tokio::test]
async fn the_reported_profile_has_all_reported_answers() {
    let local = Local::with(Emulator::builder().profile(Profile::reported())).await;
    let entry = local.push(json!({ "fields": jane(), "actions": [{ "type": "ACTION_1001", "fields": { "note": "x" } }] })).await;
    assert!(entry.findings.is_empty());
    let row = local.search(json!({})).await["data"][0].clone();
    assert_eq!(
        (
            &row["status"],
            &row["employeeid"],
            &row["actions"],
            &row["fields"]["status"]
        ),
        (
            &json!("Contacted"),
            &json!("jane.doe@example.com"),
            &json!([]),
            &Value::Null
        )
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
    let taken = local
        .ingest()
        .json(&json!({ "fields": { "phone": "+91 99999-99999" } }));
    assert_eq!(taken.send().await.unwrap().text().await.unwrap(), "OK");
    local.emulator.wait_idle().await;
    assert_eq!(local.only_lead().await["fields"]["phone"], "919999999999");
    local.emulator.reset();
    assert_eq!(
        local.emulator.profile().values()["phone-blanks"],
        "stripped"
    );
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

    for (wrong, said) in [
        (json!({ "async-answer": "yes" }), "queued, ok, 204, html"),
        (
            json!({ "search-ids": "no", "nonsense": "x" }),
            "search-ids, lead-attributes",
        ),
        (
            json!({ "search-ids": false }),
            "search-ids should be a text",
        ),
        (json!({ "profile": "live" }), "documented, reported"),
        (json!([]), "switches"),
    ] {
        let (status, refused) = answer(local.http.put(&url).json(&wrong)).await;
        let message = refused["error"]["message"].as_str().unwrap();
        assert!(
            status == 400 && message.contains(said),
            "{wrong}: {message}"
        );
    }
    assert_eq!(
        local.emulator.profile(),
        Profile::documented(),
        "an invalid change sets no switch"
    );
}
