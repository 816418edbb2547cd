//! A place in bytes that moves forward.

/// A place in bytes. What does not fit leaves it where it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8], at: usize) -> Cursor<'a> {
        Cursor { bytes, at: at.min(bytes.len()) }
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// What it has gone over.
    pub(crate) fn behind(&self) -> &'a [u8] {
        &self.bytes[..self.at]
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(crate) fn is_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// Goes `count` bytes on, at most to the end.
    pub(crate) fn skip(&mut self, count: usize) {
        self.at = self.at.saturating_add(count).min(self.bytes.len());
    }

    /// Goes over `byte` if it is next.
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// Goes over `text` if it is next.
    pub(crate) fn eat_text(&mut self, text: &[u8]) -> bool {
        let is_next = self.rest().starts_with(text);
        self.at += if is_next { text.len() } else { 0 };
        is_next
    }

    /// Goes over one of `bytes`.
    pub(crate) fn eat_any(&mut self, bytes: &[u8]) -> bool {
        let is_next = self.peek().is_some_and(|byte| bytes.contains(&byte));
        self.at += usize::from(is_next);
        is_next
    }

    /// Goes over all spaces; how many.
    pub(crate) fn spaces(&mut self) -> usize {
        self.take_while(|byte| byte == b' ').len()
    }

    /// The bytes that `wanted` says yes to.
    pub(crate) fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let length = rest.iter().position(|&byte| !wanted(byte)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// What stands before the next `byte`, if that is at most `limit` bytes away on this line; goes
    /// behind it.
    pub(crate) fn until(&mut self, byte: u8, limit: usize) -> Option<&'a [u8]> {
        let rest = self.rest();
        let near = &rest[..rest.len().min(limit)];
        let length = near.iter().position(|&b| b == byte || b == b'\n')?;
        if near[length] != byte {
            return None;
        }
        self.at += length + 1;
        Some(&rest[..length])
    }

    /// A token: everything up to white space.
    pub(crate) fn token(&mut self) -> &'a [u8] {
        self.take_while(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
    }

    /// A number of `min` to `max` digits, and no digit behind it. At most 18 digits.
    pub(crate) fn number(&mut self, min: usize, max: usize) -> Option<u64> {
        let before = self.at;
        let digits = self.take_while(|byte| byte.is_ascii_digit());
        if digits.len() < min || digits.len() > max.min(18) {
            self.at = before;
            return None;
        }
        Some(digits.iter().fold(0, |number, &digit| number * 10 + u64::from(digit - b'0')))
    }
}
