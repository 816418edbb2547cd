//! Whether a text begins as a record does.

use crate::group::words;

/// Bytes of a header in which its level stands.
const LEVEL_NEAR: usize = 96;

/// A level or a time that stands behind white space.
pub(super) fn is_padded_header(rest: &[u8], width: usize) -> bool {
    match rest[0] {
        b'0'..=b'9' => has_header(rest),
        b'[' => matches!(rest.get(1), Some(b'0'..=b'9')) && has_header(rest),
        b'A'..=b'Z' => width <= 2 && has_level(rest),
        _ => false,
    }
}

/// Whether a text begins as a record does: with a time, a level, or as JSON or logfmt.
pub(super) fn has_header(text: &[u8]) -> bool {
    let is_digit = |at: usize| text.get(at).is_some_and(u8::is_ascii_digit);
    match text[0] {
        b'0'..=b'9' => {
            let digits = text.iter().take(20).take_while(|byte| byte.is_ascii_digit()).count();
            let next = text.get(digits).copied();
            match (digits, next) {
                (4, Some(b'-' | b'/' | b'.')) => is_digit(5) && is_digit(6),
                (1 | 2, Some(b':')) => is_digit(digits + 1) && is_digit(digits + 2),
                (1 | 2, Some(b'/' | b'-')) => {
                    let month = text.get(digits + 1).is_some_and(u8::is_ascii_alphanumeric);
                    month
                        && text
                            .get(digits + 3)
                            .is_some_and(|byte| b"/- abcdefghijklmnopqrstuvwxyz".contains(byte))
                }
                (8, Some(b'-' | b'T' | b' ')) | (10 | 13, Some(b'.' | b' ')) => true,
                _ => false,
            }
        }
        b'[' => {
            let inside = text[1..].trim_ascii_start();
            inside.first().is_some_and(u8::is_ascii_digit) && has_header(inside)
                || has_level(inside)
                || inside.iter().take_while(|byte| byte.is_ascii_lowercase()).count() > 3
                    && is_lower_level(inside)
        }
        b'<' => is_digit(1) && memchr::memchr(b'>', &text[..text.len().min(5)]).is_some(),
        b'{' => text.len() > 1 && matches!(text[1], b'"' | b' ') && text.len() > 2,
        b'A'..=b'Z' => {
            has_level(text) || (is_digit(1) && is_digit(4) && text.get(5) == Some(&b' '))
        }
        b'a'..=b'z' => {
            [&b"ts="[..], b"time=", b"level=", b"msg=", b"t=", b"at="]
                .iter()
                .any(|key| text.starts_with(key))
                || is_lower_level(text)
        }
        _ => false,
    }
}

fn has_level(text: &[u8]) -> bool {
    let length = text.iter().take(9).take_while(|byte| byte.is_ascii_uppercase()).count();
    let ends = !text.get(length).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    ends && words::LEVELS.contains(&&text[..length])
}

/// Whether the first level in a header is that of an error or a warning.
pub(super) fn is_loud(text: &[u8]) -> bool {
    text[..text.len().min(LEVEL_NEAR)]
        .split(|byte| !byte.is_ascii_alphanumeric())
        .find(|word| words::LEVELS.contains(word))
        .is_some_and(|level| !words::QUIET_LEVELS.contains(&level))
}

/// `fail: `, `warn: ` of .NET's console, `error]` behind a bracket.
fn is_lower_level(text: &[u8]) -> bool {
    let length = text.iter().take(9).take_while(|byte| byte.is_ascii_lowercase()).count();
    let level = &text[..length];
    match text.get(length) {
        Some(b':') => matches!(level, b"fail" | b"crit" | b"info" | b"dbug" | b"trce" | b"warn"),
        Some(b']') => words::LEVELS.iter().any(|word| word.eq_ignore_ascii_case(level)),
        _ => false,
    }
}
