//! Chains of causes, as runtimes print them: which part of a text is the root cause, and what it
//! was wrapped in.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;

/// Most links that are told apart.
const MAX_LINKS: usize = 16;

/// What a marker says of what stands behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    /// It caused what stands before.
    Cause,
    /// It came of what stands before.
    Wrapper,
}

/// What must stand behind a marker, so that it is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Behind {
    Anything,
    /// The name of an exception: `java.net.ConnectException`, `TypeError`.
    Exception,
    /// A line end: the causes are a list below.
    List,
}

/// Strings that runtimes and frameworks put between an error and its cause.
const MARKERS: &[(&str, Relation, Behind)] = &[
    // Java, and what prints like it.
    ("Caused by: ", Relation::Cause, Behind::Exception),
    // Logback with the root cause first.
    ("Wrapped by: ", Relation::Wrapper, Behind::Exception),
    // Spring.
    ("nested exception is ", Relation::Cause, Behind::Exception),
    // Elasticsearch.
    ("; nested: ", Relation::Cause, Behind::Exception),
    // .NET.
    (" ---> ", Relation::Cause, Behind::Exception),
    // Node.
    ("[cause]: ", Relation::Cause, Behind::Exception),
    // Python.
    (
        "During handling of the above exception, another exception occurred:",
        Relation::Wrapper,
        Behind::Anything,
    ),
    (
        "The above exception was the direct cause of the following exception:",
        Relation::Wrapper,
        Behind::Anything,
    ),
    // PHP.
    ("\nNext ", Relation::Wrapper, Behind::Exception),
    // Rust: anyhow, eyre, color-eyre.
    ("Caused by:", Relation::Cause, Behind::List),
];

static FINDERS: LazyLock<Vec<Finder<'static>>> =
    LazyLock::new(|| MARKERS.iter().map(|(text, ..)| Finder::new(text)).collect());

/// Where the frames of an inner exception of .NET end.
const END_OF_INNER: &str = "--- End of inner exception stack trace ---";
const TRACEBACK: &str = "Traceback (most recent call last)";

/// Errors of which each was caused by the next one; two or more.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chain {
    /// Outermost first: the whole part of the text, and the line that names the error.
    pub(crate) links: Vec<Link>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Link {
    pub(crate) part: Range<usize>,
    pub(crate) line: Range<usize>,
}

impl Chain {
    pub(crate) fn find(text: &[u8]) -> Option<Chain> {
        let mut marks: Vec<(usize, usize, Relation, Behind)> = Vec::new();
        for (finder, &(marker, relation, behind)) in FINDERS.iter().zip(MARKERS) {
            for start in finder.find_iter(text).take(MAX_LINKS) {
                let end = start + marker.len();
                let indented = text[..start].ends_with(b"\t") || text[..start].ends_with(b"\\t");
                // The cause of a suppressed exception is indented, and is none of the others.
                if !indented && behind.holds(&text[end..]) {
                    marks.push((start, end, relation, behind));
                }
            }
        }
        if marks.is_empty() {
            return None;
        }
        marks.sort_unstable_by_key(|mark| (mark.0, mark.1));
        let traceback = memchr::memmem::find(&text[..marks[0].0], TRACEBACK.as_bytes());
        let mut links = vec![Link::new(text, traceback.unwrap_or(0)..marks[0].0)];
        for (at, &(_, end, relation, behind)) in marks.iter().enumerate().take(MAX_LINKS) {
            let next = marks.get(at + 1).map_or(text.len(), |mark| mark.0.max(end));
            match (relation, behind) {
                (_, Behind::List) => links.extend(list(text, end..next)),
                (Relation::Cause, _) => links.push(Link::new(text, end..next)),
                (Relation::Wrapper, _) => links.insert(0, Link::new(text, end..next)),
            }
        }
        (links.len() > 1).then_some(Chain { links })
    }

    /// The part of the text that is the root cause.
    pub(crate) fn root(&self) -> Range<usize> {
        self.links.last().map_or(0..0, |link| link.part.clone())
    }
}

impl Behind {
    fn holds(self, rest: &[u8]) -> bool {
        match self {
            Behind::Anything => true,
            Behind::List => line_end(rest).is_some(),
            Behind::Exception => {
                let name = |byte: &u8| {
                    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$' | b'\\')
                };
                let length = rest.iter().take(200).take_while(|byte| name(byte)).count();
                let name = &rest[..length];
                // A class with its package, or a name that says what it is.
                name.first().is_some_and(u8::is_ascii_alphabetic)
                    && (name[..length - 1].contains(&b'.')
                        || ["Exception", "Error", "Throwable", "Failure"]
                            .iter()
                            .any(|end| name.ends_with(end.as_bytes())))
            }
        }
    }
}

/// Length of the line end that stands here: a real one, or one that JSON escaped.
fn line_end(text: &[u8]) -> Option<usize> {
    [&b"\n"[..], b"\r\n", b"\\n", b"\\r\\n"]
        .iter()
        .find(|end| text.starts_with(end))
        .map(|e| e.len())
}

/// The causes of a list, a line each: `    0: connection refused`.
fn list(text: &[u8], range: Range<usize>) -> Vec<Link> {
    let mut links = Vec::new();
    for line in lines(text, range) {
        let bytes = &text[line.clone()];
        let indent = bytes.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        if !bytes.is_empty() && indent == 0 {
            break;
        }
        let number = bytes[indent..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let numbered = number > 0 && bytes[indent + number..].starts_with(b": ");
        let start = line.start + indent + if numbered { number + 2 } else { 0 };
        if start < line.end && links.len() < MAX_LINKS {
            links.push(Link { part: start..line.end, line: start..line.end });
        }
    }
    links
}

/// Lines of a part of the text, without their ends.
fn lines(text: &[u8], range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let mut at = range.start;
    std::iter::from_fn(move || {
        if at >= range.end {
            return None;
        }
        let start = at;
        while at < range.end {
            if let Some(length) = line_end(&text[at..range.end]) {
                let line = start..at;
                at += length;
                return Some(line);
            }
            at += 1;
        }
        Some(start..at)
    })
}

impl Link {
    fn new(text: &[u8], part: Range<usize>) -> Link {
        let mut part = part;
        if let Some(end) = memchr::memmem::find(&text[part.clone()], END_OF_INNER.as_bytes()) {
            part.end = part.start + end;
        }
        // Python names the error below its frames, the others above.
        let below = memchr::memmem::find(&text[part.clone()], TRACEBACK.as_bytes()).is_some();
        let mut full =
            lines(text, part.clone()).map(|line| trim(text, line)).filter(|line| !line.is_empty());
        let line = if below { full.last() } else { full.next() };
        Link { line: line.unwrap_or(part.start..part.start), part }
    }
}

fn trim(text: &[u8], line: Range<usize>) -> Range<usize> {
    let bytes = &text[line.clone()];
    let start = bytes.len() - bytes.trim_ascii_start().len();
    line.start + start..(line.start + bytes.trim_ascii_end().len()).max(line.start + start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(text: &str) -> Vec<&str> {
        let chain = Chain::find(text.as_bytes());
        let links = chain.iter().flat_map(|chain| &chain.links);
        links.map(|link| &text[link.line.clone()]).collect()
    }

    #[test]
    fn links_are_told_apart() {
        let java = "ERROR save failed\ncom.acme.SaveException: no save\n\tat com.acme.A.b(A.java:1)\n\
            Caused by: java.sql.SQLException: pool\n\tSuppressed: x.Y: z\n\tCaused by: a.B: c\n\
            Caused by: java.net.ConnectException: Connection refused\n\t... 3 more";
        let root = "java.net.ConnectException: Connection refused";
        assert_eq!(chain(java), ["ERROR save failed", "java.sql.SQLException: pool", root]);
        let json = r#"{"stack":"a.B: x\n\tat c.D.e(D.java:1)\nCaused by: java.net.ConnectException: Connection refused\n\tat f"}"#;
        assert_eq!(chain(json), [r#"{"stack":"a.B: x"#, root]);
        let python = "job failed\nTraceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 'x'\n\n\
            During handling of the above exception, another exception occurred:\n\n\
            Traceback (most recent call last):\n  File \"a.py\", line 2\nRuntimeError: no x";
        assert_eq!(chain(python), ["RuntimeError: no x", "KeyError: 'x'"]);
        let dotnet = "System.AggregateException: One or more errors occurred.\n ---> \
            System.Net.Http.HttpRequestException: Connection refused\n ---> \
            System.Net.Sockets.SocketException (111): Connection refused\n   at A()\n   \
            --- End of inner exception stack trace ---\n   at B()";
        assert_eq!(chain(dotnet).len(), 3);
        let end = Chain::find(dotnet.as_bytes()).unwrap().root().end;
        assert!(dotnet[end..].starts_with(END_OF_INNER));
        let rust = "Error: cannot start\n\nCaused by:\n    0: cannot connect\n    1: Connection refused (os error 111)\n";
        let refused = "Connection refused (os error 111)";
        assert_eq!(chain(rust), ["Error: cannot start", "cannot connect", refused]);
        let one = "Error: a\n\nCaused by:\n    no such host\n\nLocation:\n    src/a.rs:1";
        assert_eq!(chain(one), ["Error: a", "no such host"]);
        let node = "Error: outer\n    at a (b.js:1:2) {\n  [cause]: TypeError: fetch failed\n      at c\n}";
        assert_eq!(chain(node), ["Error: outer", "TypeError: fetch failed"]);
        let php = "PHP Fatal error:  Uncaught PDOException: gone in a.php:1\nStack trace:\n#0 {main}\n\n\
            Next RuntimeException: no data in b.php:2";
        assert_eq!(chain(php)[0], "RuntimeException: no data in b.php:2");
        let spring =
            "BeanCreationException: x; nested exception is java.lang.IllegalStateException: y";
        assert_eq!(chain(spring)[1], "java.lang.IllegalStateException: y");
    }

    #[test]
    fn prose_is_no_chain() {
        for text in [
            "",
            "the outage was Caused by: a storm",
            "a ---> b",
            "0x1 ---> 0x2",
            "Caused by: ",
            "Next Error\n",
            "nested exception is unknown",
        ] {
            assert_eq!(Chain::find(text.as_bytes()), None, "{text}");
        }
    }
}
