//! Lines that a container tool cut into pieces, put together again.

use std::borrow::Cow;

use super::wrapping::Wrapping;

/// The text of an event in which each line stands in one piece, in the envelope of its first piece
/// and with what stands behind the text of its last one. The same text where nothing is cut.
///
/// Pieces come from CRI (`P`, at last `F`) and Docker's json-file (no `\n` at the end of `log`).
pub(crate) fn rejoined(event: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\n', event).is_none() {
        return Cow::Borrowed(event);
    }
    let mut joined = Vec::new();
    // What comes from here on is not in `joined` yet.
    let mut done = 0;
    // Who wrote the piece before, if it is cut off, and where it ends.
    let mut cut: Option<(&[u8], usize)> = None;
    let mut start = 0;
    for line in event.split_inclusive(|&byte| byte == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let wrapping = Wrapping::of(text);
        if let (Some((source, end)), Some((from, _))) = (cut, wrapping.piece)
            && source == wrapping.source
        {
            joined.extend_from_slice(&event[done..end]);
            done = start + from;
        }
        cut = wrapping
            .piece
            .filter(|_| wrapping.is_cut_off)
            .map(|(_, end)| (wrapping.source, start + end));
        start += line.len();
    }
    if done == 0 {
        return Cow::Borrowed(event);
    }
    joined.extend_from_slice(&event[done..]);
    Cow::Owned(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let cases = [
            ("", ""),
            ("one line", "one line"),
            ("a\n\tat x\r\n", "a\n\tat x\r\n"),
            (
                "2024-01-02T03:04:05.1Z stderr P Error: connect ECONNREF\n\
                 2024-01-02T03:04:05.2Z stderr P USED 10.0.0\n\
                 2024-01-02T03:04:05.2Z stderr F .5:6379\n\
                 2024-01-02T03:04:05.2Z stderr F     at f",
                "2024-01-02T03:04:05.1Z stderr P Error: connect ECONNREFUSED 10.0.0.5:6379\n\
                 2024-01-02T03:04:05.2Z stderr F     at f",
            ),
            (
                "{\"log\":\"ECONNREF\",\"stream\":\"stderr\"}\r\n{\"log\":\"USED\\n\",\"stream\":\"stderr\"}\r\n",
                "{\"log\":\"ECONNREFUSED\\n\",\"stream\":\"stderr\"}\r\n",
            ),
            // A piece of which the rest is missing, or somebody else's.
            ("{\"log\":\"a\",\"stream\":\"stderr\"}", "{\"log\":\"a\",\"stream\":\"stderr\"}"),
            (
                "{\"log\":\"a\",\"stream\":\"stderr\"}\n{\"log\":\"b\",\"stream\":\"stdout\"}",
                "{\"log\":\"a\",\"stream\":\"stderr\"}\n{\"log\":\"b\",\"stream\":\"stdout\"}",
            ),
            (
                "2024-01-02T03:04:05.1Z stderr P a\n\tat x",
                "2024-01-02T03:04:05.1Z stderr P a\n\tat x",
            ),
            // What looks like an envelope inside of a piece is text.
            (
                "2024-01-02T03:04:05.1Z stderr P a \n2024-01-02T03:04:05.1Z stderr F [pod/a/b] c",
                "2024-01-02T03:04:05.1Z stderr P a [pod/a/b] c",
            ),
        ];
        for (event, want) in cases {
            assert_eq!(String::from_utf8_lossy(&rejoined(event.as_bytes())), want);
        }
    }
}
