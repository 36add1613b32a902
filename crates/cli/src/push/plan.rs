//! Plans each row before sending: checks the lead, and decides whether to send it.

use super::repeats::{Repeats, hash};
use super::report::{ErrorKind, Outcome, RowError, RowReport, has_losses, is_lost};
use super::rows::{Row, explain_number};
use crate::args::{OnFinding, OnRepeat};
use crate::problem::Problem;
use std::sync::Arc;
use telecrm::workspace::FieldType;
use telecrm::{
    ActionKind, Certainty, FieldPath, FieldValue, Finding, FindingKind, Lead, Workspace,
};

/// Plans rows by the workspace and the flags.
pub(crate) struct Planner {
    pub(crate) workspace: Option<Arc<Workspace>>,
    pub(crate) check: bool,
    pub(crate) on_finding: OnFinding,
    pub(crate) on_repeat: OnRepeat,
    pub(crate) repeats: Repeats,
    pub(crate) allows_placeholders: bool,
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
    pub(crate) place: RowPlace,
    pub(crate) identifier: Option<String>,
    /// Rows with the same key are sent one after the other.
    pub(crate) lead_key: Option<String>,
    /// Whether the country code of the identifier is only assumed, so that the key may be another
    /// person's.
    is_country_assumed: bool,
    pub(crate) lead: Lead,
    /// The findings of the check, with paths in the lead as written.
    pub(crate) findings: Vec<Finding>,
    /// The index that each sent action has in the lead as written.
    action_indices: Vec<usize>,
    national_numbers: u64,
}

/// Where a row stands in its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RowPlace {
    pub(crate) row: u64,
    pub(crate) line: u64,
}

impl From<&Row> for RowPlace {
    fn from(row: &Row) -> Self {
        Self { row: row.number, line: row.line }
    }
}

impl PreparedRow {
    fn unchecked(place: RowPlace, lead: Lead) -> Self {
        Self {
            place,
            identifier: None,
            lead_key: None,
            is_country_assumed: false,
            action_indices: (0..lead.actions().len()).collect(),
            lead,
            findings: Vec::new(),
            national_numbers: 0,
        }
    }

    pub(crate) fn report(mut self, mut outcome: Outcome, mut error: Option<RowError>) -> RowReport {
        if outcome == Outcome::Missing && self.is_country_assumed {
            self.findings.retain(|finding| finding.kind != FindingKind::LeadDropped);
            let message = "the lead could not be found: its number has no country code, and the \
                           workspace's default country is not known";
            let problem = Problem::new(message).hint("name the country with --default-country");
            (outcome, error) =
                (Outcome::Unknown, Some(RowError::new(ErrorKind::NotReadable, problem)));
        }
        RowReport {
            row: self.place.row,
            line: self.place.line,
            identifier: self.identifier,
            outcome,
            findings: self.findings,
            error,
            national_numbers: self.national_numbers,
        }
    }

    /// Adds findings with paths in the lead that is sent.
    fn add_findings(&mut self, findings: Vec<Finding>) {
        for mut finding in findings {
            finding.path = self.path_as_written(finding.path);
            self.findings.push(finding);
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
    /// Plans a row. `findings` says what reading it left out.
    pub(crate) fn plan(&mut self, place: RowPlace, lead: Lead, findings: Vec<Finding>) -> Plan {
        let plan = self.plan_alone(place, lead, findings);
        self.compare_with_earlier(plan)
    }

    /// Adds what earlier rows of the same lead wrote.
    pub(crate) fn compare_with_earlier(&mut self, plan: Plan) -> Plan {
        let mut prepared = match plan {
            Plan::Send(prepared) => prepared,
            other => return other,
        };
        let place = prepared.place;
        let Some(key) = prepared.lead_key.clone() else {
            return Plan::Send(prepared);
        };
        if let Some(earlier) = self.repeats.earlier_row(&key) {
            let mut replaced = self.repeats.findings(&key, &prepared.lead);
            if self.repeats.is_country_assumed(&key) != prepared.is_country_assumed {
                let hint = "name the country with --default-country: the rows are one lead only if \
                            both numbers are of that country";
                replaced.iter_mut().for_each(|finding| finding.suggestion = Some(hint.to_owned()));
            }
            prepared.add_findings(replaced);
            let message = format!("row {earlier} has the same lead");
            let mut error = RowError::new(ErrorKind::RepeatedLead, message);
            error.problem = error.problem.hint("use --on-repeat send to send both rows");
            match self.on_repeat {
                OnRepeat::Send => {}
                OnRepeat::Skip => {
                    return Plan::Report(prepared.report(Outcome::Skipped, Some(error)));
                }
                OnRepeat::Stop => {
                    return Plan::Stop(prepared.report(Outcome::Skipped, Some(error)));
                }
            }
        }
        self.repeats.add(&key, place.row, &prepared.lead);
        if prepared.is_country_assumed {
            self.repeats.assume_country(&key);
        }
        Plan::Send(prepared)
    }

    /// Plans a row without regard to earlier rows.
    pub(crate) fn plan_alone(&self, place: RowPlace, lead: Lead, left_out: Vec<Finding>) -> Plan {
        let unchecked = |lead| PreparedRow {
            findings: left_out.clone(),
            ..PreparedRow::unchecked(place, lead)
        };
        let Some(workspace) = self.workspace.as_deref() else {
            return Plan::Send(unchecked(lead));
        };
        let checked = workspace.check(&lead);
        let mut findings = checked.report().to_vec();
        let repaired = checked.accept_partial();
        let stored = repaired.as_ref().unwrap_or(&lead);
        let is_country_assumed = is_country_assumed(workspace, stored);
        let key = identifier_key(workspace, stored);
        let identifier = key.clone().filter(|_| !is_country_assumed);
        let lead_key = key.or_else(|| written_key(workspace, stored));
        if !self.check {
            return Plan::Send(PreparedRow {
                identifier: identifier_of(workspace, &lead),
                lead_key,
                is_country_assumed,
                ..unchecked(lead)
            });
        }
        let before = findings.len();
        findings.retain(|finding| !is_completed_number(workspace, &lead, finding));
        let national_numbers = (before - findings.len()) as u64;
        for finding in &mut findings {
            explain(workspace, &lead, finding);
        }
        findings.extend(left_out);
        let mut prepared = PreparedRow {
            place,
            identifier,
            lead_key,
            is_country_assumed,
            action_indices: kept_actions(&lead, &findings),
            lead,
            findings,
            national_numbers,
        };
        match self.on_finding {
            OnFinding::Stop if prepared.findings.iter().any(is_certain_loss) => {
                return Plan::Stop(prepared.report(Outcome::Skipped, None));
            }
            OnFinding::Skip if has_losses(&prepared.findings) => {
                return Plan::Report(prepared.report(Outcome::Skipped, None));
            }
            _ => {}
        }
        let mut placeholders = prepared.findings.iter().filter(|f| is_placeholder(f));
        if !self.allows_placeholders
            && let Some(finding) = placeholders.next()
        {
            let message = format!("nothing was sent: {}", finding.reason);
            let problem = Problem { message, hint: finding.suggestion.clone() };
            let error = RowError::new(ErrorKind::PlaceholderIdentifier, problem);
            return Plan::Report(prepared.report(Outcome::Rejected, Some(error)));
        }
        match repaired {
            Ok(repaired) => {
                prepared.lead = repaired;
                Plan::Send(prepared)
            }
            Err(dropped) => {
                let message = format!("nothing was sent: {dropped}");
                let error = RowError::new(ErrorKind::LeadDropped, message);
                Plan::Report(prepared.report(Outcome::Rejected, Some(error)))
            }
        }
    }

    /// Returns the hash by which leads with several rows are found before the first one is sent.
    pub(crate) fn lead_hash(&self, lead: &Lead) -> Option<u64> {
        let workspace = self.workspace.as_deref()?;
        let key = identifier_key(workspace, lead).or_else(|| {
            match workspace.check(lead).accept_partial() {
                Ok(repaired) => identifier_key(workspace, &repaired),
                Err(_) => written_key(workspace, lead),
            }
        })?;
        Some(hash(&key))
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

/// Returns the lead identifier in its normal form, if that is certain.
fn identifier_of(workspace: &Workspace, lead: &Lead) -> Option<String> {
    identifier_key(workspace, lead).filter(|_| !is_country_assumed(workspace, lead))
}

fn identifier_key(workspace: &Workspace, lead: &Lead) -> Option<String> {
    workspace.identifier_key(lead.get(workspace.identifier().api_name())?)
}

fn is_country_assumed(workspace: &Workspace, lead: &Lead) -> bool {
    let identifier = lead.get(workspace.identifier().api_name());
    identifier.is_some_and(|identifier| workspace.assumes_country(identifier))
}

/// Whether the identifier is a placeholder, which makes different people one lead.
fn is_placeholder(finding: &Finding) -> bool {
    finding.kind == FindingKind::Doubtful && finding.pitfall.as_deref() == Some("ID3")
}

/// Returns a key for a lead with an invalid identifier: rows that write it alike may be one lead.
fn written_key(workspace: &Workspace, lead: &Lead) -> Option<String> {
    let value = lead.get(workspace.identifier().api_name())?;
    Some(value.to_string().to_lowercase())
}

fn is_certain_loss(finding: &Finding) -> bool {
    is_lost(finding) && finding.certainty != Certainty::Inferred
}

/// Whether the finding says that a phone number gets its country code from the workspace. Every
/// national number of a file has it, so that the summary says it once.
fn is_completed_number(workspace: &Workspace, lead: &Lead, finding: &Finding) -> bool {
    if finding.kind != FindingKind::ValueChanged || finding.pitfall.as_deref() != Some("ID2") {
        return false;
    }
    let Some(value) = lead.at(&finding.path) else {
        return false;
    };
    let written = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let written = written.trim();
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
    let is_national = !written.starts_with('+') && !written.starts_with("00");
    let completed = workspace.normal_phone(written);
    is_national && completed.is_some_and(|number| digits(&number) > digits(written))
}

/// Says what is wrong with a text in a number field, instead of that it is a text.
fn explain(workspace: &Workspace, lead: &Lead, finding: &mut Finding) {
    if !is_lost(finding) {
        return;
    }
    let field = match &finding.path {
        FieldPath::Field(name) => workspace.field(name),
        FieldPath::ActionField(index, name) => {
            let kind = lead.actions().get(*index).map(telecrm::Action::kind);
            match kind {
                Some(ActionKind::Custom(code)) => {
                    workspace.action(&code).and_then(|action| action.field(name))
                }
                _ => None,
            }
        }
        _ => None,
    };
    let takes_numbers =
        field.is_some_and(|field| matches!(field.field_type, FieldType::Number | FieldType::Money));
    let value = lead.at(&finding.path).filter(|_| takes_numbers);
    if let Some(text) = value.as_ref().and_then(FieldValue::as_str) {
        let Problem { message, hint } = explain_number(text);
        finding.reason = message;
        finding.suggestion = hint;
    }
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
        Planner {
            workspace: Some(Arc::new(Workspace::sample())),
            check,
            on_finding,
            on_repeat: OnRepeat::Send,
            repeats: Repeats::new(None),
            allows_placeholders: false,
        }
    }

    fn at(row: u64) -> RowPlace {
        RowPlace { row, line: row + 1 }
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
        let Plan::Send(row) =
            planner(true, OnFinding::Send).plan(at(7), with_bad_rating(), Vec::new())
        else {
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
        let plan = planner(true, OnFinding::Skip).plan(at(1), with_bad_rating(), Vec::new());
        assert!(matches!(&plan, Plan::Report(row) if row.outcome == Outcome::Skipped), "{plan:?}");
        let plan = planner(true, OnFinding::Stop).plan(at(1), with_bad_rating(), Vec::new());
        assert!(matches!(&plan, Plan::Stop(row) if row.outcome == Outcome::Skipped), "{plan:?}");
    }

    #[test]
    fn stop_ignores_inferred_losses_and_skip_does_not() {
        let plan = planner(true, OnFinding::Stop).plan(at(1), with_inferred_loss(), Vec::new());
        assert!(matches!(plan, Plan::Send(_)), "{plan:?}");
        let plan = planner(true, OnFinding::Skip).plan(at(1), with_inferred_loss(), Vec::new());
        assert!(matches!(plan, Plan::Report(_)), "{plan:?}");
    }

    #[test]
    fn a_repaired_lead_is_sent_under_stop() {
        let repaired = lead(json!({"fields": {"phone": "+91 99999 00001", "rating": "3"}}));
        let plan = planner(true, OnFinding::Stop).plan(at(1), repaired, Vec::new());
        assert!(matches!(plan, Plan::Send(_)), "{plan:?}");
    }

    #[test]
    fn as2_a_lead_without_identifier_is_not_sent() {
        let plan = planner(true, OnFinding::Send).plan(
            at(3),
            lead(json!({"fields": {"name": "Asha"}})),
            Vec::new(),
        );
        let Plan::Report(row) = plan else {
            panic!("sent");
        };
        assert_eq!((row.outcome, row.identifier), (Outcome::Rejected, None));
        assert_eq!(row.error.map(|error| error.kind), Some(ErrorKind::LeadDropped));
    }

    #[test]
    fn an_unchecked_lead_is_unchanged_and_has_a_key() {
        let Plan::Send(row) =
            planner(false, OnFinding::Send).plan(at(1), with_bad_rating(), Vec::new())
        else {
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
        let Plan::Send(mut row) = planner(true, OnFinding::Send).plan(at(1), lead, Vec::new())
        else {
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
