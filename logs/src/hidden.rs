//! Events whose words do not stand in their raw bytes: a line that is cut into pieces, a message
//! that is a list of bytes.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::message;

/// The tag of a piece of CRI.
static PARTIAL: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b" P "));
/// Behind the text of Docker's json-file.
static STREAM: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\",\"stream\":\"std"));

/// The first place at `from` or behind it in such an event.
pub(crate) fn hidden(chunk: &[u8], from: usize) -> Option<usize> {
    let rest = chunk.get(from..)?;
    let partial = PARTIAL.find_iter(rest).find(|&at| {
        let before = &rest[..at];
        before.ends_with(b" stdout") || before.ends_with(b" stderr")
    });
    // A line that is whole ends with the escape of its line end.
    let unended = STREAM.find_iter(rest).find(|&at| !rest[..at].ends_with(b"\\n"));
    let ahead = [partial, unended].into_iter().flatten().min();
    // No further than what was found, or a chunk would be gone over again and again.
    let near = &chunk[..ahead.map_or(chunk.len(), |at| from + at)];
    message::list(near, from).or(ahead.map(|at| from + at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let cases: &[(&str, Option<&str>)] = &[
            ("", None),
            ("plain P text", None),
            ("2024-01-02T03:04:05.1Z stderr F a P b\n", None),
            ("x\n2024-01-02T03:04:05.1Z stderr P a\n", Some(" P a")),
            (r#"{"log":"a\n","stream":"stderr","time":"t"}"#, None),
            (r#"{"log":"a","stream":"stderr","time":"t"}"#, Some(r#"","stream"#)),
            (r#"{"MESSAGE":"a"}"#, None),
            (r#"{"MESSAGE":[97]}"#, Some("[97]")),
            ("{\"MESSAGE\":[97]}\n2024-01-02T03:04:05.1Z stderr P a\n", Some("[97]")),
        ];
        for (text, place) in cases {
            let found = hidden(text.as_bytes(), 0).map(|at| &text[at..]);
            assert_eq!(found.is_some(), place.is_some(), "{text}");
            if let (Some(found), Some(place)) = (found, place) {
                assert!(found.starts_with(place), "{text}: {found}");
            }
        }
    }
}
