//! Applies an OpenAPI Overlay 1.1 document, our corrections of the vendor's document.
//!
//! An action without effect is reported: it is mistyped, or the vendor has corrected the document
//! and the action can go.
//!
//! An action that replaces or removes a part records a digest of that part. If the vendor changes
//! the part, the action would hide the change, so it is reported as well.

use std::cmp::Reverse;
use std::fmt;

use serde_json::Value;
use serde_json_path::{JsonPath, PathElement};

use super::{Problems, Result, schema};
use crate::digest;

/// The actions of an overlay document.
pub(crate) struct Overlay {
    actions: Vec<Action>,
}

struct Action {
    target: String,
    description: String,
    path: JsonPath,
    change: Change,
    /// The digest of the part that the action replaces.
    replaces: Option<String>,
}

/// The key with the digest of the part that an action replaces.
pub(crate) const REPLACES: &str = "x-replaces";

enum Change {
    Update(Value),
    Remove,
}

/// An action that no longer fits the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stale {
    pub(crate) target: String,
    description: String,
    pub(crate) fault: Fault,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    SelectsNothing,
    ChangesNothing,
    /// The part that it replaces has another digest than the recorded one.
    HidesChange(String),
    /// It records a digest and replaces nothing.
    ReplacesNothing,
}

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, description, fault } = self;
        let fault = match fault {
            Fault::SelectsNothing => "selects nothing (fixed upstream?)",
            Fault::ChangesNothing => "changes nothing (fixed upstream?)",
            Fault::HidesChange(_) => "replaces a part that has changed",
            Fault::ReplacesNothing => "replaces nothing, but has the key `x-replaces`",
        };
        write!(f, "{fault}: {target}\n    ({description})")
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
        for action in &self.actions {
            let places = places(&action.path, document);
            let before = document.clone();
            let mut replaced = Vec::new();
            for place in &places {
                match &action.change {
                    Change::Update(update) => {
                        if let Some(node) = document.pointer_mut(place) {
                            merge(node, update, &mut replaced);
                        }
                    }
                    Change::Remove => {
                        replaced.extend(document.pointer(place).cloned());
                        remove(document, place);
                    }
                }
            }
            let digest = digest_of(&before, &replaced);
            let fault = if places.is_empty() {
                Fault::SelectsNothing
            } else if *document == before {
                Fault::ChangesNothing
            } else if digest == action.replaces {
                continue;
            } else {
                digest.map_or(Fault::ReplacesNothing, Fault::HidesChange)
            };
            let (target, description) = (action.target.clone(), action.description.clone());
            stale.push(Stale { target, description, fault });
        }
        stale
    }
}

/// The digest of the parts that an action replaces. Returns `None` if it only adds.
///
/// References are replaced by what they refer to: a component may have another name, but what it
/// says belongs to the part.
fn digest_of(document: &Value, replaced: &[Value]) -> Option<String> {
    if replaced.is_empty() {
        return None;
    }
    let parts = replaced.iter().map(|part| without_references(document, part, &mut Vec::new()));
    let mut parts = Value::Array(parts.collect());
    parts.sort_all_objects();
    Some(format!("{:016x}", digest::fnv1a(parts.to_string().as_bytes())))
}

/// A value in which each reference is replaced by its target. `path` are the references that lead
/// to the value.
fn without_references<'a>(document: &'a Value, value: &'a Value, path: &mut Vec<&'a str>) -> Value {
    if let Some(reference) = schema::text(value, "$ref")
        && let Some(target) = schema::target(document, reference)
    {
        // A circle is named by how far it leads back.
        if let Some(position) = path.iter().position(|earlier| *earlier == reference) {
            return (path.len() - position).into();
        }
        path.push(reference);
        let target = without_references(document, target, path);
        path.pop();
        return target;
    }
    match value {
        Value::Object(object) => {
            let members = object.iter();
            let members = members
                .map(|(key, member)| (key.clone(), without_references(document, member, path)));
            Value::Object(members.collect())
        }
        Value::Array(items) => {
            items.iter().map(|item| without_references(document, item, path)).collect()
        }
        scalar => scalar.clone(),
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
        let Some(description) = object.get("description").and_then(Value::as_str) else {
            return Err(format!("the action has no `description`: {target}"));
        };
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
            description: description.to_owned(),
            change,
            replaces: object.get(REPLACES).and_then(Value::as_str).map(str::to_owned),
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

/// Merges objects member by member, appends to arrays, and replaces everything else. Lists what it
/// replaces.
fn merge(node: &mut Value, update: &Value, replaced: &mut Vec<Value>) {
    match (node, update) {
        (Value::Object(node), Value::Object(update)) => {
            for (key, value) in update {
                match node.get_mut(key) {
                    Some(member) => merge(member, value, replaced),
                    None => {
                        node.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (Value::Array(node), Value::Array(update)) => node.extend(update.iter().cloned()),
        (Value::Array(node), update) => node.push(update.clone()),
        (node, update) => replaced.push(std::mem::replace(node, update.clone())),
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
