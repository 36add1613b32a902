//! `--on-finding`: what happens to leads that would lose data.

use crate::support::{run_with_stdin, telecrm};

const GOOD: &str = r#"{"fields": {"phone": "919999900001"}}"#;
/// That telecrm drops this website is inferred.
const INFERRED_LOSS: &str = r#"{"fields": {"phone": "919999900002", "website": "no site yet"}}"#;
const LOSS: &str = r#"{"fields": {"phone": "919999900003", "rating": 9}}"#;
const REPAIRED: &str = r#"{"fields": {"phone": "+91 99999 00004", "rating": "3"}}"#;

fn decides(action: &str, rows: &[&str], exit: i32, outcomes: &[&str]) {
    let command = ["push", "-", "--emulator", "--verify", "--on-finding", action];
    run_with_stdin(telecrm(&command), &rows.join("\n")).assert_outcomes(exit, outcomes);
}

const ROWS: [&str; 4] = [GOOD, INFERRED_LOSS, LOSS, REPAIRED];

tests! {
    send_sends_the_valid_parts:
        decides("send", &ROWS, 3, &["stored", "differs", "differs", "stored"]);
    skip_skips_leads_with_losses:
        decides("skip", &ROWS, 3, &["stored", "skipped", "skipped", "stored"]);
    stop_stops_at_the_first_certain_loss:
        decides("stop", &ROWS, 3, &["stored", "differs", "skipped", "skipped"]);
    stop_sends_repaired_leads: decides("stop", &[GOOD, REPAIRED], 0, &["stored", "stored"]);
}
