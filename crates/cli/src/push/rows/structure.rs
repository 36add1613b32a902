//! The first pass over a file: broken rows, the number of rows, and leads with several rows.

use super::{Breaks, Row};
use crate::args::OnBadQuote;
use crate::exit::Failure;
use crate::problem::Problem;
use crate::terminal::print_error;
use std::collections::HashSet;
use telecrm::Lead;

/// So many faults are printed, each with its place.
const PRINTED_FAULTS: usize = 20;

/// What the first pass found out about a file.
#[derive(Default)]
pub(crate) struct Structure {
    pub(crate) rows: u64,
    /// The hashes of leads with several rows.
    pub(crate) repeated: HashSet<u64>,
    /// The first faults.
    faults: Vec<Problem>,
    fault_count: u64,
    breaks_rest: bool,
}

impl Structure {
    pub(super) fn of(
        rows: impl Iterator<Item = Row>,
        mut lead_hash: impl FnMut(&Lead) -> Option<u64>,
    ) -> Self {
        let mut structure = Self::default();
        // Eight bytes for each lead, instead of a set of all leads.
        let mut hashes = Vec::new();
        for row in rows {
            structure.rows += 1;
            match row.lead {
                Ok(lead) => hashes.extend(lead_hash(&lead)),
                Err(problem) if row.breaks != Breaks::Nothing => {
                    structure.fault_count += 1;
                    structure.breaks_rest |= row.breaks == Breaks::Rest;
                    if structure.faults.len() < PRINTED_FAULTS {
                        structure.faults.push(problem);
                    }
                }
                Err(_) => {}
            }
        }
        hashes.sort_unstable();
        let pairs = hashes.windows(2).filter(|pair| pair[0] == pair[1]);
        structure.repeated = pairs.map(|pair| pair[0]).collect();
        structure
    }

    /// Prints the faults. Returns an error unless the rows with faults can be left out.
    pub(super) fn check(&self, name: &str, on_bad_quote: OnBadQuote) -> Result<(), Failure> {
        if self.fault_count == 0 || (on_bad_quote == OnBadQuote::Reject && !self.breaks_rest) {
            return Ok(());
        }
        for fault in &self.faults {
            print_error(&fault.clone().at(name));
        }
        let rows = match self.fault_count {
            1 => "a row is broken".to_owned(),
            count => format!("{count} rows are broken"),
        };
        let failure = Failure::usage(format!("{name}: {rows}, so nothing was sent"));
        Err(if self.breaks_rest {
            failure
        } else {
            failure.hint("correct the file, or leave such rows out with --on-bad-quote reject")
        })
    }
}
