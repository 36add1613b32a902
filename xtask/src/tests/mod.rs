//! Tests of the commands, and of the rules of the repository.

mod constructs;
mod coverage;
mod diff;
mod operations;
mod overlay;
mod read;
mod regen;
mod specs;
mod surface;
mod tidy;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{fs, io};

/// The root of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A copy of the files that regen reads and writes, removed when dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "telecrm-xtask-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let scratch = Self(std::env::temp_dir().join(name));
        for folder in ["openapi", "generated", "build/codegen", "crates/emulator/openapi"] {
            copy_files(&root().join(folder), &scratch.0.join(folder)).unwrap();
        }
        fs::copy(root().join("Cargo.lock"), scratch.0.join("Cargo.lock")).unwrap();
        scratch
    }

    fn path(&self) -> &Path {
        &self.0
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.0.join(file)).unwrap()
    }

    fn write(&self, file: &str, text: &str) -> PathBuf {
        let path = self.0.join(file);
        fs::write(&path, text).unwrap();
        path
    }

    /// Everything in it, to compare two states.
    fn contents(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut contents = Vec::new();
        let mut open = vec![self.0.clone()];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    contents.push((path.clone(), fs::read(path).unwrap()));
                }
            }
        }
        contents.sort();
        contents
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn copy_files(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
