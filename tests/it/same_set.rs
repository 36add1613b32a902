//! What the check predicts is what reading back finds, for leads that nobody thought of.

use crate::support::{client, losses, losses_read_back};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};
use telecrm::{FindingKind, Lead, Workspace, WorkspaceFile};
use telecrm_emulator::Emulator;
use tokio::runtime::Runtime;

/// Values that are right for one type and wrong, or nearly right, for others.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2i64..9).prop_map(Value::from),
        (-1e6..1e6f64).prop_map(Value::from),
        Just(json!(1_780_290_000_000_i64)),
        "[ a-zA-Z0-9@.,+:/-]{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            "",
            " ",
            "3",
            "1000",
            "-4.5",
            "1e3",
            "Website",
            "website",
            "Fresh",
            "fresh",
            "Cold",
            "Won",
            "Lost",
            "No Need",
            "Competitor",
            "VIP",
            "VIP, Returning",
            "Interested",
            "01/06/2026",
            "01/06/2026 10:30",
            "1/6/2026 9:05:07",
            "31/02/2026",
            "2026-06-01",
            "2026-06-01T10:30:00Z",
            "1780290000000",
            "jane.doe@example.com",
            " jane.doe@example.com ",
            "jane@",
            "https://acme.com/x",
            "acme.com",
            "ftp://acme.com",
            "9876543210",
            "+919876543210",
            "98765 43210",
            "99999",
            "0",
            "PAID",
        ])
        .prop_map(Value::from),
        prop::collection::vec(
            prop_oneof![
                prop::sample::select(vec!["VIP", "Returning", "Walk-in", "vip"])
                    .prop_map(Value::from),
                Just(json!(7)),
            ],
            0..3
        )
        .prop_map(Value::from),
        Just(json!({"nested": true})),
    ]
}

fn fields(names: &'static [&'static str]) -> impl Strategy<Value = Map<String, Value>> {
    let name = prop::sample::select(names).prop_map(str::to_owned);
    prop::collection::btree_map(name, value(), 0..6).prop_map(|fields| fields.into_iter().collect())
}

const LEAD_FIELDS: &[&str] = &[
    "name",
    "email",
    "rating",
    "status",
    "assignee",
    "lost_reason",
    "contact_source",
    "interests",
    "deal_size",
    "follow_up_date",
    "budget",
    "website",
    "alternate_phone",
    "brochure",
    "account_manager",
    "Name",
    "follow.up",
    "created_on",
];

const ACTION_FIELDS: &[&str] = &[
    "note",
    "outcome",
    "next_visit",
    "email",
    "attendees",
    "conducted_by",
    "recording",
    "bogus",
];

fn action() -> impl Strategy<Value = Value> {
    let kind = prop_oneof![
        4 => prop::sample::select(vec!["ACTION_1001", "ACTION_1002"]).prop_map(Value::from),
        2 => prop::sample::select(vec![
            "1001", "1002", "action_1001", "ACTION_9999", "OUTGOING_CALL", "SYSTEM_NOTE", "",
        ])
        .prop_map(Value::from),
        1 => Just(json!(1001)),
    ];
    let custom = (
        kind,
        prop::option::of(fields(ACTION_FIELDS)),
        prop::option::weighted(0.3, value()),
    )
        .prop_map(|(kind, fields, created_on)| {
            let mut action = Map::new();
            action.insert("type".into(), kind);
            action.extend(fields.map(|fields| ("fields".to_owned(), fields.into())));
            action.extend(created_on.map(|time| ("created_on".to_owned(), time)));
            Value::Object(action)
        });
    let payment = (
        prop::sample::select(vec!["COMPLETED", "PENDING", "completed", "PAID"]),
        prop::sample::select(vec!["INR", "USD", "inr", "EUR"]),
        prop::sample::select(vec![json!("5000"), json!("49.50"), json!("0"), json!("-5"), json!(5000), Value::Null]),
        prop::option::weighted(0.2, value()),
    )
        .prop_map(|(status, currency, amount, stray)| {
            json!({ "type": "PAYMENT", "status": status, "currency": currency, "amount": amount, "note": stray })
        });
    prop_oneof![3 => custom, 1 => payment, 1 => Just(json!({}))]
}

fn lead() -> impl Strategy<Value = Lead> {
    let phone = prop_oneof![
        6 => Just(json!("91{}")),
        2 => Just(json!("+91{}")),
        2 => Just(json!("{}")),
        1 => Just(json!("+91 {}")),
        1 => value(),
    ];
    let extra = prop::option::weighted(0.2, value());
    (
        phone,
        fields(LEAD_FIELDS),
        prop::collection::vec(action(), 0..4),
        extra,
    )
        .prop_map(|(phone, mut fields, actions, extra)| {
            fields.insert("phone".into(), phone);
            let mut lead = json!({ "fields": fields, "actions": actions });
            if let Some(extra) = extra {
                lead["source"] = extra;
            }
            Lead::from_json(lead).expect("a lead")
        })
}

/// Gives a lead an identifier of its own, in the spelling that was drawn.
fn number(lead: Lead, serial: u32) -> Lead {
    let drawn = lead
        .get("phone")
        .and_then(|phone| phone.as_str())
        .map(str::to_owned);
    match drawn {
        Some(spelling) if spelling.contains("{}") => {
            lead.set("phone", spelling.replace("{}", &format!("9{serial:09}")))
        }
        _ => lead,
    }
}

#[test]
fn the_check_predicts_what_reading_back_finds() {
    let runtime = Runtime::new().expect("a runtime");
    let emulator = runtime.block_on(Emulator::start()).expect("starts");
    let telecrm = client(&emulator);
    let workspace = Workspace::sample();
    let serial = std::cell::Cell::new(0);
    let mut runner = TestRunner::new(Config {
        failure_persistence: None,
        ..Config::with_cases(300)
    });
    runner
        .run(&lead(), |lead| {
            serial.set(serial.get() + 1);
            let lead = number(lead, serial.get());
            let predicted = losses(workspace.check(&lead).findings());
            emulator.reset();
            let found = runtime.block_on(losses_read_back(&telecrm, &emulator, &lead));
            prop_assert_eq!(predicted, found, "{}", lead.to_json());
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}

/// The examples that the README tells people to push.
fn examples() -> Vec<Lead> {
    let text = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/data/leads.jsonl"
    ));
    let text = text.expect("the examples are there");
    let leads = text.lines().filter(|line| !line.trim().is_empty());
    leads
        .map(|line| serde_json::from_str(line).expect("a lead"))
        .collect()
}

#[tokio::test]
async fn the_examples_lose_what_the_check_predicts() {
    let emulator = Emulator::start().await.expect("starts");
    let telecrm = client(&emulator);
    let workspace = Workspace::sample();
    let mut kinds = std::collections::BTreeSet::new();
    for lead in examples() {
        let predicted = workspace.check(&lead);
        kinds.extend(predicted.findings().iter().map(|f| f.kind));
        emulator.reset();
        let found = losses_read_back(&telecrm, &emulator, &lead).await;
        assert_eq!(losses(predicted.findings()), found, "{}", lead.to_json());
    }
    for kind in [
        FindingKind::LeadDropped,
        FindingKind::FieldDropped,
        FindingKind::ActionDropped,
        FindingKind::OptionCreated,
    ] {
        assert!(kinds.contains(&kind), "no example for {kind}");
    }
}

/// The comparison can fail: a rule that holds on one side only is noticed.
#[tokio::test]
async fn a_rule_broken_on_one_side_is_noticed() {
    let mut seed = WorkspaceFile::sample();
    for field in &mut seed.custom_fields {
        if field["apiName"] == "rating" {
            field.insert("type".into(), "TEXT".into());
        }
    }
    let broken = Emulator::builder()
        .seed(seed)
        .start()
        .await
        .expect("starts");
    let lead = Lead::new().set("phone", "919999999999").set("rating", "3");

    let predicted = losses(Workspace::sample().check(&lead).findings());
    let found = losses_read_back(&client(&broken), &broken, &lead).await;
    assert_ne!(predicted, found);

    // The other way round: the check knows a rule that the server does not have any more.
    let rated = lead.set("rating", 4);
    let predicted = losses(Workspace::sample().check(&rated).findings());
    let found = losses_read_back(&client(&broken), &broken, &rated).await;
    assert_ne!(predicted, found);
}
