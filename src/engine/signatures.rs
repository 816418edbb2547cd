//! The signatures and codes of a program, in columns: a start reads thousands of them.

use once_cell::sync::OnceCell;
use serde::{Deserialize, Serialize};

use super::pattern::{self, Code, Pattern};
use super::program::{CodeId, SigId};
use super::required::RegexInfo;
use super::trigrams;
use crate::facts::text::Range;
use crate::frozen::{Column, Lists, Strings, Words, copied};
use crate::rule::model::{Signature, SignatureKind};

/// What of a signature is known without looking for it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Shape {
    #[serde(deserialize_with = "copied")]
    pub(crate) needs: Column<u16>,
    pub(crate) before: u32,
    pub(crate) after: u32,
}

/// Any number of bytes.
const ANY: u32 = u32::MAX;

impl Shape {
    pub(crate) fn of_regex(info: &RegexInfo) -> Shape {
        let bytes = |most: Option<usize>| most.and_then(|most| most.try_into().ok()).unwrap_or(ANY);
        Shape {
            needs: trigrams::encode(info.needs.iter().map(Vec::as_slice)),
            before: bytes(info.reach.0),
            after: bytes(info.reach.1),
        }
    }

    pub(crate) fn of_text(pattern: &str) -> Shape {
        let lower = pattern.to_ascii_lowercase().into_bytes();
        let most = lower.len() as u32;
        Shape { needs: trigrams::encode([[lower].as_slice()]), before: most, after: most }
    }

    pub(crate) fn window(&self, hits: Range) -> Range {
        window((self.before, self.after), hits)
    }
}

/// Where all matches lie if their literals lie in `hits`. One byte more is seen behind them: what a
/// pattern asks of the neighbours of a match (`\b`, `$`) is asked of the true ones.
fn window((before, after): (u32, u32), hits: Range) -> Range {
    Range {
        start: if before == ANY { 0 } else { hits.start.saturating_sub(before as usize) },
        end: if after == ANY { usize::MAX } else { hits.end.saturating_add(after as usize + 1) },
    }
}

/// All unique signatures.
#[derive(Default, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub(crate) struct Signatures {
    patterns: Strings,
    weights: Column<u32>,
    flags: Column<u8>,
    /// What a text must hold: see [`super::trigrams`]. Empty where the index says all.
    needs: Lists<u16>,
    /// Bytes of a match before and behind its literal at most, in turn; all ones: any number.
    reach: Column<u32>,
    /// The program of each regex; none here: they are made on first use.
    programs: Strings,
    #[serde(skip)]
    made: OnceCell<Box<[Code]>>,
}

const KINDS: [SignatureKind; 4] =
    [SignatureKind::Text, SignatureKind::Word, SignatureKind::Host, SignatureKind::Regex];
const KIND: u8 = 3;
const CASE_SENSITIVE: u8 = 4;
const INDEXED: u8 = 8;
const OF_SERVICE: u8 = 16;

impl Signatures {
    /// Adds a signature; `weight` is the number of literal bytes that a match is worth in ranking.
    pub(super) fn push(&mut self, signature: &Signature, weight: u32) {
        self.patterns.push(signature.pattern.as_bytes());
        self.weights.push(weight);
        let kind = KINDS.iter().position(|&kind| kind == signature.kind).unwrap_or(0) as u8;
        self.flags.push(kind | if signature.case_sensitive { CASE_SENSITIVE } else { 0 });
    }

    /// Adds what a text must hold, signature by signature.
    pub(super) fn push_shape(&mut self, shape: Shape) {
        self.needs.push(shape.needs.words());
        self.reach.extend([shape.before, shape.after]);
    }

    pub(super) fn set_indexed(&mut self, id: SigId) {
        self.flags.set(id, self.flags.at(id) | INDEXED);
    }

    pub(super) fn set_of_service(&mut self, id: SigId) {
        self.flags.set(id, self.flags.at(id) | OF_SERVICE);
    }

    /// It betrays a service.
    pub(super) fn is_of_service(&self, id: SigId) -> bool {
        self.flags.at(id) & OF_SERVICE != 0
    }

    pub(crate) fn len(&self) -> usize {
        self.flags.len()
    }

    pub(crate) fn pattern(&self, id: SigId) -> &[u8] {
        self.patterns.get(id)
    }

    pub(crate) fn kind(&self, id: SigId) -> SignatureKind {
        KINDS[usize::from(self.flags.at(id) & KIND)]
    }

    pub(crate) fn is_case_sensitive(&self, id: SigId) -> bool {
        self.flags.at(id) & CASE_SENSITIVE != 0
    }

    /// Its literals are in the index. Signatures that only exclude or confirm are looked for when
    /// a rule asks.
    pub(crate) fn is_indexed(&self, id: SigId) -> bool {
        self.flags.at(id) & INDEXED != 0
    }

    /// What a text must hold, for [`Trigrams::may_hold`](super::trigrams::Trigrams::may_hold).
    pub(crate) fn needs(&self, id: SigId) -> Words<'_, u16> {
        self.needs.get(id)
    }

    /// Where a match can stand whose literals are first and last at `hits`.
    pub(crate) fn window(&self, id: SigId, hits: Range) -> Range {
        window((self.reach.at(2 * id), self.reach.at(2 * id + 1)), hits)
    }

    pub(crate) fn weight(&self, id: SigId) -> u32 {
        self.weights.at(id)
    }

    /// Whether a literal signature equals `part`.
    pub(crate) fn equals(&self, id: SigId, part: &[u8]) -> bool {
        match self.is_case_sensitive(id) {
            true => part == self.pattern(id),
            false => part.eq_ignore_ascii_case(self.pattern(id)),
        }
    }

    /// `None` only for what the loader refused already.
    pub(crate) fn regex(&self, id: SigId) -> Option<Pattern<'_>> {
        if self.programs.len() > 0 {
            return Some(self.programs.get(id)).filter(|code| !code.is_empty()).map(Pattern::new);
        }
        let cells = self
            .made
            .get_or_init(|| std::iter::repeat_with(OnceCell::new).take(self.len()).collect());
        let code = cells[id].get_or_try_init(|| self.compile(id)).ok()?;
        Some(Pattern::new(code))
    }

    fn compile(&self, id: SigId) -> Result<Box<[u8]>, String> {
        let pattern = std::str::from_utf8(self.pattern(id)).map_err(|error| error.to_string())?;
        pattern::compile(pattern, self.is_case_sensitive(id), false)
    }

    /// Makes all programs, for a pack.
    pub(crate) fn compile_all(&mut self) {
        let mut programs = Strings::default();
        for id in 0..self.len() {
            match self.kind(id) {
                SignatureKind::Regex => {
                    programs.push(&self.compile(id).expect("the loader has compiled it"));
                }
                _ => programs.push(&[]),
            }
        }
        self.programs = programs;
    }
}

/// The codes that rules ask for, in lower case, sorted.
#[derive(Default, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub(crate) struct Codes {
    values: Strings,
    /// The code as a word in prose, if it is distinctive, plus one; else 0.
    words: Column<u32>,
    typed: Column<u8>,
}

impl Codes {
    /// Adds a code, which must be greater than all before it.
    pub(super) fn push(&mut self, value: &str, word: Option<SigId>, typed: bool) {
        self.values.push(value.as_bytes());
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
        self.words.at(id).checked_sub(1).map(|word| word as usize)
    }

    pub(crate) fn is_typed(&self, id: CodeId) -> bool {
        self.typed.at(id) != 0
    }

    /// The id of a code, however its letters are written.
    pub(crate) fn find(&self, value: &str) -> Option<CodeId> {
        let lower = || value.bytes().map(|byte| byte.to_ascii_lowercase());
        self.values.find(|known| known.iter().copied().cmp(lower()))
    }
}
