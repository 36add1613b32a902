//! `--help`, and the exit code of invalid usage.

use crate::support::{run, telecrm};

fn help(arguments: &[&str]) -> String {
    let ran = run(telecrm(arguments));
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""), "{ran:?}");
    ran.stdout
}

#[test]
fn topics_and_commands_are_explained() {
    insta::assert_snapshot!(help(&["help", "pitfalls", "as3"]));
    assert_eq!(help(&["help", "team", "list"]), help(&["team", "list", "--help"]));
    for (topic, text) in [
        ("exit-codes", "not authorized"),
        ("environment", "token_command"),
        ("formats", "**JSON lines**"),
        ("pitfalls", "AS1   the lead is stored without its custom action"),
    ] {
        assert!(help(&["help", topic]).contains(text), "{topic}");
    }
}

#[test]
fn an_unknown_topic_is_refused_with_a_hint() {
    run(telecrm(&["help", "nothing"])).assert_refused(2, &["`nothing`", "hint: "]);
    run(telecrm(&["help", "pitfalls", "X1"])).assert_refused(2, &["`X1`", "hint: "]);
    run(telecrm(&["chek"])).assert_refused(2, &["'check'"]);
}

#[test]
fn the_pitfalls_are_those_of_the_notes() {
    let notes = include_str!("../../../../docs/api-notes.md");
    assert!(notes.contains(include_str!("../../data/pitfalls.md")));
}

fn is_usage_error(arguments: &[&str]) {
    run(telecrm(arguments)).assert_refused(2, &["error: "]);
}

tests! {
    push_without_a_file_is_a_usage_error: is_usage_error(&["push"]);
    two_formats_are_a_usage_error: is_usage_error(&["push", "a.csv", "--json", "--table"]);
    on_finding_without_a_check_is_a_usage_error:
        is_usage_error(&["push", "a.csv", "--no-check", "--on-finding", "stop"]);
    an_invalid_duration_is_a_usage_error:
        is_usage_error(&["push", "a.csv", "--verify-timeout", "soon"]);
    an_unknown_command_is_a_usage_error: is_usage_error(&["frobnicate"]);
}

const README: &str = include_str!("../../README.md");

#[test]
fn the_readme_has_every_flag_of_push() {
    let help = help(&["push", "--help"]);
    let words = help.split_whitespace();
    let flags: Vec<_> = words.filter(|word| word.starts_with("--")).collect();
    assert!(flags.len() >= 9, "{flags:?}");
    for flag in flags {
        let flag = flag.trim_end_matches(',');
        assert!(flag == "--help" || README.contains(flag), "{flag}");
    }
}

#[test]
fn the_readme_has_the_exit_codes_of_the_help() {
    let help = help(&["push", "--help"]);
    let (_, codes) = help.split_once("Exit codes").expect("a table");
    let rows: Vec<_> = codes.lines().skip(1).collect();
    assert!(rows.len() >= 9, "{rows:?}");
    for row in rows {
        let (code, meaning) = row.trim().split_once("  ").expect("two columns");
        let row = format!("| {code} | {} |", meaning.trim());
        assert!(README.contains(&row), "{row}");
    }
}

#[test]
fn the_readme_has_the_variables_of_the_help() {
    for name in help(&["push", "--help"]).split_whitespace() {
        if name.starts_with("TELECRM_") && name != "TELECRM_*" {
            assert!(README.contains(&format!("| `{name}` |")), "{name}");
        }
    }
}
