//! Overlays: how actions are read and applied.

use serde_json::{Value, json};

use crate::codegen::overlay::Overlay;
use crate::codegen::read;

fn overlay(actions: &str) -> Result<Overlay, String> {
    let document = read::parse(&format!("overlay: 1.1.0\nactions: {actions}")).unwrap();
    Overlay::from_document(document).map_err(|problems| problems.to_string())
}

fn applied(actions: &str, mut document: Value) -> (Value, Vec<String>) {
    let stale = overlay(actions).unwrap().apply(&mut document);
    (document, stale.iter().map(ToString::to_string).collect())
}

#[test]
fn an_update_merges_objects_extends_arrays_and_replaces_the_rest() {
    for (target, update, before, after) in [
        (
            "$.a",
            "{c: {e: 2}}",
            json!({ "a": { "b": 1, "c": { "d": 1 } } }),
            json!({ "a": { "b": 1, "c": { "d": 1, "e": 2 } } }),
        ),
        ("$.a", "2", json!({ "a": [1] }), json!({ "a": [1, 2] })),
        ("$.a", "[2, 3]", json!({ "a": [1] }), json!({ "a": [1, 2, 3] })),
        ("$.a", "x", json!({ "a": 1 }), json!({ "a": "x" })),
        ("$.a", "{b: [2]}", json!({ "a": { "b": [1] } }), json!({ "a": { "b": [1, 2] } })),
        (
            "$.*.b",
            "x",
            json!({ "a": { "b": 1 }, "c": { "b": 2 } }),
            json!({ "a": { "b": "x" }, "c": { "b": "x" } }),
        ),
    ] {
        let actions = format!("[{{target: '{target}', description: d, update: {update}}}]");
        assert_eq!(applied(&actions, before), (after, Vec::new()), "{actions}");
    }
}

#[test]
fn a_removal_takes_every_selected_node_and_no_other() {
    for (target, before, after) in [
        ("$.a.b", json!({ "a": { "b": 1, "c": 2 } }), json!({ "a": { "c": 2 } })),
        ("$.a[?@ > 1]", json!({ "a": [1, 2, 3, 1, 4] }), json!({ "a": [1, 1] })),
        ("$.a[0, 2]", json!({ "a": [1, 2, 3] }), json!({ "a": [2] })),
        ("$..b", json!({ "b": { "b": 1 }, "c": [{ "b": 2 }] }), json!({ "c": [{}] })),
        ("$[\"/x~y\"]", json!({ "/x~y": 1, "z": 2 }), json!({ "z": 2 })),
    ] {
        let actions = format!("[{{target: '{target}', description: d, remove: true}}]");
        assert_eq!(applied(&actions, before), (after, Vec::new()), "{actions}");
    }
}

#[test]
fn actions_without_effect_are_listed() {
    let actions =
        "[{target: $.nope, description: d, update: 1}, {target: $.a, description: d, update: 1},
        {target: $.b, description: d, update: 3}, {target: $.nope, description: d, remove: true}]";
    let (document, stale) = applied(actions, json!({ "a": 1, "b": 2 }));
    assert_eq!(document, json!({ "a": 1, "b": 3 }));
    insta::assert_snapshot!(stale.join("\n"), @r"
    actions[0] selects nothing (fixed upstream?): $.nope
    actions[1] changes nothing (fixed upstream?): $.a
    actions[3] selects nothing (fixed upstream?): $.nope
    ");
}

#[test]
fn a_faulty_overlay_is_refused_with_all_faults() {
    let actions =
        "[1, {description: d, update: 1}, {target: $.a, update: 1}, {target: $.a, description: d},
        {target: '$.[', description: d, remove: true}, {target: $.a, description: d, updte: 1},
        {target: $.a, description: d, update: 1, remove: true}]";
    let Err(faults) = overlay(actions) else {
        panic!("accepted");
    };
    insta::assert_snapshot!(faults);
    let other = Overlay::from_document(json!({ "overlay": "1.0.0", "actions": [] })).err().unwrap();
    assert_eq!(other.to_string(), "the document is not an OpenAPI Overlay 1.1");
}
