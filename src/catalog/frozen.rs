//! The frozen pack: the built-in catalogue, loaded and checked at build time.
//!
//! `build.rs` writes it, a start reads it back. Rules are read one by one, when somebody asks for
//! them: a verdict needs one of thousands. A test holds the pack equal to what the YAML says.

use std::sync::Arc;

use once_cell::sync::OnceCell;
use serde::{Deserialize, Serialize};

use super::category::CategoryTable;
use super::service::ServiceTable;
use super::{Catalog, Inner};
use crate::engine::program::Program;
use crate::facts::table::FactTable;
use crate::problem::SourceMap;
use crate::rule::Rule;

/// The parts of a frozen pack, each read by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pack<'p> {
    /// Everything of the catalogue but its rules.
    pub(crate) tables: &'p [u8],
    /// The rules, one behind the other; `tables` says where each ends.
    pub(crate) rules: &'p [u8],
    /// The compiled program.
    pub(crate) program: &'p [u8],
}

/// What [`Pack::tables`] holds.
#[derive(Serialize, Deserialize)]
struct Tables {
    ids: Vec<Box<str>>,
    ends: Vec<u32>,
    renamed: Vec<(Box<str>, usize)>,
    services: ServiceTable,
    categories: CategoryTable,
    facts: FactTable,
}

/// The rules of a catalogue, in the order of their ids.
#[derive(Debug, Default)]
pub(super) struct Rules {
    cells: Vec<OnceCell<Box<Rule>>>,
    /// Where those stand that were not asked for yet.
    frozen: &'static [u8],
    ends: Vec<u32>,
}

impl Rules {
    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    pub(super) fn get(&self, index: usize) -> &Rule {
        self.cells[index].get_or_init(|| {
            let start = index.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
            let bytes = &self.frozen[start..self.ends[index] as usize];
            Box::new(postcard::from_bytes(bytes).expect("build.rs wrote this rule"))
        })
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &Rule> {
        (0..self.cells.len()).map(|index| self.get(index))
    }
}

impl From<Vec<Rule>> for Rules {
    fn from(rules: Vec<Rule>) -> Rules {
        let cells = rules.into_iter().map(|rule| OnceCell::with_value(Box::new(rule))).collect();
        Rules { cells, frozen: &[], ends: Vec::new() }
    }
}

/// Writes the parts of a pack: tables, rules, program.
#[allow(dead_code)] // Called by `build.rs` and by a test.
pub(crate) fn freeze(catalog: &Catalog) -> [Vec<u8>; 3] {
    let inner = &catalog.inner;
    assert!(inner.disabled.is_empty(), "the built-in pack has no patches");
    let mut rules = Vec::new();
    let mut ends = Vec::new();
    for rule in inner.rules.iter() {
        rules.extend(postcard::to_stdvec(rule).expect("rules are plain data"));
        ends.push(rules.len() as u32);
    }
    // The borrowed tables in the layout of `Tables`.
    let tables =
        (&inner.ids, &ends, &inner.renamed, &inner.services, &inner.categories, &inner.facts);
    let tables = postcard::to_stdvec(&tables).expect("tables are plain data");
    let program = postcard::to_stdvec(&Program::new(catalog)).expect("a program is plain data");
    [tables, rules, program]
}

/// Reads a pack back. The rules stay where they are.
pub(super) fn thaw(pack: Pack<'static>, hash: u64, sources: SourceMap) -> Catalog {
    let tables: Tables = postcard::from_bytes(pack.tables).expect("build.rs wrote these tables");
    let cells = std::iter::repeat_with(OnceCell::new).take(tables.ends.len()).collect();
    let inner = Inner {
        rules: Rules { cells, frozen: pack.rules, ends: tables.ends },
        ids: tables.ids,
        renamed: tables.renamed,
        disabled: Vec::new(),
        services: tables.services,
        categories: tables.categories,
        facts: tables.facts,
        sources: Arc::new(sources),
        hash,
        warnings: Vec::new(),
        frozen_program: Some(pack.program),
    };
    Catalog { inner: Arc::new(inner) }
}

/// Reads the program of a pack back.
pub(crate) fn thaw_program(bytes: &[u8]) -> Program {
    postcard::from_bytes(bytes).expect("build.rs wrote this program")
}
