//! The macro that defines records, and functions that read the values of their keys.

use crate::FieldValue;
use serde_json::{Map, Value};

/// Defines a record with an accessor for each known key. It reads any object and keeps every key.
macro_rules! record {
    ($(#[$meta:meta])* pub struct $name:ident {
        $($(#[doc = $about:literal])* pub fn $method:ident(&self) -> Option<$type:ty> = $read:ident($key:literal);)*
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(std::collections::BTreeMap<String, crate::FieldValue>);

        impl $name {
            $($(#[doc = $about])*
            pub fn $method(&self) -> Option<$type> {
                self.0.get($key).and_then($read)
            })*

            /// The value of any key, known or not.
            pub fn key(&self, key: &str) -> Option<&crate::FieldValue> {
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

            /// An object with the known keys, which can have any type.
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

pub(super) use record;

pub(super) fn text(value: &FieldValue) -> Option<&str> {
    value.as_str()
}

pub(super) fn texts(value: &FieldValue) -> Option<Vec<&str>> {
    value.as_strings()
}

/// A whole number, or one that is written as a string.
pub(super) fn integer(value: &FieldValue) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// A time in Unix milliseconds.
pub(super) fn time(value: &FieldValue) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_millisecond(integer(value)?).ok()
}

pub(super) fn flag(value: &FieldValue) -> Option<bool> {
    value.as_json().as_bool()
}

pub(super) fn object(value: &FieldValue) -> Option<&Map<String, Value>> {
    value.as_json().as_object()
}
