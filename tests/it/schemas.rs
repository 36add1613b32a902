//! JSON Schemas, of the feature `schemars`: they accept what serde writes, and serde reads what they accept.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::any::type_name;
use telecrm::raw::{ingest, sync};
use telecrm::{
    Action, ActionRecord, ActionResult, ActionStatus, Availability, Certainty, Currency,
    CustomActionRecord, CustomFieldRecord, ErrorCode, FieldPath, FieldType, FieldValue, Finding,
    FindingKind, Lead, LeadRecord, License, Metadata, Page, PaymentStatus, RemarkStatus,
    TeamMember, TeamMemberRole, TeamMemberStatus, Workspace,
};

fn schema_of<T: JsonSchema>(settings: SchemaSettings) -> Value {
    let schema: Schema = settings.into_generator().into_root_schema_for::<T>();
    schema.to_value()
}

/// A value that a schema describes, with all its properties or with those only that must be there.
fn instance(root: &Value, schema: &Value, all: bool) -> Value {
    if let Some(name) = schema["$ref"].as_str() {
        let at = name
            .strip_prefix('#')
            .expect("a reference into the document");
        return instance(root, root.pointer(at).expect("a definition"), all);
    }
    if let Some(first) = schema["examples"].get(0) {
        return first.clone();
    }
    for list in ["anyOf", "oneOf"] {
        if let Some(first) = schema[list].get(0) {
            return instance(root, first, all);
        }
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    if let Some(only) = schema.get("const") {
        return only.clone();
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds[0].as_str(),
        kind => kind.as_str(),
    };
    match kind {
        Some("object") => {
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            let properties = schema["properties"].as_object().into_iter().flatten();
            let mut object: Map<_, _> = properties
                .filter(|(name, _)| all || required.contains(&json!(name)))
                .map(|(name, property)| (name.clone(), instance(root, property, all)))
                .collect();
            let more = schema.get("additionalProperties");
            if let Some(more) = more.filter(|more| all && **more != json!(false)) {
                object.insert("x_new".to_owned(), instance(root, more, all));
            }
            object.into()
        }
        Some("array") => json!([instance(root, &schema["items"], all)]),
        Some("string") => json!("text"),
        Some("integer") => json!(3),
        Some("number") => json!(1.5),
        Some("boolean") => json!(true),
        // Anything goes.
        None => json!({ "any": [1, null, "thing"] }),
        Some(other) => panic!("{other} is not expected in {root}"),
    }
}

/// What serde reads is what the schema of answers says, and what serde writes is what the other one says.
#[track_caller]
fn round_trip<T: JsonSchema + Serialize + DeserializeOwned>() {
    let name = type_name::<T>();
    let read = schema_of::<T>(SchemaSettings::draft2020_12());
    let written = schema_of::<T>(SchemaSettings::draft2020_12().for_serialize());
    for all in [false, true] {
        let json = instance(&read, &read, all);
        let value: T = serde_json::from_value(json.clone())
            .unwrap_or_else(|error| panic!("{name} does not read {json}: {error}"));
        let json = serde_json::to_value(&value).expect("JSON");
        for schema in [&read, &written] {
            if let Err(error) = jsonschema::validate(schema, &json) {
                panic!("{name} writes {json}, and its schema {schema} refuses it: {error}");
            }
        }
    }
}

/// Schemas that accept everything would accept what serde writes as well.
#[track_caller]
fn refuses<T: JsonSchema>(json: &Value) {
    let schema = schema_of::<T>(SchemaSettings::draft2020_12());
    let valid = jsonschema::is_valid(&schema, json);
    assert!(!valid, "{}: {schema} accepts {json}", type_name::<T>());
}

/// Round trips of generated types; gives their names.
macro_rules! round_trips {
    ($module:ident: $($name:ident)+) => {{
        $(round_trip::<$module::types::$name>();)+
        [$(stringify!($name)),+]
    }};
}

/// The types of a generated file that have a schema.
fn with_schema(generated: &str) -> Vec<&str> {
    let derived = generated.split("JsonSchema))]").skip(1);
    let after = derived.filter_map(|text| text.split_once("pub struct "));
    let names = after.filter_map(|(_, text)| text.split(|c: char| !c.is_alphanumeric()).next());
    names.collect()
}

#[test]
fn the_data_of_the_library() {
    round_trip::<FieldValue>();
    round_trip::<Lead>();
    round_trip::<Action>();
    round_trip::<LeadRecord>();
    round_trip::<ActionRecord>();
    round_trip::<TeamMember>();
    round_trip::<License>();
    round_trip::<Metadata>();
    round_trip::<CustomFieldRecord>();
    round_trip::<CustomActionRecord>();
    round_trip::<Page<LeadRecord>>();
    round_trip::<ActionResult>();
    round_trip::<Finding>();
    round_trip::<FindingKind>();
    round_trip::<Certainty>();
    round_trip::<FieldPath>();

    for list in [json!([]), json!("text"), json!(7)] {
        refuses::<Lead>(&list);
        refuses::<Action>(&list);
        refuses::<LeadRecord>(&list);
        refuses::<ActionRecord>(&list);
        refuses::<TeamMember>(&list);
        refuses::<Page<LeadRecord>>(&list);
        refuses::<Finding>(&list);
    }
    refuses::<Lead>(&json!({}));
    refuses::<Lead>(&json!({ "fields": [] }));
    refuses::<FieldPath>(&json!({ "Field": "rating" }));
    refuses::<FindingKind>(&json!("LeadDropped"));
}

#[test]
fn enums_take_any_text_and_name_the_known_ones() {
    macro_rules! enums {
        ($($name:ident)+) => {$(
            round_trip::<$name>();
            refuses::<$name>(&json!(7));
            let schema = schema_of::<$name>(SchemaSettings::draft2020_12());
            let known: Vec<_> = $name::KNOWN.iter().map($name::as_str).collect();
            assert_eq!(schema["examples"], json!(known));
            jsonschema::validate(&schema, &json!("brand new")).expect("a value of tomorrow");
        )+};
    }
    enums! {
        ActionStatus Availability Currency ErrorCode FieldType PaymentStatus RemarkStatus TeamMemberRole
        TeamMemberStatus
    }
}

#[test]
fn records_describe_their_keys() {
    let schema = schema_of::<TeamMember>(SchemaSettings::draft2020_12());
    assert_eq!(
        schema["properties"]["manager_email"],
        json!({ "description": "The manager's email address." })
    );
}

#[test]
fn what_check_finds_fits_the_schema() {
    let lead = Lead::new()
        .set("phone", "919999999999")
        .set("rating", "seven")
        .set("nonsense", 1);
    let checked = Workspace::sample().check(&lead);
    assert!(checked.findings().len() > 1);
    let schema = schema_of::<Vec<Finding>>(SchemaSettings::draft2020_12());
    let findings = serde_json::to_value(checked.findings()).expect("JSON");
    jsonschema::validate(&schema, &findings).expect("findings");
}

#[test]
fn the_generated_types_of_the_sync_api() {
    let names = round_trips! { sync:
        ActionRecord ChangedTeamMemberState CreateActionsBody CreateLeadBody CreateTeamMemberRequest
        CreatedTeamMember CustomActionRecord CustomActionRecordAllowPredatedActivity
        CustomActionRecordFieldSchemaValue CustomFieldRecord EnterpriseMetadata LeadLostReason
        LeadRecord LeadRecordLeadMetaData LeadStage LeadStagePipeline LeadStatus
        ListCustomActionsResponse ListCustomFieldsResponse Remark SearchActionsBody
        SearchActionsBodyCreatedOn SearchActionsResponse SearchLeadsBody SearchLeadsBodyActions
        SearchLeadsBodyActionsPerformedAt SearchLeadsResponse TeamMember TeamMemberLicense
        TeamMemberPage TeamMemberStateChange UpdateLeadBody WriteResult WriteResultActionsItem
    };
    assert_eq!(with_schema(include_str!("../../generated/sync.rs")), names);
}

#[test]
fn the_generated_types_of_the_async_api() {
    let names = round_trips! { ingest:
        CreateOrUpdateLeadBody CreateOrUpdateLeadResponse
    };
    assert_eq!(with_schema(include_str!("../../generated/async.rs")), names);
}
