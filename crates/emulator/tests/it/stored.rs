//! What the log says was stored equals what a client reads back, under every switch.

use crate::{Local, answer};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use reqwest::Method;
use serde_json::{Value, json};
use telecrm_emulator::{Emulator, LogEntry, Profile};

/// All switches with each of their values.
fn profiles() -> Vec<(&'static str, &'static str)> {
    let switches = Profile::switches().into_iter();
    switches.flat_map(|(name, values)| values.into_iter().map(move |value| (name, value))).collect()
}

fn fields() -> impl Strategy<Value = Value> {
    let pairs = prop::sample::subsequence(
        vec![
            ("name", json!("Jane")),
            ("Name", json!("Joan")),
            ("rating", json!(4)),
            ("rating", json!("4")),
            ("status", json!("Contacted")),
            ("status", json!("Nope")),
            ("contact_source", json!("Billboard")),
            ("interests", json!(["VIP"])),
            ("follow_up_date", json!("01/06/2026 10:30")),
            ("nothing", json!("x")),
        ],
        0..6,
    );
    pairs.prop_map(|pairs| {
        let mut fields = json!({ "phone": "919999999999" });
        pairs.into_iter().for_each(|(name, value)| fields[name] = value);
        fields
    })
}

fn actions() -> impl Strategy<Value = Vec<Value>> {
    let action = prop::sample::select(vec![
        json!({ "type": "ACTION_1001", "fields": { "note": "seen", "unknown": 1 } }),
        json!({ "type": "1001", "fields": {} }),
        json!({ "type": "PAYMENT", "status": "COMPLETED", "currency": "INR", "amount": "5" }),
        json!({ "type": "PAYMENT", "status": "NEVER", "currency": "INR", "amount": "5" }),
        json!({ "type": "SYSTEM_NOTE", "text": "from the form" }),
    ]);
    prop::collection::vec(action, 0..4)
}

/// The lead as a client reads it, with its whole timeline from the oldest entry to the newest.
async fn read(local: &Local, id: &str) -> (Value, Vec<Value>) {
    let (_, mut lead) = local.get(&format!("/lead/{id}?includeActions=true&limit=100")).await;
    let actions = lead["actions"].take();
    let newest_first = actions.as_array().expect("a list").clone();
    (lead["fields"].take(), newest_first.into_iter().rev().collect())
}

async fn assert_logged(local: &Local, entry: &LogEntry) {
    let Some(stored) = &entry.stored else {
        return;
    };
    let (fields, timeline) = read(local, stored["id"].as_str().expect("an ID")).await;
    for (name, value) in stored["fields"].as_object().expect("an object") {
        assert_eq!(&fields[name], value, "{name}");
    }
    assert_eq!(stored["actions"], json!(timeline));
}

async fn case(switch: (&str, &str), fields: Value, actions: Vec<Value>) {
    let profile = Profile::documented().with(switch.0, switch.1).expect("a switch");
    let builder =
        Emulator::builder().profile(profile).now("2026-06-01T00:00:00Z".parse().expect("a time"));
    let local = Local::with(builder).await;
    local.emulator.pause_clock();
    let body = json!({ "fields": fields, "actions": actions });
    assert!(local.ingest().json(&body).send().await.expect("answers").status().is_success());
    local.emulator.wait_idle().await;
    let entry = local.emulator.log(0).pop().expect("the call");
    assert_logged(&local, &entry).await;

    local.emulator.reset();
    let _ = answer(local.sync(Method::POST, "/lead").json(&body)).await;
    let entry = local.emulator.log(0).pop().expect("the call");
    assert_logged(&local, &entry).await;
}

#[test]
fn the_log_says_what_a_client_reads_back_under_every_switch() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut runner = TestRunner::deterministic();
    for switch in profiles() {
        for _ in 0..4 {
            let fields = fields().new_tree(&mut runner).expect("a value").current();
            let actions = actions().new_tree(&mut runner).expect("a value").current();
            runtime.block_on(case(switch, fields, actions));
        }
    }
}

#[tokio::test]
async fn the_log_shows_an_updated_action_as_a_client_reads_it() {
    let profile = Profile::documented().with("action-codes", "prefixed").expect("a switch");
    let local = Local::with(Emulator::builder().profile(profile)).await;
    let id = local.create(json!({ "phone": "919999999999" })).await;
    let action =
        json!({ "type": "PAYMENT", "status": "PENDING", "currency": "INR", "amount": "5" });
    let path = format!("/lead/{id}/action");
    let (_, created) = local.post(&path, json!({ "actions": [action] })).await;
    let path = format!("{path}/{}", created["actions"][0]["action_id"].as_str().expect("an ID"));
    local.post(&path, json!({ "type": "PAYMENT", "status": "COMPLETED" })).await;
    let stored = local.emulator.log(0).pop().and_then(|entry| entry.stored).expect("the action");
    let shown = local.get(&path).await.1;
    assert_eq!((&stored["id"], &stored["fields"]["status"]), (&shown["id"], &shown["status"]));
}
