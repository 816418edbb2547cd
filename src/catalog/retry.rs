//! `retry:` of a rule or a category.

use std::time::Duration;

use super::fields::Reader;
use crate::problem::{Code, Problem};
use crate::rule::model::RetryRule;
use crate::rule::words::{Alternative, RetryVerdict, Scope};
use crate::yaml::node::Node;

const RETRY_KEYS: &[&str] =
    &["verdict", "scope", "wait", "resets", "alternatives", "if_idempotent", "base", "cap"];

/// First and longest delay of a backoff schedule that says nothing else.
pub(crate) const DEFAULT_BASE: Duration = Duration::from_secs(1);
pub(crate) const DEFAULT_CAP: Duration = Duration::from_secs(60);

pub(crate) fn retry(reader: &mut Reader, node: &Node) -> Option<RetryRule> {
    let fields = reader.mapping(node, "`retry`", RETRY_KEYS)?;
    let verdict = reader.require(&fields, "verdict", "`retry`")?;
    let verdict =
        reader.word(verdict, "retry verdict", Code::UnknownValue, RetryVerdict::ALL, |word| {
            word.as_str()
        })?;
    let wait = match fields.get("wait") {
        Some(node) => reader.texts(node),
        None => ["header", "retry_after", "reset_at"].map(Into::into).to_vec(),
    };
    let alternatives = match fields.get("alternatives") {
        Some(node) => reader
            .list(node, "alternatives")
            .iter()
            .filter_map(|node| {
                reader.word(node, "alternative", Code::UnknownValue, Alternative::ALL, |word| {
                    word.as_str()
                })
            })
            .collect(),
        None => Vec::new(),
    };
    let resets = fields.get("resets").and_then(|node| {
        let text = reader.text(node)?;
        let valid = text.split_once('@').is_some_and(|(every, zone)| {
            ["hourly", "daily", "weekly", "monthly"].contains(&every) && !zone.is_empty()
        });
        if !valid {
            let message = format!("`{text}` does not say when a quota starts anew");
            reader.report(
                Problem::new(Code::BadTime, node.span, message)
                    .help("such as daily@UTC or monthly@America/Los_Angeles"),
            );
        }
        valid.then(|| text.into())
    });
    let base = fields.get("base").and_then(|node| reader.duration(node));
    let cap = fields.get("cap").and_then(|node| reader.duration(node));
    Some(RetryRule {
        verdict,
        scope: reader.word_of(&fields, "scope", Scope::ALL, Scope::as_str),
        wait,
        resets,
        alternatives,
        if_idempotent: fields
            .get("if_idempotent")
            .and_then(|node| reader.boolean(node))
            .unwrap_or(false),
        base: base.unwrap_or(DEFAULT_BASE),
        cap: cap.unwrap_or(DEFAULT_CAP),
    })
}
