//! The views of an event's text.
//!
//! A signature is matched in the text as it is, in the text without ANSI escapes, and in the text
//! with JSON escapes decoded (twice nested). Each view knows where its bytes come from, so that
//! evidence always points into the original.
//!
//! Decoding is blind: escapes are replaced wherever they stand, not only inside of JSON strings.
//! Error texts are JSON inside of prose inside of JSON, cut off anywhere; a parser would give up
//! where a person reads on. A Windows path that loses its backslashes is still in the raw view.

use std::borrow::Cow;

/// How often nested escapes are decoded.
const DEPTH: usize = 2;

/// A range of bytes of the original text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Range {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// All places.
pub(crate) const EVERYWHERE: Range = Range { start: 0, end: usize::MAX };

impl Range {
    /// The smallest range that holds both.
    pub(crate) fn join(self, other: Range) -> Range {
        Range { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// One reading of the text.
pub(crate) struct View<'t> {
    pub(crate) bytes: Cow<'t, [u8]>,
    /// Where runs of bytes come from, ascending: (offset here, offset in the original).
    /// Empty: the view is the original.
    runs: Vec<(u32, u32)>,
}

impl View<'_> {
    /// The range of the original that `start..end` of this view comes from, without what was
    /// removed at its ends.
    pub(crate) fn original(&self, start: usize, end: usize) -> Range {
        let start_there = self.position(start);
        let end = if end > start { self.end(end) } else { start_there };
        Range { start: start_there, end }
    }

    fn position(&self, at: usize) -> usize {
        if self.runs.is_empty() {
            return at;
        }
        let index = self.runs.partition_point(|&(here, _)| here as usize <= at);
        let (here, there) = self.runs[index - 1];
        there as usize + (at - here as usize)
    }

    /// Where the bytes before `at` end. Where something was removed there are two runs that begin at
    /// the same place here: the first one tells.
    fn end(&self, at: usize) -> usize {
        let index = self.runs.partition_point(|&(here, _)| (here as usize) < at);
        match self.runs.get(index) {
            Some(&(here, there)) if here as usize == at => there as usize,
            _ => self.position(at),
        }
    }
}

/// All views of a text, the original first.
pub(crate) struct Views<'t>(Vec<View<'t>>);

impl<'t> Views<'t> {
    pub(crate) fn new(text: &'t [u8]) -> Views<'t> {
        let mut views = vec![View { bytes: Cow::Borrowed(text), runs: Vec::new() }];
        if let Some(view) = rewrite(&views[0], STRIP_ANSI) {
            views.push(view);
        }
        for _ in 0..DEPTH {
            let Some(decoded) = rewrite(&views[views.len() - 1], DECODE_ESCAPES) else { break };
            let stripped = rewrite(&decoded, STRIP_ANSI);
            views.push(stripped.unwrap_or(decoded));
        }
        Views(views)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &View<'t>> {
        self.0.iter()
    }

    /// The last one with `%3D` and the like decoded, if it has any.
    pub(crate) fn percent_decoded(&self) -> Option<View<'t>> {
        rewrite(self.0.last()?, DECODE_PERCENT)
    }
}

/// Whether views other than the original may hold a literal that the original does not: see
/// [`crate::engine::literals`] for what a literal is then.
pub(crate) fn hides_literals(text: &[u8]) -> bool {
    memchr::memchr(0x1b, text).is_some()
        || memchr::memmem::find_iter(text, b"\\u").any(|at| {
            text.get(at + 2..at + 6).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
        })
}

/// What stands in place of something: nothing, or one character.
struct Replacement {
    /// Bytes that are replaced.
    len: usize,
    with: Option<char>,
}

/// What to replace, and the byte that it begins with.
struct Rewrite {
    trigger: u8,
    replace: fn(&[u8]) -> Option<Replacement>,
}

/// Applies `replace` at every byte where it has something to say. `None` if nothing changed.
fn rewrite<'t>(view: &View<'_>, Rewrite { trigger, replace }: Rewrite) -> Option<View<'t>> {
    let source = &*view.bytes;
    let mut bytes = Vec::new();
    let mut runs: Vec<(u32, u32)> = Vec::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(found) = memchr::memchr(trigger, &source[at..]) {
        at += found;
        let Some(Replacement { len, with }) = replace(&source[at..]) else {
            at += 1;
            continue;
        };
        copy(view, copied..at, &mut bytes, &mut runs);
        let (end, next) = (view.end(at), view.position(at));
        if with.is_none() || end != next {
            runs.push((bytes.len() as u32, end as u32));
        }
        if let Some(c) = with {
            runs.push((bytes.len() as u32, next as u32));
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        at += len;
        copied = at;
    }
    if copied == 0 {
        return None;
    }
    copy(view, copied..source.len(), &mut bytes, &mut runs);
    runs.push((bytes.len() as u32, view.position(source.len()) as u32));
    Some(View { bytes: Cow::Owned(bytes), runs })
}

/// Copies a range of `view` and the runs that it comes from.
fn copy(
    view: &View<'_>,
    range: std::ops::Range<usize>,
    bytes: &mut Vec<u8>,
    runs: &mut Vec<(u32, u32)>,
) {
    if range.is_empty() {
        return;
    }
    runs.push((bytes.len() as u32, view.position(range.start) as u32));
    let first = view.runs.partition_point(|&(here, _)| here as usize <= range.start);
    for &(here, there) in &view.runs[first..] {
        if here as usize >= range.end {
            break;
        }
        runs.push(((bytes.len() + here as usize - range.start) as u32, there));
    }
    bytes.extend_from_slice(&view.bytes[range]);
}

/// CSI sequences (colours, cursor) and OSC sequences (titles, links).
fn ansi(text: &[u8]) -> Option<Replacement> {
    let len = match text.get(1)? {
        b'[' => {
            let body = text[2..].iter().position(|byte| !(0x20..=0x3f).contains(byte))?;
            2 + body + 1
        }
        b']' => {
            let end = text[2..].iter().position(|&byte| byte == 0x07 || byte == 0x1b)?;
            2 + end + if text[2 + end] == 0x07 { 1 } else { 2 }
        }
        _ => 2,
    };
    Some(Replacement { len: len.min(text.len()), with: None })
}

const STRIP_ANSI: Rewrite = Rewrite { trigger: 0x1b, replace: ansi };
const DECODE_ESCAPES: Rewrite = Rewrite { trigger: b'\\', replace: json_escape };
const DECODE_PERCENT: Rewrite = Rewrite { trigger: b'%', replace: percent };

/// One byte of ASCII as addresses write it.
fn percent(text: &[u8]) -> Option<Replacement> {
    let hex = text.get(1..3)?.iter().map(|&byte| char::from(byte).to_digit(16));
    let code = hex.reduce(|high, low| Some(high? * 16 + low?))??;
    let with = char::from_u32(code).filter(char::is_ascii)?;
    Some(Replacement { len: 3, with: Some(with) })
}

fn json_escape(text: &[u8]) -> Option<Replacement> {
    let with = match text.get(1)? {
        b'"' => '"',
        // Python's `repr` and JavaScript's single quotes.
        b'\'' => '\'',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode_escape(text),
        _ => return None,
    };
    Some(Replacement { len: 2, with: Some(with) })
}

/// `\u8bf7`, and pairs of surrogates.
fn unicode_escape(text: &[u8]) -> Option<Replacement> {
    let unit = |at: usize| {
        let hex = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
        if !hex.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        u32::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()
    };
    let first = unit(0)?;
    if (0xd800..0xdc00).contains(&first)
        && let Some(second @ 0xdc00..=0xdfff) = unit(6)
    {
        let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return Some(Replacement { len: 12, with: char::from_u32(code) });
    }
    let with = char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER);
    Some(Replacement { len: 6, with: Some(with) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn views(text: &str) -> Vec<String> {
        Views::new(text.as_bytes())
            .iter()
            .map(|view| String::from_utf8_lossy(&view.bytes).into_owned())
            .collect()
    }

    #[test]
    fn plain_text_has_one_view() {
        assert_eq!(views("nothing here"), ["nothing here"]);
        assert_eq!(views(r"C:\Windows\Xyz \q"), [r"C:\Windows\Xyz \q"]);
    }

    #[test]
    fn escapes_are_decoded_twice() {
        assert_eq!(
            views(r#"{"m":"{\"a\":\"\\u8bf7\\n\"}"}"#),
            [
                r#"{"m":"{\"a\":\"\\u8bf7\\n\"}"}"#,
                r#"{"m":"{"a":"\u8bf7\n"}"}"#,
                "{\"m\":\"{\"a\":\"请\n\"}\"}",
            ]
        );
        assert_eq!(views(r"\ud83d\ude00")[1], "😀");
        assert_eq!(views(r"\ud83d")[1], "\u{fffd}");
        assert_eq!(views(r"{'m': 'You didn\'t'}")[1], "{'m': 'You didn't'}");
    }

    #[test]
    fn colours_are_removed() {
        assert_eq!(views("\u{1b}[31mER\u{1b}[0mROR")[1], "ERROR");
        assert_eq!(views("\u{1b}]8;;http://x\u{7}link")[1], "link");
        assert_eq!(views(r"\u001b[31mERR")[1], "ERR");
    }

    #[test]
    fn spans_point_into_the_original() {
        let text = r#"x \"a\": \"\u8bf7 b\" é"#;
        let views = Views::new(text.as_bytes());
        let view = &views.0[1];
        let decoded = String::from_utf8_lossy(&view.bytes).into_owned();
        for needle in ["x", "\"a\"", "请 b", "é"] {
            let at = decoded.find(needle).unwrap();
            let range = view.original(at, at + needle.len());
            let there = &text[range.start..range.end];
            let again = Views::new(there.as_bytes());
            let last = String::from_utf8_lossy(&again.0[again.0.len() - 1].bytes).into_owned();
            assert_eq!(last, needle, "{there}");
        }
    }
}
