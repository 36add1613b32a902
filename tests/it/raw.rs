//! The generated clients: what they send, and that they read every documented answer.

use crate::support::cases;
use crate::support::socket::{self, ScriptedServer, Step, listen};
use httpmock::Method::{GET, POST};
use httpmock::{Method, MockServer};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use telecrm::raw::sync::parameters;
use telecrm::raw::{Context, ingest, sync};
use telecrm::testing::ManualClock;
use telecrm::{Operation, Phase};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinHandle;

const BASE: &str = "/autoupdate/v2";

/// One exchange: the request that must arrive, and the answer to it.
struct Exchange {
    method: Method,
    path: &'static str,
    query: &'static [(&'static str, &'static str)],
    body: Option<Value>,
    status: u16,
    answer: Value,
    /// What is decoded, if it differs from the answer.
    decoded: Option<Value>,
}

impl Exchange {
    fn get(path: &'static str, answer: Value) -> Self {
        Self { method: GET, path, query: &[], body: None, status: 200, answer, decoded: None }
    }

    fn post(path: &'static str, body: Value, answer: Value) -> Self {
        Self { method: POST, body: Some(body), ..Self::get(path, answer) }
    }

    fn query(self, query: &'static [(&'static str, &'static str)]) -> Self {
        Self { query, ..self }
    }

    fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// Runs `call` against a server that knows only this exchange, and compares what it decodes.
    async fn with<T: Serialize, E>(self, call: impl AsyncFnOnce(&str) -> Result<T, E>)
    where
        E: std::fmt::Debug,
    {
        let server = MockServer::start_async().await;
        let mock = server
            .mock_async(|mut when, then| {
                when = when
                    .method(self.method)
                    .path(format!("{BASE}{}", self.path))
                    .header("authorization", "Bearer sync-local-token")
                    .header("accept", "application/json")
                    .header_missing("api-version")
                    .query_param_count(".*", ".*", self.query.len());
                for (name, value) in self.query {
                    when = when.query_param(*name, *value);
                }
                match self.body {
                    Some(body) => {
                        when.header("content-type", "application/json").json_body(body);
                    }
                    None => {
                        when.header_missing("content-type")
                            .is_true(|request| request.body().is_empty());
                    }
                }
                then.status(self.status).json_body(self.answer.clone());
            })
            .await;
        let decoded = call(&server.url(BASE)).await;
        mock.assert_async().await;
        let decoded = serde_json::to_value(decoded.expect("an answer")).expect("JSON");
        assert_eq!(decoded, self.decoded.unwrap_or(self.answer));
    }
}

fn sync_client(base: &str) -> sync::Client {
    let context = Context::bearer("sync-local-token").expect("a header value");
    sync::Client::new_with_client(base, reqwest::Client::new(), context)
}

/// A request or answer of a generated type, from JSON.
fn typed<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).expect("a sample of the type")
}

macro_rules! call {
    ($method:ident($parameters:expr)) => {
        async |base: &str| {
            let answer = sync_client(base).$method($parameters).await;
            answer.map(|answer| answer.into_inner())
        }
    };
}

mod each_operation_sends_and_reads_its_documented_sample {
    use super::*;

    #[tokio::test]
    async fn create_or_update_lead() {
        let body = json!({
            "fields": { "phone": "919999999999", "interests": ["VIP", "Returning"], "deal_size": 1000 },
            "actions": [
                { "type": "ACTION_1001", "fields": { "note": "Demo scheduled" }, "created_on": "01/01/2023 11:30:00" },
                { "type": "PAYMENT", "status": "PENDING", "currency": "INR", "amount": "10000" },
            ],
            "campaign": "June",
        });
        Exchange::post(
            "/enterprise/ent_123456/autoupdatelead",
            body.clone(),
            json!({ "status": "QUEUED" }),
        )
        .with(async |base: &str| {
            let context = Context::bearer("sync-local-token").unwrap();
            let client = ingest::Client::new_with_client(base, reqwest::Client::new(), context);
            let answer = client
                .create_or_update_lead(ingest::parameters::CreateOrUpdateLead {
                    enterprise_id: "ent_123456",
                    body: &typed(&body),
                })
                .await;
            answer.map(|answer| answer.into_inner())
        })
        .await;
    }

    #[tokio::test]
    async fn create_lead() {
        let body = json!({
            "fields": { "phone": "919999999999", "rating": 9 },
            "actions": [{ "type": "1001", "fields": { "note": "Called" } }],
        });
        let answer = json!({
            "lead_id": "603d2b2f9b1e8a001c8e4f5c",
            "actions": [{ "action_id": "603d2b2f9b1e8a001c8e4f5d", "status": "CREATED" }],
            "remarks": [{ "field": "fields.rating", "status": "IGNORED", "remark": "Rating must be between 1 and 5" }],
        });
        Exchange::post("/enterprise/ent_123456/lead", body.clone(), answer)
            .status(201)
            .with(call!(create_lead(parameters::CreateLead {
                enterprise_id: "ent_123456",
                body: &typed(&body)
            })))
            .await;
    }

    #[tokio::test]
    async fn get_lead() {
        let answer = json!({
            "fields": { "name": "Jane Doe", "status": "Fresh", "rating": 4 },
            "actions": [{ "type": "1001", "fields": { "note": "Called" } }],
            "actions_skip": 10,
            "actions_limit": 5,
        });
        Exchange::get("/enterprise/ent_123456/lead/62ab16e", answer)
            .query(&[("includeActions", "true"), ("limit", "5"), ("skip", "10")])
            .with(call!(get_lead(parameters::GetLead {
                enterprise_id: "ent_123456",
                lead_id: "62ab16e",
                include_actions: Some(true),
                limit: Some(5),
                skip: Some(10)
            })))
            .await;
    }

    #[tokio::test]
    async fn get_lead_keeps_undocumented_keys() {
        let answer = json!({
            "id": "603d2b2f9b1e8a001c8e4f5c",
            "employeeid": "jane.doe@example.com",
            "fields": { "phone": "919999999999" },
            "somethingNew": { "deep": [1, null] },
        });
        Exchange::get("/enterprise/ent_123456/lead/62ab16e", answer)
            .with(call!(get_lead(parameters::GetLead {
                enterprise_id: "ent_123456",
                lead_id: "62ab16e",
                include_actions: None,
                limit: None,
                skip: None
            })))
            .await;
    }

    #[tokio::test]
    async fn update_lead() {
        let body = json!({ "fields": { "rating": 4 } });
        let answer = json!({ "fields": { "phone": "919999999999", "rating": 4 } });
        Exchange::post("/enterprise/ent_123456/lead/62ab16e", body.clone(), answer)
            .with(call!(update_lead(parameters::UpdateLead {
                enterprise_id: "ent_123456",
                lead_id: "62ab16e",
                body: &typed(&body)
            })))
            .await;
    }

    #[tokio::test]
    async fn search_leads() {
        let body = json!({
            "fields": { "status": ["Fresh", "Won"], "created_on": { "from": 1609459200000_i64, "to": 1735689600000_i64 } },
            "actions": { "type": "1001", "performed_by": "jane.doe@example.com", "performed_at": { "from": 1609459200000_i64 } },
        });
        let answer = json!({
            "data": [{ "id": "603d2b2f9b1e8a001c8e4f5c", "status": "Fresh", "fields": { "name": "Jane Doe" }, "actions": [] }],
            "total_count": 1, "skip": 20, "limit": 100,
        });
        Exchange::post("/enterprise/ent_123456/lead/search", body.clone(), answer)
            .query(&[("limit", "100"), ("skip", "20")])
            .with(call!(search_leads(parameters::SearchLeads {
                enterprise_id: "ent_123456",
                limit: Some(100),
                skip: Some(20),
                body: &typed(&body)
            })))
            .await;
    }

    #[tokio::test]
    async fn search_leads_without_criteria() {
        let answer = json!({ "data": [], "total_count": 0, "skip": 0, "limit": 10 });
        Exchange::post("/enterprise/ent_123456/lead/search", json!({}), answer)
            .with(call!(search_leads(parameters::SearchLeads {
                enterprise_id: "ent_123456",
                limit: None,
                skip: None,
                body: &typed(&json!({}))
            })))
            .await;
    }

    #[tokio::test]
    async fn create_actions() {
        let body = json!({ "actions": [
        { "type": "1001", "fields": { "note": "Called" } },
        { "type": "PAYMENT", "status": "COMPLETED", "currency": "INR", "amount": "5000" },
    ] });
        // CONTRADICTION 14: the ID of an action that was ignored as a whole is null.
        let answer = json!({
            "lead_id": "603d2b2f9b1e8a001c8e4f5c",
            "actions": [
                { "action_id": "603d2b2f9b1e8a001c8e4f5d", "status": "CREATED" },
                { "action_id": null, "status": "IGNORED" },
            ],
            "remarks": [{ "field": "actions[1].fields.email", "status": "IGNORED", "remark": "Email is invalid" }],
        });
        let mut decoded = answer.clone();
        decoded["actions"][1] = json!({ "status": "IGNORED" });
        let exchange =
            Exchange::post("/enterprise/ent_123456/lead/62ab16e/action", body.clone(), answer);
        Exchange { decoded: Some(decoded), ..exchange }
            .with(call!(create_actions(parameters::CreateActions {
                enterprise_id: "ent_123456",
                lead_id: "62ab16e",
                body: &typed(&body)
            })))
            .await;
    }

    #[tokio::test]
    async fn get_action() {
        let answer = json!({ "type": "PAYMENT", "status": "COMPLETED", "currency": "INR", "amount": "5000" });
        Exchange::get("/enterprise/ent_123456/lead/62ab16e/action/71cd", answer)
            .with(call!(get_action(parameters::GetAction {
                enterprise_id: "ent_123456",
                lead_id: "62ab16e",
                action_id: "71cd"
            })))
            .await;
    }

    #[tokio::test]
    async fn update_action() {
        let body = json!({ "type": "PAYMENT", "status": "CANCELLED" });
        let answer = json!({ "type": "PAYMENT", "status": "CANCELLED", "currency": "INR", "amount": "5000" });
        Exchange::post("/enterprise/ent_123456/lead/62ab16e/action/71cd", body.clone(), answer)
            .with(call!(update_action(parameters::UpdateAction {
                enterprise_id: "ent_123456",
                lead_id: "62ab16e",
                action_id: "71cd",
                body: &typed(&body)
            })))
            .await;
    }

    #[tokio::test]
    async fn search_actions() {
        let body = json!({
            "type": "OUTGOING_CALL",
            "created_on": { "from": "01/04/2026 00:00:00", "to": "30/04/2026 23:59:59" },
        });
        let answer = json!({
            "data": [{ "type": "OUTGOING_CALL", "creationTimestamp": 1775000000000_i64, "employeeid": "jane.doe@example.com" }],
            "total_count": 1, "skip": 0, "limit": 10,
        });
        Exchange::post("/enterprise/ent_123456/lead/62ab16e/action/search", body.clone(), answer)
            .query(&[("limit", "10"), ("skip", "0")])
            .with(call!(search_actions(parameters::SearchActions {
                enterprise_id: "ent_123456",
                lead_id: "62ab16e",
                limit: Some(10),
                skip: Some(0),
                body: &typed(&body)
            })))
            .await;
    }

    #[tokio::test]
    async fn list_team_members() {
        let member = json!({
            "name": "Jane Doe", "email": "jane.doe@example.com", "status": "On Leave", "phone_number": "919999999999",
            "manager_name": "John Smith", "manager_email": "john.smith@example.com",
            "permission_template_name": "Sales Agent",
            "license": { "status": "ACTIVE", "type": "GROWTH", "start_date": "2024-01-01", "end_date": "2025-01-01" },
        });
        let answer = json!({ "data": [member], "total_count": 42, "skip": 10, "limit": 10 });
        Exchange::get("/enterprise/ent_123456/team-members", answer)
            .query(&[("includeDeleted", "true"), ("limit", "10"), ("skip", "10")])
            .with(call!(list_team_members(parameters::ListTeamMembers {
                enterprise_id: "ent_123456",
                include_deleted: Some(true),
                limit: Some(10),
                skip: Some(10)
            })))
            .await;
    }

    #[tokio::test]
    async fn create_team_member() {
        let body = json!({
            "name": "Jane Doe", "email": "jane.doe@example.com", "phone_number": "919876543210", "role": "MARKETING_USER",
        });
        let mut answer = body.clone();
        answer["status"] = json!("INVITED");
        Exchange::post("/enterprise/ent_123456/team-members", body.clone(), answer)
            .status(201)
            .with(call!(create_team_member(parameters::CreateTeamMember {
                enterprise_id: "ent_123456",
                body: &typed(&body)
            })))
            .await;
    }

    #[tokio::test]
    async fn get_team_member() {
        // An undocumented status must not make the member unreadable.
        let answer =
            json!({ "name": "Jane Doe", "email": "jane.doe@example.com", "status": "Sabbatical" });
        Exchange::get("/enterprise/ent_123456/team-members/jane.doe@example.com", answer)
            .query(&[("includeDeleted", "false")])
            .with(call!(get_team_member(parameters::GetTeamMember {
                enterprise_id: "ent_123456",
                email: "jane.doe@example.com",
                include_deleted: Some(false)
            })))
            .await;
    }

    #[tokio::test]
    async fn set_team_member_state() {
        let body = json!({ "email": "jane.doe@example.com", "state": "On Leave" });
        let answer = json!({ "email": "jane.doe@example.com", "status": "On Leave" });
        Exchange::post("/enterprise/ent_123456/teammember/state_change", body.clone(), answer)
            .with(call!(set_team_member_state(parameters::SetTeamMemberState {
                enterprise_id: "ent_123456",
                body: &typed(&body)
            })))
            .await;
    }

    #[tokio::test]
    async fn get_metadata() {
        let answer = json!({
            "name": "Acme Corporation", "id": "ent_123456", "creationTimeStamp": 1609459200000_i64,
            "teamSize": "50-100", "industry": "Technology", "website": "https://acme.com",
            "leadIdentifierFieldId": "phone", "integrations": ["WHATSAPP", "EMAIL", "SMS"],
        });
        Exchange::get("/enterprise/ent_123456/metadata", answer)
            .with(call!(get_metadata("ent_123456")))
            .await;
    }

    async fn list_custom_fields(
        detail: bool,
        query: &'static [(&'static str, &'static str)],
        options: Value,
    ) {
        let answer = json!({ "customFields": [
        { "type": "DROPDOWN", "apiName": "contact_source", "lockAfterCreate": false, "isLeadid": false, "options": options },
        { "type": "PHONE", "apiName": "phone", "lockAfterCreate": false, "isLeadid": true },
    ] });
        Exchange::get("/enterprise/ent_123456/custom-fields", answer)
            .query(query)
            .with(call!(list_custom_fields(parameters::ListCustomFields {
                enterprise_id: "ent_123456",
                detail: Some(detail)
            })))
            .await;
    }

    cases! { async list_custom_fields:
        with_labels(false, &[("detail", "false")], json!(["Website", "Referral", "Cold Call"]));
        with_details(true, &[("detail", "true")], json!([{ "id": "opt_1", "label": "Website" }]));
    }

    #[tokio::test]
    async fn get_custom_field() {
        let answer = json!({
            "id": "5f8a1b2c3d4e5f6a7b8c9d0e", "type": "DATE", "apiName": "follow_up_date",
            "lockAfterCreate": false, "isLeadid": false, "dateFormat": "DD/MM/YYYY", "timeFormat": "HH:mm",
        });
        Exchange::get("/enterprise/ent_123456/custom-fields/follow_up_date", answer)
            .with(call!(get_custom_field(parameters::GetCustomField {
                enterprise_id: "ent_123456",
                api_name: "follow_up_date"
            })))
            .await;
    }

    #[tokio::test]
    async fn list_custom_actions() {
        let answer = json!({ "customActions": [
        { "code": "ACTION_1001", "displayName": "Site Visit", "score": 10, "source": "USER" },
    ] });
        Exchange::get("/enterprise/ent_123456/custom-actions", answer)
            .query(&[("detail", "false")])
            .with(call!(list_custom_actions(parameters::ListCustomActions {
                enterprise_id: "ent_123456",
                detail: Some(false)
            })))
            .await;
    }

    #[tokio::test]
    async fn get_custom_action() {
        let answer = json!({
            "id": "5f8a1b2c3d4e5f6a7b8c9d10", "code": "ACTION_1001", "displayName": "Site Visit", "icon": "map-pin",
            "description": "A visit", "score": 10,
            "fieldSchema": {
                "note": { "type": "TEXT" },
                "outcome": { "type": "DROPDOWN", "options": ["Interested", "Not Interested"] },
            },
            "displaySchema": {}, "allowPredatedActivity": { "enabled": true }, "quickAdd": {},
            "definitionType": "USER_DEFINED", "createdOn": 1609459200000_i64, "createdBy": "admin@example.com",
            "modifiedOn": 1609459200000_i64, "modifiedBy": "admin@example.com", "source": "USER",
        });
        Exchange::get("/enterprise/ent_123456/custom-actions/ACTION_1001", answer)
            .with(call!(get_custom_action(parameters::GetCustomAction {
                enterprise_id: "ent_123456",
                code: "ACTION_1001"
            })))
            .await;
    }

    async fn get_lead_stage_pipeline(answer: Value) {
        Exchange::get("/enterprise/ent_123456/lead-stage-pipeline", answer)
            .with(call!(get_lead_stage_pipeline("ent_123456")))
            .await;
    }

    cases! { async get_lead_stage_pipeline:
        as_documented(json!({
            "leadStages": [{
                "stageid": "stage_open_1", "stageType": "OPEN", "visibility": true,
                "activeStatuses": [{ "statusid": 1, "label": "Fresh", "color": "#FF5733" }],
                "archivedStatuses": [],
            }],
            "activeLeadLostReasons":
                [{ "reasonid": 1, "reasonLabel": "Price too high", "isDefault": false }],
            "archivedLeadLostReasons": [],
            "creationTimestamp": 1609459200000_i64, "modificationTimestamp": 1735689600000_i64,
            "lastModifiedBy": "admin@example.com", "version": 3,
        }));
        // CONTRADICTION 12: one live account answers in another shape.
        as_reported(json!({
            "statuses": [{ "label": "Fresh" }],
            "lostReasons": [{ "reasonLabel": "Price too high" }],
        }));
    }
}

/// A server that reads one request, answers with this text and closes the connection.
///
/// The task returns the request.
async fn server_of_one_answer(answer: &'static str) -> (String, JoinHandle<String>) {
    let (listener, url) = listen().await;
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a client");
        let mut request = vec![0; 4096];
        let length = socket.read(&mut request).await.expect("a request");
        let written = socket.write_all(answer.as_bytes()).await;
        written.expect("a client that reads");
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    (format!("{url}{BASE}"), server)
}

async fn a_path_parameter_stays_in_its_segment(lead_id: &str, segment: &str) {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    let (base, server) = server_of_one_answer(answer).await;
    // The answer may be unreadable as a lead. The test is about the request.
    let client = sync_client(&base);
    let _ = client
        .get_lead(parameters::GetLead {
            enterprise_id: "ent",
            lead_id,
            include_actions: None,
            limit: None,
            skip: None,
        })
        .await;
    let request = server.await.expect("the server does not panic");
    assert_eq!(
        request.lines().next(),
        Some(format!("GET {BASE}/enterprise/ent/lead/{segment} HTTP/1.1").as_str())
    );
}

cases! { async a_path_parameter_stays_in_its_segment:
    an_id("62ab16e", "62ab16e");
    a_slash("a/b", "a%2Fb");
    a_backslash(r"a\b", "a%5Cb");
    escaped_dots("%2e%2e", "%252e%252e");
    a_query_and_a_fragment("a?b#c", "a%3Fb%23c");
    an_address("jane.doe+x@example.com", "jane.doe%2Bx@example.com");
    three_dots("...", "...");
}

async fn a_path_parameter_that_no_segment_can_hold_is_refused_unsent(lead_id: &str) {
    let server = MockServer::start_async().await;
    let anything = server
        .mock_async(|when, then| {
            when.any_request();
            then.status(200).json_body(json!({}));
        })
        .await;
    let refused = sync_client(&server.url(BASE))
        .get_lead(parameters::GetLead {
            enterprise_id: "ent",
            lead_id,
            include_actions: None,
            limit: None,
            skip: None,
        })
        .await
        .expect_err("refused");
    assert_eq!(refused.phase(), Phase::NotBuilt);
    let reason = refused.to_string();
    assert!(reason.contains("the path parameter `lead_id` "), "{reason}");
    anything.assert_calls_async(0).await;
}

cases! { async a_path_parameter_that_no_segment_can_hold_is_refused_unsent:
    nothing("");
    a_dot(".");
    two_dots("..");
    a_line_break("a\nb");
    a_null_byte("\0");
}

#[tokio::test]
async fn an_enterprise_that_no_segment_can_hold_is_refused_unsent() {
    let server = MockServer::start_async().await;
    let anything = server
        .mock_async(|when, then| {
            when.any_request();
            then.status(200).json_body(json!({}));
        })
        .await;
    let refused = sync_client(&server.url(BASE))
        .get_lead(parameters::GetLead {
            enterprise_id: "..",
            lead_id: "62ab16e",
            include_actions: None,
            limit: None,
            skip: None,
        })
        .await
        .expect_err("refused");
    assert!(refused.to_string().contains("`enterprise_id` is `.` or `..`"), "{refused}");
    anything.assert_calls_async(0).await;
}

const REFUSAL: &str = r#"{"error":{"code":"TOO_MANY","message":"jane.doe@example.com of acme-interiors: use sync-local-token later"}}"#;

async fn refused_call() -> telecrm::Error {
    let server = MockServer::start_async().await;
    server
        .mock_async(|when, then| {
            when.any_request();
            then.status(429).header("retry-after", "17").body(REFUSAL);
        })
        .await;
    sync_client(&server.url(BASE))
        .get_team_member(parameters::GetTeamMember {
            enterprise_id: "acme-interiors",
            email: "jane.doe@example.com",
            include_deleted: None,
        })
        .await
        .expect_err("429")
}

#[tokio::test]
async fn an_error_of_a_generated_client_has_operation_status_body_and_wait() {
    let refused = refused_call().await;
    assert_eq!(refused.operation(), Some(Operation::GetTeamMember));
    assert_eq!(refused.status_code(), Some(429));
    assert_eq!(refused.retry_after(), Some(Duration::from_secs(17)));
    assert_eq!(refused.body(), REFUSAL.as_bytes());
    assert_eq!(refused.attempts(), 1);
}

#[tokio::test]
async fn an_error_of_a_generated_client_prints_no_value_of_the_request() {
    let refused = refused_call().await;
    for printed in [refused.to_string(), format!("{refused:?}")] {
        for secret in ["jane.doe", "acme-interiors", "sync-local-token", "127.0.0.1"] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }
}

#[tokio::test]
async fn a_truncated_answer_leaves_the_outcome_of_a_write_unknown() {
    let answer = "HTTP/1.1 201 Created\r\ncontent-length: 200\r\n\r\n{\"lead_id\": \"62a";
    let (base, server) = server_of_one_answer(answer).await;
    let body = json!({ "fields": { "phone": "919999999999" } });
    let client = sync_client(&base);
    let broken = client
        .create_lead(parameters::CreateLead { enterprise_id: "ent_123456", body: &typed(&body) })
        .await;
    let broken = broken.map(|answer| answer.into_inner()).unwrap_err();
    assert!(broken.is_outcome_unknown(), "{broken}");
    server.await.expect("the server does not panic");
}

#[tokio::test]
async fn a_success_with_another_status_is_decoded() {
    let server = MockServer::start_async().await;
    server
        .mock_async(|when, then| {
            when.any_request();
            then.status(202).header("x-request-id", "r1").body(r#"{"lead_id":"62ab16e"}"#);
        })
        .await;
    let body = json!({ "fields": { "phone": "919999999999" } });
    let client = sync_client(&server.url(BASE));
    let answer = client
        .create_lead(parameters::CreateLead { enterprise_id: "ent_123456", body: &typed(&body) })
        .await;
    let answer = answer.expect("a success");
    assert_eq!(answer.status(), 202);
    assert_eq!(answer.header("x-request-id"), Some("r1"));
    assert_eq!(answer.lead_id.as_deref(), Some("62ab16e"));
}

#[tokio::test]
async fn an_unreadable_value_is_reported_with_its_key_and_not_quoted() {
    let server = MockServer::start_async().await;
    server
        .mock_async(|when, then| {
            when.any_request();
            then.body(r#"{"leadStages":[{"stageid":"1"},{"stageid":{"jane.doe":7}}]}"#);
        })
        .await;
    let client = sync_client(&server.url(BASE));
    let unreadable = client.get_lead_stage_pipeline("ent_123456").await;
    let unreadable = unreadable.map(|_| ()).unwrap_err();
    let source = std::error::Error::source(&unreadable).expect("a reason");
    assert_eq!(source.to_string(), "`leadStages`: `stageid`: expected a string");
}

#[tokio::test]
async fn an_http_client_of_the_program_keeps_its_timeout() {
    let (_silent, url) = listen().await;
    let hasty = reqwest::Client::builder().timeout(Duration::from_millis(50));
    let context = Context::bearer("sync-local-token").expect("a header value");
    let base = format!("{url}{BASE}");
    let client = sync::Client::new_with_client(&base, hasty.build().unwrap(), context);
    let late = client.get_metadata("ent_123456").await.map(|_| ());
    assert!(late.unwrap_err().is_timeout());
}

#[tokio::test]
async fn raw_calls_share_tokens_rate_limit_and_retries_with_the_client() {
    let server = ScriptedServer::start(&[Step::Answer(503, ""), Step::Good]).await;
    let telecrm = socket::client(&server.url, &ManualClock::new());
    let before = telecrm.sync_limit().expect("a limit").remaining;
    let raw = telecrm.raw();
    let client = raw.sync().expect("a token");
    let enterprise = raw.enterprise_id().expect("a token");
    let lead = client
        .get_lead(parameters::GetLead {
            enterprise_id: enterprise,
            lead_id: "l1",
            include_actions: None,
            limit: None,
            skip: None,
        })
        .await;
    let lead = lead.expect("read");
    assert_eq!(lead.fields.as_ref().map(BTreeMap::len), Some(1));
    assert_eq!(server.requests(), ["GET /enterprise/ent/lead/l1 "; 2]);
    assert_eq!(telecrm.sync_limit().expect("a limit").remaining, before.map(|before| before - 2));
}

#[test]
fn a_generated_client_does_not_print_its_token() {
    let client = sync_client("http://localhost");
    assert!(!format!("{client:?}").contains("sync-local-token"));
}

fn member_with_a_password() -> Value {
    json!({
        "name": "Jane Doe", "email": "jane.doe@example.com", "phone_number": "919876543210",
        "role": "CALLER", "password": "hunter2",
    })
}

#[test]
fn a_generated_request_prints_only_its_name() {
    let request: sync::types::CreateTeamMemberRequest = typed(&member_with_a_password());
    assert_eq!(format!("{request:?}"), "CreateTeamMemberRequest { .. }");
}

#[test]
fn a_generated_answer_prints_only_its_name() {
    let answer: sync::types::CreatedTeamMember = typed(&member_with_a_password());
    assert_eq!(format!("{answer:#?}"), "CreatedTeamMember { .. }");
}
