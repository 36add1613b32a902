//! Connections: many, idle, slow and broken ones.

use crate::Local;
use crate::timing::sleep;
use reqwest::{Method, StatusCode};
use serde_json::json;
use std::time::Duration;
use telecrm_emulator::{Emulator, Fault};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

impl Local {
    pub(crate) async fn connect(&self) -> TcpStream {
        let url = self.emulator.url();
        let address = url.trim_start_matches("http://");
        TcpStream::connect(address).await.expect("connects")
    }

    pub(crate) async fn assert_answers(&self) {
        assert_eq!(self.get("/metadata").await.0, 200);
    }
}

#[tokio::test]
async fn idle_connections_do_not_block_others() {
    let local = Local::start().await;
    let mut idle = Vec::new();
    for _ in 0..300 {
        let mut stream = local.connect().await;
        stream.write_all(b"POST /enterprise/ent-local/").await.expect("sent");
        idle.push(stream);
    }
    local.assert_answers().await;
    drop(idle);
    local.assert_answers().await;
}

#[tokio::test]
async fn connections_beyond_the_limit_are_closed() {
    let local = Local::with(Emulator::builder().max_connections(3)).await;
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(local.connect().await);
    }
    let mut one_more = local.connect().await;
    let mut answer = Vec::new();
    // The connection is closed or reset, instead of running into a timeout.
    let closed = one_more.read_to_end(&mut answer);
    let in_time = tokio::time::timeout(Duration::from_secs(10), closed).await;
    assert!(in_time.is_ok() && answer.is_empty());
    open.clear();
    // The emulator notices the closed connections with the next one.
    for attempt in 0.. {
        let request = local.sync(Method::GET, "/metadata");
        match request.send().await {
            Ok(answer) => {
                assert_eq!(answer.status(), StatusCode::OK);
                break;
            }
            Err(error) => assert!(attempt < 100, "{error}"),
        }
        sleep(Duration::from_millis(20)).await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn connections_without_a_file_descriptor_are_closed() {
    const FILES: u32 = 64;
    let file = crate::state_file::StateFile::new();
    let (mut child, url) = file.open_in_a_child_with_few_files(FILES);
    let address = url.trim_start_matches("http://").to_owned();
    let mut open = Vec::new();
    for _ in 0..FILES {
        open.push(TcpStream::connect(&address).await.expect("connects"));
    }
    let mut last = open.pop().expect("one");
    let mut read = Vec::new();
    let closed = last.read_to_end(&mut read);
    let in_time = tokio::time::timeout(Duration::from_secs(10), closed).await;
    drop(open);
    let client = reqwest::Client::new();
    let mut answered = None;
    for _ in 0..100 {
        let request = client.get(format!("{url}/_emulator/health"));
        match request.send().await {
            Ok(answer) => {
                answered = Some(answer.status());
                break;
            }
            Err(_) => sleep(Duration::from_millis(20)).await,
        }
    }
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    assert!(in_time.is_ok(), "the connection stays open without an answer");
    assert_eq!(answered, Some(StatusCode::OK), "descriptors are free again");
}

/// Run by hand: `ulimit -n 12000; cargo test -p telecrm-emulator ten_thousand -- --ignored
/// --nocapture`
#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "more open files than a process has by default"]
async fn ten_thousand_connections_stay_open() {
    let file = crate::state_file::StateFile::new();
    let (mut child, url) = file.open_in_a_child();
    let resident = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
        let status = status.expect("the child runs");
        let line = status.lines().find(|line| line.starts_with("VmRSS"));
        line.expect("a line").to_owned()
    };
    let assert_answers = async || {
        let health = reqwest::get(format!("{url}/_emulator/health")).await;
        assert_eq!(health.expect("an answer").status(), StatusCode::OK);
    };
    assert_answers().await;
    let before = resident();
    let mut half = Vec::new();
    for _ in 0..10_000 {
        let stream = TcpStream::connect(url.trim_start_matches("http://")).await;
        let mut stream = stream.expect("connects");
        let sent = stream.write_all(b"POST /enterprise/ent-local/").await;
        sent.expect("sent");
        half.push(stream);
    }
    assert_answers().await;
    let report = format!("10,000 connections: {before}, then {}\n", resident());
    std::io::Write::write_all(&mut std::io::stdout(), report.as_bytes()).expect("says so");
    drop(half);
    assert_answers().await;
    child.kill().expect("killed");
    child.wait().expect("ends");
}

#[tokio::test]
async fn a_request_without_its_whole_body_has_no_effect() {
    let local = Local::start().await;
    let url = local.emulator.url();
    let host = url.trim_start_matches("http://");
    let token = local.emulator.async_token();
    let request = format!(
        "POST /enterprise/ent-local/autoupdatelead HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: 1000\r\n\r\n{{\"fields\":{{\"phone\":\"919999999999\"}}}}"
    );
    let mut stream = local.connect().await;
    stream.write_all(request.as_bytes()).await.expect("sent");
    drop(stream);
    sleep(Duration::from_millis(50)).await;
    local.assert_answers().await;
    local.emulator.wait_idle().await;
    assert_eq!(local.search(json!({})).await["total_count"], 0);
}

#[tokio::test]
async fn slow_clients_are_answered_or_hung_up_on() {
    let timeout = Duration::from_millis(200);
    let hang = Fault::hang().field("name", "x");
    for builder in [Emulator::builder(), Emulator::builder().fault(hang)] {
        let local = Local::with(builder.read_timeout(timeout)).await;
        let url = local.emulator.url();
        let host = url.trim_start_matches("http://");
        let token = local.emulator.async_token();
        let head = format!(
            "POST /enterprise/ent-local/autoupdatelead HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
        );
        let body = format!("{head}Content-Length: 1000\r\n\r\n{{");
        for (sent, answered) in [("", ""), (&head, ""), (&body, "HTTP/1.1 408")] {
            let mut stream = local.connect().await;
            stream.write_all(sent.as_bytes()).await.expect("sent");
            let mut answer = Vec::new();
            let closed =
                tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer))
                    .await;
            closed.expect("in time").expect("closed");
            let answer = String::from_utf8_lossy(&answer);
            assert!(answer.starts_with(answered), "{answer}");
            assert_eq!(answer.is_empty(), answered.is_empty(), "{answer}");
        }
        local.assert_answers().await;
    }
}
