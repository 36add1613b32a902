use crate::{Local, answer, error};
use reqwest::Method;
use serde_json::{Value, json};
use telecrm_emulator::Emulator;

/// Three leads: Jane, then John, then Mary.
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
    rows.map(|row| row["fields"]["name"].as_str().expect("a text"))
        .collect()
}

#[tokio::test]
async fn without_a_filter_all_leads_are_found_newest_first() {
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
    assert_eq!(
        row["actions"],
        json!([]),
        "the timeline is not part of a search"
    );
    assert!(
        row["id"].is_string()
            && row["fields"]["created_on"].is_i64()
            && row["fields"]["modified_on"].is_i64()
    );
}

#[tokio::test]
async fn a_foreign_number_is_found_by_every_spelling_of_it_and_no_other() {
    let local = Local::start().await;
    for (phone, name) in [("+6591234567", "Lim"), ("6591234567", "Asha")] {
        local
            .push(json!({ "fields": { "phone": phone, "name": name } }))
            .await;
    }
    for (phone, expected) in [
        ("+6591234567", "Lim"),
        ("6591234567", "Asha"),
        ("916591234567", "Asha"),
        ("+916591234567", "Asha"),
    ] {
        let found = local
            .search(json!({ "fields": { "phone": [phone] } }))
            .await;
        assert_eq!(names(&found), [expected], "{phone}");
    }
}

#[tokio::test]
async fn fields_must_all_fit_and_of_a_list_one() {
    let local = three_leads().await;
    for (fields, expected) in [
        (json!({ "name": "JANE" }), vec!["Jane"]),
        (json!({ "name": "Jan" }), vec![]),
        (json!({ "name": ["jane", "mary"] }), vec!["Mary", "Jane"]),
        (json!({ "rating": 4 }), vec!["John", "Jane"]),
        (json!({ "rating": [1, 4], "status": ["Won"] }), vec!["Jane"]),
        (json!({ "rating": "4" }), vec![]),
        (json!({ "interests": "returning" }), vec!["John"]),
        (json!({ "assignee": "agent@example.com" }), vec!["John"]),
        (
            json!({ "contact_source": ["Website", "Referral"], "name": "John" }),
            vec!["John"],
        ),
        (json!({ "no_such_field": "x" }), vec![]),
        (json!({ "name": [] }), vec![]),
    ] {
        let found = local.search(json!({ "fields": fields })).await;
        assert_eq!(names(&found), expected, "{fields}");
        assert_eq!(found["total_count"], expected.len());
    }
}

#[tokio::test]
async fn le6_status_labels_are_told_apart_by_case() {
    let local = three_leads().await;
    assert_eq!(
        names(&local.search(json!({ "fields": { "status": "Won" } })).await),
        ["Jane"]
    );
    assert_eq!(
        names(&local.search(json!({ "fields": { "status": "won" } })).await),
        [""; 0]
    );
    assert_eq!(
        names(
            &local
                .search(json!({ "fields": { "status": ["Won", "Lost"] } }))
                .await
        ),
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
    assert_eq!(
        names(
            &local
                .search(json!({ "fields": { "phone": "99999" } }))
                .await
        ),
        [""; 0]
    );
}

#[tokio::test]
async fn ranges_include_both_ends() {
    let local = three_leads().await;
    let june_1 = 1_780_290_000_000_i64;
    for (range, expected) in [
        (json!({ "from": june_1, "to": june_1 }), vec!["Jane"]),
        (json!({ "from": june_1 + 1 }), vec!["Mary"]),
        (json!({ "to": june_1 - 1 }), vec![]),
        (
            json!({ "from": "01/06/2026 10:30", "to": "02/06/2026 00:00:00" }),
            vec!["Mary", "Jane"],
        ),
        (
            json!({ "from": "01/06/2026", "to": null }),
            vec!["Mary", "Jane"],
        ),
    ] {
        let found = local
            .search(json!({ "fields": { "follow_up_date": range } }))
            .await;
        assert_eq!(names(&found), expected, "{range}");
    }
    let all = local.search(json!({})).await;
    let created = |row: usize| all["data"][row]["fields"]["created_on"].as_i64().unwrap();
    let (newest, oldest) = (created(0), created(2));
    for name in ["created_on", "modified_on"] {
        let found = local
            .search(json!({ "fields": { name: { "from": newest, "to": newest } } }))
            .await;
        assert_eq!(names(&found), ["Mary"]);
        let found = local
            .search(json!({ "fields": { name: { "from": oldest, "to": newest - 1 } } }))
            .await;
        assert_eq!(names(&found), ["John", "Jane"]);
        let found = local
            .search(json!({ "fields": { name: { "to": "01/01/2020 00:00:00" } } }))
            .await;
        assert_eq!(found["total_count"], 0);
        let found = local.search(json!({ "fields": { name: oldest } })).await;
        assert_eq!(names(&found), ["Jane"]);
    }
}

#[tokio::test]
async fn one_action_must_fit_in_every_way() {
    let local = three_leads().await;
    let april = json!({ "from": "01/04/2026 00:00:00", "to": "30/04/2026 23:59:59" });
    for (actions, expected) in [
        (json!({ "type": "1001" }), vec!["Jane"]),
        (json!({ "type": ["1001", "PAYMENT"] }), vec!["John", "Jane"]),
        (
            json!({ "type": "1001", "performed_at": april }),
            vec!["Jane"],
        ),
        (json!({ "type": "PAYMENT", "performed_at": april }), vec![]),
        (
            json!({ "performed_at": { "from": 1 } }),
            vec!["John", "Jane"],
        ),
        (
            json!({ "type": "1001", "performed_by": "agent@example.com" }),
            vec![],
        ),
    ] {
        let found = local.search(json!({ "actions": actions })).await;
        assert_eq!(names(&found), expected, "{actions}");
    }
    let both =
        json!({ "fields": { "status": "Lost" }, "actions": { "type": ["1001", "PAYMENT"] } });
    assert_eq!(names(&local.search(both).await), ["John"]);
}

#[tokio::test]
async fn malformed_filters_are_refused() {
    let local = three_leads().await;
    for filter in [
        json!([]),
        json!({ "fields": [] }),
        json!({ "fields": { "name": null } }),
        json!({ "fields": { "name": { "from": 1 } } }),
        json!({ "fields": { "name": [["Jane"]] } }),
        json!({ "fields": { "created_on": { "from": "2026-06-01" } } }),
        json!({ "actions": "1001" }),
        json!({ "actions": { "type": 1001 } }),
        json!({ "actions": { "performed_at": { "to": "soon" } } }),
        json!({ "actions": { "performed_at": 1 } }),
    ] {
        let refused = error("BAD_REQUEST", "Invalid filter");
        assert_eq!(
            local.post("/lead/search", filter.clone()).await,
            (400, refused),
            "{filter}"
        );
    }
}

#[tokio::test]
async fn le5_pages_of_a_search_are_1_to_100_long() {
    let local = three_leads().await;
    let refused = error("BAD_REQUEST", "Limit should be between 1 and 100");
    for limit in ["0", "101", "many"] {
        let answer = local
            .post(&format!("/lead/search?limit={limit}"), json!({}))
            .await;
        assert_eq!(answer, (400, refused.clone()));
    }
    let (status, page) = local.post("/lead/search?limit=2&skip=1", json!({})).await;
    assert_eq!((status, names(&page)), (200, vec!["John", "Jane"]));
    assert_eq!(
        [&page["total_count"], &page["skip"], &page["limit"]],
        [3, 1, 2]
    );
    let (_, beyond) = local.post("/lead/search?skip=3&limit=100", json!({})).await;
    assert_eq!(
        (names(&beyond), &beyond["total_count"]),
        (vec![], &json!(3))
    );
}

#[tokio::test]
async fn le3_search_is_no_get() {
    let local = three_leads().await;
    let (status, refused) = local.get("/lead/search?status=Won").await;
    assert!([404, 405].contains(&status), "{status}");
    assert!(refused["error"]["code"].is_string());
}

#[tokio::test]
async fn le7_rows_without_an_id_can_be_had() {
    let local = Local::with(Emulator::builder().search_ids(false)).await;
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
        assert_eq!(
            (status, &refused["error"]["code"]),
            (400, &json!("BAD_REQUEST"))
        );
    }
}

#[tokio::test]
async fn le6_the_log_tells_why_a_search_may_find_nothing() {
    let local = Local::start().await;
    for (fields, told) in [
        (
            json!({ "status": "contacted" }),
            "spells the status differently",
        ),
        (
            json!({ "status": ["Contacted", "Nope"] }),
            "no status `Nope`",
        ),
        (json!({ "lead_status": "Fresh" }), "no field `lead_status`"),
        (json!({ "rating": "3" }), "a rating is a whole number"),
        (json!({ "phone": "99999" }), "phone number"),
        (json!({ "budget": 1000 }), "a string of digits"),
    ] {
        local.search(json!({ "fields": fields })).await;
        let call = local.emulator.log(0).pop().expect("the call");
        assert_eq!(call.findings.len(), 1, "{fields}: {:?}", call.findings);
        let finding = &call.findings[0];
        assert!(finding.reason.starts_with("looked for as it is written"));
        assert!(finding.reason.contains(told), "{finding}");
        assert!(!finding.is_loss(), "nothing was to be stored");
    }
    for fields in [
        json!({ "status": ["Contacted"], "interests": "VIP", "contact_source": "Other" }),
        json!({ "phone": "9999999999", "rating": 3, "created_on": { "from": 5 } }),
        json!({ "name": "x", "email": "a@b.cc", "created_on": 5, "modified_on": 5 }),
    ] {
        local.search(json!({ "fields": fields })).await;
        let call = local.emulator.log(0).pop().expect("the call");
        assert_eq!(call.findings, [], "{fields}");
    }
}
