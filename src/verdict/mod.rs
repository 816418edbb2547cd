//! The answer: why, who acts, whether to retry, what to do, and the evidence.

mod details;
mod json;
mod retry;
pub(crate) mod template;

use std::borrow::Cow;
use std::ops::Range;
use std::time::SystemTime;

use details::{Details, Later};
pub use json::FORMAT_VERSION;
pub use retry::Retry;

use crate::catalog::{Catalog, Service};
use crate::chain::Chain;
use crate::engine::Classifier;
use crate::engine::evaluate::Match;
use crate::engine::program::RuleId;
use crate::engine::rank::{self, DecidedBy, Ranking};
use crate::event::Event;
use crate::facts::{Facts, Provenance, Value};
use crate::redact;
use crate::rule::Rule;
use crate::rule::words::{Category, Confidence, Severity, Tier, Who};

/// What the classifier found. Holds no reference to the event; strings in it are redacted.
///
/// Which rule won is known at once. Evidence, values, retry advice, facts, the chain and the other
/// matches are read when one of them is asked for; until then the verdict keeps a copy of the
/// event's text, which nothing shows as it stands. A clone keeps none.
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
pub struct Verdict {
    classifier: Classifier,
    outcome: Option<Box<Outcome>>,
}

#[derive(Debug, Clone, PartialEq)]
struct Outcome {
    best: Match,
    confidence: Confidence,
    service: Option<ServiceName>,
    /// The other matches, in the order in which they lost.
    lost: Vec<(RuleId, DecidedBy)>,
    shadows: Vec<RuleId>,
    decided_by: DecidedBy,
    ambiguous: bool,
    details: Later,
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

impl Verdict {
    pub(crate) fn unclassified(classifier: &Classifier) -> Verdict {
        Verdict { classifier: classifier.clone(), outcome: None }
    }

    pub(crate) fn new(
        classifier: &Classifier,
        event: &Event<'_>,
        facts: Facts,
        ranking: Ranking,
        chain: Option<Chain>,
    ) -> Verdict {
        let Ranking { ranked, superseded, shadows, decided_by, ambiguous } = ranking;
        let catalog = classifier.catalog();
        let mut ranked = ranked.into_iter();
        let Some(best) = ranked.next() else { return Verdict::unclassified(classifier) };
        let lost = ranked.map(|other| (other.rule, rank::compare(&best, &other, catalog).1));
        let superseded = superseded.iter().map(|(lost, _)| (lost.rule, DecidedBy::Supersedes));
        let lost = lost.chain(superseded).collect();
        let outcome = Outcome {
            confidence: rank::confidence(&best, catalog),
            service: service(catalog, catalog.rule_at(best.rule), &facts),
            lost,
            shadows: shadows.iter().map(|shadow| shadow.rule).collect(),
            decided_by,
            ambiguous,
            details: Later::new(event, facts, chain),
            best,
        };
        Verdict { classifier: classifier.clone(), outcome: Some(Box::new(outcome)) }
    }

    /// What is read of the event now, if that was not done before.
    fn details(&self) -> Option<&Details> {
        let outcome = self.outcome.as_deref()?;
        Some(outcome.details.get(&self.classifier, outcome))
    }

    /// Whether any rule matched.
    pub fn is_classified(&self) -> bool {
        self.outcome.is_some()
    }

    /// The rule that won.
    pub fn rule(&self) -> Option<&Rule> {
        self.outcome.as_ref().map(|outcome| self.catalog().rule_at(outcome.best.rule))
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
        self.catalog().service(&self.service()?.id)
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
        match self.details() {
            Some(details) => Cow::Borrowed(&details.retry),
            None => Cow::Owned(Retry::unknown()),
        }
    }

    /// What made the rule match.
    pub fn evidence(&self) -> &[Evidence] {
        self.details().map_or(&[], |details| &details.evidence)
    }

    /// Values that were read, by name: those of the rule, and `http_status`, `retry_after` and
    /// the like.
    pub fn values(&self) -> &[(Box<str>, Value)] {
        self.details().map_or(&[], |details| &details.values)
    }

    /// One value.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.values().iter().find(|(key, _)| &**key == name).map(|(_, value)| value)
    }

    /// All facts of the event with their provenance.
    pub fn facts(&self) -> &[FactView] {
        self.details().map_or(&[], |details| &details.facts)
    }

    /// The other rules that matched, in the order in which they lost.
    pub fn runners_up(&self) -> &[RunnerUp] {
        self.details().map_or(&[], |details| &details.runners_up)
    }

    /// Rules with `status: shadow` that matched: counted, and without effect.
    pub fn shadows(&self) -> impl Iterator<Item = &Rule> {
        let shadows = self.outcome.as_ref().map_or(&[][..], |outcome| &outcome.shadows);
        shadows.iter().map(|&rule| self.catalog().rule_at(rule))
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
        self.details().map_or(&[], |details| &details.chain)
    }

    /// Whether the verdict names the root cause of the [`chain`](Self::chain): what stands further
    /// out is a symptom of it.
    pub fn is_root_cause(&self) -> bool {
        self.outcome.as_ref().is_some_and(|outcome| outcome.best.root)
    }

    /// Where secrets stand in the event's text, in order, without overlaps: for
    /// [`redact::mask`](crate::redact::mask), which would look for them once more.
    pub fn secrets(&self) -> &[Range<usize>] {
        self.details().map_or(&[], |details| &details.secrets)
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
        self.classifier.catalog()
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

/// Without the event's text: what there is to say of it is read first.
impl Clone for Verdict {
    fn clone(&self) -> Self {
        self.details();
        Verdict { classifier: self.classifier.clone(), outcome: self.outcome.clone() }
    }
}

impl std::fmt::Debug for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.details();
        f.debug_struct("Verdict").field("outcome", &self.outcome).finish_non_exhaustive()
    }
}

/// Equal when the same catalogue says the same.
impl PartialEq for Verdict {
    fn eq(&self, other: &Self) -> bool {
        self.details();
        other.details();
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

/// RFC 3339, for output.
pub(crate) fn rfc3339(time: SystemTime) -> Option<String> {
    jiff::Timestamp::try_from(time).ok().map(|time| time.to_string())
}
