//! Paths: name a place in a lead, in the syntax of telecrm's own remarks.

use std::fmt;
use std::str::FromStr;

/// A place in a lead.
///
/// The syntax is that of telecrm's remarks, so that a check before sending and an answer after
/// sending name the same place in the same way.
///
/// ```
/// use telecrm_core::FieldPath;
///
/// assert_eq!("fields.rating".parse(), Ok(FieldPath::Field("rating".into())));
/// assert_eq!("actions[0].fields.email".parse(), Ok(FieldPath::ActionField(0, "email".into())));
/// assert_eq!(FieldPath::Action(1).to_string(), "actions[1]");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FieldPath {
    /// `fields.<name>`: a field of the lead. Everything after the first dot is the name.
    Field(String),
    /// `actions[i]`: a whole action.
    Action(usize),
    /// `actions[i].fields.<name>`: a field of a custom action.
    ActionField(usize, String),
    /// `actions[i].<key>`: another key of an action, such as `actions[0].created_on`.
    ActionKey(usize, String),
    /// A key next to `fields` and `actions`, or a path in an unknown syntax, unchanged.
    Key(String),
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FieldPath::Field(name) => write!(f, "fields.{name}"),
            FieldPath::Action(index) => write!(f, "actions[{index}]"),
            FieldPath::ActionField(index, name) => write!(f, "actions[{index}].fields.{name}"),
            FieldPath::ActionKey(index, key) => write!(f, "actions[{index}].{key}"),
            FieldPath::Key(key) => f.write_str(key),
        }
    }
}

impl FromStr for FieldPath {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(parse(text).unwrap_or_else(|| FieldPath::Key(text.to_owned())))
    }
}

fn parse(text: &str) -> Option<FieldPath> {
    if let Some(name) = text.strip_prefix("fields.") {
        return Some(FieldPath::Field(name.to_owned()));
    }
    let (index, rest) = text.strip_prefix("actions[")?.split_once(']')?;
    let index = index.parse().ok()?;
    if rest.is_empty() {
        return Some(FieldPath::Action(index));
    }
    let rest = rest.strip_prefix('.')?;
    Some(match rest.strip_prefix("fields.") {
        Some(name) => FieldPath::ActionField(index, name.to_owned()),
        None => FieldPath::ActionKey(index, rest.to_owned()),
    })
}

impl serde::Serialize for FieldPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for FieldPath {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let Ok(path) = text.parse();
        Ok(path)
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for FieldPath {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FieldPath".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A place in a lead, in the syntax of telecrm's remarks.",
            "examples": ["fields.rating", "actions[0].fields.email", "actions[1]"],
        })
    }
}
