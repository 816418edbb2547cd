//! From a parsed regex to its program.
//!
//! Invariant, for every part: if it is entered at most once at each place, it is left at most once
//! at each. Where two ways meet stands a join, which stops the second. So a search takes at most
//! as many steps as the program has instructions (a repetition of one byte: its rounds), times the
//! bytes of the text.

use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};

use super::first::{First, Set, begins_with, sequences, single};
use super::{ANY, FIRST, HEADER, NEEDLES, SET, look, op};
use crate::engine::required::parse;

/// Most bytes of a program, and most steps at one place: `(a{1000}){1000}` is refused.
const MOST_BYTES: usize = 32 << 10;
const MOST_STEPS: usize = 32 << 10;

/// Compiles a regex; `group`: with the places of its first group. The error says what is wrong.
pub(crate) fn compile(
    pattern: &str,
    case_sensitive: bool,
    group: bool,
) -> Result<Box<[u8]>, String> {
    let hir = parse(pattern, case_sensitive)?;
    let mut compiler = Compiler { group, ..Compiler::default() };
    compiler.emit(&hir)?;
    compiler.code.push(op::MATCH);
    compiler.finish(&hir)
}

type Done = Result<(), String>;

#[derive(Default)]
struct Compiler {
    sets: Vec<Set>,
    code: Vec<u8>,
    joins: u16,
    steps: usize,
    group: bool,
}

/// One byte of a run of text.
#[derive(Clone, Copy, PartialEq)]
enum Letter {
    /// In lower case, whatever the case of the text.
    Folded(u8),
    /// As it stands.
    Exact(u8),
}

/// The smallest of the sets of first bytes, as the header has it.
fn needles(first: &First) -> [u8; 2 + NEEDLES] {
    let mut all = [0; 2 + NEEDLES];
    let members = |set: &Set| -> Vec<u8> {
        (0..=u8::MAX).filter(|byte| set[usize::from(byte / 8)] >> (byte % 8) & 1 != 0).collect()
    };
    let sets = first.sets.iter().map(members).enumerate();
    // Of equals the last: letters that begin words are frequent.
    let smallest = sets.rev().min_by_key(|(_, bytes)| bytes.len());
    if let Some((at, bytes)) = smallest.filter(|_| first.least >= FIRST)
        && (1..=NEEDLES).contains(&bytes.len())
    {
        (all[0], all[1]) = (at as u8, bytes.len() as u8);
        all[2..2 + bytes.len()].copy_from_slice(&bytes);
    }
    all
}

impl Compiler {
    fn finish(mut self, hir: &Hir) -> Result<Box<[u8]>, String> {
        let first = First::of(hir);
        // A shorter match has no such bytes.
        let guards = [0, 1, 2].map(|at| match first.least >= FIRST {
            true => self.set(first.sets[at]),
            false => ANY,
        });
        let look = match begins_with(hir) {
            Some(kind) => look_kind(kind)? + 1,
            None => 0,
        };
        let mut all = Vec::with_capacity(HEADER + self.sets.len() * SET + self.code.len());
        for number in [self.joins, self.sets.len() as u16].into_iter().chain(guards) {
            all.extend(number.to_le_bytes());
        }
        all.push(look);
        all.extend(needles(&first));
        all.extend(self.sets.iter().flatten());
        all.extend(self.code);
        Ok(all.into())
    }

    fn emit(&mut self, hir: &Hir) -> Done {
        match hir.kind() {
            HirKind::Empty => Ok(()),
            HirKind::Literal(_) | HirKind::Class(_) | HirKind::Repetition(_) => {
                self.concat(std::slice::from_ref(hir))
            }
            HirKind::Concat(parts) => self.concat(parts),
            HirKind::Look(kind) => {
                let kind = look_kind(*kind)?;
                self.add(op::LOOK, &[])?;
                self.code.push(kind);
                Ok(())
            }
            HirKind::Capture(capture) if self.group && capture.index == 1 => {
                self.code.extend([op::SAVE, 0]);
                self.emit(&capture.sub)?;
                self.code.extend([op::SAVE, 1]);
                Ok(())
            }
            HirKind::Capture(capture) => self.emit(&capture.sub),
            HirKind::Alternation(branches) => {
                let guards: Vec<u16> =
                    branches.iter().map(|branch| self.guard(&First::of(branch))).collect();
                self.branches(&guards, |compiler, index| compiler.emit(&branches[index]))
            }
        }
    }

    /// One of several ways, the first one preferred.
    fn branches(&mut self, guards: &[u16], emit: impl Fn(&mut Self, usize) -> Done) -> Done {
        let at = self.branch(guards)?;
        let mut ends = Vec::new();
        for index in 0..guards.len() {
            self.aim(at, index)?;
            emit(self, index)?;
            if index + 1 < guards.len() {
                ends.push(self.code.len());
                self.add(op::JUMP, &[0])?;
            }
        }
        for end in ends {
            self.put(end + 1, self.code.len())?;
        }
        self.join()
    }

    fn characters(&mut self, class: &Class) -> Done {
        let sequences: Vec<Vec<u16>> = sequences(class)
            .into_iter()
            .map(|sequence| sequence.into_iter().map(|set| self.set(set)).collect())
            .collect();
        let guards: Vec<u16> = sequences.iter().map(|sequence| sequence[0]).collect();
        self.branches(&guards, |compiler, index| {
            sequences[index].iter().try_for_each(|&set| compiler.add(op::CLASS, &[set]))
        })
    }

    fn concat(&mut self, parts: &[Hir]) -> Done {
        let mut run: Vec<Letter> = Vec::new();
        for (at, part) in parts.iter().enumerate() {
            if letters(part, &mut run) {
                continue;
            }
            self.text(&mut run)?;
            match part.kind() {
                HirKind::Class(class) => match single(part) {
                    Some(set) => {
                        let set = self.set(set);
                        self.add(op::CLASS, &[set])?;
                    }
                    None => self.characters(class)?,
                },
                HirKind::Repetition(repetition) => match single(&repetition.sub) {
                    Some(set) => {
                        let guard = self.guard(&First::of_all(&parts[at + 1..]));
                        self.repeat_byte(repetition, set, guard)?;
                    }
                    None => self.repeat(repetition)?,
                },
                _ => self.emit(part)?,
            }
        }
        self.text(&mut run)
    }

    /// Writes a run of letters.
    fn text(&mut self, run: &mut Vec<Letter>) -> Done {
        // What is no letter goes with either side.
        let is_free = |letter: &Letter| match letter {
            Letter::Exact(byte) => !byte.is_ascii_alphabetic(),
            Letter::Folded(_) => false,
        };
        let mut rest = run.as_slice();
        while !rest.is_empty() {
            let first = rest.iter().find(|letter| !is_free(letter));
            let folded = matches!(first, Some(Letter::Folded(_)));
            let same =
                |letter: &&Letter| is_free(letter) || matches!(letter, Letter::Folded(_)) == folded;
            let length = rest.iter().take_while(same).count().min(255);
            let (part, tail) = rest.split_at(length);
            self.add(if folded { op::TEXT } else { op::EXACT }, &[])?;
            self.code.push(length as u8);
            self.code.extend(part.iter().map(|letter| match letter {
                Letter::Folded(byte) | Letter::Exact(byte) => *byte,
            }));
            rest = tail;
        }
        run.clear();
        Ok(())
    }

    fn repeat_byte(&mut self, repetition: &Repetition, set: Set, guard: u16) -> Done {
        let set = self.set(set);
        let greedy = repetition.greedy;
        let (least, most) = (repetition.min, repetition.max);
        if let Some(most) = most {
            return self.range(greedy, set, guard, least, most);
        }
        if least > 0 {
            self.range(greedy, set, ANY, least, least)?;
        }
        let join = self.new_join()?;
        self.add(if greedy { op::STAR } else { op::STAR_LAZY }, &[set, join, guard])
    }

    fn range(&mut self, greedy: bool, set: u16, guard: u16, least: u32, most: u32) -> Done {
        if (least, most) == (1, 1) {
            return self.add(op::CLASS, &[set]);
        }
        self.steps += most as usize;
        let short = |count: u32| u16::try_from(count).map_err(|_| TOO_LARGE);
        let (least, most) = (short(least)?, short(most)?);
        // Only one way leads through a fixed number.
        let join = if least == most { ANY } else { self.new_join()? };
        let op = if greedy { op::RANGE } else { op::RANGE_LAZY };
        self.add(op, &[set, join, guard, least, most])
    }

    /// The same constructions, and so the same preferences, as those of `regex`.
    fn repeat(&mut self, repetition: &Repetition) -> Done {
        let sub = &*repetition.sub;
        let greedy = repetition.greedy;
        let first = First::of(sub);
        let guard = self.guard(&first);
        let nullable = first.least == 0;
        // What is tried first, and where the two ways stand among the branches.
        let guards = if greedy { [guard, ANY] } else { [ANY, guard] };
        let (body, exit) = if greedy { (0, 1) } else { (1, 0) };
        match (repetition.min, repetition.max) {
            (0, None) if !nullable => {
                let start = self.code.len();
                self.join()?;
                let at = self.branch(&guards)?;
                self.aim(at, body)?;
                self.emit(sub)?;
                self.add(op::JUMP, &[0])?;
                self.put(self.code.len() - 2, start)?;
                self.aim(at, exit)
            }
            (0, None) => {
                // `(x+)?`: what may be empty is entered once more for nothing otherwise.
                let question = self.branch(&guards)?;
                self.aim(question, body)?;
                let plus = self.plus(sub, &guards, (body, exit))?;
                self.aim(plus, exit)?;
                self.aim(question, exit)?;
                self.join()
            }
            (least, None) => {
                for _ in 1..least {
                    self.emit(sub)?;
                }
                let plus = self.plus(sub, &guards, (body, exit))?;
                self.aim(plus, exit)
            }
            (least, Some(most)) => {
                for _ in 0..least {
                    self.emit(sub)?;
                }
                let mut exits = Vec::new();
                for _ in least..most {
                    let at = self.branch(&guards)?;
                    exits.push(at);
                    self.aim(at, body)?;
                    self.emit(sub)?;
                }
                if exits.is_empty() {
                    return Ok(());
                }
                for at in exits {
                    self.aim(at, exit)?;
                }
                self.join()
            }
        }
    }

    /// `x+` but for its exit, which the branch that is given back still lacks.
    fn plus(
        &mut self,
        sub: &Hir,
        guards: &[u16; 2],
        (body, _): (usize, usize),
    ) -> Result<usize, String> {
        let start = self.code.len();
        self.join()?;
        self.emit(sub)?;
        let at = self.branch(guards)?;
        self.put(target(at, body), start)?;
        Ok(at)
    }

    fn add(&mut self, op: u8, operands: &[u16]) -> Done {
        self.steps += 1;
        self.code.push(op);
        self.code.extend(operands.iter().flat_map(|number| number.to_le_bytes()));
        let sets = self.sets.len() * SET;
        if self.code.len() + sets > MOST_BYTES || self.steps > MOST_STEPS {
            return Err(TOO_LARGE.into());
        }
        Ok(())
    }

    /// A branch of which no target is known yet. Returns where it stands.
    fn branch(&mut self, guards: &[u16]) -> Result<usize, String> {
        let at = self.code.len();
        self.steps += guards.len();
        let ways = guards.iter().flat_map(|&guard| [guard, 0]);
        let operands: Vec<u16> = std::iter::once(guards.len() as u16).chain(ways).collect();
        self.add(op::BRANCH, &operands)?;
        Ok(at)
    }

    /// Lets a way of a branch go to what comes next.
    fn aim(&mut self, branch: usize, index: usize) -> Done {
        self.put(target(branch, index), self.code.len())
    }

    /// Writes an address.
    fn put(&mut self, at: usize, address: usize) -> Done {
        let address = u16::try_from(address).map_err(|_| TOO_LARGE)?;
        self.code[at..at + 2].copy_from_slice(&address.to_le_bytes());
        Ok(())
    }

    fn new_join(&mut self) -> Result<u16, String> {
        self.joins += 1;
        if self.joins == ANY { Err(TOO_LARGE.into()) } else { Ok(self.joins - 1) }
    }

    fn join(&mut self) -> Done {
        let join = self.new_join()?;
        self.add(op::JOIN, &[join])
    }

    fn set(&mut self, set: Set) -> u16 {
        let known = self.sets.iter().position(|known| *known == set);
        known.unwrap_or_else(|| {
            self.sets.push(set);
            self.sets.len() - 1
        }) as u16
    }

    /// The set that the next byte must be in, if there is one.
    fn guard(&mut self, first: &First) -> u16 {
        if first.least == 0 { ANY } else { self.set(first.sets[0]) }
    }
}

/// Where the target of a way stands.
fn target(branch: usize, index: usize) -> usize {
    branch + 3 + index * 4 + 2
}

const TOO_LARGE: &str = "the regex takes more than 32,768 bytes, or steps at one place, compiled";
const UNUSUAL: &str = "the regex asks for the bounds of Unicode words: only ASCII ones are known";

fn look_kind(look: Look) -> Result<u8, String> {
    Ok(match look {
        Look::Start => look::TEXT_START,
        Look::End => look::TEXT_END,
        Look::StartCRLF => look::LINE_START,
        Look::EndCRLF => look::LINE_END,
        Look::WordAscii => look::WORD,
        Look::WordAsciiNegate => look::NOT_WORD,
        Look::WordStartAscii => look::WORD_START,
        Look::WordEndAscii => look::WORD_END,
        Look::WordStartHalfAscii => look::WORD_START_HALF,
        Look::WordEndHalfAscii => look::WORD_END_HALF,
        _ => return Err(UNUSUAL.into()),
    })
}

/// Adds the letters that `hir` is, if it is nothing but text.
fn letters(hir: &Hir, run: &mut Vec<Letter>) -> bool {
    match hir.kind() {
        HirKind::Literal(literal) => {
            run.extend(literal.0.iter().map(|&byte| Letter::Exact(byte)));
            true
        }
        HirKind::Class(Class::Bytes(class)) => {
            // Both cases of one letter.
            let mut bytes = class.ranges().iter().flat_map(|range| range.start()..=range.end());
            let (Some(upper), Some(lower), None) = (bytes.next(), bytes.next(), bytes.next())
            else {
                return false;
            };
            let is_pair = upper.is_ascii_uppercase() && lower == upper.to_ascii_lowercase();
            if is_pair {
                run.push(Letter::Folded(lower));
            }
            is_pair
        }
        _ => false,
    }
}
