/*!
Rules that say **why** an error happened, **who** has to act, **whether a retry is worth it and
when**, and **what to do**, with the evidence.

```
use std::time::Duration;
use whyerr::{Category, Classifier, Event, Who};

let classifier = Classifier::builtin();
let verdict = classifier.classify(
    Event::new("Error code: 429 - {'error': {'message': 'Rate limit reached for gpt-4o on tokens \
                per min (TPM): Limit 10000, Used 9348. Please try again in 26.604s.'}}")
        .service("openai"),
);
assert_eq!(verdict.category(), Some(Category::RateLimited));
assert_eq!(verdict.retry().delay(1), Some(Duration::from_millis(26_604)));
```

# Overview

- [`Catalog`]: rules, services and categories of all layers, merged and checked. The built-in pack
  is part of the library; [`CatalogBuilder`] adds your own from texts, files and folders.
- [`Classifier`]: a catalogue compiled for matching. `Send + Sync`, cheap to clone, no I/O.
- [`Event`]: what gets classified: a text and what you know besides (status, code, headers,
  service). A `&str` is an event.
- [`Verdict`]: the rule that won, its category, who acts, [`Retry`] advice with delays, remedies
  with values filled in, [`Evidence`], and what else matched.
- [`scan`]: whole chunks of a log.
- [`explain`](mod@explain): reference pages for rules, statuses, codes and categories.

# Own rules

```
use whyerr::{Catalog, Classifier, Layer};

let catalog = Catalog::builder()
    .text(Layer::User, "acme.yaml", r#"
schema: 1
rules:
  - id: acme.license-expired
    title: The Acme licence has expired
    category: permission_denied
    status: experimental
    match: { any: [ { text: "ACME-LIC: licence expired" } ] }
    summary: "The licence of the Acme server has run out."
    causes: [ "Nobody renewed it." ]
    remedies: [ { do: "Renew the licence in the Acme console", who: account } ]
    examples: [ { text: "FATAL ACME-LIC: licence expired on node 3" } ]
"#)
    .build()?;
let verdict = Classifier::new(&catalog).classify("FATAL ACME-LIC: licence expired on node 3");
assert_eq!(verdict.rule().unwrap().id.as_ref(), "acme.license-expired");
# Ok::<(), whyerr::Problems>(())
```

The rule language is described in `docs/rules.md` of the repository.
*/

#![forbid(unsafe_code)]
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]

mod builtin;
mod catalog;
mod chain;
mod engine;
mod event;
pub mod explain;
mod facts;
mod frozen;
mod problem;
pub mod redact;
mod rule;
pub mod scan;
mod testing;
mod verdict;
mod yaml;

/// The examples of the README run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use catalog::{Catalog, CatalogBuilder, CategoryInfo, Product, Service};
pub use engine::{Classifier, DecidedBy, Reason, Scratch, Why};
pub use event::{Event, Role};
pub use facts::table::Case as FactCase;
pub use facts::{Provenance, Value};
pub use problem::{Code as ProblemCode, Level, Place, Problem, Problems};
pub use rule::model::{ExampleFacts, RetryRule};
pub use rule::{
    Alternative, Category, Confidence, Example, Layer, Reference, Remedy, RetryVerdict, Rule,
    Scope, Severity, Status, Tier, ValueType, Who,
};
pub use testing::{Failure, TestReport};
pub use verdict::{
    ChainLink, Evidence, FORMAT_VERSION, FactView, Retry, RunnerUp, ServiceName, Verdict,
};
