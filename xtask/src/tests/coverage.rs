//! The reviewed list of operations.

use std::collections::BTreeSet;

use super::root;
use crate::coverage::{read, table};

fn operations() -> BTreeSet<String> {
    ["createLead", "getLead"].map(str::to_owned).into()
}

#[test]
fn the_facade_has_every_operation_of_the_specs() {
    let table = read(&root()).unwrap();
    assert!(table.ends_with("19 of 19 in the facade\n"), "{table}");
}

#[test]
fn an_operation_is_facade_or_raw_only() {
    let list = "# reviewed\ncreateLead  facade leads().create\n\ngetLead raw only\n";
    insta::assert_snapshot!(table(&operations(), list).unwrap(), @r"
    createLead             facade leads().create
    getLead                raw only
    1 of 2 in the facade
    ");
}

#[test]
fn a_list_that_differs_from_the_specs_fails() {
    let list = "createLead raw only\ncreateLead raw only\ndeleteLead raw only\ngetlead later\n";
    insta::assert_snapshot!(table(&operations(), list).unwrap_err(), @r"
    createLead stands in xtask/coverage.txt twice
    `getlead later`: neither `facade METHOD` nor `raw only`
    getLead is not classified: add it to xtask/coverage.txt
    deleteLead is in xtask/coverage.txt, but in no spec
    ");
}
