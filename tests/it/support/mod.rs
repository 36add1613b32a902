//! What several test files share: tables of cases, clients, sample leads, and recorders.

pub(crate) mod clock;
pub(crate) mod lists;
pub(crate) mod planted;
#[path = "../../common/random.rs"]
pub(crate) mod random;
#[path = "../../common/rounds.rs"]
pub(crate) mod rounds;
pub(crate) mod socket;

use httpmock::MockServer;
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;
use telecrm::testing::Response;
use telecrm::{
    AsyncToken, Builder, CallOptions, CallReport, CheckError, Checked, CustomAction, ErrorCode,
    Finding, Lead, SyncToken, Telecrm, Verification,
};
use telecrm_emulator::Emulator;
use tracing::Dispatch;

/// Makes a test of each line: it calls the function with the arguments of the line.
///
/// The test is named `function::line`, so one case runs alone and one failure hides no other.
/// `async` stands before the name of a function that is awaited.
macro_rules! cases {
    (async $check:ident: $($case:ident($($argument:expr),* $(,)?);)+) => {
        mod $check {
            #[allow(unused_imports, reason = "a case may have only literal arguments")]
            use super::*;
            $(
                #[tokio::test]
                async fn $case() {
                    super::$check($($argument),*).await;
                }
            )+
        }
    };
    ($check:ident: $($case:ident($($argument:expr),* $(,)?);)+) => {
        mod $check {
            #[allow(unused_imports, reason = "a case may have only literal arguments")]
            use super::*;
            $(
                #[test]
                fn $case() {
                    super::$check($($argument),*);
                }
            )+
        }
    };
}

/// Makes a test of each operation: it calls the async function with the operation.
macro_rules! operation_cases {
    ($check:ident) => {
        operation_cases! { $check:
            create_or_update_lead CreateOrUpdateLead,
            create_lead CreateLead,
            get_lead GetLead,
            update_lead UpdateLead,
            search_leads SearchLeads,
            create_actions CreateActions,
            get_action GetAction,
            update_action UpdateAction,
            search_actions SearchActions,
            list_team_members ListTeamMembers,
            create_team_member CreateTeamMember,
            get_team_member GetTeamMember,
            set_team_member_state SetTeamMemberState,
            get_metadata GetMetadata,
            list_custom_fields ListCustomFields,
            get_custom_field GetCustomField,
            list_custom_actions ListCustomActions,
            get_custom_action GetCustomAction,
            get_lead_stage_pipeline GetLeadStagePipeline,
        }
    };
    ($check:ident: $($case:ident $operation:ident,)+) => {
        mod $check {
            use telecrm::Operation;
            $(
                #[tokio::test]
                async fn $case() {
                    super::$check(Operation::$operation).await;
                }
            )+

            #[test]
            fn every_operation_has_a_case() {
                let listed = [$(Operation::$operation),+];
                assert_eq!(listed.len(), Operation::ALL.len());
                assert!(Operation::ALL.iter().all(|operation| listed.contains(operation)));
            }
        }
    };
}

pub(crate) use {cases, operation_cases};

pub(crate) fn sync_token(text: &str) -> SyncToken {
    SyncToken::new(text).expect("a token")
}

pub(crate) fn async_token(text: &str) -> AsyncToken {
    AsyncToken::new(text).expect("a token")
}

pub(crate) async fn emulator() -> Emulator {
    Emulator::start().await.expect("the emulator starts")
}

pub(crate) fn builder(emulator: &Emulator) -> Builder {
    Telecrm::builder(emulator.enterprise())
        .sync_url(emulator.sync_url())
        .async_url(emulator.async_url())
        .sync_token(sync_token(emulator.sync_token()))
        .async_token(async_token(emulator.async_token()))
        .sync_limit(None)
        .async_limit(None)
        // The tests wait until the emulator has processed everything, so one look is enough.
        .verify_timeout(Duration::ZERO)
}

pub(crate) fn client(emulator: &Emulator) -> Telecrm {
    builder(emulator).build().expect("builds")
}

/// A client of a server that has both APIs at its root.
pub(crate) fn client_at(url: impl AsRef<str>) -> Telecrm {
    Telecrm::builder("ent")
        .sync_url(url.as_ref())
        .async_url(url.as_ref())
        .sync_token(sync_token("s"))
        .async_token(async_token("a"))
        .build()
        .expect("builds")
}

/// A client of a mock server, with the paths of the real hosts. It sends each request once.
pub(crate) fn client_without_retries(server: &MockServer) -> Telecrm {
    Telecrm::builder("ent")
        .sync_url(server.url("/autoupdate/v2"))
        .async_url(server.base_url())
        .sync_token(sync_token("s"))
        .async_token(async_token("a"))
        .call_options(CallOptions::new().attempts(1))
        .build()
        .expect("builds")
}

/// A lead with nothing but its identifier.
pub(crate) fn bare_lead() -> Lead {
    Lead::new().set("phone", "919999999999")
}

pub(crate) fn jane() -> Lead {
    bare_lead().set("name", "Jane Doe")
}

pub(crate) fn bare_visit() -> CustomAction {
    CustomAction::new(1001).expect("a code")
}

pub(crate) fn visit(note: &str) -> CustomAction {
    bare_visit().field("note", note)
}

/// The answer to the creation of a lead that exists.
pub(crate) fn lead_exists() -> Response {
    Response::error(409, ErrorCode::LeadAlreadyExists, "there is one")
}

/// What the library would send of a checked lead: everything but the losses.
pub(crate) fn without_losses(checked: Checked) -> Result<Lead, CheckError> {
    checked.accept_partial()
}

/// A path and a kind for each loss, which is what losses are compared by.
pub(crate) type Losses = BTreeSet<(String, String)>;

pub(crate) fn losses(findings: &[Finding]) -> Losses {
    let losses = findings.iter().filter(|finding| finding.is_loss());
    losses.map(|finding| (finding.path.to_string(), finding.kind.to_string())).collect()
}

/// Pushes a lead as it is, waits until the emulator has processed it, and reads it back.
pub(crate) async fn losses_read_back(
    telecrm: &Telecrm,
    emulator: &Emulator,
    lead: &Lead,
) -> Losses {
    let receipt = telecrm.ingest().push(lead).await.expect("queued");
    emulator.wait_idle().await;
    match telecrm.ingest().verify(&receipt).await.expect("readable") {
        Verification::Stored(_) => Losses::new(),
        Verification::Differs { losses: found, unreadable, .. } => {
            assert_eq!(unreadable, [], "the emulator shows everything");
            losses(&found)
        }
        Verification::Missing(finding) => losses(&[finding]),
        other => panic!("{other:?}"),
    }
}

/// Collects the reports of calls: give [`Reports::collector`] to `Builder::on_call`.
#[derive(Clone, Default)]
pub(crate) struct Reports(Arc<Mutex<Vec<CallReport>>>);

impl Reports {
    pub(crate) fn collector(&self) -> impl Fn(&CallReport) + Send + Sync + 'static {
        let reports = self.0.clone();
        move |report| reports.lock().expect("not poisoned").push(report.clone())
    }

    pub(crate) fn take(&self) -> Vec<CallReport> {
        std::mem::take(&mut *self.0.lock().expect("not poisoned"))
    }
}

/// Records everything that this thread logs, at every level.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Records until the guard is dropped.
    pub(crate) fn listen(&self) -> tracing::subscriber::DefaultGuard {
        // While there is one subscriber only, tracing caches the interest of the first thread that
        // logs, which may be one without a subscriber. A second one prevents that.
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
        self.0.lock().expect("not poisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The public API of this crate and its core. The outbox tests its own.
pub(crate) fn own_surface() -> String {
    let parts = include_str!("../../../docs/public-api.txt").split("\n## ");
    parts.filter(|part| !part.starts_with("crates/outbox/")).collect::<Vec<_>>().join("\n## ")
}
