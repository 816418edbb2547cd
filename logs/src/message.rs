//! Messages that `journalctl -o json` writes as lists: of bytes where a message holds a control
//! character (a colour is one) or no UTF-8, of several values where its field came several times.

use std::borrow::Cow;
use std::io::Write;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::record::scalar::bytes_without_colors;

/// Lists inside of each other: values of the field, bytes of a value.
const DEPTH: usize = 2;

static KEY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"MESSAGE\""));

/// Where the first such list at `from` or behind it begins, at its bracket.
pub(crate) fn list(text: &[u8], from: usize) -> Option<usize> {
    KEY.find_iter(text.get(from..)?).find_map(|at| {
        let behind = &text[from + at + KEY.needle().len()..];
        let value = behind.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
        value.starts_with(b"[").then(|| text.len() - value.len())
    })
}

/// The text with each such list as the string it stands for, without colours. A list that breaks
/// off is read up to there; one of anything else is left alone.
pub(crate) fn decoded(text: &[u8]) -> Cow<'_, [u8]> {
    let mut out = Vec::new();
    // What comes from here on is not in `out` yet.
    let mut done = 0;
    let mut from = 0;
    while let Some(start) = list(text, from) {
        from = start;
        let mut message = Message { text, at: start, out: Vec::new() };
        if message.list(1).is_some() {
            out.extend_from_slice(&text[done..start]);
            out.push(b'"');
            out.append(&mut message.out);
            out.push(b'"');
            (done, from) = (message.at, message.at);
        }
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    out.extend_from_slice(&text[done..]);
    Cow::Owned(out)
}

struct Message<'t> {
    text: &'t [u8],
    at: usize,
    /// The inside of a string of JSON.
    out: Vec<u8>,
}

impl Message<'_> {
    /// Goes over the list that begins here. Nothing if something else stands in it.
    fn list(&mut self, depth: usize) -> Option<()> {
        self.at += 1;
        let mut bytes = Vec::new();
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            match rest {
                [] => break,
                [b' ' | b',', ..] => self.at += 1,
                [b']', ..] => {
                    self.at += 1;
                    break;
                }
                [b'0'..=b'9', ..] => {
                    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                    // What the end of the text cuts off is no number.
                    if digits < rest.len() {
                        bytes.push(std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()?);
                    }
                    self.at += digits;
                }
                [b'[', ..] if depth < DEPTH => {
                    self.next_value();
                    self.list(depth + 1)?;
                }
                [b'"', inside @ ..] if depth < DEPTH => {
                    self.next_value();
                    let length = string(inside);
                    self.out.extend_from_slice(&inside[..length]);
                    self.at += (1 + length + 1).min(rest.len());
                }
                [b'n', b'u', b'l', b'l', ..] => self.at += 4,
                _ => return None,
            }
        }
        escape(&bytes_without_colors(&bytes), &mut self.out);
        Some(())
    }

    /// Values stand on lines of their own.
    fn next_value(&mut self) {
        if !self.out.is_empty() {
            self.out.extend_from_slice(b"\\n");
        }
    }
}

/// Bytes up to the quote that ends a string, or to the end of the text.
fn string(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

fn escape(bytes: &[u8], out: &mut Vec<u8>) {
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', byte]),
            b'\n' => out.extend(b"\\n"),
            b'\t' => out.extend(b"\\t"),
            b'\r' => out.extend(b"\\r"),
            0..0x20 => {
                let written = write!(out, "\\u{byte:04x}");
                debug_assert!(written.is_ok(), "writing to memory");
            }
            _ => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_become_strings() {
        let cases: &[(&str, &str)] = &[
            (r#"{"MESSAGE":"a"}"#, r#"{"MESSAGE":"a"}"#),
            (r#"{"MESSAGE":null}"#, r#"{"MESSAGE":null}"#),
            (r#"{"MESSAGE":[97,98],"_PID":"1"}"#, r#"{"MESSAGE":"ab","_PID":"1"}"#),
            (r#"{"MESSAGE" : [ 97, 34, 92, 10, 9, 7 ]}"#, r#"{"MESSAGE" : "a\"\\\n\t\u0007"}"#),
            // A red `a`.
            (r#"{"MESSAGE":[27,91,51,49,109,97,27,91,48,109]}"#, r#"{"MESSAGE":"a"}"#),
            (r#"{"MESSAGE":[[97,98],"c\"d",null,"e"]}"#, r#"{"MESSAGE":"ab\nc\"d\ne"}"#),
            (r#"{"MESSAGE":[]}"#, r#"{"MESSAGE":""}"#),
            // Cut off.
            (r#"{"MESSAGE":[97,98,9"#, r#"{"MESSAGE":"ab""#),
            (r#"{"MESSAGE":["a\"#, r#"{"MESSAGE":"a\""#),
            (r#"{"MESSAGE":[[97"#, r#"{"MESSAGE":"""#),
            // Something else.
            (r#"{"MESSAGE":[256]}"#, r#"{"MESSAGE":[256]}"#),
            (r#"{"MESSAGE":[[[97]]]}"#, r#"{"MESSAGE":[[[97]]]}"#),
            (r#"{"MESSAGE":[{"a":1}]}"#, r#"{"MESSAGE":[{"a":1}]}"#),
            (r#"{"a":[97]}"#, r#"{"a":[97]}"#),
            (
                "{\"MESSAGE\":[97]}\n{\"MESSAGE\":[true]}\n{\"MESSAGE\":[98]}",
                "{\"MESSAGE\":\"a\"}\n{\"MESSAGE\":[true]}\n{\"MESSAGE\":\"b\"}",
            ),
        ];
        for (text, want) in cases {
            assert_eq!(String::from_utf8_lossy(&decoded(text.as_bytes())), *want, "{text}");
        }
        let latin = decoded(br#"{"MESSAGE":[252,110]}"#);
        assert_eq!(&*latin, b"{\"MESSAGE\":\"\xfcn\"}");
    }
}
