//! The types of the rule language.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::words::{
    Alternative, Category, Layer, RetryVerdict, Scope, Severity, Status, ValueType, Who,
};
use crate::yaml::node::Span;

/// A rule, merged from its own text, what it extends, and patches.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Rule {
    /// Stable id, unique over all layers.
    pub id: Box<str>,
    /// What happened, in a few words. May hold `{service}`.
    pub title: Box<str>,
    /// How far it is trusted.
    pub status: Status,
    /// The cause.
    pub category: Category,
    /// How bad it is.
    pub severity: Severity,
    /// Who has to act.
    pub who: Who,
    /// Id of the service that a match betrays.
    pub service: Option<Box<str>>,
    /// A wrapper line: ranks below everything else.
    pub fallback: bool,
    /// -10 to 10.
    pub priority: i8,
    /// Variants of the summary: the first whose placeholders can all be filled in is used.
    pub summary: Vec<Box<str>>,
    /// Likely causes, most likely first.
    pub causes: Vec<Box<str>>,
    /// What to do, in order.
    pub remedies: Vec<Remedy>,
    /// Whether a retry is worth it.
    pub retry: RetryRule,
    /// The answer to "is it me or everyone?".
    pub is_it_me: Box<str>,
    /// Ids of rules that this one removes.
    pub supersedes: Vec<Box<str>>,
    /// Ids of rules worth reading next.
    pub related: Vec<Box<str>>,
    /// Former ids.
    pub renames: Vec<Box<str>>,
    /// Sources.
    pub references: Vec<Reference>,
    /// Events on which this rule wins.
    pub examples: Vec<Example>,
    /// Events on which it does not.
    pub counterexamples: Vec<Example>,
    /// Where it comes from.
    pub layer: Layer,
    pub(crate) when: When,
    pub(crate) blocks: Vec<Block>,
    pub(crate) corroborate: Conditions,
    pub(crate) extract: Vec<Extract>,
    /// Where the rule stands, and which place set each field.
    pub(crate) span: Span,
    pub(crate) origins: Vec<(Box<str>, Span)>,
}

/// A step to take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Remedy {
    /// Variants: the first whose placeholders can all be filled in is used.
    pub text: Vec<Box<str>>,
    /// Who does it.
    pub who: Who,
}

/// A source of what a rule claims.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reference {
    /// Where it stands.
    pub url: Box<str>,
    /// The day it was read, `YYYY-MM-DD`.
    pub checked: Option<Box<str>>,
    /// What it is.
    pub title: Option<Box<str>>,
}

/// A gate: the known service (and product) must be one of these. Empty lists let everything in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct When {
    pub(crate) service: Vec<Box<str>>,
    pub(crate) product: Vec<Box<str>>,
}

impl When {
    pub(crate) fn is_empty(&self) -> bool {
        self.service.is_empty() && self.product.is_empty()
    }
}

/// One alternative of `match`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Block {
    pub(crate) when: When,
    pub(crate) conditions: Conditions,
    pub(crate) none: Vec<Signature>,
    pub(crate) weak: bool,
    pub(crate) coarse: bool,
}

/// Conditions of all kinds. In a block the kinds AND; under `corroborate` any one suffices.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Conditions {
    pub(crate) any: Vec<Signature>,
    pub(crate) all: Vec<Signature>,
    pub(crate) code: Vec<Box<str>>,
    pub(crate) http_status: Vec<Range>,
    pub(crate) grpc_status: Vec<u8>,
    pub(crate) exit_code: Vec<i32>,
    pub(crate) signal: Vec<u8>,
}

impl Conditions {
    pub(crate) fn is_empty(&self) -> bool {
        self.any.is_empty()
            && self.all.is_empty()
            && self.code.is_empty()
            && self.http_status.is_empty()
            && self.grpc_status.is_empty()
            && self.exit_code.is_empty()
            && self.signal.is_empty()
    }
}

/// A range of statuses, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Range {
    pub(crate) first: u16,
    pub(crate) last: u16,
}

impl Range {
    pub(crate) fn contains(self, status: u16) -> bool {
        (self.first..=self.last).contains(&status)
    }

    /// `4xx` and `5xx` rank below exact statuses.
    pub(crate) fn is_class(self) -> bool {
        self.last - self.first >= 99
    }
}

/// One thing a rule looks for in the text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Signature {
    pub(crate) kind: SignatureKind,
    pub(crate) pattern: Box<str>,
    pub(crate) case_sensitive: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum SignatureKind {
    /// A substring.
    Text,
    /// A substring whose neighbours are no word characters.
    Word,
    /// A host name: no host characters before (but a dot) and after.
    Host,
    /// A regular expression.
    Regex,
}

/// A value to read from the text.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Extract {
    pub(crate) name: Box<str>,
    pub(crate) kind: ValueType,
    /// What a bare number of a duration counts.
    pub(crate) unit: Option<Duration>,
    /// Seconds east of UTC that a time counts in which names no zone.
    pub(crate) zone: i32,
    pub(crate) regexes: Vec<Box<str>>,
}

/// The retry advice of a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RetryRule {
    /// Whether.
    pub verdict: RetryVerdict,
    /// What the limit counts by.
    pub scope: Option<Scope>,
    /// Ordered sources of the wait: `header`, `retry_after`, `reset_at`, or extracted values.
    pub wait: Vec<Box<str>>,
    /// When a quota starts anew, such as `daily@UTC`.
    pub resets: Option<Box<str>>,
    /// What may work at once instead.
    pub alternatives: Vec<Alternative>,
    /// Only if the request may be carried out twice.
    pub if_idempotent: bool,
    /// First delay of the schedule.
    pub base: Duration,
    /// Longest delay of the schedule.
    pub cap: Duration,
}

/// An event in a rule's own tests.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Example {
    /// The text; may be empty where facts suffice.
    pub text: Box<str>,
    /// Facts as a caller would give them.
    pub facts: ExampleFacts,
    /// Values that the verdict must hold, as written in the rule.
    pub values: BTreeMap<Box<str>, Box<str>>,
    /// The retry verdict that it must have.
    pub retry: Option<RetryVerdict>,
    /// Where this text was really printed.
    pub source: Option<Box<str>>,
    /// Counterexamples: the winner, or `none`.
    pub instead: Option<Box<str>>,
    pub(crate) span: Span,
}

/// The facts of an [`Example`].
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExampleFacts {
    /// HTTP status.
    pub http_status: Option<u16>,
    /// gRPC status, name or number.
    pub grpc_status: Option<Box<str>>,
    /// Exit code.
    pub exit_code: Option<i32>,
    /// Signal, name or number.
    pub signal: Option<Box<str>>,
    /// Provider codes.
    pub codes: Vec<Box<str>>,
    /// Service.
    pub service: Option<Box<str>>,
    /// Product of the service.
    pub product: Option<Box<str>>,
    /// Response headers.
    pub headers: Vec<(Box<str>, Box<str>)>,
}
