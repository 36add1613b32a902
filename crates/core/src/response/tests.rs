//! Tests of all records: no response is unreadable, and none loses a key or a digit.

use super::*;
use crate::{Created, FieldValue, Lead, Outcome};
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A type that does not fit the fields below.
#[derive(Deserialize, Debug)]
#[expect(dead_code, reason = "only deserialized")]
struct Own {
    phone: Option<String>,
    rating: Option<u8>,
    zone: Option<u8>,
    size: Option<std::net::IpAddr>,
    #[serde(flatten)]
    rest: BTreeMap<String, u8>,
    inner: Option<Inner>,
}

#[derive(Deserialize, Debug)]
#[expect(dead_code, reason = "only deserialized")]
struct Inner {
    note: u8,
}

fn misfit(fields: &str, expected: &str) {
    let row = format!(r#"{{"fields":{{"phone":"9199\ud83d",{fields}}}}}"#);
    let row: LeadRecord = serde_json::from_str(&row).expect("a row");
    let error = row.fields_as::<Own>().expect_err("does not fit");
    assert_eq!(error.to_string(), expected);
}

cases! { misfit:
    string(r#""rating":"Jane","zone":7"#, "`fields.rating` does not fit the type u8"),
    string_like_an_error(
        r#""rating":"Jane, expected Asha""#,
        "`fields.rating` does not fit the type u8"
    ),
    number_out_of_range(r#""rating":3,"zone":70000"#, "`fields.zone` does not fit the type u8"),
    nested(r#""inner":{"note":"Jane"}"#, "`fields.inner` does not fit the type u8"),
    missing_field(r#""inner":{},"zone":7"#, "missing field `note`"),
    unknown_type(r#""size":"Jane at line 3","zone":7"#, "`fields.size` does not fit its type"),
    flattened(r#""other":"Jane""#, "a field does not fit the type u8"),
}

/// Any JSON object, often with the keys of a response.
fn any_object() -> impl Strategy<Value = Map<String, Value>> {
    let known = ["fields", "actions", "data", "total_count", "limit", "id", "type", "status"];
    let key =
        prop_oneof![prop::sample::select(known.to_vec()).prop_map(str::to_owned), "[a-z]{1,4}",];
    let keys = key.clone();
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[\\PC\"]{0,6}".prop_map(Value::from),
    ];
    let any = leaf.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(keys.clone(), inner, 0..4)
                .prop_map(|object| object.into_iter().collect()),
        ]
    });
    prop::collection::btree_map(key, any, 0..6).prop_map(|object| object.into_iter().collect())
}

/// A difference between the documentation and a response.
#[derive(Debug, Clone)]
enum Change {
    /// An unknown key.
    Add(String, i64),
    /// A new value of an enum.
    Rename(prop::sample::Index),
    /// Null in the place of a value.
    Null(prop::sample::Index),
    /// Numbers in quotes.
    Quote,
    /// Another shape in the place of a list or an object.
    Misshape(prop::sample::Index, Value),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        ("x_[a-z]{1,8}", any::<i64>()).prop_map(|(key, value)| Change::Add(key, value)),
        any::<prop::sample::Index>().prop_map(Change::Rename),
        any::<prop::sample::Index>().prop_map(Change::Null),
        Just(Change::Quote),
        (any::<prop::sample::Index>(), odd()).prop_map(|(at, odd)| Change::Misshape(at, odd)),
    ]
}

/// Values in the place of an object or a list.
fn odd() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!(null),
        json!([]),
        json!({}),
        json!([null]),
        json!([null, { "type": "1001" }, 7]),
        json!("none"),
        json!(0),
    ])
}

fn apply(json: &mut Value, change: &Change) {
    let Value::Object(object) = json else {
        return;
    };
    match change {
        Change::Add(key, value) => {
            object.insert(key.clone(), (*value).into());
        }
        Change::Rename(index) => {
            let texts: Vec<_> = object.values_mut().filter(|value| value.is_string()).collect();
            if !texts.is_empty() {
                let place = index.index(texts.len());
                *texts.into_iter().nth(place).expect("in range") = "BRAND_NEW".into();
            }
        }
        Change::Null(index) if !object.is_empty() => {
            let key = object.keys().nth(index.index(object.len())).expect("in range").clone();
            object.insert(key, Value::Null);
        }
        Change::Null(_) => {}
        Change::Misshape(index, odd) => {
            let structured =
                object.values_mut().filter(|value| value.is_object() || value.is_array());
            let structured: Vec<_> = structured.collect();
            if !structured.is_empty() {
                let place = index.index(structured.len());
                *structured.into_iter().nth(place).expect("in range") = odd.clone();
            }
        }
        Change::Quote => {
            for value in object.values_mut().filter(|value| value.is_number()) {
                *value = value.to_string().into();
            }
        }
    }
}

/// Applies changes to an object and to everything in it.
fn apply_everywhere(json: &mut Value, changes: &[Change]) {
    changes.iter().for_each(|change| apply(json, change));
    match json {
        Value::Object(object) => {
            object.values_mut().for_each(|value| apply_everywhere(value, changes));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| apply_everywhere(item, changes)),
        _ => {}
    }
}

/// Removes nulls and empty objects, which mean the same as a missing key.
fn without_nothing(json: Value) -> Value {
    match json {
        Value::Object(object) => {
            let inside = object.into_iter().map(|(key, value)| (key, without_nothing(value)));
            inside.filter(|(_, value)| !value.is_null() && *value != json!({})).collect()
        }
        other => other,
    }
}

/// Reads a changed response, and checks that writing it back loses nothing.
fn survives<T: DeserializeOwned + Serialize>(documented: &Value, changes: &[Change]) {
    let mut answer = documented.clone();
    apply_everywhere(&mut answer, changes);
    let text = answer.to_string();
    let decoded: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let written = serde_json::to_value(&decoded).expect("JSON");
    assert_eq!(without_nothing(written), without_nothing(answer));
}

/// Reads a response, and checks that writing it gives the same JSON.
fn round_trip<T: DeserializeOwned + Serialize>(response: &str) -> T {
    let read: T = serde_json::from_str(response).expect(response);
    let written = serde_json::to_value(&read).expect("JSON");
    let expected: Value = serde_json::from_str(response).expect("JSON");
    assert_eq!(written, expected);
    read
}

fn unexpected_shape_is_kept(odd: &str, entries: usize) {
    let row: LeadRecord = round_trip(&format!(r#"{{"fields":{{}},"actions":{odd}}}"#));
    assert_eq!(row.actions().len(), entries);
    let row: LeadRecord = round_trip(&format!(r#"{{"id":"l1","fields":{odd}}}"#));
    assert_eq!((row.id(), row.fields().len()), (Some("l1"), 0));
    let entry: ActionRecord = round_trip(&format!(r#"{{"id":"a1","fields":{odd}}}"#));
    assert_eq!((entry.id(), entry.field("note")), (Some("a1"), None));
}

cases! { unexpected_shape_is_kept:
    null("null", 0),
    empty_list("[]", 0),
    empty_object("{}", 0),
    list_of_null("[null]", 1),
    list_of_object_and_number("[{},7]", 2),
    string("\"none\"", 0),
    number("0", 0),
}

#[test]
fn items_of_a_page_that_are_not_objects_are_empty() {
    let page = r#"{"data":[null,{"fields":{},"id":"l1"},7],"total_count":3,"skip":0,"limit":10}"#;
    let page: Page<LeadRecord> = round_trip(page);
    let ids: Vec<_> = page.data.iter().map(LeadRecord::id).collect();
    assert_eq!(ids, [None, Some("l1"), None]);
}

fn page_of_unexpected_shape_is_kept(odd: &str) {
    let page = format!(r#"{{"data":{odd},"total_count":"7","skip":{odd},"limit":10}}"#);
    let page: Page<LeadRecord> = round_trip(&page);
    assert_eq!((page.data.len(), page.total_count, page.skip), (0, 7, 0));
}

cases! { page_of_unexpected_shape_is_kept:
    null("null"),
    object("{}"),
    string("\"none\""),
}

fn row_is_written_as(response: &str, expected: &str) {
    let row: LeadRecord = serde_json::from_str(response).expect(response);
    assert_eq!(serde_json::to_string(&row).expect("JSON"), expected);
    let through_value: Value = serde_json::from_str(response).expect(response);
    assert!(serde_json::from_value::<LeadRecord>(through_value).is_ok());
}

cases! { row_is_written_as:
    fields_as_a_number(r#"{"fields":1.10}"#, r#"{"fields":1.10}"#),
    actions_with_a_number(
        r#"{"fields":{},"actions":[1.10]}"#,
        r#"{"fields":{},"actions":[1.10]}"#
    ),
    the_last_fields(r#"{"fields":7,"fields":{"n":1.10}}"#, r#"{"fields":{"n":1.10}}"#),
    the_last_fields_as_a_number(r#"{"fields":{"n":1},"fields":7}"#, r#"{"fields":7}"#),
    the_last_actions(r#"{"actions":[7],"actions":[]}"#, r#"{"fields":{},"actions":[]}"#),
}

#[test]
fn half_a_character_does_not_make_a_page_unreadable() {
    let answer = r#"{"data":[{"fields":{"account":12345678901234567890123,"note":"so far \ud83d"}}],"total_count":1,"skip":0,"limit":10}"#;
    let page: Page<LeadRecord> = serde_json::from_str(answer).expect("readable");
    assert_eq!(serde_json::to_string(&page).expect("JSON"), answer);
    let own: BTreeMap<String, FieldValue> = page.data[0].fields_as().expect("fields");
    assert_eq!(own["note"], "so far \u{fffd}");
    assert_eq!(own["account"].to_string(), "12345678901234567890123");
    #[derive(Deserialize)]
    struct Note {
        note: String,
    }
    let own: Note = page.data[0].fields_as().expect("fields");
    assert_eq!(own.note, "so far \u{fffd}");
}

fn is_not_read_from_a_list<T: DeserializeOwned>() {
    for list in ["[]", r#"["x"]"#, r#"[{"id":"x"}]"#] {
        let error = serde_json::from_str::<T>(list).map(drop).expect_err(list);
        assert!(error.to_string().contains("sequence"), "{error}");
    }
}

#[test]
fn a_lead_is_not_read_from_a_list() {
    is_not_read_from_a_list::<LeadRecord>();
}

#[test]
fn an_entry_is_not_read_from_a_list() {
    is_not_read_from_a_list::<ActionRecord>();
}

#[test]
fn a_page_is_not_read_from_a_list() {
    is_not_read_from_a_list::<Page<LeadRecord>>();
}

#[test]
fn a_record_is_not_read_from_a_list() {
    is_not_read_from_a_list::<TeamMember>();
    is_not_read_from_a_list::<Metadata>();
    is_not_read_from_a_list::<CustomFieldRecord>();
    is_not_read_from_a_list::<CustomActionRecord>();
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_response_is_read_and_loses_nothing(
        changes in prop::collection::vec(change(), 0..4),
    ) {
        survives::<LeadRecord>(&json!({
            "id": "603d2b2f9b1e8a001c8e4f5c", "status": "Won", "rating": 4, "employeeid": "jane.doe@example.com",
            "isArchived": false, "leadMetaData": { "statusChangeTimestamp": 1_780_290_000_000_i64 },
            "fields": { "phone": "919999999999", "created_on": 1_780_290_000_000_i64, "interests": ["VIP"], "deal_size": 12.5 },
            "actions": [{ "type": "1001", "fields": { "note": "x" } }, { "type": "PAYMENT" }],
        }), &changes);
        survives::<ActionRecord>(&json!({
            "id": "a1", "type": "ACTION_1001", "fields": { "note": "x" }, "creationTimestamp": 1_780_290_000_000_i64,
            "callRecording": { "url": "https://example.com/x" }, "duration": 7,
        }), &changes);
        survives::<TeamMember>(&json!({
            "name": "Jane Doe", "email": "jane.doe@example.com", "status": "Working", "phone_number": "919999999999",
            "manager_name": null, "license": { "status": "ACTIVE", "type": "GROWTH", "start_date": "2024-01-01" },
        }), &changes);
        survives::<Metadata>(&json!({
            "name": "Acme Corporation", "id": "ent_123456", "creationTimeStamp": 1_609_459_200_000_i64,
            "leadIdentifierFieldId": "phone", "integrations": ["WHATSAPP"],
        }), &changes);
        survives::<CustomFieldRecord>(&json!({
            "id": "5f8a", "type": "DROPDOWN", "apiName": "contact_source", "isLeadid": false,
            "options": [{ "id": "opt_1", "label": "Website" }],
        }), &changes);
        survives::<CustomActionRecord>(&json!({
            "id": "5f8a", "code": "ACTION_1001", "score": 10, "createdOn": 1_609_459_200_000_i64,
            "fieldSchema": { "note": { "type": "TEXT" } }, "allowPredatedActivity": { "enabled": true },
        }), &changes);
    }

    #[test]
    fn every_object_is_read_and_written_back(answer in any_object()) {
        fn same<T: DeserializeOwned + Serialize>(answer: &Map<String, Value>, defaults: Value) {
            let text = serde_json::to_string(answer).expect("JSON");
            let read: T = serde_json::from_str(&text).expect(&text);
            let mut expected = defaults;
            expected.as_object_mut().expect("an object").extend(answer.clone());
            assert_eq!(serde_json::to_value(&read).expect("JSON"), expected);
        }
        same::<LeadRecord>(&answer, json!({ "fields": {} }));
        same::<ActionRecord>(&answer, json!({}));
        same::<TeamMember>(&answer, json!({}));
        same::<Page<ActionRecord>>(&answer, json!({ "data": [], "total_count": 0, "skip": 0, "limit": 0 }));
    }

    #[test]
    fn every_digit_of_a_response_is_kept(
        number in "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?",
    ) {
        fn same<T: DeserializeOwned + Serialize>(answer: &str) -> T {
            let read: T = serde_json::from_str(answer).expect("readable");
            assert_eq!(serde_json::to_string(&read).expect("JSON"), answer);
            read
        }
        let lead = format!(
            r#"{{"fields":{{"deal_size":{number}}},"actions":[{{"fields":{{"amount":{number}}},"score":{number}}}],"row":[{number}]}}"#
        );
        let page = format!(r#"{{"data":[{lead}],"total_count":1,"skip":0,"limit":10}}"#);
        let page: Page<LeadRecord> = same(&page);
        let digits = |value: Option<FieldValue>| value.and_then(|v| Some(v.digits()?.into_owned()));
        let lead = &page.data[0];
        prop_assert_eq!(digits(lead.get("deal_size").cloned()), Some(number.clone()));
        let entry = &lead.actions()[0];
        prop_assert_eq!(digits(entry.key("score").cloned()), Some(number.clone()));
        prop_assert_eq!(digits(entry.field("amount")), Some(number.clone()));
        same::<CustomActionRecord>(&format!(r#"{{"score":{number}}}"#));
    }

    #[test]
    fn a_changed_page_or_outcome_is_read(changes in prop::collection::vec(change(), 0..4)) {
        survives::<Page<LeadRecord>>(&json!({
            "data": [{ "fields": { "phone": "919999999999" } }], "total_count": 42, "skip": 0, "limit": 10,
        }), &changes);

        let mut answer = json!({
            "actions": [{ "action_id": "a1", "status": "CREATED" }],
            "remarks": [{ "field": "fields.rating", "status": "IGNORED", "remark": "Rating must be between 1 and 5" }],
        });
        // The parts of the response can change. The ID of the lead has to be there.
        apply_everywhere(&mut answer, &changes);
        answer["lead_id"] = "l1".into();
        let outcome = Outcome::<Created>::from_response(answer.to_string().as_bytes(), &Lead::new());
        assert_eq!(outcome.expect("readable").accept_partial().lead_id, "l1");
    }
}

#[test]
fn a_licence_keeps_every_digit() {
    let member = r#"{ "license": { "seats": 12345678901234567890123, "share": 0.10 } }"#;
    let member: TeamMember = serde_json::from_str(member).expect("a member");
    let license = member.license().expect("a licence");
    for (key, digits) in [("seats", "12345678901234567890123"), ("share", "0.10")] {
        let value = license.key(key).expect(key);
        assert_eq!(value.digits().as_deref(), Some(digits));
    }
}
