//! The command line: commands, flags and help texts.

pub(crate) mod access;
pub(crate) mod assignment;
pub(crate) mod outbox;
pub(crate) mod records;
pub(crate) mod workspace;

use crate::problem::Problem;
use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};
use encoding_rs::Encoding;
use jiff::Timestamp;
use jiff::tz::{self, TimeZone};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use telecrm::workspace::DateFormat;
use telecrm::{Country, CountryError};
use telecrm_emulator::{DEFAULT_MAX_CONNECTIONS, Profile};

/// Pushes leads into the telecrm CRM, reads and writes its records, and runs a local telecrm.
#[derive(Debug, Parser)]
#[command(
    name = "telecrm",
    version,
    max_term_width = 100,
    disable_help_subcommand = true,
    after_help = "Topics: telecrm help exit-codes|environment|formats|pitfalls [ID]"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Push leads from a file, and report for each row what telecrm stored
    #[command(after_long_help = PUSH_HELP)]
    Push(Push),
    /// Check the leads of a file as `push` does, and send nothing
    #[command(after_long_help = CHECK_HELP)]
    Check(Check),
    /// Keep leads in a file until telecrm has them, across restarts and outages
    Outbox(outbox::Outbox),
    /// Read and write leads
    Lead(OfAccount<records::LeadCommand>),
    /// Read and append actions of leads
    Action(OfAccount<records::ActionCommand>),
    /// Read team members, and set their availability
    Team(OfAccount<records::TeamCommand>),
    /// List, lock and compare the definition of the workspace
    Workspace(OfAccount<workspace::WorkspaceCommand>),
    /// Send any request, and print the answer
    Api(records::Api),
    /// Run a local telecrm, and print the environment variables that point to it
    Emulator(Box<Emulator>),
    /// Push example leads to an emulator inside this process, and explain what was lost
    Demo(Demo),
    /// Write a profile with the enterprise ID and the tokens of an account
    Init(access::Init),
    /// Show the settings of this command
    #[command(subcommand)]
    Config(access::ConfigCommand),
    /// Check tokens, hosts and workspace. Exit code 1 if a check fails
    Doctor(access::Doctor),
    /// Explain a command, or one of the topics exit-codes, environment, formats, pitfalls
    Help {
        /// Command or topic
        #[arg(value_name = "TOPIC")]
        words: Vec<String>,
    },
    /// Print a completion script for a shell
    Completions {
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Write the manual pages of all commands to a folder
    Man {
        /// Folder for the pages, which has to exist
        folder: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Keep the emulator running, and print the address of its pages
    #[arg(long)]
    pub(crate) stay: bool,
}

pub(crate) const PUSH_HELP: &str = "\
Environment:
  TELECRM_ENTERPRISE_ID  enterprise ID (dashboard: Settings, Website and API)
  TELECRM_SYNC_TOKEN     token of type Sync: reads the workspace, reads leads back
  TELECRM_ASYNC_TOKEN    token of type Async: pushes leads; separate several by commas
  TELECRM_SYNC_URL       base URL of the Sync API, with /autoupdate/v2
  TELECRM_ASYNC_URL      base URL of the Async API

Exit codes (the first that applies):
  130, 143  stopped by Ctrl-C, by SIGTERM
  2         invalid usage; nothing was sent
  4         not authorized
  5         not found
  6         stopped by the rate limit
  7         at least one row's outcome is unknown
  1         at least one row failed or was unreadable, or the workspace could not be read
  3         at least one row lost data, is missing, or was skipped
  0         success";

pub(crate) const CHECK_HELP: &str = "\
Exit codes (the first that applies):
  2  invalid usage, or a file that is not what it should be
  1  at least one row is unreadable
  3  at least one row would lose data
  0  success";

const EMULATOR_ENVIRONMENT: &str = "\
Environment (optional):
  TELECRM_EMULATOR_SYNC_TOKEN   accepted Sync tokens, up to three, separated by commas
                                [default: sync-local-token]
  TELECRM_EMULATOR_ASYNC_TOKEN  accepted Async tokens, up to three, separated by commas
                                [default: async-local-token]";

#[derive(Debug, Args)]
pub(crate) struct Push {
    /// File with leads: .csv or .xlsx (the header has API names), .jsonl (one lead per line), .json
    /// (a list of leads), each perhaps with .gz, or - for standard input
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) reading: Reading,

    /// Push to an emulator inside this process, and ignore the TELECRM_* variables
    #[arg(long)]
    pub(crate) emulator: bool,

    /// Check every row and say how long the run takes, and send nothing
    #[arg(long, conflicts_with = "no_check")]
    pub(crate) dry_run: bool,

    /// Read every lead back, and compare it with what was sent
    #[arg(long)]
    pub(crate) verify: bool,

    /// Send leads unchanged, without checking them first
    #[arg(long)]
    pub(crate) no_check: bool,

    /// What to do with a lead of which telecrm would drop a part
    #[arg(long, value_enum, default_value_t, conflicts_with = "no_check", value_name = "ACTION")]
    pub(crate) on_finding: OnFinding,

    /// What to do with a row of a lead that an earlier row has sent
    #[arg(long, value_enum, default_value_t, value_name = "ACTION")]
    pub(crate) on_repeat: OnRepeat,

    /// Send rows whose text identifier is a placeholder such as `-` or `N/A`, or a number that a
    /// spreadsheet shortened
    #[arg(long)]
    pub(crate) allow_placeholder_identifier: bool,

    /// How long to wait until a pushed lead can be read back, such as 500ms, 30s or 2m
    #[arg(long, default_value = "30s", value_parser = duration, value_name = "DURATION")]
    pub(crate) verify_timeout: Duration,

    #[command(flatten)]
    pub(crate) locale: Locale,

    #[command(flatten)]
    pub(crate) account: Account,

    /// Print one JSON object per row [default in a pipe]
    #[arg(long, conflicts_with = "table")]
    pub(crate) json: bool,

    /// Print a table [default on a terminal]
    #[arg(long)]
    pub(crate) table: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// File with leads, or - for standard input, as `push` reads it
    pub(crate) file: PathBuf,

    /// Check against this lock file, without the account and without a network
    #[arg(long, value_name = "FILE")]
    pub(crate) lock: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) reading: Reading,

    /// Accept text identifiers that are placeholders such as `-` or `N/A`, or numbers that a
    /// spreadsheet shortened
    #[arg(long)]
    pub(crate) allow_placeholder_identifier: bool,

    /// How many rows are checked at once [default: one per core]
    #[arg(
        long,
        default_value_t = cores(),
        hide_default_value = true,
        value_parser = value_parser!(u64).range(1..=1024),
        value_name = "NUMBER"
    )]
    pub(crate) threads: u64,

    #[command(flatten)]
    pub(crate) locale: Locale,

    #[command(flatten)]
    pub(crate) account: Account,

    /// Print one JSON object per row [default in a pipe]
    #[arg(long, conflicts_with = "table")]
    pub(crate) json: bool,

    /// Print a table [default on a terminal]
    #[arg(long)]
    pub(crate) table: bool,
}

fn cores() -> u64 {
    std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64)
}

/// The settings of a workspace that no endpoint returns.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Locale {
    /// Country of phone numbers without a country code (ISO 3166), as in the workspace's settings.
    /// Without this option such numbers are checked as Indian and sent unchanged
    #[arg(long, value_parser = country, value_name = "CODE")]
    pub(crate) default_country: Option<Country>,

    /// Time zone of dates without a zone (IANA name) [default: Asia/Kolkata]
    #[arg(long, value_parser = time_zone, value_name = "NAME")]
    pub(crate) time_zone: Option<TimeZone>,
}

impl Locale {
    pub(crate) fn time_zone(&self) -> TimeZone {
        let zone = self.time_zone.clone();
        zone.or_else(|| TimeZone::get("Asia/Kolkata").ok()).unwrap_or(TimeZone::UTC)
    }
}

/// Which account a command uses.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Account {
    /// Profile that `telecrm init` wrote [default: $TELECRM_PROFILE, else `default`]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
}

/// Commands about one account.
#[derive(Debug, Args)]
pub(crate) struct OfAccount<C: Subcommand> {
    #[command(flatten)]
    pub(crate) account: Account,

    #[command(subcommand)]
    pub(crate) command: C,
}

/// How the file is read.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Reading {
    /// Format of the file [default: by its extension; on standard input, by the first character]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) format: Option<FileFormat>,

    /// Sheet of an .xlsx workbook [default: the first visible one]
    #[arg(long, value_name = "NAME")]
    pub(crate) sheet: Option<String>,

    /// Field that a column fills, such as 'Mobile No.=phone'; 'COLUMN=' leaves the column out; can
    /// be repeated
    #[arg(long, value_parser = mapping, value_name = "COLUMN=FIELD")]
    pub(crate) map: Vec<(String, String)>,

    /// Mapping file with the fields of columns
    #[arg(long, value_name = "FILE")]
    pub(crate) mapping: Option<PathBuf>,

    /// Write the fields that the columns fill to a mapping file
    #[arg(long, value_name = "FILE")]
    pub(crate) save_map: Option<PathBuf>,

    /// Separator of CSV cells, one character or `tab` [default: found in the header, one of , ; |
    /// and tab]
    #[arg(long, value_parser = delimiter, value_name = "CHARACTER")]
    pub(crate) delimiter: Option<u8>,

    /// Encoding of the text, such as utf-8, utf-16le or windows-1252 [default: found in the text]
    #[arg(long, value_parser = encoding, value_name = "NAME")]
    pub(crate) encoding: Option<&'static Encoding>,

    /// Format of the dates in a CSV column, such as 'follow_up_date=MM/DD/YYYY'; can be repeated
    /// [default: the workspace's]
    #[arg(long, value_parser = date_format, value_name = "COLUMN=FORMAT")]
    pub(crate) date_format: Vec<(String, DateFormat)>,

    /// What to do if quotes break rows of a CSV file
    #[arg(long, value_enum, default_value_t, value_name = "ACTION")]
    pub(crate) on_bad_quote: OnBadQuote,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FileFormat {
    /// A header, and one lead per row
    Csv,
    /// One lead per line
    Jsonl,
    /// A list of leads, or leads on several lines each
    Json,
    /// A sheet of a workbook, with a header and one lead per row
    Xlsx,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnBadQuote {
    /// Send nothing. On standard input, reject the row and end there
    #[default]
    Stop,
    /// Reject the row, and go on at the line after its first
    Reject,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnRepeat {
    /// Send the row, and report each value that it replaces
    #[default]
    Send,
    /// Do not send the row
    Skip,
    /// Stop at the first such row
    Stop,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnFinding {
    /// Send the valid parts, and report the others
    #[default]
    Send,
    /// Do not send the lead
    Skip,
    /// Stop at the first loss that is documented or reported
    Stop,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EmulatorCommand {
    /// Wait until an emulator answers. Exit code 0 if it does, 1 after the timeout
    Ready(Ready),
    /// Replay a recording. Exit code 0 if every answer is the recorded one, else 1
    Replay(Replay),
}

#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// File that `telecrm emulator --record` wrote
    #[arg(value_name = "FILE")]
    pub(crate) recording: PathBuf,

    /// Keep running after the replay, and listen on this address
    #[arg(long, value_parser = address, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
}

#[derive(Debug, Args)]
pub(crate) struct Ready {
    /// Address of the emulator
    #[arg(long, default_value = "127.0.0.1:4010", value_parser = address, value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,

    /// How long to wait, such as 500ms, 30s or 2m; a number without a unit means seconds
    #[arg(long, default_value = "10s", value_parser = seconds, value_name = "DURATION")]
    pub(crate) timeout: Duration,
}

#[derive(Debug, Args)]
#[command(after_long_help = switches_help(), args_conflicts_with_subcommands = true)]
pub(crate) struct Emulator {
    #[command(subcommand)]
    pub(crate) command: Option<EmulatorCommand>,

    /// Address to listen on; port 0 picks a free port
    #[arg(long, default_value = "127.0.0.1:4010", value_parser = address, value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,

    /// Workspace file to start from, instead of the built-in sample workspace
    #[arg(long, value_name = "FILE")]
    pub(crate) seed: Option<PathBuf>,

    /// File that keeps all data across restarts; created if it does not exist
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,

    /// Time at which the emulator's clock starts, such as 2026-04-01T09:00:00+05:30 [default: the
    /// machine's clock]
    #[arg(long, value_parser = time, value_name = "TIME")]
    pub(crate) now: Option<Timestamp>,

    /// Enterprise ID to accept
    #[arg(long, default_value = "ent-local", value_name = "ID")]
    pub(crate) enterprise: String,

    /// Which source to follow where sources disagree: the documentation (documented) or users of
    /// the live service (reported)
    #[arg(long, default_value = "documented", value_parser = profile, value_name = "PROFILE")]
    pub(crate) profile: Profile,

    /// Change one switch of the profile; can be repeated
    #[arg(long, value_parser = switch, value_name = "NAME=VALUE")]
    pub(crate) switch: Vec<(String, String)>,

    /// JSON file with rules for faults, described in the README of telecrm-emulator
    #[arg(long, value_name = "FILE")]
    pub(crate) fault: Option<PathBuf>,

    /// Seed of the random numbers that decide which requests meet a fault with a `chance`
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    pub(crate) random_seed: u64,

    /// New file to record all requests and answers in, for `telecrm emulator replay`
    #[arg(long, value_name = "FILE", conflicts_with = "state")]
    pub(crate) record: Option<PathBuf>,

    /// Hourly limit of requests for each Async token; that of telecrm is 18000 [default: no limit]
    #[arg(long, value_name = "REQUESTS")]
    pub(crate) async_limit: Option<usize>,

    /// Hourly limit of requests for each Sync token [default: no limit]
    #[arg(long, value_name = "REQUESTS")]
    pub(crate) sync_limit: Option<usize>,

    /// How many times faster the hour of these limits passes
    #[arg(long, default_value_t = 1.0, value_parser = factor, value_name = "FACTOR")]
    pub(crate) limit_speed: f64,

    /// Send a Retry-After header with answers of the rate limit
    #[arg(long)]
    pub(crate) retry_after: bool,

    /// Omit lead IDs from search results, as `--switch search-ids=no` does
    #[arg(long)]
    pub(crate) no_search_ids: bool,

    /// Maximum number of open connections; further ones are closed
    #[arg(
        long,
        default_value_t = DEFAULT_MAX_CONNECTIONS as u64,
        value_parser = value_parser!(u64).range(1..),
        value_name = "CONNECTIONS"
    )]
    pub(crate) max_connections: u64,

    /// Allow an address that other machines can reach
    #[arg(long)]
    pub(crate) allow_remote: bool,

    /// Let web pages of every origin call the APIs from a browser (CORS)
    #[arg(long)]
    pub(crate) cors: bool,

    /// Host name to accept besides localhost and the machine's addresses; can be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_host: Vec<String>,
}

fn profile(name: &str) -> Result<Profile, Problem> {
    Profile::named(name).map_err(|error| Problem::from(&error))
}

/// Parses a switch, and checks that the profile has it.
fn switch(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    match Profile::documented().with(name, value) {
        Ok(_) => Ok((name.to_owned(), value.to_owned())),
        Err(error) => Err(Problem::from(&error).to_string()),
    }
}

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "expected an IP address and a port, such as 127.0.0.1:4010")
}

fn delimiter(text: &str) -> Result<u8, &'static str> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n') => Ok(*byte),
        _ => Err("expected one character other than a quote, such as ; or tab"),
    }
}

/// Parses a column and its date format, which must tell year, month and day.
fn date_format(text: &str) -> Result<(String, DateFormat), &'static str> {
    let (column, format) = text.rsplit_once('=').ok_or("expected COLUMN=FORMAT")?;
    let format = DateFormat::new(format);
    let day = Timestamp::from_second(1_767_225_600).unwrap_or_default();
    let printed = format.print(day, &TimeZone::UTC).unwrap_or_default();
    if format.parse(&printed, &TimeZone::UTC) == Some(day) {
        Ok((column.to_owned(), format))
    } else {
        Err("the format needs a day, a month and a year, as in DD/MM/YYYY")
    }
}

fn mapping(text: &str) -> Result<(String, String), &'static str> {
    let (column, field) = text.rsplit_once('=').ok_or("expected COLUMN=FIELD")?;
    Ok((column.to_owned(), field.to_owned()))
}

fn encoding(text: &str) -> Result<&'static Encoding, &'static str> {
    Encoding::for_label(text.as_bytes())
        .ok_or("unknown encoding; use a name such as utf-8, utf-16le or windows-1252")
}

fn country(text: &str) -> Result<Country, Problem> {
    text.parse().map_err(|error: CountryError| Problem::from(&error))
}

fn switches_help() -> String {
    let switches = Profile::switches().into_iter();
    let lines: Vec<_> =
        switches.map(|(name, values)| format!("  {name:<22} {}", values.join(", "))).collect();
    format!(
        "{EMULATOR_ENVIRONMENT}\n\nSwitches and their values (the first is that of `documented`):\n{}",
        lines.join("\n")
    )
}

fn factor(text: &str) -> Result<f64, &'static str> {
    match text.parse::<f64>() {
        Ok(factor) if factor.is_finite() && factor > 0.0 => Ok(factor),
        _ => Err("expected a number above zero"),
    }
}

fn time(text: &str) -> Result<Timestamp, &'static str> {
    text.parse().map_err(|_| "expected a time with an offset, such as 2026-04-01T09:00:00+05:30")
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    match text.parse() {
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => duration(text),
    }
}

fn duration(text: &str) -> Result<Duration, &'static str> {
    let Ok(duration) = text.parse::<jiff::SignedDuration>() else {
        return Err("expected a duration such as 500ms, 30s or 2m");
    };
    Duration::try_from(duration).map_err(|_| "a duration cannot be negative")
}

/// Parses a zone's name. The hint of the error lists the zones of the same area, or all areas.
pub(crate) fn time_zone(text: &str) -> Result<TimeZone, Problem> {
    TimeZone::get(text).map_err(|_| {
        let area = text.split('/').next().unwrap_or(text);
        let names: Vec<String> = tz::db().available().map(|name| name.to_string()).collect();
        let zones = || names.iter().filter_map(|name| Some((name, name.split_once('/')?.0)));
        let of_area: Vec<&str> = zones()
            .filter(|(_, other)| other.eq_ignore_ascii_case(area))
            .map(|(name, _)| name.as_str())
            .collect();
        let problem = Problem::new(format!("unknown time zone `{text}`"));
        if of_area.is_empty() {
            let areas: BTreeSet<&str> = zones().map(|(_, area)| area).collect();
            let areas: Vec<&str> = areas.into_iter().collect();
            return problem.hint(format!(
                "use a name such as Asia/Kolkata; the areas are {}",
                areas.join(", ")
            ));
        }
        problem.hint(format!("the zones of this area are {}", of_area.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    fn add_help(command: &mut clap::Command, texts: &mut Vec<String>) {
        texts.push(command.render_long_help().to_string());
        command.get_subcommands_mut().for_each(|command| add_help(command, texts));
    }

    #[test]
    fn every_command_has_this_help() {
        let mut command = Cli::command().term_width(100);
        command.build();
        let mut texts = Vec::new();
        add_help(&mut command, &mut texts);
        insta::assert_snapshot!(texts.join("\n--------\n"));
    }

    #[test]
    fn an_unknown_country_is_refused_with_the_known_codes() {
        assert_eq!(country("in"), Ok(Country::default()));
        let error = country("XX").expect_err("unknown").to_string();
        assert!(error.contains("XX") && error.contains("IN"), "{error}");
    }

    #[test]
    fn an_unknown_zone_is_refused_with_the_zones_of_its_area() {
        assert!(time_zone("Asia/Kolkata").is_ok());
        let error = time_zone("Asia/Kolkatta").expect_err("unknown").to_string();
        assert!(error.contains(" Asia/Kolkata,"), "{error}");
        assert!(!error.contains("Europe/"), "{error}");
    }

    #[test]
    fn a_zone_of_an_unknown_area_is_refused_with_the_areas() {
        let error = time_zone("India").expect_err("unknown").to_string();
        assert!(error.contains("Asia/Kolkata") && error.contains("Europe"), "{error}");
    }

    #[test]
    fn durations_have_a_unit_and_no_sign() {
        for (text, millis) in [("30s", 30_000), ("500ms", 500), ("2m", 120_000), ("0s", 0)] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["30", "-3s", "soon", ""] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
