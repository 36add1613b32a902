//! What telecrm stores of a payment.

use super::field_outcome::Note;
use crate::text::quoted;
use crate::{Action, Amount, Currency, FieldValue, PaymentStatus};
use serde_json::Value;
use std::collections::BTreeMap;

/// Checks the keys of a payment. telecrm drops the whole payment for one wrong key.
pub(super) fn accept_payment(action: &Action) -> Result<BTreeMap<String, FieldValue>, Note> {
    let statuses = PaymentStatus::KNOWN.iter().map(PaymentStatus::as_str);
    accept_literal(action, "status", statuses.collect())?;
    let currencies = Currency::KNOWN.iter().map(Currency::as_str);
    accept_literal(action, "currency", currencies.collect())?;
    match action.key("amount").map(FieldValue::as_json) {
        Some(Value::String(amount)) if amount.parse::<Amount>().is_ok() => {}
        Some(Value::Number(_)) => {
            let note = Note::inferred("AS7", "the `amount` of a payment is a string, not a number");
            return Err(note.hint("write the amount as a string, such as \"5000\""));
        }
        _ => {
            let note = Note::documented("AS7", "the payment has no `amount` above zero");
            return Err(note.hint("write an amount above zero as a string, such as \"5000\""));
        }
    }
    let keys = ["status", "currency", "amount"].into_iter();
    Ok(keys.filter_map(|key| Some((key.to_owned(), action.key(key)?.clone()))).collect())
}

fn accept_literal(action: &Action, key: &str, known: Vec<&str>) -> Result<(), Note> {
    match action.key(key).and_then(FieldValue::as_str) {
        Some(text) if known.contains(&text) => Ok(()),
        _ => {
            let note = Note::documented("AS7", format!("the payment has no valid `{key}`"));
            Err(note.hint(format!("use one of {}", quoted(known))))
        }
    }
}
