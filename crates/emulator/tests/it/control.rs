//! The emulator's own endpoints.

use crate::{Answer, Local, answer};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;
use telecrm_emulator::Emulator;

impl Local {
    pub(crate) async fn own(&self, path: &str) -> Answer {
        answer(self.http.get(format!("{}{path}", self.emulator.url()))).await
    }

    async fn command(&self, path: &str) -> StatusCode {
        let request = self.http.post(format!("{}{path}", self.emulator.url()));
        let response = request.send().await.expect("the emulator answers");
        response.status()
    }
}

#[tokio::test]
async fn health_needs_no_token() {
    let local = Local::start().await;
    assert_eq!(local.own("/_emulator/health").await, (200, json!({ "status": "ok" })));
    let (status, refused) =
        answer(local.http.post(format!("{}/_emulator/health", local.emulator.url()))).await;
    assert_eq!((status, &refused["error"]["code"]), (405, &json!("METHOD_NOT_ALLOWED")));
}

#[tokio::test]
async fn the_log_shows_stored_values_and_losses() {
    let local = Local::start().await;
    local.push(json!({ "fields": { "phone": "919999999999", "rating": "3" } })).await;
    local.search(json!({})).await;
    let (status, log) = local.own("/_emulator/log").await;
    assert_eq!(status, 200);
    let entries = log["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 2, "the log has no calls to the own endpoints");

    let entry = entries[0].as_object().unwrap();
    let keys: Vec<_> = entry.keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "findings",
            "found",
            "method",
            "ms",
            "operation",
            "path",
            "query",
            "refused",
            "seq",
            "status",
            "stored"
        ]
    );
    assert_eq!((&entry["seq"], &entry["status"]), (&json!(1), &json!(200)));
    assert_eq!(
        [&entry["method"], &entry["path"], &entry["operation"]],
        ["POST", "/enterprise/ent-local/autoupdatelead", "createOrUpdateLead"]
    );
    assert_eq!(entry["stored"]["fields"], json!({ "phone": "919999999999", "status": "Fresh" }));
    assert_eq!(entry["stored"]["actions"], json!([]));
    let finding = &entry["findings"][0];
    assert_eq!(
        [&finding["path"], &finding["kind"], &finding["pitfall"], &finding["certainty"]],
        ["fields.rating", "field_dropped", "AS3", "documented"]
    );
    assert_eq!(entries[1]["operation"], "searchLeads");
    assert_eq!(entries[1]["path"], "/autoupdate/v2/enterprise/ent-local/lead/search");
    assert_eq!(entries[1]["stored"], Value::Null);

    let (_, log) = local.own("/_emulator/log?since=1").await;
    assert_eq!(log["entries"].as_array().unwrap().len(), 1);
    assert_eq!(log["entries"][0]["seq"], 2);
    let (status, _) = local.own("/_emulator/log?since=yesterday").await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn every_operation_has_its_id_in_the_log() {
    let local = Local::start().await;
    let id = local.create(json!({ "phone": "919999999999" })).await;
    local.get(&format!("/lead/{id}")).await;
    local.post(&format!("/lead/{id}"), json!({ "fields": {} })).await;
    local.search(json!({})).await;
    let action =
        json!({ "type": "PAYMENT", "status": "PENDING", "currency": "INR", "amount": "5000" });
    let actions = format!("/lead/{id}/action");
    let (_, created) = local.post(&actions, json!({ "actions": [action] })).await;
    let action = format!("{actions}/{}", created["actions"][0]["action_id"].as_str().unwrap());
    local.get(&action).await;
    local.post(&action, json!({ "type": "PAYMENT" })).await;
    local.post(&format!("{actions}/search"), json!({})).await;
    local.get("/team-members").await;
    local.post("/team-members", json!({})).await;
    local.get("/team-members/jane.doe@example.com").await;
    local.post("/teammember/state_change", json!({})).await;
    for path in [
        "/metadata",
        "/custom-fields",
        "/custom-fields/phone",
        "/custom-actions",
        "/custom-actions/ACTION_1001",
        "/lead-stage-pipeline",
        "/webhooks",
    ] {
        local.get(path).await;
    }
    let log = local.emulator.log(0);
    let operations: Vec<_> =
        log.iter().map(|entry| entry.operation.as_deref().unwrap_or("none")).collect();
    assert_eq!(
        operations,
        [
            "createLead",
            "getLead",
            "updateLead",
            "searchLeads",
            "createActions",
            "getAction",
            "updateAction",
            "searchActions",
            "listTeamMembers",
            "createTeamMember",
            "getTeamMember",
            "setTeamMemberState",
            "getMetadata",
            "listCustomFields",
            "getCustomField",
            "listCustomActions",
            "getCustomAction",
            "getLeadStagePipeline",
            "none",
        ]
    );
}

#[tokio::test]
async fn settle_waits_until_the_queue_is_empty() {
    let delay = Duration::from_millis(200);
    let local = Local::with(Emulator::builder().processing_delay(delay)).await;
    for phone in ["919999999998", "919999999999"] {
        let lead = json!({ "fields": { "phone": phone } });
        assert_eq!(answer(local.ingest().json(&lead)).await.0, 200);
    }
    assert_eq!(local.command("/_emulator/settle").await, StatusCode::NO_CONTENT);
    assert_eq!(local.search(json!({})).await["total_count"], 2);
    let nothing_to_do = local.command("/_emulator/settle").await;
    assert_eq!(nothing_to_do, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn reset_returns_to_the_seed() {
    let local = Local::with(Emulator::builder().processing_delay(Duration::from_millis(200))).await;
    let old = local.create(json!({ "phone": "919999999999", "contact_source": "Fair" })).await;
    let queued = json!({ "fields": { "phone": "919999999998" } });
    assert_eq!(answer(local.ingest().json(&queued)).await.0, 200);
    let last = local.emulator.log(0).last().unwrap().seq;
    assert_eq!(local.command("/_emulator/reset").await, StatusCode::NO_CONTENT);
    assert!(local.emulator.log(0).is_empty());
    local.emulator.wait_idle().await;

    assert_eq!(local.search(json!({})).await["total_count"], 0, "the reset emptied the queue");
    let (_, field) = local.get("/custom-fields/contact_source").await;
    assert_eq!(field["options"].as_array().unwrap().len(), 3);
    assert_eq!(local.get(&format!("/lead/{old}")).await.0, 404);
    assert_ne!(local.create(json!({ "phone": "919999999999" })).await, old);
    assert!(local.emulator.log(0)[0].seq > last);
}

#[tokio::test]
async fn the_descriptions_are_served_in_both_stages() {
    let local = Local::start().await;
    for api in ["sync", "async"] {
        let url = format!("{}/openapi/{api}.yaml", local.emulator.url());
        let text = async |query: &str| {
            let response = local.http.get(format!("{url}{query}")).send().await.unwrap();
            assert_eq!(
                (response.status(), &response.headers()["content-type"]),
                (StatusCode::OK, &"application/yaml".parse().unwrap())
            );
            response.text().await.unwrap()
        };
        let (overlaid, vendored) = (text("").await, text("?stage=vendored").await);
        assert!(vendored.contains("openapi:") && !vendored.contains("operationId"));
        assert!(overlaid.contains("openapi:") && overlaid.contains("operationId"));
        assert_eq!(text("?stage=overlaid").await, overlaid);
        let (status, _) = local.own(&format!("/openapi/{api}.yaml?stage=other")).await;
        assert_eq!(status, 400);
    }
}

#[tokio::test]
async fn a_restored_snapshot_has_the_same_state_and_new_ids() {
    let local = Local::start().await;
    let first = local.create(json!({ "phone": "919999999999" })).await;
    let url = format!("{}/_emulator/snapshot", local.emulator.url());
    assert_eq!(answer(local.http.post(&url)).await, (201, json!({ "snapshot": 1 })));
    let second = local.create(json!({ "phone": "918888888888", "contact_source": "Fair" })).await;
    assert_eq!(local.emulator.snapshot(), 2);
    let john = json!({ "name": "John", "email": "j@example.com", "phone_number": "919876543210", "role": "CALLER" });
    assert_eq!(local.post("/team-members", john).await.0, 201);

    let restored = local.command("/_emulator/restore?snapshot=1").await;
    assert_eq!(restored, StatusCode::NO_CONTENT);
    assert_eq!(local.search(json!({})).await["total_count"], 1);
    assert_eq!(local.get(&format!("/lead/{first}")).await.0, 200);
    assert_eq!(local.get("/team-members").await.1["total_count"], 2);
    let source = local.get("/custom-fields/contact_source").await.1;
    assert!(!source.to_string().contains("Fair"));
    let third = local.create(json!({ "phone": "918888888888" })).await;
    assert_ne!(second, third);

    assert!(local.emulator.restore(2));
    assert_eq!(local.get(&format!("/lead/{second}")).await.0, 200);
    assert!(!local.emulator.restore(0) && !local.emulator.restore(3));
    for (query, status) in [("?snapshot=3", 404), ("?snapshot=x", 400), ("", 400)] {
        let answered = local.command(&format!("/_emulator/restore{query}")).await;
        assert_eq!(answered, status, "{query}");
    }
}

/// Sends this body. Asserts that the log has a loss for each of these keys, and the answer no
/// remark.
async fn assert_unread(local: &Local, path: &str, body: Value, unread: &[&str]) {
    let (status, answer) = local.post(path, body).await;
    assert!(status < 300, "{path}: {answer}");
    assert!(!answer.to_string().contains("IGNORED"), "{answer}");
    let call = local.emulator.log(0).pop().expect("the call");
    let paths: Vec<_> = call.findings.iter().map(|f| f.path.to_string()).collect();
    assert_eq!(paths, unread, "{path}");
    assert!(call.findings.iter().all(|finding| finding.is_loss()));
}

async fn assert_unread_of_workspace(path: &str, body: Value, unread: &[&str]) {
    assert_unread(&Local::start().await, path, body, unread).await;
}

scenarios! { assert_unread_of_workspace:
    the_log_shows_unread_keys_of_a_new_team_member(
        "/team-members",
        json!({ "name": "John", "email": "j@example.com", "phone_number": "919876543210",
            "role": "CALLER", "manager": "x" }),
        &["manager"],
    )
    the_log_shows_unread_keys_of_a_change_of_state(
        "/teammember/state_change",
        json!({ "email": "jane.doe@example.com", "state": "Active", "role": "ADMIN" }),
        &["role"],
    )
    the_log_shows_unread_keys_of_a_search(
        "/lead/search",
        json!({ "filters": {}, "limit": 5,
            "actions": { "since": 5, "performed_at": { "gte": 5 } },
            "fields": { "created_on": { "from": 5, "until": 6 } } }),
        &["filters", "limit", "fields.created_on.until", "actions.since", "actions.performed_at.gte"],
    )
}

/// An emulator with a lead, and the paths of the lead and of its payment.
async fn with_payment() -> (Local, String, String) {
    let local = Local::start().await;
    let lead = json!({ "fields": { "phone": "919999999999" }, "actions": [
        { "type": "PAYMENT", "status": "PENDING", "currency": "INR", "amount": "5" },
    ] });
    let (_, created) = local.post("/lead", lead).await;
    let lead = format!("/lead/{}", created["lead_id"].as_str().expect("an ID"));
    let payment = created["actions"][0]["action_id"].as_str().expect("an ID");
    let payment = format!("{lead}/action/{payment}");
    (local, lead, payment)
}

#[tokio::test]
async fn the_log_shows_unread_keys_of_new_actions() {
    let (local, lead, _) = with_payment().await;
    let body =
        json!({ "actions": [{ "type": "1001" }], "fields": { "name": "Jane" }, "note": "x" });
    assert_unread(&local, &format!("{lead}/action"), body, &["fields", "note"]).await;
}

#[tokio::test]
async fn the_log_shows_unread_keys_of_a_changed_payment() {
    let (local, _, payment) = with_payment().await;
    let body = json!({ "type": "PAYMENT", "status": "COMPLETED", "fields": {}, "created_on": 5 });
    let unread = ["actions[0].created_on", "actions[0].fields"];
    assert_unread(&local, &payment, body, &unread).await;
}

#[tokio::test]
async fn the_log_shows_unread_keys_of_a_search_for_actions() {
    let (local, lead, _) = with_payment().await;
    let body = json!({ "types": ["1001"], "created_on": { "after": 5 } });
    let unread = ["types", "created_on.after"];
    assert_unread(&local, &format!("{lead}/action/search"), body, &unread).await;
}

#[tokio::test]
async fn a_limit_in_the_body_of_a_search_has_a_suggestion() {
    let local = Local::start().await;
    let (_, found) = local.post("/lead/search", json!({ "limit": 5 })).await;
    assert_eq!(found["limit"], 10);
    let call = local.emulator.log(0).pop().expect("the call");
    let suggestion = call.findings[0].suggestion.as_deref();
    assert_eq!(suggestion, Some("write it in the query of the URL: ?limit=…"));
}

/// Asserts that the timeline entry is refused with this reason, over HTTP and by the method.
async fn assert_entry_refused(entry: Value, reason: &str) {
    let local = Local::start().await;
    let lead = local.create(json!({ "phone": "919999999999" })).await;
    let url = format!("{}/_emulator/leads/{lead}/timeline", local.emulator.url());
    let (status, refused) = answer(local.http.post(url).json(&entry)).await;
    assert_eq!(status, 400, "{entry}");
    assert!(refused.to_string().contains(reason), "{refused}");
    assert_eq!(local.emulator.add_timeline_entry(&lead, entry), None);
    let lead = local.get(&format!("/lead/{lead}?includeActions=true")).await;
    assert_eq!(lead.1["actions"], json!([]));
}

scenarios! { assert_entry_refused:
    a_timeline_entry_without_a_type_is_refused(json!({}), "`type`")
    a_timeline_entry_with_a_blank_type_is_refused(json!({ "type": " " }), "`type`")
    a_payment_as_a_timeline_entry_is_refused(json!({ "type": "PAYMENT" }), "`type`")
    a_timeline_entry_with_a_date_is_refused(
        json!({ "type": "USER_NOTE", "creationTimestamp": "2026-04-01" }), "Unix milliseconds"
    )
    a_timeline_entry_with_null_as_time_is_refused(
        json!({ "type": "USER_NOTE", "creationTimestamp": null }), "Unix milliseconds"
    )
}
