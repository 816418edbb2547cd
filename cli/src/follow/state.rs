//! The state file: how far each file was read, for the next run.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use super::print::Print;
use crate::identity::Id;

/// What the file calls itself.
const KIND: &str = "whyerr-follow-state";
const VERSION: u32 = 1;
/// What is behind its name in those of the files beside it.
const LOCK: &str = ".lock";
const NEW: &str = ".new";
/// How often it is saved.
const SAVE_EVERY: Duration = Duration::from_secs(1);
/// Seconds after which a file is forgotten that nobody follows any more.
const FORGET_AFTER: u64 = 7 * 24 * 3600;

/// How far a file was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    /// The path that is followed.
    pub followed: String,
    /// Where this content of it stood.
    pub path: String,
    #[serde(flatten)]
    pub id: Id,
    pub head: Print,
    pub tail: Print,
    /// Where the first event begins whose findings were not written.
    pub offset: u64,
    pub line: u64,
    /// How far the file is known to have gone.
    pub known: u64,
    pub modified: u64,
    pub skipping: bool,
    /// When it was last followed, in seconds since 1970.
    pub seen: u64,
}

#[derive(Serialize, Deserialize)]
struct Content {
    kind: String,
    version: u32,
    files: Vec<Saved>,
}

/// What is known of a file by its serial number; `None` when it is done with.
pub type Change = (u64, Option<Saved>);

/// What the follower tells of files: it holds, all at once, when all pieces up to `after` are
/// written.
pub struct Mark {
    pub after: u64,
    pub changes: Vec<Change>,
}

/// The state file of a run. Locked, so that no other process uses it.
pub struct StateFile {
    path: PathBuf,
    /// Holds the lock. Beside the state, which is replaced at every save.
    _lock: File,
    marks: Option<Receiver<Mark>>,
    waiting: VecDeque<Mark>,
    files: BTreeMap<u64, Saved>,
    /// Of an earlier run, not followed now.
    others: Vec<Saved>,
    changed: bool,
    saved_at: Instant,
}

impl StateFile {
    /// The files that it takes: the state itself, and those beside it.
    pub fn paths(path: &Path) -> [PathBuf; 3] {
        [path.to_owned(), beside(path, LOCK), beside(path, NEW)]
    }

    /// Opens the file, or begins a new one. Gives what an earlier run left.
    pub fn open(path: &Path) -> anyhow::Result<(StateFile, Vec<Saved>)> {
        let lock_path = beside(path, LOCK);
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .with_context(|| format!("state file {}: cannot write there", path.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "state file {}: another process uses it; give each its own with --state",
                path.display()
            ),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", lock_path.display()));
            }
        }
        let files = match fs::read(path) {
            Ok(bytes) => read(&bytes).with_context(|| {
                format!(
                    "state file {}: not a state of whyerr; name another one, or remove it to \
                     begin anew",
                    path.display()
                )
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                return Err(error).with_context(|| format!("state file {}", path.display()));
            }
        };
        let mut state = StateFile {
            path: path.to_owned(),
            _lock: lock,
            marks: None,
            waiting: VecDeque::new(),
            files: BTreeMap::new(),
            others: files.clone(),
            changed: true,
            saved_at: Instant::now(),
        };
        // A folder that cannot be written to is a mistake that shows at once, not after an hour.
        state.save()?;
        Ok((state, files))
    }

    /// Where the follower's marks come from, and what it does not follow.
    pub fn listen(&mut self, marks: Receiver<Mark>, others: Vec<Saved>) {
        self.marks = Some(marks);
        self.others = others;
    }

    /// All that came of the first `pieces` pieces is written.
    pub fn written(&mut self, pieces: u64) {
        let Some(marks) = &self.marks else { return };
        self.waiting.extend(marks.try_iter());
        while self.waiting.front().is_some_and(|mark| mark.after <= pieces) {
            let Some(mark) = self.waiting.pop_front() else { break };
            for (serial, saved) in mark.changes {
                match saved {
                    Some(saved) => self.files.insert(serial, saved),
                    None => self.files.remove(&serial),
                };
            }
            self.changed = true;
        }
    }

    /// Whether it is time to note what was written, and to save it.
    pub fn is_due(&self) -> bool {
        self.saved_at.elapsed() >= SAVE_EVERY
    }

    /// Replaces the file if there is news: a crash leaves the old one or the new one, whole.
    pub fn save(&mut self) -> anyhow::Result<()> {
        self.saved_at = Instant::now();
        if !self.changed {
            return Ok(());
        }
        self.try_save()
            .with_context(|| format!("state file {}: cannot be saved", self.path.display()))?;
        self.changed = false;
        Ok(())
    }

    fn try_save(&self) -> io::Result<()> {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = since.map_or(0, |since| since.as_secs());
        let followed = self.files.values().map(|saved| Saved { seen: now, ..saved.clone() });
        let others = self.others.iter().filter(|saved| saved.seen + FORGET_AFTER >= now).cloned();
        let content = Content {
            kind: KIND.to_owned(),
            version: VERSION,
            files: followed.chain(others).collect(),
        };
        let temporary = beside(&self.path, NEW);
        let mut file = File::create(&temporary)?;
        let mut text = serde_json::to_vec(&content)?;
        text.push(b'\n');
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&temporary, &self.path)?;
        // The rename itself must last too. Where folders cannot be opened it is left to the system.
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Ok(folder) = File::open(folder.unwrap_or(Path::new("."))) {
            let _ = folder.sync_all();
        }
        Ok(())
    }
}

/// The path with something behind its name: in the same folder, so that a rename is atomic.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn read(bytes: &[u8]) -> anyhow::Result<Vec<Saved>> {
    #[derive(Deserialize)]
    struct Kind {
        kind: String,
        version: u32,
    }
    let Kind { kind, version } = serde_json::from_slice(bytes)?;
    if kind != KIND {
        bail!("its kind is `{kind}`, not `{KIND}`");
    }
    if version != VERSION {
        bail!("its version is {version}; this whyerr knows version {VERSION}");
    }
    let content: Content = serde_json::from_slice(bytes)?;
    if let Some(saved) = content.files.iter().find(|saved| !saved.is_sound()) {
        bail!("the entry of {} contradicts itself", saved.followed);
    }
    Ok(content.files)
}

impl Saved {
    fn is_sound(&self) -> bool {
        let read = self.offset;
        self.line > 0
            && self.head.len as u64 <= read
            && self.tail.len as u64 <= read
            && self.head.len <= 1 << 20
            && self.tail.len <= 1 << 20
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn saved(offset: u64) -> Saved {
        Saved {
            followed: "a.log".into(),
            path: "a.log.1".into(),
            id: Id { device: 1, inode: 2 },
            head: Print::of(b"ab"),
            tail: Print::of(b"b"),
            offset,
            line: 7,
            known: 90,
            modified: u64::MAX,
            skipping: false,
            seen: 0,
        }
    }

    #[test]
    fn what_was_written_is_there_again_and_what_was_not_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let (mut state, old) = StateFile::open(&path).unwrap();
        assert_eq!(old, []);
        assert!(StateFile::open(&path).err().unwrap().to_string().contains("another process"));
        let (sender, marks) = mpsc::channel();
        state.listen(marks, Vec::new());
        for (after, offset) in [(0, 10), (1, 20), (2, 30)] {
            sender.send(Mark { after, changes: vec![(5, Some(saved(offset)))] }).unwrap();
        }
        state.written(1);
        state.save().unwrap();
        drop(state);
        let (_state, old) = StateFile::open(&path).unwrap();
        let [only] = &old[..] else { panic!("{old:?}") };
        assert_eq!(only, &Saved { seen: only.seen, ..saved(20) });
    }

    #[test]
    fn other_files_are_refused() {
        let whole = |saved: Saved| {
            let content = Content { kind: KIND.into(), version: VERSION, files: vec![saved] };
            serde_json::to_vec(&content).unwrap()
        };
        assert!(read(&whole(saved(20))).is_ok());
        assert!(read(&whole(saved(1))).is_err(), "more bytes known than read");
        assert!(read(&whole(saved(20))[..50]).is_err(), "cut");
        for text in ["", "{}", "[]", "{\"kind\":\"other\",\"version\":1,\"files\":[]}"] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
        let newer = format!("{{\"kind\":\"{KIND}\",\"version\":2,\"files\":[]}}");
        assert!(format!("{:#}", read(newer.as_bytes()).unwrap_err()).contains("version is 2"));
    }
}
