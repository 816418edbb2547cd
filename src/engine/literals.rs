//! Required literals: what must stand in the raw text wherever a signature matches.
//!
//! The automaton searches raw bytes; signatures match in decoded views. A literal may therefore
//! nominate only if no escape can hide it: it holds no `\`, no control characters, and at most one
//! byte that JSON writers escape (`"` or `/`), for which every escaped form is searched too.
//! Letters written as `\u0061` and ANSI codes inside of words are the caller's to detect
//! ([`crate::facts::text::hides_literals`]): such texts are candidates whatever they hold.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

use crate::problem::Code;
use crate::rule::model::{Signature, SignatureKind};

/// Shortest literal that may nominate.
pub(crate) const MIN_LITERAL: usize = 3;
/// Most literals that one part of a regex may expand to.
const MAX_EXPANSION: usize = 64;
/// Largest class of bytes that is multiplied out: `[45]` is, `\d` would only bloat the automaton.
const MAX_CLASS: usize = 4;
/// Largest compiled regex, in bytes: `(a{1000}){1000}` is refused, not built.
pub(crate) const REGEX_SIZE_LIMIT: usize = 1 << 20;
/// Deepest nesting of a regex.
const REGEX_NEST_LIMIT: u32 = 64;

/// Literals, in lower case, of which at least one is in the raw text whenever `signature` matches
/// (but see the module's introduction). Never empty.
pub(crate) fn required(signature: &Signature) -> Result<Vec<Vec<u8>>, (Code, String)> {
    match signature.kind {
        SignatureKind::Regex => {
            let hir = parse_regex(&signature.pattern, signature.case_sensitive)
                .map_err(|message| (Code::BadRegex, message))?;
            let mut best: Option<Vec<Vec<u8>>> = None;
            candidates(&hir, &mut |set| {
                let set = fragments(&set);
                if let Some(set) = set
                    && best.as_ref().is_none_or(|old| score(&set) > score(old))
                {
                    best = Some(set);
                }
            });
            best.map(expand_escapes).ok_or_else(|| {
                let message = "the regex has no literal of 3 bytes that every match contains";
                (Code::RegexWithoutLiteral, message.into())
            })
        }
        _ => {
            let lower = signature.pattern.to_ascii_lowercase().into_bytes();
            match fragments(&[lower]) {
                Some(set) => Ok(expand_escapes(set)),
                None => {
                    let message = "the signature is too short: no 3 bytes in a row that escaping \
                                   leaves alone";
                    Err((Code::BadSignature, message.into()))
                }
            }
        }
    }
}

/// Parses a regex the way the engine compiles it: over bytes, ASCII classes.
pub(crate) fn parse_regex(pattern: &str, case_sensitive: bool) -> Result<Hir, String> {
    let build = |insensitive| {
        ParserBuilder::new()
            .utf8(false)
            .unicode(false)
            .multi_line(true)
            .case_insensitive(insensitive)
            .nest_limit(REGEX_NEST_LIMIT)
            .build()
            .parse(pattern)
    };
    build(!case_sensitive).map_err(|error| {
        let text = match &error {
            regex_syntax::Error::Parse(error) => error.kind().to_string(),
            regex_syntax::Error::Translate(error) => error.kind().to_string(),
            other => other.to_string(),
        };
        format!("the regex does not parse: {text}")
    })
}

/// Longer literals first; among equals the smaller set.
fn score(set: &[Vec<u8>]) -> (usize, std::cmp::Reverse<usize>) {
    let shortest = set.iter().map(Vec::len).min().unwrap_or(0);
    // Beyond 12 bytes length no longer makes a literal rarer; fewer literals do.
    (shortest.min(12), std::cmp::Reverse(set.len()))
}

/// Calls `found` for every set of strings of which each match contains one.
fn candidates(hir: &Hir, found: &mut dyn FnMut(Vec<Vec<u8>>)) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(_) | HirKind::Class(_) => {
            if let Some(set) = exact(hir) {
                found(set);
            }
        }
        HirKind::Capture(capture) => candidates(&capture.sub, found),
        HirKind::Repetition(repetition) => {
            if let Some(set) = exact(hir) {
                found(set);
            } else if repetition.min > 0 {
                candidates(&repetition.sub, found);
            }
        }
        HirKind::Concat(parts) => {
            // Runs of parts with a finite set of strings are multiplied out.
            let mut flat = Vec::new();
            flatten(parts, &mut flat);
            let mut run: Option<Vec<Vec<u8>>> = None;
            for part in flat {
                let strings = match part.kind() {
                    HirKind::Look(_) => Some(vec![Vec::new()]),
                    _ => exact(part),
                };
                match strings {
                    Some(strings) => {
                        let product = run.as_ref().and_then(|run| product(run, &strings));
                        match product {
                            Some(product) => run = Some(product),
                            None => {
                                run.take().into_iter().for_each(&mut *found);
                                run = Some(strings);
                            }
                        }
                    }
                    None => {
                        run.take().into_iter().for_each(&mut *found);
                        candidates(part, found);
                    }
                }
            }
            run.into_iter().for_each(found);
        }
        HirKind::Alternation(parts) => {
            if let Some(set) = exact(hir) {
                found(set);
                return;
            }
            // Every branch must give one; the best of each together is one set.
            let mut union = Vec::new();
            for part in parts {
                let mut best: Option<Vec<Vec<u8>>> = None;
                candidates(part, &mut |set| {
                    if let Some(set) = fragments(&set)
                        && best.as_ref().is_none_or(|old| score(&set) > score(old))
                    {
                        best = Some(set);
                    }
                });
                match best {
                    Some(set) => union.extend(set),
                    None => return,
                }
            }
            if union.len() <= MAX_EXPANSION {
                found(union);
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

/// The best part of every string that may nominate; `None` if one has none.
fn fragments(set: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for string in set {
        let part = fragment(string)?;
        if !parts.iter().any(|old| old == part) {
            parts.push(part.to_vec());
        }
    }
    (!parts.is_empty()).then_some(parts)
}

fn is_escapable(byte: u8) -> bool {
    byte == b'"' || byte == b'/'
}

/// The longest part without `\` and control characters, with at most one `"` or `/`.
fn fragment(string: &[u8]) -> Option<&[u8]> {
    let mut best: &[u8] = &[];
    for piece in string.split(|&byte| byte == b'\\' || byte < 0x20 || byte == 0x7f) {
        for start in 0..piece.len() {
            if start > 0 && !is_escapable(piece[start - 1]) {
                continue;
            }
            let mut escapable = 0;
            let end = piece[start..]
                .iter()
                .position(|&byte| {
                    escapable += usize::from(is_escapable(byte));
                    escapable > 1
                })
                .map_or(piece.len(), |length| start + length);
            if end - start > best.len() {
                best = &piece[start..end];
            }
        }
    }
    // White space alone, or one repeated byte, is everywhere in logs.
    let telling = best.iter().any(|&byte| byte.is_ascii_alphanumeric() || byte >= 0x80);
    (best.len() >= MIN_LITERAL && telling).then_some(best)
}

/// All raw forms of literals of which escaping may have changed one byte.
fn expand_escapes(set: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let mut all = Vec::with_capacity(set.len());
    for literal in set {
        if let Some(at) = literal.iter().position(|&byte| is_escapable(byte)) {
            // What decodes to the byte in at most two steps.
            for prefix in ["\\", "\\\\", "\\\\\\"] {
                let mut form = literal[..at].to_vec();
                form.extend_from_slice(prefix.as_bytes());
                form.extend_from_slice(&literal[at..]);
                all.push(form);
            }
        }
        all.push(literal);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: SignatureKind, pattern: &str) -> Vec<String> {
        let signature = Signature { kind, pattern: pattern.into(), case_sensitive: false };
        required(&signature)
            .unwrap_or_default()
            .into_iter()
            .map(|literal| String::from_utf8(literal).unwrap())
            .collect()
    }

    #[test]
    fn texts_give_their_longest_part_that_escaping_leaves_alone() {
        assert_eq!(of(SignatureKind::Text, "Rate Limit reached"), ["rate limit reached"]);
        assert_eq!(
            of(SignatureKind::Text, r#"code":429"#),
            [r#"code\":429"#, r#"code\\":429"#, r#"code\\\":429"#, r#"code":429"#]
        );
        assert_eq!(of(SignatureKind::Text, r#""error":"x"#).last().unwrap(), "error\":");
        assert!(of(SignatureKind::Text, r#"a"b"#).last().is_some());
        assert!(of(SignatureKind::Text, "\"\"").is_empty());
    }

    #[test]
    fn regexes_give_what_every_match_contains() {
        let regex = |pattern| of(SignatureKind::Regex, pattern);
        assert_eq!(regex(r"limit \d+ exceeded"), [" exceeded"]);
        assert_eq!(regex(r"status[=:] ?([45]\d\d)").len(), 8);
        assert_eq!(regex("(foo|bar)+baz"), ["baz"]);
        assert_eq!(regex("(foo|barn)"), ["foo", "barn"]);
        assert_eq!(regex("(?:alpha|beta) \\w+"), ["alpha ", "beta "]);
        assert_eq!(regex("请求.*失败"), ["请求"]);
        assert!(regex(r"\d+").is_empty());
        assert!(regex("(foo)?").is_empty());
        assert!(regex("foo|.").is_empty());
        assert_eq!(regex("(?-i:Foo)"), ["foo"]);
    }
}
