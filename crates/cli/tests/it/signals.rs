//! Ctrl-C and SIGTERM: the report tells which rows were sent.
#![cfg(unix)]

use crate::support::{Local, Ran, TempFile, answer, at, leads, scripted, telecrm};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    let status = Command::new("kill").args([name, &id]).status().expect("kill runs");
    assert!(status.success());
}

fn spawn(mut command: Command, input: &str) -> (Child, std::process::ChildStdin) {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("starts");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(input.as_bytes()).expect("takes its input");
    (child, stdin)
}

/// Starts a server that tells the test of each request, and answers when the test lets it.
fn waiting() -> (String, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let (arrived, arrivals) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let shared = Arc::new(Mutex::new((arrived, released)));
    let url = scripted(move |_| {
        let shared = shared.lock().expect("whole");
        let _ = shared.0.send(());
        let _ = shared.1.recv();
        answer("200 OK", "application/json", r#"{"status":"QUEUED"}"#)
    });
    (url, arrivals, release)
}

fn only_send(url: &str) -> Command {
    let mut command = at(url, &["push", "-", "--no-check"]);
    command.env_remove("TELECRM_SYNC_TOKEN");
    command
}

#[test]
fn ctrl_c_lets_rows_in_flight_finish_and_skips_the_others() {
    let (url, arrivals, release) = waiting();
    let (mut child, stdin) = spawn(only_send(&url), &leads(4));
    drop(stdin);
    arrivals.recv().expect("the first row");
    signal(&child, "-INT");
    // The message comes before the answer, so the order of events is certain.
    let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
    let mut first = String::new();
    stderr.read_line(&mut first).expect("prints");
    assert!(first.starts_with("finishing rows in flight"), "{first}");
    release.send(()).expect("waits");
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).expect("ends");
    let ran = Ran::from(child.wait_with_output().expect("ends"));
    assert_eq!(ran.exit, 130, "{ran:?}");
    assert_eq!(ran.outcomes(), ["accepted", "skipped", "skipped", "skipped"], "{ran:?}");
    assert!(rest.contains("4 rows: 1 accepted, 3 skipped"), "{rest}");
}

#[test]
fn as9_ctrl_c_does_not_wait_for_a_retry() {
    let (arrived, arrivals) = mpsc::channel();
    let url = scripted(move |_| {
        let _ = arrived.send(());
        let refusal = answer("429 Too Many Requests", "text/plain", "slow down");
        refusal.replacen("\r\n", "\r\nretry-after: 40\r\n", 1)
    });
    let (child, stdin) = spawn(only_send(&url), &leads(2));
    drop(stdin);
    arrivals.recv().expect("the first row");
    signal(&child, "-INT");
    let ran = Ran::from(child.wait_with_output().expect("ends"));
    assert_eq!(ran.exit, 130, "{ran:?}");
    assert_eq!(ran.outcomes(), ["failed", "skipped"], "{ran:?}");
    assert!(arrivals.try_recv().is_err(), "retried after 40 seconds");
}

#[test]
fn a_second_ctrl_c_quits_at_once() {
    let (url, arrivals, _release) = waiting();
    let (mut child, _stdin) = spawn(only_send(&url), &leads(2));
    arrivals.recv().expect("the first row");
    signal(&child, "-INT");
    let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
    stderr.read_line(&mut String::new()).expect("prints");
    signal(&child, "-INT");
    assert_eq!(child.wait().expect("ends").code(), Some(130));
}

fn signal_does_not_wait_for_standard_input(name: &str, exit: i32) {
    let command = telecrm(&["push", "-", "--emulator", "--verify"]);
    let (mut child, stdin) = spawn(command, &leads(1));
    let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
    let mut row = String::new();
    stdout.read_line(&mut row).expect("a row");
    assert!(row.contains("stored"), "{row}");
    signal(&child, name);
    assert_eq!(child.wait().expect("ends").code(), Some(exit));
    drop(stdin);
}

tests! {
    ctrl_c_does_not_wait_for_standard_input:
        signal_does_not_wait_for_standard_input("-INT", 130);
    sigterm_does_not_wait_for_standard_input:
        signal_does_not_wait_for_standard_input("-TERM", 143);
}

/// Returns the emulator's answer to a GET request.
fn get(local: &Local, path: &str) -> String {
    let base = local.variable("TELECRM_ASYNC_URL");
    let host = base.strip_prefix("http://").expect("plain HTTP");
    let mut stream = std::net::TcpStream::connect(host).expect("listens");
    let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("takes it");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answers");
    answer
}

fn pushes(local: &Local) -> usize {
    get(local, "/_emulator/log?since=0").matches("/autoupdatelead").count()
}

fn ctrl_c_skips_rows_that_wait_for_the_rate_limit(options: &[&str]) {
    let local = Local::start(&[]);
    let mut command = local.telecrm(&["push", "-"]);
    command.args(options);
    let (mut child, stdin) = spawn(command, &leads(100));
    // More requests than the limit lets leave at once.
    while pushes(&local) < 62 {
        std::thread::yield_now();
    }
    signal(&child, "-INT");
    let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
    let mut first = String::new();
    stderr.read_line(&mut first).expect("prints");
    assert!(first.starts_with("finishing rows in flight"), "{first}");
    let before = pushes(&local);
    let ran = Ran::from(child.wait_with_output().expect("ends"));
    drop(stdin);
    let after = pushes(&local);
    // One request may have been in flight.
    assert!(after <= before + 1, "{before} {after}");
    let outcomes = ran.outcomes();
    let count = |outcome| outcomes.iter().filter(|found| *found == outcome).count();
    let skipped = count("skipped");
    assert_eq!(outcomes.len() - skipped, after, "{outcomes:?}");
    assert_eq!(count("stored") + count("accepted"), after, "{outcomes:?}");
}

tests! {
    as9_ctrl_c_skips_rows_that_wait_for_the_rate_limit:
        ctrl_c_skips_rows_that_wait_for_the_rate_limit(&[]);
    as9_ctrl_c_skips_rows_that_wait_for_the_rate_limit_under_verify:
        ctrl_c_skips_rows_that_wait_for_the_rate_limit(&["--verify"]);
}

#[test]
fn ctrl_c_does_not_wait_for_reading_back() {
    let local = Local::start(&[]);
    let (arrived, arrivals) = mpsc::channel();
    // The server does not store the lead, so reading it back takes the whole timeout.
    let url = scripted(move |_| {
        let _ = arrived.send(());
        answer("200 OK", "application/json", r#"{"status":"QUEUED"}"#)
    });
    let mut command = local.telecrm(&["push", "-", "--verify", "--verify-timeout", "10m"]);
    command.env("TELECRM_ASYNC_URL", url);
    let (child, stdin) = spawn(command, &leads(1));
    arrivals.recv().expect("the row");
    signal(&child, "-INT");
    let ran = Ran::from(child.wait_with_output().expect("ends"));
    drop(stdin);
    assert_eq!(ran.exit, 130, "{ran:?}");
    assert_eq!(ran.outcomes(), ["accepted"], "{ran:?}");
    assert_eq!(ran.error_kinds(), [Some("run_stopped".to_owned())]);
}

#[test]
fn a_second_ctrl_c_does_not_wait_for_slow_requests_to_the_emulator() {
    let slow = TempFile::new("slow.json", br#"{ "do": { "latency_ms": 60000 } }"#);
    let mut local = Local::start(&["--fault", slow.path()]);
    let base = local.variable("TELECRM_ASYNC_URL").to_owned();
    let host = base.strip_prefix("http://").expect("plain HTTP");
    let mut stream = std::net::TcpStream::connect(host).expect("listens");
    let request = format!("GET /autoupdate/v2 HTTP/1.1\r\nhost: {host}\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("takes it");
    // The answer to this request shows that the emulator has read the slow one.
    get(&local, "/_emulator/log");
    signal(&local.child, "-INT");
    while std::net::TcpStream::connect(host).is_ok() {
        std::thread::yield_now();
    }
    signal(&local.child, "-INT");
    let quickly = Duration::from_secs(4); // sooner than the emulator's own timeout
    stream.set_read_timeout(Some(quickly)).expect("a timeout");
    let end = stream.read_to_end(&mut Vec::new());
    let is_late = end.is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
    assert!(!is_late, "the emulator waits");
    assert_eq!(local.child.wait().expect("ends").code(), Some(130));
}
