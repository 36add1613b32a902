//! Team members of the Sync API.

use crate::{Local, error};
use reqwest::Method;
use serde_json::{Value, json};
use telecrm_emulator::{Emulator, Invited, Profile, UnknownMember, WorkspaceFile};

fn john() -> Value {
    json!({ "name": "John Doe", "email": "john.doe@example.com", "phone_number": "919876543210", "role": "CALLER" })
}

/// A workspace file with these team members.
fn team(members: Value) -> WorkspaceFile {
    let mut file = WorkspaceFile::sample();
    file.team_members = serde_json::from_value(members).expect("objects");
    file
}

async fn with_team(members: Value) -> Local {
    Local::with(Emulator::builder().seed(team(members))).await
}

fn names(page: &Value) -> Vec<&str> {
    let members = page["data"].as_array().expect("a list").iter();
    members.map(|member| member["name"].as_str().expect("a text")).collect()
}

#[tokio::test]
async fn tm1_a_page_has_ten_members_by_name() {
    let members: Vec<_> = (0..12)
        .rev()
        .map(|n| json!({ "name": format!("member {n:02}"), "email": format!("m{n}@example.com"), "status": "Active" }))
        .chain([json!({ "name": "Aaron", "email": "a@example.com", "status": "Active" })])
        .collect();
    let local = with_team(members.into()).await;
    let (status, page) = local.get("/team-members").await;
    assert_eq!(
        (status, &page["total_count"], &page["skip"], &page["limit"]),
        (200, &json!(13), &json!(0), &json!(10))
    );
    assert_eq!(names(&page)[..2], ["Aaron", "member 00"]);
    assert_eq!(names(&page).len(), 10);
    let page = local.get("/team-members?skip=11&limit=1").await.1;
    assert_eq!(names(&page), ["member 10"]);
    for limit in ["11", "0", "-1", "ten"] {
        let answer = local.get(&format!("/team-members?limit={limit}")).await;
        assert_eq!(
            answer,
            (400, error("BAD_REQUEST", "Limit should be between 1 and 10")),
            "{limit}"
        );
    }
}

#[tokio::test]
async fn tm2_inactive_members_keep_their_seat() {
    let mut file = team(json!([
        { "name": "A", "email": "a@example.com", "status": "Inactive" },
        { "name": "B", "email": "b@example.com", "status": "Deleted" },
    ]));
    file.emulator.insert("seats".into(), json!(2));
    let local = Local::with(Emulator::builder().seed(file)).await;
    assert_eq!(local.post("/team-members", john()).await.0, 201);
    let mut other = john();
    other["email"] = json!("other@example.com");
    let (status, refused) = local.post("/team-members", other).await;
    assert_eq!((status, &refused["error"]["code"]), (402, &json!("BUY_LICENSE")));
    assert_eq!(local.get("/team-members").await.1["total_count"], 2);
}

#[tokio::test]
async fn tm3_deleted_members_are_hidden() {
    let local =
        with_team(json!([{ "name": "B", "email": "b@example.com", "status": "Deleted" }])).await;
    let missing = (404, error("TEAM_MEMBER_NOT_FOUND", "Team member not found"));
    assert_eq!(local.get("/team-members/b@example.com").await, missing);
    let (status, member) = local.get("/team-members/b@example.com?includeDeleted=true").await;
    assert_eq!((status, &member["status"]), (200, &json!("Deleted")));
    assert_eq!(local.get("/team-members").await.1["total_count"], 0);
    assert_eq!(local.get("/team-members?includeDeleted=true").await.1["total_count"], 1);
    let change = json!({ "state": "Active", "email": "b@example.com" });
    assert_eq!(local.post("/teammember/state_change", change).await, missing);
}

#[tokio::test]
async fn tm4_addresses_are_compared_without_case() {
    let local = Local::start().await;
    let (status, jane) = local.get("/team-members/Jane.DOE%40example.com").await;
    assert_eq!((status, &jane["email"]), (200, &json!("jane.doe@example.com")));
    for wrong in ["%20jane.doe@example.com", "jane.doe@example.com%20", "j%D0%B0ne.doe@example.com"]
    {
        let answer = local.get(&format!("/team-members/{wrong}")).await;
        assert_eq!(
            answer,
            (404, error("TEAM_MEMBER_NOT_FOUND", "Team member not found")),
            "{wrong}"
        );
    }
    for wrong in ["jane", "jane@doe", "jane%20doe@example.com"] {
        let answer = local.get(&format!("/team-members/{wrong}")).await;
        assert_eq!(answer, (400, error("BAD_REQUEST", "Invalid email format")), "{wrong}");
    }
    let change = |email: &str| json!({ "state": "On Leave", "email": email });
    assert_eq!(
        local.post("/teammember/state_change", change(" jane.doe@example.com")).await.0,
        404
    );
    assert_eq!(local.post("/teammember/state_change", change("nobody")).await.0, 400);

    let mut profile = Profile::documented();
    profile.unknown_member = UnknownMember::BadRequest;
    let local = Local::with(Emulator::builder().profile(profile)).await;
    let answer = local.post("/teammember/state_change", change("nobody@example.com")).await;
    assert_eq!(answer, (400, error("BAD_REQUEST", "Team member not found")));
}

#[tokio::test]
async fn tm5_phone_numbers_have_only_digits() {
    let local = Local::start().await;
    for wrong in ["+91 98765 43210", "91-9876-5432-10", "+919876543210", " 919876543210", "98765"] {
        let mut member = john();
        member["phone_number"] = json!(wrong);
        let answer = local.post("/team-members", member).await;
        assert_eq!(answer, (400, error("BAD_REQUEST", "Invalid phone_number format")), "{wrong}");
    }
}

#[tokio::test]
async fn a_wrong_type_and_a_missing_value_have_different_messages() {
    let local = Local::start().await;
    let mut member = john();
    member["phone_number"] = json!(919876543210_u64);
    member["name"] = json!(null);
    let (status, refused) = local.post("/team-members", member).await;
    assert_eq!(status, 400);
    let details = json!([
        { "field": "name", "message": "name is required" },
        { "field": "phone_number", "message": "phone_number must be a text" },
    ]);
    assert_eq!(refused["error"]["details"], details);
}

#[tokio::test]
async fn tm6_the_state_has_its_own_path() {
    let local = Local::start().await;
    let change = json!({ "state": "On Leave", "email": "jane.doe@example.com" });
    assert_eq!(local.post("/team-members/state_change", change.clone()).await.0, 404);
    let answer = local.post("/teammember/state_change", change).await;
    assert_eq!(answer, (200, json!({ "email": "jane.doe@example.com", "status": "On Leave" })));
    assert_eq!(local.get("/team-members/jane.doe@example.com").await.1["status"], "On Leave");
    let entry = &local.emulator.log(0)[1];
    assert_eq!(entry.operation.as_deref(), Some("setTeamMemberState"));
    assert_eq!(entry.stored.as_ref().unwrap()["status"], "On Leave");
    for state in ["Invited", "Deleted", "on leave", ""] {
        let change = json!({ "state": state, "email": "jane.doe@example.com" });
        let (status, refused) = local.post("/teammember/state_change", change).await;
        assert_eq!(
            (status, &refused["error"]["details"][0]["field"]),
            (400, &json!("state")),
            "{state}"
        );
    }
}

#[tokio::test]
async fn tm7_an_invitation_has_two_spellings() {
    let local = Local::start().await;
    let (status, created) = local.post("/team-members", john()).await;
    let mut expected = john();
    expected["status"] = json!("INVITED");
    assert_eq!((status, created), (201, expected));
    let (_, member) = local.get("/team-members/john.doe@example.com").await;
    assert_eq!((&member["status"], &member["license"]), (&json!("Invited"), &Value::Null));
    assert_eq!(member["role"], Value::Null, "only the answer to the creation has it");

    let mut profile = Profile::documented();
    profile.invited = Invited::Title;
    let local = Local::with(Emulator::builder().profile(profile)).await;
    // Without the check, because the description has only the other spelling.
    let request = local.sync(Method::POST, "/team-members").json(&john());
    let created: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(created["status"], "Invited");
}

#[tokio::test]
async fn a_member_with_a_password_is_active_and_the_password_is_not_stored() {
    let local = Local::start().await;
    let mut member = john();
    member["password"] = json!("correct horse");
    let (status, created) = local.post("/team-members", member).await;
    assert_eq!((status, &created["status"]), (201, &json!("Active")));
    let shown = local.get("/team-members").await.1.to_string();
    assert!(
        !shown.contains("correct horse")
            && !format!("{:?}", local.emulator.log(0)).contains("correct horse")
    );
}

#[tokio::test]
async fn each_bad_field_of_a_member_has_a_message() {
    let local = Local::start().await;
    let complaints = async |member: Value| {
        let (status, refused) = local.post("/team-members", member).await;
        assert_eq!(
            (status, &refused["error"]["code"], &refused["error"]["message"]),
            (400, &json!("BAD_REQUEST"), &json!("Validation failed"))
        );
        refused["error"]["details"].clone()
    };
    let mut member = john();
    member["role"] = json!("BOSS");
    assert_eq!(
        complaints(member).await,
        json!([{ "field": "role", "message": "Invalid role. Allowed roles: ADMIN, MANAGER, CALLER, MARKETING_USER" }])
    );
    let fields = |details: Value| -> Vec<String> {
        let details = details.as_array().cloned().unwrap_or_default().into_iter();
        details.map(|d| d["field"].as_str().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(
        fields(complaints(json!({ "name": " " })).await),
        ["name", "email", "phone_number", "role"]
    );
    let mut taken = john();
    taken["email"] = json!("JANE.DOE@example.com");
    assert_eq!(fields(complaints(taken).await), ["email"]);
    let mut strange = john();
    strange["email"] = json!("john");
    strange["password"] = json!(1234);
    assert_eq!(fields(complaints(strange).await), ["email", "password"]);
    assert_eq!(local.get("/team-members").await.1["total_count"], 2, "no member was added");
}

#[tokio::test]
async fn a_reset_restores_the_team() {
    let local = Local::start().await;
    local.post("/team-members", john()).await;
    local.emulator.reset();
    assert_eq!(local.get("/team-members").await.1["total_count"], 2);
}
