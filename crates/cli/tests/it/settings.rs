//! Invalid environment variables and flags are refused before any request.

use crate::support::{Local, at, run, run_with_stdin, telecrm};

const NOWHERE: &str = "http://127.0.0.1:9";

fn missing_variable_is_refused(name: &str) {
    let mut command = at(NOWHERE, &["push", "-"]);
    command.env_remove(name);
    let ran = run(command);
    let message = format!("error: {name} is not set");
    ran.assert_refused(2, &[&message, "\n  hint: ", "dashboard", "--emulator"]);
    ran.assert_keeps_secrets();
}

tests! {
    a_missing_enterprise_id_is_refused_with_a_hint:
        missing_variable_is_refused("TELECRM_ENTERPRISE_ID");
    a_missing_sync_token_is_refused_with_a_hint: missing_variable_is_refused("TELECRM_SYNC_TOKEN");
    a_missing_async_token_is_refused_with_a_hint:
        missing_variable_is_refused("TELECRM_ASYNC_TOKEN");
}

fn value_is_refused(name: &str, value: &str, reason: &str) {
    let mut command = at(NOWHERE, &["push", "-"]);
    command.env(name, value);
    let ran = run(command);
    ran.assert_refused(2, &[name, reason, "\n  hint: "]);
    ran.assert_keeps_secrets();
}

tests! {
    an_enterprise_id_with_a_colon_is_refused:
        value_is_refused("TELECRM_ENTERPRISE_ID", "ent/s3cret:x", "colon");
    a_token_with_bearer_is_refused:
        value_is_refused("TELECRM_ASYNC_TOKEN", "Bearer s3cret", "starts with `Bearer `");
    a_token_with_blanks_is_refused:
        value_is_refused("TELECRM_SYNC_TOKEN", "s3cret s3cret", "blanks");
    an_async_url_without_https_is_refused:
        value_is_refused("TELECRM_ASYNC_URL", "http://crm.example.com", "not https");
    a_sync_url_without_a_scheme_is_refused:
        value_is_refused("TELECRM_SYNC_URL", "crm.example.com", "not a URL");
}

fn option_is_refused(option: &str, value: &str, known: &str) {
    let ran = run(telecrm(&["push", "-", "--emulator", option, value]));
    ran.assert_refused(2, &[option, known]);
}

tests! {
    an_unknown_country_is_refused_with_the_known_codes:
        option_is_refused("--default-country", "XX", "IN");
    an_unknown_zone_is_refused_with_the_zones_of_its_area:
        option_is_refused("--time-zone", "Asia/Kolkatta", "Asia/Kolkata");
}

#[test]
fn tr1_a_sync_url_without_its_path_causes_a_warning() {
    let local = Local::start(&[]);
    let mut command = local.telecrm(&["push", "-"]);
    command.env("TELECRM_SYNC_URL", local.variable("TELECRM_ASYNC_URL"));
    let ran = run_with_stdin(command, "");
    let warning = "warning: TELECRM_SYNC_URL does not end in /autoupdate/v2";
    ran.assert_refused(5, &[warning, "error: cannot read the workspace"]);
}
