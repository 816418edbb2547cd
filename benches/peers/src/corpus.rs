//! Logs to search in, made from a seed: the same bytes on every machine.

use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

/// A generator of random numbers: xorshift, the same everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % below.max(1)
    }

    pub fn pick<'l, S: AsRef<str>>(&mut self, list: &'l [S]) -> &'l str {
        list[self.next(list.len())].as_ref()
    }
}

/// What a log is like, and how many lines of a hundred thousand hold a signature.
#[derive(Clone, Copy, PartialEq)]
pub struct Kind {
    pub name: &'static str,
    shape: Shape,
    matching: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Shape {
    /// Lines of many programs, or of the folder that was given.
    Mixed,
    Json,
    Access,
    Chinese,
    /// Signatures without their last letter.
    NearMisses,
    /// The first signature without its last letter, over and over.
    OneWindow,
}

pub const KINDS: &[Kind] = &[
    Kind { name: "quiet", shape: Shape::Mixed, matching: 50 },
    Kind { name: "typical", shape: Shape::Mixed, matching: 3_000 },
    Kind { name: "noisy", shape: Shape::Mixed, matching: 50_000 },
    Kind { name: "JSON lines", shape: Shape::Json, matching: 3_000 },
    Kind { name: "access log", shape: Shape::Access, matching: 3_000 },
    Kind { name: "Chinese", shape: Shape::Chinese, matching: 3_000 },
    Kind { name: "near misses", shape: Shape::NearMisses, matching: 0 },
    Kind { name: "one window", shape: Shape::OneWindow, matching: 0 },
];

/// Healthy lines: `#` is a digit, `^` a hexadecimal one, `~` a word, `@` a name of several words.
const LINES: &str = include_str!("lines.txt");
const CHINESE: &str = include_str!("chinese.txt");
const WORDS: &str = include_str!("words.txt");

/// Lines that are put together anew for each log.
pub struct Healthy {
    mixed: Vec<String>,
    words: Vec<&'static str>,
    /// Whether `mixed` came from a folder: its digits change from line to line, nothing else does.
    real: bool,
}

impl Healthy {
    /// Lines of this module, or of all files below `folder`.
    pub fn new(folder: Option<&Path>) -> io::Result<Healthy> {
        let mut mixed = Vec::new();
        match folder {
            Some(folder) => read_lines(folder, &mut mixed)?,
            None => mixed.extend(LINES.lines().map(String::from)),
        }
        if mixed.is_empty() {
            return Err(io::Error::other("the folder of logs holds no line"));
        }
        let words = WORDS.split_whitespace().collect();
        Ok(Healthy { mixed, words, real: folder.is_some() })
    }

    /// Some thousands of healthy lines in lower case: what signatures must not stand in, so that the shares
    /// of matching lines are what they are said to be.
    pub fn sample(&self) -> String {
        let mut random = Random(0x5A3B1E);
        let mut text = String::new();
        for kind in KINDS.iter().take_while(|kind| kind.matching > 0) {
            for at in 0..20_000 {
                match (self.real, kind.shape) {
                    (true, Shape::Mixed) if at < self.mixed.len() => text.push_str(&self.mixed[at]),
                    _ => self.line(kind.shape, &mut random, &mut text),
                }
                text.push('\n');
            }
        }
        text.make_ascii_lowercase();
        text
    }

    fn line(&self, shape: Shape, random: &mut Random, out: &mut String) {
        match shape {
            Shape::Json => {
                out.push_str("{\"time\":\"2026-03-1");
                self.fill(
                    "#T##:##:##.###Z\",\"level\":\"info\",\"service\":\"~\",\"msg\":\"",
                    random,
                    out,
                );
                let from = out.len();
                self.line(Shape::Mixed, random, out);
                escape(out, from);
                self.fill(
                    "\",\"trace_id\":\"^^^^^^^^^^^^^^^^\",\"took_ms\":###,\"rows\":####}",
                    random,
                    out,
                );
            }
            Shape::Access => {
                let status = random.pick(&["200", "200", "200", "204", "301", "304"]);
                self.fill("10.##.#.### - - [1#/Mar/2026:##:##:## +0000] \"GET /~/~/####?~=^^^^ HTTP/1.1\" ", random, out);
                out.push_str(status);
                self.fill(" ##### \"https://~.example.com/~\" \"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/53#.## ~/1##.0\" 0.###", random, out);
            }
            Shape::Chinese => {
                let lines: Vec<&str> = CHINESE.lines().collect();
                self.fill(random.pick(&lines), random, out);
            }
            _ => self.fill(random.pick(&self.mixed), random, out),
        }
    }

    fn fill(&self, template: &str, random: &mut Random, out: &mut String) {
        const HEX: [char; 16] =
            ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
        for c in template.chars() {
            match c {
                '0'..='9' if self.real => out.push(HEX[random.next(10)]),
                _ if self.real => out.push(c),
                '#' => out.push(HEX[random.next(10)]),
                '^' => out.push(HEX[random.next(16)]),
                '~' => out.push_str(random.pick(&self.words)),
                '@' => {
                    let words = [random.pick(&self.words), random.pick(&self.words)];
                    let _ = write!(out, "{}.{}", words[0], words[1]);
                }
                c => out.push(c),
            }
        }
    }

    /// A log of at least so many bytes.
    pub fn log(&self, kind: Kind, signatures: &[String], bytes: usize) -> String {
        let mut random = Random(0xC0FFEE);
        let mut text = String::with_capacity(bytes + 1024);
        while text.len() < bytes {
            let signature = random.pick(signatures);
            match kind.shape {
                Shape::NearMisses => {
                    let cut = signature.char_indices().last().map_or(0, |(at, _)| at);
                    let _ = write!(text, "{} x {}", &signature[..cut], random.next(99));
                }
                Shape::OneWindow => {
                    let cut = signatures[0].char_indices().last().map_or(0, |(at, _)| at);
                    (0..8).for_each(|_| text.push_str(&signatures[0][..cut]));
                }
                shape if random.next(100_000) < kind.matching => {
                    let from = text.len();
                    self.line(shape, &mut random, &mut text);
                    put_in(&mut text, from, signature, &mut random);
                }
                shape => self.line(shape, &mut random, &mut text),
            }
            text.push('\n');
        }
        text
    }
}

/// Puts a signature, its letters in one of three cases, between two words of the line that begins
/// at `from`.
fn put_in(text: &mut String, from: usize, signature: &str, random: &mut Random) {
    let spaces: Vec<usize> = text[from..].match_indices(' ').map(|(at, _)| from + at).collect();
    let at = spaces.get(random.next(spaces.len())).copied().unwrap_or(text.len());
    let mut put = format!(" {signature}");
    match random.next(8) {
        0 => put.make_ascii_uppercase(),
        1 | 2 => put[1..]
            .char_indices()
            .nth(1)
            .map_or((), |(end, _)| put[1..=end].make_ascii_uppercase()),
        _ => {}
    }
    text.insert_str(at, &put);
}

/// Escapes what JSON wants escaped in all behind `from`.
fn escape(text: &mut String, from: usize) {
    let tail = text.split_off(from);
    for c in tail.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            c if c < ' ' => text.push(' '),
            c => text.push(c),
        }
    }
}

fn read_lines(path: &Path, lines: &mut Vec<String>) -> io::Result<()> {
    if path.is_dir() {
        let mut entries: Vec<_> = fs::read_dir(path)?.collect::<Result<_, _>>()?;
        entries.sort_by_key(|entry| entry.path());
        return entries.iter().try_for_each(|entry| read_lines(&entry.path(), lines));
    }
    let text = fs::read(path)?;
    let text = String::from_utf8_lossy(&text);
    lines.extend(text.lines().filter(|line| !line.trim().is_empty()).map(String::from));
    Ok(())
}
