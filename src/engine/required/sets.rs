//! Sets of strings of which every match of a regex contains one.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::{fragments, score};

/// Most literals that one part of a regex may expand to.
const MAX_EXPANSION: usize = 96;
/// Largest class of bytes that is multiplied out: `[45]` is, `\d` would only bloat the index.
const MAX_CLASS: usize = 4;

/// Bytes of a match before and behind some part of it at most; `None`: any number.
#[derive(Clone, Copy)]
pub(super) struct Reach {
    pub(super) before: Option<usize>,
    pub(super) after: Option<usize>,
}

impl Default for Reach {
    fn default() -> Reach {
        Reach { before: Some(0), after: Some(0) }
    }
}

impl Reach {
    pub(super) fn and(self, before: Option<usize>, after: Option<usize>) -> Reach {
        let sum = |a: Option<usize>, b: Option<usize>| a?.checked_add(b?);
        Reach { before: sum(self.before, before), after: sum(self.after, after) }
    }
}

/// Calls `found` for every set of strings of which each match contains one, with the reach of a
/// match around it. `reach` is what lies around `hir`.
pub(super) fn candidates(hir: &Hir, reach: Reach, found: &mut dyn FnMut(Vec<Vec<u8>>, Reach)) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(_) | HirKind::Class(_) => {
            if let Some(set) = exact(hir) {
                found(set, reach);
            }
        }
        HirKind::Capture(capture) => candidates(&capture.sub, reach, found),
        HirKind::Repetition(repetition) => {
            if let Some(set) = exact(hir) {
                found(set, reach);
            } else if repetition.min > 0 {
                // Any round may be the one that holds the literal.
                let all = hir.properties().maximum_len();
                candidates(&repetition.sub, reach.and(all, all), found);
            }
        }
        HirKind::Concat(parts) => {
            // Runs of parts with a finite set of strings are multiplied out.
            let mut flat = Vec::new();
            flatten(parts, &mut flat);
            let length = |parts: &[&Hir]| {
                parts
                    .iter()
                    .try_fold(0usize, |sum, part| sum.checked_add(part.properties().maximum_len()?))
            };
            let mut run: Option<(Vec<Vec<u8>>, usize)> = None;
            let around =
                |first: usize, end: usize| reach.and(length(&flat[..first]), length(&flat[end..]));
            for (at, part) in flat.iter().enumerate() {
                let strings = match part.kind() {
                    HirKind::Look(_) => Some(vec![Vec::new()]),
                    _ => exact(part),
                };
                match strings {
                    Some(strings) => {
                        let longer = run
                            .as_ref()
                            .and_then(|(run, first)| Some((product(run, &strings)?, *first)));
                        // The shorter run may be the better one: fewer literals.
                        if let Some((set, first)) = run.replace(longer.unwrap_or((strings, at))) {
                            found(set, around(first, at));
                        }
                    }
                    None => {
                        if let Some((set, first)) = run.take() {
                            found(set, around(first, at));
                        }
                        candidates(part, around(at, at + 1), found);
                    }
                }
            }
            if let Some((set, first)) = run {
                found(set, around(first, flat.len()));
            }
        }
        HirKind::Alternation(parts) => {
            if let Some(set) = exact(hir) {
                found(set, reach);
                return;
            }
            // Every branch must give one; the best of each together is one set.
            let mut union = Vec::new();
            let mut around = Reach::default();
            for part in parts {
                let mut best: Option<(Vec<Vec<u8>>, Reach)> = None;
                candidates(part, Reach::default(), &mut |set, reach| {
                    if let Some(parts) = fragments(&set)
                        && best.as_ref().is_none_or(|(old, _)| score(&parts) > score(old))
                    {
                        let longest = set.iter().map(Vec::len).max().unwrap_or(0);
                        best = Some((parts, reach.and(Some(longest), Some(longest))));
                    }
                });
                let Some((set, reach)) = best else { return };
                union.extend(set);
                let most = |a: Option<usize>, b: Option<usize>| Some(a?.max(b?));
                around = Reach {
                    before: most(around.before, reach.before),
                    after: most(around.after, reach.after),
                };
            }
            if union.len() <= MAX_EXPANSION {
                found(union, reach.and(around.before, around.after));
            }
        }
    }
}

/// The parts of a concatenation, with those of groups in place of the groups.
fn flatten<'h>(parts: &'h [Hir], flat: &mut Vec<&'h Hir>) {
    for part in parts {
        match part.kind() {
            HirKind::Capture(capture) => match capture.sub.kind() {
                HirKind::Concat(parts) => flatten(parts, flat),
                _ => flat.push(&capture.sub),
            },
            _ => flat.push(part),
        }
    }
}

/// The strings that `hir` matches, in lower case, if they are few.
fn exact(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    match hir.kind() {
        HirKind::Empty => Some(vec![Vec::new()]),
        HirKind::Literal(literal) => Some(vec![literal.0.to_ascii_lowercase()]),
        HirKind::Class(class) => {
            let mut strings: Vec<Vec<u8>> = Vec::new();
            let mut push = |bytes: Vec<u8>| {
                let lower = bytes.to_ascii_lowercase();
                if !strings.contains(&lower) {
                    strings.push(lower);
                }
                strings.len() <= MAX_CLASS
            };
            match class {
                Class::Bytes(class) => {
                    for range in class.ranges() {
                        for byte in range.start()..=range.end() {
                            if !push(vec![byte]) {
                                return None;
                            }
                        }
                    }
                }
                Class::Unicode(class) => {
                    for range in class.ranges() {
                        for c in range.start()..=range.end() {
                            if !push(c.to_string().into_bytes()) {
                                return None;
                            }
                        }
                    }
                }
            }
            Some(strings)
        }
        HirKind::Capture(capture) => exact(&capture.sub),
        HirKind::Repetition(repetition) => {
            let strings = exact(&repetition.sub)?;
            match (repetition.min, repetition.max) {
                (0, Some(1)) => {
                    let mut strings = strings;
                    if !strings.contains(&Vec::new()) {
                        strings.push(Vec::new());
                    }
                    Some(strings)
                }
                (min, Some(max)) if min == max && max <= 8 => {
                    let mut power = vec![Vec::new()];
                    for _ in 0..max {
                        power = product(&power, &strings)?;
                    }
                    Some(power)
                }
                _ => None,
            }
        }
        HirKind::Concat(parts) => {
            let mut strings = vec![Vec::new()];
            for part in parts {
                strings = product(&strings, &exact(part)?)?;
            }
            Some(strings)
        }
        HirKind::Alternation(parts) => {
            let mut strings = Vec::new();
            for part in parts {
                strings.extend(exact(part)?);
                if strings.len() > MAX_EXPANSION {
                    return None;
                }
            }
            Some(strings)
        }
        HirKind::Look(_) => None,
    }
}

fn product(left: &[Vec<u8>], right: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    if left.len() * right.len() > MAX_EXPANSION {
        return None;
    }
    let mut all = Vec::with_capacity(left.len() * right.len());
    for a in left {
        for b in right {
            all.push([a.as_slice(), b.as_slice()].concat());
        }
    }
    Some(all)
}
