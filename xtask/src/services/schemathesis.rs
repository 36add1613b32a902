//! Sends generated requests to an emulator and checks each response against its OpenAPI document.

use std::path::Path;
use std::process::Command;

use super::emulator::Emulator;
use super::tools;
use crate::Outcome;

pub(super) fn run(root: &Path) -> Outcome {
    let folder = root.join("tests/services/schemathesis");
    let python = tools::python(&folder.join("requirements.txt"))?;
    let emulator = Emulator::start(root)?;
    tools::succeed(
        Command::new(python)
            .arg(folder.join("run.py"))
            .envs(emulator.environment().iter().cloned()),
    )
}
