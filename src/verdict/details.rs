//! What a verdict says of its event: read when it is asked for, since most verdicts are only counted.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::{ChainLink, Evidence, FactView, Outcome, Retry, RunnerUp};
use crate::catalog::Catalog;
use crate::chain::{self, Chain};
use crate::engine::Classifier;
use crate::engine::evaluate::{Match, Proof};
use crate::engine::program::{Program, RuleId};
use crate::engine::rank::DecidedBy;
use crate::event::Event;
use crate::facts::text::{self, Views};
use crate::facts::{Facts, Provenance, Value, Wait, values};
use crate::redact;
use crate::rule::Rule;

/// All strings are redacted.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Details {
    pub(super) evidence: Vec<Evidence>,
    pub(super) values: Vec<(Box<str>, Value)>,
    pub(super) retry: Retry,
    pub(super) runners_up: Vec<RunnerUp>,
    pub(super) facts: Vec<FactView>,
    pub(super) chain: Vec<ChainLink>,
    /// Where secrets stand in the text, in order, without overlaps.
    pub(super) secrets: Vec<Range<usize>>,
}

/// Details that are read once, on demand. What they are read from is given up then.
pub(super) struct Later {
    details: OnceLock<Details>,
    source: Mutex<Option<Source>>,
}

/// What details are read from. Nothing of it is shown as it stands.
#[derive(Default)]
struct Source {
    /// The text, and what else of the event details tell.
    event: Event<'static>,
    facts: Facts,
    chain: Option<Chain>,
}

impl Later {
    pub(super) fn new(event: &Event<'_>, facts: Facts, chain: Option<Chain>) -> Later {
        let source = Source { event: event.kept(), facts, chain };
        Later { details: OnceLock::new(), source: Mutex::new(Some(source)) }
    }

    pub(super) fn get(&self, classifier: &Classifier, outcome: &Outcome) -> &Details {
        self.details.get_or_init(|| {
            let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
            // Only here it is taken, and this is done once.
            let source = source.take().unwrap_or_default();
            Details::read(classifier, outcome, source)
        })
    }
}

/// Whatever it is read from: equal details are equal.
impl PartialEq for Later {
    fn eq(&self, other: &Later) -> bool {
        self.details.get() == other.details.get()
    }
}

/// What was read; the source stays behind.
impl Clone for Later {
    fn clone(&self) -> Later {
        Later { details: self.details.clone(), source: Mutex::default() }
    }
}

/// Never the source.
impl std::fmt::Debug for Later {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.details.get().fmt(f)
    }
}

impl Details {
    fn read(classifier: &Classifier, outcome: &Outcome, source: Source) -> Details {
        let (catalog, program) = (classifier.catalog(), classifier.program());
        let Source { event, mut facts, chain } = source;
        let (event, best) = (&event, &outcome.best);
        let rule = catalog.rule_at(best.rule);
        let views = Views::new(&event.text);
        facts.read_waits(&views, catalog.fact_table());
        let secrets = redact::secrets_in(&views);
        let values = read_values(program, best, rule, event, &views, &facts, &secrets);
        let runner_up = |&(lost, lost_by): &(RuleId, DecidedBy)| {
            let rule = catalog.rule_at(lost);
            RunnerUp { rule: rule.id.clone(), category: rule.category, lost_by }
        };
        Details {
            evidence: best.evidence.iter().map(|proof| evidence(proof, event, &secrets)).collect(),
            retry: Retry::new(rule, &facts, &values, event.time),
            values,
            runners_up: outcome.lost.iter().map(runner_up).collect(),
            facts: summarize(catalog, &facts, event, &secrets),
            chain: chain.iter().flat_map(|chain| links(chain, event, &secrets)).collect(),
            secrets,
        }
    }
}

/// Most bytes of a line that names an error of a chain.
const MAX_LINK: usize = 500;

fn links(chain: &Chain, event: &Event<'_>, secrets: &[Range<usize>]) -> Vec<ChainLink> {
    let link = |link: &chain::Link| {
        let span = link.line.start..link.line.end.min(link.line.start + MAX_LINK);
        ChainLink { text: redact::masked(&event.text, span.clone(), secrets), span }
    };
    chain.links.iter().map(link).collect()
}

fn evidence(proof: &Proof, event: &Event<'_>, secrets: &[Range<usize>]) -> Evidence {
    let slice = |range: &text::Range| redact::masked(&event.text, range.start..range.end, secrets);
    let span = |range: &Option<text::Range>| range.as_ref().map(|r| r.start..r.end);
    let (kind, text, span) = match proof {
        Proof::Signature(_, range) => ("text", slice(range), Some(range.start..range.end)),
        Proof::Code(code, at) => {
            ("code", at.as_ref().map_or_else(|| code.to_string(), slice), span(at))
        }
        Proof::HttpStatus(status, at) => ("http_status", status.to_string(), span(at)),
        Proof::GrpcStatus(status, at) => {
            ("grpc_status", values::grpc_name(*status).to_owned(), span(at))
        }
        Proof::ExitCode(code, at) => ("exit_code", code.to_string(), span(at)),
        Proof::Signal(signal, at) => ("signal", values::signal_name(*signal), span(at)),
    };
    Evidence { kind, text, span }
}

/// Values of the event and of the rule's extractors, by name.
fn read_values(
    program: &Program,
    best: &Match,
    rule: &Rule,
    event: &Event<'_>,
    views: &Views<'_>,
    facts: &Facts,
    secrets: &[Range<usize>],
) -> Vec<(Box<str>, Value)> {
    let mut list: BTreeMap<Box<str>, Value> = BTreeMap::new();
    let mut add = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            list.insert(name.into(), value);
        }
    };
    let status = facts.best_http_status().next();
    add("http_status", status.map(|fact| Value::Integer(fact.value.into())));
    let grpc = facts.grpc_status.first();
    add("grpc_status", grpc.map(|fact| Value::String(values::grpc_name(fact.value).to_owned())));
    let exit = facts.exit_code.first();
    add("exit_code", exit.map(|fact| Value::Integer(fact.value.into())));
    let signal = facts.signal.first();
    add("signal", signal.map(|fact| Value::String(values::signal_name(fact.value))));
    let code = best.evidence.iter().find_map(|proof| match proof {
        Proof::Code(code, None) => Some(code.to_string()),
        Proof::Code(_, Some(at)) => Some(redact::masked(&event.text, at.start..at.end, secrets)),
        _ => None,
    });
    add("code", code.map(Value::String));
    let header = match facts.header_wait {
        Some(Wait::For(wait)) => Some(wait),
        _ => None,
    };
    let wait = header.or(facts.retry_after.as_ref().map(|fact| fact.value));
    add("retry_after", wait.map(Value::Duration));
    add("reset_at", facts.reset_at.as_ref().map(|fact| Value::Time(fact.value)));

    for (at, extract) in rule.extract.iter().enumerate() {
        let value = (0..extract.regexes.len()).find_map(|index| {
            let regex = program.extractor((best.rule, rule), at, index)?;
            views.iter().find_map(|view| {
                let group = regex.captures(&view.bytes, text::EVERYWHERE)?.group?;
                let at = view.original(group.start, group.end);
                let secret = secrets.iter().any(|s| s.start < at.end && at.start < s.end);
                let text = match secret {
                    true => redact::MASK.into(),
                    false => String::from_utf8_lossy(&view.bytes[group.start..group.end]),
                };
                Value::parse(extract, &text)
            })
        });
        add(&extract.name, value);
    }
    list.into_iter().collect()
}

fn summarize(
    catalog: &Catalog,
    facts: &Facts,
    event: &Event<'_>,
    secrets: &[Range<usize>],
) -> Vec<FactView> {
    let mut list = Vec::new();
    let path = |name: &str, value: &str| {
        let fields = event.fields.iter().filter(|field| field.role.as_str() == name);
        // A service may go by several names.
        let best = fields.clone().find(|field| field.value.trim() == value);
        best.or(fields.clone().next()).map(|field| redact::redact(&field.path).into_owned())
    };
    let mut add = |name: &'static str, value: String, from, at: Option<text::Range>| {
        let read = from == Provenance::Field && at.is_none();
        let path = if read { path(name, &value) } else { None };
        list.push(FactView { name, value, from, span: at.map(|r| r.start..r.end), path });
    };
    if let Some(name) = &facts.unknown_service {
        add("service", redact::redact(name).into_owned(), Provenance::Caller, None);
    }
    for fact in &facts.services {
        add("service", catalog.service_at(fact.value).id.to_string(), fact.from, fact.at);
    }
    for fact in &facts.products {
        add("product", fact.value.to_string(), fact.from, fact.at);
    }
    for fact in &facts.http_status {
        add("http_status", fact.value.to_string(), fact.from, fact.at);
    }
    for fact in &facts.grpc_status {
        add("grpc_status", values::grpc_name(fact.value).to_owned(), fact.from, fact.at);
    }
    for fact in &facts.exit_code {
        add("exit_code", fact.value.to_string(), fact.from, fact.at);
    }
    for fact in &facts.signal {
        add("signal", values::signal_name(fact.value), fact.from, fact.at);
    }
    for fact in &facts.codes {
        let text = match fact.at {
            Some(at) => redact::masked(&event.text, at.start..at.end, secrets),
            None => redact::redact(&fact.value).into_owned(),
        };
        add("code", text, fact.from, fact.at);
    }
    if let Some(fact) = &facts.retry_after {
        add("retry_after", Value::Duration(fact.value).to_string(), fact.from, fact.at);
    }
    if let Some(fact) = &facts.reset_at {
        add("reset_at", Value::Time(fact.value).to_string(), fact.from, fact.at);
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_an_event_is_shown_nowhere() {
        let text = "dial redis://bob:hunter2@cache:6379: connection refused";
        let classify = || Classifier::builtin().classify(text);
        let has_source = |verdict: &super::super::Verdict| {
            let outcome = verdict.outcome.as_ref().expect("it is classified");
            outcome.details.source.lock().is_ok_and(|source| source.is_some())
        };
        let (fresh, asked) = (classify(), classify());
        assert!(has_source(&fresh) && !format!("{fresh:?}").contains("hunter2"));
        assert!(asked.evidence().iter().any(|evidence| evidence.text == "connection refused"));
        let copy = classify().clone();
        for verdict in [&fresh, &asked, &copy] {
            assert!(!has_source(verdict));
            assert_eq!(*verdict, asked);
            let [secret] = verdict.secrets() else { panic!("{:?}", verdict.secrets()) };
            assert_eq!(*secret, 13..24);
        }
    }
}
