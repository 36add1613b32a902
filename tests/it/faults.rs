//! What is sent, and what callers get, when servers and networks fail: asserted at the socket.

use std::sync::{Arc, Mutex};
use std::time::Duration;
use telecrm::testing::ManualClock;
use telecrm::{
    AsyncToken, CallOptions, CustomAction, Error, Lead, Operation, Phase, RateLimit, Slice,
    SyncToken, Telecrm,
};
use telecrm_emulator::Emulator;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with one request.
#[derive(Debug, Clone, Copy)]
enum Step {
    Answer(u16, &'static str),
    RetryAfter(u64),
    RetryUntil {
        date: &'static str,
        now: &'static str,
    },
    ResetBeforeAnswer,
    TruncatedBody,
    EndlessBody,
    Stall,
    SlowHeader,
    CloseAfter(&'static str),
}
use Step::{
    Answer, CloseAfter, EndlessBody, ResetBeforeAnswer, RetryAfter, RetryUntil, SlowHeader, Stall,
    TruncatedBody,
};

/// A server that follows a script, one step a request, and remembers what arrived.
struct Scripted {
    url: String,
    arrived: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    async fn start(script: &[Step]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let arrived: Arc<Mutex<Vec<String>>> = Arc::default();
        let script = script.to_vec();
        let seen = arrived.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, script.clone(), seen.clone()));
            }
        });
        Self { url, arrived }
    }

    fn arrived(&self) -> Vec<String> {
        self.arrived.lock().expect("not poisoned").clone()
    }
}

async fn serve(mut stream: TcpStream, script: Vec<Step>, arrived: Arc<Mutex<Vec<String>>>) {
    while let Some(request) = read_request(&mut stream).await {
        let number = {
            let mut arrived = arrived.lock().expect("not poisoned");
            arrived.push(request);
            arrived.len()
        };
        let step = *script
            .get(number - 1)
            .expect("more requests came than the script foresees");
        let whole = |status: u16, headers: &str, body: &str| {
            format!(
                "HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\n\r\n{body}",
                body.len()
            )
        };
        match step {
            Answer(status, body) => {
                let _ = stream.write_all(whole(status, "", body).as_bytes()).await;
            }
            RetryAfter(seconds) => {
                let header = format!("retry-after: {seconds}\r\n");
                let _ = stream
                    .write_all(whole(429, &header, "slow down").as_bytes())
                    .await;
            }
            RetryUntil { date, now } => {
                let headers = format!("retry-after: {date}\r\ndate: {now}\r\n");
                let _ = stream.write_all(whole(503, &headers, "").as_bytes()).await;
            }
            CloseAfter(body) => {
                let _ = stream.write_all(whole(200, "", body).as_bytes()).await;
                return;
            }
            ResetBeforeAnswer => return,
            TruncatedBody => {
                let _ = stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"fields\"")
                    .await;
                return;
            }
            EndlessBody => {
                let _ = stream
                    .write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
                    .await;
                let chunk = format!("{:x}\r\n{}\r\n", 1 << 20, " ".repeat(1 << 20));
                while stream.write_all(chunk.as_bytes()).await.is_ok() {}
                return;
            }
            Stall => std::future::pending().await,
            SlowHeader => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx-slow: ").await;
                std::future::pending().await
            }
        }
    }
}

/// Reads one request, body included: its first line.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&read[..end]).to_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.trim().parse().expect("a length"));
            if read.len() >= end + 4 + length {
                let first = String::from_utf8_lossy(&read).lines().next()?.to_owned();
                return Some(first.trim_end_matches(" HTTP/1.1").to_owned());
            }
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => read.extend_from_slice(&buffer[..count]),
        }
    }
}

fn client(url: &str, clock: &ManualClock) -> Telecrm {
    Telecrm::builder("ent")
        .sync_url(url)
        .async_url(url)
        .sync_token(SyncToken::new("s").expect("a token"))
        .async_token(AsyncToken::new("a").expect("a token"))
        .call_options(CallOptions::new().attempt_timeout(Duration::from_millis(300)))
        .clock(clock.clone())
        .build()
        .expect("builds")
}

fn plain() -> Lead {
    Lead::new().set("phone", "919999999999")
}

fn with_action() -> Lead {
    plain().action(CustomAction::new(1001).expect("a code"))
}

/// Makes one call of each kind.
async fn call(telecrm: &Telecrm, operation: Operation) -> Result<(), Error> {
    match operation {
        Operation::GetLead => telecrm.leads().get("l1").await.map(drop),
        Operation::CreateOrUpdateLead => telecrm.ingest().push(&with_action()).await.map(drop),
        Operation::CreateActions => {
            let visit = CustomAction::new(1001).expect("a code");
            telecrm
                .leads()
                .actions("l1")
                .create([visit])
                .await
                .map(drop)
        }
        Operation::UpdateAction => {
            let visit = CustomAction::new(1001).expect("a code");
            telecrm
                .leads()
                .actions("l1")
                .update("a1", visit)
                .await
                .map(drop)
        }
        other => panic!("no scenario calls {other}"),
    }
}

const LEAD: &str = r#"{"fields":{"phone":"919999999999"},"lead_id":"l1"}"#;
const HTML: &str = "<html>Bad gateway</html>";

/// Who calls, what the server does, how many requests must arrive, and what the caller must get: nothing for success,
/// else the phase, the status, and whether the outcome is unknown.
type Scenario = (
    &'static str,
    Operation,
    &'static [Step],
    Option<(Phase, Option<u16>, bool)>,
);

use Operation::{CreateActions, CreateOrUpdateLead, GetLead, UpdateAction};
use Phase::{Answered, MaybeSent, Unreadable};

#[rustfmt::skip]
const SCENARIOS: &[Scenario] = &[
    ("a read survives a server error", GetLead, &[Answer(502, HTML), Answer(200, LEAD)], None),
    ("a read survives a reset", GetLead, &[ResetBeforeAnswer, Answer(200, LEAD)], None),
    ("a read survives a stall", GetLead, &[Stall, Answer(200, LEAD)], None),
    ("a read survives slow headers", GetLead, &[SlowHeader, Answer(200, LEAD)], None),
    ("a read survives a truncated body", GetLead, &[TruncatedBody, Answer(200, LEAD)], None),
    ("a read survives 408 and 429", GetLead, &[Answer(408, ""), Answer(429, ""), Answer(200, LEAD)], None),
    ("a read gives up after three attempts", GetLead, &[Answer(500, ""), Answer(503, ""), Answer(502, HTML)], Some((Answered, Some(502), false))),
    ("a read is not repeated after a refusal", GetLead, &[Answer(404, "")], Some((Answered, Some(404), false))),
    ("a read is not repeated after a redirect", GetLead, &[Answer(302, "")], Some((Answered, Some(302), false))),
    ("a read of an endless body ends", GetLead, &[EndlessBody, EndlessBody, EndlessBody], Some((Unreadable, Some(200), false))),
    ("a web page is no answer, and asking again is no use", GetLead, &[Answer(200, HTML)], Some((Unreadable, Some(200), false))),
    ("a closed kept-alive connection is no fault", GetLead, &[CloseAfter(LEAD)], None),
    ("a push with actions is sent once after a server error", CreateOrUpdateLead, &[Answer(502, HTML)], Some((Answered, Some(502), true))),
    ("a push with actions is sent once after a reset", CreateOrUpdateLead, &[ResetBeforeAnswer], Some((MaybeSent, None, true))),
    ("a push with actions is sent once after a stall", CreateOrUpdateLead, &[Stall], Some((MaybeSent, None, true))),
    ("a push with actions is sent again when it was not taken", CreateOrUpdateLead, &[Answer(429, ""), Answer(200, "OK")], None),
    ("a push with actions is not sent again after 408", CreateOrUpdateLead, &[Answer(408, "")], Some((Answered, Some(408), true))),
    ("actions are created once after a truncated answer", CreateActions, &[TruncatedBody], Some((Unreadable, Some(200), true))),
    ("actions are created after 429", CreateActions, &[RetryAfter(3), Answer(200, LEAD)], None),
    ("an action is updated again after a reset", UpdateAction, &[ResetBeforeAnswer, Answer(200, LEAD)], None),
    ("an update that stays in doubt says so", UpdateAction, &[Answer(500, ""), Answer(500, ""), Answer(500, "")], Some((Answered, Some(500), true))),
    ("an update refused after a doubtful attempt stays in doubt", UpdateAction, &[Answer(500, ""), Answer(404, "")], Some((Answered, Some(404), true))),
    ("a wait that is longer than the call may take is not waited", GetLead, &[RetryAfter(600)], Some((Answered, Some(429), false))),
];

#[tokio::test]
async fn scenarios() {
    for (sentence, operation, script, expected) in SCENARIOS {
        let server = Scripted::start(script).await;
        let clock = ManualClock::new();
        let result = call(&client(&server.url, &clock), *operation).await;
        assert_eq!(
            server.arrived().len(),
            script.len(),
            "{sentence}: {:?}",
            server.arrived()
        );
        assert!(
            server
                .arrived()
                .iter()
                .all(|line| *line == server.arrived()[0]),
            "{sentence}"
        );
        match (result, expected) {
            (Ok(()), None) => {}
            (Err(error), Some((phase, status, unknown))) => {
                assert_eq!(error.phase(), *phase, "{sentence}: {error:#}");
                assert_eq!(error.status_code(), *status, "{sentence}: {error:#}");
                assert_eq!(
                    error.is_outcome_unknown(),
                    *unknown,
                    "{sentence}: {error:#}"
                );
                assert_eq!(error.attempts() as usize, script.len(), "{sentence}");
                assert!(
                    !format!("{error:#}").contains("127.0.0.1"),
                    "{sentence}: {error:#}"
                );
            }
            (result, _) => panic!("{sentence}: {result:?}"),
        }
    }
}

#[tokio::test]
async fn the_server_s_wait_is_heeded() {
    let server = Scripted::start(&[RetryAfter(17), Answer(200, LEAD)]).await;
    let clock = ManualClock::new();
    client(&server.url, &clock)
        .leads()
        .get("l1")
        .await
        .expect("read");
    assert!(
        (17..18).contains(&clock.slept().as_secs()),
        "{:?}",
        clock.slept()
    );
}

#[tokio::test]
async fn a_wait_until_a_date_is_measured_by_the_server_s_clock() {
    // Years from ours, so that only the distance can be heeded.
    let until = |date| RetryUntil {
        date,
        now: "Mon, 01 Jun 1998 10:30:00 GMT",
    };
    let soon = "Mon, 01 Jun 1998 10:30:17 GMT";
    let server = Scripted::start(&[until(soon), Answer(200, LEAD)]).await;
    let clock = ManualClock::new();
    let telecrm = client(&server.url, &clock);
    telecrm.leads().get("l1").await.expect("read");
    let slept = clock.slept().as_secs();
    assert!((17..18).contains(&slept), "{slept}");

    let tomorrow = "Tue, 02 Jun 1998 10:30:00 GMT";
    let server = Scripted::start(&[until(tomorrow)]).await;
    let telecrm = client(&server.url, &clock);
    let error = telecrm.leads().get("l1").await.expect_err("too late");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(86_400)));
    assert_eq!(clock.slept().as_secs(), slept, "not waited for");
}

#[tokio::test]
async fn when_everything_fails_clients_stop_repeating() {
    let script = [Answer(503, ""); 40];
    let server = Scripted::start(&script).await;
    let telecrm = client(&server.url, &ManualClock::new());
    for _ in 0..20 {
        let _ = telecrm.leads().get("l1").await;
    }
    assert_eq!(
        server.arrived().len(),
        20 + 10,
        "ten repeats for all calls together"
    );
}

#[tokio::test]
async fn one_call_can_be_told_to_try_once() {
    let server = Scripted::start(&[Answer(503, "")]).await;
    let telecrm = client(&server.url, &ManualClock::new());
    let once = telecrm.with_options(CallOptions::new().attempts(1));
    assert!(once.leads().get("l1").await.is_err());
    assert_eq!(server.arrived().len(), 1);
}

/// The upsert class: a lead without actions, of which this client knows the identifier.
#[tokio::test]
async fn a_push_without_actions_is_repeated_once_the_workspace_is_known() {
    let emulator = Emulator::start().await.expect("starts");
    for (known, script, arrives) in [
        (false, &[Answer(502, "")][..], 1),
        (true, &[Answer(502, ""), Answer(200, "OK")], 2),
    ] {
        let server = Scripted::start(script).await;
        let telecrm = Telecrm::builder(emulator.enterprise())
            .sync_url(emulator.sync_url())
            .sync_token(SyncToken::new(emulator.sync_token()).expect("a token"))
            .async_url(&server.url)
            .async_token(AsyncToken::new("a").expect("a token"))
            .clock(ManualClock::new())
            .build()
            .expect("builds");
        if known {
            telecrm.workspace().await.expect("discovered");
        }
        assert_eq!(telecrm.ingest().push(&plain()).await.is_ok(), known);
        assert_eq!(server.arrived().len(), arrives);
    }
}

/// Stands before an emulator, passes requests on, and loses the first answer to a creation.
async fn losing_first_creation(emulator: &Emulator, mangle: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let own = listener.local_addr().expect("an address").to_string();
    let url = format!("http://{own}/autoupdate/v2");
    let target = emulator.url().trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        let mut lost = false;
        while let Ok((mut inward, _)) = listener.accept().await {
            let mut outward = TcpStream::connect(&target)
                .await
                .expect("the emulator listens");
            let mut request = Vec::new();
            let mut buffer = [0; 16_384];
            let count = inward.read(&mut buffer).await.unwrap_or(0);
            request.extend_from_slice(&buffer[..count]);
            let head = String::from_utf8_lossy(&request).replace(&own, &target);
            let creation = head.starts_with("POST /autoupdate/v2/enterprise/ent-local/lead HTTP");
            if creation && !lost {
                lost = true;
                let sent = if mangle {
                    head.replace("Jane", "Jean")
                } else {
                    head
                };
                outward.write_all(sent.as_bytes()).await.expect("sent");
                let _ = outward.read(&mut buffer).await;
                continue;
            }
            outward.write_all(head.as_bytes()).await.expect("sent");
            let _ = tokio::time::timeout(
                Duration::from_secs(5),
                tokio::io::copy_bidirectional(&mut inward, &mut outward),
            )
            .await;
        }
    });
    url
}

#[tokio::test]
async fn le4_a_creation_whose_answer_was_lost_is_settled_by_reading() {
    for mangle in [false, true] {
        let emulator = Emulator::start().await.expect("starts");
        let url = losing_first_creation(&emulator, mangle).await;
        let telecrm = Telecrm::builder(emulator.enterprise())
            .sync_url(url)
            .sync_token(SyncToken::new(emulator.sync_token()).expect("a token"))
            .http(telecrm_http_without_keep_alive())
            .clock(ManualClock::new())
            .build()
            .expect("builds");
        let lead = with_action().set("name", "Jane Doe");
        let result = telecrm.leads().create(&lead).await;
        match (result, mangle) {
            (Ok(outcome), false) => {
                let id = outcome.complete().expect("complete").lead_id;
                let slice = Slice { skip: 0, limit: 10 };
                let stored = telecrm
                    .leads()
                    .get_with_actions(&id, slice)
                    .await
                    .expect("read");
                assert_eq!(stored.actions().len(), 1, "created once");
            }
            // Another lead stands there: nobody can tell whose it is.
            (Err(error), true) => assert!(error.is_already_exists() && error.is_outcome_unknown()),
            (result, _) => panic!("{result:?}"),
        }
    }
}

#[tokio::test]
async fn le4_an_upsert_in_doubt_does_not_append_its_actions_again() {
    let emulator = Emulator::start().await.expect("starts");
    let url = losing_first_creation(&emulator, true).await;
    let telecrm = Telecrm::builder(emulator.enterprise())
        .sync_url(url)
        .sync_token(SyncToken::new(emulator.sync_token()).expect("a token"))
        .http(telecrm_http_without_keep_alive())
        .clock(ManualClock::new())
        .build()
        .expect("builds");
    let lead = with_action().set("name", "Jane Doe");
    let error = telecrm.leads().upsert(&lead).await.expect_err("in doubt");
    assert!(error.is_already_exists() && error.is_outcome_unknown());
    let log = emulator.log(0);
    let written = log.iter().filter(|entry| entry.stored.is_some()).count();
    assert_eq!(written, 1, "nothing beyond the creation");
}

fn telecrm_http_without_keep_alive() -> reqwest::ClientBuilder {
    reqwest::ClientBuilder::new().pool_max_idle_per_host(0)
}

fn authorizations(emulator: &Emulator) -> usize {
    emulator
        .log(0)
        .iter()
        .filter(|entry| entry.status == 200)
        .count()
}

#[tokio::test]
async fn tokens_take_turns_and_a_refused_one_is_set_aside() {
    let emulator = Emulator::start().await.expect("starts");
    let clock = ManualClock::new();
    let telecrm = Telecrm::builder(emulator.enterprise())
        .async_url(emulator.async_url())
        .async_token(AsyncToken::new("revoked").expect("a token"))
        .async_token(AsyncToken::new(emulator.async_token()).expect("a token"))
        .async_limit(Some(RateLimit::new(100, 5)))
        .clock(clock.clone())
        .build()
        .expect("builds");
    for _ in 0..5 {
        let _ = telecrm
            .ingest()
            .push(&with_action())
            .await
            .expect("queued by the good token");
    }
    assert_eq!(authorizations(&emulator), 5);
    let limits = telecrm.async_limits();
    assert!(limits[0].set_aside && !limits[1].set_aside);
    assert_eq!(
        (limits[0].remaining, limits[1].remaining),
        (Some(4), Some(0))
    );
    assert_eq!(clock.slept(), Duration::ZERO);
    assert!(limits[1].next_free_in > Duration::ZERO);
    let _ = telecrm
        .ingest()
        .push(&with_action())
        .await
        .expect("queued, later");
    assert!(
        clock.slept() > Duration::from_secs(30),
        "the limit was waited for"
    );
}

#[tokio::test]
async fn a_limit_that_leaves_no_time_sends_nothing() {
    let emulator = Emulator::start().await.expect("starts");
    let telecrm = Telecrm::builder(emulator.enterprise())
        .async_url(emulator.async_url())
        .async_token(AsyncToken::new(emulator.async_token()).expect("a token"))
        .async_limit(Some(RateLimit::new(10, 1)))
        .clock(ManualClock::new())
        .build()
        .expect("builds");
    let _ = telecrm.ingest().push(&with_action()).await.expect("queued");
    let error = telecrm
        .ingest()
        .push(&with_action())
        .await
        .expect_err("not before six minutes");
    assert_eq!(
        (error.phase(), error.is_outcome_unknown()),
        (Phase::NotSent, false)
    );
    assert_eq!(
        error.to_string(),
        "pushing a lead failed: no time was left for it, by the rate limit or by another call"
    );
    assert_eq!(emulator.log(0).len(), 1);
}

#[tokio::test]
async fn raw_calls_use_the_same_tokens_limits_and_retries() {
    let server = Scripted::start(&[Answer(503, ""), Answer(200, LEAD)]).await;
    let telecrm = client(&server.url, &ManualClock::new());
    let before = telecrm.sync_limit().expect("a limit").remaining;
    let raw = telecrm.raw();
    let client = raw.sync().expect("a token");
    let enterprise = raw.enterprise_id().expect("a token");
    let lead = client
        .get_lead(enterprise, "l1", None, None, None)
        .await
        .expect("read");
    assert_eq!(
        lead.fields.as_ref().map(std::collections::BTreeMap::len),
        Some(1)
    );
    assert_eq!(server.arrived(), ["GET /enterprise/ent/lead/l1"; 2]);
    assert_eq!(
        telecrm.sync_limit().expect("a limit").remaining,
        before.map(|before| before - 2)
    );
}
