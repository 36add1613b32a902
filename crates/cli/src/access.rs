//! The client of the commands that need an account, and the exit codes of its errors.

use crate::environment::{self, Environment, Needs};
use crate::exit::{Exit, Failure};
use crate::problem::Problem;
use crate::settings::Settings;
use telecrm::Telecrm;

/// Creates a client of the Sync API.
pub(crate) fn sync_client(settings: &Settings) -> Result<Telecrm, Failure> {
    if settings.get(environment::SYNC_TOKEN).is_none() {
        return Err(Failure::usage(format!("{} is not set", environment::SYNC_TOKEN)).hint(
            "set it to a token of type Sync (dashboard: Settings, Website and API), or write a \
             profile with `telecrm init`",
        ));
    }
    client(settings)
}

/// Creates a client of the APIs whose tokens are set.
pub(crate) fn client(settings: &Settings) -> Result<Telecrm, Failure> {
    let client = Environment::read(|name| settings.get(name), Needs::Any)?.builder().build();
    client.map_err(|error| Failure::usage(&error))
}

/// Returns the address of a lead's page in the app. Returns None for other servers than telecrm's.
pub(crate) fn lead_page(settings: &Settings, lead_id: &str) -> Option<String> {
    if settings.get(environment::SYNC_URL_VARIABLE).is_some_and(|url| !url.contains("telecrm.in")) {
        return None;
    }
    let enterprise = settings.get(environment::ENTERPRISE_ID)?;
    let enterprise = enterprise.trim();
    Some(format!("https://next.telecrm.in/{enterprise}/views/all-leads-v2/overlay/l/{lead_id}"))
}

impl From<&telecrm::Error> for Exit {
    fn from(error: &telecrm::Error) -> Self {
        if error.is_outcome_unknown() {
            Self::Unknown
        } else if error.is_not_authorized() {
            Self::NotAuthorized
        } else if error.is_not_found() {
            Self::NotFound
        } else if error.is_rate_limited() {
            Self::RateLimited
        } else if error.finding().is_some() {
            Self::Loss
        } else if error.is_connect() || error.is_timeout() {
            Self::Unknown
        } else {
            Self::Failed
        }
    }
}

impl From<telecrm::Error> for Failure {
    fn from(error: telecrm::Error) -> Self {
        Self::new(Exit::from(&error), Problem::from(&error))
    }
}
