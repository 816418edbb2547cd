//! Required literals: what must stand in the raw text wherever a signature matches.
//!
//! The search is over raw bytes; signatures match in decoded views. A literal may therefore
//! nominate only if no escape can hide it: it holds no `\`, no control characters, and at most one
//! or two bytes that writers escape (`"`, `'` or `/`), for which every escaped form is searched too.
//! Letters written as `\u0061` and ANSI codes inside of words are the caller's to detect
//! (`facts::text::hides_literals`): such texts are candidates whatever they hold.
//!
//! Compiled into `build.rs` too, which stores what this says of the built-in regexes: parsing them
//! at every start would cost more than all the rest. So: no `use crate::` here.

mod rarity;
mod sets;

use regex_syntax::ParserBuilder;
use regex_syntax::hir::Hir;
use serde::{Deserialize, Serialize};

pub use rarity::{COMMON, POOR, rarity};
use sets::{Reach, candidates};

/// Shortest literal that may nominate.
pub const MIN_LITERAL: usize = 3;
/// Deepest nesting of a regex.
const REGEX_NEST_LIMIT: u32 = 64;

/// Most sets of literals that are checked before a regex is run, and most literals of one.
const MAX_NEEDS: usize = 4;
const MAX_NEED: usize = 40;

/// What a regex needs to be usable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RegexInfo {
    /// Explicit capture groups.
    pub groups: usize,
    /// Literals, in lower case, of which each match contains one in the raw text. Empty: none.
    pub literals: Vec<Vec<u8>>,
    /// Bytes of a match before one of these literals at most, and behind it. `None`: any number.
    pub reach: (Option<usize>, Option<usize>),
    /// Sets of strings, in lower case: each match contains one of each set.
    pub needs: Vec<Vec<Vec<u8>>>,
}

/// Parses a regex and finds its required literals; the error is what is wrong with it.
pub fn regex_info(pattern: &str) -> Result<RegexInfo, String> {
    let hir = parse(pattern, false)?;
    let mut best: Option<(Vec<Vec<u8>>, Reach)> = None;
    let mut all = Vec::new();
    candidates(&hir, Reach::default(), &mut |set, reach| {
        if let Some(parts) = fragments(&set)
            && best.as_ref().is_none_or(|(old, _)| score(&parts) > score(old))
        {
            // Where in its string a part stands does not matter that much.
            let longest = set.iter().map(Vec::len).max().unwrap_or(0);
            best = Some((parts, reach.and(Some(longest), Some(longest))));
        }
        all.push(set);
    });
    let (literals, reach) = best.unwrap_or_default();
    Ok(RegexInfo {
        groups: hir.properties().explicit_captures_len(),
        literals: expand_escapes(literals),
        reach: (reach.before, reach.after),
        needs: needs(all),
    })
}

/// The most telling of the sets of strings of which a match contains one each.
fn needs(mut sets: Vec<Vec<Vec<u8>>>) -> Vec<Vec<Vec<u8>>> {
    sets.retain(|set| {
        set.len() <= MAX_NEED && set.iter().all(|string| string.len() >= MIN_LITERAL)
    });
    sets.sort_by_cached_key(|set| std::cmp::Reverse(score(set)));
    let mut chosen: Vec<Vec<Vec<u8>>> = Vec::new();
    for set in sets {
        // Runs of parts are found in several lengths: what says the same twice is left out.
        let contains = |a: &[u8], b: &[u8]| memchr::memmem::find(a, b).is_some();
        let known = chosen.iter().any(|old| {
            set.iter().all(|string| {
                old.iter().any(|known| contains(known, string) || contains(string, known))
            })
        });
        if !known && chosen.len() < MAX_NEEDS {
            chosen.push(set);
        }
    }
    // What is checked first should be checked fast.
    chosen.sort_by_key(Vec::len);
    chosen
}

/// The same for a literal signature. Empty: too short.
pub fn text_literals(text: &str) -> Vec<Vec<u8>> {
    let lower = text.to_ascii_lowercase().into_bytes();
    fragments(&[lower]).map(expand_escapes).unwrap_or_default()
}

/// Parses a regex: over bytes, ASCII classes. For its literals case is ignored even where the
/// signature does not: they are searched without case anyway.
pub(super) fn parse(pattern: &str, case_sensitive: bool) -> Result<Hir, String> {
    ParserBuilder::new()
        .utf8(false)
        .unicode(false)
        .multi_line(true)
        .crlf(true)
        .case_insensitive(!case_sensitive)
        .nest_limit(REGEX_NEST_LIMIT)
        .build()
        .parse(pattern)
        .map_err(|error| {
            let text = match &error {
                regex_syntax::Error::Parse(error) => error.kind().to_string(),
                regex_syntax::Error::Translate(error) => match error.kind() {
                    regex_syntax::hir::ErrorKind::UnicodeNotAllowed => {
                        "classes are ASCII; write other characters as (?:a|b)".to_owned()
                    }
                    kind => kind.to_string(),
                },
                other => other.to_string(),
            };
            format!("the regex does not parse: {text}")
        })
}

/// Rare literals first, and such that hold a digit where the regex asks for one (`status=4`: lines
/// that state a success are no candidates); among equals the smaller set, then the longer.
fn score(set: &[Vec<u8>]) -> (usize, std::cmp::Reverse<usize>, usize) {
    let rarest = set.iter().map(|literal| rarity(literal)).min().unwrap_or(0);
    let shortest = set.iter().map(Vec::len).min().unwrap_or(0);
    // A number by itself stands in every log.
    let digits = set.iter().all(|literal| {
        literal.iter().any(u8::is_ascii_digit) && literal.iter().any(u8::is_ascii_alphabetic)
    });
    (rarest + if digits { 4 } else { 0 }, std::cmp::Reverse(set.len()), shortest)
}

/// The best part of every string that may nominate; `None` if one has none.
fn fragments(set: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    // Every further byte that may be escaped quadruples the raw forms: only where it pays.
    let one = fragments_with(set, 1);
    let poor = |parts: &Vec<Vec<u8>>| parts.iter().any(|part| rarity(part) < POOR);
    let several = |string: &Vec<u8>| string.iter().filter(|&&b| is_escapable(b)).count() > 1;
    match one {
        Some(parts) if !set.iter().any(several) || !poor(&parts) => Some(parts),
        one => fragments_with(set, 2).filter(|two| !poor(two)).or(one),
    }
}

fn fragments_with(set: &[Vec<u8>], escapable: usize) -> Option<Vec<Vec<u8>>> {
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for string in set {
        let part = fragment(string, escapable)?;
        if !parts.iter().any(|old| old == part) {
            parts.push(part.to_vec());
        }
    }
    (!parts.is_empty()).then_some(parts)
}

fn is_escapable(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'/')
}

/// The rarest part without `\` and control characters, with so many `"`, `'` and `/` at most.
fn fragment(string: &[u8], most: usize) -> Option<&[u8]> {
    let mut all = string
        .split(|&byte| byte == b'\\' || byte < 0x20 || byte == 0x7f)
        .flat_map(|piece| parts(piece, most));
    // Most strings have one part, and need not be judged.
    let mut best = all.next()?;
    for part in all {
        if (rarity(part), part.len()) > (rarity(best), best.len()) {
            best = part;
        }
    }
    // White space alone, or one repeated byte, is everywhere in logs.
    let telling = best.iter().any(|&byte| byte.is_ascii_alphanumeric() || byte >= 0x80);
    (best.len() >= MIN_LITERAL && telling).then_some(best)
}

/// The longest parts of a piece with so many `"`, `'` and `/` at most, which is one or more.
fn parts(piece: &[u8], most: usize) -> impl Iterator<Item = &[u8]> {
    let starts = (0..piece.len()).filter(|&at| at == 0 || is_escapable(piece[at - 1]));
    starts.map(move |start| {
        let mut escapable = 0;
        let end = piece[start..].iter().position(|&byte| {
            escapable += usize::from(is_escapable(byte));
            escapable > most
        });
        &piece[start..end.map_or(piece.len(), |length| start + length)]
    })
}

/// All raw forms of literals of which escaping may have changed some bytes.
fn expand_escapes(set: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let mut all = Vec::with_capacity(set.len());
    for literal in set {
        let mut forms = vec![Vec::with_capacity(literal.len())];
        for byte in literal {
            if is_escapable(byte) {
                // What decodes to the byte in at most two steps.
                let prefixes: [&[u8]; 4] = [b"\\", b"\\\\", b"\\\\\\", b""];
                let with = |form: &Vec<u8>| prefixes.map(|prefix| [form, prefix].concat());
                forms = forms.iter().flat_map(with).collect();
            }
            forms.iter_mut().for_each(|form| form.push(byte));
        }
        all.extend(forms);
    }
    all
}

#[cfg(test)]
mod tests;
