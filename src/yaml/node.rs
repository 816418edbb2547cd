//! The parse tree of a YAML document, with places.
//!
//! This file is compiled twice: into the library, and into `build.rs`, which parses the built-in
//! rule files once and stores their trees in the compact form that [`Node::decode`] reads. Loading that
//! form costs a tenth of parsing YAML, and a test holds the two equal. So: no `use crate::` here.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// A text of a tree: borrowed from the program's image for built-in files.
pub type Str = Cow<'static, str>;

/// A half-open range of bytes in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// A YAML value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub span: Span,
    pub kind: Kind,
}

/// What a [`Node`] is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    Null,
    Bool(bool),
    /// A plain scalar that reads as a number: its text as written (`0123` stays `0123`).
    Number(Str),
    String(Str),
    Sequence(Vec<Node>),
    Mapping(Vec<(Key, Node)>),
}

/// A key of a mapping and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    pub span: Span,
    pub name: Str,
}

impl Node {
    /// Reads one node from the front of `input` and moves `input` behind it; `source` is the file
    /// that it was parsed from. `None` where the bytes are not what `build.rs` writes.
    pub fn decode(input: &mut &'static [u8], source: &'static str) -> Option<Node> {
        let (&tag, rest) = input.split_first()?;
        *input = rest;
        let span = decode_span(input)?;
        let kind = match tag {
            0 => Kind::Null,
            1 => Kind::Bool(false),
            2 => Kind::Bool(true),
            3 => Kind::Number(decode_text(input, span, source)?),
            4 => Kind::String(decode_text(input, span, source)?),
            5 => {
                let len = decode_number(input)? as usize;
                let mut items = Vec::with_capacity(len.min(input.len()));
                for _ in 0..len {
                    items.push(Node::decode(input, source)?);
                }
                Kind::Sequence(items)
            }
            6 => {
                let len = decode_number(input)? as usize;
                let mut entries = Vec::with_capacity(len.min(input.len()));
                for _ in 0..len {
                    let span = decode_span(input)?;
                    let name = decode_text(input, span, source)?;
                    entries.push((Key { span, name }, Node::decode(input, source)?));
                }
                Kind::Mapping(entries)
            }
            _ => return None,
        };
        Some(Node { span, kind })
    }
}

/// Reads one LEB128 number.
pub fn decode_number(input: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = input.split_first()?;
        *input = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// What stands in front of a text: it is what `source` has in its place, or has there between
/// quotes, or it follows, and this is the length less that of an empty one.
pub const AS_IT_STANDS: u64 = 0;
pub const BETWEEN_QUOTES: u64 = 1;
pub const EMPTY: u64 = 2;

/// What stands between the quotes at `span`, if these are quotes.
pub fn between_quotes(source: &str, span: Span) -> Option<&str> {
    source.get((span.start as usize).checked_add(1)?..(span.end as usize).checked_sub(1)?)
}

fn decode_text(input: &mut &'static [u8], span: Span, source: &'static str) -> Option<Str> {
    let text = match decode_number(input)? {
        AS_IT_STANDS => source.get(span.start as usize..span.end as usize)?,
        BETWEEN_QUOTES => between_quotes(source, span)?,
        length => {
            let length = usize::try_from(length - EMPTY).ok()?;
            let (text, rest) = input.split_at_checked(length)?;
            *input = rest;
            std::str::from_utf8(text).ok()?
        }
    };
    Some(Cow::Borrowed(text))
}

fn decode_span(input: &mut &[u8]) -> Option<Span> {
    let start = u32::try_from(decode_number(input)?).ok()?;
    let len = u32::try_from(decode_number(input)?).ok()?;
    Some(Span { start, end: start.checked_add(len)? })
}
