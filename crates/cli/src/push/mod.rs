//! `telecrm push` discovers the workspace, then checks, sends and verifies the rows of a file.
//! `telecrm check` ends after the check.

mod check;
mod connection;
mod enqueue;
mod estimate;
mod output;
mod plan;
mod reasons;
mod repeats;
mod report;
mod rows;
mod run;
mod send;
mod summary;
mod table;

use crate::args;
use crate::clock;
use crate::environment::ASYNC_TOKEN;
use crate::exit::{Exit, Failure};
use crate::problem::Problem;
use crate::settings::Settings;
use crate::signals;
use crate::terminal::{print, print_warning};
pub(crate) use check::check;
pub(crate) use connection::Connection;
pub(crate) use enqueue::{add, open_outbox, sending_client};
use estimate::ReadRequests;
use output::{Format, Output};
use plan::Planner;
pub(crate) use reasons::Reasons;
use repeats::Repeats;
pub(crate) use rows::Input;
use run::{Run, RunResult};
use send::{ReadBack, Sender};
use std::io;
use telecrm::Telecrm;
use tokio::sync::mpsc;

pub(crate) async fn run(mut options: args::Push) -> Result<Exit, Failure> {
    let input = Input::open(&options.file, options.reading.clone())?;
    let settings =
        if options.emulator { Settings::none() } else { Settings::load(&options.account)? };
    settings.complete(&mut options.locale)?;
    let connection = Connection::open(&options, &settings).await?;
    push(input, connection, options).await.map(|(exit, _)| exit)
}

/// Pushes the rows of an input. Returns the reasons of its findings as well.
pub(crate) async fn push(
    input: Input,
    connection: Connection,
    options: args::Push,
) -> Result<(Exit, Reasons), Failure> {
    let workspace = connection.workspace().await?;
    let is_file = input.is_file();
    let mut planner = Planner {
        workspace: workspace.clone(),
        check: !options.no_check,
        on_finding: options.on_finding,
        on_repeat: options.on_repeat,
        repeats: Repeats::new(None),
        allows_placeholders: options.allow_placeholder_identifier,
    };
    let (input, structure) = input.read(workspace.clone(), |lead| planner.lead_hash(lead))?;
    let row_count = structure.as_ref().map(|structure| structure.rows);
    if let Some(structure) = structure {
        planner.repeats = Repeats::new(Some(structure.repeated));
    }
    input.notes.iter().for_each(|note| print(note));
    input.warnings.iter().for_each(print_warning);
    if let (Some(rows), Some(limits)) = (row_count, &connection.limits) {
        let reads = options.verify.then_some(if input.may_have_actions {
            ReadRequests::OneToSix
        } else {
            ReadRequests::One
        });
        match limits.estimate(rows, reads) {
            Some(estimate) => print(&estimate),
            None if options.dry_run => print("sending these rows takes less than a minute"),
            None => {}
        }
    }
    if options.dry_run {
        let format = Format::of_flags(options.json, options.table);
        let result = check::check_rows(input, planner, format, row_count, 1)?;
        return Ok((result.0, result.1.tally.reasons));
    }
    let signals = signals::listen()?;
    let (sender, rows) = mpsc::channel(64);
    // The run may end before this thread, which waits if standard input stays open.
    std::thread::spawn(move || {
        for row in input.rows {
            if sender.blocking_send(row).is_err() {
                break;
            }
        }
    });
    let format = Format::of_flags(options.json, options.table);
    let mut output = Output::start(format, workspace.as_deref(), row_count).map_err(not_written)?;
    let start = clock::now();
    // The emulator stops when it is dropped, so this keeps it to the end of the run.
    let emulator = connection.emulator;
    let read_back = options
        .verify
        .then(|| ReadBack { emulator: emulator.clone(), timeout: options.verify_timeout });
    let run = Run {
        rows,
        is_file,
        signals,
        planner,
        sender: Sender::new(connection.telecrm.clone(), read_back),
        output: &mut output,
    };
    let result = run.run().await.map_err(not_written)?;
    let is_table = output.is_table();
    output.end();
    warn_of_refused_tokens(&connection.telecrm);
    if !options.emulator {
        warn_of_assumed_country(&result, &options.locale);
    }
    let exit = summary::print_summary(&result, clock::now() - start, is_table);
    Ok((exit, result.tally.reasons))
}

fn warn_of_assumed_country(result: &RunResult, locale: &args::Locale) {
    if result.tally.national_numbers > 0 && locale.default_country.is_none() {
        let message = "the workspace's default country is not known, so phone numbers without a \
                       country code were checked as Indian ones";
        print_warning(&Problem::new(message).hint("name the country with --default-country"));
    }
}

fn not_written(error: io::Error) -> Failure {
    Failure::new(Exit::Failed, format!("cannot write the report: {error}"))
        .hint("rows in flight may have been sent; read them back before you push them again")
}

fn warn_of_refused_tokens(telecrm: &Telecrm) {
    let limits = telecrm.async_limits();
    for (index, _) in limits.iter().enumerate().filter(|(_, limit)| limit.set_aside) {
        let (number, count) = (index + 1, limits.len());
        let message = format!("telecrm refused token {number} of {count} in {ASYNC_TOKEN}");
        print_warning(&Problem::new(message).hint("check it; the other tokens were used instead"));
    }
}
