//! Running a program: backtracking that goes no way twice.

use std::cell::RefCell;

use super::{ANY, FIRST, HEADER, SET, look, op};
use crate::facts::text::Range;

/// A regex that is ready to run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pattern<'c> {
    joins: usize,
    /// The sets of the first bytes of a match.
    first: [u16; FIRST],
    /// What a match begins with, plus one.
    look: u8,
    /// One of its first bytes, if it is one of a few: which, and the few.
    needle: (usize, &'c [u8]),
    sets: &'c [u8],
    code: &'c [u8],
}

/// A match, and the first group in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) all: Range,
    pub(crate) group: Option<Range>,
}

/// Working space, the same for all patterns: one for each thread.
#[derive(Default)]
struct Memory {
    /// Ways not yet gone.
    stack: Vec<Way>,
    /// One bit for each join at each place from the start of the search on.
    seen: Vec<u64>,
}

/// Bytes of working space that a thread keeps between searches.
const KEPT: usize = 64 << 10;

thread_local! {
    static MEMORY: RefCell<Memory> = RefCell::default();
}

/// Another way to go on from a place; `pc` is the address of the instruction that offers it.
#[derive(Clone, Copy)]
enum Way {
    /// The branches from `index` on.
    Branch { pc: u16, index: u16, at: usize },
    /// Less of a repetition: up to `high`.
    Less { pc: u16, low: usize, high: usize },
    /// More of it: from `low` on.
    More { pc: u16, low: usize, high: usize },
    /// One byte more of it.
    Step { pc: u16, at: usize },
    /// What a slot was before.
    Slot { slot: u8, old: usize },
}

/// Where in the header the look stands.
const LOOK: usize = 4 + 2 * FIRST;

/// No place.
const NONE: usize = usize::MAX;

impl<'c> Pattern<'c> {
    /// The program `code`, as [`compile`](super::compile) wrote it.
    pub(crate) fn new(code: &'c [u8]) -> Pattern<'c> {
        let (header, rest) = code.split_at(HEADER);
        let (sets, code) = rest.split_at(usize::from(number(header, 2)) * SET);
        Pattern {
            joins: number(header, 0).into(),
            first: [4, 6, 8].map(|at| number(header, at)),
            look: header[LOOK],
            needle: (header[LOOK + 1].into(), &header[LOOK + 3..][..header[LOOK + 2].into()]),
            sets,
            code,
        }
    }

    /// The leftmost match that starts in `starts`.
    pub(crate) fn find(self, text: &[u8], starts: Range) -> Option<Range> {
        self.captures(text, starts).map(|found| found.all)
    }

    /// The same with the place of the first group, if the program was made with it.
    pub(crate) fn captures(self, text: &[u8], starts: Range) -> Option<Found> {
        let last = if self.look == look::TEXT_START + 1 { 0 } else { text.len() };
        let starts = Range { end: starts.end.min(last + 1), ..starts };
        let mut start = self.candidate(text, starts)?;
        MEMORY.with_borrow_mut(|memory| {
            memory.seen.clear();
            let mut search = Search { pattern: self, text, base: start, memory, group: [NONE; 2] };
            let found = loop {
                if let Some(end) = search.run(start) {
                    let [first, last] = search.group;
                    let group = (first != NONE && last != NONE)
                        .then_some(Range { start: first, end: last });
                    break Some(Found { all: Range { start, end }, group });
                }
                match self.candidate(text, Range { start: start + 1, ..starts }) {
                    Some(next) => start = next,
                    None => break None,
                }
            };
            memory.stack.shrink_to(KEPT / size_of::<Way>());
            memory.seen.clear();
            memory.seen.shrink_to(KEPT / size_of::<u64>());
            found
        })
    }

    /// The first of some places where a match may start.
    fn candidate(self, text: &[u8], Range { start, end }: Range) -> Option<usize> {
        if self.first[0] == ANY {
            return (start < end).then_some(start);
        }
        let starts = text.get(start..text.len().min(end + FIRST - 1))?;
        let [a, b, c] = self.first.map(|set| self.set(set));
        let fits = |bytes: &[u8]| is_in(a, bytes[0]) && is_in(b, bytes[1]) && is_in(c, bytes[2]);
        let mut offset = 0;
        loop {
            // Where the next one is that has one of a few bytes, if there are so few.
            let (at, few) = self.needle;
            let rest = starts.get(offset + at..)?;
            offset += match *few {
                [one] => memchr::memchr(one, rest)?,
                [one, two] => memchr::memchr2(one, two, rest)?,
                [one, two, three] => memchr::memchr3(one, two, three, rest)?,
                _ => rest.windows(FIRST).position(fits)?,
            };
            let is_looked_at = || self.look == 0 || holds(self.look - 1, text, start + offset);
            if fits(starts.get(offset..offset + FIRST)?) && is_looked_at() {
                return Some(start + offset);
            }
            offset += 1;
        }
    }

    fn set(self, set: u16) -> &'c [u8; SET] {
        let all: &[[u8; SET]] = self.sets.as_chunks().0;
        &all[usize::from(set)]
    }

    fn has(self, set: u16, byte: u8) -> bool {
        is_in(self.set(set), byte)
    }

    /// Whether what follows may begin at `at`.
    fn may_follow(self, guard: u16, text: &[u8], at: usize) -> bool {
        guard == ANY || text.get(at).is_some_and(|&byte| self.has(guard, byte))
    }
}

fn is_in(set: &[u8; SET], byte: u8) -> bool {
    set[usize::from(byte / 8)] >> (byte % 8) & 1 != 0
}

fn number(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

struct Search<'s> {
    pattern: Pattern<'s>,
    text: &'s [u8],
    /// Where the search began.
    base: usize,
    memory: &'s mut Memory,
    group: [usize; 2],
}

impl Search<'_> {
    /// The end of the match that starts at `start`.
    fn run(&mut self, start: usize) -> Option<usize> {
        let Search { pattern, text, .. } = *self;
        let code = pattern.code;
        self.memory.stack.clear();
        self.group = [NONE; 2];
        let (mut pc, mut at) = (0, start);
        loop {
            let operand = |index: usize| number(code, pc + 1 + 2 * index);
            let next = match code[pc] {
                op::MATCH => return Some(at),
                op::TEXT => {
                    let wanted = &code[pc + 2..][..usize::from(code[pc + 1])];
                    let there = text.get(at..at + wanted.len());
                    let same = there.is_some_and(|there| {
                        let mut pairs = there.iter().zip(wanted);
                        pairs.all(|(byte, wanted)| byte.to_ascii_lowercase() == *wanted)
                    });
                    same.then_some((pc + 2 + wanted.len(), at + wanted.len()))
                }
                op::EXACT => {
                    let wanted = &code[pc + 2..][..usize::from(code[pc + 1])];
                    let same = text[at..].starts_with(wanted);
                    same.then_some((pc + 2 + wanted.len(), at + wanted.len()))
                }
                op::CLASS => {
                    let same = text.get(at).is_some_and(|&byte| pattern.has(operand(0), byte));
                    same.then_some((pc + 3, at + 1))
                }
                op::STAR => self.greedily(pc, at),
                op::STAR_LAZY => self.lazily(pc, at),
                op::RANGE | op::RANGE_LAZY => {
                    let (set, least, most) = (operand(0), operand(3), operand(4));
                    let rest = &text[at..];
                    let rest = &rest[..rest.len().min(most.into())];
                    let count = rest.iter().position(|&byte| !pattern.has(set, byte));
                    let (low, high) = (at + usize::from(least), at + count.unwrap_or(rest.len()));
                    match high >= low {
                        true if code[pc] == op::RANGE => self.less(pc, low, high),
                        true => self.more(pc, low, high),
                        false => None,
                    }
                }
                op::BRANCH => self.branch(pc, 0, at),
                op::JUMP => Some((operand(0).into(), at)),
                op::LOOK => holds(code[pc + 1], text, at).then_some((pc + 2, at)),
                op::SAVE => {
                    let slot = code[pc + 1];
                    let old = std::mem::replace(&mut self.group[usize::from(slot)], at);
                    self.memory.stack.push(Way::Slot { slot, old });
                    Some((pc + 2, at))
                }
                op::JOIN => self.visit(operand(0), at).then_some((pc + 3, at)),
                other => unreachable!("no instruction {other}"),
            };
            (pc, at) = match next {
                Some(next) => next,
                None => self.resume()?,
            };
        }
    }

    /// As many bytes as possible of a repetition without end.
    fn greedily(&mut self, pc: usize, at: usize) -> Option<(usize, usize)> {
        let (set, join) = (self.operand(pc, 0), self.operand(pc, 1));
        if !self.visit(join, at) {
            return None;
        }
        // Where it has been before, what follows was tried from there on.
        let mut high = at;
        while self.is_in(set, high) && self.visit(join, high + 1) {
            high += 1;
        }
        self.less(pc, at, high)
    }

    /// As few as possible.
    fn lazily(&mut self, pc: usize, mut at: usize) -> Option<(usize, usize)> {
        let [set, join, guard] = [0, 1, 2].map(|index| self.operand(pc, index));
        while self.visit(join, at) {
            if self.pattern.may_follow(guard, self.text, at) {
                self.memory.stack.push(Way::Step { pc: pc as u16, at });
                return Some((pc + STAR, at));
            }
            if !self.is_in(set, at) {
                return None;
            }
            at += 1;
        }
        None
    }

    /// Goes on behind a repetition, from `high` downwards.
    fn less(&mut self, pc: usize, low: usize, mut high: usize) -> Option<(usize, usize)> {
        loop {
            if let Some(next) = self.exit(pc, high) {
                if high > low {
                    self.memory.stack.push(Way::Less { pc: pc as u16, low, high: high - 1 });
                }
                return Some(next);
            }
            if high == low {
                return None;
            }
            high -= 1;
        }
    }

    /// The same from `low` upwards.
    fn more(&mut self, pc: usize, low: usize, high: usize) -> Option<(usize, usize)> {
        for at in low..=high {
            if let Some(next) = self.exit(pc, at) {
                if at < high {
                    self.memory.stack.push(Way::More { pc: pc as u16, low: at + 1, high });
                }
                return Some(next);
            }
        }
        None
    }

    /// Leaves a repetition at a place, if that may lead anywhere.
    fn exit(&mut self, pc: usize, at: usize) -> Option<(usize, usize)> {
        if !self.pattern.may_follow(self.operand(pc, 2), self.text, at) {
            return None;
        }
        match self.pattern.code[pc] {
            // Each of its rounds was entered once.
            op::STAR => Some((pc + STAR, at)),
            _ => match self.operand(pc, 1) {
                ANY => Some((pc + RANGE, at)),
                join => self.visit(join, at).then_some((pc + RANGE, at)),
            },
        }
    }

    /// The first branch from `index` on that may match here.
    fn branch(&mut self, pc: usize, index: u16, at: usize) -> Option<(usize, usize)> {
        let count = self.operand(pc, 0);
        let guard = |index: u16| self.operand(pc, 1 + 2 * usize::from(index));
        let mut open =
            (index..count).filter(|&index| self.pattern.may_follow(guard(index), self.text, at));
        let (first, other) = (open.next()?, open.next());
        let target = self.operand(pc, 2 + 2 * usize::from(first));
        if let Some(index) = other {
            self.memory.stack.push(Way::Branch { pc: pc as u16, index, at });
        }
        Some((target.into(), at))
    }

    /// The last way not yet gone.
    fn resume(&mut self) -> Option<(usize, usize)> {
        loop {
            let next = match self.memory.stack.pop()? {
                Way::Branch { pc, index, at } => self.branch(pc.into(), index, at),
                Way::Less { pc, low, high } => self.less(pc.into(), low, high),
                Way::More { pc, low, high } => self.more(pc.into(), low, high),
                Way::Step { pc, at } => {
                    let set = self.operand(pc.into(), 0);
                    if self.is_in(set, at) { self.lazily(pc.into(), at + 1) } else { None }
                }
                Way::Slot { slot, old } => {
                    self.group[usize::from(slot)] = old;
                    None
                }
            };
            if next.is_some() {
                return next;
            }
        }
    }

    fn operand(&self, pc: usize, index: usize) -> u16 {
        number(self.pattern.code, pc + 1 + 2 * index)
    }

    fn is_in(&self, set: u16, at: usize) -> bool {
        self.text.get(at).is_some_and(|&byte| self.pattern.has(set, byte))
    }

    /// Notes that a join is passed at a place. Returns whether it is the first time.
    fn visit(&mut self, join: u16, at: usize) -> bool {
        let bit = (at - self.base) * self.pattern.joins + usize::from(join);
        let (word, bit) = (bit / 64, 1 << (bit % 64));
        let seen = &mut self.memory.seen;
        if word >= seen.len() {
            seen.resize(word + 1, 0);
        }
        let first = seen[word] & bit == 0;
        seen[word] |= bit;
        first
    }
}

/// Bytes of these instructions.
const STAR: usize = 7;
const RANGE: usize = 11;

/// Whether a place is what `kind` asks for.
fn holds(kind: u8, text: &[u8], at: usize) -> bool {
    let (before, after) = (at.checked_sub(1).map(|at| text[at]), text.get(at).copied());
    let word = |byte: Option<u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
    match kind {
        look::TEXT_START => before.is_none(),
        look::TEXT_END => after.is_none(),
        // `\r\n` is one end of a line.
        look::LINE_START => match before {
            None | Some(b'\n') => true,
            Some(b'\r') => after != Some(b'\n'),
            Some(_) => false,
        },
        look::LINE_END => match after {
            None | Some(b'\r') => true,
            Some(b'\n') => before != Some(b'\r'),
            Some(_) => false,
        },
        look::WORD => word(before) != word(after),
        look::NOT_WORD => word(before) == word(after),
        look::WORD_START => !word(before) && word(after),
        look::WORD_END => word(before) && !word(after),
        look::WORD_START_HALF => !word(before),
        look::WORD_END_HALF => !word(after),
        other => unreachable!("no look {other}"),
    }
}
