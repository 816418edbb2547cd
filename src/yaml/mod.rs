//! YAML in, trees with places out.

pub(crate) mod node;
pub(crate) mod parse;
