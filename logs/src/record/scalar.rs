//! Values of fields.

use std::borrow::Cow;

/// A value that is no object and no list, as it stands in the record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scalar<'t> {
    /// Text between quotes, or a bare word of logfmt. Escapes are still in it if it is `escaped`.
    Text { raw: &'t [u8], escaped: bool },
    /// A number, as it is written.
    Number(&'t [u8]),
    /// `true`, `false`, `null` and what else is no value of these: says nothing.
    Nothing,
}

impl<'t> Scalar<'t> {
    /// Bare text, without escapes.
    pub(crate) fn plain(raw: &'t [u8]) -> Scalar<'t> {
        Scalar::Text { raw, escaped: false }
    }

    /// The value as text of at most `limit` bytes, and whether something was cut.
    pub(crate) fn text(self, limit: usize) -> Option<(Cow<'t, str>, bool)> {
        let (raw, escaped) = match self {
            Scalar::Text { raw, escaped } => (raw, escaped),
            Scalar::Number(raw) => (raw, false),
            Scalar::Nothing => return None,
        };
        let colored = memchr::memchr(0x1b, raw).is_some();
        let mut cut = false;
        let mut text = match escaped {
            // An escape is at most 12 bytes of raw text for one character.
            true => Cow::Owned(unescape(&raw[..raw.len().min(12 * limit)])),
            false => String::from_utf8_lossy(&raw[..raw.len().min(limit)]),
        };
        cut |= match escaped {
            true => raw.len() > 12 * limit || text.len() > limit,
            false => raw.len() > limit,
        };
        if colored || (escaped && text.contains('\u{1b}')) {
            text = Cow::Owned(without_colors(text.as_bytes()));
        }
        if text.len() > limit {
            let end = floor_boundary(&text, limit);
            text = match text {
                Cow::Borrowed(text) => Cow::Borrowed(&text[..end]),
                Cow::Owned(mut text) => {
                    text.truncate(end);
                    Cow::Owned(text)
                }
            };
        }
        Some((text, cut))
    }

    /// The value as text if it is short, without white space around it, and not empty.
    pub(crate) fn short(self) -> Option<Cow<'t, str>> {
        let (text, cut) = self.text(MAX_SHORT)?;
        if cut {
            return None;
        }
        let trimmed = text.trim();
        match trimmed.len() {
            0 => None,
            length if length == text.len() => Some(text),
            _ => Some(Cow::Owned(trimmed.to_owned())),
        }
    }
}

/// Longest value that is an id, a name, a code, a status.
pub(crate) const MAX_SHORT: usize = 128;

fn floor_boundary(text: &str, limit: usize) -> usize {
    (0..=limit.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// Text of a JSON string, or of a quoted value of logfmt, without its escapes. What is no escape
/// stays as it is; bytes that are no UTF-8 become U+FFFD.
pub(crate) fn unescape(raw: &[u8]) -> String {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        let plain = match rest.get(1) {
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'r') => b'\r',
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(&byte @ (b'"' | b'\\' | b'/')) => byte,
            Some(b'u') => {
                let (character, length) = unicode(rest);
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                rest = &rest[length..];
                continue;
            }
            _ => {
                out.push(b'\\');
                rest = &rest[1..];
                continue;
            }
        };
        out.push(plain);
        rest = &rest[2..];
    }
    out.extend_from_slice(rest);
    match String::from_utf8(out) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    }
}

/// The character of `\uXXXX` (of two for a surrogate pair), and how long the escape is.
fn unicode(text: &[u8]) -> (char, usize) {
    let unit = |text: &[u8]| {
        let digits = text.strip_prefix(b"\\u")?.get(..4)?;
        digits.iter().try_fold(0, |unit, &byte| Some(unit * 16 + char::from(byte).to_digit(16)?))
    };
    match unit(text) {
        None => ('\u{fffd}', 2),
        Some(high @ 0xd800..=0xdbff) => match text.get(6..).and_then(unit) {
            Some(low @ 0xdc00..=0xdfff) => {
                let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                (char::from_u32(code).unwrap_or('\u{fffd}'), 12)
            }
            _ => ('\u{fffd}', 6),
        },
        Some(unit) => (char::from_u32(unit).unwrap_or('\u{fffd}'), 6),
    }
}

/// Text without the escapes that colour it on a terminal.
pub(crate) fn without_colors(text: &[u8]) -> String {
    String::from_utf8_lossy(&bytes_without_colors(text)).into_owned()
}

/// The same for bytes: `ESC [ ... letter`.
pub(crate) fn bytes_without_colors(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(0x1b, rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(inside) = rest.strip_prefix(b"[") {
            let length = inside.iter().take_while(|byte| matches!(byte, 0x20..=0x3f)).count();
            rest = inside.get(length + 1..).unwrap_or_default();
        }
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        for (raw, text) in [
            (r#"a\"b\\c\/d\n"#, "a\"b\\c/d\n"),
            (r"\u00e9\ud83d\ude00", "é😀"),
            (r"\ud83dx\udE00", "\u{fffd}x\u{fffd}"),
            (r"\x\", r"\x\"),
            (r"\u12", "\u{fffd}12"),
        ] {
            assert_eq!(unescape(raw.as_bytes()), text, "{raw}");
        }
        assert_eq!(unescape(b"\xff"), "\u{fffd}");
    }

    #[test]
    fn texts_are_cut_at_characters() {
        let (text, cut) = Scalar::plain("aéé".as_bytes()).text(4).unwrap();
        assert!(cut && text.len() <= 4 && text.starts_with("aé"), "{text}");
        assert_eq!(Scalar::plain(b" x ").short().as_deref(), Some("x"));
        assert_eq!(Scalar::plain(&[b'x'; 129]).short(), None);
        assert_eq!(Scalar::plain(b"\x1b[31merror\x1b[0m").short().as_deref(), Some("error"));
    }
}
