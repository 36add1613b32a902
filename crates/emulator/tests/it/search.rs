//! Searches for leads.

use crate::{Local, answer, error};
use reqwest::Method;
use serde_json::{Value, json};
use telecrm_emulator::{Emulator, SearchIds};

/// An emulator with three leads: Jane, then John, then Mary.
async fn three_leads() -> Local {
    let local = Local::start().await;
    for lead in [
        json!({ "fields": { "phone": "919999999991", "name": "Jane", "status": "Won", "rating": 4,
            "interests": ["VIP"], "contact_source": "Website", "follow_up_date": "01/06/2026 10:30" },
            "actions": [{ "type": "ACTION_1001", "fields": {}, "created_on": "15/04/2026 12:00:00" }] }),
        json!({ "fields": { "phone": "919999999992", "name": "John", "status": "Lost", "rating": 4,
            "interests": ["VIP", "Returning"], "contact_source": "Referral", "assignee": "Agent@Example.com" },
            "actions": [{ "type": "PAYMENT", "status": "COMPLETED", "currency": "INR", "amount": "1" }] }),
        json!({ "fields": { "phone": "919999999993", "name": "Mary", "status": "Fresh",
            "follow_up_date": "02/06/2026 00:00" } }),
    ] {
        local.push(lead).await;
    }
    local
}

fn names(found: &Value) -> Vec<&str> {
    let rows = found["data"].as_array().expect("a list").iter();
    rows.map(|row| row["fields"]["name"].as_str().expect("a text")).collect()
}

#[tokio::test]
async fn a_search_without_a_filter_finds_all_leads_newest_first() {
    let local = three_leads().await;
    for everything in [
        json!({}),
        json!({ "fields": {} }),
        json!({ "fields": {}, "actions": {} }),
        json!({ "campaign": "tolerated" }),
    ] {
        let found = local.search(everything).await;
        assert_eq!(names(&found), ["Mary", "John", "Jane"]);
        assert_eq!((&found["skip"], &found["limit"]), (&json!(0), &json!(10)));
    }
    let row = &local.search(json!({})).await["data"][0];
    assert_eq!(row["actions"], json!([]), "the timeline is not part of a search");
    assert!(
        row["id"].is_string()
            && row["fields"]["created_on"].is_i64()
            && row["fields"]["modified_on"].is_i64()
    );
}

#[tokio::test]
async fn a_foreign_number_is_found_by_all_its_spellings() {
    let local = Local::start().await;
    for (phone, name) in [("+6591234567", "Lim"), ("6591234567", "Asha")] {
        local.push(json!({ "fields": { "phone": phone, "name": name } })).await;
    }
    for (phone, expected) in [
        ("+6591234567", "Lim"),
        ("6591234567", "Asha"),
        ("916591234567", "Asha"),
        ("+916591234567", "Asha"),
    ] {
        let found = local.search(json!({ "fields": { "phone": [phone] } })).await;
        assert_eq!(names(&found), [expected], "{phone}");
    }
}

/// Asserts which of the three leads match this filter.
async fn assert_found(filter: Value, expected: &[&str]) {
    let found = three_leads().await.search(filter).await;
    assert_eq!(names(&found), expected);
    assert_eq!(found["total_count"], expected.len());
}

async fn assert_found_by_fields(fields: Value, expected: &[&str]) {
    assert_found(json!({ "fields": fields }), expected).await;
}

scenarios! { assert_found_by_fields:
    texts_match_without_case(json!({ "name": "JANE" }), &["Jane"])
    a_part_of_a_text_does_not_match(json!({ "name": "Jan" }), &[])
    one_value_of_a_list_matches(json!({ "name": ["jane", "mary"] }), &["Mary", "Jane"])
    a_number_matches(json!({ "rating": 4 }), &["John", "Jane"])
    all_fields_must_match(json!({ "rating": [1, 4], "status": ["Won"] }), &["Jane"])
    a_number_as_text_does_not_match(json!({ "rating": "4" }), &[])
    one_tag_matches(json!({ "interests": "returning" }), &["John"])
    an_assignee_matches(json!({ "assignee": "agent@example.com" }), &["John"])
    a_list_and_a_text_must_both_match(
        json!({ "contact_source": ["Website", "Referral"], "name": "John" }), &["John"]
    )
    an_unknown_field_matches_no_lead(json!({ "no_such_field": "x" }), &[])
    an_empty_list_matches_no_lead(json!({ "name": [] }), &[])
}

#[tokio::test]
async fn le6_status_labels_are_case_sensitive() {
    let local = three_leads().await;
    assert_eq!(names(&local.search(json!({ "fields": { "status": "Won" } })).await), ["Jane"]);
    assert_eq!(names(&local.search(json!({ "fields": { "status": "won" } })).await), [""; 0]);
    assert_eq!(
        names(&local.search(json!({ "fields": { "status": ["Won", "Lost"] } })).await),
        ["John", "Jane"]
    );
}

#[tokio::test]
async fn id2_every_spelling_of_a_number_finds_its_lead() {
    let local = three_leads().await;
    for phone in ["919999999992", "+919999999992", "9999999992"] {
        assert_eq!(
            names(&local.search(json!({ "fields": { "phone": phone } })).await),
            ["John"],
            "{phone}"
        );
    }
    let both = json!({ "fields": { "phone": ["9999999991", "+919999999993", "919999999991"] } });
    assert_eq!(names(&local.search(both).await), ["Mary", "Jane"]);
    let unfit = json!({ "fields": { "phone": "9999999991", "name": "Mary" } });
    assert_eq!(names(&local.search(unfit).await), [""; 0]);
    assert_eq!(names(&local.search(json!({ "fields": { "phone": "99999" } })).await), [""; 0]);
}

const JUNE_1: i64 = 1_780_290_000_000;

async fn assert_found_in_range(range: Value, expected: &[&str]) {
    assert_found(json!({ "fields": { "follow_up_date": range } }), expected).await;
}

scenarios! { assert_found_in_range:
    a_range_includes_both_ends(json!({ "from": JUNE_1, "to": JUNE_1 }), &["Jane"])
    a_range_can_lack_its_end(json!({ "from": JUNE_1 + 1 }), &["Mary"])
    a_range_can_lack_its_start(json!({ "to": JUNE_1 - 1 }), &[])
    a_range_can_have_dates_as_text(
        json!({ "from": "01/06/2026 10:30", "to": "02/06/2026 00:00:00" }), &["Mary", "Jane"]
    )
    a_range_can_have_null_as_its_end(
        json!({ "from": "01/06/2026", "to": null }), &["Mary", "Jane"]
    )
}

#[tokio::test]
async fn the_times_that_telecrm_sets_are_searched_by_range() {
    let local = three_leads().await;
    let all = local.search(json!({})).await;
    let created = |row: usize| all["data"][row]["fields"]["created_on"].as_i64().unwrap();
    let (newest, oldest) = (created(0), created(2));
    for name in ["created_on", "modified_on"] {
        let found =
            local.search(json!({ "fields": { name: { "from": newest, "to": newest } } })).await;
        assert_eq!(names(&found), ["Mary"]);
        let found =
            local.search(json!({ "fields": { name: { "from": oldest, "to": newest - 1 } } })).await;
        assert_eq!(names(&found), ["John", "Jane"]);
        let found =
            local.search(json!({ "fields": { name: { "to": "01/01/2020 00:00:00" } } })).await;
        assert_eq!(found["total_count"], 0);
        let found = local.search(json!({ "fields": { name: oldest } })).await;
        assert_eq!(names(&found), ["Jane"]);
    }
}

async fn assert_found_by_actions(actions: Value, expected: &[&str]) {
    assert_found(json!({ "actions": actions }), expected).await;
}

fn april() -> Value {
    json!({ "from": "01/04/2026 00:00:00", "to": "30/04/2026 23:59:59" })
}

scenarios! { assert_found_by_actions:
    an_action_matches_by_its_type(json!({ "type": "1001" }), &["Jane"])
    an_action_matches_one_of_several_types(
        json!({ "type": ["1001", "PAYMENT"] }), &["John", "Jane"]
    )
    an_action_matches_by_type_and_time(
        json!({ "type": "1001", "performed_at": april() }), &["Jane"]
    )
    one_action_must_match_type_and_time(
        json!({ "type": "PAYMENT", "performed_at": april() }), &[]
    )
    an_action_matches_by_its_time(json!({ "performed_at": { "from": 1 } }), &["John", "Jane"])
    one_action_must_match_type_and_performer(
        json!({ "type": "1001", "performed_by": "agent@example.com" }), &[]
    )
}

#[tokio::test]
async fn a_lead_must_match_fields_and_actions() {
    let actions = json!({ "type": ["1001", "PAYMENT"] });
    let filter = json!({ "fields": { "status": "Lost" }, "actions": actions });
    assert_found(filter, &["John"]).await;
}

async fn assert_filter_refused(filter: Value) {
    let refused = error("BAD_REQUEST", "Invalid filter");
    let local = Local::start().await;
    assert_eq!(local.post("/lead/search", filter).await, (400, refused));
}

scenarios! { assert_filter_refused:
    a_list_is_not_a_filter(json!([]))
    a_list_of_fields_is_refused(json!({ "fields": [] }))
    null_is_not_a_value_of_a_filter(json!({ "fields": { "name": null } }))
    a_range_of_texts_is_refused(json!({ "fields": { "name": { "from": 1 } } }))
    a_nested_list_is_refused(json!({ "fields": { "name": [["Jane"]] } }))
    an_iso_date_in_a_range_is_refused(
        json!({ "fields": { "created_on": { "from": "2026-06-01" } } })
    )
    a_text_for_actions_is_refused(json!({ "actions": "1001" }))
    a_number_as_type_is_refused(json!({ "actions": { "type": 1001 } }))
    a_word_as_time_is_refused(json!({ "actions": { "performed_at": { "to": "soon" } } }))
    a_number_as_range_is_refused(json!({ "actions": { "performed_at": 1 } }))
}

#[tokio::test]
async fn le5_a_page_of_a_search_has_1_to_100_leads() {
    let local = three_leads().await;
    let refused = error("BAD_REQUEST", "Limit should be between 1 and 100");
    for limit in ["0", "101", "many"] {
        let answer = local.post(&format!("/lead/search?limit={limit}"), json!({})).await;
        assert_eq!(answer, (400, refused.clone()));
    }
    let (status, page) = local.post("/lead/search?limit=2&skip=1", json!({})).await;
    assert_eq!((status, names(&page)), (200, vec!["John", "Jane"]));
    assert_eq!([&page["total_count"], &page["skip"], &page["limit"]], [3, 1, 2]);
    let (_, beyond) = local.post("/lead/search?skip=3&limit=100", json!({})).await;
    assert_eq!((names(&beyond), &beyond["total_count"]), (vec![], &json!(3)));
}

#[tokio::test]
async fn le3_a_search_is_a_post() {
    let local = three_leads().await;
    let (status, refused) = local.get("/lead/search?status=Won").await;
    assert!([404, 405].contains(&status), "{status}");
    assert!(refused["error"]["code"].is_string());
}

#[tokio::test]
async fn le7_rows_can_lack_the_id() {
    let local = Local::with(Emulator::builder().search_ids(SearchIds::No)).await;
    let id = local.create(json!({ "phone": "919999999999" })).await;
    let found = local.search(json!({})).await;
    assert_eq!(found["data"][0]["id"], Value::Null);
    assert_eq!(found["data"][0]["fields"]["phone"], "919999999999");
    assert_eq!(local.get(&format!("/lead/{id}")).await.0, 200);
}

#[tokio::test]
async fn a_malformed_body_is_refused() {
    let local = Local::start().await;
    for path in ["/lead/search", "/lead", "/lead/62ab16e"] {
        let (status, refused) = answer(local.sync(Method::POST, path).body("{\"fields\":")).await;
        assert_eq!((status, &refused["error"]["code"]), (400, &json!("BAD_REQUEST")));
    }
}

/// Asserts that the log has one finding for this filter, with this reason.
async fn assert_finding(fields: Value, reason: &str) {
    let local = Local::start().await;
    local.search(json!({ "fields": fields })).await;
    let call = local.emulator.log(0).pop().expect("the call");
    assert_eq!(call.findings.len(), 1, "{:?}", call.findings);
    let finding = &call.findings[0];
    assert_eq!(finding.kind, telecrm::FindingKind::Doubtful);
    assert!(finding.reason.contains(reason), "{finding}");
    assert!(!finding.is_loss(), "a search stores nothing");
}

scenarios! { assert_finding:
    le6_a_status_in_another_case_is_a_finding(json!({ "status": "contacted" }), "`contacted` is no label of status, so it fits no lead")
    le6_an_unknown_status_is_a_finding(json!({ "status": ["Contacted", "Nope"] }), "`Nope` is no label of status")
    a_label_that_is_no_option_is_a_finding(json!({ "contact_source": "Other" }), "`Other` is no label")
    a_tag_that_no_lead_has_is_a_finding(json!({ "interests": "Night owl" }), "`Night owl` is no label")
    an_empty_list_is_a_finding(json!({ "name": [] }), "empty")
    a_range_that_ends_before_it_begins_is_a_finding(json!({ "created_on": { "from": 5, "to": 4 } }), "ends (4) before")
    an_unknown_field_of_a_filter_is_a_finding(json!({ "lead_status": "Fresh" }), "no field `lead_status`")
    a_rating_as_text_is_a_finding(json!({ "rating": "3" }), "a rating is a whole number")
    a_short_phone_number_is_a_finding(json!({ "phone": "99999" }), "phone number")
    a_number_for_a_text_is_a_finding(json!({ "budget": 1000 }), "money is a string of digits")
}

#[tokio::test]
async fn a_finding_about_a_filter_suggests_the_repaired_value() {
    let local = Local::start().await;
    let filter = json!({ "status": "contacted", "phone": "+91 99999 99999", "name": ["a", 1] });
    local.search(json!({ "fields": filter })).await;
    let findings = local.emulator.log(0).pop().expect("the call").findings;
    let suggestions: Vec<_> = findings.iter().filter_map(|f| f.suggestion.as_deref()).collect();
    assert_eq!(
        suggestions,
        ["write `1`", "write `919999999999`", "write `Contacted`, since the case matters (LE6)"]
    );
}

#[tokio::test]
async fn ac2_a_type_that_no_action_has_is_a_finding() {
    let local = Local::start().await;
    let wanted = json!({ "type": ["ACTION_1001", "9999", "PAYMENT"] });
    local.search(json!({ "actions": wanted })).await;
    let findings = local.emulator.log(0).pop().expect("the call").findings;
    let texts: Vec<_> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "actions.type doubtful: `ACTION_1001` fits no action: a filter names the bare code (AC2)",
            "actions.type doubtful: `9999` fits no action: the workspace lacks this code",
        ]
    );
}

/// Asserts that the log has no finding for this filter.
async fn assert_no_finding(fields: Value) {
    let local = Local::start().await;
    local.search(json!({ "fields": fields })).await;
    let call = local.emulator.log(0).pop().expect("the call");
    assert_eq!(call.findings, []);
}

scenarios! { assert_no_finding:
    options_in_a_filter_are_not_a_finding(
        json!({ "status": ["Contacted"], "interests": "VIP", "contact_source": "website" })
    )
    numbers_in_a_filter_are_not_a_finding(
        json!({ "phone": "9999999999", "rating": 3, "created_on": { "from": 5 } })
    )
    texts_and_times_in_a_filter_are_not_a_finding(
        json!({ "name": "x", "email": "a@b.cc", "created_on": 5, "modified_on": 5 })
    )
}
