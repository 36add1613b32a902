//! The clock of the workspace.

use crate::{Local, answer};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use telecrm_emulator::{Emulator, RateLimit};

const APRIL: i64 = 1_775_001_600_000;

impl Local {
    async fn clock(&self, wanted: Value) -> (u16, Value) {
        let url = format!("{}/_emulator/clock", self.emulator.url());
        answer(self.http.post(url).json(&wanted)).await
    }
}

#[tokio::test]
async fn times_and_ids_follow_the_clock() {
    let local = Local::start().await;
    let set = json!({ "now": "2026-04-01T00:00:00Z", "hold": true });
    let paused = json!({ "now": APRIL, "utc": "2026-04-01T00:00:00Z", "held": true });
    assert_eq!(local.clock(set).await, (200, paused));

    let id = local.create(json!({ "phone": "919999999999" })).await;
    assert_eq!(i64::from_str_radix(&id[..8], 16), Ok(APRIL / 1000));
    let (status, _) = local.clock(json!({ "advance": 1500 })).await;
    assert_eq!(status, 200);
    let update = json!({ "fields": { "name": "Asha" } });
    local.post(&format!("/lead/{id}"), update).await;
    local
        .push(json!({ "fields": { "phone": "919999999999" }, "actions": [{ "type": "ACTION_1001" }] }))
        .await;
    let lead = local.only_lead().await;
    assert_eq!(lead["fields"]["created_on"], APRIL);
    assert_eq!(lead["fields"]["modified_on"], APRIL + 1500);
    assert_eq!(lead["actions"][0]["creationTimestamp"], APRIL + 1500);

    let url = format!("{}/_emulator/clock", local.emulator.url());
    let read = answer(local.http.get(url)).await;
    assert_eq!(read.1["now"], APRIL + 1500);
    assert_eq!(local.emulator.now().as_millisecond(), APRIL + 1500);
    local.emulator.resume_clock();
    assert!(local.emulator.now().as_millisecond() >= APRIL + 1500);
}

#[tokio::test]
async fn a_new_lead_is_not_older_after_the_clock_was_set_back() {
    let local = Local::with(Emulator::builder().now("2026-04-01T00:00:00Z".parse().unwrap())).await;
    local.emulator.pause_clock();
    local.create(json!({ "phone": "919999999991" })).await;
    let (status, _) = local.clock(json!({ "advance": -86_400_000 })).await;
    assert_eq!(status, 200);
    local.create(json!({ "phone": "919999999992" })).await;
    let found = local.search(json!({})).await;
    let times = [0, 1].map(|row| found["data"][row]["fields"]["created_on"].as_i64());
    assert_eq!(times[0], times[1]);
    assert_eq!(found["data"][0]["fields"]["phone"], "919999999992");
}

#[tokio::test]
async fn the_hour_of_a_rate_limit_passes_with_the_clock() {
    let builder = Emulator::builder().sync_limit(RateLimit::per_hour(1).with_retry_after());
    let local = Local::with(builder).await;
    local.emulator.pause_clock();
    assert_eq!(local.get("/metadata").await.0, 200);
    let advance = async |seconds: i64| local.clock(json!({ "advance": seconds * 1000 })).await;
    advance(3599).await;
    let request = local.sync(Method::GET, "/metadata");
    let refused = request.send().await.expect("an answer");
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()["retry-after"]),
        (429, &"1".parse().unwrap())
    );
    advance(1).await;
    assert_eq!(local.get("/metadata").await.0, 200);
    // After the clock was set back, the old request does not block new ones for longer than an
    // hour.
    advance(-7200).await;
    assert_eq!(local.get("/metadata").await.0, 200);
}

/// Asserts that this change of the clock is refused with this reason, and changes nothing.
async fn assert_refused(change: Value, reason: &str) {
    let local = Local::start().await;
    let (status, refused) = local.clock(change).await;
    assert_eq!(status, 400);
    let message = refused["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains(reason), "{message}");
    let url = format!("{}/_emulator/clock", local.emulator.url());
    assert_eq!(answer(Client::new().get(url)).await.1["held"], false);
}

scenarios! { assert_refused:
    a_word_is_not_a_time(json!({ "now": "yesterday" }), "now should be")
    a_text_does_not_advance_the_clock(json!({ "now": null, "advance": "1" }), "advance")
    now_and_advance_exclude_each_other(json!({ "now": 1, "advance": 1 }), "both")
    an_unknown_key_is_refused(json!({ "later": 1 }), "later")
    a_time_before_1970_is_refused(json!({ "now": -1, "hold": true }), "1970")
    a_time_after_2106_is_refused(json!({ "advance": i64::MAX }), "2106")
    a_list_is_not_a_change_of_the_clock(json!([]), "clock")
}

#[tokio::test]
async fn an_emulator_cannot_start_after_2106() {
    let far = "2200-01-01T00:00:00Z".parse().unwrap();
    assert!(Emulator::builder().now(far).start().await.is_err());
}
