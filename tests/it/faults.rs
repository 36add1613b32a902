//! What is sent, and what callers get, if a connection fails: asserted at the socket.

use crate::support::socket::{HTML, ScriptedServer, Step, builder, client, listen};
use crate::support::{async_token, bare_lead, bare_visit, cases, jane, sync_token, visit};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use telecrm::testing::ManualClock;
use telecrm::{Builder, CallOptions, Error, PaymentStatus, Phase, Telecrm};
use telecrm_emulator::Emulator;
use tokio::io::AsyncReadExt;

/// Calls with different answers to the question whether they may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    /// A read.
    GetLead,
    /// A write that has the same result if it is repeated.
    SetPaymentStatus,
    /// A push that updates the lead if it is repeated. The client has to know the workspace.
    PushLead,
    /// A write that appends something each time.
    CreateAction,
    /// A push that appends an action each time.
    PushAction,
}

impl Call {
    fn is_retried(self) -> bool {
        !matches!(self, Self::CreateAction | Self::PushAction)
    }

    async fn send(self, telecrm: &Telecrm) -> Result<(), Error> {
        let timeline = telecrm.leads().actions("l1");
        let with_action = bare_lead().action(bare_visit());
        match self {
            Self::GetLead => telecrm.leads().get("l1").await.map(drop),
            Self::SetPaymentStatus => {
                let paid = timeline.set_payment_status("a1", PaymentStatus::Completed);
                paid.await.map(drop)
            }
            Self::PushLead => telecrm.ingest().push(&bare_lead()).await.map(drop),
            Self::CreateAction => timeline.create([bare_visit()]).await.map(drop),
            Self::PushAction => telecrm.ingest().push(&with_action).await.map(drop),
        }
    }

    /// What has to arrive at the server, each time the same.
    fn request(self) -> &'static str {
        match self {
            Self::GetLead => "GET /enterprise/ent/lead/l1 ",
            Self::SetPaymentStatus => {
                r#"POST /enterprise/ent/lead/l1/action/a1 {"status":"COMPLETED","type":"PAYMENT"}"#
            }
            Self::PushLead => {
                r#"POST /enterprise/ent/autoupdatelead {"fields":{"phone":"919999999999"}}"#
            }
            Self::CreateAction => {
                r#"POST /enterprise/ent/lead/l1/action {"actions":[{"type":"1001"}]}"#
            }
            Self::PushAction => {
                r#"POST /enterprise/ent/autoupdatelead {"actions":[{"type":"ACTION_1001"}],"fields":{"phone":"919999999999"}}"#
            }
        }
    }

    /// A client of the server. For a push without actions it knows its workspace.
    async fn client(self, server: &ScriptedServer, clock: &ManualClock) -> Telecrm {
        if self != Self::PushLead {
            return client(&server.url, clock);
        }
        let emulator = Emulator::builder().enterprise("ent").start().await;
        let emulator = emulator.expect("starts");
        let telecrm = builder(&server.url, clock)
            .sync_url(emulator.sync_url())
            .sync_token(sync_token(emulator.sync_token()))
            .build()
            .expect("builds");
        telecrm.workspace().await.expect("discovered");
        telecrm
    }
}

/// What the caller has to get.
#[derive(Clone, Copy)]
enum Expected {
    Success,
    Failure {
        phase: Phase,
        status: Option<u16>,
        /// Whether a write is in doubt. A read never is.
        outcome_unknown: bool,
    },
}

const SUCCESS: Expected = Expected::Success;

/// No answer came, or none that could be read: the server may have acted.
const fn doubt(phase: Phase, status: Option<u16>) -> Expected {
    Expected::Failure { phase, status, outcome_unknown: true }
}

/// The server refused the request.
const fn refusal(status: u16) -> Expected {
    Expected::Failure { phase: Phase::Answered, status: Some(status), outcome_unknown: false }
}

const NO_ANSWER: Expected = doubt(Phase::MaybeSent, None);
const UNREADABLE: Expected = doubt(Phase::Unreadable, Some(200));

async fn check(call: Call, script: &[Step], expected: Expected) {
    let server = ScriptedServer::start(script).await;
    let clock = ManualClock::new();
    let telecrm = call.client(&server, &clock).await;
    let result = call.send(&telecrm).await;
    assert_eq!(server.requests(), vec![call.request(); script.len()]);
    if let (Some(Step::RetryAfter(seconds)), Ok(())) = (script.first(), &result) {
        assert_eq!(clock.slept().as_secs(), *seconds);
    }
    match (result, expected) {
        (Ok(()), Expected::Success) => {}
        (Err(error), Expected::Failure { phase, status, outcome_unknown }) => {
            assert_eq!(error.phase(), phase, "{error:#}");
            assert_eq!(error.status_code(), status, "{error:#}");
            assert_eq!(
                error.is_outcome_unknown(),
                outcome_unknown && call != Call::GetLead,
                "{error:#}"
            );
            assert_eq!(error.attempts() as usize, script.len());
            assert!(!format!("{error:#}").contains("127.0.0.1"), "{error:#}");
        }
        (result, _) => panic!("{result:?}"),
    }
}

/// One test for each call: what the server does with one request each, and what the caller gets.
macro_rules! scenarios {
    ($($calls:ident $name:ident: [$($step:expr),+] => $expected:expr;)+) => {
        $(scenarios! { @$calls $name [$($step),+] $expected })+
    };
    (@all_calls $($rest:tt)*) => {
        scenarios! { @of [get_lead GetLead set_payment_status SetPaymentStatus push_lead PushLead
            create_action CreateAction push_action PushAction] $($rest)* }
    };
    (@retried_calls $($rest:tt)*) => {
        scenarios! { @of [get_lead GetLead set_payment_status SetPaymentStatus
            push_lead PushLead] $($rest)* }
    };
    (@appending_calls $($rest:tt)*) => {
        scenarios! { @of [create_action CreateAction push_action PushAction] $($rest)* }
    };
    (@reads $($rest:tt)*) => {
        scenarios! { @of [get_lead GetLead] $($rest)* }
    };
    (@of [$($case:ident $call:ident)+] $name:ident $script:tt $expected:expr) => {
        mod $name {
            #[allow(unused_imports, reason = "each scenario uses some of them")]
            use super::*;
            #[allow(unused_imports, reason = "each scenario uses some of them")]
            use super::{Phase::*, Step::*};
            $(
                #[tokio::test]
                async fn $case() {
                    check(Call::$call, &$script, $expected).await;
                }
            )+
        }
    };
}

// The server may have acted.
scenarios! {
    retried_calls a_stall_is_retried: [Stall, Good] => SUCCESS;
    appending_calls a_stall_is_not_retried: [Stall] => NO_ANSWER;
    retried_calls a_third_stall_is_an_error: [Stall, Stall, Stall] => NO_ANSWER;
    retried_calls slow_headers_are_retried: [SlowHeader, Good] => SUCCESS;
    appending_calls slow_headers_are_not_retried: [SlowHeader] => NO_ANSWER;
    retried_calls a_close_before_the_answer_is_retried: [CloseBeforeAnswer, Good] => SUCCESS;
    appending_calls a_close_before_the_answer_is_not_retried: [CloseBeforeAnswer] => NO_ANSWER;
    retried_calls a_reset_before_the_answer_is_retried: [ResetBeforeAnswer, Good] => SUCCESS;
    appending_calls a_reset_before_the_answer_is_not_retried: [ResetBeforeAnswer] => NO_ANSWER;
    retried_calls a_third_reset_is_an_error:
        [ResetBeforeAnswer, ResetBeforeAnswer, ResetBeforeAnswer] => NO_ANSWER;
    retried_calls a_reset_before_the_body_is_retried: [ResetBeforeBody, Good] => SUCCESS;
    appending_calls a_reset_before_the_body_is_not_retried: [ResetBeforeBody] => UNREADABLE;
    retried_calls a_truncated_body_is_retried: [TruncatedBody, Good] => SUCCESS;
    appending_calls a_truncated_body_is_not_retried: [TruncatedBody] => UNREADABLE;
    retried_calls a_third_truncated_body_is_an_error:
        [TruncatedBody, TruncatedBody, TruncatedBody] => UNREADABLE;
    retried_calls a_body_that_stalls_is_retried: [StalledBody, Good] => SUCCESS;
    appending_calls a_body_that_stalls_is_not_retried: [StalledBody] => UNREADABLE;
    retried_calls an_endless_body_is_retried: [EndlessBody, Good] => SUCCESS;
    appending_calls an_endless_body_is_not_retried: [EndlessBody] => UNREADABLE;
    reads a_third_endless_body_is_an_error: [EndlessBody, EndlessBody, EndlessBody] => UNREADABLE;
    retried_calls a_server_error_is_retried: [Answer(502, HTML), Good] => SUCCESS;
    appending_calls a_server_error_is_not_retried:
        [Answer(502, HTML)] => doubt(Answered, Some(502));
    retried_calls a_third_server_error_is_an_error:
        [Answer(500, ""), Answer(503, ""), Answer(502, HTML)] => doubt(Answered, Some(502));
    retried_calls status_408_is_retried: [Answer(408, ""), Good] => SUCCESS;
    appending_calls status_408_is_not_retried: [Answer(408, "")] => doubt(Answered, Some(408));
    all_calls w06_a_redirect_to_the_result_leaves_doubt:
        [Answer(303, "")] => doubt(Answered, Some(303));
    all_calls w15_a_change_of_protocol_leaves_doubt:
        [Answer(101, "")] => doubt(Answered, Some(101));
    all_calls w15_an_unknown_class_of_status_leaves_doubt:
        [Answer(600, "")] => doubt(Answered, Some(600));
    all_calls w15_the_highest_status_leaves_doubt: [Answer(999, "")] => doubt(Answered, Some(999));
}

// The server did not act.
scenarios! {
    all_calls status_429_is_retried: [Answer(429, ""), Good] => SUCCESS;
    all_calls status_429_with_a_wait_is_retried: [RetryAfter(3), Good] => SUCCESS;
    all_calls more_429_than_attempts_are_waited_out:
        [Answer(429, ""), RetryAfter(3), Answer(429, ""), RetryAfter(1), Good] => SUCCESS;
    all_calls a_wait_longer_than_the_total_timeout_is_an_error: [RetryAfter(600)] => refusal(429);
    retried_calls a_server_error_after_429_is_retried:
        [Answer(429, ""), Answer(503, ""), Good] => SUCCESS;
    appending_calls a_server_error_after_429_is_not_retried:
        [Answer(429, ""), Answer(503, "")] => doubt(Answered, Some(503));
    all_calls a_refusal_is_not_retried: [Answer(404, "")] => refusal(404);
    all_calls a_refused_token_is_not_retried: [Answer(401, "")] => refusal(401);
    all_calls a_redirect_is_not_followed: [Redirect] => refusal(307);
    retried_calls a_refusal_after_a_server_error_leaves_the_doubt:
        [Answer(500, ""), Answer(404, "")] => doubt(Answered, Some(404));
}

// The server acted.
scenarios! {
    all_calls a_web_page_is_unreadable_and_not_retried: [Answer(200, HTML)] => UNREADABLE;
    all_calls a_close_after_the_answer_is_a_success: [GoodAndClose] => SUCCESS;
    all_calls a_reset_after_the_answer_is_a_success: [GoodAndReset] => SUCCESS;
}

/// Connections are kept between calls. A server may close one while it is idle, or while the next
/// request is on its way.
async fn a_kept_connection_that_fails_writes_nothing_twice(call: Call, script: &[Step]) {
    let closes_on_request = script.contains(&Step::CloseBeforeAnswer);
    let mut script = script.to_vec();
    if closes_on_request && call.is_retried() {
        script.push(Step::Good);
    }
    let server = ScriptedServer::start(&script).await;
    let telecrm = call.client(&server, &ManualClock::new()).await;
    call.send(&telecrm).await.expect("the first is answered");
    let second = call.send(&telecrm).await;
    assert_eq!(second.is_ok(), !closes_on_request || call.is_retried(), "{second:?}");
    assert_eq!(server.requests(), vec![call.request(); script.len()]);
    if let Err(error) = second {
        assert_eq!(error.phase(), Phase::MaybeSent);
        assert!(error.is_outcome_unknown());
    }
}

const CLOSED_IDLE: &[Step] = &[Step::GoodAndClose, Step::Good];
const RESET_IDLE: &[Step] = &[Step::GoodAndReset, Step::Good];
const CLOSED_ON_REQUEST: &[Step] = &[Step::Good, Step::CloseBeforeAnswer];

cases! { async a_kept_connection_that_fails_writes_nothing_twice:
    get_lead_closed_idle(Call::GetLead, CLOSED_IDLE);
    get_lead_reset_idle(Call::GetLead, RESET_IDLE);
    get_lead_closed_on_request(Call::GetLead, CLOSED_ON_REQUEST);
    set_payment_status_closed_idle(Call::SetPaymentStatus, CLOSED_IDLE);
    set_payment_status_reset_idle(Call::SetPaymentStatus, RESET_IDLE);
    set_payment_status_closed_on_request(Call::SetPaymentStatus, CLOSED_ON_REQUEST);
    push_lead_closed_idle(Call::PushLead, CLOSED_IDLE);
    push_lead_reset_idle(Call::PushLead, RESET_IDLE);
    push_lead_closed_on_request(Call::PushLead, CLOSED_ON_REQUEST);
    create_action_closed_idle(Call::CreateAction, CLOSED_IDLE);
    create_action_reset_idle(Call::CreateAction, RESET_IDLE);
    create_action_closed_on_request(Call::CreateAction, CLOSED_ON_REQUEST);
    push_action_closed_idle(Call::PushAction, CLOSED_IDLE);
    push_action_reset_idle(Call::PushAction, RESET_IDLE);
    push_action_closed_on_request(Call::PushAction, CLOSED_ON_REQUEST);
}

/// A part of the request has arrived, and the server may act on it.
#[tokio::test]
async fn a_reset_in_the_middle_of_a_request_leaves_the_outcome_unknown() {
    let (listener, url) = listen().await;
    let connections = Arc::new(Mutex::new(0));
    let counted = connections.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            *counted.lock().expect("not poisoned") += 1;
            let _ = stream.read(&mut [0; 1024]).await;
            stream.set_zero_linger().expect("an open socket");
        }
    });
    let telecrm = client(&url, &ManualClock::new());
    // This is more than the buffers of the sockets hold.
    let large = visit(&"x".repeat(16 << 20));
    let error = telecrm.leads().actions("l1").create([large]).await;
    let error = error.expect_err("reset");
    assert_eq!((error.phase(), error.attempts()), (Phase::MaybeSent, 1), "{error:#}");
    assert!(error.is_outcome_unknown());
    assert_eq!(*connections.lock().expect("not poisoned"), 1);
}

fn one_short_attempt() -> CallOptions {
    CallOptions::new().attempts(1).attempt_timeout(Duration::from_millis(200))
}

/// Pushes to a server that accepts the connection and never answers.
async fn a_push_that_is_never_answered_leaves_the_outcome_unknown(
    client: impl FnOnce(Builder) -> Telecrm,
) {
    let (_silent, url) = listen().await;
    let builder = Telecrm::builder("ent").async_url(url).async_token(async_token("a"));
    let (ingest, lead) = (client(builder).ingest(), jane());
    let push = tokio::time::timeout(Duration::from_secs(20), ingest.push(&lead));
    let error = push.await.expect("in time").expect_err("no answer");
    assert!(error.is_timeout() && error.is_outcome_unknown());
    assert_eq!(error.phase(), Phase::MaybeSent);
}

cases! { async a_push_that_is_never_answered_leaves_the_outcome_unknown:
    the_client_has_the_timeout(|builder| {
        builder.call_options(one_short_attempt()).build().expect("builds")
    });
    the_call_has_the_timeout(|builder| {
        builder.build().expect("builds").with_options(one_short_attempt())
    });
}

/// A resolver that never answers.
struct SilentResolver;

impl reqwest::dns::Resolve for SilentResolver {
    fn resolve(&self, _: reqwest::dns::Name) -> reqwest::dns::Resolving {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn a_connection_that_is_not_made_in_time_sent_nothing() {
    let telecrm = builder("http://telecrm.test", &ManualClock::new())
        .allow_http()
        .connect_timeout(Duration::from_millis(20))
        .call_options(CallOptions::new())
        .http(reqwest::ClientBuilder::new().dns_resolver(Arc::new(SilentResolver)))
        .build()
        .expect("builds");
    let error = Call::CreateAction.send(&telecrm).await;
    let error = error.expect_err("no connection");
    assert!(error.is_connect() && !error.is_outcome_unknown(), "{error:#}");
    assert_eq!((error.phase(), error.attempts()), (Phase::NotSent, 0));
}
