//! Files that are refused, and encodings that are read.

use crate::codegen::read;

#[test]
fn a_duplicate_key_is_named_with_its_mapping_and_never_with_a_wrong_line() {
    let error = |text| read::parse(text).unwrap_err().to_string();
    insta::assert_snapshot!(error("a: 1\nb: 2\n\n\nb: 3\n"), @r#"duplicate entry with key "b", in the mapping that starts in line 1"#);
    insta::assert_snapshot!(error("paths:\n  /a:\n    get: {}\n  /b: {}\n  /a:\n    get: {}\n"), @r#"paths: duplicate entry with key "/a", in the mapping that starts in line 2"#);
    insta::assert_snapshot!(error("x:\n  - y: 1\n    z: {q: 1, q: 2}\n"), @r#"x[0].z: duplicate entry with key "q", in the mapping that starts in line 3"#);
    insta::assert_snapshot!(error("a: 1\nb: [\n"), @"line 3: did not find expected node content at line 3 column 1, while parsing a flow node");
}

#[test]
fn what_is_saved_in_place_of_a_document_is_named() {
    let error = |text| read::specification_of(text).unwrap_err().to_string();
    insta::assert_snapshot!(error(" \n"), @r"
    the file is empty, not an OpenAPI document
    hint: download it again
    ");
    insta::assert_snapshot!(error("<!doctype html><title>Log in</title>"), @r"
    the file is a web page, not an OpenAPI document
    hint: download it again
    ");
    insta::assert_snapshot!(error(r#"{"error":{"code":"NOT_FOUND"}}"#), @r"
    the file is the error message of a server, not an OpenAPI document
    hint: download it again
    ");
    insta::assert_snapshot!(error("swagger: '2.0'\npaths: {}\n"), @r"
    the document is Swagger 2.0, and only OpenAPI 3.0 is supported
    hint: convert it to OpenAPI 3.0
    ");
    insta::assert_snapshot!(error("- a\n- b\n"), @r"
    the file has no key `openapi`, not an OpenAPI document
    hint: download it again
    ");
}

#[test]
fn a_document_may_be_utf_16_or_have_a_byte_order_mark() {
    let text = "openapi: 3.0.3\ninfo: {title: Ürün}\n";
    let wide = |bytes: fn(u16) -> [u8; 2], mark: [u8; 2]| {
        mark.into_iter().chain(text.encode_utf16().flat_map(bytes)).collect::<Vec<u8>>()
    };
    for bytes in [
        text.as_bytes().to_vec(),
        [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        wide(u16::to_le_bytes, [0xff, 0xfe]),
        wide(u16::to_be_bytes, [0xfe, 0xff]),
    ] {
        assert_eq!(read::decode(&bytes).as_deref(), Some(text));
    }
    assert_eq!(read::decode(b"\xff\xfeo"), None, "half a character");
    assert_eq!(read::decode(b"title: \xdcr\xfcn"), None, "another encoding");
}
