//! Compares two definitions of a workspace.

use serde::Serialize;
use std::collections::BTreeMap;
use telecrm::Workspace;
use telecrm::workspace::{FieldDefinition, FieldType};

/// One difference.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Change {
    /// Whether files and programs that were right before can now lose data.
    pub(super) breaking: bool,
    change: Kind,
    part: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Added,
    Removed,
    Changed,
}

/// Lists what has changed from one definition to the other, breaking changes first.
pub(super) fn changes(old: &Workspace, new: &Workspace) -> Vec<Change> {
    let mut changes = Vec::new();
    let (was, is) = (old.identifier().api_name(), new.identifier().api_name());
    if was != is {
        changes.push(changed(format!("lead identifier: `{was}` to `{is}`")));
    }
    let (before, after) = (parts(old), parts(new));
    for (name, part) in &before {
        match after.get(name) {
            None => {
                changes.push(Change { breaking: true, change: Kind::Removed, part: name.clone() })
            }
            Some(other) if part != other => {
                changes.push(changed(format!("{name}: {part} to {other}")));
            }
            Some(_) => {}
        }
    }
    for name in after.keys().filter(|name| !before.contains_key(*name)) {
        changes.push(Change { breaking: false, change: Kind::Added, part: name.clone() });
    }
    changes.sort_by_key(|change| !change.breaking);
    changes
}

fn changed(part: String) -> Change {
    Change { breaking: true, change: Kind::Changed, part }
}

/// The parts of a definition by name, and what else is known of them: the type of a field.
fn parts(workspace: &Workspace) -> BTreeMap<String, String> {
    let mut parts = BTreeMap::new();
    add_fields(&mut parts, "", workspace.fields());
    for action in workspace.actions() {
        let code = action.code.prefixed();
        parts.insert(format!("action {code}"), String::new());
        add_fields(&mut parts, &format!("{code} "), action.fields.as_deref().unwrap_or_default());
    }
    if let Some(pipeline) = workspace.pipeline() {
        let statuses = pipeline.active_statuses().map(|label| format!("status `{label}`"));
        let reasons = pipeline.active_lost_reasons().map(|label| format!("lost reason `{label}`"));
        parts.extend(statuses.chain(reasons).map(|name| (name, String::new())));
    }
    parts
}

fn add_fields(parts: &mut BTreeMap<String, String>, of: &str, fields: &[FieldDefinition]) {
    for field in fields {
        let name = &field.api_name;
        let format = field.date_format.as_deref().filter(|_| field.field_type == FieldType::Date);
        let format = format.map(|format| format!(" {format}")).unwrap_or_default();
        parts.insert(format!("{of}field `{name}`"), format!("{}{format}", field.field_type));
        for option in &field.options {
            parts.insert(format!("{of}option `{option}` of `{name}`"), String::new());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use telecrm::WorkspaceFile;

    fn sample(edit: impl FnOnce(&mut Value)) -> Workspace {
        let mut json = WorkspaceFile::sample().to_json();
        edit(&mut json);
        Workspace::from_file(&WorkspaceFile::from_json(json).expect("a file")).expect("valid")
    }

    fn lists(edit: impl FnOnce(&mut Value), expected: &[(bool, &str)]) {
        let changes = changes(&sample(|_| {}), &sample(edit));
        let found: Vec<_> = changes.iter().map(|c| (c.breaking, c.part.as_str())).collect();
        assert_eq!(found, expected);
    }

    fn field<'a>(file: &'a mut Value, name: &str) -> &'a mut Value {
        let fields = file["customFields"].as_array_mut().expect("fields");
        fields.iter_mut().find(|field| field["apiName"] == name).expect(name)
    }

    #[test]
    fn equal_definitions_have_no_changes() {
        lists(|_| {}, &[]);
    }

    #[test]
    fn a_renamed_field_is_removed_and_added() {
        let rename = |file: &mut Value| field(file, "budget")["apiName"] = json!("spend");
        lists(rename, &[(true, "field `budget`"), (false, "field `spend`")]);
    }

    #[test]
    fn another_type_is_breaking() {
        let retype = |file: &mut Value| field(file, "budget")["type"] = json!("NUMBER");
        lists(retype, &[(true, "field `budget`: MONEY to NUMBER")]);
    }

    #[test]
    fn another_identifier_is_breaking() {
        let change = |file: &mut Value| {
            file["metadata"]["leadIdentifierFieldId"] = json!("email");
            field(file, "phone")["isLeadid"] = json!(false);
            field(file, "email")["isLeadid"] = json!(true);
        };
        lists(change, &[(true, "lead identifier: `phone` to `email`")]);
    }

    #[test]
    fn an_action_that_is_gone_takes_its_fields_with_it() {
        let remove = |file: &mut Value| {
            file["customActions"].as_array_mut().expect("actions").truncate(1);
        };
        let changes = changes(&sample(|_| {}), &sample(remove));
        assert!(
            changes.iter().all(|change| change.breaking && change.part.contains("ACTION_1002"))
        );
        assert!(changes.iter().any(|change| change.part == "action ACTION_1002"), "{changes:?}");
    }
}
