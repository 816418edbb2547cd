//! A catalogue compiled for matching: conditions by number, and what nominates them.
//!
//! Plain data: the program of the built-in pack is made by `build.rs` and read back at start.

use once_cell::sync::OnceCell;
use regex::bytes::Regex;
use serde::{Deserialize, Serialize};

use super::index::Index;
use crate::facts::{Provenance, compile, compile_pattern};
use crate::rule::Rule;
use crate::rule::model::{Range, Signature};

pub(crate) type SigId = usize;
pub(crate) type CodeId = usize;
pub(crate) type RuleId = usize;

/// Everything that classification needs, immutable.
#[derive(Serialize, Deserialize)]
pub(crate) struct Program {
    pub(crate) signatures: Vec<Sig>,
    /// Sorted by value.
    pub(crate) codes: Vec<CodeEntry>,
    pub(crate) rules: Vec<RuleProgram>,
    /// All literals.
    pub(crate) index: Index,
    /// What each literal of the index stands for.
    pub(crate) uses: Lists<Use>,
    /// Whether a literal alone makes a text a candidate.
    pub(crate) nominates: Vec<bool>,
    /// Rules that a signature nominates.
    pub(crate) by_signature: Lists<RuleId>,
    /// Rules that a code nominates.
    pub(crate) by_code: Lists<RuleId>,
    pub(crate) by_http_status: Vec<(Range, RuleId)>,
    pub(crate) by_grpc_status: Vec<(u8, RuleId)>,
    pub(crate) by_exit_code: Vec<(i32, RuleId)>,
    pub(crate) by_signal: Vec<(u8, RuleId)>,
    /// Signatures that betray a service, ascending.
    pub(crate) services: Vec<ServiceSig>,
    /// Services whose rules ask for codes that no literal nominates (numbers, short words): to
    /// know the service makes a text a candidate. Ascending.
    pub(crate) coded_services: Vec<usize>,
}

/// A unique signature.
#[derive(Serialize, Deserialize)]
pub(crate) struct Sig {
    pub(crate) signature: Signature,
    /// Literal bytes that a match is worth in ranking.
    pub(crate) weight: u32,
    /// Its literals are in the index. Signatures that only exclude or confirm are looked for
    /// when a rule asks.
    pub(crate) indexed: bool,
    #[serde(skip)]
    pub(super) regex: OnceCell<Regex>,
}

impl Sig {
    /// Compiled on first use; `None` only for what the loader refused already.
    pub(crate) fn regex(&self) -> Option<&Regex> {
        self.regex.get_or_try_init(|| compile(&self.signature)).ok()
    }
}

/// A code that rules ask for.
#[derive(Serialize, Deserialize)]
pub(crate) struct CodeEntry {
    /// In lower case.
    pub(crate) value: Box<str>,
    /// As a word in prose, if it is distinctive.
    pub(crate) word: Option<SigId>,
    pub(crate) typed: bool,
}

/// What a literal of the index stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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

#[derive(Serialize, Deserialize)]
pub(crate) struct ServiceSig {
    pub(crate) signature: SigId,
    pub(crate) service: usize,
    /// A hint: names the service where nothing better is there.
    pub(crate) weak: bool,
    /// Index of the product, where the host of a product was seen.
    pub(crate) product: Option<usize>,
}

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
    #[serde(skip)]
    pub(super) extractors: OnceCell<Vec<Vec<OnceCell<Regex>>>>,
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
    /// The entries of `services` for one signature.
    pub(crate) fn services_of(&self, signature: SigId) -> &[ServiceSig] {
        let first = self.services.partition_point(|entry| entry.signature < signature);
        let last = self.services.partition_point(|entry| entry.signature <= signature);
        &self.services[first..last]
    }

    /// The id of a code, however its letters are written.
    pub(crate) fn code(&self, value: &str) -> Option<CodeId> {
        let find = |value: &str| self.codes.binary_search_by(|entry| (*entry.value).cmp(value));
        if value.bytes().any(|byte| byte.is_ascii_uppercase()) {
            find(&value.to_ascii_lowercase()).ok()
        } else {
            find(value).ok()
        }
    }

    /// The compiled regex of one of a rule's extractors.
    pub(crate) fn extractor(
        &self,
        (id, rule): (RuleId, &Rule),
        extract: usize,
        regex: usize,
    ) -> Option<&Regex> {
        let cells = self.rules[id].extractors.get_or_init(|| {
            let cells = |count| std::iter::repeat_with(OnceCell::new).take(count).collect();
            rule.extract.iter().map(|extract| cells(extract.regexes.len())).collect()
        });
        let pattern = &rule.extract[extract].regexes[regex];
        cells[extract][regex].get_or_try_init(|| compile_pattern(pattern, false)).ok()
    }
}

/// Many short lists in one.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Lists<T> {
    ends: Vec<u32>,
    items: Vec<T>,
}

impl<T> Lists<T> {
    pub(crate) fn get(&self, index: usize) -> &[T] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.items[start..self.ends[index] as usize]
    }
}

impl<T> From<Vec<Vec<T>>> for Lists<T> {
    fn from(lists: Vec<Vec<T>>) -> Lists<T> {
        let mut all = Lists { ends: Vec::with_capacity(lists.len()), items: Vec::new() };
        for list in lists {
            all.items.extend(list);
            all.ends.push(all.items.len() as u32);
        }
        all
    }
}
