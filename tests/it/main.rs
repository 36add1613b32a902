//! The crate as its users meet it: over HTTP on loopback.

mod blanks;
mod canary;
mod copied;
mod digits;
mod errors;
mod facade;
mod facade_calls;
mod faults;
mod futures;
mod losses;
mod misread;
mod observe;
mod pages;
mod queue;
mod raw;
mod same_set;
mod schemas;
mod streams;
mod support;
mod tolerance;
