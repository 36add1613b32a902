//! Applies an OpenAPI Overlay 1.1 document, our corrections of the vendor's document.
//!
//! An action without effect is reported: it is mistyped, or the vendor has corrected the document
//! and the action can go.

use std::cmp::Reverse;
use std::fmt;

use serde_json::Value;
use serde_json_path::{JsonPath, PathElement};

use super::{Problems, Result};

/// The actions of an overlay document.
pub(crate) struct Overlay {
    actions: Vec<Action>,
}

struct Action {
    target: String,
    path: JsonPath,
    change: Change,
}

enum Change {
    Update(Value),
    Remove,
}

/// An action without effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stale {
    index: usize,
    target: String,
    selects: bool,
}

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { index, target, .. } = self;
        let verb = if self.selects { "changes" } else { "selects" };
        write!(f, "actions[{index}] {verb} nothing (fixed upstream?): {target}")
    }
}

impl Overlay {
    /// Reads the actions of an overlay document.
    pub(crate) fn from_document(document: Value) -> Result<Self> {
        let version = document.get("overlay").and_then(Value::as_str);
        if !version.is_some_and(|version| version.starts_with("1.1")) {
            return Err(Problems::one("the document is not an OpenAPI Overlay 1.1"));
        }
        let Some(actions) = document.get("actions").and_then(Value::as_array) else {
            return Err(Problems::one("the document has no list of `actions`"));
        };
        let (mut parsed, mut problems) = (Vec::new(), Vec::new());
        for (index, action) in actions.iter().enumerate() {
            match Action::from_value(action) {
                Ok(action) => parsed.push(action),
                Err(problem) => problems.push(format!("actions[{index}]: {problem}")),
            }
        }
        if problems.is_empty() { Ok(Self { actions: parsed }) } else { Err(Problems(problems)) }
    }

    /// Applies all actions in order and lists those without effect.
    pub(crate) fn apply(&self, document: &mut Value) -> Vec<Stale> {
        let mut stale = Vec::new();
        for (index, action) in self.actions.iter().enumerate() {
            let places = places(&action.path, document);
            let before = document.clone();
            for place in &places {
                match &action.change {
                    Change::Update(update) => {
                        if let Some(node) = document.pointer_mut(place) {
                            merge(node, update);
                        }
                    }
                    Change::Remove => remove(document, place),
                }
            }
            if *document == before {
                stale.push(Stale {
                    index,
                    target: action.target.clone(),
                    selects: !places.is_empty(),
                });
            }
        }
        stale
    }
}

impl Action {
    fn from_value(value: &Value) -> std::result::Result<Self, String> {
        let object = value.as_object().ok_or("the action is not an object")?;
        for key in object.keys() {
            let known = ["target", "description", "update", "remove"].contains(&key.as_str());
            if !known && !key.starts_with("x-") {
                return Err(format!("unknown key `{key}`"));
            }
        }
        let target = object.get("target").and_then(Value::as_str);
        let target = target.ok_or("the action has no `target`")?;
        if !object.get("description").is_some_and(Value::is_string) {
            return Err(format!("the action has no `description`: {target}"));
        }
        let change = match (object.get("update"), object.get("remove")) {
            (Some(update), None) => Change::Update(update.clone()),
            (None, Some(Value::Bool(true))) => Change::Remove,
            _ => {
                return Err(format!(
                    "the action needs either `update` or `remove: true`: {target}"
                ));
            }
        };
        Ok(Self {
            path: JsonPath::parse(target).map_err(|error| format!("{target}: {error}"))?,
            target: target.to_owned(),
            change,
        })
    }
}

/// JSON pointers of the selected nodes.
///
/// Later elements of an array come first, so that removing one does not move the others.
fn places(path: &JsonPath, document: &Value) -> Vec<String> {
    let nodes = path.query_located(document).dedup();
    let mut locations: Vec<_> = nodes.locations().collect();
    locations.sort_by_key(|location| {
        let key = |element: &PathElement<'_>| match element {
            PathElement::Name(name) => (0, (*name).to_owned()),
            PathElement::Index(index) => (*index, String::new()),
        };
        Reverse(location.iter().map(key).collect::<Vec<_>>())
    });
    let locations = locations.iter();
    locations.map(|location| location.to_json_pointer()).collect()
}

/// Merges objects member by member, appends to arrays, and replaces everything else.
fn merge(node: &mut Value, update: &Value) {
    match (node, update) {
        (Value::Object(node), Value::Object(update)) => {
            for (key, value) in update {
                match node.get_mut(key) {
                    Some(member) => merge(member, value),
                    None => {
                        node.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (Value::Array(node), Value::Array(update)) => node.extend(update.iter().cloned()),
        (Value::Array(node), update) => node.push(update.clone()),
        (node, update) => *node = update.clone(),
    }
}

/// Removes the node at a JSON pointer.
pub(crate) fn remove(document: &mut Value, place: &str) {
    let Some((parent, last)) = place.rsplit_once('/') else {
        // The target is the whole document.
        *document = Value::Null;
        return;
    };
    match document.pointer_mut(parent) {
        Some(Value::Object(map)) => {
            map.remove(&last.replace("~1", "/").replace("~0", "~"));
        }
        Some(Value::Array(items)) => {
            if let Ok(index) = last.parse::<usize>() {
                items.remove(index);
            }
        }
        _ => {}
    }
}
