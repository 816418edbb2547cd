//! What carries a line: whose it is, and where its own text begins.
//!
//! Unlike [`crate::strip_envelope`] this leaves the header of a logger alone: a line that has one
//! begins an event.

use crate::envelope;
use crate::record::Format;
use crate::record::header::Line;

/// Most envelopes inside of each other.
const DEPTH: usize = 3;

/// Bytes in which a name before a bar ends.
const NAME: usize = 160;

/// A line and what stands around it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wrapping<'a> {
    /// The text inside of all envelopes.
    pub(super) text: &'a [u8],
    /// Where it begins in the line.
    pub(super) start: usize,
    /// Who wrote it, as the outermost envelope that names somebody says; empty if none does.
    pub(super) source: &'a [u8],
    /// The program, where a process may have several; empty if nothing says it.
    pub(super) program: &'a [u8],
    /// Somebody else put it around each line: white space behind it belongs to the text.
    pub(super) is_carrier: bool,
    /// White space behind it may be a column's: two spaces are wanted, or a tab.
    pub(super) is_padded: bool,
    /// A time stands before the text, written by the program itself for all that is known.
    pub(super) has_time: bool,
    /// The kernel's ring buffer.
    pub(super) is_kernel: bool,
    /// Lines may come in pieces: where the text of this one begins and ends in the line.
    pub(super) piece: Option<(usize, usize)>,
    /// The line goes on with the next piece.
    pub(super) is_cut_off: bool,
    /// `Jan 02, 2024 3:04:05 AM`: the level stands on the next line.
    pub(super) is_jul_date: bool,
}

impl<'a> Wrapping<'a> {
    /// Takes the envelopes off a line that stands without its end.
    pub(super) fn of(line: &'a [u8]) -> Wrapping<'a> {
        let mut wrapping = Wrapping { text: line, ..Wrapping::default() };
        for _ in 0..DEPTH {
            if !wrapping.take_off() {
                break;
            }
        }
        wrapping
    }

    fn take_off(&mut self) -> bool {
        use Format::{Cri, Prefixed, Syslog, Text};
        let text = self.text;
        let line = |layouts: &[Format]| {
            let line = Line::new(text);
            layouts.iter().find_map(|&format| line.header(Some(format)))
        };
        // Looks at a few bytes first: most lines have nothing of all this.
        let near = &text[..text.len().min(NAME)];
        let found = match near {
            [b'{', ..] => return self.docker() || self.journald(),
            [b'<', b'0'..=b'9', ..] => line(&[Syslog]),
            [b'[', b'p', ..] => line(&[Prefixed]),
            [b'[', b' ' | b'0'..=b'9', ..] => line(&[Syslog, Text]),
            // What has no time has no layout that begins with one.
            [b'0'..=b'9', ..] if begins_with_time(near) => {
                line(&[Text]).map(|time| line(&[Cri, Syslog]).unwrap_or(time))
            }
            [b'A'..=b'Z', _, _, b' ' | b',', ..] => line(&[Syslog, Text]),
            [b'a'..=b'z' | b'A'..=b'Z', ..] if memchr::memchr(b'|', near).is_some() => {
                line(&[Prefixed])
            }
            _ => return false,
        };
        let Some(header) = found else { return false };
        let Some((before, inside)) = text.split_at_checked(header.message) else { return false };
        let mut source: &[u8] = b"";
        match header.format {
            Format::Cri => {
                self.is_carrier = true;
                let start = self.start + header.message;
                self.piece = Some((start, start + inside.len()));
                let mut tokens = before.trim_ascii().rsplit(|&byte| byte == b' ');
                self.is_cut_off = tokens.next().is_some_and(|tag| tag.starts_with(b"P"));
                source = tokens.next().unwrap_or_default();
            }
            Format::Prefixed => {
                self.is_carrier = true;
                source = before.trim_ascii();
            }
            Format::Syslog => {
                self.is_padded = true;
                self.is_kernel |= header.program == Some(b"kernel");
                // The kernel writes lines without a time among those with one.
                if !(self.is_kernel && text.starts_with(b"[")) {
                    self.is_carrier = true;
                    source = syslog_source(before);
                }
            }
            _ => {
                let is_utc = before.get(10) == Some(&b'T') && before.ends_with(b"Z ");
                self.is_carrier |= is_utc;
                self.is_padded |= is_utc;
                self.has_time = true;
                let name = before.first().is_some_and(u8::is_ascii_alphabetic);
                self.is_jul_date = name && (before.ends_with(b"AM ") || before.ends_with(b"PM "));
            }
        }
        if self.source.is_empty() {
            self.source = source;
        }
        self.text = inside;
        self.start += header.message;
        true
    }

    /// `{"log":"message\n","stream":"stderr","time":"..."}`: a piece has no line end in it.
    fn docker(&mut self) -> bool {
        let Some(log) = envelope::docker(self.text) else { return false };
        let behind = self.text.get(log.end..).unwrap_or_default();
        self.is_carrier = true;
        self.piece = Some((self.start + log.start, self.start + log.end));
        self.is_cut_off = !behind.starts_with(b"\\n") && !behind.starts_with(b"\\r");
        if self.source.is_empty()
            && let Some(stream) = envelope::value(behind, b"\"stream\"")
        {
            self.source = &behind[stream];
        }
        self.start += log.start;
        self.text = &self.text[log];
        true
    }

    /// `{"MESSAGE":"message","_PID":"12",...}`: whose it is, the process says.
    fn journald(&mut self) -> bool {
        let Some(message) = envelope::journald(self.text) else { return false };
        let text = self.text;
        let value = |key: &[u8]| envelope::value(text, key).map(|value| &text[value]);
        let program = value(b"\"SYSLOG_IDENTIFIER\"");
        self.is_carrier = true;
        self.is_kernel |= program == Some(b"kernel");
        if self.source.is_empty() {
            self.source = value(b"\"_PID\"").or(program).unwrap_or_default();
            self.program = program.unwrap_or_default();
        }
        self.start += message.start;
        self.text = &text[message];
        true
    }
}

/// One to four digits and what parts them from others in dates and times.
fn begins_with_time(text: &[u8]) -> bool {
    let digits = text.iter().take(5).take_while(|byte| byte.is_ascii_digit()).count();
    matches!(text.get(digits), Some(b'-' | b'/' | b'.' | b':' | b' '))
}

/// Host, program and process of a syslog header.
fn syslog_source(before: &[u8]) -> &[u8] {
    let space = |text: &[u8]| memchr::memchr(b' ', text);
    if before.starts_with(b"<") && memchr::memmem::find(before, b">1 ").is_some_and(|at| at < 5) {
        // <34>1 TIME HOST APP PROCID MSGID
        let mut rest = before;
        for _ in 0..2 {
            rest = space(rest).map_or(&b""[..], |at| &rest[at + 1..]);
        }
        let mut end = 0;
        for _ in 0..3 {
            end += space(&rest[end..]).map_or(rest.len() - end, |at| at + 1);
        }
        return &rest[..end];
    }
    let before = before.trim_ascii_end();
    let Some(tag) = memchr::memrchr(b' ', before) else { return b"" };
    let host = memchr::memrchr(b' ', &before[..tag]).map_or(0, |at| at + 1);
    // Without a host it is the end of the time that stands there.
    let is_time = before[host..tag].contains(&b':') || before[..tag].ends_with(b"]");
    let start = if is_time { tag + 1 } else { host };
    &before[start..]
}
