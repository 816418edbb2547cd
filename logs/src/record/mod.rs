//! What the fields of a record say.

mod cursor;
mod format;
pub(crate) mod header;
mod level;
mod stamp;

use std::time::SystemTime;

use whyerr::Role;

pub use format::Format;
pub use level::Level;

/// A fact that a field says.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldFact {
    /// What it is.
    pub role: Role,
    /// Its value as text.
    pub value: String,
    /// The path of the field, such as `http.response.status_code`.
    pub path: String,
}

/// What the record of an event says beside its text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record {
    /// When it happened.
    pub time: Option<SystemTime>,
    /// How severe the log says it is.
    pub level: Option<Level>,
    /// The name of the program or service that logged it, as the log has it.
    pub logged_by: Option<String>,
    /// Id of the trace, request or correlation.
    pub trace: Option<String>,
    /// The message alone, where the record has one among other fields.
    pub message: Option<String>,
    /// What counts for the classification.
    pub facts: Vec<FieldFact>,
}

/// Reads records.
#[derive(Debug, Clone, Default)]
pub struct Reader {}

impl Reader {
    /// Reads the record of an event.
    pub fn read(&self, _event: &[u8]) -> Record {
        Record::default()
    }

    /// Whether fields were named that the built-in tables do not know: what they say stands under
    /// keys that nothing looks for.
    pub fn has_own_fields(&self) -> bool {
        false
    }
}
