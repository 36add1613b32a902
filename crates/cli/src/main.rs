//! The `telecrm` command: what people and scripts do with the crate of the same name.

mod args;
mod clock;
mod emulator;
mod environment;
mod exit;
mod push;
mod signals;
mod terminal;

use args::{Cli, Command};
use clap::Parser;
use exit::{Exit, Failure};
use std::process::ExitCode;

/// The emulator makes and drops many small things, which takes a quarter less time with this one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            terminal::say(&format!("error: {failure}"));
            failure.exit.into()
        }
    }
}

fn run(cli: Cli) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Failure::new(Exit::Failed, format!("the runtime does not start: {error}"))
        })?;
    runtime.block_on(async {
        match cli.command {
            Command::Push(options) => push::run(options).await,
            Command::Emulator(options) => emulator::run(*options).await,
        }
    })
}
