//! Being stopped: what was sent is told from what was not.
#![cfg(unix)]

use crate::{Local, Ran, TempFile, answer, at, leads, scripted, telecrm};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    let status = Command::new("kill")
        .args([name, &id])
        .status()
        .expect("kill runs");
    assert!(status.success());
}

fn spawn(mut command: Command, input: &str) -> (Child, std::process::ChildStdin) {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("starts");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(input.as_bytes()).expect("takes its input");
    (child, stdin)
}

/// A server whose answers wait for the test, which is told of each request.
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

fn without_reading(url: &str) -> Command {
    let mut command = at(url, &["push", "-", "--no-check"]);
    command.env_remove("TELECRM_SYNC_TOKEN");
    command
}

#[test]
fn ctrl_c_lets_rows_under_way_finish_and_reports_the_rest_as_skipped() {
    let (url, arrivals, release) = waiting();
    let (child, stdin) = spawn(without_reading(&url), &leads(4));
    drop(stdin);
    arrivals.recv().expect("the first row");
    signal(&child, "-INT");
    // Said before the answer comes, so that the order of events is certain.
    let mut child = child;
    let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
    let mut first = String::new();
    stderr.read_line(&mut first).expect("says so");
    assert!(first.starts_with("stopping"), "{first}");
    release.send(()).expect("waits");
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).expect("ends");
    let ran = Ran::from(child.wait_with_output().expect("ends"));
    assert_eq!(ran.exit, 130, "{ran:?}");
    assert_eq!(
        ran.outcomes(),
        ["accepted", "skipped", "skipped", "skipped"],
        "{ran:?}"
    );
    assert!(rest.contains("4 rows: 1 accepted, 3 skipped"), "{rest}");
}

#[test]
fn as9_ctrl_c_does_not_wait_to_send_a_row_again() {
    let (arrived, arrivals) = mpsc::channel();
    let url = scripted(move |_| {
        let _ = arrived.send(());
        let refusal = answer("429 Too Many Requests", "text/plain", "slow down");
        refusal.replacen("\r\n", "\r\nretry-after: 80\r\n", 1)
    });
    let (child, stdin) = spawn(without_reading(&url), &leads(2));
    drop(stdin);
    arrivals.recv().expect("the first row");
    signal(&child, "-INT");
    let ran = Ran::from(child.wait_with_output().expect("ends"));
    assert_eq!(ran.exit, 130, "{ran:?}");
    assert_eq!(ran.outcomes(), ["failed", "skipped"], "{ran:?}");
    assert!(arrivals.try_recv().is_err(), "sent again after 80 seconds");
}

#[test]
fn a_second_ctrl_c_quits_at_once() {
    let (url, arrivals, _release) = waiting();
    let (mut child, _stdin) = spawn(without_reading(&url), &leads(2));
    arrivals.recv().expect("the first row");
    signal(&child, "-INT");
    let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
    stderr.read_line(&mut String::new()).expect("says so");
    signal(&child, "-INT");
    assert_eq!(child.wait().expect("ends").code(), Some(130));
}

#[test]
fn ctrl_c_does_not_wait_for_standard_input() {
    for (name, exit) in [("-INT", 130), ("-TERM", 143)] {
        let (mut child, stdin) =
            spawn(telecrm(&["push", "-", "--emulator", "--verify"]), &leads(1));
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut row = String::new();
        stdout.read_line(&mut row).expect("a row");
        assert!(row.contains("stored"), "{row}");
        signal(&child, name);
        assert_eq!(child.wait().expect("ends").code(), Some(exit));
        drop(stdin);
    }
}

/// What the emulator answers to a GET.
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
    get(local, "/_emulator/log?since=0")
        .matches("/autoupdatelead")
        .count()
}

#[test]
fn as9_after_ctrl_c_no_row_leaves_that_waits_for_the_rate_limit() {
    for options in [&[][..], &["--verify"]] {
        let local = Local::start(&[]);
        let mut command = local.telecrm(&["push", "-"]);
        command.args(options);
        let (mut child, stdin) = spawn(command, &leads(100));
        // The burst is over.
        while pushes(&local) < 62 {
            std::thread::yield_now();
        }
        signal(&child, "-INT");
        let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
        let mut first = String::new();
        stderr.read_line(&mut first).expect("says so");
        assert!(first.starts_with("stopping"), "{first}");
        let before = pushes(&local);
        let ran = Ran::from(child.wait_with_output().expect("ends"));
        drop(stdin);
        let after = pushes(&local);
        // One may have been on its way.
        assert!(after <= before + 1, "{before} {after}");
        let outcomes = ran.outcomes();
        let count = |outcome| outcomes.iter().filter(|found| *found == outcome).count();
        let skipped = count("skipped");
        assert_eq!(outcomes.len() - skipped, after, "{outcomes:?}");
        assert_eq!(count("stored") + count("accepted"), after, "{outcomes:?}");
    }
}

#[test]
fn ctrl_c_does_not_wait_for_reading_back() {
    let local = Local::start(&[]);
    let (arrived, arrivals) = mpsc::channel();
    // Takes the lead and keeps it, so that reading back goes on to the end of its time.
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
fn a_second_ctrl_c_does_not_wait_for_slow_calls_of_the_emulator() {
    let slow = TempFile::new("slow.json", br#"{ "do": { "latency_ms": 60000 } }"#);
    let mut local = Local::start(&["--fault", slow.path()]);
    let base = local.variable("TELECRM_ASYNC_URL").to_owned();
    let host = base.strip_prefix("http://").expect("plain HTTP");
    let mut stream = std::net::TcpStream::connect(host).expect("listens");
    let request = format!("GET /autoupdate/v2 HTTP/1.1\r\nhost: {host}\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("takes it");
    // So that the slow call is under way: this is answered after it was read.
    get(&local, "/_emulator/log");
    signal(&local.child, "-INT");
    while std::net::TcpStream::connect(host).is_ok() {
        std::thread::yield_now();
    }
    signal(&local.child, "-INT");
    let quickly = Duration::from_secs(4); // before it gives up waiting by itself
    stream.set_read_timeout(Some(quickly)).expect("a timeout");
    let end = stream.read_to_end(&mut Vec::new());
    let is_late = end.is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
    assert!(!is_late, "it waits");
    assert_eq!(local.child.wait().expect("ends").code(), Some(130));
}
