//! The comparison of two documents.

use serde_json::{Value, json};

use crate::codegen::read;
use crate::diff::report;

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

/// The report after `value` has replaced the node at `pointer`.
fn changed(pointer: &str, value: Value) -> String {
    let mut new = spec();
    *new.pointer_mut(pointer).unwrap() = value;
    report(&spec(), &new)
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
fn the_name_of_a_component_does_not_matter() {
    let new =
        SPEC.replace("schemas/Lead", "schemas/Customer").replace("    Lead:", "    Customer:");
    assert_ne!(new, SPEC);
    assert_eq!(report(&spec(), &read::parse(&new).unwrap()), "no changes\n");
}

#[test]
fn a_new_or_removed_operation_is_reported_once() {
    let mut old = spec();
    old["paths"]["/lead/{id}"].as_object_mut().unwrap().remove("get");
    assert_eq!(report(&old, &spec()), "Compatible\n  GET /lead/{id}\n    itself: added\n");
    assert_eq!(report(&spec(), &old), "Breaking\n  GET /lead/{id}\n    itself: removed\n");
}
