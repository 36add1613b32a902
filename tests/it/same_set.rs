//! The check predicts exactly the losses that reading back finds, for random leads as well.

use crate::support::{Losses, bare_lead, cases, client, emulator, losses, losses_read_back};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};
use telecrm::{FindingKind, Lead, Workspace, WorkspaceFile};
use telecrm_emulator::Emulator;
use tokio::runtime::Runtime;

/// A value that is valid for one type of field and invalid, or nearly valid, for others.
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

const ACTION_FIELDS: &[&str] =
    &["note", "outcome", "next_visit", "email", "attendees", "conducted_by", "recording", "bogus"];

fn action() -> impl Strategy<Value = Value> {
    let kind = prop_oneof![
        4 => prop::sample::select(vec!["ACTION_1001", "ACTION_1002"]).prop_map(Value::from),
        2 => prop::sample::select(vec![
            "1001", "1002", "action_1001", "ACTION_9999", "OUTGOING_CALL", "SYSTEM_NOTE", "",
        ])
        .prop_map(Value::from),
        1 => Just(json!(1001)),
    ];
    let custom =
        (kind, prop::option::of(fields(ACTION_FIELDS)), prop::option::weighted(0.3, value()))
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
    (phone, fields(LEAD_FIELDS), prop::collection::vec(action(), 0..4), extra).prop_map(
        |(phone, mut fields, actions, extra)| {
            fields.insert("phone".into(), phone);
            let mut lead = json!({ "fields": fields, "actions": actions });
            if let Some(extra) = extra {
                lead["source"] = extra;
            }
            Lead::from_json(lead).expect("a lead")
        },
    )
}

/// Gives each lead its own number, in the spelling that was drawn.
fn with_its_own_number(lead: Lead, serial: u32) -> Lead {
    let drawn = lead.get("phone").and_then(|phone| phone.as_str()).map(str::to_owned);
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
    let emulator = runtime.block_on(emulator());
    let telecrm = client(&emulator);
    let workspace = Workspace::sample();
    let serial = std::cell::Cell::new(0);
    let mut runner =
        TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(300) });
    runner
        .run(&lead(), |lead| {
            serial.set(serial.get() + 1);
            let lead = with_its_own_number(lead, serial.get());
            let predicted = losses(workspace.check(&lead).findings());
            emulator.reset();
            let found = runtime.block_on(losses_read_back(&telecrm, &emulator, &lead));
            prop_assert_eq!(predicted, found, "{}", lead.to_json());
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}

/// The example leads that the README pushes.
fn examples() -> Vec<Lead> {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/leads.jsonl"));
    let text = text.expect("the examples are there");
    let leads = text.lines().filter(|line| !line.trim().is_empty());
    leads.map(|line| serde_json::from_str(line).expect("a lead")).collect()
}

#[tokio::test]
async fn the_examples_lose_what_the_check_predicts() {
    let emulator = emulator().await;
    let telecrm = client(&emulator);
    let workspace = Workspace::sample();
    let mut failures = Vec::new();
    for lead in examples() {
        let predicted = losses(workspace.check(&lead).findings());
        emulator.reset();
        let found = losses_read_back(&telecrm, &emulator, &lead).await;
        if predicted != found {
            let lead = lead.to_json();
            failures.push(format!("{lead}: predicted {predicted:?}, found {found:?}"));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

fn the_examples_have_a_finding_of_each_kind(kind: FindingKind) {
    let workspace = Workspace::sample();
    let has_one = examples()
        .iter()
        .any(|lead| workspace.check(lead).findings().iter().any(|f| f.kind == kind));
    assert!(has_one, "{kind}");
}

cases! { the_examples_have_a_finding_of_each_kind:
    lead_dropped(FindingKind::LeadDropped);
    field_dropped(FindingKind::FieldDropped);
    action_dropped(FindingKind::ActionDropped);
    option_created(FindingKind::OptionCreated);
}

/// The losses of a lead that the check predicts, and those at a server that takes any rating.
async fn losses_if_one_side_breaks_the_rule_for_ratings(lead: &Lead) -> (Losses, Losses) {
    let mut seed = WorkspaceFile::sample();
    for field in &mut seed.custom_fields {
        if field["apiName"] == "rating" {
            field.insert("type".into(), "TEXT".into());
        }
    }
    let broken = Emulator::builder().seed(seed).start().await;
    let broken = broken.expect("starts");
    let predicted = losses(Workspace::sample().check(lead).findings());
    let found = losses_read_back(&client(&broken), &broken, lead).await;
    (predicted, found)
}

#[tokio::test]
async fn a_rule_that_only_the_check_has_is_noticed() {
    let lead = bare_lead().set("rating", "3");
    let (predicted, found) = losses_if_one_side_breaks_the_rule_for_ratings(&lead).await;
    assert_ne!(predicted, found);
}

#[tokio::test]
async fn a_rule_that_only_the_server_has_is_noticed() {
    let lead = bare_lead().set("rating", 4);
    let (predicted, found) = losses_if_one_side_breaks_the_rule_for_ratings(&lead).await;
    assert_ne!(predicted, found);
}
