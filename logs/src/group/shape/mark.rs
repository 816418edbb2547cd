//! Marks of a line: bits of one number.

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
