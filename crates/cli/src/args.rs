//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};
use jiff::Timestamp;
use jiff::tz::{self, TimeZone};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use telecrm::{Country, CountryError};
use telecrm_emulator::{DEFAULT_MAX_CONNECTIONS, Profile};

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
    Emulator(Box<Emulator>),
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

const EMULATOR_ENVIRONMENT: &str = "\
Environment, none of it needed:
  TELECRM_EMULATOR_SYNC_TOKEN   tokens to accept instead of sync-local-token: up to three, with commas
  TELECRM_EMULATOR_ASYNC_TOKEN  tokens to accept instead of async-local-token, likewise";

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

    /// The country of phone numbers without a country code, by its ISO 3166 code, as the workspace's settings have it; without
    /// it IN is assumed, and such numbers are sent as they are
    #[arg(long, value_parser = country, value_name = "CODE")]
    pub(crate) default_country: Option<Country>,

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

#[derive(Debug, Subcommand)]
pub(crate) enum EmulatorCommand {
    /// Waits until an emulator answers; exit 0 if it does, 1 if the time is over
    Ready(Ready),
    /// Runs a recording again; exit 0 if all is answered as it was, 1 if not
    Replay(Replay),
}

#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// What `telecrm emulator --record` wrote
    #[arg(value_name = "FILE")]
    pub(crate) recording: PathBuf,

    /// Goes on from the end of the recording, and listens here
    #[arg(long, value_parser = address, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
}

#[derive(Debug, Args)]
pub(crate) struct Ready {
    /// Where it listens
    #[arg(long, default_value = "127.0.0.1:4010", value_parser = address, value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,

    /// How long to wait, such as 500ms, 30s or 2m; a bare number is seconds
    #[arg(long, default_value = "10s", value_parser = seconds, value_name = "TIME")]
    pub(crate) timeout: Duration,
}

#[derive(Debug, Args)]
#[command(after_long_help = switches_help(), args_conflicts_with_subcommands = true)]
pub(crate) struct Emulator {
    #[command(subcommand)]
    pub(crate) command: Option<EmulatorCommand>,

    /// Where to listen; port 0 picks a free one
    #[arg(long, default_value = "127.0.0.1:4010", value_parser = address, value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,

    /// A workspace file to start from, instead of the built-in sample
    #[arg(long, value_name = "FILE")]
    pub(crate) seed: Option<PathBuf>,

    /// A file that keeps everything, and is made if it is not there; without it, all is forgotten at the end
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,

    /// What time it is there at the start, such as 2026-04-01T09:00:00+05:30; this machine's time unless given
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<Timestamp>,

    /// The enterprise ID to accept
    #[arg(long, default_value = "ent-local", value_name = "ID")]
    pub(crate) enterprise: String,

    /// What to follow where sources disagree: the documentation, or reports of the live service
    #[arg(long, default_value = "documented", value_parser = Profile::named, value_name = "PROFILE")]
    pub(crate) profile: Profile,

    /// Differs from the profile in one point; may be given several times
    #[arg(long, value_parser = switch, value_name = "NAME=VALUE")]
    pub(crate) switch: Vec<(String, String)>,

    /// Rules by which calls go wrong, as a JSON list; see the README of telecrm-emulator
    #[arg(long, value_name = "FILE")]
    pub(crate) fault: Option<PathBuf>,

    /// Decides which calls meet a fault that has a chance
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    pub(crate) random_seed: u64,

    /// A new file for all calls and their answers; `telecrm emulator replay` runs it again
    #[arg(long, value_name = "FILE", conflicts_with = "state")]
    pub(crate) record: Option<PathBuf>,

    /// How many requests a token of the Async API may send per hour; telecrm takes 18000
    #[arg(long, value_name = "REQUESTS")]
    pub(crate) async_limit: Option<usize>,

    /// How many requests a token of the Sync API may send per hour
    #[arg(long, value_name = "REQUESTS")]
    pub(crate) sync_limit: Option<usize>,

    /// How many times as fast the hour of these limits passes
    #[arg(long, default_value_t = 1.0, value_parser = factor, value_name = "FACTOR")]
    pub(crate) limit_speed: f64,

    /// Says in Retry-After when the next request is taken
    #[arg(long)]
    pub(crate) retry_after: bool,

    /// Leaves the lead IDs out of search results: --switch search-ids=no
    #[arg(long)]
    pub(crate) no_search_ids: bool,

    /// How many connections may be open at once; one more is closed
    #[arg(long, default_value_t = DEFAULT_MAX_CONNECTIONS as u64, value_parser = value_parser!(u64).range(1..), value_name = "CONNECTIONS")]
    pub(crate) max_connections: u64,

    /// Allows an address that other machines can reach
    #[arg(long)]
    pub(crate) allow_remote: bool,

    /// A name by which other machines reach it, beside its addresses; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_host: Vec<String>,
}

/// A switch that exists, with a value that it has.
fn switch(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it like NAME=VALUE")?;
    match Profile::documented().with(name, value) {
        Ok(_) => Ok((name.to_owned(), value.to_owned())),
        Err(error) => Err(error.to_string()),
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let address = text.parse();
    address.map_err(|_| "write an IP address and a port, like 127.0.0.1:4010".to_owned())
}

fn country(text: &str) -> Result<Country, String> {
    text.parse()
        .map_err(|error: CountryError| error.to_string())
}

fn switches_help() -> String {
    let switches = Profile::switches().into_iter();
    let lines = switches.map(|(name, values)| format!("\n  {name:<22} {}", values.join(", ")));
    format!(
        "{EMULATOR_ENVIRONMENT}\n\nSwitches, and their values, that of the documentation first:{}",
        lines.collect::<String>()
    )
}

fn factor(text: &str) -> Result<f64, String> {
    let factor = text
        .parse()
        .ok()
        .filter(|factor: &f64| factor.is_finite() && *factor > 0.0);
    factor.ok_or_else(|| "write a number above zero".to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => duration(text),
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
        assert_eq!(country("in"), Ok(Country::default()));
        let error = country("XX").expect_err("no country");
        assert!(error.contains("`XX`") && error.contains("IN"), "{error}");
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
