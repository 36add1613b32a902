//! `telecrm outbox`, from adding a file to the answers of an emulator.

use crate::support::{
    Local, Ran, TempFile, TempFolder, answer, example, leads, run, scripted, telecrm,
};
use serde_json::Value;
use std::fs;
use std::process::{Command, Stdio};

/// An emulator, and the file of an outbox.
struct Fixture {
    local: Local,
    folder: TempFolder,
    store: String,
}

impl Fixture {
    fn new() -> Self {
        let folder = TempFolder::new("outbox");
        let store = folder.path("leads.outbox");
        Self { local: Local::start(&[]), folder, store }
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let arguments = [&["outbox", "--store", &self.store], arguments].concat();
        run(self.local.telecrm(&arguments))
    }

    fn add(&self, text: &str) -> Ran {
        let path = self.folder.path("leads.jsonl");
        fs::write(&path, text).expect("writes");
        self.run(&["add", &path])
    }

    /// The only record that a command prints.
    fn record(&self, arguments: &[&str]) -> Value {
        let mut rows = self.run(arguments).rows();
        assert_eq!(rows.len(), 1, "{rows:?}");
        rows.remove(0)
    }
}

#[test]
fn added_leads_are_sent_and_read_back_by_another_process() {
    let fixture = Fixture::new();
    fixture.add(&leads(3)).assert_outcomes(0, &["queued"; 3]);
    assert_eq!(fixture.record(&["status"])["waiting"], 3);
    let ran = fixture.run(&["run", "--until-empty"]);
    assert_eq!(ran.exit, 0, "{ran:?}");
    ran.assert_stderr("accepted 3, verified 3, with losses 0, dead 0");
    assert_eq!(fixture.record(&["status"])["states"]["verified"], 3);
    let stored: Value = {
        let answer = fixture.local.search();
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        serde_json::from_str(body).expect("JSON")
    };
    assert_eq!(stored["total_count"], 3);
}

#[test]
fn a_file_that_is_added_again_adds_nothing_and_its_repeated_rows_count() {
    let fixture = Fixture::new();
    let text = leads(2) + &leads(2);
    fixture.add(&text).assert_outcomes(0, &["queued"; 4]);
    let again = fixture.add(&text);
    again.assert_outcomes(0, &["queued"; 4]);
    again.assert_stderr("4 rows were in the outbox already");
    let rows = fixture.run(&["list"]).rows();
    assert_eq!(rows.len(), 4);
    // Exact repeats whose predecessor still waits are merged into it.
    assert_eq!(fixture.record(&["status"])["waiting"], 2);
}

#[test]
fn rows_that_cannot_be_sent_are_reported_and_the_others_queued() {
    let fixture = Fixture::new();
    let ran = fixture.run(&["add", &example("leads.csv")]);
    assert_eq!(ran.exit, 3, "{ran:?}");
    let outcomes = ran.outcomes();
    assert!(outcomes.iter().all(|outcome| ["queued", "rejected"].contains(&outcome.as_str())));
    let queued = outcomes.iter().filter(|outcome| *outcome == "queued").count();
    assert_eq!(fixture.run(&["list"]).rows().len(), queued);
}

#[test]
fn on_finding_stop_queues_no_later_row() {
    let fixture = Fixture::new();
    let path = fixture.folder.path("leads.csv");
    fs::write(&path, "phone,rating\n919999900001,4\n919999900002,9\n919999900003,4\n")
        .expect("writes");
    let ran = fixture.run(&["add", &path, "--on-finding", "stop"]);
    ran.assert_outcomes(3, &["queued", "skipped", "skipped"]);
}

#[test]
fn an_item_is_shown_with_its_lead_and_an_unknown_number_is_not_found() {
    let fixture = Fixture::new();
    fixture.add(&leads(1));
    let item = fixture.record(&["show", "1"]);
    assert_eq!((&item["state"], &item["lead_key"]), (&"queued".into(), &"919999900001".into()));
    assert_eq!(item["lead"]["fields"]["name"], "Lead 1");
    fixture.run(&["show", "7"]).assert_refused(5, &["there is no item 7", "hint:"]);
}

#[test]
fn a_paused_outbox_sends_nothing_and_says_so() {
    let fixture = Fixture::new();
    fixture.add(&leads(1));
    assert_eq!(fixture.run(&["status", "--probe"]).exit, 0);
    assert_eq!(fixture.run(&["pause", "moving house"]).exit, 0);
    fixture.run(&["status", "--probe"]).assert_refused(1, &["sending is paused: moving house"]);
    let refused = ["1 leads wait, but sending is paused", "outbox resume"];
    fixture.run(&["run", "--until-empty"]).assert_refused(1, &refused);
    assert_eq!(fixture.run(&["resume"]).exit, 0);
    assert_eq!(fixture.run(&["run", "--until-empty"]).exit, 0);
}

#[test]
fn exported_items_move_to_another_store_with_their_keys() {
    let fixture = Fixture::new();
    fixture.add(&leads(3));
    let exported = fixture.run(&["export"]);
    assert_eq!((exported.exit, exported.rows().len()), (0, 3));
    let file = TempFile::new("exported.jsonl", exported.stdout.as_bytes());
    let other = Fixture { store: fixture.folder.path("other.outbox"), ..fixture };
    for (added, known) in [(3, 0), (0, 3)] {
        let ran = other.run(&["add", "--exported", file.path()]);
        assert_eq!(ran.exit, 0, "{ran:?}");
        ran.assert_stderr(&format!("added {added} items; {known} were there already"));
    }
    assert_eq!(other.run(&["export"]).stdout, exported.stdout);
}

#[test]
fn a_clean_store_is_checked_pruned_and_brought_forward() {
    let fixture = Fixture::new();
    fixture.add(&leads(2));
    fixture.run(&["run", "--until-empty"]);
    fixture.run(&["check"]).assert_stderr("nothing was found");
    fixture.run(&["verify"]).assert_stderr("0 leads are read back next");
    fixture.run(&["prune", "--older-than", "720h"]).assert_stderr("removed 0 leads");
    fixture.run(&["prune", "--older-than", "0s"]).assert_stderr("removed 2 leads");
    assert_eq!(fixture.add(&leads(2)).exit, 0);
    assert_eq!(fixture.record(&["status"])["waiting"], 0, "the keys are still known");
}

#[test]
fn only_dead_items_are_queued_again_or_given_up() {
    let fixture = Fixture::new();
    fixture.add(&leads(1));
    assert_eq!(fixture.run(&["dead", "list"]).stdout, "");
    for command in ["requeue", "discard"] {
        fixture.run(&["dead", command, "1"]).assert_refused(2, &["dead", "hint:"]);
    }
}

#[test]
fn a_store_that_is_not_there_is_named() {
    let fixture = Fixture::new();
    fixture.run(&["status"]).assert_refused(2, &["there is no outbox", "--store"]);
    assert_eq!(fixture.folder.names(), [""; 0]);
    let unknown = run(telecrm(&["outbox", "--store", "mysql://x", "status"]));
    unknown.assert_refused(2, &["mysql", "hint:"]);
}

#[test]
fn a_store_of_another_enterprise_is_refused() {
    let fixture = Fixture::new();
    fixture.add(&leads(1));
    let other = Local::start(&["--enterprise", "ent-other"]);
    let path = fixture.folder.path("leads.jsonl");
    let ran = run(other.telecrm(&["outbox", "--store", &fixture.store, "add", &path]));
    ran.assert_refused(2, &["belongs to the enterprise", "hint:"]);
}

#[test]
fn a_dead_lead_is_edited_and_queued_again() {
    let fixture = Fixture::new();
    fixture.add(&leads(1));
    let body = r#"{"error":{"code":"BAD_REQUEST","message":"no"}}"#;
    let refusing = scripted(move |_| answer("400 Bad Request", "application/json", body));
    let arguments = ["outbox", "--store", &fixture.store, "run", "--until-empty"];
    let mut command = fixture.local.telecrm(&arguments);
    command.env("TELECRM_ASYNC_URL", &refusing);
    let ran = run(command);
    assert_eq!(ran.exit, 1, "{ran:?}");
    ran.assert_stderr("item 1 is dead: ");
    ran.assert_stderr("telecrm outbox dead show 1");

    let file = fixture.folder.path("lead.json");
    fs::write(&file, r#"{"fields":{"phone":"919999900001","rating":4}}"#).expect("writes");
    assert_eq!(fixture.run(&["dead", "edit", "1", &file]).exit, 0);
    fixture.run(&["dead", "requeue", "1"]).assert_stderr("item 1 is queued as 2");
    assert_eq!(fixture.run(&["run", "--until-empty"]).exit, 0);
    assert_eq!(fixture.record(&["show", "2"])["state"], "verified");
}

#[test]
fn a_run_until_empty_waits_as_long_as_it_may_and_keeps_the_leads() {
    let fixture = Fixture::new();
    fixture.add(&leads(1));
    let refused = |status: &str| {
        let answer = answer(status, "application/json", r#"{"error":{"code":"X","message":"no"}}"#);
        let url = scripted(move |_| answer.clone());
        let run_command = ["outbox", "--store", &fixture.store, "run", "--until-empty"];
        let mut command = fixture.local.telecrm(&run_command);
        command.args(["--max-wait", "0s"]).env("TELECRM_ASYNC_URL", url);
        run(command)
    };
    refused("401 Unauthorized").assert_refused(4, &["no token is accepted", "--max-wait"]);
    refused("404 Not Found").assert_refused(5, &["telecrm refuses the workspace: 404"]);
    assert_eq!(fixture.record(&["status"])["waiting"], 1);
    assert_eq!(fixture.run(&["run", "--until-empty"]).exit, 0);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_run_that_would_go_on() {
    let fixture = Fixture::new();
    fixture.add(&leads(1));
    let mut command = fixture.local.telecrm(&["outbox", "--store", &fixture.store, "run"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("starts");
    while fixture.record(&["status"])["unverified"] != 1 {}
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.expect("kills").success());
    let ran = Ran::from(child.wait_with_output().expect("ends"));
    assert_eq!(ran.exit, 130, "{ran:?}");
    ran.assert_stderr("requests in flight have 22 s to end");
}

#[test]
fn leads_are_added_and_wait_while_telecrm_is_down() {
    let mut fixture = Fixture::new();
    fixture.add(&leads(1)).assert_outcomes(0, &["queued"]);
    let stopped = std::mem::replace(&mut fixture.local.exports, Local::start(&[]).exports.clone());
    let ran = fixture.add(&leads(2));
    ran.assert_outcomes(0, &["queued"; 2]);
    ran.assert_stderr("the workspace is not up to date");
    let mut command = fixture.local.telecrm(&["outbox", "--store", &fixture.store, "run"]);
    let mut child = command.stderr(Stdio::null()).spawn().expect("starts");
    while fixture.record(&["status"])["held"].is_null() {}
    child.kill().expect("kills");
    child.wait().expect("ends");
    assert_eq!(fixture.record(&["status"])["waiting"], 2);
    fixture.local.exports = stopped;
    assert_eq!(fixture.run(&["run", "--until-empty"]).exit, 0);
    assert_eq!(fixture.record(&["status"])["states"]["verified"], 2);
}

#[test]
fn a_second_sender_of_a_store_is_refused() {
    let fixture = Fixture::new();
    fixture.add(&leads(1));
    let mut command = fixture.local.telecrm(&["outbox", "--store", &fixture.store, "run"]);
    let mut child = command.stderr(Stdio::null()).spawn().expect("starts");
    while fixture.record(&["status"])["unverified"] != 1 {}
    let second = fixture.run(&["run", "--until-empty"]);
    second.assert_refused(1, &["hint:"]);
    child.kill().expect("kills");
    child.wait().expect("ends");
    assert_eq!(fixture.run(&["run", "--until-empty"]).exit, 0, "the lock went with the process");
}
