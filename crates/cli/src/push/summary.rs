//! The end of a run: why it stopped, how many rows had which outcome, and the exit code.

use super::report::{ErrorKind, RowError};
use super::run::{MAX_SERVER_FAULTS, RunResult, StopReason};
use crate::environment::{ASYNC_TOKEN, ASYNC_URL_VARIABLE, ENTERPRISE_ID, SYNC_TOKEN};
use crate::exit::Exit;
use crate::problem::Problem;
use crate::terminal::{print, print_error};
use std::time::Duration;

/// A table of up to so many rows shows all of its reasons at a glance.
const SHORT_TABLE: u64 = 20;

/// Prints the summary. Returns the exit code.
pub(crate) fn print_summary(result: &RunResult, elapsed: Duration, is_table: bool) -> Exit {
    let RunResult { tally, stop } = result;
    match stop {
        None => {}
        Some(StopReason::Signal(_)) => print("stopped by a signal; skipped rows were not sent"),
        Some(StopReason::Finding { row }) => print(&format!(
            "stopped at row {row}, which would lose data (--on-finding stop); skipped rows were not sent"
        )),
        Some(StopReason::Repeat { row }) => print(&format!(
            "stopped at row {row}, whose lead an earlier row has (--on-repeat stop); skipped rows were not sent"
        )),
        Some(StopReason::Error { row, error }) => {
            let problem = Problem::new(format!("stopped at row {row}: {}", error.problem.message));
            print_error(&problem.hint(hint(error)));
        }
    }
    if tally.national_numbers > 0 {
        let count = tally.national_numbers;
        print(&format!("phone numbers completed with the default country's code: {count} (ID2)"));
    }
    if !is_table || tally.rows() > SHORT_TABLE {
        tally.reasons.lines().iter().for_each(|line| print(line));
    }
    let seconds = elapsed.as_secs_f64();
    match tally.rows() {
        0 => print("no rows"),
        rows => {
            let noun = if rows == 1 { "row" } else { "rows" };
            let rate = match tally.processed() {
                sent if sent > 0 && seconds > 0.0 => {
                    format!(", {:.0} rows/s", sent as f64 / seconds)
                }
                _ => String::new(),
            };
            print(&format!("{rows} {noun}: {tally}; {seconds:.1} s{rate}"));
        }
    }
    match stop {
        Some(StopReason::Signal(signal)) => signal.exit(),
        _ => tally.exit(),
    }
}

fn hint(error: &RowError) -> String {
    match error.kind {
        ErrorKind::NotAuthorized => format!(
            "check {ASYNC_TOKEN} (type Async, pushes), {SYNC_TOKEN} (type Sync, reads) and {ENTERPRISE_ID}"
        ),
        ErrorKind::NotFound => format!("check {ASYNC_URL_VARIABLE} and {ENTERPRISE_ID}"),
        ErrorKind::RateLimited => {
            "another program may use the same token; push the skipped rows later".to_owned()
        }
        ErrorKind::Connect => format!("check {ASYNC_URL_VARIABLE} and the network"),
        _ => format!(
            "{MAX_SERVER_FAULTS} rows in a row ended like this; check that {ASYNC_URL_VARIABLE} is telecrm's Async API, or push the skipped rows later"
        ),
    }
}
