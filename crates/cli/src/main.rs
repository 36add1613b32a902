//! The `telecrm` command: pushes leads and runs the emulator.

mod access;
mod api;
mod args;
mod clock;
mod demo;
mod doctor;
mod emulator;
mod environment;
mod exit;
mod help;
mod input;
mod outbox;
mod output;
mod private_file;
mod problem;
mod push;
mod records;
mod settings;
mod shell;
mod signals;
mod terminal;
mod workspace;

use args::{Cli, Command};
use clap::Parser;
use exit::{Exit, Failure};
use std::process::ExitCode;

/// The emulator allocates many small values, which takes a quarter less time with this allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            terminal::print_error(&failure.problem);
            failure.exit.into()
        }
    }
}

fn run(cli: Cli) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Failed, format!("cannot start tokio: {error}")))?;
    runtime.block_on(async {
        match cli.command {
            Command::Push(options) => push::run(options).await,
            Command::Check(options) => push::check(options).await,
            Command::Outbox(options) => outbox::run(options).await,
            Command::Lead(lead) => records::lead(lead).await,
            Command::Action(action) => records::action(action).await,
            Command::Team(team) => records::team(team).await,
            Command::Workspace(workspace) => workspace::run(workspace).await,
            Command::Api(options) => api::run(options).await,
            Command::Emulator(options) => emulator::run(*options).await,
            Command::Demo(options) => demo::run(&options).await,
            Command::Init(options) => settings::init(options),
            Command::Config(command) => settings::show(command),
            Command::Doctor(options) => doctor::run(options).await,
            Command::Help { words } => help::run(&words),
            Command::Completions { shell } => Ok(shell::completions(shell)),
            Command::Man { folder } => shell::man(&folder),
        }
    })
}
