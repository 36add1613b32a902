//! How do I push the form of a website without losing a field?
//!
//! Checks the lead, pushes it through the Async API, and reads it back through the Sync API.
//!
//!     cargo run --example push_form
#![expect(clippy::print_stdout, reason = "an example prints its results")]

use serde::Serialize;
use telecrm::{Lead, Telecrm, Verification};

/// The form. Its keys are the API names of fields in the workspace.
#[derive(Serialize)]
struct Form {
    phone: String,
    name: String,
    contact_source: String,
    budget: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // `telecrm emulator` prints the variables for a local server.
    let telecrm = Telecrm::from_env()?;

    let lead = Lead::from_serialize(&Form {
        phone: "+91 98765 43210".to_owned(),
        name: "Asha Rao".to_owned(),
        contact_source: "website".to_owned(),
        budget: "450000".to_owned(),
    })?;

    // The check knows the fields of the workspace, and repairs what has only one meaning.
    let checked = telecrm.workspace().await?.check(&lead);
    for finding in checked.report() {
        println!("{finding:#}");
    }
    // Goes on without the fields that would be lost. `complete` would be an error instead.
    let lead = checked.accept_partial()?;

    // The answer only says that the lead is in a queue.
    let receipt = telecrm.ingest().push(&lead).await?;

    // Reading back shows what telecrm has stored.
    match telecrm.ingest().verify(&receipt).await? {
        Verification::Stored(_) => println!("stored: every field"),
        Verification::Differs { losses, .. } => {
            losses.iter().for_each(|loss| println!("lost: {loss}"));
        }
        Verification::Missing(finding) => println!("missing: {finding}"),
        other => println!("unknown: {other:?}"),
    }
    Ok(())
}
