//! Finds statements in the documents that the tree contradicts.

use std::collections::BTreeSet;

use clap::CommandFactory as _;

use super::{Fault, File};
use crate::Task;

/// The facts that documents state.
struct Facts<'a> {
    paths: BTreeSet<&'a str>,
    msrv: BTreeSet<&'a str>,
    operations: usize,
    features: BTreeSet<&'a str>,
    tasks: BTreeSet<String>,
    steps: BTreeSet<&'a str>,
}

/// Lists the statements that the tree contradicts, and the facts that README lacks.
pub(super) fn docs(files: &[File]) -> Vec<Fault> {
    let facts = Facts::of(files);
    let mut faults = Vec::new();
    // The changelog describes older states.
    let documents = files.iter().filter(|file| {
        file.path.ends_with(".md") && !file.path.contains("tests/") && file.path != "CHANGELOG.md"
    });
    for file in documents {
        for (index, line) in file.text.lines().enumerate() {
            let place = format!("{}:{}", file.path, index + 1);
            let found = facts.contradicted(line, &file.path).into_iter();
            faults.extend(found.map(|what| Fault::new(&place, what)));
        }
    }
    for file in files.iter().filter(|file| file.path == "README.md") {
        if !facts.msrv.iter().any(|version| file.text.contains(version)) {
            faults.push(Fault::new("README.md", "does not state the oldest Rust version"));
        }
        if !file.text.contains(&format!("{} operations", facts.operations)) {
            faults.push(Fault::new("README.md", "does not state the number of operations"));
        }
    }
    faults
}

impl<'a> Facts<'a> {
    fn of(files: &'a [File]) -> Self {
        let text = |path: &str| {
            let file = files.iter().find(|file| file.path == path);
            file.map(|file| file.text.as_str()).expect(path)
        };
        let mut paths = BTreeSet::new();
        for file in files {
            let ends = file.path.match_indices('/').map(|(end, _)| end).chain([file.path.len()]);
            paths.extend(ends.map(|end| &file.path[..end]));
        }
        let manifests = files.iter().filter(|file| file.path.ends_with("Cargo.toml"));
        let manifests: Vec<&str> = manifests.map(|file| file.text.as_str()).collect();
        let lines = || manifests.iter().flat_map(|text| text.lines());
        let msrv =
            lines().filter_map(|line| line.strip_prefix("rust-version = \"")?.strip_suffix('"'));
        let sections = manifests.iter().filter_map(|text| text.split("\n[features]\n").nth(1));
        let features =
            sections.flat_map(|section| section.lines().take_while(|line| !line.starts_with('[')));
        let operations = syn::parse_file(text("generated/operations.rs")).expect("Rust");
        let variants = operations.items.iter().find_map(|item| match item {
            syn::Item::Enum(operations) => Some(operations.variants.len()),
            _ => None,
        });
        let steps = text(".ci/run")
            .lines()
            .filter_map(|line| line.strip_prefix("step_")?.split('(').next());
        let tasks = Task::command();
        Self {
            paths,
            msrv: msrv.collect(),
            operations: variants.unwrap_or_default(),
            features: features.filter_map(|line| Some(line.split_once(" = ")?.0)).collect(),
            tasks: tasks.get_subcommands().map(|task| task.get_name().to_owned()).collect(),
            steps: steps.collect(),
        }
    }

    /// What a line says that is wrong.
    fn contradicted(&self, line: &str, document: &str) -> Vec<String> {
        let mut wrong = Vec::new();
        for version in after(line, "Rust ").filter(|word| word.starts_with("1.")) {
            if !self.msrv.contains(version.trim_end_matches('.')) {
                wrong.push(format!("no manifest has the `rust-version` {version}"));
            }
        }
        let words: Vec<&str> = line.split([' ', '*', '|']).collect();
        // Other documents may count the operations of one API.
        let counts = words
            .windows(2)
            .filter(|pair| pair[1].starts_with("operations") && !document.contains('/'));
        for count in counts.filter_map(|pair| pair[0].parse::<usize>().ok()) {
            if count != self.operations {
                wrong.push(format!("{count} operations, there are {}", self.operations));
            }
        }
        for name in after(line, "cargo xtask ") {
            if !self.tasks.contains(name) {
                wrong.push(format!("`cargo xtask` has no command `{name}`"));
            }
        }
        for name in after(line, ".ci/run ") {
            if !self.steps.contains(name) {
                wrong.push(format!("`.ci/run` has no step `{name}`"));
            }
        }
        let ours = if line.contains("telecrm") { line } else { "" };
        let named = after(line, "feature `")
            .chain(after(ours, "features = [\""))
            .chain(after(ours, "--features "));
        for name in named.filter(|name| !self.features.contains(name)) {
            wrong.push(format!("no crate has a feature `{name}`"));
        }
        // Paths in a crate's own README are relative to the crate.
        if !document.starts_with("crates/") {
            for code in line.split('`').skip(1).step_by(2) {
                let path = code.trim_end_matches('/');
                let is_path = !code.contains([' ', '*', '{', '<', ':', '=']) && code.contains('/');
                let top = code.split('/').next().unwrap_or_default();
                if is_path && self.paths.contains(top) && !self.paths.contains(path) {
                    wrong.push(format!("`{path}` does not exist"));
                }
            }
        }
        wrong
    }
}

/// The names that follow each occurrence of `start` in a line.
fn after<'a>(line: &'a str, start: &'a str) -> impl Iterator<Item = &'a str> {
    let rests = line.split(start).skip(1);
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let names = rests.map(move |rest| rest.split(|c| !is_part(c)).next().unwrap_or_default());
    names.filter(|name| !name.is_empty())
}
