//! Corrections as data: OpenAPI Overlay 1.1, applied strictly.
//!
//! A correction that has no effect any more is reported rather than ignored: either it was mistyped
//! or the vendor has mended the document, and then it is time to drop it.

use std::fmt;

use serde_json::Value;
use serde_json_path::{JsonPath, PathElement};

use super::{Problems, Result};

/// A list of corrections.
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

/// A correction without effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stale {
    index: usize,
    target: String,
    selects: bool,
}

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { index, target, .. } = self;
        let why = if self.selects {
            "changes nothing"
        } else {
            "selects nothing"
        };
        write!(f, "actions[{index}] {why} (fixed upstream?): {target}")
    }
}

impl Overlay {
    /// The corrections of an overlay document.
    pub(crate) fn from_document(document: Value) -> Result<Self> {
        let version = document.get("overlay").and_then(Value::as_str);
        if !version.is_some_and(|version| version.starts_with("1.1")) {
            return Err(Problems::one("not an OpenAPI Overlay 1.1 document"));
        }
        let Some(actions) = document.get("actions").and_then(Value::as_array) else {
            return Err(Problems::one("no list of `actions`"));
        };
        let mut parsed = Vec::new();
        let mut problems = Vec::new();
        for (index, action) in actions.iter().enumerate() {
            match Action::from_value(action) {
                Ok(action) => parsed.push(action),
                Err(problem) => problems.push(format!("actions[{index}]: {problem}")),
            }
        }
        if problems.is_empty() {
            Ok(Self { actions: parsed })
        } else {
            Err(Problems(problems))
        }
    }

    /// Applies all corrections in order and lists those without effect.
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
        let object = value.as_object().ok_or("not an object")?;
        for key in object.keys() {
            let known = ["target", "description", "update", "remove"].contains(&key.as_str());
            if !known && !key.starts_with("x-") {
                return Err(format!("unknown key `{key}`"));
            }
        }
        let target = object
            .get("target")
            .and_then(Value::as_str)
            .ok_or("no `target`")?;
        if !object.get("description").is_some_and(Value::is_string) {
            return Err(format!("no `description` that gives the reason: {target}"));
        }
        let change = match (object.get("update"), object.get("remove")) {
            (Some(update), None) => Change::Update(update.clone()),
            (None, Some(Value::Bool(true))) => Change::Remove,
            _ => return Err(format!("neither `update` nor `remove: true`: {target}")),
        };
        Ok(Self {
            path: JsonPath::parse(target).map_err(|error| format!("{target}: {error}"))?,
            target: target.to_owned(),
            change,
        })
    }
}

/// JSON pointers of the selected nodes, the last member of an array first, so that removing one
/// does not move the others.
fn places(path: &JsonPath, document: &Value) -> Vec<String> {
    let nodes = path.query_located(document).dedup();
    let mut locations: Vec<_> = nodes.locations().collect();
    locations.sort_by(|a, b| {
        let key = |element: &PathElement<'_>| match element {
            PathElement::Name(name) => (0, (*name).to_owned()),
            PathElement::Index(index) => (*index, String::new()),
        };
        b.iter().map(key).cmp(a.iter().map(key))
    });
    locations
        .iter()
        .map(|location| location.to_json_pointer())
        .collect()
}

/// Objects are merged member by member, an array takes the update as further elements, everything
/// else is replaced.
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
        // The whole document: nothing useful is left of it either way.
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
