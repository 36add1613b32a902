//! Rows of one lead: which values of earlier rows a row replaces.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use telecrm::{Action, Certainty, FieldPath, FieldValue, Finding, FindingKind, Lead};

/// The values that are kept to compare later rows with take about so many bytes at most.
const MAX_KEPT_BYTES: usize = 16 * 1024 * 1024;

/// A finding shows so many characters of a value.
const SHOWN_CHARACTERS: usize = 80;

/// Remembers what the rows of each lead wrote.
pub(crate) struct Repeats {
    /// The leads with several rows. None if any lead may have several.
    candidates: Option<HashSet<u64>>,
    leads: HashMap<u64, Written>,
    /// The last rows of leads whose values are too many to keep.
    rows: BTreeMap<u64, u32>,
    kept_bytes: usize,
}

/// What the rows of one lead wrote, each with the number of the row.
#[derive(Default)]
struct Written {
    row: u64,
    fields: BTreeMap<String, (u64, FieldValue)>,
    payments: Vec<(u64, Action)>,
    is_country_assumed: bool,
}

pub(crate) fn hash(lead_key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    lead_key.hash(&mut hasher);
    hasher.finish()
}

impl Repeats {
    /// `candidates` holds the hashes of the leads that can repeat. None means any.
    pub(crate) fn new(candidates: Option<HashSet<u64>>) -> Self {
        Self { candidates, leads: HashMap::new(), rows: BTreeMap::new(), kept_bytes: 0 }
    }

    /// Returns the last row of this lead.
    pub(crate) fn earlier_row(&self, lead_key: &str) -> Option<u64> {
        let hash = hash(lead_key);
        let row = self.leads.get(&hash).map(|written| written.row);
        row.or_else(|| self.rows.get(&hash).map(|row| u64::from(*row)))
    }

    /// Remembers that the country code in the key of a lead is only assumed.
    pub(crate) fn assume_country(&mut self, lead_key: &str) {
        if let Some(written) = self.leads.get_mut(&hash(lead_key)) {
            written.is_country_assumed = true;
        }
    }

    pub(crate) fn is_country_assumed(&self, lead_key: &str) -> bool {
        self.leads.get(&hash(lead_key)).is_some_and(|written| written.is_country_assumed)
    }

    /// Returns a finding for each value of earlier rows that this lead replaces, and for each
    /// payment that it repeats.
    pub(crate) fn findings(&self, lead_key: &str, lead: &Lead) -> Vec<Finding> {
        let hash = hash(lead_key);
        let found = |path, kind, reason| Finding::new(path, kind, Certainty::Documented, reason);
        let finding = |path, reason| found(path, FindingKind::ValueChanged, reason);
        let Some(written) = self.leads.get(&hash) else {
            let row = self.rows.get(&hash).into_iter();
            return row
                .flat_map(|row| {
                    let path = |name: &String| FieldPath::Field(name.clone());
                    let reason = format!("row {row} may have written another value");
                    let fields = lead.fields().keys();
                    fields.map(move |name| finding(path(name), reason.clone()))
                })
                .collect();
        };
        let mut findings = Vec::new();
        for (name, value) in lead.fields() {
            if let Some((row, earlier)) = written.fields.get(name)
                && earlier != value
            {
                let reason = format!("row {row} wrote {}", shown(earlier));
                findings.push(finding(FieldPath::Field(name.clone()), reason));
            }
        }
        for (index, action) in lead.actions().iter().enumerate() {
            let mut payments = written.payments.iter();
            if let Some((row, _)) = payments.find(|(_, payment)| payment == action) {
                let reason = format!("row {row} has the same payment");
                findings.push(found(FieldPath::Action(index), FindingKind::Doubtful, reason));
            }
        }
        findings
    }

    /// Remembers what a row writes.
    pub(crate) fn add(&mut self, lead_key: &str, row: u64, lead: &Lead) {
        let hash = hash(lead_key);
        let candidates = self.candidates.as_ref();
        if candidates.is_some_and(|candidates| !candidates.contains(&hash)) {
            return;
        }
        let size = |value: &FieldValue| value.to_string().len() + 128;
        let fields = lead.fields().values().map(size);
        self.kept_bytes += fields.sum::<usize>() + 256 * (1 + lead.actions().len());
        if self.kept_bytes > MAX_KEPT_BYTES {
            self.leads.remove(&hash);
            self.rows.insert(hash, u32::try_from(row).unwrap_or(u32::MAX));
            return;
        }
        let written = self.leads.entry(hash).or_default();
        written.row = row;
        for (name, value) in lead.fields() {
            written.fields.insert(name.clone(), (row, value.clone()));
        }
        let payments = lead
            .actions()
            .iter()
            .filter(|action| action.key("type").and_then(FieldValue::as_str) == Some("PAYMENT"));
        written.payments.extend(payments.map(|payment| (row, payment.clone())));
    }
}

/// Returns the value as people write it, cut off if it is long.
fn shown(value: &FieldValue) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match text.char_indices().nth(SHOWN_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lead(name: &str) -> Lead {
        Lead::from_json(json!({"fields": {"phone": "919999900001", "name": name}})).expect("a lead")
    }

    fn reasons(repeats: &Repeats, lead: &Lead) -> Vec<String> {
        let findings = repeats.findings("919999900001", lead).into_iter();
        findings.map(|finding| finding.reason).collect()
    }

    #[test]
    fn the_last_row_that_wrote_a_value_is_named() {
        let mut repeats = Repeats::new(None);
        repeats.add("919999900001", 1, &lead("Asha"));
        repeats.add("919999900001", 2, &lead("Bharat"));
        assert_eq!(reasons(&repeats, &lead("Asha")), ["row 2 wrote Bharat"]);
        assert_eq!(reasons(&repeats, &lead("Bharat")), [] as [&str; 0]);
        assert_eq!(repeats.earlier_row("919999900001"), Some(2));
        assert_eq!(repeats.earlier_row("919999900002"), None);
    }

    #[test]
    fn memory_is_bounded_and_repeats_are_still_found() {
        let mut repeats = Repeats::new(None);
        let long = "x".repeat(1024 * 1024);
        for row in 1..100 {
            repeats.add(&row.to_string(), row, &lead(&long));
        }
        assert!(repeats.leads.len() < 17);
        repeats.add("919999900001", 100, &lead("Asha"));
        assert_eq!(repeats.earlier_row("919999900001"), Some(100));
        let reason = "row 100 may have written another value";
        assert_eq!(reasons(&repeats, &lead("Bharat")), [reason; 2]);
    }
}
