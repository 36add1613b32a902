//! Hashes of all files that the generator reads and writes, recorded in `generated/DIGEST`.
//!
//! It has no dependencies, because every build of the crate from a checkout compiles it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The file with the recorded hashes.
pub(crate) const FILE: &str = "generated/DIGEST";

/// The folders and extensions of the files: first the generator and its input, then its output.
const FOLDERS: [(&str, &str); 4] = [
    ("build/codegen", "rs"),
    ("openapi", "yaml"),
    ("generated", "rs"),
    ("crates/emulator/openapi", "yaml"),
];

/// The crates whose versions affect the generated code.
const GENERATORS: [&str; 3] = ["prettyplease", "progenitor-impl", "typify-impl"];

/// The files that the digest covers, relative to `root` and in a fixed order.
pub(crate) fn files(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for (folder, extension) in FOLDERS {
        let mut found = Vec::new();
        for entry in fs::read_dir(root.join(folder))? {
            let name = PathBuf::from(entry?.file_name());
            // The settings of the OpenAPI linter do not affect the code.
            let setting = name.to_string_lossy().starts_with("redocly");
            if name.extension().is_some_and(|e| e == extension) && !setting {
                found.push(Path::new(folder).join(name));
            }
        }
        found.sort();
        files.append(&mut found);
    }
    Ok(files)
}

/// The digest of the files below `root`.
pub(crate) fn of_tree(root: &Path) -> io::Result<String> {
    let mut text = String::new();
    for file in files(root)? {
        let hash = fnv1a(&fs::read(root.join(&file))?);
        // The digest must be the same on every system.
        let name = file.to_string_lossy().replace('\\', "/");
        let _ = writeln!(text, "{hash:016x} {name}");
    }
    let lock = fs::read_to_string(root.join("Cargo.lock"))?;
    for name in GENERATORS {
        let version = locked_version(&lock, name).unwrap_or("none");
        let _ = writeln!(text, "{version:>16} {name}");
    }
    Ok(text)
}

/// The FNV-1a hash. It skips carriage returns, so that a checkout with CRLF has the same digest.
pub(crate) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte != b'\r').fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The version of a crate in the text of a `Cargo.lock`.
fn locked_version<'a>(lock: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = lock.lines();
    lines.find(|line| *line == format!("name = \"{name}\""))?;
    lines.next()?.strip_prefix("version = \"")?.strip_suffix('"')
}
