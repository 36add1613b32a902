//! Reads YAML documents as JSON, and refuses what JSON cannot express.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value};
use yaml_serde::Value as Yaml;

use super::{Problems, Result};

/// Reads the document in a file.
pub(crate) fn document(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path)
        .map_err(|error| Problems::one(format!("{}: {error}", path.display())))?;
    parse(&text).map_err(|problems| problems.within(path.display()))
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
