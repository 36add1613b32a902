//! Tokens: each API takes its own, several take turns, and a refused one is set aside.

use crate::support::{async_token, bare_lead, bare_visit, emulator, jane, sync_token};
use std::time::Duration;
use telecrm::testing::ManualClock;
use telecrm::{RateLimit, Telecrm};
use telecrm_emulator::Emulator;

/// A client whose Sync and Async tokens are swapped.
fn with_swapped_tokens(emulator: &Emulator) -> Telecrm {
    Telecrm::builder(emulator.enterprise())
        .sync_url(emulator.sync_url())
        .async_url(emulator.async_url())
        .sync_token(sync_token(emulator.async_token()))
        .async_token(async_token(emulator.sync_token()))
        .build()
        .expect("builds")
}

#[tokio::test]
async fn as8_the_async_api_refuses_a_sync_token() {
    let emulator = emulator().await;
    let pushed = with_swapped_tokens(&emulator).ingest().push(&jane()).await;
    assert!(pushed.expect_err("AS8").is_not_authorized());
}

#[tokio::test]
async fn as8_the_sync_api_refuses_an_async_token() {
    let emulator = emulator().await;
    let workspace = with_swapped_tokens(&emulator).workspace().await;
    assert!(workspace.expect_err("wrong type").is_not_authorized());
}

#[tokio::test]
async fn a_call_of_an_api_without_a_token_is_an_error() {
    let telecrm = Telecrm::builder("ent").async_token(async_token("a")).build().expect("builds");
    let error = telecrm.leads().get("x").await;
    let error = error.expect_err("the client has no Sync token");
    assert!(error.to_string().contains("Sync token"), "{error}");
}

/// Pushes five leads with a revoked and a good token, each of which may send five requests.
async fn five_pushes_with_a_revoked_token(emulator: &Emulator) -> (ManualClock, Telecrm) {
    let clock = ManualClock::new();
    let telecrm = Telecrm::builder(emulator.enterprise())
        .async_url(emulator.async_url())
        .async_token(async_token("revoked"))
        .async_token(async_token(emulator.async_token()))
        .async_limit(Some(RateLimit::new(100, 5)))
        .clock(clock.clone())
        .build()
        .expect("builds");
    let lead = bare_lead().action(bare_visit());
    for _ in 0..5 {
        let pushed = telecrm.ingest().push(&lead).await;
        let _ = pushed.expect("queued with the good token");
    }
    (clock, telecrm)
}

#[tokio::test]
async fn a_refused_token_is_set_aside_and_the_other_one_takes_over() {
    let emulator = emulator().await;
    let (clock, telecrm) = five_pushes_with_a_revoked_token(&emulator).await;
    let log = emulator.log(0);
    let accepted = log.iter().filter(|entry| entry.status == 200).count();
    assert_eq!(accepted, 5);
    let limits = telecrm.async_limits();
    assert!(limits[0].set_aside && !limits[1].set_aside);
    assert_eq!((limits[0].remaining, limits[1].remaining), (Some(4), Some(0)));
    assert_eq!(clock.slept(), Duration::ZERO);
    assert!(limits[1].next_free_in > Duration::ZERO);
}

#[tokio::test]
async fn a_call_waits_until_the_limit_of_the_good_token_is_free() {
    let emulator = emulator().await;
    let (clock, telecrm) = five_pushes_with_a_revoked_token(&emulator).await;
    let lead = bare_lead().action(bare_visit());
    let _ = telecrm.ingest().push(&lead).await.expect("queued, later");
    assert!(clock.slept() > Duration::from_secs(30));
}
