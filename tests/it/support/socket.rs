//! A server on a socket that follows a script, for faults that no HTTP library produces.

use std::sync::{Arc, Mutex};
use std::time::Duration;
use telecrm::testing::ManualClock;
use telecrm::{Builder, CallOptions, Telecrm};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with one request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Step {
    /// Answers as the real server does when all is well.
    Good,
    /// Answers well and closes the connection.
    GoodAndClose,
    /// Answers well and resets the connection.
    GoodAndReset,
    /// Answers with a status and a body.
    Answer(u16, &'static str),
    /// Redirects to the same path, so that a client that follows sends the request again.
    Redirect,
    /// Answers 429 and asks for a wait in seconds.
    RetryAfter(u64),
    /// Answers 503 and asks for a wait until a date. The server's own clock shows `now`.
    RetryUntil {
        date: &'static str,
        now: &'static str,
    },
    CloseBeforeAnswer,
    ResetBeforeAnswer,
    ResetBeforeBody,
    TruncatedBody,
    /// Answers with a status, headers and the beginning of a body.
    CutAnswer(u16, &'static str),
    StalledBody,
    EndlessBody,
    Stall,
    SlowHeader,
}

pub(crate) const LEAD: &str = r#"{"fields":{"phone":"919999999999"},"lead_id":"l1"}"#;
pub(crate) const QUEUED: &str = r#"{"status":"QUEUED"}"#;
pub(crate) const HTML: &str = "<html>Bad gateway</html>";

/// Takes one step of a script for each request, and remembers the requests.
pub(crate) struct ScriptedServer {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl ScriptedServer {
    pub(crate) async fn start(script: &[Step]) -> Self {
        let (listener, url) = listen().await;
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let script = script.to_vec();
        let seen = requests.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, script.clone(), seen.clone()));
            }
        });
        Self { url, requests }
    }

    /// Method, path and body of each request that arrived, in order.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("not poisoned").clone()
    }
}

/// A free port, and the URL of a server there.
pub(crate) async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    (listener, url)
}

async fn serve(mut stream: TcpStream, script: Vec<Step>, requests: Arc<Mutex<Vec<String>>>) {
    while let Some(request) = read_request(&mut stream).await {
        let is_push = request.contains("/autoupdatelead ");
        let target = request.split(' ').nth(1).unwrap_or_default().to_owned();
        let number = {
            let mut requests = requests.lock().expect("not poisoned");
            requests.push(request);
            requests.len()
        };
        let step = *script.get(number - 1).expect("no more requests than the script has steps");
        let whole = |status: u16, headers: &str, body: &str| {
            format!("HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
        };
        let part = "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n";
        let answer = match step {
            Step::Good | Step::GoodAndClose | Step::GoodAndReset => {
                whole(200, "", if is_push { QUEUED } else { LEAD })
            }
            Step::Answer(status, body) => whole(status, "", body),
            Step::Redirect => whole(307, &format!("location: {target}\r\n"), ""),
            Step::RetryAfter(seconds) => {
                whole(429, &format!("retry-after: {seconds}\r\n"), "slow down")
            }
            Step::RetryUntil { date, now } => {
                whole(503, &format!("retry-after: {date}\r\ndate: {now}\r\n"), "")
            }
            Step::ResetBeforeBody => part.to_owned(),
            Step::TruncatedBody | Step::StalledBody => format!("{part}{{\"fields\""),
            Step::CutAnswer(status, headers) => {
                format!("HTTP/1.1 {status} X\r\n{headers}content-length: 500\r\n\r\n{{\"error\"")
            }
            Step::EndlessBody => "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned(),
            Step::SlowHeader => "HTTP/1.1 200 OK\r\nx-slow: ".to_owned(),
            Step::Stall | Step::CloseBeforeAnswer | Step::ResetBeforeAnswer => String::new(),
        };
        let _ = stream.write_all(answer.as_bytes()).await;
        match step {
            Step::Good
            | Step::Answer(..)
            | Step::Redirect
            | Step::RetryAfter(_)
            | Step::RetryUntil { .. } => {}
            Step::GoodAndClose
            | Step::CloseBeforeAnswer
            | Step::TruncatedBody
            | Step::CutAnswer(..) => return,
            Step::GoodAndReset | Step::ResetBeforeAnswer | Step::ResetBeforeBody => {
                stream.set_zero_linger().expect("an open socket");
                return;
            }
            Step::Stall | Step::SlowHeader | Step::StalledBody => std::future::pending().await,
            Step::EndlessBody => {
                let chunk = format!("{:x}\r\n{}\r\n", 1 << 20, " ".repeat(1 << 20));
                while stream.write_all(chunk.as_bytes()).await.is_ok() {}
                return;
            }
        }
    }
}

/// Reads one request. Returns its method, path and body, or `None` if the connection ends.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&read[..end]).into_owned();
            let lower = head.to_lowercase();
            let length = lower.lines().find_map(|line| line.strip_prefix("content-length: "));
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

/// A client of a scripted server whose waits between attempts take no time.
pub(crate) fn client(url: &str, clock: &ManualClock) -> Telecrm {
    builder(url, clock).build().expect("builds")
}

pub(crate) fn builder(url: &str, clock: &ManualClock) -> Builder {
    Telecrm::builder("ent")
        .sync_url(url)
        .async_url(url)
        .sync_token(super::sync_token("s"))
        .async_token(super::async_token("a"))
        // The HTTP client measures this one in real time.
        .call_options(CallOptions::new().attempt_timeout(Duration::from_millis(200)))
        .clock(clock.clone())
}
