use crate::{run, telecrm};

fn help(arguments: &[&str]) -> String {
    let ran = run(telecrm(arguments));
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""), "{ran:?}");
    ran.stdout
}

#[test]
fn every_command_explains_itself() {
    insta::assert_snapshot!("help", help(&["--help"]));
    insta::assert_snapshot!("help_push", help(&["push", "--help"]));
    insta::assert_snapshot!("help_emulator", help(&["emulator", "--help"]));
}

#[test]
fn usage_is_exit_2() {
    for arguments in [
        &["push"][..],
        &["push", "a.csv", "--json", "--table"],
        &["push", "a.csv", "--no-check", "--on-finding", "stop"],
        &["push", "a.csv", "--verify-timeout", "soon"],
        &["frobnicate"],
    ] {
        run(telecrm(arguments)).refused(2, &["error: "]);
    }
}
