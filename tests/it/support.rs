//! What several tests need: a client of an emulator, losses that can be compared, and what is logged.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;
use telecrm::{AsyncToken, Builder, Finding, Lead, SyncToken, Telecrm, Verification};
use telecrm_emulator::Emulator;
use tracing::Dispatch;

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
    emulator.wait_idle().await;
    match telecrm.ingest().verify(&receipt).await.expect("readable") {
        Verification::Stored(_) => Losses::new(),
        Verification::Differs {
            losses: found,
            unreadable,
            ..
        } => {
            assert_eq!(unreadable, [], "the emulator shows everything");
            losses(&found)
        }
        Verification::Missing(finding) => losses(&[finding]),
        other => panic!("{other:?}"),
    }
}

/// Everything that is logged while it lives, at every level.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn listen(&self) -> tracing::subscriber::DefaultGuard {
        // Of one subscriber alone, tracing asks the one of whichever thread comes first, which may have none.
        static SILENT: LazyLock<Dispatch> = LazyLock::new(|| {
            let silent = tracing_subscriber::fmt().with_writer(std::io::sink);
            silent.with_max_level(tracing::Level::TRACE).into()
        });
        LazyLock::force(&SILENT);
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
            .with_ansi(false)
            .with_writer(move || log.clone())
            .finish();
        tracing::subscriber::set_default(subscriber)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("not poisoned")).into_owned()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .expect("not poisoned")
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
