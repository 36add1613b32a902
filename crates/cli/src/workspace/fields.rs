//! The names that a file can use, with their types and options.

use serde::Serialize;
use telecrm::Workspace;
use telecrm::workspace::{FieldDefinition, FieldType};

/// A field of leads, or of a custom action.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Field {
    /// The name in a CSV header.
    name: String,
    #[serde(rename = "type")]
    field_type: String,
    identifier: bool,
    options: Vec<String>,
}

/// Lists the fields of leads, and then the fields of custom actions.
pub(super) fn list(workspace: &Workspace) -> Vec<Field> {
    let identifier = workspace.identifier().api_name();
    let mut fields: Vec<Field> = workspace
        .fields()
        .iter()
        .map(|field| Field {
            identifier: field.api_name == identifier,
            ..of(workspace, field.api_name.clone(), field)
        })
        .collect();
    for action in workspace.actions() {
        let code = action.code.bare();
        for field in action.fields.iter().flatten() {
            fields.push(of(workspace, format!("action.{code}.{}", field.api_name), field));
        }
    }
    fields
}

fn of(workspace: &Workspace, name: String, field: &FieldDefinition) -> Field {
    let labels = |labels: Vec<&str>| labels.into_iter().map(str::to_owned).collect();
    let options = match (&field.field_type, workspace.pipeline()) {
        (FieldType::Status, Some(pipeline)) => labels(pipeline.active_statuses().collect()),
        (FieldType::LostReason, Some(pipeline)) => labels(pipeline.active_lost_reasons().collect()),
        _ => field.options.clone(),
    };
    Field { name, field_type: field.field_type.to_string(), identifier: false, options }
}
