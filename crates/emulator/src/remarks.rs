//! What the Sync API says of what it does not store.

use serde_json::{Map, Value, json};
use telecrm_core::workspace::FieldType;
use telecrm_core::{Action, ActionKind, Certainty, FieldPath, Finding, FindingKind, Workspace};

/// What `remarks` says of the losses.
pub(crate) fn remarks(
    workspace: &Workspace,
    actions: &[Action],
    findings: &[Finding],
) -> Vec<Value> {
    let losses = findings.iter().filter(|finding| finding.is_loss());
    losses
        .filter_map(|finding| remark(workspace, actions, finding))
        .collect()
}

fn remark(workspace: &Workspace, actions: &[Action], finding: &Finding) -> Option<Value> {
    let place = match &finding.path {
        // Nothing is ever said of keys that telecrm does not know.
        FieldPath::Key(_) => return None,
        FieldPath::Action(index) if is_custom(actions.get(*index)) => {
            FieldPath::ActionKey(*index, "type".to_owned())
        }
        place => place.clone(),
    };
    Some(json!({
        "field": place,
        "status": "IGNORED",
        "remark": complaint(workspace, actions, finding),
    }))
}

fn is_custom(action: Option<&Action>) -> bool {
    matches!(action.map(Action::kind), Some(ActionKind::Custom(_)))
}

/// The documented text, where there is one.
pub(crate) fn complaint(workspace: &Workspace, actions: &[Action], finding: &Finding) -> String {
    let field = match &finding.path {
        FieldPath::Field(name) => workspace.field(name),
        FieldPath::ActionField(index, name) => match actions.get(*index).map(Action::kind) {
            Some(ActionKind::Custom(code)) => workspace
                .action(&code)
                .and_then(|action| action.field(name)),
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

/// What stands beside the keys that are read, of which telecrm says nothing. `place` is what their paths begin with.
pub(crate) fn unread(object: &Map<String, Value>, read: &[&str], place: &str) -> Vec<Finding> {
    let beside = object
        .iter()
        .filter(|(key, value)| !value.is_null() && !read.contains(&key.as_str()));
    let finding = |(key, _): (&String, &Value)| {
        let Ok(path) = format!("{place}{key}").parse();
        let reason = format!("nothing is read here but `{}`", read.join("`, `"));
        Finding::new(path, FindingKind::FieldDropped, Certainty::Inferred, reason)
    };
    beside.map(finding).collect()
}
