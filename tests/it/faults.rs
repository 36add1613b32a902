//! What is sent, and what callers get, when servers and networks fail: asserted at the socket.

use std::sync::{Arc, Mutex};
use std::time::Duration;
use telecrm::testing::ManualClock;
use telecrm::{
    AsyncToken, Builder, CallOptions, CustomAction, Error, Lead, PageRequest, PaymentStatus, Phase,
    RateLimit, SyncToken, Telecrm,
};
use telecrm_emulator::Emulator;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with one request.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// What the operation answers when all is well.
    Good,
    /// The same, and the connection is closed, or reset.
    GoodAndClose,
    GoodAndReset,
    Response(u16, &'static str),
    /// To the same place, so that a client that follows would send again.
    Redirect,
    RetryAfter(u64),
    RetryUntil {
        date: &'static str,
        now: &'static str,
    },
    CloseBeforeAnswer,
    ResetBeforeAnswer,
    ResetBeforeBody,
    TruncatedBody,
    StalledBody,
    EndlessBody,
    Stall,
    SlowHeader,
}
use Step::{
    CloseBeforeAnswer, EndlessBody, Good, GoodAndClose, GoodAndReset, Redirect, ResetBeforeAnswer,
    ResetBeforeBody, Response, RetryAfter, RetryUntil, SlowHeader, Stall, StalledBody,
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
        let pushed = request.contains("/autoupdatelead ");
        let target = request.split(' ').nth(1).unwrap_or_default().to_owned();
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
        let part = "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n";
        let answer = match step {
            Good | GoodAndClose | GoodAndReset if pushed => whole(200, "", QUEUED),
            Good | GoodAndClose | GoodAndReset => whole(200, "", LEAD),
            Response(status, body) => whole(status, "", body),
            Redirect => whole(307, &format!("location: {target}\r\n"), ""),
            RetryAfter(seconds) => whole(429, &format!("retry-after: {seconds}\r\n"), "slow down"),
            RetryUntil { date, now } => {
                whole(503, &format!("retry-after: {date}\r\ndate: {now}\r\n"), "")
            }
            ResetBeforeBody => part.to_owned(),
            TruncatedBody | StalledBody => format!("{part}{{\"fields\""),
            EndlessBody => "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned(),
            SlowHeader => "HTTP/1.1 200 OK\r\nx-slow: ".to_owned(),
            Stall | CloseBeforeAnswer | ResetBeforeAnswer => String::new(),
        };
        let _ = stream.write_all(answer.as_bytes()).await;
        match step {
            Good | Response(..) | Redirect | RetryAfter(_) | RetryUntil { .. } => {}
            GoodAndClose | CloseBeforeAnswer | TruncatedBody => return,
            GoodAndReset | ResetBeforeAnswer | ResetBeforeBody => {
                stream.set_zero_linger().expect("a socket that is open");
                return;
            }
            Stall | SlowHeader | StalledBody => std::future::pending().await,
            EndlessBody => {
                let chunk = format!("{:x}\r\n{}\r\n", 1 << 20, " ".repeat(1 << 20));
                while stream.write_all(chunk.as_bytes()).await.is_ok() {}
                return;
            }
        }
    }
}

/// Reads one request, and gives its method, path and body.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&read[..end]).into_owned();
            let lower = head.to_lowercase();
            let length = lower
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.trim().parse().expect("a length"));
            if read.len() >= end + 4 + length {
                assert!(lower.contains("\r\nuser-agent: telecrm-rust/"), "{lower}");
                let first = head.lines().next()?.trim_end_matches(" HTTP/1.1");
                let body = String::from_utf8_lossy(&read[end + 4..]);
                return Some(format!("{first} {body}"));
            }
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => read.extend_from_slice(&buffer[..count]),
        }
    }
}

fn client(url: &str, clock: &ManualClock) -> Telecrm {
    builder(url, clock).build().expect("builds")
}

fn builder(url: &str, clock: &ManualClock) -> Builder {
    Telecrm::builder("ent")
        .sync_url(url)
        .async_url(url)
        .sync_token(SyncToken::new("s").expect("a token"))
        .async_token(AsyncToken::new("a").expect("a token"))
        // The HTTP client's own, and real.
        .call_options(CallOptions::new().attempt_timeout(Duration::from_millis(200)))
        .clock(clock.clone())
}

fn plain() -> Lead {
    Lead::new().set("phone", "919999999999")
}

fn with_action() -> Lead {
    plain().action(CustomAction::new(1001).expect("a code"))
}

/// Who calls: one of each class, and a push as well of those that append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Reads,
    Settles,
    Upserts,
    Appends,
    Pushes,
}
use Who::{Appends, Pushes, Reads, Settles, Upserts};

impl Who {
    async fn call(self, telecrm: &Telecrm) -> Result<(), Error> {
        let timeline = telecrm.leads().actions("l1");
        let visit = CustomAction::new(1001).expect("a code");
        match self {
            Reads => telecrm.leads().get("l1").await.map(drop),
            Settles => {
                let paid = timeline.set_payment_status("a1", PaymentStatus::Completed);
                paid.await.map(drop)
            }
            Upserts => telecrm.ingest().push(&plain()).await.map(drop),
            Appends => timeline.create([visit]).await.map(drop),
            Pushes => telecrm.ingest().push(&with_action()).await.map(drop),
        }
    }

    /// What must stand on the wire, each time the same.
    fn request(self) -> &'static str {
        match self {
            Reads => "GET /enterprise/ent/lead/l1 ",
            Settles => {
                r#"POST /enterprise/ent/lead/l1/action/a1 {"status":"COMPLETED","type":"PAYMENT"}"#
            }
            Upserts => r#"POST /enterprise/ent/autoupdatelead {"fields":{"phone":"919999999999"}}"#,
            Appends => r#"POST /enterprise/ent/lead/l1/action {"actions":[{"type":"1001"}]}"#,
            Pushes => {
                r#"POST /enterprise/ent/autoupdatelead {"actions":[{"type":"ACTION_1001"}],"fields":{"phone":"919999999999"}}"#
            }
        }
    }
}

const LEAD: &str = r#"{"fields":{"phone":"919999999999"},"lead_id":"l1"}"#;
const QUEUED: &str = r#"{"status":"QUEUED"}"#;
const HTML: &str = "<html>Bad gateway</html>";

const EVERYBODY: &[Who] = &[Reads, Settles, Upserts, Appends, Pushes];
const REPEATED: &[Who] = &[Reads, Settles, Upserts];
const ONCE: &[Who] = &[Appends, Pushes];

/// Who calls, what the server does, with one request each, and what the caller must get: nothing for success,
/// else the phase, the status, and whether a write is in doubt.
type Scenario = (
    &'static str,
    &'static [Who],
    &'static [Step],
    Option<(Phase, Option<u16>, bool)>,
);

use Phase::{Answered, MaybeSent, Unreadable};

#[rustfmt::skip]
const SCENARIOS: &[Scenario] = &[
    // Nobody knows whether it was carried out.
    ("a stall is repeated", REPEATED, &[Stall, Good], None),
    ("a stall is not repeated", ONCE, &[Stall], Some((MaybeSent, None, true))),
    ("stalls end", REPEATED, &[Stall, Stall, Stall], Some((MaybeSent, None, true))),
    ("slow headers are repeated", REPEATED, &[SlowHeader, Good], None),
    ("slow headers are not repeated", ONCE, &[SlowHeader], Some((MaybeSent, None, true))),
    ("a close before the answer is repeated", REPEATED, &[CloseBeforeAnswer, Good], None),
    ("a close before the answer is not repeated", ONCE, &[CloseBeforeAnswer], Some((MaybeSent, None, true))),
    ("a reset before the answer is repeated", REPEATED, &[ResetBeforeAnswer, Good], None),
    ("a reset before the answer is not repeated", ONCE, &[ResetBeforeAnswer], Some((MaybeSent, None, true))),
    ("resets end", REPEATED, &[ResetBeforeAnswer, ResetBeforeAnswer, ResetBeforeAnswer], Some((MaybeSent, None, true))),
    ("a reset before the body is repeated", REPEATED, &[ResetBeforeBody, Good], None),
    ("a reset before the body is not repeated", ONCE, &[ResetBeforeBody], Some((Unreadable, Some(200), true))),
    ("a truncated body is repeated", REPEATED, &[TruncatedBody, Good], None),
    ("a truncated body is not repeated", ONCE, &[TruncatedBody], Some((Unreadable, Some(200), true))),
    ("truncated bodies end", REPEATED, &[TruncatedBody, TruncatedBody, TruncatedBody], Some((Unreadable, Some(200), true))),
    ("a body that stalls is repeated", REPEATED, &[StalledBody, Good], None),
    ("a body that stalls is not repeated", ONCE, &[StalledBody], Some((Unreadable, Some(200), true))),
    ("an endless body is repeated", REPEATED, &[EndlessBody, Good], None),
    ("an endless body is not repeated", ONCE, &[EndlessBody], Some((Unreadable, Some(200), true))),
    ("endless bodies end", &[Reads], &[EndlessBody, EndlessBody, EndlessBody], Some((Unreadable, Some(200), false))),
    ("a server error is repeated", REPEATED, &[Response(502, HTML), Good], None),
    ("a server error is not repeated", ONCE, &[Response(502, HTML)], Some((Answered, Some(502), true))),
    ("server errors end", REPEATED, &[Response(500, ""), Response(503, ""), Response(502, HTML)], Some((Answered, Some(502), true))),
    ("408 is repeated", REPEATED, &[Response(408, ""), Good], None),
    ("408 is not repeated", ONCE, &[Response(408, "")], Some((Answered, Some(408), true))),
    // It was not carried out.
    ("429 is repeated", EVERYBODY, &[Response(429, ""), Good], None),
    ("429 with a wait is repeated", EVERYBODY, &[RetryAfter(3), Good], None),
    ("429 ends", EVERYBODY, &[Response(429, ""), RetryAfter(3), Response(429, "")], Some((Answered, Some(429), false))),
    ("a wait that is longer than the call may take is not waited", EVERYBODY, &[RetryAfter(600)], Some((Answered, Some(429), false))),
    ("a server error after 429 is repeated", REPEATED, &[Response(429, ""), Response(503, ""), Good], None),
    ("a server error after 429 is not repeated", ONCE, &[Response(429, ""), Response(503, "")], Some((Answered, Some(503), true))),
    ("a refusal is not repeated", EVERYBODY, &[Response(404, "")], Some((Answered, Some(404), false))),
    ("a refused token is not repeated", EVERYBODY, &[Response(401, "")], Some((Answered, Some(401), false))),
    ("a redirect is not followed", EVERYBODY, &[Redirect], Some((Answered, Some(307), false))),
    ("a refusal after a doubtful attempt leaves the doubt", REPEATED, &[Response(500, ""), Response(404, "")], Some((Answered, Some(404), true))),
    // It was carried out.
    ("a web page is no answer, and asking again is no use", EVERYBODY, &[Response(200, HTML)], Some((Unreadable, Some(200), true))),
    ("a close after the answer is no fault", EVERYBODY, &[GoodAndClose], None),
    ("a reset after the answer is no fault", EVERYBODY, &[GoodAndReset], None),
];

/// A client of the server that knows its workspace, without which no push is repeated.
async fn knowing(server: &Scripted, emulator: &Emulator, clock: &ManualClock) -> Telecrm {
    let telecrm = builder(&server.url, clock)
        .sync_url(emulator.sync_url())
        .sync_token(SyncToken::new(emulator.sync_token()).expect("a token"))
        .build()
        .expect("builds");
    telecrm.workspace().await.expect("discovered");
    telecrm
}

async fn client_of(
    who: Who,
    server: &Scripted,
    emulator: &Emulator,
    clock: &ManualClock,
) -> Telecrm {
    match who {
        Upserts => knowing(server, emulator, clock).await,
        _ => client(&server.url, clock),
    }
}

async fn emulator() -> Emulator {
    let emulator = Emulator::builder().enterprise("ent").start().await;
    emulator.expect("starts")
}

#[tokio::test]
async fn scenarios() {
    let emulator = emulator().await;
    for (sentence, callers, script, expected) in SCENARIOS {
        for who in *callers {
            let sentence = format!("{who:?}: {sentence}");
            let server = Scripted::start(script).await;
            let clock = ManualClock::new();
            let telecrm = client_of(*who, &server, &emulator, &clock).await;
            let result = who.call(&telecrm).await;
            assert_eq!(
                server.arrived(),
                vec![who.request(); script.len()],
                "{sentence}"
            );
            if let (Some(RetryAfter(seconds)), Ok(())) = (script.first(), &result) {
                assert_eq!(clock.slept().as_secs(), *seconds, "{sentence}");
            }
            match (result, expected) {
                (Ok(()), None) => {}
                (Err(error), Some((phase, status, doubt))) => {
                    assert_eq!(error.phase(), *phase, "{sentence}: {error:#}");
                    assert_eq!(error.status_code(), *status, "{sentence}: {error:#}");
                    assert_eq!(
                        error.is_outcome_unknown(),
                        *doubt && *who != Reads,
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
}

/// Connections are kept between calls, and a server may close one when nobody looks, or when the next request is on its way.
#[tokio::test]
async fn a_kept_connection_that_is_closed_costs_no_write_twice() {
    let emulator = emulator().await;
    for (who, script, succeeds) in EVERYBODY.iter().flat_map(|who| {
        let again: &[Step] = match REPEATED.contains(who) {
            true => &[Good, CloseBeforeAnswer, Good],
            false => &[Good, CloseBeforeAnswer],
        };
        [
            (*who, &[GoodAndClose, Good][..], true),
            (*who, &[GoodAndReset, Good][..], true),
            (*who, again, REPEATED.contains(who)),
        ]
    }) {
        let server = Scripted::start(script).await;
        let telecrm = client_of(who, &server, &emulator, &ManualClock::new()).await;
        who.call(&telecrm).await.expect("the first is answered");
        let second = who.call(&telecrm).await;
        let sentence = format!("{who:?} {script:?}: {second:?}");
        assert_eq!(second.is_ok(), succeeds, "{sentence}");
        assert_eq!(
            server.arrived(),
            vec![who.request(); script.len()],
            "{sentence}"
        );
        if let Err(error) = second {
            assert_eq!(error.phase(), MaybeSent);
            assert!(error.is_outcome_unknown());
        }
    }
}

/// A part of it has left, and nobody knows what the server makes of that.
#[tokio::test]
async fn a_reset_in_the_midst_of_a_request_leaves_an_appending_one_in_doubt() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let connections = Arc::new(Mutex::new(0));
    let counted = connections.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            *counted.lock().expect("not poisoned") += 1;
            let _ = stream.read(&mut [0; 1024]).await;
            stream.set_zero_linger().expect("a socket that is open");
        }
    });
    let telecrm = client(&url, &ManualClock::new());
    let visit = CustomAction::new(1001).expect("a code");
    // More than the sockets hold.
    let visit = visit.field("note", "x".repeat(16 << 20));
    let error = telecrm.leads().actions("l1").create([visit]).await;
    let error = error.expect_err("reset");
    assert_eq!(
        (error.phase(), error.attempts()),
        (MaybeSent, 1),
        "{error:#}"
    );
    assert!(error.is_outcome_unknown());
    assert_eq!(*connections.lock().expect("not poisoned"), 1);
}

#[tokio::test]
async fn the_server_s_wait_is_heeded() {
    let server = Scripted::start(&[RetryAfter(17), Good]).await;
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
    let server = Scripted::start(&[until(soon), Good]).await;
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
    let script = [Response(503, ""); 40];
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
    let server = Scripted::start(&[Response(503, "")]).await;
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
        (false, &[Response(502, "")][..], 1),
        (true, &[Response(502, ""), Good], 2),
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
                let slice = PageRequest { skip: 0, limit: 10 };
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
        "pushing a lead failed: the total timeout expired while waiting for the rate limit or another call"
    );
    assert_eq!(emulator.log(0).len(), 1);
}

#[tokio::test]
async fn raw_calls_use_the_same_tokens_limits_and_retries() {
    let server = Scripted::start(&[Response(503, ""), Good]).await;
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
    assert_eq!(server.arrived(), ["GET /enterprise/ent/lead/l1 "; 2]);
    assert_eq!(
        telecrm.sync_limit().expect("a limit").remaining,
        before.map(|before| before - 2)
    );
}

/// A name that is never found.
struct Nowhere;

impl reqwest::dns::Resolve for Nowhere {
    fn resolve(&self, _: reqwest::dns::Name) -> reqwest::dns::Resolving {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn who_is_not_connected_in_time_has_sent_nothing() {
    let clock = ManualClock::new();
    let telecrm = builder("http://telecrm.test", &clock)
        .allow_http()
        .connect_timeout(Duration::from_millis(20))
        .call_options(CallOptions::new())
        .http(reqwest::ClientBuilder::new().dns_resolver(Arc::new(Nowhere)))
        .build()
        .expect("builds");
    let error = Appends.call(&telecrm).await.expect_err("nobody");
    assert!(
        error.is_connect() && !error.is_outcome_unknown(),
        "{error:#}"
    );
    assert_eq!((error.phase(), error.attempts()), (Phase::NotSent, 3));
}

#[tokio::test]
async fn attempts_and_calls_end_in_time_as_the_client_or_the_call_has_it() {
    let short = Duration::from_millis(100);
    let once = CallOptions::new().attempts(1);
    for options in [once.attempt_timeout(short), once.total_timeout(short)] {
        for of_the_call in [false, true] {
            let server = Scripted::start(&[Stall]).await;
            let clock = ManualClock::new();
            let builder = builder(&server.url, &clock);
            let telecrm = match of_the_call {
                true => builder
                    .call_options(once)
                    .build()
                    .expect("builds")
                    .with_options(options),
                false => builder.call_options(options).build().expect("builds"),
            };
            // Far less than the 30 s that an attempt may take where nothing is said.
            let call = tokio::time::timeout(Duration::from_secs(10), Reads.call(&telecrm));
            let error = call.await.expect("ends").expect_err("a stall");
            assert!(error.is_timeout(), "{error:#}");
        }
    }
    // Waits count.
    let server = Scripted::start(&[RetryAfter(3)]).await;
    let telecrm = client(&server.url, &ManualClock::new());
    let hasty = telecrm.with_options(CallOptions::new().total_timeout(Duration::from_secs(2)));
    let error = Reads.call(&hasty).await.expect_err("not waited for");
    assert_eq!(
        (error.attempts(), error.retry_after()),
        (1, Some(Duration::from_secs(3)))
    );
}
