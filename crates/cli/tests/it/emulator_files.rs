//! Files of `telecrm emulator`: seed, fault rules, state and recording.

use crate::support::{Local, Ran, TempFile, leads, run, run_with_stdin, telecrm};

const TWO_ROWS: &str =
    "{\"fields\": {\"phone\": \"919999999999\"}}\n{\"fields\": {\"phone\": \"918888888888\"}}\n";

#[test]
fn a_seed_decides_the_fields_of_the_workspace() {
    let seed = TempFile::new(
        "seed.json",
        br#"{"customFields": [{"apiName": "email", "type": "EMAIL", "isLeadid": true}, {"apiName": "shoe_size", "type": "NUMBER"}]}"#,
    );
    let local = Local::start(&["--seed", seed.path()]);
    let row = r#"{"fields": {"email": "Asha@example.com", "shoe_size": 38}}"#;
    let ran = run_with_stdin(local.telecrm(&["push", "-", "--verify"]), row);
    ran.assert_outcomes(0, &["stored"]);
    assert_eq!(ran.rows()[0]["identifier"], "asha@example.com");
}

/// Runs the emulator with a file, whose name is unique in the tests.
fn file_is_refused(flag: &str, name: &str, content: &[u8], reason: &str) {
    let file = TempFile::new(name, content);
    let ran = run(telecrm(&["emulator", flag, file.path()]));
    ran.assert_refused(2, &[file.path(), reason]);
}

tests! {
    a_seed_that_is_not_json_is_refused:
        file_is_refused("--seed", "syntax.json", b"{", "invalid JSON");
    a_seed_without_fields_is_refused:
        file_is_refused("--seed", "empty.json", b"{}", "customFields");
    a_field_without_a_name_is_refused: file_is_refused(
        "--seed",
        "nameless.json",
        br#"{"customFields": [{"type": "TEXT"}]}"#,
        "customFields[0]",
    );
    seats_in_words_are_refused: file_is_refused(
        "--seed",
        "seats.json",
        br#"{"customFields": [{"apiName": "phone", "type": "PHONE"}], "emulator": {"seats": "many"}}"#,
        "emulator.seats: expected a whole number from 0, found \"many\"",
    );
    a_duplicate_key_is_refused: file_is_refused(
        "--seed",
        "duplicate.json",
        br#"{"customFields": [], "customFields": []}"#,
        "duplicate key `customFields`",
    );
    a_seed_that_is_not_utf_8_is_refused: file_is_refused(
        "--seed",
        "latin.json",
        b"{\"customFields\": [\"\xe9\"]}",
        "save the file as UTF-8",
    );
    rules_that_are_not_json_are_refused:
        file_is_refused("--fault", "rules.json", b"{", "invalid JSON");
    an_unknown_fault_is_refused:
        file_is_refused("--fault", "unknown.json", br#"[{"do": "explode"}]"#, "explode");
    a_rule_that_is_not_an_object_is_refused:
        file_is_refused("--fault", "number.json", b"[7]", "expected a rule, such as");
    an_impossible_status_is_refused: file_is_refused(
        "--fault",
        "status.json",
        br#"{"do": {"answer": {"status": 99}}}"#,
        "99 is",
    );
    an_unknown_operation_is_refused_with_the_known_ones: file_is_refused(
        "--fault",
        "operation.json",
        br#"[{"operation": "deleteLead", "do": "hang"}]"#,
        "createLead",
    );
}

#[test]
fn a_missing_seed_is_refused() {
    let ran = run(telecrm(&["emulator", "--seed", "no/such.json"]));
    ran.assert_refused(2, &["cannot read no/such.json"]);
}

#[test]
fn a_fault_rule_decides_an_answer() {
    let rules = TempFile::new(
        "faults.json",
        br#"[{"operation": "createOrUpdateLead", "fields": {"phone": "919999999999"}, "do": {"answer": {"status": 400}}}]"#,
    );
    let local = Local::start(&["--fault", rules.path()]);
    let ran = run_with_stdin(local.telecrm(&["push", "-", "--verify"]), TWO_ROWS);
    assert_eq!(ran.outcomes(), ["failed", "stored"], "{ran:?}");
}

#[test]
fn a_rate_limit_is_enforced() {
    let local = Local::start(&["--async-limit", "1", "--retry-after"]);
    let ran = run_with_stdin(local.telecrm(&["push", "-"]), TWO_ROWS);
    assert_eq!(ran.exit, 6, "{ran:?}");
}

#[test]
fn a_state_file_keeps_leads_and_clock_across_restarts() {
    let file = TempFile::new("state.db", b"");
    let row = r#"{"fields": {"phone": "919999999999"}}"#;
    {
        let local = Local::start(&["--state", file.path(), "--now", "2026-04-01T09:00:00+05:30"]);
        let ran = run_with_stdin(local.telecrm(&["push", "-", "--verify"]), row);
        assert_eq!(ran.outcomes(), ["stored"], "{ran:?}");
        let mut second = telecrm(&["emulator", "--listen", "127.0.0.1:0"]);
        second.args(["--state", file.path()]);
        run(second).assert_refused(1, &[file.path(), "in use by another emulator"]);
        // The emulator is killed here, so it has no time to close the file.
    }
    let database = std::fs::read(file.path()).expect("a file");
    assert!(database.starts_with(b"SQLite format 3"));
    let local = Local::start(&["--state", file.path()]);
    let found = local.search();
    assert!(found.contains(r#""total_count":1"#), "{found}");
    // The clock continues from the time that was set.
    assert!(found.contains(r#""created_on":17750142"#), "{found}");
    drop(local);
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", file.path()));
    }
}

#[test]
fn a_state_file_that_is_not_a_database_is_refused() {
    let file = TempFile::new(
        "other.db",
        b"not a database, but long enough for the header of one: it is refused",
    );
    let ran = run(telecrm(&["emulator", "--state", file.path()]));
    ran.assert_refused(1, &[file.path(), "is not a state file"]);
}

/// Records 20 pushes, of which a fault lets some fail.
fn record(name: &str) -> TempFile {
    let recording = TempFile::new(name, b"");
    std::fs::remove_file(recording.path()).expect("removed");
    let rules = TempFile::new(
        &format!("chance-of-{name}"),
        br#"[{"operation": "createOrUpdateLead", "chance": 0.5, "do": {"answer": {"status": 400}}}]"#,
    );
    let files = ["--record", recording.path(), "--fault", rules.path()];
    let local = Local::start(&[&files[..], &["--random-seed", "3"]].concat());
    let ran = run_with_stdin(local.telecrm(&["push", "-", "--verify"]), &leads(20));
    let outcomes = ran.outcomes();
    let failed = outcomes.iter().filter(|outcome| *outcome == "failed");
    assert!((1..20).contains(&failed.count()), "{ran:?}");
    recording
}

fn replay(recording: &TempFile) -> Ran {
    run(telecrm(&["emulator", "replay", recording.path()]))
}

#[test]
fn a_replay_has_the_recorded_answers() {
    let recording = record("recording.jsonl");
    let ran = replay(&recording);
    assert_eq!((ran.exit, ran.stdout.as_str()), (0, ""), "{ran:?}");
    ran.assert_stderr("all with the recorded answers");
    let text = std::fs::read_to_string(recording.path()).expect("a recording");
    assert!(!text.contains("local-token"));
}

#[test]
fn a_replay_prints_answers_that_differ() {
    let recording = record("changed.jsonl");
    let text = std::fs::read_to_string(recording.path()).expect("a recording");
    let changed = text.replacen(r#"\"QUEUED\""#, r#"\"TAKEN\""#, 1);
    std::fs::write(recording.path(), changed).expect("written");
    let ran = replay(&recording);
    assert_eq!(ran.exit, 1, "{ran:?}");
    ran.assert_stderr("POST /enterprise/ent-local/autoupdatelead");
    ran.assert_stderr("body.status: recorded \"TAKEN\", answered \"QUEUED\"");
    ran.assert_stderr("1 with another answer");
}

#[test]
fn a_file_that_is_not_a_recording_is_refused() {
    let file = TempFile::new("list.json", b"[]");
    replay(&file).assert_refused(2, &[file.path(), "recording"]);
}

#[test]
fn an_existing_file_to_record_in_is_refused() {
    let file = TempFile::new("existing.jsonl", b"");
    let ran = run(telecrm(&["emulator", "--record", file.path()]));
    ran.assert_refused(1, &[file.path(), "choose another name"]);
}
