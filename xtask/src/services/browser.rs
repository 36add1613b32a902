//! Runs the script that drives the emulator's pages in a browser.

use std::path::Path;
use std::process::Command;

use super::emulator::Emulator;
use super::tools;
use crate::Outcome;

pub(super) fn run(root: &Path) -> Outcome {
    let folder = root.join("tests/services/browser");
    let browser = tools::debian("chromium", &["chromium"])?;
    // The script runs the commands that the pages offer to copy.
    tools::debian("curl", &["curl"])?;
    let npm = tools::debian("npm", &["nodejs", "npm"])?;
    tools::succeed(
        Command::new(&npm)
            .args(["ci", "--no-audit", "--no-fund", "--loglevel", "error"])
            .current_dir(&folder),
    )?;
    let emulator = Emulator::start(root)?;
    tools::succeed(
        Command::new(&npm)
            .args(["run", "--silent", "test"])
            .current_dir(&folder)
            .env("CHROMIUM", browser)
            .env("TELECRM", emulator.command())
            .envs(emulator.environment().iter().cloned()),
    )
}
