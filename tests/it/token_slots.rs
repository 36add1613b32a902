//! Tokens: each API takes its own, several take turns, and a refused one is set aside.

use crate::support::{self, async_token, bare_lead, bare_visit, emulator, jane, sync_token};
use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use telecrm::testing::{FakeTelecrm, ManualClock, Response};
use telecrm::{CallOptions, Error, Operation, RateLimit, Receipt, Telecrm};
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

/// A server that answers pushes by their token.
#[derive(Clone)]
struct ByToken {
    url: String,
    /// The tokens of the pushes, in order of arrival.
    seen: Arc<Mutex<Vec<String>>>,
}

impl ByToken {
    /// The status of each answer depends on the token and the number of requests with it before.
    /// 429 asks for a wait of 30 s.
    async fn start(answer: fn(&str, usize) -> u16) -> Self {
        let (listener, url) = support::socket::listen().await;
        let server = Self { url, seen: Arc::default() };
        let seen = server.seen.clone();
        let handler = move |headers: HeaderMap| async move {
            let token = headers["authorization"].to_str().expect("a token").replace("Bearer ", "");
            let before = {
                let mut seen = seen.lock().expect("not poisoned");
                seen.push(token.clone());
                seen.iter().filter(|other| **other == token).count() - 1
            };
            let status = StatusCode::from_u16(answer(&token, before)).expect("a status");
            if status == StatusCode::TOO_MANY_REQUESTS {
                return (status, [("retry-after", "30")], "").into_response();
            }
            let body = if status == StatusCode::OK { r#"{"status":"QUEUED"}"# } else { "" };
            (status, body).into_response()
        };
        let app = Router::new().fallback(handler);
        tokio::spawn(async move { axum::serve(listener, app).await });
        server
    }

    fn client(&self, clock: &ManualClock, options: CallOptions) -> Telecrm {
        Telecrm::builder("ent")
            .async_url(&self.url)
            .async_tokens(["a", "b"].map(async_token))
            .call_options(options)
            .clock(clock.clone())
            .build()
            .expect("builds")
    }

    fn seen(&self, token: &str) -> usize {
        let seen = self.seen.lock().expect("not poisoned");
        seen.iter().filter(|other| *other == token).count()
    }
}

async fn push(telecrm: &Telecrm) -> Result<Receipt, Error> {
    telecrm.ingest().push(&bare_lead().action(bare_visit())).await
}

#[tokio::test]
async fn a_limited_token_is_held_back_for_all_calls_while_another_one_is_free() {
    let server = ByToken::start(|token, _| if token == "a" { 429 } else { 200 }).await;
    let clock = ManualClock::new();
    let telecrm = server.client(&clock, CallOptions::new());
    for _ in 0..10 {
        let _ = push(&telecrm).await.expect("queued with the other token");
    }
    assert_eq!((server.seen("a"), clock.slept()), (1, Duration::ZERO));
    assert!(telecrm.async_limits()[0].next_free_in > Duration::from_secs(25));
}

#[tokio::test]
async fn a_429_uses_up_neither_attempts_nor_the_budget_of_retries() {
    let server = ByToken::start(|_, before| if before < 2 { 429 } else { 200 }).await;
    let clock = ManualClock::new();
    let telecrm = server.client(&clock, CallOptions::new().attempts(2));
    let pushes = (0..30).map(|_| push(&telecrm));
    for result in futures_util::future::join_all(pushes).await {
        let _ = result.expect("queued after the wait");
    }
}

#[tokio::test]
async fn w14_a_wait_without_end_is_an_error_even_if_the_call_has_all_the_time() {
    let endless = CallOptions::new().total_timeout(Duration::MAX);
    for seconds in [u64::MAX, 1 << 40] {
        let forever = Response::rate_limited(Some(seconds));
        let fake = FakeTelecrm::new().always(Operation::GetMetadata, forever);
        let telecrm = fake.client().with_options(endless);
        let error = telecrm.schema().metadata().await.expect_err("429");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(seconds)));
        assert_eq!((fake.requests().len(), fake.clock().slept()), (1, Duration::ZERO));
    }
}

#[tokio::test]
async fn w14_a_server_that_never_stops_to_limit_ends_a_call_that_would_wait_forever() {
    let forever = Response::rate_limited(Some(u64::MAX));
    let fake = FakeTelecrm::new().always(Operation::GetMetadata, forever);
    let endless = CallOptions::new().total_timeout(Duration::MAX).throttle_timeout(Duration::MAX);
    let telecrm = fake.builder().sync_limit(None).call_options(endless).build().expect("builds");
    let error = telecrm.schema().metadata().await.expect_err("429");
    assert!(error.is_rate_limited() && error.attempts() == 1_001, "{error:?}");
    let day = Duration::from_secs(24 * 3600);
    assert_eq!(fake.clock().slept(), 1_000 * day);
}

#[tokio::test]
async fn a_server_error_does_not_lift_the_refusal_of_a_token() {
    let server = ByToken::start(|token, before| match (token, before) {
        ("a", 0) => 401,
        ("a", 1) | ("b", _) => 503,
        _ => 200,
    })
    .await;
    let once = CallOptions::new().attempts(2);
    let telecrm = server.client(&ManualClock::new(), once);
    for _ in 0..5 {
        let _ = push(&telecrm).await;
    }
    assert_eq!((server.seen("a"), telecrm.async_limits()[0].set_aside), (1, true));
}

#[tokio::test]
async fn a_call_with_one_attempt_is_sent_once() {
    for status in [401, 429] {
        let answer = if status == 401 { |_: &str, _| 401 } else { |_: &str, _| 429 };
        let server = ByToken::start(answer).await;
        let telecrm = server.client(&ManualClock::new(), CallOptions::new().attempts(1));
        let error = push(&telecrm).await.expect_err("refused");
        assert_eq!((error.attempts(), error.status_code()), (1, Some(status)));
        assert_eq!(server.seen("a") + server.seen("b"), 1);
    }
}

#[tokio::test]
async fn a_refused_token_is_tried_again_after_ten_minutes() {
    let server =
        ByToken::start(|token, before| if token == "a" && before == 0 { 401 } else { 200 }).await;
    let clock = ManualClock::new();
    let telecrm = server.client(&clock, CallOptions::new());
    for _ in 0..5 {
        let _ = push(&telecrm).await.expect("queued");
    }
    assert_eq!((server.seen("a"), telecrm.async_limits()[0].set_aside), (1, true));
    clock.advance(Duration::from_secs(600));
    for _ in 0..5 {
        let _ = push(&telecrm).await.expect("queued");
    }
    assert!(server.seen("a") > 1 && !telecrm.async_limits()[0].set_aside);
}

#[tokio::test]
async fn calls_that_wait_for_a_token_choose_again_when_it_is_refused() {
    let server =
        ByToken::start(|token, before| if token == "a" && before > 0 { 401 } else { 200 }).await;
    let telecrm = Telecrm::builder("ent")
        .async_url(&server.url)
        .async_tokens(["a", "b"].map(async_token))
        .async_limit(Some(RateLimit::new(36_000, 1)))
        .build()
        .expect("builds");
    for result in futures_util::future::join_all((0..10).map(|_| push(&telecrm))).await {
        let _ = result.expect("queued with the other token");
    }
    assert!(server.seen("a") <= 3, "{}", server.seen("a"));
}

#[tokio::test]
async fn a_token_that_is_given_twice_counts_once() {
    let telecrm = Telecrm::builder("ent")
        .async_tokens(["a", "a", "b", "a"].map(async_token))
        .build()
        .expect("builds");
    assert_eq!(telecrm.async_limits().len(), 2);
}

#[test]
fn several_tokens_in_one_are_refused() {
    let error = telecrm::AsyncToken::new("one,two").expect_err("two tokens");
    assert_eq!(error.to_string(), "the Async token has a comma");
    assert!(error.hint().is_some());
}

#[tokio::test]
async fn the_name_of_the_program_is_in_front_of_that_of_the_crate() {
    let seen: Arc<Mutex<Option<String>>> = Arc::default();
    let (listener, url) = support::socket::listen().await;
    let agent = seen.clone();
    let app = Router::new().fallback(move |headers: HeaderMap| async move {
        let text = headers["user-agent"].to_str().expect("a text").to_owned();
        *agent.lock().expect("not poisoned") = Some(text);
        r#"{"status":"QUEUED"}"#
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    let builder = Telecrm::builder("ent").async_url(&url).async_token(async_token("a"));
    let telecrm = builder.app_name("my-app/1.2").build().expect("builds");
    let _ = push(&telecrm).await.expect("queued");
    let seen = seen.lock().expect("not poisoned").clone().expect("a request");
    assert!(seen.starts_with("my-app/1.2 telecrm-rust/"), "{seen}");
}
