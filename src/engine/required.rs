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

use std::sync::LazyLock;

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};
use serde::{Deserialize, Serialize};

/// Shortest literal that may nominate.
pub const MIN_LITERAL: usize = 3;
/// Most literals that one part of a regex may expand to.
const MAX_EXPANSION: usize = 96;
/// Largest class of bytes that is multiplied out: `[45]` is, `\d` would only bloat the index.
const MAX_CLASS: usize = 4;
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

/// Bytes of a match before and behind some part of it at most; `None`: any number.
#[derive(Clone, Copy)]
struct Reach {
    before: Option<usize>,
    after: Option<usize>,
}

impl Default for Reach {
    fn default() -> Reach {
        Reach { before: Some(0), after: Some(0) }
    }
}

impl Reach {
    fn and(self, before: Option<usize>, after: Option<usize>) -> Reach {
        let sum = |a: Option<usize>, b: Option<usize>| a?.checked_add(b?);
        Reach { before: sum(self.before, before), after: sum(self.after, after) }
    }
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

/// Words that fill the lines of healthy logs: a literal made of them nominates everything.
pub const COMMON: &[&str] = &[
    "a",
    "access",
    "account",
    "action",
    "active",
    "addr",
    "address",
    "agent",
    "all",
    "allocation",
    "an",
    "and",
    "api",
    "app",
    "application",
    "are",
    "ask",
    "at",
    "auth",
    "available",
    "backup",
    "be",
    "bin",
    "block",
    "blocks",
    "body",
    "bucket",
    "build",
    "by",
    "bytes",
    "cache",
    "call",
    "can",
    "capability",
    "certificate",
    "channel",
    "check",
    "checksum",
    "claim",
    "client",
    "closed",
    "cluster",
    "code",
    "column",
    "com",
    "command",
    "communicator",
    "concurrent",
    "conf",
    "config",
    "configuration",
    "connect",
    "connected",
    "connecting",
    "connection",
    "connections",
    "container",
    "content",
    "controller",
    "core",
    "count",
    "cpu",
    "crash",
    "create",
    "created",
    "current",
    "data",
    "database",
    "day",
    "debug",
    "default",
    "delete",
    "detected",
    "device",
    "directory",
    "disk",
    "dns",
    "do",
    "does",
    "domain",
    "down",
    "driver",
    "email",
    "encoding",
    "entry",
    "error",
    "errors",
    "etc",
    "event",
    "executor",
    "exist",
    "exists",
    "exit",
    "fail",
    "failed",
    "failure",
    "false",
    "fan",
    "field",
    "file",
    "files",
    "for",
    "format",
    "found",
    "from",
    "gb",
    "generate",
    "get",
    "group",
    "handler",
    "has",
    "hash",
    "have",
    "header",
    "home",
    "host",
    "hours",
    "http",
    "https",
    "id",
    "image",
    "in",
    "index",
    "info",
    "input",
    "instance",
    "interface",
    "internal",
    "invalid",
    "io",
    "is",
    "it",
    "item",
    "java",
    "job",
    "jobs",
    "kb",
    "kernel",
    "key",
    "keys",
    "leader",
    "lease",
    "length",
    "level",
    "lib",
    "limit",
    "line",
    "link",
    "list",
    "load",
    "local",
    "locked",
    "log",
    "login",
    "logout",
    "lookup",
    "mail",
    "main",
    "manager",
    "max",
    "maximum",
    "mb",
    "megaraid",
    "member",
    "memory",
    "message",
    "messages",
    "method",
    "microsoft",
    "minutes",
    "missing",
    "model",
    "module",
    "mount",
    "ms",
    "msg",
    "name",
    "net",
    "network",
    "new",
    "no",
    "node",
    "none",
    "not",
    "null",
    "number",
    "object",
    "of",
    "offset",
    "old",
    "on",
    "open",
    "operation",
    "or",
    "org",
    "out",
    "output",
    "page",
    "parse",
    "parsing",
    "partition",
    "password",
    "path",
    "payload",
    "peer",
    "plugin",
    "pod",
    "policy",
    "port",
    "post",
    "private",
    "process",
    "processor",
    "project",
    "prompt",
    "proxy",
    "public",
    "query",
    "queue",
    "quota",
    "raid",
    "read",
    "reason",
    "received",
    "record",
    "region",
    "rejected",
    "remote",
    "replica",
    "request",
    "requests",
    "resource",
    "response",
    "result",
    "retry",
    "return",
    "returned",
    "role",
    "root",
    "row",
    "rule",
    "run",
    "running",
    "scheduler",
    "schema",
    "sec",
    "seconds",
    "send",
    "server",
    "service",
    "session",
    "set",
    "shard",
    "should",
    "shutdown",
    "shutting",
    "signature",
    "signed",
    "size",
    "snapshot",
    "socket",
    "source",
    "ssh2",
    "sshd",
    "ssl",
    "start",
    "started",
    "state",
    "status",
    "stop",
    "stopped",
    "storage",
    "stream",
    "sync",
    "system",
    "table",
    "task",
    "tcp",
    "terminated",
    "terminating",
    "test",
    "tests",
    "text",
    "the",
    "thermal",
    "this",
    "thread",
    "time",
    "timed",
    "timeout",
    "tls",
    "tmp",
    "to",
    "token",
    "tokens",
    "topic",
    "transaction",
    "true",
    "type",
    "udp",
    "unable",
    "unavailable",
    "up",
    "update",
    "url",
    "use",
    "used",
    "user",
    "username",
    "usr",
    "value",
    "var",
    "version",
    "volume",
    "waiting",
    "warn",
    "warning",
    "was",
    "will",
    "with",
    "worker",
    "write",
    "zone",
    "zones",
];
/// A literal of less rarity stands in healthy logs.
pub const POOR: usize = 4;
/// The same as one text: one search instead of hundreds.
static JOINED: LazyLock<String> = LazyLock::new(|| COMMON.join("\n"));
/// Beyond so many telling bytes a literal hardly becomes rarer.
const MAX_RARITY: usize = 12;

/// How rarely a literal is expected in a log without errors: its bytes, but one for each common
/// word, two for a space between two words (phrases are rarer than words), none for other spaces.
pub fn rarity(literal: &[u8]) -> usize {
    // `size_invalid` is one word, and a rare one.
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let letters = literal.iter().any(u8::is_ascii_alphabetic);
    let words = literal.chunk_by(|&a, &b| is_word(a) == is_word(b));
    let worth = |word: &[u8]| match is_word(word[0]) {
        true => {
            // A piece of a common word is no better than the word.
            let piece = || memchr::memmem::find(JOINED.as_bytes(), word).is_some();
            // A number by itself stands in every log.
            let number = word.iter().all(u8::is_ascii_digit);
            if number && !letters || piece() { 1 } else { word.len() }
        }
        false => word.iter().filter(|&&byte| byte != b' ').count(),
    };
    let phrases = literal.windows(3).filter(|bytes| {
        bytes[1] == b' ' && bytes[0].is_ascii_alphabetic() && bytes[2].is_ascii_alphabetic()
    });
    (words.map(worth).sum::<usize>() + 2 * phrases.count()).min(MAX_RARITY)
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

/// Calls `found` for every set of strings of which each match contains one, with the reach of a
/// match around it. `reach` is what lies around `hir`.
fn candidates(hir: &Hir, reach: Reach, found: &mut dyn FnMut(Vec<Vec<u8>>, Reach)) {
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

/// The best part of every string that may nominate; `None` if one has none.
fn fragments(set: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    // Every further byte that may be escaped quadruples the raw forms: only where it pays.
    let one = fragments_with(set, 1);
    let poor = |parts: &Vec<Vec<u8>>| parts.iter().any(|part| rarity(part) < POOR);
    match one {
        Some(parts) if !poor(&parts) => Some(parts),
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
                    escapable > most
                })
                .map_or(piece.len(), |length| start + length);
            let part = &piece[start..end];
            if (rarity(part), part.len()) > (rarity(best), best.len()) {
                best = part;
            }
        }
    }
    // White space alone, or one repeated byte, is everywhere in logs.
    let telling = best.iter().any(|&byte| byte.is_ascii_alphanumeric() || byte >= 0x80);
    (best.len() >= MIN_LITERAL && telling).then_some(best)
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
mod tests {
    use super::*;

    fn strings(literals: Vec<Vec<u8>>) -> Vec<String> {
        literals.into_iter().map(|literal| String::from_utf8(literal).unwrap()).collect()
    }

    #[test]
    fn texts_give_their_longest_part_that_escaping_leaves_alone() {
        let text = |pattern| strings(text_literals(pattern));
        assert_eq!(text("Rate Limit reached"), ["rate limit reached"]);
        assert_eq!(
            text(r#"code":429"#),
            [r#"code\":429"#, r#"code\\":429"#, r#"code\\\":429"#, r#"code":429"#]
        );
        assert_eq!(text(r#""error":"x"#).last().unwrap(), "error\":\"x");
        assert!(text(r#"a"b"#).last().is_some());
        assert!(text("\"\"").is_empty());
    }

    #[test]
    fn common_words_are_poor() {
        assert_eq!(rarity(b" received"), 1);
        assert_eq!(rarity(b"connection refused"), 10);
        assert!(rarity(b"no space left on device") > 8);
        assert_eq!(
            strings(regex_info("received .* frobnicated").unwrap().literals),
            [" frobnicated"]
        );
    }

    #[test]
    fn regexes_give_what_every_match_contains() {
        let regex = |pattern| strings(regex_info(pattern).unwrap().literals);
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
