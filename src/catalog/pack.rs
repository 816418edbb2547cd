//! The frozen pack: the built-in catalogue, loaded and checked at build time.
//!
//! `build.rs` writes it, a start reads it back. Rules and their conditions are read one by one, when
//! somebody asks for them: a verdict needs one of thousands. A test holds the pack equal to what
//! the YAML says.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::category::CategoryTable;
use super::service::ServiceTable;
use super::{Catalog, Inner};
use crate::engine::program::Program;
use crate::facts::table::FactTable;
use crate::frozen::{Column, Lazy};
use crate::problem::SourceMap;

/// The parts of a frozen pack.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pack<'p> {
    /// Everything of the catalogue but its rules.
    pub(crate) tables: &'p [u8],
    /// The rules.
    pub(crate) rules: &'p [u8],
    /// The compiled program but the conditions of its rules.
    pub(crate) program: &'p [u8],
    /// These.
    pub(crate) conditions: &'p [u8],
}

/// What [`Pack::tables`] holds.
#[derive(Serialize, Deserialize)]
struct Tables {
    ids: Vec<Box<str>>,
    ends: Column<u32>,
    renamed: Vec<(Box<str>, usize)>,
    services: ServiceTable,
    categories: CategoryTable,
    facts: FactTable,
}

/// Writes the parts of a pack: tables, rules, program, conditions.
#[allow(dead_code)] // Called by `build.rs` and by a test.
pub(crate) fn freeze(catalog: &Catalog) -> [Vec<u8>; 4] {
    let inner = &catalog.inner;
    assert!(inner.disabled.is_empty(), "the built-in pack has no patches");
    let (rules, ends) = inner.rules.freeze();
    // So that their programs are written too.
    for context in &inner.facts.contexts {
        context.regex().expect("the loader has compiled it");
    }
    // The borrowed tables in the layout of `Tables`.
    let tables =
        (&inner.ids, &ends, &inner.renamed, &inner.services, &inner.categories, &inner.facts);
    let tables = postcard::to_stdvec(&tables).expect("tables are plain data");
    let mut program = Program::new(catalog);
    program.compile_all(catalog);
    let (conditions, ends) = program.rules.freeze();
    let program = postcard::to_stdvec(&(&program, &ends)).expect("a program is plain data");
    [tables, rules, program, conditions]
}

/// Reads a pack back. The rules stay where they are.
pub(super) fn thaw(pack: Pack<'static>, hash: u64, sources: SourceMap) -> Catalog {
    let tables: Tables = postcard::from_bytes(pack.tables).expect("build.rs wrote these tables");
    let inner = Inner {
        rules: Lazy::thaw(pack.rules, tables.ends),
        ids: tables.ids,
        renamed: tables.renamed,
        disabled: Vec::new(),
        services: tables.services,
        categories: tables.categories,
        facts: tables.facts,
        sources: Arc::new(sources),
        hash,
        warnings: Vec::new(),
        pack: Some(pack),
    };
    Catalog { inner: Arc::new(inner) }
}

/// Reads the program of a pack back.
pub(super) fn thaw_program(pack: Pack<'static>) -> Program {
    let (mut program, ends): (Program, Column<u32>) =
        postcard::from_bytes(pack.program).expect("build.rs wrote this program");
    program.rules = Lazy::thaw(pack.conditions, ends);
    program
}
