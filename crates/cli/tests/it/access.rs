//! `init`, `config`, `doctor`, `completions` and `man`.

use crate::support::{Local, Ran, TempFolder, run, run_with_stdin, telecrm};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// A folder for profiles.
struct Config(TempFolder);

impl Config {
    fn new() -> Self {
        Self(TempFolder::new("config"))
    }

    fn file(&self) -> PathBuf {
        self.0.path("telecrm/config.toml").into()
    }

    fn telecrm(&self, arguments: &[&str]) -> Command {
        let mut command = telecrm(arguments);
        command.env("XDG_CONFIG_HOME", self.0.path(""));
        command
    }

    fn init(&self, arguments: &[&str], tokens: &str) -> Ran {
        let ran = run_with_stdin(self.telecrm(&[&["init"], arguments].concat()), tokens);
        ran.assert_keeps_secrets();
        ran
    }

    fn show(&self, arguments: &[&str]) -> String {
        let ran = run(self.telecrm(&[&["config", "show"], arguments].concat()));
        ran.assert_keeps_secrets();
        assert_eq!(ran.exit, 0, "{ran:?}");
        ran.stdout.replace(&self.0.path(""), "CONFIG/")
    }

    fn doctor(&self, arguments: &[&str]) -> (i32, Value) {
        let ran = run(self.telecrm(&[&["doctor", "--json"], arguments].concat()));
        let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        (ran.exit, report["checks"].clone())
    }
}

/// A profile for a local telecrm.
fn of_local(local: &Local, tokens: &str) -> Config {
    let config = Config::new();
    let [sync_url, async_url] =
        ["TELECRM_SYNC_URL", "TELECRM_ASYNC_URL"].map(|name| local.variable(name).to_owned());
    let flags = ["--enterprise", "ent-local", "--sync-url", &sync_url, "--async-url", &async_url];
    let ran = config.init(&flags, tokens);
    assert_eq!(ran.exit, 0, "{ran:?}");
    config
}

fn check<'a>(checks: &'a Value, name: &str) -> &'a Value {
    let mut list = checks.as_array().expect("a list").iter();
    list.find(|check| check["name"] == name).expect("such a check")
}

#[test]
fn init_writes_a_private_profile_and_config_shows_it() {
    let config = Config::new();
    let ran = config.init(&["--enterprise", "ent-1"], "s3cret-sync\ns3cret-1, s3cret-2\n");
    assert_eq!(ran.exit, 0, "{ran:?}");
    let text = fs::read_to_string(config.file()).expect("reads");
    insta::assert_snapshot!(text, @r#"
    [default]
    enterprise = "ent-1"
    sync_token = "s3cret-sync"
    async_tokens = ["s3cret-1", "s3cret-2"]
    "#);
    insta::assert_snapshot!(config.show(&["--table", "--origin"]));
    assert_eq!(config.show(&["--json=name"]).lines().next(), Some(r#"{"name":"enterprise"}"#));
}

#[cfg(unix)]
#[test]
fn profiles_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let config = Config::new();
    config.init(&["--enterprise", "ent-1"], "s3cret-sync\n");
    let mode = |path: PathBuf| fs::metadata(path).expect("a file").permissions();
    assert_eq!(mode(config.file()).mode() & 0o777, 0o600);
    fs::set_permissions(config.file(), fs::Permissions::from_mode(0o644)).expect("sets");
    run(config.telecrm(&["config", "show"])).assert_refused(2, &["other users", "chmod 600"]);
}

#[test]
fn init_keeps_other_profiles_settings_and_comments() {
    let config = Config::new();
    config.init(&["--enterprise", "ent-1"], "s3cret-sync\n");
    let text = fs::read_to_string(config.file()).expect("reads");
    let commented = text.replace("enterprise", "# ours\nenterprise");
    fs::write(config.file(), commented).expect("writes");
    config.init(&["--profile", "two", "--enterprise", "ent-2"], "");
    config.init(&["--default-country", "US", "--time-zone", "America/New_York"], "");
    insta::assert_snapshot!(fs::read_to_string(config.file()).expect("reads"), @r#"
    [default]
    # ours
    enterprise = "ent-1"
    sync_token = "s3cret-sync"
    default_country = "US"
    time_zone = "America/New_York"

    [two]
    enterprise = "ent-2"
    "#);
}

#[test]
fn a_variable_wins_over_the_profile() {
    let config = Config::new();
    config.init(&["--profile", "two", "--enterprise", "ent-2"], "");
    let mut command = config.telecrm(&["config", "show", "--json", "--origin"]);
    command.env("TELECRM_PROFILE", "two").env("TELECRM_SYNC_TOKEN", "s3cret");
    let ran = run(command);
    ran.assert_keeps_secrets();
    ran.assert_stdout(r#"{"name":"enterprise","value":"ent-2","origin":"profile two"}"#);
    ran.assert_stdout(r#""value":"set","origin":"variable TELECRM_SYNC_TOKEN""#);
}

fn init_is_refused(arguments: &[&str], tokens: &str, texts: &[&str]) {
    let config = Config::new();
    let ran = config.init(arguments, tokens);
    ran.assert_refused(2, texts);
    assert!(!config.file().exists());
}

tests! {
    init_needs_an_enterprise: init_is_refused(&[], "", &["enterprise ID is missing", "hint: "]);
    init_refuses_a_token_with_bearer: init_is_refused(
        &["--enterprise", "e"], "\nBearer s3cret\n", &["type Async", "hint: "]);
    init_refuses_an_address_without_https: init_is_refused(
        &["--enterprise", "e", "--sync-url", "http://crm.example.com"], "", &["https", "hint: "]);
}

#[test]
fn a_file_with_an_unknown_key_is_refused_with_its_line() {
    let config = Config::new();
    config.init(&["--enterprise", "ent-1"], "s3cret-sync\n");
    let text = fs::read_to_string(config.file()).expect("reads");
    fs::write(config.file(), text + "synk_token = \"s3cret\"\n").expect("writes");
    let ran = run(config.telecrm(&["config", "show"]));
    ran.assert_refused(2, &["synk_token", "hint: "]);
    ran.assert_keeps_secrets();
}

#[test]
fn an_unknown_profile_is_refused() {
    let ran = run(telecrm(&["team", "list", "--profile", "two"]));
    ran.assert_refused(2, &["there is no profile `two`", "telecrm init --profile two"]);
}

#[test]
fn commands_read_the_profile() {
    let local = Local::start(&[]);
    let config = of_local(&local, "sync-local-token\nasync-local-token\n");
    let ran = run(config.telecrm(&["team", "list", "--json=email"]));
    assert_eq!(ran.exit, 0, "{ran:?}");
    let push = run_with_stdin(config.telecrm(&["push", "-", "--verify"]), "phone\n919999900001\n");
    push.assert_outcomes(0, &["stored"]);
}

#[test]
fn a_token_command_prints_the_tokens() {
    let local = Local::start(&[]);
    let config = of_local(&local, "");
    let command = "printf 'sync-local-token\\nasync-local-token\\n'";
    config.init(&["--token-command", command], "");
    let (exit, checks) = config.doctor(&["--send-probe"]);
    assert_eq!(exit, 0, "{checks}");
    config.init(&["--token-command", "exit 3"], "");
    run(config.telecrm(&["team", "list"])).assert_refused(2, &["token_command failed", "hint: "]);
}

#[test]
fn the_doctor_finds_nothing_in_a_healthy_account() {
    let local = Local::start(&[]);
    let config = of_local(&local, "sync-local-token\nasync-local-token\n");
    let (exit, checks) = config.doctor(&[]);
    assert_eq!(exit, 0, "{checks}");
    let asked = check(&checks, "Async API")["message"].as_str().expect("text").to_owned();
    assert!(asked.starts_with("not asked"), "{asked}");
    let identifier = check(&checks, "workspace")["message"].as_str().expect("text").to_owned();
    assert!(identifier.contains("`phone`"), "{identifier}");
    let (exit, checks) = config.doctor(&["--send-probe"]);
    assert_eq!((exit, &check(&checks, "Async API")["ok"]), (0, &true.into()), "{checks}");
}

#[test]
fn the_doctor_sees_swapped_tokens() {
    let local = Local::start(&[]);
    let config = of_local(&local, "async-local-token\nsync-local-token\n");
    let (exit, checks) = config.doctor(&[]);
    assert_eq!(exit, 1, "{checks}");
    assert_eq!(check(&checks, "Sync API")["hint"], "exchange the two tokens");
}

#[test]
fn the_doctor_says_what_is_missing() {
    let ran = run(Config::new().telecrm(&["doctor"]));
    assert_eq!(ran.exit, 1, "{ran:?}");
    ran.assert_stdout("TELECRM_ENTERPRISE_ID is not set");
    ran.assert_stdout("hint: ");
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    let ran = run(telecrm(&["completions", "bash"]));
    assert_eq!(ran.exit, 0, "{ran:?}");
    ran.assert_stdout("availability");
    let folder = TempFolder::new("man");
    let ran = run(telecrm(&["man", &folder.path("")]));
    assert_eq!(ran.exit, 0, "{ran:?}");
    assert!(folder.names().iter().any(|name| name == "telecrm-team-availability.1"));
    run(telecrm(&["man", "/nowhere"])).assert_refused(1, &["cannot write", "hint: "]);
}
