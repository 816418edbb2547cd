//! What a line looks like, by itself.

mod header;
pub(super) mod mark;
mod plain;

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::words;
use super::wrapping::Wrapping;

use header::{has_header, is_loud, is_padded_header};
use mark::*;
use plain::{gutter, unheaded};

/// Bytes of a text that are looked at, beside its last one.
const NEAR: usize = 256;

/// Behind the tags of PostgreSQL.
static COLON_AND_SPACES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b":  "));

/// A line's marks, and whose it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape<'a> {
    marks: Marks,
    source: &'a [u8],
    program: &'a [u8],
    is_carried: bool,
    is_anything: bool,
}

impl<'a> Shape<'a> {
    /// Of a line that is not known: whatever makes another one join.
    pub(super) const ANYTHING: Shape<'static> = Shape {
        marks: Marks::MAX,
        source: b"",
        program: b"",
        is_carried: false,
        is_anything: true,
    };

    pub(super) fn has(&self, marks: Marks) -> bool {
        self.marks & marks != 0
    }

    /// Whether a line of the same origin may stand before.
    pub(super) fn may_follow(&self, last: &Shape<'_>) -> bool {
        if self.is_anything {
            true
        } else if self.source.is_empty() || last.source.is_empty() {
            last.is_carried || !self.is_carried
        } else {
            let is_known = !self.program.is_empty() && !last.program.is_empty();
            self.source == last.source && (!is_known || self.program == last.program)
        }
    }

    /// Looks at a line, which may have its end.
    pub(super) fn of(line: &'a [u8]) -> Shape<'a> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let wrapping = match line.first() {
            None | Some(b' ' | b'\t' | 0x1b) => Wrapping { text: line, ..Wrapping::default() },
            _ => Wrapping::of(line),
        };
        let mut shape = Shape {
            marks: 0,
            source: wrapping.source,
            program: wrapping.program,
            is_carried: wrapping.is_carrier,
            is_anything: false,
        };
        shape.marks = text(&wrapping, &mut shape.source);
        if wrapping.piece.is_some() {
            shape.marks |= PIECE;
        }
        if wrapping.is_cut_off {
            shape.marks |= CUT_OFF;
        }
        shape
    }
}

/// The marks of the text of a line. Whose it is may turn out from the text.
fn text<'a>(wrapping: &Wrapping<'a>, source: &mut &'a [u8]) -> Marks {
    let text = without_colours(wrapping.text);
    let indent = Indent::of(text);
    let rest = without_colours(indent.rest);
    if rest.is_empty() {
        return if indent.is_long { FULL | SELF | INDENT | BODY } else { BLANK };
    }
    let is_open = !wrapping.has_time || wrapping.is_carrier;
    let mut marks = FULL | ends(rest);
    if wrapping.has_time {
        marks |= HEADER;
    }
    if wrapping.is_jul_date {
        marks |= JUL_DATE;
    }
    if wrapping.is_kernel {
        marks |= kernel(text);
    }
    let wanted = if wrapping.is_padded { 2 } else { 1 };
    if indent.width >= wanted && is_open && !is_padded_header(rest, indent.width) {
        return marks | TEXT | SELF | INDENT | indented(&indent, rest);
    }
    if indent.width > 0 && is_frame(rest) && indent.width > 1 {
        return marks | TEXT | SELF | FRAME;
    }
    let near = &rest[..rest.len().min(NEAR)];
    let begins = words::starts(near[0]).iter().find(|(word, _)| near.starts_with(word));
    if let Some(&(word, found)) = begins {
        marks |= if word == b"... " && !matches!(near.get(4), Some(b'0'..=b'9')) {
            ELISION
        } else {
            confirmed(near, word, found)
        };
    }
    if !wrapping.is_kernel {
        marks &= !(KERNEL | KERNEL_HEAD | KERNEL_END | KERNEL_CUT);
    }
    if let Some((mark, process)) = postgres(near) {
        marks |= mark | HEADER;
        if source.is_empty() {
            *source = process;
        }
    }
    if indent.width > 0 || has_header(near) {
        marks |= HEADER;
    } else {
        marks |= unheaded(near, is_open);
    }
    // An object of one line is whole.
    let is_object = rest[0] == b'{' && rest.trim_ascii_end().ends_with(b"}");
    if !is_object && (marks & CLASS == 0 || marks & COLON != 0) {
        marks |= TEXT;
    }
    if marks & HEADER == 0 {
        marks |= PLAIN;
    } else if is_loud(near) {
        marks |= LOUD;
    }
    marks
}

/// Marks of words that need a second look.
fn confirmed(text: &[u8], word: &[u8], marks: Marks) -> Marks {
    let rest = &text[word.len()..];
    let has = |part: &[u8]| memchr::memmem::find(rest, part).is_some();
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let behind = rest.get(digits..).unwrap_or_default();
    let is_so = match word {
        b"LINE " => digits > 0 && behind.starts_with(b": "),
        b"goroutine " => digits > 0 && behind.starts_with(b" ["),
        b"make" => has(b": *** "),
        b"0x" => has(b" is located "),
        b"thread '" => has(b"panicked at ") && text.ends_with(b":"),
        b"PHP   " => rest.trim_ascii_start().first().is_some_and(u8::is_ascii_digit),
        _ => true,
    };
    if is_so { marks } else { 0 }
}

/// White space at the beginning of a text. `\t` in JSON and `#011` of rsyslog are tabs.
struct Indent<'a> {
    /// Columns, a tab for many.
    width: usize,
    has_tab: bool,
    rest: &'a [u8],
    /// There is more of it than is looked at.
    is_long: bool,
}

impl<'a> Indent<'a> {
    fn of(text: &'a [u8]) -> Indent<'a> {
        let mut indent = Indent { width: 0, has_tab: false, rest: text, is_long: false };
        loop {
            let (tab, length) = match indent.rest {
                [b' ', ..] => (false, 1),
                [b'\t', ..] => (true, 1),
                [b'\\', b't', ..] => (true, 2),
                [b'#', b'0', b'1', b'1', ..] => (true, 4),
                _ => return indent,
            };
            if indent.width > NEAR {
                return Indent { is_long: true, rest: b"", ..indent };
            }
            indent.width += if tab { 8 } else { 1 };
            indent.has_tab |= tab;
            indent.rest = &indent.rest[length..];
        }
    }
}

/// Goes over colour codes at the beginning.
fn without_colours(mut text: &[u8]) -> &[u8] {
    for _ in 0..8 {
        let Some(code) = text.strip_prefix(b"\x1b[") else { break };
        let length = code.iter().take(24).position(|byte| !matches!(byte, b'0'..=b'9' | b';'));
        match length {
            Some(length) if code[length] == b'm' => text = &code[length + 1..],
            _ => break,
        }
    }
    text
}

/// What a text ends with.
fn ends(text: &[u8]) -> Marks {
    let text = text.trim_ascii_end();
    match text.last() {
        Some(b':') => COLON,
        Some(b'{' | b'[' | b'(') => OPENS,
        _ => 0,
    }
}

fn indented(indent: &Indent<'_>, rest: &[u8]) -> Marks {
    let near = &rest[..rest.len().min(NEAR)];
    if is_frame(near) {
        return FRAME;
    }
    let has = |part: &[u8]| memchr::memmem::find(near, part).is_some();
    let mark = match near[0] {
        b'F' if near.starts_with(b"File ") => PY_FILE,
        b'^' | b'~' if near.iter().all(|byte| matches!(byte, b'^' | b'~' | b' ')) => CARET,
        b'|' | b'=' => BAR,
        b'-' if near.starts_with(b"-->") => BAR,
        b':' if near.starts_with(b":::") => BAR,
        b'0'..=b'9' => gutter(near).map_or(0, |_| BAR),
        b'/' | b'A'..=b'Z' if indent.has_tab && (has(b".go:") || has(b".s:")) => GO_FILE,
        b'f' if near.starts_with(b"from ") && near.ends_with(b":") => GCC_IN,
        // Terraform without its box, pip.
        b'o' if near.starts_with(b"on ") && has(b" line ") => BRIDGE,
        b'n' if near.starts_with(b"note: This error originates ") => BRIDGE,
        b'D' if near.trim_ascii_end() == b"Description:" => WIN_TEXT,
        _ => 0,
    };
    BODY | mark
}

/// Behind white space: `at a.B.c(B.java:1)`, `... 12 more`.
fn is_frame(text: &[u8]) -> bool {
    text.starts_with(b"at ")
        || (text.starts_with(b"... ") && text.get(4).is_some_and(u8::is_ascii_digit))
}

/// What a line of the kernel is whatever it begins with: a frame, a row of a table.
fn kernel(text: &[u8]) -> Marks {
    let near = &text[..text.len().min(NEAR)];
    let has = |part: &[u8]| memchr::memmem::find(near, part).is_some();
    let is_kernel = match near {
        [b'[', b' ' | b'0'..=b'9' | b'<', ..] => true,
        [b'0'..=b'9', ..] => has(b" pages") || has(b" total pagecache"),
        [b' ', ..] => has(b"+0x") || has(b"TASK>") || has(b"IRQ>"),
        _ => return if has(b" invoked oom-killer: ") { KERNEL_HEAD } else { 0 },
    };
    if is_kernel { KERNEL } else { 0 }
}

/// `ERROR:  `, `DETAIL:  ` behind any prefix; and the process id in brackets before it.
fn postgres(text: &[u8]) -> Option<(Marks, &[u8])> {
    COLON_AND_SPACES.find_iter(text).find_map(|at| {
        let before = &text[..at];
        let letters = before.iter().rev().take_while(|byte| byte.is_ascii_uppercase()).count();
        let (prefix, word) = before.split_at(at - letters);
        let (_, mark) = words::POSTGRES.iter().find(|(name, _)| *name == word)?;
        let process = memchr::memchr(b'[', prefix).map_or(&b""[..], |open| {
            let inside = &prefix[open + 1..];
            let digits = inside.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if inside.get(digits) == Some(&b']') { &inside[..digits] } else { b"" }
        });
        Some((*mark, process))
    })
}
