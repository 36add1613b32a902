//! `telecrm help`: the commands, and topics that concern several of them.

use crate::args::{CHECK_HELP, Cli, PUSH_HELP};
use crate::exit::{Exit, Failure};
use crate::output::write_line;
use crate::problem::Problem;
use clap::{CommandFactory, Parser};

const TOPICS: [&str; 4] = ["exit-codes", "environment", "formats", "pitfalls"];

/// The pitfalls of docs/api-notes.md.
const PITFALLS: &str = include_str!("../data/pitfalls.md");
const README: &str = include_str!("../README.md");

const PROFILES: &str = "\
  TELECRM_PROFILE        profile to use [default: default]
  TELECRM_OUTBOX         store of `telecrm outbox`

A flag wins over a variable, and a variable over the profile. Profiles are tables such as [default]
in $XDG_CONFIG_HOME/telecrm/config.toml, mode 0600. `telecrm init` writes them:
  enterprise, sync_url, async_url, sync_token, async_tokens (a list), default_country, time_zone
  token_command          prints the token of type Sync on the first line, that of type Async on the
                         second";

pub(crate) fn run(words: &[String]) -> Result<Exit, Failure> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["exit-codes"] => {
            let (_, push) = split(PUSH_HELP, "\n\n");
            write_line(&format!("push: {push}\n\ncheck: {CHECK_HELP}"))?;
        }
        ["environment"] => {
            write_line(&format!("{}\n{PROFILES}", split(PUSH_HELP, "\n\n").0))?;
        }
        ["formats"] => {
            let (_, formats) = split(README, "### File formats\n\n");
            write_line(split(formats, "\n### ").0.trim_end())?;
        }
        ["pitfalls"] => {
            for [id, symptom, ..] in pitfalls() {
                write_line(&format!("{id:<5} {symptom}"))?;
            }
        }
        ["pitfalls", wanted] => {
            let found = pitfalls().find(|[id, ..]| id.eq_ignore_ascii_case(wanted));
            let Some([id, symptom, cause, remedy]) = found else {
                return Err(Failure::usage(format!("there is no pitfall `{wanted}`"))
                    .hint("`telecrm help pitfalls` lists them"));
            };
            write_line(&format!("{id}: {symptom}\n  cause: {cause}\n  remedy: {remedy}"))?;
        }
        _ => return of_command(&words),
    }
    Ok(Exit::Success)
}

fn split<'a>(text: &'a str, at: &str) -> (&'a str, &'a str) {
    text.split_once(at).unwrap_or((text, text))
}

/// The rows of the tables.
fn pitfalls() -> impl Iterator<Item = [&'static str; 4]> {
    PITFALLS.lines().filter_map(|line| {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let row: [&str; 4] = cells.try_into().ok()?;
        (row[0] != "ID").then_some(row)
    })
}

fn of_command(words: &[&str]) -> Result<Exit, Failure> {
    let command = Cli::command();
    let mut found = &command;
    for word in words {
        found = found.find_subcommand(word).ok_or_else(|| {
            Problem::new(format!("there is no command or topic `{word}`"))
                .hint(format!("`telecrm help` lists the commands; topics: {}", TOPICS.join(", ")))
        })?;
    }
    // clap takes a request for help as an error.
    if let Err(help) = Cli::try_parse_from(["telecrm"].iter().chain(words).chain(&["--help"])) {
        // Nothing reads the rest if standard output is closed.
        let _ = help.print();
    }
    Ok(Exit::Success)
}
