//! Finds comments and Markdown prose that are too wide to read beside other windows.

use super::{Fault, File};

/// The width of comments in Rust files. rustfmt keeps code within it.
const COMMENTS: usize = 100;

/// The width of prose in Markdown files.
const PROSE: usize = 120;

/// Lists the lines that are too long.
///
/// Tables, code blocks and lines that a link makes long are exempt.
pub(super) fn columns(files: &[File]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in files {
        let limit = match file.path.rsplit_once('.') {
            Some((_, "rs")) if !file.path.starts_with("generated/") => COMMENTS,
            Some((_, "md")) => PROSE,
            _ => continue,
        };
        let mut is_code = false;
        for (index, line) in file.text.lines().enumerate() {
            let text = match limit {
                COMMENTS if !line.trim_start().starts_with("//") => continue,
                COMMENTS => line.trim_start().trim_start_matches(['/', '!']).trim_start(),
                _ => line.trim_start(),
            };
            if text.starts_with("```") {
                is_code = !is_code;
            }
            let is_link =
                text.split_whitespace().any(|word| word.contains("://") || word.contains("]("));
            let width = line.chars().count();
            if width > limit && !is_code && !text.starts_with('|') && !is_link {
                let place = format!("{}:{}", file.path, index + 1);
                faults.push(Fault::new(place, format!("{width} columns instead of {limit}")));
            }
        }
    }
    faults
}
