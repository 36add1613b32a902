//! `cargo xtask regen --accept`: records in an overlay what an action replaces.

use crate::codegen::overlay::{Fault, REPLACES, Stale};

/// The text of an overlay with new digests for the accepted targets, which are no longer stale.
pub(crate) fn accept(overlay: &str, stale: &mut Vec<Stale>, targets: &[String]) -> String {
    let mut text = overlay.to_owned();
    stale.retain(|stale| {
        let Fault::HidesChange(digest) = &stale.fault else {
            return true;
        };
        let accepted = targets.contains(&stale.target);
        match with_digest(&text, &stale.target, digest).filter(|_| accepted) {
            Some(changed) => text = changed,
            None => return true,
        }
        false
    });
    text
}

/// The text of an overlay with the digest of the part that the action at `target` replaces.
///
/// Returns `None` if no action begins with this target.
pub(crate) fn with_digest(overlay: &str, target: &str, digest: &str) -> Option<String> {
    let mut lines: Vec<String> = overlay.lines().map(str::to_owned).collect();
    let begins = |line: &String| line.trim_start() == format!("- target: {target}");
    let first = lines.iter().position(begins)?;
    let ends = |line: &String| line.trim_start().starts_with("- target: ");
    let rest = &lines[first + 1..];
    let end = first + 1 + rest.iter().position(ends).unwrap_or(rest.len());
    let indent = lines[first].len() - lines[first].trim_start().len() + 2;
    let line = format!("{:indent$}{REPLACES}: '{digest}'", "");
    let is_digest = |line: &String| line.trim_start().starts_with(REPLACES);
    match lines[first..end].iter().position(is_digest) {
        Some(offset) => lines[first + offset] = line,
        None => lines.insert(first + 1, line),
    }
    Some(lines.join("\n") + "\n")
}
