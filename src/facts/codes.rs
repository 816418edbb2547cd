//! Codes that stand under a key: `"code": "rate_limit_exceeded"`, `errcode=110`, `Code:11200`,
//! `<Code>SlowDown</Code>`, `| 11202 | ...`.
//!
//! Texts are seldom valid JSON from end to end, so this reads around each `:` and `=` instead of
//! parsing: the word before it is a key, the word behind it the value.

use super::table::FactTable;

/// Longest key and value that are read; longer ones are prose.
const MAX_KEY: usize = 32;
const MAX_VALUE: usize = 128;

/// Every key of the fact table contains one of these.
pub(crate) const KEY_PARTS: &[&str] = &["code", "err", "type", "status", "reason", "state"];

/// Whether a code can be read from a text at all; `lower` is the text in lower case.
pub(crate) fn may_hold_codes(lower: &[u8]) -> bool {
    memchr::memchr(b'|', lower).is_some()
        || KEY_PARTS.iter().any(|part| memchr::memmem::find(lower, part.as_bytes()).is_some())
}

/// A code as it stands in one view: value and its range.
#[derive(Debug, PartialEq)]
pub(crate) struct Found {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Calls `found` for every code under a key of the table, in the order of the text.
pub(crate) fn scan(text: &[u8], table: &FactTable, mut found: impl FnMut(Found)) {
    first_cells(text, &mut found);
    let mut last_end = 0;
    for at in memchr::memchr3_iter(b':', b'=', b'>', text) {
        if at < last_end {
            continue;
        }
        let code = if text[at] == b'>' { element(text, at) } else { keyed(text, at, table) };
        if let Some(code) = code {
            last_end = code.end;
            found(code);
        }
    }
}

fn is_value_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'#' | b'/')
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

/// Whether a code, or the part of one between `/`, may be read that stands at `start..end`: it is a
/// value from end to end, under a key or in a first cell. `false` only if it certainly is not.
pub(crate) fn may_be_value(text: &[u8], start: usize, end: usize) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let (before, behind) = (&text[..start], &text[end..]);
    if before.last().is_some_and(|byte| is_word(byte) || matches!(byte, b'-' | b'.'))
        || behind.first().is_some_and(is_word)
    {
        return false;
    }
    // Its first parts, a quote, and what stands between key and value.
    let rest = before.iter().rposition(|&byte| !is_value_byte(byte)).map_or(0, |at| at + 1);
    let mut before = &before[..rest];
    if before.last().copied().is_some_and(is_quote) {
        before = &before[..before.len() - 1];
    }
    let key = before.iter().rposition(|&byte| byte == b'\n' || !byte.is_ascii_whitespace());
    match key.map(|at| before[at]) {
        Some(b':' | b'=' | b'>') => true,
        None | Some(b'\n' | b'|') => {
            let line = memchr::memchr(b'\n', behind).map_or(behind, |end| &behind[..end]);
            memchr::memchr(b'|', line).is_some()
        }
        Some(_) => false,
    }
}

/// `key: value`, `key = value`, `"key": "value"`, `key='value'`.
fn keyed(text: &[u8], at: usize, table: &FactTable) -> Option<Found> {
    let mut key_end = at;
    while key_end > 0 && text[key_end - 1] == b' ' && at - key_end < 2 {
        key_end -= 1;
    }
    let quoted_key = key_end > 0 && is_quote(text[key_end - 1]);
    if quoted_key {
        key_end -= 1;
    }
    let key_start = text[..key_end]
        .iter()
        .rposition(|&byte| !(byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'))
        .map_or(0, |at| at + 1);
    if key_start == key_end || key_end - key_start > MAX_KEY {
        return None;
    }
    let written = &text[key_start..key_end];
    let letters = written.iter().filter(|&&byte| byte != b'_' && byte != b'-').count();
    let first = written.iter().copied().find(|&byte| byte != b'_' && byte != b'-')?;
    if !table.may_be_key(first, letters) {
        return None;
    }
    let key = normalize(written);
    let is_in = |list: &[Box<str>]| list.binary_search_by(|known| (**known).cmp(&key)).is_ok();
    let hard = is_in(&table.hard_keys);
    if !hard && !is_in(&table.soft_keys) {
        return None;
    }
    // "exit code: 1", "status code: 500": the fact tables know these.
    if !quoted_key && key == "code" {
        let before = text[..key_start].trim_ascii_end();
        let word = before.rsplit(|byte| !byte.is_ascii_alphanumeric()).next().unwrap_or_default();
        let other =
            [&b"exit"[..], b"status", b"return", b"http", b"signal", b"zip", b"country", b"postal"];
        if other.iter().any(|name| word.eq_ignore_ascii_case(name)) {
            return None;
        }
    }
    let mut start = at + 1;
    while start < text.len() && matches!(text[start], b' ' | b'\t') && start - at <= 3 {
        start += 1;
    }
    let quoted_value = text.get(start).copied().is_some_and(is_quote);
    if quoted_value {
        start += 1;
    }
    let length = text[start..].iter().take(MAX_VALUE + 1).position(|&byte| !is_value_byte(byte));
    let mut end = start + length.unwrap_or((text.len() - start).min(MAX_VALUE + 1));
    while end > start && matches!(text[end - 1], b'.' | b'-' | b'/' | b'#') {
        end -= 1;
    }
    if end == start || end - start > MAX_VALUE {
        return None;
    }
    let next = text.get(end).copied();
    if quoted_value {
        // A quoted sentence is no code.
        if !next.is_some_and(is_quote) {
            return None;
        }
    } else if !hard {
        let is_field = quoted_key || text[at] == b'=';
        if !is_field && !ends_like_a_field(text, end) {
            return None;
        }
    }
    // `status=200` is an HTTP status, whatever a service's code table says of 200.
    if !hard
        && key == "status"
        && end - start == 3
        && text[start..end].iter().all(u8::is_ascii_digit)
    {
        return None;
    }
    // `__type` and Java class names: the last part is the code.
    if let Some(hash) = text[start..end].iter().rposition(|&byte| byte == b'#') {
        start += hash + 1;
    }
    (start < end).then_some(Found { start, end })
}

/// A soft key in prose (`error: invalid_grant`) counts when nothing but the value stands there.
fn ends_like_a_field(text: &[u8], end: usize) -> bool {
    match text.get(end) {
        None => true,
        Some(b'\n' | b'\r' | b',' | b';' | b'}' | b')' | b']' | b'&') => true,
        Some(_) => false,
    }
}

/// `<Code>SlowDown</Code>`; `at` is the `>` of the opening tag.
fn element(text: &[u8], at: usize) -> Option<Found> {
    let open = text[..at].iter().rposition(|&byte| byte == b'<')? + 1;
    let name = text.get(open..at)?;
    if name.len() > MAX_KEY || !name.to_ascii_lowercase().ends_with(b"code") {
        return None;
    }
    let start = at + 1;
    let length = text[start..].iter().take(MAX_VALUE).position(|&byte| !is_value_byte(byte))?;
    let end = start + length;
    (length > 0 && text[end..].starts_with(b"</")).then_some(Found { start, end })
}

/// The first cell of table rows: `11202 | message`, `| 11202 | message |`.
fn first_cells(text: &[u8], found: &mut impl FnMut(Found)) {
    if memchr::memchr(b'|', text).is_none() {
        return;
    }
    let mut line_start = 0;
    while line_start < text.len() {
        let line_end = memchr::memchr(b'\n', &text[line_start..])
            .map_or(text.len(), |length| line_start + length);
        let line = &text[line_start..line_end];
        let mut start = line.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(0);
        if line.get(start) == Some(&b'|') {
            start += 1;
            start += line[start..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        }
        let length = line[start..].iter().take_while(|&&byte| is_value_byte(byte)).count();
        let behind = line[start + length..].iter().find(|byte| !byte.is_ascii_whitespace());
        if length > 0 && length <= MAX_VALUE && behind == Some(&b'|') {
            found(Found { start: line_start + start, end: line_start + start + length });
        }
        line_start = line_end + 1;
    }
}

/// `Error_Code`, `errorCode` and `error-code` are one key.
fn normalize(key: &[u8]) -> String {
    key.iter()
        .filter(|&&byte| byte != b'_' && byte != b'-')
        .map(|byte| byte.to_ascii_lowercase() as char)
        .collect()
}

/// Whether a code is so distinctive that it also counts as a word in prose: an errno name, a
/// prefixed number (`ORA-00060`), or 8 bytes and more with `_` or inner capitals.
pub(crate) fn is_distinctive(code: &str) -> bool {
    let bytes = code.as_bytes();
    let word = bytes.iter().all(|&b| b.is_ascii_alphanumeric() || b == b'_');
    let inner_capital =
        bytes.windows(2).any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase());
    let letters = bytes.iter().any(u8::is_ascii_alphabetic);
    is_typed(code) || (bytes.len() >= 8 && letters && word && (code.contains('_') || inner_capital))
}

/// A code with a meaning of its own, whoever prints it: errno names, SQLSTATE, prefixed numbers.
pub(crate) fn is_typed(code: &str) -> bool {
    is_errno(code) || is_prefixed(code)
}

fn is_errno(code: &str) -> bool {
    let bytes = code.as_bytes();
    (3..=16).contains(&bytes.len())
        && bytes[0] == b'E'
        && bytes.iter().all(|&b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// `ORA-00060`, `SQLSTATE-23505`, `TNS-12541`.
fn is_prefixed(code: &str) -> bool {
    code.split_once('-').is_some_and(|(prefix, rest)| {
        (2..=8).contains(&prefix.len())
            && prefix.bytes().all(|b| b.is_ascii_uppercase())
            && (3..=6).contains(&rest.len())
            && rest.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
            && rest.bytes().any(|b| b.is_ascii_digit())
    })
}

/// In prose, `insufficient_quota` compares without case; `ThrottlingException` and `EPERM` do not.
pub(crate) fn prose_is_case_sensitive(code: &str) -> bool {
    !code.contains('_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<&str> {
        let table = FactTable::with_keys(
            &["code", "errcode", "errorcode"],
            &["error", "reason", "status", "type"],
        );
        let mut list = Vec::new();
        scan(text.as_bytes(), &table, |found| list.push(&text[found.start..found.end]));
        list
    }

    #[test]
    fn codes_are_read_under_their_keys() {
        assert_eq!(read(r#"{"error":{"code":"x_y","type": "tokens"}}"#), ["x_y", "tokens"]);
        assert_eq!(read("{'code': 11200, 'message': 'AppIdNoAuthError:(1)'}"), ["11200"]);
        assert_eq!(read("请求错误: Code:11200, Data"), ["11200"]);
        assert_eq!(read("errcode=110 error_code = 7"), ["110", "7"]);
        assert_eq!(read("rpc error: code = Unavailable desc = x"), ["Unavailable"]);
        assert_eq!(read("<Error><Code>SlowDown</Code></Error>"), ["SlowDown"]);
        assert_eq!(read("| 11202  | 授权错误 |\n10013 | b"), ["11202", "10013"]);
        assert_eq!(
            read(r#""__type":"a.b#Throttling" "type":"a.b#Throttling""#),
            ["Throttling", "Throttling"]
        );
        assert_eq!(read("error: invalid_grant"), ["invalid_grant"]);
    }

    #[test]
    fn what_is_read_may_be_a_value() {
        for text in [
            r#"{"error":{"code":"x_y","type": "tokens"}}"#,
            "errcode=110 error_code = 7",
            "<Error><Code>SlowDown</Code></Error>",
            "| 11202  | a |\n 10013 | b\n11 |c",
            r#""type":"a.b#Throttling" 'type'='ns/a.b' code: x-.-"#,
            "error: invalid_grant.\nerror:invalid_grant",
        ] {
            let codes = read(text);
            assert!(!codes.is_empty());
            for code in codes {
                let start = code.as_ptr() as usize - text.as_ptr() as usize;
                assert!(may_be_value(text.as_bytes(), start, start + code.len()), "{code}");
            }
        }
        for text in ["by default=1", "a timeout in x", "timeout", "code: xtimeouts", "-timeout: x"]
        {
            let at = text.find("timeout").or(text.find("efault")).unwrap();
            assert!(!may_be_value(text.as_bytes(), at, at + 6), "{text}");
        }
    }

    #[test]
    fn prose_is_no_code() {
        assert!(read("error: the code was wrong").is_empty());
        assert!(read("Process finished with exit code: 1").is_empty());
        assert!(read("status code: 500").is_empty());
        assert!(read("status=200 code=7").len() == 1);
        assert!(read(r#""error": "Something went wrong""#).is_empty());
        assert!(read("2025-06-16 10:24:15 | ERROR | x").is_empty());
    }

    #[test]
    fn distinctive_codes() {
        for code in
            ["insufficient_quota", "ThrottlingException", "ECONNREFUSED", "EIO", "ORA-00060"]
        {
            assert!(is_distinctive(code), "{code}");
        }
        for code in ["Throttling", "11200", "tokens", "SlowDn", "error", "1234_5678"] {
            assert!(!is_distinctive(code), "{code}");
        }
    }
}
