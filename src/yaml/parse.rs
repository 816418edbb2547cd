//! From YAML text to [`Node`] trees. The only file that names the YAML crate. Compiled into
//! `build.rs` too (see `node.rs`): refers to its sibling by `super` alone.

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_yaml::options::MergeKeyPolicy;
use serde_yaml::{Options, Spanned};

use super::node::{Key, Kind, Node, Span};

/// Files larger than this are refused unread: the largest rule file that a person maintains is
/// two orders of magnitude smaller.
pub const MAX_FILE_BYTES: usize = 4 << 20;

/// Deepest nesting of a document. The language itself needs eight.
const MAX_DEPTH: usize = 32;

/// Why a text is not YAML that we take.
#[derive(Debug, Clone, PartialEq)]
pub struct SyntaxError {
    pub message: String,
    pub span: Span,
    pub help: Option<&'static str>,
}

/// Parses every document of `text`. Anchors, aliases, merge keys and duplicate keys are refused;
/// depth, size and number of nodes are bounded.
pub fn parse(text: &str) -> Result<Vec<Node>, SyntaxError> {
    if text.len() > MAX_FILE_BYTES {
        return Err(SyntaxError {
            message: format!(
                "the file has {} bytes; a rule file may have {MAX_FILE_BYTES}",
                text.len()
            ),
            span: Span::default(),
            help: Some("split it: rules may stand in any number of files of a folder"),
        });
    }
    let documents = serde_yaml::from_multiple_with_options::<Spanned<Value>>(text, options())
        .map_err(|error| {
            // Reading values from a text with bad indentation complains about their shape; a pass
            // that ignores them reports broken syntax as such.
            let syntax = serde_yaml::from_multiple_with_options::<IgnoredAny>(text, options());
            syntax_error(&syntax.err().unwrap_or(error), text)
        })?;
    Ok(documents.into_iter().map(|document| place(document, text)).collect())
}

fn options() -> Options {
    let budget = serde_yaml::budget! {
        max_depth: MAX_DEPTH,
        max_anchors: 0,
        max_aliases: 0,
        max_merge_keys: 0,
        max_documents: 1024,
        max_events: 1_000_000,
        max_nodes: 500_000,
        max_total_scalar_bytes: MAX_FILE_BYTES,
        flow_nesting_limit: MAX_DEPTH,
    };
    serde_yaml::options! {
        budget: budget,
        strict_booleans: true,
        merge_keys: MergeKeyPolicy::Error,
        with_snippet: false,
    }
}

/// The YAML crate's messages are developer's talk; keep its diagnosis, drop its place.
fn syntax_error(error: &serde_yaml::Error, text: &str) -> SyntaxError {
    let error = error.without_snippet();
    let span = error.location().map_or(Span::default(), |location| {
        let start = match location.span().byte_offset() {
            Some(offset) => offset as usize,
            None => offset_of(text, location.line() as usize, location.column() as usize),
        };
        let start = floor(text, start);
        let end = text[start..].find('\n').map_or(text.len(), |length| start + length);
        Span { start: start as u32, end: (end.max(start)) as u32 }
    });
    let full = error.to_string();
    let first = full.lines().next().unwrap_or_default();
    let message = match first.find(" at line ") {
        Some(cut) => &first[..cut],
        None => first,
    };
    let lower = message.to_ascii_lowercase();
    // Messages that speak of the YAML crate's own settings are said in our words.
    let message = if lower.contains("anchor") || lower.contains("alias") || lower.contains("merge")
    {
        "an anchor, alias or merge key stands here"
    } else if let Some((head, _)) = message.split_once(", set DuplicateKeyPolicy") {
        head
    } else {
        message
    };
    let help = if lower.contains("anchor") || lower.contains("alias") || lower.contains("merge") {
        Some("anchors, aliases and merge keys are refused in rule files; use `extends` instead")
    } else if lower.contains("duplicate") {
        Some("every key may stand once in a mapping; lists hold several values")
    } else if lower.contains("depth") || lower.contains("nesting") || lower.contains("recursion") {
        Some("no part of the rule language nests this deep")
    } else if lower.contains("simple key") || lower.contains("mapping values") {
        Some("quote strings that contain `: ` or ` #`")
    } else {
        None
    };
    SyntaxError { message: message.trim_end_matches([':', '.', ' ']).to_owned(), span, help }
}

fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    start + rest.chars().take(column.saturating_sub(1)).map(char::len_utf8).sum::<usize>()
}

/// The largest character boundary at or before `index`.
pub fn floor(text: &str, index: usize) -> usize {
    (0..=index.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// What serde sees of a YAML value.
enum Value {
    Null,
    Bool(bool),
    Number,
    String(String),
    Sequence(Vec<Spanned<Value>>),
    Mapping(Vec<(Spanned<String>, Spanned<Value>)>),
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Value::Sequence(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Value::Mapping(entries))
    }
}

/// Turns serde's view into a tree with byte spans, and numbers back into their text.
fn place(value: Spanned<Value>, text: &str) -> Node {
    let span = span_of(&value, text);
    let kind = match value.value {
        Value::Null => Kind::Null,
        Value::Bool(value) => Kind::Bool(value),
        Value::Number => {
            Kind::Number(text[span.start as usize..span.end as usize].trim().to_owned().into())
        }
        Value::String(value) => Kind::String(value.into()),
        Value::Sequence(items) => {
            Kind::Sequence(items.into_iter().map(|item| place(item, text)).collect())
        }
        Value::Mapping(entries) => Kind::Mapping(
            entries
                .into_iter()
                .map(|(key, value)| {
                    let span = span_of(&key, text);
                    (Key { span, name: key.value.into() }, place(value, text))
                })
                .collect(),
        ),
    };
    Node { span, kind }
}

fn span_of<T>(value: &Spanned<T>, text: &str) -> Span {
    let span = value.referenced.span();
    let start = floor(text, span.byte_offset().unwrap_or(0) as usize);
    let end = floor(text, start + span.byte_len().unwrap_or(0) as usize);
    Span { start: start as u32, end: end.max(start) as u32 }
}
