//! `cargo xtask spec`: prints an OpenAPI document as YAML at a stage of the generation.

use std::path::Path;

use serde_json::Value;
use yaml_serde::{Mapping, Value as Yaml};

use crate::codegen::{Api, Source, normalise};
use crate::{Outcome, Stage};

/// Prints the document of an API.
pub(crate) fn run(root: &Path, api: Api, stage: Stage) -> Outcome {
    print!("{}", at(root, api, stage)?);
    Ok(())
}

/// The document of an API at a stage.
pub(crate) fn at(root: &Path, api: Api, stage: Stage) -> Outcome<String> {
    let folder = root.join("openapi");
    let spec = folder.join(format!("{}.yaml", api.name));
    if let Stage::Vendored = stage {
        return Ok(std::fs::read_to_string(spec)?);
    }
    let mut document = Source::read(api, &spec, &folder)?.overlaid().document;
    if let Stage::Normalised = stage {
        normalise::normalise(&mut document);
    }
    yaml(document)
}

/// A document as YAML, with its sections in the usual order and everything else sorted.
pub(crate) fn yaml(mut document: Value) -> Outcome<String> {
    document.sort_all_objects();
    let mut ordered = Mapping::new();
    if let Value::Object(mut sections) = document {
        for key in ["openapi", "info", "servers", "security", "tags", "paths", "components"] {
            if let Some(section) = sections.remove(key) {
                ordered.insert(key.into(), yaml_serde::to_value(section)?);
            }
        }
        for (key, section) in sections {
            ordered.insert(key.into(), yaml_serde::to_value(section)?);
        }
    }
    Ok(yaml_serde::to_string(&Yaml::Mapping(ordered))?)
}
