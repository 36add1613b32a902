//! Constructs that break the generator, or make it write wrong code.

use serde_json::Value;

use crate::codegen::operations::Variants;
use crate::codegen::{APIS, Api, generate, normalise, read, source_of};
use crate::stage;

/// How the pipeline treats a construct.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Treatment {
    /// The lint refuses it.
    Refused,
    /// It is rewritten, and then the code is right.
    Normalised,
    /// It needs no rewriting.
    Harmless,
}

use Treatment::{Harmless, Normalised, Refused};

/// A document with a header and these members.
fn document(members: &str) -> String {
    format!("openapi: 3.0.3\ninfo: {{title: T, version: '1'}}\n{members}")
}

/// A document whose one operation has these members.
fn operation(members: &str) -> String {
    document(&format!("paths: {{/x: {{get: {{operationId: getX, {members}}}}}}}"))
}

/// A document whose one operation answers with this schema.
fn answer(schema: &str) -> String {
    operation(&format!("responses: {{'200': {}}}", json(schema)))
}

/// A document whose one operation answers with the component `X`, among these components.
fn components(schemas: &str) -> String {
    format!("{}\ncomponents: {{schemas: {schemas}}}", answer("{$ref: '#/components/schemas/X'}"))
}

/// A document with one operation that has these parameters, at this path.
fn parameters(path: &str, list: &str) -> String {
    document(&format!(
        "paths: {{'{path}': {{get: {{operationId: getX, parameters: [{list}], responses: {{'204': {{description: d}}}}}}}}}}"
    ))
}

/// A document whose one operation sends this body.
fn body(members: &str) -> String {
    operation(&format!("requestBody: {{{members}}}, responses: {{'204': {{description: d}}}}"))
}

fn json(schema: &str) -> String {
    format!("{{description: d, content: {{application/json: {{schema: {schema}}}}}}}")
}

const TYPED: &str = "{description: d, content: {application/json: {schema: {type: object, properties: {a: {type: string}}}}}}";
const OTHER: &str = "{description: d, content: {application/json: {schema: {type: object, properties: {b: {type: string}}}}}}";
const EMPTY: &str = "{description: d}";
const PLAIN: &str = "{description: d, content: {text/plain: {schema: {type: string}}}}";

fn responses(list: &[(&str, &str)]) -> String {
    let list: Vec<_> =
        list.iter().map(|(status, response)| format!("'{status}': {response}")).collect();
    operation(&format!("responses: {{{}}}", list.join(", ")))
}

fn two_operations(first: &str, second: &str) -> String {
    document(&format!(
        "paths: {{/x: {{get: {{{first}, responses: {{'204': {EMPTY}}}}}}}, /y: {{get: {{{second}, responses: {{'204': {EMPTY}}}}}}}}}"
    ))
}

fn cases() -> Vec<(&'static str, Treatment, String)> {
    let string = "{type: string}";
    vec![
        // Names of operations
        (
            "no operationId",
            Refused,
            document(&format!("paths: {{/x: {{get: {{responses: {{'204': {EMPTY}}}}}}}}}")),
        ),
        ("duplicate operationId", Refused, two_operations("operationId: a", "operationId: a")),
        (
            "operationIds that become one method",
            Refused,
            two_operations("operationId: getX", "operationId: get_x"),
        ),
        (
            "an operationId like that of another's request",
            Refused,
            two_operations("operationId: getX", "operationId: getXRequest"),
        ),
        (
            "a keyword like that of another's request",
            Refused,
            two_operations("operationId: match", "operationId: matchRequest"),
        ),
        (
            "an operationId like a constructor",
            Refused,
            two_operations("operationId: new", "operationId: newWithClient"),
        ),
        // Servers, secrets and circles
        (
            "an operation with a server of its own",
            Refused,
            operation(&format!(
                "servers: [{{url: 'https://other.example.com'}}], responses: {{'204': {EMPTY}}}"
            )),
        ),
        (
            "a path with a server of its own",
            Refused,
            document(&format!(
                "paths: {{/x: {{servers: [{{url: 'https://other.example.com'}}], get: {{operationId: getX, responses: {{'204': {EMPTY}}}}}}}}}"
            )),
        ),
        (
            "an operation with another secret",
            Refused,
            document(&format!(
                "security: [{{bearer: []}}]\npaths: {{/x: {{get: {{operationId: getX, security: [{{key: []}}], responses: {{'204': {EMPTY}}}}}}}}}"
            )),
        ),
        (
            "an operation without a secret",
            Refused,
            operation(&format!("security: [], responses: {{'204': {EMPTY}}}")),
        ),
        (
            "an operation with the secret of all",
            Harmless,
            document(&format!(
                "security: [{{bearer: []}}]\npaths: {{/x: {{get: {{operationId: getX, security: [{{bearer: []}}], responses: {{'204': {EMPTY}}}}}}}}}"
            )),
        ),
        (
            "a secret in a header of its own",
            Refused,
            format!(
                "{}\ncomponents: {{securitySchemes: {{key: {{type: apiKey, in: header, name: x-key}}}}}}",
                operation(&format!("responses: {{'204': {EMPTY}}}"))
            ),
        ),
        (
            "a schema that is a part of itself",
            Refused,
            components(
                "{X: {allOf: [{$ref: '#/components/schemas/Y'}]}, Y: {allOf: [{$ref: '#/components/schemas/X'}, {type: object}]}}",
            ),
        ),
        // Answers
        (
            "two successes with different bodies",
            Refused,
            responses(&[("200", TYPED), ("201", OTHER)]),
        ),
        ("two successes with equal bodies", Harmless, responses(&[("200", TYPED), ("201", TYPED)])),
        (
            "two successes with one component",
            Harmless,
            format!(
                "{}\ncomponents: {{schemas: {{X: {{type: object, properties: {{a: {string}}}}}}}}}",
                responses(&[
                    ("200", &json("{$ref: '#/components/schemas/X'}")),
                    ("201", &json("{$ref: '#/components/schemas/X'}")),
                ])
            ),
        ),
        (
            "a success with a body and one without",
            Normalised,
            responses(&[("200", TYPED), ("204", EMPTY)]),
        ),
        (
            "errors with different bodies",
            Normalised,
            responses(&[("200", TYPED), ("400", OTHER), ("401", TYPED)]),
        ),
        (
            "an error with a body and one without",
            Normalised,
            responses(&[("200", TYPED), ("401", OTHER), ("429", EMPTY)]),
        ),
        (
            "an error as JSON and one as text",
            Normalised,
            responses(&[("200", TYPED), ("401", OTHER), ("429", PLAIN)]),
        ),
        ("a success and a default", Normalised, responses(&[("200", TYPED), ("default", OTHER)])),
        (
            "a range of successes and a default",
            Normalised,
            responses(&[("2XX", TYPED), ("default", OTHER)]),
        ),
        ("a default alone", Refused, responses(&[("default", TYPED)])),
        ("an answer without a body", Harmless, responses(&[("204", EMPTY)])),
        (
            "JSON without a schema",
            Refused,
            responses(&[("200", "{description: d, content: {application/json: {}}}")]),
        ),
        // Parameters
        (
            "a path parameter without required",
            Normalised,
            parameters("/x/{id}", "{in: path, name: id, schema: {type: string}}"),
        ),
        (
            "a path parameter that is not required",
            Normalised,
            parameters("/x/{id}", "{in: path, name: id, required: false, schema: {type: string}}"),
        ),
        ("a path parameter that is not declared", Refused, parameters("/x/{id}", "")),
        (
            "a path parameter that is not in the path",
            Refused,
            parameters("/x", "{in: path, name: id, required: true, schema: {type: string}}"),
        ),
        (
            "parameters that become one argument",
            Refused,
            parameters(
                "/x",
                "{in: query, name: leadId, schema: {type: string}}, {in: query, name: lead_id, schema: {type: string}}",
            ),
        ),
        ("a cookie", Refused, parameters("/x", "{in: cookie, name: c, schema: {type: string}}")),
        (
            "a deepObject parameter",
            Refused,
            parameters("/x", "{in: query, name: q, style: deepObject, schema: {type: object}}"),
        ),
        (
            "a pipeDelimited parameter",
            Refused,
            parameters(
                "/x",
                "{in: query, name: q, style: pipeDelimited, schema: {type: array, items: {type: string}}}",
            ),
        ),
        (
            "a parameter with content",
            Refused,
            parameters(
                "/x",
                "{in: query, name: q, content: {application/json: {schema: {type: object}}}}",
            ),
        ),
        (
            "the authorization header as a parameter",
            Normalised,
            parameters("/x", "{in: header, name: Authorization, schema: {type: string}}"),
        ),
        (
            "a default of a query parameter",
            Normalised,
            parameters(
                "/x",
                "{in: query, name: limit, schema: {type: integer, default: 10, minimum: 1}}",
            ),
        ),
        (
            "a list in a query",
            Refused,
            parameters(
                "/x",
                "{in: query, name: tags, schema: {type: array, items: {type: string}}}",
            ),
        ),
        (
            "a list in a path",
            Refused,
            parameters(
                "/x/{ids}",
                "{in: path, name: ids, required: true, schema: {type: array, items: {type: string}}}",
            ),
        ),
        (
            "an object in a header",
            Refused,
            parameters("/x", "{in: header, name: x-filter, schema: {type: object}}"),
        ),
        (
            "parameters called like what the method has itself",
            Harmless,
            parameters(
                "/x/{request}",
                "{in: path, name: request, required: true, schema: {type: integer}}, {in: query, name: response, schema: {type: boolean}}, {in: query, name: url, schema: {type: boolean}}, {in: query, name: self, schema: {type: boolean}}",
            ),
        ),
        (
            "a parameter called like the headers",
            Refused,
            parameters(
                "/x",
                "{in: header, name: x-trace, schema: {type: string}}, {in: query, name: header_map, schema: {type: string}}",
            ),
        ),
        // References
        (
            "a parameter reference that leads nowhere",
            Refused,
            parameters("/x", "{$ref: '#/components/parameters/q'}"),
        ),
        (
            "a schema reference that leads nowhere",
            Refused,
            answer("{$ref: '#/components/schemas/Nope'}"),
        ),
        ("a reference into the paths", Refused, answer("{$ref: '#/paths/~1x/get'}")),
        (
            "an escaped reference",
            Refused,
            format!(
                "{}\ncomponents: {{schemas: {{My Thing: {string}}}}}",
                answer("{$ref: '#/components/schemas/My%20Thing'}")
            ),
        ),
        (
            "a path that is a reference",
            Refused,
            document("paths: {/x: {$ref: '#/components/pathItems/x'}}"),
        ),
        // Bodies
        (
            "a body as JSON or a form",
            Normalised,
            body(
                "required: true, content: {application/json: {schema: {type: object}}, application/x-www-form-urlencoded: {schema: {type: object}}}",
            ),
        ),
        (
            "a body as one of two that are not JSON",
            Refused,
            body(
                "content: {text/plain: {schema: {type: string}}, text/csv: {schema: {type: string}}}",
            ),
        ),
        (
            "a parameter called like the body",
            Refused,
            operation(
                "parameters: [{in: query, name: body, schema: {type: string}}], requestBody: {content: {application/json: {schema: {type: object}}}}, responses: {'204': {description: d}}",
            ),
        ),
        (
            "a multipart body",
            Refused,
            body("content: {multipart/form-data: {schema: {type: object}}}"),
        ),
        (
            "an optional body",
            Normalised,
            body(
                "required: false, content: {application/json: {schema: {type: object, properties: {a: {type: string}}}}}",
            ),
        ),
        // The document
        (
            "OpenAPI 3.1",
            Refused,
            "openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths: {}".to_owned(),
        ),
        (
            "a version that is a number",
            Refused,
            "openapi: 3.0.3\ninfo: {title: T, version: 1.0}\npaths: {}".to_owned(),
        ),
        ("a duplicate key", Refused, "openapi: 3.0.3\nopenapi: 3.0.3".to_owned()),
        (
            "a duplicate key, once as a number",
            Refused,
            "openapi: 3.0.3\npaths: {200: a, '200': b}".to_owned(),
        ),
        ("a merge key", Refused, "a: &a {b: c}\nd: {<<: *a}".to_owned()),
        (
            "duplicate tags",
            Harmless,
            format!("{}\ntags: [{{name: t}}, {{name: t}}]", answer(string)),
        ),
        (
            "security",
            Harmless,
            format!(
                "{}\nsecurity: [{{B: []}}]\ncomponents: {{securitySchemes: {{B: {{type: http, scheme: bearer}}}}}}",
                answer(string)
            ),
        ),
        (
            "servers",
            Harmless,
            format!("{}\nservers: [{{url: 'http://localhost'}}]", answer(string)),
        ),
        (
            "headers, links and callbacks",
            Harmless,
            operation(
                "callbacks: {c: {}}, responses: {'200': {description: d, headers: {h: {schema: {type: string}}}, links: {l: {operationId: getX}}, content: {application/json: {schema: {type: string}}}}}",
            ),
        ),
        ("extensions", Harmless, answer("{type: string, x-anything: {a: 1}}")),
        // Enums
        ("values that differ in case", Refused, answer("{type: string, enum: [active, Active]}")),
        ("values of symbols only", Refused, answer("{type: string, enum: ['+', '-']}")),
        ("values of other alphabets", Refused, answer("{type: string, enum: [ü, ö]}")),
        ("values of several types", Refused, answer("{enum: [a, 1]}")),
        (
            "values with blanks, empty or called unknown",
            Normalised,
            answer("{type: string, enum: ['On Leave', '', Unknown, 1st]}"),
        ),
        (
            "a list of texts",
            Normalised,
            components(
                "{X: {type: object, properties: {state: {type: string, enum: [On, Off]}, states: {type: array, items: {type: string, enum: [On, Off]}}}}}",
            ),
        ),
        (
            "a list of texts or null",
            Normalised,
            components(
                "{X: {type: object, required: [state], properties: {state: {type: string, nullable: true, enum: [On, null]}, other: {$ref: '#/components/schemas/E'}}}, E: {type: string, nullable: true, enum: [On]}}",
            ),
        ),
        ("a list of numbers", Normalised, answer("{type: integer, enum: [1, 2]}")),
        // Defaults and limits
        (
            "a default of the wrong type",
            Normalised,
            components("{X: {type: object, properties: {a: {type: integer, default: ten}}}}"),
        ),
        (
            "a default out of range",
            Normalised,
            components(
                "{X: {type: object, properties: {a: {type: integer, minimum: 1, default: 0}}}}",
            ),
        ),
        (
            "a default that is no value of the enum",
            Normalised,
            components(
                "{X: {type: object, properties: {a: {type: string, enum: [On], default: Off}}}}",
            ),
        ),
        ("an example of the wrong type", Harmless, answer("{type: integer, example: ten}")),
        (
            "a date",
            Normalised,
            components("{X: {type: object, properties: {a: {type: string, format: date-time}}}}"),
        ),
        (
            "a pattern",
            Normalised,
            components(
                "{X: {type: object, properties: {a: {type: string, pattern: '^a$', maxLength: 3}}}}",
            ),
        ),
        (
            "a minimum of one",
            Normalised,
            components(
                "{X: {type: object, properties: {a: {type: integer, minimum: 1, maximum: 5}}}}",
            ),
        ),
        (
            "unique items",
            Normalised,
            answer("{type: array, uniqueItems: true, items: {type: string}}"),
        ),
        (
            "keywords as names of properties",
            Normalised,
            components(
                "{X: {type: object, properties: {default: {type: string}, format: {type: string}, pattern: {type: string}}}}",
            ),
        ),
        // Nulls
        (
            "a scalar that may be null",
            Normalised,
            components(
                "{X: {type: object, required: [a], properties: {a: {type: string, nullable: true}}}}",
            ),
        ),
        (
            "a reference in an allOf that may be null",
            Normalised,
            components(
                "{X: {type: object, required: [a], properties: {a: {nullable: true, allOf: [{$ref: '#/components/schemas/Y'}]}}}, Y: {type: object, properties: {b: {type: string}}}}",
            ),
        ),
        (
            "nullable beside a reference",
            Normalised,
            components(
                "{X: {type: object, required: [a], properties: {a: {nullable: true, $ref: '#/components/schemas/Y'}}}, Y: {type: object, properties: {b: {type: string}}}}",
            ),
        ),
        (
            "an optional map or list",
            Normalised,
            components(
                "{X: {type: object, properties: {details: {type: object}, list: {type: array, items: {type: string}}, named: {$ref: '#/components/schemas/L'}}}, L: {type: array, items: {type: string}}}",
            ),
        ),
        // Objects
        (
            "properties that become one field",
            Refused,
            components(
                "{X: {type: object, properties: {leadId: {type: string}, lead_id: {type: string}}}}",
            ),
        ),
        (
            "a property called extra",
            Refused,
            components("{X: {type: object, properties: {extra: {type: string}}}}"),
        ),
        (
            "a closed object in an answer",
            Normalised,
            components(
                "{X: {type: object, additionalProperties: false, properties: {a: {type: string}}}}",
            ),
        ),
        (
            "an object put together",
            Normalised,
            components(
                "{X: {allOf: [{$ref: '#/components/schemas/Y'}, {type: object, required: [c], properties: {c: {type: string}}}]}, Y: {type: object, required: [b], properties: {b: {type: string}}}}",
            ),
        ),
        ("not", Refused, answer("{not: {type: string}}")),
        ("an array without items", Refused, answer("{type: array}")),
        (
            "a number",
            Normalised,
            components("{X: {type: object, properties: {a: {type: number}}}}"),
        ),
        // Unions
        (
            "a map of a union of texts",
            Refused,
            components(
                "{X: {type: object, additionalProperties: {anyOf: [{$ref: '#/components/schemas/T'}, {$ref: '#/components/schemas/P'}]}}, T: {type: string}, P: {type: string}}",
            ),
        ),
        ("a number in a union", Refused, answer("{oneOf: [{type: number}, {type: object}]}")),
        (
            "summary or detail",
            Refused,
            components(
                "{X: {oneOf: [{$ref: '#/components/schemas/S'}, {$ref: '#/components/schemas/D'}]}, S: {type: object, required: [code], properties: {code: {type: string}}}, D: {type: object, required: [code, id], properties: {code: {type: string}, id: {type: string}}}}",
            ),
        ),
        (
            "custom action or payment",
            Refused,
            components(
                "{X: {anyOf: [{$ref: '#/components/schemas/C'}, {$ref: '#/components/schemas/P'}]}, C: {type: object, required: [type], properties: {type: {type: string}, fields: {type: object}}}, P: {type: object, required: [type, amount], properties: {type: {type: string}, amount: {type: string}}}}",
            ),
        ),
        (
            "a union of what cannot be confused",
            Refused,
            components(
                "{X: {oneOf: [{type: object, required: [a], properties: {a: {type: string}}}, {type: object, required: [b], properties: {b: {type: string}}}]}}",
            ),
        ),
        (
            "a union of one",
            Normalised,
            components(
                "{X: {anyOf: [{$ref: '#/components/schemas/Y'}]}, Y: {type: object, properties: {b: {type: string}}}}",
            ),
        ),
        // Names of types
        (
            "a component with the name of a derived type",
            Refused,
            format!(
                "{}\ncomponents: {{schemas: {{Y: {{type: object, properties: {{g: {{$ref: '#/components/schemas/GetXResponse'}}}}}}, GetXResponse: {string}}}}}",
                operation(
                    "responses: {'200': {description: d, content: {application/json: {schema: {type: object, properties: {y: {$ref: '#/components/schemas/Y'}}}}}}}"
                )
            ),
        ),
        (
            "components that become one type",
            Refused,
            components(
                "{X: {type: object, properties: {a: {$ref: '#/components/schemas/lead_id'}, b: {$ref: '#/components/schemas/LeadId'}}}, lead_id: {type: string}, LeadId: {type: string}}",
            ),
        ),
        // Descriptions
        (
            "code in a description",
            Normalised,
            components(
                "{X: {type: object, properties: {a: {type: string, description: \"One:\\n\\n```\\ncurl\\n```\\n\\n    indented\\n\\n```json\\n{\"}}}}",
            ),
        ),
    ]
}

fn parsed(text: &str) -> Result<Value, String> {
    read::parse(text).map_err(|problems| problems.to_string())
}

fn generated(text: &str) -> Result<String, String> {
    source_of(APIS[0], parsed(text)?, &Variants::of(&Value::Null))
        .map_err(|problems| problems.to_string())
}

fn normalised(text: &str) -> Value {
    let mut document = parsed(text).unwrap();
    normalise::normalise(&mut document);
    document
}

#[test]
fn each_construct_is_treated_as_expected() {
    let mut wrong = Vec::new();
    for (name, treatment, text) in cases() {
        match (treatment, generated(&text)) {
            (Refused, Err(_)) | (Normalised | Harmless, Ok(_)) => {}
            (_, outcome) => wrong.push(format!("{name} is not {treatment:?}: {outcome:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_refusal_names_its_place() {
    let mut text = String::new();
    for (name, _, case) in cases().into_iter().filter(|case| case.1 == Refused) {
        let message = generated(&case).unwrap_err();
        assert!(!message.contains("panicked"), "{name}: {message}");
        text.push_str(&format!("# {name}\n{message}\n\n"));
    }
    insta::assert_snapshot!("refused", text);
}

#[test]
fn normalised_constructs_generate_the_right_code() {
    let mut text = String::new();
    for (name, _, case) in cases().into_iter().filter(|case| case.1 == Normalised) {
        let document = normalised(&case);
        let source = generated(&case).unwrap();
        let surface = super::specs::surface(&source);
        let between = |from: &str, to: &str| {
            let (_, rest) = surface.split_once(from).unwrap();
            let (found, _) = rest.split_once(to).unwrap();
            found.lines().map(str::trim).collect::<Vec<_>>().join(" ")
        };
        let document = stage::yaml(document).unwrap();
        let (_, document) = document.split_once("paths:\n").unwrap();
        text.push_str(&format!(
            "# {name}\npaths:\n{document}\nenums {{{}\ntypes {{{}\nasync fn get_x{}\n\n",
            between("pub mod enums {", "pub mod types {"),
            between("use super::enums;", "pub mod error"),
            between("pub async fn get_x", " {}"),
        ));
    }
    insta::assert_snapshot!("normalised", text);
}

#[test]
fn harmless_constructs_generate_the_same_code_as_a_plain_document() {
    let reference = super::specs::surface(&generated(&answer("{type: string}")).unwrap());
    for (name, _, case) in cases().into_iter().filter(|case| case.1 == Harmless) {
        let surface = super::specs::surface(&generated(&case).unwrap());
        assert!(surface.contains("pub async fn get_x<'a>"), "{name}: {surface}");
        if case.contains("schema: {type: string}") && !case.contains("text/plain") {
            assert_eq!(surface, reference, "{name}");
        }
    }
}

#[test]
fn path_segments_are_encoded_before_the_url_is_built() {
    let list = "{in: path, name: number, required: true, schema: {type: integer}}, {in: path, name: url, required: true, schema: {type: string}}";
    let source = generated(&parameters("/x/{number}/{url}", list)).unwrap();
    let lines: Vec<_> = source.lines().map(str::trim).collect();
    let start = lines.iter().position(|line| line.contains("number.to_string()"));
    assert_eq!(
        lines[start.expect("as a text")..][..4],
        [
            "let number = &number.to_string();",
            r#"let number = encode_path("number", number)?;"#,
            r#"let url = encode_path("url", url)?;"#,
            r#"let _url = format!("{}/x/{}/{}", self.baseurl, number, url,);"#,
        ],
    );
}

#[test]
fn normalising_twice_changes_nothing() {
    for (name, _, case) in cases() {
        let Ok(mut document) = parsed(&case) else {
            continue;
        };
        normalise::normalise(&mut document);
        let once = document.clone();
        normalise::normalise(&mut document);
        assert_eq!(document, once, "{name}");
    }
}

#[test]
fn a_panic_of_the_generator_becomes_an_error() {
    // Skips the lint, as a construct does for which it has no rule.
    let document = normalised(&answer("{not: {type: string}}"));
    let api: Api = APIS[0];
    let error =
        generate::generate(api, document, &Variants::of(&Value::Null)).unwrap_err().to_string();
    assert!(error.starts_with("the generator panicked: "), "{error}");
}
