//! Actions as they are sent: custom actions and payments.

use crate::{ActionCode, ActionCodeError, FieldValue, Path, open_enum};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use std::str::FromStr;

/// One entry for a lead's timeline, as the caller writes it: any JSON object.
///
/// Build one from a [`CustomAction`] or a [`Payment`]; what is read from a file keeps every key, right or wrong.
/// Custom actions carry the form of the Async API (`ACTION_1001`).
///
/// ```
/// use telecrm_core::{Action, ActionKind, CustomAction, PaymentStatus};
///
/// let visit: Action = CustomAction::new(1001)?.field("note", "called").into();
/// assert_eq!(visit.kind(), ActionKind::Custom(1001.into()));
///
/// // The two APIs spell the code in two ways (AS1, AC2).
/// let mut visit = visit.with_bare_code();
/// assert_eq!(visit.as_json()["type"], "1001");
/// visit.as_json_mut().remove("fields");
/// assert_eq!(visit.with_prefixed_code().as_json()["type"], "ACTION_1001");
///
/// let refund = Action::payment_status(&PaymentStatus::Refunded);
/// assert_eq!(refund.kind(), ActionKind::Payment);
/// # Ok::<(), telecrm_core::ActionCodeError>(())
/// ```
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Action(Map<String, Value>);

/// What an action's `type` says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActionKind {
    /// `PAYMENT`.
    Payment,
    /// A custom action, however its code is spelled.
    Custom(ActionCode),
    /// A type that telecrm records itself and nobody can write, or one that does not exist.
    Other(String),
    /// No `type`, or one that is neither text nor number.
    Missing,
}

pub(crate) const PAYMENT: &str = "PAYMENT";

impl Action {
    /// What the action's `type` says, whatever its spelling.
    pub fn kind(&self) -> ActionKind {
        match self.0.get("type") {
            Some(Value::String(text)) if text.eq_ignore_ascii_case(PAYMENT) => ActionKind::Payment,
            Some(Value::String(text)) => match text.parse() {
                Ok(code) => ActionKind::Custom(code),
                Err(_) => ActionKind::Other(text.clone()),
            },
            Some(Value::Number(number)) => match number.to_string().parse() {
                Ok(code) => ActionKind::Custom(code),
                Err(_) => ActionKind::Missing,
            },
            _ => ActionKind::Missing,
        }
    }

    /// The action as a JSON object.
    pub fn as_json(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The action as a JSON object, to change it.
    pub fn as_json_mut(&mut self) -> &mut Map<String, Value> {
        &mut self.0
    }

    /// The change of a payment's state, the only change that telecrm takes (pitfall AC3).
    pub fn payment_status(status: &PaymentStatus) -> Self {
        let mut object = Map::new();
        object.insert("type".into(), PAYMENT.into());
        object.insert("status".into(), status.as_str().into());
        Self(object)
    }

    /// The places of values for which an action of this kind has no room.
    pub(crate) fn misplaced(&self, index: usize) -> Vec<Path> {
        let is_payment = self.kind() == ActionKind::Payment;
        let known: &[&str] = match is_payment {
            true => &["type", "status", "currency", "amount"],
            false => &["type", "fields", "created_on"],
        };
        let mut paths = Vec::new();
        for (key, value) in &self.0 {
            match value {
                Value::Null => {}
                _ if known.contains(&key.as_str()) => {}
                Value::Object(fields) if is_payment && key == "fields" => paths.extend(
                    fields
                        .iter()
                        .filter(|(_, value)| !value.is_null())
                        .map(|(name, _)| Path::ActionField(index, name.clone())),
                ),
                _ => paths.push(Path::ActionKey(index, key.clone())),
            }
        }
        paths
    }

    /// The action with its code as the Sync API takes it in bodies: `1001` (pitfall AC2).
    #[must_use]
    pub fn with_bare_code(mut self) -> Self {
        if let ActionKind::Custom(code) = self.kind() {
            self.0.insert("type".into(), code.bare().into());
        }
        self
    }

    /// The action with its code as the Async API takes it: `ACTION_1001` (pitfall AS1).
    #[must_use]
    pub fn with_prefixed_code(mut self) -> Self {
        if let ActionKind::Custom(code) = self.kind() {
            self.0.insert("type".into(), code.prefixed().into());
        }
        self
    }
}

impl From<Map<String, Value>> for Action {
    fn from(object: Map<String, Value>) -> Self {
        Self(object)
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
/// assert_eq!(action.as_json()["created_on"], 1_780_290_000_000_i64);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct CustomAction {
    code: ActionCode,
    fields: Map<String, Value>,
    created_on: Option<jiff::Timestamp>,
}

impl CustomAction {
    /// An action of the kind with this code: `1001`, `"1001"` or `"ACTION_1001"`.
    ///
    /// # Errors
    /// If the text is not a code.
    pub fn new<C>(code: C) -> Result<Self, ActionCodeError>
    where
        C: TryInto<ActionCode>,
        ActionCodeError: From<C::Error>,
    {
        Ok(Self {
            code: code.try_into()?,
            fields: Map::new(),
            created_on: None,
        })
    }

    /// Sets a field of the action by its API name.
    #[must_use]
    pub fn field(mut self, api_name: impl Into<String>, value: impl Into<FieldValue>) -> Self {
        self.fields.insert(api_name.into(), value.into().into());
        self
    }

    /// Dates the action back. telecrm heeds this only where the workspace allows it for this action.
    #[must_use]
    pub fn created_on(mut self, time: jiff::Timestamp) -> Self {
        self.created_on = Some(time);
        self
    }
}

impl From<CustomAction> for Action {
    fn from(action: CustomAction) -> Self {
        let mut object = Map::new();
        object.insert("type".into(), action.code.prefixed().into());
        if !action.fields.is_empty() {
            object.insert("fields".into(), action.fields.into());
        }
        if let Some(time) = action.created_on {
            object.insert("created_on".into(), time.as_millisecond().into());
        }
        Self(object)
    }
}

/// A payment. After it is created only its status can change (pitfall AC3).
///
/// ```
/// use telecrm_core::{Action, Currency, Payment, PaymentStatus};
///
/// let payment = Payment::new(PaymentStatus::Pending, Currency::Inr, "10000".parse()?);
/// assert_eq!(Action::from(payment).as_json()["amount"], "10000");
/// # Ok::<(), telecrm_core::AmountError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    status: PaymentStatus,
    currency: Currency,
    amount: Amount,
}

impl Payment {
    /// A payment in the given state.
    pub fn new(status: PaymentStatus, currency: Currency, amount: Amount) -> Self {
        Self {
            status,
            currency,
            amount,
        }
    }

    /// A payment that has been made.
    ///
    /// ```
    /// use telecrm_core::{Action, Currency, Payment};
    ///
    /// let paid = Action::from(Payment::completed(5000.into(), Currency::Inr));
    /// assert_eq!(paid.as_json()["status"], "COMPLETED");
    /// ```
    pub fn completed(amount: Amount, currency: Currency) -> Self {
        Self::new(PaymentStatus::Completed, currency, amount)
    }
}

impl From<Payment> for Action {
    fn from(payment: Payment) -> Self {
        let mut object = Map::new();
        object.insert("type".into(), PAYMENT.into());
        object.insert("status".into(), payment.status.as_str().into());
        object.insert("currency".into(), payment.currency.as_str().into());
        object.insert("amount".into(), payment.amount.0.into());
        Self(object)
    }
}

open_enum! {
    /// The state of a payment.
    PaymentStatus:
        Pending = "PENDING",
        Completed = "COMPLETED",
        Failed = "FAILED",
        Refunded = "REFUNDED",
        Cancelled = "CANCELLED",
        Processing = "PROCESSING",
}

open_enum! {
    /// A currency that telecrm takes for payments.
    Currency:
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

/// An amount of money above zero, as decimal text: never a float.
///
/// ```
/// use telecrm_core::Amount;
///
/// assert_eq!("4999.50".parse::<Amount>()?.to_string(), "4999.50");
/// assert!("5,000".parse::<Amount>().is_err());
/// # Ok::<(), telecrm_core::AmountError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Amount(String);

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let positive = text.bytes().any(|b| (b'1'..=b'9').contains(&b));
        if !text.starts_with('-') && positive && is_decimal(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(AmountError(text.to_owned()))
        }
    }
}

impl From<u32> for Amount {
    fn from(amount: u32) -> Self {
        Self(amount.to_string())
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is not an amount above zero.
///
/// ```
/// use telecrm_core::Amount;
///
/// assert!("10,000".parse::<Amount>().is_err());
/// assert_eq!("10000.50".parse::<Amount>()?.to_string(), "10000.50");
/// # Ok::<(), telecrm_core::AmountError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct AmountError(String);

impl fmt::Display for AmountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the text is not an amount above zero: write digits with a point, such as 4999.50",
        )
    }
}

impl std::error::Error for AmountError {}

/// Digits, with a sign and a point where they belong, and nothing else.
pub(crate) fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    [whole, fraction]
        .iter()
        .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}
