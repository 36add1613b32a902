//! What to do with a row before anything is sent.

use super::report::{ErrorKind, Outcome, RowError, RowReport, has_losses, is_lost};
use crate::args::OnFinding;
use std::sync::Arc;
use telecrm::{Certainty, FieldPath, Finding, Lead, Workspace};

/// Decides by the workspace, and by what the caller wants.
#[derive(Debug, Clone)]
pub(crate) struct Planner {
    pub(crate) workspace: Option<Arc<Workspace>>,
    pub(crate) check: bool,
    pub(crate) on_finding: OnFinding,
}

/// What to do with a row.
#[derive(Debug, PartialEq)]
pub(crate) enum Plan {
    Send(Parcel),
    /// Nothing is sent of it.
    Keep(RowReport),
    /// Nothing is sent of it, nor of any later row.
    Stop(RowReport),
}

/// A lead ready to be sent.
#[derive(Debug, PartialEq)]
pub(crate) struct Parcel {
    pub(crate) row: u64,
    pub(crate) identifier: Option<String>,
    /// Rows of one lane follow each other; rows without one follow nobody.
    pub(crate) lane: Option<String>,
    pub(crate) lead: Lead,
    /// What the check has to say of the lead as written.
    pub(crate) findings: Vec<Finding>,
    /// For each action that is sent, its place among those written.
    kept_actions: Vec<usize>,
}

impl Parcel {
    pub(crate) fn report(self, outcome: Outcome, error: Option<RowError>) -> RowReport {
        RowReport {
            row: self.row,
            identifier: self.identifier,
            outcome,
            findings: self.findings,
            error,
        }
    }

    /// Adds what reading back found, said of the lead as written.
    pub(crate) fn add(&mut self, losses: impl IntoIterator<Item = Finding>) {
        for mut loss in losses {
            loss.path = self.as_written(loss.path);
            // A mended part that was lost all the same is a loss of its own.
            let known = |finding: &Finding| {
                is_lost(finding) && finding.path == loss.path && finding.kind == loss.kind
            };
            if !self.findings.iter().any(known) {
                self.findings.push(loss);
            }
        }
    }

    fn as_written(&self, path: FieldPath) -> FieldPath {
        let written = |index: usize| self.kept_actions.get(index).copied().unwrap_or(index);
        match path {
            FieldPath::Action(index) => FieldPath::Action(written(index)),
            FieldPath::ActionField(index, name) => FieldPath::ActionField(written(index), name),
            FieldPath::ActionKey(index, key) => FieldPath::ActionKey(written(index), key),
            // Said of no action.
            other => other,
        }
    }
}

impl Planner {
    pub(crate) fn plan(&self, row: u64, lead: Lead) -> Plan {
        let Some(workspace) = self.workspace.as_deref() else {
            return Plan::Send(Parcel {
                row,
                identifier: None,
                lane: None,
                kept_actions: (0..lead.actions().len()).collect(),
                lead,
                findings: Vec::new(),
            });
        };
        let checked = workspace.check(&lead);
        let report = checked.report().to_vec();
        let clean = checked.accept_partial();
        let meant = clean.as_ref().unwrap_or(&lead);
        let identifier = key_of(workspace, meant);
        let lane = identifier.clone().or_else(|| raw_key_of(workspace, meant));
        if !self.check {
            return Plan::Send(Parcel {
                row,
                identifier: key_of(workspace, &lead),
                lane,
                kept_actions: (0..lead.actions().len()).collect(),
                lead,
                findings: Vec::new(),
            });
        }
        let not_sent = |outcome, error| RowReport {
            row,
            identifier: identifier.clone(),
            outcome,
            findings: report.clone(),
            error,
        };
        let certain =
            |finding: &Finding| is_lost(finding) && finding.certainty != Certainty::Inferred;
        match self.on_finding {
            OnFinding::Stop if report.iter().any(certain) => {
                return Plan::Stop(not_sent(Outcome::Skipped, None));
            }
            OnFinding::Skip if has_losses(&report) => {
                return Plan::Keep(not_sent(Outcome::Skipped, None));
            }
            _ => {}
        }
        let dropped = |index: &usize| {
            let path = FieldPath::Action(*index);
            report
                .iter()
                .any(|finding| is_lost(finding) && finding.path == path)
        };
        match clean {
            Ok(clean) => Plan::Send(Parcel {
                row,
                kept_actions: (0..lead.actions().len())
                    .filter(|index| !dropped(index))
                    .collect(),
                lead: clean,
                lane,
                identifier,
                findings: report,
            }),
            Err(dropped) => {
                let message = format!("nothing was sent: {dropped}");
                let error = RowError::new(ErrorKind::LeadDropped, message);
                Plan::Keep(not_sent(Outcome::Rejected, Some(error)))
            }
        }
    }

    /// The identifier of a row that is not sent because the run has ended.
    pub(crate) fn identifier(&self, lead: &Lead) -> Option<String> {
        let workspace = self.workspace.as_deref()?;
        match workspace.check(lead).accept_partial() {
            Ok(clean) if self.check => key_of(workspace, &clean),
            _ => key_of(workspace, lead),
        }
    }
}

fn key_of(workspace: &Workspace, lead: &Lead) -> Option<String> {
    workspace.identifier_key(lead.get(workspace.identifier().api_name())?)
}

/// For an identifier that is said to be dropped: rows that write it alike may still be one lead.
fn raw_key_of(workspace: &Workspace, lead: &Lead) -> Option<String> {
    let value = lead.get(workspace.identifier().api_name())?;
    Some(value.to_string().to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use telecrm::FindingKind;

    fn planner(check: bool, on_finding: OnFinding) -> Planner {
        Planner {
            workspace: Some(Arc::new(Workspace::sample())),
            check,
            on_finding,
        }
    }

    fn lead(json: Value) -> Lead {
        Lead::from_json(json).expect("a lead")
    }

    fn with_bad_rating() -> Lead {
        lead(json!({"fields": {"phone": "+91 99999 00001", "rating": 9}}))
    }

    /// Only an inferred reading says that this website is dropped.
    fn with_doubtful_website() -> Lead {
        lead(json!({"fields": {"phone": "919999900001", "website": "no site yet"}}))
    }

    #[test]
    fn what_is_valid_goes_and_the_rest_is_reported() {
        let Plan::Send(parcel) = planner(true, OnFinding::Send).plan(7, with_bad_rating()) else {
            panic!("is sent");
        };
        assert_eq!(
            parcel.lead.to_json(),
            json!({"fields": {"phone": "919999900001"}})
        );
        assert_eq!(parcel.identifier.as_deref(), Some("919999900001"));
        let repaired: Vec<_> = parcel
            .findings
            .iter()
            .map(|f| (f.path.to_string(), f.repaired))
            .collect();
        assert_eq!(
            repaired,
            [
                ("fields.phone".to_owned(), true),
                ("fields.rating".to_owned(), false)
            ]
        );
    }

    #[test]
    fn skip_and_stop_keep_back_leads_with_losses() {
        let plan = planner(true, OnFinding::Skip).plan(1, with_bad_rating());
        assert!(
            matches!(&plan, Plan::Keep(row) if row.outcome == Outcome::Skipped),
            "{plan:?}"
        );
        let plan = planner(true, OnFinding::Stop).plan(1, with_bad_rating());
        assert!(
            matches!(&plan, Plan::Stop(row) if row.outcome == Outcome::Skipped),
            "{plan:?}"
        );
    }

    #[test]
    fn stop_passes_over_what_is_only_inferred_and_skip_does_not() {
        let plan = planner(true, OnFinding::Stop).plan(1, with_doubtful_website());
        assert!(matches!(plan, Plan::Send(_)), "{plan:?}");
        let plan = planner(true, OnFinding::Skip).plan(1, with_doubtful_website());
        assert!(matches!(plan, Plan::Keep(_)), "{plan:?}");
    }

    #[test]
    fn what_is_mended_keeps_nothing_back() {
        let mended = lead(json!({"fields": {"phone": "+91 99999 00001", "rating": "3"}}));
        let plan = planner(true, OnFinding::Stop).plan(1, mended);
        assert!(matches!(plan, Plan::Send(_)), "{plan:?}");
    }

    #[test]
    fn as2_nothing_is_sent_of_a_lead_without_identifier() {
        let plan =
            planner(true, OnFinding::Send).plan(3, lead(json!({"fields": {"name": "Asha"}})));
        let Plan::Keep(row) = plan else {
            panic!("is not sent");
        };
        assert_eq!((row.outcome, row.identifier), (Outcome::Rejected, None));
        assert_eq!(
            row.error.map(|error| error.kind),
            Some(ErrorKind::LeadDropped)
        );
    }

    #[test]
    fn unchecked_leads_go_as_they_are_and_still_keep_their_order() {
        let Plan::Send(parcel) = planner(false, OnFinding::Send).plan(1, with_bad_rating()) else {
            panic!("is sent");
        };
        assert_eq!(parcel.lead, with_bad_rating());
        assert_eq!(parcel.findings, []);
        assert_eq!(parcel.lane.as_deref(), Some("919999900001"));
    }

    #[test]
    fn losses_are_said_of_the_lead_as_written() {
        let lead = lead(json!({"fields": {"phone": "919999900001"}, "actions": [
            {"type": "OUTGOING_CALL"},
            {"type": "ACTION_1001", "fields": {"note": "Visit"}},
        ]}));
        let Plan::Send(mut parcel) = planner(true, OnFinding::Send).plan(1, lead) else {
            panic!("is sent");
        };
        let loss = |path| {
            Finding::new(
                path,
                FindingKind::FieldDropped,
                Certainty::Reported,
                "not there",
            )
        };
        parcel.add([
            loss(FieldPath::ActionField(0, "note".into())),
            loss(FieldPath::ActionField(0, "note".into())),
        ]);
        let paths: Vec<_> = parcel.findings.iter().map(|f| f.path.to_string()).collect();
        assert_eq!(paths, ["actions[0]", "actions[1].fields.note"]);
    }
}
