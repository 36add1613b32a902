//! `telecrm check`: checks the rows of a file as `push` does, and sends nothing.

use super::output::{Format, Output};
use super::plan::{Plan, Planner, RowPlace};
use super::repeats::Repeats;
use super::report::{Outcome, RowReport, Tally, has_losses};
use super::rows::{Input, Row, Rows};
use super::run::RunResult;
use super::summary::print_summary;
use super::{not_written, warn_of_assumed_country};
use crate::access::sync_client;
use crate::args::{self, OnFinding, OnRepeat};
use crate::clock;
use crate::exit::{Exit, Failure};
use crate::problem::Problem;
use crate::settings::Settings;
use crate::terminal::{print, print_warning};
use crate::workspace;
use std::sync::Arc;
use std::thread;
use telecrm::Workspace;

/// Each thread gets so many rows at once.
const BATCH_ROWS: usize = 1024;

pub(crate) async fn check(mut options: args::Check) -> Result<Exit, Failure> {
    let input = Input::open(&options.file, options.reading.clone())?;
    let workspace = Arc::new(read_workspace(&mut options).await?);
    let planner = Planner {
        workspace: Some(workspace.clone()),
        check: true,
        on_finding: OnFinding::Send,
        on_repeat: OnRepeat::Send,
        repeats: Repeats::new(None),
        allows_placeholders: options.allow_placeholder_identifier,
    };
    // Which leads repeat is seen on the way, because nothing is sent.
    let (input, structure) = input.read(Some(workspace.clone()), |_| None)?;
    input.notes.iter().for_each(|note| print(note));
    input.warnings.iter().for_each(print_warning);
    let count = structure.map(|structure| structure.rows);
    let format = Format::of_flags(options.json, options.table);
    let threads = usize::try_from(options.threads).unwrap_or(usize::MAX);
    let (exit, result) = check_rows(input, planner, format, count, threads)?;
    if workspace.assumes_country(&"9876543210".into()) {
        warn_of_assumed_country(&result, &options.locale);
    }
    Ok(exit)
}

/// Checks and reports every row, and prints the summary.
pub(super) fn check_rows(
    input: Rows,
    mut planner: Planner,
    format: Option<Format>,
    count: Option<u64>,
    threads: usize,
) -> Result<(Exit, RunResult), Failure> {
    let workspace = planner.workspace.clone();
    let mut output = Output::start(format, workspace.as_deref(), count).map_err(not_written)?;
    let start = clock::now();
    let mut tally = Tally::default();
    let mut rows = input.rows;
    loop {
        let batch: Vec<Row> = rows.by_ref().take(BATCH_ROWS.saturating_mul(threads)).collect();
        if batch.is_empty() {
            break;
        }
        for (place, plan) in plan_batch(&planner, batch, threads) {
            let report = report(place, plan.map(|plan| planner.compare_with_earlier(plan)));
            tally.add(&report);
            output.row(&report).map_err(not_written)?;
        }
    }
    let is_table = output.is_table();
    output.end();
    let result = RunResult { tally, stop: None };
    Ok((print_summary(&result, clock::now() - start, is_table), result))
}

/// Reads the lock file, or discovers the workspace of the account.
async fn read_workspace(options: &mut args::Check) -> Result<Workspace, Failure> {
    let workspace = match &options.lock {
        Some(lock) => workspace::read(lock)?,
        None => {
            let settings = Settings::load(&options.account)?;
            settings.complete(&mut options.locale)?;
            let client = sync_client(&settings).map_err(|failure| {
                let hint = failure.problem.hint.clone().unwrap_or_default();
                failure.hint(format!("{hint}, or check against a file with --lock"))
            })?;
            Workspace::clone(&*client.workspace().await?)
        }
    };
    let locale = &options.locale;
    let workspace = match locale.default_country {
        Some(country) => workspace.with_default_country(country),
        None => workspace,
    };
    Ok(match &locale.time_zone {
        Some(zone) => workspace.with_time_zone(zone.clone()),
        None => workspace,
    })
}

type Planned = (RowPlace, Result<Plan, Problem>);

/// Checks the rows of a batch in parallel. Returns them in their order.
fn plan_batch(planner: &Planner, batch: Vec<Row>, threads: usize) -> Vec<Planned> {
    let plan = |row: Row| {
        let place = RowPlace::from(&row);
        (place, row.lead.map(|lead| planner.plan_alone(place, lead, row.findings)))
    };
    if threads == 1 {
        return batch.into_iter().map(plan).collect();
    }
    let share = batch.len().div_ceil(threads);
    let mut rows = batch.into_iter();
    thread::scope(|scope| {
        let shares: Vec<_> = (0..threads)
            .map(|_| {
                let rows: Vec<_> = rows.by_ref().take(share).collect();
                scope.spawn(move || rows.into_iter().map(plan).collect::<Vec<_>>())
            })
            .collect();
        let join = |share: thread::ScopedJoinHandle<'_, Vec<Planned>>| {
            share.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        shares.into_iter().flat_map(join).collect()
    })
}

fn report(place: RowPlace, plan: Result<Plan, Problem>) -> RowReport {
    match plan {
        Ok(Plan::Send(prepared)) => {
            let findings = &prepared.findings;
            let outcome = if has_losses(findings) {
                Outcome::Lossy
            } else if findings.iter().any(|finding| finding.repaired) {
                Outcome::Repaired
            } else {
                Outcome::Clean
            };
            prepared.report(outcome, None)
        }
        Ok(Plan::Report(report) | Plan::Stop(report)) => report,
        Err(problem) => RowReport::unreadable(place.row, place.line, problem),
    }
}
