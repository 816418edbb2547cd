//! `--follow`: many files, read as they grow, for months.
//!
//! Files are polled: that works on every file system, over networks too. Nothing of a file is kept
//! in memory but where it was read to, and prints of a few bytes that tell whether it is still the
//! same: what is incomplete is read again when more of it is there.

mod args;
mod doubt;
mod entry;
mod generation;
mod members;
mod print;
mod roots;
mod rotated;
mod state;

use std::collections::{HashMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use whyerr::Classifier;
use whyerr::scan::Scanner;
use whyerr_logs::group::Grouping;

use crate::scan::reader::{Notice, Piece, Work};
use crate::stop;
pub use args::{FollowArgs, From};
use doubt::Doubt;
use entry::{Account, Entry};
use generation::{Generation, Step};
use roots::MAX_FOUND;
pub use roots::Roots;
use rotated::Sibling;
use state::Change;
pub use state::{Mark, Saved, StateFile};

/// How often is looked for news; files and folders that are idle are looked at less often, until
/// the longest pause.
const POLL: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Most files that are open at once.
const OPEN_FILES: usize = 256;
const FEWEST_FILES: usize = 8;
/// For how long after a change a folder may change again with no other time of change.
const CLOCK_STEP: Duration = Duration::from_secs(2);
/// Numbers of files are used again when so many were followed.
const MAX_NUMBERS: usize = 2 * MAX_FOUND;
/// How often outputs look at the clock.
const TICK: Duration = Duration::from_secs(1);

/// Reads all followed files as they grow.
pub struct Follower {
    entries: Vec<Entry>,
    /// Numbers of entries that were forgotten, longest first.
    free: VecDeque<usize>,
    /// Files that a folder or a pattern has.
    found: usize,
    roots: Roots,
    /// Files that may be earlier contents of others: until one grows.
    doubts: Vec<Doubt>,
    doubted: Instant,
    folders: HashMap<PathBuf, Folder>,
    /// Entries that have something to read.
    ready: VecDeque<usize>,
    /// What is to be told, before anything is read.
    told: VecDeque<Notice>,
    shared: Shared,
    scanner: Arc<Scanner>,
    grouping: Grouping,
    swept: Instant,
    ticked: Instant,
    /// Pieces that were given.
    given: u64,
    /// What is held back is given at the end, where no next run takes it up.
    flushes: bool,
    ending: bool,
    marks: Option<Sender<Mark>>,
}

/// What entries need of the follower.
pub struct Shared {
    pub from: From,
    serials: u64,
    /// Files that are open, and how many may be.
    open: usize,
    limit: usize,
    /// The system lets no more files be open.
    pub is_crowded: bool,
}

/// A folder with followed files: rotation shows in it.
struct Folder {
    entries: HashMap<OsString, usize>,
    /// Its time of change when it was read.
    modified: Option<SystemTime>,
    /// When that was first seen: in the same tick of its clock more may change.
    changed: Instant,
    /// It is read again whatever its time of change says.
    again: bool,
    due: Instant,
    pause: Duration,
}

impl Shared {
    pub fn serial(&mut self) -> u64 {
        self.serials += 1;
        self.serials
    }

    pub fn opened(&mut self) {
        self.open += 1;
    }

    pub fn closed(&mut self) {
        self.open = self.open.saturating_sub(1);
    }

    /// Closes a file that was opened just now where too many are open: it is opened again to be
    /// read.
    pub fn keep(&mut self, generation: &mut Generation) {
        if self.open > self.limit && generation.is_closable() {
            generation.file = None;
            self.closed();
        }
    }
}

impl Follower {
    /// Follows files, and those that `roots` have and will have. `saved` is what an earlier run left;
    /// what of it concerns none of the files is given back.
    pub fn new(
        paths: &[PathBuf],
        roots: Roots,
        args: &FollowArgs,
        classifier: &Classifier,
        grouping: Grouping,
        marks: Option<Sender<Mark>>,
        saved: Vec<Saved>,
    ) -> (Follower, Vec<Saved>) {
        let now = Instant::now();
        let mut follower = Follower {
            entries: Vec::new(),
            free: VecDeque::new(),
            found: 0,
            roots,
            doubts: Vec::new(),
            doubted: now,
            folders: HashMap::new(),
            ready: VecDeque::new(),
            told: VecDeque::new(),
            shared: Shared {
                from: args.from(),
                serials: 0,
                open: 0,
                limit: OPEN_FILES,
                is_crowded: false,
            },
            scanner: Arc::new(Scanner::new(classifier)),
            grouping,
            swept: now.checked_sub(POLL).unwrap_or(now),
            ticked: now,
            given: 0,
            flushes: marks.is_none(),
            ending: false,
            marks,
        };
        let mut by_path: HashMap<String, Vec<Saved>> = HashMap::new();
        for saved in saved {
            by_path.entry(saved.followed.clone()).or_default().push(saved);
        }
        follower.take_up(paths.iter().map(|path| Entry::new(path)).collect(), &mut by_path);
        // What a folder had, and has under a rotated name now.
        let names: Vec<PathBuf> = by_path
            .keys()
            .filter_map(|absolute| follower.roots.name_of(Path::new(absolute)))
            .collect();
        let restored = names.iter().map(|path| Entry::found(path, true)).collect();
        follower.take_up(restored, &mut by_path);
        follower.look_for_files(&mut by_path);
        (follower, by_path.into_values().flatten().collect())
    }

    /// The next piece; `None` when somebody asked to stop.
    pub fn next(&mut self, buffer: Option<Vec<u8>>) -> Option<Piece<Work>> {
        let piece = self.find(buffer.unwrap_or_default());
        self.given += u64::from(piece.is_some());
        piece
    }

    fn find(&mut self, mut buffer: Vec<u8>) -> Option<Piece<Work>> {
        loop {
            if stop::requested() {
                return self.last(buffer);
            }
            if let Some(notice) = self.told.pop_front() {
                return Some(notice.into());
            }
            // In between too when there is always something to read: other files are rotated.
            if self.swept.elapsed() >= POLL {
                self.sweep();
                continue;
            }
            if let Some(at) = self.ready.pop_front() {
                match self.read(at, buffer, false) {
                    Ok(piece) => return Some(piece),
                    Err(back) => buffer = back,
                }
                continue;
            }
            if self.ticked.elapsed() >= TICK {
                self.ticked = Instant::now();
                return Some(Notice::Tick.into());
            }
            thread::sleep(POLL.saturating_sub(self.swept.elapsed()));
        }
    }

    /// What was held back, at the end.
    fn last(&mut self, mut buffer: Vec<u8>) -> Option<Piece<Work>> {
        // Names of files before what is read of them.
        if let Some(notice) = self.told.pop_front() {
            return Some(notice.into());
        }
        if self.flushes && !std::mem::replace(&mut self.ending, true) {
            self.ready = (0..self.entries.len()).collect();
            self.ready.retain(|&at| self.entries[at].has_unread());
            for entry in &mut self.entries {
                entry.queued = false;
            }
        }
        while self.flushes
            && let Some(at) = self.ready.pop_front()
        {
            match self.read(at, buffer, true) {
                Ok(piece) => return Some(piece),
                Err(back) => buffer = back,
            }
        }
        self.told.pop_front().map(Piece::from)
    }

    /// Looks for news at all files whose time has come.
    fn sweep(&mut self) {
        self.swept = Instant::now();
        self.look_for_files(&mut HashMap::new());
        self.settle_doubts();
        let folders: Vec<PathBuf> = self
            .folders
            .iter()
            .filter(|(_, folder)| folder.due <= self.swept)
            .map(|(path, _)| path.clone())
            .collect();
        for folder in folders {
            self.look_into(&folder);
        }
        for at in 0..self.entries.len() {
            if self.entries[at].due > self.swept {
                continue;
            }
            let rotated = self.with(at, |entry, shared| entry.look(shared));
            let entry = &self.entries[at];
            if rotated {
                let folder = entry.folder.clone();
                self.reconcile(&folder);
            }
            let entry = &mut self.entries[at];
            if entry.is_active() {
                entry.pause = POLL;
                // Names change where files are written.
                if let Some(folder) = self.folders.get_mut(&entry.folder) {
                    folder.pause = POLL;
                    folder.due = folder.due.min(self.swept + POLL);
                }
            } else {
                entry.pause = (entry.pause * 2).min(LONGEST_PAUSE);
            }
            // Not all at the same time.
            entry.due = self.swept + entry.pause;
            if entry.wants_reading() {
                self.requeue(at);
            }
        }
        self.close_some();
        self.forget_some();
        self.make_room();
    }

    /// Reads a folder's names where they may have changed.
    fn look_into(&mut self, path: &Path) {
        let modified = fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
        let Some(folder) = self.folders.get_mut(path) else { return };
        let changed = folder.again || modified != folder.modified;
        folder.pause = if changed { POLL } else { (folder.pause * 2).min(LONGEST_PAUSE) };
        folder.due = self.swept + folder.pause;
        if changed {
            self.reconcile(path);
        }
    }

    /// Finds what became of rotated files in a folder.
    fn reconcile(&mut self, path: &Path) {
        let modified = fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
        let Some(folder) = self.folders.get_mut(path) else { return };
        if folder.modified != modified {
            (folder.modified, folder.changed) = (modified, Instant::now());
        }
        folder.again = folder.changed.elapsed() < CLOCK_STEP;
        let entries = &folder.entries;
        let is_followed = |name: &OsStr| entries.contains_key(name);
        let mut siblings = match rotated::list(path, is_followed) {
            Ok(siblings) => siblings,
            // A folder that does not exist yet has nothing in it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => HashMap::new(),
            Err(error) => {
                self.shared.is_crowded |= is_too_many(&error);
                folder.again = true;
                return;
            }
        };
        let affected: Vec<(usize, Vec<Sibling>)> = entries
            .iter()
            .map(|(base, &at)| (at, siblings.remove(base).unwrap_or_default()))
            .filter(|(at, siblings)| self.entries[*at].concerns(siblings))
            .collect();
        for (at, siblings) in affected {
            let mut found = self.with(at, |entry, shared| entry.account(&siblings, false, shared));
            if found == Account::Missing {
                // What was not there may have come since.
                let siblings = match rotated::list_surely(path, &self.entries[at].base) {
                    Ok(siblings) => siblings,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Some(Vec::new()),
                    Err(_) => None,
                };
                if let Some(siblings) = siblings {
                    found = self.with(at, |entry, shared| entry.account(&siblings, true, shared));
                }
            }
            if found != Account::Complete
                && let Some(folder) = self.folders.get_mut(path)
            {
                folder.again = true;
            }
            if self.entries[at].wants_reading() {
                self.requeue(at);
            }
        }
    }

    /// Lets an entry do something, and tells what it has to tell.
    fn with<T>(&mut self, at: usize, act: impl FnOnce(&mut Entry, &mut Shared) -> T) -> T {
        let entry = &mut self.entries[at];
        let result = act(entry, &mut self.shared);
        mark(&self.marks, self.given, std::mem::take(&mut entry.changes));
        for note in entry.notes.drain(..) {
            self.told.push_back(Notice::Note { message: note.message, lost: note.lost });
        }
        result
    }

    /// Reads an entry's next piece; gives the buffer back when there is none.
    fn read(&mut self, at: usize, buffer: Vec<u8>, flush: bool) -> Result<Piece<Work>, Vec<u8>> {
        let entry = &mut self.entries[at];
        entry.queued = false;
        let Some(place) = entry.next_to_read(flush) else { return Err(buffer) };
        self.make_room();
        let entry = &mut self.entries[at];
        if let Err(error) = entry.reopen(place, &mut self.shared) {
            if is_too_many(&error) {
                self.shared.is_crowded = true;
                self.requeue(at);
            } else {
                self.with(at, |entry, shared| entry.cannot_be_read(place, &error, shared));
                let folder = self.entries[at].folder.clone();
                self.reconcile(&folder);
            }
            return Err(buffer);
        }
        let entry = &mut self.entries[at];
        let absolute = entry.absolute.clone();
        let Some(generation) = entry.generation_mut(place) else { return Err(buffer) };
        let first_line = generation.line;
        let step = match generation.read(&self.grouping, buffer, flush) {
            Ok(step) => step,
            Err(error) => {
                self.with(at, |entry, shared| entry.cannot_be_read(place, &error, shared));
                return Err(Vec::new());
            }
        };
        let lag = Some(generation.unread());
        let saved = generation.saved(&absolute);
        let serial = generation.serial;
        let given = match step {
            Step::Chunk { chunk, lines } => {
                // Holds once this piece is written.
                mark(&self.marks, self.given + 1, vec![(serial, Some(saved))]);
                if !chunk.cut && !chunk.bytes().ends_with(b"\n") {
                    self.told.push_back(Notice::End { source: at, skipped: 0, open_lines: 1 });
                }
                Ok(Piece::Chunk(Work {
                    chunk,
                    source: at,
                    first_line,
                    lines,
                    scanner: self.scanner.clone(),
                    joined: false,
                    name: entry.name.clone(),
                    lag,
                }))
            }
            Step::Skipped(skipped, buffer) => {
                mark(&self.marks, self.given + 1, vec![(serial, Some(saved))]);
                self.told.push_back(Notice::End { source: at, skipped, open_lines: 0 });
                Err(buffer)
            }
            Step::Nothing(buffer) => Err(buffer),
            Step::Changed(buffer) => {
                self.with(at, |entry, shared| entry.suspect(place, shared));
                let folder = self.entries[at].folder.clone();
                self.reconcile(&folder);
                Err(buffer)
            }
        };
        if self.entries[at].next_to_read(flush).is_some() {
            self.requeue(at);
        }
        given
    }

    fn requeue(&mut self, at: usize) {
        let entry = &mut self.entries[at];
        if !entry.queued {
            entry.queued = true;
            self.ready.push_back(at);
        }
    }

    /// Closes files that were not read for the longest time, so that one more can be opened.
    fn make_room(&mut self) {
        if std::mem::take(&mut self.shared.is_crowded) {
            // Fewer will do, and leave some for folders.
            self.shared.limit = (self.shared.open / 2).max(FEWEST_FILES);
        }
        if self.shared.open < self.shared.limit {
            return;
        }
        let mut used: Vec<Instant> = self.entries.iter().flat_map(Entry::open_since).collect();
        if used.is_empty() {
            return;
        }
        let middle = used.len() / 2;
        let (_, &mut median, _) = used.select_nth_unstable(middle);
        for entry in &mut self.entries {
            entry.close_unused(median, &mut self.shared);
        }
    }

    /// Retired files that are done are let go.
    fn close_some(&mut self) {
        for at in 0..self.entries.len() {
            if self.entries[at].has_finished() {
                self.with(at, |entry, shared| entry.let_go(shared));
            }
        }
    }
}

fn mark(marks: &Option<Sender<Mark>>, after: u64, changes: Vec<Change>) {
    if let Some(marks) = marks
        && !changes.is_empty()
    {
        // Who takes them is gone when the run is over.
        let _ = marks.send(Mark { after, changes });
    }
}

/// EMFILE and ENFILE have no kind of their own.
fn is_too_many(error: &io::Error) -> bool {
    cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24))
}
