//! Windows events: as `wevtutil` and `Get-WinEvent | Format-List` print them, and their XML.

use super::path::Path;
use super::scalar::Scalar;

/// Lines that begin an event as text.
const FIRST_LINES: &[&[u8]] =
    &[b"Event[", b"Log Name:", b"TimeCreated", b"ProviderName", b"LogName"];

/// Most lines that are looked at.
const MAX_LINES: usize = 64;

/// Calls `field` for each `Name: value`; whether it is such an event.
pub(super) fn text<'t>(event: &'t [u8], mut field: impl FnMut(&Path, Scalar<'t>)) -> bool {
    let first = event.trim_ascii_start();
    if !FIRST_LINES.iter().any(|line| first.starts_with(line)) {
        return false;
    }
    let mut fields = 0;
    let mut path = Path::new();
    let mut end = 0;
    for line in event.split_inclusive(|&byte| byte == b'\n').take(MAX_LINES) {
        end += line.len();
        let Some(colon) = memchr::memchr(b':', line) else { continue };
        let name = line[..colon].trim_ascii();
        let mut value = line[colon + 1..].trim_ascii();
        // A description is what stands below it.
        let is_text = value.is_empty() && name == b"Description";
        if is_text {
            let rest = event.get(end..).unwrap_or_default();
            let length = memchr::memmem::find(rest, b"Event Xml:").unwrap_or(rest.len());
            value = rest[..length].trim_ascii();
        }
        if name.len() > 32 || value.is_empty() {
            continue;
        }
        fields += 1;
        let mark = path.push(name);
        field(&path, Scalar::plain(value));
        path.pop(mark);
        if is_text {
            break;
        }
    }
    fields >= 3
}

/// Where values stand in the XML: behind which text, up to which byte, under which name.
const XML: &[(&[u8], u8, &str)] = &[
    (b"Provider Name='", b'\'', "Provider.Name"),
    (b"Provider Name=\"", b'"', "Provider.Name"),
    (b"<EventID", b'<', "EventID"),
    (b"<Level>", b'<', "System.Level"),
    (b"TimeCreated SystemTime='", b'\'', "System.TimeCreated"),
    (b"TimeCreated SystemTime=\"", b'"', "System.TimeCreated"),
    (b"<Message>", b'<', "Message"),
];

/// The same for the XML of an event.
pub(super) fn xml<'t>(event: &'t [u8], mut field: impl FnMut(&Path, Scalar<'t>)) -> bool {
    let start = event.trim_ascii_start();
    if !start.starts_with(b"<Event ") && !start.starts_with(b"<Event>") {
        return false;
    }
    let mut path = Path::new();
    let mut fields = 0;
    for &(before, end, name) in XML {
        let Some(at) = memchr::memmem::find(event, before) else { continue };
        let mut rest = &event[at + before.len()..];
        if !before.ends_with(&[end]) && !before.ends_with(b">") {
            // Attributes of the element itself.
            let Some(close) = memchr::memchr(b'>', rest) else { continue };
            rest = &rest[close + 1..];
        }
        let Some(length) = memchr::memchr(end, rest) else { continue };
        fields += 1;
        let mark = path.push(name.as_bytes());
        field(&path, Scalar::plain(rest[..length].trim_ascii()));
        path.pop(mark);
    }
    fields > 0
}
