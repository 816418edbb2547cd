//! Whether a rule matches, and how well. One evaluation for both engines: they differ in which
//! rules they ask and in how they find a signature, never in what a match is.

use super::program::{CodeId, ConditionProgram, Gate, Program, RuleId, SigId};
use crate::catalog::Catalog;
use crate::facts::text::Range;
use crate::facts::{Fact, Facts};
use crate::rule::words::Tier;

/// Finds a signature: the first place in the first view that holds it.
pub(crate) trait Look {
    fn find(&mut self, signature: SigId) -> Option<Range>;
}

/// What made a rule match.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Match {
    pub(crate) rule: RuleId,
    pub(crate) block: usize,
    pub(crate) tier: Tier,
    pub(crate) corroborated: bool,
    pub(crate) kinds: u8,
    pub(crate) bytes: u32,
    /// Of an event that states a chain of causes: the rule matches its root cause by itself.
    pub(crate) root: bool,
    pub(crate) evidence: Vec<Proof>,
}

impl Match {
    /// Whether any of its evidence stands in the text.
    pub(crate) fn stands_in_text(&self) -> bool {
        self.evidence.iter().any(|proof| match proof {
            Proof::Signature(..) => true,
            Proof::Code(_, at)
            | Proof::HttpStatus(_, at)
            | Proof::GrpcStatus(_, at)
            | Proof::ExitCode(_, at)
            | Proof::Signal(_, at) => at.is_some(),
        })
    }
}

/// One condition that held.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Proof {
    Signature(SigId, Range),
    Code(Box<str>, Option<Range>),
    HttpStatus(u16, Option<Range>),
    GrpcStatus(u8, Option<Range>),
    ExitCode(i32, Option<Range>),
    Signal(u8, Option<Range>),
}

/// Why a rule does not match.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Miss {
    /// The gate of the rule or of every block: the service is unknown or another one.
    Gate,
    /// No block has all its kinds: (block, kind that lacks).
    Lacks(usize, &'static str),
    /// A signature under `none` stands in the text.
    Excluded(usize, SigId, Range),
    /// A weak block without corroboration.
    Uncorroborated(usize),
}

/// Everything an evaluation reads.
pub(crate) struct Context<'c> {
    pub(crate) catalog: &'c Catalog,
    pub(crate) program: &'c Program,
    pub(crate) facts: &'c Facts,
    /// Services of the highest provenance.
    known: Vec<usize>,
    /// The codes among the facts that rules ask for.
    codes: Vec<(CodeId, &'c Fact<Box<str>>)>,
}

impl<'c> Context<'c> {
    /// Of an event whose services are `known`.
    pub(crate) fn new(
        catalog: &'c Catalog,
        program: &'c Program,
        facts: &'c Facts,
        known: Vec<usize>,
    ) -> Self {
        let code = |fact: &'c Fact<Box<str>>| Some((program.codes.find(&fact.value)?, fact));
        let codes = facts.codes.iter().filter_map(code).collect();
        Context { catalog, program, facts, known, codes }
    }

    /// The codes of the event that rules ask for.
    pub(crate) fn codes(&self) -> impl Iterator<Item = CodeId> {
        self.codes.iter().map(|&(code, _)| code)
    }

    /// The best matched block of a rule, or why there is none (of its last block that came
    /// nearest).
    pub(crate) fn evaluate(&self, id: RuleId, look: &mut impl Look) -> Result<Match, Miss> {
        let program = self.program.rules.get(id);
        if !self.passes(&program.gate) {
            return Err(Miss::Gate);
        }
        let mut best: Option<Match> = None;
        let mut miss = Miss::Gate;
        for block in 0..program.blocks.len() {
            match self.block(id, block, look) {
                Ok(found) => {
                    let better = best.as_ref().is_none_or(|best| {
                        (std::cmp::Reverse(found.tier), found.kinds, found.bytes)
                            > (std::cmp::Reverse(best.tier), best.kinds, best.bytes)
                    });
                    if better {
                        best = Some(found);
                    }
                }
                Err(why) => {
                    // Exclusion tells more than a lack, a lack more than a gate.
                    let rank = |miss: &Miss| match miss {
                        Miss::Gate => 0,
                        Miss::Lacks(..) => 1,
                        Miss::Uncorroborated(_) => 2,
                        Miss::Excluded(..) => 3,
                    };
                    if rank(&why) > rank(&miss) {
                        miss = why;
                    }
                }
            }
        }
        best.ok_or(miss)
    }

    fn block(&self, id: RuleId, at: usize, look: &mut impl Look) -> Result<Match, Miss> {
        let program = self.program.rules.get(id);
        let block = &program.blocks[at];
        if !self.passes(&block.gate) {
            return Err(Miss::Gate);
        }
        let mut score = Score::default();
        self.conditions(&block.conditions, look, &mut score)
            .map_err(|kind| Miss::Lacks(at, kind))?;
        for &sig in &block.none {
            if let Some(range) = look.find(sig) {
                return Err(Miss::Excluded(at, sig, range));
            }
        }
        let corroborated = self.any_of(&program.corroborate, look);
        if block.weak && !corroborated {
            return Err(Miss::Uncorroborated(at));
        }
        let gated = !program.gate.services.is_empty() || !block.gate.services.is_empty();
        let agrees = program.service.is_some_and(|service| self.known.contains(&service));
        let coarse =
            block.coarse || score.code.as_ref().is_some_and(|code| self.is_coarse(id, code));
        let attributed = gated || program.service.is_some();
        Ok(Match {
            rule: id,
            block: at,
            tier: score.tier(attributed, coarse),
            corroborated,
            kinds: score.kinds + u8::from(gated || agrees),
            bytes: score.bytes,
            root: false,
            evidence: score.evidence,
        })
    }

    /// All kinds that there are must hold; the first that does not is the error.
    fn conditions(
        &self,
        program: &ConditionProgram,
        look: &mut impl Look,
        score: &mut Score,
    ) -> Result<(), &'static str> {
        let mut text = 0;
        for &sig in &program.all {
            let range = look.find(sig).ok_or("all")?;
            text += self.program.signatures.weight(sig);
            score.evidence.push(Proof::Signature(sig, range));
        }
        if !program.any.is_empty() {
            let mut heaviest = None;
            for &sig in &program.any {
                if let Some(range) = look.find(sig) {
                    heaviest = heaviest.max(Some(self.program.signatures.weight(sig)));
                    score.evidence.push(Proof::Signature(sig, range));
                }
            }
            text += heaviest.ok_or("any")?;
        }
        if !program.any.is_empty() || !program.all.is_empty() {
            score.text = true;
            score.kinds += 1;
            score.bytes += text;
        }
        if !program.codes.is_empty() {
            self.has_code(program, look, score)?;
        }
        if !program.http_status.is_empty() {
            let hit = self.facts.best_http_status().find_map(|fact| {
                let matching = program.http_status.iter().filter(|r| r.contains(fact.value));
                matching.map(|range| range.is_class()).min().map(|class| (fact, class))
            });
            let (fact, class) = hit.ok_or("http_status")?;
            score.fact(Some(Proof::HttpStatus(fact.value, fact.at)), "http_status")?;
            score.class = class;
        }
        if !program.grpc_status.is_empty() {
            let best = self.facts.grpc_status.iter().map(|fact| fact.from).max();
            let hit =
                self.facts.grpc_status.iter().find(|fact| {
                    Some(fact.from) == best && program.grpc_status.contains(&fact.value)
                });
            score.fact(hit.map(|fact| Proof::GrpcStatus(fact.value, fact.at)), "grpc_status")?;
        }
        if !program.exit_code.is_empty() {
            let hit = find(&self.facts.exit_code, &program.exit_code);
            score.fact(hit.map(|fact| Proof::ExitCode(fact.value, fact.at)), "exit_code")?;
        }
        if !program.signal.is_empty() {
            let hit = find(&self.facts.signal, &program.signal);
            score.fact(hit.map(|fact| Proof::Signal(fact.value, fact.at)), "signal")?;
        }
        Ok(())
    }

    fn has_code(
        &self,
        program: &ConditionProgram,
        look: &mut impl Look,
        score: &mut Score,
    ) -> Result<(), &'static str> {
        // Under a key first; as a distinctive word in prose one tier lower.
        let keyed = self.codes.iter().find(|(code, _)| program.codes.contains(code)).copied();
        let (code, at, prose) = match keyed {
            Some((code, fact)) => (code, fact.at, false),
            None => program
                .codes
                .iter()
                .find_map(|&code| {
                    let range = look.find(self.program.codes.word(code)?)?;
                    Some((code, Some(range), true))
                })
                .ok_or("code")?,
        };
        let value: Box<str> = self.program.codes.value(code).into();
        score.kinds += 1;
        score.bytes += value.len() as u32;
        score.evidence.push(Proof::Code(value.clone(), at));
        score.code = Some(CodeScore { value, typed: self.program.codes.is_typed(code), prose });
        Ok(())
    }

    /// Any one condition of `corroborate` holds.
    fn any_of(&self, program: &ConditionProgram, look: &mut impl Look) -> bool {
        let statuses = program
            .http_status
            .iter()
            .any(|range| self.facts.http_status.iter().any(|fact| range.contains(fact.value)));
        statuses
            || self.facts.grpc_status.iter().any(|fact| program.grpc_status.contains(&fact.value))
            || find(&self.facts.exit_code, &program.exit_code).is_some()
            || find(&self.facts.signal, &program.signal).is_some()
            || program.any.iter().any(|&sig| look.find(sig).is_some())
            || (!program.all.is_empty() && program.all.iter().all(|&sig| look.find(sig).is_some()))
            || (!program.codes.is_empty()
                && self.has_code(program, look, &mut Score::default()).is_ok())
    }

    /// Whether the known service (and product) is one of the gate's.
    fn passes(&self, gate: &Gate) -> bool {
        if gate.services.is_empty() {
            return true;
        }
        let Some(&service) = self.known.iter().find(|known| gate.services.contains(known)) else {
            return false;
        };
        if gate.products.is_empty() {
            return true;
        }
        let product = match self.facts.products.first() {
            Some(fact) => Some(&*fact.value),
            None => self.catalog.service_at(service).default_product(),
        };
        product.is_some_and(|product| gate.products.iter().any(|id| &**id == product))
    }

    /// Whether a service that has to do with the rule marks the code as covering many causes.
    fn is_coarse(&self, id: RuleId, code: &CodeScore) -> bool {
        let program = self.program.rules.get(id);
        program.service.iter().chain(&program.gate.services).chain(&self.known).any(|&service| {
            let list = &self.catalog.service_at(service).coarse_codes;
            list.iter().any(|coarse| coarse.eq_ignore_ascii_case(&code.value))
        })
    }
}

fn find<'f, T: PartialEq>(facts: &'f [Fact<T>], wanted: &[T]) -> Option<&'f Fact<T>> {
    facts.iter().find(|fact| wanted.contains(&fact.value))
}

#[derive(Default)]
struct Score {
    kinds: u8,
    bytes: u32,
    text: bool,
    class: bool,
    code: Option<CodeScore>,
    evidence: Vec<Proof>,
}

struct CodeScore {
    value: Box<str>,
    typed: bool,
    /// Found as a word in prose.
    prose: bool,
}

impl Score {
    /// Counts a kind that holds by a fact, or says which one does not.
    fn fact(&mut self, found: Option<Proof>, kind: &'static str) -> Result<(), &'static str> {
        self.evidence.push(found.ok_or(kind)?);
        self.kinds += 1;
        Ok(())
    }

    fn tier(&self, attributed: bool, coarse: bool) -> Tier {
        let text = if attributed { Tier::ServiceText } else { Tier::Text };
        let code = self.code.as_ref().map(|code| match (coarse, code.typed && !attributed) {
            (true, _) if code.prose => Tier::Status,
            (true, _) => Tier::CoarseCode,
            (false, true) => Tier::Text,
            (false, false) if code.prose => Tier::ServiceText,
            (false, false) => Tier::Code,
        });
        match (self.text, code) {
            (true, Some(Tier::Code)) => Tier::CodeAndText,
            // The word of the code and a phrase beside it are as good as a keyed code.
            (true, Some(Tier::ServiceText)) => Tier::Code,
            (true, Some(code)) => code.min(text),
            (true, None) => text,
            (false, Some(code)) => code,
            (false, None) if self.class => Tier::StatusClass,
            (false, None) => Tier::Status,
        }
    }
}
