//! A catalogue compiled for matching.

use std::collections::HashMap;

use once_cell::sync::OnceCell;
use regex::bytes::Regex;

use super::automaton::{Automaton, LiteralId};
use super::literals;
use crate::catalog::Catalog;
use crate::facts::codes::{KEY_PARTS, is_distinctive, is_typed, prose_is_case_sensitive};
use crate::facts::{Provenance, compile, compile_pattern};
use crate::rule::Rule;
use crate::rule::model::{Conditions, Range, Signature, SignatureKind, When};

pub(crate) type SigId = usize;
pub(crate) type CodeId = usize;
pub(crate) type RuleId = usize;

/// Everything that classification needs, immutable.
pub(crate) struct Program {
    pub(crate) signatures: Vec<Sig>,
    pub(crate) codes: Vec<CodeEntry>,
    pub(crate) code_ids: HashMap<Box<str>, CodeId>,
    pub(crate) rules: Vec<RuleProgram>,
    pub(crate) automaton: Automaton,
    /// What each literal stands for.
    pub(crate) uses: Vec<Vec<Use>>,
    /// Whether a literal alone makes a text a candidate.
    pub(crate) nominates: Vec<bool>,
    /// Rules that a signature nominates.
    pub(crate) by_signature: Vec<Vec<RuleId>>,
    /// Rules that a code nominates.
    pub(crate) by_code: Vec<Vec<RuleId>>,
    pub(crate) by_http_status: Vec<(Range, RuleId)>,
    pub(crate) by_grpc_status: Vec<(u8, RuleId)>,
    pub(crate) by_exit_code: Vec<(i32, RuleId)>,
    pub(crate) by_signal: Vec<(u8, RuleId)>,
    /// Signatures that betray a service, ascending.
    pub(crate) services: Vec<ServiceSig>,
}

/// A unique signature.
pub(crate) struct Sig {
    pub(crate) signature: Signature,
    /// Lower-case pattern of literal signatures.
    pub(crate) lower: Box<[u8]>,
    /// Literal bytes that a match is worth in ranking.
    pub(crate) weight: u32,
    /// Its literals are in the automaton. Signatures that only exclude or confirm are looked for
    /// when a rule asks.
    pub(crate) indexed: bool,
    regex: OnceCell<Regex>,
}

impl Sig {
    /// Compiled on first use; `None` only for what the loader refused already.
    pub(crate) fn regex(&self) -> Option<&Regex> {
        self.regex.get_or_try_init(|| compile(&self.signature)).ok()
    }
}

/// A code that rules ask for.
pub(crate) struct CodeEntry {
    /// In lower case.
    pub(crate) value: Box<str>,
    /// As a word in prose, if it is distinctive.
    pub(crate) word: Option<SigId>,
    pub(crate) typed: bool,
}

/// What a literal of the automaton stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// The whole of a literal signature: a hit is a match, but for case and bounds.
    Whole(SigId),
    /// A part of a signature: a hit makes it worth looking.
    Part(SigId),
    /// A code stands in the text, perhaps under a key.
    Code,
    /// The same for a number: a hit inside of a longer number is none.
    Number,
    /// A context of the fact table may match.
    Context(usize),
}

pub(crate) struct ServiceSig {
    pub(crate) signature: SigId,
    pub(crate) service: usize,
    pub(crate) from: Provenance,
    /// Index of the product, where the host of a product was seen.
    pub(crate) product: Option<usize>,
}

/// A rule's conditions by number.
pub(crate) struct RuleProgram {
    pub(crate) gate: Gate,
    pub(crate) blocks: Vec<BlockProgram>,
    pub(crate) corroborate: ConditionProgram,
    pub(crate) service: Option<usize>,
    pub(crate) extract: Vec<Vec<OnceCell<Regex>>>,
}

#[derive(Default)]
pub(crate) struct Gate {
    pub(crate) services: Vec<usize>,
    pub(crate) products: Vec<Box<str>>,
}

pub(crate) struct BlockProgram {
    pub(crate) gate: Gate,
    pub(crate) conditions: ConditionProgram,
    pub(crate) none: Vec<SigId>,
}

#[derive(Default)]
pub(crate) struct ConditionProgram {
    pub(crate) any: Vec<SigId>,
    pub(crate) all: Vec<SigId>,
    pub(crate) codes: Vec<CodeId>,
}

impl Program {
    pub(crate) fn new(catalog: &Catalog) -> Program {
        let mut builder = Builder::default();
        let rules: Vec<RuleProgram> =
            catalog.rules().iter().map(|rule| builder.rule(rule, catalog)).collect();
        let mut services = Vec::new();
        for (at, service) in catalog.services().iter().enumerate() {
            let mut add = |signature: Signature, from, product| {
                let signature = builder.signature(&signature);
                services.push(ServiceSig { signature, service: at, from, product });
            };
            for host in &service.hosts {
                add(host_signature(host), Provenance::Mark, None);
            }
            for (index, product) in service.products.iter().enumerate() {
                for host in &product.hosts {
                    add(host_signature(host), Provenance::Mark, Some(index));
                }
            }
            for mark in &service.marks {
                add(mark.clone(), Provenance::Mark, None);
            }
            for hint in &service.weak {
                add(hint.clone(), Provenance::Hint, None);
            }
        }
        services.sort_by_key(|entry| entry.signature);
        builder.finish(catalog, rules, services)
    }

    /// The entries of `services` for one signature.
    pub(crate) fn services_of(&self, signature: SigId) -> &[ServiceSig] {
        let first = self.services.partition_point(|entry| entry.signature < signature);
        let last = self.services.partition_point(|entry| entry.signature <= signature);
        &self.services[first..last]
    }

    /// The id of a code, however its letters are written.
    pub(crate) fn code(&self, value: &str) -> Option<CodeId> {
        if value.bytes().any(|byte| byte.is_ascii_uppercase()) {
            self.code_ids.get(value.to_ascii_lowercase().as_str()).copied()
        } else {
            self.code_ids.get(value).copied()
        }
    }
}

fn host_signature(host: &str) -> Signature {
    Signature { kind: SignatureKind::Host, pattern: host.into(), case_sensitive: false }
}

#[derive(Default)]
struct Builder {
    signatures: Vec<Sig>,
    signature_ids: HashMap<Signature, SigId>,
    /// Required literals, in the order of signatures.
    required: Vec<Vec<Vec<u8>>>,
    codes: Vec<CodeEntry>,
    code_ids: HashMap<Box<str>, CodeId>,
}

impl Builder {
    fn signature(&mut self, signature: &Signature) -> SigId {
        if let Some(&id) = self.signature_ids.get(signature) {
            return id;
        }
        let id = self.signatures.len();
        // The loader has refused signatures without required literals.
        let required = literals::required(signature).unwrap_or_default();
        let lower = signature.pattern.to_ascii_lowercase().into_bytes().into_boxed_slice();
        let weight = match signature.kind {
            SignatureKind::Regex => required.iter().map(Vec::len).min().unwrap_or(0),
            _ => lower.len(),
        };
        self.signatures.push(Sig {
            signature: signature.clone(),
            lower,
            weight: weight as u32,
            indexed: false,
            regex: OnceCell::new(),
        });
        self.required.push(required);
        self.signature_ids.insert(signature.clone(), id);
        id
    }

    fn code(&mut self, code: &str) -> CodeId {
        let value: Box<str> = code.to_ascii_lowercase().into();
        if let Some(&id) = self.code_ids.get(&value) {
            return id;
        }
        let id = self.codes.len();
        let word = is_distinctive(code).then(|| {
            self.signature(&Signature {
                kind: SignatureKind::Word,
                pattern: code.into(),
                case_sensitive: prose_is_case_sensitive(code),
            })
        });
        self.codes.push(CodeEntry { value: value.clone(), word, typed: is_typed(code) });
        self.code_ids.insert(value, id);
        id
    }

    fn conditions(&mut self, conditions: &Conditions) -> ConditionProgram {
        let mut signatures =
            |list: &[Signature]| list.iter().map(|sig| self.signature(sig)).collect();
        let (any, all) = (signatures(&conditions.any), signatures(&conditions.all));
        let codes = conditions.code.iter().map(|code| self.code(code)).collect();
        ConditionProgram { any, all, codes }
    }

    fn rule(&mut self, rule: &Rule, catalog: &Catalog) -> RuleProgram {
        RuleProgram {
            gate: gate(&rule.when, catalog),
            blocks: rule
                .blocks
                .iter()
                .map(|block| BlockProgram {
                    gate: gate(&block.when, catalog),
                    conditions: self.conditions(&block.conditions),
                    none: block.none.iter().map(|sig| self.signature(sig)).collect(),
                })
                .collect(),
            corroborate: self.conditions(&rule.corroborate),
            service: rule.service.as_deref().and_then(|id| catalog.service_table().find(id)),
            extract: rule
                .extract
                .iter()
                .map(|extract| extract.regexes.iter().map(|_| OnceCell::new()).collect())
                .collect(),
        }
    }

    fn finish(
        mut self,
        catalog: &Catalog,
        rules: Vec<RuleProgram>,
        services: Vec<ServiceSig>,
    ) -> Program {
        let mut by_signature = vec![Vec::new(); self.signatures.len()];
        let mut by_code = vec![Vec::new(); self.codes.len()];
        let (mut by_http_status, mut by_grpc_status) = (Vec::new(), Vec::new());
        let (mut by_exit_code, mut by_signal) = (Vec::new(), Vec::new());
        for (id, (program, rule)) in rules.iter().zip(catalog.rules()).enumerate() {
            for (block, model) in program.blocks.iter().zip(&rule.blocks) {
                // Kinds AND: one of them is enough to nominate by, the most telling one.
                let conditions = &block.conditions;
                let model = &model.conditions;
                let heaviest =
                    conditions.all.iter().max_by_key(|&&sig| self.signatures[sig].weight);
                if let Some(&sig) = heaviest {
                    by_signature[sig].push(id);
                } else if !conditions.any.is_empty() {
                    conditions.any.iter().for_each(|&sig| by_signature[sig].push(id));
                } else if !conditions.codes.is_empty() {
                    for &code in &conditions.codes {
                        by_code[code].push(id);
                        if let Some(word) = self.codes[code].word {
                            by_signature[word].push(id);
                        }
                    }
                } else if !model.http_status.is_empty() {
                    by_http_status.extend(model.http_status.iter().map(|&range| (range, id)));
                } else if !model.grpc_status.is_empty() {
                    by_grpc_status.extend(model.grpc_status.iter().map(|&status| (status, id)));
                } else if !model.exit_code.is_empty() {
                    by_exit_code.extend(model.exit_code.iter().map(|&code| (code, id)));
                } else {
                    by_signal.extend(model.signal.iter().map(|&signal| (signal, id)));
                }
            }
        }
        let is_service_sig =
            |id| services.binary_search_by_key(&id, |entry: &ServiceSig| entry.signature).is_ok();
        let mut literals = LiteralTable::default();
        for (id, required) in self.required.iter().enumerate() {
            let sig = &mut self.signatures[id];
            sig.indexed = !by_signature[id].is_empty() || is_service_sig(id);
            if !sig.indexed {
                continue;
            }
            let whole = sig.signature.kind != SignatureKind::Regex
                && matches!(required.as_slice(), [only] if **only == *sig.lower);
            for literal in required {
                literals.add(literal, if whole { Use::Whole(id) } else { Use::Part(id) });
            }
        }
        for code in &self.codes {
            for literal in code_literals(&code.value) {
                let number =
                    *literal == *code.value.as_bytes() && literal.iter().all(u8::is_ascii_digit);
                literals.add(&literal, if number { Use::Number } else { Use::Code });
            }
        }
        for (index, context) in catalog.fact_table().contexts.iter().enumerate() {
            if context.subject.is_wait() {
                continue;
            }
            for literal in &context.literals {
                literals.add(literal, Use::Context(index));
            }
        }
        let nominates = literals
            .uses
            .iter()
            .map(|uses| {
                uses.iter().any(|&used| match used {
                    Use::Whole(sig) | Use::Part(sig) => !by_signature[sig].is_empty(),
                    Use::Code | Use::Number | Use::Context(_) => true,
                })
            })
            .collect();
        Program {
            automaton: Automaton::new(&literals.list),
            uses: literals.uses,
            nominates,
            signatures: self.signatures,
            codes: self.codes,
            code_ids: self.code_ids,
            rules,
            by_signature,
            by_code,
            by_http_status,
            by_grpc_status,
            by_exit_code,
            by_signal,
            services,
        }
    }
}

fn gate(when: &When, catalog: &Catalog) -> Gate {
    Gate {
        services: when.service.iter().filter_map(|id| catalog.service_table().find(id)).collect(),
        products: when.product.clone(),
    }
}

/// What stands in the raw text wherever a code fact of this value can be read. Prefixed codes
/// (`SQLSTATE-23505`) may be put together from a context: that has literals of its own.
fn code_literals(value: &str) -> Vec<Vec<u8>> {
    let signature =
        Signature { kind: SignatureKind::Text, pattern: value.into(), case_sensitive: false };
    match literals::required(&signature) {
        Ok(literals) => literals,
        // Codes of one or two characters: the fact contexts are what shows them; the key
        // scanner's literals stand for all of them.
        Err(_) => KEY_PARTS.iter().chain(&["|"]).map(|part| part.as_bytes().to_vec()).collect(),
    }
}

#[derive(Default)]
struct LiteralTable {
    list: Vec<Vec<u8>>,
    ids: HashMap<Vec<u8>, LiteralId>,
    uses: Vec<Vec<Use>>,
}

impl LiteralTable {
    fn add(&mut self, literal: &[u8], used: Use) {
        let id = match self.ids.get(literal) {
            Some(&id) => id,
            None => {
                let id = self.list.len();
                self.list.push(literal.to_vec());
                self.ids.insert(literal.to_vec(), id);
                self.uses.push(Vec::new());
                id
            }
        };
        if !self.uses[id].contains(&used) {
            self.uses[id].push(used);
        }
    }
}

/// Compiles an extractor's regex on first use.
pub(crate) fn extractor<'p>(cell: &'p OnceCell<Regex>, pattern: &str) -> Option<&'p Regex> {
    cell.get_or_try_init(|| compile_pattern(pattern, false)).ok()
}
