//! Fields on the command line: `name=text`, or `name:=JSON`.

use std::str::FromStr;
use telecrm::FieldValue;

/// A field and its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Assignment {
    pub(crate) name: String,
    pub(crate) value: FieldValue,
}

impl FromStr for Assignment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((name, value)) = text.split_once('=') else {
            return Err("expected NAME=VALUE, or NAME:=JSON for numbers and lists".to_owned());
        };
        let (name, value) = match name.strip_suffix(':') {
            Some(name) => {
                let value = serde_json::from_str(value);
                (name, value.map_err(|error| format!("invalid JSON after `{name}:=`: {error}"))?)
            }
            None => (name, value.into()),
        };
        if name.is_empty() {
            return Err("the name before `=` is empty".to_owned());
        }
        Ok(Self { name: name.to_owned(), value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(text: &str, name: &str, value: impl Into<FieldValue>) {
        let expected = Assignment { name: name.to_owned(), value: value.into() };
        assert_eq!(text.parse(), Ok(expected));
    }

    #[test]
    fn a_value_is_text() {
        reads("rating=4", "rating", "4");
    }

    #[test]
    fn a_value_may_have_an_equals_sign() {
        reads("link=https://example.com?a=1", "link", "https://example.com?a=1");
    }

    #[test]
    fn json_has_numbers_and_lists() {
        reads("rating:=4", "rating", 4);
        reads(r#"interests:=["VIP"]"#, "interests", ["VIP"]);
    }

    fn is_refused(text: &str, part: &str) {
        let error = text.parse::<Assignment>().expect_err(text);
        assert!(error.contains(part), "{error}");
    }

    #[test]
    fn a_name_without_a_value_is_refused() {
        is_refused("rating", "NAME=VALUE");
    }

    #[test]
    fn broken_json_is_refused_with_its_name() {
        is_refused("rating:=four", "rating:=");
    }

    #[test]
    fn an_empty_name_is_refused() {
        is_refused("=4", "empty");
    }
}
