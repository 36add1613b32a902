//! What a lead should look like after several items.

use crate::item::Item;
use telecrm::{FieldPath, Finding, Lead};

/// The lead that the items together should have left: the last value of each field, and all
/// actions. Items without a body are left out.
pub(crate) fn fold(items: &[Item]) -> Lead {
    let mut folded = Lead::new();
    for lead in items.iter().filter_map(|item| item.lead.as_ref()) {
        let fields = lead.fields().iter().map(|(name, value)| (name.clone(), value.clone()));
        folded.fields_mut().extend(fields);
        folded.actions_mut().extend(lead.actions().iter().cloned());
        let extra = lead.extra().iter().map(|(name, value)| (name.clone(), value.clone()));
        folded.extra_mut().extend(extra);
    }
    folded
}

/// The losses of the folded lead that concern one of its items, with the paths of that item.
///
/// A lost value belongs to the last item that wrote it: earlier items had it replaced.
pub(crate) fn losses_of(items: &[Item], index: usize, losses: &[Finding]) -> Vec<Finding> {
    let lead = |item: &Item| item.lead.clone().unwrap_or_default();
    let before: usize = items[..index].iter().map(|item| lead(item).actions().len()).sum();
    let own = lead(&items[index]);
    let later: Vec<_> = items[index + 1..].iter().map(lead).collect();
    let shift = |action: usize| action.checked_sub(before).filter(|at| *at < own.actions().len());
    let path = |path: &FieldPath| match path {
        FieldPath::Field(name) => {
            let wrote = own.fields().contains_key(name);
            let replaced = later.iter().any(|lead| lead.fields().contains_key(name));
            (wrote && !replaced).then(|| path.clone())
        }
        FieldPath::Action(action) => shift(*action).map(FieldPath::Action),
        FieldPath::ActionField(action, name) => {
            Some(FieldPath::ActionField(shift(*action)?, name.clone()))
        }
        FieldPath::ActionKey(action, name) => {
            Some(FieldPath::ActionKey(shift(*action)?, name.clone()))
        }
        FieldPath::Key(name) => own.extra().contains_key(name).then(|| path.clone()),
        other => Some(other.clone()),
    };
    let own = losses.iter().filter_map(|loss| {
        let mut own = loss.clone();
        own.path = path(&loss.path)?;
        Some(own)
    });
    own.collect()
}
