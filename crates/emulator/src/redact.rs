//! Removes passwords from request bodies. Team members are created with a password.

use serde_json::Value;

/// Replaces a password.
const MASK: &str = "********";

/// Returns the body with every password masked, or None if it is not JSON or has no password.
pub(crate) fn mask_passwords(body: &[u8]) -> Option<String> {
    let mut json = serde_json::from_slice(body).ok()?;
    (mask(&mut json) > 0).then(|| json.to_string())
}

/// Masks passwords at any depth, and returns how many there were.
fn mask(json: &mut Value) -> usize {
    match json {
        Value::Object(object) => {
            let entries = object.iter_mut().map(|(key, value)| {
                if key == "password" {
                    *value = MASK.into();
                    return 1;
                }
                mask(value)
            });
            entries.sum()
        }
        Value::Array(items) => items.iter_mut().map(mask).sum(),
        _ => 0,
    }
}
