//! What stands in an example, and what does not.

use crate::examples::Examples;

fn missing(source: &str) -> Vec<String> {
    let mut examples = Examples::default();
    examples.add("lib.rs", &syn::parse_file(source).expect("Rust"));
    let missing = examples.missing().into_iter();
    missing
        .map(|fault| {
            let name = fault.strip_prefix("lib.rs: ").expect("its file");
            let name = name.strip_suffix(" stands in no example");
            name.expect("what is missing").to_owned()
        })
        .collect()
}

#[test]
fn what_stands_in_no_example_is_named() {
    let missing = missing(
        r#"
        pub const URL: &str = "";
        /// Shown by itself.
        ///
        /// ```
        /// let client = Client::new(Slice::all());
        /// client.send();
        /// ```
        pub struct Client;
        impl Client {
            pub fn new(slice: Slice) -> Self { Self }
            pub fn send(&self) {}
            pub fn sender(&self) {}
            fn private(&self) {}
        }
        pub struct Slice;
        impl Slice {
            pub fn all() -> Self { Self }
            /// Not the one that is shown.
            pub fn new() -> Self { Self }
        }
        pub enum Method { Get }
        pub trait Clock { fn now(&self); }
        pub(crate) fn private() {}
        pub fn connect() {}
        "#,
    );
    let expected = [
        "URL",
        "Client::sender",
        "Slice::new",
        "Method",
        "Clock",
        "Clock::now",
        "connect",
    ];
    assert_eq!(missing, expected);
}

#[test]
fn a_type_is_shown_where_its_methods_are_and_methods_where_their_type_is() {
    let missing = missing(
        r#"
        pub struct Schema;
        impl Schema {
            /// Reads.
            ///
            /// ```
            /// assert!(telecrm.schema().fields().is_empty() || telecrm.schema().is_new());
            /// ```
            pub fn fields(&self) {}
            pub fn is_new(&self) {}
        }
        "#,
    );
    assert_eq!(missing, [""; 0]);
}

#[test]
fn only_what_runs_and_is_seen_counts() {
    let missing = missing(
        r#"
        /// ```no_run
        /// one();
        /// ```
        pub fn one() {}
        /// ```ignore
        /// two();
        /// ```
        pub fn two() {}
        /// ```text
        /// three();
        /// ```
        pub fn three() {}
        /// ```
        /// # four();
        /// assert!(true);
        /// ```
        pub struct Three;
        pub fn four() {}
        "#,
    );
    assert_eq!(missing, ["one", "two", "three", "four"]);
}

#[test]
fn what_macros_define_counts_as_well() {
    let missing = missing(
        r#"
        record! {
            /// ```
            /// assert_eq!(member.name(), None);
            /// ```
            pub struct Member {
                /// The name.
                pub fn name(&self) -> Option<&str> = text("name");
                /// The address.
                pub fn email(&self) -> Option<&str> = text("email");
            }
        }
        crate::open_enum! {
            /// A role.
            pub enum Role { Admin = "ADMIN" }
        }
        "#,
    );
    assert_eq!(missing, ["Member::email", "Role"]);
}
