//! The crate as its users meet it: over HTTP on loopback.

mod facade;
mod facade_calls;
mod faults;
mod losses;
mod raw;
mod same_set;
mod streams;
mod support;
