//! `--help`, and the exit code of invalid usage.

use crate::support::{run, telecrm};

fn help(arguments: &[&str]) -> String {
    let ran = run(telecrm(arguments));
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""), "{ran:?}");
    ran.stdout
}

#[test]
fn help_lists_the_commands() {
    insta::assert_snapshot!("help", help(&["--help"]));
}

#[test]
fn help_of_push_lists_flags_variables_and_exit_codes() {
    insta::assert_snapshot!("help_push", help(&["push", "--help"]));
}

#[test]
fn help_of_emulator_lists_flags_variables_and_switches() {
    insta::assert_snapshot!("help_emulator", help(&["emulator", "--help"]));
}

#[test]
fn help_of_emulator_ready_lists_its_flags() {
    insta::assert_snapshot!("help_emulator_ready", help(&["emulator", "ready", "--help"]));
}

#[test]
fn help_of_emulator_replay_lists_its_flags() {
    insta::assert_snapshot!("help_emulator_replay", help(&["emulator", "replay", "--help"]));
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
