//! The reviewed list of operations.

use std::collections::BTreeSet;

use super::root;
use crate::coverage::{run, table};

fn operations() -> BTreeSet<String> {
    ["createLead", "getLead"].map(str::to_owned).into()
}

#[test]
fn the_list_covers_every_operation_of_the_specs() {
    run(&root()).unwrap();
}

#[test]
fn an_operation_is_facade_or_raw_only() {
    let list = "# reviewed\ncreateLead  facade leads().create\n\ngetLead raw only\n";
    insta::assert_snapshot!(table(&operations(), list).unwrap(), @r"
    createLead             facade leads().create
    getLead                raw only
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
