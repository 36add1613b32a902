//! Every answer in which something has changed: it is read, and nothing of it is lost.

use proptest::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use telecrm::testing::{FakeTelecrm, Response};
use telecrm::{
    ActionFilter, Availability, CustomAction, Error, Filter, Lead, NewTeamMember, Operation,
    PageRequest, TeamMemberRole, Telecrm,
};

/// What happens to an answer between the documentation and a client.
#[derive(Debug, Clone)]
enum Change {
    /// A key that nobody has heard of.
    Add(String, i64),
    /// Another value of one of the lists that grow.
    Rename(prop::sample::Index),
    /// Nothing where something optional was.
    Null(prop::sample::Index),
    /// Numbers in quotes.
    Quote,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        ("x_[a-z]{1,8}", any::<i64>()).prop_map(|(key, value)| Change::Add(key, value)),
        any::<prop::sample::Index>().prop_map(Change::Rename),
        any::<prop::sample::Index>().prop_map(Change::Null),
        Just(Change::Quote),
    ]
}

/// Under which keys the server's lists of values stand.
const ENUMS: &[&str] = &["currency", "role", "source", "stageType", "status", "type"];

/// Without these an answer says nothing.
const NEEDED: &[&str] = &[
    "activeStatuses",
    "apiName",
    "code",
    "customActions",
    "customFields",
    "data",
    "fields",
    "label",
    "leadStages",
    "lead_id",
    "reasonLabel",
];

fn apply(json: &mut Value, change: &Change) {
    match json {
        Value::Object(object) => {
            let mut chosen = |at: &prop::sample::Index, with: Value, fit: &dyn Fn(&str) -> bool| {
                let fitting: Vec<_> = object.iter_mut().filter(|(key, _)| fit(key)).collect();
                if !fitting.is_empty() {
                    let place = at.index(fitting.len());
                    *fitting.into_iter().nth(place).expect("in range").1 = with;
                }
            };
            match change {
                Change::Add(key, value) => _ = object.insert(key.clone(), (*value).into()),
                Change::Rename(at) => chosen(at, "BRAND_NEW".into(), &|key| ENUMS.contains(&key)),
                Change::Null(at) => chosen(at, Value::Null, &|key| !NEEDED.contains(&key)),
                Change::Quote => {
                    for value in object.values_mut().filter(|value| value.is_number()) {
                        *value = value.to_string().into();
                    }
                }
            }
            for (key, value) in object {
                // Its keys are the names of fields.
                let names = key == "fieldSchema" && matches!(change, Change::Add(..));
                if !names {
                    apply(value, change);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| apply(item, change)),
        _ => {}
    }
}

/// As JSON, with the keys of each object in an order of their own.
fn shuffled(json: &Value, seed: u64) -> String {
    match json {
        Value::Object(object) => {
            let mut members: Vec<_> = object.iter().collect();
            members.sort_by_cached_key(|(key, _)| {
                let mut hasher = DefaultHasher::new();
                (seed, key).hash(&mut hasher);
                hasher.finish()
            });
            let members = members.into_iter();
            let members =
                members.map(|(key, value)| format!("{}:{}", json!(key), shuffled(value, seed)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| shuffled(item, seed)).collect();
            format!("[{}]", items.join(","))
        }
        other => other.to_string(),
    }
}

/// Null, nothing and what is left of an object of nulls say the same.
fn without_nothing(json: Value) -> Value {
    match json {
        Value::Object(object) => {
            let inside = object
                .into_iter()
                .map(|(key, value)| (key, without_nothing(value)));
            inside
                .filter(|(_, value)| !value.is_null() && *value != json!({}))
                .collect()
        }
        Value::Array(items) => items.into_iter().map(without_nothing).collect(),
        other => other,
    }
}

/// What an operation answers, as it is documented or reported.
fn answer(operation: Operation) -> Value {
    const TIME: i64 = 1_780_290_000_000;
    let lead = json!({ "id": "l1", "status": "Won", "rating": 4, "employeeid": "jane.doe@example.com", "isArchived": false,
        "leadMetaData": { "statusChangeTimestamp": TIME },
        "fields": { "phone": "919999999999", "created_on": TIME, "interests": ["VIP"], "deal_size": 12.5 },
        "actions": [{ "type": "1001", "fields": { "note": "x" } }], "actions_skip": 0, "actions_limit": 5 });
    let entry = json!({ "id": "a1", "type": "PAYMENT", "status": "COMPLETED", "currency": "INR", "amount": "5000",
        "creationTimestamp": TIME, "callRecording": { "url": "https://example.com/x" } });
    let member = json!({ "name": "Jane Doe", "email": "jane.doe@example.com", "phone_number": "919876543210", "role": "CALLER",
        "status": "On Leave", "manager_name": null, "license": { "status": "ACTIVE", "type": "GROWTH" } });
    let page =
        |item: &Value| json!({ "data": [item, item], "total_count": 2, "skip": 0, "limit": 10 });
    let field = json!({ "id": "f1", "type": "DROPDOWN", "apiName": "contact_source", "lockAfterCreate": false, "isLeadid": false,
        "options": [{ "id": "opt_1", "label": "Website" }] });
    let action = json!({ "id": "c1", "code": "ACTION_1001", "displayName": "Site Visit", "score": 10, "createdOn": TIME,
        "fieldSchema": { "note": { "type": "TEXT" } }, "allowPredatedActivity": { "enabled": true }, "source": "USER" });
    match operation {
        Operation::GetLead | Operation::UpdateLead => lead,
        Operation::CreateLead | Operation::CreateActions => json!({ "lead_id": "l1",
            "actions": [{ "action_id": "a1", "status": "CREATED" }, { "action_id": null, "status": "IGNORED" }],
            "remarks": [{ "field": "fields.rating", "status": "IGNORED", "remark": "Rating must be between 1 and 5" }] }),
        Operation::SearchLeads => page(&lead),
        Operation::GetAction | Operation::UpdateAction => entry,
        Operation::SearchActions => page(&entry),
        Operation::ListTeamMembers => page(&member),
        Operation::CreateTeamMember | Operation::GetTeamMember | Operation::SetTeamMemberState => {
            member
        }
        Operation::GetMetadata => {
            json!({ "name": "Acme Corporation", "id": "ent_123456", "creationTimeStamp": TIME,
            "leadIdentifierFieldId": "phone", "integrations": ["WHATSAPP"] })
        }
        Operation::ListCustomFields => {
            json!({ "customFields": [field, { "type": "PHONE", "apiName": "phone", "isLeadid": true }] })
        }
        Operation::GetCustomField => field,
        Operation::ListCustomActions => json!({ "customActions": [action] }),
        Operation::GetCustomAction => action,
        Operation::GetLeadStagePipeline => {
            json!({ "leadStages": [{ "stageid": "s1", "stageType": "OPEN", "visibility": true,
            "activeStatuses": [{ "statusid": 1, "label": "Fresh", "color": "#FF5733" }], "archivedStatuses": [] }],
            "activeLeadLostReasons": [{ "reasonid": 1, "reasonLabel": "Price too high", "isDefault": false }],
            "archivedLeadLostReasons": [], "version": 3 })
        }
        // Whether it says that the lead is queued is all that is read of it, and has tests of its own.
        Operation::CreateOrUpdateLead => json!({ "status": "QUEUED" }),
        other => panic!("{other} answers nothing here"),
    }
}

/// Makes a call, and gives what it brought as JSON again; nothing where that is not a record of the whole answer.
async fn read(telecrm: &Telecrm, operation: Operation) -> Result<Option<Value>, Error> {
    fn written(record: &impl Serialize) -> Option<Value> {
        Some(serde_json::to_value(record).expect("JSON"))
    }
    let (leads, schema, members) = (telecrm.leads(), telecrm.schema(), telecrm.team_members());
    let actions = leads.actions("l1");
    let lead = Lead::new().set("phone", "919999999999").set("rating", 4);
    let visit = || CustomAction::new(1001).expect("a code");
    let (slice, jane) = (PageRequest::default(), "jane.doe@example.com");
    Ok(match operation {
        Operation::GetLead => written(&leads.get("l1").await?),
        Operation::UpdateLead => {
            let fields = BTreeMap::from([("rating".to_owned(), 4.into())]);
            written(&leads.update("l1", fields).await?.accept_partial())
        }
        Operation::CreateLead => {
            let outcome = leads.create(&lead).await?;
            assert_eq!(outcome.accept_partial().lead_id, "l1");
            None
        }
        Operation::CreateActions => {
            let outcome = actions.create([visit(), visit()]).await?;
            assert_eq!(outcome.accept_partial().lead_id, "l1");
            None
        }
        Operation::SearchLeads => written(&leads.search(&Filter::new(), slice).await?),
        Operation::GetAction => written(&actions.get("a1").await?),
        Operation::UpdateAction => written(&actions.update("a1", visit()).await?.accept_partial()),
        Operation::SearchActions => written(&actions.search(&ActionFilter::new(), slice).await?),
        Operation::ListTeamMembers => written(&members.list(slice).await?),
        Operation::CreateTeamMember => {
            let member =
                NewTeamMember::new("Jane Doe", jane, "919876543210", TeamMemberRole::Caller);
            written(&members.create(&member).await?)
        }
        Operation::GetTeamMember => written(&members.get(jane).await?),
        Operation::SetTeamMemberState => written(
            &members
                .set_availability(jane, Availability::OnLeave)
                .await?,
        ),
        Operation::GetMetadata => written(&schema.metadata().await?),
        Operation::ListCustomFields => Some(json!({ "customFields": schema.fields().await? })),
        Operation::GetCustomField => written(&schema.field("contact_source").await?),
        Operation::ListCustomActions => Some(json!({ "customActions": schema.actions().await? })),
        Operation::GetCustomAction => written(&schema.action(1001).await?),
        Operation::GetLeadStagePipeline => {
            let pipeline = schema.pipeline().await?;
            assert_eq!(pipeline.active_statuses().collect::<Vec<_>>(), ["Fresh"]);
            None
        }
        Operation::CreateOrUpdateLead => {
            let _ = telecrm.ingest().push(&lead).await?;
            None
        }
        other => panic!("nothing calls {other}"),
    })
}

/// The keys beside those that hold the items of a list.
fn without_envelope(answer: Value, operation: Operation) -> Value {
    match operation {
        Operation::ListCustomFields => json!({ "customFields": answer["customFields"] }),
        Operation::ListCustomActions => json!({ "customActions": answer["customActions"] }),
        _ => answer,
    }
}

#[test]
fn no_change_of_an_answer_makes_a_call_fail_and_nothing_of_it_is_lost() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let fake = FakeTelecrm::new();
    let telecrm = fake.client();
    let _ = runtime.block_on(telecrm.workspace()).expect("discovered");
    let cases = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(cases, |(changes in prop::collection::vec(change(), 0..4), seed in any::<u64>())| {
        for operation in Operation::ALL {
            let mut changed = answer(*operation);
            if *operation != Operation::CreateOrUpdateLead {
                changes.iter().for_each(|change| apply(&mut changed, change));
            }
            let body = shuffled(&changed, seed);
            let _ = fake.clone().on(*operation, Response::text(200, "application/json", &*body));
            match runtime.block_on(read(&telecrm, *operation)) {
                Ok(Some(written)) => prop_assert_eq!(
                    without_nothing(written),
                    without_nothing(without_envelope(changed, *operation))
                ),
                Ok(None) => {}
                Err(error) => prop_assert!(false, "{:#}: {}", error, body),
            }
        }
        // The four answers together are a workspace, as long as they tell what it needs.
        for operation in [
            Operation::GetMetadata,
            Operation::ListCustomFields,
            Operation::ListCustomActions,
            Operation::GetLeadStagePipeline,
        ] {
            let mut changed = answer(operation);
            let told = changes.iter().filter(|change| !matches!(change, Change::Null(_)));
            told.for_each(|change| apply(&mut changed, change));
            let body = shuffled(&changed, seed);
            let _ = fake.clone().on(operation, Response::text(200, "application/json", body));
        }
        if let Err(error) = runtime.block_on(telecrm.refresh_workspace()) {
            prop_assert!(false, "{:#}: {:?}", error, changes);
        }
    });
}

/// Whichever way it is written, it is the same.
#[test]
fn what_has_changed_its_form_or_place_is_read_alike() {
    let lead = |text: &str| serde_json::from_str::<telecrm::LeadRecord>(text).expect(text);
    for text in [
        r#"{ "id": "l1", "status": "Won", "employeeid": "j@x.in", "fields": { "created_on": 1780290000000 } }"#,
        r#"{ "lead_id": "l1", "created_on": "1780290000000", "fields": { "status": "Won", "assignee": "j@x.in" } }"#,
        r#"{ "fields": { "created_on": "1780290000000", "employeeid": "j@x.in", "status": null }, "status": "Won", "_id": "l1" }"#,
    ] {
        let lead = lead(text);
        assert_eq!(
            (lead.id(), lead.status(), lead.assignee()),
            (Some("l1"), Some("Won"), Some("j@x.in")),
            "{text}"
        );
        assert_eq!(
            lead.created(),
            Some("2026-06-01T05:00:00Z".parse().expect("a time")),
            "{text}"
        );
    }
    for text in [
        r#"{ "type": "1001", "creationTimestamp": 1780290000000 }"#,
        r#"{ "creationTimestamp": "1780290000000", "type": "ACTION_1001" }"#,
    ] {
        let entry: telecrm::ActionRecord = serde_json::from_str(text).expect(text);
        assert_eq!(
            entry.created(),
            Some("2026-06-01T05:00:00Z".parse().expect("a time")),
            "{text}"
        );
        assert_eq!(entry.kind(), telecrm::ActionKind::Custom(1001.into()));
    }
}
