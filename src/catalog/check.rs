//! Checks over the whole catalogue: every name that is used must stand for something.

use std::collections::{HashMap, HashSet};

use super::fields::Reader;
use super::merge::Index;
use super::service::{LINKS, ServiceTable};
use crate::problem::{Code, Problem};
use crate::rule::Rule;
use crate::verdict::template;
use crate::yaml::node::Span;

/// Values that every event may have, for texts.
pub(super) const BUILTIN_VALUES: &[&str] =
    &["http_status", "code", "grpc_status", "exit_code", "signal", "retry_after", "reset_at"];

/// Sources of a wait that every event may have.
const WAITS: &[&str] = &["header", "retry_after", "reset_at"];

/// What names can stand for.
pub(super) struct Names<'n> {
    /// Former ids, sorted, to rules.
    pub(super) renamed: &'n [(Box<str>, usize)],
    pub(super) disabled: &'n [Box<str>],
    pub(super) services: &'n ServiceTable,
    pub(super) index: &'n Index,
}

/// `rules` are in the order of their ids.
pub(super) fn check(rules: &mut [Rule], names: &Names<'_>, reader: &mut Reader) {
    let index = names.index;
    let disabled: HashSet<&str> = names.disabled.iter().map(|id| &**id).collect();
    let known = |id: &str| index.get(id).is_some() || disabled.contains(id);
    for rule in &*rules {
        for (field, ids) in [("supersedes", &rule.supersedes), ("related", &rule.related)] {
            for id in ids {
                if !known(id) {
                    let message = format!("`{field}` names `{id}`, and there is no such rule");
                    reader.report(
                        Problem::new(Code::DanglingReference, origin(rule, field), message)
                            .did_you_mean(id, index.ids()),
                    );
                }
            }
        }
        for example in &rule.counterexamples {
            if let Some(id) = example.instead.as_deref()
                && id != "none"
                && !known(id)
            {
                let message = format!("`instead` names `{id}`, and there is no such rule");
                reader.report(
                    Problem::new(Code::DanglingReference, example.span, message)
                        .did_you_mean(id, index.ids()),
                );
            }
        }
        services(rule, names.services, reader);
        placeholders(rule, reader);
    }
    cycles(rules, names.renamed, reader);
    // From here on `supersedes` holds present ids, in order.
    let resolve: HashMap<Box<str>, Box<str>> =
        names.renamed.iter().map(|(old, at)| (old.clone(), rules[*at].id.clone())).collect();
    for rule in rules {
        for id in rule.supersedes.iter_mut().chain(&mut rule.related) {
            if let Some(new) = resolve.get(id) {
                *id = new.clone();
            }
        }
    }
}

/// The place that set `field`, else where the rule stands.
pub(super) fn origin(rule: &Rule, field: &str) -> Span {
    rule.origins.iter().find(|(name, _)| &**name == field).map_or(rule.span, |(_, span)| *span)
}

fn services(rule: &Rule, table: &ServiceTable, reader: &mut Reader) {
    let unknown = |id: &str, field: &str, reader: &mut Reader| {
        let message = format!("`{id}` is not a service of the catalogue");
        reader.report(
            Problem::new(Code::UnknownService, origin(rule, field), message)
                .did_you_mean(id, table.ids()),
        );
    };
    if let Some(id) = &rule.service
        && table.find(id).is_none()
    {
        unknown(id, "service", reader);
    }
    let gates = std::iter::once((&rule.when, "when"))
        .chain(rule.blocks.iter().map(|block| (&block.when, "match")));
    for (when, field) in gates {
        let mut products = Vec::new();
        for id in &when.service {
            match table.find(id) {
                Some(at) => {
                    products.extend(table.list.get(at).products.iter().map(|product| &*product.id))
                }
                None => unknown(id, field, reader),
            }
        }
        for id in &when.product {
            if !products.contains(&&**id) {
                let message = format!("`{id}` is not a product of the services of this gate");
                reader.report(
                    Problem::new(Code::UnknownProduct, origin(rule, field), message)
                        .did_you_mean(id, products.iter().copied()),
                );
            }
        }
    }
}

fn placeholders(rule: &Rule, reader: &mut Reader) {
    let lists: [(&str, Vec<&str>); 4] = [
        ("title", vec![&rule.title]),
        ("summary", rule.summary.iter().map(|text| &**text).collect()),
        ("causes", rule.causes.iter().map(|text| &**text).collect()),
        ("remedies", rule.remedies.iter().flat_map(|r| &r.text).map(|text| &**text).collect()),
    ];
    for (field, texts) in lists {
        for name in texts.iter().flat_map(|text| template::placeholders(text)) {
            let link = name.strip_prefix("service.");
            let known = name == "service"
                || link.is_some_and(|link| LINKS.contains(&link))
                || BUILTIN_VALUES.contains(&name)
                || rule.extract.iter().any(|extract| &*extract.name == name);
            if known {
                continue;
            }
            let message = format!("`{{{name}}}` in `{field}` stands for nothing");
            let mut words: Vec<String> =
                BUILTIN_VALUES.iter().map(|name| (*name).to_owned()).collect();
            words.extend(rule.extract.iter().map(|extract| extract.name.to_string()));
            words.extend(LINKS.iter().map(|link| format!("service.{link}")));
            reader.report(
                Problem::new(Code::UnknownPlaceholder, origin(rule, field), message)
                    .did_you_mean(name, words.iter().map(String::as_str)),
            );
        }
    }
    for name in &rule.retry.wait {
        let known =
            WAITS.contains(&&**name) || rule.extract.iter().any(|extract| extract.name == *name);
        if !known {
            let message = format!("`wait` names `{name}`, and no value has this name");
            reader.report(
                Problem::new(Code::UnknownPlaceholder, origin(rule, "retry"), message)
                    .did_you_mean(
                        name,
                        WAITS.iter().copied().chain(rule.extract.iter().map(|e| &*e.name)),
                    ),
            );
        }
    }
}

/// Rules that supersede one another in a circle.
fn cycles(rules: &[Rule], renamed: &[(Box<str>, usize)], reader: &mut Reader) {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let at = |id: &str| {
        let renamed = |_| renamed.iter().find(|(old, _)| **old == *id).map(|(_, at)| *at).ok_or(());
        rules.binary_search_by(|rule| (*rule.id).cmp(id)).or_else(renamed).ok()
    };
    let mut marks = vec![Mark::New; rules.len()];
    for root in 0..rules.len() {
        // Depth first, without recursion: (rule, next of its list to visit).
        let mut stack = vec![(root, 0)];
        while let Some(&mut (rule, ref mut next)) = stack.last_mut() {
            if marks[rule] == Mark::Done {
                stack.pop();
                continue;
            }
            marks[rule] = Mark::Open;
            let list = &rules[rule].supersedes;
            match list.get(*next) {
                Some(id) => {
                    *next += 1;
                    match at(id) {
                        Some(other) if marks[other] == Mark::Open => {
                            let (rule, other) = (&rules[rule], &rules[other]);
                            let message = format!(
                                "`{}` and `{}` supersede each other in a circle",
                                other.id, rule.id
                            );
                            reader.report(
                                Problem::new(
                                    Code::ReferenceCycle,
                                    origin(rule, "supersedes"),
                                    message,
                                )
                                .label("closes the circle")
                                .also(other.span, "through this rule"),
                            );
                        }
                        Some(other) if marks[other] == Mark::New => stack.push((other, 0)),
                        _ => {}
                    }
                }
                None => {
                    marks[rule] = Mark::Done;
                    stack.pop();
                }
            }
        }
    }
}
