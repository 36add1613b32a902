//! How do I test code that calls telecrm, without a server?
//!
//! The feature `testing` has a fake that answers by a script, below retries and rate limits:
//! `telecrm = { …, features = ["testing"] }` in the dev-dependencies.
//!
//!     cargo run --example test_with_the_fake --features testing
#![expect(clippy::print_stdout, reason = "an example prints its results")]

use telecrm::testing::{FakeTelecrm, Response};
use telecrm::{Error, Lead, Operation, Telecrm};

/// The code under test.
async fn register(telecrm: &Telecrm, phone: &str) -> Result<String, Error> {
    let lead = Lead::new().set("phone", phone).set("status", "Fresh");
    Ok(telecrm.leads().create(&lead).await?.accept_partial().lead_id)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The first answer is lost, and the second attempt succeeds.
    let fake = FakeTelecrm::new()
        .on(Operation::CreateLead, Response::connection_reset())
        .on(Operation::CreateLead, Response::created("62ab16e"));
    let lead_id = register(&fake.client(), "919876543210").await?;
    assert_eq!(lead_id, "62ab16e");

    // The fake keeps every request.
    let requests = fake.requests_to(Operation::CreateLead);
    assert_eq!(requests.len(), 2);
    let body = requests[1].body().ok_or("no body")?;
    assert_eq!(body["fields"]["phone"], "919876543210");

    // The clock is simulated, so the wait before the retry was instant.
    println!("waited {:?} on the simulated clock", fake.clock().slept());

    // Any error can be scripted as well.
    let fake = FakeTelecrm::new().always(Operation::CreateLead, Response::rate_limited(None));
    match register(&fake.client(), "919876543210").await {
        Err(error) if error.is_rate_limited() => println!("as expected: {error}"),
        other => return Err(format!("expected a rate limit, got {other:?}").into()),
    }
    Ok(())
}
