//! Shows that each of the rules can fail.

use serde_json::json;

use super::{Fault, File, circles, columns, docs, files, msrv, words};

fn file(path: &str, text: &str) -> File {
    let (path, text) = (path.to_owned(), text.to_owned());
    File { path, text }
}

fn shown(faults: &[Fault]) -> Vec<String> {
    faults.iter().map(Fault::to_string).collect()
}

fn circles_of(files: &[File]) -> Vec<String> {
    shown(&circles::circles(files))
}

#[test]
fn modules_that_import_each_other_are_named_with_the_lines() {
    let found = circles_of(&[
        file("src/lib.rs", "mod a;\nmod b;\nmod c;\npub use c::deep::Thing;\n"),
        file("src/a.rs", "use crate::b::B;\n\npub struct A(B);\n"),
        file("src/b.rs", "pub struct B;\n\nmacro_rules! m { () => { $crate::Thing } }\n"),
        file("src/c/deep.rs", "use super::super::{b, a::{self, A as Other}};\n"),
    ]);
    let expected = "src: these modules import each other in a circle: a, b, c
  a -> b: src/a.rs:1
  b -> c: src/b.rs:3
  c -> a: src/c/deep.rs:1
  c -> b: src/c/deep.rs:1";
    assert_eq!(found, [expected]);
}

#[test]
fn tests_and_comments_import_nothing() {
    let found = circles_of(&[
        file("src/lib.rs", "mod a;\nmod b;\n"),
        file("src/a.rs", "use crate::b::B;\n"),
        file(
            "src/b.rs",
            "// crate::a::A\n/// [`crate::a::A`]\npub struct B;\nconst TEXT: &str = \"crate::a::A\";\n#[cfg(test)]\nuse crate::a::A;\n#[cfg(test)]\nmod tests { use crate::a::A; }\n",
        ),
        file("src/b/tests.rs", "use crate::a::A;\n"),
    ]);
    assert_eq!(found, [""; 0]);
}

#[test]
fn circles_inside_a_folder_count_from_six_modules_on() {
    let mut files = vec![
        file("crates/x/src/lib.rs", "mod f;\n"),
        file("crates/x/src/f/mod.rs", "pub(super) use b::B;\n"),
        file("crates/x/src/f/a.rs", "use super::B;\n"),
        file("crates/x/src/f/b.rs", "use crate::f::a::A;\n"),
    ];
    files.extend(["c", "d", "e"].map(|name| file(&format!("crates/x/src/f/{name}.rs"), "")));
    assert_eq!(circles_of(&files), [""; 0]);
    files.push(file("crates/x/src/f/g/mod.rs", ""));
    let expected = "crates/x/src/f: these modules import each other in a circle: a, b
  a -> b: crates/x/src/f/a.rs:1
  b -> a: crates/x/src/f/b.rs:1";
    assert_eq!(circles_of(&files), [expected]);
}

#[test]
fn wide_comments_and_prose_are_named() {
    let long = "word ".repeat(30);
    let found = columns::columns(&[
        file("src/a.rs", &format!("/// {long}\nconst TEXT: &str = \"{long}\";\n")),
        file(
            "README.md",
            &format!("Short.\n{long}\n| {long} |\n```text\n{long}\n```\n{long}[x](y)\n"),
        ),
        file("generated/sync.rs", &format!("// {long}\n")),
    ]);
    assert_eq!(
        shown(&found),
        ["src/a.rs:1: 154 columns instead of 100", "README.md:2: 150 columns instead of 120"]
    );
}

/// The faults in some files, with a list of two phrases and these allowed places.
fn words_of(allowed: &str, others: Vec<File>) -> Vec<String> {
    let mut files = vec![
        file("xtask/src/tests/tidy/words.txt", "# Comment.\nanew\nto the letter\n"),
        file("xtask/src/tests/tidy/words-allowed.txt", allowed),
    ];
    files.extend(others);
    shown(&words::words(&files))
}

#[test]
fn words_of_the_list_are_found_in_comments_texts_and_documents() {
    let source = "//! Reads anew.\n\n// To the\n// letter.\nfn anew() {}\nconst TEXT: &str = \"Begins\n  ANEW\";\n#[cfg(test)]\nmod tests {\n    // anew\n}\n";
    let found = words_of(
        "",
        vec![
            file("src/a.rs", source),
            file("docs/a.md", "It goes to. The letter is renewed anew.\n"),
            file("tests/it/a.rs", "// anew\n"),
        ],
    );
    assert_eq!(
        found,
        [
            "src/a.rs:1: `anew`",
            "src/a.rs:7: `anew`",
            "src/a.rs:3: `to the letter`",
            "docs/a.md:1: `anew`",
        ]
    );
}

#[test]
fn the_list_of_allowed_words_may_not_grow_or_go_stale() {
    let used = || vec![file("docs/a.md", "Anew.\n")];
    let grown = "xtask/src/tests/tidy/words-allowed.txt: 1 entries, at most 0 are accepted";
    assert_eq!(words_of("1 docs/a.md anew\n", used()), [grown]);
    let stale = words_of("2 docs/a.md anew\n", used());
    let expected = "xtask/src/tests/tidy/words-allowed.txt: 2 uses of `anew` are accepted in docs/a.md, it has 1";
    assert_eq!(stale, [grown, expected]);
    let gone = words_of("1 docs/b.md anew\n", Vec::new());
    let expected = "xtask/src/tests/tidy/words-allowed.txt: docs/b.md does not use `anew`";
    assert_eq!(gone, [grown, expected]);
}

#[test]
fn a_dependency_that_needs_a_newer_rust_is_named() {
    let package = |name: &str, source: Option<&str>, rust: &str| json!({ "id": name, "name": name, "version": "1.2.3", "source": source, "rust_version": rust });
    let dependency =
        |name: &str, kind: Option<&str>| json!({ "pkg": name, "dep_kinds": [{ "kind": kind }] });
    let metadata = json!({
        "packages": [
            package("telecrm", None, "1.88"),
            package("old", Some("registry"), "1.9.0"),
            package("deep", Some("registry"), "1.89.0"),
            package("test", Some("registry"), "1.90"),
        ],
        "resolve": { "nodes": [
            { "id": "telecrm", "deps": [dependency("old", None), dependency("test", Some("dev"))] },
            { "id": "old", "deps": [dependency("deep", Some("build"))] },
        ] },
    });
    let expected = "telecrm: deep 1.2.3 needs Rust 1.89.0, but `rust-version` is 1.88";
    assert_eq!(shown(&msrv::faults(&metadata)), [expected]);
}

#[test]
fn statements_that_the_tree_contradicts_are_named() {
    let mut files = files();
    files.retain(|file| !file.path.ends_with(".md"));
    files.push(file(
        "README.md",
        "Needs Rust 1.88 and has 19 operations, see `src/operation.rs` and `docs/`.
Run `cargo xtask regen` or `.ci/run fmt`; the feature `testing` replaces the network.

Needs Rust 1.70 and has 7 operations, see `src/no.rs`.
Run `cargo xtask fly` or `.ci/run away`; the feature `magic` helps.
telecrm = { version = \"0.1\", features = [\"magic\"] }
tokio = { version = \"1\", features = [\"macros\"] }
",
    ));
    assert_eq!(
        shown(&docs::docs(&files)),
        [
            "README.md:4: no manifest has the `rust-version` 1.70",
            "README.md:4: 7 operations, there are 19",
            "README.md:4: `src/no.rs` does not exist",
            "README.md:5: `cargo xtask` has no command `fly`",
            "README.md:5: `.ci/run` has no step `away`",
            "README.md:5: no crate has a feature `magic`",
            "README.md:6: no crate has a feature `magic`",
        ]
    );
    if let Some(readme) = files.last_mut() {
        readme.text = "Nothing.\n".to_owned();
    }
    assert_eq!(
        shown(&docs::docs(&files)),
        [
            "README.md: does not state the oldest Rust version",
            "README.md: does not state the number of operations",
        ]
    );
}
