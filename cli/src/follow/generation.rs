//! One file that is read as it grows: the followed one, or an earlier content of it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use whyerr_logs::group::Grouping;

use super::print::{Print, modified, read_at};
use super::state::Saved;
use crate::identity::Id;
use crate::input::{CHUNK, Chunk, Flow, HOLD, STEP, whole_events};

/// How many first bytes, and how many before the place where reading goes on, tell whether a file
/// still has the content that was read.
const HEAD: usize = 1024;
const TAIL: usize = 256;
/// A file that was rotated away and did not grow for so long has no further line end to come.
const LAST_LINE: Duration = Duration::from_secs(1);
/// How long what came after a rotated file waits for the last event of that.
const HOLDS_UP: Duration = Duration::from_secs(2);
/// A process may write for so long to a file that was renamed, until it learns of the new one.
const LINGER: Duration = Duration::from_secs(30);
/// How long after a rotation is looked for contents that were rotated away unseen, where their
/// names alone do not tell them.
const FRESH: Duration = Duration::from_secs(10);
/// How much more than is known to be there is read at once.
const SLACK: usize = 64 << 10;
/// How far back the beginning of the last line is looked for.
const LAST_LINE_BYTES: u64 = 64 << 10;

pub struct Generation {
    /// Tells it from all others of the run.
    pub serial: u64,
    pub id: Id,
    /// Closed while nothing comes.
    pub file: Option<File>,
    /// When it was last read: who is not read is closed first.
    pub used: Instant,
    /// Its name when it was last seen.
    pub path: PathBuf,
    /// First bytes: `min(HEAD, offset)` of them.
    head: Print,
    /// Bytes before `offset`.
    tail: Print,
    /// Where the first event begins that was not handed on.
    pub offset: u64,
    /// Number of the line there; counted from where reading began.
    pub line: u64,
    /// Largest size that was seen: after a truncation it may be of what came then.
    size: u64,
    /// How far it went when its content was surely this one.
    known: u64,
    pub modified: u64,
    /// When growth was last seen.
    pub grown: Instant,
    /// `offset` is in the part of a line that is not classified.
    skipping: bool,
    /// Something may be there that was not tried to read yet.
    pub pending: bool,
    /// A line or an event there is longer than what is read at once.
    is_long: bool,
    /// What is unread can only be given when more comes.
    settled: bool,
    /// `path` leads to it, as far as is known.
    pub placed: bool,
    /// Its name is another file's now, or nobody's.
    pub retired: bool,
    /// Since when; of one that is not, since when its content is this one.
    since: Instant,
    /// Its name may be that of a file of its own: it is read since the followed one was rotated
    /// when it came.
    pub is_guess: bool,
}

/// What a read gave.
pub enum Step {
    Chunk {
        chunk: Chunk,
        lines: u64,
    },
    /// Nothing that is complete; the buffer back.
    Nothing(Vec<u8>),
    /// So many bytes of an overlong line were skipped.
    Skipped(u64, Vec<u8>),
    /// The file does not hold what was read of it: it was truncated, or is another one.
    Changed(Vec<u8>),
}

impl Generation {
    pub fn new(serial: u64, file: File, path: &Path) -> io::Result<Generation> {
        let metadata = file.metadata()?;
        Ok(Generation {
            serial,
            id: Id::of(&metadata),
            file: Some(file),
            used: Instant::now(),
            path: path.to_owned(),
            head: Print::default(),
            tail: Print::default(),
            offset: 0,
            line: 1,
            size: metadata.len(),
            known: 0,
            modified: modified(&metadata),
            grown: Instant::now(),
            skipping: false,
            pending: true,
            is_long: false,
            settled: false,
            placed: true,
            retired: false,
            since: Instant::now(),
            is_guess: false,
        })
    }

    /// One that an earlier run was reading.
    pub fn restored(serial: u64, saved: &Saved) -> Generation {
        Generation {
            serial,
            id: saved.id,
            file: None,
            used: Instant::now(),
            path: PathBuf::from(&saved.path),
            head: saved.head,
            tail: saved.tail,
            offset: saved.offset,
            line: saved.line,
            size: saved.known,
            known: saved.known,
            modified: saved.modified,
            grown: Instant::now(),
            skipping: saved.skipping,
            pending: true,
            is_long: false,
            settled: false,
            placed: false,
            retired: true,
            since: Instant::now(),
            is_guess: false,
        }
    }

    pub fn saved(&self, followed: &str) -> Saved {
        Saved {
            followed: followed.to_owned(),
            path: self.path.to_string_lossy().into_owned(),
            id: self.id,
            head: self.head,
            tail: self.tail,
            offset: self.offset,
            line: self.line,
            known: self.known,
            modified: self.modified,
            skipping: self.skipping,
            seen: 0,
        }
    }

    /// Opens it again, where its name still leads to it.
    pub fn reopen(&mut self) -> io::Result<()> {
        let file = File::open(&self.path)?;
        let metadata = file.metadata()?;
        if Id::of(&metadata) != self.id {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.file = Some(file);
        self.used = Instant::now();
        self.note(metadata.len(), modified(&metadata));
        Ok(())
    }

    /// The copy that was made of this one before it was truncated: reading goes on there.
    pub fn continued_in(&self, serial: u64, file: File, path: &Path) -> io::Result<Generation> {
        let copy = Generation::new(serial, file, path)?;
        Ok(Generation {
            head: self.head,
            tail: self.tail,
            offset: self.offset,
            line: self.line,
            skipping: self.skipping,
            retired: true,
            ..copy
        })
    }

    /// Begins anew, after a truncation.
    pub fn restart(&mut self, size: u64) {
        (self.head, self.tail) = (Print::default(), Print::default());
        (self.offset, self.line, self.size, self.known) = (0, 1, size, 0);
        self.skipping = false;
        (self.pending, self.settled) = (true, false);
        (self.grown, self.since) = (Instant::now(), Instant::now());
    }

    /// Whether the followed path has this content for so short a time that other contents may have
    /// come and gone unseen.
    pub fn is_fresh(&self) -> bool {
        self.since.elapsed() < FRESH
    }

    /// Leaves out what is there, but for a line that has no end yet.
    pub fn skip_to_end(&mut self) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let from = self.size.saturating_sub(LAST_LINE_BYTES);
        let mut bytes = vec![0; (self.size - from) as usize];
        let count = read_at(file, &mut bytes, from)?;
        bytes.truncate(count);
        let line = memchr::memrchr(b'\n', &bytes).map(|newline| newline + 1);
        let end = match (line, from) {
            (Some(line), _) => line,
            (None, 0) => 0,
            (None, _) => count,
        };
        self.offset = from + end as u64;
        self.tail = Print::of(&bytes[end.saturating_sub(TAIL)..end]);
        let mut head = vec![0; HEAD.min(self.offset as usize)];
        let count = read_at(file, &mut head, 0)?;
        self.head = Print::of(&head[..count]);
        Ok(())
    }

    /// Whether `file`, of `size` bytes, holds what was read of this one.
    pub fn is_in(&self, file: &File, size: u64) -> io::Result<bool> {
        let before = self.offset.saturating_sub(self.tail.len as u64);
        Ok(size >= self.offset && self.head.is_at(file, 0)? && self.tail.is_at(file, before)?)
    }

    /// Whether `file` is a copy of exactly what was read of this one.
    pub fn is_copied_in(&self, file: &File, size: u64) -> io::Result<bool> {
        Ok(size == self.offset && self.is_in(file, size)?)
    }

    /// Whether the open file still holds what was read of it.
    pub fn is_intact(&self) -> io::Result<bool> {
        match &self.file {
            Some(file) => self.is_in(file, file.metadata()?.len()),
            None => Ok(true),
        }
    }

    /// Looks at the open file's size; true when it changed.
    pub fn look(&mut self) -> io::Result<bool> {
        let Some(file) = &self.file else { return Ok(false) };
        let metadata = file.metadata()?;
        Ok(self.note(metadata.len(), modified(&metadata)))
    }

    /// Notes what a look at the file showed; true when it changed.
    pub fn note(&mut self, size: u64, modified: u64) -> bool {
        let changed = size != self.size || modified != self.modified;
        if changed {
            self.grown = Instant::now();
            (self.pending, self.settled) = (true, false);
        }
        // A smaller size is no news of what there was to read: the truncation is found when reading.
        self.size = self.size.max(size);
        self.modified = modified;
        changed
    }

    /// What is lost when only the first `copied` bytes are left, as far as is known.
    pub fn known_behind(&self, copied: u64) -> u64 {
        self.known.saturating_sub(copied)
    }

    /// What is lost when nothing is left, as far as is known.
    pub fn known_unread(&self) -> u64 {
        self.known_behind(self.offset)
    }

    pub fn unread(&self) -> u64 {
        self.size.saturating_sub(self.offset)
    }

    /// Whether something is to be done that no growth announces: an event was held back for long
    /// enough, or a line without an end is the last one.
    fn is_due(&self) -> bool {
        let wait = if self.retired { LAST_LINE } else { HOLD };
        self.unread() > 0 && !self.settled && self.grown.elapsed() >= wait
    }

    /// Whether reading may give something; `flush`: what is held back too.
    pub fn wants_reading(&self, flush: bool) -> bool {
        self.pending || self.is_due() || (flush && self.unread() > 0 && !self.settled)
    }

    /// Whether it can be closed and found again, or has nothing to give.
    pub fn is_closable(&self) -> bool {
        self.file.is_some() && (self.placed || self.unread() == 0)
    }

    /// Whether what comes after it has to wait, so that all stays in order: an event of it is held
    /// back. Not for ever, as it may be written to for as long as a process pleases.
    pub fn holds_up(&self) -> bool {
        self.retired && self.unread() > 0 && !self.settled && self.since.elapsed() < HOLDS_UP
    }

    /// Whether nothing will come of it any more.
    pub fn is_finished(&self) -> bool {
        let all = self.unread() == 0 || self.settled;
        self.retired && all && !self.pending && self.grown.elapsed() >= LINGER
    }

    /// Its name went to another file, or away.
    pub fn retire(&mut self) {
        (self.retired, self.placed) = (true, false);
        self.since = Instant::now();
        (self.pending, self.settled) = (true, false);
        self.grown = Instant::now();
    }

    /// Reads what comes next. `flush`: what is held back is given as well.
    pub fn read(
        &mut self,
        grouping: &Grouping,
        mut buffer: Vec<u8>,
        flush: bool,
    ) -> io::Result<Step> {
        let Some(file) = &self.file else { return Ok(Step::Nothing(buffer)) };
        self.used = Instant::now();
        // Room for what is known to be there: thousands of small files need no large buffers.
        let most = if self.is_long { CHUNK } else { STEP };
        let room = (self.unread() as usize).saturating_add(SLACK).min(most);
        if buffer.len() < room {
            buffer.resize(room, 0);
        }
        let filled = read_at(file, &mut buffer[..room], self.offset)?;
        // Looked at after the read: what was truncated and written anew before or during it does
        // not pass for what comes next. The first bytes are rewritten before all others.
        let size = file.metadata()?.len();
        if !self.is_in(file, size)? || !self.begins_with(&buffer[..filled])? {
            return Ok(Step::Changed(buffer));
        }
        self.known = self.known.max(self.offset + filled as u64);
        self.size = self.size.max(self.known);
        if filled == 0 {
            self.pending = false;
            return Ok(Step::Nothing(buffer));
        }
        if self.skipping {
            // The newline itself ends the cut line: it stays, to be counted.
            let newline = memchr::memchr(b'\n', &buffer[..filled]);
            self.skipping = newline.is_none();
            let skipped = newline.unwrap_or(filled);
            if skipped > 0 {
                self.advance(&buffer[..skipped]);
                return Ok(Step::Skipped(skipped as u64, buffer));
            }
        }
        let full = filled == CHUNK;
        let has_more = filled == room;
        let quiet = self.grown.elapsed();
        let flow = match () {
            () if has_more => Flow::Running { full },
            () if self.retired && (flush || quiet >= LAST_LINE) => Flow::Ended,
            () if flush || quiet >= HOLD => Flow::Paused,
            () => Flow::Running { full },
        };
        let (len, cut) = whole_events(grouping, &buffer[..filled], flow);
        self.is_long = len == 0 && has_more;
        if len == 0 {
            self.pending = has_more && !full;
            self.settled = match flow {
                Flow::Running { .. } => false,
                Flow::Paused => !self.retired,
                Flow::Ended => true,
            };
            return Ok(Step::Nothing(buffer));
        }
        let chunk = Chunk {
            buffer,
            len,
            behind: filled - len,
            offset: self.offset,
            cut,
            // For outputs that answer line by line: nothing is followed for them.
            continues: false,
            skipped: false,
            decoded: false,
            marked: false,
        };
        self.advance(chunk.bytes());
        self.skipping = cut;
        let lines = memchr::memchr_iter(b'\n', chunk.bytes()).count() as u64;
        self.line += lines;
        // At the end of a run what is held back is given, not what comes after.
        self.settled = flush;
        self.pending = !flush && (self.unread() > 0 || has_more);
        Ok(Step::Chunk { chunk, lines })
    }

    /// Whether the file, of which nothing was handed on yet, begins with these bytes still.
    fn begins_with(&self, bytes: &[u8]) -> io::Result<bool> {
        match &self.file {
            Some(file) if self.offset == 0 => {
                Print::of(&bytes[..HEAD.min(bytes.len())]).is_at(file, 0)
            }
            _ => Ok(true),
        }
    }

    /// Goes on behind these bytes, which stand at `offset`.
    fn advance(&mut self, bytes: &[u8]) {
        if self.head.len as u64 == self.offset && self.head.len < HEAD {
            self.head.extend(&bytes[..bytes.len().min(HEAD - self.head.len)]);
        }
        self.tail = Print::of(&bytes[bytes.len().saturating_sub(TAIL)..]);
        self.offset += bytes.len() as u64;
    }
}

/// Whether two files begin with the same bytes, as far as both go. An empty one tells nothing:
/// false.
pub fn begin_alike(one: &File, other: &File) -> io::Result<bool> {
    let (mut first, mut second) = (vec![0; HEAD], vec![0; HEAD]);
    let count = read_at(one, &mut first, 0)?;
    let count = read_at(other, &mut second, 0)?.min(count);
    Ok(count > 0 && first[..count] == second[..count])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write;

    fn text(generation: &mut Generation, flush: bool) -> Option<String> {
        match generation.read(&Grouping::lines(), Vec::new(), flush).unwrap() {
            Step::Chunk { chunk, .. } => Some(String::from_utf8(chunk.bytes().to_vec()).unwrap()),
            Step::Nothing(_) => None,
            Step::Skipped(..) => Some("skipped".to_owned()),
            Step::Changed(_) => Some("changed".to_owned()),
        }
    }

    #[test]
    fn whole_lines_are_given_and_truncation_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        fs::write(&path, "one\ntwo\nthr").unwrap();
        let mut generation = Generation::new(0, File::open(&path).unwrap(), &path).unwrap();
        assert_eq!(text(&mut generation, false).as_deref(), Some("one\ntwo\n"));
        assert_eq!((generation.offset, generation.line), (8, 3));
        assert_eq!(text(&mut generation, true), None, "the line has no end");
        fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"ee\n").unwrap();
        assert_eq!(text(&mut generation, false).as_deref(), Some("three\n"));
        // As long as before, and longer: the first bytes tell.
        fs::write(&path, "One\ntwo\nthree\nand four\n").unwrap();
        assert_eq!(text(&mut generation, false).as_deref(), Some("changed"));
        // The same first bytes, another end.
        let banner = "x".repeat(HEAD) + "\n";
        fs::write(&path, format!("{banner}a 1\n")).unwrap();
        generation.restart(0);
        assert!(text(&mut generation, false).unwrap().ends_with("a 1\n"));
        fs::write(&path, format!("{banner}b 1\nb 2\n")).unwrap();
        assert_eq!(text(&mut generation, false).as_deref(), Some("changed"));
    }

    #[test]
    fn a_rotated_file_gives_its_last_line_without_an_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        fs::write(&path, "one\ntwo").unwrap();
        let mut generation = Generation::new(0, File::open(&path).unwrap(), &path).unwrap();
        assert_eq!(text(&mut generation, false).as_deref(), Some("one\n"));
        generation.retired = true;
        assert_eq!(text(&mut generation, false), None);
        generation.grown = Instant::now().checked_sub(LAST_LINE).unwrap();
        assert!(generation.is_due());
        assert_eq!(text(&mut generation, false).as_deref(), Some("two"));
    }

    #[test]
    fn the_end_is_where_the_last_line_begins_that_is_not_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        for (content, offset) in [("", 0), ("a\nb\n", 4), ("a\nb", 2), ("ab", 0)] {
            fs::write(&path, content).unwrap();
            let mut generation = Generation::new(0, File::open(&path).unwrap(), &path).unwrap();
            generation.skip_to_end().unwrap();
            assert_eq!(generation.offset, offset, "{content:?}");
            assert!(generation.is_intact().unwrap());
        }
    }
}
