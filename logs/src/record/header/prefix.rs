//! What container tools put before each line.

use super::super::cursor::Cursor;
use super::{Header, Line, NAME, is_name_byte};

/// `2024-01-02T03:04:05.678901234Z stderr F message`
pub(super) fn cri(line: Line<'_>) -> Option<Header<'_>> {
    let (stamp, length) = line.stamp?;
    let mut cursor = Cursor::new(line.text, length);
    (cursor.eat_text(b" stdout ") || cursor.eat_text(b" stderr ")).then_some(())?;
    // F is a full line, P a part; further tags may follow a colon.
    cursor.eat_any(b"FP").then_some(())?;
    if cursor.eat(b':') {
        cursor.token();
    }
    (cursor.eat(b' ') || cursor.is_end()).then_some(())?;
    let stamp = Some(stamp);
    Some(Header { stamp, message: cursor.at(), is_envelope: true, ..Header::default() })
}

/// `[pod/web-0/app] message`
pub(super) fn kubectl(line: Line<'_>) -> Option<Header<'_>> {
    let mut cursor = Cursor::new(line.text, 0);
    cursor.eat_text(b"[pod/").then_some(())?;
    let names = cursor.until(b']', 2 * NAME)?;
    let slash = names.iter().position(|&byte| byte == b'/')?;
    let (pod, container) = (&names[..slash], &names[slash + 1..]);
    let is_name = |name: &[u8]| !name.is_empty() && name.iter().copied().all(is_name_byte);
    if !is_name(pod) || !is_name(container) {
        return None;
    }
    (cursor.eat(b' ') || cursor.is_end()).then_some(())?;
    let program = Some(container);
    Some(Header { program, message: cursor.at(), is_envelope: true, ..Header::default() })
}

/// `web-1  | message`. Compose pads names to the longest and one more; a name without its number
/// is a table's cell unless two spaces follow and the rest holds no further bar.
pub(super) fn compose(line: Line<'_>) -> Option<Header<'_>> {
    if !line.text.first().is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    let mut cursor = Cursor::new(line.text, 0);
    let name = cursor.take_while(is_name_byte);
    let spaces = cursor.spaces();
    if name.len() > NAME || spaces == 0 || !cursor.eat(b'|') {
        return None;
    }
    (cursor.eat(b' ') || cursor.is_end()).then_some(())?;
    let digits = name.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let before = name.len().checked_sub(digits + 1).and_then(|at| name.get(at));
    let is_numbered = digits > 0 && matches!(before, Some(b'-' | b'_')) && name.len() > digits + 1;
    let is_named = spaces > 1
        && name.iter().any(u8::is_ascii_alphabetic)
        && memchr::memmem::find(cursor.rest(), b" | ").is_none();
    if !is_numbered && !is_named {
        return None;
    }
    let program = Some(match is_numbered {
        true => &name[..name.len() - digits - 1],
        false => name,
    });
    Some(Header { program, message: cursor.at(), is_envelope: true, ..Header::default() })
}
