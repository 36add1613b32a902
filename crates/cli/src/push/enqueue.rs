//! `telecrm outbox add`: checks rows as `push` does, and queues them.

use super::connection::Connection;
use super::not_written;
use super::output::{Format, Output};
use super::plan::{Plan, Planner, PreparedRow, RowPlace};
use super::repeats::{Repeats, hash};
use super::report::{ErrorKind, Outcome, RowError, RowReport, Tally};
use super::rows::{Input, Row};
use super::run::RunResult;
use super::send::run_stopped;
use super::summary::print_summary;
use crate::args::outbox::Add;
use crate::args::{Locale, OnRepeat};
use crate::clock;
use crate::environment::ENTERPRISE_ID;
use crate::exit::{Exit, Failure};
use crate::problem::Problem;
use crate::settings::Settings;
use crate::terminal::{print, print_warning};
use std::collections::HashMap;
use std::sync::Arc;
use telecrm::{Telecrm, Workspace};
use telecrm_outbox::{NewLead, Options, Outbox};

/// So many rows become durable at once.
const BATCH_ROWS: usize = 500;

/// The client that sends what an outbox has.
pub(crate) async fn sending_client(
    settings: &Settings,
    outbox: &Outbox,
) -> Result<Telecrm, Failure> {
    let connection = Connection::to_read_and_send(settings, &Locale::default())?;
    refresh(outbox, &connection).await?;
    Ok(connection.telecrm)
}

/// Tells an outbox the present workspace. While telecrm is down, the outbox keeps the one it has.
async fn refresh(outbox: &Outbox, connection: &Connection) -> Result<Arc<Workspace>, Failure> {
    let error = match connection.telecrm.schema().file().await {
        Ok(file) => {
            outbox.set_workspace(&file).await?;
            None
        }
        Err(error) => Some(error),
    };
    match (outbox.known_workspace(), error) {
        (Some(workspace), None) => Ok(workspace),
        (Some(workspace), Some(error)) if error.is_connect() || error.is_transient() => {
            let problem = Problem::from(&error).at("the workspace is not up to date");
            print_warning(
                &problem.hint("the one that the outbox has is used until telecrm is back"),
            );
            Ok(workspace)
        }
        (_, Some(error)) => Err(connection.not_discovered(&error)),
        (None, None) => Err(Failure::usage("the outbox has no workspace")),
    }
}

/// Opens the store for the account, and discovers the workspace.
pub(crate) async fn open_outbox(
    settings: &Settings,
    locale: &Locale,
    url: &str,
) -> Result<(Outbox, Arc<Workspace>), Failure> {
    let mut locale = locale.clone();
    settings.complete(&mut locale)?;
    let connection = Connection::to_read_and_send(settings, &locale)?;
    let country = locale.default_country.unwrap_or_default();
    let options = Options::new(settings.get(ENTERPRISE_ID).unwrap_or_default().trim())
        .country(country.to_string())
        .time_zone(locale.time_zone().iana_name().unwrap_or("Asia/Kolkata"));
    let outbox = Outbox::open(url, options).await?;
    let workspace = refresh(&outbox, &connection).await?;
    Ok((outbox, workspace))
}

/// Queues the rows of a file.
pub(crate) async fn add(
    (outbox, workspace): (Outbox, Arc<Workspace>),
    options: Add,
) -> Result<Exit, Failure> {
    let input = Input::open(&options.file, options.reading.clone())?;
    let path = std::path::absolute(&options.file).unwrap_or_else(|_| options.file.clone());
    let (input, structure) = input.read(Some(workspace.clone()), |_| None)?;
    input.notes.iter().for_each(|note| print(note));
    input.warnings.iter().for_each(print_warning);
    let mut queue = Queue {
        planner: Planner {
            workspace: Some(workspace.clone()),
            check: true,
            on_finding: options.on_finding,
            on_repeat: OnRepeat::Send,
            repeats: Repeats::new(None),
            allows_placeholders: false,
        },
        outbox,
        path: path.display().to_string(),
        occurrences: HashMap::new(),
        known: 0,
        is_stopped: false,
    };
    let format = Format::of_flags(options.json, options.table);
    let count = structure.map(|structure| structure.rows);
    let mut output = Output::start(format, Some(&workspace), count).map_err(not_written)?;
    let (start, mut tally) = (clock::now(), Tally::default());
    let mut rows = input.rows;
    loop {
        let batch: Vec<Row> = rows.by_ref().take(BATCH_ROWS).collect();
        if batch.is_empty() {
            break;
        }
        for report in queue.add(batch).await? {
            tally.add(&report);
            output.row(&report).map_err(not_written)?;
        }
    }
    let is_table = output.is_table();
    output.end();
    if queue.known > 0 {
        print(&format!("{} rows were in the outbox already", queue.known));
    }
    let result = RunResult { tally, stop: None };
    Ok(print_summary(&result, clock::now() - start, is_table))
}

struct Queue {
    planner: Planner,
    outbox: Outbox,
    path: String,
    /// How often each lead stood in the rows so far, by its hash.
    occurrences: HashMap<u64, u64>,
    known: u64,
    /// Whether `--on-finding stop` ended the run. Later rows are skipped.
    is_stopped: bool,
}

impl Queue {
    async fn add(&mut self, batch: Vec<Row>) -> Result<Vec<RowReport>, Failure> {
        let mut reports = Vec::new();
        let (mut leads, mut prepared_rows) = (Vec::new(), Vec::new());
        for row in batch {
            let place = RowPlace::from(&row);
            if self.is_stopped {
                let (row, line) = (place.row, place.line);
                reports.push(RowReport::unsent(row, line, Outcome::Skipped, run_stopped()));
                continue;
            }
            let written = match row.lead {
                Ok(lead) => lead,
                Err(problem) => {
                    reports.push(RowReport::unreadable(place.row, place.line, problem));
                    continue;
                }
            };
            let text = written.to_json().to_string();
            let occurrence = self.occurrences.entry(hash(&text)).or_default();
            *occurrence += 1;
            match self.planner.plan(place, written.clone(), row.findings) {
                Plan::Send(prepared) => {
                    let new = NewLead::checked(prepared.lead.clone(), prepared.findings.clone());
                    leads.push(new.key_in_file(&self.path, &written, *occurrence - 1));
                    prepared_rows.push(prepared);
                }
                Plan::Report(report) => reports.push(report),
                Plan::Stop(report) => {
                    self.is_stopped = true;
                    reports.push(report);
                }
            }
        }
        for (prepared, receipt) in prepared_rows.into_iter().zip(self.outbox.enqueue(leads).await?)
        {
            reports.push(self.report(prepared, receipt));
        }
        reports.sort_by_key(|report| report.row);
        Ok(reports)
    }

    fn report(
        &mut self,
        prepared: PreparedRow,
        receipt: Result<telecrm_outbox::Receipt, telecrm_outbox::Error>,
    ) -> RowReport {
        match receipt {
            Ok(receipt) => {
                self.known += u64::from(receipt.repeated);
                prepared.report(Outcome::Queued, None)
            }
            Err(error) => {
                let error = RowError::new(ErrorKind::NotQueued, Problem::from(&error));
                prepared.report(Outcome::Rejected, Some(error))
            }
        }
    }
}
