//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::tz::{self, TimeZone};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use telecrm::Workspace;

/// Checks, pushes and verifies leads of the telecrm CRM.
#[derive(Debug, Parser)]
#[command(name = "telecrm", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Sends leads from a file, and tells of each what was stored and what was not
    #[command(after_long_help = PUSH_HELP)]
    Push(Push),
    /// Runs a local telecrm, and prints the environment that points at it
    Emulator(Emulator),
}

const PUSH_HELP: &str = "\
Environment:
  TELECRM_ENTERPRISE_ID  the workspace (dashboard: Settings, Website and API)
  TELECRM_SYNC_TOKEN     token of type Sync: discovers the workspace and reads back
  TELECRM_ASYNC_TOKEN    token of type Async: pushes; several are separated by commas
  TELECRM_SYNC_URL       base URL of the Sync API, with /autoupdate/v2
  TELECRM_ASYNC_URL      base URL of the Async API

Exit codes, the first that applies:
  130 Ctrl-C, 143 terminated      7 a row's outcome is unknown
    2 usage, before any row       1 a row failed or could not be read
    4 not authorized              3 something was lost, missing or skipped
    5 not found                   0 all is well
    6 stopped by the rate limit";

#[derive(Debug, Args)]
pub(crate) struct Push {
    /// A .csv file (header = API names), a .jsonl file (a lead per line), or - for JSON lines on standard input
    pub(crate) file: PathBuf,

    /// Pushes to a telecrm within this process; TELECRM_* is not heeded
    #[arg(long)]
    pub(crate) emulator: bool,

    /// Reads every lead back and compares
    #[arg(long)]
    pub(crate) verify: bool,

    /// Sends leads as they are written
    #[arg(long)]
    pub(crate) no_check: bool,

    /// What to do with a lead of which something would be lost
    #[arg(
        long,
        value_enum,
        default_value_t,
        conflicts_with = "no_check",
        value_name = "WHAT"
    )]
    pub(crate) on_finding: OnFinding,

    /// How long to look for a lead and its parts, such as 500ms, 30s or 2m
    #[arg(long, default_value = "30s", value_parser = duration, value_name = "TIME")]
    pub(crate) verify_timeout: Duration,

    /// The country of phone numbers without a country code, by its ISO 3166 code
    #[arg(long, default_value = "IN", value_parser = country, value_name = "CODE")]
    pub(crate) default_country: String,

    /// The zone in which telecrm reads dates without one, by its IANA name
    #[arg(long, default_value = "Asia/Kolkata", value_parser = time_zone, value_name = "NAME")]
    pub(crate) time_zone: TimeZone,

    /// One JSON object a row, as in a pipe
    #[arg(long, conflicts_with = "table")]
    pub(crate) json: bool,

    /// A table, as on a terminal
    #[arg(long)]
    pub(crate) table: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnFinding {
    /// Send what is valid, report the rest
    #[default]
    Send,
    /// Do not send that lead
    Skip,
    /// Stop at the first loss that is documented or reported
    Stop,
}

#[derive(Debug, Args)]
pub(crate) struct Emulator {
    /// Where to listen; port 0 picks a free one
    #[arg(long, default_value = "127.0.0.1:4010", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,

    /// A workspace file to start from, instead of the built-in sample
    #[arg(long, value_name = "FILE")]
    pub(crate) seed: Option<PathBuf>,

    /// The enterprise ID to accept
    #[arg(long, default_value = "ent-local", value_name = "ID")]
    pub(crate) enterprise: String,

    /// Leaves the lead IDs out of search results
    #[arg(long)]
    pub(crate) no_search_ids: bool,

    /// Allows an address that other machines can reach
    #[arg(long)]
    pub(crate) allow_remote: bool,
}

fn country(text: &str) -> Result<String, String> {
    let code = text.to_ascii_uppercase();
    match Workspace::sample().with_default_country(&code) {
        Ok(_) => Ok(code),
        Err(error) => Err(error.to_string()),
    }
}

fn time_zone(text: &str) -> Result<TimeZone, String> {
    TimeZone::get(text).map_err(|_| {
        let area = |name: &str| name.split('/').next().unwrap_or(name).to_lowercase();
        let names: Vec<String> = tz::db().available().map(|name| name.to_string()).collect();
        let near: Vec<&str> = names
            .iter()
            .filter(|name| name.contains('/') && area(name) == area(text))
            .map(String::as_str)
            .collect();
        match near.is_empty() {
            false => format!("there is no such zone; known are {}", near.join(", ")),
            true => {
                let areas: BTreeSet<&str> = names
                    .iter()
                    .filter_map(|name| Some(name.split_once('/')?.0))
                    .collect();
                let areas: Vec<&str> = areas.into_iter().collect();
                format!(
                    "write it like Asia/Kolkata; the known areas are {}",
                    areas.join(", ")
                )
            }
        }
    })
}

fn duration(text: &str) -> Result<Duration, String> {
    let parsed: jiff::SignedDuration = text
        .parse()
        .map_err(|_| "write it like 500ms, 30s or 2m".to_owned())?;
    Duration::try_from(parsed).map_err(|_| "a time cannot be negative".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn countries_and_zones_are_known_or_the_known_ones_are_named() {
        assert_eq!(country("in"), Ok("IN".to_owned()));
        let error = country("XX").expect_err("no country");
        assert!(error.contains("\"XX\"") && error.contains("IN"), "{error}");
        assert!(time_zone("Asia/Kolkata").is_ok());
        let error = time_zone("Asia/Kolkatta").expect_err("no zone");
        assert!(error.contains(" Asia/Kolkata,"), "{error}");
        assert!(!error.contains("Europe/"), "{error}");
        let error = time_zone("India").expect_err("no zone");
        assert!(
            error.contains("Asia/Kolkata") && error.contains("Europe"),
            "{error}"
        );
    }

    #[test]
    fn durations_read_as_people_write_them() {
        for (text, millis) in [("30s", 30_000), ("500ms", 500), ("2m", 120_000), ("0s", 0)] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["30", "-3s", "soon", ""] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
