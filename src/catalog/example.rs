//! The examples and counterexamples of a rule.

use super::fields::Reader;
use crate::problem::{Code, Problem};
use crate::rule::model::{Example, ExampleFacts};
use crate::rule::words::RetryVerdict;
use crate::yaml::node::{Kind, Node};

pub(super) const EXAMPLE_KEYS: &[&str] = &[
    "text",
    "http_status",
    "grpc_status",
    "exit_code",
    "signal",
    "code",
    "service",
    "product",
    "headers",
    "values",
    "retry",
    "source",
];
pub(super) const COUNTEREXAMPLE_KEYS: &[&str] = &[
    "text",
    "http_status",
    "grpc_status",
    "exit_code",
    "signal",
    "code",
    "service",
    "product",
    "headers",
    "instead",
    "source",
];

pub(super) fn example(reader: &mut Reader, node: &Node, keys: &[&'static str]) -> Option<Example> {
    let fields = reader.mapping(node, "an example", keys)?;
    let mut facts = ExampleFacts::default();
    if let Some(node) = fields.get("http_status") {
        facts.http_status = reader.number(node, 100..=999).map(|status| status as u16);
    }
    let scalar = |reader: &mut Reader, name| {
        fields.get(name).and_then(|node| reader.scalar(node)).map(Into::into)
    };
    facts.grpc_status = scalar(reader, "grpc_status");
    facts.signal = scalar(reader, "signal");
    facts.service = scalar(reader, "service");
    facts.product = scalar(reader, "product");
    if let Some(node) = fields.get("exit_code") {
        let bounds = i64::from(i32::MIN)..=i64::from(u32::MAX);
        facts.exit_code = reader.number(node, bounds).map(|code| code as i32);
    }
    if let Some(node) = fields.get("code") {
        let nodes = reader.one_or_more(node, "codes");
        facts.codes = nodes.iter().filter_map(|n| reader.scalar(n)).map(Into::into).collect();
    }
    let pairs = |reader: &mut Reader, name| match fields.get(name).map(|node| (node, &node.kind)) {
        Some((_, Kind::Mapping(entries))) => entries
            .iter()
            .filter_map(|(key, node)| Some(((&*key.name).into(), reader.scalar(node)?.into())))
            .collect::<Vec<(Box<str>, Box<str>)>>(),
        Some((node, _)) => {
            reader.wrong_type(node, "names with values (a mapping)");
            Vec::new()
        }
        None => Vec::new(),
    };
    facts.headers = pairs(reader, "headers");
    let values = pairs(reader, "values").into_iter().collect();
    let text: Box<str> =
        fields.get("text").and_then(|node| reader.text(node)).unwrap_or_default().into();
    let has_fact = ["text", "http_status", "grpc_status", "exit_code", "signal", "code"]
        .iter()
        .any(|name| fields.get(name).is_some());
    if !has_fact {
        let message = "an example needs a `text` or a fact such as `http_status`";
        reader.report(Problem::new(Code::MissingKey, node.span, message));
    }
    Some(Example {
        text,
        facts,
        values,
        retry: reader.word_of(&fields, "retry", RetryVerdict::ALL, RetryVerdict::as_str),
        source: fields.get("source").and_then(|node| reader.boxed(node)),
        instead: fields.get("instead").and_then(|node| reader.boxed(node)),
        span: node.span,
    })
}
