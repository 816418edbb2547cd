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
    let help = HELP.iter().find(|(part, _)| lower.contains(part)).map(|&(_, help)| help);
    let message = message.trim_end_matches([':', '.', ' ']).to_owned();
    SyntaxError { message, span: refined(span, &lower, text), help }
}

/// What to do, by a part of the YAML crate's message in lower case.
const HELP: &[(&str, &str)] = &[
    ("anchor", NO_ANCHORS),
    ("alias", NO_ANCHORS),
    ("merge", NO_ANCHORS),
    ("duplicate", "every key may stand once in a mapping; lists hold several values"),
    ("depth", TOO_DEEP),
    ("nesting", TOO_DEEP),
    ("recursion", TOO_DEEP),
    ("tab", "indent with spaces"),
    ("unknown escape", "write it in single quotes: they keep backslashes as they are"),
    (
        "trailing content after",
        "a quote further up may not be closed; within double quotes write `\\\"`",
    ),
    ("expected '-'", "the keys of one mapping, and the `-` of one list, begin in the same column"),
    ("only valid inside a block", "a `{`, `[` or quote further up may not be closed"),
    ("flow", "a `{`, `[` or quote further up may not be closed"),
    (
        "simple key expected",
        "write `key: value`, or indent the text under the key that it belongs to",
    ),
    ("simple key", QUOTE),
    ("mapping values", QUOTE),
    ("unexpected character", "quote strings that begin with a special character"),
];
const NO_ANCHORS: &str =
    "anchors, aliases and merge keys are refused in rule files; use `extends` or `lists` instead";
const TOO_DEEP: &str = "no part of the rule language nests this deep";
const QUOTE: &str = "quote strings that contain `: ` or ` #`";

/// The YAML crate reports some mistakes where it notices them, not where they stand.
fn refined(span: Span, message: &str, text: &str) -> Span {
    let start = floor(text, span.start as usize);
    let line_end = |at: usize| text[at..].find('\n').map_or(text.len(), |length| at + length);
    let here = if message.contains("tab") {
        // The first line from here on that is indented with one.
        let line = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let lines = text[line..].split_inclusive('\n').scan(line, |at, line| {
            let start = *at;
            *at += line.len();
            Some((start, line))
        });
        lines.take(3).find_map(|(at, line)| {
            let blank = line.len() - line.trim_start().len();
            Some(at + line[..blank].find('\t')?)
        })
    } else if message.contains("anchor") || message.contains("alias") {
        // Noticed with what follows it, at the latest on the next line.
        let from = text[..start].rmatch_indices('\n').nth(1).map_or(0, |(at, _)| at + 1);
        let to = floor(text, start + 1);
        [" &", " *"]
            .iter()
            .filter_map(|mark| text[from..to].rfind(mark))
            .max()
            .map(|at| from + at + 1)
    } else {
        None
    };
    match here {
        Some(at) => Span { start: at as u32, end: line_end(at) as u32 },
        None => span,
    }
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
