//! How do I find out whether a failed write may have arrived?
//!
//! An error knows whether the server may have acted, and a lost answer is an error of its own.
//!
//!     cargo run --example handle_errors
#![expect(clippy::print_stdout, reason = "an example prints its results")]

use telecrm::{Lead, Receipt, Telecrm, Verification};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let telecrm = Telecrm::from_env()?;
    let lead = Lead::new().set("phone", "919876500002").set("name", "Meera Iyer");

    let receipt = match telecrm.ingest().push(&lead).await {
        Ok(receipt) => receipt,
        // The lead may have arrived, so read it back.
        Err(error) if error.is_outcome_unknown() => Receipt::unconfirmed(lead),
        // Nothing was stored, and the same request may succeed later.
        Err(error) if error.is_rate_limited() || error.is_transient() => {
            println!("try again after {:?}: {error}", error.retry_after());
            return Ok(());
        }
        // Nothing was stored, and the settings have to change first.
        Err(error) if error.is_not_authorized() => return Err(error.into()),
        Err(error) => {
            println!("refused with status {:?}: {error}", error.status_code());
            return Ok(());
        }
    };
    match telecrm.ingest().verify(&receipt).await? {
        Verification::Stored(lead) => println!("stored with ID {}", lead.id().unwrap_or("unknown")),
        other => println!("push it again, or look into it: {other:?}"),
    }
    Ok(())
}
