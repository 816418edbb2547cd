//! Lints: rules that load, and are likely a mistake.

use std::collections::HashSet;

use super::Catalog;
use super::check::origin;
use super::fields::Reader;
use crate::engine::literals;
use crate::engine::required::{POOR, rarity};
use crate::problem::{Code, Problem};
use crate::rule::Rule;
use crate::rule::model::{Block, Conditions, Example, Signature, SignatureKind};
use crate::rule::words::{Category, Layer, RetryVerdict, Status};
use crate::verdict::template;
use crate::yaml::node::Span;

/// Causes that no retry mends.
const NO_RETRY: &[Category] = &[
    Category::AuthenticationFailed,
    Category::PermissionDenied,
    Category::InvalidRequest,
    Category::InputTooLarge,
    Category::ContentFiltered,
    Category::ConfigError,
    Category::VersionMismatch,
    Category::Retired,
];

/// Phrases that errors of every kind print.
const VAGUE: &[&str] = &[
    "error",
    "failed",
    "failure",
    "exception",
    "an error occurred",
    "something went wrong",
    "please try again later",
    "please try again",
    "try again later",
    "internal error",
    "unknown error",
    "request failed",
    "unexpected error",
    "permission denied",
    "access denied",
    "not found",
    "timeout",
    "timed out",
    "invalid",
    "forbidden",
    "unauthorized",
    "bad request",
];

/// Shortest text signature that is not inside of harmless words.
const SHORT: usize = 5;

pub(super) fn lint(catalog: &Catalog, layers: &[Layer]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let asserted = asserted(catalog);
    for rule in catalog.rules().filter(|rule| layers.contains(&rule.layer)) {
        // Rows of code tables are made from one: the table is their source and example.
        let row =
            rule.origins.iter().any(|(field, span)| &**field == "match" && *span == rule.span);
        let mut add = |code: Code, field: &str, message: String| {
            problems.push(Problem::new(code, origin(rule, field), message));
        };
        proof(rule, row, &asserted, &mut add);
        texts(rule, catalog, &mut add);
        signatures(rule, &mut add);
        let harmful = matches!(rule.retry.verdict, RetryVerdict::Backoff | RetryVerdict::After)
            && NO_RETRY.contains(&rule.category);
        if harmful {
            let message =
                format!("`{}` advises `{}` on {}", rule.id, rule.retry.verdict, rule.category);
            add(Code::HarmfulRetry, "retry", message);
        }
    }
    problems
}

/// Sources and examples.
fn proof(
    rule: &Rule,
    row: bool,
    asserted: &HashSet<(Span, &str)>,
    add: &mut impl FnMut(Code, &str, String),
) {
    let stable = rule.status == Status::Stable;
    let id = &rule.id;
    if stable && rule.references.is_empty() {
        add(Code::MissingReference, "id", format!("stable rule `{id}` names no source"));
    }
    if stable && !row && !rule.examples.iter().any(|example| example.source.is_some()) {
        let message = format!("no example of the stable rule `{id}` has a source");
        add(Code::UnsourcedExample, "examples", message);
    }
    let wanted = if stable && !row { 2 } else { 1 };
    if rule.examples.len() < wanted {
        let count = rule.examples.len();
        let message = format!("`{id}` has {count} of at least {wanted} examples");
        add(Code::MissingExample, "examples", message);
    }
    if stable && !row && rule.counterexamples.is_empty() {
        let message = format!("stable rule `{id}` has no counterexample");
        add(Code::MissingCounterexample, "counterexamples", message);
    }
    let bare = |example: &Example| {
        texts_of(rule).any(|text| text.eq_ignore_ascii_case(example.text.trim()))
    };
    if !row && rule.examples.iter().any(bare) {
        let message = format!("an example of `{id}` is only the signature");
        add(Code::ExampleIsSignature, "examples", message);
    } else if !row
        && !rule.examples.is_empty()
        && rule.examples.iter().all(|example| hardly_more(rule, example))
    {
        let message = format!("the examples of `{id}` are its signatures in a frame");
        add(Code::ExampleIsSignature, "examples", message);
    }
    for extract in &rule.extract {
        // Inherited extractors are asserted once, by any of the rules that share them.
        if !row && !asserted.contains(&(origin(rule, "extract"), &*extract.name)) {
            let message = format!("no example of `{id}` asserts `{}`", extract.name);
            add(Code::UnassertedValue, "extract", message);
        }
    }
}

/// Words that any log puts around a message.
const FRAME: &[&str] = &[
    "attempt",
    "code",
    "critical",
    "detail",
    "error",
    "exception",
    "fatal",
    "info",
    "level",
    "log",
    "message",
    "msg",
    "severe",
    "severity",
    "time",
    "timestamp",
    "ts",
    "warn",
    "warning",
    "worker",
];

/// Whether an example proves no more than that the signature is found in itself: neither printed
/// somewhere, nor anything around the signature but a frame.
fn hardly_more(rule: &Rule, example: &Example) -> bool {
    let text = example.text.to_ascii_lowercase();
    example.source.is_none()
        && texts_of(rule).any(|signature| {
            let Some((before, after)) = text.split_once(&signature.to_ascii_lowercase()) else {
                return false;
            };
            let words =
                [before, after].into_iter().flat_map(|s| s.split(|c: char| !c.is_alphabetic()));
            words.filter(|word| !FRAME.contains(word)).map(str::len).sum::<usize>() < 4
        })
}

/// What the rule looks for, regexes left out.
fn texts_of(rule: &Rule) -> impl Iterator<Item = &str> {
    let conditions = rule.blocks.iter().map(|block| &block.conditions);
    conditions
        .flat_map(|conditions| conditions.any.iter().chain(&conditions.all))
        .filter(|signature| signature.kind != SignatureKind::Regex)
        .map(|signature| signature.pattern.trim())
}

/// Extractors, by place and name, whose value an example asserts.
fn asserted(catalog: &Catalog) -> HashSet<(Span, &str)> {
    let mut set = HashSet::new();
    for rule in catalog.rules() {
        for extract in &rule.extract {
            if rule.examples.iter().any(|example| example.values.contains_key(&extract.name)) {
                set.insert((origin(rule, "extract"), &*extract.name));
            }
        }
    }
    set
}

fn texts(rule: &Rule, catalog: &Catalog, add: &mut impl FnMut(Code, &str, String)) {
    let service = rule.service.as_deref().and_then(|id| catalog.service(id));
    let always = |name: &str| match name.strip_prefix("service.") {
        Some(link) => service.is_some_and(|service| service.link(link).is_some()),
        None if name == "http_status" => {
            rule.blocks.iter().all(|block| !block.conditions.http_status.is_empty())
        }
        None => name == "service",
    };
    let plain =
        |texts: &[Box<str>]| texts.iter().any(|text| template::placeholders(text).all(always));
    if !plain(&rule.summary) {
        let message = format!("`summary` of `{}` needs a value in each variant", rule.id);
        add(Code::NoPlainVariant, "summary", message);
    }
    if !rule.remedies.iter().any(|remedy| plain(&remedy.text)) {
        let message = format!("every remedy of `{}` needs a value that may be missing", rule.id);
        add(Code::NoPlainVariant, "remedies", message);
    }
}

fn signatures(rule: &Rule, add: &mut impl FnMut(Code, &str, String)) {
    for block in &rule.blocks {
        if block.weak && rule.corroborate.is_empty() {
            let message = format!("a weak block of `{}` can never be confirmed", rule.id);
            add(Code::WeakWithoutCorroboration, "match", message);
        }
        let by_text = block.conditions.code.is_empty()
            && block.conditions.http_status.is_empty()
            && block.conditions.grpc_status.is_empty()
            && block.conditions.exit_code.is_empty()
            && block.conditions.signal.is_empty();
        let alone = by_text && block.conditions.all.is_empty();
        costly(block, by_text, add);
        let gated = !rule.when.is_empty() || !block.when.is_empty();
        if !alone || block.weak || rule.fallback || gated {
            continue;
        }
        for signature in &block.conditions.any {
            let text = signature.pattern.trim().to_ascii_lowercase();
            if VAGUE.contains(&text.as_str()) {
                let message = format!("`{}` alone proves little", signature.pattern);
                add(Code::VagueSignature, "match", message);
            } else if signature.kind == SignatureKind::Text && text.len() < SHORT {
                let message = format!("`{}` is inside many words", signature.pattern);
                add(Code::ShortSignature, "match", message);
            }
        }
    }
}

/// Signatures that nominate a block, and would nominate healthy lines.
fn costly(block: &Block, by_text: bool, add: &mut impl FnMut(Code, &str, String)) {
    // A literal of the signature that healthy logs hold.
    let poor = |signature: &Signature| {
        let literals = literals::required(signature).unwrap_or_default();
        literals.into_iter().find(|literal| rarity(literal) < POOR)
    };
    let Conditions { any, all, .. } = &block.conditions;
    if !by_text || all.iter().any(|signature| poor(signature).is_none()) {
        return;
    }
    let any_is_poor = any.iter().any(|signature| poor(signature).is_some());
    let list = if !all.is_empty() && (any.is_empty() || any_is_poor) { all } else { any };
    for (signature, literal) in list.iter().filter_map(|s| Some((s, poor(s)?))) {
        let message = format!(
            "`{}` is looked for by `{}`, which healthy logs are full of",
            signature.pattern,
            String::from_utf8_lossy(&literal)
        );
        add(Code::CostlySignature, "match", message);
    }
}

/// Patches past their day: what each changes, its last day and where that stands. Uses the clock,
/// and changes no verdict.
pub(super) fn expired<'p>(
    patches: impl Iterator<Item = (&'p str, &'p (Box<str>, Span))>,
    reader: &mut Reader,
) {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().to_string();
    for (target, (date, span)) in patches {
        if **date < *today {
            let message = format!("the patch of `{target}` expired on {date}");
            reader.report(Problem::new(Code::ExpiredPatch, *span, message));
        }
    }
}
