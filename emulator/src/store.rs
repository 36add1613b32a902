//! The emulator's memory: the workspace and its leads.

use crate::clock;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem;
use telecrm_core::{
    Acceptance, AcceptedAction, ActionCode, FieldValue, Workspace, WorkspaceError, WorkspaceFile,
};

/// The state of one workspace. What is accepted was decided by `telecrm-core` before it comes here.
pub(crate) struct Store {
    seed: Seed,
    /// The endpoints' answers; they grow with the options that leads create.
    answers: WorkspaceFile,
    /// What the answers mean; it grows with them.
    workspace: Workspace,
    /// In order of creation.
    leads: Vec<StoredLead>,
    by_identifier: HashMap<String, usize>,
    by_id: HashMap<String, usize>,
    ids: Ids,
    generation: u64,
}

/// What a store starts from and goes back to.
#[derive(Clone)]
pub(crate) struct Seed {
    answers: WorkspaceFile,
    workspace: Workspace,
    /// Knows one date field, `created_on`: the times that telecrm keeps itself are read as such.
    times: Workspace,
}

impl Seed {
    /// # Errors
    /// If the file is not a workspace.
    pub(crate) fn new(mut answers: WorkspaceFile) -> Result<Self, WorkspaceError> {
        // Without a pipeline nobody could tell which statuses are taken.
        if answers.pipeline.is_none() {
            answers.pipeline = WorkspaceFile::sample().pipeline;
        }
        let workspace = Workspace::from_file(&answers)?;
        let mut times = WorkspaceFile::from_json(json!({ "customFields": [
            { "apiName": "phone", "type": "PHONE" },
            { "apiName": "created_on", "type": "DATE" },
        ] }))?;
        times.emulator = answers.emulator.clone();
        Ok(Self {
            times: Workspace::from_file(&times)?,
            workspace,
            answers,
        })
    }
}

/// A lead as it is kept.
pub(crate) struct StoredLead {
    pub(crate) id: String,
    fields: BTreeMap<String, FieldValue>,
    created_on: i64,
    modified_on: i64,
    /// In the order in which they were appended.
    timeline: Vec<StoredAction>,
}

/// An entry of a lead's timeline.
pub(crate) struct StoredAction {
    id: String,
    /// The custom action's code, or nothing for a payment.
    code: Option<ActionCode>,
    fields: BTreeMap<String, FieldValue>,
    pub(crate) created: i64,
}

/// What has been written.
pub(crate) struct Written {
    pub(crate) lead_id: String,
    /// The new actions' IDs, by their place in the request.
    pub(crate) action_ids: HashMap<usize, String>,
    /// For the log.
    pub(crate) stored: Value,
}

impl Store {
    pub(crate) fn new(seed: Seed) -> Self {
        Self {
            answers: seed.answers.clone(),
            workspace: seed.workspace.clone(),
            seed,
            leads: Vec::new(),
            by_identifier: HashMap::new(),
            by_id: HashMap::new(),
            ids: Ids::default(),
            generation: 0,
        }
    }

    /// Goes back to the seed. IDs are never given twice, and what was queued before is not applied after.
    pub(crate) fn reset(&mut self) {
        *self = Self {
            ids: mem::take(&mut self.ids),
            generation: self.generation + 1,
            ..Self::new(self.seed.clone())
        };
    }

    /// How often the store went back to its seed.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    pub(crate) fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    pub(crate) fn answers(&self) -> &WorkspaceFile {
        &self.answers
    }

    /// A moment: Unix milliseconds or a date string, as telecrm reads it.
    pub(crate) fn parse_time(&self, written: &Value) -> Option<i64> {
        let written = FieldValue::from(written.clone());
        let verdict = self.seed.times.accept_field("created_on", &written);
        verdict.stored()?.as_i64()
    }

    pub(crate) fn find(&self, id: &str) -> Option<&StoredLead> {
        self.by_id.get(id).map(|&place| &self.leads[place])
    }

    pub(crate) fn has_identifier(&self, key: &str) -> bool {
        self.by_identifier.contains_key(key)
    }

    /// The leads with these identifiers, the newest first. Takes no longer for more leads.
    pub(crate) fn with_identifiers(&self, keys: &[String]) -> impl Iterator<Item = &StoredLead> {
        let places: BTreeSet<usize> = keys
            .iter()
            .filter_map(|key| self.by_identifier.get(key).copied())
            .collect();
        places.into_iter().rev().map(|place| &self.leads[place])
    }

    /// All leads, the newest first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &StoredLead> {
        self.leads.iter().rev()
    }

    /// Creates the lead, or updates the one with this identifier, and appends the actions.
    /// Nothing happens to a lead that is dropped.
    pub(crate) fn upsert(&mut self, accepted: Acceptance) -> Option<Written> {
        let key = accepted.identifier?;
        self.create_options(&accepted.created);
        for action in &accepted.actions {
            self.create_action_options(action);
        }
        let now = clock::now_millis();
        let mut fields = accepted.fields;
        let place = match self.by_identifier.get(&key) {
            Some(&place) => place,
            None => {
                let status = self.default_status();
                fields.entry("status".to_owned()).or_insert(status);
                self.create(key, now)
            }
        };
        let actions: Vec<(usize, StoredAction)> = accepted
            .actions
            .into_iter()
            .map(|action| {
                let stored = StoredAction {
                    id: self.ids.next(now),
                    code: action.code,
                    fields: action.fields,
                    created: action.created_on.unwrap_or(now),
                };
                (action.index, stored)
            })
            .collect();
        let lead = &mut self.leads[place];
        let written = Written {
            lead_id: lead.id.clone(),
            stored: json!({
                "id": lead.id,
                "fields": fields,
                "actions": actions.iter().map(|(_, action)| action.to_json()).collect::<Vec<_>>(),
            }),
            action_ids: actions
                .iter()
                .map(|(index, action)| (*index, action.id.clone()))
                .collect(),
        };
        lead.write(fields, now);
        lead.timeline
            .extend(actions.into_iter().map(|(_, action)| action));
        Some(written)
    }

    /// Writes fields of a lead, and leaves the others as they are.
    pub(crate) fn update(
        &mut self,
        id: &str,
        fields: BTreeMap<String, FieldValue>,
        created: &[(String, String)],
    ) -> Option<&StoredLead> {
        let place = *self.by_id.get(id)?;
        self.create_options(created);
        let lead = &mut self.leads[place];
        if !fields.is_empty() {
            lead.write(fields, clock::now_millis());
        }
        Some(lead)
    }

    fn create(&mut self, key: String, now: i64) -> usize {
        let place = self.leads.len();
        // Newest first must hold even if the machine's clock is set back.
        let created_on = self
            .leads
            .last()
            .map_or(now, |last| now.max(last.created_on));
        let id = self.ids.next(now);
        self.by_identifier.insert(key, place);
        self.by_id.insert(id.clone(), place);
        self.leads.push(StoredLead {
            id,
            fields: BTreeMap::new(),
            created_on,
            modified_on: created_on,
            timeline: Vec::new(),
        });
        place
    }

    /// `Fresh`, where the pipeline has it.
    fn default_status(&self) -> FieldValue {
        const FRESH: &str = "Fresh";
        let mut active = self
            .workspace
            .pipeline()
            .into_iter()
            .flat_map(|p| p.active_statuses());
        let first = active.next().unwrap_or(FRESH);
        let status = active.find(|label| *label == FRESH).unwrap_or(first);
        status.into()
    }

    /// Creates options of lead fields, in the answers and in the rules.
    fn create_options(&mut self, created: &[(String, String)]) {
        for (name, label) in created {
            let field = self.workspace.field(name);
            if field.is_some_and(|field| field.options.contains(label)) {
                continue;
            }
            self.workspace.add_option(name, label);
            let mut items = self.answers.custom_fields.iter_mut();
            if let Some(item) = items.find(|item| is_named(item, "apiName", name)) {
                let id = self.ids.next(clock::now_millis());
                append_option(item, json!({ "id": id, "label": label }), label);
            }
        }
    }

    /// Creates options of a custom action's fields, in the answers and in the rules.
    fn create_action_options(&mut self, action: &AcceptedAction) {
        let Some(code) = &action.code else { return };
        for (name, label) in &action.created {
            let definition = self.workspace.action(code);
            let field = definition.and_then(|definition| definition.field(name));
            if field.is_some_and(|field| field.options.contains(label)) {
                continue;
            }
            self.workspace.add_action_option(code, name, label);
            let mut items = self.answers.custom_actions.iter_mut();
            let item = items.find(|item| {
                let written = item.get("code").and_then(Value::as_str);
                written.and_then(|text| text.parse().ok()).as_ref() == Some(code)
            });
            let schema = item.and_then(|item| item.get_mut("fieldSchema"));
            if let Some(Value::Object(field)) = schema.and_then(|schema| schema.get_mut(name)) {
                append_option(field, json!(label), label);
            }
        }
    }
}

impl StoredLead {
    /// The fields as both endpoints show them, with the times that telecrm keeps itself.
    pub(crate) fn fields(&self) -> Value {
        let mut fields = json!(self.fields);
        fields["created_on"] = self.created_on.into();
        fields["modified_on"] = self.modified_on.into();
        fields
    }

    /// One field, or one of the times that telecrm keeps itself.
    pub(crate) fn field(&self, name: &str) -> Option<FieldValue> {
        match name {
            "created_on" => Some(self.created_on.into()),
            "modified_on" => Some(self.modified_on.into()),
            _ => self.fields.get(name).cloned(),
        }
    }

    /// The actions, in the order in which they were appended.
    pub(crate) fn actions(&self) -> &[StoredAction] {
        &self.timeline
    }

    /// The actions, the newest first.
    pub(crate) fn timeline(&self) -> impl Iterator<Item = &StoredAction> {
        let mut newest_first: Vec<_> = self.timeline.iter().rev().collect();
        // Stable, so that of two at the same time the one appended later comes first.
        newest_first.sort_by_key(|action| std::cmp::Reverse(action.created));
        newest_first.into_iter()
    }

    fn write(&mut self, fields: BTreeMap<String, FieldValue>, now: i64) {
        self.fields.extend(fields);
        self.modified_on = now.max(self.created_on);
    }
}

impl StoredAction {
    /// The type as the Sync API shows it: `1001` or `PAYMENT`.
    pub(crate) fn type_name(&self) -> &str {
        self.code.as_ref().map_or("PAYMENT", ActionCode::bare)
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut item = json!({
            "id": self.id,
            "type": self.type_name(),
            "creationTimestamp": self.created,
        });
        if self.code.is_some() {
            item["fields"] = json!(self.fields);
        } else {
            for (key, value) in &self.fields {
                item[key] = value.as_json().clone();
            }
        }
        item
    }
}

/// IDs of the form in use: 24 lower-case hex characters, the first eight of which tell the time.
#[derive(Default)]
struct Ids {
    last: u32,
}

impl Ids {
    fn next(&mut self, now_millis: i64) -> String {
        self.last = (self.last + 1) & 0x00ff_ffff;
        let seconds = (now_millis / 1000) & 0xffff_ffff;
        format!("{seconds:08x}{:010x}{:06x}", 0x7e_1ec4_a10c_u64, self.last)
    }
}

fn is_named(item: &Map<String, Value>, key: &str, name: &str) -> bool {
    item.get(key).and_then(Value::as_str) == Some(name)
}

/// Appends an option in the form that the others have: an object, or the mere label.
fn append_option(field: &mut Map<String, Value>, option: Value, label: &str) {
    // Which key holds the labels of tags is not documented.
    let written = ["options", "tags"]
        .into_iter()
        .find(|key| field.get(*key).is_some_and(Value::is_array));
    let key = written.unwrap_or("options");
    let options = field.entry(key).or_insert_with(|| json!([]));
    if let Value::Array(options) = options {
        let labels_only = options.first().is_some_and(Value::is_string);
        options.push(if labels_only { json!(label) } else { option });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_tell_the_time_and_are_never_given_twice() {
        let mut ids = Ids::default();
        let (one, other) = (ids.next(1_780_290_000_123), ids.next(1_780_290_000_123));
        assert_ne!(one, other);
        assert_eq!(one.len(), 24);
        assert_eq!(i64::from_str_radix(&one[..8], 16), Ok(1_780_290_000));
        assert!(
            one.bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        );
    }

    #[test]
    fn the_first_active_status_stands_in_where_the_pipeline_has_no_fresh() {
        let mut file = WorkspaceFile::sample();
        let pipeline = json!({ "statuses": [
            { "label": "Old", "archived": true }, { "label": "New" }, { "label": "Won" } ] });
        file.pipeline = pipeline.as_object().cloned();
        let store = Store::new(Seed::new(file).expect("a workspace"));
        assert_eq!(store.default_status().as_str(), Some("New"));

        let sample = Store::new(Seed::new(WorkspaceFile::sample()).expect("a workspace"));
        assert_eq!(sample.default_status().as_str(), Some("Fresh"));
    }
}
