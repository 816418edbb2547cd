//! What lines begin with: tables of words and what they mark.

use super::shape::mark::*;

/// Continues the line before, and also over a blank line.
const ON: Marks = SELF | BRIDGE;

/// What a text may begin with, by its first byte. The first that fits counts.
pub(super) fn starts(first: u8) -> &'static [(&'static [u8], Marks)] {
    match first {
        b'C' => &[
            (b"Caused by:", ON | CAUSE),
            (b"CONTEXT:  ", SELF | PG_MORE),
            (b"Call Trace:", KERNEL),
            (b"Code: ", KERNEL),
            (b"CPU: ", KERNEL),
            (b"CR2: ", KERNEL),
            (b"CS: ", KERNEL),
        ],
        b'S' => &[
            (b"Suppressed: ", SELF),
            (b"Stack trace:", ON),
            (b"Stack backtrace:", ON),
            (b"STATEMENT:  ", SELF | PG_MORE),
            (b"State: ", BEAM_TAIL),
            (b"SEVERE: ", JUL_LEVEL),
            (b"SUMMARY: AddressSanitizer", BRIDGE),
            (b"SUMMARY: UndefinedBehaviorSanitizer", BRIDGE),
        ],
        b'W' => &[
            (b"Wrapped by: ", SELF | CAUSE),
            (b"WARNING: CPU: ", KERNEL_HEAD),
            (b"Workqueue: ", KERNEL),
            (b"WARNING: ", JUL_LEVEL),
        ],
        b'D' => &[
            (b"During handling of the above exception, another exception occurred:", ON | PY_CHAIN),
            (b"DETAIL:  ", SELF | PG_MORE),
            (b"DR0: ", KERNEL),
            (b"DR3: ", KERNEL),
        ],
        b'T' => &[
            (b"Traceback (most recent call last):", TRACEBACK),
            (
                b"The above exception was the direct cause of the following exception:",
                ON | PY_CHAIN,
            ),
            (b"Thrown at:", ON),
            (b"The conflict is caused by:", BRIDGE),
            (b"To fix this you could try to:", BRIDGE),
            (b"Tasks state (memory values in pages):", KERNEL),
            (b"Tainted: ", KERNEL),
            (b"Total swap", KERNEL),
        ],
        b'H' => &[
            (b"HINT:  ", SELF | PG_MORE),
            (b"Hardware name: ", KERNEL),
            (b"Help: https://docs.oracle.com/", SELF),
        ],
        b'Q' => &[(b"QUERY:  ", SELF | PG_MORE)],
        b'L' => &[
            (b"LOCATION:  ", SELF | PG_MORE),
            (b"LINE ", SELF),
            (b"Last message", BEAM_TAIL),
            (b"Location:", BRIDGE),
        ],
        b'F' => &[(b"FS: ", KERNEL), (b"Free swap", KERNEL), (b"Function: ", BEAM_TAIL)],
        b'.' => &[(b"...additional frames elided...", SELF), (b"... ", SELF), (b"...", ELISION)],
        b'-' => &[
            (b"---> ", SELF | CAUSE),
            (b"--- End of ", SELF),
            (b"---[ end ", KERNEL),
            (b"------------[ cut here ]", KERNEL_HEAD | KERNEL_CUT),
            (b"- /", DASH),
        ],
        b'E' => &[
            (b"Emitted 'error' event", ON),
            (b"E   ", PYTEST),
            (b"EIP: ", KERNEL),
            (b"Event Xml:", ON),
            (b"ERROR: No matching distribution found for ", SELF),
            (b"ERROR: ResolutionImpossible: ", BRIDGE),
            (b"EFLAGS: ", KERNEL),
        ],
        b'>' => &[(b">   ", PYTEST), (b"> ", RANGLE)],
        b'N' => &[(b"Node.js v", ON), (b"NIP: ", KERNEL), (b"Node ", KERNEL)],
        b'(' => &[(b"(Use `node --trace", ON)],
        b'R' => &[
            (b"Require stack:", SELF | REQUIRE),
            (b"RIP: ", KERNEL),
            (b"RSP: ", KERNEL),
            (b"RAX: ", KERNEL),
            (b"RDX: ", KERNEL),
            (b"RBP: ", KERNEL),
            (b"R10: ", KERNEL),
            (b"R13: ", KERNEL),
        ],
        b'g' => &[(b"goroutine ", SELF | BRIDGE), (b"general protection fault", KERNEL_HEAD)],
        b'c' => &[(b"created by ", GO_CALL)],
        b'e' => &[(b"exit status ", GO_EXIT)],
        b'p' => &[(b"panic: ", GO_PANIC), (b"previously allocated by thread ", BRIDGE)],
        b'f' => &[(b"fatal error: ", GO_PANIC), (b"freed by thread ", BRIDGE)],
        b'a' => &[
            (b"and the repository exists.", SELF),
            (b"allocated by thread ", BRIDGE),
            (b"active_anon:", KERNEL),
        ],
        b'P' => &[
            (b"Please make sure you have the correct access rights", ON),
            (b"PHP Stack trace:", SELF),
            (b"PHP   ", SELF),
            (b"PLS-", ORA),
            (b"PGD ", KERNEL),
            (b"PKRU: ", KERNEL),
            (b"PC is at ", KERNEL),
            (b"PC=0x", GO_SIGNAL),
        ],
        b's' => &[(b"stack backtrace:", ON)],
        b'n' => &[
            (b"note: run with `RUST_BACKTRACE", SELF),
            (b"note: ", NOTE),
            (b"npm ERR!", NPM),
            (b"npm error", NPM),
        ],
        b'h' => &[(b"hint: ", SELF), (b"help: ", NOTE)],
        b'r' => &[(b"remote: ", REMOTE), (b"runtime stack:", ON), (b"raw: ", KERNEL)],
        b'm' => &[(b"make", MAKE)],
        b'O' => &[
            (b"ORA-06512", SELF | ORA),
            (b"ORA-", ORA),
            (b"Oops: ", KERNEL_HEAD | KERNEL),
            (b"ORIG_RAX: ", KERNEL),
            (b"Out of memory: Killed process", KERNEL_END),
        ],
        b'o' => &[(b"oom-kill:", KERNEL_END), (b"oom_reaper: ", KERNEL_END)],
        b'M' => &[
            (b"Modules linked in:", KERNEL),
            (b"Mem-Info:", KERNEL),
            (b"Mem abort info:", KERNEL),
            (b"Memory cgroup ", KERNEL_END),
        ],
        b'B' => &[(b"BUG: ", KERNEL_HEAD)],
        b'I' => &[
            (b"InnoDB: ", INNODB),
            (b"INFO: task ", KERNEL_HEAD),
            (b"Internal error: ", KERNEL_HEAD),
            (b"In file included from ", GCC_IN),
            (b"INFO: ", JUL_LEVEL),
        ],
        b'K' => &[(b"Kernel panic - not syncing", KERNEL_END)],
        b'k' => &[(b"kernel BUG at ", KERNEL_HEAD)],
        b'*' => &[
            (b"** ", STARS),
            (b"* What went wrong:", BRIDGE | GRADLE),
            (b"* Where:", BRIDGE | GRADLE),
            (b"* Try:", BRIDGE | GRADLE),
            (b"* Exception is:", BRIDGE | GRADLE),
        ],
        b'=' => &[(b"=ERROR REPORT====", ERL_REPORT), (b"=CRASH REPORT====", ERL_REPORT)],
        b'[' => &[(b"[signal ", GO_SIGNAL), (b"[stacktrace]", SELF), (b"[cause]: ", SELF | CAUSE)],
        b't' => &[(b"thread '", RUST_PANIC)],
        b'#' => &[(b"#PF: ", KERNEL)],
        b'0' => &[(b"0x", BRIDGE)],
        b'<' => &[
            (b"<TASK>", KERNEL),
            (b"</TASK>", KERNEL),
            (b"<IRQ>", KERNEL),
            (b"</IRQ>", KERNEL),
            (b"<?xml", XML_DECL),
            (b"<!DOCTYPE", XML_DECL),
            (b"<!doctype", XML_DECL),
        ],
        // Boxes of Terraform, miette and others: │ └ ├, ╰ ╵
        0xe2 => &[
            (b"\xe2\x94\x82", SELF),
            (b"\xe2\x94\x94", SELF),
            (b"\xe2\x94\x9c", SELF),
            (b"\xe2\x95\xb0", SELF),
            (b"\xe2\x95\xb5", SELF),
        ],
        _ => &[],
    }
}

/// What stands in capitals before a colon and two spaces, as PostgreSQL writes it.
pub(super) const POSTGRES: &[(&[u8], Marks)] = &[
    (b"ERROR", PG),
    (b"FATAL", PG),
    (b"PANIC", PG),
    (b"LOG", PG),
    (b"WARNING", PG),
    (b"NOTICE", PG),
    (b"INFO", PG),
    (b"DETAIL", PG_MORE),
    (b"HINT", PG_MORE),
    (b"CONTEXT", PG_MORE),
    (b"STATEMENT", PG_MORE),
    (b"QUERY", PG_MORE),
    (b"LOCATION", PG_MORE),
];

/// Names in an event that was copied from Windows' Event Viewer, behind the first one.
pub(super) const WIN_KEYS: &[&[u8]] = &[
    b"Source",
    b"Date",
    b"Event ID",
    b"Task Category",
    b"Level",
    b"Keywords",
    b"User",
    b"Computer",
    b"OpCode",
];

/// The column of the values there.
pub(super) const WIN_COLUMN: usize = 15;

/// Names in an event as `Get-WinEvent | Format-List` prints it.
pub(super) const WIN_LISTS: &[&[u8]] = &[
    b"TimeCreated",
    b"ProviderName",
    b"ProviderId",
    b"Id",
    b"Version",
    b"Qualifiers",
    b"Level",
    b"LevelDisplayName",
    b"Task",
    b"TaskDisplayName",
    b"Opcode",
    b"OpcodeDisplayName",
    b"Keywords",
    b"KeywordsDisplayNames",
    b"RecordId",
    b"LogName",
    b"ProcessId",
    b"ThreadId",
    b"MachineName",
    b"UserId",
    b"ActivityId",
    b"RelatedActivityId",
    b"ContainerLog",
    b"MatchedQueryIds",
    b"Bookmark",
    b"Properties",
    b"Message",
];

/// How the names of exceptions end that have no dots in them.
pub(super) const EXCEPTION_ENDS: &[&[u8]] = &[
    b"Error",
    b"Exception",
    b"Interrupt",
    b"Exit",
    b"Warning",
    b"Iteration",
    b"Timeout",
    b"Failure",
    b"ExceptionGroup",
    b"Throwable",
];

/// Levels as loggers write them, in capitals.
pub(super) const LEVELS: &[&[u8]] = &[
    b"ERROR",
    b"WARN",
    b"WARNING",
    b"INFO",
    b"DEBUG",
    b"TRACE",
    b"FATAL",
    b"CRITICAL",
    b"NOTICE",
    b"SEVERE",
    b"ERR",
    b"WRN",
    b"INF",
    b"DBG",
    b"EMERG",
    b"ALERT",
    b"CRIT",
    b"FINE",
    b"PANIC",
];

/// Those of them at which no errors are logged.
pub(super) const QUIET_LEVELS: &[&[u8]] =
    &[b"INFO", b"DEBUG", b"TRACE", b"NOTICE", b"INF", b"DBG", b"FINE"];

/// Elements that stand inside of a document, at whose beginning none of them is.
pub(super) const INNER_TAGS: &[&[u8]] = &[
    b"head",
    b"HEAD",
    b"body",
    b"BODY",
    b"title",
    b"TITLE",
    b"center",
    b"hr",
    b"hr/",
    b"h1",
    b"H1",
    b"h2",
    b"p",
    b"P",
    b"pre",
    b"meta",
    b"META",
    b"div",
    b"address",
    b"style",
    b"script",
    b"link",
    b"log4j:message",
    b"log4j:throwable",
    b"log4j:NDC",
    b"log4j:properties",
    b"log4j:locationInfo",
];
