//! Pairs `key=value`: logfmt, and what loggers put behind a message.

use super::cursor::Cursor;
use super::path::Path;
use super::scalar::Scalar;

/// What was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Read {
    /// Pairs.
    pub(crate) pairs: usize,
    /// Words between them.
    pub(crate) words: usize,
    /// The text begins with a pair.
    pub(crate) begins: bool,
}

/// Calls `field` for each pair of the first line; goes over words that are no pair.
pub(crate) fn fields<'t>(text: &'t [u8], mut field: impl FnMut(&Path, Scalar<'t>)) -> Read {
    let mut cursor = Cursor::new(text, 0);
    let mut read = Read::default();
    let mut path = Path::new();
    loop {
        cursor.take_while(|byte| matches!(byte, b' ' | b'\t' | b','));
        if matches!(cursor.peek(), None | Some(b'\n' | b'\r')) {
            return read;
        }
        let key = cursor.take_while(is_key_byte);
        if !is_key(key) || !cursor.eat(b'=') {
            if cursor.eat(b'"') {
                quoted(&mut cursor);
            } else {
                cursor.token();
            }
            read.words += 1;
            continue;
        }
        let value = match cursor.peek() {
            Some(b'"') => {
                cursor.skip(1);
                quoted(&mut cursor)
            }
            _ => {
                let word = cursor.take_while(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
                Scalar::plain(word.strip_suffix(b",").unwrap_or(word))
            }
        };
        read.begins |= read.words == 0 && read.pairs == 0;
        read.pairs += 1;
        let mark = path.push(key);
        field(&path, value);
        path.pop(mark);
    }
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'/' | b'@' | b'$')
}

fn is_key(key: &[u8]) -> bool {
    key.len() <= 64
        && key.first().is_some_and(|&b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'@'))
}

/// The text up to the next quote that is not escaped.
fn quoted<'t>(cursor: &mut Cursor<'t>) -> Scalar<'t> {
    let rest = cursor.rest();
    let (mut at, mut escaped) = (0, false);
    loop {
        let Some(next) = memchr::memchr2(b'"', b'\\', rest.get(at..).unwrap_or_default()) else {
            // It breaks off.
            cursor.skip(rest.len());
            return Scalar::Nothing;
        };
        at += next;
        if rest[at] == b'"' {
            cursor.skip(at + 1);
            return Scalar::Text { raw: &rest[..at], escaped };
        }
        escaped = true;
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<String>, Read) {
        let mut found = Vec::new();
        let read = fields(text.as_bytes(), |path, value| found.push(path.with(&value)));
        (found, read)
    }

    #[test]
    fn pairs_and_words() {
        let (found, read) = read(r#"a=1 b.c="x \"y\" z" word d= e="" "quoted words" f=g=h, i"#);
        assert_eq!(found, ["a=1", "b.c=x \"y\" z", "d=", "e=", "f=g=h"]);
        assert_eq!(read, Read { pairs: 5, words: 3, begins: true });
        assert_eq!(self::read("a=\"cut o").0, ["a=-"]);
        assert_eq!(self::read("x == y, 1=2 ===").1.pairs, 0);
        assert_eq!(self::read("a=1\nb=2").0, ["a=1"]);
    }
}
