//! Unreadable files, and bad rows among good ones.

use crate::support::{TempFile, run, run_with_stdin, telecrm};

fn push(file: &TempFile) -> crate::support::Ran {
    run(telecrm(&["push", file.path(), "--emulator", "--verify"]))
}

#[test]
fn a_missing_file_is_refused() {
    let ran = run(telecrm(&["push", "no/such.csv", "--emulator"]));
    ran.assert_refused(2, &["cannot read no/such.csv", "\n  hint: check the file's name"]);
}

#[test]
fn an_unknown_extension_is_refused_with_the_known_ones() {
    let ran = run(telecrm(&["push", "leads.ods", "--emulator"]));
    ran.assert_refused(2, &["leads.ods", ".csv", ".jsonl", ".xlsx"]);
}

#[test]
fn a_folder_is_refused() {
    let folder = std::env::temp_dir().join(format!("telecrm-{}-folder.csv", std::process::id()));
    std::fs::create_dir_all(&folder).expect("makes a folder");
    let path = folder.to_str().expect("UTF-8");
    run(telecrm(&["push", path, "--emulator"])).assert_refused(2, &["cannot read"]);
    std::fs::remove_dir(&folder).expect("removes it");
}

#[test]
fn a_bad_csv_header_is_refused_with_its_file_and_columns() {
    let file = TempFile::new("header.csv", b"phone,name,phone\n919999900001,Asha,1\n");
    push(&file).assert_refused(2, &[file.path(), "line 1: columns 1 and 3 are both `phone`"]);
}

#[test]
fn bad_csv_rows_are_rejected_and_the_others_stored() {
    let file = TempFile::new(
        "rows.csv",
        b"phone,name\n919999900001,Asha\n919999900002\n919999900003,\xff\n919999900004,Deepak\n",
    );
    let ran = run(telecrm(&["push", file.path(), "--emulator", "--verify", "--encoding", "utf-8"]));
    ran.assert_outcomes(1, &["stored", "rejected", "rejected", "stored"]);
    let kind = Some("unreadable_row".to_owned());
    assert_eq!(ran.error_kinds(), [None, kind.clone(), kind, None]);
    ran.assert_stdout("line 3: expected 2 cells, found 1");
    ran.assert_stdout("line 4: cell 2 is not UTF-8");
}

#[test]
fn an_unclosed_quote_is_refused_with_its_line() {
    let file = TempFile::new(
        "quote.csv",
        b"phone,name\n919999900501,A\n919999900502,\"B\n919999900503,C\n919999900504,D\n",
    );
    push(&file).assert_refused(2, &["line 3, column 14: this quote never closes"]);
}

#[test]
fn an_unclosed_quote_in_the_header_is_refused() {
    let file = TempFile::new("quoted-header.csv", b"phone,\"name\n919999900501,A\n");
    push(&file).assert_refused(2, &[file.path(), "line 1, column 7: this quote never closes"]);
}

#[test]
fn bad_json_lines_are_rejected_and_the_others_stored() {
    let input = [
        r#"{"fields":{"phone":"919999900001"}}"#,
        "",
        "{oops}",
        r#"{"phone":"1"}"#,
        r#"{"fields":{"phone":"919999900002"}}"#,
    ];
    let command = telecrm(&["push", "-", "--emulator", "--verify"]);
    let ran = run_with_stdin(command, &input.join("\n"));
    ran.assert_outcomes(1, &["stored", "rejected", "rejected", "stored"]);
    ran.assert_stdout("line 3: invalid JSON at column 2");
    ran.assert_stdout("line 4: `fields` is missing");
}

#[test]
fn an_unreadable_row_has_kind_message_and_hint() {
    let ran = run_with_stdin(telecrm(&["push", "-", "--emulator"]), "{oops}");
    let error = &ran.rows()[0]["error"];
    assert_eq!(error["kind"], "unreadable_row");
    let text = |key: &str| error[key].as_str().expect("a text").to_owned();
    assert!(text("message").starts_with("line 1: "), "{error}");
    assert!(text("hint").starts_with("write one lead per line"), "{error}");
}

#[test]
fn numbers_of_json_lines_keep_every_digit() {
    let budget = "12345678901234567890123.10";
    let input = format!(r#"{{"fields":{{"phone":"919999900001","budget":{budget}}}}}"#);
    let ran = run_with_stdin(telecrm(&["push", "-", "--emulator", "--verify"]), &input);
    assert_eq!(ran.outcomes(), ["stored"], "{ran:?}");
    ran.assert_stdout(budget);
}

#[test]
fn as6_an_unknown_column_causes_one_warning_and_a_finding_per_filled_row() {
    let file = TempFile::new(
        "column.csv",
        b"phone,ratng\n919999900001,4\n919999900002,\n919999900003,5\n",
    );
    let ran = push(&file);
    ran.assert_outcomes(3, &["differs", "stored", "differs"]);
    let warning = "warning: telecrm drops column `ratng`";
    assert_eq!(ran.stderr.matches(warning).count(), 1, "{ran:?}");
    ran.assert_stderr("\n  hint: use `rating`");
}
