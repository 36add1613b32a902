//! Finds locked dependencies that need a newer Rust than the crate that uses them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::Fault;
use crate::codegen::schema::{elements, text};

/// The crates whose users rely on the `rust-version`.
const CRATES: [&str; 5] =
    ["telecrm", "telecrm-cli", "telecrm-core", "telecrm-emulator", "telecrm-outbox"];

/// Lists the dependencies that declare a `rust-version` above that of one of our crates.
pub(super) fn msrv(root: &Path) -> Vec<Fault> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["metadata", "--locked", "--all-features", "--format-version", "1"]);
    let output = cargo.current_dir(root).output().expect("cargo runs");
    assert!(output.status.success(), "cargo metadata: {output:?}");
    faults(&serde_json::from_slice(&output.stdout).expect("JSON"))
}

/// The faults in the output of `cargo metadata`.
pub(super) fn faults(metadata: &Value) -> Vec<Fault> {
    let packages: BTreeMap<_, _> = elements(metadata.get("packages"))
        .filter_map(|package| Some((text(package, "id")?, package)))
        .collect();
    let nodes: BTreeMap<_, _> = elements(metadata.pointer("/resolve/nodes"))
        .filter_map(|node| Some((text(node, "id")?, node)))
        .collect();
    let mut faults = Vec::new();
    for (id, package) in &packages {
        let name = text(package, "name").unwrap_or_default();
        // Packages of the registry have a source, ours have none.
        if !CRATES.contains(&name) || text(package, "source").is_some() {
            continue;
        }
        let limit = text(package, "rust_version").unwrap_or_default();
        let mut tree = BTreeSet::from([*id]);
        let mut open = vec![*id];
        while let Some(id) = open.pop() {
            let dependencies = elements(nodes.get(id).and_then(|node| node.get("deps")));
            // Users of a crate do not build what only its tests need.
            let dependencies = dependencies.filter(|dependency| {
                elements(dependency.get("dep_kinds")).any(|kind| text(kind, "kind") != Some("dev"))
            });
            let ids = dependencies.filter_map(|dependency| text(dependency, "pkg"));
            open.extend(ids.filter(|id| tree.insert(id)));
        }
        for package in tree.into_iter().filter_map(|id| packages.get(id)) {
            let needed = text(package, "rust_version").unwrap_or_default();
            if version(needed) > version(limit) {
                let [dependency, number] =
                    ["name", "version"].map(|key| text(package, key).unwrap_or_default());
                let what = format!(
                    "{dependency} {number} needs Rust {needed}, but `rust-version` is {limit}"
                );
                faults.push(Fault::new(name, what));
            }
        }
    }
    faults
}

/// A version as numbers, so that 1.9 comes before 1.88.
fn version(text: &str) -> Vec<u32> {
    text.split('.').filter_map(|part| part.parse().ok()).collect()
}
