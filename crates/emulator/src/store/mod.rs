//! The store: the workspace and its leads, in memory.

pub(crate) mod error;
pub(crate) mod lead;
mod plant;
mod queued;
mod seed;
pub(crate) mod session;
#[cfg(feature = "state")]
mod sqlite;
#[cfg(not(feature = "state"))]
#[path = "no_sqlite.rs"]
mod sqlite;
pub(crate) mod team;

pub(crate) use lead::{BuiltInEntry, EntryKind, StoredAction, StoredLead};
pub(crate) use queued::{Processing, QueuedLead};
pub(crate) use seed::Seed;
pub(crate) use sqlite::StateFile;

use crate::clock::ClockState;
use crate::problem::Problem;
use error::StateError;
use lead::ShownAction;
use seed::phone_blanks;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem;
use team::Team;
use telecrm_core::rules::{Acceptance, AcceptedAction};
use telecrm_core::{ActionCode, FieldValue, Workspace, WorkspaceFile};

/// The state of one workspace. `telecrm-core` decides what it accepts.
#[derive(Clone)]
pub(crate) struct Store {
    seed: Seed,
    /// The answers of the workspace endpoints, with the options that leads have created.
    answers: WorkspaceFile,
    /// The rules that follow from the answers, with the same options.
    workspace: Workspace,
    /// In order of creation.
    leads: Vec<StoredLead>,
    /// The first lead with each identifier.
    by_identifier: HashMap<String, usize>,
    /// Further leads of a seed with an identifier that an earlier lead has.
    twins: BTreeMap<String, Vec<usize>>,
    by_id: HashMap<String, usize>,
    team: Team,
    /// The queued leads by their tickets.
    queue: BTreeMap<u64, QueuedLead>,
    last_ticket: u64,
    ids: Ids,
    /// The time of the current session, in Unix milliseconds.
    pub(crate) now: i64,
    /// When the leads of the seed were created that do not say.
    planted_at: i64,
    changes: Changes,
}

/// What the state file lacks. Leads and entries are named by their index.
#[derive(Clone, Default, PartialEq)]
struct Changes {
    /// The whole content was replaced.
    everything: bool,
    workspace: bool,
    team: bool,
    /// The identifiers of new leads.
    identifiers: BTreeMap<usize, String>,
    /// New leads, and leads with changed fields.
    leads: BTreeSet<usize>,
    /// New and changed entries: the lead, and the entry in its timeline.
    entries: BTreeSet<(usize, usize)>,
    /// Tickets of leads that were added to the queue or removed from it.
    queue: BTreeSet<u64>,
    clock: bool,
}

/// The result of writing a lead.
pub(crate) struct Written {
    pub(crate) lead_id: String,
    /// The IDs of the new actions, by their index in the request.
    pub(crate) action_ids: HashMap<usize, String>,
    /// What was stored, for the log.
    pub(crate) stored: Box<RawValue>,
}

/// What was stored of a lead, for the log.
#[derive(Serialize)]
struct StoredParts<'a> {
    id: &'a str,
    fields: &'a BTreeMap<String, FieldValue>,
    actions: Vec<ShownAction<'a>>,
}

impl Store {
    pub(crate) fn new(seed: Seed) -> Self {
        Self {
            answers: seed.answers.clone(),
            workspace: seed
                .workspace
                .clone()
                .with_phone_blanks(phone_blanks(seed.strips_phone_blanks)),
            leads: Vec::new(),
            by_identifier: HashMap::new(),
            twins: BTreeMap::new(),
            by_id: HashMap::new(),
            team: Team::new(&seed.answers),
            queue: BTreeMap::new(),
            last_ticket: 0,
            ids: Ids::default(),
            now: 0,
            planted_at: 0,
            changes: Changes::default(),
            seed,
        }
    }

    /// A store with the leads of the seed.
    ///
    /// # Errors
    /// Returns an error if telecrm could not have stored one of them.
    pub(crate) fn planted(seed: Seed, now: i64) -> Result<Self, Problem> {
        let mut store = Self { now, ..Self::new(seed) };
        store.plant()?;
        store.changes = Changes::default();
        Ok(store)
    }

    /// Returns to the seed. The queue is emptied. IDs are never reused.
    pub(crate) fn reset(&mut self) {
        let mut fresh = Self::new(self.seed.clone());
        fresh.now = self.now;
        fresh.planted_at = self.planted_at;
        fresh.ids = mem::take(&mut self.ids);
        // The start has planted the same leads without an error.
        let _ = fresh.plant();
        self.ids = mem::take(&mut fresh.ids);
        self.replace(fresh);
    }

    /// Returns to an earlier state, and empties the queue as a reset does.
    pub(crate) fn restore(&mut self, earlier: &Self) {
        self.replace(earlier.clone());
    }

    fn replace(&mut self, other: Self) {
        let everything = Changes { everything: true, ..Changes::default() };
        let strip = self.seed.strips_phone_blanks;
        *self = Self {
            queue: BTreeMap::new(),
            last_ticket: self.last_ticket,
            ids: mem::take(&mut self.ids),
            now: self.now,
            changes: everything,
            ..other
        };
        self.strip_phone_blanks(strip);
    }

    /// Sets whether phone numbers may contain blanks from now on.
    pub(crate) fn strip_phone_blanks(&mut self, strip: bool) {
        self.seed.strips_phone_blanks = strip;
        self.workspace = self.workspace.clone().with_phone_blanks(phone_blanks(strip));
    }

    /// Adds a lead to the queue, and returns its ticket.
    pub(crate) fn enqueue(&mut self, queued: QueuedLead) -> u64 {
        self.last_ticket += 1;
        self.queue.insert(self.last_ticket, queued);
        self.changes.queue.insert(self.last_ticket);
        self.last_ticket
    }

    /// Removes a lead from the queue. Returns None if a reset has removed it.
    pub(crate) fn dequeue(&mut self, ticket: u64) -> Option<QueuedLead> {
        let queued = self.queue.remove(&ticket)?;
        self.changes.queue.insert(ticket);
        Some(queued)
    }

    pub(crate) fn is_queued(&self, ticket: u64) -> bool {
        self.queue.contains_key(&ticket)
    }

    /// The queued leads in the order in which they arrived, with their tickets.
    pub(crate) fn queue(&self) -> impl Iterator<Item = (u64, &QueuedLead)> {
        self.queue.iter().map(|(ticket, queued)| (*ticket, queued))
    }

    /// Writes the changes to the state file, if there is one. Returns None if nothing has changed.
    /// The next call writes again what a failed one could not write.
    fn save(
        &mut self,
        state_file: Option<&mut StateFile>,
        clock: ClockState,
    ) -> Option<Result<(), StateError>> {
        if self.changes == Changes::default() {
            return None;
        }
        if let Some(state_file) = state_file
            && let Err(error) = state_file.commit(self, clock)
        {
            return Some(Err(error));
        }
        self.changes = Changes::default();
        Some(Ok(()))
    }

    pub(crate) fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    pub(crate) fn answers(&self) -> &WorkspaceFile {
        &self.answers
    }

    /// Reads a time as telecrm does: Unix milliseconds or a date string.
    pub(crate) fn parse_time(&self, written: &Value) -> Option<i64> {
        let written = FieldValue::from(written.clone());
        let outcome = self.seed.standard.accept_field("created_on", &written);
        outcome.stored()?.as_i64()
    }

    /// Whether the text has the form of an email address.
    pub(crate) fn is_email(&self, text: &str) -> bool {
        let outcome = self.seed.standard.accept_field("email", &text.into());
        !outcome.is_dropped()
    }

    pub(crate) fn team(&self) -> &Team {
        &self.team
    }

    pub(crate) fn team_mut(&mut self) -> &mut Team {
        self.changes.team = true;
        &mut self.team
    }

    pub(crate) fn find(&self, id: &str) -> Option<&StoredLead> {
        self.by_id.get(id).map(|&index| &self.leads[index])
    }

    pub(crate) fn has_identifier(&self, key: &str) -> bool {
        self.by_identifier.contains_key(key)
    }

    /// The leads with these identifiers, from the newest to the oldest. The time does not grow with
    /// the number of leads.
    pub(crate) fn with_identifiers(&self, keys: &[String]) -> impl Iterator<Item = &StoredLead> {
        let places = |key| {
            let twins = self.twins.get(key).into_iter().flatten();
            self.by_identifier.get(key).into_iter().chain(twins).copied()
        };
        let places: BTreeSet<usize> = keys.iter().flat_map(places).collect();
        places.into_iter().rev().map(|index| &self.leads[index])
    }

    /// All leads from the newest to the oldest.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &StoredLead> {
        self.leads.iter().rev()
    }

    /// Creates the lead or updates the one with the same identifier, and appends the actions.
    /// Returns None for a lead without a valid identifier. Notes have the places of their actions.
    /// The log shows codes as answers do, with or without the prefix.
    pub(crate) fn upsert(
        &mut self,
        accepted: Acceptance,
        notes: Vec<(usize, BuiltInEntry)>,
        is_prefixed: bool,
    ) -> Option<Written> {
        let key = accepted.identifier?;
        self.create_options(&accepted.created);
        let mut fields = accepted.fields;
        let index = match self.by_identifier.get(&key) {
            Some(&index) => index,
            None => {
                let status = self.default_status();
                fields.entry("status".to_owned()).or_insert(status);
                self.create(key, self.now)
            }
        };
        Some(self.write(index, fields, accepted.actions, notes, is_prefixed))
    }

    /// Appends actions to a lead's timeline. Returns None if there is no lead with this ID.
    pub(crate) fn append(
        &mut self,
        id: &str,
        actions: Vec<AcceptedAction>,
        is_prefixed: bool,
    ) -> Option<Written> {
        let index = *self.by_id.get(id)?;
        Some(self.write(index, BTreeMap::new(), actions, Vec::new(), is_prefixed))
    }

    fn write(
        &mut self,
        index: usize,
        fields: BTreeMap<String, FieldValue>,
        actions: Vec<AcceptedAction>,
        notes: Vec<(usize, BuiltInEntry)>,
        is_prefixed: bool,
    ) -> Written {
        let now = self.now;
        let mut score = 0.0;
        let mut entries = Vec::with_capacity(actions.len());
        for action in actions {
            let kind = match action.code {
                Some(code) => {
                    self.create_action_options(&code, &action.created);
                    score += self.score(&code);
                    EntryKind::Custom(code)
                }
                None => EntryKind::Payment,
            };
            let created = action.created_on.unwrap_or(now);
            let entry = StoredAction::new(self.ids.next(now), kind, action.fields, created);
            entries.push((action.index, entry));
        }
        for (index, note) in notes {
            entries.push((index, note.stored(self.ids.next(now), now)));
        }
        entries.sort_by_key(|(index, _)| *index);
        let lead = &mut self.leads[index];
        let parts = StoredParts {
            id: &lead.id,
            fields: &fields,
            actions: entries.iter().map(|(_, entry)| entry.shown(is_prefixed)).collect(),
        };
        let ids = entries.iter().map(|(index, entry)| (*index, entry.id.clone()));
        let written = Written {
            lead_id: lead.id.clone(),
            stored: to_raw_value(&parts).expect("stored values are JSON"),
            action_ids: ids.collect(),
        };
        lead.write(fields, now);
        let first = lead.timeline.len();
        lead.append(entries.into_iter().map(|(_, entry)| entry).collect(), score);
        let new = first..lead.timeline.len();
        self.changes.leads.insert(index);
        self.changes.entries.extend(new.map(|entry| (index, entry)));
        written
    }

    /// Changes fields of a custom action or keys of a payment. Returns None if the lead or the
    /// action does not exist.
    pub(crate) fn update_action(
        &mut self,
        lead: &str,
        action: &str,
        fields: BTreeMap<String, FieldValue>,
        created: &[(String, String)],
    ) -> Option<&StoredAction> {
        let index = *self.by_id.get(lead)?;
        let of_lead = self.leads[index].timeline.iter();
        let entry = of_lead.enumerate().find(|(_, entry)| entry.id == action);
        let (position, entry) = entry?;
        if let EntryKind::Custom(code) = entry.kind.clone() {
            self.create_action_options(&code, created);
        }
        let entry = &mut self.leads[index].timeline[position];
        if !fields.is_empty() {
            entry.write(fields, self.now);
            self.changes.entries.insert((index, position));
        }
        Some(entry)
    }

    /// Appends an entry that telecrm itself creates, and returns the entry's ID. Returns None if
    /// there is no lead with this ID.
    pub(crate) fn append_built_in(&mut self, lead: &str, entry: BuiltInEntry) -> Option<String> {
        let index = *self.by_id.get(lead)?;
        let now = self.now;
        let id = self.ids.next(now);
        let timeline = &mut self.leads[index].timeline;
        self.changes.entries.insert((index, timeline.len()));
        timeline.push(entry.stored(id.clone(), now));
        Some(id)
    }

    /// What an action with this code adds to the score of its lead.
    fn score(&self, code: &ActionCode) -> f64 {
        let mut actions = self.answers.custom_actions.iter();
        let definition = actions.find(|item| has_code(item, code));
        let score = definition.and_then(|item| item.get("score")?.as_f64());
        score.unwrap_or_default()
    }

    /// Writes fields of a lead. Other fields keep their values. Returns None if there is no lead
    /// with this ID.
    pub(crate) fn update(
        &mut self,
        id: &str,
        fields: BTreeMap<String, FieldValue>,
        created: &[(String, String)],
    ) -> Option<&StoredLead> {
        let index = *self.by_id.get(id)?;
        self.create_options(created);
        let lead = &mut self.leads[index];
        if !fields.is_empty() {
            lead.write(fields, self.now);
            self.changes.leads.insert(index);
        }
        Some(lead)
    }

    fn create(&mut self, key: String, now: i64) -> usize {
        let index = self.leads.len();
        // Searches return the newest lead first, even after the clock was set back.
        let created_on = match self.leads.last() {
            Some(last) => now.max(last.created_on),
            None => now,
        };
        let id = self.ids.next(now);
        self.changes.identifiers.insert(index, key.clone());
        self.leads.push(StoredLead::new(id, created_on));
        self.index(key, index);
        index
    }

    /// Adds the lead in this place to the indices.
    fn index(&mut self, key: String, place: usize) {
        self.by_id.insert(self.leads[place].id.clone(), place);
        match self.by_identifier.entry(key) {
            Entry::Occupied(first) => {
                self.twins.entry(first.key().clone()).or_default().push(place);
            }
            Entry::Vacant(none) => _ = none.insert(place),
        }
    }

    /// The status of a new lead: `Fresh`, or else the first active status.
    fn default_status(&self) -> FieldValue {
        const FRESH: &str = "Fresh";
        let mut active = self.workspace.pipeline().into_iter().flat_map(|p| p.active_statuses());
        let first = active.next().unwrap_or(FRESH);
        let status = active.find(|label| *label == FRESH).unwrap_or(first);
        status.into()
    }

    /// Creates options of lead fields, both in the answers and in the rules.
    fn create_options(&mut self, created: &[(String, String)]) {
        for (name, label) in created {
            let field = self.workspace.field(name);
            if field.is_some_and(|field| field.options.contains(label)) {
                continue;
            }
            self.workspace.add_option(name, label);
            let mut items = self.answers.custom_fields.iter_mut();
            if let Some(item) = items.find(|item| is_named(item, "apiName", name)) {
                let id = self.ids.next(self.now);
                append_option(item, json!({ "id": id, "label": label }), label);
                self.changes.workspace = true;
            }
        }
    }

    /// Creates options of a custom action's fields, both in the answers and in the rules.
    fn create_action_options(&mut self, code: &ActionCode, created: &[(String, String)]) {
        for (name, label) in created {
            let definition = self.workspace.action(code);
            let field = definition.and_then(|definition| definition.field(name));
            if field.is_some_and(|field| field.options.contains(label)) {
                continue;
            }
            self.workspace.add_action_option(code, name, label);
            let mut items = self.answers.custom_actions.iter_mut();
            let item = items.find(|item| has_code(item, code));
            let schema = item.and_then(|item| item.get_mut("fieldSchema"));
            if let Some(Value::Object(field)) = schema.and_then(|schema| schema.get_mut(name)) {
                append_option(field, json!(label), label);
                self.changes.workspace = true;
            }
        }
    }
}

/// Generates IDs as telecrm's: 24 lower-case hex digits, of which the first eight are the time.
#[derive(Clone, Default)]
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

/// Whether this is the definition of the custom action with this code.
fn has_code(item: &Map<String, Value>, code: &ActionCode) -> bool {
    let written = item.get("code").and_then(Value::as_str);
    written.and_then(|text| text.parse().ok()).as_ref() == Some(code)
}

fn is_named(item: &Map<String, Value>, key: &str, name: &str) -> bool {
    item.get(key).and_then(Value::as_str) == Some(name)
}

/// Appends an option in the form of the existing ones: an object or only the label.
fn append_option(field: &mut Map<String, Value>, option: Value, label: &str) {
    // The documentation does not name the key that holds the labels of tags.
    let written =
        ["options", "tags"].into_iter().find(|key| field.get(*key).is_some_and(Value::is_array));
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
    fn ids_are_unique_and_begin_with_the_time() {
        let mut ids = Ids::default();
        let (one, other) = (ids.next(1_780_290_000_123), ids.next(1_780_290_000_123));
        assert_ne!(one, other);
        assert_eq!(one.len(), 24);
        assert_eq!(i64::from_str_radix(&one[..8], 16), Ok(1_780_290_000));
        assert!(one.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
    }

    #[test]
    fn a_new_lead_is_fresh() {
        let sample = Store::new(Seed::new(WorkspaceFile::sample(), false).expect("a workspace"));
        assert_eq!(sample.default_status().as_str(), Some("Fresh"));
    }

    #[test]
    fn a_new_lead_has_the_first_active_status_if_the_pipeline_lacks_fresh() {
        let mut file = WorkspaceFile::sample();
        let pipeline = json!({ "statuses": [
            { "label": "Old", "archived": true }, { "label": "New" }, { "label": "Won" } ] });
        file.pipeline = pipeline.as_object().cloned();
        let store = Store::new(Seed::new(file, false).expect("a workspace"));
        assert_eq!(store.default_status().as_str(), Some("New"));
    }
}
