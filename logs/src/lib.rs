/*!
Events out of logs: which lines belong together, and what a record says beside its text.

- [`group`]: events of several lines (stack traces, bodies, DETAIL lines). Their bounds depend on
  the bytes and on limits alone.
- [`record`]: what the fields of a record say: message, level, time, service, status, codes, ids.
- [`strip_envelope`]: where the message of a line stands.
- [`LogFraming`]: both together, for [`whyerr::scan::Scanner::scan_events`]; [`ChunkFraming`] takes
  requests apart that hold many records in one line.

Nothing here reads files; memory is bounded by the event at hand.
*/

#![forbid(unsafe_code)]
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]

mod bundle;
mod envelope;
mod framing;
pub mod group;
mod hidden;
mod message;
pub mod record;

pub use envelope::strip_envelope;
pub use framing::{ChunkFraming, LogFraming};
