//! What stands around a message.

use std::ops::Range;

use crate::record::header::Line;

/// Most envelopes inside of each other.
pub(crate) const DEPTH: usize = 3;

/// Bytes of an object in which its keys are looked for.
const NEAR: usize = 4 << 10;

/// The place of the message in a line: behind what container tools, syslog and loggers put before
/// it (names, times, levels), and inside of a line of Docker's json-file or of `journalctl -o json`, where
/// it still has its JSON escapes. White space that belongs to the message stays. The whole line where nothing is
/// recognised. Allocates nothing.
///
/// ```
/// use whyerr_logs::strip_envelope;
///
/// let line = b"2024-01-02T03:04:05.678901234Z stderr F \tat a.B.c(B.java:1)";
/// assert_eq!(&line[strip_envelope(line)], b"\tat a.B.c(B.java:1)");
/// let line = br#"{"log":"\tat a.B.c(B.java:1)\n","stream":"stderr","time":"2024-01-02T03:04:05Z"}"#;
/// assert_eq!(&line[strip_envelope(line)], br"\tat a.B.c(B.java:1)");
/// ```
pub fn strip_envelope(line: &[u8]) -> Range<usize> {
    let mut end = line.len();
    while end > 0 && matches!(line[end - 1], b'\n' | b'\r') {
        end -= 1;
    }
    let mut message = 0..end;
    for _ in 0..DEPTH {
        let inside = &line[message.clone()];
        if let Some(log) = docker(inside).or_else(|| journald(inside)) {
            message = message.start + log.start..message.start + log.end;
            continue;
        }
        let Some(header) = Line::new(inside).header(None) else { break };
        message.start += header.message;
        if !header.is_envelope {
            break;
        }
    }
    message
}

/// The value of `log` in `{"log":"...\n","stream":...}`, without its line end.
pub(crate) fn docker(line: &[u8]) -> Option<Range<usize>> {
    let inside = line.strip_prefix(b"{")?.trim_ascii_start();
    let key = inside.strip_prefix(br#""log""#)?;
    let log = string(line, line.len() - key.len())?;
    let text = &line[log.clone()];
    let text = text.strip_suffix(br"\n").unwrap_or(text);
    Some(log.start..log.start + text.strip_suffix(br"\r").unwrap_or(text).len())
}

/// The value of `MESSAGE` in a line of `journalctl -o json`, among whose fields it may stand
/// anywhere. A message that journald gives as an array of bytes is none.
pub(crate) fn journald(line: &[u8]) -> Option<Range<usize>> {
    line.strip_prefix(b"{")?.trim_ascii_start().strip_prefix(b"\"")?;
    let message = value(line, br#""MESSAGE""#)?;
    // Other programs may write such a key too.
    [&b"\"__REALTIME_TIMESTAMP\""[..], b"\"_PID\"", b"\"SYSLOG_IDENTIFIER\"", b"\"_BOOT_ID\""]
        .iter()
        .any(|key| value(line, key).is_some())
        .then_some(message)
}

/// The string behind a key in quotes, if it begins near the start of an object of one line. Quotes
/// inside of strings are escaped, so that no part of one looks like a key.
pub(crate) fn value(line: &[u8], key: &[u8]) -> Option<Range<usize>> {
    let near = &line[..line.len().min(NEAR)];
    memchr::memmem::find_iter(near, key).find_map(|at| string(line, at + key.len()))
}

/// The inside of the string behind the colon at `at`.
fn string(line: &[u8], at: usize) -> Option<Range<usize>> {
    let rest = line.get(at..)?.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    let start = line.len() - rest.strip_prefix(b"\"")?.len();
    let mut end = start;
    loop {
        end += memchr::memchr2(b'"', b'\\', line.get(end..)?)?;
        match line[end] {
            b'"' => return Some(start..end),
            _ => end += 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages() {
        let cases: &[(&str, &str)] = &[
            ("", ""),
            ("plain text\r\n", "plain text"),
            ("\tat a.B.c(B.java:1)", "\tat a.B.c(B.java:1)"),
            ("2024-01-02T03:04:05.678901234Z stdout P     at x", "    at x"),
            ("2024-01-02T03:04:05.678901234Z stderr F", ""),
            ("[pod/web-0/app] Caused by: x", "Caused by: x"),
            ("web-1  |   File \"a.py\", line 1", "  File \"a.py\", line 1"),
            ("web-1  |", ""),
            ("Oct 11 22:14:15 host app[12]: \tat x", "\tat x"),
            ("<34>1 2024-01-02T03:04:05Z host app 1 - [a b=\"]\"] it failed", "it failed"),
            ("2024-01-02T03:04:05.1234567Z ##[error]it failed", "##[error]it failed"),
            ("2024-01-02 03:04:05,678 - app.db - ERROR - it failed", "it failed"),
            ("2024-01-02 03:04:05.678 ERROR 12 --- [main] c.e.A : it failed", "it failed"),
            ("E0102 15:04:05.678901       1 file.go:12] it failed", "it failed"),
            (r#"{"log":"a \"b\"\r\n","stream":"stderr"}"#, r#"a \"b\""#),
            (r#"{"log":"cut"#, r#"{"log":"cut"#),
            (r#"{ "log" : "  a\n", "stream": "stderr"}"#, "  a"),
            (r#"{"__REALTIME_TIMESTAMP":"1","MESSAGE":"  \"a\"","_PID":"1"}"#, r#"  \"a\""#),
            (r#"{"MESSAGE": "", "_PID": "1"}"#, ""),
            (r#"{"MESSAGE":"a","level":"b"}"#, r#"{"MESSAGE":"a","level":"b"}"#),
            (r#"{"MESSAGE":[97],"_PID":"1"}"#, r#"{"MESSAGE":[97],"_PID":"1"}"#),
            (r#"{"a":"\"MESSAGE\":\"b\"","_PID":"1"}"#, r#"{"a":"\"MESSAGE\":\"b\"","_PID":"1"}"#),
            ("[pod/a/b] 2024-01-02T03:04:05Z Oct 11 22:14:15 host app: x", "x"),
            ("400 | InvalidParameter | text", "400 | InvalidParameter | text"),
        ];
        for (line, message) in cases {
            let range = strip_envelope(line.as_bytes());
            assert_eq!(&line[range], *message, "{line}");
        }
    }
}
