//! Actions to send: custom actions and payments.

use crate::value::{SetField, from_object, set_field, to_object};
use crate::{ActionCode, ActionCodeError, Amount, FieldPath, FieldValue, open_enum};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A new entry for a lead's timeline.
///
/// Build it from a [`CustomAction`] or a [`Payment`]. A new custom action spells its code for the
/// Async API (`ACTION_1001`). An action read from JSON keeps every key and every digit, so that a
/// check can report wrong keys.
///
/// ```
/// use telecrm_core::{Action, ActionKind, CustomAction, PaymentStatus};
///
/// let visit: Action = CustomAction::new(1001)?.field("note", "called").into();
/// assert_eq!(visit.kind(), ActionKind::Custom(1001.into()));
/// assert_eq!(visit.field("note"), Some("called".into()));
///
/// // The two APIs spell the code in two ways (AS1, AC2).
/// let mut visit = visit.with_bare_code();
/// assert_eq!(visit.key("type"), Some(&"1001".into()));
/// visit.keys_mut().remove("fields");
/// let visit = visit.with_prefixed_code();
/// assert_eq!(visit.to_json(), serde_json::json!({ "type": "ACTION_1001" }));
/// assert_eq!(Action::from(visit.keys().clone()), visit);
///
/// let refund = Action::payment_status(&PaymentStatus::Refunded);
/// assert_eq!(refund.kind(), ActionKind::Payment);
/// # Ok::<(), telecrm_core::ActionCodeError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Action(BTreeMap<String, FieldValue>);

/// The kind of an action, from its `type`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActionKind {
    /// `PAYMENT`, in any case.
    Payment,
    /// A custom action, in either spelling of its code.
    Custom(ActionCode),
    /// An unknown type, or one that only telecrm itself records.
    Other(String),
    /// No `type`, or one that is neither text nor a whole number.
    Missing,
}

pub(crate) const PAYMENT: &str = "PAYMENT";

impl ActionKind {
    /// Reads the value of `type`.
    pub(crate) fn of(written: Option<&FieldValue>) -> Self {
        match written.map(FieldValue::as_json) {
            Some(Value::String(text)) if text.eq_ignore_ascii_case(PAYMENT) => Self::Payment,
            Some(Value::String(text)) => {
                text.parse().map_or_else(|_| Self::Other(text.clone()), Self::Custom)
            }
            Some(Value::Number(number)) => {
                number.to_string().parse().map_or(Self::Missing, Self::Custom)
            }
            _ => Self::Missing,
        }
    }
}

impl Action {
    /// The kind of the action.
    pub fn kind(&self) -> ActionKind {
        ActionKind::of(self.key("type"))
    }

    /// The value of a key.
    pub fn key(&self, key: &str) -> Option<&FieldValue> {
        self.0.get(key)
    }

    /// All keys with their values.
    pub fn keys(&self) -> &BTreeMap<String, FieldValue> {
        &self.0
    }

    /// All keys with their values, for changes.
    pub fn keys_mut(&mut self) -> &mut BTreeMap<String, FieldValue> {
        &mut self.0
    }

    /// A field of a custom action.
    pub fn field(&self, api_name: &str) -> Option<FieldValue> {
        self.key("fields")?.member(api_name)
    }

    /// The fields of a custom action by API name. Returns None if `fields` is not an object.
    pub(crate) fn fields(&self) -> Option<BTreeMap<String, FieldValue>> {
        self.key("fields")?.clone().into_members().ok()
    }

    /// Changes the fields of a custom action. Does nothing if `fields` is not an object.
    pub(crate) fn change_fields(&mut self, change: impl FnOnce(&mut BTreeMap<String, FieldValue>)) {
        if let Some(mut fields) = self.fields() {
            change(&mut fields);
            self.0.insert("fields".to_owned(), fields.into());
        }
    }

    /// Converts into a JSON object. Numbers have the range of `serde_json`, as in
    /// [`Lead::to_json`](crate::Lead::to_json).
    pub fn to_json(&self) -> Value {
        Value::Object(to_object(&self.0))
    }

    /// Changes the status of a payment. telecrm allows no other change of a payment (pitfall AC3).
    pub fn payment_status(status: &PaymentStatus) -> Self {
        Self::of([("type", PAYMENT.into()), ("status", status.as_str().into())])
    }

    fn of<const N: usize>(keys: [(&str, FieldValue); N]) -> Self {
        let keys = keys.map(|(key, value)| (key.to_owned(), value));
        Self(keys.into())
    }

    /// The paths of values that do not belong into an action of this kind.
    pub(crate) fn misplaced(&self, index: usize) -> Vec<FieldPath> {
        let known: &[&str] = match self.kind() {
            ActionKind::Payment => &["type", "status", "currency", "amount"],
            _ => &["type", "fields", "created_on"],
        };
        let fields = self.fields();
        let mut paths = Vec::new();
        for (key, value) in &self.0 {
            if value.is_null() || known.contains(&key.as_str()) {
                continue;
            }
            match &fields {
                Some(fields) if key == "fields" => {
                    let values = fields.iter().filter(|(_, value)| !value.is_null());
                    paths.extend(values.map(|(n, _)| FieldPath::ActionField(index, n.clone())));
                }
                _ => paths.push(FieldPath::ActionKey(index, key.clone())),
            }
        }
        paths
    }

    /// Spells the code for bodies of the Sync API: `1001` (pitfall AC2).
    #[must_use]
    pub fn with_bare_code(mut self) -> Self {
        if let ActionKind::Custom(code) = self.kind() {
            self.0.insert("type".into(), code.bare().into());
        }
        self
    }

    /// Spells the code for the Async API: `ACTION_1001` (pitfall AS1).
    #[must_use]
    pub fn with_prefixed_code(mut self) -> Self {
        if let ActionKind::Custom(code) = self.kind() {
            self.0.insert("type".into(), code.prefixed().into());
        }
        self
    }
}

impl From<BTreeMap<String, FieldValue>> for Action {
    fn from(keys: BTreeMap<String, FieldValue>) -> Self {
        Self(keys)
    }
}

impl From<Map<String, Value>> for Action {
    fn from(object: Map<String, Value>) -> Self {
        Self(from_object(object))
    }
}

/// A custom action of the workspace.
///
/// ```
/// use telecrm_core::{Action, CustomAction};
///
/// let visited: jiff::Timestamp = "2026-06-01T10:30:00+05:30".parse()?;
/// let action: Action = CustomAction::new("ACTION_1001")?
///     .field("note", "Site visit completed")
///     .created_on(visited)
///     .into();
/// assert_eq!(action.key("created_on"), Some(&1_780_290_000_000_i64.into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct CustomAction {
    code: ActionCode,
    fields: BTreeMap<String, FieldValue>,
    created_on: Option<jiff::Timestamp>,
}

impl CustomAction {
    /// Creates an action with this code: `1001`, `"1001"` or `"ACTION_1001"`.
    ///
    /// # Errors
    /// Returns an error if the text is not a code.
    pub fn new<C>(code: C) -> Result<Self, ActionCodeError>
    where
        C: TryInto<ActionCode>,
        ActionCodeError: From<C::Error>,
    {
        Ok(Self { code: code.try_into()?, fields: BTreeMap::new(), created_on: None })
    }

    /// Sets a field by its API name. As in [`Lead::set`](crate::Lead::set), a blank text removes
    /// the field, unless it is [`FieldValue::blank()`].
    #[must_use]
    pub fn field(mut self, api_name: impl Into<String>, value: impl SetField) -> Self {
        set_field(&mut self.fields, api_name.into(), value.into_value());
        self
    }

    /// Backdates the action. telecrm ignores this unless the workspace allows it for this action.
    #[must_use]
    pub fn created_on(mut self, time: jiff::Timestamp) -> Self {
        self.created_on = Some(time);
        self
    }
}

impl From<CustomAction> for Action {
    fn from(action: CustomAction) -> Self {
        let mut keys = Self::of([("type", action.code.prefixed().into())]).0;
        if !action.fields.is_empty() {
            keys.insert("fields".to_owned(), action.fields.into());
        }
        if let Some(time) = action.created_on {
            keys.insert("created_on".to_owned(), time.into());
        }
        Self(keys)
    }
}

/// A payment. Once it is created, only its status can change (pitfall AC3).
///
/// ```
/// use telecrm_core::{Action, Currency, Payment, PaymentStatus};
///
/// let payment = Payment::new(PaymentStatus::Pending, Currency::Inr, "10000".parse()?);
/// assert_eq!(Action::from(payment).key("amount"), Some(&"10000".into()));
/// # Ok::<(), telecrm_core::AmountError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    status: PaymentStatus,
    currency: Currency,
    amount: Amount,
}

impl Payment {
    /// Creates a payment with any status.
    pub fn new(status: PaymentStatus, currency: Currency, amount: Amount) -> Self {
        Self { status, currency, amount }
    }

    /// Creates a payment that is completed.
    ///
    /// ```
    /// use telecrm_core::{Action, Currency, Payment};
    ///
    /// let paid = Action::from(Payment::completed(5000.into(), Currency::Inr));
    /// assert_eq!(paid.key("status"), Some(&"COMPLETED".into()));
    /// ```
    pub fn completed(amount: Amount, currency: Currency) -> Self {
        Self::new(PaymentStatus::Completed, currency, amount)
    }
}

impl From<Payment> for Action {
    fn from(payment: Payment) -> Self {
        Self::of([
            ("type", PAYMENT.into()),
            ("status", payment.status.as_str().into()),
            ("currency", payment.currency.as_str().into()),
            ("amount", payment.amount.into()),
        ])
    }
}

open_enum! {
    /// The status of a payment.
    pub enum PaymentStatus {
        Pending = "PENDING",
        Completed = "COMPLETED",
        Failed = "FAILED",
        Refunded = "REFUNDED",
        Cancelled = "CANCELLED",
        Processing = "PROCESSING",
    }
}

open_enum! {
    /// A currency that telecrm accepts for payments.
    pub enum Currency {
        Inr = "INR",
        Usd = "USD",
        Pkr = "PKR",
        Aed = "AED",
        Qar = "QAR",
        Sar = "SAR",
        Myr = "MYR",
        Aud = "AUD",
        Cad = "CAD",
        Sgd = "SGD",
        Xof = "XOF",
    }
}
