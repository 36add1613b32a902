//! Tests of the outbox over both stores, with scripted answers and simulated time.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod conformance;
mod emulator;
mod kill;
mod matrix;
mod model;
mod operators;
mod privacy;
mod support;
