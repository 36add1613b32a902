//! `ping()`: which setting is wrong.

use crate::support::{async_token, cases, emulator, sync_token};
use telecrm::testing::{FakeTelecrm, Response};
use telecrm::{Access, ErrorCode, Operation, Telecrm};

/// What the Sync API of the fake says.
async fn access(answer: Response, expected: Access) {
    let fake = FakeTelecrm::new().always(Operation::GetMetadata, answer);
    let report = fake.client().ping().await;
    assert_eq!((report.sync, report.ingest), (Some(expected), None), "{report:#}");
    assert_eq!(report.is_ok(), expected == Access::Granted);
}

cases! { async access:
    granted(Response::json(serde_json::json!({ "name": "Acme" })), Access::Granted);
    unknown_enterprise(
        Response::error(404, ErrorCode::EnterpriseNotFound, "no"),
        Access::UnknownEnterprise
    );
    license(
        Response::error(403, ErrorCode::EnterpriseLicenseExpired, "no"),
        Access::LicenseExpired
    );
    web_page(Response::html(404), Access::WrongHost);
    web_page_with_success(Response::html(200), Access::WrongHost);
    unreachable(Response::connection_refused(), Access::Unreachable);
    timeout(Response::timeout(), Access::Unreachable);
    limited(Response::rate_limited(Some(1)), Access::RateLimited);
    server_error(Response::html(502), Access::Unclear);
}

/// A client of the emulator with these tokens.
async fn ping(sync: &str, ingest: &str) -> (telecrm::PingReport, usize) {
    let emulator = emulator().await;
    let token = |name: &str| match name {
        "sync" => emulator.sync_token().to_owned(),
        "async" => emulator.async_token().to_owned(),
        other => other.to_owned(),
    };
    let telecrm = Telecrm::builder(emulator.enterprise())
        .sync_url(emulator.sync_url())
        .async_url(emulator.async_url())
        .sync_token(sync_token(&token(sync)))
        .async_token(async_token(&token(ingest)))
        .build()
        .expect("builds");
    let report = telecrm.ping().await;
    assert!(telecrm.async_limits().iter().all(|limit| !limit.set_aside));
    (report, emulator.log(0).len())
}

#[tokio::test]
async fn as8_swapped_tokens_are_found_with_a_second_request() {
    let (report, requests) = ping("async", "sync").await;
    assert_eq!((report.sync, requests), (Some(Access::TokensSwapped), 2));
    assert!(format!("{report:#}").contains("exchange the two tokens"), "{report:#}");
}

#[tokio::test]
async fn two_wrong_tokens_are_refused() {
    assert_eq!(ping("wrong", "worse").await.0.sync, Some(Access::Refused));
}

#[tokio::test]
async fn one_request_is_enough_if_all_is_well() {
    assert_eq!(ping("sync", "async").await.1, 1);
}

#[tokio::test]
async fn as2_the_async_token_is_probed_only_on_request() {
    let emulator = emulator().await;
    let telecrm = Telecrm::builder(emulator.enterprise())
        .async_url(emulator.async_url())
        .async_token(async_token("wrong"))
        .build()
        .expect("builds");
    let report = telecrm.ping().await;
    assert_eq!((report.sync, report.ingest, report.is_ok()), (None, None, false));
    assert!(emulator.log(0).is_empty());
    let report = telecrm.ping().probe_async().await;
    assert_eq!(report.ingest, Some(Access::Refused));
}
