//! Files that spreadsheets and exports really write: nothing of them may get lost in silence.
//!
//! The files in `tests/data` show one case of each kind. The tests add other cases of that kind.

use crate::support::{Local, Ran, TempFile, run, run_with_stdin, telecrm};
use serde_json::Value;

fn data(name: &str) -> String {
    format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn push(path: &str, options: &[&str]) -> Ran {
    let mut command = telecrm(&["push", path, "--emulator", "--verify", "--json"]);
    command.args(options);
    run(command)
}

fn push_text(name: &str, text: impl AsRef<[u8]>, options: &[&str]) -> Ran {
    push(TempFile::new(name, text.as_ref()).path(), options)
}

fn push_stdin(text: &str, options: &[&str]) -> Ran {
    let mut command = telecrm(&["push", "-", "--emulator", "--verify", "--json"]);
    command.args(options);
    run_with_stdin(command, text)
}

/// Pushes a file to an emulator. Returns the run, and the leads that are stored afterwards.
fn push_and_search(path: &str, options: &[&str]) -> (Ran, Vec<Value>) {
    let local = Local::start(&[]);
    let mut command = local.telecrm(&["push", path, "--verify", "--json"]);
    command.args(options);
    let ran = run(command);
    let answer = local.search();
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    let body: Value = serde_json::from_str(body).expect("JSON");
    let leads = body["data"].as_array().expect("a list").clone();
    (ran, leads)
}

fn lead<'a>(leads: &'a [Value], phone: &str) -> &'a Value {
    let mut leads = leads.iter();
    let found = leads.find(|lead| lead.to_string().contains(phone));
    found.unwrap_or_else(|| panic!("{phone} is not stored"))
}

/// The findings of a row: path, kind and reason.
fn findings(ran: &Ran, row: usize) -> Vec<(String, String, String)> {
    let rows = ran.rows();
    let list = rows[row - 1]["findings"].as_array().expect("a list");
    let text = |finding: &Value, key: &str| finding[key].as_str().expect("a text").to_owned();
    list.iter().map(|f| (text(f, "path"), text(f, "kind"), text(f, "reason"))).collect()
}

fn reason(ran: &Ran, row: usize, path: &str) -> String {
    let found = findings(ran, row).into_iter().find(|f| f.0 == path);
    found.unwrap_or_else(|| panic!("{path}: {ran:?}")).2
}

fn lines(ran: &Ran) -> Vec<u64> {
    let line = |row: &Value| row["line"].as_u64().expect("a line");
    ran.rows().iter().map(line).collect()
}

#[test]
fn a_quote_that_closes_in_a_later_row_hides_no_lead() {
    let path = data("quote_closes_in_a_later_row.csv");
    let (ran, leads) = push_and_search(&path, &[]);
    ran.assert_refused(2, &["line 4, column 15", "line 2, column 14", "nothing was sent"]);
    assert_eq!(leads.len(), 0);
    let (ran, leads) = push_and_search(&path, &["--on-bad-quote", "reject"]);
    ran.assert_outcomes(1, &["rejected", "stored", "stored", "stored"]);
    assert_eq!((lines(&ran), leads.len()), (vec![2, 3, 4, 5], 3));
    // From standard input, earlier rows are sent, and no later one.
    let input = format!(
        "phone,name\n919855000100,A\n{}",
        &std::fs::read_to_string(&path).expect("reads")[11..]
    );
    let ran = push_stdin(&input, &[]);
    ran.assert_outcomes(1, &["stored", "rejected"]);
    ran.assert_stdout("later rows were not read");
    push_stdin(&input, &["--on-bad-quote", "reject"])
        .assert_outcomes(1, &["stored", "rejected", "stored", "stored", "stored"]);
}

/// Asserts that nothing is sent, and the place of the fault.
fn breaks_rows(name: &str, text: &str, place: &str) {
    push_text(name, text, &[]).assert_refused(2, &[place]);
}

tests! {
    a_quote_that_swallows_whole_rows_is_a_fault: breaks_rows(
        "swallow.csv",
        "phone,name\n919855000101,\"Asha\n919855000102,Bharat\n919855000103,Chitra\"\n",
        "line 2, column 14: the record spans lines 2 to 4, and a line within it looks like a row of its own",
    );
    a_record_over_lines_with_too_few_cells_is_a_fault: breaks_rows(
        "few.csv",
        "phone,name,email\n919855000101,\"Asha\nRao\"\n919855000102,Dev,\n",
        "line 2, column 14: the record spans lines 2 to 3, and expected 3 cells, found 2",
    );
    a_quote_that_never_closes_is_a_fault:
        breaks_rows("open.csv", "phone,name\r919855000101,\"A\r", "line 2, column 14");
    a_quote_within_a_cell_is_a_fault:
        breaks_rows("inch.csv", "phone,name\n919855000101,5\" pipe\n", "line 2, column 15");
    a_blank_after_a_quote_is_a_fault:
        breaks_rows("after.csv", "phone,name\n919855000101,\"A\" \n", "line 2, column 17");
    a_cell_over_lines_with_commas_is_a_cell: is_stored(
        "address.csv",
        "phone,name\n919855000101,\"Flat 2,\nPune, MH\n\"\"Home\"\"\"\n",
        &[2],
    );
}

fn is_stored(name: &str, text: &str, expected: &[u64]) {
    let ran = push_text(name, text, &[]);
    ran.assert_outcomes(0, &vec!["stored"; expected.len()]);
    assert_eq!(lines(&ran), expected);
}

#[test]
fn quotes_against_rfc_4180_are_named_with_line_and_column() {
    let path = data("backslash_and_blank_before_quotes.csv");
    push(&path, &[]).assert_refused(
        2,
        &[
            "line 2, column 21: text after a closing quote\n  hint: write \"\" for a quote",
            "line 3, column 15: a blank before a quote",
            "line 4, column 20: text after a closing quote",
            "3 rows are broken",
        ],
    );
    push(&path, &["--on-bad-quote", "reject"]).assert_outcomes(1, &["rejected"; 3]);
}

#[test]
fn the_first_twenty_bad_quotes_are_printed() {
    let text = format!("phone,name\n{}", "1,a\"b\n".repeat(25));
    let ran = push_text("many.csv", text, &[]);
    ran.assert_refused(2, &["line 21, column 4", "25 rows are broken"]);
    assert!(!ran.stderr.contains("line 22,"), "{ran:?}");
}

#[test]
fn a_later_row_of_a_lead_names_the_values_that_it_replaces() {
    let path = data("lead_in_two_rows.csv");
    let (ran, leads) = push_and_search(&path, &[]);
    ran.assert_outcomes(0, &["stored", "stored"]);
    assert_eq!(findings(&ran, 1), []);
    assert_eq!(reason(&ran, 2, "fields.name"), "row 1 wrote Asha");
    assert_eq!(reason(&ran, 2, "fields.email"), "row 1 wrote asha@example.com");
    assert_eq!(leads.len(), 1);
    assert!(leads[0].to_string().contains("Bharat"), "{leads:?}");
}

#[test]
fn on_repeat_skip_keeps_the_first_row() {
    let path = data("lead_in_two_rows.csv");
    let (ran, leads) = push_and_search(&path, &["--on-repeat", "skip"]);
    ran.assert_outcomes(3, &["stored", "skipped"]);
    assert_eq!(ran.error_kinds()[1].as_deref(), Some("repeated_lead"));
    assert!(leads[0].to_string().contains("Asha"), "{leads:?}");
}

#[test]
fn on_repeat_stop_ends_the_run_at_the_later_row() {
    let text = "phone,name\n919855000301,A\n919855000301,B\n919855000302,C\n";
    let ran = push_text("stop.csv", text, &["--on-repeat", "stop"]);
    ran.assert_outcomes(3, &["stored", "skipped", "skipped"]);
    ran.assert_stderr("stopped at row 2, whose lead an earlier row has");
}

#[test]
fn repeats_are_found_on_standard_input_and_between_spellings() {
    let ran = push_stdin("phone,name\n9855000301,A\n9855000302,B\n+91 98550-00301,C\n", &[]);
    ran.assert_outcomes(0, &["stored"; 3]);
    assert_eq!(reason(&ran, 3, "fields.name"), "row 1 wrote A");
}

#[test]
fn a_row_that_repeats_all_values_has_no_finding() {
    let ran = push_text("same.csv", "phone,name\n919855000301,A\n919855000301,A\n", &[]);
    ran.assert_outcomes(0, &["stored"; 2]);
    assert_eq!(findings(&ran, 2), []);
}

#[test]
fn a_payment_in_two_rows_is_reported() {
    let row = |name: &str, amount: &str| {
        format!(
            r#"{{"fields":{{"phone":"919855000301","name":"{name}"}},"actions":[{{"type":"PAYMENT","status":"COMPLETED","currency":"INR","amount":"{amount}"}}]}}"#
        )
    };
    let text = [row("A", "500"), row("A", "600"), row("A", "500")].join("\n");
    let ran = push_stdin(&text, &[]);
    assert_eq!(findings(&ran, 2), [], "{ran:?}");
    assert_eq!(reason(&ran, 3, "actions[0]"), "row 1 has the same payment");
}

#[test]
fn blank_tags_leave_the_tags_as_they_are() {
    let (ran, leads) = push_and_search(&data("blank_tags.csv"), &[]);
    ran.assert_outcomes(0, &["stored"; 4]);
    for phone in ["919855000401", "919855000402"] {
        assert!(lead(&leads, phone).to_string().contains("VIP"), "{leads:?}");
    }
}

#[test]
fn a_cell_of_invisible_characters_is_absent_and_reported() {
    let (ran, leads) = push_and_search(&data("invisible_cell.csv"), &[]);
    ran.assert_outcomes(0, &["stored"; 2]);
    let expected = "the cell has only invisible characters, U+200B zero width space";
    assert_eq!(reason(&ran, 2, "fields.name"), expected);
    assert!(lead(&leads, "919855000501").to_string().contains("Asha"), "{leads:?}");
}

#[test]
fn every_kind_of_blank_leaves_the_value_as_it_is() {
    let blanks =
        [" ", "\t", "\u{a0}", "\u{feff}", "\u{2060}", "\u{3164}", "\u{202e}", "\u{ad}", "\u{2028}"];
    let rows: String =
        blanks.iter().map(|blank| format!("919855000501,{blank},{blank},{blank}\n")).collect();
    let header = "phone,name,interests,action.1001.note\n919855000501,Asha,VIP,\n";
    let file = TempFile::new("blanks.csv", format!("{header}{rows}").as_bytes());
    let (ran, leads) = push_and_search(file.path(), &[]);
    ran.assert_outcomes(0, &[["stored"].as_slice(), &["stored"; 9]].concat());
    let stored = leads[0].to_string();
    assert!(stored.contains("Asha") && stored.contains("VIP"), "{stored}");
}

#[test]
fn a_blank_action_cell_adds_no_action() {
    let local = Local::start(&[]);
    let path = data("blank_action_cell.csv");
    run(local.telecrm(&["push", &path, "--verify"])).assert_outcomes(0, &["stored"; 2]);
    let answer = local.search();
    let ids: Vec<_> = answer.split("\"id\":\"").skip(1).collect();
    assert_eq!(ids.len(), 2, "{answer}");
    for id in ids {
        let id = id.split('"').next().expect("an ID");
        let actions = local.sync_post(&format!("lead/{id}/action/search"));
        assert!(actions.contains("\"data\":[]"), "{actions}");
    }
}

#[test]
fn known_tags_are_split_at_commas_and_others_are_not_created() {
    let (ran, leads) = push_and_search(&data("tags_with_commas.csv"), &[]);
    ran.assert_outcomes(0, &["stored"; 2]);
    assert_eq!((findings(&ran, 1), findings(&ran, 2)), (vec![], vec![]));
    let stored = lead(&leads, "919855001202").to_string();
    assert!(!stored.contains("VIP;Returning") && stored.contains("Returning"), "{stored}");
    let ran = push_text("tags.csv", "phone,interests\n919855001201,\"VIP, Nobody\"\n", &[]);
    ran.assert_outcomes(3, &["differs"]);
    assert_eq!(findings(&ran, 1)[0].1, "field_dropped");
}

fn is_refused(name: &str, texts: &[&str]) {
    let (ran, leads) = push_and_search(&data(name), &[]);
    ran.assert_refused(2, texts);
    assert_eq!(leads.len(), 0);
}

tests! {
    a_file_without_a_header_is_refused:
        is_refused("no_header.csv", &["line 1: no column is a field of this workspace"]);
    json_named_csv_is_refused: is_refused("json_named.csv", &["JSON lines", "--format jsonl"]);
    a_file_without_an_identifier_column_is_refused:
        is_refused("no_identifier_column.csv", &["no column is the lead identifier `phone`"]);
    csv_named_jsonl_is_refused: text_is_refused(
        "csv.jsonl",
        "phone,name\n919855001501,A\n",
        &["line 1: this is not JSON", "--format csv"],
    );
    a_json_list_that_is_cut_off_is_refused: text_is_refused(
        "cut.json",
        "[{\"fields\":{\"phone\":\"919855001501\"}},\n{\"fields\":",
        &["line 2: the input ends within a lead"],
    );
    a_header_of_labels_is_refused:
        text_is_refused("labels.csv", "Mobile No.,Full name\n1,A\n", &["no column is a field"]);
}

fn text_is_refused(name: &str, text: &str, texts: &[&str]) {
    push_text(name, text, &[]).assert_refused(2, texts);
}

#[test]
fn formats_are_found_by_the_first_character_or_named() {
    let lead = r#"{"fields":{"phone":"919855001502","name":"A"}}"#;
    let pretty = "{\n  \"fields\": {\n    \"phone\": \"919855001502\"\n  }\n}\n";
    let list = format!("\n[\n{lead},\r\n{lead}]\n");
    let csv = "phone,name\n919855001502,A\n919855001503,B\n";
    for (text, expected) in [
        (lead, vec![1]),
        (pretty, vec![1]),
        (&[pretty, pretty].concat(), vec![1, 6]),
        (&list, vec![3, 4]),
        (csv, vec![2, 3]),
        (&format!("\u{feff}{lead}\n\n{lead}"), vec![1, 3]),
    ] {
        let ran = push_stdin(text, &[]);
        assert_eq!((ran.exit, lines(&ran)), (0, expected), "{text}: {ran:?}");
    }
    push_text("a.jsonl", &list, &[]).assert_outcomes(0, &["stored"; 2]);
    push_text("b.jsonl", pretty, &[]).assert_outcomes(0, &["stored"]);
    push_text("a.json", &list, &[]).assert_outcomes(0, &["stored"; 2]);
    push_text("a.txt", csv, &["--format", "csv"]).assert_outcomes(0, &["stored"; 2]);
    push(&data("json_named.csv"), &["--format", "jsonl"]).assert_outcomes(0, &["stored"]);
}

#[test]
fn rows_of_separators_are_passed_over() {
    let ran = push(&data("rows_of_separators.csv"), &[]);
    ran.assert_outcomes(0, &["stored"]);
    let text = "phone,name\n\n , \u{a0}\n919855001601,A\n\"\",\"\"\n,,,\n919855001602,B\n";
    is_stored("separators.csv", text, &[4, 7]);
}

#[test]
fn surplus_empty_cells_and_columns_are_passed_over() {
    is_stored("surplus.csv", "phone,name,,\n919855001601,A,,\n919855001602,B,,,\n", &[2, 3]);
    let ran = push_text("more.csv", "phone,name\n919855001601,A,B\n", &[]);
    ran.assert_outcomes(1, &["rejected"]);
    ran.assert_stdout("line 2: expected 2 cells, found 3");
}

#[test]
fn separators_are_found_in_the_header_and_named() {
    let ran = push(&data("pipe_separator.csv"), &[]);
    ran.assert_outcomes(3, &["differs"]);
    ran.assert_stderr("cells are separated by '|'");
    assert_eq!(findings(&ran, 1)[0].0, "fields.city, state");
    let ran = push(&data("sep_line.csv"), &[]);
    ran.assert_outcomes(0, &["stored"]);
    assert_eq!(lines(&ran), [3]);
    for (text, named) in [
        ("phone;name\n919855001701;A\n", "';'"),
        ("phone\tname\n919855001701\tA\n", "'\\t'"),
        ("sep=;\r\nphone;name\r\n919855001701;\"A;B\"\r\n", "';'"),
        ("\"sep=|\"\nphone|name\n919855001701|A\n", "'|'"),
    ] {
        let ran = push_text("sep.csv", text, &[]);
        ran.assert_outcomes(0, &["stored"]);
        ran.assert_stderr(&format!("cells are separated by {named}"));
    }
    let ran = push_text("colon.csv", "phone:name\n919855001701:A\n", &["--delimiter", ":"]);
    ran.assert_outcomes(0, &["stored"]);
}

#[test]
fn line_numbers_are_right_for_every_line_end() {
    push(&data("cr_line_ends.csv"), &[]).assert_refused(2, &["line 4, column 14"]);
    let ran = push(&data("cr_line_ends.csv"), &["--on-bad-quote", "reject"]);
    ran.assert_outcomes(1, &["stored", "rejected", "rejected", "stored"]);
    assert_eq!(lines(&ran), [2, 3, 4, 5]);
    ran.assert_stdout("line 3: expected 2 cells, found 1");
    for end in ["\n", "\r\n", "\r"] {
        let csv = ["phone,name", "", "919855001901,\"A", "B\"", "919855001902,C", ""].join(end);
        assert_eq!(lines(&push_text("ends.csv", csv, &[])), [3, 5], "{end:?}");
        let lead = r#"{"fields":{"phone":"919855001901"}}"#;
        let jsonl = [lead, "", lead].join(end);
        assert_eq!(lines(&push_text("ends.jsonl", jsonl, &[])), [1, 3], "{end:?}");
        let json = ["[", lead, ",", lead, "]"].join(end);
        assert_eq!(lines(&push_text("ends.json", json, &[])), [2, 4], "{end:?}");
    }
}

#[test]
fn half_characters_and_huge_numbers_are_errors_with_their_place() {
    let ran = push(&data("half_character_and_huge_number.jsonl"), &[]);
    ran.assert_outcomes(1, &["rejected"; 2]);
    ran.assert_stdout("line 1: fields.name: half a character at column");
    ran.assert_stdout("line 2: fields.deal_size: the number at column 51 is too large");
    let action = |note: &str| {
        format!(
            r#"{{"fields":{{"phone":"919855002001"}},"actions":[{{"type":"ACTION_1001","fields":{{"note":{note}}}}}]}}"#
        )
    };
    let rows = [action(r#""\ude00""#), action(r#""\ud83d\ud83d""#), action("[-1e999]")];
    let ran = push_stdin(&rows.join("\n"), &[]);
    ran.assert_outcomes(1, &["rejected"; 3]);
    assert_eq!(ran.stdout.matches(": actions[0]: ").count(), 3, "{ran:?}");
    push_stdin(&action(r#""\ud83d\ude00 \\ud83d""#), &[]).assert_outcomes(0, &["stored"]);
}

#[test]
fn a_text_in_a_number_column_has_a_reason_to_act_on() {
    let ran = push(&data("numbers_that_are_text.csv"), &[]);
    ran.assert_outcomes(3, &["differs"; 3]);
    let path = "fields.deal_size";
    assert_eq!(reason(&ran, 1, path), "`0500` begins with zeros, which a number does not keep");
    assert_eq!(reason(&ran, 2, path), "`1,00,000` groups its digits");
    assert!(reason(&ran, 3, path).contains("more digits"));
    let suggestion = &ran.rows()[1]["findings"][0]["suggestion"];
    assert_eq!(suggestion, "write 100000");
}

#[test]
fn encodings_are_found_in_the_text_and_named() {
    let ran = push(&data("utf16_without_mark.csv"), &[]);
    ran.assert_outcomes(0, &["stored"]);
    ran.assert_stderr("the text is UTF-16LE");
    let text = "phone,name\n919855002501,José\n919855002502,Zoë\n";
    let utf_16 = |mark: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        let text = format!("{mark}{text}");
        text.encode_utf16().flat_map(bytes).collect()
    };
    let windows: Vec<u8> = text.chars().map(|c| c as u8).collect();
    for (bytes, named) in [
        (utf_16("\u{feff}", u16::to_le_bytes), "UTF-16LE"),
        (utf_16("\u{feff}", u16::to_be_bytes), "UTF-16BE"),
        (utf_16("", u16::to_be_bytes), "UTF-16BE"),
        (windows.clone(), "windows-1252"),
    ] {
        let file = TempFile::new("encoded.csv", &bytes);
        let (ran, leads) = push_and_search(file.path(), &[]);
        ran.assert_outcomes(0, &["stored"; 2]);
        ran.assert_stderr(&format!("the text is {named}"));
        let stored = lead(&leads, "919855002501").to_string();
        assert!(stored.contains("José"), "{named}: {stored}");
    }
    let ran = push_text("latin.csv", &windows, &["--encoding", "utf-8"]);
    ran.assert_outcomes(1, &["rejected"; 2]);
    ran.assert_stdout("line 2: cell 2 is not UTF-8");
    let ran = push_text("marked.csv", format!("\u{feff}{text}"), &[]);
    ran.assert_outcomes(0, &["stored"; 2]);
    assert!(!ran.stderr.contains("the text is"), "{ran:?}");
}

#[test]
fn a_number_without_country_code_is_counted_once_in_the_summary() {
    let text = "phone,alternate_phone\n9855000301,9855000302\n919855000303,+919855000304\n";
    let ran = push_text("national.csv", text, &[]);
    ran.assert_outcomes(0, &["stored"; 2]);
    assert_eq!(findings(&ran, 1), []);
    ran.assert_stderr("default country's code: 2");
}
