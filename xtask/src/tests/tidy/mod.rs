//! Rules of the repository that no other tool checks. Each test reads the whole tree.

mod can_fail;
mod circles;
mod columns;
mod docs;
mod msrv;
mod words;

use std::fmt;

use super::root;

/// A text file of the repository.
struct File {
    /// The path below the root, with `/` on every system.
    path: String,
    text: String,
}

/// A violation of a rule.
struct Fault {
    place: String,
    what: String,
}

impl Fault {
    fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        let (place, what) = (place.into(), what.into());
        Self { place, what }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// Panics with all faults and the hint, unless there are no faults.
#[track_caller]
fn assert_none(faults: &[Fault], hint: &str) {
    let lines: Vec<_> = faults.iter().map(Fault::to_string).collect();
    let (count, lines) = (lines.len(), lines.join("\n"));
    assert!(count == 0, "{count} faults:\n{lines}\nhint: {hint}");
}

#[test]
fn modules_import_each_other_in_one_direction() {
    let hint = "move what both modules use into a third one";
    assert_none(&circles::circles(&files()), hint);
}

#[test]
fn comments_and_prose_are_narrow() {
    assert_none(&columns::columns(&files()), "break the lines");
}

#[test]
fn prose_uses_no_word_of_the_list() {
    let hint = "say it in plain words, see xtask/src/tests/tidy/words.txt";
    assert_none(&words::words(&files()), hint);
}

#[test]
fn the_locked_dependencies_build_with_our_oldest_rust() {
    let hint = "lock an older version with `cargo update --precise`";
    assert_none(&msrv::msrv(&root()), hint);
}

#[test]
fn the_documents_agree_with_the_tree() {
    assert_none(&docs::docs(&files()), "correct the document");
}

/// All text files of the repository, sorted by path.
fn files() -> Vec<File> {
    let mut files = Vec::new();
    let mut open = vec![(root(), String::new())];
    while let Some((path, name)) = open.pop() {
        if path.is_dir() {
            for entry in std::fs::read_dir(&path).expect("a folder") {
                let entry = entry.expect("an entry");
                let inner = entry.file_name().into_string().expect("UTF-8");
                if ![".git", "node_modules", "target"].contains(&inner.as_str()) {
                    let name = [name.as_str(), &inner].join("/");
                    open.push((entry.path(), name.trim_start_matches('/').to_owned()));
                }
            }
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            // Binary files are not UTF-8.
            files.push(File { path: name, text });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// Whether a file is a test or belongs to one.
fn is_test(path: &str) -> bool {
    path.split('/').any(|part| part == "tests" || part == "tests.rs")
}
