//! Marks of texts that begin at their first column and have no header.

use super::mark::*;
use crate::group::words;

/// Marks of a text that begins at its first column and has no header.
pub(super) fn unheaded(text: &[u8], is_open: bool) -> Marks {
    match text[0] {
        b'}' | b']' | b')' => {
            let text = text.trim_ascii_end();
            if text.starts_with(b"]]></") {
                return END_TAG;
            }
            let is_closing = |byte: &u8| matches!(byte, b'}' | b']' | b')' | b',' | b';' | b' ');
            match (text.iter().all(is_closing), text.last()) {
                (true, Some(b',')) => CLOSES | COMMA,
                (true, _) => CLOSES,
                _ => 0,
            }
        }
        b'{' | b'[' if text.trim_ascii_end().len() == 1 => BRACE | OPENS,
        b'#' => hash_frame(text),
        b'<' => tag(text),
        b'0'..=b'9' => gutter(text).unwrap_or(0) | file_position(text),
        b'.' | b'/' | b'\\' => file_position(text) | call(text),
        _ if text[0].is_ascii_alphabetic() || text[0] == b'_' => {
            let found = exception(text);
            let found = if is_open { found } else { found & !(EXC | BARE_EXC) };
            found | file_position(text) | call(text) | windows(text)
        }
        _ => 0,
    }
}

/// A line of an event of Windows: its name, and its value in the column where those stand.
fn windows(text: &[u8]) -> Marks {
    let Some(colon) = memchr::memchr(b':', &text[..text.len().min(words::WIN_COLUMN * 2)]) else {
        return 0;
    };
    let (name, behind) = (&text[..colon], &text[colon + 1..]);
    let value = behind.trim_ascii_start();
    let column = text.len() - value.len();
    let name_alone = name.trim_ascii_end();
    match () {
        () if name_alone.len() < name.len() && words::WIN_LISTS.contains(&name_alone) => WIN_LIST,
        () if !value.is_empty() && column != words::WIN_COLUMN => 0,
        () if name == b"Log Name" => WIN_HEAD,
        () if name == b"Description" => WIN_KEY | WIN_TEXT,
        () if words::WIN_KEYS.contains(&name) => WIN_KEY,
        () => 0,
    }
}

/// `12 |`
pub(super) fn gutter(text: &[u8]) -> Option<Marks> {
    let digits = text.iter().take(7).take_while(|byte| byte.is_ascii_digit()).count();
    let bar = text.get(digits..)?.trim_ascii_start();
    (digits > 0 && bar.first() == Some(&b'|')).then_some(GUTTER)
}

/// `#0 /x.php(12): f()`, `#1 {main}`, `#2 0x0000 in f`
fn hash_frame(text: &[u8]) -> Marks {
    let digits = text[1..].iter().take(5).take_while(|byte| byte.is_ascii_digit()).count();
    let rest = text.get(1 + digits..).unwrap_or_default();
    let Some(rest) = rest.strip_prefix(b" ").filter(|_| digits > 0) else { return 0 };
    let rest = rest.trim_ascii_start();
    let starts: [&[u8]; 4] = [b"{main}", b"/", b"[internal function]", b"0x"];
    let is_frame = starts.iter().any(|start| rest.starts_with(start))
        || matches!(rest, [b'A'..=b'Z', b':', b'\\', ..]);
    if is_frame { SELF } else { 0 }
}

/// An element or its end. What follows the name of one inside of a document may be text.
fn tag(text: &[u8]) -> Marks {
    let text = text.trim_ascii_end();
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b":-_/".contains(byte);
    let name = &text[1..];
    let name = &name[..name.iter().take(64).take_while(|byte| is_name(byte)).count()];
    let inner = if words::INNER_TAGS.contains(&name) { INNER_TAG } else { 0 };
    if !text.ends_with(b">") {
        return inner;
    }
    match name.first() {
        Some(b'/') if name.len() > 1 => END_TAG,
        Some(byte) if byte.is_ascii_alphabetic() => {
            let is_closed = text.ends_with(b"/>") || memchr::memmem::find(text, b"</").is_some();
            inner | TAG | if is_closed { 0 } else { OPEN_TAG }
        }
        _ => 0,
    }
}

/// `ValueError: x`, `a.b.SomeException`, `TypeError [ERR_X]: x`; any name with less right.
fn exception(text: &[u8]) -> Marks {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.$".contains(byte);
    let length = text.iter().take_while(|byte| is_name(byte)).count();
    let (name, rest) = text.split_at(length);
    let ends = match rest {
        [] => true,
        [b':', rest @ ..] => matches!(rest, [] | [b' ', ..]),
        [b' ', b'[', b'A'..=b'Z', ..] => memchr::memmem::find(rest, b"]: ").is_some(),
        _ => false,
    };
    if !ends {
        return 0;
    }
    let last = memchr::memrchr2(b'.', b'$', name).map_or(name, |at| &name[at + 1..]);
    let is_class = last.first().is_some_and(u8::is_ascii_uppercase);
    let is_qualified = last.len() < name.len() && last.len() > 1;
    if is_class && is_qualified {
        EXC | EXC_NAME | NAME | CLASS
    } else if is_class && words::EXCEPTION_ENDS.iter().any(|end| last.ends_with(end)) {
        BARE_EXC | EXC_NAME | NAME | CLASS
    } else if is_class {
        NAME | CLASS
    } else {
        NAME
    }
}

/// `main.c:12:3: `, `x.py:12: `, and what gcc says of them. Ruby's frames end with a quote.
fn file_position(text: &[u8]) -> Marks {
    let Some(colon) = memchr::memchr(b':', text) else { return 0 };
    if memchr::memchr2(b' ', b'(', &text[..colon]).is_some() {
        return 0;
    }
    let digits = |at: usize| {
        let rest = text.get(at..).unwrap_or_default();
        rest.iter().take(8).take_while(|byte| byte.is_ascii_digit()).count()
    };
    let line = digits(colon + 1);
    let mut at = colon + 1 + line;
    if line == 0 {
        let rest = &text[colon..];
        let is_in = [&b": In "[..], b": At "].iter().any(|start| rest.starts_with(start));
        return if is_in && text.ends_with(b":") { GCC_IN } else { 0 };
    }
    let column = digits(at + 1);
    if text.get(at) == Some(&b':') && column > 0 {
        at += 1 + column;
    }
    let rest = text.get(at..).unwrap_or_default();
    if rest.starts_with(b":in ") && (rest.ends_with(b"'") || rest.ends_with(b"`")) {
        RUBY_FRAME
    } else if rest.starts_with(b": note: ") {
        FILE_POS | FILE_NOTE
    } else if rest.starts_with(b": ") {
        FILE_POS
    } else {
        0
    }
}

/// `main.f(0x1, 0x2)`, `net/http.(*conn).serve`: names of functions of Go.
fn call(text: &[u8]) -> Marks {
    let open = memchr::memchr(b'(', text).unwrap_or(text.len());
    let name = &text[..open];
    let is_call = open == text.len() || text.ends_with(b")");
    let is_name = memchr::memchr2(b' ', b':', name).is_none();
    if is_call && is_name && (memchr::memchr(b'.', name).is_some() || name == b"panic") {
        GO_CALL
    } else {
        0
    }
}
