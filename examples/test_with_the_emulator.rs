//! How do I test against a telecrm that remembers what it is sent?
//!
//! The crate `telecrm-emulator` starts a server on a free port. It drops what telecrm drops, and
//! logs it: `telecrm-emulator = { …, features = ["client"] }` in the dev-dependencies.
//!
//!     cargo run --example test_with_the_emulator
#![expect(clippy::print_stdout, reason = "an example prints its results")]

use std::time::Duration;
use telecrm::{Lead, Verification};
use telecrm_emulator::{Emulator, Fault};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let emulator = Emulator::start().await?;
    // `emulator.client()` is enough unless a test changes settings.
    let telecrm = emulator.client_builder().verify_timeout(Duration::ZERO).build()?;

    // The emulator drops a rating above 5, as telecrm does, and answers 200.
    let lead = Lead::new().set("phone", "919876543210").set("rating", 9);
    let receipt = telecrm.ingest().push(&lead).await?;
    emulator.wait_idle().await;

    // Unlike telecrm, it logs what it dropped.
    for finding in &emulator.log(0)[0].findings {
        println!("dropped: {finding}");
    }

    // Reading back finds the same loss.
    match telecrm.ingest().verify(&receipt).await? {
        Verification::Differs { losses, .. } => assert_eq!(losses.len(), 1),
        other => return Err(format!("expected a loss, got {other:?}").into()),
    }

    // A fault lets requests fail: here the connection breaks after the lead was created.
    emulator.fault(Fault::reset_after().on("createLead").times(1))?;
    let other = Lead::new().set("phone", "919876543211");
    let created = telecrm.leads().create(&other).await?.accept_partial();
    println!("created {} in spite of the fault", created.lead_id);
    Ok(())
}
