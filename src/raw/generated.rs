//! The checked-in clients. The facade always uses these, whatever `raw` shows.

include!("../../generated/sync.rs");
include!("../../generated/async.rs");
