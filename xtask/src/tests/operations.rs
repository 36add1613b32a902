//! The enum `Operation`, and the variants that generated methods pass to the transport.

use serde_json::json;

use crate::codegen::operations::{Variants, source};
use crate::codegen::{APIS, source_of};

fn document(id: &str) -> serde_json::Value {
    let answer = json!({ "200": { "description": "d" } });
    json!({
        "openapi": "3.0.3",
        "info": { "title": "T", "version": "1" },
        "paths": { "/lead": { "post": { "operationId": id, "responses": answer } } },
    })
}

#[test]
fn the_enum_has_a_variant_with_id_method_and_path_for_each_operation() {
    let source = source(&[&document("createLead")]).expect("a list");
    insta::assert_snapshot!(source);
}

#[test]
fn two_operations_with_one_name_are_refused() {
    let (first, second) = (document("createLead"), document("create_lead"));
    let error = source(&[&first, &second]).expect_err("one variant").to_string();
    assert_eq!(error, "POST /lead: another operation is called `create_lead` too");
}

#[test]
fn a_method_passes_its_variant_and_none_if_the_crate_lacks_the_operation() {
    let ours = document("createLead");
    let variants = Variants::of(&ours);
    let known = source_of(APIS[0], ours, &variants).expect("generated");
    let argument = "send(&self.client, Some(crate::Operation::CreateLead), request)";
    assert!(known.contains(argument), "{known}");
    let newer = source_of(APIS[0], document("mergeLeads"), &variants).expect("generated");
    assert!(newer.contains("send(&self.client, None, request)"), "{newer}");
}
