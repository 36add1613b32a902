//! The list of public items, and the foreign types in it.

use super::root;
use crate::surface::Surface;

fn surface(source: &str) -> Surface {
    let mut surface = Surface::default();
    let file = syn::parse_file(source).expect("Rust");
    surface.add_crate(vec![("src/lib.rs".to_owned(), file)]);
    surface
}

#[test]
fn only_public_items_are_listed() {
    let text = surface(
        r#"
        use std::fmt;
        /// Documented.
        #[derive(Clone)]
        #[must_use]
        pub struct Client { pub name: String, token: String }
        pub(crate) struct Hidden { pub name: String }
        impl Client {
            /// Documented.
            pub fn new(name: &str) -> Self { let token = String::new(); Self { name: name.into(), token } }
            pub(crate) fn token(&self) -> &str { &self.token }
        }
        impl Hidden { pub fn new() -> Self { loop {} } }
        impl fmt::Debug for Client { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { Ok(()) } }
        impl fmt::Debug for Hidden { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { Ok(()) } }
        record! {
            /// Documented.
            pub struct Member { pub fn name(&self) -> Option<&str> = text("name"); }
        }
        impl Member { pub fn email(&self) -> &str { "" } }
        fn private() {}
        pub enum Error {}
        pub(crate) struct Private;
        impl From<reqwest::Error> for Private { fn from(_: reqwest::Error) -> Self { Self } }
        #[cfg(test)]
        mod tests { pub fn helper() {} }
        "#,
    )
    .text();
    insta::assert_snapshot!(text, @r#"
    # The public API, from `cargo xtask surface`. Do not edit.

    ## src/lib.rs

    #[derive(Clone)]
    #[must_use]
    pub struct Client {
        pub name: String,
    }
    impl Client {
        pub fn new(name: &str) -> Self;
    }
    impl fmt::Debug for Client {}
    record! {
        pub struct Member { pub fn name(& self) -> Option <& str > = text("name"); }
    }
    impl Member {
        pub fn email(&self) -> &str;
    }
    pub enum Error {}
    "#);
}

#[test]
fn foreign_types_are_found_under_any_name() {
    let faults = surface(
        r#"
        use reqwest::{Response, Url as Address};
        pub struct Client { pub address: Address, inner: reqwest::Client }
        impl Client {
            pub fn answer(&self) -> Result<Response, ()> { loop {} }
            pub fn bytes(&self) -> bytes::Bytes { loop {} }
            fn private(&self) -> reqwest::StatusCode { loop {} }
        }
        impl From<http::Error> for Client { fn from(_: http::Error) -> Self { loop {} } }
        "#,
    )
    .faults();
    let found: Vec<&str> =
        faults.iter().filter(|fault| fault.contains("may not use")).map(String::as_str).collect();
    assert_eq!(
        found,
        [
            "impl Client: the public API may not use bytes::Bytes",
            "impl From<http::Error> for Client: the public API may not use http::Error",
            "impl Client: the public API may not use reqwest::Response",
            "pub struct Client {: the public API may not use reqwest::Url",
        ]
    );
}

#[test]
fn our_crates_use_only_allowed_foreign_types() {
    let surface = Surface::read(&root()).expect("readable");
    assert_eq!(surface.faults(), [""; 0]);
    for expected in ["pub struct Telecrm();", "pub struct Lead {}", "pub fn on_call("] {
        assert!(surface.text().contains(expected), "{expected}");
    }
}
