//! Names everything that would make the generator fail, or silently write the wrong thing.
//!
//! The generator mostly panics without saying where. Here every complaint begins with the operation
//! or the JSON path, in the notation of overlay targets, so that the correction can be written from it.

use std::collections::BTreeMap;

use heck::{ToPascalCase as _, ToSnakeCase as _};
use serde_json::Value;

use super::schema::{self, Operation, json_path};
use super::{Problems, Result, generate};

/// Refuses a normalised document with all the reasons at once.
pub(crate) fn lint(document: &Value) -> Result<()> {
    let mut found = Vec::new();
    header(document, &mut found);
    references(document, &mut found);
    operation_names(document, &mut found);
    for operation in schema::operations(document) {
        let title = operation.title();
        let mut complaints = Vec::new();
        path_parameters(document, &operation, &mut complaints);
        other_parameters(document, &operation, &mut complaints);
        request_body(document, &operation, &mut complaints);
        answers(&operation, &mut complaints);
        found.extend(
            complaints
                .into_iter()
                .map(|text| format!("{title}: {text}")),
        );
    }
    type_names(document, &mut found);
    for pointer in schema::schemas(document) {
        if let Some(node) = document.pointer(&pointer) {
            let mut complaints = Vec::new();
            schema_rules(document, node, &mut complaints);
            let path = json_path(&pointer);
            found.extend(complaints.into_iter().map(|text| format!("{path}: {text}")));
        }
    }
    if found.is_empty() {
        Ok(())
    } else {
        Err(Problems(found))
    }
}

fn header(document: &Value, found: &mut Vec<String>) {
    match schema::text(document, "openapi") {
        Some(version) if version.starts_with("3.0.") => {}
        _ => found.push("$.openapi: only 3.0.x can be generated".to_owned()),
    }
    if !document
        .pointer("/info/version")
        .is_some_and(Value::is_string)
    {
        found.push("$.info.version: not a text; quote it".to_owned());
    }
    for (path, item) in schema::members(document.get("paths")) {
        if item.get("$ref").is_some() {
            found.push(format!(
                "$.paths['{path}']: a path that is a reference; write it out"
            ));
        }
    }
}

/// Every reference must name a component that is there, since the generator looks only at the last
/// segment and only in the components.
fn references(document: &Value, found: &mut Vec<String>) {
    let mut open = vec![(String::new(), document)];
    while let Some((pointer, value)) = open.pop() {
        match value {
            Value::Object(map) => {
                if let Some(Value::String(reference)) = map.get("$ref") {
                    let path = json_path(&pointer);
                    let segments: Vec<_> = reference.split('/').collect();
                    if !matches!(segments[..], ["#", "components", _, _]) {
                        found.push(format!("{path}: `{reference}` names no component"));
                    } else if schema::target(document, reference).is_none() {
                        found.push(format!("{path}: `{reference}` does not exist"));
                    } else if reference.contains(['%', '~']) {
                        found.push(format!(
                            "{path}: `{reference}` is escaped; rename the component"
                        ));
                    }
                }
                open.extend(
                    map.iter().rev().map(|(key, member)| {
                        (format!("{pointer}/{}", schema::escape(key)), member)
                    }),
                );
            }
            Value::Array(items) => open.extend(
                items
                    .iter()
                    .enumerate()
                    .rev()
                    .map(|(index, item)| (format!("{pointer}/{index}"), item)),
            ),
            _ => {}
        }
    }
}

/// Methods of every client.
const TAKEN_METHODS: [&str; 2] = ["new", "new_with_client"];

fn operation_names(document: &Value, found: &mut Vec<String>) {
    let mut methods: BTreeMap<String, (String, String)> = BTreeMap::new();
    for operation in schema::operations(document) {
        let title = operation.title();
        let Some(id) = operation.id() else {
            found.push(format!("{title}: no operationId"));
            continue;
        };
        if let Some((other, at)) =
            methods.insert(id.to_snake_case(), (id.to_owned(), title.clone()))
        {
            found.push(format!(
                "{title}: the operationId `{id}` becomes the same method as `{other}` of {at}"
            ));
        }
    }
    for (method, (id, title)) in &methods {
        if TAKEN_METHODS.contains(&method.as_str()) {
            found.push(format!(
                "{title}: the operationId `{id}` becomes a method that every client has"
            ));
        }
        if let Some((other, at)) = methods.get(&generate::request_method(method)) {
            found.push(format!(
                "{at}: the operationId `{other}` becomes the method that builds the request of `{id}` of {title}"
            ));
        }
    }
}

/// The names between braces of a path.
fn placeholders(path: &str) -> Vec<&str> {
    path.split('{')
        .skip(1)
        .filter_map(|rest| rest.split('}').next())
        .collect()
}

fn path_parameters(document: &Value, operation: &Operation<'_>, found: &mut Vec<String>) {
    let parameters = operation.parameters(document);
    let declared: Vec<&str> = parameters
        .iter()
        .filter(|parameter| schema::text(parameter, "in") == Some("path"))
        .filter_map(|parameter| schema::text(parameter, "name"))
        .collect();
    let names = placeholders(operation.path);
    for name in names.iter().filter(|name| !declared.contains(name)) {
        found.push(format!("the path parameter `{name}` is not declared"));
    }
    for name in declared.iter().filter(|name| !names.contains(name)) {
        found.push(format!("the path parameter `{name}` is not in the path"));
    }
    let mut rust: BTreeMap<String, &str> = BTreeMap::new();
    if operation.value.get("requestBody").is_some() {
        rust.insert("body".to_owned(), "(the request body)");
    }
    if parameters
        .iter()
        .any(|p| schema::text(p, "in") == Some("header"))
    {
        rust.insert("header_map".to_owned(), "(the headers)");
    }
    for name in parameters.iter().filter_map(|p| schema::text(p, "name")) {
        if let Some(other) = rust.insert(name.to_snake_case(), name) {
            found.push(format!(
                "the parameters `{other}` and `{name}` become one argument"
            ));
        }
    }
}

fn other_parameters(document: &Value, operation: &Operation<'_>, found: &mut Vec<String>) {
    for parameter in operation.parameters(document) {
        let name = schema::text(parameter, "name").unwrap_or_default();
        let place = schema::text(parameter, "in").unwrap_or_default();
        if place == "cookie" {
            found.push(format!(
                "`{name}` is a cookie, which the generator cannot send"
            ));
        }
        match parameter.get("schema") {
            Some(of) => {
                let of = schema::resolve(document, of);
                if matches!(schema::text(of, "type"), Some("array" | "object")) {
                    found.push(format!(
                        "the parameter `{name}` is a list or an object, which only a body can hold"
                    ));
                }
            }
            None if parameter.get("$ref").is_none() => {
                found.push(format!("the parameter `{name}` has no schema"));
            }
            None => {}
        }
        let style = schema::text(parameter, "style");
        if style.is_some_and(|style| !["simple", "form"].contains(&style)) {
            found.push(format!(
                "the parameter `{name}` has a style that the generator lacks"
            ));
        }
    }
}

fn request_body(document: &Value, operation: &Operation<'_>, found: &mut Vec<String>) {
    let Some(body) = operation.value.get("requestBody") else {
        return;
    };
    let body = schema::resolve(document, body);
    let media: Vec<_> = schema::members(body.get("content")).collect();
    match media[..] {
        [(media, content)] if media == "application/json" => {
            if content.get("schema").is_none() {
                found.push("the request body has no schema".to_owned());
            }
        }
        [(media, _)] => found.push(format!("the request body is `{media}`, not JSON")),
        _ => found.push("the request body needs exactly one media type, JSON".to_owned()),
    }
}

fn answers(operation: &Operation<'_>, found: &mut Vec<String>) {
    let mut kinds = Vec::new();
    let mut count = 0;
    for (status, response) in schema::members(operation.value.get("responses")) {
        count += 1;
        if response.get("$ref").is_some() {
            continue;
        }
        let content = response.get("content");
        let json =
            schema::members(content).find(|(media, _)| media.starts_with("application/json"));
        if let Some((_, media)) = json
            && media.get("schema").is_none()
        {
            found.push(format!("the JSON of answer {status} has no schema"));
        }
        let kind = match json {
            Some((_, media)) => media.get("schema").cloned().unwrap_or_default(),
            None if schema::members(content).next().is_some() => Value::from("bytes"),
            None => Value::from("nothing"),
        };
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    if count == 0 {
        found.push("no successful answer is documented".to_owned());
    }
    if kinds.len() > 1 {
        found.push("successful answers with different bodies; a method returns one".to_owned());
    }
}

/// Names that the generator makes up must not be names of components: the component would win.
fn type_names(document: &Value, found: &mut Vec<String>) {
    let mut types: BTreeMap<String, String> = BTreeMap::new();
    for (name, _) in schema::members(document.pointer("/components/schemas")) {
        let place = format!("$.components.schemas.{name}");
        if let Some(other) = types.insert(name.to_pascal_case(), place.clone()) {
            found.push(format!("{place}: becomes the same type as {other}"));
        }
    }
    for operation in schema::operations(document) {
        let Some(id) = operation.id() else { continue };
        let mut derived = Vec::new();
        for (_, response) in schema::members(operation.value.get("responses")) {
            derived.push((
                "response",
                response.pointer("/content/application~1json/schema"),
            ));
        }
        let body = operation.value.get("requestBody");
        let body = body.map(|body| schema::resolve(document, body));
        let body = body.and_then(|body| body.pointer("/content/application~1json/schema"));
        derived.push(("body", body));
        for parameter in operation.parameters(document) {
            let name = schema::text(parameter, "name").unwrap_or_default();
            derived.push((name, parameter.get("schema")));
        }
        for (what, node) in derived {
            // A reference has a name of its own, and a plain scalar needs none.
            let Some(node) = node.filter(|node| schema::component(node).is_none()) else {
                continue;
            };
            if node.get("properties").is_none() && node.get("enum").is_none() {
                continue;
            }
            let name = format!("{id}-{what}").to_pascal_case();
            if let Some(other) = types.get(&name) {
                found.push(format!(
                    "{}: its {what} becomes the type `{name}`, the name of {other}",
                    operation.title()
                ));
            }
        }
    }
}

fn schema_rules(document: &Value, node: &Value, found: &mut Vec<String>) {
    if node.get("not").is_some() {
        found.push("`not` has no Rust type".to_owned());
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(Value::Array(members)) = node.get(key) {
            let members: Vec<&Value> = members
                .iter()
                .map(|member| schema::resolve(document, member))
                .collect();
            found.push(format!("`{key}`: {}", union_fault(&members)));
        }
    }
    if let Some(Value::Array(parts)) = node.get("allOf")
        && parts.len() > 1
    {
        found.push("`allOf` of other things than plain objects".to_owned());
    }
    if let Some(Value::Array(values)) = node.get("enum") {
        enum_rules(values, found);
    }
    let mut fields: BTreeMap<String, &str> = BTreeMap::new();
    if node
        .get("additionalProperties")
        .is_some_and(|more| *more != Value::Bool(false))
    {
        fields.insert("extra".to_owned(), "(the unknown keys)");
    }
    for (name, _) in schema::members(node.get("properties")) {
        if let Some(other) = fields.insert(name.to_snake_case(), name) {
            found.push(format!(
                "the properties `{other}` and `{name}` become one field"
            ));
        }
    }
    if schema::text(node, "type") == Some("array") && node.get("items").is_none() {
        found.push("an array without `items`".to_owned());
    }
}

/// Why a union cannot stay: none of them decodes safely once the server says something new.
fn union_fault(members: &[&Value]) -> String {
    let scalar = |member: &&Value| {
        schema::text(member, "type").is_none_or(|kind| kind != "object" && kind != "array")
    };
    if members.iter().any(scalar) {
        return "a union with scalars becomes a struct that cannot be sent; make it one value"
            .to_owned();
    }
    for (index, first) in members.iter().enumerate() {
        for (later, second) in members.iter().enumerate().skip(index + 1) {
            let taken = schema::elements(first.get("required"))
                .filter_map(Value::as_str)
                .all(|name| {
                    second
                        .pointer(&format!("/properties/{}", schema::escape(name)))
                        .is_some()
                });
            if taken {
                return format!(
                    "member {index} also matches what is meant for member {later}, and the rest is lost; make it one object"
                );
            }
        }
    }
    "a union refuses whatever is none of its members; make it one object".to_owned()
}

fn enum_rules(values: &[Value], found: &mut Vec<String>) {
    let Some(texts) = values.iter().map(Value::as_str).collect::<Option<Vec<_>>>() else {
        found.push("an enum of other things than texts".to_owned());
        return;
    };
    let mut variants: BTreeMap<String, &str> = BTreeMap::new();
    for text in texts {
        match generate::variant(text) {
            None => found.push(format!("the value `{text}` has no letters to name it by")),
            Some(name) => {
                if let Some(other) = variants.insert(name, text) {
                    found.push(format!(
                        "the values `{other}` and `{text}` become one variant"
                    ));
                }
            }
        }
    }
}
