//! The signatures and codes of a program, in columns: a start reads thousands of them.

use once_cell::sync::OnceCell;
use regex::bytes::Regex;
use serde::{Deserialize, Serialize};

use super::program::{CodeId, SigId};
use crate::facts::compile_pattern;
use crate::frozen::{Column, Lists};
use crate::rule::model::{Signature, SignatureKind};

/// All unique signatures.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Signatures {
    patterns: Lists<u8>,
    weights: Column<u32>,
    flags: Column<u8>,
    #[serde(skip)]
    regexes: OnceCell<Box<[OnceCell<Box<Regex>>]>>,
}

const KINDS: [SignatureKind; 4] =
    [SignatureKind::Text, SignatureKind::Word, SignatureKind::Host, SignatureKind::Regex];
const KIND: u8 = 3;
const CASE_SENSITIVE: u8 = 4;
const INDEXED: u8 = 8;

impl Signatures {
    /// Adds a signature; `weight` is the number of literal bytes that a match is worth in ranking.
    pub(super) fn push(&mut self, signature: &Signature, weight: u32) {
        self.patterns.push(signature.pattern.bytes());
        self.weights.push(weight);
        let kind = KINDS.iter().position(|&kind| kind == signature.kind).unwrap_or(0) as u8;
        self.flags.push(kind | if signature.case_sensitive { CASE_SENSITIVE } else { 0 });
    }

    pub(super) fn set_indexed(&mut self, id: SigId) {
        self.flags[id] |= INDEXED;
    }

    pub(crate) fn len(&self) -> usize {
        self.flags.len()
    }

    pub(crate) fn pattern(&self, id: SigId) -> &[u8] {
        self.patterns.get(id)
    }

    pub(crate) fn kind(&self, id: SigId) -> SignatureKind {
        KINDS[usize::from(self.flags[id] & KIND)]
    }

    pub(crate) fn is_case_sensitive(&self, id: SigId) -> bool {
        self.flags[id] & CASE_SENSITIVE != 0
    }

    /// Its literals are in the index. Signatures that only exclude or confirm are looked for when
    /// a rule asks.
    pub(crate) fn is_indexed(&self, id: SigId) -> bool {
        self.flags[id] & INDEXED != 0
    }

    pub(crate) fn weight(&self, id: SigId) -> u32 {
        self.weights[id]
    }

    /// Whether a literal signature equals `part`.
    pub(crate) fn equals(&self, id: SigId, part: &[u8]) -> bool {
        match self.is_case_sensitive(id) {
            true => part == self.pattern(id),
            false => part.eq_ignore_ascii_case(self.pattern(id)),
        }
    }

    /// Compiled on first use; `None` only for what the loader refused already.
    pub(crate) fn regex(&self, id: SigId) -> Option<&Regex> {
        let cells = self
            .regexes
            .get_or_init(|| std::iter::repeat_with(OnceCell::new).take(self.len()).collect());
        let compile = || {
            let pattern = std::str::from_utf8(self.pattern(id)).map_err(drop)?;
            compile_pattern(pattern, self.is_case_sensitive(id)).map(Box::new).map_err(drop)
        };
        cells[id].get_or_try_init(compile).ok().map(|regex| &**regex)
    }
}

/// The codes that rules ask for, in lower case, sorted.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Codes {
    values: Lists<u8>,
    /// The code as a word in prose, if it is distinctive, plus one; else 0.
    words: Column<u32>,
    typed: Column<u8>,
}

impl Codes {
    /// Adds a code, which must be greater than all before it.
    pub(super) fn push(&mut self, value: &str, word: Option<SigId>, typed: bool) {
        self.values.push(value.bytes());
        self.words.push(word.map_or(0, |word| word as u32 + 1));
        self.typed.push(typed.into());
    }

    pub(crate) fn len(&self) -> usize {
        self.typed.len()
    }

    pub(crate) fn value(&self, id: CodeId) -> &str {
        std::str::from_utf8(self.values.get(id)).unwrap_or_default()
    }

    pub(crate) fn word(&self, id: CodeId) -> Option<SigId> {
        self.words[id].checked_sub(1).map(|word| word as usize)
    }

    pub(crate) fn is_typed(&self, id: CodeId) -> bool {
        self.typed[id] != 0
    }

    /// The id of a code, however its letters are written.
    pub(crate) fn find(&self, value: &str) -> Option<CodeId> {
        let (mut first, mut last) = (0, self.len());
        while first < last {
            let middle = first + (last - first) / 2;
            let known = self.values.get(middle).iter().copied();
            match known.cmp(value.bytes().map(|byte| byte.to_ascii_lowercase())) {
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Less => first = middle + 1,
                std::cmp::Ordering::Greater => last = middle,
            }
        }
        None
    }
}
