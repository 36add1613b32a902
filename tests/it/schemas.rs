//! The JSON Schemas of the feature `schemars`: they accept what serde writes, and serde reads what
//! they accept.

use crate::support::cases;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::any::type_name;
use telecrm::response::{
    ActionResult, ActionStatus, Availability, CustomActionRecord, CustomFieldRecord, License,
    Metadata, Page, RemarkStatus, TeamMember, TeamMemberRole, TeamMemberStatus,
};
use telecrm::workspace::FieldType;
use telecrm::{
    Action, ActionRecord, Certainty, Currency, ErrorCode, FieldPath, FieldValue, Finding,
    FindingKind, Lead, LeadRecord, PaymentStatus, Workspace,
};

fn schema_of<T: JsonSchema>(settings: SchemaSettings) -> Value {
    let schema: Schema = settings.into_generator().into_root_schema_for::<T>();
    schema.to_value()
}

/// A value that the schema describes: with all properties, or with the required ones only.
fn instance(root: &Value, schema: &Value, all: bool) -> Value {
    if let Some(name) = schema["$ref"].as_str() {
        let at = name.strip_prefix('#').expect("a reference into the document");
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
            match schema.get("additionalProperties") {
                Some(extra) if all && *extra != json!(false) => {
                    object.insert("x_new".to_owned(), instance(root, extra, all));
                }
                _ => {}
            }
            object.into()
        }
        Some("array") => json!([instance(root, &schema["items"], all)]),
        Some("string") => json!("text"),
        Some("integer") => json!(3),
        Some("number") => json!(1.5),
        Some("boolean") => json!(true),
        // The schema allows any value.
        None => json!({ "any": [1, null, "thing"] }),
        Some(other) => panic!("{other} is not expected in {root}"),
    }
}

/// Serde reads what the schema accepts, and both schemas, for reading and writing, accept the
/// result.
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

/// The schema refuses a value. A schema that accepts everything would pass all other tests.
#[track_caller]
fn refuses<T: JsonSchema>(json: &Value) {
    let schema = schema_of::<T>(SchemaSettings::draft2020_12());
    let valid = jsonschema::is_valid(&schema, json);
    assert!(!valid, "{}: {schema} accepts {json}", type_name::<T>());
}

/// The types of a generated file that have a schema.
fn with_schema(generated: &str) -> Vec<&str> {
    let derived = generated.split("JsonSchema))]").skip(1);
    let after = derived.filter_map(|text| text.split_once("pub struct "));
    let names = after.filter_map(|(_, text)| text.split(|c: char| !c.is_alphanumeric()).next());
    names.collect()
}

/// One test of the round trip for each type.
macro_rules! round_trips {
    ($module:ident: $($case:ident $type:ty;)+) => {
        mod $module {
            use super::*;
            $(
                #[test]
                fn $case() {
                    round_trip::<$type>();
                }
            )+
        }
    };
}

/// One test of the round trip for each type of a generated file, and one that the list is complete.
macro_rules! generated_round_trips {
    ($module:ident $types:path, $file:literal: $($case:ident $name:ident;)+) => {
        mod $module {
            use super::{round_trip, with_schema};
            use $types as types;
            $(
                #[test]
                fn $case() {
                    round_trip::<types::$name>();
                }
            )+

            #[test]
            fn every_generated_type_has_a_case() {
                let names = [$(stringify!($name)),+];
                assert_eq!(with_schema(include_str!($file)), names);
            }
        }
    };
}

round_trips! { serde_and_schema_agree:
    a_value FieldValue;
    a_lead Lead;
    an_action Action;
    a_lead_record LeadRecord;
    an_action_record ActionRecord;
    a_team_member TeamMember;
    a_license License;
    metadata Metadata;
    a_custom_field CustomFieldRecord;
    a_custom_action CustomActionRecord;
    a_page Page<LeadRecord>;
    an_action_result ActionResult;
    a_finding Finding;
    a_finding_kind FindingKind;
    a_certainty Certainty;
    a_path FieldPath;
}

fn the_schema_of_an_object_refuses_other_types(refuses: fn(&Value)) {
    for other in [json!([]), json!("text"), json!(7)] {
        refuses(&other);
    }
}

cases! { the_schema_of_an_object_refuses_other_types:
    a_lead(refuses::<Lead>);
    an_action(refuses::<Action>);
    a_lead_record(refuses::<LeadRecord>);
    an_action_record(refuses::<ActionRecord>);
    a_team_member(refuses::<TeamMember>);
    a_page(refuses::<Page<LeadRecord>>);
    a_finding(refuses::<Finding>);
}

fn the_schema_refuses(refuses: fn(&Value), json: Value) {
    refuses(&json);
}

cases! { the_schema_refuses:
    a_lead_without_fields(refuses::<Lead>, json!({}));
    a_lead_with_a_list_of_fields(refuses::<Lead>, json!({ "fields": [] }));
    a_path_that_is_an_object(refuses::<FieldPath>, json!({ "Field": "rating" }));
    a_kind_in_camel_case(refuses::<FindingKind>, json!("LeadDropped"));
}

/// An open enum: its schema takes any text and shows the known values as examples.
macro_rules! enums_take_any_text_and_show_the_known_values {
    ($($case:ident $name:ident)+) => {
        mod enums_take_any_text_and_show_the_known_values {
            use super::*;
            $(
                #[test]
                fn $case() {
                    round_trip::<$name>();
                    refuses::<$name>(&json!(7));
                    let schema = schema_of::<$name>(SchemaSettings::draft2020_12());
                    let known: Vec<_> = $name::KNOWN.iter().map($name::as_str).collect();
                    assert_eq!(schema["examples"], json!(known));
                    let of_tomorrow = json!("brand new");
                    jsonschema::validate(&schema, &of_tomorrow).expect("an unknown value");
                }
            )+
        }
    };
}

enums_take_any_text_and_show_the_known_values! {
    action_status ActionStatus
    availability Availability
    currency Currency
    error_code ErrorCode
    field_type FieldType
    payment_status PaymentStatus
    remark_status RemarkStatus
    team_member_role TeamMemberRole
    team_member_status TeamMemberStatus
}

#[test]
fn the_schema_of_a_record_describes_its_keys() {
    let schema = schema_of::<TeamMember>(SchemaSettings::draft2020_12());
    assert_eq!(
        schema["properties"]["manager_email"],
        json!({ "description": "The manager's email address." })
    );
}

#[test]
fn the_findings_of_the_check_fit_the_schema() {
    let lead = Lead::new().set("phone", "919999999999").set("rating", "seven").set("nonsense", 1);
    let checked = Workspace::sample().check(&lead);
    assert!(checked.findings().len() > 1);
    let schema = schema_of::<Vec<Finding>>(SchemaSettings::draft2020_12());
    let findings = serde_json::to_value(checked.findings()).expect("JSON");
    jsonschema::validate(&schema, &findings).expect("findings");
}

generated_round_trips! { generated_types_of_the_sync_api telecrm::raw::sync::types, "../../generated/sync.rs":
    action_record ActionRecord;
    changed_team_member_state ChangedTeamMemberState;
    create_actions_body CreateActionsBody;
    create_lead_body CreateLeadBody;
    create_team_member_request CreateTeamMemberRequest;
    created_team_member CreatedTeamMember;
    custom_action_record CustomActionRecord;
    custom_action_record_allow_predated_activity CustomActionRecordAllowPredatedActivity;
    custom_action_record_field_schema_value CustomActionRecordFieldSchemaValue;
    custom_field_record CustomFieldRecord;
    enterprise_metadata EnterpriseMetadata;
    lead_lost_reason LeadLostReason;
    lead_record LeadRecord;
    lead_record_lead_meta_data LeadRecordLeadMetaData;
    lead_stage LeadStage;
    lead_stage_pipeline LeadStagePipeline;
    lead_status LeadStatus;
    list_custom_actions_response ListCustomActionsResponse;
    list_custom_fields_response ListCustomFieldsResponse;
    remark Remark;
    search_actions_body SearchActionsBody;
    search_actions_body_created_on SearchActionsBodyCreatedOn;
    search_actions_response SearchActionsResponse;
    search_leads_body SearchLeadsBody;
    search_leads_body_actions SearchLeadsBodyActions;
    search_leads_body_actions_performed_at SearchLeadsBodyActionsPerformedAt;
    search_leads_response SearchLeadsResponse;
    team_member TeamMember;
    team_member_license TeamMemberLicense;
    team_member_page TeamMemberPage;
    team_member_state_change TeamMemberStateChange;
    update_lead_body UpdateLeadBody;
    write_result WriteResult;
    write_result_actions_item WriteResultActionsItem;
}

generated_round_trips! { generated_types_of_the_async_api telecrm::raw::ingest::types, "../../generated/async.rs":
    create_or_update_lead_body CreateOrUpdateLeadBody;
    create_or_update_lead_response CreateOrUpdateLeadResponse;
}
