//! Fields of JSON objects, as they come.
//!
//! Not `serde_json`: logs cut lines off, hold bytes that are no UTF-8, `NaN`, and line ends inside
//! of strings, and what stands before such a place should still be read. One lenient pass that
//! copies nothing does for sound and for broken objects. A property test holds it to `serde_json`
//! where that reads an object at all.

use super::path::Path;
use super::scalar::{Scalar, unescape};

/// Objects and lists inside of each other that are looked into.
const MAX_DEPTH: usize = 16;
/// Objects of one list that are looked into.
const MAX_ITEMS: usize = 8;

/// What was read of an object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Read {
    /// Members with a value.
    pub(crate) members: usize,
    /// Objects that were gone over, since they are too deep or too many.
    pub(crate) skipped: u32,
    /// Where the object ends, if it does.
    pub(crate) end: Option<usize>,
}

/// Calls `field` for each value that is no object and no list, with its path. Values of lists are
/// left out; the fields of objects in lists have the path of the list. Lists of `{"key": k,
/// "value": v}` are read as objects, and wrappers that name a type (`{"stringValue": v}`) as what
/// they wrap: OTLP writes both.
pub(crate) fn fields<'t>(text: &'t [u8], field: impl FnMut(&Path, Scalar<'t>)) -> Read {
    let mut walk = Walk { text, at: 0, path: Path::new(), read: Read::default(), field };
    walk.white_space();
    if walk.next_is(b'{') && walk.object(0, false).is_some() {
        walk.read.end = Some(walk.at);
    }
    walk.read
}

struct Walk<'t, F> {
    text: &'t [u8],
    at: usize,
    path: Path,
    read: Read,
    field: F,
}

impl<'t, F: FnMut(&Path, Scalar<'t>)> Walk<'t, F> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next_is(&self, byte: u8) -> bool {
        self.peek() == Some(byte)
    }

    fn white_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Goes over an object. Nothing where it breaks off.
    fn object(&mut self, depth: usize, in_list: bool) -> Option<()> {
        self.at += 1;
        let mut attribute = None;
        loop {
            self.white_space();
            match self.peek()? {
                b'}' => break,
                b',' => {
                    self.at += 1;
                    continue;
                }
                b'"' => {}
                _ => return None,
            }
            let (key, key_escaped) = self.string()?;
            self.white_space();
            if !self.next_is(b':') {
                return None;
            }
            self.at += 1;
            self.white_space();
            self.peek()?;
            self.read.members += 1;
            if in_list && key == b"key" && self.next_is(b'"') {
                attribute = Some(self.string()?);
                continue;
            }
            let mark = match (attribute, key) {
                (Some((name, escaped)), b"value") => self.push(name, escaped),
                _ if is_type(key) => None,
                _ => self.push(key, key_escaped),
            };
            self.value(depth)?;
            if let Some(mark) = mark {
                self.path.pop(mark);
            }
        }
        self.at += 1;
        Some(())
    }

    fn push(&mut self, name: &[u8], escaped: bool) -> Option<super::path::Mark> {
        Some(match escaped {
            true => self.path.push(unescape(name).as_bytes()),
            false => self.path.push(name),
        })
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        let value = match self.peek()? {
            b'{' | b'[' if depth >= MAX_DEPTH => return self.skip(),
            b'{' => return self.object(depth + 1, false),
            b'[' => return self.list(depth + 1),
            b'"' => {
                let (raw, escaped) = self.string()?;
                Scalar::Text { raw, escaped }
            }
            _ => self.bare()?,
        };
        (self.field)(&self.path, value);
        Some(())
    }

    fn list(&mut self, depth: usize) -> Option<()> {
        self.at += 1;
        let mut items = 0;
        loop {
            self.white_space();
            match self.peek()? {
                b']' => break,
                b',' => self.at += 1,
                b'{' if items < MAX_ITEMS || self.is_attribute() => {
                    items += 1;
                    self.object(depth, true)?;
                }
                b'{' | b'[' => self.skip()?,
                b'"' => {
                    self.string()?;
                }
                _ => {
                    self.bare()?;
                }
            }
        }
        self.at += 1;
        Some(())
    }

    /// Whether an attribute of OTLP begins here: a list has as many as a record has fields.
    fn is_attribute(&self) -> bool {
        self.text[self.at..].starts_with(br#"{"key":"#)
    }

    /// A string without its quotes, and whether it has escapes.
    fn string(&mut self) -> Option<(&'t [u8], bool)> {
        let start = self.at + 1;
        let mut at = start;
        let mut escaped = false;
        loop {
            at += memchr::memchr2(b'"', b'\\', self.text.get(at..)?)?;
            if self.text[at] == b'"' {
                break;
            }
            escaped = true;
            at += 2;
        }
        self.at = at + 1;
        Some((&self.text[start..at], escaped))
    }

    /// A number, a word.
    fn bare(&mut self) -> Option<Scalar<'t>> {
        let rest = &self.text[self.at..];
        let ends = |byte: &u8| {
            matches!(byte, b',' | b'}' | b']' | b'"' | b'{' | b'[' | b':')
                || byte.is_ascii_whitespace()
        };
        let length = rest.iter().position(ends).unwrap_or(rest.len());
        if length == 0 {
            return None;
        }
        self.at += length;
        // What the end of the text cuts off is no number.
        let is_number = matches!(rest[0], b'0'..=b'9' | b'-') && length < rest.len();
        Some(if is_number { Scalar::Number(&rest[..length]) } else { Scalar::Nothing })
    }

    /// Goes over an object or a list without a look into it.
    fn skip(&mut self) -> Option<()> {
        self.read.skipped += 1;
        let mut open = 0usize;
        loop {
            match self.peek()? {
                b'{' | b'[' => open += 1,
                b'}' | b']' => open -= 1,
                b'"' => {
                    self.string()?;
                    continue;
                }
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                return Some(());
            }
        }
    }
}

/// Wrappers of OTLP that name the type of a value.
fn is_type(key: &[u8]) -> bool {
    matches!(key, b"stringValue" | b"intValue" | b"doubleValue" | b"boolValue")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> (Vec<String>, Read) {
        let mut found = Vec::new();
        let read = fields(text.as_bytes(), |path, value| found.push(path.with(&value)));
        (found, read)
    }

    #[test]
    fn sound_objects() {
        let (found, read) = read(
            r#" {"a":1,"b":{"c.d":"x\"y","e":[1,{"f":2},"g"]},"h":null,"i\u0041":-1.5e3} tail"#,
        );
        assert_eq!(found, ["a=1", "b.c.d=x\"y", "b.e.f=2", "h=-", "iA=-1.5e3"]);
        assert_eq!(read.members, 7);
        assert!(read.end.is_some());
    }

    #[test]
    fn attributes_of_otlp() {
        let (found, _) = read(
            r#"{"attributes":[{"key":"http.status","value":{"intValue":"503"}},{"key":"a","value":{"stringValue":"b"}}],"body":{"stringValue":"x"}}"#,
        );
        assert_eq!(found, ["attributes.http.status=503", "attributes.a=b", "body=x"]);
    }

    #[test]
    fn broken_objects_are_read_up_to_the_break() {
        for (text, fields) in [
            (r#"{"a":1,"b":"cut o"#, vec!["a=1"]),
            (r#"{"a":1,"b":50"#, vec!["a=1", "b=-"]),
            (r#"{"a":1,"b":{"c":2,"#, vec!["a=1", "b.c=2"]),
            (r#"{"a":NaN,"b":2,}"#, vec!["a=-", "b=2"]),
            ("{\"a\":\"line\nend\",\"b\":2}", vec!["a=line\nend", "b=2"]),
            (r#"{'a': 1}"#, vec![]),
            (r#"{not json}"#, vec![]),
            (r#"{"a"}"#, vec![]),
            (r#"["a"]"#, vec![]),
            ("{", vec![]),
        ] {
            assert_eq!(read(text).0, fields, "{text}");
        }
    }

    #[test]
    fn depth_has_a_bound() {
        let deep = r#"{"a":"#.repeat(40) + "1" + &"}".repeat(40);
        let (found, read) = read(&deep);
        assert!(found.is_empty());
        assert_eq!((read.skipped, read.end), (1, Some(deep.len())));
        assert_eq!(self::read(&"[{".repeat(9999)).0.len(), 0);
        assert_eq!(self::read(&r#"{"a":["#.repeat(9999)).0.len(), 0);
    }

    /// What the documentation of `fields` says, over a tree.
    fn flat(value: &serde_json::Value, path: &str, found: &mut Vec<String>) {
        use serde_json::Value;
        match value {
            Value::Object(object) => {
                for (key, value) in object {
                    let dot = if path.is_empty() { "" } else { "." };
                    flat(value, &format!("{path}{dot}{key}"), found);
                }
            }
            Value::Array(list) => {
                for item in list.iter().filter(|item| item.is_object()) {
                    flat(item, path, found);
                }
            }
            Value::String(text) => found.push(format!("{path}={text}")),
            Value::Number(number) => found.push(format!("{path}={number}")),
            Value::Bool(_) | Value::Null => found.push(format!("{path}=-")),
        }
    }

    fn value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            "[ -~é\\n\"\\\\\u{1f600}]{0,12}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                object(inner).prop_map(Into::into),
            ]
        })
    }

    fn object(
        inner: impl Strategy<Value = serde_json::Value>,
    ) -> impl Strategy<Value = serde_json::Map<String, serde_json::Value>> {
        prop::collection::btree_map("[a-d\"é\n]{1,3}", inner, 0..4)
            .prop_map(|members| members.into_iter().collect())
    }

    proptest! {
        #[test]
        fn sound_objects_are_read_as_serde_json_reads_them(
            object in object(value()),
            pretty in any::<bool>(),
        ) {
            let value = serde_json::Value::Object(object);
            let text = match pretty {
                true => serde_json::to_string_pretty(&value),
                false => serde_json::to_string(&value),
            }.unwrap();
            let mut expected = Vec::new();
            flat(&value, "", &mut expected);
            let (found, read) = read(&text);
            prop_assert_eq!(found, expected);
            prop_assert_eq!(read.end, Some(text.len()));
        }
    }
}
