//! Blank texts that nobody asked for are not sent, and told.

use serde_json::json;
use telecrm::testing::{FakeTelecrm, Response};
use telecrm::{
    ErrorCode, FieldValue, Lead, NewTeamMember, Operation, Outcome, Phase, RemarkStatus,
    TeamMemberRole, Upserted,
};

/// A form of which half the inputs were left empty, as somebody reads it.
fn read() -> Lead {
    let form = r#"{
        "fields": { "phone": "919999999999", "name": "", "interests": ["VIP", " "] },
        "actions": [{ "type": "ACTION_1001", "fields": { "note": " ", "outcome": "Interested" } }]
    }"#;
    serde_json::from_str(form).expect("a lead")
}

fn left_out<T>(outcome: &Outcome<T>) -> Vec<String> {
    let remarks = outcome.remarks().iter();
    let ignored = remarks.filter(|remark| remark.status == RemarkStatus::Ignored);
    ignored.map(|remark| remark.path.to_string()).collect()
}

#[tokio::test]
async fn a_lead_is_created_without_them() {
    let fake = FakeTelecrm::new().on(Operation::CreateLead, Response::created("l1"));
    let lead = read();
    let outcome = fake.client().leads().create(&lead).await.unwrap();
    let places = ["fields.interests", "fields.name", "actions[0].fields.note"];
    assert_eq!(left_out(&outcome), places);
    assert_eq!(outcome.remarks()[1].sent, Some("".into()));
    assert!(outcome.complete().is_err());
    assert_eq!(
        fake.requests()[0].body(),
        Some(&json!({
            "fields": { "phone": "919999999999", "interests": ["VIP"] },
            "actions": [{ "type": "1001", "fields": { "outcome": "Interested" } }],
        }))
    );
}

#[tokio::test]
async fn actions_are_created_without_them() {
    let fake = FakeTelecrm::new().on(Operation::CreateActions, Response::created("l1"));
    let actions = fake.client().leads().actions("l1");
    let outcome = actions.create(read().actions().to_vec()).await.unwrap();
    assert_eq!(left_out(&outcome), ["actions[0].fields.note"]);
    let sent = json!({ "actions": [{ "type": "1001", "fields": { "outcome": "Interested" } }] });
    assert_eq!(fake.requests()[0].body(), Some(&sent));
}

#[tokio::test]
async fn a_lead_is_upserted_without_them_whether_it_exists_or_not() {
    let exists = Response::error(409, ErrorCode::LeadAlreadyExists, "exists");
    let row = json!({ "id": "l1", "fields": { "phone": "919999999999" } });
    let fake = FakeTelecrm::new()
        .on(Operation::CreateLead, Response::created("l1"))
        .on(Operation::CreateLead, exists)
        .on(Operation::SearchLeads, Response::page([row.clone()]))
        .on(Operation::UpdateLead, Response::json(row))
        .on(Operation::CreateActions, Response::created("l1"));
    let leads = fake.client().leads();
    let Ok(Upserted::Created(created)) = leads.upsert(&read()).await else {
        panic!("there was no such lead");
    };
    let Ok(Upserted::Updated { lead, actions, .. }) = leads.upsert(&read()).await else {
        panic!("there was such a lead");
    };
    let fields = ["fields.interests", "fields.name"];
    let of_actions = ["actions[0].fields.note"];
    assert_eq!(left_out(&created), [&fields[..], &of_actions].concat());
    assert_eq!(left_out(&lead), fields);
    assert_eq!(left_out(&actions.expect("one")), of_actions);
    let sent = fake.requests_to(Operation::UpdateLead);
    let expected = json!({ "fields": { "interests": ["VIP"] } });
    assert_eq!(sent[0].body(), Some(&expected));
}

#[tokio::test]
async fn those_that_are_meant_are_sent() {
    let fake = FakeTelecrm::new().on(Operation::CreateLead, Response::created("l1"));
    let lead = Lead::new()
        .set("phone", "919999999999")
        .set("name", FieldValue::blank());
    let outcome = fake.client().leads().create(&lead).await.unwrap();
    assert!(outcome.complete().is_ok());
    assert_eq!(fake.requests()[0].body().unwrap()["fields"]["name"], "");
}

#[tokio::test]
async fn no_member_joins_the_team_with_them() {
    let fake = FakeTelecrm::new();
    let john = |name: &str| {
        let (email, phone) = ("john.doe@example.com", "919876543210");
        NewTeamMember::new(name, email, phone, TeamMemberRole::Caller)
    };
    for (member, part) in [
        (john(" "), "name"),
        (john("John Doe").password(""), "password"),
    ] {
        let error = fake.client().team_members().create(&member).await;
        let error = error.expect_err(part);
        assert_eq!(error.phase(), Phase::NotBuilt, "{part}");
        assert!(error.to_string().contains(part), "{error}");
    }
    assert!(fake.requests().is_empty());
}
