//! Gates of a program: they choose the token of each request, and learn what the server said.

use crate::support::{Reports, async_token, bare_lead, sync_token};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use telecrm::testing::{FakeTelecrm, Response};
use telecrm::{
    CallOptions, Error, ErrorCode, Gate, GateError, GateRequest, LimitState, Operation, Phase,
    Receipt, SlotEvent, Telecrm, TokenAnswer,
};

/// Chooses always the same slot, if it lets requests leave, and remembers what it learns.
struct Recorder {
    slot: Result<usize, fn() -> GateError>,
    requests: Mutex<Vec<GateRequest>>,
    answers: Mutex<Vec<(usize, TokenAnswer)>>,
}

impl Recorder {
    fn new(slot: Result<usize, fn() -> GateError>) -> Arc<Self> {
        Arc::new(Self { slot, requests: Mutex::default(), answers: Mutex::default() })
    }

    fn answers(&self) -> Vec<(usize, TokenAnswer)> {
        self.answers.lock().expect("not poisoned").clone()
    }
}

impl Gate for Recorder {
    fn acquire<'a>(
        &'a self,
        request: GateRequest,
    ) -> Pin<Box<dyn Future<Output = Result<usize, GateError>> + Send + 'a>> {
        self.requests.lock().expect("not poisoned").push(request);
        Box::pin(async { self.slot.map_err(|error| error()) })
    }

    fn report(&self, slot: usize, answer: TokenAnswer) {
        self.answers.lock().expect("not poisoned").push((slot, answer));
    }

    fn slots(&self) -> Vec<LimitState> {
        vec![LimitState::default(); 2]
    }
}

/// A client with two Async tokens and this gate.
fn client(fake: &FakeTelecrm, gate: &Arc<Recorder>, reports: &Reports) -> Telecrm {
    let builder = fake.builder().async_token(async_token("b")).async_gate(gate.clone());
    builder.on_call(reports.collector()).build().expect("builds")
}

async fn push(telecrm: &Telecrm) -> Result<Receipt, Error> {
    telecrm.ingest().push(&bare_lead()).await
}

fn refused() -> Response {
    Response::error(401, ErrorCode::NotAuthorized, "no")
}

#[tokio::test]
async fn a_gate_chooses_the_slot_and_learns_every_answer() {
    let fake = FakeTelecrm::new()
        .on(Operation::CreateOrUpdateLead, Response::rate_limited(Some(7)))
        .on(Operation::CreateOrUpdateLead, Response::queued())
        .on(Operation::CreateOrUpdateLead, Response::html(503));
    let (gate, reports) = (Recorder::new(Ok(1)), Reports::default());
    let telecrm = client(&fake, &gate, &reports);
    let _ = push(&telecrm).await.expect("queued at the second attempt");
    let error = push(&telecrm).await.expect_err("503");
    let wait = Some(Duration::from_secs(7));
    let answers = [TokenAnswer::Throttled(wait), TokenAnswer::Valid, TokenAnswer::Nothing];
    assert_eq!(gate.answers(), answers.map(|answer| (1, answer)));
    assert_eq!(error.token_slot(), Some(1));
    assert_eq!(reports.take().iter().map(|report| report.slot).collect::<Vec<_>>(), [Some(1); 2]);
}

#[tokio::test]
async fn a_gate_knows_operation_and_time_of_a_request() {
    let fake = FakeTelecrm::new().on(Operation::CreateOrUpdateLead, Response::queued());
    let gate = Recorder::new(Ok(0));
    let options = CallOptions::new().total_timeout(Duration::from_secs(5));
    let telecrm = client(&fake, &gate, &Reports::default()).with_options(options);
    let _ = push(&telecrm).await.expect("queued");
    let request = GateRequest::new(Some(Operation::CreateOrUpdateLead), Duration::from_secs(5));
    assert_eq!(*gate.requests.lock().expect("not poisoned"), [request]);
}

#[tokio::test]
async fn a_gate_that_lets_nothing_leave_ends_the_call_unsent() {
    for (error, expected) in [
        ((|| GateError::Late) as fn() -> GateError, "the total timeout expired"),
        (|| GateError::failed("the store is locked"), "the store is locked"),
    ] {
        let (fake, gate) = (FakeTelecrm::new(), Recorder::new(Err(error)));
        let error = push(&client(&fake, &gate, &Reports::default())).await.expect_err("unsent");
        assert!(format!("{error:#}").contains(expected), "{error:#}");
        assert_eq!((error.phase(), error.token_slot()), (Phase::NotSent, None));
        assert!(error.is_transient() && !error.is_outcome_unknown());
        assert_eq!((fake.requests().len(), gate.answers()), (0, Vec::new()));
    }
}

#[tokio::test]
async fn a_slot_without_a_token_is_an_error() {
    let (fake, gate) = (FakeTelecrm::new(), Recorder::new(Ok(2)));
    let error = push(&client(&fake, &gate, &Reports::default())).await.expect_err("no token");
    assert!(error.to_string().contains("the gate chose token slot 2 of 2"), "{error}");
    assert_eq!((error.phase(), fake.requests().len()), (Phase::NotBuilt, 0));
}

#[tokio::test]
async fn a_client_that_shuts_down_asks_its_gate_for_no_wait() {
    let fake = FakeTelecrm::new().on(Operation::CreateOrUpdateLead, Response::queued());
    let gate = Recorder::new(Ok(0));
    let telecrm = client(&fake, &gate, &Reports::default());
    telecrm.shutdown();
    let _ = push(&telecrm).await.expect("queued");
    assert_eq!(gate.requests.lock().expect("not poisoned")[0].left, Duration::ZERO);
}

#[tokio::test]
async fn an_event_says_when_a_token_is_refused_and_when_it_comes_back() {
    let fake = FakeTelecrm::new()
        .on(Operation::GetMetadata, refused())
        .on(Operation::GetMetadata, refused())
        .on(Operation::GetMetadata, Response::html(503))
        .always(Operation::GetMetadata, Response::json(serde_json::json!({ "id": "e" })));
    let events: Arc<Mutex<Vec<SlotEvent>>> = Arc::default();
    let seen = events.clone();
    let telecrm = fake
        .builder()
        .sync_token(sync_token("s"))
        .call_options(CallOptions::new().attempts(1))
        .on_slot(move |event| {
            seen.lock().expect("not poisoned").push(*event);
            panic!("contained");
        })
        .build()
        .expect("builds");
    for _ in 0..5 {
        let _ = telecrm.schema().metadata().await;
    }
    let events = events.lock().expect("not poisoned");
    let [refused, accepted] = events[..] else {
        panic!("{events:?}");
    };
    assert_eq!((refused.api, refused.slot, refused.is_refused), ("Sync", 0, true));
    let since = refused.state.refused_since.expect("refused");
    let until = refused.state.next_try_at.expect("tried again later");
    assert_eq!(until.duration_since(since).expect("later"), Duration::from_secs(600));
    assert_eq!((accepted.is_refused, accepted.state.refused_since), (false, None));
}
