//! The project's own tool: makes `generated/` from `openapi/`, and guards it.

#[path = "../../build/codegen/mod.rs"]
mod codegen;
#[path = "../../build/digest.rs"]
mod digest;

mod coverage;
mod diff;
mod examples;
mod regen;
mod services;
mod stage;
mod surface;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

/// Tasks of the telecrm workspace.
#[derive(Parser)]
#[command(name = "cargo xtask")]
enum Task {
    /// Write generated/ and the emulator's specs from openapi/.
    Regen(regen::Options),
    /// Say what changed between two specs, and what it breaks.
    Diff {
        /// The older document.
        old: PathBuf,
        /// The newer document.
        new: PathBuf,
    },
    /// List every operation as covered by the facade or raw only.
    Coverage,
    /// Write docs/public-api.txt, the public API as the sources have it.
    Surface {
        /// Only compare, and fail if it differs.
        #[arg(long)]
        check: bool,
    },
    /// Run the tests that need Python, npm or a browser, and install what they need.
    TestServices {
        /// Only these.
        #[arg(value_enum)]
        suites: Vec<services::Suite>,
    },
    /// Print a spec as YAML at a stage of the pipeline.
    #[command(subcommand)]
    Spec(Spec),
}

#[derive(Subcommand)]
enum Spec {
    /// The Sync API.
    Sync(StageOption),
    /// The Async API.
    Async(StageOption),
}

#[derive(clap::Args)]
struct StageOption {
    /// How far to go.
    #[arg(long, value_enum, default_value_t = Stage::Overlaid)]
    stage: Stage,
}

/// How far a document has come on its way to Rust.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Stage {
    /// As it came.
    Vendored,
    /// With our corrections.
    Overlaid,
    /// As the generator takes it.
    Normalised,
}

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    // Cargo says at run time where it runs this: a shared target folder may hold another checkout's build.
    let folder = std::env::var("CARGO_MANIFEST_DIR");
    let root = Path::new(folder.as_deref().unwrap_or(env!("CARGO_MANIFEST_DIR"))).join("..");
    let done = match Task::parse() {
        Task::Regen(options) => regen::run(&root, &options),
        Task::Diff { old, new } => diff::run(&old, &new),
        Task::Coverage => coverage::run(&root),
        Task::Surface { check } => surface::run(&root, check),
        Task::TestServices { suites } => services::run(&root, &suites),
        Task::Spec(spec) => {
            let [sync, ingest] = codegen::APIS;
            let (api, option) = match spec {
                Spec::Sync(option) => (sync, option),
                Spec::Async(option) => (ingest, option),
            };
            stage::run(&root, api, option.stage)
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
