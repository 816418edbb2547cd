//! Blocks of `match`: conditions that must hold, and what narrows them.

use super::fields::{Fields, Reader};
use super::lists::Lists;
use super::signature::{excluding, searched, signatures};
use crate::engine::required::text_literals;
use crate::facts::values;
use crate::problem::{Code, Problem};
use crate::rule::model::{Block, Conditions, Range, When};
use crate::yaml::node::Node;

/// Kinds of conditions.
pub(super) const CONDITION_KEYS: &[&str] =
    &["any", "all", "code", "http_status", "grpc_status", "exit_code", "signal"];
const BLOCK_KEYS: &[&str] = &[
    "any",
    "all",
    "none",
    "code",
    "http_status",
    "grpc_status",
    "exit_code",
    "signal",
    "when",
    "weak",
    "coarse",
];

/// Reads a block. `lists` are what its signatures may name.
pub(super) fn block(reader: &mut Reader, node: &Node, lists: &Lists) -> Option<Block> {
    let fields = reader.mapping(node, "a block of `match`", BLOCK_KEYS)?;
    let conditions = conditions(reader, &fields, lists);
    if conditions.is_empty() && CONDITION_KEYS.iter().all(|key| fields.get(key).is_none()) {
        let message = "the block has no condition that makes it match";
        reader.report(
            Problem::new(Code::NoPositiveCondition, node.span, message)
                .help("`none` and `when` only narrow: add `any`, `all`, `code` or a status"),
        );
    }
    Some(Block {
        when: fields.get("when").and_then(|node| when(reader, node)).unwrap_or_default(),
        none: fields.get("none").map(|node| excluding(reader, node, lists)).unwrap_or_default(),
        weak: fields.get("weak").and_then(|node| reader.boolean(node)).unwrap_or(false),
        coarse: fields.get("coarse").and_then(|node| reader.boolean(node)).unwrap_or(false),
        conditions,
    })
}

/// Reads the conditions among `fields`.
pub(super) fn conditions(reader: &mut Reader, fields: &Fields<'_>, lists: &Lists) -> Conditions {
    let mut conditions = Conditions::default();
    if let Some(node) = fields.get("any") {
        conditions.any = searched(reader, node, lists);
    }
    if let Some(node) = fields.get("all") {
        conditions.all = signatures(reader, node);
    }
    if let Some(node) = fields.get("code") {
        for node in reader.one_or_more(node, "codes") {
            if let Some(code) = reader.scalar(node) {
                conditions.code.push(code.trim().into());
            }
        }
    }
    if let Some(node) = fields.get("http_status") {
        for node in reader.one_or_more(node, "statuses") {
            conditions.http_status.extend(status_range(reader, node));
        }
    }
    if let Some(node) = fields.get("grpc_status") {
        for node in reader.one_or_more(node, "gRPC statuses") {
            let number = reader.scalar(node).map(values::grpc_status);
            match number {
                Some(Some(number)) => conditions.grpc_status.push(number),
                Some(None) => unknown_value(reader, node, "gRPC status", values::GRPC_NAMES),
                None => {}
            }
        }
    }
    if let Some(node) = fields.get("exit_code") {
        for node in reader.one_or_more(node, "exit codes") {
            let bounds = i64::from(i32::MIN)..=i64::from(u32::MAX);
            conditions.exit_code.extend(reader.number(node, bounds).map(|code| code as i32));
        }
    }
    if let Some(node) = fields.get("signal") {
        for node in reader.one_or_more(node, "signals") {
            match reader.scalar(node).map(values::signal) {
                Some(Some(number)) => conditions.signal.push(number),
                Some(None) => unknown_value(reader, node, "signal", values::SIGNAL_NAMES),
                None => {}
            }
        }
    }
    conditions
}

fn unknown_value(reader: &mut Reader, node: &Node, what: &str, names: &[(&'static str, u8)]) {
    let text = reader.scalar(node).unwrap_or_default().to_owned();
    let message = format!("`{text}` is not a {what}");
    reader.report(
        Problem::new(Code::UnknownValue, node.span, message)
            .did_you_mean(&text, names.iter().map(|&(name, _)| name)),
    );
}

/// `429`, `"5xx"`, `"520-527"`.
fn status_range(reader: &mut Reader, node: &Node) -> Option<Range> {
    let text = reader.scalar(node)?;
    let number = |text: &str| text.trim().parse().ok().filter(|n| (100..=999).contains(n));
    let range = match text.split_once('-') {
        Some((first, last)) => number(first).zip(number(last)),
        None => match text.strip_suffix("xx").or_else(|| text.strip_suffix("XX")) {
            Some(class) => number(&format!("{class}00")).map(|first| (first, first + 99)),
            None => number(text).map(|status| (status, status)),
        },
    };
    match range {
        Some((first, last)) if first <= last => Some(Range { first, last }),
        _ => {
            let message = format!("`{text}` is not an HTTP status");
            reader.report(
                Problem::new(Code::BadNumber, node.span, message)
                    .help("a status (429), a class (\"5xx\") or a range (\"520-527\")"),
            );
            None
        }
    }
}

pub(super) fn when(reader: &mut Reader, node: &Node) -> Option<When> {
    let fields = reader.mapping(node, "`when`", &["service", "product"])?;
    let mut list = |name| match fields.get(name) {
        Some(node) => {
            reader.one_or_more(node, "ids").iter().filter_map(|node| reader.boxed(node)).collect()
        }
        None => Vec::new(),
    };
    Some(When { service: list("service"), product: list("product") })
}

/// A number means nothing without its owner, and a code of two letters neither.
pub(super) fn check_numeric_codes(
    reader: &mut Reader,
    fields: &Fields<'_>,
    blocks: &[Block],
    when: &When,
) {
    for block in blocks {
        if !when.service.is_empty() || !block.when.service.is_empty() {
            continue;
        }
        let unclear = |code: &&str| {
            code.bytes().all(|byte| byte.is_ascii_digit()) || text_literals(code).is_empty()
        };
        if let Some(code) = block.conditions.code.iter().map(|code| &**code).find(unclear) {
            let span = fields.get("match").map_or(fields.span, |node| node.span);
            let message = match code.bytes().all(|byte| byte.is_ascii_digit()) {
                true => format!("code {code} is a number without a service"),
                false => format!("code `{code}` is too short to mean anything without a service"),
            };
            let status = code.parse().is_ok_and(|number: u16| (100..=599).contains(&number));
            reader.report(Problem::new(Code::NumericCodeWithoutService, span, message).help(
                match status {
                    true => "add `when: { service: [...] }`; a status goes under `http_status`",
                    false => "add `when: { service: [...] }` to the rule or to the block",
                },
            ));
        }
    }
}
