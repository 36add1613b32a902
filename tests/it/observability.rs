//! What a program sees of its calls: reports to `on_call`, and spans.

use crate::support::socket::listen;
use crate::support::{Log, Reports, bare_lead, sync_token};
use serde_json::json;
use std::time::Duration;
use telecrm::testing::{FakeTelecrm, Response};
use telecrm::{CallReport, ErrorCode, Operation, Telecrm};

/// The only report, or a panic.
#[track_caller]
fn only(reports: &Reports) -> CallReport {
    let mut reports = reports.take();
    assert_eq!(reports.len(), 1, "one report a call");
    reports.remove(0)
}

fn reporting_client(fake: &FakeTelecrm, reports: &Reports) -> Telecrm {
    let builder = fake.builder().on_call(reports.collector());
    builder.build().expect("builds")
}

#[tokio::test]
async fn a_retried_call_is_reported_once_with_its_wait() {
    let fake = FakeTelecrm::new()
        .on(Operation::GetLead, Response::rate_limited(Some(5)))
        .on(Operation::GetLead, Response::json(json!({ "fields": {} })));
    let reports = Reports::default();
    let read = reporting_client(&fake, &reports).leads().get("l1").await;
    assert!(read.is_ok());
    let report = only(&reports);
    assert_eq!(report.operation, Some(Operation::GetLead));
    assert_eq!((report.status, report.attempts), (Some(200), 2));
    assert_eq!(report.error_type, None);
    assert!(report.waited >= Duration::from_secs(5));
    assert_eq!(report.duration, report.waited);
}

#[tokio::test]
async fn a_refused_call_is_reported_with_its_status() {
    let refusal = Response::error(404, ErrorCode::LeadNotFound, "no");
    let fake = FakeTelecrm::new().on(Operation::GetLead, refusal);
    let reports = Reports::default();
    let read = reporting_client(&fake, &reports).leads().get("l1").await;
    assert!(read.is_err());
    let report = only(&reports);
    assert_eq!(report.operation, Some(Operation::GetLead));
    assert_eq!((report.status, report.attempts), (Some(404), 1));
    assert_eq!(report.error_type.as_deref(), Some("404"));
    assert_eq!(report.duration, Duration::ZERO);
}

#[tokio::test]
async fn a_call_without_an_answer_is_reported_with_its_duration() {
    let fake = FakeTelecrm::new()
        .always(Operation::CreateLead, Response::connection_refused())
        .on(Operation::CreateLead, Response::timeout());
    let reports = Reports::default();
    let leads = reporting_client(&fake, &reports).leads();
    let created = leads.create(&bare_lead()).await;
    assert!(created.is_err());
    let report = only(&reports);
    assert_eq!(report.operation, Some(Operation::CreateLead));
    // Without a connection the last two attempts sent nothing. The first one may have.
    assert_eq!((report.status, report.attempts), (None, 1));
    assert_eq!(report.error_type.as_deref(), Some("failure"));
    let first_attempt = report.duration - report.waited;
    assert_eq!(first_attempt, Duration::from_secs(30));
}

#[tokio::test]
async fn a_call_that_is_dropped_is_reported_as_cancelled() {
    let (_silent, url) = listen().await;
    let reports = Reports::default();
    let telecrm = Telecrm::builder("ent")
        .sync_url(url)
        .sync_token(sync_token("s"))
        .on_call(reports.collector())
        .build()
        .expect("builds");
    let leads = telecrm.leads();
    let dropped = tokio::time::timeout(Duration::from_millis(100), leads.get("l1")).await;
    assert!(dropped.is_err());
    let report = only(&reports);
    assert_eq!(report.error_type.as_deref(), Some("cancelled"));
    assert_eq!((report.attempts, report.status), (1, None));
}

#[tokio::test]
async fn a_report_shows_the_last_answer_if_later_attempts_were_not_sent() {
    let fake = FakeTelecrm::new()
        .on(Operation::GetLead, Response::html(502))
        .always(Operation::GetLead, Response::connection_refused());
    let reports = Reports::default();
    let error = reporting_client(&fake, &reports).leads().get("l1").await;
    let (error, report) = (error.expect_err("502"), only(&reports));
    assert_eq!((report.status, report.attempts), (error.status_code(), error.attempts()));
    assert_eq!((report.status, report.error_type.as_deref()), (Some(502), Some("502")));
}

#[tokio::test]
async fn w23_an_observer_that_panics_does_not_replace_a_result() {
    let fake = FakeTelecrm::new().always(Operation::CreateOrUpdateLead, Response::queued());
    let telecrm = fake.builder().on_call(|_| panic!("observer")).build().expect("builds");
    let log = Log::default();
    let guard = log.listen();
    let _ = telecrm.ingest().push(&bare_lead()).await.expect("queued");
    drop(guard);
    assert!(log.text().contains("`on_call` panicked"), "{}", log.text());
}

/// The names are those of OpenTelemetry's conventions for HTTP clients. Collectors know no others.
#[tokio::test]
async fn spans_have_the_names_of_opentelemetry() {
    let fake = FakeTelecrm::new()
        .on(Operation::GetLead, Response::html(503))
        .on(Operation::GetLead, Response::error(404, ErrorCode::LeadNotFound, "no"));
    let log = Log::default();
    let guard = log.listen();
    fake.client().leads().get("l1").await.expect_err("404");
    drop(guard);
    let log = log.text();
    let last = log.lines().last().expect("the end of the span");
    assert!(last.contains("close"), "{last}");
    let (_, fields) = last.split_once("telecrm{").expect("a span");
    let (fields, _) = fields.split_once('}').expect("fields");
    let mut fields: Vec<_> = fields.split(' ').collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "error.type=\"404\"",
            "http.request.method=\"GET\"",
            "http.request.resend_count=1",
            "http.response.status_code=404",
            "otel.kind=\"client\"",
            "server.address=\"next.telecrm.in\"",
            "server.port=443",
            "telecrm.operation=\"getLead\"",
        ]
    );
    for attempt in ["attempt=1 status=503", "attempt=2 status=404"] {
        assert!(log.contains(attempt), "{log}");
    }
}
