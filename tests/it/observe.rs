//! The fake, requests beyond the specs, and what can be seen of calls from outside.

use crate::support::Log;
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use telecrm::testing::{FakeTelecrm, Response};
use telecrm::{
    CallReport, CustomAction, ErrorCode, Filter, Idempotency, Lead, LeadRecord, Method, Operation,
    PageRequest, Phase, SyncToken, Telecrm,
};
use tokio::net::TcpListener;

fn lead() -> Lead {
    Lead::new().set("phone", "919999999999")
}

#[tokio::test]
async fn the_fake_answers_in_order_and_then_with_what_always_holds() {
    let row = |name: &str| -> LeadRecord {
        serde_json::from_value(json!({ "id": "l1", "fields": { "name": name } })).expect("a row")
    };
    let fake = FakeTelecrm::new()
        .always(Operation::GetLead, Response::json(row("always")))
        .on(Operation::GetLead, Response::json(row("first")))
        .on(Operation::GetLead, Response::json(row("second")))
        .on(Operation::SearchLeads, Response::page([row("found")]));
    let telecrm = fake.client();
    for expected in ["first", "second", "always", "always"] {
        let lead = telecrm.leads().get("l1").await.expect("read");
        assert_eq!(lead.get("name"), Some(&expected.into()));
    }
    let filter = Filter::new().eq("name", "found");
    let slice = PageRequest { skip: 0, limit: 3 };
    let page = telecrm.leads().search(&filter, slice).await.expect("read");
    assert_eq!((page.data, page.total_count), (vec![row("found")], 1));
    let search = &fake.requests_to(Operation::SearchLeads)[0];
    assert_eq!((search.method(), search.path()), ("POST", "/lead/search"));
    assert_eq!(search.query("limit"), Some("3"));
    assert_eq!(
        search.body(),
        Some(&json!({ "fields": { "name": "found" } }))
    );
    assert_eq!(fake.requests().len(), 5);
}

#[tokio::test]
async fn what_the_script_lacks_is_said() {
    let fake = FakeTelecrm::new();
    let error = fake
        .client()
        .leads()
        .get("l1")
        .await
        .expect_err("no answer");
    assert_eq!(error.phase(), Phase::NotBuilt);
    assert_eq!(
        error.to_string(),
        "reading a lead failed: the fake has no response for this request"
    );
    assert_eq!(fake.requests().len(), 1, "and it is not asked again");
    let workspace = fake.client().workspace().await.expect("the sample");
    assert!(workspace.field("phone").is_some());
}

/// Faults of the script go the ways of real ones: the same repeats, the same errors.
#[tokio::test]
async fn faults_are_repeated_and_reported_like_real_ones() {
    type Check = fn(&telecrm::Error) -> bool;
    let cases: [(Response, usize, usize, Check); 7] = [
        (Response::connection_refused(), 3, 3, |error| {
            error.is_connect()
        }),
        (Response::timeout(), 3, 1, |error| error.is_timeout()),
        (Response::connection_reset(), 3, 1, |error| {
            error.phase() == Phase::MaybeSent
        }),
        (Response::html(502), 3, 1, |error| {
            error.status_code() == Some(502)
        }),
        (Response::rate_limited(None), 3, 3, |error| {
            error.is_rate_limited()
        }),
        (Response::rate_limited(Some(600)), 1, 1, |error| {
            error.retry_after() == Some(Duration::from_secs(600))
        }),
        (
            Response::error(404, ErrorCode::LeadNotFound, "no"),
            1,
            1,
            |error| error.is_not_found(),
        ),
    ];
    for (answer, reads, writes, check) in cases {
        let fake = FakeTelecrm::new()
            .always(Operation::GetLead, answer.clone())
            .always(Operation::CreateActions, answer.clone());
        let leads = fake.client().leads();
        let read = leads.get("l1").await.expect_err("a fault");
        let visit = CustomAction::new(1001).expect("a code");
        let write = leads
            .actions("l1")
            .create([visit])
            .await
            .expect_err("a fault");
        let sent =
            [Operation::GetLead, Operation::CreateActions].map(|o| fake.requests_to(o).len());
        assert_eq!(sent, [reads, writes], "{answer:?}");
        for (error, operation) in [
            (read, Operation::GetLead),
            (write, Operation::CreateActions),
        ] {
            let made = answer.clone().into_error(operation);
            assert!(check(&error) && check(&made), "{error:?} {made:?}");
            assert_eq!(error.to_string(), made.to_string());
            assert_eq!(error.is_outcome_unknown(), made.is_outcome_unknown());
        }
    }
}

#[tokio::test]
async fn a_timeout_takes_its_time_on_the_fake_s_clock() {
    let fake = FakeTelecrm::new().on(Operation::CreateOrUpdateLead, Response::timeout());
    let error = fake
        .client()
        .ingest()
        .push(&lead())
        .await
        .expect_err("lost");
    assert!(error.is_outcome_unknown());
    assert_eq!(
        fake.clock().slept(),
        Duration::from_secs(30),
        "one attempt, since the workspace is not known"
    );
}

#[tokio::test]
async fn partial_success_can_be_played() {
    let fake = FakeTelecrm::new().on(
        Operation::CreateLead,
        Response::created_in_part("l1", [("rating", "Rating must be between 1 and 5")]),
    );
    let outcome = fake
        .client()
        .leads()
        .create(&lead())
        .await
        .expect("created");
    assert_eq!(outcome.ignored_fields().collect::<Vec<_>>(), ["rating"]);
}

#[tokio::test]
async fn a_request_beyond_the_specs_is_a_call_like_any_other() {
    let fake = FakeTelecrm::new()
        .on_request(Response::html(503))
        .on_request(Response::json(json!({ "name": "Jane" })))
        .on_request(Response::error(404, ErrorCode::NotFound, "no such report"));
    let telecrm = fake.client();
    let request = |method| {
        let request = telecrm.request(method, "reports/jane doe/100%/");
        request.query("from", 7).query("q", "a&b")
    };
    let reply = request(Method::Get).send().await.expect("repeated");
    assert_eq!(reply.status(), 200);
    assert_eq!(reply.bytes(), br#"{"name":"Jane"}"#);
    assert_eq!(reply.json().expect("JSON")["name"], "Jane");
    assert!(
        reply
            .decode::<Vec<u8>>()
            .expect_err("an object")
            .status_code()
            == Some(200)
    );
    let sent = &fake.requests()[1];
    assert_eq!((sent.operation(), sent.method()), (None, "GET"));
    assert_eq!(sent.path(), "/reports/jane%20doe/100%25");
    assert_eq!(
        (sent.query("from"), sent.query("q")),
        (Some("7"), Some("a&b"))
    );
    assert_eq!(sent.body(), None);

    let error = request(Method::Delete).send().await.expect_err("404");
    assert!(error.is_not_found() && error.operation().is_none());
    assert_eq!(
        error.to_string(),
        "the request failed: the server answered 404 NOT_FOUND: no such report"
    );
}

#[tokio::test]
async fn requests_are_repeated_only_where_the_caller_says_that_it_does_no_harm() {
    for (method, class, sent) in [
        (Method::Get, None, 2),
        (Method::Get, Some(Idempotency::NotIdempotent), 1),
        (Method::Post, None, 1),
        (Method::Patch, None, 1),
        (Method::Put, Some(Idempotency::Idempotent), 2),
        (Method::Post, Some(Idempotency::Safe), 2),
    ] {
        let fake = FakeTelecrm::new()
            .on_request(Response::connection_reset())
            .on_request(Response::json(json!({})));
        let mut request = fake.client().request(method, "/x").json(&json!({ "a": 1 }));
        if let Some(class) = class {
            request = request.idempotency(class);
        }
        let result = request.send().await;
        assert_eq!(fake.requests().len(), sent, "{method:?} {class:?}");
        assert_eq!(fake.requests()[0].body(), Some(&json!({ "a": 1 })));
        match result {
            Ok(_) => assert_eq!(sent, 2),
            Err(error) => assert!(error.is_outcome_unknown(), "{method:?} {class:?}: {error}"),
        }
    }
}

#[tokio::test]
async fn a_request_s_path_stays_below_the_enterprise() {
    let fake = FakeTelecrm::new();
    let telecrm = fake.client();
    for path in [
        "",
        "/",
        "..",
        "/../other",
        "/lead/./x",
        "/lead//x",
        "/lead\\..\\x",
        "/lead?x=1",
        "/lead#x",
        "/a\nb",
    ] {
        let error = telecrm
            .request(Method::Get, path)
            .send()
            .await
            .expect_err(path);
        assert_eq!(error.phase(), Phase::NotBuilt, "{path:?}: {error}");
    }
    assert_eq!(fake.requests(), []);
    let error = telecrm
        .request(Method::Get, "/%2e%2e/x")
        .send()
        .await
        .expect_err("unscripted");
    assert!(
        error.to_string().contains("the fake has no response"),
        "{error}"
    );
    assert_eq!(
        fake.requests()[0].path(),
        "/%252e%252e/x",
        "as it is written"
    );
}

#[tokio::test]
async fn every_call_is_reported_once() {
    let reports: Arc<Mutex<Vec<CallReport>>> = Arc::default();
    let seen = reports.clone();
    let fake = FakeTelecrm::new()
        .on(Operation::GetLead, Response::rate_limited(Some(5)))
        .on(Operation::GetLead, Response::json(json!({ "fields": {} })))
        .on(
            Operation::GetLead,
            Response::error(404, ErrorCode::LeadNotFound, "no"),
        )
        .on(Operation::CreateLead, Response::timeout())
        .always(Operation::CreateLead, Response::connection_refused());
    let telecrm = fake
        .builder()
        .on_call(move |report| seen.lock().expect("not poisoned").push(report.clone()))
        .build()
        .expect("builds");
    let leads = telecrm.leads();
    leads.get("l1").await.expect("read");
    leads.get("l1").await.expect_err("404");
    leads.create(&lead()).await.expect_err("refused");
    let reports = std::mem::take(&mut *reports.lock().expect("not poisoned"));
    let seen: Vec<_> = reports
        .iter()
        .map(|report| {
            (
                report.operation,
                report.status,
                report.attempts,
                report.error_type.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (Some(Operation::GetLead), Some(200), 2, None),
            (Some(Operation::GetLead), Some(404), 1, Some("404")),
            (Some(Operation::CreateLead), None, 3, Some("not_sent")),
        ]
    );
    assert!(reports[0].waited >= Duration::from_secs(5));
    assert_eq!(reports[0].duration, reports[0].waited);
    assert_eq!(reports[1].duration, Duration::ZERO);
    let timeout = reports[2].duration - reports[2].waited;
    assert_eq!(
        timeout,
        Duration::from_secs(30),
        "the attempt that got no answer"
    );
}

#[tokio::test]
async fn a_call_that_is_dropped_is_reported_too() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let reports: Arc<Mutex<Vec<CallReport>>> = Arc::default();
    let seen = reports.clone();
    let telecrm = Telecrm::builder("ent")
        .sync_url(format!(
            "http://{}",
            listener.local_addr().expect("an address")
        ))
        .sync_token(SyncToken::new("s").expect("a token"))
        .on_call(move |report| seen.lock().expect("not poisoned").push(report.clone()))
        .build()
        .expect("builds");
    let leads = telecrm.leads();
    let dropped = tokio::time::timeout(Duration::from_millis(100), leads.get("l1")).await;
    assert!(dropped.is_err());
    let reports = reports.lock().expect("not poisoned");
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].error_type.as_deref(), Some("cancelled"));
    assert_eq!((reports[0].attempts, reports[0].status), (1, None));
}

/// The names are those of OpenTelemetry's conventions for HTTP clients, and the collector's that reads them knows no others.
#[tokio::test]
async fn spans_have_the_names_of_opentelemetry() {
    let fake = FakeTelecrm::new()
        .on(Operation::GetLead, Response::html(503))
        .on(
            Operation::GetLead,
            Response::error(404, ErrorCode::LeadNotFound, "no"),
        );
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

/// The class of each operation is what its calls go by.
#[tokio::test]
async fn every_operation_is_repeated_by_its_class() {
    for operation in Operation::ALL {
        let fake = FakeTelecrm::new();
        let telecrm = fake.client();
        telecrm.workspace().await.expect("discovered");
        let before = fake.requests_to(*operation).len();
        let fake = fake.always(*operation, Response::connection_reset());
        let error = crate::canary::call(&telecrm, *operation).await;
        let error = error.expect_err("no answer");
        let appends = operation.idempotency() == Idempotency::NotIdempotent;
        let sent = fake.requests_to(*operation).len() - before;
        assert_eq!(sent, if appends { 1 } else { 3 }, "{operation}");
        assert_eq!(error.attempts() as usize, sent, "{operation}");
        assert_eq!(
            error.is_outcome_unknown(),
            !operation.is_read(),
            "{operation}"
        );
    }
}

#[tokio::test]
async fn of_a_large_answer_an_error_keeps_the_beginning() {
    let page = "<p>".repeat(100_000);
    for status in [200, 502] {
        let answer = Response::text(status, "text/html", &*page);
        let fake = FakeTelecrm::new().always(Operation::GetLead, answer);
        let error = fake.client().leads().get("l1").await;
        let error = error.expect_err("a web page");
        assert_eq!(error.body(), &page.as_bytes()[..64 << 10], "{status}");
        assert!(!format!("{error:#} {error:?}").contains("<p>"), "{status}");
    }
}
