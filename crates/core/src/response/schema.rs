//! The metadata, fields and custom actions of a workspace in responses.

use super::record::{flag, integer, object, record, text, texts, time};
use serde_json::{Map, Value};

record! {
    /// The metadata of a workspace.
    ///
    /// ```
    /// use telecrm_core::response::Metadata;
    ///
    /// let metadata: Metadata = serde_json::from_str(r#"{
    ///     "name": "Acme Corporation", "id": "ent_123456", "creationTimeStamp": 1609459200000,
    ///     "teamSize": "50-100",
    ///     "industry": "Technology", "website": "https://acme.com",
    ///     "leadIdentifierFieldId": "phone",
    ///     "integrations": ["WHATSAPP", "EMAIL"]
    /// }"#)?;
    /// assert_eq!((metadata.name(), metadata.id()), (Some("Acme Corporation"),
    ///     Some("ent_123456")));
    /// assert_eq!(metadata.created().map(|t| t.to_string()).as_deref(),
    ///     Some("2021-01-01T00:00:00Z"));
    /// assert_eq!((metadata.team_size(), metadata.industry()), (Some("50-100"),
    ///     Some("Technology")));
    /// assert_eq!(metadata.website(), Some("https://acme.com"));
    /// assert_eq!(metadata.lead_identifier_field_id(), Some("phone"));
    /// assert_eq!(metadata.integrations(), Some(vec!["WHATSAPP", "EMAIL"]));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub struct Metadata {
        /// The name of the enterprise.
        pub fn name(&self) -> Option<&str> = text("name");
        /// The enterprise ID.
        pub fn id(&self) -> Option<&str> = text("id");
        /// When the workspace was created.
        pub fn created(&self) -> Option<jiff::Timestamp> = time("creationTimeStamp");
        /// The size of the team as a range, such as `50-100`.
        pub fn team_size(&self) -> Option<&str> = text("teamSize");
        /// The industry.
        pub fn industry(&self) -> Option<&str> = text("industry");
        /// The web address of the enterprise.
        pub fn website(&self) -> Option<&str> = text("website");
        /// The ID or the API name of the field that identifies leads (pitfall EN6).
        pub fn lead_identifier_field_id(&self) -> Option<&str> = text("leadIdentifierFieldId");
        /// The connected channels.
        pub fn integrations(&self) -> Option<Vec<&str>> = texts("integrations");
    }
}

record! {
    /// A field of leads, as listed with `detail=true`.
    ///
    /// ```
    /// use telecrm_core::response::CustomFieldRecord;
    /// use telecrm_core::workspace::FieldType;
    ///
    /// let field: CustomFieldRecord = serde_json::from_str(r#"{
    ///     "id": "5f8a1b2c", "apiName": "follow_up_date", "type": "DATE",
    ///     "description": "When to call again",
    ///     "isLeadid": false, "lockAfterCreate": false, "dateFormat": "DD/MM/YYYY",
    ///     "timeFormat": "HH:mm"
    /// }"#)?;
    /// assert_eq!((field.id(), field.api_name()), (Some("5f8a1b2c"), Some("follow_up_date")));
    /// assert_eq!(field.field_type().map(FieldType::from), Some(FieldType::Date));
    /// assert_eq!(field.description(), Some("When to call again"));
    /// assert_eq!((field.is_lead_id(), field.lock_after_create()), (Some(false), Some(false)));
    /// assert_eq!((field.date_format(), field.time_format()), (Some("DD/MM/YYYY"), Some("HH:mm")));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub struct CustomFieldRecord {
        /// The ID.
        pub fn id(&self) -> Option<&str> = text("id");
        /// The name in payloads.
        pub fn api_name(&self) -> Option<&str> = text("apiName");
        /// The type, as the server spells it.
        pub fn field_type(&self) -> Option<&str> = text("type");
        /// The description for people.
        pub fn description(&self) -> Option<&str> = text("description");
        /// Whether the field identifies leads.
        pub fn is_lead_id(&self) -> Option<bool> = flag("isLeadid");
        /// Whether the value is locked once it is set. The documentation does not explain it.
        pub fn lock_after_create(&self) -> Option<bool> = flag("lockAfterCreate");
        /// The format of a date, such as `DD/MM/YYYY`.
        pub fn date_format(&self) -> Option<&str> = text("dateFormat");
        /// The format of a time of day, such as `HH:mm`.
        pub fn time_format(&self) -> Option<&str> = text("timeFormat");
    }
}

record! {
    /// A custom action, as listed with `detail=true`.
    ///
    /// ```
    /// use telecrm_core::response::CustomActionRecord;
    ///
    /// let action: CustomActionRecord = serde_json::from_str(r#"{
    ///     "id": "5f8a1b2c", "code": "ACTION_1001", "displayName": "Site Visit",
    ///     "description": "A visit", "score": 10,
    ///     "source": "USER", "fieldSchema": { "note": { "type": "TEXT" } },
    ///     "createdOn": 1609459200000, "modifiedOn": 1609545600000
    /// }"#)?;
    /// assert_eq!((action.id(), action.code()), (Some("5f8a1b2c"), Some("ACTION_1001")));
    /// assert_eq!((action.display_name(), action.description()), (Some("Site Visit"),
    ///     Some("A visit")));
    /// assert_eq!((action.score(), action.source()), (Some(10), Some("USER")));
    /// assert_eq!(action.field_schema().unwrap()["note"]["type"], "TEXT");
    /// assert!(action.created() < action.modified());
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub struct CustomActionRecord {
        /// The ID.
        pub fn id(&self) -> Option<&str> = text("id");
        /// The code, such as `ACTION_1001`.
        pub fn code(&self) -> Option<&str> = text("code");
        /// The name for people.
        pub fn display_name(&self) -> Option<&str> = text("displayName");
        /// The description for people.
        pub fn description(&self) -> Option<&str> = text("description");
        /// The score that each entry adds to the lead.
        pub fn score(&self) -> Option<i64> = integer("score");
        /// `USER` for an action of the workspace, `SYSTEM` for a built-in one.
        pub fn source(&self) -> Option<&str> = text("source");
        /// The fields of its entries, by API name.
        pub fn field_schema(&self) -> Option<&Map<String, Value>> = object("fieldSchema");
        /// When the action was defined.
        pub fn created(&self) -> Option<jiff::Timestamp> = time("createdOn");
        /// When the action was last changed.
        pub fn modified(&self) -> Option<jiff::Timestamp> = time("modifiedOn");
    }
}
