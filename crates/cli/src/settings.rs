//! Settings of an account: variables of the environment, and profiles in a file.

use crate::args::access::{ConfigCommand, Init};
use crate::args::{Account, Locale};
use crate::environment::{
    ASYNC_TOKEN, ASYNC_URL_VARIABLE, ENTERPRISE_ID, SYNC_TOKEN, SYNC_URL_VARIABLE,
};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::private_file;
use crate::problem::Problem;
use crate::terminal::print;
use console::Term;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{self, BufRead, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use telecrm::{AsyncToken, SyncToken, TokenError};
use toml_edit::{Array, DocumentMut, Item, Table, value};

const PROFILE: &str = "TELECRM_PROFILE";
const DEFAULT_PROFILE: &str = "default";

/// A table of the file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Profile {
    enterprise: Option<String>,
    sync_url: Option<String>,
    async_url: Option<String>,
    sync_token: Option<String>,
    #[serde(default)]
    async_tokens: Vec<String>,
    token_command: Option<String>,
    default_country: Option<String>,
    time_zone: Option<String>,
}

impl Profile {
    /// The setting that a variable would override.
    fn get(&self, variable: &str) -> Option<String> {
        match variable {
            ENTERPRISE_ID => self.enterprise.clone(),
            SYNC_URL_VARIABLE => self.sync_url.clone(),
            ASYNC_URL_VARIABLE => self.async_url.clone(),
            SYNC_TOKEN => self.sync_token.clone(),
            ASYNC_TOKEN => Some(self.async_tokens.join(",")),
            _ => None,
        }
        .filter(|value| !value.trim().is_empty())
    }
}

/// Variables first, then the profile, then its token command.
pub(crate) struct Settings {
    name: String,
    profile: Profile,
    command_tokens: [Option<String>; 2],
    reads_variables: bool,
}

impl Settings {
    /// No settings, for a run that needs no account.
    pub(crate) fn none() -> Self {
        Self {
            name: String::new(),
            profile: Profile::default(),
            command_tokens: [None, None],
            reads_variables: false,
        }
    }

    /// Reads the profile, and runs its token command if a token is in no other place.
    pub(crate) fn load(account: &Account) -> Result<Self, Failure> {
        let mut settings = Self::without_command(account)?;
        let is_missing = |name| settings.get(name).is_none();
        if let Some(command) = &settings.profile.token_command
            && (is_missing(SYNC_TOKEN) || is_missing(ASYNC_TOKEN))
        {
            settings.command_tokens = run_token_command(command)?;
        }
        Ok(settings)
    }

    fn without_command(account: &Account) -> Result<Self, Failure> {
        let chosen = account.profile.clone().or_else(|| variable(PROFILE));
        let name = chosen.clone().unwrap_or_else(|| DEFAULT_PROFILE.to_owned());
        let profile = match path() {
            Some(path) => read(&path)?.remove(&name),
            None => None,
        };
        if profile.is_none() && chosen.is_some() {
            return Err(Failure::usage(format!("there is no profile `{name}`"))
                .hint(format!("write it with `telecrm init --profile {name}`")));
        }
        let profile = profile.unwrap_or_default();
        Ok(Self { name, profile, command_tokens: [None, None], reads_variables: true })
    }

    /// Returns the setting of a variable, from the variable or from elsewhere.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.with_origin(name).map(|(value, _)| value)
    }

    fn with_origin(&self, name: &str) -> Option<(String, String)> {
        if let Some(value) = Some(name).filter(|_| self.reads_variables).and_then(variable) {
            return Some((value, format!("variable {name}")));
        }
        if let Some(value) = self.profile.get(name) {
            return Some((value, format!("profile {}", self.name)));
        }
        let index = [SYNC_TOKEN, ASYNC_TOKEN].iter().position(|token| *token == name)?;
        let token = self.command_tokens[index].clone()?;
        Some((token, "token_command".to_owned()))
    }

    /// Sets what the flags leave open from the profile.
    pub(crate) fn complete(&self, locale: &mut Locale) -> Result<(), Failure> {
        let at = |problem: Problem| problem.at(format!("profile {}", self.name));
        if let (None, Some(country)) = (&locale.default_country, &self.profile.default_country) {
            let country = country.parse();
            let error = |error: telecrm::CountryError| at(Problem::from(&error));
            locale.default_country = Some(country.map_err(error)?);
        }
        if let (None, Some(zone)) = (&locale.time_zone, &self.profile.time_zone) {
            locale.time_zone = Some(crate::args::time_zone(zone).map_err(at)?);
        }
        Ok(())
    }

    /// Says which profile is used.
    pub(crate) fn source(&self) -> String {
        match path() {
            Some(path) if path.exists() => format!("{} in {}", self.name, path.display()),
            _ => "no profile; settings are variables".to_owned(),
        }
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// The folder that a variable names.
pub(crate) fn absolute(name: &str) -> Option<PathBuf> {
    env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// The file of the profiles.
fn path() -> Option<PathBuf> {
    let folder = absolute("XDG_CONFIG_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".config")))
        .or_else(|| absolute("APPDATA"))?;
    Some(folder.join("telecrm").join("config.toml"))
}

fn read_file(path: &Path) -> Result<Option<String>, Failure> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(Failure::usage(format!("cannot read {}: {error}", path.display()))
                .hint("check its permissions, or move it away"));
        }
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path).map(|metadata| metadata.permissions().mode());
        if mode.is_ok_and(|mode| mode & 0o077 != 0) && text.contains("token") {
            let path = path.display();
            return Err(Failure::usage(format!("other users can read the tokens in {path}"))
                .hint(format!("run `chmod 600 {path}`")));
        }
    }
    Ok(Some(text))
}

fn read(path: &Path) -> Result<BTreeMap<String, Profile>, Failure> {
    let Some(text) = read_file(path)? else {
        return Ok(BTreeMap::new());
    };
    toml_edit::de::from_str(&text).map_err(|error| {
        // The whole message quotes the line, which may hold a token.
        let start = error.span().map_or(0, |span| span.start).min(text.len());
        let line = text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count() + 1;
        Failure::usage(format!("{}: line {line}: {}", path.display(), error.message())).hint(
            "each profile is a table such as [default]; `telecrm help environment` lists its keys",
        )
    })
}

/// Runs the command, which prints one token per line: Sync, then Async.
fn run_token_command(command: &str) -> Result<[Option<String>; 2], Failure> {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let output = Command::new(shell).args([flag, command]).stderr(Stdio::inherit()).output();
    let failure = |what: String| {
        Failure::usage(format!("token_command {what}"))
            .hint("it has to print the token of type Sync on the first line, and that of type Async on the second")
    };
    let output = output.map_err(|error| failure(format!("cannot be run: {error}")))?;
    if !output.status.success() {
        return Err(failure(format!("failed with {}", output.status)));
    }
    let text = String::from_utf8(output.stdout)
        .map_err(|_| failure("printed text that is not UTF-8".to_owned()))?;
    let tokens = token_lines(&mut text.lines().map(str::to_owned));
    match tokens {
        [None, None] => Err(failure("printed no token".to_owned())),
        tokens => Ok(tokens),
    }
}

fn token_lines(lines: &mut impl Iterator<Item = String>) -> [Option<String>; 2] {
    let mut next = || lines.next().map(|line| line.trim().to_owned()).filter(|l| !l.is_empty());
    [next(), next()]
}

/// `telecrm init`: writes a profile. Settings that are not given keep their values.
pub(crate) fn init(options: Init) -> Result<Exit, Failure> {
    let path = path().ok_or_else(|| {
        Failure::usage("there is no folder for settings").hint("set XDG_CONFIG_HOME or HOME")
    })?;
    let name = options.account.profile.or_else(|| variable(PROFILE));
    let name = name.unwrap_or_else(|| DEFAULT_PROFILE.to_owned());
    // Refuses a file that it could not read back.
    let existing = read(&path)?.remove(&name).unwrap_or_default();
    let text = read_file(&path)?.unwrap_or_default();
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        Failure::usage(format!("{}: {}", path.display(), error.message()))
            .hint("correct it, or move it away")
    })?;
    let asks = io::stdin().is_terminal();
    let enterprise = match options.enterprise.or(existing.enterprise) {
        Some(enterprise) => enterprise,
        None if asks => ask("Enterprise ID: ", false)?,
        None => {
            return Err(Failure::usage("the enterprise ID is missing")
                .hint("give it with --enterprise (dashboard: Settings, Website and API)"));
        }
    };
    let [sync_token, async_tokens] = match (&options.token_command, asks) {
        (Some(_), _) => [None, None],
        (None, true) => {
            let sync = ask("Token of type Sync (empty: none): ", true)?;
            let ingest = ask("Token of type Async (empty: none): ", true)?;
            token_lines(&mut [sync, ingest].into_iter())
        }
        (None, false) => {
            let lines = io::stdin().lock().lines().collect::<Result<Vec<_>, _>>();
            let lines = lines.map_err(|error| {
                Failure::usage(format!("cannot read the tokens from standard input: {error}"))
            })?;
            token_lines(&mut lines.into_iter())
        }
    };
    if let Some(token) = &sync_token {
        SyncToken::new(token).map_err(|error| invalid("Sync", &error))?;
    }
    let async_tokens = async_tokens
        .map(|tokens| tokens.split(',').map(|token| token.trim().to_owned()).collect::<Vec<_>>());
    for token in async_tokens.iter().flatten() {
        AsyncToken::new(token).map_err(|error| invalid("Async", &error))?;
    }
    let mut client = telecrm::Telecrm::builder(&enterprise)
        .sync_token(SyncToken::new("none").map_err(|error| invalid("Sync", &error))?)
        .async_token(AsyncToken::new("none").map_err(|error| invalid("Async", &error))?);
    if let Some(url) = &options.sync_url {
        client = client.sync_url(url);
    }
    if let Some(url) = &options.async_url {
        client = client.async_url(url);
    }
    // The builder checks the enterprise and the addresses.
    client.build().map_err(|error| Failure::usage(&error))?;

    let table = document.entry(&name).or_insert(Item::Table(Table::new()));
    let mut set = |key: &str, item: Option<Item>| {
        if let Some(item) = item {
            table[key] = item;
        }
    };
    set("enterprise", Some(value(&enterprise)));
    set("sync_url", options.sync_url.map(value));
    set("async_url", options.async_url.map(value));
    set("sync_token", sync_token.map(value));
    set("async_tokens", async_tokens.map(|tokens| value(Array::from_iter(tokens))));
    set("token_command", options.token_command.map(value));
    let country = options.locale.default_country.map(|country| country.to_string());
    set("default_country", country.map(value));
    let zone = options.locale.time_zone.as_ref().and_then(|zone| zone.iana_name());
    set("time_zone", zone.map(value));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| {
            Failure::new(Exit::Failed, format!("cannot create {}: {error}", folder.display()))
                .hint("check the permissions of the folder above")
        })?;
    }
    private_file::replace(&path, document.to_string().as_bytes())?;
    print(&format!("wrote profile {name} to {}", path.display()));
    print("next: `telecrm doctor` checks it");
    Ok(Exit::Success)
}

fn ask(question: &str, is_secret: bool) -> Result<String, Failure> {
    let terminal = Term::stderr();
    let answer = terminal.write_str(question).and_then(|()| match is_secret {
        true => terminal.read_secure_line(),
        false => terminal.read_line(),
    });
    let answer = answer.map_err(|error| Failure::usage(format!("cannot read an answer: {error}")));
    Ok(answer?.trim().to_owned())
}

fn invalid(kind: &str, error: &TokenError) -> Failure {
    Failure::usage(format!("the token of type {kind}: {error}"))
        .hint("copy it from the dashboard again (Settings, Website and API)")
}

#[derive(Serialize)]
struct Setting {
    name: &'static str,
    value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
}

/// `telecrm config show`: lists the settings, without tokens.
pub(crate) fn show(command: ConfigCommand) -> Result<Exit, Failure> {
    let ConfigCommand::Show { account, origin, printing } = command;
    let settings = Settings::without_command(&account)?;
    let columns: &[&str] = if origin { &["name", "value", "origin"] } else { &["name", "value"] };
    let mut output = Output::new(printing, columns);
    let from_profile = |value: &Option<String>| {
        value.clone().map(|value| (value, format!("profile {}", settings.name)))
    };
    let variable = |name| settings.with_origin(name);
    let list = [
        ("enterprise", variable(ENTERPRISE_ID)),
        ("sync_url", variable(SYNC_URL_VARIABLE)),
        ("async_url", variable(ASYNC_URL_VARIABLE)),
        ("sync_token", variable(SYNC_TOKEN)),
        ("async_tokens", variable(ASYNC_TOKEN)),
        ("token_command", from_profile(&settings.profile.token_command)),
        ("default_country", from_profile(&settings.profile.default_country)),
        ("time_zone", from_profile(&settings.profile.time_zone)),
    ];
    for (name, found) in list {
        let is_token = matches!(name, "sync_token" | "async_tokens");
        let (value, from) = match found {
            Some((value, from)) => (if is_token { "set".to_owned() } else { value }, from),
            None if is_token && settings.profile.token_command.is_some() => {
                ("from the command".to_owned(), "token_command".to_owned())
            }
            None => {
                let default = match name {
                    "sync_url" => telecrm::SYNC_URL,
                    "async_url" => telecrm::ASYNC_URL,
                    "time_zone" => "Asia/Kolkata",
                    _ => "not set",
                };
                (default.to_owned(), "default".to_owned())
            }
        };
        let setting = Setting { name, value, origin: origin.then_some(from) };
        if !output.item(&setting)? {
            break;
        }
    }
    output.end()
}
