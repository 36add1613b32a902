//! `telecrm check`, and `push --dry-run`.

use crate::support::{Local, Ran, TempFile, TempFolder, example, run, telecrm};
use std::fs;

/// A folder with a lock file of the sample workspace.
fn lock() -> (TempFolder, String) {
    let folder = TempFolder::new("lock");
    let path = folder.path("telecrm.lock.json");
    let local = Local::start(&[]);
    let pull = local.telecrm(&[
        "workspace",
        "pull",
        "--lock",
        &path,
        "--default-country",
        "IN",
        "--time-zone",
        "Asia/Kolkata",
    ]);
    assert_eq!(run(pull).exit, 0);
    (folder, path)
}

fn check(file: &str, lock: &str, options: &[&str]) -> Ran {
    run(telecrm(&[&["check", file, "--lock", lock], options].concat()))
}

#[test]
fn a_file_is_checked_without_a_network() {
    let (_folder, lock) = lock();
    let ran = check(&example("leads.csv"), &lock, &["--table"]);
    assert_eq!(ran.exit, 3, "{ran:?}");
    insta::assert_snapshot!(ran.stdout);
    let threads = |number| check(&example("leads.csv"), &lock, &["--threads", number]);
    assert_eq!(threads("1").stdout, threads("3").stdout);
}

#[test]
fn exit_codes_tell_unreadable_rows_from_losses() {
    let (_folder, lock) = lock();
    for (text, exit, outcome) in [
        ("phone\n919999900001\n", 0, "clean"),
        ("phone\n+91 99999-00001\n", 0, "repaired"),
        ("phone,rating\n919999900001,9\n", 3, "lossy"),
        ("phone,rating\n99,4\n", 3, "rejected"),
        ("phone,rating\n919999900001\n", 1, "rejected"),
    ] {
        let file = TempFile::new(&format!("{outcome}-{exit}.csv"), text.as_bytes());
        check(file.path(), &lock, &[]).assert_outcomes(exit, &[outcome]);
    }
}

#[test]
fn a_column_may_be_an_api_name_with_signs() {
    let (_folder, lock) = lock();
    let text = fs::read_to_string(&lock).expect("the lock file");
    let mut workspace: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let field = serde_json::json!({ "apiName": "shown_(100%)", "label": "Shown?", "type": "TEXT" });
    workspace["customFields"].as_array_mut().expect("a list").push(field);
    fs::write(&lock, workspace.to_string()).expect("writes");
    let text = "phone,shown_(100%)\n919999900001,often\n";
    let file = TempFile::new("signs.csv", text.as_bytes());
    check(file.path(), &lock, &[]).assert_outcomes(0, &["clean"]);
}

#[test]
fn a_later_row_says_what_it_replaces() {
    let (_folder, lock) = lock();
    let text = "phone,name\n919999900001,Asha\n919999900001,Bharat\n";
    let file = TempFile::new("repeat.csv", text.as_bytes());
    let ran = check(file.path(), &lock, &[]);
    ran.assert_outcomes(0, &["clean", "clean"]);
    ran.assert_stdout("row 1 wrote Asha");
}

#[test]
fn check_and_push_refuse_the_same_files() {
    let (_folder, lock) = lock();
    let file = TempFile::new("quote.csv", b"phone,name\n919999900001,\"A\"b\n");
    check(file.path(), &lock, &[]).assert_refused(2, &["line 2, column", "text after"]);
    check(&example("leads.csv"), "nowhere.json", &[]).assert_refused(2, &["nowhere.json"]);
    let without = run(telecrm(&["check", &example("leads.csv")]));
    without.assert_refused(2, &["TELECRM_SYNC_TOKEN is not set", "--lock"]);
}

#[test]
fn check_uses_the_account_and_sends_nothing() {
    let local = Local::start(&[]);
    let ran = run(local.telecrm(&["check", &example("leads.csv")]));
    assert_eq!(ran.exit, 3, "{ran:?}");
    let dry = run(local.telecrm(&["push", &example("leads.csv"), "--dry-run", "--verify"]));
    assert_eq!((dry.exit, &dry.stdout), (3, &ran.stdout), "{dry:?}");
    dry.assert_stderr("less than a minute");
    assert!(!local.search().contains("919999900001"));
}

#[test]
fn reasons_are_summed_up_with_their_first_rows() {
    let (_folder, lock) = lock();
    let rows: String = (0..9).map(|row| format!("91999990000{row},9\n")).collect();
    let file = TempFile::new("reasons.csv", format!("phone,rating\n{rows}").as_bytes());
    let ran = check(file.path(), &lock, &[]);
    ran.assert_stderr("9 rows: fields.rating not stored");
    ran.assert_stderr(": rows 1, 2, 3, 4, 5 …");
}

#[test]
fn a_lock_file_that_is_none_is_refused() {
    let folder = TempFolder::new("bad-lock");
    fs::write(folder.path("lock.json"), "{").expect("writes");
    check(&example("leads.csv"), &folder.path("lock.json"), &[])
        .assert_refused(2, &["lock.json: invalid JSON"]);
}
