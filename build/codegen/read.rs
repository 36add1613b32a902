//! YAML to JSON values, refusing what YAML would swallow.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value};
use yaml_serde::Value as Yaml;

use super::{Problems, Result};

/// The document in a file.
pub(crate) fn document(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path)
        .map_err(|error| Problems::one(format!("{}: {error}", path.display())))?;
    parse(&text).map_err(|problems| problems.within(path.display()))
}

/// The document in a text.
///
/// By way of a YAML value, because only that refuses a duplicate key: read straight into JSON the
/// last one would win.
pub(crate) fn parse(text: &str) -> Result<Value> {
    let yaml: Yaml = yaml_serde::from_str(text).map_err(|error| {
        let text = error.to_string();
        let Some(place) = error.location() else {
            return Problems::one(text);
        };
        let line = place.line();
        if text.contains("duplicate entry") {
            // The reader knows the key and where its mapping starts, but not where the key stands again.
            let text = text.split(" at line ").next().unwrap_or(&text);
            return Problems::one(format!("{text}, in the mapping that starts in line {line}"));
        }
        Problems::one(format!("line {line}: {text}"))
    })?;
    to_json(yaml, "$")
}

fn to_json(yaml: Yaml, at: &str) -> Result<Value> {
    Ok(match yaml {
        Yaml::Mapping(mapping) => {
            let mut map = Map::new();
            for (key, value) in mapping {
                let key = match key {
                    Yaml::String(key) if key == "<<" => {
                        return Err(Problems::one(format!(
                            "{at}: a merge key (`<<`); write the members out"
                        )));
                    }
                    Yaml::String(key) => key,
                    // Status codes are commonly written as numbers.
                    Yaml::Number(number) => number.to_string(),
                    other => {
                        return Err(Problems::one(format!("{at}: {other:?} is no name")));
                    }
                };
                let value = to_json(value, &format!("{at}.{key}"))?;
                if map.insert(key.clone(), value).is_some() {
                    return Err(Problems::one(format!("{at}: `{key}` stands there twice")));
                }
            }
            Value::Object(map)
        }
        Yaml::Sequence(items) => Value::Array(
            items
                .into_iter()
                .enumerate()
                .map(|(index, item)| to_json(item, &format!("{at}[{index}]")))
                .collect::<Result<_>>()?,
        ),
        scalar => {
            serde_json::to_value(scalar).map_err(|error| Problems::one(format!("{at}: {error}")))?
        }
    })
}
