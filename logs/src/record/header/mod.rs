//! What stands before the message of a line: time, level, names. Nothing is allocated.
//!
//! Every layout is a function that says no by a look at the first bytes, or says what the header
//! holds and where the message begins.

mod logger;
mod prefix;
mod server;
mod syslog;

use super::format::Format;
use super::level::Level;
use super::stamp::Stamp;

pub(crate) use logger::level_at_start;

/// The header of a line. Its texts are bytes as they stand in the line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Header<'a> {
    pub(crate) format: Format,
    pub(crate) stamp: Option<Stamp>,
    pub(crate) level: Option<Level>,
    /// The name of a program or container.
    pub(crate) program: Option<&'a [u8]>,
    /// The name of a part of a program.
    pub(crate) logger: Option<&'a [u8]>,
    pub(crate) trace: Option<&'a [u8]>,
    pub(crate) http_status: Option<&'a [u8]>,
    pub(crate) code: Option<&'a [u8]>,
    /// Pairs `key=value` inside of the header.
    pub(crate) pairs: Option<&'a [u8]>,
    /// Where the message begins.
    pub(crate) message: usize,
    /// The message may be a record of another format.
    pub(crate) is_envelope: bool,
}

/// An event by its first line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    /// All lines.
    event: &'a [u8],
    /// The first line, without its end.
    text: &'a [u8],
    /// The time stamp it begins with, and its length.
    stamp: Option<(Stamp, usize)>,
}

/// Says what the header of a line holds, if the line has that layout.
type Layout = for<'a> fn(Line<'a>) -> Option<Header<'a>>;

/// In this order: what is surer comes first.
const LAYOUTS: &[(Format, Layout)] = &[
    (Format::Cri, prefix::cri),
    (Format::Prefixed, prefix::kubectl),
    (Format::Prefixed, prefix::compose),
    (Format::Klog, server::klog),
    (Format::Redis, server::redis),
    (Format::Nginx, server::nginx),
    (Format::Apache, server::apache),
    (Format::Postgres, server::postgres),
    (Format::Mysql, server::mysql),
    (Format::Syslog, syslog::syslog),
    (Format::Access, server::access),
    (Format::Logger, logger::logger),
    (Format::Text, logger::time_alone),
];

impl<'a> Line<'a> {
    pub(crate) fn new(event: &'a [u8]) -> Line<'a> {
        let text = &event[..memchr::memchr(b'\n', event).unwrap_or(event.len())];
        Line { event, text, stamp: Stamp::at_start(text) }
    }

    /// The header, of any layout or of the one that is `wanted`.
    pub(crate) fn header(self, wanted: Option<Format>) -> Option<Header<'a>> {
        let fits = |format| wanted.is_none_or(|wanted| wanted == format);
        let layouts = LAYOUTS.iter().filter(|(format, _)| fits(*format));
        let (format, mut header) =
            layouts.clone().find_map(|&(format, layout)| Some((format, layout(self)?)))?;
        header.format = format;
        Some(header)
    }
}

/// Most bytes of a name in a header.
const NAME: usize = 128;

/// Characters of the names of programs, hosts, loggers and threads.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'/' | b'$' | b'@')
}
