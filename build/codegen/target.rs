//! Refuses documents whose requests would go to another server or carry another secret.
//!
//! The client has one base URL and one bearer token for each API. A part of a document that asks
//! for something else would be ignored by the generator.

use serde_json::Value;

use super::schema::{self, elements, json_path, members, text};
use super::{Problems, Result};

/// Refuses an overlaid document with all reasons at once.
pub(crate) fn check(document: &Value) -> Result<()> {
    let mut found = Vec::new();
    for (path, item) in members(document.get("paths")) {
        let at = format!("/paths/{}", schema::escape(path));
        if item.get("servers").is_some() {
            found.push(format!("{}.servers: {OWN_SERVER}", json_path(&at)));
        }
    }
    for operation in schema::operations(document) {
        let title = operation.title();
        if operation.value.get("servers").is_some() {
            found.push(format!("{title}: `servers`: {OWN_SERVER}"));
        }
        let security = operation.value.get("security");
        if security.is_some_and(|security| Some(security) != document.get("security")) {
            found.push(format!(
                "{title}: `security`: the operation needs another secret than the others"
            ));
        }
    }
    for (name, scheme) in members(document.pointer("/components/securitySchemes")) {
        let is_bearer = text(scheme, "type") == Some("http")
            && text(scheme, "scheme").is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer"));
        if !is_bearer {
            let at = format!("/components/securitySchemes/{}", schema::escape(name));
            found.push(format!("{}: the client sends bearer tokens only", json_path(&at)));
        }
    }
    for (name, _) in members(document.pointer("/components/schemas")) {
        if is_part_of_itself(document, name) {
            let at = format!("/components/schemas/{}", schema::escape(name));
            found.push(format!("{}: `allOf` makes the schema a part of itself", json_path(&at)));
        }
    }
    if found.is_empty() { Ok(()) } else { Err(Problems(found)) }
}

const OWN_SERVER: &str = "the client has one server for all operations of a document";

/// Whether `allOf` leads from a component back to itself.
fn is_part_of_itself(document: &Value, name: &str) -> bool {
    let mut seen = Vec::new();
    let mut open = vec![name];
    while let Some(next) = open.pop() {
        let schema = document.pointer(&format!("/components/schemas/{}", schema::escape(next)));
        let parts = elements(schema.and_then(|schema| schema.get("allOf")));
        for part in parts.filter_map(schema::component) {
            if part == name {
                return true;
            }
            if !seen.contains(&part) {
                seen.push(part);
                open.push(part);
            }
        }
    }
    false
}
