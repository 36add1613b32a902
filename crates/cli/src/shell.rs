//! Completion scripts and manual pages, both made from the command line's definition.

use crate::args::Cli;
use crate::exit::{Exit, Failure};
use crate::terminal::print;
use clap::CommandFactory;
use std::io::{self, Write};
use std::path::Path;

pub(crate) fn completions(shell: clap_complete::Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "telecrm", &mut script);
    // Nothing reads the rest if standard output is closed.
    let _ = io::stdout().write_all(&script);
    Exit::Success
}

pub(crate) fn man(folder: &Path) -> Result<Exit, Failure> {
    clap_mangen::generate_to(Cli::command(), folder).map_err(|error| {
        Failure::new(Exit::Failed, format!("cannot write to {}: {error}", folder.display()))
            .hint("name a folder that exists, such as ~/.local/share/man/man1")
    })?;
    print(&format!("wrote the manual pages to {}", folder.display()));
    Ok(Exit::Success)
}
