//! What a workspace defines: its fields, actions, pipeline and lead identifier.

pub(crate) mod date_format;
mod file;
mod pipeline;

pub use date_format::DateFormat;
pub use file::{WorkspaceError, WorkspaceFile};
pub(crate) use pipeline::Labels;
pub use pipeline::{LostReason, Pipeline, PipelineStatus};

use crate::rules::phone;
use crate::text::{each_letter, texts};
use crate::value::from_object;
use crate::{ActionCode, Country, FieldValue};
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

/// A workspace's schema: all that is needed to tell beforehand what telecrm will take.
///
/// ```
/// use telecrm_core::{FieldType, Lead, Workspace};
///
/// let workspace = Workspace::sample();
/// assert_eq!(workspace.identifier().api_name(), "phone");
/// let checked = workspace.check(&Lead::new().set("phone", "919999999999").set("ratng", 4));
/// assert_eq!(checked.findings()[0].suggestion.as_deref(), Some("did you mean `rating`?"));
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
    /// Those that every workspace has, as far as it does not list them.
    unlisted: Vec<FieldDefinition>,
    actions: Vec<ActionDefinition>,
    pipeline: Option<Pipeline>,
    identifier: Identifier,
    /// Nothing where nobody said which it is.
    country: Option<Country>,
    time_zone: TimeZone,
    strips_phone_blanks: bool,
}

/// A field of leads or of a custom action.
///
/// ```
/// use telecrm_core::{FieldDefinition, FieldType, Workspace};
///
/// let workspace = Workspace::sample();
/// let is_date = |field: &&FieldDefinition| field.field_type == FieldType::Date;
/// let dates = workspace.fields().iter().filter(is_date);
/// assert_eq!(dates.map(|field| &field.api_name).collect::<Vec<_>>(), ["follow_up_date"]);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FieldDefinition {
    /// The ID, if the workspace told it.
    pub id: Option<String>,
    /// The name in payloads; it is case-sensitive.
    pub api_name: String,
    /// What values it takes.
    pub field_type: FieldType,
    /// The labels of a dropdown or of tags.
    pub options: Vec<String>,
    /// Whether the workspace flags it as the lead identifier.
    pub is_lead_id: bool,
    /// The format of date strings, such as `DD/MM/YYYY HH:mm`.
    pub date_format: Option<String>,
}

crate::open_enum! {
    /// The type of a field. The documentation does not show every spelling, so reading ignores case and `_`.
    FieldType:
        Text = "TEXT",
        Number = "NUMBER",
        Email = "EMAIL",
        Phone = "PHONE",
        Date = "DATE",
        Dropdown = "DROPDOWN",
        Tags = "TAGS",
        Money = "MONEY",
        Website = "WEBSITE",
        MediaLink = "MEDIALINK",
        ActiveUsers = "ACTIVEUSERS",
        Rating = "RATING",
        Status = "STATUS",
        LostReason = "LOSTREASON",
}

impl FieldType {
    fn read(text: &str) -> Self {
        match Self::from(each_letter(text, |c| {
            (c != '_').then_some(c.to_ascii_uppercase())
        })) {
            Self::Unknown(_) => Self::Unknown(text.to_owned()),
            known => known,
        }
    }
}

/// A custom action that the workspace defines.
///
/// ```
/// use telecrm_core::{ActionDefinition, Workspace};
///
/// let workspace = Workspace::sample();
/// let predated = |action: &&ActionDefinition| action.allows_predated;
/// assert_eq!(workspace.actions().iter().find(predated).unwrap().code, 1001.into());
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ActionDefinition {
    /// Its code.
    pub code: ActionCode,
    /// Its name for people.
    pub display_name: Option<String>,
    /// Its fields, or nothing where the workspace did not tell them.
    pub fields: Option<Vec<FieldDefinition>>,
    /// Whether entries may be dated back with `created_on`.
    pub allows_predated: bool,
}

/// Which field identifies leads, and how that was found out.
///
/// ```
/// use telecrm_core::{MatchedBy, Workspace};
///
/// let workspace = Workspace::sample();
/// let identifier = workspace.identifier();
/// assert_eq!(identifier.api_name(), "phone");
/// assert_eq!(identifier.matched_by(), MatchedBy::ApiName);
/// assert_eq!(identifier.disagreement(), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identifier {
    api_name: String,
    matched_by: MatchedBy,
    flagged: Option<String>,
}

/// How the identifier field was found (pitfall EN6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MatchedBy {
    /// The metadata's `leadIdentifierFieldId` is a field's ID.
    Id,
    /// The metadata's `leadIdentifierFieldId` is a field's API name.
    ApiName,
    /// A field is flagged `isLeadid`.
    IsLeadId,
    /// Nothing tells; `phone` is telecrm's default.
    Default,
}

impl Identifier {
    /// The API name of the field.
    pub fn api_name(&self) -> &str {
        &self.api_name
    }

    /// How the field was found.
    pub fn matched_by(&self) -> MatchedBy {
        self.matched_by
    }

    /// The field that is flagged `isLeadid`, where that is another one: worth asking the workspace's owner.
    pub fn disagreement(&self) -> Option<&str> {
        self.flagged
            .as_deref()
            .filter(|flagged| *flagged != self.api_name)
    }
}

impl Workspace {
    /// The sample workspace of the vendor's documentation.
    pub fn sample() -> Self {
        Self::from_file(&WorkspaceFile::sample()).expect("the sample is a workspace")
    }

    /// Understands the answers of a workspace.
    ///
    /// ```
    /// use telecrm_core::{Workspace, WorkspaceFile};
    ///
    /// let file = WorkspaceFile::from_json(serde_json::json!({
    ///     "customFields": [{ "apiName": "phone", "type": "PHONE" }, { "apiName": "phone", "type": "TEXT" }]
    /// }))?;
    /// let error = Workspace::from_file(&file).unwrap_err();
    /// assert_eq!(error.path(), "customFields[1].apiName");
    /// # Ok::<(), telecrm_core::WorkspaceError>(())
    /// ```
    ///
    /// # Errors
    /// Names the JSON path of the part that cannot be understood.
    pub fn from_file(file: &WorkspaceFile) -> Result<Self, WorkspaceError> {
        let mut fields = Vec::new();
        for (index, field) in file.custom_fields.iter().enumerate() {
            fields.push(FieldDefinition::read(
                &format!("customFields[{index}]"),
                None,
                field,
            )?);
        }
        for (index, field) in fields.iter().enumerate() {
            let mut before = fields[..index].iter();
            if let Some(first) = before.position(|other| other.api_name == field.api_name) {
                return Err(WorkspaceError::new(
                    &format!("customFields[{index}].apiName"),
                    &format!("is {:?}, as that of customFields[{first}]", field.api_name),
                ));
            }
        }
        let mut actions = Vec::new();
        for (index, action) in file.custom_actions.iter().enumerate() {
            let path = format!("customActions[{index}]");
            actions.extend(ActionDefinition::read(&path, action)?);
        }
        let pipeline = match &file.pipeline {
            Some(pipeline) => Some(Pipeline::read(pipeline)?),
            None => None,
        };
        let settings = &file.emulator;
        let country = match text(settings, "emulator", "defaultCountry")? {
            Some(code) => Some(
                code.parse()
                    .map_err(|error: WorkspaceError| error.at("emulator.defaultCountry"))?,
            ),
            None => None,
        };
        if let Some(seats) = settings.get("seats").filter(|seats| !seats.is_null())
            && !seats.is_u64()
        {
            return Err(WorkspaceError::new(
                "emulator.seats",
                &format!(
                    "must be a whole number, 0 or more, and is {seats}; leave it out for as many as anybody wants"
                ),
            ));
        }
        for (index, member) in file.team_members.iter().enumerate() {
            let path = format!("teamMembers[{index}]");
            let email = text(member, &path, "email")?.unwrap_or_default();
            if email.trim().is_empty() {
                return Err(WorkspaceError::new(
                    &format!("{path}.email"),
                    "is missing, and nothing else tells members apart",
                ));
            }
        }
        let zone = text(settings, "emulator", "timeZone")?.unwrap_or("Asia/Kolkata");
        let time_zone = TimeZone::get(zone).map_err(|_| {
            WorkspaceError::new(
                "emulator.timeZone",
                &format!("{zone:?} is not a time zone such as \"Asia/Kolkata\""),
            )
        })?;
        let mut unlisted = Vec::new();
        for (name, field_type) in [
            ("name", FieldType::Text),
            ("phone", FieldType::Phone),
            ("email", FieldType::Email),
            ("rating", FieldType::Rating),
            ("status", FieldType::Status),
            ("assignee", FieldType::Email),
        ] {
            if find(&fields, name).is_none() {
                unlisted.push(FieldDefinition::new(name, field_type));
            }
        }
        Ok(Self {
            identifier: find_identifier(file.metadata.as_ref(), &fields)?,
            fields,
            unlisted,
            actions,
            pipeline,
            country,
            time_zone,
            strips_phone_blanks: false,
        })
    }

    /// Sets whether blanks, dashes and brackets in phone numbers are left out rather than refused. They are refused
    /// unless set, since nobody says what telecrm does.
    ///
    /// ```
    /// use telecrm_core::{Lead, Workspace};
    ///
    /// let lead = Lead::new().set("phone", "+91 99999-99999");
    /// let workspace = Workspace::sample();
    /// assert!(workspace.accept(&lead).identifier.is_none());
    /// let workspace = workspace.with_phone_blanks_stripped(true);
    /// assert_eq!(workspace.accept(&lead).identifier.as_deref(), Some("919999999999"));
    /// ```
    #[must_use]
    pub fn with_phone_blanks_stripped(mut self, stripped: bool) -> Self {
        self.strips_phone_blanks = stripped;
        self
    }

    /// Sets the country of phone numbers without a country code, as the workspace's settings have it.
    ///
    /// Unless it is set, India is taken for it in judging numbers, but no number is sent with a country code that is only
    /// guessed: telecrm fills in its own.
    ///
    /// ```
    /// use telecrm_core::Workspace;
    ///
    /// let workspace = Workspace::sample().with_default_country("AE".parse()?);
    /// assert_eq!(workspace.identifier_key(&"501234567".into()).as_deref(), Some("971501234567"));
    /// # Ok::<(), telecrm_core::WorkspaceError>(())
    /// ```
    #[must_use]
    pub fn with_default_country(mut self, country: Country) -> Self {
        self.country = Some(country);
        self
    }

    /// Sets the zone in which date strings are read. `Asia/Kolkata` unless set.
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

    /// The field with this API name: one that the workspace lists, or a standard one that every workspace has.
    pub fn field(&self, api_name: &str) -> Option<&FieldDefinition> {
        find(&self.fields, api_name).or_else(|| find(&self.unlisted, api_name))
    }

    /// The API names of all fields, the standard ones included.
    pub fn field_names(&self) -> impl Iterator<Item = &str> {
        self.names().into_iter()
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        let mut names = texts(&self.fields, |field| &field.api_name);
        names.append(&mut texts(&self.unlisted, |field| &field.api_name));
        names
    }

    /// Appends an option to a dropdown or tags field, as telecrm does when it stores an unknown label.
    ///
    /// ```
    /// use telecrm_core::{Lead, Workspace};
    ///
    /// let mut workspace = Workspace::sample();
    /// let lead = Lead::new().set("phone", "919999999999").set("contact_source", "Trade Fair");
    /// assert_eq!(workspace.accept(&lead).created, [("contact_source".to_owned(), "Trade Fair".to_owned())]);
    /// workspace.add_option("contact_source", "Trade Fair");
    /// assert!(workspace.accept(&lead).created.is_empty());
    /// ```
    pub fn add_option(&mut self, api_name: &str, label: &str) {
        if let Some(field) = find_mut(&mut self.fields, api_name) {
            field.options.push(label.to_owned());
        }
    }

    /// Appends an option to a dropdown field of a custom action.
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
        if let Some(action) = self.actions.iter_mut().find(|a| a.code == *code)
            && let Some(fields) = &mut action.fields
            && let Some(field) = find_mut(fields, api_name)
        {
            field.options.push(label.to_owned());
        }
    }

    /// The custom actions that the workspace defines.
    pub fn actions(&self) -> &[ActionDefinition] {
        &self.actions
    }

    /// The custom action with this code.
    pub fn action(&self, code: &ActionCode) -> Option<&ActionDefinition> {
        self.actions.iter().find(|action| action.code == *code)
    }

    /// The pipeline, if the workspace told it.
    pub fn pipeline(&self) -> Option<&Pipeline> {
        self.pipeline.as_ref()
    }

    /// Which field identifies leads.
    pub fn identifier(&self) -> &Identifier {
        &self.identifier
    }

    /// The zone in which date strings are read.
    pub fn time_zone(&self) -> &TimeZone {
        &self.time_zone
    }

    pub(crate) fn strips_phone_blanks(&self) -> bool {
        self.strips_phone_blanks
    }

    pub(crate) fn country(&self) -> Country {
        self.country.unwrap_or_default()
    }

    /// The country of numbers without a country code, if that is more than a guess.
    pub(crate) fn known_country(&self) -> Option<Country> {
        self.country
    }

    /// The one normal form of a phone number: country code and number, digits only, in whichever way it is written.
    ///
    /// Nothing if it cannot be told which number is meant, or if it cannot be one: too short or too long for telecrm, and,
    /// with the feature `phone`, of no country's numbers.
    ///
    /// ```
    /// use telecrm_core::Workspace;
    ///
    /// let workspace = Workspace::sample();
    /// for written in ["+91 99999-99999", "919999999999", "09999999999", "9999999999"] {
    ///     assert_eq!(workspace.normal_phone(written).as_deref(), Some("919999999999"));
    /// }
    /// assert_eq!(workspace.normal_phone("99999"), None);
    /// assert_eq!(workspace.normal_phone("99999-00017 / 18"), None);
    /// ```
    pub fn normal_phone(&self, written: &str) -> Option<String> {
        phone::one_form(written, self.country())
    }

    /// The form of an identifier's value by which telecrm tells leads apart: numbers as country code plus
    /// national number, everything in lower case, addresses trimmed.
    ///
    /// ```
    /// use telecrm_core::Workspace;
    ///
    /// let workspace = Workspace::sample();
    /// for spelling in ["919999999999", "+919999999999", "9999999999"] {
    ///     assert_eq!(workspace.identifier_key(&spelling.into()).as_deref(), Some("919999999999"));
    /// }
    /// assert_eq!(workspace.identifier_key(&"99999".into()), None);
    /// ```
    pub fn identifier_key(&self, value: &FieldValue) -> Option<String> {
        let stored = self
            .accept_field(self.identifier.api_name(), value)
            .stored()?;
        let key = match stored.as_json() {
            Value::String(text) => text.to_lowercase(),
            other => other.to_string(),
        };
        Some(key).filter(|key| !key.is_empty())
    }
}

fn find_identifier(
    metadata: Option<&Map<String, Value>>,
    fields: &[FieldDefinition],
) -> Result<Identifier, WorkspaceError> {
    let declared = match metadata {
        Some(metadata) => text(metadata, "metadata", "leadIdentifierFieldId")?,
        None => None,
    };
    let with_id = |id| fields.iter().find(|field| field.id.as_deref() == Some(id));
    let named = |api_name| find(fields, api_name);
    let flagged = fields.iter().find(|field| field.is_lead_id);
    let (field, matched_by) = if let Some(field) = declared.and_then(with_id) {
        (field, MatchedBy::Id)
    } else if let Some(field) = declared.and_then(named) {
        (field, MatchedBy::ApiName)
    } else if let Some(field) = flagged {
        (field, MatchedBy::IsLeadId)
    } else if let Some(field) = named("phone") {
        (field, MatchedBy::Default)
    } else {
        return Err(WorkspaceError::new(
            "customFields",
            "no field is the lead identifier: none matches `metadata.leadIdentifierFieldId`, none has `isLeadid: true`, and there is no `phone`",
        ));
    };
    Ok(Identifier {
        api_name: field.api_name.clone(),
        matched_by,
        flagged: flagged.map(|field| field.api_name.clone()),
    })
}

fn find<'a>(fields: &'a [FieldDefinition], api_name: &str) -> Option<&'a FieldDefinition> {
    fields.iter().find(|field| field.api_name == api_name)
}

fn find_mut<'a>(
    fields: &'a mut [FieldDefinition],
    api_name: &str,
) -> Option<&'a mut FieldDefinition> {
    let mut fields = fields.iter_mut();
    fields.find(|field| field.api_name == api_name)
}

impl FieldDefinition {
    fn new(api_name: &str, field_type: FieldType) -> Self {
        Self {
            id: None,
            api_name: api_name.to_owned(),
            field_type,
            options: Vec::new(),
            is_lead_id: false,
            date_format: None,
        }
    }

    fn read(
        path: &str,
        name: Option<&str>,
        json: &Map<String, Value>,
    ) -> Result<Self, WorkspaceError> {
        let api_name = match name {
            Some(name) => name,
            None => required_text(json, path, "apiName")?,
        };
        let field_type = FieldType::read(required_text(json, path, "type")?);
        let date = text(json, path, "dateFormat")?;
        let time = text(json, path, "timeFormat")?;
        Ok(Self {
            id: text(json, path, "id")?.map(str::to_owned),
            options: labels(json, path)?,
            is_lead_id: match json.get("isLeadid") {
                None | Some(Value::Null) => false,
                Some(Value::Bool(flag)) => *flag,
                Some(other) => {
                    let path = format!("{path}.isLeadid");
                    return Err(WorkspaceError::expected(&path, "true or false", other));
                }
            },
            date_format: match (date, time) {
                (Some(date), Some(time)) => Some(format!("{date} {time}")),
                (date, _) => date.map(str::to_owned),
            },
            ..Self::new(api_name, field_type)
        })
    }

    /// Whether `label` is an option, to the letter.
    pub(crate) fn has_option(&self, label: &str) -> bool {
        self.options.iter().any(|option| option == label)
    }
}

impl ActionDefinition {
    /// Nothing if the entry is no custom action.
    fn read(path: &str, json: &Map<String, Value>) -> Result<Option<Self>, WorkspaceError> {
        // telecrm tells the source of what it lists, and lists what is built in as well. In whichever form it does that, the
        // rest of the workspace must not be lost for it; in a file that was written by hand it is a mistake.
        let is_listed = json.contains_key("source");
        let code = match required_text(json, path, "code")?.parse() {
            Ok(code) => code,
            Err(_) if is_listed => return Ok(None),
            Err(error) => {
                let path = format!("{path}.code");
                return Err(WorkspaceError::new(&path, &format!("{error}")));
            }
        };
        let fields = match read_schema(path, json) {
            Ok(fields) => fields,
            Err(_) if is_listed => None,
            Err(error) => return Err(error),
        };
        // Documented as `{"enabled": true}`; a bare boolean means the same.
        let predated = json.get("allowPredatedActivity");
        let enabled = predated.and_then(|p| p.get("enabled")).or(predated);
        Ok(Some(Self {
            code,
            display_name: text(json, path, "displayName")?.map(str::to_owned),
            fields,
            allows_predated: enabled.and_then(Value::as_bool) == Some(true),
        }))
    }

    /// The field with this API name.
    pub fn field(&self, api_name: &str) -> Option<&FieldDefinition> {
        find(self.fields.as_ref()?, api_name)
    }
}

fn read_schema(
    path: &str,
    json: &Map<String, Value>,
) -> Result<Option<Vec<FieldDefinition>>, WorkspaceError> {
    let schema = match json.get("fieldSchema") {
        Some(Value::Object(schema)) => schema,
        None | Some(Value::Null) => return Ok(None),
        Some(other) => {
            let path = format!("{path}.fieldSchema");
            return Err(WorkspaceError::expected(&path, "an object", other));
        }
    };
    let mut fields = Vec::new();
    // In one order, even where another crate makes `serde_json` keep the server's.
    for (name, field) in from_object(schema.clone()) {
        let path = format!("{path}.fieldSchema.{name}");
        fields.push(match field.as_json() {
            Value::Object(field) => FieldDefinition::read(&path, Some(&name), field)?,
            other => return Err(WorkspaceError::expected(&path, "an object", other)),
        });
    }
    Ok(Some(fields))
}

/// Labels: texts, or objects with a `label`. Which key holds those of tags is not documented.
fn labels(json: &Map<String, Value>, path: &str) -> Result<Vec<String>, WorkspaceError> {
    let (key, items) = match list_of(json, path, "options")? {
        Some(items) => ("options", items),
        None => match list_of(json, path, "tags")? {
            Some(items) => ("tags", items),
            None => return Ok(Vec::new()),
        },
    };
    let mut labels = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let label = item.as_str().or_else(|| item.get("label")?.as_str());
        let label = label.ok_or_else(|| {
            WorkspaceError::expected(
                &format!("{path}.{key}[{index}]"),
                "a text, or an object with a text `label`",
                item,
            )
        })?;
        labels.push(label.to_owned());
    }
    Ok(labels)
}

/// The list under a key, if there is one.
fn list_of<'a>(
    json: &'a Map<String, Value>,
    path: &str,
    key: &str,
) -> Result<Option<&'a Vec<Value>>, WorkspaceError> {
    match json.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(items)) => Ok(Some(items)),
        Some(other) => Err(WorkspaceError::expected(
            &format!("{path}.{key}"),
            "a list",
            other,
        )),
    }
}

fn text<'a>(
    json: &'a Map<String, Value>,
    path: &str,
    key: &str,
) -> Result<Option<&'a str>, WorkspaceError> {
    match json.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(WorkspaceError::expected(
            &format!("{path}.{key}"),
            "a text",
            other,
        )),
    }
}

fn required_text<'a>(
    json: &'a Map<String, Value>,
    path: &str,
    key: &str,
) -> Result<&'a str, WorkspaceError> {
    text(json, path, key)?
        .ok_or_else(|| WorkspaceError::new(&format!("{path}.{key}"), "is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(file: Value) -> Result<Workspace, String> {
        let file = WorkspaceFile::from_json(file).map_err(|error| error.to_string())?;
        Workspace::from_file(&file).map_err(|error| error.to_string())
    }

    #[test]
    fn what_telecrm_lists_beside_custom_actions_is_passed_over() {
        let workspace = read(json!({
            "customFields": [{ "apiName": "phone", "type": "PHONE" }],
            "customActions": [
                { "code": "OUTGOING_CALL", "source": "SYSTEM", "fieldSchema": {} },
                { "code": "ACTION_1001", "source": "USER", "fieldSchema": { "note": { "type": "TEXT" } } },
                { "code": "ACTION_1002", "source": "USER", "fieldSchema": [] },
                { "code": "ACTION_1003", "source": "USER", "fieldSchema": { "note": "TEXT" } },
            ],
        }));
        let workspace = workspace.unwrap();
        let codes: Vec<_> = workspace.actions().iter().map(|a| a.code.bare()).collect();
        assert_eq!(codes, ["1001", "1002", "1003"]);
        let told = workspace
            .actions()
            .iter()
            .map(|action| action.fields.is_some());
        // Of fields in a form that is not known none is judged.
        assert_eq!(told.collect::<Vec<_>>(), [true, false, false]);
        let built_in = crate::Lead::from_json(json!({
            "fields": { "phone": "919999999999" },
            "actions": [{ "type": "OUTGOING_CALL" }],
        }));
        let findings = workspace.accept(&built_in.unwrap()).findings;
        assert_eq!(findings[0].kind, crate::FindingKind::ActionDropped);
    }

    #[test]
    fn wrong_shapes_are_refused_by_their_path() {
        let phone = json!({ "apiName": "phone", "type": "PHONE", "isLeadid": true });
        let with = |key: &str, value: Value| {
            let mut file = json!({ "customFields": [phone] });
            file[key] = value;
            file
        };
        for (file, path) in [
            (json!([]), "the file"),
            (json!({}), "customFields"),
            (json!({ "customFields": "x" }), "customFields"),
            (json!({ "customFields": { "fields": [] } }), "customFields"),
            (json!({ "customFields": [7] }), "customFields[0]"),
            (
                json!({ "customFields": [{ "type": "TEXT" }] }),
                "customFields[0].apiName",
            ),
            (
                json!({ "customFields": [{ "apiName": "a" }] }),
                "customFields[0].type",
            ),
            (
                json!({ "customFields": [{ "apiName": "a", "type": "TEXT" }] }),
                "customFields",
            ),
            (
                json!({ "customFields": [phone, phone] }),
                "customFields[1].apiName",
            ),
            (
                json!({ "customFields": [{ "apiName": "phone", "type": "PHONE", "isLeadid": "true" }] }),
                "customFields[0].isLeadid",
            ),
            (
                json!({ "customFields": [{ "apiName": "a", "type": "DROPDOWN", "options": "x" }] }),
                "customFields[0].options",
            ),
            (
                json!({ "customFields": [{ "apiName": "a", "type": "TAGS", "options": [{ "id": 1 }] }] }),
                "customFields[0].options[0]",
            ),
            (
                with("customActions", json!([{ "code": "VISIT" }])),
                "customActions[0].code",
            ),
            (
                with(
                    "customActions",
                    json!([{ "code": "ACTION_1", "fieldSchema": [] }]),
                ),
                "customActions[0].fieldSchema",
            ),
            (
                with(
                    "customActions",
                    json!([{ "code": "ACTION_1", "fieldSchema": { "n": {} } }]),
                ),
                "customActions[0].fieldSchema.n.type",
            ),
            (with("leadStagePipeline", json!([])), "leadStagePipeline"),
            (
                with("leadStagePipeline", json!({ "leadStages": "x" })),
                "leadStagePipeline.leadStages",
            ),
            (
                with(
                    "leadStagePipeline",
                    json!({ "leadStages": [{ "activeStatuses": {} }] }),
                ),
                "leadStagePipeline.leadStages[0].activeStatuses",
            ),
            (
                with("leadStagePipeline", json!({ "statuses": [{ "id": 1 }] })),
                "leadStagePipeline.statuses[0]",
            ),
            (
                with("teamMembers", json!([{ "name": "John" }])),
                "teamMembers[0].email",
            ),
            (
                with(
                    "teamMembers",
                    json!([{ "email": "a@b.cc" }, { "email": 7 }]),
                ),
                "teamMembers[1].email",
            ),
            (
                with("teamMembers", json!([{ "email": " " }])),
                "teamMembers[0].email",
            ),
            (with("emulator", json!({ "seats": "5" })), "emulator.seats"),
            (with("emulator", json!({ "seats": -1 })), "emulator.seats"),
            (
                with("emulator", json!({ "timeZone": "Mars" })),
                "emulator.timeZone",
            ),
            (
                with("emulator", json!({ "defaultCountry": "XX" })),
                "emulator.defaultCountry",
            ),
        ] {
            let error = read(file.clone()).map(drop).expect_err(&file.to_string());
            assert!(error.starts_with(&format!("{path}: ")), "{error}");
        }
    }

    #[test]
    fn where_the_workspace_tells_no_labels_every_label_is_taken() {
        for pipeline in [json!(null), json!({}), json!({ "stages": [] })] {
            let workspace = read(json!({
                "customFields": [{ "apiName": "phone", "type": "PHONE" }],
                "leadStagePipeline": pipeline,
            }));
            let verdict = workspace
                .expect("a workspace")
                .accept_field("status", &"Hot".into());
            assert_eq!(verdict.stored(), Some("Hot".into()));
        }
    }

    #[test]
    fn standard_fields_are_known_where_the_workspace_does_not_list_them() {
        let workspace = read(json!({ "customFields": [{ "apiName": "phone", "type": "PHONE" }] }));
        let workspace = workspace.expect("a workspace");
        assert_eq!(workspace.identifier().matched_by(), MatchedBy::Default);
        assert!(workspace.accept_field("rating", &"3".into()).is_dropped());
        assert_eq!(workspace.field_names().count(), 6);
    }
}
