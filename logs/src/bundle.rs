//! Export requests of OTLP/JSON that hold several log records in one line: each record is an event.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;

/// The key that a request begins with.
const KEY: &[u8] = b"\"resourceLogs\"";
/// White space between that and the brace before it.
const MAX_SPACE: usize = 8;
static REQUEST: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(KEY));

/// Whether a line is an export request: nothing continues it.
pub(crate) fn is_request(line: &[u8]) -> bool {
    let Some(inside) = line.strip_prefix(b"{") else { return false };
    let spaces = inside.iter().take(MAX_SPACE).take_while(|byte| matches!(byte, b' ' | b'\t'));
    inside[spaces.count()..].starts_with(KEY)
}

/// The requests of a chunk that have more than one record.
#[derive(Debug, Default)]
pub(crate) struct Bundles {
    lines: Vec<Bundle>,
    records: Vec<Record>,
    /// Resources, each of one or more records.
    resources: Vec<Range<usize>>,
}

/// A line, and which of the records stand in it.
#[derive(Debug)]
struct Bundle {
    line: Range<usize>,
    records: Range<usize>,
}

/// Where the line of a request begins whose key stands at `at`: nothing but its brace and a little
/// white space comes before it.
fn line_start(chunk: &[u8], at: usize) -> Option<usize> {
    let near = &chunk[at.saturating_sub(MAX_SPACE + 1)..at];
    let spaces = near.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let brace = at.checked_sub(spaces + 1)?;
    let is_first = brace.checked_sub(1).is_none_or(|before| chunk[before] == b'\n');
    (chunk[brace] == b'{' && is_first).then_some(brace)
}

/// Twelve bytes, as a line may have many. Chunks are smaller than 4 GiB by far.
#[derive(Debug, Clone, Copy)]
struct Record {
    start: u32,
    end: u32,
    /// One more than the number of its resource; zero if it has none.
    resource: u32,
}

/// A part of the line of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// A record; and where the resource stands that it is of.
    Record(Range<usize>, Option<Range<usize>>),
    /// What stands before, between and behind records.
    Frame(Range<usize>),
}

impl Part {
    pub(crate) fn range(self) -> Range<usize> {
        match self {
            Part::Record(range, _) | Part::Frame(range) => range,
        }
    }
}

impl Bundles {
    /// Goes over the chunk once, and once more over the lines of requests.
    pub(crate) fn new(chunk: &[u8]) -> Bundles {
        let mut bundles = Bundles::default();
        let mut done = 0;
        // Chunks of a scan are some MiB; what is larger is read line by line, as before.
        if u32::try_from(chunk.len()).is_err() {
            return bundles;
        }
        for at in REQUEST.find_iter(chunk) {
            if at < done {
                continue;
            }
            let Some(start) = line_start(chunk, at) else { continue };
            let end = memchr::memchr(b'\n', &chunk[at..]).map_or(chunk.len(), |end| at + end + 1);
            let before = bundles.records.len();
            Walk { text: &chunk[..end], at: start, depth: 0 }.request(&mut bundles);
            let records = before..bundles.records.len();
            match records.len() {
                // One record with all around it is an event as it stands.
                0 | 1 => bundles.records.truncate(before),
                _ => bundles.lines.push(Bundle { line: start..end, records }),
            }
            done = end;
        }
        bundles
    }

    /// The part that holds the byte at `place`; nothing outside of such lines.
    pub(crate) fn part(&self, place: usize) -> Option<Part> {
        let bundle = self.line(place)?;
        let records = self.records.get(bundle.records.clone())?;
        let at = records.partition_point(|record| record.end as usize <= place);
        let start = match at.checked_sub(1) {
            Some(before) => records[before].end as usize,
            None => bundle.line.start,
        };
        Some(match records.get(at) {
            Some(record) if record.start as usize <= place => {
                let resource = (record.resource as usize).checked_sub(1);
                let resource = resource.and_then(|at| self.resources.get(at)).cloned();
                Part::Record(record.start as usize..record.end as usize, resource)
            }
            Some(record) => Part::Frame(start..record.start as usize),
            None => Part::Frame(start..bundle.line.end),
        })
    }

    /// The first byte at `from` or behind it that is not inside of such a line.
    pub(crate) fn outside(&self, from: usize) -> usize {
        let inside = self.line(from).filter(|bundle| bundle.line.start < from);
        inside.map_or(from, |bundle| bundle.line.end)
    }

    fn line(&self, place: usize) -> Option<&Bundle> {
        let at = self.lines.partition_point(|bundle| bundle.line.end <= place);
        self.lines.get(at).filter(|bundle| bundle.line.start <= place)
    }
}

/// Goes over JSON without a look at what is not asked for. What breaks off ends where the text does.
struct Walk<'t> {
    text: &'t [u8],
    at: usize,
    depth: usize,
}

impl<'t> Walk<'t> {
    fn request(mut self, found: &mut Bundles) {
        // How deep the objects of `resourceLogs` stand in it, and what the one at hand has.
        let mut list = None;
        let (mut resource, mut first) = (0, found.records.len());
        while let Some(&byte) = self.text.get(self.at) {
            match byte {
                b'"' => {
                    let key = self.string();
                    if !self.eat(b':') {
                        continue;
                    }
                    match key {
                        b"resourceLogs" if self.depth == 1 && self.eat(b'[') => {
                            self.depth += 1;
                            list = Some(self.depth);
                        }
                        b"resource" if list == Some(self.depth.wrapping_sub(1)) => {
                            if let Some(range) = self.object() {
                                found.resources.push(range);
                                resource = found.resources.len() as u32;
                            }
                        }
                        b"logRecords" if list.is_some() && self.eat(b'[') => {
                            self.depth += 1;
                            self.records(found);
                        }
                        _ => {}
                    }
                    continue;
                }
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if list == Some(self.depth) {
                        // The resource may stand behind its records.
                        found.own(first, resource);
                        (resource, first) = (0, found.records.len());
                    }
                }
                _ => {}
            }
            self.at += 1;
        }
        found.own(first, resource);
    }

    /// The records of a list.
    fn records(&mut self, found: &mut Bundles) {
        loop {
            match self.object() {
                Some(record) if record.len() > 2 => found.records.push(Record {
                    start: record.start as u32,
                    end: record.end as u32,
                    resource: 0,
                }),
                Some(_) => {}
                None => return,
            }
            if !self.eat(b',') {
                return;
            }
        }
    }

    /// Goes over an object, if one begins here.
    fn object(&mut self) -> Option<Range<usize>> {
        self.white_space();
        if self.text.get(self.at) != Some(&b'{') {
            return None;
        }
        let (start, mut open) = (self.at, 0usize);
        while let Some(&byte) = self.text.get(self.at) {
            match byte {
                b'"' => {
                    self.string();
                    continue;
                }
                b'{' | b'[' => open += 1,
                b'}' | b']' => open -= 1,
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                return Some(start..self.at);
            }
        }
        // It breaks off: what is there is all of it, without the line end.
        Some(start..self.text.trim_ascii_end().len().max(start))
    }

    /// Goes over a string, and gives what stands between its quotes.
    fn string(&mut self) -> &'t [u8] {
        let start = self.at + 1;
        let mut at = start;
        loop {
            let rest = self.text.get(at..).unwrap_or_default();
            match memchr::memchr2(b'"', b'\\', rest) {
                Some(next) if rest[next] == b'"' => {
                    self.at = at + next + 1;
                    return &self.text[start..at + next];
                }
                Some(next) => at += next + 2,
                None => {
                    self.at = self.text.len();
                    return self.text.get(start..).unwrap_or_default();
                }
            }
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        self.white_space();
        let is_there = self.text.get(self.at) == Some(&byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn white_space(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }
}

impl Bundles {
    /// All records from `first` on are of this resource.
    fn own(&mut self, first: usize, resource: u32) {
        for record in self.records.iter_mut().skip(first) {
            record.resource = resource;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// All parts of a chunk as text, records with their resources.
    fn parts(chunk: &[u8]) -> Vec<(String, Option<String>)> {
        let text = |range: Range<usize>| String::from_utf8_lossy(&chunk[range]).into_owned();
        let bundles = Bundles::new(chunk);
        let (mut list, mut at) = (Vec::new(), 0);
        while at < chunk.len() {
            let Some(part) = bundles.part(at) else {
                at += 1;
                continue;
            };
            let range = part.clone().range();
            assert_eq!(range.start, at, "parts lie side by side");
            for place in range.clone() {
                assert_eq!(bundles.part(place), Some(part.clone()));
            }
            at = range.end;
            if let Part::Record(record, resource) = part {
                list.push((text(record), resource.map(text)));
            }
        }
        list
    }

    fn request(resources: Value) -> String {
        json!({ "resourceLogs": resources }).to_string() + "\n"
    }

    #[test]
    fn records_and_their_resources() {
        let record = |n: u8| json!({ "body": { "stringValue": format!("]}}\"\\{n}") }, "n": [n] });
        let log = |n: u8| record(n).to_string();
        let (a, b) = (json!({ "attributes": [{ "key": "a" }] }), json!({ "resource": 2 }));
        let line = request(json!([
            { "resource": a, "scopeLogs": [
                { "logRecords": [record(1), record(2)] }, { "logRecords": [] },
                { "scope": { "name": "logRecords" }, "logRecords": [record(3)] },
            ] },
            // Keys come in the order of the alphabet: this resource stands before its records.
            { "resource": b, "scopeLogs": [{ "logRecords": [{}, record(4)] }] },
            { "scopeLogs": [{ "logRecords": [record(5)] }], "schemaUrl": "resource" },
        ]));
        let of = |n, resource: Option<&Value>| (log(n), resource.map(Value::to_string));
        let all =
            vec![of(1, Some(&a)), of(2, Some(&a)), of(3, Some(&a)), of(4, Some(&b)), of(5, None)];
        assert_eq!(parts(line.as_bytes()), all);
        // Among other lines, the resource behind the records.
        let behind = format!(
            "{{ \"resourceLogs\" : [ {{\"scopeLogs\":[{{\"logRecords\":[ {0} , {1} ]}}],\"resource\":{a}}}]}}\r\n",
            log(6),
            log(7)
        );
        let chunk =
            format!("before\n{line}{{\"resourceLogs\":[]}}\n  x\n{behind}{}", request(json!([])));
        let more = vec![of(6, Some(&a)), of(7, Some(&a))];
        assert_eq!(parts(chunk.as_bytes()), [all.clone(), more].concat());
        let bundles = Bundles::new(chunk.as_bytes());
        assert_eq!((bundles.outside(0), bundles.outside(7)), (0, 7));
        assert_eq!(bundles.outside(8), 7 + line.len());
        // One record is left as it stands, and so is what only looks like a request.
        let one = request(json!([{ "scopeLogs": [{ "logRecords": [record(1)] }] }]));
        let inside = format!("x {line}{}", json!({ "a": line }));
        assert_eq!(parts(format!("{one}{inside}").as_bytes()), []);
    }

    #[test]
    fn what_breaks_off_is_there_up_to_the_break() {
        let line =
            r#"{"resourceLogs":[{"resource":{"a":1},"scopeLogs":[{"logRecords":[{"n":1},{"n":"2"#;
        let found = parts(line.as_bytes());
        let resource = Some(r#"{"a":1}"#.to_owned());
        let expected =
            [(r#"{"n":1}"#.to_owned(), resource.clone()), (r#"{"n":"2"#.to_owned(), resource)];
        assert_eq!(found, expected);
        assert_eq!(parts(&[line.as_bytes(), b"\nnext\n"].concat()), expected);
    }

    #[test]
    fn a_hostile_line_takes_no_more_than_it_is_long() {
        let records = "{\"\":1},".repeat(150_000);
        let line = format!("{{\"resourceLogs\":[{{\"scopeLogs\":[{{\"logRecords\":[{records}");
        let bundles = Bundles::new(line.as_bytes());
        assert_eq!(bundles.records.len(), 150_000);
        for open in ["{\"resourceLogs\":[", "{\"resourceLogs\":[{\"logRecords\":[", "[", "{", "\""]
        {
            let line = format!("{{\"resourceLogs\":[{}", open.repeat(100_000));
            assert!(Bundles::new(line.as_bytes()).lines.len() <= 1);
        }
    }

    fn record() -> impl Strategy<Value = Value> {
        let text = "[ -~é\"\\\\{}\\[\\]]{0,12}";
        (text, text, any::<i32>()).prop_map(|(key, value, number)| {
            json!({ "body": { "stringValue": value }, "attributes": [{ "key": key, "value": { "intValue": number } }] })
        })
    }

    proptest! {
        #[test]
        fn records_are_those_of_a_parser(
            lists in prop::collection::vec(prop::collection::vec(record(), 0..4), 0..4),
            noise in "[\n\"{}a:,\\[\\]]{0,20}",
        ) {
            let resources: Vec<Value> = lists.iter().enumerate().map(|(n, list)| json!({
                "resource": { "n": n }, "scopeLogs": [{ "logRecords": list }],
            })).collect();
            let chunk = format!("{noise}\n{}{noise}", request(resources.into()));
            let expected: Vec<_> = lists.iter().enumerate().flat_map(|(n, list)| {
                list.iter().map(move |one| (one.to_string(), Some(json!({ "n": n }).to_string())))
            }).collect();
            let found = parts(chunk.as_bytes());
            prop_assert_eq!(found, if expected.len() < 2 { vec![] } else { expected });
        }

        #[test]
        fn parts_of_any_bytes_lie_side_by_side(text in "(\\{\"resourceLogs\":\\[)?([{}\\[\\]\",:\\\\\n a]|\"logRecords\":\\[|\"resource\":|\\{\"n\":1\\},){0,30}") {
            parts(text.as_bytes());
        }
    }
}
