//! Layouts of one program each.

use super::super::cursor::Cursor;
use super::super::level::Level;
use super::{Header, Line, NAME};
use crate::record::stamp::Stamp;

/// `E0102 15:04:05.678901       1 file.go:12] message`
pub(super) fn klog(line: Line<'_>) -> Option<Header<'_>> {
    let mut cursor = Cursor::new(line.text, 1);
    let letter = *line.text.first()?;
    let level = matches!(letter, b'I' | b'W' | b'E' | b'F').then(|| Level::from_letter(letter))?;
    let digits = line.text.get(1..5)?;
    digits.iter().all(u8::is_ascii_digit).then_some(())?;
    cursor.skip(4);
    cursor.eat(b' ').then_some(())?;
    let (clock, length) = Stamp::at_start(cursor.rest())?;
    let month = (digits[0] - b'0') * 10 + (digits[1] - b'0');
    let day = (digits[2] - b'0') * 10 + (digits[3] - b'0');
    let stamp = Some(clock.on(month, day)?);
    cursor.skip(length);
    (cursor.spaces() > 0).then_some(())?;
    cursor.number(1, 10)?;
    cursor.eat(b' ').then_some(())?;
    let place = cursor.until(b']', 256)?;
    memchr::memchr(b':', place)?;
    cursor.eat(b' ');
    Some(Header { stamp, level, message: cursor.at(), ..Header::default() })
}

/// `1:M 01 Jan 2024 10:00:00.123 # message`
pub(super) fn redis(line: Line<'_>) -> Option<Header<'_>> {
    let mut cursor = Cursor::new(line.text, 0);
    cursor.number(1, 10)?;
    cursor.eat(b':').then_some(())?;
    // X sentinel, C child, S replica, M master.
    cursor.eat_any(b"XCSM").then_some(())?;
    cursor.eat(b' ').then_some(())?;
    let (stamp, length) = Stamp::at_start(cursor.rest())?;
    cursor.skip(length);
    cursor.eat(b' ').then_some(())?;
    let level = Some(match cursor.peek()? {
        b'.' => Level::Debug,
        b'-' => Level::Info,
        b'*' => Level::Notice,
        b'#' => Level::Warning,
        _ => return None,
    });
    cursor.skip(1);
    cursor.eat(b' ').then_some(())?;
    let stamp = Some(stamp);
    Some(Header { stamp, level, message: cursor.at(), ..Header::default() })
}

/// `2024/01/02 03:04:05 [error] 123#4: *56 message`
pub(super) fn nginx(line: Line<'_>) -> Option<Header<'_>> {
    let (stamp, length) = line.stamp?;
    let mut cursor = Cursor::new(line.text, length);
    cursor.eat_text(b" [").then_some(())?;
    let level = Some(Level::from_word(cursor.until(b']', 16)?)?);
    cursor.eat(b' ').then_some(())?;
    cursor.number(1, 10)?;
    cursor.eat(b'#').then_some(())?;
    cursor.number(1, 10)?;
    cursor.eat_text(b": ").then_some(())?;
    if cursor.eat(b'*') {
        cursor.number(1, 18)?;
        cursor.eat(b' ');
    }
    let stamp = Some(stamp);
    Some(Header { stamp, level, message: cursor.at(), ..Header::default() })
}

/// `[Wed Oct 11 14:32:52.123456 2000] [core:error] [pid 12:tid 34] [client 10.0.0.1:5] message`
pub(super) fn apache(line: Line<'_>) -> Option<Header<'_>> {
    let mut cursor = Cursor::new(line.text, 0);
    cursor.eat(b'[').then_some(())?;
    cursor.peek()?.is_ascii_uppercase().then_some(())?;
    let (stamp, length) = Stamp::at_start(cursor.rest())?;
    cursor.skip(length);
    cursor.eat_text(b"] [").then_some(())?;
    let group = cursor.until(b']', NAME)?;
    let word = group.rsplit(|&byte| byte == b':').next()?;
    // trace1 to trace8
    let word = word.strip_suffix(b"1").unwrap_or(word);
    let level = Some(Level::from_word(word)?);
    loop {
        let before = cursor;
        cursor.eat(b' ');
        if !(cursor.eat(b'[') && cursor.until(b']', NAME).is_some()) {
            cursor = before;
            break;
        }
    }
    cursor.eat(b' ');
    let stamp = Some(stamp);
    Some(Header { stamp, level, message: cursor.at(), ..Header::default() })
}

/// The words PostgreSQL puts before a message, a colon and two spaces. Those that continue an
/// event have no level.
const POSTGRES_WORDS: &[(&[u8], Option<Level>)] = &[
    (b"ERROR", Some(Level::Error)),
    (b"FATAL", Some(Level::Critical)),
    (b"PANIC", Some(Level::Critical)),
    (b"WARNING", Some(Level::Warning)),
    (b"NOTICE", Some(Level::Notice)),
    (b"LOG", Some(Level::Info)),
    (b"INFO", Some(Level::Info)),
    (b"DEBUG", Some(Level::Debug)),
    (b"DEBUG1", Some(Level::Debug)),
    (b"DEBUG2", Some(Level::Debug)),
    (b"DEBUG3", Some(Level::Debug)),
    (b"DEBUG4", Some(Level::Debug)),
    (b"DEBUG5", Some(Level::Debug)),
    (b"DETAIL", None),
    (b"HINT", None),
    (b"STATEMENT", None),
    (b"CONTEXT", None),
    (b"QUERY", None),
    (b"LOCATION", None),
];

/// `2024-01-02 03:04:05.678 UTC [123] user@db ERROR:  message`: what stands between the time and
/// the word is the administrator's choice.
pub(super) fn postgres(line: Line<'_>) -> Option<Header<'_>> {
    let (stamp, length) = line.stamp?;
    let rest = line.text.get(length..)?;
    let near = &rest[..rest.len().min(256)];
    let colon = memchr::memchr_iter(b':', near).find(|at| near[*at..].starts_with(b":  "))?;
    let before = &near[..colon];
    let start = before.iter().rposition(|byte| !byte.is_ascii_alphanumeric())?;
    let word = &before[start + 1..];
    let &(_, level) = POSTGRES_WORDS.iter().find(|(known, _)| *known == word)?;
    // Without a process the line is any logger's.
    memchr::memchr(b'[', &before[..start])?;
    let stamp = Some(stamp);
    Some(Header { stamp, level, message: length + colon + 3, ..Header::default() })
}

/// `2024-01-02T03:04:05.678901Z 12 [ERROR] [MY-010119] [Server] message`
pub(super) fn mysql(line: Line<'_>) -> Option<Header<'_>> {
    let (stamp, length) = line.stamp?;
    let mut cursor = Cursor::new(line.text, length);
    (cursor.spaces() > 0).then_some(())?;
    cursor.number(1, 12)?;
    cursor.eat_text(b" [").then_some(())?;
    let level = Some(match cursor.until(b']', 16)? {
        b"System" => Level::Info,
        word => Level::from_word(word)?,
    });
    let mut code = None;
    if cursor.eat_text(b" [MY-") {
        code = Some(cursor.until(b']', 16)?);
    }
    // The tag that `until` has gone over, with its letters.
    let code = code.and_then(|digits| {
        let end = cursor.at() - 1;
        line.text.get(end - digits.len() - 3..end)
    });
    if code.is_some() && cursor.eat_text(b" [") {
        cursor.until(b']', 32)?;
    }
    cursor.eat(b' ');
    let stamp = Some(stamp);
    Some(Header { stamp, level, code, message: cursor.at(), ..Header::default() })
}

/// `10.0.0.1 - user [02/Jan/2024:03:04:05 +0000] "GET / HTTP/1.1" 503 12`, and the same with hosts
/// before it or further columns behind.
pub(super) fn access(line: Line<'_>) -> Option<Header<'_>> {
    let near = &line.text[..line.text.len().min(512)];
    let open = memchr::memchr(b'[', near)?;
    // Host, identity and user: at least two spaces before the bracket.
    let columns = memchr::memchr_iter(b' ', &near[..open]).count();
    if !(3..=5).contains(&columns) || near.get(open.checked_sub(1)?) != Some(&b' ') {
        return None;
    }
    let mut cursor = Cursor::new(line.text, open + 1);
    let (stamp, length) = Stamp::at_start(cursor.rest())?;
    cursor.skip(length);
    cursor.eat_text(b"] \"").then_some(())?;
    let mut escaped = false;
    let rest = cursor.rest();
    let end = rest.iter().position(|&byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })?;
    cursor.skip(end + 1);
    cursor.eat(b' ').then_some(())?;
    let status = cursor.take_while(|byte| byte.is_ascii_digit());
    (status.len() == 3 && cursor.eat(b' ')).then_some(())?;
    let http_status = Some(status);
    Some(Header { stamp: Some(stamp), http_status, ..Header::default() })
}
