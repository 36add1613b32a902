//! Holds a call against the OpenAPI description of its operation.

use super::nullable::as_json_schema;
use jsonschema::Validator;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// What a message of the call is, by the description.
#[derive(Debug, PartialEq)]
pub(crate) enum Verdict {
    Fits,
    /// What does not, with its place.
    Breaks(Vec<String>),
    /// There is nothing to compare, and why.
    Unknown(&'static str),
}

/// How many faults of one message are told.
const FAULTS_TOLD: usize = 10;

/// Both descriptions, with schemas as JSON Schema has them.
static DESCRIPTIONS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let texts = [
        include_str!("../../openapi/sync.yaml"),
        include_str!("../../openapi/async.yaml"),
    ];
    let read = |text| {
        let mut description: Value = yaml_serde::from_str(text).unwrap_or_default();
        as_json_schema(&mut description);
        description
    };
    texts.into_iter().map(read).collect()
});

/// One operation of a description.
pub(crate) struct Operation {
    description: &'static Value,
    operation: &'static Value,
}

impl Operation {
    pub(crate) fn find(id: &str) -> Option<Self> {
        DESCRIPTIONS.iter().find_map(|description| {
            let paths = description["paths"].as_object()?;
            let mut operations = paths
                .values()
                .filter_map(Value::as_object)
                .flat_map(Map::values);
            let operation = operations.find(|operation| operation["operationId"] == id)?;
            Some(Self {
                description,
                operation,
            })
        })
    }

    /// Its one-line summary.
    pub(crate) fn summary(&self) -> &'static str {
        self.operation["summary"].as_str().unwrap_or_default()
    }

    pub(crate) fn request(&self, body: Option<&[u8]>) -> Verdict {
        let described = self.resolve(&self.operation["requestBody"]);
        match (described["content"]["application/json"].get("schema"), body) {
            (Some(schema), Some(body)) => self.judge(schema, body),
            (None, None) => Verdict::Fits,
            (Some(_), None) => Verdict::Unknown("No body was read."),
            (None, Some(_)) => Verdict::Breaks(vec!["The operation takes no body.".to_owned()]),
        }
    }

    pub(crate) fn answer(
        &self,
        status: u16,
        content_type: Option<&str>,
        body: Option<&[u8]>,
    ) -> Verdict {
        let described = self.resolve(&self.operation["responses"][status.to_string()]);
        if described.is_null() {
            return Verdict::Breaks(vec![format!(
                "The operation is not described to answer {status}."
            )]);
        }
        let (content, body) = match (described["content"].as_object(), body) {
            (Some(content), Some(body)) => (content, body),
            (None, Some(_)) => {
                return Verdict::Breaks(vec![format!(
                    "An answer {status} is described to have no body."
                )]);
            }
            (Some(_), None) => {
                return Verdict::Breaks(vec![format!(
                    "An answer {status} is described to have a body."
                )]);
            }
            (None, None) => return Verdict::Fits,
        };
        let content_type = content_type.unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        match content.get(essence) {
            Some(described) if essence.ends_with("json") => self.judge(&described["schema"], body),
            Some(_) => Verdict::Fits,
            None => Verdict::Breaks(vec![format!(
                "The content type {content_type:?} is not described."
            )]),
        }
    }

    fn judge(&self, schema: &Value, body: &[u8]) -> Verdict {
        let body = match serde_json::from_slice(body) {
            Ok(body) => body,
            Err(error) => return Verdict::Breaks(vec![format!("It is not JSON: {error}.")]),
        };
        let whole = json!({ "allOf": [schema], "components": self.description["components"] });
        let options = jsonschema::options().should_validate_formats(true);
        let validator: Validator = match options.build(&whole) {
            Ok(validator) => validator,
            Err(_) => return Verdict::Unknown("The description cannot be read here."),
        };
        let faults: Vec<_> = validator
            .iter_errors(&body)
            .take(FAULTS_TOLD)
            .map(|fault| match fault.instance_path().as_str() {
                "" => fault.to_string(),
                place => format!("{place}: {fault}"),
            })
            .collect();
        match faults.is_empty() {
            true => Verdict::Fits,
            false => Verdict::Breaks(faults),
        }
    }

    fn resolve(&self, described: &'static Value) -> &'static Value {
        match described["$ref"].as_str() {
            Some(reference) => {
                let target = self.description.pointer(reference.trim_start_matches('#'));
                target.unwrap_or(&Value::Null)
            }
            None => described,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_a_description_that_can_be_read() {
        for id in crate::operations::ids() {
            let operation = Operation::find(id).expect(id);
            assert!(!operation.summary().is_empty(), "{id}");
            let answers = operation.operation["responses"].as_object().expect(id);
            for status in answers.keys() {
                let verdict = operation.answer(
                    status.parse().expect(id),
                    Some("application/json"),
                    Some(b"[7]"),
                );
                assert!(
                    matches!(verdict, Verdict::Breaks(_)),
                    "{id} {status}: {verdict:?}"
                );
            }
            let verdict = operation.request(Some(b"[7]"));
            assert!(matches!(verdict, Verdict::Breaks(_)), "{id}: {verdict:?}");
        }
        assert!(Operation::find("deleteLead").is_none());
    }

    #[test]
    fn places_are_told() {
        let create = Operation::find("createLead").expect("an operation");
        let answer =
            |body: &[u8]| create.answer(201, Some("application/json; charset=utf-8"), Some(body));
        assert_eq!(
            answer(br#"{"lead_id":"1","actions":[],"remarks":[]}"#),
            Verdict::Fits
        );
        let Verdict::Breaks(faults) = answer(br#"{"lead_id":7,"actions":[],"remarks":[]}"#) else {
            panic!("7 is no ID");
        };
        assert!(faults[0].starts_with("/lead_id: "), "{faults:?}");
        let not_described = create.answer(418, None, None);
        assert_eq!(
            not_described,
            Verdict::Breaks(vec![
                "The operation is not described to answer 418.".to_owned()
            ])
        );
    }
}
