//! Syslog: RFC 5424, RFC 3164, and how its daemons write lines to files.

use super::super::cursor::Cursor;
use super::super::level::{Level, Scale};
use super::{Header, Line, NAME, is_name_byte};
use crate::record::stamp::Stamp;

pub(super) fn syslog(line: Line<'_>) -> Option<Header<'_>> {
    match line.text.first()? {
        b'<' => with_priority(line.text),
        b'[' => monotonic(line.text),
        _ => {
            let (stamp, length) = line.stamp?;
            let header = Header { stamp: Some(stamp), ..Header::default() };
            host_and_tag(line.text, length, !stamp.has_year(), header)
        }
    }
}

/// `<34>1 2024-...`, `<34>Oct 11 22:14:15 host app: message`, `<3>message`
fn with_priority(text: &[u8]) -> Option<Header<'_>> {
    let mut cursor = Cursor::new(text, 1);
    let priority = cursor.number(1, 3)?;
    cursor.eat(b'>').then_some(())?;
    if priority > 191 {
        return None;
    }
    let level = Level::from_number(priority as i64 % 8, Scale::Usual);
    let header = Header { level, ..Header::default() };
    if cursor.eat_text(b"1 ") {
        return rfc5424(cursor, header);
    }
    if let Some((stamp, length)) = Stamp::at_start(cursor.rest()) {
        let header = Header { stamp: Some(stamp), ..header.clone() };
        let found = host_and_tag(text, cursor.at() + length, !stamp.has_year(), header);
        if found.is_some() {
            return found;
        }
    }
    Some(Header { message: cursor.at(), is_envelope: true, ..header })
}

/// Behind the version: `TIME HOST APP PROCID MSGID [DATA] MESSAGE`, `-` where one is missing.
fn rfc5424<'a>(mut cursor: Cursor<'a>, mut header: Header<'a>) -> Option<Header<'a>> {
    if !cursor.eat(b'-') {
        let (stamp, length) = Stamp::at_start(cursor.rest())?;
        header.stamp = Some(stamp);
        cursor.skip(length);
    }
    let mut next = || {
        cursor.eat(b' ').then_some(())?;
        Some(cursor.token()).filter(|token| !token.is_empty())
    };
    let (_host, app, _process, _message_id) = (next()?, next()?, next()?, next()?);
    header.program = Some(app).filter(|app| *app != b"-" && app.len() <= NAME);
    cursor.eat(b' ').then_some(())?;
    if !cursor.eat(b'-') {
        let data = structured_data(cursor.rest());
        header.pairs = Some(&cursor.rest()[..data]);
        cursor.skip(data);
    }
    cursor.eat(b' ');
    cursor.eat_text("\u{feff}".as_bytes());
    Some(Header { message: cursor.at(), is_envelope: true, ..header })
}

/// The length of `[id name="value" ...][id ...]`: quotes and brackets may be escaped in values.
fn structured_data(text: &[u8]) -> usize {
    let (mut inside, mut quoted, mut at) = (false, false, 0);
    while let Some(&byte) = text.get(at) {
        match byte {
            b'\\' if quoted => at += 1,
            b'"' if inside => quoted = !quoted,
            b'[' if !inside => inside = true,
            b']' if inside && !quoted => inside = false,
            b'\n' => break,
            _ if !inside => break,
            _ => {}
        }
        at += 1;
    }
    at.min(text.len())
}

/// Behind the time: ` host app[12]: message`, ` host app: message`, ` app[12]: message`.
///
/// Many loggers write a time and words with colons too. A time that is not `is_classic` (it has a
/// year) must be followed by a host and a tag with a process id, or by the kernel's.
fn host_and_tag<'a>(
    text: &'a [u8],
    at: usize,
    is_classic: bool,
    header: Header<'a>,
) -> Option<Header<'a>> {
    let mut cursor = Cursor::new(text, at);
    cursor.eat(b' ').then_some(())?;
    let before_host = cursor;
    let host = cursor.take_while(|byte| is_name_byte(byte) || byte == b':');
    let spaced = cursor.eat(b' ');
    if host.is_empty() || host.len() > 255 || Level::from_word(host).is_some() {
        return None;
    }
    let found = spaced.then(|| tag(cursor)).flatten().or_else(|| tag(before_host));
    if let Some((program, pid, message)) = found {
        if is_classic || pid || program == b"kernel" {
            let program = Some(program);
            return Some(Header { program, message, is_envelope: true, ..header });
        }
        return None;
    }
    // A message without a tag.
    let is_host = is_classic && spaced && !host.ends_with(b":");
    is_host.then(|| Header { message: cursor.at(), is_envelope: true, ..header })
}

/// `app[12]: `, `app: `, `app(pam_unix)[12]: `: the name, whether a process id follows, and where
/// the message begins.
fn tag(mut cursor: Cursor<'_>) -> Option<(&[u8], bool, usize)> {
    let name = cursor.take_while(is_name_byte);
    if name.is_empty() || name.len() > NAME || Level::from_word(name).is_some() {
        return None;
    }
    if cursor.eat(b'(') {
        cursor.until(b')', NAME)?;
    }
    let pid = cursor.eat(b'[');
    if pid {
        cursor.until(b']', 32)?;
    }
    cursor.eat(b':').then_some(())?;
    (cursor.eat(b' ') || cursor.is_end()).then_some(())?;
    Some((name, pid, cursor.at()))
}

/// `[12345.678901] message`, as `dmesg` prints it: seconds since the start. `journalctl -o
/// short-monotonic` has them before host and tag.
fn monotonic(text: &[u8]) -> Option<Header<'_>> {
    let mut cursor = Cursor::new(text, 1);
    cursor.spaces();
    cursor.number(1, 9)?;
    cursor.eat(b'.').then_some(())?;
    cursor.number(6, 6)?;
    cursor.eat_text(b"]").then_some(())?;
    // Not by a time of its own, so that a process id is wanted.
    if let Some(header) = host_and_tag(text, cursor.at(), false, Header::default()) {
        return Some(header);
    }
    cursor.eat(b' ').then_some(())?;
    let program = Some(&b"kernel"[..]);
    Some(Header { program, message: cursor.at(), is_envelope: true, ..Header::default() })
}
