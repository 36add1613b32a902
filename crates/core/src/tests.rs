//! Helpers of the unit tests.

/// Defines one test per case. Each calls the function of the same name with its arguments.
macro_rules! cases {
    ($check:ident: $($name:ident($($argument:expr),* $(,)?)),+ $(,)?) => {
        mod $check {
            #[allow(unused_imports, reason = "many cases consist of literals only")]
            use super::*;

            $(#[test]
            fn $name() {
                super::$check($($argument),*);
            })+
        }
    };
}
