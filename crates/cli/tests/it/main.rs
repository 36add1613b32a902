//! Runs the command as people and scripts do.

/// Writes one test per line: `name: check(arguments);`.
macro_rules! tests {
    ($($name:ident: $check:ident($($argument:expr),* $(,)?);)*) => {
        $(
            #[test]
            fn $name() {
                $check($($argument),*);
            }
        )*
    };
}

mod access;
mod check;
mod demo;
mod emulator;
mod emulator_files;
mod example_files;
mod formats;
mod help;
mod input_files;
mod odd_files;
mod on_finding;
mod outbox;
mod push;
mod records;
mod server_errors;
mod settings;
mod signals;
mod support;
mod workspace;
