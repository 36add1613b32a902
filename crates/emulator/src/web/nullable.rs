//! Converts OpenAPI 3.0 schemas to JSON Schema, for the pages and for the tests.

use serde_json::{Map, Value, json};

/// Rewrites `nullable: true`, which JSON Schema does not have.
pub(crate) fn as_json_schema(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.values_mut().for_each(as_json_schema);
            if object.get("nullable") == Some(&Value::Bool(true)) {
                object.remove("nullable");
                let inner = Value::Object(std::mem::take(object));
                let either = json!([inner, { "type": "null" }]);
                *object = Map::from_iter([("anyOf".to_owned(), either)]);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(as_json_schema),
        _ => {}
    }
}
