//! The answer: why, who acts, whether to retry, what to do, and the evidence.

mod json;
mod retry;
pub(crate) mod template;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::SystemTime;

pub use json::FORMAT_VERSION;
pub use retry::Retry;

use crate::catalog::{Catalog, Service};
use crate::chain::{self, Chain};
use crate::engine::evaluate::{Match, Proof};
use crate::engine::program::Program;
use crate::engine::rank::{self, DecidedBy, Ranking};
use crate::event::Event;
use crate::facts::text::{self, Views};
use crate::facts::{Facts, Provenance, Value, values};
use crate::redact;
use crate::rule::Rule;
use crate::rule::words::{Category, Confidence, Severity, Tier, Who};

/// What the classifier found. Holds no reference to the event; strings in it are redacted.
///
/// ```
/// use whyerr::{Category, Classifier, Event, Who};
///
/// let event = Event::new("You exceeded your current quota, please check your plan and billing details")
///     .http_status(429)
///     .service("openai");
/// let verdict = Classifier::builtin().classify(event);
/// assert_eq!(verdict.category(), Some(Category::QuotaExhausted));
/// assert_eq!(verdict.who(), Some(Who::Account));
/// assert!(!verdict.retry().is_retryable());
/// assert!(verdict.evidence().iter().any(|e| e.text.contains("exceeded your current quota")));
/// ```
#[derive(Debug, Clone)]
pub struct Verdict {
    catalog: Catalog,
    outcome: Option<Box<Outcome>>,
}

#[derive(Debug, Clone, PartialEq)]
struct Outcome {
    best: Match,
    confidence: Confidence,
    evidence: Vec<Evidence>,
    values: Vec<(Box<str>, Value)>,
    retry: Retry,
    service: Option<ServiceName>,
    runners_up: Vec<RunnerUp>,
    shadows: Vec<usize>,
    decided_by: DecidedBy,
    ambiguous: bool,
    facts: FactSummary,
    chain: Vec<ChainLink>,
}

/// The service of a verdict.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ServiceName {
    /// Id of the catalogue, or the caller's own name for a service that the catalogue lacks.
    pub id: Box<str>,
    /// How it is known.
    pub from: Provenance,
}

/// One thing that made the rule match.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Evidence {
    /// `text`, `code`, `http_status`, `grpc_status`, `exit_code` or `signal`.
    pub kind: &'static str,
    /// What matched, redacted.
    pub text: String,
    /// Bytes of the event's text; `None` for facts that the caller gave.
    pub span: Option<Range<usize>>,
}

/// Another rule that matched.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RunnerUp {
    /// Its id.
    pub rule: Box<str>,
    /// Its category.
    pub category: Category,
    /// The step at which it lost.
    pub lost_by: DecidedBy,
}

/// One error of a chain of causes.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ChainLink {
    /// The line that names it, redacted, at most 500 bytes of it.
    pub text: String,
    /// Bytes of that line in the event's text.
    pub span: Range<usize>,
}

/// The facts that were read, for display: name, value, provenance, span.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FactView {
    /// `http_status`, `code`, `service`, ...
    pub name: &'static str,
    /// The value as text, redacted.
    pub value: String,
    /// Where it comes from.
    pub from: Provenance,
    /// Bytes of the event's text.
    pub span: Option<Range<usize>>,
    /// The field of a record that it was read from.
    pub path: Option<String>,
}

type FactSummary = Vec<FactView>;

impl Verdict {
    pub(crate) fn unclassified(catalog: &Catalog) -> Verdict {
        Verdict { catalog: catalog.clone(), outcome: None }
    }

    pub(crate) fn new(
        catalog: &Catalog,
        program: &Program,
        event: &Event<'_>,
        views: &Views<'_>,
        mut facts: Facts,
        ranking: Ranking,
        chain: Option<Chain>,
    ) -> Verdict {
        let Ranking { mut ranked, superseded, shadows, decided_by, ambiguous } = ranking;
        if ranked.is_empty() {
            return Verdict::unclassified(catalog);
        }
        let runner = |rule: usize, lost_by| {
            let rule = catalog.rule_at(rule);
            RunnerUp { rule: rule.id.clone(), category: rule.category, lost_by }
        };
        let mut runners_up: Vec<RunnerUp> = ranked[1..]
            .iter()
            .map(|other| runner(other.rule, rank::compare(&ranked[0], other, catalog).1))
            .collect();
        runners_up
            .extend(superseded.iter().map(|(lost, _)| runner(lost.rule, DecidedBy::Supersedes)));
        let best = ranked.swap_remove(0);
        let rule = catalog.rule_at(best.rule);
        facts.read_waits(views, catalog.fact_table());
        let secrets = redact::secrets_in(views);
        let values = read_values(program, &best, rule, event, views, &facts, &secrets);
        let retry = Retry::new(rule, &facts, &values, event.time);
        let outcome = Outcome {
            confidence: rank::confidence(&best, catalog),
            evidence: best.evidence.iter().map(|proof| evidence(proof, event, &secrets)).collect(),
            values,
            retry,
            service: service(catalog, rule, &facts),
            runners_up,
            shadows: shadows.iter().map(|shadow| shadow.rule).collect(),
            decided_by,
            ambiguous,
            facts: summarize(catalog, &facts, event, &secrets),
            chain: chain.iter().flat_map(|chain| links(chain, event, &secrets)).collect(),
            best,
        };
        Verdict { catalog: catalog.clone(), outcome: Some(Box::new(outcome)) }
    }

    /// Whether any rule matched.
    pub fn is_classified(&self) -> bool {
        self.outcome.is_some()
    }

    /// The rule that won.
    pub fn rule(&self) -> Option<&Rule> {
        self.outcome.as_ref().map(|outcome| self.catalog.rule_at(outcome.best.rule))
    }

    /// The cause. `None` is "unclassified", never a guess.
    pub fn category(&self) -> Option<Category> {
        self.rule().map(|rule| rule.category)
    }

    /// How bad it is.
    pub fn severity(&self) -> Option<Severity> {
        self.rule().map(|rule| rule.severity)
    }

    /// Who has to act.
    pub fn who(&self) -> Option<Who> {
        self.rule().map(|rule| rule.who)
    }

    /// How sure the verdict is.
    pub fn confidence(&self) -> Option<Confidence> {
        self.outcome.as_ref().map(|outcome| outcome.confidence)
    }

    /// The kind of evidence that won.
    pub fn tier(&self) -> Option<Tier> {
        self.outcome.as_ref().map(|outcome| outcome.best.tier)
    }

    /// Which service raised the error, and how that is known.
    pub fn service(&self) -> Option<&ServiceName> {
        self.outcome.as_ref()?.service.as_ref()
    }

    /// The service's entry in the catalogue.
    pub fn service_entry(&self) -> Option<&Service> {
        self.catalog.service(&self.service()?.id)
    }

    /// The service's name for people: the catalogue's, else what the caller called it.
    pub fn service_name(&self) -> Option<Cow<'_, str>> {
        match self.service_entry() {
            Some(entry) => Some(Cow::Borrowed(&entry.name)),
            None => Some(redact::redact(&self.service()?.id)),
        }
    }

    /// Whether, when and where to retry. Without a verdict: never, since nothing is known.
    pub fn retry(&self) -> Cow<'_, Retry> {
        match &self.outcome {
            Some(outcome) => Cow::Borrowed(&outcome.retry),
            None => Cow::Owned(Retry::unknown()),
        }
    }

    /// What made the rule match.
    pub fn evidence(&self) -> &[Evidence] {
        self.outcome.as_ref().map_or(&[], |outcome| &outcome.evidence)
    }

    /// Values that were read, by name: those of the rule, and `http_status`, `retry_after` and
    /// the like.
    pub fn values(&self) -> &[(Box<str>, Value)] {
        self.outcome.as_ref().map_or(&[], |outcome| &outcome.values)
    }

    /// One value.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.values().iter().find(|(key, _)| &**key == name).map(|(_, value)| value)
    }

    /// All facts of the event with their provenance.
    pub fn facts(&self) -> &[FactView] {
        self.outcome.as_ref().map_or(&[], |outcome| &outcome.facts)
    }

    /// The other rules that matched, in the order in which they lost.
    pub fn runners_up(&self) -> &[RunnerUp] {
        self.outcome.as_ref().map_or(&[], |outcome| &outcome.runners_up)
    }

    /// Rules with `status: shadow` that matched: counted, and without effect.
    pub fn shadows(&self) -> impl Iterator<Item = &Rule> {
        let shadows = self.outcome.as_ref().map_or(&[][..], |outcome| &outcome.shadows);
        shadows.iter().map(|&rule| self.catalog.rule_at(rule))
    }

    /// The chain of causes that the text states, outermost first, the root cause last; empty where
    /// it states none.
    ///
    /// ```
    /// use whyerr::{Category, Classifier};
    ///
    /// let verdict = Classifier::builtin().classify(
    ///     "acme.OrderException: order 7 failed\n\tat acme.Order.run(Order.java:10)\n\
    ///      Caused by: java.net.UnknownHostException: db: Name or service not known\n\t... 3 more",
    /// );
    /// assert_eq!(verdict.category(), Some(Category::DnsFailure));
    /// assert!(verdict.is_root_cause());
    /// assert_eq!(verdict.chain()[0].text, "acme.OrderException: order 7 failed");
    /// ```
    pub fn chain(&self) -> &[ChainLink] {
        self.outcome.as_ref().map_or(&[], |outcome| &outcome.chain)
    }

    /// Whether the verdict names the root cause of the [`chain`](Self::chain): what stands further
    /// out is a symptom of it.
    pub fn is_root_cause(&self) -> bool {
        self.outcome.as_ref().is_some_and(|outcome| outcome.best.root)
    }

    /// The step that chose the winner.
    pub fn decided_by(&self) -> Option<DecidedBy> {
        self.outcome.as_ref().map(|outcome| outcome.decided_by)
    }

    /// Whether the best two matches have different causes and equally good evidence.
    pub fn is_ambiguous(&self) -> bool {
        self.outcome.as_ref().is_some_and(|outcome| outcome.ambiguous)
    }

    /// What happened, with the service's name filled in.
    pub fn title(&self) -> Option<String> {
        let rule = self.rule()?;
        Some(self.fill(&rule.title).unwrap_or_else(|| rule.title.to_string()))
    }

    /// What happened in a sentence, with values filled in.
    pub fn summary(&self) -> Option<String> {
        let rule = self.rule()?;
        template::fill_first(rule.summary.iter().map(|text| &**text), |name| self.text_of(name))
    }

    /// Likely causes, most likely first.
    pub fn causes(&self) -> Vec<String> {
        let causes = self.rule().map_or(&[][..], |rule| &rule.causes);
        causes.iter().filter_map(|cause| self.fill(cause)).collect()
    }

    /// What to do, in order, with values and the service's links filled in. A step that needs
    /// something that is not known is left out.
    pub fn remedies(&self) -> Vec<(String, Who)> {
        let remedies = self.rule().map_or(&[][..], |rule| &rule.remedies);
        remedies
            .iter()
            .filter_map(|remedy| {
                let variants = remedy.text.iter().map(|text| &**text);
                Some((template::fill_first(variants, |name| self.text_of(name))?, remedy.who))
            })
            .collect()
    }

    /// The catalogue that gave this verdict.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    fn fill(&self, text: &str) -> Option<String> {
        template::fill(text, |name| self.text_of(name))
    }

    fn text_of(&self, name: &str) -> Option<String> {
        if let Some(value) = self.value(name) {
            return Some(value.to_string());
        }
        let entry = self.service_entry();
        match name.strip_prefix("service.") {
            Some(link) => entry?.link(link).map(str::to_owned),
            None if name == "service" => {
                let service = self.service_name().unwrap_or(Cow::Borrowed("the service"));
                Some(service.into_owned())
            }
            None => None,
        }
    }
}

/// Equal when the same catalogue says the same.
impl PartialEq for Verdict {
    fn eq(&self, other: &Self) -> bool {
        self.outcome == other.outcome
    }
}

fn service(catalog: &Catalog, rule: &Rule, facts: &Facts) -> Option<ServiceName> {
    if let Some(name) = &facts.unknown_service {
        return Some(ServiceName { id: name.as_str().into(), from: Provenance::Caller });
    }
    let best = facts.services.first().filter(|fact| fact.from > Provenance::Hint);
    if let Some(fact) = best {
        // Several hosts in one text: the one that the rule belongs to, else the first.
        let own = rule.service.as_deref().and_then(|id| catalog.service_table().find(id));
        let index = facts.known_services().into_iter().find(|known| Some(*known) == own);
        let id = catalog.service_at(index.unwrap_or(fact.value)).id.clone();
        return Some(ServiceName { id, from: fact.from });
    }
    if let Some(id) = &rule.service {
        return Some(ServiceName { id: id.clone(), from: Provenance::Rule });
    }
    let hint = facts.hinted_service()?;
    Some(ServiceName { id: catalog.service_at(hint).id.clone(), from: Provenance::Hint })
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
        Some(crate::facts::Wait::For(wait)) => Some(wait),
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
) -> FactSummary {
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

/// RFC 3339, for output.
pub(crate) fn rfc3339(time: SystemTime) -> Option<String> {
    jiff::Timestamp::try_from(time).ok().map(|time| time.to_string())
}
