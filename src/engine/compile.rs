//! From a catalogue to its program.
//!
//! Every condition that can make a rule match must be visible to the search: a literal in the
//! index that nominates. Kinds AND, so one of a block's kinds is enough, and the rarest is taken.

use std::collections::HashMap;

use super::index::{Index, LiteralId};
use super::literals;
use super::pattern::Lazily;
use super::program::{
    BlockProgram, CodeId, ConditionProgram, Gate, Program, RuleId, RuleProgram, ServiceSig, SigId,
    Use,
};
use super::required::rarity;
use super::signatures::{Codes, Shape, Signatures};
use crate::catalog::Catalog;
use crate::facts::codes::{is_distinctive, is_typed, prose_is_case_sensitive};
use crate::facts::table::Subject;
use crate::frozen::{Column, Lazy, Lists};
use crate::rule::Rule;
use crate::rule::model::{Conditions, Signature, SignatureKind, When};

/// Literals of less rarity stand in healthy logs: where a block has another kind, that nominates,
/// and where it is gated the marks of its services do.
const TELLING: usize = 6;

impl Program {
    pub(crate) fn new(catalog: &Catalog) -> Program {
        let mut builder = Builder::default();
        builder.read_codes(catalog);
        let rules: Vec<RuleProgram> =
            catalog.rules().map(|rule| builder.rule(rule, catalog)).collect();
        let mut services = Vec::new();
        for (at, service) in catalog.services().enumerate() {
            let mut add = |signature: &Signature, weak, product| {
                let signature = builder.signature(signature);
                services.push(ServiceSig { signature, service: at, weak, product });
            };
            for host in &service.hosts {
                add(&host_signature(host), false, None);
            }
            for (index, product) in service.products.iter().enumerate() {
                for host in &product.hosts {
                    add(&host_signature(host), false, Some(index));
                }
            }
            for mark in &service.marks {
                add(mark, false, None);
            }
            for hint in &service.weak {
                add(hint, true, None);
            }
        }
        services.sort_by_key(|entry| entry.signature);
        for entry in &services {
            builder.signatures.set_of_service(entry.signature);
        }
        builder.finish(catalog, rules, services)
    }
}

fn host_signature(host: &str) -> Signature {
    Signature { kind: SignatureKind::Host, pattern: host.into(), case_sensitive: false }
}

#[derive(Default)]
struct Builder {
    signatures: Signatures,
    signature_ids: HashMap<Signature, SigId>,
    /// Required literals, in the order of signatures.
    required: Vec<Vec<Vec<u8>>>,
    /// How rare the literals of each are at least.
    rarities: Vec<usize>,
    shapes: Vec<Shape>,
    codes: Codes,
    code_ids: HashMap<Box<str>, CodeId>,
}

/// What nominates each rule.
struct Nominations {
    by_signature: Vec<Vec<RuleId>>,
    by_code: Vec<Vec<RuleId>>,
    /// Signatures that make a text a candidate.
    telling: Vec<bool>,
    /// Codes whose literals nominate.
    visible_codes: Vec<bool>,
    coded_services: Vec<usize>,
}

impl Nominations {
    /// A block that has one of these signatures in the text, of so much rarity at least.
    fn by_text(&mut self, id: RuleId, sigs: &[SigId], rarity: Option<usize>, gate: Option<&Gate>) {
        let telling = rarity >= Some(TELLING);
        for &sig in sigs {
            self.by_signature[sig].push(id);
            self.telling[sig] |= telling || gate.is_none();
        }
        if let Some(gate) = gate.filter(|_| !telling) {
            self.coded_services.extend(&gate.services);
        }
    }
}

impl Builder {
    fn signature(&mut self, signature: &Signature) -> SigId {
        if let Some(&id) = self.signature_ids.get(signature) {
            return id;
        }
        let id = self.signatures.len();
        // The loader has refused signatures without required literals.
        let (required, shape) = literals::required_with_shape(signature).unwrap_or_default();
        let weight = match signature.kind {
            SignatureKind::Regex => required.iter().map(Vec::len).min().unwrap_or(0),
            _ => signature.pattern.len(),
        };
        self.signatures.push(signature, weight as u32);
        self.rarities.push(required.iter().map(|literal| rarity(literal)).min().unwrap_or(0));
        self.required.push(required);
        self.shapes.push(shape);
        self.signature_ids.insert(signature.clone(), id);
        id
    }

    /// Numbers all codes in the order of their values, so that a code is found by bisection.
    fn read_codes(&mut self, catalog: &Catalog) {
        // Of spellings that differ in case the first one in this order decides.
        let mut codes: Vec<(Box<str>, &str)> = catalog
            .rules()
            .flat_map(|rule| rule.blocks.iter().map(|b| &b.conditions).chain([&rule.corroborate]))
            .flat_map(|conditions| &conditions.code)
            .map(|code| (code.to_ascii_lowercase().into(), &**code))
            .collect();
        codes.sort();
        codes.dedup_by(|a, b| a.0 == b.0);
        for (id, (value, code)) in codes.into_iter().enumerate() {
            let word = is_distinctive(code).then(|| {
                self.signature(&Signature {
                    kind: SignatureKind::Word,
                    pattern: code.into(),
                    case_sensitive: prose_is_case_sensitive(code),
                })
            });
            self.codes.push(&value, word, is_typed(code));
            self.code_ids.insert(value, id);
        }
    }

    fn conditions(&mut self, conditions: &Conditions) -> ConditionProgram {
        let mut signatures =
            |list: &[Signature]| list.iter().map(|sig| self.signature(sig)).collect();
        let (any, all) = (signatures(&conditions.any), signatures(&conditions.all));
        let code = |code: &str| self.code_ids[code.to_ascii_lowercase().as_str()];
        ConditionProgram {
            any,
            all,
            codes: conditions.code.iter().map(|text| code(text)).collect(),
            http_status: conditions.http_status.clone(),
            grpc_status: conditions.grpc_status.clone(),
            exit_code: conditions.exit_code.clone(),
            signal: conditions.signal.clone(),
        }
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
                    weak: block.weak,
                    coarse: block.coarse,
                })
                .collect(),
            corroborate: self.conditions(&rule.corroborate),
            service: rule.service.as_deref().and_then(|id| catalog.service_table().find(id)),
            extractors: rule
                .extract
                .iter()
                .map(|extract| vec![Lazily::default(); extract.regexes.len()])
                .collect(),
        }
    }

    fn finish(
        mut self,
        catalog: &Catalog,
        rules: Vec<RuleProgram>,
        services: Vec<ServiceSig>,
    ) -> Program {
        let mut nominations = Nominations {
            by_signature: vec![Vec::new(); self.signatures.len()],
            by_code: vec![Vec::new(); self.codes.len()],
            telling: vec![false; self.signatures.len()],
            visible_codes: vec![false; self.codes.len()],
            coded_services: Vec::new(),
        };
        let (mut by_http_status, mut by_grpc_status) = (Vec::new(), Vec::new());
        let (mut by_exit_code, mut by_signal) = (Vec::new(), Vec::new());
        for (id, rule) in rules.iter().enumerate() {
            for block in &rule.blocks {
                let conditions = &block.conditions;
                let gate = [&block.gate, &rule.gate].into_iter().find(|g| !g.services.is_empty());
                let rarest = conditions.all.iter().max_by_key(|&&sig| self.rarities[sig]);
                let any = conditions.any.iter().map(|&sig| self.rarities[sig]).min();
                let all = rarest.map(|&sig| self.rarities[sig]);
                let has_fact = !conditions.http_status.is_empty()
                    || !conditions.grpc_status.is_empty()
                    || !conditions.exit_code.is_empty()
                    || !conditions.signal.is_empty();
                // Facts are read from contexts that are looked for anyway, and codes are words of
                // their own or wait for their service.
                let other = has_fact || !conditions.codes.is_empty();
                let telling = if other { TELLING } else { 0 };
                if let (Some(&sig), true) = (rarest, all >= any.max(Some(telling))) {
                    nominations.by_text(id, &[sig], all, gate);
                } else if any >= Some(telling) {
                    nominations.by_text(id, &conditions.any, any, gate);
                } else if !conditions.codes.is_empty() {
                    self.nominate_by_code(id, gate, block, &mut nominations);
                } else if !conditions.http_status.is_empty() {
                    by_http_status.extend(conditions.http_status.iter().map(|&range| (range, id)));
                } else if !conditions.grpc_status.is_empty() {
                    by_grpc_status.extend(conditions.grpc_status.iter().map(|&s| (s, id)));
                } else if !conditions.exit_code.is_empty() {
                    by_exit_code.extend(conditions.exit_code.iter().map(|&code| (code, id)));
                } else {
                    by_signal.extend(conditions.signal.iter().map(|&signal| (signal, id)));
                }
            }
        }
        nominations.coded_services.sort_unstable();
        nominations.coded_services.dedup();
        let literals = self.literals(catalog, &services, &nominations);
        for mark in services.iter().filter(|entry| !entry.weak) {
            if nominations.coded_services.binary_search(&mark.service).is_ok() {
                nominations.telling[mark.signature] = true;
            }
        }
        let contexts = &catalog.fact_table().contexts;
        let nominates = literals
            .uses
            .iter()
            .map(|uses| {
                let any = uses.iter().any(|&used| match used {
                    Use::Whole(sig) | Use::Part(sig) => nominations.telling[sig],
                    Use::Code => true,
                    // Waits are read when a rule has matched; other facts matter where a rule is
                    // nominated by them.
                    Use::Context(context) => match contexts.get(context).subject {
                        Subject::HttpStatus => !by_http_status.is_empty(),
                        Subject::GrpcStatus => !by_grpc_status.is_empty(),
                        Subject::ExitCode => !by_exit_code.is_empty(),
                        Subject::Signal => !by_signal.is_empty(),
                        Subject::Code => !self.code_ids.is_empty(),
                        Subject::RetryAfter | Subject::ResetAt => false,
                    },
                });
                u8::from(any)
            })
            .collect();
        Program {
            index: Index::new(&literals.list),
            uses: literals.uses.into_iter().collect(),
            nominates,
            signatures: self.signatures,
            codes: self.codes,
            rules: Lazy::put_away(&rules),
            by_signature: lists(nominations.by_signature),
            by_code: lists(nominations.by_code),
            by_http_status,
            by_grpc_status,
            by_exit_code,
            by_signal,
            services: services.into_iter().collect(),
            coded_services: nominations.coded_services,
        }
    }

    /// A block whose only telling kind is its codes. A gated block with numbers or short words
    /// for codes is nominated by the marks of its services: `1205` stands in any log.
    fn nominate_by_code(
        &self,
        id: RuleId,
        gate: Option<&Gate>,
        block: &BlockProgram,
        nominations: &mut Nominations,
    ) {
        for &code in &block.conditions.codes {
            let value = self.codes.value(code).as_bytes();
            nominations.by_code[code].push(id);
            if let Some(word) = self.codes.word(code) {
                nominations.by_signature[word].push(id);
                nominations.telling[word] = true;
            }
            let telling = rarity(value) >= TELLING && !value.iter().all(u8::is_ascii_digit);
            match gate {
                Some(gate) if !telling => nominations.coded_services.extend(&gate.services),
                _ => nominations.visible_codes[code] = true,
            }
        }
    }

    fn literals(
        &mut self,
        catalog: &Catalog,
        services: &[ServiceSig],
        nominations: &Nominations,
    ) -> LiteralTable {
        let is_service_sig =
            |id| services.binary_search_by_key(&id, |entry: &ServiceSig| entry.signature).is_ok();
        let mut literals = LiteralTable::default();
        for (id, required) in self.required.iter().enumerate() {
            let mut shape = std::mem::take(&mut self.shapes[id]);
            if nominations.by_signature[id].is_empty() && !is_service_sig(id) {
                self.signatures.push_shape(shape);
                continue;
            }
            self.signatures.set_indexed(id);
            let whole = self.signatures.kind(id) != SignatureKind::Regex
                && matches!(
                    required.as_slice(),
                    [only] if only.eq_ignore_ascii_case(self.signatures.pattern(id))
                );
            if whole {
                shape.needs = Column::default();
            }
            self.signatures.push_shape(shape);
            for literal in required {
                literals.add(literal, if whole { Use::Whole(id) } else { Use::Part(id) });
            }
        }
        for code in (0..self.codes.len()).filter(|&code| nominations.visible_codes[code]) {
            for literal in code_literals(self.codes.value(code)) {
                literals.add(&literal, Use::Code);
            }
        }
        for (index, context) in catalog.fact_table().contexts.iter().enumerate() {
            for literal in &context.literals {
                literals.add(literal, Use::Context(index));
            }
        }
        literals
    }
}

fn lists(lists: Vec<Vec<RuleId>>) -> Lists<u32> {
    lists.into_iter().map(|list| list.into_iter().map(|id| id as u32)).collect()
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
    // The loader refuses shorter codes where nothing else shows them.
    literals::required(&signature).unwrap_or_default()
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
