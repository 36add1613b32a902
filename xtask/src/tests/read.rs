//! YAML that is refused.

use crate::codegen::read;

#[test]
fn a_duplicate_key_is_named_with_its_mapping_and_never_with_a_wrong_line() {
    let error = |text| read::parse(text).unwrap_err().to_string();
    insta::assert_snapshot!(error("a: 1\nb: 2\n\n\nb: 3\n"), @r#"duplicate entry with key "b", in the mapping that starts in line 1"#);
    insta::assert_snapshot!(error("paths:\n  /a:\n    get: {}\n  /b: {}\n  /a:\n    get: {}\n"), @r#"paths: duplicate entry with key "/a", in the mapping that starts in line 2"#);
    insta::assert_snapshot!(error("x:\n  - y: 1\n    z: {q: 1, q: 2}\n"), @r#"x[0].z: duplicate entry with key "q", in the mapping that starts in line 3"#);
    insta::assert_snapshot!(error("a: 1\nb: [\n"), @"line 3: did not find expected node content at line 3 column 1, while parsing a flow node");
}
