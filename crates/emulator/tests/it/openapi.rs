//! Checks every answer in these tests against the OpenAPI descriptions that the emulator serves.

#[path = "../../src/web/nullable.rs"]
mod nullable;

use jsonschema::Validator;
use nullable::as_json_schema;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

/// Checks an answer against the description of its operation. An answer without an operation must
/// be an error in the envelope.
///
/// # Panics
/// Panics if the descriptions do not allow the answer.
pub(crate) fn check(method: &str, path: &str, status: u16, content_type: &str, body: &[u8]) {
    let place = format!("{method} {path} answered {status}");
    let text = String::from_utf8_lossy(body);
    let Some((api, template)) = find(method, path) else {
        assert!(matches!(status, 400 | 401 | 404 | 405), "{place}: {text}");
        let envelope: Value = serde_json::from_slice(body).expect("an envelope");
        assert!(envelope["error"]["code"].is_string(), "{place}: {text}");
        return;
    };
    let responses = &api.document["paths"][template][method.to_lowercase()]["responses"];
    let described = resolve(&api.document, &responses[status.to_string()]);
    assert!(described.is_object(), "{place}, which {template} does not describe: {text}");
    let Some(content) = described["content"].as_object() else {
        return;
    };
    let essence = content_type.split(';').next().unwrap_or_default();
    let Some(described) = content.get(essence) else {
        panic!("{place} with the undescribed content type {content_type:?}");
    };
    let answer: Value = serde_json::from_slice(body).expect("JSON");
    if let Err(wrong) =
        api.validate(&place_of(template, method, status), &described["schema"], &answer)
    {
        panic!("{place}: {wrong}\n{text}");
    }
}

/// The description of one API, with its schemas as JSON Schema.
struct Api {
    document: Value,
    base: &'static str,
    validators: Mutex<HashMap<String, Validator>>,
}

static APIS: LazyLock<[Api; 2]> = LazyLock::new(|| {
    [
        Api::new(include_str!("../../openapi/sync.yaml"), "/autoupdate/v2"),
        Api::new(include_str!("../../openapi/async.yaml"), ""),
    ]
});

impl Api {
    fn new(text: &str, base: &'static str) -> Self {
        let mut document: Value = yaml_serde::from_str(text).expect("YAML");
        as_json_schema(&mut document);
        Self { document, base, validators: Mutex::default() }
    }

    fn validate(&self, place: &str, schema: &Value, answer: &Value) -> Result<(), String> {
        let mut validators = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        let validator = validators.entry(place.to_owned()).or_insert_with(|| {
            let whole = json!({ "allOf": [schema], "components": self.document["components"] });
            let options = jsonschema::options().should_validate_formats(true);
            options.build(&whole).expect("a schema")
        });
        let wrong = validator.iter_errors(answer).next();
        wrong.map_or(Ok(()), |wrong| Err(format!("{}: {wrong}", wrong.instance_path())))
    }
}

fn place_of(template: &str, method: &str, status: u16) -> String {
    format!("{method} {template} {status}")
}

/// The operation of a request. If several paths match, it is the one with the fewest parameters.
fn find(method: &str, path: &str) -> Option<(&'static Api, &'static str)> {
    // Older integrations use this path.
    let path = path.trim_start_matches("/v2").replace("/wordpress", "/autoupdatelead");
    let paths = APIS.iter().flat_map(|api| {
        let paths = api.document["paths"].as_object().expect("paths");
        paths.keys().map(move |template| (api, template.as_str()))
    });
    let fits = |template: &str, base: &str| {
        let Some(rest) = path.strip_prefix(base) else {
            return false;
        };
        let (rest, template) = (rest.split('/'), template.split('/'));
        rest.clone().count() == template.clone().count()
            && rest
                .zip(template)
                .all(|(part, wanted)| part == wanted || wanted.starts_with('{') && !part.is_empty())
    };
    let (api, template) = paths
        .filter(|(api, template)| fits(template, api.base))
        .min_by_key(|(_, template)| template.matches('{').count())?;
    let methods = &api.document["paths"][template];
    methods.get(method.to_lowercase()).map(|_| (api, template))
}

fn resolve<'a>(document: &'a Value, described: &'a Value) -> &'a Value {
    match described["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).expect("a target"),
        None => described,
    }
}

mod tests {
    use super::{check, find};

    const LEAD: &str = "/autoupdate/v2/enterprise/e/lead";

    fn refuses(status: u16, content_type: &str, body: &'static [u8]) -> bool {
        let content_type = content_type.to_owned();
        std::panic::catch_unwind(move || check("POST", LEAD, status, &content_type, body)).is_err()
    }

    #[test]
    fn an_undescribed_answer_fails_the_check() {
        check(
            "POST",
            LEAD,
            201,
            "application/json",
            br#"{"lead_id":"1","actions":[{"action_id":null,"status":"IGNORED"}],"remarks":[]}"#,
        );
        assert!(refuses(201, "text/html", b"{}"), "content type");
        assert!(refuses(418, "application/json", b"{}"), "status");
        assert!(refuses(201, "application/json", b"OK"), "no JSON");
        assert!(refuses(201, "application/json", br#"{"lead_id":7}"#), "type");
        assert!(
            refuses(400, "application/json", br#"{"error":{"code":"NOPE","message":""}}"#),
            "code"
        );
    }

    #[test]
    fn each_request_belongs_to_the_most_specific_operation() {
        let template = |method, path: &str| find(method, path).map(|(_, template)| template);
        assert_eq!(
            template("POST", "/autoupdate/v2/enterprise/e/lead/search"),
            Some("/enterprise/{enterpriseId}/lead/search")
        );
        assert_eq!(template("GET", "/autoupdate/v2/enterprise/e/lead/search"), None);
        assert_eq!(
            template("POST", "/enterprise/e/autoupdatelead"),
            Some("/enterprise/{enterpriseId}/autoupdatelead")
        );
        assert_eq!(template("DELETE", "/autoupdate/v2/enterprise/e/lead/1"), None);
        assert_eq!(template("GET", "/autoupdate/v2/enterprise/e/custom-fields/"), None);
    }
}
