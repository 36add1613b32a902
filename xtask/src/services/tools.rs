//! Finds or installs what a suite needs: Debian programs, and pinned packages of PyPI.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Outcome;
use crate::digest;

/// Runs a command and waits for it. Fails with its name if it does not succeed.
pub(crate) fn succeed(command: &mut Command) -> Outcome {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|error| format!("{program} did not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{program} ended with {status}").into()) }
}

/// The path of a program. Installs Debian packages if it is missing.
pub(crate) fn debian(program: &str, packages: &[&str]) -> Outcome<PathBuf> {
    if let Some(found) = in_path(program) {
        return Ok(found);
    }
    let missing =
        |why: String| format!("{program} is missing: {why}\nhint: install {}", packages.join(" "));
    let apt =
        in_path("apt-get").ok_or_else(|| missing("there is no apt-get to install it".into()))?;
    let run = |arguments: &[&str]| {
        let mut command = match in_path("sudo") {
            Some(sudo) => {
                let mut command = Command::new(sudo);
                command.arg("-n").arg(&apt);
                command
            }
            None => Command::new(&apt),
        };
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        succeed(&mut command).map_err(|error| missing(error.to_string()))
    };
    run(&["update", "-qq"])?;
    let install = ["install", "-qq", "-y", "--no-install-recommends"];
    run(&[&install[..], packages].concat())?;
    in_path(program).ok_or_else(|| {
        missing("its package is installed, but PATH does not contain it".into()).into()
    })
}

/// The Python of a virtual environment with these requirements, which is kept for later runs.
pub(crate) fn python(requirements: &Path) -> Outcome<PathBuf> {
    let base = debian("python3", &["python3", "python3-venv"])?;
    // Other requirements, or another Python, get another environment.
    let base = base.canonicalize()?;
    let wanted = [&fs::read(requirements)?[..], base.as_os_str().as_encoded_bytes()].concat();
    let home = folder()?.join(format!("python-{:016x}", digest::fnv1a(&wanted)));
    let python = home.join("bin/python");
    let complete = home.join("complete");
    if !complete.exists() {
        if home.exists() {
            fs::remove_dir_all(&home)?;
        }
        succeed(Command::new(&base).args(["-m", "venv"]).arg(&home))
            .map_err(|error| format!("{error}\nhint: install python3-venv"))?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        succeed(Command::new(&python).args(pip).arg("--requirement").arg(requirements))?;
        fs::write(&complete, "")?;
    }
    Ok(python)
}

/// The folder for installed packages.
fn folder() -> Outcome<PathBuf> {
    let cache = match std::env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()) {
        Some(cache) => PathBuf::from(cache),
        None => std::env::home_dir()
            .ok_or("there is no home folder for tools\nhint: set XDG_CACHE_HOME")?
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
