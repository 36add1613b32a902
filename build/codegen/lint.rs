//! Refuses documents that would make the generator fail or write wrong code.
//!
//! The generator mostly panics without naming a place. Here each message begins with the operation,
//! or with the JSON path in the notation of overlay targets.

use std::collections::BTreeMap;

use heck::{ToPascalCase as _, ToSnakeCase as _};
use serde_json::Value;

use super::schema::{self, Operation, elements, json_path, members, text};
use super::{Problems, Result, generate};

/// Refuses a normalised document with all reasons at once.
pub(crate) fn lint(document: &Value) -> Result<()> {
    let mut found = Vec::new();
    header(document, &mut found);
    references(document, &mut found);
    operation_names(document, &mut found);
    for operation in schema::operations(document) {
        let mut complaints = Vec::new();
        path_parameters(document, &operation, &mut complaints);
        other_parameters(document, &operation, &mut complaints);
        request_body(document, &operation, &mut complaints);
        responses(&operation, &mut complaints);
        found.extend(Problems(complaints).within(operation.title()).0);
    }
    type_names(document, &mut found);
    for pointer in schema::schemas(document) {
        let mut complaints = Vec::new();
        if let Some(node) = document.pointer(&pointer) {
            schema_rules(node, &mut complaints);
        }
        found.extend(Problems(complaints).within(json_path(&pointer)).0);
    }
    if found.is_empty() { Ok(()) } else { Err(Problems(found)) }
}

/// Pairs of names that the generator turns into the same Rust name.
fn twins<'a>(names: impl IntoIterator<Item = (String, &'a str)>) -> Vec<(&'a str, &'a str)> {
    let mut seen = BTreeMap::new();
    let names = names.into_iter();
    let twins = names.filter_map(|(rust, name)| Some((seen.insert(rust, name)?, name)));
    twins.collect()
}

fn header(document: &Value, found: &mut Vec<String>) {
    if !text(document, "openapi").is_some_and(|version| version.starts_with("3.0.")) {
        found.push("$.openapi: only versions 3.0.x are supported".to_owned());
    }
    let version = document.pointer("/info/version");
    if !version.is_some_and(Value::is_string) {
        found.push("$.info.version: the version is not a string".to_owned());
    }
    for (path, item) in members(document.get("paths")) {
        if item.get("$ref").is_some() {
            found.push(format!("$.paths['{path}']: the path is a reference"));
        }
    }
}

/// Every reference must name an existing component. The generator uses its last segment only.
fn references(document: &Value, found: &mut Vec<String>) {
    let mut open = vec![(String::new(), document)];
    while let Some((pointer, value)) = open.pop() {
        if let Some(reference) = text(value, "$ref") {
            let path = json_path(&pointer);
            let segments: Vec<_> = reference.split('/').collect();
            if !matches!(segments[..], ["#", "components", _, _]) {
                found.push(format!("{path}: `{reference}` does not point to a component"));
            } else if schema::target(document, reference).is_none() {
                found.push(format!("{path}: `{reference}` does not exist"));
            } else if reference.contains(['%', '~']) {
                found.push(format!("{path}: `{reference}` contains an escaped character"));
            }
        }
        let first = open.len();
        for (key, member) in members(Some(value)) {
            open.push((format!("{pointer}/{}", schema::escape(key)), member));
        }
        for (index, item) in elements(Some(value)).enumerate() {
            open.push((format!("{pointer}/{index}"), item));
        }
        // The last one is taken next, and the messages are to follow the order of the document.
        open[first..].reverse();
    }
}

/// Methods that every client has.
const CONSTRUCTORS: [&str; 2] = ["new", "new_with_client"];

fn operation_names(document: &Value, found: &mut Vec<String>) {
    let mut methods: BTreeMap<String, (&str, String)> = BTreeMap::new();
    for operation in schema::operations(document) {
        let title = operation.title();
        let Some(id) = operation.id() else {
            found.push(format!("{title}: no operationId"));
            continue;
        };
        if let Some((other, at)) = methods.insert(id.to_snake_case(), (id, title.clone())) {
            let what = format!("gives the same method name as `{other}` of {at}");
            found.push(format!("{title}: the operationId `{id}` {what}"));
        }
    }
    for (method, (id, title)) in &methods {
        if CONSTRUCTORS.contains(&method.as_str()) {
            found.push(format!("{title}: the operationId `{id}` is the name of a constructor"));
        }
        if let Some((other, at)) = methods.get(&generate::request_method(method)) {
            let what = format!("gives the name of the method that builds requests of `{id}`");
            found.push(format!("{at}: the operationId `{other}` {what}"));
        }
    }
}

fn path_parameters(document: &Value, operation: &Operation<'_>, found: &mut Vec<String>) {
    let parameters = operation.parameters(document);
    let names = |place: Option<&'static str>| {
        let parameters = parameters.iter();
        let chosen = parameters.filter(move |p| place.is_none() || text(p, "in") == place);
        chosen.filter_map(|parameter| text(parameter, "name"))
    };
    let declared: Vec<&str> = names(Some("path")).collect();
    let placeholders = operation.path.split('{').skip(1);
    let placeholders: Vec<&str> = placeholders.flat_map(|rest| rest.split('}').next()).collect();
    for name in placeholders.iter().filter(|name| !declared.contains(name)) {
        found.push(format!("the path parameter `{name}` is not declared"));
    }
    for name in declared.iter().filter(|name| !placeholders.contains(name)) {
        found.push(format!("the path parameter `{name}` is not in the path"));
    }
    // The generator adds these arguments and variables.
    let body = operation.value.get("requestBody");
    let body = body.map(|_| ("body".to_owned(), "(the request body)"));
    let headers = names(Some("header")).next();
    let headers = headers.map(|_| ("header_map".to_owned(), "(the headers)"));
    let arguments = names(None).map(|name| (name.to_snake_case(), name));
    for (first, second) in twins(body.into_iter().chain(headers).chain(arguments)) {
        found.push(format!("the parameters `{first}` and `{second}` give the same argument"));
    }
}

fn other_parameters(document: &Value, operation: &Operation<'_>, found: &mut Vec<String>) {
    for parameter in operation.parameters(document) {
        let name = text(parameter, "name").unwrap_or_default();
        if text(parameter, "in") == Some("cookie") {
            found.push(format!("the parameter `{name}` is a cookie, which is not supported"));
        }
        let schema = parameter.get("schema").map(|node| schema::resolve(document, node));
        match schema.map(|node| text(node, "type")) {
            Some(Some("array" | "object")) => {
                let what = "is a list or an object, which only a body can carry";
                found.push(format!("the parameter `{name}` {what}"));
            }
            Some(_) => {}
            None if parameter.get("$ref").is_some() => {}
            None => found.push(format!("the parameter `{name}` has no schema")),
        }
        if let Some(style) = text(parameter, "style").filter(|s| !["simple", "form"].contains(s)) {
            found.push(format!("the parameter `{name}` has the unsupported style `{style}`"));
        }
    }
}

fn request_body(document: &Value, operation: &Operation<'_>, found: &mut Vec<String>) {
    let Some(body) = operation.value.get("requestBody") else {
        return;
    };
    let body = schema::resolve(document, body);
    let media: Vec<_> = members(body.get("content")).collect();
    match media[..] {
        [(media, content)] if media == "application/json" => {
            if content.get("schema").is_none() {
                found.push("the request body has no schema".to_owned());
            }
        }
        [(media, _)] => found.push(format!("the request body is `{media}` instead of JSON")),
        _ => found.push(format!("the request body has {} media types instead of one", media.len())),
    }
}

fn responses(operation: &Operation<'_>, found: &mut Vec<String>) {
    let mut bodies = Vec::new();
    let responses: Vec<_> = members(operation.value.get("responses")).collect();
    for (status, response) in &responses {
        if response.get("$ref").is_some() {
            continue;
        }
        let content = response.get("content");
        let json = members(content).find(|(media, _)| media.starts_with("application/json"));
        let body = match json {
            Some((_, media)) => {
                if media.get("schema").is_none() {
                    found.push(format!("the JSON body of response {status} has no schema"));
                }
                media.get("schema").cloned().unwrap_or_default()
            }
            None if members(content).next().is_some() => Value::from("bytes"),
            None => Value::from("nothing"),
        };
        if !bodies.contains(&body) {
            bodies.push(body);
        }
    }
    if responses.is_empty() {
        found.push("no success response is documented".to_owned());
    }
    if bodies.len() > 1 {
        found.push("the success responses have different bodies".to_owned());
    }
}

/// A type that the generator names itself must not have the name of a component, which would win.
fn type_names(document: &Value, found: &mut Vec<String>) {
    let mut types: BTreeMap<String, String> = BTreeMap::new();
    for (name, _) in members(document.pointer("/components/schemas")) {
        let place = format!("$.components.schemas.{name}");
        if let Some(other) = types.insert(name.to_pascal_case(), place.clone()) {
            found.push(format!("{place}: gives the same type name as {other}"));
        }
    }
    const JSON: &str = "/content/application~1json/schema";
    for operation in schema::operations(document) {
        let body = operation.value.get("requestBody");
        let body = body.map(|body| schema::resolve(document, body));
        let mut derived = vec![("body", body.and_then(|body| body.pointer(JSON)))];
        for (_, response) in members(operation.value.get("responses")) {
            derived.push(("response", response.pointer(JSON)));
        }
        for parameter in operation.parameters(document) {
            let name = text(parameter, "name").unwrap_or_default();
            derived.push((name, parameter.get("schema")));
        }
        // A reference has a name of its own, and a plain scalar needs none.
        derived.retain(|(_, node)| {
            let named = |key| node.is_some_and(|node| node.get(key).is_some());
            !named("$ref") && (named("properties") || named("enum"))
        });
        let id = operation.id().unwrap_or_default();
        for (what, _) in derived {
            let name = format!("{id}-{what}").to_pascal_case();
            if let Some(other) = types.get(&name) {
                let what = format!("its {what} gives the type name `{name}` of {other}");
                found.push(format!("{}: {what}", operation.title()));
            }
        }
    }
}

fn schema_rules(node: &Value, found: &mut Vec<String>) {
    if node.get("not").is_some() {
        found.push("`not` has no Rust type".to_owned());
    }
    for key in ["anyOf", "oneOf"].iter().filter(|key| node.get(*key).is_some()) {
        found.push(format!("`{key}` cannot keep a value that matches none of its members"));
    }
    if elements(node.get("allOf")).count() > 1 {
        found.push("`allOf` combines other schemas than plain objects".to_owned());
    }
    if let Some(Value::Array(values)) = node.get("enum") {
        enum_rules(values, found);
    }
    let more = node.get("additionalProperties");
    let more = more.filter(|more| **more != Value::Bool(false));
    let more = more.map(|_| ("extra".to_owned(), "(the unknown keys)"));
    let fields = members(node.get("properties"));
    let fields = fields.map(|(name, _)| (name.to_snake_case(), name.as_str()));
    for (first, second) in twins(more.into_iter().chain(fields)) {
        found.push(format!("the properties `{first}` and `{second}` give the same field"));
    }
    if text(node, "type") == Some("array") && node.get("items").is_none() {
        found.push("the array has no `items`".to_owned());
    }
}

fn enum_rules(values: &[Value], found: &mut Vec<String>) {
    let texts: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
    if texts.len() < values.len() {
        found.push("the enum has values that are not strings".to_owned());
        return;
    }
    for text in texts.iter().filter(|text| generate::variant(text).is_none()) {
        found.push(format!("the value `{text}` has no letter or digit for a name"));
    }
    let variants = texts.iter().filter_map(|text| Some((generate::variant(text)?, *text)));
    for (first, second) in twins(variants) {
        found.push(format!("the values `{first}` and `{second}` give the same variant"));
    }
}
