//! The programs are held to the crate `regex`.

use proptest::prelude::*;
use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::hir::{Class, Hir, HirKind};

use super::{Pattern, compile};
use crate::engine::required::parse;
use crate::facts::text::Range;

fn reference(pattern: &str, case_sensitive: bool) -> Regex {
    RegexBuilder::new(pattern)
        .unicode(false)
        .multi_line(true)
        .crlf(true)
        .case_insensitive(!case_sensitive)
        .size_limit(1 << 24)
        .build()
        .unwrap()
}

/// Start and end of the match and of its first group, from every place of the text on.
fn check(pattern: &str, case_sensitive: bool, text: &[u8]) {
    let regex = reference(pattern, case_sensitive);
    check_with(&regex, pattern, case_sensitive, text);
}

fn check_with(regex: &Regex, pattern: &str, case_sensitive: bool, text: &[u8]) {
    let code = compile(pattern, case_sensitive, true).unwrap();
    let plain = compile(pattern, case_sensitive, false).unwrap();
    for from in 0..=text.len() {
        let expected = regex.captures_at(text, from).map(|captures| {
            let range = |index| captures.get(index).map(|m| (m.start(), m.end()));
            (range(0).unwrap(), range(1))
        });
        let found = Pattern::new(&code).captures(text, Range { start: from, end: usize::MAX }).map(
            |found| {
                let range = |range: Range| (range.start, range.end);
                (range(found.all), found.group.map(range))
            },
        );
        let shown = String::from_utf8_lossy(text);
        assert_eq!(found, expected, "/{pattern}/ in {shown:?} from {from}");
        let found = Pattern::new(&plain)
            .find(text, Range { start: from, end: usize::MAX })
            .map(|found| (found.start, found.end));
        assert_eq!(found, expected.map(|(all, _)| all), "/{pattern}/ in {shown:?} from {from}");
        if expected.is_none() {
            break;
        }
    }
}

#[test]
fn what_regexes_mean() {
    let cases: &[(&str, &str)] = &[
        ("limit (\\d+)", "LIMIT x, Limit 17, limit 18"),
        ("a|ab|abc", "xabc"),
        ("(a|ab)(c|bcd)?(d*)", "abcd"),
        ("(a*)*", "aab"),
        ("(a*)+b", "aaab"),
        ("(?:a*?)*?b", "aab"),
        ("(a|b)*?c", "abac"),
        ("((?:ab?)+)b", "abab"),
        ("(a?b?){2,3}c", "ababc"),
        ("(?:(a)|b)*", "ab"),
        ("x{2,3}?y", "xxxy"),
        ("x{0,2}xy", "xxxy"),
        ("[^\n]{0,3}end", "abcdefend"),
        (".*foo", "a foo foo b\nfoo"),
        ("a.*?b.*?c", "aabbcc abc"),
        ("^x$", "y\r\nx\r\nx"),
        ("^", "a\r\nb"),
        ("$", "a\r\nb\n\nc"),
        ("\\bfoo\\b", "foobar foo_ foo"),
        ("\\Boo", "oo foo"),
        ("\\Aab|cd\\z", "abcd"),
        ("\\A\\s*abc", "  abc abc"),
        ("\\b{start}a|b\\b{end}", "ba ab"),
        ("(?-i:Foo)bar", "foobar FooBAR"),
        ("请(?:求|问)失败", "请问失败 请求失败"),
        ("(?:,| |;) ?x", "a, x"),
        ("[[:alpha:]]+\\.\\S+", "  ab.c:d e"),
        ("()", "ab"),
        ("", "ab"),
        ("(?:a|)b", "ab b"),
        ("a{3}", "aaaa"),
        ("(?:ab){2,}", "ababab"),
        ("[\\s\\S]*?END", "begin\nEND END"),
        ("(?s:a.b)", "a\nb"),
    ];
    for &(pattern, text) in cases {
        check(pattern, false, text.as_bytes());
        check(pattern, true, text.as_bytes());
    }
}

#[test]
fn what_is_too_large_is_refused() {
    for pattern in ["(a{1000}){1000}", "(?:ab){60000}", "[^\n]{0,70000}x", "((a{9}){99}){99}"] {
        assert!(compile(pattern, false, false).unwrap_err().contains("compiled"), "{pattern}");
    }
    assert!(compile("(?u:\\b)x", false, false).is_err());
}

/// Ways that lead nowhere are gone once: else these would take hours.
#[test]
fn no_text_takes_quadratic_time() {
    let text = "a".repeat(200_000);
    for pattern in ["a*b", "(?:a|aa)*b", "(a*)*b", "[^\n]*a[^\n]*a[^\n]*b", "(?:a?){20}b", "a.*?b"]
    {
        let code = compile(pattern, false, false).unwrap();
        assert_eq!(
            Pattern::new(&code).find(text.as_bytes(), Range { start: 0, end: usize::MAX }),
            None,
            "{pattern}"
        );
    }
}

/// Regexes over a small alphabet, with everything that a rule may use.
fn regexes() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        6 => prop::sample::select(vec!["a", "b", "ab", "B", "_", " ", "请"]).prop_map(str::to_owned),
        2 => prop::sample::select(vec![
            "[ab]", "[^a]", ".", "\\w", "\\d", "\\s", "[^\\n]", "(?:a|b| )", "(?:请|求)",
        ])
        .prop_map(str::to_owned),
        2 => prop::sample::select(vec!["^", "$", "\\b", "\\B", "\\A", "\\z", ""])
            .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(5, 24, 4, |inner| {
        let repeat = prop::sample::select(vec![
            "*", "+", "?", "*?", "+?", "??", "{2}", "{0,2}", "{1,3}?", "{2,}", "{1,}?",
        ]);
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            2 => prop::collection::vec(inner.clone(), 2..4)
                .prop_map(|parts| format!("(?:{})", parts.join("|"))),
            3 => (inner.clone(), repeat).prop_map(|(part, repeat)| format!("(?:{part}){repeat}")),
            1 => inner.clone().prop_map(|part| format!("({part})")),
            1 => inner.prop_map(|part| format!("(?-i:{part})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]
    #[test]
    fn programs_match_what_regex_matches(
        pattern in regexes(),
        texts in prop::collection::vec("[abAB _\n\r1请求]{0,12}", 1..6),
        case_sensitive: bool,
    ) {
        for text in texts {
            check(&pattern, case_sensitive, text.as_bytes());
        }
    }
}

/// A text that a regex may match: one of its alternatives, by a seed.
fn sample(hir: &Hir, seed: &mut u64, out: &mut Vec<u8>) {
    let mut next = |count: u64| {
        *seed =
            seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 33) % count.max(1)
    };
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.extend_from_slice(&literal.0),
        HirKind::Class(Class::Bytes(class)) => {
            if let Some(range) = class.ranges().get(next(class.ranges().len() as u64) as usize) {
                out.push(range.start() + next(u64::from(range.len() as u32)) as u8);
            }
        }
        HirKind::Class(Class::Unicode(class)) => {
            let range = class.ranges()[next(class.ranges().len() as u64) as usize];
            out.extend(range.start().to_string().bytes());
        }
        HirKind::Capture(capture) => sample(&capture.sub, seed, out),
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(repetition.min + 3);
            let more = next(u64::from(most - repetition.min).min(9) + 1) as u32;
            (0..repetition.min + more).for_each(|_| sample(&repetition.sub, seed, out));
        }
        HirKind::Concat(parts) => parts.iter().for_each(|part| sample(part, seed, out)),
        HirKind::Alternation(parts) => {
            let index = next(parts.len() as u64) as usize;
            sample(&parts[index], seed, out);
        }
    }
}

/// Every regex of the built-in pack, over texts made from it and spoiled.
#[test]
fn built_in_programs_match_what_regex_matches() {
    let mut seed = 1;
    for pattern in crate::builtin::regexes() {
        let hir = parse(pattern, false).unwrap();
        for case_sensitive in [false, true] {
            let regex = reference(pattern, case_sensitive);
            let mut text = b"x ".to_vec();
            sample(&hir, &mut seed, &mut text);
            check_with(&regex, pattern, case_sensitive, &text);
            let middle = text.len() / 2;
            text.insert(middle, b'~');
            text.push(b'\n');
            sample(&hir, &mut seed, &mut text);
            text.truncate(200);
            check_with(&regex, pattern, case_sensitive, &text);
        }
    }
}
