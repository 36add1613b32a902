//! `cargo xtask test-services`: tests that need more than Rust and a C compiler.
//!
//! Each suite finds or installs what it needs, and fails if it cannot.

mod browser;
mod emulator;
mod schemathesis;
mod tools;

pub(crate) use tools::succeed;

use std::path::Path;

use clap::ValueEnum;

use crate::Outcome;

/// A group of tests with the same requirements.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Suite {
    /// Schemathesis checks the emulator against its OpenAPI documents. Needs Python.
    Schemathesis,
    /// A script drives the emulator's pages in headless Chromium. Needs Node.js.
    Browser,
}

/// Runs the given suites, or all if the list is empty.
pub(crate) fn run(root: &Path, suites: &[Suite]) -> Outcome {
    let suites = match suites {
        [] => Suite::value_variants(),
        some => some,
    };
    let root = root.canonicalize()?;
    let mut failed = Vec::new();
    for suite in suites {
        let name =
            suite.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
        println!("{name}: started");
        let done = match suite {
            Suite::Schemathesis => schemathesis::run(&root),
            Suite::Browser => browser::run(&root),
        };
        match done {
            Ok(()) => println!("{name}: passed"),
            Err(error) => {
                println!("{name}: FAILED: {error}");
                failed.push(name);
            }
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(format!("suites failed: {}", failed.join(", ")).into())
    }
}
