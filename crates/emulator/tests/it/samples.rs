//! The sample requests of the vendor's documentation, with their documented answers.

use crate::{Local, answer};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use telecrm_emulator::Emulator;

#[derive(Deserialize)]
struct Sample {
    sample: String,
    method: String,
    api: String,
    path: String,
    body: Value,
    status: u16,
    answer: Option<Value>,
}

fn samples() -> Vec<Sample> {
    let lines = include_str!("../data/samples.jsonl").lines();
    lines.map(|line| serde_json::from_str(line).expect("a sample")).collect()
}

#[tokio::test]
async fn every_sample_request_has_its_documented_answer() {
    for sample in samples() {
        let local = Local::start().await;
        let (lead, action) = if sample.path.contains("{leadId}") {
            let (_, created) = local
                .post(
                    "/lead",
                    json!({
                        "fields": { "phone": "919999999999" },
                        "actions": [{ "type": "PAYMENT", "status": "PENDING", "currency": "INR", "amount": "10000" }],
                    }),
                )
                .await;
            let text = |value: &Value| value.as_str().expect("an ID").to_owned();
            (text(&created["lead_id"]), text(&created["actions"][0]["action_id"]))
        } else {
            Default::default()
        };
        let emulator: &Emulator = &local.emulator;
        let (base, token) = match sample.api.as_str() {
            "sync" => (emulator.sync_url(), emulator.sync_token()),
            _ => (emulator.async_url(), emulator.async_token()),
        };
        let path = sample
            .path
            .replace("{enterpriseId}", emulator.enterprise())
            .replace("{leadId}", &lead)
            .replace("{actionId}", &action);
        let method: Method = sample.method.parse().expect("a method");
        let request = local.http.request(method, format!("{base}{path}")).bearer_auth(token);
        let (status, body) = answer(request.json(&sample.body)).await;
        assert_eq!(status, sample.status, "{}: {body}", sample.sample);
        if let Some(documented) = sample.answer {
            assert_eq!(body, documented, "{}", sample.sample);
        }
        emulator.wait_idle().await;
        let entry = emulator.log(0).pop().expect("an entry");
        let losses: Vec<_> = entry.findings.iter().filter(|finding| finding.is_loss()).collect();
        assert!(losses.is_empty(), "{}: {losses:?}", sample.sample);
        if sample.api == "async" {
            let stored = entry.stored.expect("the lead is stored");
            for name in sample.body["fields"].as_object().expect("fields").keys() {
                assert!(!stored["fields"][name].is_null(), "{}: {name}", sample.sample);
            }
            let sent = sample.body["actions"].as_array().map_or(0, Vec::len);
            assert_eq!(stored["actions"].as_array().map_or(0, Vec::len), sent, "{}", sample.sample);
        }
    }
}
