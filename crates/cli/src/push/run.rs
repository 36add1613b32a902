//! The run: rows in file order, those of one lead one after the other, others side by side.

use super::output::Output;
use super::plan::{Parcel, Plan, Planner};
use super::report::{ErrorKind, Outcome, RowError, RowReport, Tally};
use super::rows::Row;
use super::send::{Halt, Sender, Sent, run_stopped};
use crate::signals::Signal;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// How many rows are under way at once; more would only wait for the rate limit.
const AT_ONCE: usize = 32;

/// How far reading may run ahead of what is reported: reports wait here for the rows before them.
const AHEAD: u64 = 512;

/// So many rows in a row that reach no server, or one that has trouble or is not telecrm: the rest would fare no better.
pub(crate) const HOPELESS: u32 = 10;

/// Why no further row is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    Signal(Signal),
    /// `--on-finding stop`.
    Finding {
        row: u64,
    },
    /// Nothing else can succeed: token, enterprise, rate limit, no server.
    Hopeless {
        row: u64,
        error: RowError,
    },
}

/// What a run amounts to.
pub(crate) struct Summary {
    pub(crate) tally: Tally,
    pub(crate) stop: Option<Stop>,
}

pub(crate) struct Run<'a> {
    pub(crate) rows: mpsc::Receiver<Row>,
    /// Whether the rest of the rows comes without waiting for anybody.
    pub(crate) rows_end: bool,
    pub(crate) signals: mpsc::Receiver<Signal>,
    pub(crate) planner: Planner,
    pub(crate) sender: Sender,
    pub(crate) output: &'a mut Output,
}

impl Run<'_> {
    /// Runs to the end of the rows; an error is one of standard output.
    pub(crate) async fn run(mut self) -> io::Result<Summary> {
        let (stopped, _) = watch::channel(Halt::Nothing);
        let mut state = State {
            under_way: JoinSet::new(),
            lanes: HashMap::new(),
            ready: BTreeMap::new(),
            reported: 0,
            read: 0,
            at_once: 1,
            in_vain: 0,
            stop: None,
            tally: Tally::default(),
            stopped,
        };
        // Rows that may be one lead cannot be told apart without a workspace, so they all go one by one.
        let at_once = if self.planner.workspace.is_some() {
            AT_ONCE
        } else {
            1
        };
        let mut more = true;
        while more || !state.under_way.is_empty() {
            let room = state.under_way.len() < state.at_once && state.read < state.reported + AHEAD;
            tokio::select! {
                biased;
                Some(signal) = self.signals.recv() => {
                    if matches!(state.stop, Some(Stop::Signal(_))) {
                        // Asked twice: whoever asks does not want to wait for answers.
                        std::process::exit(signal.exit() as i32);
                    }
                    self.output.say("stopping: rows that are under way are waited for, again to quit at once");
                    state.stop = Some(Stop::Signal(signal));
                    // Before the client stops: a row that is read back no more is not to take that for a verdict.
                    state.stop_all();
                    self.sender.shutdown();
                    if !self.rows_end {
                        self.rows.close();
                    }
                }
                Some(done) = state.under_way.join_next() => match done {
                    Ok(sent) => {
                        state.finish(sent, &self.sender);
                        state.at_once = at_once;
                    }
                    Err(error) => std::panic::resume_unwind(error.into_panic()),
                },
                row = self.rows.recv(), if more && room => match row {
                    Some(row) => state.take(row, &self.planner, &self.sender),
                    None => more = false,
                },
            }
            if state.stop.is_some() {
                state.stop_all();
            }
            state.report(self.output)?;
        }
        Ok(Summary {
            tally: state.tally,
            stop: state.stop,
        })
    }
}

struct State {
    under_way: JoinSet<Sent>,
    /// Lanes with a row under way, and the rows that wait for it.
    lanes: HashMap<String, VecDeque<Parcel>>,
    ready: BTreeMap<u64, RowReport>,
    reported: u64,
    read: u64,
    /// One until the first row is through, so that a wrong token costs one request.
    at_once: usize,
    /// Rows in a row that failed for a reason of the server.
    in_vain: u32,
    stop: Option<Stop>,
    tally: Tally,
    stopped: watch::Sender<Halt>,
}

impl State {
    fn take(&mut self, row: Row, planner: &Planner, sender: &Sender) {
        self.read = row.number;
        let lead = match row.lead {
            Ok(lead) => lead,
            Err(reason) => {
                let error = RowError::new(ErrorKind::UnreadableRow, reason);
                return self.ready(unsent(row.number, None, Outcome::Rejected, error));
            }
        };
        if self.stop.is_some() {
            let identifier = planner.identifier(&lead);
            return self.ready(unsent(
                row.number,
                identifier,
                Outcome::Skipped,
                run_stopped(),
            ));
        }
        match planner.plan(row.number, lead) {
            Plan::Send(parcel) => self.queue(parcel, sender),
            Plan::Keep(report) => self.ready(report),
            Plan::Stop(report) => {
                self.stop = Some(Stop::Finding { row: row.number });
                self.ready(report);
            }
        }
    }

    /// Sends a row, or lets it wait for the one before it in its lane.
    fn queue(&mut self, parcel: Parcel, sender: &Sender) {
        if let Some(lane) = &parcel.lane {
            match self.lanes.entry(lane.clone()) {
                Entry::Occupied(mut waiting) => return waiting.get_mut().push_back(parcel),
                Entry::Vacant(lane) => {
                    lane.insert(VecDeque::new());
                }
            }
        }
        self.send(parcel, sender);
    }

    fn send(&mut self, parcel: Parcel, sender: &Sender) {
        let stopped = self.stopped.subscribe();
        self.under_way.spawn(sender.clone().send(parcel, stopped));
    }

    /// Takes what came of a row, and sends the next in its lane.
    fn finish(&mut self, Sent { report, lane }: Sent, sender: &Sender) {
        if let Some(error) = &report.error {
            self.judge(report.row, error);
        } else {
            self.in_vain = 0;
        }
        self.ready(report);
        let Some(lane) = lane else {
            return;
        };
        let next = self.lanes.get_mut(&lane).and_then(VecDeque::pop_front);
        match next {
            Some(mut parcel) if self.stop.is_none() => {
                parcel.lane = Some(lane);
                self.send(parcel, sender);
            }
            Some(parcel) => self.ready(parcel.report(Outcome::Skipped, Some(run_stopped()))),
            None => {
                self.lanes.remove(&lane);
            }
        }
    }

    /// Stops if nothing else can succeed.
    fn judge(&mut self, row: u64, error: &RowError) {
        let hopeless = match error.kind {
            ErrorKind::NotAuthorized | ErrorKind::NotFound | ErrorKind::RateLimited => true,
            _ if error.of_server => {
                self.in_vain += 1;
                self.in_vain >= HOPELESS
            }
            _ => {
                self.in_vain = 0;
                false
            }
        };
        if hopeless && self.stop.is_none() {
            let error = error.clone();
            self.stop = Some(Stop::Hopeless { row, error });
        }
    }

    /// Tells the rows under way, and gives up those that wait.
    fn stop_all(&mut self) {
        self.stopped.send_replace(match self.stop {
            Some(Stop::Signal(_)) => Halt::Everything,
            Some(Stop::Hopeless { .. }) => Halt::Sending,
            // The rows before the one with the loss are to arrive.
            Some(Stop::Finding { .. }) | None => Halt::Nothing,
        });
        let waiting: Vec<_> = self.lanes.values_mut().flat_map(std::mem::take).collect();
        for parcel in waiting {
            self.ready(parcel.report(Outcome::Skipped, Some(run_stopped())));
        }
    }

    fn ready(&mut self, report: RowReport) {
        self.ready.insert(report.row, report);
    }

    /// Writes what is known, in the order of the rows.
    fn report(&mut self, output: &mut Output) -> io::Result<()> {
        while let Some(report) = self.ready.remove(&(self.reported + 1)) {
            self.reported += 1;
            self.tally.add(&report);
            output.row(&report)?;
        }
        Ok(())
    }
}

fn unsent(row: u64, identifier: Option<String>, outcome: Outcome, error: RowError) -> RowReport {
    RowReport {
        row,
        identifier,
        outcome,
        findings: Vec::new(),
        error: Some(error),
    }
}
