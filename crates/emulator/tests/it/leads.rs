//! Leads of the Sync API.

use crate::{Local, error, found};
use serde_json::{Value, json};
use telecrm_emulator::Emulator;

#[tokio::test]
async fn a_created_lead_can_be_read() {
    let local = Local::start().await;
    let body = json!({
        "fields": { "name": "Jane Doe", "phone": "+919999999999", "email": "jane.doe@example.com",
            "contact_source": "Website", "interests": ["VIP", "Returning"], "deal_size": 1000 },
        "actions": [{ "type": "1001", "fields": { "note": "Site visit completed", "outcome": "Interested" } }],
        "campaign": "tolerated",
    });
    let (status, created) = local.post("/lead", body).await;
    assert_eq!(status, 201);
    assert_eq!(created["remarks"], json!([]));
    assert_eq!(created["actions"][0]["status"], "CREATED");
    let id = created["lead_id"].as_str().unwrap();
    assert_eq!(id.len(), 24);

    let (status, mut lead) = local.get(&format!("/lead/{id}")).await;
    assert_eq!(status, 200);
    let fields = lead["fields"].as_object_mut().unwrap();
    let [created_on, modified_on] =
        ["created_on", "modified_on"].map(|key| fields.remove(key).unwrap());
    assert!(created_on.as_i64() > Some(1_700_000_000_000));
    assert_eq!(created_on, modified_on);
    assert_eq!(
        lead,
        json!({ "id": id, "fields": { "name": "Jane Doe", "phone": "919999999999", "email": "jane.doe@example.com",
            "status": "Fresh", "contact_source": "Website", "interests": ["VIP", "Returning"], "deal_size": 1000 } })
    );
    let (_, lead) = local.get(&format!("/lead/{id}?includeActions=true")).await;
    assert_eq!(lead["actions"][0]["id"], created["actions"][0]["action_id"]);
    assert_eq!((&lead["actions_skip"], &lead["actions_limit"]), (&json!(0), &json!(10)));

    let log = local.emulator.log(0);
    let stored = log[0].stored.as_ref().unwrap();
    assert_eq!(log[0].operation.as_deref(), Some("createLead"));
    assert_eq!((&stored["id"], &stored["fields"]["status"]), (&json!(id), &json!("Fresh")));
    assert_eq!(stored["actions"][0]["fields"]["outcome"], "Interested");
    assert_eq!(log[1].stored, None);
}

#[tokio::test]
async fn le2_ignored_values_are_in_the_remarks() {
    let local = Local::start().await;
    let body = json!({
        "fields": { "phone": "919999999999", "rating": 9, "email": "nowhere", "ratng": 4, "name": "Jane" },
        "actions": [
            { "type": "1001", "fields": { "email": "nowhere", "note": "kept" } },
            { "type": "9999" },
            { "type": "PAYMENT", "status": "PENDING", "currency": "INR", "amount": "-1" },
            { "type": "PAYMENT", "status": "PENDING", "currency": "INR", "amount": "10000" },
        ],
    });
    let (status, created) = local.post("/lead", body).await;
    assert_eq!(status, 201);
    let states: Vec<_> = created["actions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a["status"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["CREATED", "IGNORED", "IGNORED", "CREATED"]);
    assert_eq!(created["actions"][1]["action_id"], Value::Null);
    let remarks = created["remarks"].as_array().unwrap();
    let remark = |field: &str| {
        let remark = remarks.iter().find(|remark| remark["field"] == field).unwrap();
        assert_eq!(remark["status"], "IGNORED");
        remark["remark"].as_str().unwrap()
    };
    assert_eq!(remark("fields.rating"), "Rating must be between 1 and 5");
    assert_eq!(remark("fields.email"), "Email is invalid");
    assert_eq!(remark("actions[0].fields.email"), "Email is invalid");
    assert!(remark("fields.ratng").contains("ratng"));
    assert!(remark("actions[1].type").contains("ACTION_9999"));
    assert!(remark("actions[2]").contains("amount"));
    assert_eq!(remarks.len(), 6);

    let lead = local.only_lead().await;
    assert_eq!(lead["fields"]["name"], "Jane");
    assert_eq!(lead["fields"]["rating"], Value::Null);
    assert_eq!(lead["actions"].as_array().unwrap().len(), 2);
    assert_eq!(local.emulator.log(0)[0].findings.len(), 6);
}

#[tokio::test]
async fn ac2_the_sync_api_needs_bare_codes() {
    let local = Local::start().await;
    let body =
        json!({ "fields": { "phone": "919999999999" }, "actions": [{ "type": "ACTION_1001" }] });
    let (status, created) = local.post("/lead", body).await;
    assert_eq!(status, 201);
    assert_eq!(created["actions"], json!([{ "action_id": null, "status": "IGNORED" }]));
    assert_eq!(created["remarks"][0]["field"], "actions[0].type");
}

#[tokio::test]
async fn ac1_a_built_in_type_refuses_the_whole_lead() {
    let local = Local::start().await;
    for kind in ["OUTGOING_CALL", "SYSTEM_NOTE"] {
        let body = json!({ "fields": { "phone": "919999999999" }, "actions": [{ "type": "1001" }, { "type": kind }] });
        let refused =
            error("BAD_REQUEST", "Only custom actions and payment actions can be created");
        assert_eq!(local.post("/lead", body).await, (400, refused));
    }
    assert_eq!(local.search(json!({})).await["total_count"], 0);
}

#[tokio::test]
async fn as2_a_new_lead_without_its_identifier_is_refused() {
    let local = Local::start().await;
    for fields in [json!({ "name": "Jane" }), json!({ "phone": "99999" })] {
        let (status, refused) = local.post("/lead", json!({ "fields": fields })).await;
        assert_eq!((status, &refused["error"]["code"]), (400, &json!("INVALID_LEAD")));
    }
    assert_eq!(found(&local.emulator.log(0)[0]), [("fields.phone".into(), "lead_dropped")]);
}

#[tokio::test]
async fn le4_creating_a_lead_again_is_a_conflict() {
    let local = Local::start().await;
    local.create(json!({ "phone": "919999999999", "name": "Jane" })).await;
    let again =
        json!({ "fields": { "phone": "9999999999", "name": "John", "contact_source": "Fair" } });
    let (status, refused) = local.post("/lead", again).await;
    assert_eq!((status, &refused["error"]["code"]), (409, &json!("LEAD_ALREADY_EXISTS")));
    assert_eq!(local.only_lead().await["fields"]["name"], "Jane");
    let (_, field) = local.get("/custom-fields/contact_source").await;
    assert_eq!(field["options"].as_array().unwrap().len(), 3, "no option is created either");
}

#[tokio::test]
async fn an_unknown_lead_is_not_found() {
    let local = Local::start().await;
    let missing = error("LEAD_NOT_FOUND", "The lead with ID 62ab16e was not found.");
    assert_eq!(local.get("/lead/62ab16e").await, (404, missing));
    let missing = error("LEAD_NOT_FOUND", "Lead with ID 62ab16e was not found.");
    assert_eq!(local.post("/lead/62ab16e", json!({ "fields": {} })).await, (404, missing));
}

#[tokio::test]
async fn an_update_writes_only_the_given_fields() {
    let local = Local::start().await;
    let id = local.create(json!({ "phone": "919999999999", "name": "Jane", "rating": 1 })).await;
    let body = json!({ "fields": { "status": "Qualified", "rating": 4, "contact_source": "Fair" }, "actions": [{}], "source": "x" });
    let (status, updated) = local.post(&format!("/lead/{id}"), body).await;
    let log = local.emulator.log(0);
    let losses = log.last().unwrap().findings.iter().filter(|f| f.is_loss());
    let losses: Vec<_> = losses.map(|finding| finding.path.to_string()).collect();
    assert_eq!(losses, ["actions[0]", "source"]);
    assert_eq!(status, 200);
    let fields = &updated["fields"];
    assert_eq!(
        [&fields["name"], &fields["status"], &fields["contact_source"]],
        ["Jane", "Qualified", "Fair"]
    );
    assert_eq!(fields["rating"], 4);
    assert_eq!(updated.as_object().unwrap().len(), 1, "no actions");
    let (_, lead) = local.get(&format!("/lead/{id}")).await;
    assert_eq!(&lead["fields"], fields);
    let (_, field) = local.get("/custom-fields/contact_source").await;
    assert_eq!(field["options"][3]["label"], "Fair");
}

#[tokio::test]
async fn le1_the_identifier_cannot_be_changed() {
    let local = Local::start().await;
    let id = local.create(json!({ "phone": "919999999999" })).await;
    for phone in ["919999999999", "919876543210"] {
        let body = json!({ "fields": { "phone": phone, "name": "Jane" } });
        let refused = error("INVALID_LEAD", "Cannot modify lead identifier field");
        assert_eq!(local.post(&format!("/lead/{id}"), body).await, (403, refused));
    }
    assert_eq!(local.only_lead().await["fields"]["name"], Value::Null);
}

#[tokio::test]
async fn le8_unknown_labels_and_fields_are_dropped() {
    let local = Local::start().await;
    let id = local.create(json!({ "phone": "919999999999", "status": "Contacted" })).await;
    for fields in [
        json!({ "status": "Nonsense" }),
        json!({ "status": "Cold" }),
        json!({ "status": "contacted" }),
        json!({ "lost_reason": "Competitor" }),
        json!({ "nme": "Jane" }),
    ] {
        let (status, updated) =
            local.post(&format!("/lead/{id}"), json!({ "fields": fields })).await;
        assert_eq!((status, &updated["fields"]["status"]), (200, &json!("Contacted")), "{fields}");
        assert_eq!(updated["fields"].as_object().unwrap().len(), 4, "{updated}");
        let entry = local.emulator.log(0).pop().unwrap();
        assert_eq!((entry.stored, entry.findings.len()), (None, 1));
    }
}

/// Asserts that an update with this value is refused, and writes no field.
async fn assert_update_refused(name: &str, value: Value, message: Option<&str>) {
    let local = Local::start().await;
    let lead = json!({ "phone": "919999999999", "name": "Jane" });
    let id = local.create(lead).await;
    let mut fields = json!({ "name": "John" });
    fields[name] = value;
    let update = json!({ "fields": fields });
    let (status, refused) = local.post(&format!("/lead/{id}"), update).await;
    assert_eq!((status, &refused["error"]["code"]), (400, &json!("VALIDATION_ERROR")));
    if let Some(message) = message {
        assert_eq!(refused["error"]["message"], message);
    }
    assert_eq!(local.only_lead().await["fields"]["name"], "Jane");
}

const BAD_RATING: Option<&str> = Some("Rating must be between 1 and 5");

scenarios! { assert_update_refused:
    le9_a_rating_of_6_refuses_the_whole_update("rating", json!(6), BAD_RATING)
    le9_a_rating_as_text_refuses_the_whole_update("rating", json!("3"), BAD_RATING)
    le9_a_bad_address_refuses_the_whole_update(
        "email", json!("nowhere"), Some("Email is invalid")
    )
    le9_tags_as_text_refuse_the_whole_update("interests", json!("VIP, Returning"), None)
    le9_a_number_as_status_refuses_the_whole_update("status", json!(3), None)
}

/// Asserts that an update with this body is refused.
async fn assert_update_body_refused(body: Value) {
    let local = Local::start().await;
    let id = local.create(json!({ "phone": "919999999999" })).await;
    let (status, refused) = local.post(&format!("/lead/{id}"), body).await;
    assert_eq!((status, &refused["error"]["code"]), (400, &json!("BAD_REQUEST")));
}

scenarios! { assert_update_body_refused:
    an_update_without_fields_is_refused(json!({}))
    an_update_with_a_list_of_fields_is_refused(json!({ "fields": [] }))
    a_list_is_not_an_update(json!([]))
}

#[tokio::test]
async fn le5_a_page_of_the_timeline_has_1_to_100_entries() {
    let local = Local::with(Emulator::builder()).await;
    let actions: Vec<_> =
        (0..12).map(|n| json!({ "type": "1002", "fields": { "attendees": n } })).collect();
    let (_, created) = local
        .post("/lead", json!({ "fields": { "phone": "919999999999" }, "actions": actions }))
        .await;
    let id = created["lead_id"].as_str().unwrap();
    let refused = error("BAD_REQUEST", "Limit should be between 1 and 100");
    for limit in ["0", "101", "-1", "ten", "1.5"] {
        let (status, answer) =
            local.get(&format!("/lead/{id}?includeActions=true&limit={limit}")).await;
        assert_eq!((status, &answer), (400, &refused), "{limit}");
    }
    let (status, _) = local.get(&format!("/lead/{id}?includeActions=true&skip=-1")).await;
    assert_eq!(status, 400);
    let (status, _) = local.get(&format!("/lead/{id}?limit=101")).await;
    assert_eq!(status, 200, "the limit is ignored without actions");

    let attendees = |lead: &Value| {
        let actions = lead["actions"].as_array().unwrap().iter();
        actions.map(|a| a["fields"]["attendees"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    let (_, lead) = local.get(&format!("/lead/{id}?includeActions=true")).await;
    assert_eq!(attendees(&lead), [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
    let (_, lead) = local.get(&format!("/lead/{id}?includeActions=true&skip=10&limit=5")).await;
    assert_eq!(attendees(&lead), [1, 0]);
    assert_eq!((&lead["actions_skip"], &lead["actions_limit"]), (&json!(10), &json!(5)));
}
