//! What the fields of a record say.

mod cursor;
mod draft;
mod fields;
mod format;
pub(crate) mod header;
mod json;
mod level;
mod pairs;
mod path;
pub(crate) mod scalar;
mod stamp;
mod trace;
mod windows;

use std::borrow::Cow;
use std::time::SystemTime;

use whyerr::Role;

use crate::envelope::DEPTH;
use draft::Draft;
use fields::OwnField;
use header::{Line, level_at_start};

pub use fields::FieldError;
pub use format::Format;
pub use level::Level;

/// Most bytes of an event that are looked at.
const MAX_EVENT: usize = 64 << 10;
/// Most bytes before a JSON object that are looked at.
const MAX_PREFIX: usize = 4 << 10;

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

/// What the record of an event says beside its text. Every text is bounded: names, ids, codes and
/// statuses to 128 bytes (what is longer is none), a message to 8 KiB, a stack to 32 KiB.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record {
    /// Its layout; of several inside of each other the outermost.
    pub format: Format,
    /// When it happened. A time without a zone is taken as UTC.
    pub time: Option<SystemTime>,
    /// How severe the log says it is.
    pub level: Option<Level>,
    /// The name of the program or service that logged it, as the log has it.
    pub logged_by: Option<String>,
    /// Id of the trace, request or correlation; of the span where there is none of these.
    pub trace: Option<String>,
    /// The message alone, where the record has one among other fields.
    pub message: Option<String>,
    /// The class of what was thrown, where a field has it.
    pub exception: Option<String>,
    /// The stack trace, where a field has it, without its escapes.
    pub stack: Option<String>,
    /// What counts for the classification.
    pub facts: Vec<FieldFact>,
    /// Which fields said the above.
    pub paths: Paths,
    /// How many values were cut or left out, since they are too long, too deep or too many.
    pub cut: u32,
    /// The text that was read and classified, where it is not that of the event: lines put together
    /// of pieces, a message that was a list of bytes, a long stack without its middle. Places that a
    /// verdict tells are places in it.
    pub text: Option<Vec<u8>>,
}

/// The paths of the fields that a record's values come from. What has none comes from the layout of
/// the line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paths {
    /// Of the time.
    pub time: Option<String>,
    /// Of the level.
    pub level: Option<String>,
    /// Of the name that logged it.
    pub logged_by: Option<String>,
    /// Of the trace.
    pub trace: Option<String>,
    /// Of the message.
    pub message: Option<String>,
}

/// Reads records. Each event is recognised by itself: a log may change its format at any line.
///
/// ```
/// use whyerr_logs::record::{Level, Reader};
///
/// let record = Reader::default().read(
///     br#"{"level":"error","service":"checkout","http":{"status_code":503},"msg":"call failed"}"#,
/// );
/// assert_eq!(record.level, Some(Level::Error));
/// assert_eq!(record.logged_by.as_deref(), Some("checkout"));
/// assert_eq!(record.message.as_deref(), Some("call failed"));
/// assert_eq!(record.facts[1].path, "http.status_code");
/// ```
#[derive(Debug, Clone)]
pub struct Reader {
    format: Option<Format>,
    own: Vec<OwnField>,
    now: SystemTime,
}

impl Default for Reader {
    fn default() -> Reader {
        Reader { format: None, own: Vec::new(), now: SystemTime::now() }
    }
}

impl Reader {
    /// Reads every event as this format. What does not have its layout is text.
    pub fn set_format(&mut self, format: Format) -> &mut Reader {
        self.format = Some(format);
        self
    }

    /// Adds a field that the built-in table does not know, or takes it in another way: `ROLE=PATH`.
    /// What it says counts before what the table finds.
    ///
    /// ```
    /// use whyerr_logs::record::Reader;
    ///
    /// let mut reader = Reader::default();
    /// reader.add_field("status=upstream.rc")?;
    /// let record = reader.read(br#"{"msg":"no","upstream":{"rc":502}}"#);
    /// assert_eq!(record.facts[0].value, "502");
    /// assert!(reader.add_field("colour=x").is_err());
    /// # Ok::<(), whyerr_logs::record::FieldError>(())
    /// ```
    ///
    /// # Errors
    /// The text is not `ROLE=PATH`, or the role is not known.
    pub fn add_field(&mut self, text: &str) -> Result<&mut Reader, FieldError> {
        self.own.push(OwnField::parse(text)?);
        Ok(self)
    }

    /// The time at which logs are read; the system's when the reader was made. A time stamp
    /// without a year gets the year that puts it at most a day after this.
    pub fn set_now(&mut self, now: SystemTime) -> &mut Reader {
        self.now = now;
        self
    }

    /// Whether fields were named that the built-in tables do not know: what they say stands under
    /// keys that nothing looks for.
    pub fn has_own_fields(&self) -> bool {
        !self.own.is_empty()
    }

    /// Reads the record of an event: one or more lines of any bytes.
    pub fn read(&self, event: &[u8]) -> Record {
        let mut draft = Draft::new(self);
        let near = &event[..event.len().min(MAX_EVENT)];
        draft.record.cut += u32::from(near.len() < event.len());
        let text = match memchr::memchr(0x1b, near) {
            Some(_) => Cow::Owned(scalar::bytes_without_colors(near)),
            None => Cow::Borrowed(near),
        };
        self.read_into(&mut draft, &text, self.format);
        draft.record
    }

    /// Reads a text, in any format or in the one that is `wanted`.
    fn read_into(&self, draft: &mut Draft<'_>, text: &[u8], wanted: Option<Format>) {
        let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
        let fits = |formats: &[Format]| wanted.is_none_or(|wanted| formats.contains(&wanted));
        let json = fits(&[Format::Json, Format::Docker, Format::Journald, Format::Otlp]);
        let found = (json && self.json(draft, text))
            || (fits(&[Format::Logfmt]) && logfmt(draft, text, wanted.is_some()))
            || (fits(&[Format::Windows]) && windows(draft, text))
            || self.line(draft, text, wanted)
            || (json && self.json_behind_text(draft, text, wanted.is_some()));
        if !found && fits(&[Format::Text]) {
            if let Some(level) = level_at_start(text) {
                draft.level(level);
            }
            if self.has_own_fields() {
                self.tail(draft, text);
            }
        }
    }

    /// A JSON object at the beginning. Its message may be a record of its own.
    fn json(&self, draft: &mut Draft<'_>, text: &[u8]) -> bool {
        let start = text.trim_ascii_start();
        if !start.starts_with(b"{") {
            return false;
        }
        let mut format = Format::Json;
        let read = json::fields(start, |path, value| {
            format = json_format(path.bytes(), start).unwrap_or(format);
            draft.field(path, value);
        });
        if read.members == 0 {
            return false;
        }
        draft.record.cut += read.skipped;
        draft.set_format(format);
        let is_envelope = matches!(format, Format::Docker | Format::Journald);
        self.inside(draft, is_envelope);
        true
    }

    /// Reads the message that was found as a record, where it can be one.
    fn inside(&self, draft: &mut Draft<'_>, is_envelope: bool) {
        let Some(message) = draft.record.message.take() else { return };
        let is_json = message.trim_ascii_start().starts_with('{');
        if draft.depth < DEPTH && (is_envelope || is_json || !draft.has_level()) {
            draft.depth += 1;
            self.read_into(draft, message.as_bytes(), None);
            draft.depth -= 1;
        }
        draft.record.message.get_or_insert(message);
    }

    /// A header, and what stands behind it.
    fn line(&self, draft: &mut Draft<'_>, text: &[u8], wanted: Option<Format>) -> bool {
        let Some(header) = Line::new(text).header(wanted) else { return false };
        draft.set_format(header.format);
        draft.header(&header);
        if let Some(pairs) = header.pairs {
            draft.facts_only = true;
            pairs::fields(pairs, |path, value| draft.field(path, value));
            draft.facts_only = false;
        }
        let rest = text.get(header.message..).unwrap_or_default();
        draft.message(first_line(rest));
        if header.is_envelope && draft.depth < DEPTH {
            draft.depth += 1;
            self.read_into(draft, rest, None);
            draft.depth -= 1;
        } else if !self.json(draft, rest) {
            self.tail(draft, rest);
        }
        true
    }

    /// Pairs and an object behind a message: what counts, and ids.
    fn tail(&self, draft: &mut Draft<'_>, message: &[u8]) {
        let before = std::mem::replace(&mut draft.facts_only, true);
        let line = first_line(message);
        if let Some(at) = object(line) {
            json::fields(&line[at..], |path, value| draft.field(path, value));
        } else if memchr::memchr(b'=', line).is_some() {
            pairs::fields(line, |path, value| draft.field(path, value));
        }
        draft.facts_only = before;
    }

    /// An object behind text that is no header: a record if it has a message and a level or time,
    /// else the body of some error, which the text tells as it is.
    fn json_behind_text(&self, draft: &mut Draft<'_>, text: &[u8], is_wanted: bool) -> bool {
        let Some(at) = object(text) else { return false };
        let mut inner = Draft::new(self);
        let read = json::fields(&text[at..], |path, value| inner.field(path, value));
        if read.members == 0 || !(inner.is_record() || is_wanted) {
            return false;
        }
        self.json(draft, &text[at..])
    }
}

/// Where an object with a member begins.
fn object(text: &[u8]) -> Option<usize> {
    let near = &text[..text.len().min(MAX_PREFIX)];
    memchr::memchr_iter(b'{', near).find(|at| near.get(at + 1) == Some(&b'"'))
}

fn first_line(text: &[u8]) -> &[u8] {
    let line = &text[..memchr::memchr(b'\n', text).unwrap_or(text.len())];
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Fields that only records of one kind have, and how the text of such a record begins.
const JSON_FORMATS: &[(Format, &[u8], &[u8])] = &[
    (Format::Docker, b"stream", b"{\"log\":\""),
    (Format::Journald, b"__REALTIME_TIMESTAMP", b"{"),
    (Format::Journald, b"__CURSOR", b"{"),
    (Format::Otlp, b"timeUnixNano", b"{"),
    (Format::Otlp, b"observedTimeUnixNano", b"{"),
    (Format::Otlp, b"resourceLogs.scopeLogs.logRecords.timeUnixNano", b"{"),
    (Format::Otlp, b"resourceLogs.scopeLogs.logRecords.observedTimeUnixNano", b"{"),
];

fn json_format(path: &[u8], text: &[u8]) -> Option<Format> {
    let fits = |field: &[u8], begin: &[u8]| path == field && text.starts_with(begin);
    let found = JSON_FORMATS.iter().find(|(_, field, begin)| fits(field, begin));
    found.map(|&(format, _, _)| format)
}

/// A line of pairs. Prose with a pair in it is none: the line begins with one, and either nothing
/// else stands in it but pairs, three at least, or it says what only a record says.
fn logfmt(draft: &mut Draft<'_>, text: &[u8], is_wanted: bool) -> bool {
    let key = text.iter().take(64).position(|byte| matches!(byte, b'=' | b' ' | b'"'));
    if key.and_then(|at| text.get(at)) != Some(&b'=') {
        return false;
    }
    let mut record_like = false;
    let read = pairs::fields(text, |path, _| record_like |= is_record_field(path.folded()));
    let is_logfmt = read.begins
        && (is_wanted
            || (read.pairs >= 2 && record_like && read.words <= read.pairs)
            || (read.pairs >= 3 && read.words == 0));
    if is_logfmt {
        draft.set_format(Format::Logfmt);
        pairs::fields(text, |path, value| draft.field(path, value));
    }
    is_logfmt
}

fn is_record_field(path: &[u8]) -> bool {
    use fields::Meaning;
    let mut is_record_field = false;
    fields::meanings(path, |meaning, _| {
        is_record_field |= matches!(meaning, Meaning::Level(_) | Meaning::Time | Meaning::Message);
    });
    is_record_field
}

fn windows(draft: &mut Draft<'_>, text: &[u8]) -> bool {
    let found = windows::text(text, |path, value| draft.field(path, value))
        || windows::xml(text, |path, value| draft.field(path, value));
    if found {
        draft.set_format(Format::Windows);
    }
    found
}
