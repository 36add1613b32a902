//! What several tests need: a client of an emulator, and losses that can be compared.

use std::collections::BTreeSet;
use std::time::Duration;
use telecrm::{AsyncToken, Builder, Finding, Lead, SyncToken, Telecrm, Verdict};
use telecrm_emulator::Emulator;

/// A place and a kind: what losses are compared by.
pub(crate) type Losses = BTreeSet<(String, String)>;

pub(crate) fn losses(findings: &[Finding]) -> Losses {
    let losses = findings.iter().filter(|finding| finding.is_loss());
    losses
        .map(|finding| (finding.path.to_string(), finding.kind.to_string()))
        .collect()
}

pub(crate) fn builder(emulator: &Emulator) -> Builder {
    Telecrm::builder(emulator.enterprise())
        .sync_url(emulator.sync_url())
        .async_url(emulator.async_url())
        .sync_token(SyncToken::new(emulator.sync_token()).expect("a token"))
        .async_token(AsyncToken::new(emulator.async_token()).expect("a token"))
        .sync_limit(None)
        .async_limit(None)
        // These tests wait until the emulator has settled, so one look is enough.
        .verify_timeout(Duration::ZERO)
}

pub(crate) fn client(emulator: &Emulator) -> Telecrm {
    builder(emulator).build().expect("builds")
}

/// Sends a lead as it is, waits until it is worked through, and finds its losses by reading back.
pub(crate) async fn losses_read_back(
    telecrm: &Telecrm,
    emulator: &Emulator,
    lead: &Lead,
) -> Losses {
    let receipt = telecrm.ingest().push(lead).await.expect("queued");
    emulator.settle().await;
    match telecrm.ingest().verify(&receipt).await.expect("readable") {
        Verdict::Stored(_) => Losses::new(),
        Verdict::Differs {
            losses: found,
            unreadable,
            ..
        } => {
            assert_eq!(unreadable, [], "the emulator shows everything");
            losses(&found)
        }
        Verdict::Missing(finding) => losses(&[finding]),
        other => panic!("{other:?}"),
    }
}
