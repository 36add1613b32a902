//! `telecrm demo`, in a folder without any file.

use crate::support::{TempFolder, example, run, telecrm};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

#[test]
fn the_demo_has_the_leads_of_the_examples() {
    let example = std::fs::read(example("leads.csv")).expect("reads");
    assert_eq!(include_bytes!("../../data/leads.csv").as_slice(), example);
}

#[test]
fn the_demo_prints_what_push_prints_and_explains_it() {
    let folder = TempFolder::new("demo");
    let mut command = telecrm(&["demo"]);
    let demo = run({
        command.current_dir(folder.path(""));
        command
    });
    assert_eq!(demo.exit, 0, "{demo:?}");
    let push = run(telecrm(&["push", &example("leads.csv"), "--emulator", "--verify", "--table"]));
    let explained = demo.stdout.strip_prefix(&push.stdout).expect("the table of push");
    insta::assert_snapshot!(explained);
}

#[test]
fn the_demo_stays_until_it_is_stopped() {
    let mut child = telecrm(&["demo", "--stay"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    let stdout = BufReader::new(child.stdout.take().expect("piped"));
    let mut lines = stdout.lines().map(|line| line.expect("UTF-8"));
    let page = lines.find(|line| line.contains("http://127.0.0.1:"));
    child.kill().expect("runs");
    child.wait().expect("ends");
    assert!(page.is_some());
}
