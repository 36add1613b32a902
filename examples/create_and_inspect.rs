//! How do I create a lead, and see which parts telecrm ignored?
//!
//! The Sync API answers with a remark for each ignored part, also when it creates the lead.
//!
//!     cargo run --example create_and_inspect
#![expect(clippy::print_stdout, reason = "an example prints its results")]

use telecrm::{CustomAction, Lead, PageRequest, Telecrm};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let telecrm = Telecrm::from_env()?;

    // A random phone number, because a second lead with the same number is an error.
    let phone = format!("9198{:08}", fastrand::u32(0..100_000_000));
    let lead = Lead::new()
        .set("phone", phone)
        .set("name", "Asha Rao")
        .set("rating", 9) // The highest rating is 5.
        .action(CustomAction::new(1001)?.field("note", "Asked for a brochure"));

    let outcome = telecrm.leads().create(&lead).await?;
    for remark in outcome.remarks() {
        println!("ignored: {remark}");
    }
    for (index, action) in outcome.actions().iter().enumerate() {
        println!("actions[{index}]: {}", action.status);
    }

    // `complete()` is an error if anything was ignored, and `accept_partial()` is not.
    let lead_id = match outcome.complete() {
        Ok(created) => created.lead_id,
        Err(incomplete) => {
            println!("{incomplete}");
            incomplete.into_outcome().accept_partial().lead_id
        }
    };

    let page = PageRequest { skip: 0, limit: 10 };
    let lead = telecrm.leads().get_with_actions(&lead_id, page).await?;
    println!("timeline entries: {}", lead.actions().len());
    Ok(())
}
