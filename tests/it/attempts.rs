//! Calls of several attempts: what the caller learns of all of them together.

use crate::support::lists::{ListServer, Lists};
use crate::support::socket::{ScriptedServer, Step, builder};
use crate::support::{Reports, async_token, bare_lead, bare_visit, cases, sync_token};
use std::time::Duration;
use telecrm::testing::{FakeTelecrm, ManualClock, Response};
use telecrm::{
    CallOptions, Error, ErrorCode, Filter, Operation, PageRequest, Phase, RateLimit, Receipt,
    Telecrm, Verification,
};

#[tokio::test]
async fn w03_a_creation_that_was_sent_once_is_never_called_not_sent() {
    let fake = FakeTelecrm::new()
        .on(Operation::CreateLead, Response::connection_reset())
        .always(Operation::CreateLead, Response::connection_refused());
    let error = fake.client().leads().create(&bare_lead()).await.expect_err("no answer");
    assert_eq!(error.phase(), Phase::MaybeSent);
    assert!(error.is_outcome_unknown() && !error.is_connect(), "{error:#}");
}

async fn w04_a_call_without_time_for_another_attempt_shows_the_last_answer(answer: Response) {
    let status = answer.clone().into_error(Operation::CreateLead).status_code();
    let fake = FakeTelecrm::new().always(Operation::CreateLead, answer);
    let telecrm = fake
        .builder()
        .sync_limit(Some(RateLimit::new(100, 1)))
        .call_options(CallOptions::new().total_timeout(Duration::from_secs(5)))
        .build()
        .expect("builds");
    let error = telecrm.leads().create(&bare_lead()).await.expect_err("no time is left");
    assert_eq!((error.phase(), error.status_code()), (Phase::Answered, status));
    assert_eq!(error.is_outcome_unknown(), status == Some(502));
}

cases! { async w04_a_call_without_time_for_another_attempt_shows_the_last_answer:
    after_502(Response::error(502, ErrorCode::BadRequest, "m"));
    after_429(Response::rate_limited(Some(1)));
}

/// A search that is sent once.
async fn searched(step: Step) -> Error {
    let server = ScriptedServer::start(&[step]).await;
    let once = CallOptions::new().attempts(1).attempt_timeout(Duration::from_millis(200));
    let builder = builder(&server.url, &ManualClock::new()).call_options(once);
    let leads = builder.build().expect("builds").leads();
    let found = leads.search(&Filter::new(), PageRequest::default()).await;
    found.expect_err("the body is cut off")
}

#[tokio::test]
async fn w10_a_body_that_stalls_is_a_timeout() {
    let error = searched(Step::StalledBody).await;
    assert!(error.is_timeout() && error.is_transient(), "{error:#}");
}

async fn w10_a_body_that_is_cut_off_is_transient(step: Step) {
    let error = searched(step).await;
    assert!(error.is_transient() && !error.is_timeout(), "{error:#}");
}

cases! { async w10_a_body_that_is_cut_off_is_transient:
    of_a_success(Step::TruncatedBody);
    by_a_reset(Step::ResetBeforeBody);
    of_a_server_error(Step::CutAnswer(503, ""));
}

#[tokio::test]
async fn w10_a_429_whose_body_is_cut_off_keeps_its_wait() {
    let server = ScriptedServer::start(&[Step::CutAnswer(429, "retry-after: 7\r\n")]).await;
    let once = CallOptions::new().attempts(1);
    let builder = builder(&server.url, &ManualClock::new()).call_options(once);
    let ingest = builder.build().expect("builds").ingest();
    let error = ingest.push(&bare_lead().action(bare_visit())).await.expect_err("429");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    assert!(error.is_rate_limited() && !error.is_outcome_unknown(), "{error:#}");
}

#[tokio::test]
async fn w11_verify_waits_out_answers_that_are_cut_off() {
    let server = ListServer::start(Lists::CutAtFirst(4), vec!["919999999999".to_owned()]).await;
    let telecrm = Telecrm::builder("ent")
        .sync_url(&server.url)
        .async_url(&server.url)
        .sync_token(sync_token("s"))
        .async_token(async_token("a"))
        .call_options(CallOptions::new().attempts(1))
        .clock(ManualClock::new())
        .build()
        .expect("builds");
    let verified = telecrm.ingest().verify(&Receipt::unconfirmed(bare_lead())).await;
    let verified = verified.expect("read in the end");
    assert!(matches!(verified, Verification::Stored(_)), "{verified:?}");
    assert_eq!(server.searches().len(), 5);
}

/// The attempts in the error and in the report of a call that cannot connect after these failures.
async fn attempts_before_a_refused_connection(failures: &[Response]) -> (u32, u32) {
    let mut fake = FakeTelecrm::new();
    for failure in failures {
        fake = fake.on(Operation::GetLead, failure.clone());
    }
    let fake = fake.always(Operation::GetLead, Response::connection_refused());
    let reports = Reports::default();
    let telecrm = fake.builder().on_call(reports.collector()).build().expect("builds");
    let error = telecrm.leads().get("l1").await.expect_err("refused");
    assert_eq!(fake.requests().len(), 3, "each try counts towards the limit of attempts");
    (error.attempts(), reports.take()[0].attempts)
}

#[tokio::test]
async fn a_connection_that_is_refused_is_no_request_on_the_wire() {
    assert_eq!(attempts_before_a_refused_connection(&[]).await, (0, 0));
    let reset = [Response::connection_reset()];
    assert_eq!(attempts_before_a_refused_connection(&reset).await, (1, 1));
}

/// A server that takes each request over HTTP/2 and refuses its stream.
#[cfg(feature = "http2")]
async fn server_that_refuses_streams() -> (String, std::sync::Arc<std::sync::Mutex<u32>>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    const SETTINGS_ACK: [u8; 9] = [0, 0, 0, 4, 1, 0, 0, 0, 0];
    let (listener, url) = crate::support::socket::listen().await;
    let requests = std::sync::Arc::new(std::sync::Mutex::new(0));
    let counted = requests.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let counted = counted.clone();
            tokio::spawn(async move {
                let mut preface = [0; 24];
                stream.read_exact(&mut preface).await?;
                stream.write_all(&SETTINGS).await?;
                loop {
                    let mut head = [0; 9];
                    stream.read_exact(&mut head).await?;
                    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
                    let mut payload = vec![0; length as usize];
                    stream.read_exact(&mut payload).await?;
                    let (kind, flags) = (head[3], head[4]);
                    if kind == 4 && flags & 1 == 0 {
                        stream.write_all(&SETTINGS_ACK).await?;
                    }
                    // The frame of data that ends the request: the stream is reset with
                    // REFUSED_STREAM.
                    if kind == 0 && flags & 1 == 1 {
                        *counted.lock().expect("not poisoned") += 1;
                        let mut reset = vec![0, 0, 4, 3, 0];
                        reset.extend_from_slice(&head[5..9]);
                        reset.extend_from_slice(&7_u32.to_be_bytes());
                        stream.write_all(&reset).await?;
                    }
                }
                #[allow(unreachable_code, reason = "names the type of the error")]
                std::io::Result::Ok(())
            });
        }
    });
    (url, requests)
}

#[cfg(feature = "http2")]
#[tokio::test]
async fn w02_every_request_of_a_refused_stream_is_counted() {
    let (url, requests) = server_that_refuses_streams().await;
    let reports = Reports::default();
    let telecrm = builder(&url, &ManualClock::new())
        .call_options(CallOptions::new())
        .http(reqwest::ClientBuilder::new().http2_prior_knowledge())
        .on_call(reports.collector())
        .async_limit(Some(RateLimit::ASYNC))
        .build()
        .expect("builds");
    let pushed = telecrm.ingest().push(&bare_lead().action(bare_visit())).await;
    let error = pushed.expect_err("refused");
    let sent = *requests.lock().expect("not poisoned");
    assert_eq!((error.attempts(), reports.take()[0].attempts), (sent, sent));
    assert_eq!(telecrm.async_limits()[0].remaining, Some(60 - sent));
}
