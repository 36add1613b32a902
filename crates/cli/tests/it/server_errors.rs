//! Servers that are unreachable, refuse, fail, or are not telecrm.

use crate::support::{Local, Ran, answer, at, leads, run_with_stdin, scripted, telecrm};
use std::net::TcpListener;
use std::process::{Command, Stdio};

const PAGE: &str = "<!doctype html><p>no";

/// A URL at which nothing listens.
fn unreachable_url() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    format!("http://{}", listener.local_addr().expect("an address"))
}

/// A server that answers every request with a web page.
fn web_page(status: &'static str) -> String {
    scripted(move |_| answer(status, "text/html", PAGE))
}

/// A push that neither checks nor verifies, and so only sends.
fn only_send(url: &str) -> Command {
    let mut command = at(url, &["push", "-", "--no-check"]);
    command.env_remove("TELECRM_SYNC_TOKEN");
    command
}

fn wrong_setting_is_refused(name: &str, value: impl Fn(&Local) -> String) {
    let local = Local::start(&[]);
    let mut command = local.telecrm(&["push", "-", "--verify"]);
    command.env(name, value(&local));
    let ran = run_with_stdin(command, "");
    let texts = [
        "401",
        "TELECRM_ENTERPRISE_ID",
        "TELECRM_SYNC_TOKEN is a token of type Sync",
        "nothing was sent",
    ];
    ran.assert_refused(4, &texts);
    ran.assert_keeps_secrets();
}

fn secret(_: &Local) -> String {
    "s3cret".to_owned()
}

fn async_token(local: &Local) -> String {
    local.variable("TELECRM_ASYNC_TOKEN").to_owned()
}

tests! {
    en7_a_wrong_enterprise_is_refused_before_any_row:
        wrong_setting_is_refused("TELECRM_ENTERPRISE_ID", secret);
    en7_a_wrong_sync_token_is_refused_before_any_row:
        wrong_setting_is_refused("TELECRM_SYNC_TOKEN", secret);
    en7_an_async_token_for_reading_is_refused_before_any_row:
        wrong_setting_is_refused("TELECRM_SYNC_TOKEN", async_token);
}

#[test]
fn as8_a_sync_token_for_pushing_stops_the_run_at_the_first_row() {
    let local = Local::start(&[]);
    let mut command = local.telecrm(&["push", "-"]);
    command.env("TELECRM_ASYNC_TOKEN", local.variable("TELECRM_SYNC_TOKEN"));
    let ran = run_with_stdin(command, &leads(40));
    let outcomes: Vec<_> =
        std::iter::once("failed").chain(std::iter::repeat_n("skipped", 39)).collect();
    ran.assert_outcomes(4, &outcomes);
    assert_eq!(ran.error_kinds()[0].as_deref(), Some("not_authorized"));
    ran.assert_stderr("\n  hint: check TELECRM_ASYNC_TOKEN");
}

#[test]
fn an_unreachable_server_is_refused_before_any_row() {
    let ran = run_with_stdin(at(&unreachable_url(), &["push", "-"]), &leads(2));
    ran.assert_refused(1, &["could not be reached", "check TELECRM_SYNC_URL"]);
    ran.assert_keeps_secrets();
}

#[test]
fn rows_that_reach_no_server_fail_and_ten_of_them_stop_the_run() {
    let ran = run_with_stdin(only_send(&unreachable_url()), &leads(12));
    assert_eq!(ran.exit, 1, "{ran:?}");
    let outcomes = ran.outcomes();
    assert_eq!(outcomes[..10], ["failed"; 10], "{ran:?}");
    assert_eq!(outcomes[10..], ["skipped", "skipped"]);
    assert_eq!(ran.error_kinds()[0].as_deref(), Some("connect"));
    ran.assert_keeps_secrets();
}

fn ten_faults_stop_the_run(status: &'static str, outcome: &str) {
    let ran = run_with_stdin(only_send(&web_page(status)), &leads(12));
    let outcomes = ran.outcomes();
    assert_eq!(outcomes[..10], [outcome; 10], "{ran:?}");
    assert_eq!(outcomes[10..], ["skipped", "skipped"], "{ran:?}");
    ran.assert_stderr("error: stopped at row 10: ");
    ran.assert_stderr("check that TELECRM_ASYNC_URL");
    ran.assert_keeps_secrets();
}

tests! {
    ten_web_pages_stop_the_run: ten_faults_stop_the_run("200 OK", "unknown");
    ten_server_errors_stop_the_run:
        ten_faults_stop_the_run("500 Internal Server Error", "unknown");
    ten_redirects_stop_the_run: ten_faults_stop_the_run("302 Found", "failed");
}

#[test]
fn rows_that_the_server_refuses_do_not_stop_the_run() {
    let url = scripted(|_| answer("400 Bad Request", "application/json", "{}"));
    let ran = run_with_stdin(only_send(&url), &leads(12));
    assert_eq!(ran.outcomes(), ["failed"; 12], "{ran:?}");
}

#[test]
fn a_server_error_does_not_blame_the_settings() {
    let url = scripted(|_| answer("503 Service Unavailable", "application/json", "{}"));
    let ran = run_with_stdin(at(&url, &["push", "-"]), &leads(1));
    ran.assert_refused(1, &["503", "try again later"]);
    assert!(!ran.stderr.contains("TELECRM_SYNC_URL"), "{ran:?}");
}

#[test]
fn a_short_enterprise_id_does_not_mask_parts_of_a_message() {
    let mut command = at(&unreachable_url(), &["push", "-"]);
    command.env("TELECRM_ENTERPRISE_ID", "e");
    let ran = run_with_stdin(command, &leads(1));
    ran.assert_refused(1, &["error: cannot read the workspace"]);
    assert!(!ran.stderr.contains('…'), "{ran:?}");
}

fn web_page_is_refused(status: &'static str, exit: i32) {
    let ran = run_with_stdin(at(&web_page(status), &["push", "-"]), &leads(1));
    ran.assert_refused(exit, &["check", "TELECRM_SYNC_URL"]);
    ran.assert_keeps_secrets();
}

tests! {
    tr1_a_web_page_instead_of_the_api_is_refused: web_page_is_refused("200 OK", 1);
    tr1_a_web_page_with_404_is_refused: web_page_is_refused("404 Not Found", 5);
}

fn status_decides(status: &'static str, outcome: &str, kind: &str, exit: i32) {
    let ran = run_with_stdin(only_send(&web_page(status)), &leads(2));
    assert_eq!(ran.exit, exit, "{ran:?}");
    assert_eq!(ran.outcomes()[0], outcome, "{ran:?}");
    assert_eq!(ran.error_kinds()[0].as_deref(), Some(kind), "{ran:?}");
    ran.assert_keeps_secrets();
}

tests! {
    status_429_is_exit_code_6:
        status_decides("429 Too Many Requests", "failed", "rate_limited", 6);
    status_404_is_exit_code_5: status_decides("404 Not Found", "failed", "not_found", 5);
    status_502_is_exit_code_7: status_decides("502 Bad Gateway", "unknown", "outcome_unknown", 7);
    status_400_is_exit_code_1: status_decides("400 Bad Request", "failed", "refused", 1);
}

#[test]
fn a_closed_standard_output_ends_the_run() {
    let mut command = telecrm(&["push", "-", "--emulator"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("starts");
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().expect("piped");
    std::io::Write::write_all(&mut stdin, leads(3).as_bytes()).expect("takes its input");
    drop(stdin);
    let ran = Ran::from(child.wait_with_output().expect("ends"));
    assert_eq!(ran.exit, 1, "{ran:?}");
    ran.assert_stderr("cannot write the report");
}
