//! What can be wrong with environment, files and servers: place, reason, remedy, exit code, and the other rows.

use crate::{Local, Ran, TempFile, answer, at, leads, run, run_with_stdin, scripted, telecrm};
use std::net::TcpListener;

/// No secret is ever said.
fn keeps_secrets(ran: &Ran) {
    assert!(
        !ran.stdout.contains("s3cret") && !ran.stderr.contains("s3cret"),
        "{ran:?}"
    );
}

fn nothing_listens() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    format!("http://{}", listener.local_addr().expect("an address"))
}

#[test]
fn a_missing_variable_is_named_with_its_remedy() {
    for name in [
        "TELECRM_ENTERPRISE_ID",
        "TELECRM_SYNC_TOKEN",
        "TELECRM_ASYNC_TOKEN",
    ] {
        let mut command = at("http://127.0.0.1:9", &["push", "-"]);
        command.env_remove(name);
        let ran = run(command);
        ran.refused(
            2,
            &[
                &format!("error: {name} is not set"),
                "dashboard",
                "--emulator",
            ],
        );
        keeps_secrets(&ran);
    }
}

#[test]
fn malformed_settings_are_refused_before_any_request() {
    for (name, value, said) in [
        (
            "TELECRM_ENTERPRISE_ID",
            "ent/s3cret:x",
            "enterprise ID has a colon",
        ),
        (
            "TELECRM_ASYNC_TOKEN",
            "Bearer s3cret",
            "starts with `Bearer `",
        ),
        ("TELECRM_SYNC_TOKEN", "s3cret s3cret", "blanks"),
        ("TELECRM_ASYNC_URL", "http://crm.example.com", "not https"),
        ("TELECRM_SYNC_URL", "crm.example.com", "not a URL"),
    ] {
        let mut command = at("http://127.0.0.1:9", &["push", "-"]);
        command.env(name, value);
        let ran = run(command);
        ran.refused(2, &[name, said]);
        keeps_secrets(&ran);
    }
}

#[test]
fn files_that_cannot_be_read_are_named() {
    run(telecrm(&["push", "no/such.csv", "--emulator"]))
        .refused(2, &["no/such.csv cannot be read", "check the name"]);
    run(telecrm(&["push", "leads.xlsx", "--emulator"]))
        .refused(2, &["leads.xlsx", ".csv", ".jsonl"]);
    let folder = std::env::temp_dir().join(format!("telecrm-{}-folder.csv", std::process::id()));
    std::fs::create_dir_all(&folder).expect("makes a folder");
    run(telecrm(&[
        "push",
        folder.to_str().expect("UTF-8"),
        "--emulator",
    ]))
    .refused(2, &["cannot be read"]);
    std::fs::remove_dir(&folder).expect("removes it");
}

#[test]
fn a_header_fault_names_file_line_and_column() {
    let file = TempFile::new("header.csv", b"phone,name,phone\n919999900001,Asha,1\n");
    run(telecrm(&["push", file.path(), "--emulator"])).refused(
        2,
        &[
            file.path(),
            "line 1: columns 1 and 3 are both named `phone`",
        ],
    );
}

#[test]
fn bad_csv_rows_are_rejected_and_the_others_stored() {
    let file = TempFile::new(
        "rows.csv",
        b"phone,name\n919999900001,Asha\n919999900002\n919999900003,\xff\n919999900004,Deepak\n",
    );
    let ran = run(telecrm(&["push", file.path(), "--emulator", "--verify"]));
    assert_eq!(ran.exit, 1, "{ran:?}");
    assert_eq!(ran.outcomes(), ["stored", "rejected", "rejected", "stored"]);
    let kind = Some("unreadable_row".to_owned());
    assert_eq!(ran.error_kinds(), [None, kind.clone(), kind, None]);
    assert!(
        ran.stdout
            .contains("line 3: 1 cells, where the header has 2"),
        "{ran:?}"
    );
    assert!(
        ran.stdout.contains("line 4: cell 2 is not UTF-8"),
        "{ran:?}"
    );
}

#[test]
fn a_quote_that_never_closes_is_told_and_swallows_no_lead() {
    let file = TempFile::new(
        "quote.csv",
        b"phone,name\n919999900501,A\n919999900502,\"B\n919999900503,C\n919999900504,D\n",
    );
    let ran = run(telecrm(&["push", file.path(), "--emulator", "--verify"]));
    assert_eq!(ran.exit, 1, "{ran:?}");
    assert_eq!(ran.outcomes(), ["stored", "rejected"]);
    assert!(ran.stdout.contains("line 3: a quote opens here"), "{ran:?}");
    let file = TempFile::new("quoted-header.csv", b"phone,\"name\n919999900501,A\n");
    run(telecrm(&["push", file.path(), "--emulator"]))
        .refused(2, &[file.path(), "line 1: a quote opens here"]);
}

#[test]
fn invalid_json_lines_are_rejected_and_the_others_stored() {
    let input = "{\"fields\":{\"phone\":\"919999900001\"}}\n\n{oops}\n{\"phone\":\"1\"}\n{\"fields\":{\"phone\":\"919999900002\"}}";
    let ran = run_with_stdin(telecrm(&["push", "-", "--emulator", "--verify"]), input);
    assert_eq!(ran.exit, 1, "{ran:?}");
    assert_eq!(ran.outcomes(), ["stored", "rejected", "rejected", "stored"]);
    assert!(
        ran.stdout.contains("line 3: not JSON at column 2"),
        "{ran:?}"
    );
    assert!(
        ran.stdout.contains("line 4: `fields` is missing"),
        "{ran:?}"
    );
}

#[test]
fn numbers_of_json_lines_keep_every_digit() {
    let budget = "12345678901234567890123.10";
    let input = format!(r#"{{"fields":{{"phone":"919999900001","budget":{budget}}}}}"#);
    let ran = run_with_stdin(telecrm(&["push", "-", "--emulator", "--verify"]), &input);
    assert_eq!(ran.outcomes(), ["stored"], "{ran:?}");
    assert!(ran.stdout.contains(budget), "{ran:?}");
}

#[test]
fn as6_an_unknown_column_is_warned_of_once_and_found_where_it_is_filled() {
    let file = TempFile::new(
        "column.csv",
        b"phone,ratng\n919999900001,4\n919999900002,\n919999900003,5\n",
    );
    let ran = run(telecrm(&["push", file.path(), "--emulator", "--verify"]));
    assert_eq!(ran.exit, 3, "{ran:?}");
    assert_eq!(ran.outcomes(), ["differs", "stored", "differs"]);
    assert_eq!(
        ran.stderr.matches("warning: column `ratng`").count(),
        1,
        "{ran:?}"
    );
    assert!(ran.stderr.contains("did you mean `rating`?"), "{ran:?}");
}

#[test]
fn en7_a_wrong_enterprise_or_sync_token_is_told_before_any_row() {
    let local = Local::start(&[]);
    for (name, value) in [
        ("TELECRM_ENTERPRISE_ID", "s3cret"),
        ("TELECRM_SYNC_TOKEN", "s3cret"),
        ("TELECRM_SYNC_TOKEN", local.variable("TELECRM_ASYNC_TOKEN")),
    ] {
        let mut command = local.telecrm(&["push", "-", "--verify"]);
        command.env(name, value);
        let ran = run_with_stdin(command, "");
        ran.refused(
            4,
            &[
                "401",
                "TELECRM_ENTERPRISE_ID",
                "TELECRM_SYNC_TOKEN is a token of type Sync",
                "nothing was sent",
            ],
        );
        keeps_secrets(&ran);
    }
}

#[test]
fn as8_a_sync_token_for_pushing_stops_the_run_at_its_first_row() {
    let local = Local::start(&[]);
    let mut command = local.telecrm(&["push", "-"]);
    command.env("TELECRM_ASYNC_TOKEN", local.variable("TELECRM_SYNC_TOKEN"));
    let ran = run_with_stdin(command, &leads(40));
    assert_eq!(ran.exit, 4, "{ran:?}");
    let outcomes = ran.outcomes();
    assert_eq!(outcomes.len(), 40);
    assert_eq!(outcomes[0], "failed");
    assert!(
        outcomes[1..].iter().all(|outcome| outcome == "skipped"),
        "{outcomes:?}"
    );
    assert_eq!(ran.error_kinds()[0].as_deref(), Some("not_authorized"));
    assert!(ran.stderr.contains("check TELECRM_ASYNC_TOKEN"), "{ran:?}");
}

#[test]
fn a_server_that_is_not_there_is_told_before_any_row() {
    let ran = run_with_stdin(at(&nothing_listens(), &["push", "-"]), &leads(2));
    ran.refused(1, &["could not be reached", "check TELECRM_SYNC_URL"]);
    keeps_secrets(&ran);
}

#[test]
fn a_push_that_reaches_nobody_fails_and_a_long_one_is_given_up() {
    let mut command = at(&nothing_listens(), &["push", "-", "--no-check"]);
    command.env_remove("TELECRM_SYNC_TOKEN");
    let ran = run_with_stdin(command, &leads(12));
    assert_eq!(ran.exit, 1, "{ran:?}");
    let outcomes = ran.outcomes();
    assert!(
        outcomes[..10].iter().all(|outcome| outcome == "failed"),
        "{outcomes:?}"
    );
    assert_eq!(outcomes[10..], ["skipped", "skipped"]);
    assert_eq!(ran.error_kinds()[0].as_deref(), Some("connect"));
    keeps_secrets(&ran);
}

#[test]
fn a_server_that_takes_no_row_is_given_up() {
    for (status, outcome) in [
        ("200 OK", "unknown"),
        ("500 Internal Server Error", "unknown"),
        ("302 Found", "failed"),
    ] {
        let url = scripted(move |_| answer(status, "text/html", "<!doctype html><p>no"));
        let mut command = at(&url, &["push", "-", "--no-check"]);
        command.env_remove("TELECRM_SYNC_TOKEN");
        let ran = run_with_stdin(command, &leads(12));
        let outcomes = ran.outcomes();
        assert!(
            outcomes[..10].iter().all(|found| found == outcome),
            "{ran:?}"
        );
        assert_eq!(outcomes[10..], ["skipped", "skipped"], "{status}");
        assert!(
            ran.stderr.contains("error: stopped at row 10: ")
                && ran.stderr.contains("check that TELECRM_ASYNC_URL"),
            "{ran:?}"
        );
        keeps_secrets(&ran);
    }
}

#[test]
fn rows_that_the_server_refuses_for_themselves_do_not_end_the_run() {
    let url = scripted(|_| answer("400 Bad Request", "application/json", "{}"));
    let mut command = at(&url, &["push", "-", "--no-check"]);
    command.env_remove("TELECRM_SYNC_TOKEN");
    let ran = run_with_stdin(command, &leads(12));
    assert_eq!(ran.outcomes(), ["failed"; 12], "{ran:?}");
}

#[test]
fn trouble_of_the_server_is_not_blamed_on_the_settings() {
    let url = scripted(|_| answer("503 Service Unavailable", "application/json", "{}"));
    let ran = run_with_stdin(at(&url, &["push", "-"]), &leads(1));
    ran.refused(1, &["503", "try again later"]);
    assert!(!ran.stderr.contains("TELECRM_SYNC_URL"), "{ran:?}");
}

#[test]
fn a_short_enterprise_id_spoils_no_message() {
    let url = nothing_listens();
    let mut command = at(&url, &["push", "-"]);
    command.env("TELECRM_ENTERPRISE_ID", "e");
    let ran = run_with_stdin(command, &leads(1));
    ran.refused(1, &["error: the workspace cannot be read: "]);
    assert!(!ran.stderr.contains('…'), "{ran:?}");
}

#[test]
fn countries_and_zones_that_are_none_are_refused_with_those_that_are() {
    for (option, value, said) in [
        ("--default-country", "XX", "IN"),
        ("--time-zone", "Asia/Kolkatta", "Asia/Kolkata"),
    ] {
        run(telecrm(&["push", "-", "--emulator", option, value])).refused(2, &[option, said]);
    }
}

#[test]
fn tr1_a_web_page_where_the_api_should_be() {
    for (status, exit) in [("200 OK", 1), ("404 Not Found", 5)] {
        let url = scripted(move |_| answer(status, "text/html", "<!doctype html><p>telecrm"));
        let ran = run_with_stdin(at(&url, &["push", "-"]), &leads(1));
        ran.refused(exit, &["check", "TELECRM_SYNC_URL"]);
        keeps_secrets(&ran);
    }
}

#[test]
fn tr1_a_base_url_without_its_path_is_warned_of() {
    let local = Local::start(&[]);
    let mut command = local.telecrm(&["push", "-"]);
    command.env("TELECRM_SYNC_URL", local.variable("TELECRM_ASYNC_URL"));
    let ran = run_with_stdin(command, "");
    ran.refused(
        5,
        &[
            "warning: TELECRM_SYNC_URL does not end in /autoupdate/v2",
            "error: the workspace",
        ],
    );
}

#[test]
fn what_the_server_answers_to_a_push_decides_outcome_and_exit_code() {
    for (status, outcome, kind, exit) in [
        ("429 Too Many Requests", "failed", "rate_limited", 6),
        ("404 Not Found", "failed", "not_found", 5),
        ("502 Bad Gateway", "unknown", "outcome_unknown", 7),
        ("400 Bad Request", "failed", "refused", 1),
    ] {
        let url = scripted(move |_| answer(status, "text/html", "<p>no"));
        let mut command = at(&url, &["push", "-", "--no-check"]);
        command.env_remove("TELECRM_SYNC_TOKEN");
        let ran = run_with_stdin(command, &leads(2));
        assert_eq!(ran.exit, exit, "{ran:?}");
        assert_eq!(ran.outcomes()[0], outcome, "{ran:?}");
        assert_eq!(ran.error_kinds()[0].as_deref(), Some(kind), "{ran:?}");
        keeps_secrets(&ran);
    }
}

#[test]
fn a_reader_that_leaves_ends_the_run() {
    let mut command = telecrm(&["push", "-", "--emulator"]);
    command
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut child = command.spawn().expect("starts");
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().expect("piped");
    std::io::Write::write_all(&mut stdin, leads(3).as_bytes()).expect("takes its input");
    drop(stdin);
    let ran = Ran::from(child.wait_with_output().expect("ends"));
    assert_eq!(ran.exit, 1, "{ran:?}");
    assert!(
        ran.stderr.contains("the report cannot be written"),
        "{ran:?}"
    );
}
