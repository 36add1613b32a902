//! The committed clients. The facade uses these, even if the feature `regenerate` is enabled.

include!("../../generated/sync.rs");
include!("../../generated/async.rs");
