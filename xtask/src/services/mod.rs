//! Tests that need more than Rust and a C compiler: each finds or installs what it needs, and fails where it cannot.

mod browser;
mod emulator;
mod schemathesis;
mod tools;

use std::path::Path;

use clap::ValueEnum;

use crate::Outcome;

/// A group of tests, by what it needs.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Suite {
    /// The emulator against its own OpenAPI documents, by schemathesis (Python).
    Schemathesis,
    /// The emulator's pages in headless Chromium (Node.js).
    Browser,
}

/// Runs these suites, or all if none is named.
pub(crate) fn run(root: &Path, suites: &[Suite]) -> Outcome {
    let suites = match suites {
        [] => Suite::value_variants(),
        some => some,
    };
    let root = root.canonicalize()?;
    let mut failed = Vec::new();
    for suite in suites {
        let name = suite
            .to_possible_value()
            .map_or_else(String::new, |value| value.get_name().to_owned());
        println!("test-services: {name}");
        let done = match suite {
            Suite::Schemathesis => schemathesis::run(&root),
            Suite::Browser => browser::run(&root),
        };
        match done {
            Ok(()) => println!("test-services: {name} ok"),
            Err(error) => {
                println!("test-services: {name} FAILED: {error}");
                failed.push(name);
            }
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(format!("failed: {}", failed.join(", ")).into())
    }
}
