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
    insta::assert_snapshot!(
        "help_emulator_ready",
        help(&["emulator", "ready", "--help"])
    );
}

#[test]
fn help_of_emulator_replay_lists_its_flags() {
    insta::assert_snapshot!(
        "help_emulator_replay",
        help(&["emulator", "replay", "--help"])
    );
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
