//! The table of contexts in which text states a fact, from `rules/facts.yaml`.
//!
//! A number in prose is a status only in such a context. The table is normative: both engines
//! read facts through it, and its own cases (`facts.cases`) are tested like a rule's examples.

use serde::{Deserialize, Serialize};
use std::time::Duration;

use super::codes::KEY_PARTS;
use super::text::{EVERYWHERE, Range};
use super::values;
use crate::catalog::extract::part;
use crate::catalog::fields::Reader;
use crate::engine::literals;
use crate::engine::pattern::{Lazily, Pattern};
use crate::engine::signatures::Shape;
use crate::frozen::Lazy;
use crate::problem::{Code, Problem};
use crate::rule::model::{Signature, SignatureKind};
use crate::yaml::node::{Kind, Node};

/// What a context states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Subject {
    HttpStatus,
    GrpcStatus,
    ExitCode,
    Signal,
    Code,
    RetryAfter,
    ResetAt,
}

impl Subject {
    /// Waits are read when a rule has matched: no condition asks for them.
    pub(crate) fn is_wait(self) -> bool {
        matches!(self, Subject::RetryAfter | Subject::ResetAt)
    }
}

const SUBJECTS: &[(&str, Subject)] = &[
    ("http_status", Subject::HttpStatus),
    ("grpc_status", Subject::GrpcStatus),
    ("exit_code", Subject::ExitCode),
    ("signal", Subject::Signal),
    ("code", Subject::Code),
    ("retry_after", Subject::RetryAfter),
    ("reset_at", Subject::ResetAt),
];

/// One row: a regex with one group, which is the value.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Context {
    pub(crate) subject: Subject,
    pub(crate) signature: Signature,
    /// One of these is in every text that it matches, in lower case.
    pub(crate) literals: Vec<Vec<u8>>,
    pub(crate) shape: Shape,
    /// Read from a field of structured text rather than from prose.
    pub(crate) field: bool,
    /// The key of the field is `code`: a service's code table may claim the number.
    pub(crate) claimable: bool,
    pub(crate) unit: Option<Duration>,
    /// Seconds east of UTC that a time counts in which names no zone.
    pub(crate) zone: i32,
    /// Put before the value of a code: `SQLSTATE-`.
    pub(crate) prefix: Box<str>,
    regex: Lazily,
}

impl Context {
    /// Compiled on first use: most contexts never fire.
    pub(crate) fn regex(&self) -> Option<Pattern<'_>> {
        self.regex.get(&self.signature.pattern, self.signature.case_sensitive)
    }
}

/// A text and the facts that stand in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Case {
    /// The text.
    pub text: Box<str>,
    /// HTTP statuses, in order.
    pub http_status: Option<Vec<u16>>,
    /// gRPC statuses by number.
    pub grpc_status: Option<Vec<u8>>,
    /// Exit codes.
    pub exit_code: Option<Vec<i32>>,
    /// Signals by number.
    pub signal: Option<Vec<u8>>,
    /// Codes that must be read.
    pub codes: Option<Vec<Box<str>>>,
    /// Wait in milliseconds; `Some(None)`: none may be read.
    pub retry_after: Option<Option<Duration>>,
}

/// All contexts and the keys that name codes.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub(crate) struct FactTable {
    pub(crate) contexts: Lazy<Context>,
    /// Keys whose value is a code even unquoted: `code`, `errcode`.
    pub(crate) hard_keys: Vec<Box<str>>,
    /// Keys whose value is a code only as a field: `type`, `status`, `reason`, `error`.
    pub(crate) soft_keys: Vec<Box<str>>,
    pub(crate) cases: Lazy<Case>,
    /// First letters and lengths of all keys, as bits: most words before a `:` are none.
    first_letters: u32,
    lengths: u64,
}

impl FactTable {
    /// All contexts, each with where it may stand: anywhere.
    pub(crate) fn everywhere(&self) -> impl Iterator<Item = (usize, Range)> + use<> {
        (0..self.contexts.len()).map(|index| (index, EVERYWHERE))
    }

    /// Whether a key may begin with this byte and have so many letters.
    pub(crate) fn may_be_key(&self, first: u8, letters: usize) -> bool {
        let letter = first.to_ascii_lowercase().wrapping_sub(b'a');
        letter < 26
            && self.first_letters >> letter & 1 != 0
            && letters < 64
            && self.lengths >> letters & 1 != 0
    }

    /// A table of nothing but keys.
    #[cfg(test)]
    pub(crate) fn with_keys(hard: &[&str], soft: &[&str]) -> FactTable {
        let list = |keys: &[&str]| keys.iter().map(|&key| key.into()).collect();
        let mut table =
            FactTable { hard_keys: list(hard), soft_keys: list(soft), ..FactTable::default() };
        table.note_keys();
        table
    }

    /// Keeps what `may_be_key` asks for up to date.
    fn note_keys(&mut self) {
        for key in self.hard_keys.iter().chain(&self.soft_keys) {
            let first = key.bytes().next().unwrap_or(b'a').wrapping_sub(b'a');
            self.first_letters |= 1 << first.min(25);
            self.lengths |= 1 << key.len().min(63);
        }
    }

    /// Reads a `facts:` mapping; several add up, but one that stands `alone` replaces those before.
    pub(crate) fn read(&mut self, node: &Node, reader: &mut Reader) {
        let mut keys: Vec<&'static str> = SUBJECTS.iter().map(|&(name, _)| name).collect();
        keys.extend(["alone", "hard_keys", "soft_keys", "cases"]);
        let Some(fields) = reader.mapping(node, "`facts`", &keys) else { return };
        if let Some(node) = fields.get("alone")
            && reader.boolean(node) == Some(true)
        {
            *self = FactTable::default();
        }
        for &(name, subject) in SUBJECTS {
            let Some(node) = fields.get(name) else { continue };
            for node in reader.list(node, "contexts") {
                if let Some(context) = context(node, subject, reader)
                    && !self.contexts.iter().any(|old| old.same(&context))
                {
                    self.contexts.push(context);
                }
            }
        }
        for (name, list) in [("hard_keys", &mut self.hard_keys), ("soft_keys", &mut self.soft_keys)]
        {
            if let Some(node) = fields.get(name) {
                for key in reader.texts(node) {
                    if !KEY_PARTS.iter().any(|part| key.contains(part)) {
                        let message = format!("the key `{key}` contains none of {KEY_PARTS:?}");
                        reader.report(Problem::new(Code::BadSignature, node.span, message));
                    }
                    list.push(key);
                }
                list.sort();
                list.dedup();
            }
        }
        self.note_keys();
        if let Some(node) = fields.get("cases") {
            for node in reader.list(node, "cases") {
                if let Some(case) = case(node, reader) {
                    self.cases.push(case);
                }
            }
        }
    }
}

impl Context {
    fn same(&self, other: &Context) -> bool {
        self.subject == other.subject && self.signature == other.signature
    }
}

/// Whether a `facts:` mapping replaces those of lower layers.
pub(crate) fn is_alone(node: &Node) -> bool {
    matches!(&node.kind, Kind::Mapping(entries)
        if entries.iter().any(|(key, node)| key.name == "alone" && node.kind == Kind::Bool(true)))
}

fn context(node: &Node, subject: Subject, reader: &mut Reader) -> Option<Context> {
    let keys = ["regex", "from", "claimable", "unit", "zone", "case", "prefix"];
    let fields = reader.mapping(node, "a context", &keys)?;
    let pattern_node = reader.require(&fields, "regex", "a context")?;
    let pattern = reader.text(pattern_node)?;
    let case_sensitive = match fields.get("case") {
        Some(node) => reader.text(node)? == "sensitive",
        None => false,
    };
    let signature =
        Signature { kind: SignatureKind::Regex, pattern: pattern.into(), case_sensitive };
    let checked = literals::checked_regex(pattern)
        .map_err(|message| (Code::BadRegex, message))
        .and_then(|info| match info.groups {
            1 => literals::required_with_shape(&signature),
            n => Err((Code::BadExtract, format!("the regex has {n} capture groups, not one"))),
        });
    let (literals, shape) = match checked {
        Ok(found) => found,
        Err((code, message)) => {
            reader.report(Problem::new(code, pattern_node.span, message));
            return None;
        }
    };
    let field = match fields.get("from") {
        Some(node) => reader.text(node)? == "field",
        None => false,
    };
    let claimable = fields.get("claimable").and_then(|node| reader.boolean(node)).unwrap_or(false);
    let unit = part(reader, &fields, "unit", values::unit, "ms, s, min, h, d");
    let zone = part(reader, &fields, "zone", values::zone, "+08:00, -05:30").unwrap_or(0);
    let prefix = fields.get("prefix").and_then(|node| reader.text(node)).unwrap_or_default();
    Some(Context {
        subject,
        signature,
        literals,
        shape,
        field,
        claimable,
        unit,
        zone,
        prefix: prefix.into(),
        regex: Lazily::default(),
    })
}

fn case(node: &Node, reader: &mut Reader) -> Option<Case> {
    let keys = ["text", "http_status", "grpc_status", "exit_code", "signal", "code", "retry_after"];
    let fields = reader.mapping(node, "a case", &keys)?;
    let text = reader.require(&fields, "text", "a case").and_then(|node| reader.text(node))?;
    let items = |name: &str| {
        fields.get(name).map(|node| match &node.kind {
            Kind::Sequence(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        })
    };
    let mut parse = |name: &str| -> Option<Vec<&str>> {
        Some(items(name)?.iter().filter_map(|node| reader.scalar(node)).collect())
    };
    let wait = parse("retry_after");
    Some(Case {
        text: text.into(),
        http_status: parse("http_status")
            .map(|list| list.iter().filter_map(|text| text.parse().ok()).collect()),
        grpc_status: parse("grpc_status")
            .map(|list| list.iter().filter_map(|text| values::grpc_status(text)).collect()),
        exit_code: parse("exit_code")
            .map(|list| list.iter().filter_map(|text| text.parse().ok()).collect()),
        signal: parse("signal")
            .map(|list| list.iter().filter_map(|text| values::signal(text)).collect()),
        codes: parse("code").map(|list| list.into_iter().map(Into::into).collect()),
        retry_after: wait.map(|list| list.first().and_then(|text| values::duration(text, None))),
    })
}
