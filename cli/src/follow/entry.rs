//! A followed path: the file it leads to, and those it led to before.

mod account;

use std::collections::{HashMap, VecDeque};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

pub use account::Account;

use super::generation::Generation;
use super::print::{modified, read_at};
use super::state::Saved;
use super::{From, POLL, Shared, is_too_many};
use crate::identity::Id;
use crate::input::why_not_followed;
use crate::term;

/// A file that grew so recently is looked at often.
const ACTIVE: Duration = Duration::from_secs(10);
/// Longer than a process runs.
const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
/// How many finished files are remembered, so that copies of them are not read again.
const REMEMBERED: usize = 8;
/// So many first bytes tell whether a file is text.
const SAMPLE: usize = 512;

/// A file that was seen: number and time of creation, as numbers are used again.
type Seen = (Id, Option<SystemTime>);

/// Something to tell on standard error.
pub struct Note {
    pub message: String,
    /// Bytes that are known to be lost.
    pub lost: u64,
}

pub struct Entry {
    pub path: PathBuf,
    pub name: Arc<str>,
    /// How the state file calls it.
    pub absolute: Arc<str>,
    /// Where it stands, and its name there: rotated files stand beside it.
    pub folder: PathBuf,
    pub base: OsString,
    current: Option<Generation>,
    /// Earlier contents, oldest first.
    retired: Vec<Generation>,
    /// The current file does not hold what was read of it.
    is_suspect: bool,
    /// Rotated files that are accounted for, and when they were last there.
    seen: HashMap<Seen, Instant>,
    /// Rotated files with an older time are not read: they were there before. `None` until the
    /// folder was looked into.
    since: Option<u64>,
    /// Newest time an earlier run knew of.
    restored: Option<u64>,
    /// Rotated files that may still be copied: size, and since when they have it.
    watched: HashMap<Seen, (u64, Instant)>,
    looked: bool,
    /// A folder or a pattern has it: nobody waits for it where it is gone.
    pub is_found: bool,
    /// It came after the start: it is read from its own.
    pub is_late: bool,
    /// Since when its path leads nowhere.
    gone: Option<Instant>,
    complaint: Option<ErrorKind>,
    done: VecDeque<Generation>,
    pub due: Instant,
    pub pause: Duration,
    pub queued: bool,
    /// For the state file: what is known of a file now, `None` when it is done with.
    pub changes: Vec<(u64, Option<Saved>)>,
    pub notes: Vec<Note>,
}

impl Entry {
    pub fn new(path: &Path) -> Entry {
        // The file itself where it is a link, as the rotated ones stand beside that.
        let real = fs::canonicalize(path).or_else(|_| {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = fs::canonicalize(folder.unwrap_or(Path::new(".")))?;
            Ok::<_, io::Error>(folder.join(path.file_name().unwrap_or_default()))
        });
        let real = real.unwrap_or_else(|_| path.to_owned());
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Entry {
            path: path.to_owned(),
            name: path.display().to_string().into(),
            absolute: absolute.to_string_lossy().into(),
            folder: real.parent().map(Path::to_owned).unwrap_or_default(),
            base: real.file_name().map(OsString::from).unwrap_or_default(),
            current: None,
            retired: Vec::new(),
            is_suspect: false,
            seen: HashMap::new(),
            since: None,
            restored: None,
            watched: HashMap::new(),
            looked: false,
            is_found: false,
            is_late: false,
            gone: None,
            complaint: None,
            done: VecDeque::new(),
            due: Instant::now(),
            pause: POLL,
            queued: false,
            changes: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// One that a folder or a pattern has.
    pub fn found(path: &Path, is_late: bool) -> Entry {
        Entry { is_found: true, is_late, ..Entry::new(path) }
    }

    /// In the place of one that is not followed any more.
    pub fn forgotten() -> Entry {
        let due = Instant::now() + NEVER;
        Entry { due, name: "".into(), absolute: "".into(), ..Entry::new(Path::new("")) }
    }

    /// Whether nothing is left of it, and it will not come back for all that is known.
    pub fn is_gone_for(&self, time: Duration) -> bool {
        let is_gone = self.gone.is_some_and(|gone| gone.elapsed() >= time);
        self.is_found && is_gone && self.generations().next().is_none()
    }

    /// Takes the contents of another one, which has a rotated name of this one.
    pub fn adopt(&mut self, other: &mut Entry) {
        other.retire();
        self.retired.append(&mut other.retired);
        self.changes.append(&mut other.changes);
    }

    /// Takes up what an earlier run left: which of the files has the path now is found by looking.
    pub fn restore(&mut self, saved: &[Saved], shared: &mut Shared) {
        self.retired.extend(saved.iter().map(|one| Generation::restored(shared.serial(), one)));
        self.restored = saved.iter().map(|one| one.modified).max();
    }

    /// Whether a file is or was the followed one, as far as that is remembered.
    pub fn has_read(&self, id: Id) -> bool {
        let all = self.generations().chain(&self.done);
        all.filter(|generation| !generation.is_guess).any(|generation| generation.id == id)
    }

    /// Whether its path has another content since a short while.
    pub fn is_fresh(&self) -> bool {
        self.current.as_ref().is_some_and(Generation::is_fresh)
    }

    /// Gives up a content that turned out to be a file of its own, and where it was read to.
    pub fn give_up(&mut self, id: Id, followed: &str, shared: &mut Shared) -> Option<Saved> {
        let guess = |one: &Generation| one.is_guess && one.id == id;
        let given_up = match self.retired.iter().position(guess) {
            Some(at) => self.retired.remove(at),
            None => self.done.remove(self.done.iter().position(guess)?)?,
        };
        if given_up.file.is_some() {
            shared.closed();
        }
        self.changes.push((given_up.serial, None));
        Some(given_up.saved(followed))
    }

    /// Retired ones, then the current one.
    pub fn generations(&self) -> impl Iterator<Item = &Generation> {
        self.retired.iter().chain(&self.current)
    }

    pub fn generation_mut(&mut self, place: usize) -> Option<&mut Generation> {
        match place == self.retired.len() {
            true => self.current.as_mut(),
            false => self.retired.get_mut(place),
        }
    }

    /// Looks at the path. True when it leads to another file than before.
    pub fn look(&mut self, shared: &mut Shared) -> bool {
        for generation in &mut self.retired {
            // One that cannot be looked at is found out when it is read.
            let _ = match (&generation.file, generation.placed) {
                (Some(_), _) => generation.look(),
                (None, true) => fs::metadata(&generation.path).map(|metadata| {
                    Id::of(&metadata) == generation.id
                        && generation.note(metadata.len(), modified(&metadata))
                }),
                (None, false) => Ok(false),
            };
        }
        let there = fs::metadata(&self.path);
        match &there {
            Ok(_) => self.gone = None,
            Err(_) => drop(self.gone.get_or_insert_with(Instant::now)),
        }
        let changed = match there {
            Ok(metadata) if !metadata.is_file() => {
                self.complain(&io::Error::new(
                    ErrorKind::InvalidInput,
                    "not a regular file; only files can be followed",
                ));
                false
            }
            Ok(metadata) => match &mut self.current {
                Some(current) if current.id == Id::of(&metadata) => {
                    self.complaint = None;
                    current.note(metadata.len(), modified(&metadata));
                    false
                }
                _ => match self.turn(shared) {
                    Ok(changed) => {
                        self.complaint = None;
                        changed
                    }
                    Err(error) if is_too_many(&error) => {
                        shared.is_crowded = true;
                        return false;
                    }
                    Err(error) => {
                        self.complain(&error);
                        false
                    }
                },
            },
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                let was_there = self.retire();
                if !self.looked && !self.is_found {
                    self.note("does not exist yet; waiting for it".to_owned(), 0);
                }
                was_there
            }
            Err(error) => {
                self.complain(&error);
                false
            }
        };
        self.looked = true;
        changed
    }

    /// Follows the path to another file.
    fn turn(&mut self, shared: &mut Shared) -> io::Result<bool> {
        let file = File::open(&self.path)?;
        let metadata = file.metadata()?;
        let id = Id::of(&metadata);
        if self.current.as_ref().is_some_and(|current| current.id == id) {
            return Ok(false);
        }
        let mut first = [0; SAMPLE];
        let count = read_at(&file, &mut first, 0)?;
        if let Some(why) = why_not_followed(&first[..count]) {
            self.retire();
            return Err(io::Error::new(ErrorKind::Unsupported, why));
        }
        self.retire();
        if let Some(at) = self.retired.iter().position(|retired| retired.id == id) {
            // Of this run with its old name again, or of an earlier run.
            let mut known = self.retired.remove(at);
            if known.file.replace(file).is_none() {
                shared.opened();
            }
            self.is_suspect = !known.is_intact()?;
            (known.retired, known.placed, known.pending) = (false, true, true);
            known.path.clone_from(&self.path);
            known.note(metadata.len(), modified(&metadata));
            shared.keep(&mut known);
            self.current = Some(known);
            return Ok(true);
        }
        let mut new = Generation::new(shared.serial(), file, &self.path)?;
        let is_first = !self.looked && !self.is_late && self.retired.is_empty();
        if is_first && shared.from == From::End {
            new.skip_to_end()?;
        }
        shared.opened();
        shared.keep(&mut new);
        self.changes.push((new.serial, Some(new.saved(&self.absolute))));
        self.current = Some(new);
        Ok(!is_first)
    }

    /// The current file is not the current one any more. False when there is none.
    fn retire(&mut self) -> bool {
        let Some(mut current) = self.current.take() else { return false };
        current.retire();
        self.is_suspect = false;
        self.retired.push(current);
        true
    }

    /// The first of its files that may give something.
    pub fn next_to_read(&self, flush: bool) -> Option<usize> {
        let current = self.current.iter().filter(|_| !self.is_suspect);
        for (place, generation) in self.retired.iter().chain(current).enumerate() {
            if generation.file.is_none() && !generation.placed {
                continue;
            }
            if generation.wants_reading(flush) {
                return Some(place);
            }
            if generation.holds_up() && !flush {
                return None;
            }
        }
        None
    }

    pub fn wants_reading(&self) -> bool {
        self.next_to_read(false).is_some()
    }

    pub fn has_unread(&self) -> bool {
        self.generations().any(|generation| generation.unread() > 0)
    }

    /// Whether it is to be looked at often.
    pub fn is_active(&self) -> bool {
        self.generations().any(|generation| generation.grown.elapsed() < ACTIVE)
    }

    pub fn reopen(&mut self, place: usize, shared: &mut Shared) -> io::Result<()> {
        if let Some(generation) = self.generation_mut(place)
            && generation.file.is_none()
        {
            generation.reopen()?;
            shared.opened();
        }
        Ok(())
    }

    /// A file cannot be read, or not be opened again.
    pub fn cannot_be_read(&mut self, place: usize, error: &io::Error, shared: &mut Shared) {
        if let Some(generation) = self.generation_mut(place) {
            generation.pending = false;
            if generation.file.take().is_some() {
                shared.closed();
            }
            // A retired one is looked for; where the path leads shows the next look.
            generation.placed &= !generation.retired;
        }
        if error.kind() != ErrorKind::NotFound {
            self.complain(error);
        }
    }

    /// A file does not hold what was read of it.
    pub fn suspect(&mut self, place: usize, shared: &mut Shared) {
        if place == self.retired.len() {
            self.is_suspect = self.current.is_some();
            return;
        }
        let changed = self.retired.remove(place);
        shared.closed();
        self.changes.push((changed.serial, None));
        let lost = changed.known_unread();
        if lost > 0 {
            let path = changed.path.display();
            self.note(format!("{path} was changed before all of it was read"), lost);
        }
    }

    /// Since when its open files were not read.
    pub fn open_since(&self) -> impl Iterator<Item = Instant> {
        self.generations().filter(|generation| generation.is_closable()).map(|one| one.used)
    }

    pub fn close_unused(&mut self, since: Instant, shared: &mut Shared) {
        for generation in self.retired.iter_mut().chain(&mut self.current) {
            if generation.is_closable() && generation.used <= since {
                generation.file = None;
                shared.closed();
            }
        }
    }

    pub fn has_finished(&self) -> bool {
        self.retired.iter().any(Generation::is_finished)
    }

    /// Closes and forgets retired files that are done.
    pub fn let_go(&mut self, shared: &mut Shared) {
        for mut done in self.retired.extract_if(.., |retired| retired.is_finished()) {
            if done.file.take().is_some() {
                shared.closed();
            }
            self.changes.push((done.serial, None));
            self.done.push_back(done);
        }
        while self.done.len() > REMEMBERED {
            self.done.pop_front();
        }
    }

    /// Tells a fault once, until it is another one.
    fn complain(&mut self, error: &io::Error) {
        if self.complaint.replace(error.kind()) != Some(error.kind()) {
            self.note(format!("cannot be followed now: {error}"), 0);
        }
    }

    fn note(&mut self, message: String, lost: u64) {
        let mut message = format!("{}: {message}", self.name);
        if lost > 0 {
            message.push_str(&format!("; {} bytes are lost", term::count(lost)));
        }
        self.notes.push(Note { message, lost });
    }
}
