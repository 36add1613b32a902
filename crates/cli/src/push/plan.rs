//! Plans each row before sending: checks the lead, and decides whether to send it.

use super::report::{ErrorKind, Outcome, RowError, RowReport, has_losses, is_lost};
use crate::args::OnFinding;
use std::sync::Arc;
use telecrm::{Certainty, FieldPath, Finding, Lead, Workspace};

/// Plans rows by the workspace and the flags.
#[derive(Debug, Clone)]
pub(crate) struct Planner {
    pub(crate) workspace: Option<Arc<Workspace>>,
    pub(crate) check: bool,
    pub(crate) on_finding: OnFinding,
}

/// What to do with a row.
#[derive(Debug, PartialEq)]
pub(crate) enum Plan {
    Send(PreparedRow),
    /// Report the row without sending it.
    Report(RowReport),
    /// Report the row without sending it, and send no later row.
    Stop(RowReport),
}

/// A lead that is ready to be sent.
#[derive(Debug, PartialEq)]
pub(crate) struct PreparedRow {
    pub(crate) row: u64,
    pub(crate) identifier: Option<String>,
    /// Rows with the same key are sent one after the other.
    pub(crate) lead_key: Option<String>,
    pub(crate) lead: Lead,
    /// The findings of the check, with paths in the lead as written.
    pub(crate) findings: Vec<Finding>,
    /// The index that each sent action has in the lead as written.
    action_indices: Vec<usize>,
}

impl PreparedRow {
    fn unchecked(row: u64, lead: Lead) -> Self {
        Self {
            row,
            identifier: None,
            lead_key: None,
            action_indices: (0..lead.actions().len()).collect(),
            lead,
            findings: Vec::new(),
        }
    }

    pub(crate) fn report(self, outcome: Outcome, error: Option<RowError>) -> RowReport {
        RowReport {
            row: self.row,
            identifier: self.identifier,
            outcome,
            findings: self.findings,
            error,
        }
    }

    /// Adds losses that reading back found, with paths in the lead as written.
    pub(crate) fn add_losses(&mut self, losses: impl IntoIterator<Item = Finding>) {
        for mut loss in losses {
            loss.path = self.path_as_written(loss.path);
            // A repaired part that was lost after all is another loss.
            let is_known = |finding: &Finding| {
                is_lost(finding) && finding.path == loss.path && finding.kind == loss.kind
            };
            if !self.findings.iter().any(is_known) {
                self.findings.push(loss);
            }
        }
    }

    fn path_as_written(&self, path: FieldPath) -> FieldPath {
        let written = |index: usize| self.action_indices.get(index).copied().unwrap_or(index);
        match path {
            FieldPath::Action(index) => FieldPath::Action(written(index)),
            FieldPath::ActionField(index, name) => FieldPath::ActionField(written(index), name),
            FieldPath::ActionKey(index, key) => FieldPath::ActionKey(written(index), key),
            other => other,
        }
    }
}

impl Planner {
    pub(crate) fn plan(&self, row: u64, lead: Lead) -> Plan {
        let Some(workspace) = self.workspace.as_deref() else {
            return Plan::Send(PreparedRow::unchecked(row, lead));
        };
        let checked = workspace.check(&lead);
        let findings = checked.report().to_vec();
        let repaired = checked.accept_partial();
        let stored = repaired.as_ref().unwrap_or(&lead);
        let identifier = identifier_of(workspace, stored);
        let lead_key = identifier.clone().or_else(|| written_key(workspace, stored));
        if !self.check {
            return Plan::Send(PreparedRow {
                identifier: identifier_of(workspace, &lead),
                lead_key,
                ..PreparedRow::unchecked(row, lead)
            });
        }
        let report = |outcome, error| RowReport {
            row,
            identifier: identifier.clone(),
            outcome,
            findings: findings.clone(),
            error,
        };
        match self.on_finding {
            OnFinding::Stop if findings.iter().any(is_certain_loss) => {
                return Plan::Stop(report(Outcome::Skipped, None));
            }
            OnFinding::Skip if has_losses(&findings) => {
                return Plan::Report(report(Outcome::Skipped, None));
            }
            _ => {}
        }
        match repaired {
            Ok(repaired) => Plan::Send(PreparedRow {
                row,
                identifier,
                lead_key,
                action_indices: kept_actions(&lead, &findings),
                lead: repaired,
                findings,
            }),
            Err(dropped) => {
                let message = format!("nothing was sent: {dropped}");
                let error = RowError::new(ErrorKind::LeadDropped, message);
                Plan::Report(report(Outcome::Rejected, Some(error)))
            }
        }
    }

    /// Returns the identifier of a row that is not sent because the run has ended.
    pub(crate) fn identifier(&self, lead: &Lead) -> Option<String> {
        let workspace = self.workspace.as_deref()?;
        match workspace.check(lead).accept_partial() {
            Ok(repaired) if self.check => identifier_of(workspace, &repaired),
            _ => identifier_of(workspace, lead),
        }
    }
}

/// Returns the lead identifier in its normal form.
fn identifier_of(workspace: &Workspace, lead: &Lead) -> Option<String> {
    workspace.identifier_key(lead.get(workspace.identifier().api_name())?)
}

/// Returns a key for a lead with an invalid identifier: rows that write it alike may be one lead.
fn written_key(workspace: &Workspace, lead: &Lead) -> Option<String> {
    let value = lead.get(workspace.identifier().api_name())?;
    Some(value.to_string().to_lowercase())
}

fn is_certain_loss(finding: &Finding) -> bool {
    is_lost(finding) && finding.certainty != Certainty::Inferred
}

/// Returns the indices of the actions that are not dropped.
fn kept_actions(lead: &Lead, findings: &[Finding]) -> Vec<usize> {
    let is_dropped = |index: usize| {
        let path = FieldPath::Action(index);
        let mut lost = findings.iter().filter(|finding| is_lost(finding));
        lost.any(|finding| finding.path == path)
    };
    (0..lead.actions().len()).filter(|index| !is_dropped(*index)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use telecrm::FindingKind;

    fn planner(check: bool, on_finding: OnFinding) -> Planner {
        Planner { workspace: Some(Arc::new(Workspace::sample())), check, on_finding }
    }

    fn lead(json: Value) -> Lead {
        Lead::from_json(json).expect("a lead")
    }

    fn with_bad_rating() -> Lead {
        lead(json!({"fields": {"phone": "+91 99999 00001", "rating": 9}}))
    }

    /// That telecrm drops this website is inferred.
    fn with_inferred_loss() -> Lead {
        lead(json!({"fields": {"phone": "919999900001", "website": "no site yet"}}))
    }

    #[test]
    fn valid_parts_are_sent_and_losses_are_reported() {
        let Plan::Send(row) = planner(true, OnFinding::Send).plan(7, with_bad_rating()) else {
            panic!("not sent");
        };
        assert_eq!(row.lead.to_json(), json!({"fields": {"phone": "919999900001"}}));
        assert_eq!(row.identifier.as_deref(), Some("919999900001"));
        let repaired: Vec<_> =
            row.findings.iter().map(|f| (f.path.to_string(), f.repaired)).collect();
        assert_eq!(
            repaired,
            [("fields.phone".to_owned(), true), ("fields.rating".to_owned(), false)]
        );
    }

    #[test]
    fn skip_and_stop_hold_back_leads_with_losses() {
        let plan = planner(true, OnFinding::Skip).plan(1, with_bad_rating());
        assert!(matches!(&plan, Plan::Report(row) if row.outcome == Outcome::Skipped), "{plan:?}");
        let plan = planner(true, OnFinding::Stop).plan(1, with_bad_rating());
        assert!(matches!(&plan, Plan::Stop(row) if row.outcome == Outcome::Skipped), "{plan:?}");
    }

    #[test]
    fn stop_ignores_inferred_losses_and_skip_does_not() {
        let plan = planner(true, OnFinding::Stop).plan(1, with_inferred_loss());
        assert!(matches!(plan, Plan::Send(_)), "{plan:?}");
        let plan = planner(true, OnFinding::Skip).plan(1, with_inferred_loss());
        assert!(matches!(plan, Plan::Report(_)), "{plan:?}");
    }

    #[test]
    fn a_repaired_lead_is_sent_under_stop() {
        let repaired = lead(json!({"fields": {"phone": "+91 99999 00001", "rating": "3"}}));
        let plan = planner(true, OnFinding::Stop).plan(1, repaired);
        assert!(matches!(plan, Plan::Send(_)), "{plan:?}");
    }

    #[test]
    fn as2_a_lead_without_identifier_is_not_sent() {
        let plan =
            planner(true, OnFinding::Send).plan(3, lead(json!({"fields": {"name": "Asha"}})));
        let Plan::Report(row) = plan else {
            panic!("sent");
        };
        assert_eq!((row.outcome, row.identifier), (Outcome::Rejected, None));
        assert_eq!(row.error.map(|error| error.kind), Some(ErrorKind::LeadDropped));
    }

    #[test]
    fn an_unchecked_lead_is_unchanged_and_has_a_key() {
        let Plan::Send(row) = planner(false, OnFinding::Send).plan(1, with_bad_rating()) else {
            panic!("not sent");
        };
        assert_eq!(row.lead, with_bad_rating());
        assert_eq!(row.findings, []);
        assert_eq!(row.lead_key.as_deref(), Some("919999900001"));
    }

    #[test]
    fn losses_have_paths_in_the_lead_as_written() {
        let lead = lead(json!({"fields": {"phone": "919999900001"}, "actions": [
            {"type": "OUTGOING_CALL"},
            {"type": "ACTION_1001", "fields": {"note": "Visit"}},
        ]}));
        let Plan::Send(mut row) = planner(true, OnFinding::Send).plan(1, lead) else {
            panic!("not sent");
        };
        let loss =
            |path| Finding::new(path, FindingKind::FieldDropped, Certainty::Reported, "not there");
        row.add_losses([
            loss(FieldPath::ActionField(0, "note".into())),
            loss(FieldPath::ActionField(0, "note".into())),
        ]);
        let paths: Vec<_> = row.findings.iter().map(|f| f.path.to_string()).collect();
        assert_eq!(paths, ["actions[0]", "actions[1].fields.note"]);
    }
}
