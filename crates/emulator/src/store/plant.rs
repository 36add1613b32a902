//! The leads of a seed, with their timelines.

use super::{BuiltInEntry, EntryKind, Store, StoredAction};
use crate::problem::Problem;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use telecrm_core::rules::{Acceptance, CodeForm};
use telecrm_core::{Action, ActionKind, FieldValue, Finding, Lead, LeadError};

/// The key of the leads in a workspace file.
pub(super) const LEADS: &str = "leads";

const CREATED_ON: &str = "createdOn";

impl Store {
    /// Creates the leads of the seed, in their order. A repeated identifier makes another lead.
    ///
    /// # Errors
    /// Returns an error with the JSON path of what telecrm could not have stored.
    pub(super) fn plant(&mut self) -> Result<(), Problem> {
        let leads = match self.seed.answers.extra.get(LEADS).cloned() {
            None | Some(Value::Null) => return Ok(()),
            Some(Value::Array(leads)) => leads,
            Some(_) => return Err(Problem::new("leads: expected a list")),
        };
        if self.planted_at == 0 {
            self.planted_at = self.now;
        }
        let mut latest = 0;
        let mut dated = Vec::new();
        for (index, lead) in leads.into_iter().enumerate() {
            let place = format!("{LEADS}[{index}]");
            let Value::Object(mut lead) = lead else {
                return Err(Problem::new(format!("{place}: expected an object")));
            };
            let created = self.time_of(&mut lead, &place)?;
            if created < latest {
                let problem = format!("{place}.{CREATED_ON}: is before that of an earlier lead");
                return Err(Problem::new(problem).hint("list leads in the order of their creation"));
            }
            latest = created;
            dated.push(lead.clone());
            self.plant_lead(lead, created, &place)?;
            if let Some(lead) = dated.last_mut() {
                lead.insert(CREATED_ON.to_owned(), created.into());
            }
        }
        // A recording begins with these leads, whenever it is replayed.
        self.answers.extra.insert(LEADS.to_owned(), json!(dated));
        Ok(())
    }

    /// Takes the time of creation out of a lead.
    fn time_of(&self, lead: &mut Map<String, Value>, place: &str) -> Result<i64, Problem> {
        let Some(written) = lead.remove(CREATED_ON) else {
            return Ok(self.planted_at);
        };
        self.parse_time(&written).ok_or_else(|| {
            let problem = Problem::new(format!("{place}.{CREATED_ON}: is not a time"));
            problem.hint("write Unix milliseconds, or 01/06/2026 10:30:00")
        })
    }

    fn plant_lead(
        &mut self,
        lead: Map<String, Value>,
        created: i64,
        place: &str,
    ) -> Result<(), Problem> {
        let lost = |finding: Finding| {
            let problem = Problem::new(format!("{place}.{}: {}", finding.path, finding.reason));
            match finding.hint() {
                Some(hint) => problem.hint(hint),
                None => problem,
            }
        };
        let invalid = |error: LeadError| Problem::new(format!("{place}: {error}"));
        let mut lead = Lead::from_json(lead.into()).map_err(invalid)?;
        let actions = std::mem::take(lead.actions_mut());
        let Acceptance { identifier, mut fields, created: options, findings, .. } =
            self.workspace().accept(&lead);
        if let Some(finding) = findings.into_iter().find(Finding::is_loss) {
            return Err(lost(finding));
        }
        self.create_options(&options);
        let name = self.workspace().identifier().api_name().to_owned();
        // The spelling stays, so that two leads can differ only in it.
        fields.extend(lead.get(&name).map(|written| (name.clone(), written.clone())));
        fields.entry("status".to_owned()).or_insert_with(|| self.default_status());
        let mut score = 0.0;
        let mut entries = Vec::with_capacity(actions.len());
        for (index, action) in actions.into_iter().enumerate() {
            if let ActionKind::Other(_) | ActionKind::Missing = action.kind() {
                entries.push(self.built_in(
                    action,
                    created,
                    &format!("{place}.actions[{index}]"),
                )?);
                continue;
            }
            let action = action.with_prefixed_code();
            let (accepted, findings) =
                self.workspace().accept_action(index, &action, CodeForm::Prefixed);
            if let Some(finding) = findings.into_iter().find(Finding::is_loss) {
                return Err(lost(finding));
            }
            let Some(accepted) = accepted else { continue };
            let kind = match accepted.code {
                Some(code) => {
                    self.create_action_options(&code, &accepted.created);
                    score += self.score(&code);
                    EntryKind::Custom(code)
                }
                None => EntryKind::Payment,
            };
            let time = accepted.created_on.unwrap_or(created);
            entries.push(StoredAction::new(self.ids.next(created), kind, accepted.fields, time));
        }
        let index = self.create(identifier.unwrap_or_default(), created);
        let lead = &mut self.leads[index];
        lead.write(fields, created);
        lead.append(entries, score);
        Ok(())
    }

    /// Reads an entry that only telecrm itself can add, such as a call.
    fn built_in(
        &mut self,
        action: Action,
        created: i64,
        place: &str,
    ) -> Result<StoredAction, Problem> {
        let keys: BTreeMap<String, FieldValue> = action.keys().clone();
        let entry = BuiltInEntry::from_json(json!(keys));
        let entry = entry.map_err(|reason| Problem::new(format!("{place}: {reason}")))?;
        Ok(entry.stored(self.ids.next(created), created))
    }
}
