//! `cargo xtask diff`: prints what changed between two documents, and what it means for callers.
//!
//! Both documents are flattened into facts, one for each operation and JSON path, and the facts are
//! compared. References are followed, so renaming a component changes nothing. A change inside a
//! component is reported once, under the component.
//!
//! A change is *compatible* if code still compiles and works that builds values with
//! `..Default::default()`, has a catch-all for the open enums, and does not read known keys from
//! `extra`. Limits and defaults are compatible, since the generated types do not hold them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::Outcome;
use crate::codegen::{read, schema};

/// Prints the changes between two files.
pub(crate) fn run(old: &Path, new: &Path) -> Outcome {
    print!("{}", report(&read::document(old)?, &read::document(new)?));
    Ok(())
}

/// What a change means for callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Breaking,
    Compatible,
}

use Class::{Breaking, Compatible};

/// Where a fact was found: the operation, and the path below it.
type Place = (String, String);

#[derive(Clone, Debug, Default)]
struct Fact {
    /// The innermost component, or the operation.
    owner: String,
    /// The path below the owner.
    inner: String,
    /// Owner and path of the reference to the component, if the owner is one.
    referrer: Option<(String, String)>,
    /// The properties of the place, such as its type.
    traits: BTreeMap<&'static str, String>,
    /// The values of an enum.
    values: BTreeSet<String>,
}

impl Fact {
    /// The place that uses the description.
    fn place(&self) -> (&str, &str) {
        match &self.referrer {
            Some((owner, inner)) => (owner, inner),
            None => self.inside(),
        }
    }

    /// The place of the description itself.
    fn inside(&self) -> (&str, &str) {
        (&self.owner, &self.inner)
    }
}

/// The changes as text, breaking ones first, grouped by component.
pub(crate) fn report(old: &Value, new: &Value) -> String {
    let (old, new) = (facts(old), facts(new));
    let mut changes: BTreeMap<(Class, String, String), BTreeSet<String>> = BTreeMap::new();
    let mut note = |class, (owner, inner): (&str, &str), what: String, place: &Place| {
        let inner = if inner.is_empty() { "itself" } else { inner };
        let line = format!("{inner}: {what}");
        let operations = changes.entry((class, owner.to_owned(), line)).or_default();
        operations.insert(place.0.clone());
    };
    for (place, fact) in &old {
        match new.get(place) {
            Some(newer) => {
                for (class, what) in compare(fact, newer) {
                    // Being required belongs to the property, not to the component it refers to.
                    let at =
                        if what.starts_with("required") { newer.place() } else { newer.inside() };
                    note(class, at, what, place);
                }
            }
            None if has_parent(place, &new) => {
                note(Breaking, fact.place(), "removed".to_owned(), place)
            }
            None => {}
        }
    }
    for (place, fact) in &new {
        if !old.contains_key(place) && has_parent(place, &old) {
            // The method gets one more argument, or callers must set a new field.
            let argument = place.1.starts_with("parameter") && !place.1.contains("\n.");
            let demanded = place.1.starts_with("request")
                && fact.traits.get("required").is_some_and(|required| required == "true");
            let class = if argument || demanded { Breaking } else { Compatible };
            note(class, fact.place(), "added".to_owned(), place);
        }
    }
    render(&changes)
}

fn render(changes: &BTreeMap<(Class, String, String), BTreeSet<String>>) -> String {
    if changes.is_empty() {
        return "no changes\n".to_owned();
    }
    let mut text = String::new();
    let mut last = (None, "");
    for ((class, owner, line), operations) in changes {
        if last.0 != Some(*class) {
            let _ = writeln!(text, "{class:?}");
        }
        if last != (Some(*class), owner) {
            let _ = writeln!(text, "  {owner}");
        }
        last = (Some(*class), owner);
        let _ = write!(text, "    {line}");
        let others: Vec<&str> = operations
            .iter()
            .map(String::as_str)
            .filter(|operation| operation != owner && !operation.is_empty())
            .collect();
        if !others.is_empty() {
            let _ = write!(text, " ({})", others.join(", "));
        }
        text.push('\n');
    }
    text
}

/// Whether the place above exists. Of a part that is new or gone, only the top is reported.
fn has_parent(place: &Place, facts: &BTreeMap<Place, Fact>) -> bool {
    let (operation, way) = place;
    let parent = match way.rsplit_once('\n') {
        Some((parent, _)) => parent.to_owned(),
        None if !way.is_empty() => String::new(),
        // The document itself is above every operation.
        None => return true,
    };
    facts.contains_key(&(operation.clone(), parent))
}

fn compare(old: &Fact, new: &Fact) -> Vec<(Class, String)> {
    let mut changes = Vec::new();
    let keys: BTreeSet<_> = old.traits.keys().chain(new.traits.keys()).collect();
    for key in keys {
        let (before, after) = (old.traits.get(key), new.traits.get(key));
        if before != after {
            let shown = |value: Option<&String>| value.map_or("none", String::as_str).to_owned();
            // Our overlay names the operations already.
            let class = match (*key, before) {
                ("limits", _) | ("operationId", None) => Compatible,
                _ => Breaking,
            };
            changes.push((class, format!("{key} {} -> {}", shown(before), shown(after))));
        }
    }
    // Becoming an enum, or ceasing to be one, changes the type of the field.
    if old.values.is_empty() != new.values.is_empty() {
        let what = if new.values.is_empty() { "no longer an enum" } else { "now an enum" };
        changes.push((Breaking, what.to_owned()));
        return changes;
    }
    for value in old.values.difference(&new.values) {
        changes.push((Breaking, format!("value `{value}` removed")));
    }
    for value in new.values.difference(&old.values) {
        changes.push((Compatible, format!("value `{value}` added")));
    }
    changes
}

fn facts(document: &Value) -> BTreeMap<Place, Fact> {
    let mut flat = Flat { document, facts: BTreeMap::new() };
    flat.document_facts();
    for operation in schema::operations(document) {
        flat.operation_facts(&operation);
    }
    flat.facts
}

struct Flat<'a> {
    document: &'a Value,
    facts: BTreeMap<Place, Fact>,
}

/// The path of a schema, below the operation and below the innermost component.
#[derive(Clone)]
struct Way<'a> {
    operation: &'a str,
    full: String,
    owner: String,
    inner: String,
    inside: Vec<String>,
}

impl Way<'_> {
    fn step(&self, step: &str) -> Self {
        let mut way = self.clone();
        way.full.push_str(&format!("\n{step}"));
        way.inner.push_str(step);
        way
    }
}

impl<'a> Flat<'a> {
    fn add(&mut self, operation: &str, way: &str, fact: Fact) {
        // The parts of an `allOf` share a place. The first one describes it.
        self.facts.entry((operation.to_owned(), way.to_owned())).or_insert(fact);
    }

    fn document_facts(&mut self) {
        let mut fact = Fact { owner: "document".to_owned(), ..Fact::default() };
        for key in ["security", "servers"] {
            if let Some(value) = self.document.get(key) {
                fact.traits.insert(key, value.to_string());
            }
        }
        self.add("", "", fact);
    }

    fn operation_facts(&mut self, operation: &schema::Operation<'a>) {
        let document = self.document;
        let title = operation.title();
        let mut fact = Fact { owner: title.clone(), ..Fact::default() };
        fact.traits.extend(operation.id().map(|id| ("operationId", id.to_owned())));
        self.add(&title, "", fact);
        let way = |full: String| Way {
            operation: &title,
            inner: full.clone(),
            full,
            owner: title.clone(),
            inside: Vec::new(),
        };
        for parameter in operation.parameters(document) {
            let place = schema::text(parameter, "in").unwrap_or_default();
            let name = schema::text(parameter, "name").unwrap_or_default();
            let required = parameter.get("required") == Some(&Value::Bool(true));
            if let Some(node) = parameter.get("schema") {
                self.schema_facts(node, way(format!("parameter:{place}:{name}")), required);
            }
        }
        if let Some(body) = operation.value.get("requestBody") {
            let body = schema::resolve(document, body);
            let required = body.get("required") == Some(&Value::Bool(true));
            for (media, content) in schema::members(body.get("content")) {
                if let Some(node) = content.get("schema") {
                    self.schema_facts(node, way(format!("request:{media}")), required);
                }
            }
        }
        for (status, response) in schema::members(operation.value.get("responses")) {
            // The generated signatures do not contain errors.
            if !status.starts_with('2') {
                continue;
            }
            let response = schema::resolve(document, response);
            let at = way(format!("response:{status}"));
            let fact = Fact { owner: at.owner.clone(), inner: at.inner.clone(), ..Fact::default() };
            self.add(&title, &at.full, fact);
            for (media, content) in schema::members(response.get("content")) {
                if let Some(node) = content.get("schema") {
                    self.schema_facts(node, at.step(media), true);
                }
            }
        }
    }

    fn schema_facts(&mut self, node: &Value, mut way: Way<'_>, required: bool) {
        let mut node = node;
        let referrer = schema::component(node).map(|_| (way.owner.clone(), way.inner.clone()));
        while let Some(name) = schema::component(node) {
            if way.inside.iter().any(|other| other == name) {
                return;
            }
            way.inside.push(name.to_owned());
            way.owner = name.to_owned();
            way.inner = String::new();
            let pointer = format!("/components/schemas/{}", schema::escape(name));
            match self.document.pointer(&pointer) {
                Some(next) => node = next,
                None => return,
            }
        }
        let fact = Fact { referrer, ..fact(node, &way, required) };
        self.add(way.operation, &way.full, fact);
        let demanded: Vec<&str> =
            schema::elements(node.get("required")).filter_map(Value::as_str).collect();
        for (name, property) in schema::members(node.get("properties")) {
            self.schema_facts(
                property,
                way.step(&format!(".{name}")),
                demanded.contains(&name.as_str()),
            );
        }
        for (key, step) in [("items", "[]"), ("additionalProperties", ".*")] {
            if let Some(child) = node.get(key).filter(|child| child.is_object()) {
                self.schema_facts(child, way.step(step), true);
            }
        }
        for key in ["anyOf", "oneOf"] {
            for (index, member) in schema::elements(node.get(key)).enumerate() {
                self.schema_facts(member, way.step(&format!("|{index}")), true);
            }
        }
        for part in schema::elements(node.get("allOf")) {
            self.schema_facts(part, way.clone(), required);
        }
    }
}

fn fact(node: &Value, way: &Way<'_>, required: bool) -> Fact {
    let mut traits = BTreeMap::from([("required", required.to_string())]);
    if let Some(kind) = schema::text(node, "type") {
        traits.insert("type", kind.to_owned());
    }
    if node.get("nullable") == Some(&Value::Bool(true)) {
        traits.insert("nullable", "true".to_owned());
    }
    if node.get("additionalProperties") == Some(&Value::Bool(false)) {
        traits.insert("closed", "true".to_owned());
    }
    for key in ["anyOf", "oneOf"] {
        let count = schema::elements(node.get(key)).count();
        if count > 0 {
            traits.insert("union", format!("{key} of {count}"));
        }
    }
    let limits = [
        "default",
        "format",
        "pattern",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "uniqueItems",
        "minProperties",
        "maxProperties",
    ];
    let limits: Vec<String> =
        limits.iter().filter_map(|key| Some(format!("{key}={}", node.get(*key)?))).collect();
    if !limits.is_empty() {
        traits.insert("limits", limits.join(" "));
    }
    Fact {
        owner: way.owner.clone(),
        inner: way.inner.clone(),
        referrer: None,
        traits,
        values: schema::elements(node.get("enum"))
            .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            .collect(),
    }
}
