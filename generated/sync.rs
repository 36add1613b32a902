// Generated from openapi/sync.yaml by `cargo xtask regen`. Do not edit: change its overlay instead.

/// The `sync` client, generated.
#[allow(
    clippy::all,
    clippy::unwrap_used,
    missing_docs,
    rustdoc::all,
    unreachable_pub,
    unused
)]
pub mod sync {
    use crate::raw::runtime::{Bytes, QueryIf as _, ResponseValue, Unbuilt, encode_path};
    /// Enums that the vendor may extend: the known values, and a variant that keeps other
    /// text.
    pub mod enums {
        ::telecrm_core::open_enum! {
            #[doc = " A value of `ActionRecordCurrency`."] pub enum ActionRecordCurrency
            { Inr = "INR", Usd = "USD", Pkr = "PKR", Aed = "AED", Qar = "QAR", Sar =
            "SAR", Myr = "MYR", Aud = "AUD", Cad = "CAD", Sgd = "SGD", Xof = "XOF", }
        }
        ::telecrm_core::open_enum! {
            #[doc = " A value of `ActionRecordStatus`."] pub enum ActionRecordStatus {
            Pending = "PENDING", Completed = "COMPLETED", Failed = "FAILED", Refunded =
            "REFUNDED", Cancelled = "CANCELLED", Processing = "PROCESSING", }
        }
        ::telecrm_core::open_enum! {
            #[doc = " A value of `ChangedTeamMemberStateStatus`."] pub enum
            ChangedTeamMemberStateStatus { Active = "Active", Inactive = "Inactive",
            OnLeave = "On Leave", Working = "Working", }
        }
        ::telecrm_core::open_enum! {
            #[doc = " A value of `CreatedTeamMemberStatus`."] pub enum
            CreatedTeamMemberStatus { Invited = "INVITED", Active = "Active", }
        }
        ::telecrm_core::open_enum! {
            #[doc = " A value of `CustomActionRecordSource`."] pub enum
            CustomActionRecordSource { User = "USER", System = "SYSTEM", }
        }
        ::telecrm_core::open_enum! {
            #[doc = " A value of `CustomFieldRecordType`."] pub enum
            CustomFieldRecordType { Text = "TEXT", Number = "NUMBER", Email = "EMAIL",
            Phone = "PHONE", Date = "DATE", Dropdown = "DROPDOWN", Tags = "TAGS", Money =
            "MONEY", Website = "WEBSITE", Medialink = "MEDIALINK", ActiveUsers =
            "ACTIVE_USERS", Rating = "RATING", Status = "STATUS", LostReason =
            "LOST_REASON", }
        }
        ::telecrm_core::open_enum! {
            #[doc = " A value of `LeadStageStageType`."] pub enum LeadStageStageType {
            Open = "OPEN", Won = "WON", Lost = "LOST", }
        }
        ::telecrm_core::open_enum! {
            #[doc = " A value of `RemarkStatus`."] pub enum RemarkStatus { Ignored =
            "IGNORED", }
        }
        ::telecrm_core::open_enum! {
            #[doc = " A value of `TeamMemberRole`."] pub enum TeamMemberRole { Admin =
            "ADMIN", Manager = "MANAGER", Caller = "CALLER", MarketingUser =
            "MARKETING_USER", }
        }
        ::telecrm_core::open_enum! {
            #[doc = " A value of `TeamMemberStateChangeState`."] pub enum
            TeamMemberStateChangeState { Active = "Active", Inactive = "Inactive",
            OnLeave = "On Leave", Working = "Working", }
        }
        ::telecrm_core::open_enum! {
            #[doc = " A value of `TeamMemberStatus`."] pub enum TeamMemberStatus { Active
            = "Active", Inactive = "Inactive", OnLeave = "On Leave", Working = "Working",
            Invited = "Invited", Deleted = "Deleted", }
        }
        ::telecrm_core::open_enum! {
            #[doc = " A value of `WriteResultActionsStatus`."] pub enum
            WriteResultActionsStatus { Created = "CREATED", Ignored = "IGNORED", }
        }
    }
    /// The parameters of the operations that take more than one.
    pub mod parameters {
        use super::{enums, types};
        /// The parameters of [`list_custom_actions`](super::Client::list_custom_actions).
        #[derive(Clone)]
        pub struct ListCustomActions<'a> {
            pub enterprise_id: &'a str,
            pub detail: Option<bool>,
        }
        /// The parameters of [`get_custom_action`](super::Client::get_custom_action).
        #[derive(Clone)]
        pub struct GetCustomAction<'a> {
            pub enterprise_id: &'a str,
            pub code: &'a str,
        }
        /// The parameters of [`list_custom_fields`](super::Client::list_custom_fields).
        #[derive(Clone)]
        pub struct ListCustomFields<'a> {
            pub enterprise_id: &'a str,
            pub detail: Option<bool>,
        }
        /// The parameters of [`get_custom_field`](super::Client::get_custom_field).
        #[derive(Clone)]
        pub struct GetCustomField<'a> {
            pub enterprise_id: &'a str,
            pub api_name: &'a str,
        }
        /// The parameters of [`create_lead`](super::Client::create_lead).
        #[derive(Clone)]
        pub struct CreateLead<'a> {
            pub enterprise_id: &'a str,
            pub body: &'a types::CreateLeadBody,
        }
        /// The parameters of [`search_leads`](super::Client::search_leads).
        #[derive(Clone)]
        pub struct SearchLeads<'a> {
            pub enterprise_id: &'a str,
            pub limit: Option<i64>,
            pub skip: Option<i64>,
            pub body: &'a types::SearchLeadsBody,
        }
        /// The parameters of [`get_lead`](super::Client::get_lead).
        #[derive(Clone)]
        pub struct GetLead<'a> {
            pub enterprise_id: &'a str,
            pub lead_id: &'a str,
            pub include_actions: Option<bool>,
            pub limit: Option<i64>,
            pub skip: Option<i64>,
        }
        /// The parameters of [`update_lead`](super::Client::update_lead).
        #[derive(Clone)]
        pub struct UpdateLead<'a> {
            pub enterprise_id: &'a str,
            pub lead_id: &'a str,
            pub body: &'a types::UpdateLeadBody,
        }
        /// The parameters of [`create_actions`](super::Client::create_actions).
        #[derive(Clone)]
        pub struct CreateActions<'a> {
            pub enterprise_id: &'a str,
            pub lead_id: &'a str,
            pub body: &'a types::CreateActionsBody,
        }
        /// The parameters of [`search_actions`](super::Client::search_actions).
        #[derive(Clone)]
        pub struct SearchActions<'a> {
            pub enterprise_id: &'a str,
            pub lead_id: &'a str,
            pub limit: Option<i64>,
            pub skip: Option<i64>,
            pub body: &'a types::SearchActionsBody,
        }
        /// The parameters of [`get_action`](super::Client::get_action).
        #[derive(Clone)]
        pub struct GetAction<'a> {
            pub enterprise_id: &'a str,
            pub lead_id: &'a str,
            pub action_id: &'a str,
        }
        /// The parameters of [`update_action`](super::Client::update_action).
        #[derive(Clone)]
        pub struct UpdateAction<'a> {
            pub enterprise_id: &'a str,
            pub lead_id: &'a str,
            pub action_id: &'a str,
            pub body: &'a ::telecrm_core::Action,
        }
        /// The parameters of [`list_team_members`](super::Client::list_team_members).
        #[derive(Clone)]
        pub struct ListTeamMembers<'a> {
            pub enterprise_id: &'a str,
            pub include_deleted: Option<bool>,
            pub limit: Option<i64>,
            pub skip: Option<i64>,
        }
        /// The parameters of [`create_team_member`](super::Client::create_team_member).
        #[derive(Clone)]
        pub struct CreateTeamMember<'a> {
            pub enterprise_id: &'a str,
            pub body: &'a types::CreateTeamMemberRequest,
        }
        /// The parameters of [`get_team_member`](super::Client::get_team_member).
        #[derive(Clone)]
        pub struct GetTeamMember<'a> {
            pub enterprise_id: &'a str,
            pub email: &'a str,
            pub include_deleted: Option<bool>,
        }
        /// The parameters of [`set_team_member_state`](super::Client::set_team_member_state).
        #[derive(Clone)]
        pub struct SetTeamMemberState<'a> {
            pub enterprise_id: &'a str,
            pub body: &'a types::TeamMemberStateChange,
        }
    }
    /// Types used as operation parameters and responses.
    #[allow(clippy::all)]
    pub mod types {
        use super::enums;
        ///An action in a response. `type`, `fields` and the keys of a payment are documented, the others are reported.
        #[derive(::serde::Serialize, Clone, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct ActionRecord {
            ///On payments.
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub amount: ::std::option::Option<::std::string::String>,
            ///On assignments.
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub assignedto: ::std::option::Option<::std::string::String>,
            #[serde(
                rename = "callRecording",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub call_recording: ::std::option::Option<::telecrm_core::FieldValue>,
            ///Milliseconds since the Unix epoch.
            #[serde(
                rename = "creationTimestamp",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub creation_timestamp: ::std::option::Option<i64>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub currency: ::std::option::Option<enums::ActionRecordCurrency>,
            ///Seconds, on calls. May be zero or less.
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub duration: ::std::option::Option<::serde_json::Number>,
            ///Email of the performer, or another value for an automation. Absent for telecrm itself.
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub employeeid: ::std::option::Option<::std::string::String>,
            ///On calls, such as `CONNECTED`.
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub feedback: ::std::option::Option<::std::string::String>,
            ///Values by API name, on custom actions.
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub fields: ::std::option::Option<
                ::std::collections::BTreeMap<
                    ::std::string::String,
                    ::telecrm_core::FieldValue,
                >,
            >,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub id: ::std::option::Option<::std::string::String>,
            ///Whether `text` was shortened.
            #[serde(
                rename = "isTruncated",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub is_truncated: ::std::option::Option<bool>,
            ///Milliseconds since the Unix epoch.
            #[serde(
                rename = "modificationTimestamp",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub modification_timestamp: ::std::option::Option<i64>,
            ///On calls.
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub note: ::std::option::Option<::std::string::String>,
            ///On calls.
            #[serde(
                rename = "phoneNumber",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub phone_number: ::std::option::Option<::std::string::String>,
            ///On assignments.
            #[serde(
                rename = "reassignmentNote",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub reassignment_note: ::std::option::Option<::std::string::String>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub status: ::std::option::Option<enums::ActionRecordStatus>,
            ///On notes.
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub text: ::std::option::Option<::std::string::String>,
            ///A built-in type, or the code of a custom action, documented as `1001` and reported as `ACTION_1001`.
            #[serde(
                rename = "type",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub type_: ::std::option::Option<::std::string::String>,
            #[serde(flatten)]
            pub extra: ::std::collections::BTreeMap<
                ::std::string::String,
                ::telecrm_core::FieldValue,
            >,
        }
        impl<'de> ::serde::Deserialize<'de> for ActionRecord {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let mut object = crate::raw::runtime::Object::read(deserializer)?;
                Ok(Self {
                    amount: object.optional("amount")?,
                    assignedto: object.optional("assignedto")?,
                    call_recording: object.optional("callRecording")?,
                    creation_timestamp: object.optional("creationTimestamp")?,
                    currency: object.optional("currency")?,
                    duration: object.optional("duration")?,
                    employeeid: object.optional("employeeid")?,
                    feedback: object.optional("feedback")?,
                    fields: object.optional("fields")?,
                    id: object.optional("id")?,
                    is_truncated: object.optional("isTruncated")?,
                    modification_timestamp: object.optional("modificationTimestamp")?,
                    note: object.optional("note")?,
                    phone_number: object.optional("phoneNumber")?,
                    reassignment_note: object.optional("reassignmentNote")?,
                    status: object.optional("status")?,
                    text: object.optional("text")?,
                    type_: object.optional("type")?,
                    extra: object.rest()?,
                })
            }
        }
        ///`ChangedTeamMemberState`
        #[derive(::serde::Serialize, Clone, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct ChangedTeamMemberState {
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub email: ::std::option::Option<::std::string::String>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub status: ::std::option::Option<enums::ChangedTeamMemberStateStatus>,
            #[serde(flatten)]
            pub extra: ::serde_json::Map<::std::string::String, ::serde_json::Value>,
        }
        impl<'de> ::serde::Deserialize<'de> for ChangedTeamMemberState {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let mut object = crate::raw::runtime::Object::read(deserializer)?;
                Ok(Self {
                    email: object.optional("email")?,
                    status: object.optional("status")?,
                    extra: object.rest()?,
                })
            }
        }
        ///`CreateActionsBody`
        #[derive(::serde::Deserialize, ::serde::Serialize, Clone, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct CreateActionsBody {
            ///One or more.
            pub actions: ::std::vec::Vec<::telecrm_core::Action>,
        }
        ///`CreateLeadBody`
        #[derive(::serde::Serialize, Clone, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct CreateLeadBody {
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub actions: ::std::option::Option<::std::vec::Vec<::telecrm_core::Action>>,
            ///Values by API name. The lead identifier has to be among them.
            pub fields: ::std::collections::BTreeMap<
                ::std::string::String,
                ::telecrm_core::FieldValue,
            >,
            #[serde(flatten)]
            pub extra: ::std::collections::BTreeMap<
                ::std::string::String,
                ::telecrm_core::FieldValue,
            >,
        }
        impl<'de> ::serde::Deserialize<'de> for CreateLeadBody {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let mut object = crate::raw::runtime::Object::read(deserializer)?;
                Ok(Self {
                    actions: object.optional("actions")?,
                    fields: object.required("fields")?,
                    extra: object.rest()?,
                })
            }
        }
        ///`CreateTeamMemberRequest`
        #[derive(::serde::Deserialize, ::serde::Serialize, Clone, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct CreateTeamMemberRequest {
            ///The name to log in with.
            pub email: ::std::string::String,
            pub name: ::std::string::String,
            ///Left out, the member is sent an invitation.
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub password: ::std::option::Option<::std::string::String>,
            ///Digits only, with the country code first.
            pub phone_number: ::std::string::String,
            pub role: enums::TeamMemberRole,
        }
        ///`CreatedTeamMember`
        #[derive(::serde::Serialize, Clone, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct CreatedTeamMember {
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub email: ::std::option::Option<::std::string::String>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub name: ::std::option::Option<::std::string::String>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub phone_number: ::std::option::Option<::std::string::String>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub role: ::std::option::Option<enums::TeamMemberRole>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub status: ::std::option::Option<enums::CreatedTeamMemberStatus>,
            #[serde(flatten)]
            pub extra: ::serde_json::Map<::std::string::String, ::serde_json::Value>,
        }
        impl<'de> ::serde::Deserialize<'de> for CreatedTeamMember {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let mut object = crate::raw::runtime::Object::read(deserializer)?;
                Ok(Self {
                    email: object.optional("email")?,
                    name: object.optional("name")?,
                    phone_number: object.optional("phone_number")?,
                    role: object.optional("role")?,
                    status: object.optional("status")?,
                    extra: object.rest()?,
                })
            }
        }
        ///A type of action, in the short or the full form. Only the full form has an `id`.
        #[derive(::serde::Serialize, Clone, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct CustomActionRecord {
            #[serde(
                rename = "allowPredatedActivity",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub allow_predated_activity: ::std::option::Option<
                CustomActionRecordAllowPredatedActivity,
            >,
            ///Full code, such as `ACTION_1001`.
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub code: ::std::option::Option<::std::string::String>,
            #[serde(
                rename = "createdBy",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub created_by: ::std::option::Option<::std::string::String>,
            ///Milliseconds since the Unix epoch.
            #[serde(
                rename = "createdOn",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub created_on: ::std::option::Option<i64>,
            ///Such as `USER_DEFINED`.
            #[serde(
                rename = "definitionType",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub definition_type: ::std::option::Option<::std::string::String>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub description: ::std::option::Option<::std::string::String>,
            #[serde(
                rename = "displayName",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub display_name: ::std::option::Option<::std::string::String>,
            #[serde(
                rename = "displaySchema",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub display_schema: ::std::option::Option<::telecrm_core::FieldValue>,
            ///The fields that the action has, by API name.
            #[serde(
                rename = "fieldSchema",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub field_schema: ::std::option::Option<
                ::std::collections::BTreeMap<
                    ::std::string::String,
                    CustomActionRecordFieldSchemaValue,
                >,
            >,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub icon: ::std::option::Option<::std::string::String>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub id: ::std::option::Option<::std::string::String>,
            #[serde(
                rename = "modifiedBy",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub modified_by: ::std::option::Option<::std::string::String>,
            ///Milliseconds since the Unix epoch.
            #[serde(
                rename = "modifiedOn",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub modified_on: ::std::option::Option<i64>,
            #[serde(
                rename = "quickAdd",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub quick_add: ::std::option::Option<::telecrm_core::FieldValue>,
            ///Added to the score of the lead each time.
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub score: ::std::option::Option<::serde_json::Number>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub source: ::std::option::Option<enums::CustomActionRecordSource>,
            #[serde(flatten)]
            pub extra: ::std::collections::BTreeMap<
                ::std::string::String,
                ::telecrm_core::FieldValue,
            >,
        }
        impl<'de> ::serde::Deserialize<'de> for CustomActionRecord {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let mut object = crate::raw::runtime::Object::read(deserializer)?;
                Ok(Self {
                    allow_predated_activity: object.optional("allowPredatedActivity")?,
                    code: object.optional("code")?,
                    created_by: object.optional("createdBy")?,
                    created_on: object.optional("createdOn")?,
                    definition_type: object.optional("definitionType")?,
                    description: object.optional("description")?,
                    display_name: object.optional("displayName")?,
                    display_schema: object.optional("displaySchema")?,
                    field_schema: object.optional("fieldSchema")?,
                    icon: object.optional("icon")?,
                    id: object.optional("id")?,
                    modified_by: object.optional("modifiedBy")?,
                    modified_on: object.optional("modifiedOn")?,
                    quick_add: object.optional("quickAdd")?,
                    score: object.optional("score")?,
                    source: object.optional("source")?,
                    extra: object.rest()?,
                })
            }
        }
        ///Whether the action may be back-dated.
        #[derive(::serde::Serialize, Clone, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct CustomActionRecordAllowPredatedActivity {
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub enabled: ::std::option::Option<bool>,
            #[serde(flatten)]
            pub extra: ::std::collections::BTreeMap<
                ::std::string::String,
                ::telecrm_core::FieldValue,
            >,
        }
        impl<'de> ::serde::Deserialize<'de> for CustomActionRecordAllowPredatedActivity {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let mut object = crate::raw::runtime::Object::read(deserializer)?;
                Ok(Self {
                    enabled: object.optional("enabled")?,
                    extra: object.rest()?,
                })
            }
        }
        ///`CustomActionRecordFieldSchemaValue`
        #[derive(::serde::Serialize, Clone, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct CustomActionRecordFieldSchemaValue {
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub options: ::std::option::Option<
                ::std::vec::Vec<::telecrm_core::FieldValue>,
            >,
            ///A type of field.
            #[serde(
                rename = "type",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub type_: ::std::option::Option<::std::string::String>,
            #[serde(flatten)]
            pub extra: ::std::collections::BTreeMap<
                ::std::string::String,
                ::telecrm_core::FieldValue,
            >,
        }
        impl<'de> ::serde::Deserialize<'de> for CustomActionRecordFieldSchemaValue {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let mut object = crate::raw::runtime::Object::read(deserializer)?;
                Ok(Self {
                    options: object.optional("options")?,
                    type_: object.optional("type")?,
                    extra: object.rest()?,
                })
            }
        }
        ///A field of a lead, in the short or the full form. Only the full form has an `id`.
        #[derive(::serde::Serialize, Clone, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct CustomFieldRecord {
            #[serde(
                rename = "apiName",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub api_name: ::std::option::Option<::std::string::String>,
            ///For dates.
            #[serde(
                rename = "dateFormat",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub date_format: ::std::option::Option<::std::string::String>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub description: ::std::option::Option<::std::string::String>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub id: ::std::option::Option<::std::string::String>,
            ///Whether this field identifies a lead.
            #[serde(
                rename = "isLeadid",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub is_leadid: ::std::option::Option<bool>,
            #[serde(
                rename = "lockAfterCreate",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub lock_after_create: ::std::option::Option<bool>,
            ///Labels in the short form, objects with `id` and `label` in the full form.
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub options: ::std::option::Option<
                ::std::vec::Vec<::telecrm_core::FieldValue>,
            >,
            ///For dates.
            #[serde(
                rename = "timeFormat",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub time_format: ::std::option::Option<::std::string::String>,
            #[serde(
                rename = "type",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub type_: ::std::option::Option<enums::CustomFieldRecordType>,
            #[serde(flatten)]
            pub extra: ::std::collections::BTreeMap<
                ::std::string::String,
                ::telecrm_core::FieldValue,
            >,
        }
        impl<'de> ::serde::Deserialize<'de> for CustomFieldRecord {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let mut object = crate::raw::runtime::Object::read(deserializer)?;
                Ok(Self {
                    api_name: object.optional("apiName")?,
                    date_format: object.optional("dateFormat")?,
                    description: object.optional("description")?,
                    id: object.optional("id")?,
                    is_leadid: object.optional("isLeadid")?,
                    lock_after_create: object.optional("lockAfterCreate")?,
                    options: object.optional("options")?,
                    time_format: object.optional("timeFormat")?,
                    type_: object.optional("type")?,
                    extra: object.rest()?,
                })
            }
        }
        ///`EnterpriseMetadata`
        #[derive(::serde::Serialize, Clone, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct EnterpriseMetadata {
            ///Milliseconds since the Unix epoch.
            #[serde(
                rename = "creationTimeStamp",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub creation_time_stamp: ::std::option::Option<i64>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub id: ::std::option::Option<::std::string::String>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub industry: ::std::option::Option<::std::string::String>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub integrations: ::std::option::Option<
                ::std::vec::Vec<::std::string::String>,
            >,
            ///The field that identifies a lead, by its ID among the lead fields in full.
            #[serde(
                rename = "leadIdentifierFieldId",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub lead_identifier_field_id: ::std::option::Option<::std::string::String>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub name: ::std::option::Option<::std::string::String>,
            #[serde(
                rename = "teamSize",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub team_size: ::std::option::Option<::std::string::String>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub website: ::std::option::Option<::std::string::String>,
            #[serde(flatten)]
            pub extra: ::serde_json::Map<::std::string::String, ::serde_json::Value>,
        }
        impl<'de> ::serde::Deserialize<'de> for EnterpriseMetadata {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let mut object = crate::raw::runtime::Object::read(deserializer)?;
                Ok(Self {
                    creation_time_stamp: object.optional("creationTimeStamp")?,
                    id: object.optional("id")?,
                    industry: object.optional("industry")?,
                    integrations: object.optional("integrations")?,
                    lead_identifier_field_id: object.optional("leadIdentifierFieldId")?,
                    name: object.optional("name")?,
                    team_size: object.optional("teamSize")?,
                    website: object.optional("website")?,
                    extra: object.rest()?,
                })
            }
        }
        ///`LeadLostReason`
        #[derive(::serde::Serialize, Clone, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct LeadLostReason {
            #[serde(
                rename = "isDefault",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub is_default: ::std::option::Option<bool>,
            #[serde(
                rename = "reasonLabel",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub reason_label: ::std::option::Option<::std::string::String>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub reasonid: ::std::option::Option<i64>,
            #[serde(flatten)]
            pub extra: ::serde_json::Map<::std::string::String, ::serde_json::Value>,
        }
        impl<'de> ::serde::Deserialize<'de> for LeadLostReason {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let mut object = crate::raw::runtime::Object::read(deserializer)?;
                Ok(Self {
                    is_default: object.optional("isDefault")?,
                    reason_label: object.optional("reasonLabel")?,
                    reasonid: object.optional("reasonid")?,
                    extra: object.rest()?,
                })
            }
        }
        ///A lead in a response. `fields` and the keys that begin with `actions` are documented, the others are reported.
        #[derive(::serde::Serialize, Clone, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct LeadRecord {
            ///One page of the timeline, if a single lead is read with its actions. Reported to be empty in search results.
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub actions: ::std::option::Option<::std::vec::Vec<ActionRecord>>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub actions_limit: ::std::option::Option<i64>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub actions_skip: ::std::option::Option<i64>,
            ///Email of the creator, or a label such as the name of an integration.
            #[serde(
                rename = "createdBy",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub created_by: ::std::option::Option<::std::string::String>,
            ///Email of the assignee.
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub employeeid: ::std::option::Option<::std::string::String>,
            ///Values by API name.
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub fields: ::std::option::Option<
                ::std::collections::BTreeMap<
                    ::std::string::String,
                    ::telecrm_core::FieldValue,
                >,
            >,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub id: ::std::option::Option<::std::string::String>,
            #[serde(
                rename = "isArchived",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub is_archived: ::std::option::Option<bool>,
            #[serde(
                rename = "isSpam",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub is_spam: ::std::option::Option<bool>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub labelids: ::std::option::Option<
                ::std::vec::Vec<::telecrm_core::FieldValue>,
            >,
            #[serde(
                rename = "leadMetaData",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub lead_meta_data: ::std::option::Option<LeadRecordLeadMetaData>,
            ///ID of the submission of a Meta lead form.
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub leadfbid: ::std::option::Option<::std::string::String>,
            ///The lost reason.
            #[serde(
                rename = "lostReasonid",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub lost_reasonid: ::std::option::Option<::std::string::String>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub rating: ::std::option::Option<::serde_json::Number>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub score: ::std::option::Option<::serde_json::Number>,
            ///Label of the status. Documented inside `fields`, reported here.
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub status: ::std::option::Option<::std::string::String>,
            #[serde(flatten)]
            pub extra: ::std::collections::BTreeMap<
                ::std::string::String,
                ::telecrm_core::FieldValue,
            >,
        }
        impl<'de> ::serde::Deserialize<'de> for LeadRecord {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let mut object = crate::raw::runtime::Object::read(deserializer)?;
                Ok(Self {
                    actions: object.optional("actions")?,
                    actions_limit: object.optional("actions_limit")?,
                    actions_skip: object.optional("actions_skip")?,
                    created_by: object.optional("createdBy")?,
                    employeeid: object.optional("employeeid")?,
                    fields: object.optional("fields")?,
                    id: object.optional("id")?,
                    is_archived: object.optional("isArchived")?,
                    is_spam: object.optional("isSpam")?,
                    labelids: object.optional("labelids")?,
                    lead_meta_data: object.optional("leadMetaData")?,
                    leadfbid: object.optional("leadfbid")?,
                    lost_reasonid: object.optional("lostReasonid")?,
                    rating: object.optional("rating")?,
                    score: object.optional("score")?,
                    status: object.optional("status")?,
                    extra: object.rest()?,
                })
            }
        }
        ///`LeadRecordLeadMetaData`
        #[derive(::serde::Serialize, Clone, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct LeadRecordLeadMetaData {
            ///Milliseconds since the Unix epoch.
            #[serde(
                rename = "statusChangeTimestamp",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub status_change_timestamp: ::std::option::Option<i64>,
            #[serde(flatten)]
            pub extra: ::std::collections::BTreeMap<
                ::std::string::String,
                ::telecrm_core::FieldValue,
            >,
        }
        impl<'de> ::serde::Deserialize<'de> for LeadRecordLeadMetaData {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let mut object = crate::raw::runtime::Object::read(deserializer)?;
                Ok(Self {
                    status_change_timestamp: object.optional("statusChangeTimestamp")?,
                    extra: object.rest()?,
                })
            }
        }
        ///`LeadStage`
        #[derive(::serde::Serialize, Clone, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct LeadStage {
            #[serde(
                rename = "activeStatuses",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub active_statuses: ::std::option::Option<::std::vec::Vec<LeadStatus>>,
            #[serde(
                rename = "archivedStatuses",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub archived_statuses: ::std::option::Option<::std::vec::Vec<LeadStatus>>,
            #[serde(
                rename = "stageType",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub stage_type: ::std::option::Option<enums::LeadStageStageType>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub stageid: ::std::option::Option<::std::string::String>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub visibility: ::std::option::Option<bool>,
            #[serde(flatten)]
            pub extra: ::serde_json::Map<::std::string::String, ::serde_json::Value>,
        }
        impl<'de> ::serde::Deserialize<'de> for LeadStage {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let mut object = crate::raw::runtime::Object::read(deserializer)?;
                Ok(Self {
                    active_statuses: object.optional("activeStatuses")?,
                    archived_statuses: object.optional("archivedStatuses")?,
                    stage_type: object.optional("stageType")?,
                    stageid: object.optional("stageid")?,
                    visibility: object.optional("visibility")?,
                    extra: object.rest()?,
                })
            }
        }
        ///`LeadStagePipeline`
        #[derive(::serde::Serialize, Clone, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct LeadStagePipeline {
            #[serde(
                rename = "activeLeadLostReasons",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub active_lead_lost_reasons: ::std::option::Option<
                ::std::vec::Vec<LeadLostReason>,
            >,
            #[serde(
                rename = "archivedLeadLostReasons",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub archived_lead_lost_reasons: ::std::option::Option<
                ::std::vec::Vec<LeadLostReason>,
            >,
            ///Milliseconds since the Unix epoch.
            #[serde(
                rename = "creationTimestamp",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub creation_timestamp: ::std::option::Option<i64>,
            #[serde(
                rename = "lastModifiedBy",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub last_modified_by: ::std::option::Option<::std::string::String>,
            #[serde(
                rename = "leadStages",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub lead_stages: ::std::option::Option<::std::vec::Vec<LeadStage>>,
            ///Reported together with `statuses`. The shape of the items is unknown.
            #[serde(
                rename = "lostReasons",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub lost_reasons: ::std::option::Option<
                ::std::vec::Vec<::telecrm_core::FieldValue>,
            >,
            ///Milliseconds since the Unix epoch.
            #[serde(
                rename = "modificationTimestamp",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub modification_timestamp: ::std::option::Option<i64>,
            ///Reported instead of `leadStages`. The shape of the items is unknown.
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub statuses: ::std::option::Option<
                ::std::vec::Vec<::telecrm_core::FieldValue>,
            >,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub version: ::std::option::Option<i64>,
            #[serde(flatten)]
            pub extra: ::std::collections::BTreeMap<
                ::std::string::String,
                ::telecrm_core::FieldValue,
            >,
        }
        impl<'de> ::serde::Deserialize<'de> for LeadStagePipeline {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let mut object = crate::raw::runtime::Object::read(deserializer)?;
                Ok(Self {
                    active_lead_lost_reasons: object.optional("activeLeadLostReasons")?,
                    archived_lead_lost_reasons: object
                        .optional("archivedLeadLostReasons")?,
                    creation_timestamp: object.optional("creationTimestamp")?,
                    last_modified_by: object.optional("lastModifiedBy")?,
                    lead_stages: object.optional("leadStages")?,
                    lost_reasons: object.optional("lostReasons")?,
                    modification_timestamp: object.optional("modificationTimestamp")?,
                    statuses: object.optional("statuses")?,
                    version: object.optional("version")?,
                    extra: object.rest()?,
                })
            }
        }
        ///`LeadStatus`
        #[derive(::serde::Serialize, Clone, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct LeadStatus {
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub color: ::std::option::Option<::std::string::String>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub label: ::std::option::Option<::std::string::String>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub statusid: ::std::option::Option<i64>,
            #[serde(flatten)]
            pub extra: ::serde_json::Map<::std::string::String, ::serde_json::Value>,
        }
        impl<'de> ::serde::Deserialize<'de> for LeadStatus {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let mut object = crate::raw::runtime::Object::read(deserializer)?;
                Ok(Self {
                    color: object.optional("color")?,
                    label: object.optional("label")?,
                    statusid: object.optional("statusid")?,
                    extra: object.rest()?,
                })
            }
        }
        ///`ListCustomActionsResponse`
        #[derive(::serde::Serialize, Clone, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct ListCustomActionsResponse {
            #[serde(
                rename = "customActions",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub custom_actions: ::std::option::Option<
                ::std::vec::Vec<CustomActionRecord>,
            >,
            #[serde(flatten)]
            pub extra: ::serde_json::Map<::std::string::String, ::serde_json::Value>,
        }
        impl<'de> ::serde::Deserialize<'de> for ListCustomActionsResponse {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let mut object = crate::raw::runtime::Object::read(deserializer)?;
                Ok(Self {
                    custom_actions: object.optional("customActions")?,
                    extra: object.rest()?,
                })
            }
        }
        ///`ListCustomFieldsResponse`
        #[derive(::serde::Serialize, Clone, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct ListCustomFieldsResponse {
            #[serde(
                rename = "customFields",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub custom_fields: ::std::option::Option<::std::vec::Vec<CustomFieldRecord>>,
            #[serde(flatten)]
            pub extra: ::serde_json::Map<::std::string::String, ::serde_json::Value>,
        }
        impl<'de> ::serde::Deserialize<'de> for ListCustomFieldsResponse {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let mut object = crate::raw::runtime::Object::read(deserializer)?;
                Ok(Self {
                    custom_fields: object.optional("customFields")?,
                    extra: object.rest()?,
                })
            }
        }
        ///`Remark`
        #[derive(::serde::Serialize, Clone, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct Remark {
            ///Path of the part, such as `fields.rating` or `actions[0].fields.email`.
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub field: ::std::option::Option<::std::string::String>,
            ///The reason.
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub remark: ::std::option::Option<::std::string::String>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub status: ::std::option::Option<enums::RemarkStatus>,
            #[serde(flatten)]
            pub extra: ::serde_json::Map<::std::string::String, ::serde_json::Value>,
        }
        impl<'de> ::serde::Deserialize<'de> for Remark {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let mut object = crate::raw::runtime::Object::read(deserializer)?;
                Ok(Self {
                    field: object.optional("field")?,
                    remark: object.optional("remark")?,
                    status: object.optional("status")?,
                    extra: object.rest()?,
                })
            }
        }
        ///`SearchActionsBody`
        #[derive(::serde::Deserialize, ::serde::Serialize, Clone, Default, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct SearchActionsBody {
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub created_on: ::std::option::Option<SearchActionsBodyCreatedOn>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub performed_by: ::std::option::Option<::telecrm_core::FieldValue>,
            #[serde(
                rename = "type",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub type_: ::std::option::Option<::telecrm_core::FieldValue>,
        }
        ///Both ends are inclusive, in milliseconds since the Unix epoch or as strings.
        #[derive(::serde::Deserialize, ::serde::Serialize, Clone, Default, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct SearchActionsBodyCreatedOn {
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub from: ::std::option::Option<::telecrm_core::FieldValue>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub to: ::std::option::Option<::telecrm_core::FieldValue>,
        }
        ///`SearchActionsResponse`
        #[derive(::serde::Serialize, Clone, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct SearchActionsResponse {
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub data: ::std::option::Option<::std::vec::Vec<ActionRecord>>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub limit: ::std::option::Option<i64>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub skip: ::std::option::Option<i64>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub total_count: ::std::option::Option<i64>,
            #[serde(flatten)]
            pub extra: ::serde_json::Map<::std::string::String, ::serde_json::Value>,
        }
        impl<'de> ::serde::Deserialize<'de> for SearchActionsResponse {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let mut object = crate::raw::runtime::Object::read(deserializer)?;
                Ok(Self {
                    data: object.optional("data")?,
                    limit: object.optional("limit")?,
                    skip: object.optional("skip")?,
                    total_count: object.optional("total_count")?,
                    extra: object.rest()?,
                })
            }
        }
        ///`SearchLeadsBody`
        #[derive(::serde::Deserialize, ::serde::Serialize, Clone, Default, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct SearchLeadsBody {
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub actions: ::std::option::Option<SearchLeadsBodyActions>,
            ///Filters by API name, each one value, an array of values, or for times an object with `from` and `to`.
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub fields: ::std::option::Option<
                ::std::collections::BTreeMap<
                    ::std::string::String,
                    ::telecrm_core::FieldValue,
                >,
            >,
        }
        ///Keeps leads with at least one action that matches all of these filters.
        #[derive(::serde::Deserialize, ::serde::Serialize, Clone, Default, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct SearchLeadsBodyActions {
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub performed_at: ::std::option::Option<SearchLeadsBodyActionsPerformedAt>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub performed_by: ::std::option::Option<::telecrm_core::FieldValue>,
            #[serde(
                rename = "type",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub type_: ::std::option::Option<::telecrm_core::FieldValue>,
        }
        ///Both ends are inclusive, in milliseconds since the Unix epoch or as strings.
        #[derive(::serde::Deserialize, ::serde::Serialize, Clone, Default, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct SearchLeadsBodyActionsPerformedAt {
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub from: ::std::option::Option<::telecrm_core::FieldValue>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub to: ::std::option::Option<::telecrm_core::FieldValue>,
        }
        ///`SearchLeadsResponse`
        #[derive(::serde::Serialize, Clone, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct SearchLeadsResponse {
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub data: ::std::option::Option<::std::vec::Vec<LeadRecord>>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub limit: ::std::option::Option<i64>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub skip: ::std::option::Option<i64>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub total_count: ::std::option::Option<i64>,
            #[serde(flatten)]
            pub extra: ::serde_json::Map<::std::string::String, ::serde_json::Value>,
        }
        impl<'de> ::serde::Deserialize<'de> for SearchLeadsResponse {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let mut object = crate::raw::runtime::Object::read(deserializer)?;
                Ok(Self {
                    data: object.optional("data")?,
                    limit: object.optional("limit")?,
                    skip: object.optional("skip")?,
                    total_count: object.optional("total_count")?,
                    extra: object.rest()?,
                })
            }
        }
        ///`TeamMember`
        #[derive(::serde::Serialize, Clone, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct TeamMember {
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub email: ::std::option::Option<::std::string::String>,
            ///Null when no licence was ever assigned.
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub license: ::std::option::Option<TeamMemberLicense>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub manager_email: ::std::option::Option<::std::string::String>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub manager_name: ::std::option::Option<::std::string::String>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub name: ::std::option::Option<::std::string::String>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub permission_template_name: ::std::option::Option<::std::string::String>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub phone_number: ::std::option::Option<::std::string::String>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub status: ::std::option::Option<enums::TeamMemberStatus>,
            #[serde(flatten)]
            pub extra: ::serde_json::Map<::std::string::String, ::serde_json::Value>,
        }
        impl<'de> ::serde::Deserialize<'de> for TeamMember {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let mut object = crate::raw::runtime::Object::read(deserializer)?;
                Ok(Self {
                    email: object.optional("email")?,
                    license: object.optional("license")?,
                    manager_email: object.optional("manager_email")?,
                    manager_name: object.optional("manager_name")?,
                    name: object.optional("name")?,
                    permission_template_name: object
                        .optional("permission_template_name")?,
                    phone_number: object.optional("phone_number")?,
                    status: object.optional("status")?,
                    extra: object.rest()?,
                })
            }
        }
        ///Null when no licence was ever assigned.
        #[derive(::serde::Serialize, Clone, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct TeamMemberLicense {
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub end_date: ::std::option::Option<::std::string::String>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub start_date: ::std::option::Option<::std::string::String>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub status: ::std::option::Option<::std::string::String>,
            #[serde(
                rename = "type",
                skip_serializing_if = "::std::option::Option::is_none"
            )]
            pub type_: ::std::option::Option<::std::string::String>,
            #[serde(flatten)]
            pub extra: ::serde_json::Map<::std::string::String, ::serde_json::Value>,
        }
        impl<'de> ::serde::Deserialize<'de> for TeamMemberLicense {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let mut object = crate::raw::runtime::Object::read(deserializer)?;
                Ok(Self {
                    end_date: object.optional("end_date")?,
                    start_date: object.optional("start_date")?,
                    status: object.optional("status")?,
                    type_: object.optional("type")?,
                    extra: object.rest()?,
                })
            }
        }
        ///`TeamMemberPage`
        #[derive(::serde::Serialize, Clone, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct TeamMemberPage {
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub data: ::std::option::Option<::std::vec::Vec<TeamMember>>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub limit: ::std::option::Option<i64>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub skip: ::std::option::Option<i64>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub total_count: ::std::option::Option<i64>,
            #[serde(flatten)]
            pub extra: ::serde_json::Map<::std::string::String, ::serde_json::Value>,
        }
        impl<'de> ::serde::Deserialize<'de> for TeamMemberPage {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let mut object = crate::raw::runtime::Object::read(deserializer)?;
                Ok(Self {
                    data: object.optional("data")?,
                    limit: object.optional("limit")?,
                    skip: object.optional("skip")?,
                    total_count: object.optional("total_count")?,
                    extra: object.rest()?,
                })
            }
        }
        ///`TeamMemberStateChange`
        #[derive(::serde::Deserialize, ::serde::Serialize, Clone, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct TeamMemberStateChange {
            pub email: ::std::string::String,
            pub state: enums::TeamMemberStateChangeState,
        }
        ///`UpdateLeadBody`
        #[derive(::serde::Deserialize, ::serde::Serialize, Clone, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct UpdateLeadBody {
            ///Values by API name. The lead identifier must not be among them.
            pub fields: ::std::collections::BTreeMap<
                ::std::string::String,
                ::telecrm_core::FieldValue,
            >,
        }
        ///`WriteResult`
        #[derive(::serde::Serialize, Clone, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct WriteResult {
            ///One entry for each action of the request, in its order.
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub actions: ::std::option::Option<::std::vec::Vec<WriteResultActionsItem>>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub lead_id: ::std::option::Option<::std::string::String>,
            ///Everything that was ignored. Always present, and empty when all was stored.
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub remarks: ::std::option::Option<::std::vec::Vec<Remark>>,
            #[serde(flatten)]
            pub extra: ::serde_json::Map<::std::string::String, ::serde_json::Value>,
        }
        impl<'de> ::serde::Deserialize<'de> for WriteResult {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let mut object = crate::raw::runtime::Object::read(deserializer)?;
                Ok(Self {
                    actions: object.optional("actions")?,
                    lead_id: object.optional("lead_id")?,
                    remarks: object.optional("remarks")?,
                    extra: object.rest()?,
                })
            }
        }
        ///`WriteResultActionsItem`
        #[derive(::serde::Serialize, Clone, PartialEq)]
        #[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]
        pub struct WriteResultActionsItem {
            ///Null when the action was ignored.
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub action_id: ::std::option::Option<::std::string::String>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            pub status: ::std::option::Option<enums::WriteResultActionsStatus>,
            #[serde(flatten)]
            pub extra: ::serde_json::Map<::std::string::String, ::serde_json::Value>,
        }
        impl<'de> ::serde::Deserialize<'de> for WriteResultActionsItem {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let mut object = crate::raw::runtime::Object::read(deserializer)?;
                Ok(Self {
                    action_id: object.optional("action_id")?,
                    status: object.optional("status")?,
                    extra: object.rest()?,
                })
            }
        }
        /// Error types.
        pub mod error {
            /// Error from a `TryFrom` or `FromStr` implementation.
            pub struct ConversionError(::std::borrow::Cow<'static, str>);
            impl ::std::error::Error for ConversionError {}
            impl ::std::fmt::Display for ConversionError {
                fn fmt(
                    &self,
                    f: &mut ::std::fmt::Formatter<'_>,
                ) -> Result<(), ::std::fmt::Error> {
                    ::std::fmt::Display::fmt(&self.0, f)
                }
            }
            impl ::std::fmt::Debug for ConversionError {
                fn fmt(
                    &self,
                    f: &mut ::std::fmt::Formatter<'_>,
                ) -> Result<(), ::std::fmt::Error> {
                    ::std::fmt::Debug::fmt(&self.0, f)
                }
            }
            impl From<&'static str> for ConversionError {
                fn from(value: &'static str) -> Self {
                    Self(value.into())
                }
            }
            impl From<String> for ConversionError {
                fn from(value: String) -> Self {
                    Self(value.into())
                }
            }
        }
        crate::raw::runtime::print_names_only!(
            ActionRecord, ChangedTeamMemberState, CreateActionsBody, CreateLeadBody,
            CreateTeamMemberRequest, CreatedTeamMember, CustomActionRecord,
            CustomActionRecordAllowPredatedActivity, CustomActionRecordFieldSchemaValue,
            CustomFieldRecord, EnterpriseMetadata, LeadLostReason, LeadRecord,
            LeadRecordLeadMetaData, LeadStage, LeadStagePipeline, LeadStatus,
            ListCustomActionsResponse, ListCustomFieldsResponse, Remark,
            SearchActionsBody, SearchActionsBodyCreatedOn, SearchActionsResponse,
            SearchLeadsBody, SearchLeadsBodyActions, SearchLeadsBodyActionsPerformedAt,
            SearchLeadsResponse, TeamMember, TeamMemberLicense, TeamMemberPage,
            TeamMemberStateChange, UpdateLeadBody, WriteResult, WriteResultActionsItem
        );
    }
    #[derive(Clone, Debug)]
    /**Client for Telecrm Public APIs

Read and write the leads of a telecrm workspace, the actions on their timelines, the members of the team and the settings of the enterprise.

The two central entities are **leads**, the people or companies a team sells to, and **actions**, the entries on the timeline of a lead.

**Token.** In the dashboard open Settings, Website and API, API token, create a token of the type Sync and keep it: it is shown once. Send it with every request as a bearer token.

**API names.** Payloads name a field by its API name, never by its label. Find it in the dashboard under Settings, Lead Fields, in the properties of the field.

Version: 1.0.0*/
    pub struct Client {
        pub(crate) baseurl: String,
        pub(crate) client: reqwest::Client,
        pub(crate) inner: crate::transport::Context,
    }
    impl Client {
        /// Construct a new client with an existing `reqwest::Client`,
        /// allowing more control over its configuration.
        ///
        /// `baseurl` is the base URL provided to the internal
        /// `reqwest::Client`, and should include a scheme and hostname,
        /// as well as port and a path stem if applicable.
        pub fn new_with_client(
            baseurl: &str,
            client: reqwest::Client,
            inner: crate::transport::Context,
        ) -> Self {
            Self {
                baseurl: baseurl.to_string(),
                client,
                inner,
            }
        }
    }
    #[allow(clippy::all)]
    impl Client {
        pub(crate) fn list_custom_actions_request<'a>(
            &'a self,
            parameters: parameters::ListCustomActions<'a>,
        ) -> Result<reqwest::Request, Unbuilt> {
            let parameters::ListCustomActions { enterprise_id, detail } = parameters;
            let enterprise_id = encode_path("enterprise_id", enterprise_id)?;
            let url = format!(
                "{}/enterprise/{}/custom-actions", self.baseurl, enterprise_id,
            );
            let mut header_map = ::reqwest::header::HeaderMap::with_capacity(1usize);
            Ok(
                self
                    .client
                    .get(url)
                    .header(
                        ::reqwest::header::ACCEPT,
                        ::reqwest::header::HeaderValue::from_static("application/json"),
                    )
                    .query_if(detail.is_some(), &[("detail", &detail)])
                    .headers(header_map)
                    .build()?,
            )
        }
        /**List the custom actions

Returns the action types that the workspace defines and those that are built in.

Sends a `GET` request to `/enterprise/{enterpriseId}/custom-actions`

Arguments:
- `enterprise_id`: ID of the enterprise.
- `detail`: Returns the action types in full, with their IDs and field schemas.
*/
        pub async fn list_custom_actions<'a>(
            &'a self,
            parameters: parameters::ListCustomActions<'a>,
        ) -> Result<ResponseValue<types::ListCustomActionsResponse>, crate::Error> {
            let request = self.list_custom_actions_request(parameters);
            let response = self
                .inner
                .send(&self.client, Some(crate::Operation::ListCustomActions), request)
                .await?;
            ResponseValue::from_response(response)
        }
        pub(crate) fn get_custom_action_request<'a>(
            &'a self,
            parameters: parameters::GetCustomAction<'a>,
        ) -> Result<reqwest::Request, Unbuilt> {
            let parameters::GetCustomAction { enterprise_id, code } = parameters;
            let enterprise_id = encode_path("enterprise_id", enterprise_id)?;
            let code = encode_path("code", code)?;
            let url = format!(
                "{}/enterprise/{}/custom-actions/{}", self.baseurl, enterprise_id, code,
            );
            let mut header_map = ::reqwest::header::HeaderMap::with_capacity(1usize);
            Ok(
                self
                    .client
                    .get(url)
                    .header(
                        ::reqwest::header::ACCEPT,
                        ::reqwest::header::HeaderValue::from_static("application/json"),
                    )
                    .headers(header_map)
                    .build()?,
            )
        }
        /**Get a custom action

Returns one action type in full.

Sends a `GET` request to `/enterprise/{enterpriseId}/custom-actions/{code}`

Arguments:
- `enterprise_id`: ID of the enterprise.
- `code`: Full code of the action type, such as `ACTION_1001`, with regard to case.
*/
        pub async fn get_custom_action<'a>(
            &'a self,
            parameters: parameters::GetCustomAction<'a>,
        ) -> Result<ResponseValue<types::CustomActionRecord>, crate::Error> {
            let request = self.get_custom_action_request(parameters);
            let response = self
                .inner
                .send(&self.client, Some(crate::Operation::GetCustomAction), request)
                .await?;
            ResponseValue::from_response(response)
        }
        pub(crate) fn list_custom_fields_request<'a>(
            &'a self,
            parameters: parameters::ListCustomFields<'a>,
        ) -> Result<reqwest::Request, Unbuilt> {
            let parameters::ListCustomFields { enterprise_id, detail } = parameters;
            let enterprise_id = encode_path("enterprise_id", enterprise_id)?;
            let url = format!(
                "{}/enterprise/{}/custom-fields", self.baseurl, enterprise_id,
            );
            let mut header_map = ::reqwest::header::HeaderMap::with_capacity(1usize);
            Ok(
                self
                    .client
                    .get(url)
                    .header(
                        ::reqwest::header::ACCEPT,
                        ::reqwest::header::HeaderValue::from_static("application/json"),
                    )
                    .query_if(detail.is_some(), &[("detail", &detail)])
                    .headers(header_map)
                    .build()?,
            )
        }
        /**List the lead fields

Returns the fields of a lead, the standard ones included.

Sends a `GET` request to `/enterprise/{enterpriseId}/custom-fields`

Arguments:
- `enterprise_id`: ID of the enterprise.
- `detail`: Returns the fields in full, with their IDs.
*/
        pub async fn list_custom_fields<'a>(
            &'a self,
            parameters: parameters::ListCustomFields<'a>,
        ) -> Result<ResponseValue<types::ListCustomFieldsResponse>, crate::Error> {
            let request = self.list_custom_fields_request(parameters);
            let response = self
                .inner
                .send(&self.client, Some(crate::Operation::ListCustomFields), request)
                .await?;
            ResponseValue::from_response(response)
        }
        pub(crate) fn get_custom_field_request<'a>(
            &'a self,
            parameters: parameters::GetCustomField<'a>,
        ) -> Result<reqwest::Request, Unbuilt> {
            let parameters::GetCustomField { enterprise_id, api_name } = parameters;
            let enterprise_id = encode_path("enterprise_id", enterprise_id)?;
            let api_name = encode_path("api_name", api_name)?;
            let url = format!(
                "{}/enterprise/{}/custom-fields/{}", self.baseurl, enterprise_id,
                api_name,
            );
            let mut header_map = ::reqwest::header::HeaderMap::with_capacity(1usize);
            Ok(
                self
                    .client
                    .get(url)
                    .header(
                        ::reqwest::header::ACCEPT,
                        ::reqwest::header::HeaderValue::from_static("application/json"),
                    )
                    .headers(header_map)
                    .build()?,
            )
        }
        /**Get a lead field

Returns one field of a lead in full.

Sends a `GET` request to `/enterprise/{enterpriseId}/custom-fields/{apiName}`

Arguments:
- `enterprise_id`: ID of the enterprise.
- `api_name`: API name of the field, with regard to case.
*/
        pub async fn get_custom_field<'a>(
            &'a self,
            parameters: parameters::GetCustomField<'a>,
        ) -> Result<ResponseValue<types::CustomFieldRecord>, crate::Error> {
            let request = self.get_custom_field_request(parameters);
            let response = self
                .inner
                .send(&self.client, Some(crate::Operation::GetCustomField), request)
                .await?;
            ResponseValue::from_response(response)
        }
        pub(crate) fn create_lead_request<'a>(
            &'a self,
            parameters: parameters::CreateLead<'a>,
        ) -> Result<reqwest::Request, Unbuilt> {
            let parameters::CreateLead { enterprise_id, body } = parameters;
            let enterprise_id = encode_path("enterprise_id", enterprise_id)?;
            let url = format!("{}/enterprise/{}/lead", self.baseurl, enterprise_id,);
            let mut header_map = ::reqwest::header::HeaderMap::with_capacity(1usize);
            Ok(
                self
                    .client
                    .post(url)
                    .header(
                        ::reqwest::header::ACCEPT,
                        ::reqwest::header::HeaderValue::from_static("application/json"),
                    )
                    .json(&body)
                    .headers(header_map)
                    .build()?,
            )
        }
        /**Create a lead

Creates one lead with its first actions and never updates an existing one. Parts that do not pass validation are ignored and reported in `remarks`.

Sends a `POST` request to `/enterprise/{enterpriseId}/lead`

Arguments:
- `enterprise_id`: ID of the enterprise.
- `body`
*/
        pub async fn create_lead<'a>(
            &'a self,
            parameters: parameters::CreateLead<'a>,
        ) -> Result<ResponseValue<types::WriteResult>, crate::Error> {
            let request = self.create_lead_request(parameters);
            let response = self
                .inner
                .send(&self.client, Some(crate::Operation::CreateLead), request)
                .await?;
            ResponseValue::from_response(response)
        }
        pub(crate) fn get_lead_stage_pipeline_request<'a>(
            &'a self,
            enterprise_id: &'a str,
        ) -> Result<reqwest::Request, Unbuilt> {
            let enterprise_id = encode_path("enterprise_id", enterprise_id)?;
            let url = format!(
                "{}/enterprise/{}/lead-stage-pipeline", self.baseurl, enterprise_id,
            );
            let mut header_map = ::reqwest::header::HeaderMap::with_capacity(1usize);
            Ok(
                self
                    .client
                    .get(url)
                    .header(
                        ::reqwest::header::ACCEPT,
                        ::reqwest::header::HeaderValue::from_static("application/json"),
                    )
                    .headers(header_map)
                    .build()?,
            )
        }
        /**Get the lead stage pipeline

Returns the stages with their statuses, and the lost reasons. Only active statuses and active lost reasons can be written; the archived ones are there so that old leads stay readable.

Sends a `GET` request to `/enterprise/{enterpriseId}/lead-stage-pipeline`

Arguments:
- `enterprise_id`: ID of the enterprise.
*/
        pub async fn get_lead_stage_pipeline<'a>(
            &'a self,
            enterprise_id: &'a str,
        ) -> Result<ResponseValue<types::LeadStagePipeline>, crate::Error> {
            let request = self.get_lead_stage_pipeline_request(enterprise_id);
            let response = self
                .inner
                .send(
                    &self.client,
                    Some(crate::Operation::GetLeadStagePipeline),
                    request,
                )
                .await?;
            ResponseValue::from_response(response)
        }
        pub(crate) fn search_leads_request<'a>(
            &'a self,
            parameters: parameters::SearchLeads<'a>,
        ) -> Result<reqwest::Request, Unbuilt> {
            let parameters::SearchLeads { enterprise_id, limit, skip, body } = parameters;
            let enterprise_id = encode_path("enterprise_id", enterprise_id)?;
            let url = format!(
                "{}/enterprise/{}/lead/search", self.baseurl, enterprise_id,
            );
            let mut header_map = ::reqwest::header::HeaderMap::with_capacity(1usize);
            Ok(
                self
                    .client
                    .post(url)
                    .header(
                        ::reqwest::header::ACCEPT,
                        ::reqwest::header::HeaderValue::from_static("application/json"),
                    )
                    .json(&body)
                    .query_if(limit.is_some(), &[("limit", &limit)])
                    .query_if(skip.is_some(), &[("skip", &skip)])
                    .headers(header_map)
                    .build()?,
            )
        }
        /**Search leads

Returns the leads that pass every given filter, newest first. An array of values passes when one of them matches. Values match exactly, without regard to case; status labels are reported to match with regard to case. An empty object matches every lead.

Sends a `POST` request to `/enterprise/{enterpriseId}/lead/search`

Arguments:
- `enterprise_id`: ID of the enterprise.
- `limit`: Number of leads to return.
- `skip`: Number of leads to pass over.
- `body`
*/
        pub async fn search_leads<'a>(
            &'a self,
            parameters: parameters::SearchLeads<'a>,
        ) -> Result<ResponseValue<types::SearchLeadsResponse>, crate::Error> {
            let request = self.search_leads_request(parameters);
            let response = self
                .inner
                .send(&self.client, Some(crate::Operation::SearchLeads), request)
                .await?;
            ResponseValue::from_response(response)
        }
        pub(crate) fn get_lead_request<'a>(
            &'a self,
            parameters: parameters::GetLead<'a>,
        ) -> Result<reqwest::Request, Unbuilt> {
            let parameters::GetLead {
                enterprise_id,
                lead_id,
                include_actions,
                limit,
                skip,
            } = parameters;
            let enterprise_id = encode_path("enterprise_id", enterprise_id)?;
            let lead_id = encode_path("lead_id", lead_id)?;
            let url = format!(
                "{}/enterprise/{}/lead/{}", self.baseurl, enterprise_id, lead_id,
            );
            let mut header_map = ::reqwest::header::HeaderMap::with_capacity(1usize);
            Ok(
                self
                    .client
                    .get(url)
                    .header(
                        ::reqwest::header::ACCEPT,
                        ::reqwest::header::HeaderValue::from_static("application/json"),
                    )
                    .query_if(
                        include_actions.is_some(),
                        &[("includeActions", &include_actions)],
                    )
                    .query_if(limit.is_some(), &[("limit", &limit)])
                    .query_if(skip.is_some(), &[("skip", &skip)])
                    .headers(header_map)
                    .build()?,
            )
        }
        /**Get an existing lead

Returns the fields of one lead and, with `includeActions=true`, one page of its timeline.

Sends a `GET` request to `/enterprise/{enterpriseId}/lead/{leadId}`

Arguments:
- `enterprise_id`: ID of the enterprise.
- `lead_id`: ID of the lead, as given when the lead was created or by a search.
- `include_actions`: Adds one page of the timeline, with actions of every type.
- `limit`: Number of actions to return. Ignored unless `includeActions` is true.
- `skip`: Number of actions to pass over. Ignored unless `includeActions` is true.
*/
        pub async fn get_lead<'a>(
            &'a self,
            parameters: parameters::GetLead<'a>,
        ) -> Result<ResponseValue<types::LeadRecord>, crate::Error> {
            let request = self.get_lead_request(parameters);
            let response = self
                .inner
                .send(&self.client, Some(crate::Operation::GetLead), request)
                .await?;
            ResponseValue::from_response(response)
        }
        pub(crate) fn update_lead_request<'a>(
            &'a self,
            parameters: parameters::UpdateLead<'a>,
        ) -> Result<reqwest::Request, Unbuilt> {
            let parameters::UpdateLead { enterprise_id, lead_id, body } = parameters;
            let enterprise_id = encode_path("enterprise_id", enterprise_id)?;
            let lead_id = encode_path("lead_id", lead_id)?;
            let url = format!(
                "{}/enterprise/{}/lead/{}", self.baseurl, enterprise_id, lead_id,
            );
            let mut header_map = ::reqwest::header::HeaderMap::with_capacity(1usize);
            Ok(
                self
                    .client
                    .post(url)
                    .header(
                        ::reqwest::header::ACCEPT,
                        ::reqwest::header::HeaderValue::from_static("application/json"),
                    )
                    .json(&body)
                    .headers(header_map)
                    .build()?,
            )
        }
        /**Update an existing lead

Writes the supplied fields and leaves all others as they are. The lead identifier cannot be changed. A status label that the pipeline does not know is dropped. Actions are added with the action endpoints.

Sends a `POST` request to `/enterprise/{enterpriseId}/lead/{leadId}`

Arguments:
- `enterprise_id`: ID of the enterprise.
- `lead_id`: ID of the lead, as given when the lead was created or by a search.
- `body`
*/
        pub async fn update_lead<'a>(
            &'a self,
            parameters: parameters::UpdateLead<'a>,
        ) -> Result<ResponseValue<types::LeadRecord>, crate::Error> {
            let request = self.update_lead_request(parameters);
            let response = self
                .inner
                .send(&self.client, Some(crate::Operation::UpdateLead), request)
                .await?;
            ResponseValue::from_response(response)
        }
        pub(crate) fn create_actions_request<'a>(
            &'a self,
            parameters: parameters::CreateActions<'a>,
        ) -> Result<reqwest::Request, Unbuilt> {
            let parameters::CreateActions { enterprise_id, lead_id, body } = parameters;
            let enterprise_id = encode_path("enterprise_id", enterprise_id)?;
            let lead_id = encode_path("lead_id", lead_id)?;
            let url = format!(
                "{}/enterprise/{}/lead/{}/action", self.baseurl, enterprise_id, lead_id,
            );
            let mut header_map = ::reqwest::header::HeaderMap::with_capacity(1usize);
            Ok(
                self
                    .client
                    .post(url)
                    .header(
                        ::reqwest::header::ACCEPT,
                        ::reqwest::header::HeaderValue::from_static("application/json"),
                    )
                    .json(&body)
                    .headers(header_map)
                    .build()?,
            )
        }
        /**Create actions

Adds custom actions and payment actions to the timeline of a lead. Each entry stands on its own: one may be ignored while the others are created. The answer has the order and the length of the request.

Sends a `POST` request to `/enterprise/{enterpriseId}/lead/{leadId}/action`

Arguments:
- `enterprise_id`: ID of the enterprise.
- `lead_id`: ID of the lead, as given when the lead was created or by a search.
- `body`
*/
        pub async fn create_actions<'a>(
            &'a self,
            parameters: parameters::CreateActions<'a>,
        ) -> Result<ResponseValue<types::WriteResult>, crate::Error> {
            let request = self.create_actions_request(parameters);
            let response = self
                .inner
                .send(&self.client, Some(crate::Operation::CreateActions), request)
                .await?;
            ResponseValue::from_response(response)
        }
        pub(crate) fn search_actions_request<'a>(
            &'a self,
            parameters: parameters::SearchActions<'a>,
        ) -> Result<reqwest::Request, Unbuilt> {
            let parameters::SearchActions {
                enterprise_id,
                lead_id,
                limit,
                skip,
                body,
            } = parameters;
            let enterprise_id = encode_path("enterprise_id", enterprise_id)?;
            let lead_id = encode_path("lead_id", lead_id)?;
            let url = format!(
                "{}/enterprise/{}/lead/{}/action/search", self.baseurl, enterprise_id,
                lead_id,
            );
            let mut header_map = ::reqwest::header::HeaderMap::with_capacity(1usize);
            Ok(
                self
                    .client
                    .post(url)
                    .header(
                        ::reqwest::header::ACCEPT,
                        ::reqwest::header::HeaderValue::from_static("application/json"),
                    )
                    .json(&body)
                    .query_if(limit.is_some(), &[("limit", &limit)])
                    .query_if(skip.is_some(), &[("skip", &skip)])
                    .headers(header_map)
                    .build()?,
            )
        }
        /**Search the actions of a lead

Returns the actions of one lead that pass every given filter, newest first. An empty object matches every action.

Sends a `POST` request to `/enterprise/{enterpriseId}/lead/{leadId}/action/search`

Arguments:
- `enterprise_id`: ID of the enterprise.
- `lead_id`: ID of the lead, as given when the lead was created or by a search.
- `limit`: Number of actions to return.
- `skip`: Number of actions to skip.
- `body`
*/
        pub async fn search_actions<'a>(
            &'a self,
            parameters: parameters::SearchActions<'a>,
        ) -> Result<ResponseValue<types::SearchActionsResponse>, crate::Error> {
            let request = self.search_actions_request(parameters);
            let response = self
                .inner
                .send(&self.client, Some(crate::Operation::SearchActions), request)
                .await?;
            ResponseValue::from_response(response)
        }
        pub(crate) fn get_action_request<'a>(
            &'a self,
            parameters: parameters::GetAction<'a>,
        ) -> Result<reqwest::Request, Unbuilt> {
            let parameters::GetAction { enterprise_id, lead_id, action_id } = parameters;
            let enterprise_id = encode_path("enterprise_id", enterprise_id)?;
            let lead_id = encode_path("lead_id", lead_id)?;
            let action_id = encode_path("action_id", action_id)?;
            let url = format!(
                "{}/enterprise/{}/lead/{}/action/{}", self.baseurl, enterprise_id,
                lead_id, action_id,
            );
            let mut header_map = ::reqwest::header::HeaderMap::with_capacity(1usize);
            Ok(
                self
                    .client
                    .get(url)
                    .header(
                        ::reqwest::header::ACCEPT,
                        ::reqwest::header::HeaderValue::from_static("application/json"),
                    )
                    .headers(header_map)
                    .build()?,
            )
        }
        /**Get an existing action

Returns one custom action or payment action.

Sends a `GET` request to `/enterprise/{enterpriseId}/lead/{leadId}/action/{actionId}`

Arguments:
- `enterprise_id`: ID of the enterprise.
- `lead_id`: ID of the lead, as given when the lead was created or by a search.
- `action_id`: ID of the action.
*/
        pub async fn get_action<'a>(
            &'a self,
            parameters: parameters::GetAction<'a>,
        ) -> Result<ResponseValue<types::ActionRecord>, crate::Error> {
            let request = self.get_action_request(parameters);
            let response = self
                .inner
                .send(&self.client, Some(crate::Operation::GetAction), request)
                .await?;
            ResponseValue::from_response(response)
        }
        pub(crate) fn update_action_request<'a>(
            &'a self,
            parameters: parameters::UpdateAction<'a>,
        ) -> Result<reqwest::Request, Unbuilt> {
            let parameters::UpdateAction { enterprise_id, lead_id, action_id, body } = parameters;
            let enterprise_id = encode_path("enterprise_id", enterprise_id)?;
            let lead_id = encode_path("lead_id", lead_id)?;
            let action_id = encode_path("action_id", action_id)?;
            let url = format!(
                "{}/enterprise/{}/lead/{}/action/{}", self.baseurl, enterprise_id,
                lead_id, action_id,
            );
            let mut header_map = ::reqwest::header::HeaderMap::with_capacity(1usize);
            Ok(
                self
                    .client
                    .post(url)
                    .header(
                        ::reqwest::header::ACCEPT,
                        ::reqwest::header::HeaderValue::from_static("application/json"),
                    )
                    .json(&body)
                    .headers(header_map)
                    .build()?,
            )
        }
        /**Update an existing action

Changes the supplied fields of a custom action, or the status of a payment. The type has to be the one that the action has. Everything else about a payment is fixed once it exists.

Sends a `POST` request to `/enterprise/{enterpriseId}/lead/{leadId}/action/{actionId}`

Arguments:
- `enterprise_id`: ID of the enterprise.
- `lead_id`: ID of the lead, as given when the lead was created or by a search.
- `action_id`: ID of the action.
- `body`
*/
        pub async fn update_action<'a>(
            &'a self,
            parameters: parameters::UpdateAction<'a>,
        ) -> Result<ResponseValue<types::ActionRecord>, crate::Error> {
            let request = self.update_action_request(parameters);
            let response = self
                .inner
                .send(&self.client, Some(crate::Operation::UpdateAction), request)
                .await?;
            ResponseValue::from_response(response)
        }
        pub(crate) fn get_metadata_request<'a>(
            &'a self,
            enterprise_id: &'a str,
        ) -> Result<reqwest::Request, Unbuilt> {
            let enterprise_id = encode_path("enterprise_id", enterprise_id)?;
            let url = format!("{}/enterprise/{}/metadata", self.baseurl, enterprise_id,);
            let mut header_map = ::reqwest::header::HeaderMap::with_capacity(1usize);
            Ok(
                self
                    .client
                    .get(url)
                    .header(
                        ::reqwest::header::ACCEPT,
                        ::reqwest::header::HeaderValue::from_static("application/json"),
                    )
                    .headers(header_map)
                    .build()?,
            )
        }
        /**Get the enterprise

Returns what the enterprise is and which field identifies its leads.

Sends a `GET` request to `/enterprise/{enterpriseId}/metadata`

Arguments:
- `enterprise_id`: ID of the enterprise.
*/
        pub async fn get_metadata<'a>(
            &'a self,
            enterprise_id: &'a str,
        ) -> Result<ResponseValue<types::EnterpriseMetadata>, crate::Error> {
            let request = self.get_metadata_request(enterprise_id);
            let response = self
                .inner
                .send(&self.client, Some(crate::Operation::GetMetadata), request)
                .await?;
            ResponseValue::from_response(response)
        }
        pub(crate) fn list_team_members_request<'a>(
            &'a self,
            parameters: parameters::ListTeamMembers<'a>,
        ) -> Result<reqwest::Request, Unbuilt> {
            let parameters::ListTeamMembers {
                enterprise_id,
                include_deleted,
                limit,
                skip,
            } = parameters;
            let enterprise_id = encode_path("enterprise_id", enterprise_id)?;
            let url = format!(
                "{}/enterprise/{}/team-members", self.baseurl, enterprise_id,
            );
            let mut header_map = ::reqwest::header::HeaderMap::with_capacity(1usize);
            Ok(
                self
                    .client
                    .get(url)
                    .header(
                        ::reqwest::header::ACCEPT,
                        ::reqwest::header::HeaderValue::from_static("application/json"),
                    )
                    .query_if(
                        include_deleted.is_some(),
                        &[("includeDeleted", &include_deleted)],
                    )
                    .query_if(limit.is_some(), &[("limit", &limit)])
                    .query_if(skip.is_some(), &[("skip", &skip)])
                    .headers(header_map)
                    .build()?,
            )
        }
        /**List team members

Returns the members of the enterprise in ascending order of their names.

Sends a `GET` request to `/enterprise/{enterpriseId}/team-members`

Arguments:
- `enterprise_id`: ID of the enterprise.
- `include_deleted`: Adds members that were deleted.
- `limit`: Number of members to return.
- `skip`: Number of members to pass over.
*/
        pub async fn list_team_members<'a>(
            &'a self,
            parameters: parameters::ListTeamMembers<'a>,
        ) -> Result<ResponseValue<types::TeamMemberPage>, crate::Error> {
            let request = self.list_team_members_request(parameters);
            let response = self
                .inner
                .send(&self.client, Some(crate::Operation::ListTeamMembers), request)
                .await?;
            ResponseValue::from_response(response)
        }
        pub(crate) fn create_team_member_request<'a>(
            &'a self,
            parameters: parameters::CreateTeamMember<'a>,
        ) -> Result<reqwest::Request, Unbuilt> {
            let parameters::CreateTeamMember { enterprise_id, body } = parameters;
            let enterprise_id = encode_path("enterprise_id", enterprise_id)?;
            let url = format!(
                "{}/enterprise/{}/team-members", self.baseurl, enterprise_id,
            );
            let mut header_map = ::reqwest::header::HeaderMap::with_capacity(1usize);
            Ok(
                self
                    .client
                    .post(url)
                    .header(
                        ::reqwest::header::ACCEPT,
                        ::reqwest::header::HeaderValue::from_static("application/json"),
                    )
                    .json(&body)
                    .headers(header_map)
                    .build()?,
            )
        }
        /**Create a team member

Adds a member. One who is given a password can log in at once, any other is sent an invitation. Each takes a licence seat.

Sends a `POST` request to `/enterprise/{enterpriseId}/team-members`

Arguments:
- `enterprise_id`: ID of the enterprise.
- `body`
*/
        pub async fn create_team_member<'a>(
            &'a self,
            parameters: parameters::CreateTeamMember<'a>,
        ) -> Result<ResponseValue<types::CreatedTeamMember>, crate::Error> {
            let request = self.create_team_member_request(parameters);
            let response = self
                .inner
                .send(&self.client, Some(crate::Operation::CreateTeamMember), request)
                .await?;
            ResponseValue::from_response(response)
        }
        pub(crate) fn get_team_member_request<'a>(
            &'a self,
            parameters: parameters::GetTeamMember<'a>,
        ) -> Result<reqwest::Request, Unbuilt> {
            let parameters::GetTeamMember { enterprise_id, email, include_deleted } = parameters;
            let enterprise_id = encode_path("enterprise_id", enterprise_id)?;
            let email = encode_path("email", email)?;
            let url = format!(
                "{}/enterprise/{}/team-members/{}", self.baseurl, enterprise_id, email,
            );
            let mut header_map = ::reqwest::header::HeaderMap::with_capacity(1usize);
            Ok(
                self
                    .client
                    .get(url)
                    .header(
                        ::reqwest::header::ACCEPT,
                        ::reqwest::header::HeaderValue::from_static("application/json"),
                    )
                    .query_if(
                        include_deleted.is_some(),
                        &[("includeDeleted", &include_deleted)],
                    )
                    .headers(header_map)
                    .build()?,
            )
        }
        /**Get a team member

Returns the member with this email, compared without regard to case.

Sends a `GET` request to `/enterprise/{enterpriseId}/team-members/{email}`

Arguments:
- `enterprise_id`: ID of the enterprise.
- `email`: Email of the team member.
- `include_deleted`: Finds members that were deleted, too.
*/
        pub async fn get_team_member<'a>(
            &'a self,
            parameters: parameters::GetTeamMember<'a>,
        ) -> Result<ResponseValue<types::TeamMember>, crate::Error> {
            let request = self.get_team_member_request(parameters);
            let response = self
                .inner
                .send(&self.client, Some(crate::Operation::GetTeamMember), request)
                .await?;
            ResponseValue::from_response(response)
        }
        pub(crate) fn set_team_member_state_request<'a>(
            &'a self,
            parameters: parameters::SetTeamMemberState<'a>,
        ) -> Result<reqwest::Request, Unbuilt> {
            let parameters::SetTeamMemberState { enterprise_id, body } = parameters;
            let enterprise_id = encode_path("enterprise_id", enterprise_id)?;
            let url = format!(
                "{}/enterprise/{}/teammember/state_change", self.baseurl, enterprise_id,
            );
            let mut header_map = ::reqwest::header::HeaderMap::with_capacity(1usize);
            Ok(
                self
                    .client
                    .post(url)
                    .header(
                        ::reqwest::header::ACCEPT,
                        ::reqwest::header::HeaderValue::from_static("application/json"),
                    )
                    .json(&body)
                    .headers(header_map)
                    .build()?,
            )
        }
        /**Change the availability of a team member

Sets the state that the rules for distributing leads look at.

Sends a `POST` request to `/enterprise/{enterpriseId}/teammember/state_change`

Arguments:
- `enterprise_id`: ID of the enterprise.
- `body`
*/
        pub async fn set_team_member_state<'a>(
            &'a self,
            parameters: parameters::SetTeamMemberState<'a>,
        ) -> Result<ResponseValue<types::ChangedTeamMemberState>, crate::Error> {
            let request = self.set_team_member_state_request(parameters);
            let response = self
                .inner
                .send(&self.client, Some(crate::Operation::SetTeamMemberState), request)
                .await?;
            ResponseValue::from_response(response)
        }
    }
}
