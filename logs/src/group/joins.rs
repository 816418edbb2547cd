//! Which line continues the one before: tables of marks, and how they are asked.

use std::ops::Range;

use super::shape::{Shape, mark::*};
use super::{line_after, line_before};
use crate::bundle::is_request;

/// What is known of the lines behind the end of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ahead {
    /// There are none.
    Known,
    /// They may be whatever makes a line join.
    Open,
}

/// A line with a mark of `line` continues a line with a mark of `after`. Where `next` is not
/// empty, only if the line behind has a mark of it; where `beyond` is not empty, only if the line
/// before the one before has a mark of it.
struct Join {
    line: Marks,
    after: Marks,
    next: Marks,
    beyond: Marks,
}

const fn join(line: Marks, after: Marks) -> Join {
    Join { line, after, next: 0, beyond: 0 }
}

/// What continues on its own account ([`SELF`]) is not in here.
const JOINS: &[Join] = &[
    // Java, after the record of a logger or after "failed:".
    Join { line: EXC, after: HEADER | COLON, next: FRAME, beyond: 0 },
    Join { line: BARE_EXC, after: LOUD | COLON, next: FRAME, beyond: 0 },
    // java.util.logging writes its level on a line of its own.
    join(JUL_LEVEL, JUL_DATE),
    // Python.
    join(TRACEBACK, TEXT),
    join(EXC_NAME, BODY),
    join(NAME, CARET | PY_FILE),
    Join { line: NAME, after: BODY, next: 0, beyond: PY_FILE },
    join(PYTEST, FULL),
    // Node prints the stack of modules as a list.
    join(DASH, REQUIRE | DASH),
    // Go.
    Join { line: GO_CALL, after: FULL, next: GO_FILE, beyond: 0 },
    join(GO_EXIT, GO_FILE),
    join(GO_SIGNAL, GO_PANIC | INDENT),
    // Rust.
    join(PLAIN, RUST_PANIC),
    join(GUTTER | ELISION, BAR | GUTTER | ELISION),
    join(NOTE, BAR | GUTTER | NOTE),
    // gcc, clang.
    join(FILE_NOTE, FILE_POS | FILE_NOTE | INDENT),
    join(FILE_POS | GCC_IN, GCC_IN),
    // Bodies.
    Join { line: BRACE, after: HEADER | COLON | COMMA, next: INDENT | CLOSES, beyond: 0 },
    join(CLOSES, INDENT | OPENS | CLOSES),
    join(XML_DECL | TAG, COLON | HEADER),
    join(TAG, XML_DECL | OPEN_TAG),
    join(INNER_TAG, TAG | END_TAG | INDENT | XML_DECL),
    join(END_TAG, INDENT | TAG | END_TAG),
    // Databases.
    join(PG_MORE, PG | PG_MORE | INDENT),
    join(ORA, ORA | COLON),
    join(INNODB, INNODB | HEADER),
    // Windows events; of a description two lines.
    join(WIN_KEY, WIN_HEAD | WIN_KEY),
    join(PLAIN, WIN_TEXT),
    Join { line: PLAIN, after: PLAIN, next: 0, beyond: WIN_TEXT },
    join(WIN_LIST, WIN_LIST | INDENT),
    // Erlang, Elixir.
    join(STARS, HEADER | STARS | INDENT | ERL_REPORT),
    join(BEAM_TAIL, INDENT | STARS | BEAM_TAIL),
    // Runs of one tool.
    join(RUBY_FRAME, RUBY_FRAME),
    join(NPM, NPM),
    join(REMOTE, REMOTE),
    join(MAKE, MAKE),
    join(PLAIN | RANGLE, GRADLE),
    join(RANGLE, RANGLE),
    Join { line: RANGLE, after: PLAIN, next: 0, beyond: GRADLE },
    // The kernel.
    join(KERNEL | KERNEL_END, KERNEL_HEAD | KERNEL | INDENT | KERNEL_END),
    join(KERNEL_HEAD, KERNEL_CUT),
];

/// A blank line and a line with a mark of `line` behind it continue a line with a mark of `after`.
const OVER_BLANK: &[Join] = &[
    join(BRIDGE, FULL),
    join(TRACEBACK, PY_CHAIN),
    join(EXC | EXC_NAME, CARET),
    join(FILE_POS | PYTEST, PYTEST),
    join(RUBY_FRAME, COLON),
];

/// Marks without which a line continues nothing.
const MAY_JOIN: Marks = {
    let mut all = SELF | BLANK | PIECE;
    let mut at = 0;
    while at < JOINS.len() {
        all |= JOINS[at].line;
        at += 1;
    }
    at = 0;
    while at < OVER_BLANK.len() {
        all |= OVER_BLANK[at].line;
        at += 1;
    }
    all
};

/// Whether the line at `line` continues the line before it. Nothing before `floor` is looked at.
pub(super) fn continues(chunk: &[u8], floor: usize, line: &Range<usize>, ahead: Ahead) -> bool {
    let this = Shape::of(&chunk[line.clone()]);
    if !this.has(MAY_JOIN) {
        return false;
    }
    let Some(before) = line_before(chunk, floor, line.start) else { return false };
    // Whole by itself, and perhaps many events.
    if is_request(&chunk[before.clone()]) {
        return false;
    }
    let last = Shape::of(&chunk[before.clone()]);
    if !this.may_follow(&last) {
        return false;
    }
    if last.has(CUT_OFF) {
        return true;
    }
    let beyond = || {
        let range = line_before(chunk, floor, before.start)?;
        Some(Shape::of(&chunk[range])).filter(|beyond| last.may_follow(beyond))
    };
    let behind = |end: usize| match line_after(chunk, end) {
        Some(range) => Some((Shape::of(&chunk[range.clone()]), range.end)),
        None if ahead == Ahead::Open => Some((Shape::ANYTHING, end)),
        None => None,
    };
    if last.has(BLANK) {
        return beyond().is_some_and(|beyond| over_blank(&beyond, &this));
    }
    if this.has(BLANK) {
        let next = behind(line.end);
        return next.is_some_and(|(next, _)| next.may_follow(&this) && over_blank(&last, &next));
    }
    if this.has(SELF) {
        return true;
    }
    JOINS.iter().any(|join| {
        this.has(join.line)
            && last.has(join.after)
            && (join.next == 0
                || behind(line.end)
                    .is_some_and(|(next, _)| next.may_follow(&this) && next.has(join.next)))
            && (join.beyond == 0 || beyond().is_some_and(|beyond| beyond.has(join.beyond)))
    })
}

fn over_blank(before: &Shape<'_>, behind: &Shape<'_>) -> bool {
    OVER_BLANK.iter().any(|join| behind.has(join.line) && before.has(join.after))
}
