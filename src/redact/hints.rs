//! Which shapes of secrets a text may hold: found by the beginnings of their hints.
//!
//! A table of the first three bytes, made in microseconds: an automaton over the same words took
//! longer than the rest of a start.

use std::sync::LazyLock;

use super::shapes::SHAPES;

/// Bytes by which a hint is known, and the size of the table as a power of two.
const BEGINNING: usize = 3;
const BITS: u32 = 13;

/// No hint.
const NONE: u8 = u8::MAX;

struct Hint {
    text: &'static [u8],
    shape: usize,
    /// Another one under the same hash.
    next: u8,
}

struct Hints {
    /// The first hint of each hash.
    heads: Box<[u8; 1 << BITS]>,
    hints: Vec<Hint>,
    /// Those that have no three bytes: a few.
    short: Vec<(&'static [u8], usize)>,
}

static HINTS: LazyLock<Hints> = LazyLock::new(|| {
    let mut heads = Box::new([NONE; 1 << BITS]);
    let (mut hints, mut short) = (Vec::new(), Vec::new());
    for (shape, entry) in SHAPES.iter().enumerate() {
        for text in entry.hints.iter().map(|hint| hint.as_bytes()) {
            match text.first_chunk() {
                Some(&beginning) => {
                    let head = &mut heads[hash(beginning)];
                    let at = u8::try_from(hints.len()).ok().filter(|&at| at != NONE);
                    let at = at.expect("fewer hints than that");
                    hints.push(Hint { text, shape, next: std::mem::replace(head, at) });
                }
                None => short.push((text, shape)),
            }
        }
    }
    Hints { heads, hints, short }
});

/// The same for letters of both cases.
#[inline(always)]
fn hash(beginning: [u8; BEGINNING]) -> usize {
    let [a, b, c] = beginning;
    let folded = u32::from_le_bytes([a, b, c, 0]) | 0x0020_2020;
    // 2^32 / golden ratio.
    (folded.wrapping_mul(0x9E37_79B9) >> (32 - BITS)) as usize
}

/// For each shape, whether one of its hints stands in `text`.
pub(super) fn hinted(text: &[u8]) -> [bool; SHAPES.len()] {
    let table = &*HINTS;
    let mut hinted = [false; SHAPES.len()];
    for (at, beginning) in text.windows(BEGINNING).enumerate() {
        let &[a, b, c] = beginning else { break };
        let mut next = table.heads[hash([a, b, c])];
        while let Some(hint) = table.hints.get(usize::from(next)) {
            let there = text[at..].get(..hint.text.len());
            hinted[hint.shape] |= there.is_some_and(|it| it.eq_ignore_ascii_case(hint.text));
            next = hint.next;
        }
    }
    for &(hint, shape) in &table.short {
        let (lower, upper) = (hint[0], hint[0].to_ascii_uppercase());
        hinted[shape] |= memchr::memchr2_iter(lower, upper, text)
            .any(|at| text[at..].get(..hint.len()).is_some_and(|it| it.eq_ignore_ascii_case(hint)));
    }
    hinted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hint_is_found_wherever_it_stands() {
        assert!(HINTS.short.len() < 4, "each of them is a pass of its own");
        for (at, shape) in SHAPES.iter().enumerate() {
            for hint in shape.hints {
                for text in [
                    hint.to_string(),
                    hint.to_uppercase(),
                    format!("x{hint}"),
                    format!("x {hint} y"),
                ] {
                    assert!(hinted(text.as_bytes())[at], "{text}");
                }
                let cut = &hint[..hint.len() - 1];
                let others = shape.hints.iter().any(|other| cut.contains(other));
                assert_eq!(hinted(cut.as_bytes())[at], others, "{cut}");
            }
        }
        assert_eq!(hinted(b""), [false; SHAPES.len()]);
    }
}
