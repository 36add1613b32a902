//! What a change means on the wire: whether a program that was built for the old document still
//! works with a server that follows the new one.
//!
//! A request breaks if the old document allows it and the new one does not. An answer breaks if the
//! new document allows it and the old one does not, or if a value no longer comes. Unknown keys,
//! unknown enum values and any limits are no break in an answer, because generated types keep them.
//! References are followed, so the name of a component does not matter.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::codegen::schema::{self, Operation, elements, members, resolve, text};

/// A change, with the operations that it affects.
pub(super) type Changes = BTreeMap<Change, BTreeSet<String>>;

/// What a change means for callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    Breaking,
    Compatible,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Change {
    pub(super) class: Class,
    /// The component or operation.
    pub(super) owner: String,
    /// The place below the owner, and the change.
    pub(super) line: String,
    pub(super) side: Side,
    /// Why a person should look at it, whatever the verdict is.
    pub(super) topic: Option<&'static str>,
}

/// The part of an exchange that a schema describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Request,
    Answer,
    Error,
}

/// How the set of allowed values changes.
#[derive(Clone, Copy, PartialEq)]
enum Shift {
    Wider,
    Narrower,
    Other,
    /// A change that breaks neither side.
    Harmless,
}

use Shift::{Harmless, Narrower, Other, Wider};

impl Shift {
    /// The shift of something that restricts values and comes or goes.
    fn of<T>(old: Option<T>, new: Option<T>) -> Self {
        match (old, new) {
            (None, _) => Narrower,
            (_, None) => Wider,
            _ => Other,
        }
    }
}

/// The changes from one document to another.
pub(super) fn changes(old: &Value, new: &Value) -> Changes {
    let mut wire = Wire {
        old,
        new,
        side: Side::Request,
        operation: String::new(),
        seen: Vec::new(),
        changes: Changes::new(),
    };
    wire.document();
    wire.changes
}

/// The place of a schema: the innermost component or the operation, and the path below it.
#[derive(Clone)]
struct Place {
    owner: String,
    inner: String,
}

impl Place {
    fn step(&self, step: impl AsRef<str>) -> Self {
        Self { owner: self.owner.clone(), inner: format!("{}{}", self.inner, step.as_ref()) }
    }
}

struct Wire<'a> {
    old: &'a Value,
    new: &'a Value,
    side: Side,
    operation: String,
    /// The pairs of components that were compared for this operation.
    seen: Vec<(&'a str, &'a str, Side)>,
    changes: Changes,
}

/// Parts of both documents by their names.
fn pairs<T: Copy>(old: &[(String, T)], new: &[(String, T)]) -> Vec<(String, Option<T>, Option<T>)> {
    let names: BTreeSet<&String> = old.iter().chain(new).map(|(name, _)| name).collect();
    let find = |list: &[(String, T)], name: &String| {
        list.iter().find(|(other, _)| other == name).map(|(_, part)| *part)
    };
    names.into_iter().map(|name| (name.clone(), find(old, name), find(new, name))).collect()
}

fn named<'a>(parent: Option<&'a Value>, key: &str) -> Vec<(String, &'a Value)> {
    let members = members(parent.and_then(|parent| parent.get(key)));
    members.map(|(name, value)| (name.clone(), value)).collect()
}

fn flag(value: Option<&Value>, key: &str) -> bool {
    value.and_then(|value| value.get(key)) == Some(&Value::Bool(true))
}

fn shown(value: Option<&Value>) -> String {
    value.map_or("none".to_owned(), |value| {
        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
    })
}

impl<'a> Wire<'a> {
    fn note(&mut self, shift: Shift, topic: Option<&'static str>, at: &Place, what: &str) {
        let breaks = match shift {
            Other => true,
            Narrower => self.side == Side::Request,
            Wider => self.side != Side::Request,
            Harmless => false,
        };
        let class = if breaks { Class::Breaking } else { Class::Compatible };
        let inner = if at.inner.is_empty() { "itself" } else { &at.inner };
        let topic = topic.or((self.side == Side::Error).then_some("error"));
        let (owner, line) = (at.owner.clone(), format!("{inner}: {what}"));
        let change = Change { class, owner, line, side: self.side, topic };
        self.changes.entry(change).or_default().insert(self.operation.clone());
    }

    /// Notes the difference of two values, if there is one.
    fn differ(
        &mut self,
        shift: Shift,
        topic: Option<&'static str>,
        at: &Place,
        (key, old, new): (&str, Option<&Value>, Option<&Value>),
    ) {
        if old != new {
            self.note(shift, topic, at, &format!("{key} {} -> {}", shown(old), shown(new)));
        }
    }

    fn document(&mut self) {
        let (old, new) = (self.old, self.new);
        let at = Place { owner: "document".to_owned(), inner: String::new() };
        let [before, after] = [old, new].map(addresses);
        self.differ(Other, None, &at, ("servers", before.as_ref(), after.as_ref()));
        let [before, after] = [old, new].map(|document| {
            let operations = schema::operations(document).into_iter();
            // The name of a placeholder is not sent.
            let shape = |operation: &Operation<'_>| {
                let parts = operation.path.split('/');
                let parts = parts.map(|part| if part.starts_with('{') { "{}" } else { part });
                format!("{} {}", operation.method, parts.collect::<Vec<_>>().join("/"))
            };
            operations.map(|operation| (shape(&operation), operation)).collect::<Vec<_>>()
        });
        let [olds, news] = [&before, &after].map(|list| {
            list.iter().map(|(name, operation)| (name.clone(), operation)).collect::<Vec<_>>()
        });
        for (_, before, after) in pairs(&olds, &news) {
            let title = after.or(before).map(|operation| operation.title()).unwrap_or_default();
            let at = Place { owner: title.clone(), inner: String::new() };
            self.operation = title;
            self.side = Side::Request;
            self.seen.clear();
            match (before, after) {
                (Some(before), Some(after)) => self.operation(before, after, &at),
                (Some(_), None) => self.note(Other, None, &at, "removed"),
                (None, _) => self.note(Harmless, None, &at, "added"),
            }
        }
    }

    fn operation(&mut self, old: &Operation<'a>, new: &Operation<'a>, at: &Place) {
        let (before, after) = (Some(old.value), Some(new.value));
        self.deprecation(before, after, at);
        let [own, now] = [(self.old, old), (self.new, new)].map(|(document, operation)| {
            let path = document.get("paths").and_then(|paths| paths.get(operation.path));
            [Some(operation.value), path].into_iter().flatten().find_map(addresses)
        });
        self.differ(Other, None, at, ("servers", own.as_ref(), now.as_ref()));
        let [own, now] = [secrets(self.old, old), secrets(self.new, new)];
        if own != now {
            // An operation without security accepts any token.
            let fits = now.is_empty() || (!own.is_empty() && own.is_subset(&now));
            let list = |secrets: &BTreeSet<String>| match secrets.is_empty() {
                true => "none".to_owned(),
                false => secrets.iter().map(String::as_str).collect::<Vec<_>>().join(" or "),
            };
            let what = format!("security {} -> {}", list(&own), list(&now));
            let is_own =
                [old, new].iter().any(|operation| operation.value.get("security").is_some());
            let document = Place { owner: "document".to_owned(), inner: String::new() };
            let at = if is_own { at } else { &document };
            self.note(if fits { Harmless } else { Other }, Some("security"), at, &what);
        }
        let [before, after] = [(self.old, old), (self.new, new)].map(|(document, operation)| {
            let position =
                |name: &str| operation.path.split('{').position(|part| part.starts_with(name));
            let parameters = operation.parameters(document).into_iter();
            let parameters = parameters.map(|parameter| {
                let (place, name) =
                    (text(parameter, "in"), text(parameter, "name").unwrap_or_default());
                let key = match place.unwrap_or_default() {
                    "path" => {
                        format!("path:{}", position(&format!("{name}}}")).unwrap_or_default())
                    }
                    "header" => format!("header:{}", name.to_lowercase()),
                    place => format!("{place}:{name}"),
                };
                (key, parameter)
            });
            parameters.collect::<Vec<_>>()
        });
        for (name, before, after) in pairs(&before, &after) {
            let at = at.step(format!("parameter:{name}"));
            if self.both(before, after, &at) {
                self.parameter(before, after, &at);
            }
        }
        let body = |document, operation: &Operation<'a>| {
            operation.value.get("requestBody").map(|body| resolve(document, body))
        };
        let (before, after) = (body(self.old, old), body(self.new, new));
        if self.both(before, after, &at.step("request")) {
            self.contents(before, after, &at.step("request:"));
        }
        self.responses(
            named(Some(old.value), "responses"),
            named(Some(new.value), "responses"),
            at,
        );
    }

    /// Notes a part that comes or goes, and whether it is required. Returns whether it stayed.
    fn both(&mut self, old: Option<&Value>, new: Option<&Value>, at: &Place) -> bool {
        let demanded = |part| flag(part, "required");
        match (old, new) {
            (None, None) => return false,
            (None, _) => {
                self.note(if demanded(new) { Narrower } else { Harmless }, None, at, "added")
            }
            (_, None) => self.note(Other, None, at, "removed"),
            _ => {
                self.requirement(demanded(old), demanded(new), at);
                return true;
            }
        }
        false
    }

    fn requirement(&mut self, old: bool, new: bool, at: &Place) {
        let shift = if new { Narrower } else { Wider };
        self.differ(shift, None, at, ("required", Some(&old.into()), Some(&new.into())));
    }

    fn deprecation(&mut self, old: Option<&Value>, new: Option<&Value>, at: &Place) {
        for key in ["deprecated", "x-sunset"] {
            let [old, new] = [old, new].map(|value| value.and_then(|value| value.get(key)));
            self.differ(Harmless, Some("deprecation"), at, (key, old, new));
        }
    }

    fn parameter(&mut self, old: Option<&'a Value>, new: Option<&'a Value>, at: &Place) {
        self.deprecation(old, new, at);
        let [before, after] = [(self.old, old), (self.new, new)].map(|(document, parameter)| {
            let style = parameter.and_then(|parameter| text(parameter, "style"));
            let usual = match parameter.and_then(|parameter| text(parameter, "in")) {
                Some("path" | "header") => "simple",
                _ if self.side != Side::Request => "simple",
                _ => "form",
            };
            let style = style.unwrap_or(usual);
            let schema = parameter.and_then(|parameter| parameter.get("schema"));
            let kind = schema.and_then(|node| text(resolve(document, node), "type"));
            let explode = parameter.and_then(|parameter| parameter.get("explode"));
            let explode = explode.map_or(style == "form", |explode| explode == true);
            // It makes no difference to a scalar.
            let explode = explode && matches!(kind, Some("array" | "object"));
            Value::from(format!("{style}{}", if explode { " exploded" } else { "" }))
        });
        self.differ(Other, None, at, ("style", Some(&before), Some(&after)));
        let [before, after] = [old, new].map(|part| part.and_then(|part| part.get("schema")));
        if let (Some(old), Some(new)) = (before, after) {
            self.schema(old, new, at.clone(), true);
        } else if before.is_some() != after.is_some() {
            self.note(Other, None, at, "is written in another media type");
        }
        self.contents(old, new, &at.step(":"));
    }

    fn contents(&mut self, old: Option<&'a Value>, new: Option<&'a Value>, at: &Place) {
        for (media, before, after) in pairs(&named(old, "content"), &named(new, "content")) {
            let at = at.step(media);
            match (before, after) {
                (Some(before), Some(after)) => {
                    let nothing = &Value::Null;
                    let [before, after] =
                        [before, after].map(|part| part.get("schema").unwrap_or(nothing));
                    self.schema(before, after, at, true);
                }
                (None, _) => self.note(Harmless, None, &at, "added"),
                (_, None) => self.note(Other, None, &at, "removed"),
            }
        }
    }

    fn responses(
        &mut self,
        old: Vec<(String, &'a Value)>,
        new: Vec<(String, &'a Value)>,
        at: &Place,
    ) {
        for (status, before, after) in pairs(&old, &new) {
            let is_success = status.starts_with('2');
            self.side = if is_success { Side::Answer } else { Side::Error };
            let at = at.step(format!("response:{status}"));
            let before = before.map(|response| resolve(self.old, response));
            let after = after.map(|response| resolve(self.new, response));
            match (before, after) {
                (None, _) => {
                    self.note(if is_success { Wider } else { Harmless }, None, &at, "added")
                }
                (_, None) => self.note(Harmless, None, &at, "removed"),
                _ => {
                    self.contents(before, after, &at.step(":"));
                    for (name, before, after) in
                        pairs(&named(before, "headers"), &named(after, "headers"))
                    {
                        let at = at.step(format!(":header:{name}"));
                        if self.both(before, after, &at) {
                            self.parameter(before, after, &at);
                        }
                    }
                }
            }
        }
    }

    fn schema(&mut self, old: &'a Value, new: &'a Value, mut at: Place, required: bool) {
        let (old, new) = (View::of(self.old, old), View::of(self.new, new));
        if let (Some(before), Some(after)) = (old.component, new.component) {
            if self.seen.contains(&(before, after, self.side)) {
                return;
            }
            self.seen.push((before, after, self.side));
            at = Place { owner: after.to_owned(), inner: String::new() };
        }
        if !old.members.is_empty() || !new.members.is_empty() {
            self.union(&old, &new, &at);
            if old.members.is_empty() || new.members.is_empty() {
                return;
            }
        }
        self.keywords(&old, &new, &at, required);
        let (before, after) = (old.visible(self.old, self.side), new.visible(self.new, self.side));
        for (name, before, after) in pairs(&before, &after) {
            let at = at.step(format!(".{name}"));
            let [demanded, demands] =
                [&old, &new].map(|view| view.required.contains(name.as_str()));
            match (before, after) {
                (Some(before), Some(after)) => {
                    self.requirement(demanded, demands, &at);
                    self.schema(before, after, at, demanded);
                }
                (None, _) => {
                    self.note(if demands { Narrower } else { Harmless }, None, &at, "added")
                }
                (_, None) if new.properties.contains_key(name.as_str()) => {
                    let hidden =
                        if self.side == Side::Request { "read-only" } else { "write-only" };
                    self.note(Other, None, &at, &format!("now {hidden}"));
                }
                (_, None) => self.note(Other, None, &at, "removed"),
            }
        }
        for (key, step) in [("items", "[]"), ("additionalProperties", ".*")] {
            let [before, after] = [&old, &new].map(|view| view.keys.get(key).copied());
            let [before, after] = [before, after].map(|node| node.filter(|node| **node != true));
            match (before.filter(|node| node.is_object()), after.filter(|node| node.is_object())) {
                (Some(before), Some(after)) => self.schema(before, after, at.step(step), true),
                _ => {
                    let shift = match (before, after) {
                        (Some(before), Some(_)) if *before == false => Wider,
                        (Some(_), Some(_)) => Narrower,
                        _ => Shift::of(before, after),
                    };
                    let what = |node: Option<&Value>| match node {
                        None => "any",
                        Some(Value::Bool(_)) => "none",
                        Some(_) => "typed",
                    };
                    if what(before) != what(after) {
                        let change = format!("{} -> {}", what(before), what(after));
                        self.note(shift, None, &at.step(step), &change);
                    }
                }
            }
        }
    }

    fn keywords(&mut self, old: &View<'a>, new: &View<'a>, at: &Place, required: bool) {
        let key = |key: &str| (old.keys.get(key).copied(), new.keys.get(key).copied());
        let is_request = self.side == Side::Request;
        let (before, after) = (old.kind(), new.kind());
        let shift = match (before, after) {
            (Some("integer"), Some("number")) => Wider,
            (Some("number"), Some("integer")) => Narrower,
            _ => Shift::of(before, after),
        };
        let [before, after] = [before, after].map(|kind| kind.map(Value::from));
        self.differ(shift, None, at, ("type", before.as_ref(), after.as_ref()));
        let (before, after) = key("format");
        self.differ(Shift::of(before, after), None, at, ("format", before, after));
        let [before, after] = [old, new]
            .map(|view| Value::from(view.keys.get("nullable") == Some(&&Value::Bool(true))));
        // An optional value that is null reads as a missing one.
        let wider = if !required && !is_request { Harmless } else { Wider };
        let shift = if after == true { wider } else { Narrower };
        self.differ(shift, None, at, ("nullable", Some(&before), Some(&after)));
        self.values(key("enum"), at);
        for name in LIMITS {
            let (before, after) = key(name);
            let numbers = before.and_then(Value::as_f64).zip(after.and_then(Value::as_f64));
            let shift = match numbers {
                _ if !is_request => Harmless,
                Some((old, new)) if name.starts_with("max") == (old > new) => Narrower,
                Some(_) if name.starts_with('m') && name != "multipleOf" => Wider,
                _ => Shift::of(before, after),
            };
            self.differ(shift, Some("limit"), at, (name, before, after));
        }
        let (before, after) = key("default");
        let shift =
            if is_request && before.is_some() && after.is_some() { Other } else { Harmless };
        self.differ(shift, Some("default"), at, ("default", before, after));
        for name in ["deprecated", "x-sunset"] {
            let (before, after) = key(name);
            self.differ(Harmless, Some("deprecation"), at, (name, before, after));
        }
    }

    fn values(&mut self, (old, new): (Option<&Value>, Option<&Value>), at: &Place) {
        // Generated enums keep values that they do not know.
        let wider = if self.side == Side::Request { Wider } else { Harmless };
        match (old, new) {
            (None, Some(_)) => self.note(Narrower, None, at, "now an enum"),
            (Some(_), None) => self.note(wider, None, at, "no longer an enum"),
            _ => {
                let [before, after] = [old, new].map(|list| {
                    elements(list).map(|value| shown(Some(value))).collect::<BTreeSet<_>>()
                });
                for value in before.difference(&after) {
                    self.note(Narrower, None, at, &format!("value `{value}` removed"));
                }
                for value in after.difference(&before) {
                    self.note(wider, None, at, &format!("value `{value}` added"));
                }
            }
        }
    }

    /// Each member that is sent must fit a member that the receiver knows.
    fn union(&mut self, old: &View<'a>, new: &View<'a>, at: &Place) {
        let (olds, news) = (old.alternatives(), new.alternatives());
        let is_request = self.side == Side::Request;
        let (sent, known) = if is_request { (&olds, &news) } else { (&news, &olds) };
        let mut unused: BTreeSet<usize> = (0..known.len()).collect();
        for (index, member) in sent.iter().enumerate() {
            let tried = known.iter().enumerate().map(|(other, candidate)| {
                let (old, new) = if is_request { (member, candidate) } else { (candidate, member) };
                let mut trial = Wire {
                    changes: Changes::new(),
                    seen: self.seen.clone(),
                    operation: self.operation.clone(),
                    ..*self
                };
                trial.schema(old, new, at.step(format!("|{index}")), true);
                let breaks =
                    trial.changes.keys().filter(|change| change.class == Class::Breaking).count();
                // Of members that fit alike, the one with the same name is meant, or a free one.
                let like = (name(member) != name(candidate), !unused.contains(&other));
                ((breaks, trial.changes.len(), like), other, trial)
            });
            let best = tried.min_by_key(|(score, ..)| *score);
            match best.filter(|((breaks, ..), ..)| *breaks == 0 || olds.len() == news.len()) {
                Some((_, other, trial)) => {
                    unused.remove(&other);
                    self.seen = trial.seen;
                    for (change, operations) in trial.changes {
                        self.changes.entry(change).or_default().extend(operations);
                    }
                }
                None => {
                    let what = if is_request { "removed" } else { "added" };
                    self.note(Other, None, at, &format!("member {} {what}", name(member)));
                }
            }
        }
        for index in unused {
            let what = if is_request { "added" } else { "removed" };
            self.note(Harmless, None, at, &format!("member {} {what}", name(known[index])));
        }
    }
}

/// The keywords that restrict values and have no place in the generated types.
const LIMITS: [&str; 13] = [
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

/// The name of a member of a union in messages.
fn name(node: &Value) -> &str {
    schema::component(node).or(text(node, "type")).unwrap_or("object")
}

/// The addresses of the servers that a document, path or operation names.
fn addresses(value: &Value) -> Option<Value> {
    let servers = value.get("servers")?.as_array()?.iter();
    Some(servers.map(|server| server.get("url").cloned().unwrap_or_default()).collect())
}

/// The ways in which an operation may be authorised. Empty if it needs none.
fn secrets(document: &Value, operation: &Operation<'_>) -> BTreeSet<String> {
    let list = operation.value.get("security").or(document.get("security"));
    let ways = elements(list).map(|way| {
        let schemes = members(Some(way)).map(|(name, _)| {
            let scheme =
                document.pointer(&format!("/components/securitySchemes/{}", schema::escape(name)));
            let parts = ["type", "scheme", "in", "name"].into_iter();
            let parts = parts.filter_map(|key| text(scheme?, key));
            parts.collect::<Vec<_>>().join(" ")
        });
        schemes.collect::<Vec<_>>().join(" and ")
    });
    // An empty way stands for no secret.
    let ways: BTreeSet<String> = ways.collect();
    if ways.contains("") { BTreeSet::new() } else { ways }
}

/// A schema after its references, with the parts of an `allOf` as one.
#[derive(Default)]
struct View<'a> {
    /// The component that the schema refers to.
    component: Option<&'a str>,
    node: Option<&'a Value>,
    keys: BTreeMap<&'a str, &'a Value>,
    properties: BTreeMap<&'a str, &'a Value>,
    required: BTreeSet<&'a str>,
    /// The members of `anyOf` or `oneOf`.
    members: Vec<&'a Value>,
}

impl<'a> View<'a> {
    fn of(document: &'a Value, node: &'a Value) -> Self {
        let mut view =
            Self { component: schema::component(node), node: Some(node), ..Self::default() };
        view.add(document, node, &mut Vec::new());
        view
    }

    fn add(&mut self, document: &'a Value, node: &'a Value, path: &mut Vec<&'a Value>) {
        let node = resolve(document, node);
        if path.contains(&node) {
            return;
        }
        path.push(node);
        for (key, value) in members(Some(node)) {
            self.keys.entry(key).or_insert(value);
        }
        for (name, property) in members(node.get("properties")) {
            self.properties.entry(name).or_insert(property);
        }
        self.required.extend(elements(node.get("required")).filter_map(Value::as_str));
        for key in ["anyOf", "oneOf"] {
            self.members.extend(elements(node.get(key)));
        }
        for part in elements(node.get("allOf")) {
            self.add(document, part, path);
        }
        path.pop();
    }

    fn kind(&self) -> Option<&'a str> {
        let written = self.keys.get("type").and_then(|kind| kind.as_str());
        written.or((!self.properties.is_empty()).then_some("object"))
    }

    /// The properties that this side of an exchange has.
    fn visible(&self, document: &'a Value, side: Side) -> Vec<(String, &'a Value)> {
        let hidden = if side == Side::Request { "readOnly" } else { "writeOnly" };
        let is_hidden =
            |node| View::of(document, node).keys.get(hidden).is_some_and(|value| **value == true);
        let properties = self.properties.iter().filter(|(_, node)| !is_hidden(node));
        properties.map(|(name, node)| ((*name).to_owned(), *node)).collect()
    }

    fn alternatives(&self) -> Vec<&'a Value> {
        if self.members.is_empty() { self.node.into_iter().collect() } else { self.members.clone() }
    }
}
