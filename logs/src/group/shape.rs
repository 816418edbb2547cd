//! What a line looks like, by itself.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::words;
use super::wrapping::Wrapping;

/// Marks of a line: bits of one number.
pub(super) mod mark {
    pub(in super::super) type Marks = u128;

    macro_rules! marks {
        ($($(#[$about:meta])* $name:ident)*) => { marks!(@ 0u32; $($(#[$about])* $name)*); };
        (@ $at:expr; $(#[$about:meta])* $name:ident $($rest:tt)*) => {
            $(#[$about])*
            pub(in super::super) const $name: Marks = 1 << ($at);
            marks!(@ $at + 1; $($rest)*);
        };
        (@ $at:expr;) => {};
    }
    marks! {
        /// Nothing but white space.
        BLANK
        /// Something.
        FULL
        /// Continues whatever stands before.
        SELF
        /// Continues what stands before the blank line before.
        BRIDGE
        /// Begins with white space.
        INDENT
        /// An indented line that is no stack frame.
        BODY
        /// `    at x`, `... 12 more`.
        FRAME
        /// `Caused by: x` and its like: names an error further in or further out.
        CAUSE
        /// Carets and tildes alone.
        CARET
        /// `  File "x.py", line 1`
        PY_FILE
        /// `   |`, `  --> x.rs:1:2`
        BAR
        /// A tab and a place in a file of Go.
        GO_FILE
        /// Has a time or a level before its message.
        HEADER
        /// A header with the level of an error or a warning.
        LOUD
        /// Neither header nor indentation.
        PLAIN
        /// Full, and neither whole by itself nor the last line of a traceback, for all that it shows.
        TEXT
        /// Ends with a colon.
        COLON
        /// Ends with an opening bracket.
        OPENS
        /// Closing brackets alone.
        CLOSES
        /// An opening bracket alone.
        BRACE
        /// Closing brackets and a comma.
        COMMA
        /// `a.b.SomeException: message`, where it may continue a record.
        EXC
        /// The same without dots: `Error: message`. Programs that name errors so also print them
        /// without their logger, after whatever record comes to stand before.
        BARE_EXC
        /// The name of an exception, and a message.
        EXC_NAME
        /// Any name, and a message.
        NAME
        /// The same, and it looks like a class.
        CLASS
        TRACEBACK
        /// What stands between chained tracebacks of Python.
        PY_CHAIN
        PYTEST
        REQUIRE
        DASH
        GO_CALL
        GO_EXIT
        GO_SIGNAL
        GO_PANIC
        RUST_PANIC
        /// `12 |`
        GUTTER
        ELISION
        NOTE
        /// `file:12: `, `file:12:3: `
        FILE_POS
        /// The same with a note.
        FILE_NOTE
        /// Where a file was included, in which function the next error is.
        GCC_IN
        XML_DECL
        TAG
        /// An element that is not closed on its line.
        OPEN_TAG
        INNER_TAG
        END_TAG
        PG
        PG_MORE
        ORA
        INNODB
        STARS
        ERL_REPORT
        BEAM_TAIL
        NPM
        REMOTE
        MAKE
        GRADLE
        RANGLE
        RUBY_FRAME
        KERNEL
        KERNEL_HEAD
        KERNEL_END
        KERNEL_CUT
        JUL_DATE
        JUL_LEVEL
        /// `Log Name:      Application`: the first line of an event that was copied.
        WIN_HEAD
        /// `Event ID:      7`
        WIN_KEY
        /// `Description:`
        WIN_TEXT
        /// `ProviderName : disk`: a line of PowerShell's lists.
        WIN_LIST
        /// A carrier that may cut a line into pieces.
        PIECE
        /// A piece that is not the last one.
        CUT_OFF
    }
}

use mark::*;

/// Bytes of a text that are looked at, beside its last one.
const NEAR: usize = 256;

/// Bytes of a header in which its level stands.
const LEVEL_NEAR: usize = 96;

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

/// A level or a time that stands behind white space.
fn is_padded_header(rest: &[u8], width: usize) -> bool {
    match rest[0] {
        b'0'..=b'9' => has_header(rest),
        b'[' => matches!(rest.get(1), Some(b'0'..=b'9')) && has_header(rest),
        b'A'..=b'Z' => width <= 2 && has_level(rest),
        _ => false,
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

/// Whether a text begins as a record does: with a time, a level, or as JSON or logfmt.
fn has_header(text: &[u8]) -> bool {
    let is_digit = |at: usize| text.get(at).is_some_and(u8::is_ascii_digit);
    match text[0] {
        b'0'..=b'9' => {
            let digits = text.iter().take(20).take_while(|byte| byte.is_ascii_digit()).count();
            let next = text.get(digits).copied();
            match (digits, next) {
                (4, Some(b'-' | b'/' | b'.')) => is_digit(5) && is_digit(6),
                (1 | 2, Some(b':')) => is_digit(digits + 1) && is_digit(digits + 2),
                (1 | 2, Some(b'/' | b'-')) => {
                    let month = text.get(digits + 1).is_some_and(u8::is_ascii_alphanumeric);
                    month
                        && text
                            .get(digits + 3)
                            .is_some_and(|byte| b"/- abcdefghijklmnopqrstuvwxyz".contains(byte))
                }
                (8, Some(b'-' | b'T' | b' ')) | (10 | 13, Some(b'.' | b' ')) => true,
                _ => false,
            }
        }
        b'[' => {
            let inside = text[1..].trim_ascii_start();
            inside.first().is_some_and(u8::is_ascii_digit) && has_header(inside)
                || has_level(inside)
                || inside.iter().take_while(|byte| byte.is_ascii_lowercase()).count() > 3
                    && is_lower_level(inside)
        }
        b'<' => is_digit(1) && memchr::memchr(b'>', &text[..text.len().min(5)]).is_some(),
        b'{' => text.len() > 1 && matches!(text[1], b'"' | b' ') && text.len() > 2,
        b'A'..=b'Z' => {
            has_level(text) || (is_digit(1) && is_digit(4) && text.get(5) == Some(&b' '))
        }
        b'a'..=b'z' => {
            [&b"ts="[..], b"time=", b"level=", b"msg=", b"t=", b"at="]
                .iter()
                .any(|key| text.starts_with(key))
                || is_lower_level(text)
        }
        _ => false,
    }
}

fn has_level(text: &[u8]) -> bool {
    let length = text.iter().take(9).take_while(|byte| byte.is_ascii_uppercase()).count();
    let ends = !text.get(length).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    ends && words::LEVELS.contains(&&text[..length])
}

/// Whether the first level in a header is that of an error or a warning.
fn is_loud(text: &[u8]) -> bool {
    text[..text.len().min(LEVEL_NEAR)]
        .split(|byte| !byte.is_ascii_alphanumeric())
        .find(|word| words::LEVELS.contains(word))
        .is_some_and(|level| !words::QUIET_LEVELS.contains(&level))
}

/// `fail: `, `warn: ` of .NET's console, `error]` behind a bracket.
fn is_lower_level(text: &[u8]) -> bool {
    let length = text.iter().take(9).take_while(|byte| byte.is_ascii_lowercase()).count();
    let level = &text[..length];
    match text.get(length) {
        Some(b':') => matches!(level, b"fail" | b"crit" | b"info" | b"dbug" | b"trce" | b"warn"),
        Some(b']') => words::LEVELS.iter().any(|word| word.eq_ignore_ascii_case(level)),
        _ => false,
    }
}

/// Marks of a text that begins at its first column and has no header.
fn unheaded(text: &[u8], is_open: bool) -> Marks {
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
fn gutter(text: &[u8]) -> Option<Marks> {
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
