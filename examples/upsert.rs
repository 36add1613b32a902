//! How do I create a lead, or update it if it exists?
//!
//! `upsert` tries to create the lead. If a lead with the same identifier exists, it finds and
//! updates that one. The Async API does both in one request, but does not say which.
//!
//!     cargo run --example upsert
#![expect(clippy::print_stdout, reason = "an example prints its results")]

use telecrm::{CustomAction, Lead, Telecrm, Upserted};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let telecrm = Telecrm::from_env()?;

    let lead = Lead::new()
        .set("phone", "919876500001")
        .set("name", "Deepak Shah")
        .set("status", "Contacted")
        .action(CustomAction::new(1001)?.field("note", "Called back"));

    // The first run creates the lead, later ones update it.
    match telecrm.leads().upsert(&lead).await? {
        Upserted::Created(outcome) => {
            let created = outcome.complete()?;
            println!("created lead {}", created.lead_id);
        }
        Upserted::Updated { lead_id, lead, actions } => {
            let lead = lead.complete()?;
            println!("updated lead {lead_id}: status {:?}", lead.status());
            if let Some(actions) = actions {
                println!("added {} actions", actions.complete()?.action_ids.len());
            }
        }
    }
    Ok(())
}
