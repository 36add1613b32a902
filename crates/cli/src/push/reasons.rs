//! Why rows lost data or were not sent: counts, and the first rows of each reason.

use crate::problem::Problem;
use std::collections::BTreeMap;
use telecrm::{FieldPath, Finding, FindingKind};

/// A reason names so many rows.
const NAMED_ROWS: usize = 5;

/// The summary has so many reasons.
const PRINTED: usize = 10;

/// So many reasons are counted, which bounds the memory.
const MAX_REASONS: usize = 1000;

/// Groups what was found by kind and place, whatever the values were.
#[derive(Debug, Default)]
pub(crate) struct Reasons {
    groups: BTreeMap<Key, Group>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Finding { kind: &'static str, place: String, pitfall: Option<String>, is_repaired: bool },
    Error(String),
}

#[derive(Debug)]
struct Group {
    /// What the first row has.
    text: String,
    count: u64,
    rows: Vec<u64>,
    kind: Option<(FindingKind, bool)>,
}

impl Reasons {
    pub(crate) fn add(&mut self, row: u64, findings: &[Finding], error: Option<&Problem>) {
        for finding in findings {
            let key = Key::Finding {
                kind: finding.kind.as_str(),
                place: place(&finding.path),
                pitfall: finding.pitfall.clone(),
                is_repaired: finding.repaired,
            };
            let kind = Some((finding.kind, finding.repaired));
            self.count(key, row, kind, || finding.to_string());
        }
        if let Some(error) = error {
            let text = match error.message.split_once(": ") {
                Some((place, rest)) if place.starts_with("line ") => rest,
                _ => &error.message,
            };
            let key = text.replace(|c: char| c.is_ascii_digit(), "");
            self.count(Key::Error(key), row, None, || text.to_owned());
        }
    }

    fn count(
        &mut self,
        key: Key,
        row: u64,
        kind: Option<(FindingKind, bool)>,
        text: impl FnOnce() -> String,
    ) {
        if self.groups.len() >= MAX_REASONS && !self.groups.contains_key(&key) {
            return;
        }
        let new = || Group { text: text(), count: 0, rows: Vec::new(), kind };
        let group = self.groups.entry(key).or_insert_with(new);
        // A row may have the same reason twice, in two actions.
        if group.rows.last() != Some(&row) {
            group.count += 1;
            if group.rows.len() < NAMED_ROWS {
                group.rows.push(row);
            }
        }
    }

    /// One line for each reason of a loss, a doubt or an error, the most frequent ones first.
    pub(crate) fn lines(&self) -> Vec<String> {
        let matters = |group: &&Group| match group.kind {
            None => true,
            Some((kind, is_repaired)) => {
                !is_repaired && (kind.is_loss() || kind == FindingKind::Doubtful)
            }
        };
        let mut groups: Vec<_> = self.groups.values().filter(matters).collect();
        groups.sort_by_key(|group| (std::cmp::Reverse(group.count), group.rows.first().copied()));
        let mut lines: Vec<_> = groups.iter().take(PRINTED).map(|group| group.line()).collect();
        if groups.len() > PRINTED {
            lines.push(format!("and {} other reasons", groups.len() - PRINTED));
        }
        lines
    }

    /// The first rows with findings of this kind, or with repairs.
    pub(crate) fn rows_with(&self, kind: Option<FindingKind>) -> Vec<u64> {
        let is_wanted = |group: &&Group| match group.kind {
            Some((_, true)) => kind.is_none(),
            Some((found, false)) => kind == Some(found),
            None => false,
        };
        let groups = self.groups.values().filter(is_wanted);
        let mut rows: Vec<_> = groups.flat_map(|group| group.rows.iter().copied()).collect();
        rows.sort_unstable();
        rows.dedup();
        rows
    }
}

impl Group {
    fn line(&self) -> String {
        let noun = if self.count == 1 { "row" } else { "rows" };
        let rows: Vec<_> = self.rows.iter().map(u64::to_string).collect();
        let more = if self.count > self.rows.len() as u64 { " …" } else { "" };
        format!("{} {noun}: {}: {noun} {}{more}", self.count, self.text, rows.join(", "))
    }
}

/// A path without the index of its action.
fn place(path: &FieldPath) -> String {
    match path {
        FieldPath::Action(_) => "actions".to_owned(),
        FieldPath::ActionField(_, name) => format!("actions.{name}"),
        FieldPath::ActionKey(_, key) => format!("actions.key.{key}"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use telecrm::{Lead, Workspace};

    #[test]
    fn each_reason_has_its_count_and_its_first_rows() {
        let mut reasons = Reasons::default();
        for row in 1..=7 {
            let lead = Lead::new().set("phone", "+91 99999 00001").set("rating", 5 + row);
            reasons.add(row as u64, Workspace::sample().check(&lead).report(), None);
        }
        for row in [8, 9] {
            let problem = Problem::new(format!("line {row}: expected 3 cells, found {row}"));
            reasons.add(row, &[], Some(&problem));
        }
        insta::assert_snapshot!(reasons.lines().join("\n"));
        assert_eq!(reasons.rows_with(None), [1, 2, 3, 4, 5]);
    }
}
