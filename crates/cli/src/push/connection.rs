//! The connection of a run: to an account, or to an emulator inside this process.

use super::estimate::Limits;
use super::report::ErrorKind;
use crate::args::{self, Locale};
use crate::environment::{self, Environment, Needs};
use crate::exit::{Exit, Failure};
use crate::problem::Problem;
use crate::settings::Settings;
use crate::terminal::print_warning;
use std::sync::Arc;
use std::time::Duration;
use telecrm::{Telecrm, Workspace, WorkspaceFile};
use telecrm_emulator::Emulator;

pub(crate) struct Connection {
    pub(crate) telecrm: Telecrm,
    /// Reading needs a Sync token.
    can_read: bool,
    /// The rate limits. The emulator has none.
    pub(crate) limits: Option<Limits>,
    pub(crate) emulator: Option<Arc<Emulator>>,
}

impl Connection {
    pub(crate) async fn open(options: &args::Push, settings: &Settings) -> Result<Self, Failure> {
        if options.emulator {
            return Self::to_emulator(options).await;
        }
        let needs = if options.no_check && !options.verify { Needs::Async } else { Needs::Both };
        let environment = Environment::read(|name| settings.get(name), needs)?;
        if let Some(warning) = environment.warning() {
            print_warning(&warning);
        }
        Self::to_account(&environment, &options.locale, options.verify_timeout)
    }

    /// A connection for the outbox, which needs both tokens.
    pub(super) fn to_read_and_send(settings: &Settings, locale: &Locale) -> Result<Self, Failure> {
        let environment = Environment::read(|name| settings.get(name), Needs::Both)?;
        if let Some(warning) = environment.warning() {
            print_warning(&warning);
        }
        Self::to_account(&environment, locale, Duration::ZERO)
    }

    fn to_account(
        environment: &Environment,
        locale: &Locale,
        verify_timeout: Duration,
    ) -> Result<Self, Failure> {
        let mut builder =
            environment.builder().time_zone(locale.time_zone()).verify_timeout(verify_timeout);
        if let Some(country) = locale.default_country {
            builder = builder.default_country(country.to_string());
        }
        let telecrm = builder.build().map_err(|error| {
            Failure::usage(error.to_string()).hint(format!(
                "check {}, {} and {}",
                environment::ENTERPRISE_ID,
                environment::SYNC_URL_VARIABLE,
                environment::ASYNC_URL_VARIABLE
            ))
        })?;
        Ok(Self {
            can_read: environment.sync_token.is_some(),
            limits: Some(Limits::of(&telecrm)),
            telecrm,
            emulator: None,
        })
    }

    async fn to_emulator(options: &args::Push) -> Result<Self, Failure> {
        let mut seed = WorkspaceFile::sample();
        let country = options.locale.default_country.unwrap_or_default().to_string();
        let zone = options.locale.time_zone();
        let zone = zone.iana_name();
        seed.emulator.insert("defaultCountry".to_owned(), country.as_str().into());
        seed.emulator.insert("timeZone".to_owned(), zone.into());
        let failed =
            |problem: Problem| Failure::new(Exit::Failed, problem.at("cannot start the emulator"));
        let emulator = Emulator::builder().seed(seed).start().await;
        let emulator = emulator.map_err(|error| failed(error.to_string().into()))?;
        let telecrm = emulator
            .client_builder()
            .default_country(country)
            .time_zone(options.locale.time_zone())
            // A row waits until the emulator has processed it, so one look is enough.
            .verify_timeout(Duration::ZERO)
            .build()
            .map_err(|error| failed((&error).into()))?;
        Ok(Self { telecrm, can_read: true, limits: None, emulator: Some(Arc::new(emulator)) })
    }

    /// Discovers the workspace. Returns None if there is no Sync token.
    pub(crate) async fn workspace(&self) -> Result<Option<Arc<Workspace>>, Failure> {
        if !self.can_read {
            return Ok(None);
        }
        match self.telecrm.workspace().await {
            Ok(workspace) => Ok(Some(workspace)),
            Err(error) => Err(self.not_discovered(&error)),
        }
    }

    pub(super) fn not_discovered(&self, error: &telecrm::Error) -> Failure {
        let exit = match ErrorKind::from(error) {
            ErrorKind::NotAuthorized => Exit::NotAuthorized,
            ErrorKind::NotFound => Exit::NotFound,
            ErrorKind::RateLimited => Exit::RateLimited,
            _ => Exit::Failed,
        };
        let problem = Problem::from(error).at("cannot read the workspace, so nothing was sent");
        let failure = Failure::new(exit, problem);
        if self.emulator.is_some() {
            return failure;
        }
        let (enterprise, token) = (environment::ENTERPRISE_ID, environment::SYNC_TOKEN);
        let url = environment::SYNC_URL_VARIABLE;
        failure.hint(match exit {
            Exit::NotAuthorized => format!(
                "check {enterprise}, and that {token} is a token of type Sync of that workspace"
            ),
            Exit::NotFound => {
                format!("check {url}, which ends in /autoupdate/v2, and {enterprise}")
            }
            Exit::RateLimited => {
                "another program may use the same token; try again later".to_owned()
            }
            _ if error.is_connect() => format!("check {url} and the network"),
            _ if error.is_transient() => {
                "the server has trouble, or a proxy before it; try again later".to_owned()
            }
            _ => format!("check that {url} is telecrm's Sync API"),
        })
    }
}
