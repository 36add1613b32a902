//! `cargo xtask check`: rules of the repository that no other tool checks.

pub(crate) mod circles;
pub(crate) mod columns;
pub(crate) mod docs;
pub(crate) mod msrv;
pub(crate) mod words;

use std::fmt;
use std::path::Path;
use std::process::Command;

use clap::ValueEnum;

use crate::Outcome;

/// A rule of the repository.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Rule {
    /// Modules import each other in one direction only.
    Circles,
    /// Comments have at most 100 columns, prose in Markdown files at most 120.
    Columns,
    /// Prose uses none of the words in xtask/words.txt.
    Words,
    /// No locked dependency needs a newer Rust than the crate that uses it.
    Msrv,
    /// README and CONTRIBUTING agree with the tree.
    Docs,
}

/// A text file of the repository.
pub(crate) struct File {
    /// The path below the root, with `/` on every system.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A violation of a rule.
pub(crate) struct Fault {
    place: String,
    what: String,
}

impl Fault {
    pub(crate) fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        let (place, what) = (place.into(), what.into());
        Self { place, what }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// Checks these rules, or all if none is named, and prints every fault.
pub(crate) fn run(root: &Path, rules: &[Rule]) -> Outcome {
    let rules = if rules.is_empty() {
        Rule::value_variants()
    } else {
        rules
    };
    let files = files(root)?;
    let mut broken = Vec::new();
    for rule in rules {
        let (faults, hint) = match rule {
            Rule::Circles => (
                circles::circles(&files)?,
                "move what both modules use into a third one",
            ),
            Rule::Columns => (columns::columns(&files), "break the lines"),
            Rule::Words => (
                words::words(&files)?,
                "say it in plain words; see xtask/words.txt",
            ),
            Rule::Msrv => (
                msrv::msrv(root)?,
                "lock an older version with `cargo update --precise`",
            ),
            Rule::Docs => (docs::docs(&files)?, "correct the document"),
        };
        let name = rule.to_possible_value();
        let name = name.map_or_else(String::new, |value| value.get_name().to_owned());
        if faults.is_empty() {
            println!("{name}: ok");
            continue;
        }
        for fault in &faults {
            println!("{fault}");
        }
        println!("{name}: {} faults\nhint: {hint}", faults.len());
        broken.push(name);
    }
    if broken.is_empty() {
        Ok(())
    } else {
        Err(format!("rules are broken: {}", broken.join(", ")).into())
    }
}

/// All text files that git tracks or would add, without those that others wrote.
pub(crate) fn files(root: &Path) -> Outcome<Vec<File>> {
    let mut git = Command::new("git");
    git.args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]);
    let listed = git.current_dir(root).output()?;
    if !listed.status.success() {
        return Err(String::from_utf8_lossy(&listed.stderr).into_owned().into());
    }
    let mut files = Vec::new();
    for path in String::from_utf8(listed.stdout)?.split_terminator('\0') {
        // Deleted files are listed until the deletion is staged, and binary files are no text.
        let Ok(text) = std::fs::read_to_string(root.join(path)) else {
            continue;
        };
        let path = path.to_owned();
        files.push(File { path, text });
    }
    Ok(files)
}

/// Whether a file is a test or belongs to one.
pub(crate) fn is_test(path: &str) -> bool {
    path.split('/')
        .any(|part| part == "tests" || part == "tests.rs")
}

/// The part of a Rust file before its unit tests.
pub(crate) fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or(text)
}
