//! A running `telecrm emulator`, as a user starts it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::tools::succeed;
use crate::Outcome;

/// The command's emulator on a free port of this machine; it ends with this.
pub(crate) struct Emulator {
    command: PathBuf,
    process: Child,
    environment: Vec<(String, String)>,
}

impl Emulator {
    /// Builds the command and starts its emulator.
    pub(crate) fn start(root: &Path) -> Outcome<Self> {
        succeed(
            Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
                .args(["build", "--quiet", "--package", "telecrm-cli"])
                .current_dir(root),
        )?;
        // Cargo puts both into one folder.
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
        let mut emulator = Self {
            command,
            process,
            environment: Vec::new(),
        };
        // It closes nothing after the last `export`, so exactly these lines are read.
        for line in announcement.into_iter().flat_map(BufRead::lines).take(5) {
            let line = line?;
            let (name, value) = line
                .strip_prefix("export ")
                .and_then(|export| export.split_once('='))
                .ok_or_else(|| format!("the emulator said: {line}"))?;
            emulator
                .environment
                .push((name.to_owned(), value.to_owned()));
        }
        match emulator.environment.len() {
            5 => Ok(emulator),
            _ => Err("the emulator ended before it said where it listens".into()),
        }
    }

    /// The command that runs it.
    pub(crate) fn command(&self) -> &Path {
        &self.command
    }

    /// What a client needs to reach it, by the names that the command uses.
    pub(crate) fn environment(&self) -> &[(String, String)] {
        &self.environment
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // Nothing can be done about a process that is gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
