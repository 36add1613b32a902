//! The reviewed list of covered operations.

use std::collections::BTreeSet;

use super::root;
use crate::coverage::{read, table};

fn operations() -> BTreeSet<String> {
    ["createLead", "getLead"].map(str::to_owned).into()
}

#[test]
fn the_facade_covers_every_operation() {
    let table = read(&root()).unwrap();
    assert!(table.ends_with("19 of 19 operations are in the facade\n"), "{table}");
}

#[test]
fn the_list_becomes_a_table() {
    let list = "# reviewed\ncreateLead  facade leads().create\n\ngetLead raw only\n";
    insta::assert_snapshot!(table(&operations(), list).unwrap(), @r"
    createLead             facade leads().create
    getLead                raw only
    1 of 2 operations are in the facade
    ");
}

#[test]
fn a_list_that_differs_from_the_documents_is_refused() {
    let list = "createLead raw only\ncreateLead raw only\ndeleteLead raw only\ngetlead later\n";
    insta::assert_snapshot!(table(&operations(), list).unwrap_err(), @r"
    xtask/coverage.txt: duplicate operation createLead
    xtask/coverage.txt: unknown class in `getlead later`
    xtask/coverage.txt: getLead is missing
    xtask/coverage.txt: no document has the operation deleteLead
    ");
}
