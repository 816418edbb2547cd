//! The frozen pack: the built-in catalogue, loaded and checked at build time.
//!
//! `build.rs` writes it, a start reads it back. Rules and their conditions are read one by one, when
//! somebody asks for them: a verdict needs one of thousands. A test holds the pack equal to what
//! the YAML says.

use std::sync::Arc;

use once_cell::sync::OnceCell;
use serde::Deserialize;

use super::category::CategoryTable;
use super::service::ServiceTable;
use super::{Catalog, Inner};
use crate::engine::program::Program;
use crate::facts::table::FactTable;
use crate::frozen::{Lazy, Strings};
use crate::rule::Rule;

/// The parts of a frozen pack.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pack<'p> {
    /// What the catalogue knows.
    pub(crate) catalog: &'p [u8],
    /// The compiled program.
    pub(crate) program: &'p [u8],
}

/// What [`Pack::catalog`] holds.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
struct Frozen {
    ids: Strings,
    renamed: Vec<(Box<str>, usize)>,
    services: ServiceTable,
    categories: CategoryTable,
    facts: FactTable,
    rules: Lazy<Rule>,
}

/// Writes a pack: catalogue and program.
#[allow(dead_code)] // Called by `build.rs` and by a test.
pub(crate) fn freeze(catalog: &Catalog) -> [Vec<u8>; 2] {
    let inner = &catalog.inner;
    assert!(inner.disabled.is_empty(), "the built-in pack has no patches");
    // So that their programs are written too.
    for context in inner.facts.contexts.iter() {
        context.regex().expect("the loader has compiled it");
    }
    // In the layout of `Frozen`.
    let frozen = (
        &inner.ids,
        &inner.renamed,
        &inner.services,
        &inner.categories,
        &inner.facts,
        &inner.rules,
    );
    let frozen = postcard::to_stdvec(&frozen).expect("a catalogue is plain data");
    let mut program = Program::new(catalog);
    program.compile_all(catalog);
    [frozen, postcard::to_stdvec(&program).expect("a program is plain data")]
}

/// Reads a pack back. What it holds stays where it is.
pub(super) fn thaw(pack: Pack<'static>, hash: u64) -> Catalog {
    let frozen: Frozen = postcard::from_bytes(pack.catalog).expect("build.rs wrote this catalogue");
    let inner = Inner {
        rules: frozen.rules,
        ids: frozen.ids,
        renamed: frozen.renamed,
        disabled: Vec::new(),
        services: frozen.services,
        categories: frozen.categories,
        facts: frozen.facts,
        sources: OnceCell::new(),
        hash,
        warnings: Vec::new(),
        pack: Some(pack),
    };
    Catalog { inner: Arc::new(inner) }
}

/// Reads the program of a pack back.
pub(super) fn thaw_program(pack: Pack<'static>) -> Program {
    postcard::from_bytes(pack.program).expect("build.rs wrote this program")
}
