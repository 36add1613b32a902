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
    push_to(&Local::start(&[]), path, options)
}

fn push_to(local: &Local, path: &str, options: &[&str]) -> (Ran, Vec<Value>) {
    let mut command = local.telecrm(&["push", path, "--verify", "--json"]);
    command.args(options);
    let ran = run(command);
    let answer = local.search();
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    let body: Value = serde_json::from_str(body).expect("JSON");
    let leads = body["data"].as_array().expect("a list").clone();
    (ran, leads)
}

/// The field of the stored lead with this phone number.
fn stored(leads: &[Value], phone: &str, field: &str) -> Value {
    lead(leads, phone)["fields"][field].clone()
}

/// The kinds of the findings of each row, with `+` if repaired.
fn kinds(ran: &Ran) -> Vec<String> {
    let kind = |finding: &Value| {
        let sign = if finding["repaired"] == true { "+" } else { "" };
        format!("{}{sign}", finding["kind"].as_str().expect("a text"))
    };
    let kinds = |row: &Value| -> Vec<String> {
        row["findings"].as_array().expect("a list").iter().map(kind).collect()
    };
    ran.rows().iter().map(|row| kinds(row).join(" ")).collect()
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

#[test]
fn numbers_that_are_no_milliseconds_are_doubtful() {
    let (ran, leads) = push_and_search(&data("dates_as_numbers.jsonl"), &["--on-finding", "stop"]);
    ran.assert_outcomes(0, &["stored"; 3]);
    assert_eq!(kinds(&ran), ["doubtful"; 3]);
    assert_eq!(stored(&leads, "919855000701", "follow_up_date"), 46_174);
    let hints: Vec<Value> =
        ran.rows().iter().map(|row| row["findings"][0]["suggestion"].clone()).collect();
    assert_eq!(
        hints,
        [
            "as a spreadsheet's day, it is 2026-06-01",
            "as year, month and day, it is 2026-06-01",
            "divide microseconds by 1000"
        ]
    );
    let reason = reason(&ran, 3, "fields.follow_up_date");
    assert_eq!(reason, "as milliseconds, the date is in the year 58385");
    let date = |n: i64| {
        format!(
            "{{\"fields\":{{\"phone\":\"9198550007{:02}\",\"follow_up_date\":{n}}}}}\n",
            n.rem_euclid(89)
        )
    };
    // A birthday in 1970 at midnight, one before it, today, and the end of 2099.
    let plausible =
        [1_103_400_000, 86_400_000, -631_152_000_000, 1_780_290_000_000, 4_102_358_400_000];
    let ran = push_stdin(&plausible.map(date).concat(), &[]);
    assert_eq!((ran.exit, kinds(&ran)), (0, vec![String::new(); 5]), "{ran:?}");
    let odd = [0, 1_780_290_000, 1_780_290_000_000_000_000, -2_300_000_000_000, 7_258_118_400_000];
    let ran = push_stdin(&odd.map(date).concat(), &[]);
    assert_eq!((ran.exit, kinds(&ran)), (0, vec!["doubtful".to_owned(); 5]), "{ran:?}");
}

#[test]
fn creation_times_of_actions_in_seconds_or_days_are_doubtful() {
    let ran = push(&data("created_on_in_other_units.jsonl"), &[]);
    ran.assert_outcomes(0, &["stored"; 2]);
    let path = "actions[0].created_on";
    let expected = "as milliseconds, the date is in the year 1970";
    assert_eq!((reason(&ran, 1, path), reason(&ran, 2, path)), (expected.into(), expected.into()));
    assert_eq!(kinds(&ran), ["doubtful"; 2]);
}

#[test]
fn old_and_far_dates_are_stored() {
    for options in
        [&[][..], &["--no-check"], &["--time-zone", "UTC"], &["--time-zone", "Asia/Dubai"]]
    {
        let ran = push(&data("old_and_far_dates.csv"), options);
        ran.assert_outcomes(0, &["stored"; 3]);
    }
    let (_, leads) = push_and_search(&data("old_and_far_dates.csv"), &["--verify-timeout", "2s"]);
    // Clocks in India showed local mean time before 1906.
    assert_eq!(stored(&leads, "919855000901", "follow_up_date"), -2_209_008_070_000_i64);
    assert_eq!(stored(&leads, "919855000902", "follow_up_date"), 253_402_194_600_000_i64);
    let last = "phone,follow_up_date\n919855000901,31/12/9999 23:59\n";
    for zone in ["UTC", "Asia/Kolkata", "America/New_York"] {
        push_text("last.csv", last, &["--time-zone", zone]).assert_outcomes(0, &["stored"]);
    }
}

#[test]
fn a_column_of_dates_in_another_format_causes_one_warning_with_the_flag() {
    let path = data("month_first_dates.csv");
    let (ran, _) = push_and_search(&path, &[]);
    ran.assert_outcomes(3, &["differs", "differs", "stored", "stored"]);
    ran.assert_stderr(
        "column `follow_up_date`: 2 of 4 dates do not fit DD/MM/YYYY HH:mm, and all fit MM/DD/YYYY",
    );
    ran.assert_stderr("--date-format 'follow_up_date=MM/DD/YYYY'");
    assert_eq!(ran.stderr.matches("warning:").count(), 1, "{ran:?}");
    let (ran, leads) = push_and_search(&path, &["--date-format", "follow_up_date=MM/DD/YYYY"]);
    ran.assert_outcomes(0, &["stored"; 4]);
    assert!(!ran.stderr.contains("warning:"), "{ran:?}");
    // 5 June 2026 in India.
    assert_eq!(stored(&leads, "919855001003", "follow_up_date"), 1_780_597_800_000_i64);
}

#[test]
fn an_action_column_has_a_warning_and_a_format_as_well() {
    let text = "phone,action.1001.next_visit\n919855001001,Jun 13, 2026\n"
        .replace("Jun 13, 2026", "\"Jun 13, 2026\"");
    let ran = push_text("visits.csv", &text, &[]);
    ran.assert_outcomes(3, &["differs"]);
    ran.assert_stderr("--date-format 'action.1001.next_visit=MMM DD, YYYY'");
    let ran =
        push_text("visits.csv", &text, &["--date-format", "action.1001.next_visit=MMM D, YYYY"]);
    ran.assert_outcomes(0, &["stored"]);
}

#[test]
fn dates_that_check_repairs_cause_no_warning() {
    let text = "phone,follow_up_date\n919855001001,2026-06-13\n919855001002, 01/06/2026\n";
    let ran = push_text("iso.csv", text, &[]);
    ran.assert_outcomes(0, &["stored"; 2]);
    assert!(!ran.stderr.contains("warning:"), "{ran:?}");
}

#[test]
fn a_cell_that_does_not_fit_its_named_format_is_a_loss() {
    let text = "phone,follow_up_date\n919855001001,13/06/2026\n919855001002,06/13/2026\n";
    let flag = "follow_up_date=MM/DD/YYYY";
    let (ran, leads) = push_and_search(
        TempFile::new("misfit.csv", text.as_bytes()).path(),
        &["--date-format", flag],
    );
    ran.assert_outcomes(3, &["differs", "stored"]);
    assert_eq!(
        reason(&ran, 1, "fields.follow_up_date"),
        "the cell does not fit --date-format MM/DD/YYYY"
    );
    assert_eq!(stored(&leads, "919855001001", "follow_up_date"), Value::Null);
    let ran = push_text("misfit.csv", text, &["--date-format", flag, "--on-finding", "skip"]);
    ran.assert_outcomes(3, &["skipped", "stored"]);
}

#[test]
fn a_date_format_is_refused_where_it_cannot_apply() {
    let text = "phone,follow_up_date\n919855001001,13/06/2026\n";
    let refused = |format: &str, reason: &str| {
        push_text("refused.csv", text, &["--date-format", format]).assert_refused(2, &[reason]);
    };
    refused("name=DD/MM/YYYY", "`name` is not a date column");
    refused("phone=DD/MM/YYYY", "`phone` is not a date column");
    refused("follow_up_date=soon", "needs a day, a month and a year");
    refused("DD/MM/YYYY", "expected COLUMN=FORMAT");
    let lead = r#"{"fields":{"phone":"919855001001"}}"#;
    push_stdin(lead, &["--date-format", "a=DD/MM/YYYY"]).assert_refused(2, &["only CSV"]);
}

#[test]
fn a_tenth_of_doubtful_dates_cause_one_warning() {
    let ran = push(&data("far_years.csv"), &[]);
    ran.assert_outcomes(0, &["stored"; 2]);
    assert_eq!(kinds(&ran), ["doubtful"; 2]);
    assert_eq!(reason(&ran, 1, "fields.follow_up_date"), "the date is in the year 2926");
    assert_eq!(reason(&ran, 2, "fields.follow_up_date"), "the date is in the year 1026");
    ran.assert_stderr("column `follow_up_date`: 2 of 2 dates are doubtful");
    let row = |n: u32, year: u32| format!("9198550026{n:02},01/06/{year}\n");
    let rows: String = (1..=10).map(|n| row(n, 2026)).collect();
    let ran = push_text("few.csv", format!("phone,follow_up_date\n{}{rows}", row(11, 2926)), &[]);
    assert!(!ran.stderr.contains("warning:"), "{ran:?}");
}

#[test]
fn addresses_are_freed_of_what_is_around_them() {
    let (ran, leads) = push_and_search(&data("addresses_with_leftovers.csv"), &[]);
    ran.assert_outcomes(0, &["stored"; 7]);
    assert_eq!(kinds(&ran)[..5], ["doubtful+"; 5]);
    assert_eq!(kinds(&ran)[5..], ["value_changed+", "value_changed"]);
    for n in 1..=6 {
        assert_eq!(stored(&leads, &format!("91985500110{n}"), "email"), "asha@example.com");
    }
    let expected = "stored with U+061C Arabic letter mark, which a search by the address misses";
    assert_eq!(reason(&ran, 7, "fields.email"), expected);
}

#[test]
fn phones_with_blanks_dashes_brackets_and_digits_of_any_kind_are_repaired() {
    let path = data("phones_with_other_symbols.csv");
    let (ran, leads) = push_and_search(&path, &["--default-country", "IN"]);
    ran.assert_outcomes(0, &["stored"; 7]);
    for n in 1..=7 {
        assert_eq!(stored(&leads, &format!("91985500130{n}"), "phone"), format!("91985500130{n}"));
    }
    let done = &ran.rows()[0]["findings"][0]["suggestion"];
    assert_eq!(done, "reformatted as 919855001301");
    let ran = push(&path, &["--no-check"]);
    for (row, character) in [(1, "U+2011 non-breaking hyphen"), (3, "U+202F narrow no-break space")]
    {
        assert!(reason(&ran, row, "fields.phone").ends_with(&format!("contains {character}")));
    }
}

#[test]
fn dates_with_blanks_or_direction_marks_are_repaired() {
    let (ran, leads) = push_and_search(&data("dates_with_blanks.csv"), &[]);
    ran.assert_outcomes(0, &["stored"; 3]);
    assert_eq!(kinds(&ran), ["field_dropped+"; 3]);
    for n in 1..=3 {
        let date = stored(&leads, &format!("91985500140{n}"), "follow_up_date");
        assert_eq!(date, 1_780_252_200_000_i64);
    }
}

#[test]
fn damaged_text_is_doubtful() {
    let (ran, leads) = push_and_search(&data("damaged_text.csv"), &[]);
    ran.assert_outcomes(0, &["stored"; 2]);
    assert_eq!(kinds(&ran), ["doubtful"; 2]);
    assert!(reason(&ran, 1, "fields.name").contains("U+FFFD replacement character"));
    assert_eq!(ran.rows()[1]["findings"][0]["suggestion"], "write `René` if you mean that");
    assert_eq!(stored(&leads, "919855002202", "name"), "RenÃ©");
}

#[test]
fn numbers_of_another_default_country_are_no_other_leads() {
    let local = Local::start(&["--seed", &data("us_workspace.json")]);
    let (ran, leads) = push_to(&local, &data("national_numbers.csv"), &[]);
    ran.assert_outcomes(0, &["stored"; 3]);
    ran.assert_stderr("hint: name the country with --default-country");
    for (phone, name) in [("12025550173", "A"), ("19833000201", "B"), ("919833000201", "C")] {
        assert_eq!(stored(&leads, &format!("\"{phone}\""), "name"), name);
    }
    let local = Local::start(&["--seed", &data("us_workspace.json")]);
    let (ran, _) = push_to(&local, &data("national_numbers.csv"), &["--default-country", "US"]);
    ran.assert_outcomes(0, &["stored"; 3]);
    assert!(!ran.stderr.contains("--default-country"), "{ran:?}");
    let identifiers: Vec<Value> = ran.rows().iter().map(|row| row["identifier"].clone()).collect();
    assert_eq!(identifiers, ["12025550173", "19833000201", "919833000201"]);
}

#[test]
fn placeholders_as_identifiers_are_rejected() {
    let start = || Local::start(&["--seed", &data("text_identifier_workspace.json")]);
    let (ran, leads) = push_to(&start(), &data("text_identifiers.csv"), &[]);
    ran.assert_outcomes(
        3,
        &["stored", "stored", "stored", "rejected", "rejected", "rejected", "rejected"],
    );
    assert_eq!(leads.len(), 3);
    assert_eq!(
        kinds(&ran),
        ["", "doubtful", "doubtful", "doubtful", "doubtful", "doubtful", "doubtful"]
    );
    assert!(reason(&ran, 2, "fields.customer_code").contains("U+200B zero width space"));
    assert!(reason(&ran, 3, "fields.customer_code").contains("U+00A0 no-break space"));
    assert_eq!(ran.error_kinds()[3..], [(); 4].map(|()| Some("placeholder_identifier".to_owned())));
    let flag = "--allow-placeholder-identifier";
    let (ran, leads) = push_to(&start(), &data("text_identifiers.csv"), &[flag]);
    ran.assert_outcomes(0, &["stored"; 7]);
    assert_eq!(leads.len(), 5);
}

#[test]
fn a_number_that_no_double_equals_is_predicted_as_a_loss() {
    let path = data("wide_number.jsonl");
    let (ran, leads) = push_and_search(&path, &[]);
    ran.assert_outcomes(3, &["differs"]);
    assert!(reason(&ran, 1, "fields.deal_size").ends_with("it becomes 18446744073709552000"));
    assert_eq!(stored(&leads, "919855002701", "deal_size"), Value::Null);
    assert_eq!(findings(&push(&path, &["--no-check"]), 1), findings(&ran, 1));
}

#[test]
fn the_same_payment_in_two_rows_is_doubtful() {
    let row = r#"{"fields":{"phone":"919855000301"},"actions":[{"type":"PAYMENT","status":"COMPLETED","currency":"INR","amount":"500"}]}"#;
    let ran = push_stdin(&format!("{row}\n{row}\n"), &[]);
    ran.assert_outcomes(0, &["stored"; 2]);
    assert_eq!(kinds(&ran), ["", "doubtful"]);
}

#[test]
fn labels_that_look_like_a_known_one_create_no_option() {
    let text =
        "phone,contact_source,interests\n919855000401,Cold\u{a0}Call,\"VIP\u{200b}|returning\"\n";
    let (ran, leads) = push_and_search(TempFile::new("labels.csv", text.as_bytes()).path(), &[]);
    ran.assert_outcomes(0, &["stored"]);
    assert_eq!(kinds(&ran), ["option_created+ option_created+"]);
    assert_eq!(stored(&leads, "919855000401", "contact_source"), "Cold Call");
    assert_eq!(
        stored(&leads, "919855000401", "interests"),
        serde_json::json!(["VIP", "Returning"])
    );
}

#[test]
fn columns_with_nearly_an_api_name_are_renamed() {
    let text = "Phone, Name ,Contact Source\n919855000401,Asha,Website\n";
    let (ran, leads) = push_and_search(TempFile::new("names.csv", text.as_bytes()).path(), &[]);
    ran.assert_outcomes(0, &["stored"]);
    assert!(!ran.stderr.contains("warning:"), "{ran:?}");
    assert_eq!(stored(&leads, "919855000401", "name"), "Asha");
    assert_eq!(stored(&leads, "919855000401", "contact_source"), "Website");
    let text = "phone,name,Name\n919855000401,Asha,Usha\n";
    let (ran, leads) = push_and_search(TempFile::new("both.csv", text.as_bytes()).path(), &[]);
    ran.assert_outcomes(3, &["differs"]);
    ran.assert_stderr("telecrm drops column `Name`");
    assert_eq!(kinds(&ran), ["field_dropped"]);
    assert_eq!(stored(&leads, "919855000401", "name"), "Asha");
}
