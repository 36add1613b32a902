//! Timelines and team members on the wire: what the facade sends, refuses and reads.

use httpmock::{Method, MockServer};
use serde_json::{Value, json};
use telecrm::testing::{FakeTelecrm, Response};
use telecrm::{
    ActionFilter, ActionKind, Availability, CustomAction, ErrorCode, NewTeamMember, Operation,
    PageRequest, PaymentStatus, Phase, SyncToken, TeamMemberRole, TeamMemberStatus, Telecrm,
};

fn client(server: &MockServer) -> Telecrm {
    Telecrm::builder("ent")
        .sync_url(server.base_url())
        .sync_token(SyncToken::new("s").expect("a token"))
        .build()
        .expect("builds")
}

/// A server that knows one call and its answer.
async fn server(
    method: Method,
    path: &str,
    body: Option<Value>,
    status: u16,
    answer: Value,
) -> MockServer {
    let server = MockServer::start_async().await;
    server.mock(|when, then| {
        let when = when.method(method).path(path);
        if let Some(body) = body {
            when.json_body(body);
        }
        then.status(status).json_body(answer);
    });
    server
}

fn visit() -> CustomAction {
    CustomAction::new("ACTION_1001")
        .expect("a code")
        .field("note", "Demo scheduled")
}

#[tokio::test]
async fn ac2_ac4_actions_are_created_one_by_one_with_bare_codes() {
    let body = json!({ "actions": [{ "type": "1001", "fields": { "note": "Demo scheduled" } }] });
    let answer = json!({ "lead_id": "l1", "actions": [{ "action_id": null, "status": "IGNORED" }], "remarks": [
        { "field": "actions[0].fields.note", "status": "IGNORED", "remark": "no" }] });
    let server = server(
        Method::POST,
        "/enterprise/ent/lead/l1/action",
        Some(body),
        200,
        answer,
    )
    .await;
    let outcome = client(&server)
        .leads()
        .actions("l1")
        .create([visit()])
        .await
        .expect("answered");
    assert!(outcome.actions()[0].is_ignored());
    assert_eq!(outcome.remarks()[0].sent, Some("Demo scheduled".into()));
    assert_eq!(outcome.accept_partial().action_ids, [None]);
}

#[tokio::test]
async fn ac1_what_cannot_be_written_is_refused_before_it_is_sent() {
    let server = MockServer::start_async().await;
    let timeline = client(&server).leads().actions("l1");
    let call: telecrm::Action =
        serde_json::from_value(json!({ "type": "OUTGOING_CALL" })).expect("an object");
    let error = timeline.create([call]).await.expect_err("AC1");
    assert_eq!(error.phase(), Phase::NotBuilt);
    assert!(error.to_string().contains("actions[0]"), "{error}");
    assert!(timeline.create::<CustomAction>([]).await.is_err());
}

#[tokio::test]
async fn ac3_of_a_payment_only_the_status_is_sent() {
    let body = json!({ "type": "PAYMENT", "status": "COMPLETED" });
    let answer =
        json!({ "type": "PAYMENT", "status": "COMPLETED", "currency": "INR", "amount": "5000" });
    let server = server(
        Method::POST,
        "/enterprise/ent/lead/l1/action/a1",
        Some(body),
        200,
        answer,
    )
    .await;
    let timeline = client(&server).leads().actions("l1");
    let updated = timeline
        .set_payment_status("a1", PaymentStatus::Completed)
        .await
        .expect("updated");
    assert_eq!(updated.kind(), ActionKind::Payment);
    assert_eq!(updated.amount(), Some(5000.into()));
}

#[tokio::test]
async fn custom_actions_are_updated_by_their_bare_code() {
    let answer = json!({ "type": "ACTION_1001", "fields": { "note": "Demo scheduled" } });
    let fake = FakeTelecrm::new().on(Operation::UpdateAction, Response::json(answer));
    let timeline = fake.client().leads().actions("l1");
    let updated = timeline.update("a1", visit()).await.expect("updated");
    assert_eq!(
        updated.complete().expect("shown").kind(),
        ActionKind::Custom(1001.into()),
        "either spelling reads alike"
    );
    let sent = &fake.requests_to(Operation::UpdateAction)[0];
    assert_eq!((sent.method(), sent.path()), ("POST", "/lead/l1/action/a1"));
    let body = json!({ "type": "1001", "fields": { "note": "Demo scheduled" } });
    assert_eq!(sent.body(), Some(&body));
}

#[tokio::test]
async fn ac5_reading_a_call_is_refused_by_the_server() {
    let answer = json!({ "error": { "code": "BAD_REQUEST",
        "message": "Only custom actions and payment actions can be retrieved" } });
    let server = server(
        Method::GET,
        "/enterprise/ent/lead/l1/action/a1",
        None,
        400,
        answer,
    )
    .await;
    let error = client(&server)
        .leads()
        .actions("l1")
        .get("a1")
        .await
        .expect_err("AC5");
    assert_eq!(
        (error.status_code(), error.code()),
        (Some(400), Some(&ErrorCode::BadRequest))
    );
}

#[tokio::test]
async fn ac6_ac7_timelines_are_searched_by_type_performer_and_time() {
    let body = json!({ "type": "1001", "performed_by": ["a@b.in", "c@d.in"],
        "created_on": { "from": 1_780_290_000_000_i64 } });
    let answer = json!({ "data": [
        { "type": "ACTION_1001", "creationTimestamp": "1780290000000" },
        { "type": "OUTGOING_CALL", "duration": 7, "creationTimestamp": 1_780_290_000_000_i64 },
    ], "total_count": "12", "skip": 0, "limit": 2 });
    let server = server(
        Method::POST,
        "/enterprise/ent/lead/l1/action/search",
        Some(body),
        200,
        answer,
    )
    .await;
    let from = "2026-06-01T10:30:00+05:30".parse().expect("a time");
    let filter = ActionFilter::new()
        .of_code(1001)
        .performed_by(["a@b.in", "c@d.in"])
        .between(Some(from), None);
    let timeline = client(&server).leads().actions("l1");
    let page = timeline
        .search(&filter, PageRequest { skip: 0, limit: 2 })
        .await
        .expect("found");
    assert_eq!(page.total_count, 12, "numbers as strings are numbers");
    assert_eq!(page.data[1].created(), Some(from));
    assert_eq!(page.data[1].key("duration"), Some(&7.into()));
    let error = timeline
        .search(&filter, PageRequest { skip: 0, limit: 0 })
        .await
        .expect_err("LE5");
    assert_eq!(error.phase(), Phase::NotBuilt);
}

#[tokio::test]
async fn tm1_members_are_listed_by_ten() {
    let answer = json!({ "data": [{ "name": "Jane Doe", "status": "On Leave",
        "license": { "status": "ACTIVE", "type": "GROWTH" } }], "total_count": 42, "skip": 20, "limit": 10 });
    let server = MockServer::start_async().await;
    server.mock(|when, then| {
        when.path("/enterprise/ent/team-members")
            .query_param("limit", "10")
            .query_param("skip", "20")
            .query_param("includeDeleted", "true");
        then.status(200).json_body(answer);
    });
    let members = client(&server).team_members();
    let page = members
        .with_deleted()
        .list(PageRequest {
            skip: 20,
            limit: 10,
        })
        .await
        .expect("listed");
    assert_eq!(page.data[0].status(), Some(TeamMemberStatus::OnLeave));
    assert_eq!(
        page.data[0]
            .license()
            .and_then(|l| l.license_type().map(str::to_owned)),
        Some("GROWTH".into())
    );
    let error = members
        .list(PageRequest { skip: 0, limit: 11 })
        .await
        .expect_err("TM1");
    assert!(error.to_string().contains("between 1 and 10"), "{error}");
}

#[tokio::test]
async fn tm3_tm4_members_are_read_by_trimmed_address() {
    let answer =
        json!({ "error": { "code": "TEAM_MEMBER_NOT_FOUND", "message": "Team member not found" } });
    let path = "/enterprise/ent/team-members/jane.x@example.com";
    let server = server(Method::GET, path, None, 404, answer).await;
    let members = client(&server).team_members();
    let error = members
        .get(" jane.x@example.com ")
        .await
        .expect_err("not found");
    assert_eq!(error.code(), Some(&ErrorCode::TeamMemberNotFound));
    assert_eq!(
        members.get("jane").await.expect_err("no address").phase(),
        Phase::NotBuilt
    );
}

#[tokio::test]
async fn tm2_tm5_tm7_members_are_created_with_a_clean_number() {
    let body = json!({ "name": "John Doe", "email": "john.doe@example.com", "phone_number": "919876543210",
        "role": "CALLER" });
    let answer = json!({ "name": "John Doe", "email": "john.doe@example.com", "status": "INVITED", "role": "CALLER" });
    let server = server(
        Method::POST,
        "/enterprise/ent/team-members",
        Some(body),
        201,
        answer,
    )
    .await;
    let members = client(&server).team_members();
    let john = |phone: &str| {
        NewTeamMember::new(
            "John Doe",
            "john.doe@example.com",
            phone,
            TeamMemberRole::Caller,
        )
    };
    for phone in ["919876543210", "+919876543210"] {
        let created = members.create(&john(phone)).await.expect("created");
        assert_eq!(created.status(), Some(TeamMemberStatus::Invited));
    }
    for phone in [
        "+0919876543210",
        "++919876543210",
        "+91 98765 43210",
        "91-9876-5432-10",
        "99999",
        "9876543210",
        "09876543210",
        "9198765432101234",
    ] {
        let error = members.create(&john(phone)).await.expect_err("TM5");
        assert_eq!(error.phase(), Phase::NotBuilt);
        let text = error.to_string();
        for part in [
            "`phone_number`",
            "country code",
            "in IN begins with 91",
            "TM5",
        ] {
            assert!(text.contains(part), "{text}");
        }
        assert!(!error.to_string().contains(phone), "{error}");
    }
    assert!(!format!("{:?}", john("919876543210").password("s3cret")).contains("s3cret"));
}

#[tokio::test]
async fn tm5_a_foreign_number_is_taken_where_its_plus_says_that_it_is_one() {
    // With its country code as long as one of India's without.
    let phone = "6512345678";
    let answer = Response::json(json!({ "name": "John Doe" }));
    let fake = FakeTelecrm::new().always(Operation::CreateTeamMember, answer);
    let members = fake.client().team_members();
    for written in [phone.to_owned(), format!("+{phone}")] {
        let (name, email) = ("John Doe", "john.doe@example.com");
        let john = NewTeamMember::new(name, email, &*written, TeamMemberRole::Caller);
        let created = members.create(&john).await;
        assert_eq!(created.is_ok(), written.starts_with('+'), "{created:?}");
    }
    let sent = fake.requests();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].body().unwrap()["phone_number"], phone);
}

#[tokio::test]
async fn tm6_availability_goes_to_the_path_without_a_hyphen() {
    let body = json!({ "email": "jane.doe@example.com", "state": "On Leave" });
    let answer = json!({ "email": "jane.doe@example.com", "status": "On Leave" });
    let server = server(
        Method::POST,
        "/enterprise/ent/teammember/state_change",
        Some(body),
        200,
        answer,
    )
    .await;
    let members = client(&server).team_members();
    let changed = members
        .set_availability("jane.doe@example.com", Availability::OnLeave)
        .await;
    assert_eq!(
        changed.expect("changed").status(),
        Some(TeamMemberStatus::OnLeave)
    );
    let error = members
        .set_availability("jane.doe@example.com", "Asleep".into())
        .await
        .expect_err("no such state");
    assert_eq!(error.phase(), Phase::NotBuilt);
}
