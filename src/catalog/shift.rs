//! Moves the spans of a tree into the offsets of all sources together.

use crate::yaml::node::{Kind, Node, Span};

pub(super) fn shift(node: &mut Node, base: u32) {
    let by = |span: &mut Span| {
        span.start += base;
        span.end += base;
    };
    by(&mut node.span);
    match &mut node.kind {
        Kind::Sequence(items) => items.iter_mut().for_each(|item| shift(item, base)),
        Kind::Mapping(entries) => {
            for (key, value) in entries {
                by(&mut key.span);
                shift(value, base);
            }
        }
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => {}
    }
}
