//! The comparison of two documents.

use serde_json::{Value, json};

use super::root;
use crate::codegen::{overlay, read, schema};
use crate::diff::Report;

const SPEC: &str = "
openapi: 3.0.3
info: {title: T, version: '1'}
servers: [{url: 'http://localhost'}]
paths:
  /lead/{id}:
    parameters: [{in: path, name: id, required: true, schema: {type: string}}]
    get:
      operationId: getLead
      parameters: [{in: query, name: limit, schema: {type: integer, maximum: 100}}]
      responses:
        '200': {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/Lead'}}}}
        '404': {description: d}
    post:
      operationId: updateLead
      requestBody:
        required: true
        content: {application/json: {schema: {type: object, required: [fields], properties: {fields: {type: object}, note: {type: string}}}}}
      responses:
        '200': {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/Lead'}}}}
components:
  schemas:
    Lead:
      type: object
      properties:
        id: {type: string}
        rating: {type: integer, minimum: 1}
        stage: {$ref: '#/components/schemas/Stage'}
        parent: {$ref: '#/components/schemas/Lead'}
    Stage: {type: string, enum: [OPEN, WON]}
";

fn spec() -> Value {
    read::parse(SPEC).unwrap()
}

/// The report on two documents without an overlay.
fn report(old: &Value, new: &Value) -> Report {
    Report::of(&root(), None, old, new).unwrap()
}

/// The report after `value` has replaced the node at `pointer`.
fn changed(pointer: &str, value: Value) -> String {
    let mut new = spec();
    *new.pointer_mut(pointer).unwrap() = value;
    report(&spec(), &new).to_string()
}

#[test]
fn one_edit_at_a_time() {
    let lead = "/components/schemas/Lead/properties";
    let body = "/paths/~1lead~1{id}/post/requestBody/content/application~1json/schema";
    let get = "/paths/~1lead~1{id}/get";
    let text = json!({ "type": "string" });
    let mut output = String::new();
    for (name, pointer, value) in [
        (
            "a component's property changes its type",
            format!("{lead}/id"),
            json!({ "type": "integer" }),
        ),
        (
            "a property may be null",
            format!("{lead}/id"),
            json!({ "type": "string", "nullable": true }),
        ),
        (
            "properties come and go",
            lead.to_owned(),
            json!({ "id": text, "new": { "type": "object", "properties": { "deep": text } } }),
        ),
        (
            "a property is now required",
            "/components/schemas/Lead".to_owned(),
            json!({ "type": "object", "required": ["id"], "properties": spec()["components"]["schemas"]["Lead"]["properties"] }),
        ),
        (
            "values come and go",
            "/components/schemas/Stage/enum".to_owned(),
            json!(["OPEN", "LOST"]),
        ),
        ("a limit changes", format!("{lead}/rating/minimum"), json!(0)),
        (
            "a union appears",
            format!("{lead}/rating"),
            json!({ "oneOf": [text, { "type": "integer" }] }),
        ),
        (
            "an optional field of a request",
            format!("{body}/properties"),
            json!({ "fields": { "type": "object" }, "note": text, "more": text }),
        ),
        (
            "a demanded field of a request",
            body.to_owned(),
            json!({ "type": "object", "required": ["fields", "more"], "properties": { "fields": { "type": "object" }, "note": text, "more": text } }),
        ),
        (
            "a parameter more",
            format!("{get}/parameters"),
            json!([{ "in": "query", "name": "limit", "schema": { "type": "integer", "maximum": 100 } }, { "in": "query", "name": "skip", "schema": { "type": "integer" } }]),
        ),
        ("a parameter less", format!("{get}/parameters"), json!([])),
        (
            "another success",
            format!("{get}/responses"),
            json!({ "201": spec().pointer(&format!("{get}/responses/200")) }),
        ),
        (
            "another error",
            format!("{get}/responses/404"),
            json!({ "description": "gone", "content": { "application/json": { "schema": text } } }),
        ),
        ("another server", "/servers".to_owned(), json!([])),
        ("another description", "/info/title".to_owned(), json!("U")),
    ] {
        let report = changed(&pointer, value);
        output.push_str(&format!("# {name}\n{report}\n"));
    }
    insta::assert_snapshot!("one_edit_at_a_time", output);
}

#[test]
fn the_name_of_a_component_matters_to_rust_only() {
    let new =
        SPEC.replace("schemas/Lead", "schemas/Customer").replace("    Lead:", "    Customer:");
    assert_ne!(new, SPEC);
    let report = report(&spec(), &read::parse(&new).unwrap());
    assert_eq!((report.rust_verdict(), report.wire_verdict()), ("breaking", "same"));
}

#[test]
fn a_new_or_removed_operation_is_reported_once() {
    let mut old = spec();
    old["paths"]["/lead/{id}"].as_object_mut().unwrap().remove("get");
    let added = report(&old, &spec()).to_string();
    assert!(added.contains("compatible: Client::get_lead: added"), "{added}");
    assert!(added.contains("  compatible\n    GET /lead/{id}\n      itself: added\n"), "{added}");
    let removed = report(&spec(), &old).to_string();
    assert!(removed.contains("breaking: Operation::GetLead: removed"), "{removed}");
    assert!(
        removed
            .ends_with("wire: breaking\n  breaking\n    GET /lead/{id}\n      itself: removed\n")
    );
}

/// The verdicts on a change and on its reverse, as the columns of the table.
fn verdicts(old: &Value, new: &Value) -> Vec<String> {
    let reports = [report(old, new), report(new, old)];
    let verdicts =
        reports.map(|report| format!("{}, {}", report.rust_verdict(), report.wire_verdict()));
    verdicts.to_vec()
}

fn edited(base: &Value, edits: &Value) -> Value {
    let mut document = base.clone();
    for (pointer, value) in schema::members(Some(edits)) {
        if value.is_null() {
            overlay::remove(&mut document, pointer);
            continue;
        }
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        match document.pointer_mut(parent).unwrap() {
            Value::Array(items) => items.insert(key.parse().unwrap(), value.clone()),
            parent => parent[schema::unescape(key)] = value.clone(),
        }
    }
    document
}

/// The document with the schema of a request in an answer, and the other way round.
fn swapped(document: &Value) -> Option<Value> {
    let mut document = document.clone();
    let request = "/paths/~1lead~1{id}/post/requestBody/content/application~1json/schema";
    let answer = "/paths/~1lead~1{id}/get/responses/200/content/application~1json/schema";
    let taken = document.pointer(request)?.clone();
    let given = std::mem::replace(document.pointer_mut(answer)?, taken);
    *document.pointer_mut(request)? = given;
    Some(document)
}

#[test]
fn the_verdicts_are_those_of_the_table_in_the_documentation() {
    let cases = read::parse(include_str!("diff-cases.yaml")).unwrap();
    let base = &cases["base"];
    let mut rows = Vec::new();
    for (name, edits) in schema::members(cases.get("cases")) {
        let new = edited(base, edits);
        // A change outside of the swapped schemas has no other side.
        let is_of_body =
            edits.to_string().contains("/components/schemas/") && !name.starts_with("error");
        let twin = match cases["twins"].get(name) {
            Some(twin) => Some((edited(base, &twin[0]), edited(base, &twin[1]))),
            None => {
                swapped(base).zip(swapped(&new)).filter(|_| is_of_body && !name.starts_with("path"))
            }
        };
        let mut cells = vec![format!("`{name}`")];
        cells.extend(verdicts(base, &new));
        match twin {
            Some((old, new)) => cells.extend(verdicts(&old, &new)),
            None => cells.extend(["–".to_owned(), "–".to_owned()]),
        }
        cells.push(report(base, &new).topics().join(", "));
        rows.push(cells.join(" | ").trim_end().to_owned());
    }
    assert_eq!(rows.len(), 28);
    let page = std::fs::read_to_string(root().join("docs/spec-changes.md")).unwrap();
    let table =
        page.lines().filter_map(|line| line.strip_prefix("| ").filter(|row| row.starts_with('`')));
    let table: Vec<_> = table.map(|row| row.rsplit_once(" | ").unwrap().0.trim_end()).collect();
    assert_eq!(table.join("\n"), rows.join("\n"));
}
