//! Runs a push: sends rows in file order, rows of one lead one by one, and others concurrently.

use super::output::Output;
use super::plan::{Plan, Planner, PreparedRow, RowPlace};
use super::report::{ErrorKind, Outcome, RowError, RowReport, Tally};
use super::rows::Row;
use super::send::{FinishedRow, Sender, Stopped, run_stopped};
use crate::signals::Signal;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// Maximum number of rows in flight. More would only wait for the rate limit.
const MAX_IN_FLIGHT: usize = 32;

/// Maximum number of rows that are read but not reported yet, which bounds the memory.
const MAX_UNREPORTED: u64 = 512;

/// The run stops after this many rows in a row that failed through a fault of the server.
pub(crate) const MAX_SERVER_FAULTS: u32 = 10;

/// Why no further row is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StopReason {
    Signal(Signal),
    /// A loss under `--on-finding stop`.
    Finding {
        row: u64,
    },
    /// A lead that an earlier row has sent, under `--on-repeat stop`.
    Repeat {
        row: u64,
    },
    /// An error that all later rows would share: token, enterprise, rate limit, or server.
    Error {
        row: u64,
        error: RowError,
    },
}

pub(crate) struct RunResult {
    pub(crate) tally: Tally,
    pub(crate) stop: Option<StopReason>,
}

pub(crate) struct Run<'a> {
    pub(crate) rows: mpsc::Receiver<Row>,
    /// Whether the rows come from a file, so that the last row never has to be waited for.
    pub(crate) is_file: bool,
    pub(crate) signals: mpsc::Receiver<Signal>,
    pub(crate) planner: Planner,
    pub(crate) sender: Sender,
    pub(crate) output: &'a mut Output,
}

impl Run<'_> {
    /// Runs to the last row. Returns an error if standard output fails.
    pub(crate) async fn run(mut self) -> io::Result<RunResult> {
        let mut state = State {
            in_flight: JoinSet::new(),
            waiting: HashMap::new(),
            unreported: BTreeMap::new(),
            reported: 0,
            read: 0,
            max_in_flight: 1,
            server_faults: 0,
            stop: None,
            tally: Tally::default(),
            stopped: watch::Sender::new(Stopped::Nothing),
        };
        // Without a workspace, any two rows may be one lead.
        let max_in_flight = match self.planner.workspace {
            Some(_) => MAX_IN_FLIGHT,
            None => 1,
        };
        let mut has_more = true;
        while has_more || !state.in_flight.is_empty() {
            let has_room = state.in_flight.len() < state.max_in_flight
                && state.read < state.reported + MAX_UNREPORTED;
            tokio::select! {
                biased;
                Some(signal) = self.signals.recv() => {
                    if matches!(state.stop, Some(StopReason::Signal(_))) {
                        // The second signal does not wait for answers.
                        std::process::exit(signal.exit() as i32);
                    }
                    self.output.print("finishing rows in flight; press Ctrl-C again to quit");
                    state.stop = Some(StopReason::Signal(signal));
                    // Before the client shuts down, so that no row takes that for a missing lead.
                    state.apply_stop();
                    self.sender.shutdown();
                    if !self.is_file {
                        self.rows.close();
                    }
                }
                Some(done) = state.in_flight.join_next() => match done {
                    Ok(finished) => {
                        state.finish(finished, &self.sender);
                        state.max_in_flight = max_in_flight;
                    }
                    Err(error) => std::panic::resume_unwind(error.into_panic()),
                },
                row = self.rows.recv(), if has_more && has_room => match row {
                    Some(row) => state.start(row, &mut self.planner, &self.sender),
                    None => has_more = false,
                },
            }
            if state.stop.is_some() {
                state.apply_stop();
            }
            state.write_reports(self.output)?;
        }
        Ok(RunResult { tally: state.tally, stop: state.stop })
    }
}

struct State {
    in_flight: JoinSet<FinishedRow>,
    /// For each lead with a row in flight, the rows that wait for it.
    waiting: HashMap<String, VecDeque<PreparedRow>>,
    /// Reports that wait for those of earlier rows.
    unreported: BTreeMap<u64, RowReport>,
    reported: u64,
    read: u64,
    /// One until the first row is done, so that a wrong token costs one request.
    max_in_flight: usize,
    /// Rows in a row that failed through a fault of the server.
    server_faults: u32,
    stop: Option<StopReason>,
    tally: Tally,
    stopped: watch::Sender<Stopped>,
}

impl State {
    fn start(&mut self, row: Row, planner: &mut Planner, sender: &Sender) {
        let place = RowPlace::from(&row);
        self.read = place.row;
        let unsent = |identifier, outcome, error| RowReport {
            identifier,
            ..RowReport::unsent(place.row, place.line, outcome, error)
        };
        let lead = match row.lead {
            Ok(lead) => lead,
            Err(problem) => {
                let report = RowReport::unreadable(place.row, place.line, problem);
                return self.add_report(report);
            }
        };
        if self.stop.is_some() {
            let identifier = planner.identifier(&lead);
            return self.add_report(unsent(identifier, Outcome::Skipped, run_stopped()));
        }
        match planner.plan(place, lead, row.findings) {
            Plan::Send(row) => self.send_or_wait(row, sender),
            Plan::Report(report) => self.add_report(report),
            Plan::Stop(report) => {
                self.stop = Some(match report.error {
                    Some(_) => StopReason::Repeat { row: place.row },
                    None => StopReason::Finding { row: place.row },
                });
                self.add_report(report);
            }
        }
    }

    /// Sends a row, unless one of the same lead is in flight.
    fn send_or_wait(&mut self, row: PreparedRow, sender: &Sender) {
        if let Some(key) = &row.lead_key {
            match self.waiting.entry(key.clone()) {
                Entry::Occupied(mut rows) => return rows.get_mut().push_back(row),
                Entry::Vacant(entry) => {
                    entry.insert(VecDeque::new());
                }
            }
        }
        self.send(row, sender);
    }

    fn send(&mut self, row: PreparedRow, sender: &Sender) {
        let stop = self.stopped.subscribe();
        self.in_flight.spawn(sender.clone().send(row, stop));
    }

    /// Reports a finished row, and sends the next row of the same lead.
    fn finish(&mut self, finished: FinishedRow, sender: &Sender) {
        let FinishedRow { report, lead_key } = finished;
        self.count_server_faults(&report);
        self.add_report(report);
        let Some(key) = lead_key else {
            return;
        };
        match self.waiting.get_mut(&key).and_then(VecDeque::pop_front) {
            Some(mut row) if self.stop.is_none() => {
                row.lead_key = Some(key);
                self.send(row, sender);
            }
            Some(row) => self.add_report(row.report(Outcome::Skipped, Some(run_stopped()))),
            None => {
                self.waiting.remove(&key);
            }
        }
    }

    /// Stops the run if later rows would fail in the same way.
    fn count_server_faults(&mut self, report: &RowReport) {
        let is_fault = |error: &&RowError| error.is_server_fault;
        let fault = report.error.as_ref().filter(is_fault);
        self.server_faults = fault.map_or(0, |_| self.server_faults + 1);
        let Some(error) = &report.error else {
            return;
        };
        let stops = match error.kind {
            ErrorKind::NotAuthorized | ErrorKind::NotFound | ErrorKind::RateLimited => true,
            _ => self.server_faults >= MAX_SERVER_FAULTS,
        };
        if stops && self.stop.is_none() {
            let (row, error) = (report.row, error.clone());
            self.stop = Some(StopReason::Error { row, error });
        }
    }

    /// Stops rows in flight as far as the reason demands, and skips the rows that wait.
    fn apply_stop(&mut self) {
        self.stopped.send_replace(match self.stop {
            Some(StopReason::Signal(_)) => Stopped::SendingAndReading,
            Some(StopReason::Error { .. }) => Stopped::Sending,
            // Rows before this one are still sent.
            Some(StopReason::Finding { .. } | StopReason::Repeat { .. }) | None => Stopped::Nothing,
        });
        let waiting: Vec<_> = self.waiting.values_mut().flat_map(std::mem::take).collect();
        for row in waiting {
            self.add_report(row.report(Outcome::Skipped, Some(run_stopped())));
        }
    }

    fn add_report(&mut self, report: RowReport) {
        self.unreported.insert(report.row, report);
    }

    /// Writes the reports that are known, in file order.
    fn write_reports(&mut self, output: &mut Output) -> io::Result<()> {
        while let Some(report) = self.unreported.remove(&(self.reported + 1)) {
            self.reported += 1;
            self.tally.add(&report);
            output.row(&report)?;
        }
        Ok(())
    }
}
