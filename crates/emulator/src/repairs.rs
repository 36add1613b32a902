//! Suggestions that carry the repaired value, where the check of `telecrm-core` can repair.

use telecrm_core::{FieldValue, Finding, Lead, Workspace};

/// Replaces the suggestions of losses that the check would repair.
pub(crate) fn suggest(workspace: &Workspace, lead: &Lead, findings: &mut [Finding]) {
    if !findings.iter().any(Finding::is_loss) {
        return;
    }
    let checked = workspace.check(lead);
    for finding in findings.iter_mut().filter(|finding| finding.is_loss()) {
        let mut report = checked.report().iter();
        let repair =
            report.find(|f| f.repaired && f.path == finding.path && f.kind == finding.kind);
        let done = repair.and_then(|repair| repair.suggestion.as_deref());
        if let Some(instruction) = done.and_then(instruction) {
            finding.suggestion = Some(instruction);
        }
    }
}

/// The value of a field that the check writes in place of this one. Returns None if it repairs
/// nothing.
pub(crate) fn repaired(workspace: &Workspace, name: &str, value: &FieldValue) -> Option<String> {
    let repaired = if name == workspace.identifier().api_name() {
        let lead = workspace.check(&Lead::new().set(name, value.clone())).accept_partial().ok()?;
        lead.get(name)?.clone()
    } else {
        workspace.check_update([(name.to_owned(), value.clone())].into()).ok()?.remove(name)?
    };
    Some(plain(&repaired))
}

/// A text without quotes, or else the value as JSON.
pub(crate) fn plain(value: &FieldValue) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Turns what a repair did into what to do.
fn instruction(done: &str) -> Option<String> {
    let renamed = done.strip_prefix("renamed to ").map(|name| format!("rename it to {name}"));
    renamed.or_else(|| Some(format!("write `{}`", done.strip_prefix("reformatted as ")?)))
}
