//! The workspace operations of the Sync API, and seeds.

use crate::{Local, error, found};
use serde_json::{Value, json};
use telecrm_emulator::{Emulator, WorkspaceFile};

#[tokio::test]
async fn the_answers_are_those_of_the_seed() {
    let local = Local::start().await;
    let seed = WorkspaceFile::sample();
    assert_eq!(local.get("/metadata").await, (200, json!(seed.metadata)));
    assert_eq!(local.get("/lead-stage-pipeline").await, (200, json!(seed.pipeline)));
    let fields = json!({ "customFields": seed.custom_fields });
    assert_eq!(local.get("/custom-fields?detail=true").await, (200, fields));
    let actions = json!({ "customActions": seed.custom_actions });
    assert_eq!(local.get("/custom-actions?detail=true").await, (200, actions));
}

#[tokio::test]
async fn en1_items_have_another_shape_without_detail() {
    let local = Local::start().await;
    let (_, fields) = local.get("/custom-fields").await;
    let fields = fields["customFields"].as_array().unwrap();
    let field = |name| fields.iter().find(|field| field["apiName"] == name).unwrap();
    assert_eq!(
        field("phone"),
        &json!({ "type": "PHONE", "apiName": "phone", "lockAfterCreate": false, "isLeadid": true })
    );
    assert_eq!(
        field("contact_source"),
        &json!({ "type": "DROPDOWN", "apiName": "contact_source", "lockAfterCreate": false, "isLeadid": false,
            "options": ["Website", "Referral", "Cold Call"] })
    );
    let (_, actions) = local.get("/custom-actions?detail=false").await;
    assert_eq!(
        actions["customActions"][0],
        json!({ "code": "ACTION_1001", "displayName": "Site Visit", "score": 10, "source": "USER" })
    );
    let (status, refused) = local.get("/custom-fields?detail=maybe").await;
    assert_eq!((status, &refused["error"]["code"]), (400, &json!("BAD_REQUEST")));
}

#[tokio::test]
async fn en2_field_names_are_case_sensitive() {
    let local = Local::start().await;
    let (status, field) = local.get("/custom-fields/contact_source").await;
    assert_eq!((status, &field["options"][0]["label"]), (200, &json!("Website")));
    assert_eq!(
        local.get("/custom-fields/Contact_Source").await,
        (404, error("NOT_FOUND", "Could not find custom field with apiName Contact_Source"))
    );
}

#[tokio::test]
async fn en4_an_action_is_read_by_its_prefixed_code() {
    let local = Local::start().await;
    let (status, action) = local.get("/custom-actions/ACTION_1001").await;
    assert_eq!((status, &action["fieldSchema"]["note"]["type"]), (200, &json!("TEXT")));
    for code in ["1001", "action_1001"] {
        let missing = error("NOT_FOUND", &format!("Custom action with code {code} was not found."));
        assert_eq!(local.get(&format!("/custom-actions/{code}")).await, (404, missing));
    }
}

#[tokio::test]
async fn an_action_is_found_with_and_without_a_prefix_in_the_seed() {
    let mut seed = WorkspaceFile::sample();
    seed.custom_actions[0].insert("code".into(), json!("1001"));
    let local = Local::with(Emulator::builder().seed(seed)).await;
    let (status, action) = local.get("/custom-actions/ACTION_1001").await;
    assert_eq!((status, &action["code"]), (200, &json!("1001")));
    assert_eq!(local.get("/custom-actions/1001").await.0, 404);
}

#[tokio::test]
async fn en6_the_metadata_can_name_the_identifier_by_its_id() {
    let mut seed = WorkspaceFile::sample();
    let id = "5f8a1b2c3d4e5f6a7b8c9d03"; // the email field
    seed.metadata.as_mut().unwrap().insert("leadIdentifierFieldId".into(), id.into());
    let local = Local::with(Emulator::builder().seed(seed)).await;
    assert_eq!(local.get("/metadata").await.1["leadIdentifierFieldId"], id);
    local.create(json!({ "email": "jane@example.com" })).await;
    let (status, refused) =
        local.post("/lead", json!({ "fields": { "phone": "919999999999" } })).await;
    assert_eq!((status, &refused["error"]["code"]), (400, &json!("INVALID_LEAD")));
}

#[tokio::test]
async fn a_seed_needs_only_fields() {
    let seed =
        json!({ "customFields": [{ "apiName": "phone", "type": "PHONE", "isLeadid": true }] });
    let seed = WorkspaceFile::from_json(seed).unwrap();
    let local = Local::with(Emulator::builder().seed(seed).enterprise("ent-test")).await;
    let (_, metadata) = local.get("/metadata").await;
    assert_eq!(metadata, json!({ "id": "ent-test", "leadIdentifierFieldId": "phone" }));
    assert_eq!(local.get("/custom-actions?detail=true").await.1, json!({ "customActions": [] }));
    // A lead can have the statuses of the pipeline, and no others.
    let (_, pipeline) = local.get("/lead-stage-pipeline").await;
    assert_eq!(pipeline["leadStages"][0]["activeStatuses"][0]["label"], "Fresh");
    let entry =
        local.push(json!({ "fields": { "phone": "919999999999", "status": "Nonsense" } })).await;
    assert_eq!(entry.findings.len(), 1);
    assert_eq!(local.only_lead().await["fields"]["status"], "Fresh");
}

#[tokio::test]
async fn both_shapes_of_the_pipeline_are_accepted() {
    let mut seed = WorkspaceFile::sample();
    let pipeline = json!({ "statuses": ["New", { "label": "Won" }], "lostReasons": ["Price"] });
    seed.pipeline = pipeline.as_object().cloned();
    let local = Local::with(Emulator::builder().seed(seed)).await;
    assert_eq!(local.get("/lead-stage-pipeline").await, (200, pipeline));
    local.push(json!({ "fields": { "phone": "919999999999", "status": "Fresh" } })).await;
    assert_eq!(local.only_lead().await["fields"]["status"], "New");
}

#[tokio::test]
async fn an_invalid_seed_is_refused() {
    let mut seed = WorkspaceFile::sample();
    seed.custom_fields[3].insert("apiName".into(), Value::Null);
    let error = Emulator::builder().seed(seed).start().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    assert!(error.to_string().contains("customFields[3].apiName"), "{error}");
}

/// A lock file lacks personal data and everything that no endpoint returns.
#[tokio::test]
async fn the_lock_file_of_a_workspace_is_a_seed() {
    let lock: Value =
        serde_json::from_str(include_str!("../data/telecrm.lock.json")).expect("JSON");
    let seed = WorkspaceFile::from_json(lock.clone()).expect("a workspace file");
    let local = Local::with(Emulator::builder().seed(seed).enterprise("ent-realty")).await;
    let (_, metadata) = local.get("/metadata").await;
    assert_eq!(metadata["id"], "ent-realty");
    assert_eq!(metadata["leadIdentifierFieldId"], lock["metadata"]["leadIdentifierFieldId"]);
    for path in [
        "/custom-fields",
        "/custom-fields?detail=true",
        "/custom-fields/project",
        "/custom-actions",
        "/custom-actions?detail=true",
        "/custom-actions/ACTION_2041",
        "/lead-stage-pipeline",
    ] {
        assert_eq!(local.get(path).await.0, 200, "{path}");
    }
    let (_, team) = local.get("/team-members").await;
    assert_eq!(team["total_count"], 0, "the workspace has no members");
    let john = json!({ "name": "John", "email": "j@example.com", "phone_number": "919876543210", "role": "CALLER" });
    assert_eq!(local.post("/team-members", john).await.0, 201);

    // The identifier is the email address. Numbers and dates have the Indian form.
    let lead = json!({
        "fields": { "email": "asha@example.com", "phone": "9999999999", "project": "Lake View", "visit_on": "01/04/2026 09:00" },
        "actions": [{ "type": "ACTION_2041", "fields": { "note": "Cab sent" } }],
    });
    let entry = local.push(lead).await;
    assert_eq!(found(&entry), [("fields.phone".to_owned(), "value_changed")]);
    let lead = local.only_lead().await;
    let fields = &lead["fields"];
    assert_eq!([&fields["phone"], &fields["status"]], ["919999999999", "New Enquiry"]);
    assert_eq!(fields["visit_on"], 1_775_014_200_000_i64);
    assert_eq!(lead["actions"][0]["type"], "2041");
}
