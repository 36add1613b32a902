//! Overlays: how actions are read and applied.

use serde_json::{Value, json};

use crate::accept;
use crate::codegen::overlay::{Fault, Overlay, Stale};
use crate::codegen::read;

fn overlay(actions: &str) -> Result<Overlay, String> {
    let document = read::parse(&format!("overlay: 1.1.0\nactions: {actions}")).unwrap();
    Overlay::from_document(document).map_err(|problems| problems.to_string())
}

fn applied(actions: &str, mut document: Value) -> (Value, Vec<String>) {
    let stale = overlay(actions).unwrap().apply(&mut document);
    (document, stale.iter().map(ToString::to_string).collect())
}

/// As `applied`, for actions that need no digest of what they replace.
fn applied_unseen(actions: &str, mut document: Value) -> (Value, Vec<Stale>) {
    let mut stale = overlay(actions).unwrap().apply(&mut document);
    stale.retain(|stale| !matches!(stale.fault, Fault::HidesChange(_)));
    (document, stale)
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
        assert_eq!(applied_unseen(&actions, before), (after, Vec::new()), "{actions}");
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
        assert_eq!(applied_unseen(&actions, before), (after, Vec::new()), "{actions}");
    }
}

#[test]
fn actions_without_effect_are_listed() {
    let actions =
        "[{target: $.nope, description: d, update: 1}, {target: $.a, description: d, update: 1},
        {target: $.b, description: d, update: [3]}, {target: $.nope, description: d, remove: true}]";
    let (document, stale) = applied(actions, json!({ "a": 1, "b": [] }));
    assert_eq!(document, json!({ "a": 1, "b": [3] }));
    insta::assert_snapshot!(stale.join("\n"), @r"
    selects nothing (fixed upstream?): $.nope
        (d)
    changes nothing (fixed upstream?): $.a
        (d)
    selects nothing (fixed upstream?): $.nope
        (d)
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

const RENAME: &str = "[{target: $.a, description: Our name., update: {name: ours}}]";

fn with_digest(digest: &str) -> String {
    RENAME.replace("update:", &format!("x-replaces: '{digest}', update:"))
}

/// The digest of `{"name": "theirs"}` under the action.
fn digest() -> String {
    let mut document = json!({ "a": { "name": "theirs" } });
    let stale = overlay(RENAME).unwrap().apply(&mut document);
    let Fault::HidesChange(digest) = stale[0].fault.clone() else {
        panic!("{stale:?}");
    };
    digest
}

#[test]
fn an_action_with_the_digest_of_what_it_replaces_is_applied() {
    let document = json!({ "a": { "name": "theirs", "other": 1 } });
    let (document, stale) = applied(&with_digest(&digest()), document);
    assert_eq!((document, stale), (json!({ "a": { "name": "ours", "other": 1 } }), Vec::new()));
}

#[test]
fn an_action_that_would_hide_a_change_is_listed() {
    for (actions, document) in [
        // The vendor has changed the name.
        (with_digest(&digest()), json!({ "a": { "name": "new" } })),
        // The action has no digest yet.
        (RENAME.to_owned(), json!({ "a": { "name": "theirs" } })),
        // The vendor has added to a part that is removed.
        (
            format!(
                "[{{target: $.a, description: Our name., x-replaces: '{}', remove: true}}]",
                digest()
            ),
            json!({ "a": { "name": "theirs", "new": 1 } }),
        ),
    ] {
        let (_, stale) = applied(&actions, document);
        insta::allow_duplicates! {
            insta::assert_snapshot!(stale.join("\n"), @r"
            replaces a part that has changed: $.a
                (Our name.)
            ");
        }
    }
}

#[test]
fn a_digest_of_an_action_that_only_adds_is_listed() {
    let (_, stale) = applied(&with_digest(&digest()), json!({ "a": {} }));
    insta::assert_snapshot!(stale.join("\n"), @r"
    replaces nothing, but has the key `x-replaces`: $.a
        (Our name.)
    ");
}

#[test]
fn a_digest_is_written_into_the_action_and_nowhere_else() {
    let text = "actions:\n  - target: $.a\n    remove: true\n  - target: $.b\n    x-replaces: 'old'\n    remove: true\n";
    let added = accept::with_digest(text, "$.a", "new").unwrap();
    assert_eq!(added, text.replacen("$.a\n", "$.a\n    x-replaces: 'new'\n", 1));
    let changed = accept::with_digest(text, "$.b", "new").unwrap();
    assert_eq!(changed, text.replace("'old'", "'new'"));
    assert_eq!(accept::with_digest(text, "$.c", "new"), None);
}

#[test]
fn what_a_reference_refers_to_belongs_to_the_part_and_its_name_does_not() {
    let remove = "[{target: $.a, description: d, remove: true}]";
    let digest = |name: &str, of: Value| {
        let reference = format!("#/components/schemas/{name}");
        let mut document = json!({
            "a": { "$ref": reference },
            "components": { "schemas": { name: of } },
        });
        let stale = overlay(remove).unwrap().apply(&mut document);
        stale[0].fault.clone()
    };
    let lead = || json!({ "type": "object", "properties": { "id": { "type": "string" } } });
    assert_eq!(digest("Lead", lead()), digest("LeadRecord", lead()));
    assert_ne!(digest("Lead", lead()), digest("Lead", json!({ "type": "object" })));
    let circle = |name: &str| json!({ "next": { "$ref": format!("#/components/schemas/{name}") } });
    assert_eq!(digest("Lead", circle("Lead")), digest("Entry", circle("Entry")));
}
