//! Definitions of fields and custom actions.

use super::json::{Node, label};
use super::{DateFormat, WorkspaceError};
use crate::text::is_blank_char;
use crate::{ActionCode, open_enum};
use serde_json::Value;

/// A field of leads or of a custom action.
///
/// ```
/// use telecrm_core::Workspace;
/// use telecrm_core::workspace::{FieldDefinition, FieldType};
///
/// let workspace = Workspace::sample();
/// let is_date = |field: &&FieldDefinition| field.field_type == FieldType::Date;
/// let dates = workspace.fields().iter().filter(is_date);
/// assert_eq!(dates.map(|field| &field.api_name).collect::<Vec<_>>(), ["follow_up_date"]);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FieldDefinition {
    /// The ID. None if the workspace file has none.
    pub id: Option<String>,
    /// The name in payloads. It is case-sensitive.
    pub api_name: String,
    /// The name for people. None if the workspace file has none.
    pub label: Option<String>,
    /// The type, which decides what values the field accepts.
    pub field_type: FieldType,
    /// The labels of a dropdown or of tags.
    pub options: Vec<String>,
    /// Whether the workspace flags it as the lead identifier.
    pub is_lead_id: bool,
    /// The format of date strings, such as `DD/MM/YYYY HH:mm`.
    pub date_format: Option<String>,
}

open_enum! {
    /// The type of a field. Workspace files are read in any case and with or without `_`, because
    /// the documentation does not show every spelling.
    pub enum FieldType {
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
}

impl FieldType {
    fn read(text: &str) -> Self {
        match Self::from(text.replace('_', "").to_ascii_uppercase()) {
            Self::Unknown(_) => Self::Unknown(text.to_owned()),
            known => known,
        }
    }
}

/// A custom action of the workspace.
///
/// ```
/// use telecrm_core::Workspace;
/// use telecrm_core::workspace::ActionDefinition;
///
/// let workspace = Workspace::sample();
/// let predated = |action: &&ActionDefinition| action.allows_predated;
/// let visit = workspace.actions().iter().find(predated).expect("the sample has one");
/// assert_eq!(visit.code, 1001.into());
/// assert!(visit.field("note").is_some());
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ActionDefinition {
    /// The code.
    pub code: ActionCode,
    /// The name for people.
    pub display_name: Option<String>,
    /// The fields. None if the workspace file does not list them.
    pub fields: Option<Vec<FieldDefinition>>,
    /// Whether entries can be backdated with `created_on`.
    pub allows_predated: bool,
}

/// Finds a field by its API name.
pub(super) fn find<'a>(
    fields: &'a [FieldDefinition],
    api_name: &str,
) -> Option<&'a FieldDefinition> {
    fields.iter().find(|field| field.api_name == api_name)
}

/// Finds the one field whose API name differs only in case, blanks, `_` and invisible characters,
/// or else whose label does.
pub(super) fn find_like<'a>(
    fields: impl Iterator<Item = &'a FieldDefinition> + Clone,
    name: &str,
) -> Option<&'a FieldDefinition> {
    let bare = |name: &str| -> String {
        let letters = name.chars().filter(|c| *c != '_' && !is_blank_char(*c));
        letters.flat_map(char::to_lowercase).collect()
    };
    let name = bare(name);
    let only = |is_like: &dyn Fn(&FieldDefinition) -> bool| {
        let mut like = fields.clone().filter(|field| is_like(field));
        let field = like.next()?;
        like.next().is_none().then_some(field)
    };
    let has_label =
        |field: &FieldDefinition| field.label.as_deref().is_some_and(|label| bare(label) == name);
    only(&|field| bare(&field.api_name) == name).or_else(|| only(&has_label))
}

/// Appends an option to a field.
pub(super) fn add_option(fields: &mut [FieldDefinition], api_name: &str, label: &str) {
    let mut fields = fields.iter_mut();
    if let Some(field) = fields.find(|field| field.api_name == api_name) {
        field.options.push(label.to_owned());
    }
}

impl FieldDefinition {
    pub(super) fn new(api_name: &str, field_type: FieldType) -> Self {
        Self {
            id: None,
            api_name: api_name.to_owned(),
            label: None,
            field_type,
            options: Vec::new(),
            is_lead_id: false,
            date_format: None,
        }
    }

    pub(super) fn read(api_name: &str, node: &Node<'_>) -> Result<Self, WorkspaceError> {
        let field_type = FieldType::read(node.required_text("type")?);
        Ok(Self {
            id: node.text("id")?.map(str::to_owned),
            label: label_of(node),
            options: read_options(node)?,
            is_lead_id: node.flag("isLeadid")?,
            date_format: match (node.text("dateFormat")?, node.text("timeFormat")?) {
                (Some(date), Some(time)) => Some(format!("{date} {time}")),
                (date, _) => date.map(str::to_owned),
            },
            ..Self::new(api_name, field_type)
        })
    }

    /// The format in which telecrm reads dates of this field.
    pub(crate) fn date_format(&self) -> DateFormat {
        let format = self.date_format.as_deref();
        format.map_or_else(DateFormat::default, DateFormat::new)
    }
}

impl ActionDefinition {
    /// Reads an item of `customActions`. Returns None if the item is not a custom action.
    pub(super) fn read(node: &Node<'_>) -> Result<Option<Self>, WorkspaceError> {
        // telecrm's own list has the key `source`. It also contains built-in actions, and an
        // unknown shape in it must not make the workspace unreadable. In a file written by hand,
        // the same shape is a mistake.
        let is_listed = node.contains("source");
        let code = match node.required_text("code")?.parse::<ActionCode>() {
            Ok(code) => code,
            Err(_) if is_listed => return Ok(None),
            Err(error) => {
                let invalid = WorkspaceError::new(node.path("code"), error.to_string());
                return Err(invalid.with_hint(error.hint()));
            }
        };
        let fields = match read_schema(node) {
            Err(_) if is_listed => None,
            fields => fields?,
        };
        // The documented shape is `{"enabled": true}`. A bare boolean means the same.
        let predated = node.get("allowPredatedActivity");
        let enabled = predated.and_then(|p| p.get("enabled")).or(predated);
        Ok(Some(Self {
            code,
            display_name: node.text("displayName")?.map(str::to_owned),
            fields,
            allows_predated: enabled.and_then(Value::as_bool) == Some(true),
        }))
    }

    /// Whether an action can have this field, as far as the workspace lists its fields.
    pub(crate) fn may_have(&self, api_name: &str) -> bool {
        self.fields.is_none() || self.field(api_name).is_some()
    }

    /// The field with this API name.
    pub fn field(&self, api_name: &str) -> Option<&FieldDefinition> {
        find(self.fields.as_ref()?, api_name)
    }

    /// The field that a name other than an API name stands for.
    pub(crate) fn field_like(&self, name: &str) -> Option<&FieldDefinition> {
        find_like(self.fields.as_ref()?.iter(), name)
    }
}

fn read_schema(node: &Node<'_>) -> Result<Option<Vec<FieldDefinition>>, WorkspaceError> {
    let Some(schema) = node.object("fieldSchema")? else {
        return Ok(None);
    };
    let fields = schema.members().into_iter();
    fields
        .map(|(name, field)| FieldDefinition::read(name, &Node::of(field)?))
        .collect::<Result<_, _>>()
        .map(Some)
}

/// Reads the name for people. No documentation shows one, so its key and shape are guesses.
fn label_of(node: &Node<'_>) -> Option<String> {
    let mut labels = ["displayName", "label"].into_iter().filter_map(|key| node.get(key));
    labels.find_map(|label| label.as_str().map(str::to_owned))
}

/// Reads the labels of a dropdown or of tags. The documentation does not say which key tags use.
fn read_options(node: &Node<'_>) -> Result<Vec<String>, WorkspaceError> {
    let items = match node.list("options")? {
        Some(items) => items,
        None => node.list("tags")?.unwrap_or_default(),
    };
    items.iter().map(|item| label(item, &["label"])).collect()
}
