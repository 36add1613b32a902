//! `telecrm doctor`: checks tokens, hosts and the workspace.

use crate::args::access::Doctor;
use crate::clock;
use crate::environment::{Environment, Needs};
use crate::exit::{Exit, Failure};
use crate::output::write_line;
use crate::problem::Problem;
use crate::settings::Settings;
use serde::Serialize;
use serde_json::json;
use telecrm::workspace::MatchedBy;
use telecrm::{Access, LimitState, RateLimit, Telecrm};

/// One check.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    message: String,
    hint: Option<String>,
}

impl Check {
    fn passed(name: &'static str, message: impl Into<String>) -> Self {
        Self { name, ok: true, message: message.into(), hint: None }
    }

    fn failed(name: &'static str, problem: Problem) -> Self {
        Self { name, ok: false, message: problem.message, hint: problem.hint }
    }
}

pub(crate) async fn run(options: Doctor) -> Result<Exit, Failure> {
    let checks = checks(&options).await;
    if options.json {
        write_line(&json!({ "checks": checks }).to_string())?;
    } else {
        for check in &checks {
            let result = if check.ok { "ok" } else { "FAILED" };
            write_line(&format!("{:<10}  {result:<6}  {}", check.name, check.message))?;
            if let Some(hint) = &check.hint {
                write_line(&format!("{:20}  hint: {hint}", ""))?;
            }
        }
    }
    let all_ok = checks.iter().all(|check| check.ok);
    Ok(if all_ok { Exit::Success } else { Exit::Failed })
}

async fn checks(options: &Doctor) -> Vec<Check> {
    let mut checks = vec![
        Check::passed("version", format!("telecrm {}", env!("CARGO_PKG_VERSION"))),
        clock_check(),
    ];
    let settings = match Settings::load(&options.account) {
        Ok(settings) => settings,
        Err(failure) => {
            checks.push(Check::failed("profile", failure.problem));
            return checks;
        }
    };
    checks.push(Check::passed("profile", settings.source()));
    let environment = Environment::read(|name| settings.get(name), Needs::Any);
    let built = environment.and_then(|environment| {
        let telecrm = environment.builder().build().map_err(|error| Failure::usage(&error))?;
        Ok((environment, telecrm))
    });
    let (environment, telecrm) = match built {
        Ok(built) => built,
        Err(failure) => {
            checks.push(Check::failed("settings", failure.problem));
            return checks;
        }
    };
    checks.push(match environment.warning() {
        Some(warning) => Check::failed("settings", warning),
        None => Check::passed("settings", format!("enterprise {}", environment.enterprise_id)),
    });
    let ping = telecrm.ping();
    let report = if options.send_probe { ping.probe_async() } else { ping }.await;
    checks.push(match report.sync {
        None => Check::passed("Sync API", "no token; push needs --no-check and no --verify"),
        Some(access) => access_check("Sync API", access, &environment.sync_url),
    });
    checks.push(match report.ingest {
        Some(access) => access_check("Async API", access, &environment.async_url),
        None if environment.async_tokens.is_empty() => {
            Check::passed("Async API", "no token; nothing can be pushed")
        }
        None => Check::passed("Async API", "not asked; --send-probe sends a lead without fields"),
    });
    if report.sync == Some(Access::Granted) {
        checks.push(workspace_check(&telecrm).await);
    }
    checks.push(Check::passed("limits", limits(&telecrm)));
    checks
}

/// Dates far from today would be judged wrongly.
fn clock_check() -> Check {
    let now = clock::today();
    if (2026..2100).contains(&now.year()) {
        Check::passed("clock", format!("{now} UTC"))
    } else {
        let problem = Problem::new(format!("the clock of this machine says {now}"));
        Check::failed("clock", problem.hint("set the clock"))
    }
}

fn access_check(name: &'static str, access: Access, url: &str) -> Check {
    let message = format!("{access} ({url})");
    match access {
        Access::Granted | Access::RateLimited => Check::passed(name, message),
        _ => {
            let hint = access.hint().map(str::to_owned);
            Check::failed(name, Problem { message, hint })
        }
    }
}

async fn workspace_check(telecrm: &Telecrm) -> Check {
    match telecrm.workspace().await {
        Ok(workspace) => {
            let identifier = workspace.identifier();
            let found = match identifier.matched_by() {
                MatchedBy::Id => "by the ID in the metadata",
                MatchedBy::ApiName => "by the name in the metadata",
                MatchedBy::IsLeadId => "by the flag of the field",
                MatchedBy::Default => "by telecrm's default",
                _ => "by another rule",
            };
            let message =
                format!("the lead identifier is `{}`, found {found}", identifier.api_name());
            match identifier.disagreement() {
                Some(other) => Check::failed(
                    "workspace",
                    Problem::new(format!("{message}, and `{other}` has the flag as well (EN6)"))
                        .hint("ask the owner of the workspace which of them is right"),
                ),
                None => Check::passed("workspace", message),
            }
        }
        Err(error) => Check::failed("workspace", Problem::from(&error)),
    }
}

/// The limits of the tokens, as this client keeps them.
fn limits(telecrm: &Telecrm) -> String {
    let left = |states: &[LimitState]| {
        let left: u32 = states.iter().filter_map(|state| state.remaining).sum();
        format!("{left} at once")
    };
    format!(
        "Sync {} requests per hour ({}), Async {} per hour for each of {} tokens ({})",
        RateLimit::SYNC.per_hour(),
        left(telecrm.sync_limit().as_slice()),
        RateLimit::ASYNC.per_hour(),
        telecrm.async_limits().len(),
        left(&telecrm.async_limits()),
    )
}
