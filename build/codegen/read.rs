//! Reads YAML documents as JSON, and refuses what JSON cannot express.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value};
use yaml_serde::Value as Yaml;

use super::{Problems, Result};

/// Reads the document in a file.
pub(crate) fn document(path: &Path) -> Result<Value> {
    text(path).and_then(|text| parse(&text).map_err(|problems| problems.within(path.display())))
}

/// Reads the OpenAPI document in a file. What is often saved in its place has a message of its own.
pub(crate) fn specification(path: &Path) -> Result<Value> {
    let text = text(path)?;
    specification_of(&text).map_err(|problems| problems.within(path.display()))
}

/// Reads the OpenAPI document in a text.
pub(crate) fn specification_of(text: &str) -> Result<Value> {
    let what = match text.trim_start().chars().next() {
        None => "the file is empty",
        Some('<') => "the file is a web page",
        Some(_) => {
            let document = parse(text)?;
            match () {
                () if document.get("openapi").is_some() => return Ok(document),
                () if document.get("swagger").is_some() => {
                    let what = "the document is Swagger 2.0, and only OpenAPI 3.0 is supported";
                    return Err(Problems::one(format!("{what}\nhint: convert it to OpenAPI 3.0")));
                }
                () if document.get("error").is_some() || document.get("message").is_some() => {
                    "the file is the error message of a server"
                }
                () => "the file has no key `openapi`",
            }
        }
    };
    Err(Problems::one(format!("{what}, not an OpenAPI document\nhint: download it again")))
}

/// The text of a file in UTF-8 or UTF-16, without a byte order mark.
pub(crate) fn text(path: &Path) -> Result<String> {
    let problem =
        |what: &dyn std::fmt::Display| Problems::one(format!("{}: {what}", path.display()));
    let bytes = fs::read(path).map_err(|error| problem(&error))?;
    decode(&bytes).ok_or_else(|| problem(&"the file is neither UTF-8 nor UTF-16 with a mark"))
}

/// Decodes UTF-8, or UTF-16 with a byte order mark.
pub(crate) fn decode(bytes: &[u8]) -> Option<String> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
        rest.is_empty().then(|| String::from_utf16(&units).ok())?
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8(rest.to_vec()).ok(),
        rest => String::from_utf8(rest.to_vec()).ok(),
    }
}

/// Reads the document in a text.
///
/// Goes through a YAML value, which refuses duplicate keys. Read straight into JSON, the last of
/// them would win.
pub(crate) fn parse(text: &str) -> Result<Value> {
    let yaml: Yaml = yaml_serde::from_str(text).map_err(|error| {
        let text = error.to_string();
        let Some(line) = error.location().map(|place| place.line()) else {
            return Problems::one(text);
        };
        if text.contains("duplicate entry") {
            // The reader knows where the mapping starts, but not where the key is repeated.
            let text = text.split(" at line ").next().unwrap_or(&text);
            return Problems::one(format!("{text}, in the mapping that starts in line {line}"));
        }
        Problems::one(format!("line {line}: {text}"))
    })?;
    to_json(yaml, "$")
}

/// Converts a value. `at` is its JSON path.
fn to_json(yaml: Yaml, at: &str) -> Result<Value> {
    match yaml {
        Yaml::Mapping(mapping) => {
            let mut map = Map::new();
            for (key, value) in mapping {
                let key = match key {
                    Yaml::String(key) if key == "<<" => {
                        let what = "a merge key (`<<`), which JSON does not have";
                        return Err(Problems::one(format!("{at}: {what}")));
                    }
                    Yaml::String(key) => key,
                    // Status codes are commonly written as numbers.
                    Yaml::Number(number) => number.to_string(),
                    key => return Err(Problems::one(format!("{at}: {key:?} is not a string"))),
                };
                let value = to_json(value, &format!("{at}.{key}"))?;
                if map.insert(key.clone(), value).is_some() {
                    return Err(Problems::one(format!("{at}: duplicate key `{key}`")));
                }
            }
            Ok(Value::Object(map))
        }
        Yaml::Sequence(items) => {
            let items = items.into_iter().enumerate();
            let items = items.map(|(index, item)| to_json(item, &format!("{at}[{index}]")));
            items.collect()
        }
        scalar => serde_json::to_value(scalar).map_err(|error| Problems::one(error).within(at)),
    }
}
