//! What a rule is, after all layers are merged.

pub(crate) mod model;
pub(crate) mod words;

pub use model::{Example, Reference, Remedy, Rule};
pub use words::{
    Alternative, Category, Confidence, Layer, RetryVerdict, Scope, Severity, Status, Tier,
    ValueType, Who,
};
