//! Remarks: what the Sync API reports about values that it does not store.

use serde_json::{Map, Value, json};
use telecrm_core::workspace::FieldType;
use telecrm_core::{Action, ActionKind, Certainty, FieldPath, Finding, FindingKind, Workspace};

/// The `remarks` of an answer. There is one for each loss that telecrm reports.
pub(super) fn remarks(
    workspace: &Workspace,
    actions: &[Action],
    findings: &[Finding],
) -> Vec<Value> {
    let losses = findings.iter().filter(|finding| finding.is_loss());
    losses.filter_map(|finding| remark(workspace, actions, finding)).collect()
}

fn remark(workspace: &Workspace, actions: &[Action], finding: &Finding) -> Option<Value> {
    let path = match &finding.path {
        // telecrm reports nothing about unknown keys.
        FieldPath::Key(_) => return None,
        FieldPath::Action(index) if is_custom(actions.get(*index)) => {
            FieldPath::ActionKey(*index, "type".to_owned())
        }
        path => path.clone(),
    };
    Some(json!({
        "field": path,
        "status": "IGNORED",
        "remark": message(workspace, actions, finding),
    }))
}

fn is_custom(action: Option<&Action>) -> bool {
    matches!(action.map(Action::kind), Some(ActionKind::Custom(_)))
}

/// The documented message for a loss, or else the reason of the finding.
pub(super) fn message(workspace: &Workspace, actions: &[Action], finding: &Finding) -> String {
    let field = match &finding.path {
        FieldPath::Field(name) => workspace.field(name),
        FieldPath::ActionField(index, name) => match actions.get(*index).map(Action::kind) {
            Some(ActionKind::Custom(code)) => {
                workspace.action(&code).and_then(|action| action.field(name))
            }
            _ => None,
        },
        _ => None,
    };
    match field.map(|field| &field.field_type) {
        Some(FieldType::Rating) => "Rating must be between 1 and 5".to_owned(),
        Some(FieldType::Email) => "Email is invalid".to_owned(),
        _ => finding.reason.clone(),
    }
}

/// Findings for the keys that the operation does not read. telecrm reports nothing about them.
/// `prefix` is the beginning of their paths.
pub(super) fn unread(object: &Map<String, Value>, read: &[&str], prefix: &str) -> Vec<Finding> {
    let unread =
        object.iter().filter(|(key, value)| !value.is_null() && !read.contains(&key.as_str()));
    let finding = |(key, _): (&String, &Value)| {
        let Ok(path) = format!("{prefix}{key}").parse();
        let reason = format!("the operation reads only `{}`", read.join("`, `"));
        Finding::new(path, FindingKind::FieldDropped, Certainty::Inferred, reason)
    };
    unread.map(finding).collect()
}
