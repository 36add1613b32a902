//! Checks the request and response of a call against the OpenAPI description of its operation.

use super::nullable::as_json_schema;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

#[derive(Debug, PartialEq)]
pub(crate) enum Conformance {
    Conforms,
    /// The errors, each with its place in the message.
    Differs(Vec<String>),
    /// The reason why the message was not checked.
    NotChecked(&'static str),
}

/// How many errors are listed for one message.
const ERRORS_LISTED: usize = 10;

const SYNC_DESCRIPTION: &str = include_str!("../../openapi/sync.yaml");
const ASYNC_DESCRIPTION: &str = include_str!("../../openapi/async.yaml");

/// Both descriptions, with their schemas converted to JSON Schema.
static DESCRIPTIONS: LazyLock<[Value; 2]> = LazyLock::new(|| {
    [SYNC_DESCRIPTION, ASYNC_DESCRIPTION].map(|text| {
        let mut description: Value = yaml_serde::from_str(text).unwrap_or_default();
        as_json_schema(&mut description);
        description
    })
});

/// One operation of a description.
pub(crate) struct OperationSpec {
    description: &'static Value,
    operation: &'static Value,
}

impl OperationSpec {
    /// Returns None if no description has an operation with this ID.
    pub(crate) fn find(id: &str) -> Option<Self> {
        DESCRIPTIONS.iter().find_map(|description| {
            let paths = description["paths"].as_object()?.values();
            let mut operations = paths.filter_map(Value::as_object).flat_map(Map::values);
            let operation = operations.find(|operation| operation["operationId"] == id)?;
            Some(Self { description, operation })
        })
    }

    /// A summary of one line.
    pub(crate) fn summary(&self) -> &'static str {
        self.operation["summary"].as_str().unwrap_or_default()
    }

    pub(crate) fn request(&self, body: Option<&[u8]>) -> Conformance {
        let described = self.resolve(&self.operation["requestBody"]);
        match (described["content"]["application/json"].get("schema"), body) {
            (Some(schema), Some(body)) => self.validate(schema, body),
            (None, None) => Conformance::Conforms,
            (Some(_), None) => Conformance::NotChecked("the emulator read no body"),
            (None, Some(_)) => differs("The operation takes no body."),
        }
    }

    pub(crate) fn response(
        &self,
        status: u16,
        content_type: Option<&str>,
        body: Option<&[u8]>,
    ) -> Conformance {
        let described = self.resolve(&self.operation["responses"][status.to_string()]);
        if described.is_null() {
            return differs(format!("Status {status} is not in the description."));
        }
        let (content, body) = match (described["content"].as_object(), body) {
            (Some(content), Some(body)) => (content, body),
            (None, Some(_)) => return differs("The response must have no body."),
            (Some(_), None) => return differs("The response must have a body."),
            (None, None) => return Conformance::Conforms,
        };
        let content_type = content_type.unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        match content.get(essence) {
            Some(described) if essence.ends_with("json") => {
                self.validate(&described["schema"], body)
            }
            Some(_) => Conformance::Conforms,
            None => differs(format!("Content type {content_type:?} is not in the description.")),
        }
    }

    fn validate(&self, schema: &Value, body: &[u8]) -> Conformance {
        let body = match serde_json::from_slice(body) {
            Ok(body) => body,
            Err(error) => return differs(format!("The body is not JSON: {error}.")),
        };
        let schema = json!({ "allOf": [schema], "components": self.description["components"] });
        let options = jsonschema::options().should_validate_formats(true);
        let Ok(validator) = options.build(&schema) else {
            return Conformance::NotChecked("its schema in the description is invalid");
        };
        let errors = validator.iter_errors(&body).take(ERRORS_LISTED);
        let described = errors.map(|error| match error.instance_path().as_str() {
            "" => error.to_string(),
            place => format!("{place}: {error}"),
        });
        let described: Vec<_> = described.collect();
        if described.is_empty() {
            return Conformance::Conforms;
        }
        Conformance::Differs(described)
    }

    /// Follows a `$ref`.
    fn resolve(&self, described: &'static Value) -> &'static Value {
        let Some(reference) = described["$ref"].as_str() else {
            return described;
        };
        let target = self.description.pointer(reference.trim_start_matches('#'));
        target.unwrap_or(&Value::Null)
    }
}

fn differs(error: impl Into<String>) -> Conformance {
    Conformance::Differs(vec![error.into()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_a_readable_description() {
        for id in crate::operations::ids() {
            let operation = OperationSpec::find(id).expect(id);
            assert!(!operation.summary().is_empty(), "{id}");
            let responses = operation.operation["responses"].as_object().expect(id);
            for status in responses.keys() {
                let found = operation.response(
                    status.parse().expect(id),
                    Some("application/json"),
                    Some(b"[7]"),
                );
                assert!(matches!(found, Conformance::Differs(_)), "{id} {status}: {found:?}");
            }
            let found = operation.request(Some(b"[7]"));
            assert!(matches!(found, Conformance::Differs(_)), "{id}: {found:?}");
        }
        assert!(OperationSpec::find("deleteLead").is_none());
    }

    #[test]
    fn errors_name_their_place() {
        let create = OperationSpec::find("createLead").expect("an operation");
        let response =
            |body: &[u8]| create.response(201, Some("application/json; charset=utf-8"), Some(body));
        assert_eq!(
            response(br#"{"lead_id":"1","actions":[],"remarks":[]}"#),
            Conformance::Conforms
        );
        let Conformance::Differs(errors) = response(br#"{"lead_id":7,"actions":[],"remarks":[]}"#)
        else {
            panic!("a number is not an ID");
        };
        assert!(errors[0].starts_with("/lead_id: "), "{errors:?}");
        let undescribed = create.response(418, None, None);
        assert_eq!(
            undescribed,
            Conformance::Differs(vec!["Status 418 is not in the description.".to_owned()])
        );
    }
}
