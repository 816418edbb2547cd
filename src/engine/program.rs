//! A catalogue compiled for matching: conditions by number, and what nominates them.
//!
//! Plain data: the program of the built-in pack is made by `build.rs` and read back at start.

use serde::{Deserialize, Serialize};

use super::index::{Index, LiteralId};
use super::pattern::{Lazily, Pattern};
use super::signatures::{Codes, Signatures};
use crate::catalog::Catalog;
use crate::event::Event;
use crate::facts::Provenance;
use crate::frozen::{Column, Lazy, Lists, Words, word};
use crate::rule::Rule;
use crate::rule::model::Range;

pub(crate) type SigId = usize;
pub(crate) type CodeId = usize;
pub(crate) type RuleId = usize;

/// Everything that classification needs, immutable.
#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub(crate) struct Program {
    pub(crate) signatures: Signatures,
    pub(crate) codes: Codes,
    pub(crate) rules: Lazy<RuleProgram>,
    /// All literals.
    pub(crate) index: Index,
    /// What each literal of the index stands for.
    pub(crate) uses: Lists<Use>,
    /// For each literal: 1 if it alone makes a text a candidate.
    pub(super) nominates: Column<u8>,
    /// Rules that a signature nominates.
    pub(crate) by_signature: Lists<u32>,
    /// Rules that a code nominates.
    pub(crate) by_code: Lists<u32>,
    pub(crate) by_http_status: Vec<(Range, RuleId)>,
    pub(crate) by_grpc_status: Vec<(u8, RuleId)>,
    pub(crate) by_exit_code: Vec<(i32, RuleId)>,
    pub(crate) by_signal: Vec<(u8, RuleId)>,
    /// Signatures that betray a service, ascending.
    pub(crate) services: Column<ServiceSig>,
    /// Services whose rules ask for what no literal nominates (numbers, common words): to know the
    /// service makes a text a candidate. Ascending.
    pub(crate) coded_services: Vec<usize>,
}

/// What a literal of the index stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// The whole of a literal signature: a hit is a match, but for case and bounds.
    Whole(SigId),
    /// A part of a signature: a hit makes it worth looking.
    Part(SigId),
    /// A code stands in the text, perhaps under a key.
    Code,
    /// A context of the fact table may match.
    Context(usize),
}

// Two bits for the kind, the rest for the id.
word!(
    Use,
    4,
    |used| {
        let (kind, id) = match used {
            Use::Whole(id) => (0, id),
            Use::Part(id) => (1, id),
            Use::Code => (2, 0),
            Use::Context(id) => (3, id),
        };
        ((id as u32) << 2 | kind).to_le_bytes()
    },
    |bytes| {
        let word = u32::from_le_bytes(bytes);
        let id = (word >> 2) as usize;
        match word & 3 {
            0 => Use::Whole(id),
            1 => Use::Part(id),
            2 => Use::Code,
            _ => Use::Context(id),
        }
    }
);

/// A signature that betrays a service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ServiceSig {
    pub(crate) signature: SigId,
    pub(crate) service: usize,
    /// A hint: names the service where nothing better is there.
    pub(crate) weak: bool,
    /// Index of the product, where the host of a product was seen.
    pub(crate) product: Option<usize>,
}

/// The product that stands for none.
const NO_PRODUCT: u16 = u16::MAX;

// One bit says whether it is a hint, the others of its word are the service.
word!(
    ServiceSig,
    10,
    |entry| {
        let [a, b, c, d] = (entry.signature as u32).to_le_bytes();
        let [e, f, g, h] = ((entry.service as u32) << 1 | u32::from(entry.weak)).to_le_bytes();
        let product = entry.product.map_or(NO_PRODUCT, |product| product as u16);
        let [i, j] = product.to_le_bytes();
        [a, b, c, d, e, f, g, h, i, j]
    },
    |[a, b, c, d, e, f, g, h, i, j]| {
        let service = u32::from_le_bytes([e, f, g, h]);
        let product = u16::from_le_bytes([i, j]);
        ServiceSig {
            signature: u32::from_le_bytes([a, b, c, d]) as usize,
            service: (service >> 1) as usize,
            weak: service & 1 != 0,
            product: (product != NO_PRODUCT).then_some(product.into()),
        }
    }
);

impl ServiceSig {
    pub(crate) fn from(&self) -> Provenance {
        if self.weak { Provenance::Hint } else { Provenance::Mark }
    }
}

/// A rule's conditions by number.
#[derive(Serialize, Deserialize)]
pub(crate) struct RuleProgram {
    pub(crate) gate: Gate,
    pub(crate) blocks: Vec<BlockProgram>,
    pub(crate) corroborate: ConditionProgram,
    pub(crate) service: Option<usize>,
    /// The regexes of its extractors.
    pub(super) extractors: Vec<Vec<Lazily>>,
}

#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Gate {
    pub(crate) services: Vec<usize>,
    pub(crate) products: Vec<Box<str>>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct BlockProgram {
    pub(crate) gate: Gate,
    pub(crate) conditions: ConditionProgram,
    pub(crate) none: Vec<SigId>,
    pub(crate) weak: bool,
    pub(crate) coarse: bool,
}

#[derive(Default, Serialize, Deserialize)]
pub(crate) struct ConditionProgram {
    pub(crate) any: Vec<SigId>,
    pub(crate) all: Vec<SigId>,
    pub(crate) codes: Vec<CodeId>,
    pub(crate) http_status: Vec<Range>,
    pub(crate) grpc_status: Vec<u8>,
    pub(crate) exit_code: Vec<i32>,
    pub(crate) signal: Vec<u8>,
}

impl Program {
    /// Whether a literal alone makes a text a candidate.
    pub(crate) fn nominates(&self, literal: LiteralId) -> bool {
        self.nominates.at(literal) != 0
    }

    /// Whether a match of a signature makes a rule possible.
    pub(crate) fn matters(&self, signature: SigId) -> bool {
        // Whose service is known may have rules for codes that nothing else nominates.
        let betrays = |entry: ServiceSig| {
            !entry.weak && self.coded_services.binary_search(&entry.service).is_ok()
        };
        !self.by_signature.get(signature).is_empty()
            || self.services_of(signature).into_iter().any(betrays)
    }

    /// Whether the caller or a field names a service of `coded_services`, whose marks need not stand
    /// in the text.
    pub(crate) fn has_coded_service(&self, catalog: &Catalog, event: &Event<'_>) -> bool {
        let mut services =
            event.named_services().filter_map(|name| catalog.service_table().find(name));
        services.any(|service| self.coded_services.binary_search(&service).is_ok())
    }

    /// The entries of `services` for one signature.
    pub(crate) fn services_of(&self, signature: SigId) -> Words<'_, ServiceSig> {
        let services = self.services.words();
        if !self.signatures.is_of_service(signature) {
            return services.part(0..0);
        }
        let first = services.partition_point(|entry| entry.signature < signature);
        let last = services.partition_point(|entry| entry.signature <= signature);
        services.part(first..last)
    }

    /// The compiled regex of one of a rule's extractors.
    pub(crate) fn extractor(
        &self,
        (id, rule): (RuleId, &Rule),
        extract: usize,
        regex: usize,
    ) -> Option<Pattern<'_>> {
        let pattern = &rule.extract[extract].regexes[regex];
        self.rules.get(id).extractors[extract][regex].get(pattern, false)
    }

    /// Makes the programs of all regexes, for a pack.
    pub(crate) fn compile_all(&mut self, catalog: &Catalog) {
        self.signatures.compile_all();
        for (id, rule) in catalog.rules().enumerate() {
            for (extract, regexes) in
                rule.extract.iter().map(|extract| &extract.regexes).enumerate()
            {
                for regex in 0..regexes.len() {
                    self.extractor((id, rule), extract, regex);
                }
            }
        }
    }
}
