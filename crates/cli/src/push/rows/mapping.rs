//! Mapping of columns: the field that each column of a file fills.
//!
//! A mapping file is TOML with one table: `[columns]`, `"Mobile No." = "phone"`. An empty name
//! leaves the column out.

use crate::args::Reading;
use crate::exit::Failure;
use crate::input;
use crate::private_file;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use toml_edit::{DocumentMut, Item, Table, value};

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct MappingFile {
    columns: BTreeMap<String, String>,
}

/// Reads the mapping file and the flags, which win.
pub(super) fn read(reading: &Reading) -> Result<BTreeMap<String, String>, Failure> {
    let mut columns = match &reading.mapping {
        Some(path) => {
            let text = input::read_text(path)?;
            let file: MappingFile = toml_edit::de::from_str(&text).map_err(|error| {
                Failure::usage(format!("{}: {}", path.display(), error.to_string().trim_end()))
                    .hint("write a table [columns] with lines such as \"Mobile No.\" = \"phone\"")
            })?;
            file.columns
        }
        None => BTreeMap::new(),
    };
    columns.extend(reading.map.iter().cloned());
    Ok(columns)
}

pub(super) fn save(path: &Path, columns: &[(String, String)]) -> Result<(), Failure> {
    let mut table = Table::new();
    for (name, field) in columns {
        table[name] = value(field);
    }
    let mut document = DocumentMut::new();
    document["columns"] = Item::Table(table);
    private_file::replace(path, document.to_string().as_bytes())
}
