//! Workbooks, compressed files, mapped columns and exports of telecrm.

use crate::support::{Ran, TempFile, TempFolder, run, telecrm};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

const WORKBOOK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/leads.xlsx");
const OLD: &[u8] = b"\xd0\xcf\x11\xe0 an old file";

fn push(file: &str, options: &[&str]) -> Ran {
    run(telecrm(&[&["push", file, "--emulator"], options].concat()))
}

fn file(name: &str, text: &[u8]) -> TempFile {
    TempFile::new(name, text)
}

#[test]
fn a_workbook_has_typed_cells() {
    let ran = push(WORKBOOK, &["--verify"]);
    ran.assert_outcomes(1, &["stored", "stored", "rejected"]);
    ran.assert_stderr("sheet `Leads` of `Leads`, `Old`");
    let lines: Vec<_> = ran.rows().iter().map(|row| row["line"].clone()).collect();
    assert_eq!(lines, [2, 4, 5]);
    assert_eq!(ran.rows()[1]["identifier"], "919999900002");
    assert!(ran.rows()[2]["error"]["message"].to_string().contains("the error #N/A"));
}

#[test]
fn a_sheet_is_chosen_by_its_name() {
    let ran = push(WORKBOOK, &["--sheet", "Old"]);
    ran.assert_outcomes(0, &["accepted"]);
    push(WORKBOOK, &["--sheet", "None"]).assert_refused(2, &["no such sheet", "`Leads`, `Old`"]);
}

fn is_refused(name: &str, content: &[u8], texts: &[&str]) {
    push(file(name, content).path(), &[]).assert_refused(2, texts);
}

tests! {
    an_old_workbook_is_refused: is_refused("old.xls", OLD, &["(.xls)", "hint: save it as"]);
    an_old_workbook_with_a_new_name_is_refused:
        is_refused("renamed.xlsx", OLD, &["(.xls)", "hint: save it as"]);
    an_encrypted_workbook_is_refused: is_refused(
        "encrypted.xlsx",
        &[OLD, b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0"].concat(),
        &["encrypted", "without a password"]);
    a_broken_workbook_is_refused:
        is_refused("broken.xlsx", b"PK\x03\x04 and no more", &["broken", "hint: "]);
    a_workbook_named_csv_is_refused:
        is_refused("workbook.csv", b"PK\x03\x04 and no more", &["--format xlsx"]);
    a_sheet_of_a_text_is_refused: is_refused_sheet();
}

fn is_refused_sheet() {
    let file = file("sheet.csv", b"phone\n919999900001\n");
    push(file.path(), &["--sheet", "A"]).assert_refused(2, &["only workbooks have sheets"]);
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).expect("compresses");
    encoder.finish().expect("compresses")
}

#[test]
fn compressed_files_are_read() {
    let leads = file("leads.csv.gz", &gzip(b"phone\n919999900001\n"));
    push(leads.path(), &[]).assert_outcomes(0, &["accepted"]);
    let mut cut = gzip(b"phone\n919999900001\n919999900002\n");
    cut.truncate(cut.len() - 10);
    push(file("cut.csv.gz", &cut).path(), &[]).assert_refused(2, &["broken", "hint: "]);
}

const LABELS: &[u8] = b"Mobile No.,Phone,Remark\n919999900001,x,hello\n";

#[test]
fn columns_are_mapped_by_flags_and_by_a_file() {
    let leads = file("labels.csv", LABELS);
    let folder = TempFolder::new("map");
    let map = folder.path("map.toml");
    let flags = ["--map", "Mobile No.=phone", "--map", "Phone=", "--map", "Remark=name"];
    let ran = push(leads.path(), &[&flags[..], &["--save-map", &map, "--verify"]].concat());
    ran.assert_outcomes(0, &["stored"]);
    insta::assert_snapshot!(std::fs::read_to_string(&map).expect("reads"));
    push(leads.path(), &["--mapping", &map, "--verify"]).assert_outcomes(0, &["stored"]);
}

#[test]
fn two_columns_of_one_field_are_refused() {
    let leads = file("two.csv", LABELS);
    let map = ["--map", "Mobile No.=phone"];
    push(leads.path(), &map).assert_refused(2, &["`Mobile No.` and `Phone` both fill `phone`"]);
}

#[test]
fn a_mapping_that_fits_no_column_is_refused() {
    let leads = file("none.csv", b"phone\n919999900001\n");
    push(leads.path(), &["--map", "Fone=phone"])
        .assert_refused(2, &["no column `Fone`", "`phone`"]);
    let json = file("none.jsonl", b"{\"fields\":{\"phone\":\"919999900001\"}}\n");
    push(json.path(), &["--map", "a=b"]).assert_refused(2, &["no columns to map"]);
}

#[test]
fn an_export_of_telecrm_is_read_as_it_is() {
    let text = "Lead id,Lead Link,Name,Phone,Status,Created On Date,Created On Time,Remarks,\
                Follow Up Date,Follow Up Time\n\
                a1,https://example.com/1,Lead One,919999999901,Fresh,01-13-2026,16:35,_,01/06/2026,10:30\n\
                a2,https://example.com/2,_,919999999902,-,02-03-2026,08:00,later,_,-\n";
    let ran = push(file("export.csv", text.as_bytes()).path(), &["--verify"]);
    ran.assert_outcomes(0, &["stored", "stored"]);
    ran.assert_stderr("`Lead id`, `Lead Link`, `Created On Date`, `Created On Time`, `Remarks`");
    assert_eq!(ran.stderr.matches("warning: ").count(), 1, "{ran:?}");
}
