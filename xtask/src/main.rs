//! The project's own tool: generates code from `openapi/`, and checks the rules of the repository.

#[path = "../../build/codegen/mod.rs"]
mod codegen;
#[path = "../../build/digest.rs"]
mod digest;

mod accept;
mod coverage;
mod diff;
mod regen;
mod services;
mod stage;
mod surface;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

/// Tasks of the telecrm workspace.
#[derive(Parser)]
#[command(name = "cargo xtask")]
enum Task {
    /// Write generated/ and the OpenAPI documents of the emulator from openapi/.
    Regen(regen::Options),
    /// Print what changed between two OpenAPI documents, and what it means for callers.
    ///
    /// Both documents are compared after the overlay that fits the older one. Ends with 0 if
    /// nothing breaks, 3 if only Rust code does, 4 if the wire does, and 5 if nothing breaks but a
    /// correction hides a change.
    Diff(diff::Options),
    /// List all operations with the facade method that covers each.
    Coverage,
    /// Write docs/public-api.txt, the public API of telecrm, telecrm-core and telecrm-outbox.
    Surface {
        /// Write nothing. Fail if the file differs from the sources.
        #[arg(long)]
        check: bool,
    },
    /// Run the tests that need Python, npm or a browser. Installs what is missing.
    TestServices {
        /// The suites to run, all by default.
        #[arg(value_enum)]
        suites: Vec<services::Suite>,
    },
    /// Kill processes that use an outbox at random points, and count what was lost.
    Torture {
        /// How many processes to kill.
        #[arg(long, default_value_t = 100)]
        kills: u32,
    },
    /// Print an OpenAPI document at a stage of the generation.
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
    /// The stage.
    #[arg(long, value_enum, default_value_t = Stage::Overlaid)]
    stage: Stage,
}

/// The stages of a document on its way to Rust.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Stage {
    /// As published by the vendor.
    Vendored,
    /// After our overlay.
    Overlaid,
    /// After the rewrite for the generator.
    Normalised,
}

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    // Read at run time, because a shared target folder may hold the build of another checkout.
    let folder = std::env::var("CARGO_MANIFEST_DIR");
    let root = Path::new(folder.as_deref().unwrap_or(env!("CARGO_MANIFEST_DIR"))).join("..");
    let done = match Task::parse() {
        Task::Diff(options) => return finish(diff::run(&root, &options)),
        Task::Regen(options) => regen::run(&root, &options),
        Task::Coverage => coverage::run(&root),
        Task::Surface { check: true } => surface::check(&root),
        Task::Surface { check: false } => surface::write(&root),
        Task::TestServices { suites } => services::run(&root, &suites),
        Task::Torture { kills } => torture(&root, kills),
        Task::Spec(spec) => {
            let [sync, ingest] = codegen::APIS;
            let (api, option) = match spec {
                Spec::Sync(option) => (sync, option),
                Spec::Async(option) => (ingest, option),
            };
            stage::run(&root, api, option.stage)
        }
    };
    finish(done.map(|()| 0))
}

/// The exit code of a command, after its error is printed.
fn finish(done: Outcome<u8>) -> ExitCode {
    match done {
        Ok(code) => code.into(),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the kill harness of the outbox.
fn torture(root: &Path, kills: u32) -> Outcome {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    services::succeed(
        std::process::Command::new(cargo)
            .args(["test", "--quiet", "--package", "telecrm-outbox", "--test", "it", "--"])
            .args(["--ignored", "--exact", "--nocapture", "kill::by_hand"])
            .env("TELECRM_OUTBOX_TEST_KILLS", kills.to_string())
            .current_dir(root),
    )
}
