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
    assert!(COMMON.is_sorted());
    assert_eq!(rarity(b" received"), 1);
    assert_eq!(rarity(b"connection refused"), 10);
    assert!(rarity(b"no space left on device") > 8);
    assert_eq!(strings(regex_info("received .* frobnicated").unwrap().literals), [" frobnicated"]);
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
