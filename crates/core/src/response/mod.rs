//! Leads and actions as telecrm answers them.

use crate::value::{by_text, whole_characters};
use crate::{ActionKind, Amount, Currency, FieldPath, FieldValue};
use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

/// A lead as telecrm answers it: from a search or by its ID.
///
/// The documentation shows only `fields`; live answers carry more, and some facts stand in one place
/// or the other (pitfalls LE7, LE11). Everything is kept, and [`get`](Self::get) looks into both places. Numbers keep every
/// digit ([`FieldValue::digits`]), and what has another shape than expected stands in [`row`](Self::row).
///
/// ```
/// use telecrm_core::LeadRecord;
///
/// let row: LeadRecord = serde_json::from_str(r#"{
///     "id": "603d2b2f9b1e8a001c8e4f5c", "status": "Won", "employeeid": "jane.doe@example.com",
///     "fields": { "phone": "919999999999" }, "actions": [{ "type": "1001" }]
/// }"#)?;
/// assert_eq!((row.id(), row.status()), (Some("603d2b2f9b1e8a001c8e4f5c"), Some("Won")));
/// assert_eq!(row.assignee(), Some("jane.doe@example.com"));
/// assert_eq!(row.get("phone"), Some(&"919999999999".into()));
/// assert_eq!(row.actions().len(), 1);
///
/// // As they stand in the answer:
/// assert_eq!(row.fields().len(), 1);
/// assert_eq!(row.row()["employeeid"], "jane.doe@example.com".into());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
// Read by hand, with less demanded than what is written.
#[cfg_attr(feature = "schemars", schemars(default))]
pub struct LeadRecord {
    fields: BTreeMap<String, FieldValue>,
    #[cfg_attr(
        feature = "schemars",
        schemars(with = "Vec<ActionRecord>", skip_serializing_if = "Option::is_none")
    )]
    actions: Option<Vec<ActionRecord>>,
    #[cfg_attr(feature = "schemars", schemars(flatten))]
    row: BTreeMap<String, FieldValue>,
}

impl LeadRecord {
    /// The lead's ID. Documented answers to a search have none (LE7); live ones do.
    pub fn id(&self) -> Option<&str> {
        ["id", "_id", "leadId", "lead_id"]
            .iter()
            .find_map(|key| self.row.get(*key)?.as_str())
    }

    /// The status, as the workspace spells it.
    pub fn status(&self) -> Option<&str> {
        self.get("status")?.as_str()
    }

    /// The address of the member to whom the lead is assigned.
    pub fn assignee(&self) -> Option<&str> {
        self.get("assignee")?.as_str()
    }

    /// When the lead was created.
    ///
    /// ```
    /// use telecrm_core::LeadRecord;
    ///
    /// let row: LeadRecord = serde_json::from_str(
    ///     r#"{ "fields": { "created_on": 1780290000000, "modified_on": "1780293600000" } }"#,
    /// )?;
    /// assert_eq!(row.created(), Some("2026-06-01T10:30:00+05:30".parse()?));
    /// assert_eq!(row.modified(), Some("2026-06-01T11:30:00+05:30".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn created(&self) -> Option<jiff::Timestamp> {
        time(self.get("created_on")?)
    }

    /// When the lead was last changed.
    pub fn modified(&self) -> Option<jiff::Timestamp> {
        time(self.get("modified_on")?)
    }

    /// A field's value by its API name, wherever in the answer it stands.
    pub fn get(&self, api_name: &str) -> Option<&FieldValue> {
        let elsewhere = match api_name {
            "assignee" => "employeeid",
            other => other,
        };
        filled(&self.fields, api_name)
            .or_else(|| filled(&self.fields, elsewhere))
            .or_else(|| filled(&self.row, elsewhere))
    }

    /// The fields as a type of your own, whose keys are API names. `status`, `rating` and `assignee` are found wherever they stand.
    ///
    /// ```
    /// use telecrm_core::LeadRecord;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Enquiry {
    ///     phone: String,
    ///     status: String,
    ///     rating: Option<u8>,
    /// }
    ///
    /// let row: LeadRecord =
    ///     serde_json::from_str(r#"{ "status": "Won", "fields": { "phone": "919999999999" } }"#)?;
    /// let enquiry: Enquiry = row.fields_as()?;
    /// assert_eq!((enquiry.status.as_str(), enquiry.rating), ("Won", None));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    ///
    /// Numbers are read in every digit, as far as the type holds them. Times are milliseconds: a type with a `jiff::Timestamp` says so
    /// (by jiff's feature `serde`), and [`Lead::from_serialize`](crate::Lead::from_serialize) then writes what is read here.
    ///
    /// ```
    /// use telecrm_core::{Lead, LeadRecord};
    ///
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct Callback {
    ///     #[serde(with = "jiff::fmt::serde::timestamp::millisecond::optional")]
    ///     follow_up_date: Option<jiff::Timestamp>,
    /// }
    ///
    /// let callback = Callback { follow_up_date: Some("2026-06-01T10:30:00+05:30".parse()?) };
    /// let lead = Lead::from_serialize(&callback)?;
    /// assert_eq!(lead.get("follow_up_date"), Some(&1_780_290_000_000_i64.into()));
    ///
    /// let row: LeadRecord = serde_json::from_str(r#"{ "fields": { "follow_up_date": 1780290000000 } }"#)?;
    /// assert_eq!(row.fields_as::<Callback>()?.follow_up_date, callback.follow_up_date);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the fields do not fit the type: which one, and what it should be, without the value.
    pub fn fields_as<T: serde::de::DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        let mut fields = self.fields.clone();
        for name in ["status", "rating", "assignee"] {
            if let Some(value) = self.get(name) {
                fields.insert(name.to_owned(), value.clone());
            }
        }
        let text = serde_json::to_string(&fields)?;
        serde_json::from_str(&whole_characters(&text)).map_err(|error| misfit(&fields, &error))
    }

    /// The content of `fields`.
    pub fn fields(&self) -> &BTreeMap<String, FieldValue> {
        &self.fields
    }

    /// The keys beside `fields` and `actions`; also these, where `fields` is no object or `actions` no list of objects.
    pub fn row(&self) -> &BTreeMap<String, FieldValue> {
        &self.row
    }

    /// The page of the timeline that came with the lead; searches send none. An entry that is no object is empty here.
    pub fn actions(&self) -> &[ActionRecord] {
        self.actions.as_deref().unwrap_or_default()
    }
}

/// Why fields do not fit a type, without the values that serde repeats.
fn misfit(fields: &BTreeMap<String, FieldValue>, error: &serde_json::Error) -> serde_json::Error {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    if text.starts_with("missing field") {
        return serde_json::Error::custom(text);
    }
    let reason = match text.rsplit_once(", expected ") {
        Some((_, expected)) => format!("is something else than {expected}"),
        None => "does not fit the type".to_owned(),
    };
    let place = field_at(fields, error.column());
    let place = place.map_or("a field".to_owned(), |path| format!("`{path}`"));
    serde_json::Error::custom(format_args!("{place} {reason}"))
}

/// The field that stands in this column of their JSON.
fn field_at(fields: &BTreeMap<String, FieldValue>, column: usize) -> Option<FieldPath> {
    let mut end = 0;
    for (name, value) in fields {
        let name_length = serde_json::to_string(name).ok()?.len();
        // With what is before it, a brace or a comma, and the colon.
        end += 1 + name_length + 1 + serde_json::to_string(value).ok()?.len();
        if column <= end {
            return Some(FieldPath::Field(name.clone()));
        }
    }
    None
}

impl Serialize for LeadRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        if !self.row.contains_key("fields") {
            object.serialize_entry("fields", &self.fields)?;
        }
        if !self.row.contains_key("actions")
            && let Some(actions) = &self.actions
        {
            object.serialize_entry("actions", actions)?;
        }
        write(&mut object, &self.row)?;
        object.end()
    }
}

impl<'de> Deserialize<'de> for LeadRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(LeadVisitor)
    }
}

struct LeadVisitor;

impl<'de> Visitor<'de> for LeadVisitor {
    type Value = LeadRecord;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a lead")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut answer: A) -> Result<LeadRecord, A::Error> {
        let mut lead = LeadRecord::default();
        while let Some(key) = answer.next_key::<String>()? {
            match &*key {
                "fields" => {
                    let fields: Part<Members> = answer.next_value()?;
                    lead.fields = fields.keep(key, &mut lead.row).unwrap_or_default();
                }
                "actions" => {
                    let actions: Part<Vec<ActionRecord>> = answer.next_value()?;
                    lead.actions = actions.keep(key, &mut lead.row);
                }
                _ => _ = lead.row.insert(key, answer.next_value()?),
            }
        }
        Ok(lead)
    }
}

type Members = BTreeMap<String, FieldValue>;

fn filled<'a>(place: &'a Members, key: &str) -> Option<&'a FieldValue> {
    place.get(key).filter(|value| !value.is_null())
}

/// A part of an answer that has its own place, where it is of the shape that is expected there.
struct Part<T> {
    expected: Option<T>,
    /// All of it, where that is not all.
    odd: Option<FieldValue>,
}

impl<T> Part<T> {
    /// What was expected. Anything else stays under its key, so that nothing is lost.
    fn keep(self, key: String, others: &mut Members) -> Option<T> {
        match self.odd {
            Some(odd) => _ = others.insert(key, odd),
            // If the key stands twice, the last one holds.
            None => _ = others.remove(key.as_str()),
        }
        self.expected
    }

    fn expected(part: T) -> Self {
        Self {
            expected: Some(part),
            odd: None,
        }
    }
}

/// An object.
impl<'de> Deserialize<'de> for Part<Members> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        by_text(deserializer, |text| match text.starts_with('{') {
            true => serde_json::from_str(text).map(Self::expected),
            false => Ok(Self {
                expected: None,
                odd: Some(FieldValue::read(text)?),
            }),
        })
    }
}

/// A list of objects. In the place of anything else in it there is an empty one.
impl<'de, T: DeserializeOwned> Deserialize<'de> for Part<Vec<T>> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        by_text(deserializer, Self::read)
    }
}

impl<T: DeserializeOwned> Part<Vec<T>> {
    fn read(text: &str) -> Result<Self, serde_json::Error> {
        // Nearly always they are objects, all of them.
        if let Ok(items) = serde_json::from_str(text) {
            return Ok(Self::expected(items));
        }
        let odd = Some(FieldValue::read(text)?);
        let mut expected: Option<Vec<T>> = None;
        if text.starts_with('[') {
            let objects = expected.get_or_insert_default();
            for item in serde_json::from_str::<Vec<&RawValue>>(text)? {
                let is_object = item.get().starts_with('{');
                let object = if is_object { item.get() } else { "{}" };
                objects.push(serde_json::from_str(object)?);
            }
        }
        Ok(Self { expected, odd })
    }
}

fn write<M: SerializeMap>(
    object: &mut M,
    keys: &BTreeMap<String, FieldValue>,
) -> Result<(), M::Error> {
    keys.iter()
        .try_for_each(|(key, value)| object.serialize_entry(key, value))
}

/// An entry of a lead's timeline as telecrm answers it.
///
/// ```
/// use telecrm_core::{ActionKind, ActionRecord};
///
/// let entry: ActionRecord = serde_json::from_str(r#"{
///     "id": "a1", "type": "ACTION_1001", "fields": { "note": "called" }, "creationTimestamp": 1780290000000
/// }"#)?;
/// assert_eq!(entry.id(), Some("a1"));
/// assert_eq!(entry.kind(), ActionKind::Custom(1001.into()));
/// assert_eq!(entry.fields().unwrap()["note"], "called");
/// assert_eq!(entry.field("note"), Some("called".into()));
/// assert_eq!(entry.created().map(|t| t.to_string()).as_deref(), Some("2026-06-01T05:00:00Z"));
/// assert_eq!(entry.key("duration"), None);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// Like [`LeadRecord`] it keeps every digit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct ActionRecord(BTreeMap<String, FieldValue>);

impl ActionRecord {
    /// The entry's ID, if the answer tells it.
    pub fn id(&self) -> Option<&str> {
        self.key("id")?.as_str()
    }

    /// What kind of entry it is. Codes read alike with and without `ACTION_`.
    pub fn kind(&self) -> ActionKind {
        ActionKind::of(self.key("type"))
    }

    /// When it was recorded. The key is `creationTimestamp` (pitfall AC6).
    pub fn created(&self) -> Option<jiff::Timestamp> {
        time(self.key("creationTimestamp")?)
    }

    /// A field of a custom action.
    pub fn field(&self, api_name: &str) -> Option<FieldValue> {
        self.key("fields")?.member(api_name)
    }

    /// The fields of a custom action. Numbers have the range of `serde_json`; [`field`](Self::field) has every digit.
    pub fn fields(&self) -> Option<&Map<String, Value>> {
        self.key("fields")?.as_json().as_object()
    }

    /// What a payment amounts to, in every digit.
    ///
    /// ```
    /// use telecrm_core::{ActionRecord, Currency};
    ///
    /// let entry: ActionRecord =
    ///     serde_json::from_str(r#"{ "type": "PAYMENT", "amount": "4999.50", "currency": "INR" }"#)?;
    /// assert_eq!(entry.amount().map(|amount| amount.to_string()).as_deref(), Some("4999.50"));
    /// assert_eq!(entry.currency(), Some(Currency::Inr));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn amount(&self) -> Option<Amount> {
        self.key("amount")?.as_decimal()?.try_into().ok()
    }

    /// In which currency a payment is.
    pub fn currency(&self) -> Option<Currency> {
        self.key("currency")?.as_str().map(Currency::from)
    }

    /// Any key of the entry.
    pub fn key(&self, key: &str) -> Option<&FieldValue> {
        self.0.get(key)
    }
}

/// Defines an answer that is read key by key, so that nothing in it can make it unreadable and no key is lost.
macro_rules! record {
    ($(#[$meta:meta])* $name:ident { $($(#[doc = $about:literal])* $method:ident: $type:ty = $key:literal via $read:ident,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(BTreeMap<String, FieldValue>);

        impl $name {
            $($(#[doc = $about])*
            pub fn $method(&self) -> Option<$type> {
                self.0.get($key).and_then($read)
            })*

            /// The value of any key, also of those not known here.
            pub fn key(&self, key: &str) -> Option<&FieldValue> {
                self.0.get(key)
            }
        }

        #[cfg(feature = "schemars")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn schema_id() -> std::borrow::Cow<'static, str> {
                concat!(module_path!(), "::", stringify!($name)).into()
            }

            /// An object with the known keys, of any type as it is read.
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "object",
                    "properties": {
                        $($key: { "description": concat!($($about, "\n"),*).trim() }),*
                    },
                })
            }
        }
    };
}

fn text(value: &FieldValue) -> Option<&str> {
    value.as_str()
}

fn texts(value: &FieldValue) -> Option<Vec<&str>> {
    value.as_strings()
}

/// A number, also one that is written as a string.
fn integer(value: &FieldValue) -> Option<i64> {
    value
        .as_i64()
        .or_else(|| value.as_str()?.trim().parse().ok())
}

fn time(value: &FieldValue) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_millisecond(integer(value)?).ok()
}

fn flag(value: &FieldValue) -> Option<bool> {
    value.as_json().as_bool()
}

fn object(value: &FieldValue) -> Option<&Map<String, Value>> {
    value.as_json().as_object()
}

fn license(value: &FieldValue) -> Option<License> {
    value.clone().into_members().ok().map(License)
}

fn status(value: &FieldValue) -> Option<TeamMemberStatus> {
    let text = value.as_str()?;
    let known = TeamMemberStatus::KNOWN.iter();
    let same = known
        .into_iter()
        .find(|known| known.as_str().eq_ignore_ascii_case(text));
    Some(same.cloned().unwrap_or_else(|| text.into()))
}

record! {
    /// A member of the workspace's team.
    ///
    /// ```
    /// use telecrm_core::{TeamMember, TeamMemberRole, TeamMemberStatus};
    ///
    /// let member: TeamMember = serde_json::from_str(r#"{
    ///     "name": "Jane Doe", "email": "jane.doe@example.com", "phone_number": "919999999999", "status": "INVITED",
    ///     "role": "CALLER", "manager_name": "John Smith", "manager_email": "john.smith@example.com",
    ///     "permission_template_name": "Sales Agent", "license": null, "badge": 7
    /// }"#)?;
    /// assert_eq!(member.name(), Some("Jane Doe"));
    /// assert_eq!(member.email(), Some("jane.doe@example.com"));
    /// assert_eq!(member.phone_number(), Some("919999999999"));
    /// assert_eq!(member.status(), Some(TeamMemberStatus::Invited)); // TM7: spelled in two ways
    /// assert_eq!(member.role().map(TeamMemberRole::from), Some(TeamMemberRole::Caller));
    /// assert_eq!(member.manager_name(), Some("John Smith"));
    /// assert_eq!(member.manager_email(), Some("john.smith@example.com"));
    /// assert_eq!(member.permission_template_name(), Some("Sales Agent"));
    /// assert_eq!(member.license(), None);
    /// assert_eq!(member.key("badge"), Some(&7.into()));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    TeamMember {
        /// The name.
        name: &str = "name" via text,
        /// The address, which is also the login name.
        email: &str = "email" via text,
        /// Whether the member works, is on leave, and so on; read ignoring case (pitfall TM7).
        status: TeamMemberStatus = "status" via status,
        /// The number, with its country code.
        phone_number: &str = "phone_number" via text,
        /// The role; only the answer to a creation tells it.
        role: &str = "role" via text,
        /// The manager's name.
        manager_name: &str = "manager_name" via text,
        /// The manager's address.
        manager_email: &str = "manager_email" via text,
        /// The name of the member's set of permissions.
        permission_template_name: &str = "permission_template_name" via text,
        /// The licence, if one was ever assigned.
        license: License = "license" via license,
    }
}

record! {
    /// A team member's licence. Its dates are plain `YYYY-MM-DD`.
    ///
    /// ```
    /// use telecrm_core::License;
    ///
    /// let license: License = serde_json::from_str(
    ///     r#"{ "status": "ACTIVE", "type": "GROWTH", "start_date": "2024-01-01", "end_date": "2025-01-01" }"#,
    /// )?;
    /// assert_eq!((license.status(), license.license_type()), (Some("ACTIVE"), Some("GROWTH")));
    /// let last: jiff::civil::Date = license.end_date().unwrap_or_default().parse()?;
    /// assert!(license.start_date() < license.end_date() && last.year() == 2025);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    License {
        /// `ACTIVE`; other values are not documented.
        status: &str = "status" via text,
        /// `GROWTH`; other values are not documented.
        license_type: &str = "type" via text,
        /// The first day.
        start_date: &str = "start_date" via text,
        /// The last day.
        end_date: &str = "end_date" via text,
    }
}

record! {
    /// What a workspace says of itself.
    ///
    /// ```
    /// use telecrm_core::Metadata;
    ///
    /// let metadata: Metadata = serde_json::from_str(r#"{
    ///     "name": "Acme Corporation", "id": "ent_123456", "creationTimeStamp": 1609459200000, "teamSize": "50-100",
    ///     "industry": "Technology", "website": "https://acme.com", "leadIdentifierFieldId": "phone",
    ///     "integrations": ["WHATSAPP", "EMAIL"]
    /// }"#)?;
    /// assert_eq!((metadata.name(), metadata.id()), (Some("Acme Corporation"), Some("ent_123456")));
    /// assert_eq!(metadata.created().map(|t| t.to_string()).as_deref(), Some("2021-01-01T00:00:00Z"));
    /// assert_eq!((metadata.team_size(), metadata.industry()), (Some("50-100"), Some("Technology")));
    /// assert_eq!(metadata.website(), Some("https://acme.com"));
    /// assert_eq!(metadata.lead_identifier_field_id(), Some("phone"));
    /// assert_eq!(metadata.integrations(), Some(vec!["WHATSAPP", "EMAIL"]));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    Metadata {
        /// The enterprise's name.
        name: &str = "name" via text,
        /// The enterprise ID.
        id: &str = "id" via text,
        /// When the workspace was made.
        created: jiff::Timestamp = "creationTimeStamp" via time,
        /// A range such as `50-100`.
        team_size: &str = "teamSize" via text,
        /// The industry.
        industry: &str = "industry" via text,
        /// The web address.
        website: &str = "website" via text,
        /// The ID, or the API name (pitfall EN6), of the lead identifier.
        lead_identifier_field_id: &str = "leadIdentifierFieldId" via text,
        /// The channels that are connected.
        integrations: Vec<&str> = "integrations" via texts,
    }
}

record! {
    /// A field of leads, as the workspace lists it with `detail=true`.
    ///
    /// ```
    /// use telecrm_core::{CustomFieldRecord, FieldType};
    ///
    /// let field: CustomFieldRecord = serde_json::from_str(r#"{
    ///     "id": "5f8a1b2c", "apiName": "follow_up_date", "type": "DATE", "description": "When to call again",
    ///     "isLeadid": false, "lockAfterCreate": false, "dateFormat": "DD/MM/YYYY", "timeFormat": "HH:mm"
    /// }"#)?;
    /// assert_eq!((field.id(), field.api_name()), (Some("5f8a1b2c"), Some("follow_up_date")));
    /// assert_eq!(field.field_type().map(FieldType::from), Some(FieldType::Date));
    /// assert_eq!(field.description(), Some("When to call again"));
    /// assert_eq!((field.is_lead_id(), field.lock_after_create()), (Some(false), Some(false)));
    /// assert_eq!((field.date_format(), field.time_format()), (Some("DD/MM/YYYY"), Some("HH:mm")));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    CustomFieldRecord {
        /// The ID.
        id: &str = "id" via text,
        /// The name in payloads.
        api_name: &str = "apiName" via text,
        /// The type, as the server spells it.
        field_type: &str = "type" via text,
        /// What it is for.
        description: &str = "description" via text,
        /// Whether it is the lead identifier.
        is_lead_id: bool = "isLeadid" via flag,
        /// Whether it cannot be changed once set; the documentation does not explain it.
        lock_after_create: bool = "lockAfterCreate" via flag,
        /// The format of a date, such as `DD/MM/YYYY`.
        date_format: &str = "dateFormat" via text,
        /// The format of a time of day, such as `HH:mm`.
        time_format: &str = "timeFormat" via text,
    }
}

record! {
    /// A custom action, as the workspace lists it with `detail=true`.
    ///
    /// ```
    /// use telecrm_core::CustomActionRecord;
    ///
    /// let action: CustomActionRecord = serde_json::from_str(r#"{
    ///     "id": "5f8a1b2c", "code": "ACTION_1001", "displayName": "Site Visit", "description": "A visit", "score": 10,
    ///     "source": "USER", "fieldSchema": { "note": { "type": "TEXT" } },
    ///     "createdOn": 1609459200000, "modifiedOn": 1609545600000
    /// }"#)?;
    /// assert_eq!((action.id(), action.code()), (Some("5f8a1b2c"), Some("ACTION_1001")));
    /// assert_eq!((action.display_name(), action.description()), (Some("Site Visit"), Some("A visit")));
    /// assert_eq!((action.score(), action.source()), (Some(10), Some("USER")));
    /// assert_eq!(action.field_schema().unwrap()["note"]["type"], "TEXT");
    /// assert!(action.created() < action.modified());
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    CustomActionRecord {
        /// The ID.
        id: &str = "id" via text,
        /// The code, as `ACTION_1001`.
        code: &str = "code" via text,
        /// The name for people.
        display_name: &str = "displayName" via text,
        /// What it is for.
        description: &str = "description" via text,
        /// What each entry adds to the lead's score.
        score: i64 = "score" via integer,
        /// `USER` if the workspace defined it, `SYSTEM` if it is built in.
        source: &str = "source" via text,
        /// The fields that entries can have, by API name.
        field_schema: &Map<String, Value> = "fieldSchema" via object,
        /// When it was made.
        created: jiff::Timestamp = "createdOn" via time,
        /// When it was last changed.
        modified: jiff::Timestamp = "modifiedOn" via time,
    }
}

crate::open_enum! {
    /// What a team member does at the moment.
    TeamMemberStatus:
        Active = "Active",
        Inactive = "Inactive",
        OnLeave = "On Leave",
        Working = "Working",
        Invited = "Invited",
        Deleted = "Deleted",
}

crate::open_enum! {
    /// What a new team member may do.
    ///
    /// ```
    /// use telecrm_core::TeamMemberRole;
    ///
    /// // Lists grow: what is not known here is kept.
    /// assert_eq!(TeamMemberRole::from("OWNER"), TeamMemberRole::Unknown("OWNER".into()));
    /// assert!(TeamMemberRole::KNOWN.contains(&"CALLER".into()));
    /// ```
    TeamMemberRole:
        Admin = "ADMIN",
        Manager = "MANAGER",
        Caller = "CALLER",
        MarketingUser = "MARKETING_USER",
}

crate::open_enum! {
    /// The states into which a team member can be put.
    ///
    /// ```
    /// use telecrm_core::Availability;
    ///
    /// assert_eq!(Availability::OnLeave.as_str(), "On Leave");
    /// ```
    Availability:
        Active = "Active",
        Inactive = "Inactive",
        OnLeave = "On Leave",
        Working = "Working",
}

/// One page of a search.
///
/// ```
/// use telecrm_core::{LeadRecord, Page};
///
/// let page: Page<LeadRecord> = serde_json::from_str(
///     r#"{ "data": [{ "fields": { "phone": "919999999999" } }], "total_count": 42, "skip": 0, "limit": 1 }"#,
/// )?;
/// assert!(page.skip + page.limit < page.total_count, "there are more");
///
/// // Whatever else is answered is kept.
/// let page: Page<LeadRecord> = serde_json::from_str(r#"{ "data": null, "cursor": "x7" }"#)?;
/// assert!(page.data.is_empty() && page.more["data"].is_null());
/// assert_eq!(page.more["cursor"], "x7".into());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "schemars",
    schemars(default, bound = "T: schemars::JsonSchema + Default + Serialize")
)]
pub struct Page<T> {
    /// The items, newest first. One that is no object is empty here, and the whole list is in `more` as well.
    pub data: Vec<T>,
    /// How many items match in all.
    pub total_count: u64,
    /// How many items were passed over before this page.
    pub skip: u64,
    /// How many items a page holds at most.
    pub limit: u64,
    /// The other keys; also those above, where they hold something else than a list or a number.
    #[cfg_attr(feature = "schemars", schemars(flatten))]
    pub more: BTreeMap<String, FieldValue>,
}

impl<T: Serialize> Serialize for Page<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        if !self.more.contains_key("data") {
            object.serialize_entry("data", &self.data)?;
        }
        let counts = [
            ("total_count", self.total_count),
            ("skip", self.skip),
            ("limit", self.limit),
        ];
        for (key, count) in counts {
            if !self.more.contains_key(key) {
                object.serialize_entry(key, &count)?;
            }
        }
        write(&mut object, &self.more)?;
        object.end()
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Page<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (data, mut more) = deserializer.deserialize_map(PageVisitor(PhantomData))?;
        Ok(Self {
            data,
            total_count: count(&mut more, "total_count"),
            skip: count(&mut more, "skip"),
            limit: count(&mut more, "limit"),
            more,
        })
    }
}

struct PageVisitor<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for PageVisitor<T> {
    type Value = (Vec<T>, Members);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut answer: A) -> Result<Self::Value, A::Error> {
        let (mut data, mut more) = (Vec::new(), Members::new());
        while let Some(key) = answer.next_key::<String>()? {
            match &*key {
                "data" => {
                    let items: Part<Vec<T>> = answer.next_value()?;
                    data = items.keep(key, &mut more).unwrap_or_default();
                }
                _ => _ = more.insert(key, answer.next_value()?),
            }
        }
        Ok((data, more))
    }
}

/// Takes a count out of an answer. One that is written as a string counts, too, and stays there as it is.
fn count(answer: &mut BTreeMap<String, FieldValue>, key: &str) -> u64 {
    let Some(value) = answer.get(key) else {
        return 0;
    };
    let written = value.as_json().as_u64();
    let count = written.or_else(|| integer(value)?.try_into().ok());
    if written.is_some() {
        answer.remove(key);
    }
    count.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Created, Lead, Outcome};
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn what_does_not_fit_a_type_is_named_without_its_value() {
        #[derive(Deserialize, Debug)]
        #[expect(dead_code, reason = "read only")]
        struct Inner {
            note: u8,
        }
        #[derive(Deserialize, Debug)]
        #[expect(dead_code, reason = "read only")]
        struct Own {
            phone: Option<String>,
            rating: Option<u8>,
            zone: Option<u8>,
            size: Option<std::net::IpAddr>,
            #[serde(flatten)]
            rest: BTreeMap<String, u8>,
            inner: Option<Inner>,
        }
        let field = |rest: &str| format!(r#"{{"fields":{{"phone":"9199\ud83d",{rest}}}}}"#);
        for (rest, expected) in [
            (
                r#""rating":"Jane","zone":7"#,
                "`fields.rating` is something else than u8",
            ),
            (
                r#""rating":"Jane, expected Asha""#,
                "`fields.rating` is something else than u8",
            ),
            (
                r#""rating":3,"zone":70000"#,
                "`fields.zone` is something else than u8",
            ),
            (
                r#""inner":{"note":"Jane"}"#,
                "`fields.inner` is something else than u8",
            ),
            (r#""inner":{},"zone":7"#, "missing field `note`"),
            (
                r#""size":"Jane at line 3","zone":7"#,
                "`fields.size` does not fit the type",
            ),
            (r#""other":"Jane""#, "a field is something else than u8"),
        ] {
            let row: LeadRecord = serde_json::from_str(&field(rest)).expect("a row");
            let error = row.fields_as::<Own>().expect_err(rest).to_string();
            assert_eq!(error, expected, "{rest}");
        }
    }

    /// Any JSON object, most often with keys that an answer has.
    fn any_object() -> impl Strategy<Value = Map<String, Value>> {
        let known = [
            "fields",
            "actions",
            "data",
            "total_count",
            "limit",
            "id",
            "type",
            "status",
        ];
        let key = prop_oneof![
            prop::sample::select(known.to_vec()).prop_map(str::to_owned),
            "[a-z]{1,4}",
        ];
        let keys = key.clone();
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[\\PC\"]{0,6}".prop_map(Value::from),
        ];
        let any = leaf.prop_recursive(3, 24, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(keys.clone(), inner, 0..4)
                    .prop_map(|object| object.into_iter().collect()),
            ]
        });
        prop::collection::btree_map(key, any, 0..6).prop_map(|object| object.into_iter().collect())
    }

    /// What happens to an answer between the documentation and a client.
    #[derive(Debug, Clone)]
    enum Change {
        /// A key that nobody has heard of.
        Add(String, i64),
        /// Another value of a list that grows.
        Rename(prop::sample::Index),
        /// Nothing where something was.
        Null(prop::sample::Index),
        /// A number in quotes.
        Quote,
        /// Something else where a list or an object was.
        Misshape(prop::sample::Index, Value),
    }

    fn change() -> impl Strategy<Value = Change> {
        prop_oneof![
            ("x_[a-z]{1,8}", any::<i64>()).prop_map(|(key, value)| Change::Add(key, value)),
            any::<prop::sample::Index>().prop_map(Change::Rename),
            any::<prop::sample::Index>().prop_map(Change::Null),
            Just(Change::Quote),
            (any::<prop::sample::Index>(), odd()).prop_map(|(at, odd)| Change::Misshape(at, odd)),
        ]
    }

    /// What has stood where an object or a list belongs.
    fn odd() -> impl Strategy<Value = Value> {
        prop::sample::select(vec![
            json!(null),
            json!([]),
            json!({}),
            json!([null]),
            json!([null, { "type": "1001" }, 7]),
            json!("none"),
            json!(0),
        ])
    }

    fn apply(json: &mut Value, change: &Change) {
        let Value::Object(object) = json else {
            return;
        };
        match change {
            Change::Add(key, value) => {
                object.insert(key.clone(), (*value).into());
            }
            Change::Rename(index) => {
                let texts: Vec<_> = object
                    .values_mut()
                    .filter(|value| value.is_string())
                    .collect();
                if !texts.is_empty() {
                    let place = index.index(texts.len());
                    *texts.into_iter().nth(place).expect("in range") = "BRAND_NEW".into();
                }
            }
            Change::Null(index) if !object.is_empty() => {
                let key = object
                    .keys()
                    .nth(index.index(object.len()))
                    .expect("in range")
                    .clone();
                object.insert(key, Value::Null);
            }
            Change::Null(_) => {}
            Change::Misshape(index, odd) => {
                let structured = object
                    .values_mut()
                    .filter(|value| value.is_object() || value.is_array());
                let structured: Vec<_> = structured.collect();
                if !structured.is_empty() {
                    let place = index.index(structured.len());
                    *structured.into_iter().nth(place).expect("in range") = odd.clone();
                }
            }
            Change::Quote => {
                for value in object.values_mut().filter(|value| value.is_number()) {
                    *value = value.to_string().into();
                }
            }
        }
    }

    /// Applies changes to the object and to everything in it.
    fn apply_everywhere(json: &mut Value, changes: &[Change]) {
        changes.iter().for_each(|change| apply(json, change));
        match json {
            Value::Object(object) => {
                object
                    .values_mut()
                    .for_each(|value| apply_everywhere(value, changes));
            }
            Value::Array(items) => items
                .iter_mut()
                .for_each(|item| apply_everywhere(item, changes)),
            _ => {}
        }
    }

    /// Null, nothing and an empty object say the same.
    fn without_nothing(json: Value) -> Value {
        match json {
            Value::Object(object) => {
                let inside = object
                    .into_iter()
                    .map(|(key, value)| (key, without_nothing(value)));
                inside
                    .filter(|(_, value)| !value.is_null() && *value != json!({}))
                    .collect()
            }
            other => other,
        }
    }

    /// Decodes the answer, and writes all of it back.
    fn survives<T: DeserializeOwned + Serialize>(documented: &Value, changes: &[Change]) {
        let mut answer = documented.clone();
        apply_everywhere(&mut answer, changes);
        let text = answer.to_string();
        let decoded: T =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let written = serde_json::to_value(&decoded).expect("JSON");
        assert_eq!(without_nothing(written), without_nothing(answer));
    }

    #[test]
    fn what_has_another_shape_is_kept_and_written_back() {
        fn same<T: DeserializeOwned + Serialize>(answer: &str) -> T {
            let read: T = serde_json::from_str(answer).expect(answer);
            let written = serde_json::to_value(&read).expect("JSON");
            assert_eq!(
                written,
                serde_json::from_str::<Value>(answer).expect("JSON")
            );
            read
        }
        for odd in ["null", "[]", "{}", "[null]", "[{},7]", "\"none\"", "0"] {
            let row: LeadRecord = same(&format!(r#"{{"fields":{{}},"actions":{odd}}}"#));
            let entries = [("[null]", 1), ("[{},7]", 2)];
            let expected = entries.iter().find(|(text, _)| *text == odd);
            assert_eq!(
                row.actions().len(),
                expected.map_or(0, |(_, count)| *count),
                "{odd}"
            );
            let row: LeadRecord = same(&format!(r#"{{"id":"l1","fields":{odd}}}"#));
            assert_eq!((row.id(), row.fields().len()), (Some("l1"), 0));
            let entry: ActionRecord = same(&format!(r#"{{"id":"a1","fields":{odd}}}"#));
            assert_eq!((entry.id(), entry.field("note")), (Some("a1"), None));
        }
        let page: Page<LeadRecord> = same(
            r#"{"data":[null,{"fields":{},"id":"l1"},7],"total_count":3,"skip":0,"limit":10}"#,
        );
        let ids: Vec<_> = page.data.iter().map(LeadRecord::id).collect();
        assert_eq!(ids, [None, Some("l1"), None]);
        for odd in ["null", "{}", "\"none\""] {
            let page: Page<LeadRecord> = same(&format!(
                r#"{{"data":{odd},"total_count":"7","skip":{odd},"limit":10}}"#
            ));
            assert_eq!((page.data.len(), page.total_count, page.skip), (0, 7, 0));
        }
    }

    #[test]
    fn what_stands_in_the_place_of_fields_keeps_its_digits_and_the_last_one_holds() {
        for (answer, held) in [
            (r#"{"fields":1.10}"#, r#"{"fields":1.10}"#),
            (
                r#"{"fields":{},"actions":[1.10]}"#,
                r#"{"fields":{},"actions":[1.10]}"#,
            ),
            (
                r#"{"fields":7,"fields":{"n":1.10}}"#,
                r#"{"fields":{"n":1.10}}"#,
            ),
            (r#"{"fields":{"n":1},"fields":7}"#, r#"{"fields":7}"#),
            (
                r#"{"actions":[7],"actions":[]}"#,
                r#"{"fields":{},"actions":[]}"#,
            ),
        ] {
            let row: LeadRecord = serde_json::from_str(answer).expect(answer);
            assert_eq!(serde_json::to_string(&row).expect("JSON"), held);
            let through_value: Value = serde_json::from_str(answer).expect(answer);
            assert!(serde_json::from_value::<LeadRecord>(through_value).is_ok());
        }
    }

    #[test]
    fn a_note_that_was_cut_through_a_character_hides_nothing() {
        let answer = r#"{"data":[{"fields":{"account":12345678901234567890123,"note":"so far \ud83d"}}],"total_count":1,"skip":0,"limit":10}"#;
        let page: Page<LeadRecord> = serde_json::from_str(answer).expect("readable");
        assert_eq!(serde_json::to_string(&page).expect("JSON"), answer);
        let own: BTreeMap<String, FieldValue> = page.data[0].fields_as().expect("fields");
        assert_eq!(own["note"], "so far \u{fffd}".into());
        assert_eq!(own["account"].to_string(), "12345678901234567890123");
        #[derive(Deserialize)]
        struct Note {
            note: String,
        }
        let own: Note = page.data[0].fields_as().expect("fields");
        assert_eq!(own.note, "so far \u{fffd}");
    }

    #[test]
    fn no_record_is_read_from_a_list() {
        fn refused<T: DeserializeOwned>() {
            for list in ["[]", r#"["x"]"#, r#"[{"id":"x"}]"#] {
                let error = serde_json::from_str::<T>(list).map(drop).expect_err(list);
                assert!(error.to_string().contains("sequence"), "{error}");
            }
        }
        refused::<LeadRecord>();
        refused::<ActionRecord>();
        refused::<TeamMember>();
        refused::<Metadata>();
        refused::<CustomFieldRecord>();
        refused::<CustomActionRecord>();
        refused::<Page<LeadRecord>>();
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_change_of_an_answer_makes_it_unreadable_and_nothing_of_it_is_lost(
            changes in prop::collection::vec(change(), 0..4),
        ) {
            survives::<LeadRecord>(&json!({
                "id": "603d2b2f9b1e8a001c8e4f5c", "status": "Won", "rating": 4, "employeeid": "jane.doe@example.com",
                "isArchived": false, "leadMetaData": { "statusChangeTimestamp": 1_780_290_000_000_i64 },
                "fields": { "phone": "919999999999", "created_on": 1_780_290_000_000_i64, "interests": ["VIP"], "deal_size": 12.5 },
                "actions": [{ "type": "1001", "fields": { "note": "x" } }, { "type": "PAYMENT" }],
            }), &changes);
            survives::<ActionRecord>(&json!({
                "id": "a1", "type": "ACTION_1001", "fields": { "note": "x" }, "creationTimestamp": 1_780_290_000_000_i64,
                "callRecording": { "url": "https://example.com/x" }, "duration": 7,
            }), &changes);
            survives::<TeamMember>(&json!({
                "name": "Jane Doe", "email": "jane.doe@example.com", "status": "Working", "phone_number": "919999999999",
                "manager_name": null, "license": { "status": "ACTIVE", "type": "GROWTH", "start_date": "2024-01-01" },
            }), &changes);
            survives::<Metadata>(&json!({
                "name": "Acme Corporation", "id": "ent_123456", "creationTimeStamp": 1_609_459_200_000_i64,
                "leadIdentifierFieldId": "phone", "integrations": ["WHATSAPP"],
            }), &changes);
            survives::<CustomFieldRecord>(&json!({
                "id": "5f8a", "type": "DROPDOWN", "apiName": "contact_source", "isLeadid": false,
                "options": [{ "id": "opt_1", "label": "Website" }],
            }), &changes);
            survives::<CustomActionRecord>(&json!({
                "id": "5f8a", "code": "ACTION_1001", "score": 10, "createdOn": 1_609_459_200_000_i64,
                "fieldSchema": { "note": { "type": "TEXT" } }, "allowPredatedActivity": { "enabled": true },
            }), &changes);
        }

        #[test]
        fn every_object_is_read_and_written_back(answer in any_object()) {
            fn same<T: DeserializeOwned + Serialize>(answer: &Map<String, Value>, defaults: Value) {
                let text = serde_json::to_string(answer).expect("JSON");
                let read: T = serde_json::from_str(&text).expect(&text);
                let mut expected = defaults;
                expected.as_object_mut().expect("an object").extend(answer.clone());
                assert_eq!(serde_json::to_value(&read).expect("JSON"), expected);
            }
            same::<LeadRecord>(&answer, json!({ "fields": {} }));
            same::<ActionRecord>(&answer, json!({}));
            same::<TeamMember>(&answer, json!({}));
            same::<Page<ActionRecord>>(&answer, json!({ "data": [], "total_count": 0, "skip": 0, "limit": 0 }));
        }

        #[test]
        fn every_digit_of_an_answer_is_kept(
            number in "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?",
        ) {
            fn same<T: DeserializeOwned + Serialize>(answer: &str) -> T {
                let read: T = serde_json::from_str(answer).expect("readable");
                assert_eq!(serde_json::to_string(&read).expect("JSON"), answer);
                read
            }
            let lead = format!(
                r#"{{"fields":{{"deal_size":{number}}},"actions":[{{"fields":{{"amount":{number}}},"score":{number}}}],"row":[{number}]}}"#
            );
            let page = format!(r#"{{"data":[{lead}],"total_count":1,"skip":0,"limit":10}}"#);
            let page: Page<LeadRecord> = same(&page);
            let digits = |value: Option<FieldValue>| value.and_then(|v| Some(v.digits()?.into_owned()));
            let lead = &page.data[0];
            prop_assert_eq!(digits(lead.get("deal_size").cloned()), Some(number.clone()));
            let entry = &lead.actions()[0];
            prop_assert_eq!(digits(entry.key("score").cloned()), Some(number.clone()));
            prop_assert_eq!(digits(entry.field("amount")), Some(number.clone()));
            same::<CustomActionRecord>(&format!(r#"{{"score":{number}}}"#));
        }

        #[test]
        fn pages_and_outcomes_survive_as_well(changes in prop::collection::vec(change(), 0..4)) {
            survives::<Page<LeadRecord>>(&json!({
                "data": [{ "fields": { "phone": "919999999999" } }], "total_count": 42, "skip": 0, "limit": 10,
            }), &changes);

            let mut answer = json!({
                "actions": [{ "action_id": "a1", "status": "CREATED" }],
                "remarks": [{ "field": "fields.rating", "status": "IGNORED", "remark": "Rating must be between 1 and 5" }],
            });
            // What the answer says of its parts may change; that there is a lead may not.
            apply_everywhere(&mut answer, &changes);
            answer["lead_id"] = "l1".into();
            let outcome = Outcome::<Created>::from_answer(answer.to_string().as_bytes(), &Lead::new());
            assert_eq!(outcome.expect("readable").accept_partial().lead_id, "l1");
        }
    }

    #[test]
    fn a_licence_keeps_every_digit_of_its_member() {
        let member = r#"{ "license": { "seats": 12345678901234567890123, "share": 0.10 } }"#;
        let member: TeamMember = serde_json::from_str(member).expect("a member");
        let license = member.license().expect("a licence");
        for (key, digits) in [("seats", "12345678901234567890123"), ("share", "0.10")] {
            let value = license.key(key).expect(key);
            assert_eq!(value.digits().as_deref(), Some(digits));
        }
    }
}
