//! `telecrm lead`, `action`, `team` and `api`.

use crate::support::{Local, Ran, TempFile, run, run_with_stdin, telecrm};
use serde_json::Value;

/// An emulator with one lead, and the ID of that lead and of its action.
struct Account {
    local: Local,
    lead: String,
    action: String,
}

impl Account {
    fn new() -> Self {
        let local = Local::start(&[]);
        let fields = ["phone=919999999999", "name=Jane Doe"];
        let created = run(local.telecrm(&[&["lead", "upsert"], &fields[..]].concat()));
        let lead = text(&created, "lead_id");
        assert_eq!(run(local.telecrm(&["action", "create", &lead, "1001", "note=called"])).exit, 0);
        let history = run(local.telecrm(&["lead", "history", &lead]));
        let action = text(&history, "id");
        Self { local, lead, action }
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        run(self.local.telecrm(arguments))
    }
}

/// The value of a key of the only line.
fn text(ran: &Ran, key: &str) -> String {
    let row = &ran.rows()[0];
    row[key].as_str().unwrap_or_else(|| panic!("{key}: {ran:?}")).to_owned()
}

const README: &str = include_str!("../../README.md");

/// The rows of the table of operations: operation, and command line.
fn operations() -> Vec<(&'static str, Vec<&'static str>)> {
    let rows = README.lines().filter_map(|line| {
        let (operation, command) = line.strip_prefix("| `")?.split_once("` | `telecrm ")?;
        let (command, _reason) = command.split_once('`')?;
        Some((operation, command.split(' ').collect()))
    });
    rows.collect()
}

#[test]
fn the_table_has_every_operation_once() {
    let mut expected: Vec<_> = telecrm::Operation::ALL.iter().map(|o| o.id()).collect();
    let mut listed: Vec<_> = operations().into_iter().map(|(operation, _)| operation).collect();
    expected.sort_unstable();
    listed.sort_unstable();
    assert_eq!(listed, expected);
}

#[test]
fn each_command_of_the_table_calls_its_operation() {
    let account = Account::new();
    let action = TempFile::new("action.json", br#"{"type":"1001","fields":{"note":"corrected"}}"#);
    let member = TempFile::new(
        "member.json",
        br#"{"name":"Ravi","email":"ravi@example.com","phone_number":"919876501234","role":"CALLER"}"#,
    );
    let leads = TempFile::new("operations.jsonl", br#"{"fields":{"phone":"919876500000"}}"#);
    for (operation, command) in operations() {
        let command: Vec<_> = command
            .iter()
            .map(|word| match *word {
                "action.json" => action.path().to_owned(),
                "member.json" => member.path().to_owned(),
                "leads.jsonl" => leads.path().to_owned(),
                word => {
                    word.replace("LEAD_ID", &account.lead).replace("ACTION_ID", &account.action)
                }
            })
            .collect();
        let before = account.local.operations().len();
        let ran = account.run(&command.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(ran.exit, 0, "{command:?}: {ran:?}");
        let called = account.local.operations().split_off(before);
        assert!(called.iter().any(|called| called == operation), "{command:?}: {called:?}");
    }
}

#[test]
fn a_written_lead_is_checked_and_repaired() {
    let account = Account::new();
    let ran = account.run(&["lead", "upsert", "phone=+91 98765 43210", "status=fresh", "rating=4"]);
    assert_eq!((ran.exit, text(&ran, "outcome").as_str()), (0, "created"), "{ran:?}");
    let lead =
        account.run(&["lead", "get", &text(&ran, "lead_id"), "--json=fields.status,fields.rating"]);
    assert_eq!(lead.stdout, "{\"fields.rating\":4,\"fields.status\":\"Fresh\"}\n");
}

#[test]
fn a_lead_that_would_lose_a_field_is_not_sent() {
    let account = Account::new();
    let ran = account.run(&["lead", "upsert", "phone=919876543210", "rating=9"]);
    ran.assert_refused(
        3,
        &["fields.rating not stored", "hint: write a whole number from 1 to 5", "--partial"],
    );
    assert_eq!(account.run(&["lead", "search", "phone=919876543210"]).stdout, "");
}

#[test]
fn the_other_fields_are_sent_on_request_and_the_loss_is_in_the_result() {
    let account = Account::new();
    let ran = account.run(&["lead", "upsert", "phone=919876543210", "rating=9", "--partial"]);
    assert_eq!(ran.exit, 3, "{ran:?}");
    assert_eq!(ran.rows()[0]["findings"][0]["path"], "fields.rating");
    assert_eq!(account.run(&["lead", "search", "phone=919876543210"]).rows().len(), 1);
}

#[test]
fn a_lead_without_identifier_is_not_sent() {
    let account = Account::new();
    for flag in [&[][..], &["--partial"]] {
        let ran = account.run(&[&["lead", "upsert", "name=Jane"], flag].concat());
        ran.assert_refused(3, &["lead dropped"]);
    }
}

#[test]
fn a_dry_run_prints_what_would_be_sent() {
    let account = Account::new();
    let before = account.local.operations();
    let ran = account.run(&["lead", "upsert", "phone=919876543210", "rating:=4", "--dry-run"]);
    assert_eq!(ran.stdout, "{\"fields\":{\"phone\":\"919876543210\",\"rating\":4}}\n");
    let ran = account.run(&["action", "create", &account.lead, "1001", "note=hi", "--dry-run"]);
    assert_eq!(ran.stdout, "{\"fields\":{\"note\":\"hi\"},\"type\":\"ACTION_1001\"}\n");
    let ran = account.run(&["api", "post", "lead/x", "--dry-run", "--query", "a=b"]);
    assert_eq!(ran.rows()[0]["method"], "POST");
    let email = "jane.doe@example.com";
    let ran = account.run(&["team", "availability", email, "working", "--dry-run"]);
    assert_eq!(ran.rows()[0]["status"], "Working");
    let writes = account.local.operations().split_off(before.len());
    let is_read =
        |operation: &String| operation.starts_with("get") || operation.starts_with("list");
    assert!(writes.iter().all(is_read), "{writes:?}");
}

#[test]
fn an_action_with_an_unknown_field_is_not_sent() {
    let account = Account::new();
    let ran = account.run(&["action", "create", &account.lead, "1001", "nota=called"]);
    ran.assert_refused(3, &["actions[0].fields.nota not stored", "hint: use `note`"]);
    assert_eq!(account.run(&["lead", "history", &account.lead]).rows().len(), 1);
}

#[test]
fn a_lead_may_come_from_standard_input() {
    let account = Account::new();
    let lead = r#"{"fields":{"phone":"919876543210"},"actions":[{"type":"ACTION_1001"}]}"#;
    let ran = run_with_stdin(account.local.telecrm(&["lead", "upsert", "--body", "-"]), lead);
    assert_eq!(ran.exit, 0, "{ran:?}");
    assert_eq!(account.run(&["lead", "history", &text(&ran, "lead_id")]).rows().len(), 1);
}

#[test]
fn a_limit_says_that_there_is_more() {
    let account = Account::new();
    account.run(&["lead", "upsert", "phone=919876543210"]);
    let ran = account.run(&["lead", "search", "--limit", "1"]);
    assert_eq!(ran.rows().len(), 1);
    ran.assert_stderr("--all lists more");
    let ran = account.run(&["lead", "search", "--all"]);
    assert_eq!((ran.rows().len(), ran.stderr.as_str()), (2, ""));
}

#[test]
fn values_of_one_field_are_alternatives() {
    let account = Account::new();
    account.run(&["lead", "upsert", "phone=919876543210"]);
    let either = ["lead", "search", "phone=919876543210", "phone=919999999999"];
    assert_eq!(account.run(&either).rows().len(), 2);
    assert_eq!(account.run(&[&either[..], &["name=Jane Doe"]].concat()).rows().len(), 1);
}

#[test]
fn a_table_has_a_header_and_its_columns_are_aligned() {
    let account = Account::new();
    let ran = account.run(&["team", "list", "--table"]);
    let lines: Vec<_> = ran.stdout.lines().collect();
    let column = |line: &str| line.find("jane.doe").or_else(|| line.find("email"));
    assert_eq!((lines.len(), column(lines[0])), (3, column(lines[1])), "{ran:?}");
}

#[test]
fn every_page_is_read() {
    let account = Account::new();
    let ran = account.run(&["api", "GET", "team-members", "--query", "limit=1", "--paginate"]);
    let emails: Vec<_> = ran.rows().iter().map(|row| row["email"].clone()).collect();
    assert_eq!(emails, ["jane.doe@example.com", "john.smith@example.com"]);
}

#[test]
fn only_lists_have_pages() {
    let ran = Account::new().run(&["api", "GET", "metadata", "--paginate"]);
    ran.assert_refused(1, &["the answer has no list `data`", "hint: leave --paginate out"]);
}

#[test]
fn errors_have_an_exit_code_each() {
    let account = Account::new();
    account.run(&["lead", "get", "nobody"]).assert_refused(5, &["LEAD_NOT_FOUND", "hint: "]);
    let mut refused = account.local.telecrm(&["team", "list"]);
    refused.env("TELECRM_SYNC_TOKEN", "wrong");
    run(refused).assert_refused(4, &["401"]);
    let mut unreachable = account.local.telecrm(&["team", "list"]);
    unreachable.env("TELECRM_SYNC_URL", "http://127.0.0.1:1/autoupdate/v2");
    run(unreachable).assert_refused(7, &["could not be reached", "hint: "]);
    run(telecrm(&["team", "list"])).assert_refused(2, &["TELECRM_SYNC_TOKEN is not set"]);
    account.run(&["api", "GET", "nix"]).assert_refused(5, &["404"]);
}

#[test]
fn a_body_that_is_not_json_is_refused() {
    let file = TempFile::new("no.json", b"phone=1");
    let account = Account::new();
    let arguments = ["api", "POST", "lead", "--body", file.path()];
    account.run(&arguments).assert_refused(2, &["the body is not JSON"]);
    let arguments = ["lead", "upsert", "--body", file.path()];
    account.run(&arguments).assert_refused(2, &[file.path()]);
    let arguments = ["lead", "upsert", "--body", "/nowhere.json"];
    account.run(&arguments).assert_refused(2, &["/nowhere.json", "hint: "]);
}

#[test]
fn the_page_in_the_app_is_named_for_telecrm_only() {
    let account = Account::new();
    let ran = account.run(&["lead", "get", &account.lead]);
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
}

#[test]
fn an_answer_is_printed_as_the_server_wrote_it() {
    let account = Account::new();
    let ran = account.run(&["api", "GET", "custom-fields/rating"]);
    let field: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(field["apiName"], "rating");
}
