//! Measures how many leads a check predicts and repairs each second.
//!
//! Run it with `cargo bench --bench check`, and add `--no-default-features` to leave out the
//! feature `phone`. Each lead has a number of its own. The figures are medians of rounds over all
//! leads.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]

use std::io::Write;
use std::time::Instant;
use telecrm::{Lead, Workspace};

const LEADS: u32 = 100_000;
const ROUNDS: usize = 5;

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let phone = if cfg!(feature = "phone") { "with" } else { "without" };
    writeln!(out, "{LEADS} leads, {phone} the feature `phone`")?;
    let workspace = Workspace::sample();
    // The first check loads the data of phone numbers.
    let _ = workspace.check(&clean(0));
    for (name, lead, repairs) in [
        ("clean lead", clean as fn(u32) -> Lead, 0),
        ("lead with five repairs", with_five_repairs, 5),
    ] {
        let leads: Vec<Lead> = (0..LEADS).map(lead).collect();
        let mut rates: Vec<f64> = (0..ROUNDS).map(|_| rate(&workspace, &leads, repairs)).collect();
        rates.sort_by(f64::total_cmp);
        writeln!(out, "{name:<24} {:>9.0} leads/s", rates[ROUNDS / 2])?;
    }
    Ok(())
}

/// Checks all leads. Returns how many of them a second has room for.
fn rate(workspace: &Workspace, leads: &[Lead], repairs: usize) -> f64 {
    let start = Instant::now();
    for lead in leads {
        let checked = workspace.check(lead);
        let repaired = checked.report().iter().filter(|finding| finding.repaired).count();
        assert_eq!((checked.report().len(), repaired), (repairs, repairs));
    }
    leads.len() as f64 / start.elapsed().as_secs_f64()
}

fn clean(number: u32) -> Lead {
    Lead::new()
        .set("phone", format!("9198{:08}", number * 997))
        .set("name", "Asha Rao")
        .set("email", format!("asha.{number}@example.com"))
        .set("status", "Fresh")
        .set("rating", 4)
        .set("contact_source", "Website")
        .set("interests", ["VIP", "Returning"])
        .set("follow_up_date", 1_780_290_000_000_i64)
}

fn with_five_repairs(number: u32) -> Lead {
    let digits = format!("98{:08}", number * 997);
    clean(number)
        .set("phone", format!("+91 {}-{}", &digits[..5], &digits[5..]))
        .set("email", format!(" asha.{number}@example.com"))
        .set("status", " fresh")
        .set("rating", "4")
        .set("follow_up_date", "2026-06-01T10:30:00+05:30")
}
