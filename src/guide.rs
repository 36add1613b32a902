//! Guides: complete programs for common jobs. Each code block is compiled and run by the tests.

#[doc = include_str!("../docs/guide/web-form.md")]
pub mod web_form {}

#[doc = include_str!("../docs/guide/webhook-bridge.md")]
pub mod webhook_bridge {}

#[doc = include_str!("../docs/guide/testing.md")]
pub mod testing {}

#[doc = include_str!("../docs/guide/production.md")]
pub mod production {}
