//! The workspace file that a store starts from and returns to on a reset.

use super::plant::LEADS;
use crate::problem::Problem;
use serde_json::{Value, json};
use telecrm_core::workspace::{FieldType, PhoneBlanks, WorkspaceError};
use telecrm_core::{ActionCode, Workspace, WorkspaceFile};

/// The keys of a workspace file.
const KEYS: [&str; 7] = [
    "metadata",
    "customFields",
    "customActions",
    "leadStagePipeline",
    "teamMembers",
    "emulator",
    LEADS,
];

/// The keys of its part `emulator`.
const SETTINGS: [&str; 3] = ["defaultCountry", "timeZone", "seats"];

#[derive(Clone)]
pub(crate) struct Seed {
    pub(super) answers: WorkspaceFile,
    /// The rules that follow from the answers. The store decides on blanks in phone numbers.
    pub(super) workspace: Workspace,
    /// Only the standard fields and the date `created_on`. It reads addresses and times that
    /// belong to no lead.
    pub(super) standard: Workspace,
    pub(super) strips_phone_blanks: bool,
}

impl Seed {
    /// # Errors
    /// Returns an error if the file is not a workspace.
    pub(crate) fn new(answers: WorkspaceFile, strip: bool) -> Result<Self, WorkspaceError> {
        let answers = Self::completed(answers);
        let workspace = Workspace::from_file(&answers)?;
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

    /// Refuses a seed that cannot mean what it says, although a workspace of telecrm may be so.
    ///
    /// # Errors
    /// Returns an error with the JSON path of the part.
    pub(crate) fn check(file: &WorkspaceFile) -> Result<(), Problem> {
        let workspace = Workspace::from_file(file)?;
        let near = |name: &str, known: &[&'static str]| {
            let mut known = known.iter().copied();
            known.find(|known| strsim::jaro_winkler(&name.to_lowercase(), known) > 0.85)
        };
        for key in file.extra.keys() {
            if let Some(meant) = near(key, &KEYS).filter(|meant| meant != key) {
                let problem = Problem::new(format!("{key}: is no key of a workspace file"));
                return Err(problem.hint(format!("write `{meant}`, or remove it")));
            }
        }
        if let Some(key) = file.emulator.keys().find(|key| !SETTINGS.contains(&key.as_str())) {
            let meant = near(key, &SETTINGS).map(|meant| format!("write `{meant}`"));
            let known = || format!("use {}", SETTINGS.join(", "));
            let problem = Problem::new(format!("emulator.{key}: the emulator has no such setting"));
            return Err(problem.hint(meant.unwrap_or_else(known)));
        }
        check_identifier(file, &workspace)?;
        for (index, action) in file.custom_actions.iter().enumerate() {
            let code = action.get("code").and_then(Value::as_str).unwrap_or_default();
            let bare = code.strip_prefix("ACTION_").unwrap_or(code);
            // telecrm's own list has built-in actions too, with words as their codes.
            let is_custom = bare.starts_with(|c: char| c.is_ascii_digit()) || bare != code;
            if is_custom && code.parse::<ActionCode>().is_err() {
                let reason = format!("customActions[{index}].code: `{code}` is not a code");
                return Err(Problem::new(reason).hint("write digits, such as ACTION_1001"));
            }
        }
        let pipeline = workspace.pipeline();
        if pipeline.is_some_and(|pipeline| pipeline.active_statuses().next().is_none()) {
            let problem = Problem::new("leadStagePipeline: has no status, and every lead has one");
            return Err(problem.hint("add a status, or leave the pipeline out for the sample's"));
        }
        Ok(())
    }

    /// Adds the sample's pipeline if the file has none, since statuses need one.
    pub(super) fn completed(mut answers: WorkspaceFile) -> WorkspaceFile {
        if answers.pipeline.is_none() {
            answers.pipeline = WorkspaceFile::sample().pipeline;
        }
        answers
    }
}

/// Checks that the file agrees on the identifier, and that it can be one.
fn check_identifier(file: &WorkspaceFile, workspace: &Workspace) -> Result<(), Problem> {
    const NAMED: &str = "metadata.leadIdentifierFieldId";
    let named = file.metadata.as_ref().and_then(|metadata| metadata.get("leadIdentifierFieldId"));
    if let Some(named) = named.and_then(Value::as_str)
        && workspace.field(named).is_none()
        && !workspace.fields().iter().any(|field| field.id.as_deref() == Some(named))
    {
        let problem = Problem::new(format!("{NAMED}: no field has the ID or API name `{named}`"));
        return Err(problem.hint("write the API name of a field, such as phone"));
    }
    let flagged = workspace.fields().iter().filter(|field| field.is_lead_id);
    let flagged: Vec<_> = flagged.map(|field| field.api_name.as_str()).collect();
    if flagged.len() > 1 {
        let reason = format!("customFields: `{}` all have isLeadid", flagged.join("`, `"));
        return Err(Problem::new(reason).hint("leave it true for one field"));
    }
    let name = workspace.identifier().api_name();
    let field_type = workspace.field(name).map(|field| &field.field_type);
    match field_type {
        Some(
            FieldType::Phone
            | FieldType::Email
            | FieldType::Text
            | FieldType::Number
            | FieldType::Unknown(_),
        )
        | None => Ok(()),
        Some(other) => {
            let reason = format!("the identifier `{name}` is of the type {}", other.as_str());
            Err(Problem::new(reason).hint("use a field of the type PHONE, EMAIL, TEXT or NUMBER"))
        }
    }
}

/// Whether a workspace strips blanks from phone numbers, in the words of the rules.
pub(super) fn phone_blanks(strip: bool) -> PhoneBlanks {
    if strip { PhoneBlanks::Strip } else { PhoneBlanks::Refuse }
}
