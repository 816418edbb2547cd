use std::ops::Range;

use proptest::prelude::*;

use super::*;

/// The reference: line by line from the first to the last, and nothing but that.
fn naive(grouping: &Grouping, text: &[u8]) -> Vec<Range<usize>> {
    let mut events: Vec<Range<usize>> = Vec::new();
    let mut lines = 0;
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let start = events.last().map_or(0, |event| event.end);
        let line = start..start + line.len();
        match events.last_mut() {
            Some(event)
                if has_room(grouping, lines, line.end - event.start, &text[line.clone()])
                    && continues(text, event.start, &line, Ahead::Known) =>
            {
                event.end = line.end;
                lines += 1;
            }
            _ => {
                events.push(line);
                lines = 1;
            }
        }
    }
    events
}

fn has_room(grouping: &Grouping, lines: usize, bytes: usize, line: &[u8]) -> bool {
    if lines < grouping.max_lines && bytes <= grouping.max_bytes {
        return true;
    }
    let is_stack = Shape::of(line).has(FRAME | CAUSE);
    is_stack && lines < grouping.max_stack_lines && bytes <= grouping.max_stack_bytes
}

/// As the scanner asks: one event after the other, here with every place in it.
fn check_bounds(grouping: &Grouping, text: &[u8]) {
    let events = naive(grouping, text);
    for (index, event) in events.iter().enumerate() {
        let earlier = events[index / 2].start;
        for place in event.clone() {
            for from in [0, earlier, event.start] {
                assert_eq!(grouping.bounds(text, from, place), *event, "from {from} at {place}");
            }
        }
    }
}

/// However often a text is cut at the last event of what was read so far.
fn check_cuts(grouping: &Grouping, text: &[u8]) {
    let whole = naive(grouping, text);
    let line_ends: Vec<usize> = memchr::memchr_iter(b'\n', text).map(|at| at + 1).collect();
    for &end in &line_ends {
        let cut = grouping.last_event(&text[..end]);
        let mut pieces = naive(grouping, &text[..cut]);
        pieces.extend(naive(grouping, &text[cut..]).iter().map(|e| e.start + cut..e.end + cut));
        assert_eq!(pieces, whole, "cut at {cut} of {end}");
    }
    let mut start = 0;
    for &end in &line_ends {
        start += grouping.last_event(&text[start..end]);
        assert!(whole.iter().any(|event| event.start == start));
    }
}

/// Lines that mean something to each other. Proptest puts them together as it likes.
const LINES: &[&str] = &[
    "",
    "  ",
    "plain words",
    "it failed:",
    "body {",
    "{",
    "[",
    "}",
    "},",
    "  \"a\": 1",
    "2024-01-02 03:04:05 ERROR save failed",
    "2024-01-02 03:04:05 ERROR \tat a.B.c(B.java:1)",
    "2024-01-02T03:04:05Z     at a.B.c(B.java:1)",
    "12:00:01 INFO x:",
    "ERROR x",
    "java.io.IOException: x",
    "\tat a.B.c(B.java:1)",
    "    at f (/x.js:1:2)",
    "... 12 more",
    "\t... 12 more",
    "...",
    "Caused by: y",
    "Traceback (most recent call last):",
    "  File \"a.py\", line 1, in f",
    "    f(x)",
    "    ^^^^",
    "ValueError: x",
    "Error: x",
    "Name: x",
    "KeyboardInterrupt",
    "During handling of the above exception, another exception occurred:",
    "panic: x",
    "[signal SIGSEGV]",
    "goroutine 1 [running]:",
    "main.f(0x1)",
    "\t/x/main.go:12 +0x1d",
    "created by main.g",
    "exit status 2",
    "thread 'main' panicked at src/main.rs:2:5:",
    "note: run with `RUST_BACKTRACE=1`",
    "note: other",
    "  --> x.rs:1:2",
    "10 | let",
    "main.c:1:2: error: x",
    "main.c:1:2: note: x",
    "main.c: In function 'f':",
    "#0 /x.php(12): f()",
    "E   assert",
    "x.py:3: AssertionError",
    "<html>",
    "<body>",
    "</html>",
    "<?xml version=\"1.0\"?>",
    "2024-01-02 03:04:05.678 UTC [12] ERROR:  x",
    "2024-01-02 03:04:05.678 UTC [12] DETAIL:  x",
    "2024-01-02 03:04:05.678 UTC [13] DETAIL:  x",
    "DETAIL:  x",
    "ORA-00604: x",
    "npm ERR! x",
    "* What went wrong:",
    "> x",
    "** (RuntimeError) x",
    "State: x",
    "│ x",
    "Jan 02, 2024 3:04:05 AM a.B c",
    "SEVERE: x",
    "Jan  2 03:04:05 host app[1]: x",
    "Jan  2 03:04:05 host app[1]:     at x",
    "Jan  2 03:04:05 host app[2]: \tat x",
    "Jan  2 03:04:05 host app[1]: ",
    "Jan  2 03:04:05 host kernel: [   12.345678] BUG: x",
    "Jan  2 03:04:05 host kernel: [   12.345678] Call Trace:",
    "[   12.345678] BUG: x",
    "[   12.345678]  dump_stack+0x1/0x2",
    "web-1  | x",
    "web-1  |     at x",
    "web-1  | ",
    "web-1  | Caused by: x",
    "db-1   |     at x",
    "2024-01-02T03:04:05.678901234Z stderr F x",
    "2024-01-02T03:04:05.678901234Z stderr F \tat x",
    "2024-01-02T03:04:05.678901234Z stdout P x",
    "2024-01-02T03:04:05.678901234Z stdout F ",
    "2024-01-02T03:04:05.678901234Z stdout F Caused by: x",
    "{\"log\":\"x\\n\",\"stream\":\"stderr\"}",
    "{\"log\":\"\\tat x\\n\",\"stream\":\"stderr\"}",
    "{\"log\":\"cut\",\"stream\":\"stderr\"}",
    "{\"log\":\"\\n\",\"stream\":\"stderr\"}",
    "{\"MESSAGE\":\"x\",\"_PID\":\"1\"}",
    "{\"MESSAGE\": \"\\tat x\", \"_PID\": \"1\"}",
    "{\"_PID\":\"1\",\"MESSAGE\":\"\"}",
    "{\"_PID\":\"2\",\"MESSAGE\":\"Caused by: x\"}",
    "{\"level\":\"error\"}",
    "Log Name:      System",
    "Event ID:      7",
    "Description:",
    "ProviderName : disk",
    "\u{1b}[31m    at x\u{1b}[0m",
];

fn line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        30 => proptest::sample::select(LINES).prop_map(|line| line.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..12),
        1 => (proptest::sample::select(LINES), 0..40usize)
            .prop_map(|(line, at)| line.as_bytes()[..at.min(line.len())].to_vec()),
    ]
}

fn log(lines: usize) -> impl Strategy<Value = Vec<u8>> {
    let end = prop_oneof![9 => Just(&b"\n"[..]), 1 => Just(&b"\r\n"[..])];
    (proptest::collection::vec((line(), end), 0..lines), any::<bool>()).prop_map(
        |(lines, is_whole)| {
            let mut log = Vec::new();
            for (line, end) in lines {
                log.extend(line);
                log.extend(end);
            }
            if !is_whole {
                log.pop();
            }
            log
        },
    )
}

fn tight() -> impl Strategy<Value = Grouping> {
    (1..5usize, 1..200usize, 1..9usize, 1..300usize).prop_map(
        |(max_lines, max_bytes, max_stack_lines, max_stack_bytes)| Grouping {
            max_lines,
            max_bytes,
            max_stack_lines,
            max_stack_bytes,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn bounds_are_those_of_framing_line_by_line(log in log(14)) {
        check_bounds(&Grouping::default(), &log);
    }

    #[test]
    fn bounds_under_limits(log in log(14), grouping in tight()) {
        check_bounds(&grouping, &log);
    }

    #[test]
    fn pieces_fall_into_the_same_events(log in log(12)) {
        check_cuts(&Grouping::default(), &log);
    }

    #[test]
    fn what_is_cut_is_known(log in log(14), grouping in tight()) {
        let unlimited = Grouping { max_lines: usize::MAX, max_bytes: usize::MAX, ..grouping };
        let heads: Vec<usize> = naive(&unlimited, &log).iter().map(|event| event.start).collect();
        for event in naive(&grouping, &log).into_iter().filter(|event| event.end < log.len()) {
            let unended = event.start..event.end - usize::from(log[event.end - 1] == b'\n');
            prop_assert_eq!(grouping.is_cut(&log, &unended), grouping.is_cut(&log, &event));
            // What begins where nothing would begin without limits stands behind a cut.
            let is_cut = !heads.contains(&event.end);
            prop_assert_eq!(is_cut && !grouping.is_lines(), grouping.is_cut(&log, &event), "{:?}", event);
            if is_cut {
                // What follows depends on lines that are out of sight now.
                break;
            }
        }
    }

    #[test]
    fn lines_put_together_again_are_no_longer(log in log(14)) {
        prop_assert!(rejoined(&log).len() <= log.len());
    }
}

#[test]
fn limits_cut_from_the_head() {
    let mut log = b"head\n".to_vec();
    log.extend(b"\tby x\n".repeat(7));
    let grouping = Grouping { max_lines: 3, ..Grouping::default() };
    let lengths: Vec<_> = naive(&grouping, &log).iter().map(Range::len).collect();
    assert_eq!(lengths, [17, 18, 12]);
    check_bounds(&grouping, &log);
    // 5 + 6 + 6 bytes fit, one line more does not; one line alone always does.
    let grouping = Grouping { max_bytes: 20, ..Grouping::default() };
    let lengths: Vec<_> = naive(&grouping, &log).iter().map(Range::len).collect();
    assert_eq!(lengths, [17, 18, 12]);
    let grouping = Grouping { max_bytes: 2, ..Grouping::default() };
    assert_eq!(naive(&grouping, &log).len(), 8);
    check_bounds(&grouping, &log);
    assert_eq!(Grouping::lines().last_event(&log), log.len());
    assert_eq!(Grouping::default().last_event(&log), 0);
    assert_eq!(Grouping::default().last_event(b"a\n2024"), 0);
}

#[test]
fn stacks_go_on_behind_the_limit() {
    let log = b"head\n\tat x\n\tat x\n\tat x\nCaused by: y\n\tby x\n\tat x\n".to_vec();
    let grouping = Grouping { max_lines: 2, ..Grouping::default() };
    let lengths: Vec<_> = naive(&grouping, &log).iter().map(Range::len).collect();
    assert_eq!(lengths, [36, 12]);
    check_bounds(&grouping, &log);
    let grouping = Grouping { max_lines: 2, max_stack_lines: 3, ..Grouping::default() };
    let events = naive(&grouping, &log);
    assert_eq!(events.iter().map(Range::len).collect::<Vec<_>>(), [17, 19, 12]);
    let cut: Vec<_> = events.iter().map(|event| grouping.is_cut(&log, event)).collect();
    // The last one has as many lines as it may have, but no more come.
    assert_eq!(cut, [true, true, false]);
}

/// Asked around every line as the scanner asks, this takes hours if a question costs the run it
/// falls into.
#[test]
fn a_hostile_run_costs_what_it_is_long() {
    for line in ["\tat a.B.c(B.java:1)\n", "\n", "}\n", "E   x\n", "a.B: x\n", "\t\n"] {
        let mut log = b"2024-01-02 03:04:05 ERROR head\n".to_vec();
        log.extend(line.as_bytes().repeat(50_000));
        for grouping in [
            Grouping::default(),
            Grouping { max_lines: usize::MAX, max_bytes: usize::MAX, ..Grouping::default() },
        ] {
            let mut from = 0;
            let mut place = 0;
            while place < log.len() {
                let event = grouping.bounds(&log, from, place);
                assert!(event.start <= place && place < event.end && from <= event.start);
                from = event.end;
                place = from + 7;
            }
            grouping.last_event(&log);
        }
    }
}

/// From far behind the end of the event before.
#[test]
fn a_run_is_walked_back_once() {
    let log = b"\tat a.B.c(B.java:1)\n".repeat(200_000);
    let grouping = Grouping::default();
    let mut from = 0;
    // Every fiftieth event is asked for.
    for place in (0..log.len()).step_by(50 * 500 * 20) {
        let event = grouping.bounds(&log, from, place);
        assert_eq!(event.start % (500 * 20), 0);
        from = event.end;
    }
}

#[test]
fn long_lines_are_looked_at_near_their_beginning() {
    let mut log = Vec::new();
    for _ in 0..8 {
        log.extend(b"\t");
        log.extend(vec![b'a'; 1 << 20]);
        log.extend(b"\n");
        log.extend(vec![b' '; 1 << 20]);
        log.extend(b"\n");
    }
    let grouping = Grouping::default();
    let events = naive(&grouping, &log);
    // No line has room beside another.
    assert_eq!(events.len(), 16);
    for event in &events {
        assert_eq!(grouping.bounds(&log, 0, event.end - 1), *event);
    }
}
