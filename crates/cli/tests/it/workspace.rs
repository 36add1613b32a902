//! `telecrm workspace`: fields, pull and diff.

use crate::support::{Local, Ran, TempFolder, run, telecrm};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// An emulator, and a folder for lock files.
struct Account {
    local: Local,
    folder: TempFolder,
}

impl Account {
    fn new(name: &str) -> Self {
        Self { local: Local::start(&[]), folder: TempFolder::new(name) }
    }

    fn lock(&self) -> String {
        self.folder.path("telecrm.lock.json")
    }

    fn pull(&self) -> Value {
        let lock = self.lock();
        let flags = ["--default-country", "IN", "--time-zone", "Asia/Kolkata"];
        let pull = [&["workspace", "pull", "--lock", &lock], &flags[..]].concat();
        let ran = run(self.local.telecrm(&pull));
        assert_eq!((ran.exit, ran.stderr), (0, format!("wrote {lock}\n")));
        serde_json::from_str(&std::fs::read_to_string(lock).expect("a file")).expect("JSON")
    }

    fn write_lock(&self, lock: &Value) {
        std::fs::write(self.lock(), lock.to_string()).expect("writes");
    }
}

#[test]
fn fields_lists_the_names_of_a_header() {
    let account = Account::new("fields");
    let ran = run(account.local.telecrm(&["workspace", "fields"]));
    let rows = ran.rows();
    let row = |name: &str| rows.iter().find(|row| row["name"] == name).expect(name).clone();
    let phone = json!({"name": "phone", "type": "PHONE", "identifier": true, "options": []});
    assert_eq!(row("phone"), phone);
    assert!(row("status")["options"].as_array().expect("a list").contains(&json!("Fresh")));
    assert_eq!(row("action.1001.note")["type"], "TEXT");
}

#[test]
fn a_lock_file_needs_no_account() {
    let account = Account::new("offline");
    account.pull();
    let lock = account.lock();
    let online = run(account.local.telecrm(&["workspace", "fields"]));
    let offline = run(telecrm(&["workspace", "fields", "--lock", &lock]));
    // The lock file is sorted.
    let sorted = |ran: &Ran| ran.stdout.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!((offline.exit, sorted(&offline)), (0, sorted(&online)));
}

#[test]
fn a_lock_file_is_private_and_has_nothing_personal() {
    let account = Account::new("pull");
    let lock = account.pull();
    assert_eq!(lock["lock"], 1);
    assert_eq!(lock["emulator"], json!({"defaultCountry": "IN", "timeZone": "Asia/Kolkata"}));
    assert_eq!((&lock["metadata"]["id"], &lock["teamMembers"]), (&Value::Null, &Value::Null));
    let text = lock.to_string();
    assert!(!text.contains("createdBy") && !text.contains('@'), "{text}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(account.lock()).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn pulling_twice_writes_the_same_file() {
    let account = Account::new("twice");
    assert_eq!(account.pull(), account.pull());
    assert_eq!(account.folder.names(), ["telecrm.lock.json"]);
}

#[test]
fn settings_that_no_endpoint_returns_are_asked_for() {
    let account = Account::new("warning");
    let ran = run(account.local.telecrm(&["workspace", "pull", "--lock", &account.lock()]));
    ran.assert_stderr("warning: the lock file has no `defaultCountry`");
    ran.assert_stderr("give it with --time-zone");
    assert_eq!(ran.exit, 0);
}

#[test]
fn an_emulator_starts_from_a_lock_file() {
    let account = Account::new("seed");
    account.pull();
    let lock = account.lock();
    let other = Local::start(&["--seed", &lock]);
    let ran = run(other.telecrm(&["workspace", "diff", "--lock", &lock, "--exit-code"]));
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, "no change\n"));
}

#[test]
fn diff_ends_with_3_if_a_change_is_breaking() {
    let account = Account::new("diff");
    let mut lock = account.pull();
    let fields = lock["customFields"].as_array_mut().expect("a list");
    fields.push(json!({"apiName": "gone", "type": "TEXT"}));
    account.write_lock(&lock);
    let path = account.lock();
    let diff = ["workspace", "diff", "--lock", &path];
    let ran = run(account.local.telecrm(&[&diff[..], &["--exit-code"]].concat()));
    assert_eq!(ran.exit, 3, "{ran:?}");
    let removed = json!({"breaking": true, "change": "removed", "part": "field `gone`"});
    assert_eq!(ran.rows(), [removed]);
    assert_eq!(run(account.local.telecrm(&diff)).exit, 0);
}

#[test]
fn a_new_field_is_not_breaking() {
    let account = Account::new("added");
    let mut lock = account.pull();
    let fields = lock["customFields"].as_array_mut().expect("a list");
    fields.retain(|field| field["apiName"] != "budget");
    account.write_lock(&lock);
    let path = account.lock();
    let ran = run(account.local.telecrm(&["workspace", "diff", "--lock", &path, "--exit-code"]));
    assert_eq!((ran.exit, &ran.rows()[0]["change"]), (0, &json!("added")));
}

fn refuses_the_lock_file(content: &str, texts: &[&str]) {
    let folder = TempFolder::new("bad");
    let path = folder.path("bad.json");
    std::fs::write(&path, content).expect("writes");
    run(telecrm(&["workspace", "fields", "--lock", &path])).assert_refused(2, texts);
}

#[test]
fn bad_lock_files_are_refused_with_their_place() {
    refuses_the_lock_file("", &["bad.json", "invalid JSON"]);
    refuses_the_lock_file(r#"{"lock":2,"customFields":[]}"#, &["lock", "version 2", "hint: "]);
    refuses_the_lock_file(r#"{"lock":1}"#, &["customFields", "is missing"]);
    refuses_the_lock_file(r#"{"lock":1,"lock":1}"#, &["duplicate key `lock`"]);
}

#[test]
fn a_missing_lock_file_says_how_to_write_it() {
    let arguments = ["workspace", "fields", "--lock", "/nowhere/telecrm.lock.json"];
    run(telecrm(&arguments)).assert_refused(2, &["/nowhere", "hint: ", "workspace pull"]);
}

#[test]
fn a_folder_that_cannot_be_written_leaves_no_file() {
    let account = Account::new("readonly");
    let path = account.folder.path("missing/telecrm.lock.json");
    let ran = run(account.local.telecrm(&["workspace", "pull", "--lock", &path]));
    assert_eq!(ran.exit, 1, "{ran:?}");
    ran.assert_stderr("cannot write");
    assert!(account.folder.names().is_empty());
}
