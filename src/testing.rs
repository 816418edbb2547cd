//! Runs the examples of rules against all rules.

use std::time::Duration;

use crate::catalog::Catalog;
use crate::engine::{Classifier, Scratch};
use crate::event::Event;
use crate::facts::text::Views;
use crate::facts::{Facts, Value, values};
use crate::problem::Place;
use crate::rule::{Example, Rule};
use crate::verdict::Verdict;

/// The outcome of the tests of a catalogue.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct TestReport {
    /// Rules that were tested.
    pub rules: usize,
    /// Examples and counterexamples that were run.
    pub examples: usize,
    /// Those that did not hold.
    pub failures: Vec<Failure>,
}

/// An example that did not hold.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Failure {
    /// The rule.
    pub rule: Box<str>,
    /// Where the example stands.
    pub place: Option<Place>,
    /// The text of the example.
    pub text: String,
    /// What went wrong, a line each.
    pub reasons: Vec<String>,
}

impl Example {
    /// The event of the example, as a caller would give it.
    pub fn event(&self) -> Event<'_> {
        let facts = &self.facts;
        let mut event = Event::new(&*self.text);
        if let Some(status) = facts.http_status {
            event = event.http_status(status);
        }
        if let Some(status) = &facts.grpc_status {
            event = event.grpc_status(status);
        }
        if let Some(code) = facts.exit_code {
            event = event.exit_code(code);
        }
        if let Some(signal) = &facts.signal {
            event = event.signal(signal);
        }
        for code in &facts.codes {
            event = event.code(&**code);
        }
        if let Some(service) = &facts.service {
            event = event.service(&**service);
        }
        if let Some(product) = &facts.product {
            event = event.product(&**product);
        }
        for (name, value) in &facts.headers {
            event = event.header(&**name, &**value);
        }
        event
    }
}

impl Classifier {
    /// Runs every example and counterexample of the rules that `select` picks, against all rules.
    pub fn test(&self, select: impl Fn(&Rule) -> bool) -> TestReport {
        let catalog = self.catalog();
        let mut report = TestReport::default();
        let mut scratch = Scratch::default();
        for rule in catalog.rules().filter(|rule| select(rule)) {
            report.rules += 1;
            let positive = rule.examples.iter().map(|example| (example, true));
            let negative = rule.counterexamples.iter().map(|example| (example, false));
            for (example, wins) in positive.chain(negative) {
                report.examples += 1;
                let verdict = self.classify_with(&example.event(), &mut scratch);
                let reasons = if wins {
                    check_example(rule, example, &verdict)
                } else {
                    check_counterexample(rule, example, &verdict, catalog)
                };
                if !reasons.is_empty() {
                    report.failures.push(Failure {
                        rule: rule.id.clone(),
                        place: catalog.sources().place(example.span),
                        text: example.text.to_string(),
                        reasons,
                    });
                }
            }
        }
        report
    }
}

fn winner(verdict: &Verdict) -> String {
    match (verdict.rule(), verdict.decided_by()) {
        (Some(rule), Some(step)) => format!("`{}` wins (by {})", rule.id, step.as_str()),
        _ => "nothing matches".to_owned(),
    }
}

fn check_example(rule: &Rule, example: &Example, verdict: &Verdict) -> Vec<String> {
    let mut reasons = Vec::new();
    if verdict.rule().is_none_or(|winner| winner.id != rule.id) {
        reasons.push(format!("`{}` should win; {}", rule.id, winner(verdict)));
        return reasons;
    }
    for (name, wanted) in &example.values {
        match verdict.value(name) {
            None => reasons.push(format!("value `{name}` should be {wanted}; it was not read")),
            Some(value) if !same_value(value, wanted) => {
                reasons.push(format!("value `{name}` should be {wanted}; it is {value}"));
            }
            Some(_) => {}
        }
    }
    let retry = verdict.retry().verdict;
    if let Some(wanted) = example.retry
        && wanted != retry
    {
        reasons.push(format!("retry should be {wanted}; it is {retry}"));
    }
    reasons
}

fn check_counterexample(
    rule: &Rule,
    example: &Example,
    verdict: &Verdict,
    catalog: &Catalog,
) -> Vec<String> {
    let winner_id = verdict.rule().map(|rule| &*rule.id);
    match example.instead.as_deref() {
        Some("none") if winner_id.is_some() => {
            vec![format!("nothing should match; {}", winner(verdict))]
        }
        Some("none") => Vec::new(),
        Some(id) => {
            // A former id stands for its rule; a disabled rule cannot win.
            let wanted = catalog.rule(id).map(|rule| &*rule.id);
            if wanted.is_some() && winner_id != wanted {
                vec![format!("`{id}` should win; {}", winner(verdict))]
            } else {
                Vec::new()
            }
        }
        None if winner_id == Some(&*rule.id) => {
            vec![format!("`{}` should not win", rule.id)]
        }
        None => Vec::new(),
    }
}

/// Compares a value with what a rule file says of it.
fn same_value(value: &Value, wanted: &str) -> bool {
    match value {
        Value::Duration(duration) => values::duration(wanted, Some(Duration::from_secs(1)))
            .is_some_and(|wanted| wanted.abs_diff(*duration) < Duration::from_millis(1)),
        Value::Time(time) => values::time(wanted) == Some(*time),
        Value::Size(bytes) => values::size(wanted) == Some(*bytes),
        Value::Integer(number) => wanted.parse() == Ok(*number),
        Value::String(text) => text == wanted,
    }
}

impl Classifier {
    /// Runs the cases of the fact table; what does not hold, a line each.
    pub fn test_facts(&self) -> Vec<String> {
        let catalog = self.catalog();
        let mut failures = Vec::new();
        for case in catalog.fact_cases() {
            let event = Event::new(&*case.text);
            let views = Views::new(event.text());
            let mut facts = Facts::given(&event, catalog.service_table());
            facts.read(&views, catalog.fact_table(), catalog.fact_table().everywhere());
            facts.read_waits(&views, catalog.fact_table());
            facts.settle(catalog.service_table());
            let mut check = |name: &str, wanted: Option<String>, found: String| {
                if let Some(wanted) = wanted.filter(|wanted| *wanted != found) {
                    failures.push(format!(
                        "fact case `{}`: {name} should be {wanted}, it is {found}",
                        case.text
                    ));
                }
            };
            fn values<T: std::fmt::Debug>(list: &[crate::facts::Fact<T>]) -> String {
                format!("{:?}", list.iter().map(|fact| &fact.value).collect::<Vec<_>>())
            }
            fn wanted<T: std::fmt::Debug>(list: &Option<Vec<T>>) -> Option<String> {
                list.as_ref().map(|list| format!("{list:?}"))
            }
            check("http_status", wanted(&case.http_status), values(&facts.http_status));
            check("grpc_status", wanted(&case.grpc_status), values(&facts.grpc_status));
            check("exit_code", wanted(&case.exit_code), values(&facts.exit_code));
            check("signal", wanted(&case.signal), values(&facts.signal));
            check(
                "retry_after",
                case.retry_after.map(|wait| format!("{wait:?}")),
                format!("{:?}", facts.retry_after.as_ref().map(|fact| fact.value)),
            );
            for code in case.codes.iter().flatten() {
                let read = facts.codes.iter().any(|fact| fact.value == *code);
                check(
                    "code",
                    Some(code.to_string()),
                    match read {
                        true => code.to_string(),
                        false => values(&facts.codes),
                    },
                );
            }
        }
        failures
    }
}
