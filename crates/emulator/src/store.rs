//! The emulator's memory: the workspace and its leads.

#[cfg(feature = "state")]
mod state;
#[cfg(not(feature = "state"))]
#[path = "store/no_state.rs"]
mod state;

pub(crate) use state::Journal;

use crate::clock::Hands;
use crate::faults::Processing;
use crate::log;
use crate::profile::LeadAttributes;
use crate::state_error::StateError;
use crate::team_members::Team;
use litemap::LiteMap;
use object::Object;
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem;
use std::time::Duration;
use telecrm_core::rules::{Acceptance, AcceptedAction};
use telecrm_core::workspace::{PhoneBlanks, WorkspaceError};
use telecrm_core::{ActionCode, FieldValue, Finding, Lead, Workspace, WorkspaceFile};

/// The state of one workspace. What is accepted was decided by `telecrm-core` before it comes here.
#[derive(Clone)]
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
    team: Team,
    /// The leads that the Async API has taken and not processed, by their tickets.
    waiting: BTreeMap<u64, Waiting>,
    last_ticket: u64,
    ids: Ids,
    /// The time of the call that holds the store, in Unix milliseconds.
    now: i64,
    changes: Changes,
}

/// A lead that waits to be processed.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Waiting {
    pub(crate) lead: Lead,
    pub(crate) processing: Processing,
    /// How long it waits, from when it was taken or, later, from when the emulator was started.
    pub(crate) delay: Duration,
    /// The call's entry in the log, unless it was another emulator's.
    #[serde(skip)]
    pub(crate) seq: Option<u64>,
    /// What was lost of it when it was read.
    #[serde(skip)]
    pub(crate) repeated: Vec<Finding>,
}

/// What the state file, if there is one, does not hold yet.
#[derive(Clone, Default)]
struct Changes {
    /// Nothing that it holds is right any more.
    everything: bool,
    workspace: bool,
    team: bool,
    /// The identifiers of new leads, by their places.
    identifiers: BTreeMap<usize, String>,
    /// The places of leads whose fields are new or others.
    leads: BTreeSet<usize>,
    /// The same of entries of timelines: the place of the lead, and that in its timeline.
    entries: BTreeSet<(usize, usize)>,
    /// Tickets of leads that wait, or do so no longer.
    waiting: BTreeSet<u64>,
    /// The clock was set.
    clock: bool,
}

impl Changes {
    fn is_empty(&self) -> bool {
        let Self {
            everything,
            workspace,
            team,
            identifiers,
            leads,
            entries,
            waiting,
            clock,
        } = self;
        !(*everything || *workspace || *team || *clock)
            && identifiers.is_empty()
            && leads.is_empty()
            && entries.is_empty()
            && waiting.is_empty()
    }
}

/// What the rules do with blanks in phone numbers.
pub(crate) fn phone_blanks(strip: bool) -> PhoneBlanks {
    if strip {
        PhoneBlanks::Strip
    } else {
        PhoneBlanks::Refuse
    }
}

/// What a store starts from and goes back to.
#[derive(Clone)]
pub(crate) struct Seed {
    answers: WorkspaceFile,
    workspace: Workspace,
    /// Knows the standard fields and a date, `created_on`: addresses and times that belong to no lead are read as such.
    standard: Workspace,
    strips_phone_blanks: bool,
}

impl Seed {
    /// # Errors
    /// If the file is not a workspace.
    pub(crate) fn new(answers: WorkspaceFile, strip: bool) -> Result<Self, WorkspaceError> {
        let answers = Self::completed(answers);
        let workspace = Workspace::from_file(&answers)?.with_phone_blanks(phone_blanks(strip));
        let mut standard = WorkspaceFile::from_json(json!({ "customFields": [
            { "apiName": "phone", "type": "PHONE" },
            { "apiName": "created_on", "type": "DATE" },
        ] }))?;
        standard.emulator = answers.emulator.clone();
        Ok(Self {
            standard: Workspace::from_file(&standard)?,
            strips_phone_blanks: strip,
            workspace,
            answers,
        })
    }

    /// Without a pipeline nobody could tell which statuses are taken.
    fn completed(mut answers: WorkspaceFile) -> WorkspaceFile {
        if answers.pipeline.is_none() {
            answers.pipeline = WorkspaceFile::sample().pipeline;
        }
        answers
    }
}

/// The times of a lead that telecrm keeps itself.
const OWN_TIMES: [&str; 2] = ["created_on", "modified_on"];

/// Fields by name, in a third of the memory of a map that is made to grow.
type Fields = LiteMap<String, FieldValue>;

/// Fields as JSON. `LiteMap` itself writes an empty list where there are none.
mod object {
    use super::{BTreeMap, Fields};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) struct Object<'a>(pub(super) &'a Fields);

    impl Serialize for Object<'_> {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            to.collect_map(self.0.iter())
        }
    }

    pub(super) fn serialize<S: Serializer>(fields: &Fields, to: S) -> Result<S::Ok, S::Error> {
        Object(fields).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Fields, D::Error> {
        let fields = BTreeMap::deserialize(from)?;
        Ok(fields.into_iter().collect())
    }
}

/// A lead as it is kept.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct StoredLead {
    pub(crate) id: String,
    #[serde(with = "object")]
    fields: Fields,
    created_on: i64,
    modified_on: i64,
    /// What the actions are worth in sum.
    score: f64,
    /// In the order in which they were appended. The state file has a row for each.
    #[serde(skip)]
    timeline: Vec<StoredAction>,
}

/// An entry of a lead's timeline.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct StoredAction {
    pub(crate) id: String,
    pub(crate) kind: EntryKind,
    /// The fields of a custom action; of all others, the keys beside `type`.
    #[serde(with = "object")]
    fields: Fields,
    pub(crate) created: i64,
    modified: Option<i64>,
}

/// What an entry of a timeline is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub(crate) enum EntryKind {
    Custom(ActionCode),
    Payment,
    /// What telecrm records itself, and nobody can write: calls, messages, notes and so on.
    BuiltIn(String),
}

const PAYMENT: &str = "PAYMENT";

/// The key of an entry's time, in Unix milliseconds.
pub(crate) const CREATED: &str = "creationTimestamp";

impl From<EntryKind> for String {
    fn from(kind: EntryKind) -> Self {
        match kind {
            EntryKind::Custom(code) => code.prefixed(),
            EntryKind::Payment => PAYMENT.to_owned(),
            EntryKind::BuiltIn(name) => name,
        }
    }
}

impl From<String> for EntryKind {
    fn from(name: String) -> Self {
        match name.parse::<ActionCode>() {
            Ok(code) if code.prefixed() == name => Self::Custom(code),
            _ if name == PAYMENT => Self::Payment,
            _ => Self::BuiltIn(name),
        }
    }
}

/// What has been written.
pub(crate) struct Written {
    pub(crate) lead_id: String,
    /// The new actions' IDs, by their place in the request.
    pub(crate) action_ids: HashMap<usize, String>,
    /// For the log.
    pub(crate) stored: Box<RawValue>,
}

impl Store {
    pub(crate) fn new(seed: Seed) -> Self {
        Self {
            answers: seed.answers.clone(),
            workspace: seed.workspace.clone(),
            leads: Vec::new(),
            by_identifier: HashMap::new(),
            by_id: HashMap::new(),
            team: Team::new(&seed.answers),
            waiting: BTreeMap::new(),
            last_ticket: 0,
            ids: Ids::default(),
            now: 0,
            changes: Changes::default(),
            seed,
        }
    }

    /// Goes back to the seed. IDs are never given twice, and what was queued before is not applied after.
    pub(crate) fn reset(&mut self) {
        self.become_another(Self::new(self.seed.clone()));
    }

    /// Goes back to a state that it had before, as a reset does.
    pub(crate) fn restore(&mut self, earlier: &Self) {
        self.become_another(earlier.clone());
    }

    fn become_another(&mut self, other: Self) {
        let everything = Changes {
            everything: true,
            ..Changes::default()
        };
        let strip = self.seed.strips_phone_blanks;
        *self = Self {
            waiting: BTreeMap::new(),
            last_ticket: self.last_ticket,
            ids: mem::take(&mut self.ids),
            now: self.now,
            changes: everything,
            ..other
        };
        self.strip_phone_blanks(strip);
    }

    /// Says what time it is for whoever holds the store now.
    pub(crate) fn begin(&mut self, now: i64) {
        self.now = now;
    }

    /// Whether phone numbers may hold blanks from now on.
    pub(crate) fn strip_phone_blanks(&mut self, strip: bool) {
        self.seed.strips_phone_blanks = strip;
        for workspace in [&mut self.workspace, &mut self.seed.workspace] {
            *workspace = workspace.clone().with_phone_blanks(phone_blanks(strip));
        }
    }

    /// Takes a lead that is to be processed later, and gives the ticket for it.
    pub(crate) fn enqueue(&mut self, waiting: Waiting) -> u64 {
        self.last_ticket += 1;
        self.waiting.insert(self.last_ticket, waiting);
        self.changes.waiting.insert(self.last_ticket);
        self.last_ticket
    }

    /// Gives the lead with this ticket, unless it was forgotten. It waits no longer.
    pub(crate) fn dequeue(&mut self, ticket: u64) -> Option<Waiting> {
        let waiting = self.waiting.remove(&ticket)?;
        self.changes.waiting.insert(ticket);
        Some(waiting)
    }

    /// Whether the lead with this ticket waits still.
    pub(crate) fn is_waiting(&self, ticket: u64) -> bool {
        self.waiting.contains_key(&ticket)
    }

    /// The leads that wait, in the order in which they came.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = (u64, &Waiting)> {
        self.waiting
            .iter()
            .map(|(ticket, waiting)| (*ticket, waiting))
    }

    /// Notes that the clock was set, so that the state file learns it.
    pub(crate) fn clock_was_set(&mut self) {
        self.changes.clock = true;
    }

    /// Writes what has changed into the state file, if there is one, and says whether that went well; nothing, if nothing
    /// has changed. What could not be written is tried again next time.
    pub(crate) fn keep(
        &mut self,
        journal: Option<&mut Journal>,
        hands: Hands,
    ) -> Option<Result<(), StateError>> {
        if self.changes.is_empty() {
            return None;
        }
        let kept = journal.map_or(Ok(()), |journal| journal.commit(self, hands));
        if kept.is_ok() {
            self.changes = Changes::default();
        }
        Some(kept)
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
        let verdict = self.seed.standard.accept_field("created_on", &written);
        verdict.stored()?.as_i64()
    }

    /// Whether it has the form of an address.
    pub(crate) fn is_email(&self, text: &str) -> bool {
        let verdict = self.seed.standard.accept_field("email", &text.into());
        !verdict.is_dropped()
    }

    pub(crate) fn team(&self) -> &Team {
        &self.team
    }

    pub(crate) fn team_mut(&mut self) -> &mut Team {
        self.changes.team = true;
        &mut self.team
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
        let mut fields = accepted.fields;
        let place = match self.by_identifier.get(&key) {
            Some(&place) => place,
            None => {
                let status = self.default_status();
                fields.entry("status".to_owned()).or_insert(status);
                self.create(key)
            }
        };
        Some(self.write(place, fields, accepted.actions))
    }

    /// Appends actions to a lead's timeline.
    pub(crate) fn append(&mut self, id: &str, actions: Vec<AcceptedAction>) -> Option<Written> {
        let place = *self.by_id.get(id)?;
        Some(self.write(place, BTreeMap::new(), actions))
    }

    fn write(
        &mut self,
        place: usize,
        fields: BTreeMap<String, FieldValue>,
        actions: Vec<AcceptedAction>,
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
            let entry = StoredAction {
                id: self.ids.next(now),
                kind,
                fields: action.fields.into_iter().collect(),
                created: action.created_on.unwrap_or(now),
                modified: None,
            };
            entries.push((action.index, entry));
        }
        let lead = &mut self.leads[place];
        let written = Written {
            lead_id: lead.id.clone(),
            stored: log::text(&StoredParts {
                id: &lead.id,
                fields: &fields,
                actions: entries
                    .iter()
                    .map(|(_, entry)| entry.shown(false))
                    .collect(),
            }),
            action_ids: entries
                .iter()
                .map(|(index, entry)| (*index, entry.id.clone()))
                .collect(),
        };
        lead.write(fields, now);
        lead.score += score;
        let old = lead.timeline.len();
        if old == 0 {
            // Most leads have no more than what they come with.
            lead.timeline.reserve_exact(entries.len());
        }
        lead.timeline
            .extend(entries.into_iter().map(|(_, entry)| entry));
        let new = old..lead.timeline.len();
        self.changes.leads.insert(place);
        self.changes.entries.extend(new.map(|entry| (place, entry)));
        written
    }

    /// Changes fields of a custom action, or keys of a payment.
    pub(crate) fn update_action(
        &mut self,
        lead: &str,
        action: &str,
        fields: BTreeMap<String, FieldValue>,
        created: &[(String, String)],
    ) -> Option<&StoredAction> {
        let place = *self.by_id.get(lead)?;
        let of_lead = self.leads[place].timeline.iter();
        let entry = of_lead.enumerate().find(|(_, entry)| entry.id == action);
        let (index, entry) = entry?;
        if let EntryKind::Custom(code) = entry.kind.clone() {
            self.create_action_options(&code, created);
        }
        let entry = &mut self.leads[place].timeline[index];
        if !fields.is_empty() {
            entry.fields.extend(fields);
            entry.modified = Some(self.now);
            self.changes.entries.insert((place, index));
        }
        Some(entry)
    }

    /// Appends what telecrm records itself, and gives its ID.
    pub(crate) fn record(
        &mut self,
        lead: &str,
        type_name: String,
        mut fields: BTreeMap<String, FieldValue>,
    ) -> Option<String> {
        let place = *self.by_id.get(lead)?;
        let now = self.now;
        let created = fields.remove(CREATED);
        fields.remove("id");
        let id = self.ids.next(now);
        let timeline = &mut self.leads[place].timeline;
        self.changes.entries.insert((place, timeline.len()));
        timeline.push(StoredAction {
            id: id.clone(),
            kind: EntryKind::BuiltIn(type_name),
            fields: fields.into_iter().collect(),
            created: created.and_then(|time| time.as_i64()).unwrap_or(now),
            modified: None,
        });
        Some(id)
    }

    /// What an action of this kind adds to its lead's score.
    fn score(&self, code: &ActionCode) -> f64 {
        let mut actions = self.answers.custom_actions.iter();
        let definition = actions.find(|item| has_code(item, code));
        let score = definition.and_then(|item| item.get("score")?.as_f64());
        score.unwrap_or_default()
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
            lead.write(fields, self.now);
            self.changes.leads.insert(place);
        }
        Some(lead)
    }

    fn create(&mut self, key: String) -> usize {
        let now = self.now;
        let place = self.leads.len();
        // Newest first must hold even if the clock is set back.
        let created_on = self
            .leads
            .last()
            .map_or(now, |last| now.max(last.created_on));
        let id = self.ids.next(now);
        self.changes.identifiers.insert(place, key.clone());
        self.by_identifier.insert(key, place);
        self.by_id.insert(id.clone(), place);
        self.leads.push(StoredLead {
            id,
            fields: Fields::new(),
            created_on,
            modified_on: created_on,
            score: 0.0,
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
                let id = self.ids.next(self.now);
                append_option(item, json!({ "id": id, "label": label }), label);
                self.changes.workspace = true;
            }
        }
    }

    /// Creates options of a custom action's fields, in the answers and in the rules.
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

impl StoredLead {
    /// The fields as telecrm shows them, with the times that it keeps itself.
    pub(crate) fn fields(&self) -> LeadFields<'_> {
        LeadFields {
            lead: self,
            without: &[],
            tells_employee: false,
        }
    }

    /// The lead as a row of a search.
    pub(crate) fn row(&self, attributes: LeadAttributes, tells_id: bool) -> LeadRow<'_> {
        LeadRow {
            lead: self,
            attributes,
            tells_id,
        }
    }

    /// One field, or one of the times that telecrm keeps itself.
    pub(crate) fn field(&self, name: &str) -> Option<FieldValue> {
        match name {
            "created_on" => Some(self.created_on.into()),
            "modified_on" => Some(self.modified_on.into()),
            _ => self.fields.get(name).cloned(),
        }
    }

    /// One entry of the timeline.
    pub(crate) fn action(&self, id: &str) -> Option<&StoredAction> {
        self.timeline.iter().find(|entry| entry.id == id)
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
    /// The type as the Sync API takes it: `1001`, `PAYMENT` or another.
    pub(crate) fn type_name(&self) -> &str {
        match &self.kind {
            EntryKind::Custom(code) => code.bare(),
            EntryKind::Payment => PAYMENT,
            EntryKind::BuiltIn(name) => name,
        }
    }

    /// The code of a custom action.
    #[cfg(feature = "web")]
    pub(crate) fn code(&self) -> Option<&ActionCode> {
        match &self.kind {
            EntryKind::Custom(code) => Some(code),
            _ => None,
        }
    }

    /// Who did it. Actions that come in through an API were performed by no member of the team.
    pub(crate) fn performer(&self) -> Option<&str> {
        match self.kind {
            EntryKind::BuiltIn(_) => self.fields.get("employeeid")?.as_str(),
            _ => None,
        }
    }

    /// The entry as it is read back, the code with its prefix or without.
    pub(crate) fn shown(&self, prefixed: bool) -> ShownAction<'_> {
        ShownAction {
            entry: self,
            prefixed,
        }
    }
}

/// What was stored of a lead, for the log.
#[derive(Serialize)]
struct StoredParts<'a> {
    id: &'a str,
    fields: &'a BTreeMap<String, FieldValue>,
    actions: Vec<ShownAction<'a>>,
}

/// A lead's fields, written without making a tree of them first.
pub(crate) struct LeadFields<'a> {
    lead: &'a StoredLead,
    without: &'static [&'static str],
    tells_employee: bool,
}

impl LeadFields<'_> {
    /// With the assignee as `employeeid` too.
    pub(crate) fn with_employee(mut self, tells_employee: bool) -> Self {
        self.tells_employee = tells_employee;
        self
    }
}

impl Serialize for LeadFields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let lead = self.lead;
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in &lead.fields {
            let name = name.as_str();
            if !OWN_TIMES.contains(&name) && !self.without.contains(&name) {
                map.serialize_entry(name, value)?;
            }
        }
        if let (true, Some(assignee)) = (self.tells_employee, lead.fields.get("assignee")) {
            map.serialize_entry("employeeid", assignee)?;
        }
        for (name, time) in OWN_TIMES.iter().zip([lead.created_on, lead.modified_on]) {
            map.serialize_entry(name, &time)?;
        }
        map.end()
    }
}

/// A row of a search, written in the same way.
pub(crate) struct LeadRow<'a> {
    lead: &'a StoredLead,
    attributes: LeadAttributes,
    tells_id: bool,
}

impl Serialize for LeadRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let lead = self.lead;
        let mut map = serializer.serialize_map(None)?;
        if self.tells_id {
            map.serialize_entry("id", &lead.id)?;
        }
        let fields = LeadFields {
            without: match self.attributes {
                LeadAttributes::Row => &["status", "rating", "assignee"],
                _ => &[],
            },
            ..lead.fields()
        };
        map.serialize_entry("fields", &fields)?;
        map.serialize_entry("actions", &[(); 0])?;
        if self.attributes != LeadAttributes::Fields {
            map.serialize_entry("score", &number(lead.score))?;
            map.serialize_entry("isArchived", &false)?;
            map.serialize_entry("isSpam", &false)?;
            map.serialize_entry(CREATED, &lead.created_on)?;
            for (name, key) in [
                ("status", "status"),
                ("rating", "rating"),
                ("assignee", "employeeid"),
            ] {
                if let Some(value) = lead.fields.get(name) {
                    map.serialize_entry(key, value)?;
                }
            }
        }
        map.end()
    }
}

/// An entry of a timeline, written in the same way.
pub(crate) struct ShownAction<'a> {
    entry: &'a StoredAction,
    prefixed: bool,
}

impl Serialize for ShownAction<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entry = self.entry;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &entry.id)?;
        match &entry.kind {
            EntryKind::Custom(code) if self.prefixed => {
                map.serialize_entry("type", &code.prefixed())?;
            }
            _ => map.serialize_entry("type", entry.type_name())?,
        }
        map.serialize_entry(CREATED, &entry.created)?;
        if let Some(modified) = entry.modified {
            map.serialize_entry("modificationTimestamp", &modified)?;
        }
        match entry.kind {
            EntryKind::Custom(_) => map.serialize_entry("fields", &Object(&entry.fields))?,
            _ => {
                for (key, value) in &entry.fields {
                    map.serialize_entry(key, value)?;
                }
            }
        }
        map.end()
    }
}

/// IDs of the form in use: 24 lower-case hex characters, the first eight of which tell the time.
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

/// Whole where it is.
fn number(score: f64) -> Value {
    if score.fract() == 0.0 {
        json!(score as i64)
    } else {
        json!(score)
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
        let store = Store::new(Seed::new(file, false).expect("a workspace"));
        assert_eq!(store.default_status().as_str(), Some("New"));

        let sample = Store::new(Seed::new(WorkspaceFile::sample(), false).expect("a workspace"));
        assert_eq!(sample.default_status().as_str(), Some("Fresh"));
    }
}
