//! Rate limits and the number of tokens.

use crate::timing::{Stopwatch, sleep};
use crate::{Local, answer};
use serde_json::json;
use std::time::Duration;
use telecrm_emulator::{Emulator, RateLimit};

#[tokio::test]
async fn as9_requests_beyond_the_limit_are_429_until_the_hour_is_over() {
    let hour = Duration::from_millis(1500);
    let limit = RateLimit::per_hour(2).sped_up(3600.0 / hour.as_secs_f64()).with_retry_after();
    let local = Local::with(Emulator::builder().async_limit(limit)).await;
    let lead = json!({ "fields": { "phone": "919999999999" } });
    let stopwatch = Stopwatch::start();
    for _ in 0..2 {
        assert_eq!(answer(local.ingest().json(&lead)).await.0, 200);
    }
    let response = local.ingest().json(&lead).send().await.unwrap();
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "2");
    let body: serde_json::Value = response.json().await.unwrap();
    assert_eq!(body["error"]["code"], "TOO_MANY_REQUESTS");
    assert_eq!(local.get("/metadata").await.0, 200, "the Sync API has a limit of its own");
    while answer(local.ingest().json(&lead)).await.0 == 429 {
        sleep(Duration::from_millis(20)).await;
    }
    assert!(stopwatch.elapsed() >= hour);
}

#[tokio::test]
async fn each_token_has_its_own_limit() {
    let builder = Emulator::builder()
        .another_sync_token("second")
        .another_sync_token("third")
        .sync_limit(RateLimit::per_hour(1));
    let local = Local::with(builder).await;
    let url = format!("{}/enterprise/ent-local/metadata", local.emulator.sync_url());
    for token in [local.emulator.sync_token(), "second", "third"] {
        let request = || local.http.get(&url).bearer_auth(token);
        assert_eq!(answer(request()).await.0, 200, "{token}");
        let response = request().send().await.unwrap();
        assert_eq!(response.status(), 429, "{token}");
        assert!(!response.headers().contains_key("retry-after"), "the header is not documented");
    }
    assert_eq!(answer(local.http.get(&url).bearer_auth("fourth")).await.0, 401);
    local.emulator.reset();
    assert_eq!(local.get("/metadata").await.0, 200, "a reset restarts the count");
}

#[tokio::test]
async fn a_workspace_has_at_most_three_tokens_of_each_type() {
    let builder = ["2", "3", "4"]
        .into_iter()
        .fold(Emulator::builder(), |builder, token| builder.another_async_token(token));
    assert!(format!("{:#}", builder.start().await.unwrap_err()).contains('3'));
}
