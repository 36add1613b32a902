//! Tests of the outbox over both stores, with scripted answers and simulated time.

mod conformance;
mod emulator;
mod kill;
mod matrix;
mod model;
mod support;
