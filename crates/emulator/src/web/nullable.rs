//! Schemas of OpenAPI 3.0 as JSON Schema has them. The tests use this too, which hold every answer against the descriptions.

use serde_json::{Map, Value, json};

/// What OpenAPI 3.0 says in its own words: `nullable`.
pub(crate) fn as_json_schema(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.values_mut().for_each(as_json_schema);
            if object.get("nullable") == Some(&Value::Bool(true)) {
                object.remove("nullable");
                let inner = Value::Object(std::mem::take(object));
                *object =
                    Map::from_iter([("anyOf".to_owned(), json!([inner, { "type": "null" }]))]);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(as_json_schema),
        _ => {}
    }
}
