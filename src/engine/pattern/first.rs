//! What a match begins with, so that it is tried only where it may begin.

use regex_syntax::hir::{Class, Hir, HirKind, Look};
use regex_syntax::utf8::{Utf8Range, Utf8Sequences};

use super::{FIRST, SET};

/// A set of bytes, one bit each.
pub(super) type Set = [u8; SET];

/// The sets of the first bytes of what a part matches.
#[derive(Clone)]
pub(super) struct First {
    /// Of the matches that are so long.
    pub(super) sets: [Set; FIRST],
    /// Bytes at least.
    pub(super) least: usize,
    /// Bytes at most, [`FIRST`] for any greater number.
    most: usize,
}

const EMPTY: First = First { sets: [[0; SET]; FIRST], least: 0, most: 0 };

impl First {
    pub(super) fn of(hir: &Hir) -> First {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => EMPTY,
            HirKind::Literal(literal) => {
                let mut sets = [[0; SET]; FIRST];
                sets.iter_mut().zip(&literal.0).for_each(|(set, &byte)| insert(set, byte));
                First::sequence(sets, literal.0.len())
            }
            HirKind::Class(class) => match single(hir) {
                Some(set) => {
                    let mut sets = [[0; SET]; FIRST];
                    sets[0] = set;
                    First::sequence(sets, 1)
                }
                None => {
                    let first = |sequence: &Vec<Set>| {
                        let mut sets = [[0; SET]; FIRST];
                        sets.iter_mut().zip(sequence).for_each(|(set, part)| *set = *part);
                        First::sequence(sets, sequence.len())
                    };
                    let all = sequences(class);
                    all.iter().map(first).reduce(First::or).unwrap_or(EMPTY)
                }
            },
            HirKind::Repetition(repetition) => {
                let sub = First::of(&repetition.sub);
                let rounds = repetition.max.map_or(FIRST, |most| FIRST.min(most as usize));
                let mut all = EMPTY;
                for round in 0..rounds {
                    let optional = round >= repetition.min as usize;
                    all = all.then(&if optional { sub.clone().or(EMPTY) } else { sub.clone() });
                }
                all
            }
            HirKind::Capture(capture) => First::of(&capture.sub),
            HirKind::Concat(parts) => First::of_all(parts),
            HirKind::Alternation(branches) => {
                branches.iter().map(First::of).reduce(First::or).unwrap_or(EMPTY)
            }
        }
    }

    /// Of parts in a row.
    pub(super) fn of_all(parts: &[Hir]) -> First {
        let mut all = EMPTY;
        for part in parts {
            all = all.then(&First::of(part));
            if all.least >= FIRST {
                break;
            }
        }
        all
    }

    fn sequence(sets: [Set; FIRST], length: usize) -> First {
        First { sets, least: length.min(FIRST), most: length.min(FIRST) }
    }

    /// This, then the other.
    fn then(mut self, next: &First) -> First {
        let ends = self.least..=self.most;
        for end in ends {
            let behind = self.sets.iter_mut().skip(end).zip(&next.sets).take(next.most);
            behind.for_each(|(set, other)| unite(set, other));
        }
        self.least = FIRST.min(self.least + next.least);
        self.most = FIRST.min(self.most + next.most);
        self
    }

    /// This or the other.
    fn or(mut self, other: First) -> First {
        self.sets.iter_mut().zip(&other.sets).take(other.most).for_each(|(a, b)| unite(a, b));
        self.least = self.least.min(other.least);
        self.most = self.most.max(other.most);
        self
    }
}

/// The look that every match begins with.
pub(super) fn begins_with(hir: &Hir) -> Option<Look> {
    match hir.kind() {
        HirKind::Look(look) => Some(*look),
        HirKind::Capture(capture) => begins_with(&capture.sub),
        HirKind::Concat(parts) => begins_with(parts.first()?),
        _ => None,
    }
}

pub(super) fn insert(set: &mut Set, byte: u8) {
    set[usize::from(byte / 8)] |= 1 << (byte % 8);
}

fn unite(set: &mut Set, other: &Set) {
    set.iter_mut().zip(other).for_each(|(byte, other)| *byte |= other);
}

/// The set of bytes that `hir` is, if it is one byte.
pub(super) fn single(hir: &Hir) -> Option<Set> {
    let mut set = [0; SET];
    match hir.kind() {
        HirKind::Literal(literal) => match *literal.0 {
            [byte] => insert(&mut set, byte),
            _ => return None,
        },
        HirKind::Class(Class::Bytes(class)) => class
            .ranges()
            .iter()
            .flat_map(|range| range.start()..=range.end())
            .for_each(|byte| insert(&mut set, byte)),
        // `(?:,| )` becomes one of these.
        HirKind::Class(Class::Unicode(class)) if class.is_ascii() => class
            .ranges()
            .iter()
            .flat_map(|range| range.start()..=range.end())
            .for_each(|letter| insert(&mut set, letter as u8)),
        _ => return None,
    }
    Some(set)
}

/// A class of characters, `(?:请|求)`, as sequences of sets of bytes.
pub(super) fn sequences(class: &Class) -> Vec<Vec<Set>> {
    let Class::Unicode(class) = class else { return Vec::new() };
    let set = |range: &Utf8Range| {
        let mut set = [0; SET];
        (range.start..=range.end).for_each(|byte| insert(&mut set, byte));
        set
    };
    class
        .iter()
        .flat_map(|range| Utf8Sequences::new(range.start(), range.end()))
        .map(|sequence| sequence.as_slice().iter().map(set).collect())
        .collect()
}
