//! Starts `telecrm emulator` in a process of its own, as a user does.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::tools::succeed;
use crate::Outcome;

/// A running emulator on a free local port. Dropping it ends the process.
pub(crate) struct Emulator {
    command: PathBuf,
    process: Child,
    environment: Vec<(String, String)>,
}

impl Emulator {
    /// Builds the command, with the same features as `cargo run`, and starts its emulator.
    pub(crate) fn start(root: &Path) -> Outcome<Self> {
        succeed(
            Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
                .args(["build", "--quiet"])
                .current_dir(root),
        )?;
        // Cargo puts both programs into the same folder.
        let command = std::env::current_exe()?
            .with_file_name("telecrm")
            .with_extension(std::env::consts::EXE_EXTENSION);
        let mut process = Command::new(&command)
            .args(["emulator", "--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", command.display()))?;
        let announcement = process.stdout.take().map(BufReader::new);
        let mut emulator = Self { command, process, environment: Vec::new() };
        // The process keeps its output open, so reading stops after the last `export`.
        for line in announcement.into_iter().flat_map(BufRead::lines).take(5) {
            let line = line?;
            let (name, value) = line
                .strip_prefix("export ")
                .and_then(|export| export.split_once('='))
                .ok_or_else(|| format!("the emulator printed no `export` line but: {line}"))?;
            emulator.environment.push((name.to_owned(), value.to_owned()));
        }
        if emulator.environment.len() == 5 {
            Ok(emulator)
        } else {
            Err("the emulator ended before it printed its address".into())
        }
    }

    /// The path of the command `telecrm`.
    pub(crate) fn command(&self) -> &Path {
        &self.command
    }

    /// The environment variables that point a client at this emulator.
    pub(crate) fn environment(&self) -> &[(String, String)] {
        &self.environment
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // Both fail only if the process has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
