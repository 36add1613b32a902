//! Actions of the Sync API.

use crate::{Local, error};
use serde_json::{Value, json};
use telecrm_emulator::{ActionCodes, Emulator, Performers, PrefixedTypes, Profile, WorkspaceFile};

const PHONE: &str = "919999999999";

impl Local {
    /// Creates a lead with these actions. Returns the lead's ID and the answer.
    async fn with_actions(&self, actions: Value) -> (String, Value) {
        let lead = self.create(json!({ "phone": PHONE })).await;
        let answer =
            self.post(&format!("/lead/{lead}/action"), json!({ "actions": actions })).await;
        assert_eq!(answer.0, 200, "{}", answer.1);
        (lead, answer.1)
    }

    /// Creates a lead with one action. Returns the path of the lead's actions.
    async fn with_action(&self, action: Value) -> String {
        let (lead, created) = self.with_actions(json!([action])).await;
        assert_eq!(created["actions"][0]["status"], "CREATED", "{created}");
        let id = created["actions"][0]["action_id"].as_str().expect("an ID");
        format!("/lead/{lead}/action/{id}")
    }
}

fn visit() -> Value {
    json!({ "type": "1001", "fields": { "note": "Demo scheduled" } })
}

fn payment() -> Value {
    json!({ "type": "PAYMENT", "status": "PENDING", "currency": "INR", "amount": "10000" })
}

#[tokio::test]
async fn ac1_a_built_in_type_refuses_the_whole_request() {
    let local = Local::start().await;
    let lead = local.create(json!({ "phone": PHONE })).await;
    let message = "Only custom actions and payment actions can be created";
    for wrong in [
        json!({ "type": "OUTGOING_CALL" }),
        json!({ "type": "SYSTEM_NOTE", "text": "hello" }),
        json!({}),
    ] {
        let body = json!({ "actions": [visit(), wrong] });
        let answer = local.post(&format!("/lead/{lead}/action"), body.clone()).await;
        assert_eq!(answer, (400, error("BAD_REQUEST", message)), "{body}");
    }
    let (_, lead) = local.get(&format!("/lead/{lead}?includeActions=true")).await;
    assert_eq!(lead["actions"], json!([]), "no action was created");
}

#[tokio::test]
async fn ac2_a_prefixed_code_is_ignored_or_refused() {
    let prefixed = json!({ "type": "ACTION_1001", "fields": { "note": "x" } });
    let local = Local::start().await;
    let (_, created) = local.with_actions(json!([prefixed, visit()])).await;
    assert_eq!(created["actions"][0], json!({ "action_id": null, "status": "IGNORED" }));
    assert_eq!(created["actions"][1]["status"], "CREATED");
    assert_eq!(created["remarks"][0]["field"], "actions[0].type");
    let entry = local.emulator.log(0).pop().expect("an entry");
    assert_eq!(entry.findings[0].pitfall.as_deref(), Some("AC2"));
    assert_eq!(entry.operation.as_deref(), Some("createActions"));

    let mut profile = Profile::documented();
    profile.prefixed_types = PrefixedTypes::Refused;
    let local = Local::with(Emulator::builder().profile(profile)).await;
    let lead = local.create(json!({ "phone": PHONE })).await;
    let body = json!({ "actions": [prefixed] });
    let (status, refused) = local.post(&format!("/lead/{lead}/action"), body).await;
    assert_eq!((status, &refused["error"]["code"]), (400, &json!("BAD_REQUEST")));
}

#[tokio::test]
async fn ac3_only_the_status_of_a_payment_changes() {
    let local = Local::start().await;
    let path = local.with_action(payment()).await;
    let message =
        "Cannot update amount, currency, or paymentid fields for existing payment action.";
    for (key, value) in [("amount", "10000"), ("currency", "INR"), ("paymentid", "p1")] {
        let body = json!({ "type": "PAYMENT", "status": "COMPLETED", key: value });
        let answer = local.post(&path, body).await;
        assert_eq!(answer, (400, error("BAD_REQUEST", message)), "{key}");
    }
    assert_eq!(local.get(&path).await.1["status"], "PENDING");

    let (status, updated) =
        local.post(&path, json!({ "type": "PAYMENT", "status": "COMPLETED" })).await;
    assert_eq!(status, 200);
    assert_eq!(
        [&updated["type"], &updated["status"], &updated["currency"], &updated["amount"]],
        ["PAYMENT", "COMPLETED", "INR", "10000"]
    );
    assert!(updated["modificationTimestamp"].is_i64());
    assert_eq!(local.get(&path).await, (200, updated));

    let bad = json!({ "type": "PAYMENT", "status": "PAID" });
    let (status, refused) = local.post(&path, bad).await;
    assert_eq!((status, &refused["error"]["code"]), (400, &json!("VALIDATION_ERROR")));
}

#[tokio::test]
async fn ac4_each_action_is_accepted_or_ignored_on_its_own() {
    let local = Local::start().await;
    let bad_payment = json!({ "type": "PAYMENT", "status": "PENDING", "currency": "INR" });
    let unknown = json!({ "type": "4711", "fields": {} });
    let half = json!({ "type": "1001", "fields": { "note": "kept", "nonsense": 1 } });
    let (lead, created) = local.with_actions(json!([bad_payment, visit(), unknown, half])).await;
    assert_eq!(created["lead_id"], lead);
    let statuses: Vec<_> =
        created["actions"].as_array().unwrap().iter().map(|a| &a["status"]).collect();
    assert_eq!(statuses, ["IGNORED", "CREATED", "IGNORED", "CREATED"]);
    let places: Vec<_> =
        created["remarks"].as_array().unwrap().iter().map(|r| &r["field"]).collect();
    assert_eq!(places, ["actions[0]", "actions[2].type", "actions[3].fields.nonsense"]);
    let found = local.post(&format!("/lead/{lead}/action/search"), json!({})).await.1;
    assert_eq!(found["total_count"], 2);
    assert_eq!(found["data"][0]["fields"], json!({ "note": "kept" }), "the newest first");
}

#[tokio::test]
async fn ac5_a_built_in_entry_cannot_be_read_alone() {
    let local = Local::start().await;
    let lead = local.create(json!({ "phone": PHONE })).await;
    let call =
        json!({ "type": "OUTGOING_CALL", "employeeid": "agent@company.com", "duration": 31 });
    let id = local.emulator.add_timeline_entry(&lead, call).expect("recorded");
    let path = format!("/lead/{lead}/action/{id}");
    let message = "Only custom actions and payment actions can be retrieved";
    assert_eq!(local.get(&path).await, (400, error("BAD_REQUEST", message)));
    let (status, _) = local.post(&path, json!({ "type": "OUTGOING_CALL" })).await;
    assert_eq!(status, 400);
    let found = local
        .post(&format!("/lead/{lead}/action/search"), json!({ "type": "OUTGOING_CALL" }))
        .await
        .1;
    assert_eq!((&found["total_count"], &found["data"][0]["duration"]), (&json!(1), &json!(31)));

    assert_eq!(
        local.emulator.add_timeline_entry(&lead, visit()),
        None,
        "clients can create this type"
    );
    assert_eq!(local.emulator.add_timeline_entry("62ab16e", json!({ "type": "NOTE" })), None);
}

#[tokio::test]
async fn ac6_the_time_of_an_entry_is_its_creation_timestamp() {
    let local = Local::start().await;
    let path = local.with_action(visit()).await;
    let (status, action) = local.get(&path).await;
    assert_eq!(status, 200);
    assert_eq!(action["type"], "1001");
    assert_eq!(action["fields"], json!({ "note": "Demo scheduled" }));
    assert!(action["creationTimestamp"].is_i64());
    assert_eq!(action["performed_at"], Value::Null);

    let dated = json!({ "type": "1001", "created_on": "01/01/2023 11:30:00" });
    let lead = local.create(json!({ "phone": "918888888888" })).await;
    let created =
        local.post(&format!("/lead/{lead}/action"), json!({ "actions": [dated] })).await.1;
    let id = created["actions"][0]["action_id"].as_str().unwrap();
    let action = local.get(&format!("/lead/{lead}/action/{id}")).await.1;
    assert_eq!(action["creationTimestamp"], 1_672_552_800_000_i64, "11:30 in India");
}

/// A workspace with a member that has an ID.
fn with_member_ids() -> WorkspaceFile {
    let mut file = WorkspaceFile::sample();
    file.team_members[0].insert("id".into(), json!("u1"));
    file
}

#[tokio::test]
async fn ac7_performers_are_addresses_for_leads_and_ids_for_timelines() {
    for (performers, by_email) in [(Performers::Any, 1), (Performers::Ids, 0)] {
        let mut profile = Profile::documented();
        profile.performers = performers;
        let builder = Emulator::builder().seed(with_member_ids()).profile(profile);
        let local = Local::with(builder).await;
        let lead = local.create(json!({ "phone": PHONE })).await;
        let call = json!({ "type": "OUTGOING_CALL", "employeeid": "jane.doe@example.com" });
        local.emulator.add_timeline_entry(&lead, call).expect("recorded");
        let count = async |filter: Value| {
            let found = local.post(&format!("/lead/{lead}/action/search"), filter).await;
            found.1["total_count"].clone()
        };
        assert_eq!(count(json!({ "performed_by": "u1" })).await, 1);
        assert_eq!(count(json!({ "performed_by": ["u2", "u1"] })).await, 1);
        assert_eq!(count(json!({ "performed_by": "Jane.Doe@example.com" })).await, by_email);
        assert_eq!(count(json!({ "performed_by": "john.smith@example.com" })).await, 0);
        let leads = async |performer: &str| {
            let found = local.search(json!({ "actions": { "performed_by": performer } })).await;
            found["total_count"].clone()
        };
        assert_eq!(leads("jane.doe@example.com").await, 1);
        assert_eq!(leads("u1").await, 0);
    }
}

#[tokio::test]
async fn a_timeline_is_searched_by_type_and_time_page_by_page() {
    let local = Local::start().await;
    let (lead, _) = local.with_actions(json!([visit(), payment(), visit()])).await;
    for (time, duration) in
        [(1_775_000_000_000_i64, 1), (1_777_573_799_000, 2), (1_777_573_800_000, 3)]
    {
        let call =
            json!({ "type": "OUTGOING_CALL", "creationTimestamp": time, "duration": duration });
        local.emulator.add_timeline_entry(&lead, call).expect("recorded");
    }
    let path = format!("/lead/{lead}/action/search");
    let found = async |query: &str, filter: Value| {
        let (status, found) = local.post(&format!("{path}{query}"), filter).await;
        assert_eq!(status, 200, "{found}");
        found
    };
    assert_eq!(found("", json!({})).await["total_count"], 6);
    assert_eq!(found("", json!({ "type": "1001" })).await["total_count"], 2);
    assert_eq!(found("", json!({ "type": ["PAYMENT", "1001"] })).await["total_count"], 3);
    assert_eq!(found("", json!({ "type": "ACTION_1001" })).await["total_count"], 0);
    let april = json!({ "from": "01/04/2026 00:00:00", "to": "30/04/2026 23:59:59" });
    let calls = found("", json!({ "type": "OUTGOING_CALL", "created_on": april })).await;
    let durations: Vec<_> =
        calls["data"].as_array().unwrap().iter().map(|c| &c["duration"]).collect();
    assert_eq!(durations, [2, 1], "the range includes both ends, and the newest entry is first");
    let page = found("?skip=2&limit=3", json!({})).await;
    assert_eq!(
        (&page["skip"], &page["limit"], page["data"].as_array().unwrap().len()),
        (&json!(2), &json!(3), 3)
    );

    for filter in [
        json!([]),
        json!({ "type": 1 }),
        json!({ "created_on": "today" }),
        json!({ "created_on": { "from": "2026-04-01T00:00:00Z" } }),
    ] {
        assert_eq!(
            local.post(&path, filter.clone()).await,
            (400, error("BAD_REQUEST", "Invalid filter")),
            "{filter}"
        );
    }
    let answer = local.post(&format!("{path}?limit=101"), json!({})).await;
    assert_eq!(answer, (400, error("BAD_REQUEST", "Limit should be between 1 and 100")));
}

#[tokio::test]
async fn an_update_of_a_custom_action_writes_all_fields_or_none() {
    let local = Local::start().await;
    let first = json!({ "type": "1001", "fields": { "note": "a", "outcome": "Interested" } });
    let path = local.with_action(first).await;
    let (status, updated) = local
        .post(&path, json!({ "type": "1001", "fields": { "note": "b", "nonsense": 1 } }))
        .await;
    assert_eq!(
        (status, &updated["fields"]),
        (200, &json!({ "note": "b", "outcome": "Interested" }))
    );
    let entry = local.emulator.log(0).pop().expect("an entry");
    assert_eq!(crate::found(&entry), [("actions[0].fields.nonsense".to_owned(), "field_dropped")]);
    assert_eq!(entry.stored.unwrap()["fields"], json!({ "note": "b" }));

    let (status, refused) = local
        .post(&path, json!({ "type": "1001", "fields": { "note": 7, "outcome": "No" } }))
        .await;
    assert_eq!((status, &refused["error"]["code"]), (400, &json!("VALIDATION_ERROR")));
    assert_eq!(local.get(&path).await.1["fields"], updated["fields"], "the update wrote nothing");
    for wrong in [
        json!({ "type": "ACTION_1001" }),
        json!({ "type": "PAYMENT" }),
        json!({ "fields": {} }),
        json!(["1001"]),
    ] {
        let (status, refused) = local.post(&path, wrong.clone()).await;
        assert_eq!((status, &refused["error"]["code"]), (400, &json!("BAD_REQUEST")), "{wrong}");
    }
    local.post(&path, json!({ "type": "1001", "created_on": 1 })).await;
    let entry = local.emulator.log(0).pop().expect("an entry");
    assert_eq!(crate::found(&entry), [("actions[0].created_on".to_owned(), "field_dropped")]);
}

#[tokio::test]
async fn unknown_leads_and_actions_are_404() {
    let local = Local::start().await;
    let lead = local.create(json!({ "phone": PHONE })).await;
    let no_lead = (404, error("LEAD_NOT_FOUND", "Lead with ID 62ab16e was not found."));
    let no_action = (404, error("ACTION_NOT_FOUND", "Action with ID 62ab16e was not found."));
    let actions = json!({ "actions": [visit()] });
    assert_eq!(local.post("/lead/62ab16e/action", actions).await, no_lead);
    assert_eq!(local.get("/lead/62ab16e/action/x").await, no_lead);
    assert_eq!(local.post("/lead/62ab16e/action/x", visit()).await, no_lead);
    let answer = local.post("/lead/62ab16e/action/search", json!({})).await;
    assert_eq!(answer, (404, error("LEAD_NOT_FOUND", "Lead with given ID was not found.")));
    assert_eq!(local.get(&format!("/lead/{lead}/action/62ab16e")).await, no_action);
    assert_eq!(local.post(&format!("/lead/{lead}/action/62ab16e"), visit()).await, no_action);
    for body in [
        json!({}),
        json!({ "actions": [] }),
        json!({ "actions": visit() }),
        json!({ "actions": ["1001"] }),
    ] {
        let (status, refused) = local.post(&format!("/lead/{lead}/action"), body.clone()).await;
        assert_eq!((status, &refused["error"]["code"]), (400, &json!("BAD_REQUEST")), "{body}");
    }
}

#[tokio::test]
async fn each_action_adds_its_score_to_the_lead() {
    let local = Local::with(Emulator::builder().profile(Profile::reported())).await;
    let (lead, _) = local.with_actions(json!([visit(), payment(), visit()])).await;
    let scores = WorkspaceFile::sample().custom_actions;
    let score =
        scores.iter().find(|a| a["code"] == "ACTION_1001").unwrap()["score"].as_i64().unwrap();
    assert!(score > 0);
    assert_eq!(local.search(json!({})).await["data"][0]["score"], 2 * score);
    local.post(&format!("/lead/{lead}/action"), json!({ "actions": [visit()] })).await;
    assert_eq!(local.search(json!({})).await["data"][0]["score"], 3 * score);
}

#[tokio::test]
async fn codes_read_back_bare_or_with_their_prefix() {
    for (codes, expected) in [(ActionCodes::Bare, "1001"), (ActionCodes::Prefixed, "ACTION_1001")] {
        let mut profile = Profile::documented();
        profile.action_codes = codes;
        let local = Local::with(Emulator::builder().profile(profile)).await;
        let path = local.with_action(visit()).await;
        assert_eq!(local.get(&path).await.1["type"], expected);
        assert_eq!(local.post(&path, visit()).await.1["type"], expected);
        assert_eq!(local.only_lead().await["actions"][0]["type"], expected);
        let (lead, _) = path.split_once("/action/").unwrap();
        let found = local.post(&format!("{lead}/action/search"), json!({ "type": "1001" })).await.1;
        assert_eq!(found["data"][0]["type"], expected);
    }
}
