//! Small inputs: a file, or standard input for `-`.

use crate::exit::Failure;
use std::io::{self, Read};
use std::path::Path;

/// The name of an input, for messages.
pub(crate) fn name(path: &Path) -> String {
    if path.as_os_str() == "-" { "standard input".to_owned() } else { path.display().to_string() }
}

/// Reads the text of an input, without a byte order mark.
pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = if path.as_os_str() == "-" {
        io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(path).map(|content| text = content)
    };
    read.map_err(|error| {
        let hint = match error.kind() {
            io::ErrorKind::InvalidData => "save it as UTF-8",
            _ => "check its name and permissions",
        };
        Failure::usage(format!("cannot read {}: {error}", name(path))).hint(hint)
    })?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}
