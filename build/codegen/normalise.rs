//! Rewrites a document so that the generator can handle it.
//!
//! Every rule is general and can be applied twice; no rule knows this API. Limits and defaults are
//! dropped, because a response must stay readable when the server breaks them. The facade checks
//! what it sends itself.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::schema::{self, escape};

/// Keywords that would make responses unreadable, need another crate, or have no effect.
const DROPPED: [&str; 24] = [
    "default",
    "deprecated",
    "discriminator",
    "example",
    "examples",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "externalDocs",
    "format",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "readOnly",
    "title",
    "uniqueItems",
    "writeOnly",
    "xml",
];

/// Applies all rules to a document.
pub(crate) fn normalise(document: &mut Value) {
    trim(document);
    for operation in operations_mut(document) {
        request_body(operation);
    }
    responses(document);
    parameters(document);
    for_each_schema(document, drop_keywords);
    for_each_schema(document, unwrap_single_union);
    merge_all_of(document);
    for_each_schema(document, enum_values);
    name_enums(document);
    for_each_schema(document, wrap_nullable_reference);
    nullable_collections(document);
    prune(document);
    keep_unknown_keys(document);
    for_each_text(document, &mut |text| *text = without_doctests(text));
    // The order of the source must not matter, and some builds of serde_json keep it.
    document.sort_all_objects();
}

/// Keeps only the parts of a document that the generator reads.
fn trim(document: &mut Value) {
    let Some(document) = document.as_object_mut() else {
        return;
    };
    document.retain(|key, _| ["openapi", "info", "paths", "components"].contains(&key.as_str()));
    if let Some(Value::Object(components)) = document.get_mut("components") {
        let kept = ["schemas", "parameters", "requestBodies", "responses"];
        components.retain(|key, _| kept.contains(&key.as_str()));
    }
}

fn operations_mut(document: &mut Value) -> impl Iterator<Item = &mut Map<String, Value>> {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    paths.into_iter().flatten().flat_map(|(_, item)| {
        let methods = item.as_object_mut().into_iter().flatten();
        methods
            .filter(|(key, _)| schema::METHODS.contains(&key.as_str()))
            .filter_map(|(_, operation)| operation.as_object_mut())
    })
}

/// Makes the body required and JSON, as the generated method takes one argument.
fn request_body(operation: &mut Map<String, Value>) {
    for key in ["tags", "security", "servers", "callbacks", "externalDocs"] {
        operation.remove(key);
    }
    let Some(Value::Object(body)) = operation.get_mut("requestBody") else {
        return;
    };
    if body.contains_key("$ref") {
        return;
    }
    body.insert("required".to_owned(), Value::Bool(true));
    if let Some(Value::Object(content)) = body.get_mut("content") {
        only_json(content);
    }
}

fn only_json(content: &mut Map<String, Value>) {
    if content.contains_key("application/json") {
        content.retain(|media, _| media == "application/json");
    }
    for (_, media) in content {
        if let Some(media) = media.as_object_mut() {
            media.retain(|key, _| key == "schema");
        }
    }
}

/// Keeps the success responses, and of these the ones with a body if any has one.
///
/// The generator would decode a declared error body, and drop status and headers if that fails.
/// An undeclared one reaches the caller unread.
fn responses(document: &mut Value) {
    let shared = document.pointer("/components/responses").cloned();
    for operation in operations_mut(document) {
        let Some(Value::Object(responses)) = operation.get_mut("responses") else {
            continue;
        };
        responses.retain(|status, _| status.starts_with('2'));
        for (_, response) in responses.iter_mut() {
            let name = schema::text(response, "$ref")
                .and_then(|reference| reference.strip_prefix("#/components/responses/"));
            if let Some(found) = name.and_then(|name| shared.as_ref()?.get(name)) {
                *response = found.clone();
            }
            if let Some(response) = response.as_object_mut() {
                response.remove("headers");
                response.remove("links");
                if let Some(Value::Object(content)) = response.get_mut("content") {
                    only_json(content);
                }
            }
        }
        let typed = |response: &Value| {
            let media = schema::members(response.get("content"));
            media.count() > 0 || response.get("$ref").is_some()
        };
        if responses.values().any(typed) {
            responses.retain(|_, response| typed(response));
        }
    }
    if let Some(Value::Object(components)) = document.get_mut("components") {
        components.remove("responses");
    }
}

/// Makes path parameters required, and drops the three headers that OpenAPI reserves.
fn parameters(document: &mut Value) {
    for operation in operations_mut(document) {
        if let Some(Value::Array(parameters)) = operation.get_mut("parameters") {
            parameters.retain(|parameter| !is_reserved_header(parameter));
        }
    }
    for pointer in schema::parameters(document) {
        if let Some(Value::Object(parameter)) = document.pointer_mut(&pointer) {
            parameter.remove("example");
            parameter.remove("examples");
            if parameter.get("in").is_some_and(|place| place == "path") {
                parameter.insert("required".to_owned(), Value::Bool(true));
            }
        }
    }
}

fn is_reserved_header(parameter: &Value) -> bool {
    schema::text(parameter, "in") == Some("header")
        && schema::text(parameter, "name").is_some_and(|name| {
            ["accept", "authorization", "content-type"].contains(&name.to_lowercase().as_str())
        })
}

fn for_each_schema(document: &mut Value, rule: impl Fn(&mut Map<String, Value>)) {
    // Children first, since a rule may move a schema and its children with it.
    for pointer in schema::schemas(document).into_iter().rev() {
        if let Some(Value::Object(schema)) = document.pointer_mut(&pointer) {
            rule(schema);
        }
    }
}

fn drop_keywords(schema: &mut Map<String, Value>) {
    schema.retain(|key, _| !DROPPED.contains(&key.as_str()) && !key.starts_with("x-"));
}

/// Replaces a union of one member by that member.
fn unwrap_single_union(schema: &mut Map<String, Value>) {
    for key in ["anyOf", "oneOf"] {
        if schema::elements(schema.get(key)).count() == 1
            && !schema.contains_key("allOf")
            && let Some(members) = schema.remove(key)
        {
            schema.insert("allOf".to_owned(), members);
        }
    }
}

/// Merges `allOf` into one object. Otherwise each part would collect the unknown keys.
fn merge_all_of(document: &mut Value) {
    for pointer in schema::schemas(document).into_iter().rev() {
        let schema = document.pointer(&pointer);
        let merged = schema.and_then(|schema| merged_object(document, schema));
        if let (Some(merged), Some(schema)) = (merged, document.pointer_mut(&pointer)) {
            *schema = merged;
        }
    }
}

/// The keywords of a plain object.
const PLAIN: [&str; 6] =
    ["additionalProperties", "description", "nullable", "properties", "required", "type"];

fn merged_object(document: &Value, schema: &Value) -> Option<Value> {
    let parts = schema.get("allOf")?.as_array()?;
    if parts.len() < 2 && !schema.get("properties").is_some_and(Value::is_object) {
        return None;
    }
    let mut merged = schema.as_object()?.clone();
    merged.remove("allOf");
    merged.insert("type".to_owned(), json!("object"));
    for part in parts {
        let part = schema::resolve(document, part);
        let nested = merged_object(document, part);
        let part = nested.as_ref().unwrap_or(part).as_object()?;
        // The lint refuses parts that are not plain objects.
        let mut keys = part.keys().map(String::as_str);
        if !keys.all(|key| PLAIN.contains(&key)) {
            return None;
        }
        let properties = merged.entry("properties").or_insert_with(|| json!({}));
        let properties = properties.as_object_mut()?;
        for (name, property) in schema::members(part.get("properties")) {
            properties.entry(name).or_insert_with(|| property.clone());
        }
        let mut required = names(merged.get("required"));
        required.extend(names(part.get("required")));
        if !required.is_empty() {
            merged.insert("required".to_owned(), json!(required));
        }
        for key in ["additionalProperties", "description"] {
            if let (Some(value), None) = (part.get(key), merged.get(key)) {
                merged.insert(key.to_owned(), value.clone());
            }
        }
    }
    Some(Value::Object(merged))
}

fn names(list: Option<&Value>) -> BTreeSet<String> {
    schema::elements(list).filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Drops enums of numbers and booleans, whose types would refuse new values.
///
/// A null among strings makes the value nullable.
fn enum_values(schema: &mut Map<String, Value>) {
    let Some(Value::Array(values)) = schema.get_mut("enum") else {
        return;
    };
    if values.iter().any(Value::is_null) {
        values.retain(|value| !value.is_null());
        schema.insert("nullable".to_owned(), Value::Bool(true));
    }
    let kind = schema.get("type").and_then(Value::as_str);
    if matches!(kind, Some("integer" | "number" | "boolean")) {
        schema.remove("enum");
        return;
    }
    let texts = schema::elements(schema.get("enum")).all(Value::is_string);
    if kind.is_none() && texts {
        schema.insert("type".to_owned(), json!("string"));
    }
}

/// Whether a schema is an enum of strings.
pub(crate) fn is_text_enum(schema: &Value) -> bool {
    schema.get("enum").is_some() && schema::text(schema, "type") == Some("string")
}

/// Gives every string enum a name. The generator can only replace named types by open enums.
fn name_enums(document: &mut Value) {
    let mut added: BTreeMap<String, Value> = BTreeMap::new();
    for pointer in schema::schemas(document) {
        let component = pointer.strip_prefix("/components/schemas/");
        let named = component.is_some_and(|rest| !rest.contains('/'));
        let schema = document.pointer(&pointer);
        let Some(schema) = schema.filter(|schema| is_text_enum(schema) && !named) else {
            continue;
        };
        let mut schema = schema.clone();
        let nullable = remove_nullable(&mut schema);
        let base = enum_name(document, &pointer);
        let components = document.pointer("/components/schemas");
        let free = |name: &String| {
            let component = || components.and_then(|components| components.get(name));
            let other = added.get(name).or_else(component);
            other.is_none_or(|other| *other == schema)
        };
        let numbered = (2..).map(|count| format!("{base}{count}"));
        let Some(name) = std::iter::once(base.clone()).chain(numbered).find(free) else {
            continue;
        };
        let mut reference = json!({ "$ref": format!("#/components/schemas/{name}") });
        if let Some(nullable) = nullable {
            reference["nullable"] = nullable;
        }
        if let Some(place) = document.pointer_mut(&pointer) {
            *place = reference;
        }
        added.insert(name, schema);
    }
    for (name, schema) in added {
        document["components"]["schemas"][name] = schema;
    }
    // A component that is nullable makes every reference to it nullable.
    let mut nullable = BTreeSet::new();
    if let Some(Value::Object(schemas)) = document.pointer_mut("/components/schemas") {
        for (name, schema) in schemas {
            if is_text_enum(schema) && remove_nullable(schema) == Some(Value::Bool(true)) {
                nullable.insert(name.clone());
            }
        }
    }
    for_each_schema(document, |schema| {
        let reference = schema.get("$ref").and_then(Value::as_str);
        let name = reference.and_then(|path| path.strip_prefix("#/components/schemas/"));
        if name.is_some_and(|name| nullable.contains(name)) {
            schema.insert("nullable".to_owned(), Value::Bool(true));
        }
    });
}

fn remove_nullable(schema: &mut Value) -> Option<Value> {
    schema.as_object_mut()?.remove("nullable")
}

/// A name for the enum at a pointer: the component or operation, then the properties above it.
fn enum_name(document: &Value, pointer: &str) -> String {
    use heck::ToPascalCase as _;
    let segments: Vec<String> = pointer.split('/').skip(1).map(schema::unescape).collect();
    let mut words = Vec::new();
    let rest = match segments.first().map(String::as_str) {
        Some("paths") => {
            let operation = format!("/paths/{}/{}", escape(&segments[1]), segments[2]);
            let operation = document.pointer(&operation);
            let id = operation.and_then(|operation| schema::text(operation, "operationId"));
            words.push(id.unwrap_or(&segments[1]).to_owned());
            // The generator names the types of bodies and responses in this way.
            match segments.get(3).map(String::as_str) {
                Some("requestBody") => words.push("body".to_owned()),
                Some("responses") => words.push("response".to_owned()),
                _ => {}
            }
            &segments[2..]
        }
        _ => {
            words.push(segments.get(2).cloned().unwrap_or_default());
            segments.get(3..).unwrap_or_default()
        }
    };
    let parameter = pointer.strip_suffix("/schema");
    let parameter = parameter.and_then(|pointer| document.pointer(pointer));
    let name = parameter.and_then(|parameter| schema::text(parameter, "name"));
    words.extend(name.map(str::to_owned));
    for pair in rest.windows(2) {
        if pair[0] == "properties" {
            words.push(pair[1].clone());
        }
    }
    words.join(" ").to_pascal_case()
}

/// Moves a nullable reference into `allOf`, because OpenAPI 3.0 ignores siblings of `$ref`.
fn wrap_nullable_reference(schema: &mut Map<String, Value>) {
    if schema.get("nullable") == Some(&Value::Bool(true))
        && let Some(reference) = schema.remove("$ref")
    {
        schema.insert("allOf".to_owned(), json!([{ "$ref": reference }]));
    }
}

/// Makes optional lists and maps nullable.
///
/// The generator would give them a default instead, and then null does not decode.
fn nullable_collections(document: &mut Value) {
    for pointer in schema::schemas(document) {
        let Some(schema) = document.pointer(&pointer) else {
            continue;
        };
        let required = names(schema.get("required"));
        let optional: Vec<String> = schema::members(schema.get("properties"))
            .filter(|(name, property)| {
                !required.contains(*name) && is_collection(schema::resolve(document, property))
            })
            .map(|(name, _)| format!("{pointer}/properties/{}", escape(name)))
            .collect();
        for place in optional {
            if let Some(Value::Object(property)) = document.pointer_mut(&place) {
                property.insert("nullable".to_owned(), Value::Bool(true));
                wrap_nullable_reference(property);
            }
        }
    }
}

fn is_collection(schema: &Value) -> bool {
    match schema::text(schema, "type") {
        Some("array") => true,
        Some("object") => schema::members(schema.get("properties")).count() == 0,
        _ => false,
    }
}

/// Removes components without a use, such as the bodies of errors.
fn prune(document: &mut Value) {
    let used = schema::reachable(document, |_| true);
    if let Some(Value::Object(schemas)) = document.pointer_mut("/components/schemas") {
        schemas.retain(|name, _| used.contains(name));
    }
}

/// Makes every object of a response keep the keys that the document does not list.
fn keep_unknown_keys(document: &mut Value) {
    let in_response = |pointer: &str| pointer.contains("/responses/");
    let received = schema::reachable(document, in_response);
    for pointer in schema::schemas(document) {
        let component = pointer.strip_prefix("/components/schemas/");
        let component = component.and_then(|rest| rest.split('/').next());
        let is_received = match component {
            Some(name) => received.contains(&schema::unescape(name)),
            None => in_response(&pointer),
        };
        if let Some(Value::Object(schema)) = document.pointer_mut(&pointer)
            && is_received
            && schema.get("properties").is_some_and(Value::is_object)
            && !schema.get("additionalProperties").is_some_and(Value::is_object)
        {
            // The generator treats `true` as the default and drops unknown keys, but not for `{}`.
            schema.insert("additionalProperties".to_owned(), json!({}));
        }
    }
}

fn for_each_text(value: &mut Value, rule: &mut impl FnMut(&mut String)) {
    for item in value.as_array_mut().into_iter().flatten() {
        for_each_text(item, rule);
    }
    for (key, member) in value.as_object_mut().into_iter().flatten() {
        match member {
            Value::String(text) if key == "description" || key == "summary" => rule(text),
            member => for_each_text(member, rule),
        }
    }
}

/// Marks code in a description as text, so that rustdoc does not compile it.
fn without_doctests(text: &str) -> String {
    let mut fence: Option<&str> = None;
    let mut lines = Vec::new();
    for line in text.trim().lines() {
        let line = line.trim_end();
        let bare = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| bare.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => {
                fence = Some(mark);
                lines.push(format!("{mark}text"));
            }
            (Some(open), Some(mark)) if open == mark => {
                fence = None;
                lines.push(mark.to_owned());
            }
            (Some(_), _) => lines.push(line.to_owned()),
            (None, None) => {
                let indent = line.len() - bare.len();
                lines.push(format!("{}{bare}", " ".repeat(indent.min(3))));
            }
        }
    }
    // The generator appends to the text, and an open fence would include that.
    lines.extend(fence.map(str::to_owned));
    lines.join("\n")
}
