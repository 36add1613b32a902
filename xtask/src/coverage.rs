//! `cargo xtask coverage`: compares the reviewed list of covered operations with the documents.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::Outcome;
use crate::codegen::{APIS, Source, schema};

/// The reviewed list, relative to the root.
const LIST: &str = "xtask/coverage.txt";

/// The class of operations that only `telecrm::raw` has.
const RAW_ONLY: &str = "raw only";

/// Prints all operations with their coverage. Fails if the list and the documents differ.
pub(crate) fn run(root: &Path) -> Outcome {
    print!("{}", read(root)?);
    Ok(())
}

/// The coverage of the operations of both documents.
pub(crate) fn read(root: &Path) -> Outcome<String> {
    let mut operations = BTreeSet::new();
    let folder = root.join("openapi");
    for api in APIS {
        let spec = folder.join(format!("{}.yaml", api.name));
        let document = Source::read(api, &spec, &folder)?.overlaid().document;
        let found = schema::operations(&document);
        operations.extend(found.iter().filter_map(|o| o.id().map(str::to_owned)));
    }
    let list = std::fs::read_to_string(root.join(LIST))?;
    let hint = format!("classify each operation in {LIST} as `facade METHOD` or `raw only`");
    Ok(table(&operations, &list).map_err(|faults| format!("{faults}\nhint: {hint}"))?)
}

/// The operations with their coverage, or the faults of the list.
pub(crate) fn table(operations: &BTreeSet<String>, list: &str) -> Result<String, String> {
    let mut faults = Vec::new();
    let mut classified: BTreeMap<&str, &str> = BTreeMap::new();
    for line in list.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match line.split_once(char::is_whitespace) {
            Some((operation, class)) if is_class(class.trim()) => {
                if classified.insert(operation, class.trim()).is_some() {
                    faults.push(format!("{LIST}: duplicate operation {operation}"));
                }
            }
            _ => faults.push(format!("{LIST}: unknown class in `{line}`")),
        }
    }
    for operation in operations.iter().filter(|o| !classified.contains_key(o.as_str())) {
        faults.push(format!("{LIST}: {operation} is missing"));
    }
    for operation in classified.keys().filter(|o| !operations.contains(**o)) {
        faults.push(format!("{LIST}: no document has the operation {operation}"));
    }
    if !faults.is_empty() {
        return Err(faults.join("\n"));
    }
    let mut table: String =
        classified.iter().map(|(operation, class)| format!("{operation:<22} {class}\n")).collect();
    let facade = classified.values().filter(|class| **class != RAW_ONLY);
    let (facade, all) = (facade.count(), classified.len());
    table.push_str(&format!("{facade} of {all} operations are in the facade\n"));
    Ok(table)
}

fn is_class(class: &str) -> bool {
    class == RAW_ONLY || class.strip_prefix("facade ").is_some_and(|method| !method.is_empty())
}
