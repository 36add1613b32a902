//! Finds what a suite needs, or installs it: programs from Debian, packages from PyPI and npm at pinned versions.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Outcome;
use crate::digest;

/// Runs a command to its end, and fails with its name unless it succeeds.
pub(crate) fn succeed(command: &mut Command) -> Outcome {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|error| format!("{program} cannot be run: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{program} ended with {status}").into())
    }
}

/// Where a program is, installed from a package of Debian's if it is missing and this may install.
pub(crate) fn debian(program: &str, packages: &[&str]) -> Outcome<PathBuf> {
    if let Some(found) = in_path(program) {
        return Ok(found);
    }
    let missing = |why: String| {
        format!(
            "{program} is needed and is not there ({why}): install {}",
            packages.join(" ")
        )
    };
    let apt = in_path("apt-get").ok_or_else(|| missing("no apt-get to install it with".into()))?;
    let run = |arguments: &[&str]| {
        let mut command = match in_path("sudo") {
            Some(sudo) => {
                let mut command = Command::new(sudo);
                command.arg("-n").arg(&apt);
                command
            }
            None => Command::new(&apt),
        };
        command
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive");
        succeed(&mut command).map_err(|error| missing(error.to_string()))
    };
    run(&["update", "-qq"])?;
    let install = ["install", "-qq", "-y", "--no-install-recommends"];
    run(&[&install[..], packages].concat())?;
    in_path(program).ok_or_else(|| missing("installed, but not in PATH".into()).into())
}

/// The Python of an environment with exactly these requirements, kept for the next run.
pub(crate) fn python(requirements: &Path) -> Outcome<PathBuf> {
    let base = debian("python3", &["python3", "python3-venv"])?;
    // Another set of versions, or another Python, is another environment.
    let base = base.canonicalize()?;
    let wanted = [
        &fs::read(requirements)?[..],
        base.as_os_str().as_encoded_bytes(),
    ]
    .concat();
    let home = folder()?.join(format!("python-{:016x}", digest::fnv1a(&wanted)));
    let python = home.join("bin/python");
    let complete = home.join("complete");
    if !complete.exists() {
        if home.exists() {
            fs::remove_dir_all(&home)?;
        }
        succeed(Command::new(&base).args(["-m", "venv"]).arg(&home))
            .map_err(|error| format!("{error}: install python3-venv"))?;
        let pip = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ];
        succeed(
            Command::new(&python)
                .args(pip)
                .arg("--requirement")
                .arg(requirements),
        )?;
        fs::write(&complete, "")?;
    }
    Ok(python)
}

/// Where what is installed stays between runs.
fn folder() -> Outcome<PathBuf> {
    let cache = match std::env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()) {
        Some(cache) => PathBuf::from(cache),
        None => std::env::home_dir()
            .ok_or("there is no home folder to keep tools in: set XDG_CACHE_HOME")?
            .join(".cache"),
    };
    let folder = cache.join("telecrm-tools");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn in_path(program: impl AsRef<OsStr>) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program.as_ref()))
        .find(|file| file.is_file())
}
