//! Workspaces: the fields, actions, pipeline and lead identifier that a workspace defines.

mod date_format;
mod definition;
mod error;
mod file;
mod identifier;
mod json;
mod pipeline;

pub use date_format::DateFormat;
pub use definition::{ActionDefinition, FieldDefinition, FieldType};
pub use error::WorkspaceError;
pub use file::WorkspaceFile;
pub use identifier::{Identifier, MatchedBy};
pub use pipeline::{LostReason, Pipeline, PipelineStatus};

pub(crate) use date_format::{ReadDate, to_timestamp, utc_millis};
pub(crate) use pipeline::Labels;

use crate::{Action, ActionCode, ActionKind, Country, CountryError};
use definition::{add_option, find, find_like};
use jiff::tz::TimeZone;
use json::Node;
use serde_json::{Map, Value};

/// The schema of a workspace, from which a check predicts what telecrm stores.
///
/// ```
/// use telecrm_core::workspace::FieldType;
/// use telecrm_core::{Lead, Workspace};
///
/// let workspace = Workspace::sample();
/// assert_eq!(workspace.identifier().api_name(), "phone");
/// let checked = workspace.check(&Lead::new().set("phone", "919999999999").set("ratng", 4));
/// assert_eq!(checked.findings()[0].suggestion.as_deref(), Some("use `rating`"));
///
/// let sources = workspace.field("contact_source").expect("the sample has it");
/// assert_eq!(sources.field_type, FieldType::Dropdown);
/// assert_eq!(sources.options, ["Website", "Referral", "Cold Call"]);
/// assert!(workspace.fields().len() <= workspace.field_names().count());
///
/// let visit = workspace.action(&1001.into()).expect("the sample has it");
/// assert_eq!(visit.field("outcome").expect("a field").options.len(), 2);
/// assert_eq!(workspace.actions().len(), 2);
///
/// let pipeline = workspace.pipeline().expect("the sample has one");
/// assert!(pipeline.active_statuses().any(|status| status == "Fresh"));
/// ```
#[derive(Debug, Clone)]
pub struct Workspace {
    fields: Vec<FieldDefinition>,
    /// The standard fields that the workspace file does not list.
    unlisted: Vec<FieldDefinition>,
    actions: Vec<ActionDefinition>,
    pipeline: Option<Pipeline>,
    identifier: Identifier,
    /// None if neither the file nor the caller names it.
    country: Option<Country>,
    time_zone: TimeZone,
    phone_blanks: PhoneBlanks,
}

/// What telecrm does with blanks, dashes and brackets in phone numbers. The documentation does not
/// say, so a check refuses them.
///
/// ```
/// use telecrm_core::workspace::PhoneBlanks;
/// use telecrm_core::{Lead, Workspace};
///
/// let lead = Lead::new().set("phone", "+91 99999-99999");
/// let workspace = Workspace::sample();
/// assert!(workspace.accept(&lead).identifier.is_none());
/// let workspace = workspace.with_phone_blanks(PhoneBlanks::Strip);
/// assert_eq!(workspace.accept(&lead).identifier.as_deref(), Some("919999999999"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PhoneBlanks {
    /// Drops the number.
    #[default]
    Refuse,
    /// Stores the number without them.
    Strip,
}

/// The standard fields of every workspace.
const STANDARD_FIELDS: [(&str, FieldType); 6] = [
    ("name", FieldType::Text),
    ("phone", FieldType::Phone),
    ("email", FieldType::Email),
    ("rating", FieldType::Rating),
    ("status", FieldType::Status),
    ("assignee", FieldType::Email),
];

impl Workspace {
    /// The sample workspace of the vendor's documentation.
    pub fn sample() -> Self {
        Self::from_file(&WorkspaceFile::sample()).expect("the sample is a workspace")
    }

    /// Reads the schema from a workspace file.
    ///
    /// ```
    /// use telecrm_core::{Workspace, WorkspaceFile};
    ///
    /// let file = WorkspaceFile::from_json(serde_json::json!({
    ///     "customFields": [{ "apiName": "phone", "type": "PHONE" }, { "apiName": "phone",
    ///     "type": "TEXT" }]
    /// }))?;
    /// let error = Workspace::from_file(&file).unwrap_err();
    /// assert_eq!(error.path(), "customFields[1].apiName");
    /// # Ok::<(), telecrm_core::workspace::WorkspaceError>(())
    /// ```
    ///
    /// # Errors
    /// Returns an error with the JSON path of the part that has the wrong shape.
    pub fn from_file(file: &WorkspaceFile) -> Result<Self, WorkspaceError> {
        let fields = read_fields(&file.custom_fields)?;
        let mut actions = Vec::new();
        for action in nodes("customActions", &file.custom_actions) {
            actions.extend(ActionDefinition::read(&action)?);
        }
        let metadata = file.metadata.as_ref().map(|metadata| Node::new("metadata", metadata));
        let settings = Node::new("emulator", &file.emulator);
        check_seats(&settings)?;
        check_members(&file.team_members)?;
        let unlisted = STANDARD_FIELDS.into_iter();
        Ok(Self {
            identifier: Identifier::find(metadata.as_ref(), &fields)?,
            unlisted: unlisted
                .filter(|(name, _)| find(&fields, name).is_none())
                .map(|(name, field_type)| FieldDefinition::new(name, field_type))
                .collect(),
            fields,
            actions,
            pipeline: file.pipeline.as_ref().map(Pipeline::read).transpose()?,
            country: read_country(&settings)?,
            time_zone: read_time_zone(&settings)?,
            phone_blanks: PhoneBlanks::default(),
        })
    }

    /// Sets what telecrm does with blanks in phone numbers. The default is to refuse them.
    #[must_use]
    pub fn with_phone_blanks(mut self, phone_blanks: PhoneBlanks) -> Self {
        self.phone_blanks = phone_blanks;
        self
    }

    /// Sets the country of phone numbers without a country code, as in the workspace's settings.
    ///
    /// Without it, a check judges such numbers as Indian ones, but does not add a country code to
    /// them: telecrm adds its own.
    ///
    /// ```
    /// use telecrm_core::Workspace;
    ///
    /// let workspace = Workspace::sample().with_default_country("AE".parse()?);
    /// assert_eq!(workspace.identifier_key(&"501234567".into()).as_deref(), Some("971501234567"));
    /// # Ok::<(), telecrm_core::CountryError>(())
    /// ```
    #[must_use]
    pub fn with_default_country(mut self, country: Country) -> Self {
        self.country = Some(country);
        self
    }

    /// Sets the time zone of date strings. The default is `Asia/Kolkata`.
    ///
    /// ```
    /// use jiff::tz::TimeZone;
    /// use telecrm_core::Workspace;
    ///
    /// let workspace = Workspace::sample().with_time_zone(TimeZone::get("Asia/Dubai")?);
    /// assert_eq!(workspace.time_zone().iana_name(), Some("Asia/Dubai"));
    /// # Ok::<(), jiff::Error>(())
    /// ```
    #[must_use]
    pub fn with_time_zone(mut self, time_zone: TimeZone) -> Self {
        self.time_zone = time_zone;
        self
    }

    /// The fields that the workspace lists.
    pub fn fields(&self) -> &[FieldDefinition] {
        &self.fields
    }

    /// The field with this API name, including the standard fields of every workspace.
    pub fn field(&self, api_name: &str) -> Option<&FieldDefinition> {
        find(&self.fields, api_name).or_else(|| find(&self.unlisted, api_name))
    }

    /// The field that a name other than an API name stands for: the one whose API name differs only
    /// in case, blanks, `_` and invisible characters, or else the one with this label.
    ///
    /// ```
    /// let workspace = telecrm_core::Workspace::sample();
    /// let field = workspace.field_like("Follow Up Date").expect("one field has this name");
    /// assert_eq!(field.api_name, "follow_up_date");
    /// ```
    pub fn field_like(&self, name: &str) -> Option<&FieldDefinition> {
        find_like(self.all_fields(), name)
    }

    /// All fields, including the standard fields of every workspace.
    pub(crate) fn all_fields(&self) -> impl Iterator<Item = &FieldDefinition> + Clone {
        self.fields.iter().chain(&self.unlisted)
    }

    /// The API names of all fields, including the standard fields of every workspace.
    pub fn field_names(&self) -> impl Iterator<Item = &str> {
        self.all_fields().map(|field| field.api_name.as_str())
    }

    /// Appends an option to a dropdown or tags field, as telecrm does when it stores a new label.
    ///
    /// ```
    /// use telecrm_core::{Lead, Workspace};
    ///
    /// let mut workspace = Workspace::sample();
    /// let lead = Lead::new().set("phone", "919999999999").set("contact_source", "Trade Fair");
    /// assert_eq!(workspace.accept(&lead).created, [("contact_source".to_owned(),
    ///     "Trade Fair".to_owned())]);
    /// workspace.add_option("contact_source", "Trade Fair");
    /// assert!(workspace.accept(&lead).created.is_empty());
    /// ```
    pub fn add_option(&mut self, api_name: &str, label: &str) {
        add_option(&mut self.fields, api_name, label);
    }

    /// Appends an option to a dropdown or tags field of a custom action.
    ///
    /// ```
    /// use telecrm_core::Workspace;
    ///
    /// let mut workspace = Workspace::sample();
    /// workspace.add_action_option(&1001.into(), "outcome", "Undecided");
    /// let outcome = workspace.action(&1001.into()).unwrap().field("outcome").unwrap();
    /// assert!(outcome.options.contains(&"Undecided".to_owned()));
    /// ```
    pub fn add_action_option(&mut self, code: &ActionCode, api_name: &str, label: &str) {
        let action = self.actions.iter_mut().find(|action| action.code == *code);
        if let Some(fields) = action.and_then(|action| action.fields.as_mut()) {
            add_option(fields, api_name, label);
        }
    }

    /// The custom actions of the workspace.
    pub fn actions(&self) -> &[ActionDefinition] {
        &self.actions
    }

    /// The custom action with this code.
    pub fn action(&self, code: &ActionCode) -> Option<&ActionDefinition> {
        self.actions.iter().find(|action| action.code == *code)
    }

    /// The definition of a custom action. Returns None for a payment or an unknown action.
    pub(crate) fn definition_of(&self, action: &Action) -> Option<&ActionDefinition> {
        match action.kind() {
            ActionKind::Custom(code) => self.action(&code),
            _ => None,
        }
    }

    /// The pipeline. Returns None if the workspace file has none.
    pub fn pipeline(&self) -> Option<&Pipeline> {
        self.pipeline.as_ref()
    }

    /// The field that identifies leads.
    pub fn identifier(&self) -> &Identifier {
        &self.identifier
    }

    /// The time zone of date strings.
    pub fn time_zone(&self) -> &TimeZone {
        &self.time_zone
    }

    pub(crate) fn phone_blanks(&self) -> PhoneBlanks {
        self.phone_blanks
    }

    /// The country of phone numbers without a country code. India if the country is not known.
    pub(crate) fn country(&self) -> Country {
        self.country.unwrap_or_default()
    }

    /// The country of phone numbers without a country code. Returns None if it is not known.
    pub(crate) fn known_country(&self) -> Option<Country> {
        self.country
    }
}

/// The items of a list of the workspace file, with their paths.
fn nodes<'a>(key: &str, items: &'a [Map<String, Value>]) -> impl Iterator<Item = Node<'a>> {
    let items = items.iter().enumerate();
    items.map(move |(index, item)| Node::new(format!("{key}[{index}]"), item))
}

fn read_fields(items: &[Map<String, Value>]) -> Result<Vec<FieldDefinition>, WorkspaceError> {
    let mut fields: Vec<FieldDefinition> = Vec::new();
    for node in nodes("customFields", items) {
        let name = node.required_text("apiName")?;
        if let Some(first) = fields.iter().position(|field| field.api_name == name) {
            let reason = format!("customFields[{first}] has the same name {name:?}");
            return Err(WorkspaceError::new(node.path("apiName"), reason));
        }
        fields.push(FieldDefinition::read(name, &node)?);
    }
    Ok(fields)
}

fn check_members(members: &[Map<String, Value>]) -> Result<(), WorkspaceError> {
    for node in nodes("teamMembers", members) {
        if node.required_text("email")?.trim().is_empty() {
            return Err(WorkspaceError::new(node.path("email"), "is blank"));
        }
    }
    Ok(())
}

fn check_seats(settings: &Node<'_>) -> Result<(), WorkspaceError> {
    match settings.get("seats") {
        Some(seats) if !seats.is_u64() => {
            let reason = format!("expected a whole number from 0, found {seats}");
            Err(WorkspaceError::new("emulator.seats", reason))
        }
        _ => Ok(()),
    }
}

fn read_country(settings: &Node<'_>) -> Result<Option<Country>, WorkspaceError> {
    let code = settings.text("defaultCountry")?.map(str::parse);
    code.transpose().map_err(|error: CountryError| {
        WorkspaceError::new("emulator.defaultCountry", error.to_string()).with_hint(error.hint())
    })
}

fn read_time_zone(settings: &Node<'_>) -> Result<TimeZone, WorkspaceError> {
    let zone = settings.text("timeZone")?.unwrap_or("Asia/Kolkata");
    TimeZone::get(zone).map_err(|_| {
        WorkspaceError::new("emulator.timeZone", format!("unknown time zone {zone:?}"))
            .with_hint(Some("use a name such as Asia/Kolkata"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(file: Value) -> Result<Workspace, String> {
        let file = WorkspaceFile::from_json(file).map_err(|error| error.to_string())?;
        Workspace::from_file(&file).map_err(|error| error.to_string())
    }

    /// The custom actions that telecrm lists, built-in ones and unknown shapes among them.
    fn listed_actions() -> Workspace {
        read(json!({
            "customFields": [{ "apiName": "phone", "type": "PHONE" }],
            "customActions": [
                { "code": "OUTGOING_CALL", "source": "SYSTEM", "fieldSchema": {} },
                { "code": "ACTION_1001", "source": "USER", "fieldSchema": { "note": { "type": "TEXT" } } },
                { "code": "ACTION_1002", "source": "USER", "fieldSchema": [] },
                { "code": "ACTION_1003", "source": "USER", "fieldSchema": { "note": "TEXT" } },
            ],
        }))
        .expect("a workspace")
    }

    #[test]
    fn built_in_actions_are_skipped() {
        let workspace = listed_actions();
        let codes: Vec<_> = workspace.actions().iter().map(|a| a.code.bare()).collect();
        assert_eq!(codes, ["1001", "1002", "1003"]);
    }

    #[test]
    fn the_fields_of_an_action_in_an_unknown_shape_are_unknown() {
        let workspace = listed_actions();
        let known = workspace.actions().iter().map(|a| a.fields.is_some());
        assert_eq!(known.collect::<Vec<_>>(), [true, false, false]);
    }

    #[test]
    fn a_built_in_action_is_dropped() {
        let built_in = crate::Lead::from_json(json!({
            "fields": { "phone": "919999999999" },
            "actions": [{ "type": "OUTGOING_CALL" }],
        }));
        let findings = listed_actions().accept(&built_in.expect("a lead")).findings;
        assert_eq!(findings[0].kind, crate::FindingKind::ActionDropped);
    }

    fn phone() -> Value {
        json!({ "apiName": "phone", "type": "PHONE", "isLeadid": true })
    }

    fn with(key: &str, value: Value) -> Value {
        let mut file = json!({ "customFields": [phone()] });
        file[key] = value;
        file
    }

    fn wrong_shape(file: Value, path: &str) {
        let error = read(file).map(drop).expect_err("the shape is wrong");
        assert!(error.starts_with(&format!("{path}: ")), "{error}");
    }

    cases! { wrong_shape:
        not_an_object(json!([]), "the file"),
        no_fields(json!({}), "customFields"),
        fields_as_text(json!({ "customFields": "x" }), "customFields"),
        fields_object_without_list(json!({ "customFields": { "fields": [] } }), "customFields"),
        field_as_number(json!({ "customFields": [7] }), "customFields[0]"),
        field_without_name(json!({ "customFields": [{ "type": "TEXT" }] }), "customFields[0].apiName"),
        field_without_type(json!({ "customFields": [{ "apiName": "a" }] }), "customFields[0].type"),
        no_identifier(json!({ "customFields": [{ "apiName": "a", "type": "TEXT" }] }), "customFields"),
        duplicate_field(json!({ "customFields": [phone(), phone()] }), "customFields[1].apiName"),
        flag_as_text(json!({ "customFields": [{ "apiName": "phone", "type": "PHONE", "isLeadid": "true" }] }), "customFields[0].isLeadid"),
        options_as_text(json!({ "customFields": [{ "apiName": "a", "type": "DROPDOWN", "options": "x" }] }), "customFields[0].options"),
        option_without_label(json!({ "customFields": [{ "apiName": "a", "type": "TAGS", "options": [{ "id": 1 }] }] }), "customFields[0].options[0]"),
        action_code_as_word(with("customActions", json!([{ "code": "VISIT" }])), "customActions[0].code"),
        schema_as_list(with( "customActions", json!([{ "code": "ACTION_1", "fieldSchema": [] }]), ), "customActions[0].fieldSchema"),
        action_field_without_type(with( "customActions", json!([{ "code": "ACTION_1", "fieldSchema": { "n": {} } }]), ), "customActions[0].fieldSchema.n.type"),
        pipeline_as_list(with("leadStagePipeline", json!([])), "leadStagePipeline"),
        stages_as_text(with("leadStagePipeline", json!({ "leadStages": "x" })), "leadStagePipeline.leadStages"),
        statuses_as_object(with( "leadStagePipeline", json!({ "leadStages": [{ "activeStatuses": {} }] }), ), "leadStagePipeline.leadStages[0].activeStatuses"),
        status_without_label(with("leadStagePipeline", json!({ "statuses": [{ "id": 1 }] })), "leadStagePipeline.statuses[0]"),
        member_without_email(with("teamMembers", json!([{ "name": "John" }])), "teamMembers[0].email"),
        member_with_numeric_email(with( "teamMembers", json!([{ "email": "a@b.cc" }, { "email": 7 }]), ), "teamMembers[1].email"),
        member_with_blank_email(with("teamMembers", json!([{ "email": " " }])), "teamMembers[0].email"),
        seats_as_text(with("emulator", json!({ "seats": "5" })), "emulator.seats"),
        negative_seats(with("emulator", json!({ "seats": -1 })), "emulator.seats"),
        unknown_time_zone(with("emulator", json!({ "timeZone": "Mars" })), "emulator.timeZone"),
        unknown_country(with("emulator", json!({ "defaultCountry": "XX" })), "emulator.defaultCountry"),
    }

    fn every_status_is_valid(pipeline: Value) {
        let workspace = read(json!({
            "customFields": [{ "apiName": "phone", "type": "PHONE" }],
            "leadStagePipeline": pipeline,
        }));
        let workspace = workspace.expect("a workspace");
        let outcome = workspace.accept_field("status", &"Hot".into());
        assert_eq!(outcome.stored(), Some("Hot".into()));
    }

    cases! { every_status_is_valid:
        without_a_pipeline(json!(null)),
        in_an_empty_pipeline(json!({})),
        in_a_pipeline_of_unknown_shape(json!({ "stages": [] })),
    }

    #[test]
    fn standard_fields_are_known_without_being_listed() {
        let workspace = read(json!({ "customFields": [{ "apiName": "phone", "type": "PHONE" }] }));
        let workspace = workspace.expect("a workspace");
        assert_eq!(workspace.identifier().matched_by(), MatchedBy::Default);
        assert!(workspace.accept_field("rating", &"3".into()).is_dropped());
        assert_eq!(workspace.field_names().count(), 6);
    }
}
