//! How do I check leads without sending them?
//!
//! The check needs no network. Here it uses the sample workspace of the emulator, while
//! `telecrm.workspace()` discovers your own.
//!
//!     cargo run --example check_a_file
#![expect(clippy::print_stdout, reason = "an example prints its results")]

use std::fs;
use telecrm::{Lead, Workspace};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let workspace = Workspace::sample();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/leads.jsonl");
    let mut lossy = 0;
    for (index, line) in fs::read_to_string(path)?.lines().enumerate() {
        let lead: Lead = serde_json::from_str(line)?;
        let checked = workspace.check(&lead);
        for finding in checked.report() {
            println!("line {}: {finding:#}", index + 1);
        }
        lossy += usize::from(checked.has_losses());
    }
    println!("{lossy} leads would lose data");
    Ok(())
}
