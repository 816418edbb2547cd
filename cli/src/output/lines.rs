//! An answer for every line of the input, in order.
//!
//! Lines are what line feeds end; the last one may lack it. Nothing is held back: a line is its
//! own event.

use std::borrow::Cow;
use std::io;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use whyerr::Verdict;

use super::compact::Compact;
use super::json::value_of;
use crate::input::Chunk;

/// The name of the member.
const MEMBER: &str = "whyerr";

/// The byte order mark of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// How every line is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// With an object that holds the verdict in short, or null.
    Filter,
    /// With the line itself; objects with a verdict get it as a member.
    Enrich,
}

/// The answers to the lines of a chunk.
pub struct Writer<'c> {
    answers: Answers,
    chunk: &'c Chunk,
    /// Where the first line begins that is not answered yet.
    done: usize,
}

impl<'c> Writer<'c> {
    /// `joined`: what was written last is a line that had no end.
    pub fn new(answers: Answers, chunk: &'c Chunk, joined: bool, out: &mut Vec<u8>) -> Writer<'c> {
        let mut done = 0;
        match answers {
            Answers::Enrich => {
                out.reserve(chunk.len + chunk.len / 8);
                if joined {
                    out.push(b'\n');
                }
                if chunk.marked {
                    out.extend_from_slice(MARK);
                }
            }
            // Its beginning was answered: here is only its end.
            Answers::Filter if chunk.continues => done = chunk.len.min(1),
            Answers::Filter => {}
        }
        Writer { answers, chunk, done }
    }

    /// The line at `range` has a verdict. Called in order.
    pub fn finding(
        &mut self,
        out: &mut Vec<u8>,
        verdict: &Verdict,
        range: Range<usize>,
    ) -> io::Result<()> {
        self.pass(out, range.start);
        let bytes = self.chunk.bytes();
        let line = &bytes[range.clone()];
        let newline = memchr::memchr(b'\n', &bytes[range.end..]);
        self.done = newline.map_or(bytes.len(), |at| range.end + at + 1);
        match self.answers {
            Answers::Filter => {
                out.extend_from_slice(b"{\"whyerr\":");
                value_of(out, &Compact::new(verdict, self.chunk.cut))?;
                out.extend_from_slice(b"}\n");
            }
            Answers::Enrich => {
                match place_for_member(line).filter(|_| !self.chunk.cut) {
                    Some((at, comma)) => {
                        out.extend_from_slice(&line[..at]);
                        out.extend_from_slice(if comma { b",\"whyerr\":" } else { b"\"whyerr\":" });
                        value_of(out, &Compact::new(verdict, false))?;
                        out.extend_from_slice(&line[at..]);
                    }
                    None => out.extend_from_slice(line),
                }
                out.extend_from_slice(&bytes[range.end..self.done]);
            }
        }
        Ok(())
    }

    /// The rest of the chunk has no verdict.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        self.pass(out, self.chunk.len);
    }

    /// Lines without a verdict, up to `end`.
    fn pass(&mut self, out: &mut Vec<u8>, end: usize) {
        let lines = self.chunk.bytes().get(self.done..end).unwrap_or_default();
        match self.answers {
            Answers::Filter => {
                let open = !lines.is_empty() && !lines.ends_with(b"\n");
                let count = memchr::memchr_iter(b'\n', lines).count() + usize::from(open);
                for _ in 0..count {
                    out.extend_from_slice(b"{\"whyerr\":null}\n");
                }
            }
            Answers::Enrich => out.extend_from_slice(lines),
        }
        self.done = self.done.max(end);
    }
}

/// Where the member goes into a line, and whether behind a comma. `None` where the line is no JSON
/// object, or has the member already: who enriches twice gets what was there.
fn place_for_member(line: &[u8]) -> Option<(usize, bool)> {
    let first = line.iter().find(|byte| !byte.is_ascii_whitespace());
    if first != Some(&b'{') {
        return None;
    }
    let members: Members = serde_json::from_slice(line).ok()?;
    let place = memchr::memrchr(b'}', line)?;
    (!members.has_ours).then_some((place, members.any))
}

/// What an object has, its values only skipped.
#[derive(Default)]
struct Members {
    any: bool,
    has_ours: bool,
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members, D::Error> {
        deserializer.deserialize_map(Members::default())
    }
}

impl<'de> Visitor<'de> for Members {
    type Value = Members;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(mut self, mut map: M) -> Result<Members, M::Error> {
        while let Some(Key(key)) = map.next_key()? {
            self.any = true;
            self.has_ours |= key == MEMBER;
            map.next_value::<IgnoredAny>()?;
        }
        Ok(self)
    }
}

/// Borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Key<'k>(#[serde(borrow)] Cow<'k, str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_member_goes_before_the_last_brace() {
        let cases: [(&str, Option<(usize, bool)>); 14] = [
            ("{}", Some((1, false))),
            ("{ }", Some((2, false))),
            (r#"{"a":1}"#, Some((6, true))),
            (r#"  {"a" : {"b":[1e400,{}]} } "#, Some((26, true))),
            (r#"{"a":1,"a":2}"#, Some((12, true))),
            (r#"{"b":"}"}"#, Some((8, true))),
            (r#"{"whyerr":null}"#, None),
            (r#"{"why\u0065rr":null}"#, None),
            (r#"{"a":{"whyerr":1}}"#, Some((17, true))),
            (r#"[{"a":1}]"#, None),
            (r#"{"a":1"#, None),
            (r#"{"a":1} {"b":2}"#, None),
            ("text {}", None),
            ("", None),
        ];
        for (line, expected) in cases {
            assert_eq!(place_for_member(line.as_bytes()), expected, "{line}");
        }
        // What is no UTF-8 in a value is no reason to leave the line out.
        assert_eq!(place_for_member(b"{\"a\":\"\xff\"}"), Some((8, true)));
        // Depth is no limit.
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(place_for_member(deep.as_bytes()), Some((deep.len() - 1, true)));
    }
}
