//! Flags and variables of `telecrm emulator`, and `telecrm emulator ready`.

use crate::support::{Local, Ran, leads, run, run_with_stdin, telecrm};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

#[test]
fn the_emulator_prints_the_variables_that_point_to_it() {
    let local = Local::start(&["--enterprise", "ent-other"]);
    let names: Vec<_> = local.exports.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "TELECRM_ENTERPRISE_ID",
            "TELECRM_SYNC_TOKEN",
            "TELECRM_ASYNC_TOKEN",
            "TELECRM_SYNC_URL",
            "TELECRM_ASYNC_URL"
        ]
    );
    assert_eq!(local.variable("TELECRM_ENTERPRISE_ID"), "ent-other");
    assert_eq!(local.variable("TELECRM_SYNC_TOKEN"), "sync-local-token");
    assert_eq!(local.variable("TELECRM_ASYNC_TOKEN"), "async-local-token");
    let base = local.variable("TELECRM_ASYNC_URL");
    assert_eq!(local.variable("TELECRM_SYNC_URL"), format!("{base}/autoupdate/v2"));
}

#[cfg(unix)]
fn signal_ends_the_emulator(name: &str, exit: i32) {
    let mut local = Local::start(&[]);
    crate::signals::signal(&local.child, name);
    assert_eq!(local.child.wait().expect("ends").code(), Some(exit));
}

#[cfg(unix)]
tests! {
    ctrl_c_ends_the_emulator_with_130: signal_ends_the_emulator("-INT", 130);
    sigterm_ends_the_emulator_with_0: signal_ends_the_emulator("-TERM", 0);
}

/// The emulator would start, but for this flag.
fn flag_is_refused(flag: &str, value: &str, reason: &str) {
    run(telecrm(&["emulator", flag, value])).assert_refused(2, &[reason]);
}

tests! {
    an_empty_enterprise_id_is_refused:
        flag_is_refused("--enterprise", "", "enterprise ID is empty");
    a_host_name_to_listen_on_is_refused:
        flag_is_refused("--listen", "localhost:4010", "an IP address and a port");
    an_unknown_profile_is_refused_with_the_known_ones:
        flag_is_refused("--profile", "live", "documented, reported");
    an_unknown_switch_value_is_refused_with_the_known_ones:
        flag_is_refused("--switch", "async-answer=yes", "queued, ok, accepted, 204, html");
    an_unknown_switch_is_refused_with_the_known_ones:
        flag_is_refused("--switch", "async=ok", "async-answer");
    a_switch_without_a_value_is_refused:
        flag_is_refused("--switch", "async-answer", "NAME=VALUE");
    no_connections_are_refused: flag_is_refused("--max-connections", "0", "--max-connections");
    an_invalid_time_is_refused: flag_is_refused("--now", "yesterday", "--now");
}

fn limit_speed_is_refused(speed: &str) {
    let ran = run(telecrm(&["emulator", &format!("--limit-speed={speed}")]));
    ran.assert_refused(2, &["--limit-speed", "above zero"]);
}

tests! {
    a_limit_speed_of_zero_is_refused: limit_speed_is_refused("0");
    a_negative_limit_speed_is_refused: limit_speed_is_refused("-1");
    a_limit_speed_in_words_is_refused: limit_speed_is_refused("fast");
    an_infinite_limit_speed_is_refused: limit_speed_is_refused("inf");
}

#[test]
fn a_time_beyond_2106_is_refused() {
    let listen = ["emulator", "--listen", "127.0.0.1:0"];
    let mut command = telecrm(&listen);
    command.args(["--now", "2200-01-01T00:00:00Z"]);
    run(command).assert_refused(2, &["1970 and 2106"]);
}

#[test]
fn profile_and_switches_decide_the_answers() {
    let arguments =
        ["--profile", "reported", "--switch", "async-answer=ok", "--switch", "search-ids=yes"];
    let local = Local::start(&arguments);
    let row = r#"{"fields": {"phone": "919999999999", "status": "Contacted"}, "actions": [{"type": "ACTION_1001"}]}"#;
    let ran = run_with_stdin(local.telecrm(&["push", "-", "--verify"]), row);
    assert_eq!((ran.exit, ran.outcomes()), (0, vec!["stored".to_owned()]), "{ran:?}");
}

#[test]
fn an_address_that_others_can_reach_needs_a_flag() {
    run(telecrm(&["emulator", "--listen", "0.0.0.0:0"]))
        .assert_refused(2, &["0.0.0.0:0", "--allow-remote"]);
}

#[test]
fn other_host_names_need_a_flag_each() {
    let local = Local::start(&["--allow-host", "crm.test"]);
    let answer = |host: &str| {
        let address = local.variable("TELECRM_ASYNC_URL").trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).expect("connects");
        let request =
            format!("GET /_emulator/health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    };
    assert!(answer("crm.test:8080").starts_with("HTTP/1.1 200"));
    let refused = answer("other.test:8080");
    assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
    assert!(refused.contains("--allow-host NAME"), "{refused}");
}

#[test]
fn an_invalid_host_name_is_refused() {
    let mut command = telecrm(&["emulator", "--listen", "127.0.0.1:0"]);
    command.args(["--allow-host", "http://x"]);
    run(command).assert_refused(2, &["\"http://x\"", "host name"]);
}

#[test]
fn the_environment_sets_up_to_three_tokens_of_each_type() {
    let variables = [
        ("TELECRM_EMULATOR_SYNC_TOKEN", "s-1, s-2"),
        ("TELECRM_EMULATOR_ASYNC_TOKEN", "a-1,a-2,a-3"),
    ];
    let local = Local::start_with(&["--async-limit", "1"], &variables);
    assert_eq!(local.variable("TELECRM_SYNC_TOKEN"), "s-1");
    assert_eq!(local.variable("TELECRM_ASYNC_TOKEN"), "a-1");
    // Each token has its own limit.
    let mut push = local.telecrm(&["push", "-"]);
    push.env("TELECRM_SYNC_TOKEN", "s-2");
    push.env("TELECRM_ASYNC_TOKEN", "a-2,a-3");
    let ran = run_with_stdin(push, &leads(2));
    assert_eq!(ran.outcomes(), ["accepted", "accepted"], "{ran:?}");
}

fn sync_tokens_are_refused(value: &str, reason: &str) {
    let mut command = telecrm(&["emulator", "--listen", "127.0.0.1:0"]);
    command.env("TELECRM_EMULATOR_SYNC_TOKEN", value);
    run(command).assert_refused(2, &[reason]);
}

tests! {
    four_tokens_are_refused: sync_tokens_are_refused("a,b,c,d", "at most 3 tokens");
    an_empty_token_is_refused: sync_tokens_are_refused("a,,b", "TELECRM_EMULATOR_SYNC_TOKEN");
}

/// Opens 100 connections under a limit of open files. The emulator answers some of them, and
/// closes the others instead of letting them wait.
#[cfg(unix)]
fn open_files_limit_connections(limit: &str, answered: usize) {
    let mut command = Command::new("sh");
    let script = format!("ulimit {limit}; exec \"$0\" emulator --listen 127.0.0.1:0");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_telecrm")]);
    let local = Local::spawn(command.stderr(Stdio::null()));
    let address = local.variable("TELECRM_ASYNC_URL").trim_start_matches("http://");
    let request = format!("GET /_emulator/health HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let mut clients: Vec<_> = (0..100)
        .map(|_| {
            let mut stream = TcpStream::connect(address).expect("connects");
            let timeout = Duration::from_secs(10);
            stream.set_read_timeout(Some(timeout)).expect("a timeout");
            // Fails if the emulator has closed this connection already.
            let _ = stream.write_all(request.as_bytes());
            stream
        })
        .collect();
    let is_answered = |stream: &mut TcpStream| match stream.read(&mut [0; 12]) {
        Ok(length) => length > 0,
        Err(error) => {
            let waited = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
            assert!(!waited, "a client is left waiting");
            false
        }
    };
    let count = clients.iter_mut().map(is_answered).filter(|is_answered| *is_answered).count();
    assert_eq!(count, answered);
}

#[cfg(unix)]
tests! {
    a_hard_limit_of_open_files_limits_connections: open_files_limit_connections("-n 64", 32);
    a_soft_limit_of_open_files_is_raised: open_files_limit_connections("-Sn 64", 100);
}

#[test]
fn a_port_in_use_is_refused_with_its_address() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    run(telecrm(&["emulator", "--listen", &address])).assert_refused(1, &[&address, "--listen"]);
}

/// Runs `telecrm emulator ready`.
fn ready(address: &str, timeout: &str) -> Ran {
    let mut command = telecrm(&["emulator", "ready"]);
    command.args(["--listen", address, "--timeout", timeout]);
    run(command)
}

#[test]
fn ready_succeeds_if_an_emulator_answers() {
    let local = Local::start(&[]);
    let address = local.variable("TELECRM_ASYNC_URL").trim_start_matches("http://");
    let ran = ready(address, "10");
    assert_eq!((ran.exit, ran.stdout.as_str(), ran.stderr.as_str()), (0, "", ""));
}

#[test]
fn ready_fails_after_the_timeout() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address").to_string();
    ready(&address, "200ms").assert_refused(1, &[&address, "--timeout"]);
}
