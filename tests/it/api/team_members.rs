//! `team_members()`: listing, reading and creating members, and their availability.

use crate::support::{cases, client_at};
use httpmock::{Method, MockServer};
use serde_json::{Value, json};
use telecrm::response::{Availability, TeamMember, TeamMemberRole, TeamMemberStatus};
use telecrm::testing::{FakeTelecrm, Response};
use telecrm::{Error, ErrorCode, NewTeamMember, Operation, PageRequest, Phase};

// Listing and reading

#[tokio::test]
async fn tm1_a_page_of_members_is_listed_with_the_deleted_ones() {
    let answer = json!({ "data": [{ "name": "Jane Doe", "status": "On Leave",
        "license": { "status": "ACTIVE", "type": "GROWTH" } }],
        "total_count": 42, "skip": 20, "limit": 10 });
    let server = MockServer::start_async().await;
    server.mock(|when, then| {
        when.path("/enterprise/ent/team-members")
            .query_param("limit", "10")
            .query_param("skip", "20")
            .query_param("includeDeleted", "true");
        then.status(200).json_body(answer);
    });
    let members = client_at(server.base_url()).team_members();
    let page = PageRequest { skip: 20, limit: 10 };
    let page = members.with_deleted().list(page).await.expect("listed");
    assert_eq!(page.data[0].status(), Some(TeamMemberStatus::OnLeave));
    assert_eq!(
        page.data[0].license().and_then(|license| license.license_type().map(str::to_owned)),
        Some("GROWTH".into())
    );
}

#[tokio::test]
async fn tm1_a_page_of_more_than_ten_members_is_refused() {
    let members = FakeTelecrm::new().client().team_members();
    let page = PageRequest { skip: 0, limit: 11 };
    let error = members.list(page).await.expect_err("TM1");
    assert!(error.to_string().contains("between 1 and 10"), "{error}");
}

#[tokio::test]
async fn tm1_all_members_are_read_in_pages_of_ten() {
    let server = MockServer::start_async().await;
    for (skip, count) in [(0, 10), (9, 10), (18, 5)] {
        server.mock(|when, then| {
            let members: Vec<_> = (skip..skip + count)
                .map(|n| json!({ "email": format!("m{n}@example.com") }))
                .collect();
            when.path("/enterprise/ent/team-members").query_param("skip", skip.to_string());
            then.status(200).json_body(
                json!({ "data": members, "total_count": 23, "skip": skip, "limit": 10 }),
            );
        });
    }
    let members = client_at(server.base_url()).team_members();
    let members = members.stream().collect().await.expect("read");
    assert_eq!(members.len(), 23);
}

#[tokio::test]
async fn tm3_tm4_a_member_is_read_by_the_trimmed_address() {
    let answer =
        json!({ "error": { "code": "TEAM_MEMBER_NOT_FOUND", "message": "Team member not found" } });
    let server = MockServer::start_async().await;
    server.mock(|when, then| {
        when.method(Method::GET).path("/enterprise/ent/team-members/jane.x@example.com");
        then.status(404).json_body(answer);
    });
    let members = client_at(server.base_url()).team_members();
    let error = members.get(" jane.x@example.com ").await;
    let error = error.expect_err("not found");
    assert_eq!(error.code(), Some(&ErrorCode::TeamMemberNotFound));
}

#[tokio::test]
async fn tm3_a_text_that_is_not_an_address_is_refused_unsent() {
    let members = FakeTelecrm::new().client().team_members();
    let error = members.get("jane").await;
    assert_eq!(error.expect_err("not an address").phase(), Phase::NotBuilt);
}

// Creation

fn john(phone: &str) -> NewTeamMember {
    let email = "john.doe@example.com";
    NewTeamMember::new("John Doe", email, phone, TeamMemberRole::Caller)
}

/// Creates a member at a server that takes the number 919876543210 only.
async fn create_with_the_number(phone: &str) -> Result<TeamMember, Error> {
    let body = json!({ "name": "John Doe", "email": "john.doe@example.com",
        "phone_number": "919876543210", "role": "CALLER" });
    let answer = json!({ "name": "John Doe", "email": "john.doe@example.com",
        "status": "INVITED", "role": "CALLER" });
    let server = MockServer::start_async().await;
    server.mock(|when, then| {
        when.method(Method::POST).path("/enterprise/ent/team-members").json_body(body);
        then.status(201).json_body(answer);
    });
    let members = client_at(server.base_url()).team_members();
    members.create(&john(phone)).await
}

async fn tm2_tm7_a_member_is_created_with_the_number_in_digits(phone: &str) {
    let created = create_with_the_number(phone).await.expect("created");
    assert_eq!(created.status(), Some(TeamMemberStatus::Invited));
}

cases! { async tm2_tm7_a_member_is_created_with_the_number_in_digits:
    written_in_digits("919876543210");
    written_with_a_plus("+919876543210");
}

async fn tm5_a_member_with_an_unclear_number_is_refused(phone: &str) {
    let error = create_with_the_number(phone).await.expect_err("TM5");
    assert_eq!(error.phase(), Phase::NotBuilt);
    let text = error.to_string();
    assert!(text.contains("`phone_number` ") && text.contains("(TM5)"), "{text}");
    let hint = error.hint().expect("a remedy");
    assert!(hint.contains("country code") && hint.contains("in IN begins with +91"), "{hint}");
    assert!(!text.contains(phone) && !hint.contains(phone), "{error:#}");
}

cases! { async tm5_a_member_with_an_unclear_number_is_refused:
    a_zero_before_the_country_code("+0919876543210");
    two_plus_signs("++919876543210");
    blanks("+91 98765 43210");
    hyphens("91-9876-5432-10");
    five_digits("99999");
    without_a_country_code("9876543210");
    a_zero_for_a_country_code("09876543210");
    sixteen_digits("9198765432101234");
}

/// A number of Singapore, as long with its country code as one of India without.
const SINGAPOREAN: &str = "6512345678";

fn fake_that_creates() -> FakeTelecrm {
    let answer = Response::json(json!({ "name": "John Doe" }));
    FakeTelecrm::new().always(Operation::CreateTeamMember, answer)
}

#[tokio::test]
async fn tm5_a_foreign_number_with_a_plus_is_sent() {
    let fake = fake_that_creates();
    let number = format!("+{SINGAPOREAN}");
    let created = fake.client().team_members().create(&john(&number)).await;
    assert!(created.is_ok(), "{created:?}");
    let sent = fake.requests();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].body().expect("a body")["phone_number"], SINGAPOREAN);
}

#[tokio::test]
async fn tm5_a_foreign_number_without_a_plus_is_refused_unsent() {
    let fake = fake_that_creates();
    let created = fake.client().team_members().create(&john(SINGAPOREAN)).await;
    assert!(created.is_err(), "{created:?}");
    assert_eq!(fake.requests(), []);
}

async fn a_member_with_a_blank_part_is_refused_unsent(member: NewTeamMember, part: &str) {
    let fake = FakeTelecrm::new();
    let error = fake.client().team_members().create(&member).await;
    let error = error.expect_err(part);
    assert_eq!(error.phase(), Phase::NotBuilt, "{part}");
    assert!(error.to_string().contains(part), "{error}");
    assert!(fake.requests().is_empty());
}

cases! { async a_member_with_a_blank_part_is_refused_unsent:
    a_name_of_blanks(
        NewTeamMember::new(" ", "john.doe@example.com", "919876543210", TeamMemberRole::Caller),
        "name",
    );
    an_empty_password(john("919876543210").password(""), "password");
}

#[test]
fn a_new_member_does_not_print_its_password() {
    let john = john("919876543210").password("s3cret");
    assert!(!format!("{john:?}").contains("s3cret"));
}

// Availability

#[tokio::test]
async fn tm6_availability_goes_to_the_path_without_a_hyphen() {
    let body = json!({ "email": "jane.doe@example.com", "state": "On Leave" });
    let answer: Value = json!({ "email": "jane.doe@example.com", "status": "On Leave" });
    let server = MockServer::start_async().await;
    server.mock(|when, then| {
        when.method(Method::POST).path("/enterprise/ent/teammember/state_change").json_body(body);
        then.status(200).json_body(answer);
    });
    let members = client_at(server.base_url()).team_members();
    let changed = members.set_availability("jane.doe@example.com", Availability::OnLeave).await;
    assert_eq!(changed.expect("changed").status(), Some(TeamMemberStatus::OnLeave));
}

#[tokio::test]
async fn tm6_an_unknown_availability_is_refused_unsent() {
    let members = FakeTelecrm::new().client().team_members();
    let error = members.set_availability("jane.doe@example.com", "Asleep".into()).await;
    assert_eq!(error.expect_err("not an availability").phase(), Phase::NotBuilt);
}
