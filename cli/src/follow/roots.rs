//! Folders and patterns that are followed: which of their files are new.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::identity::Identity;
use crate::input::{Finder, is_text, pattern};
use crate::term;

/// How often is looked for new files, unless a look takes long.
const LOOK: Duration = Duration::from_secs(2);
const LONGEST_LOOK: Duration = Duration::from_secs(60);
/// A look takes one part in so many of the time.
const SHARE: u32 = 50;
/// Most files that are followed since a folder or a pattern has them.
pub const MAX_FOUND: usize = 10_000;
/// Most files that are looked at for that.
const MAX_LOOKED_AT: usize = 100_000;
/// Most faults that are told.
const MAX_FAULTS: usize = 100;

/// Where new files are looked for.
pub struct Roots {
    finder: Finder,
    roots: Vec<Root>,
    /// Files that are written to by this run.
    own: Vec<PathBuf>,
    /// Files that were there at the last look, whatever became of them.
    known: HashSet<PathBuf>,
    /// What was told.
    told: HashSet<String>,
    due: Instant,
    /// Nobody has looked yet.
    is_first: bool,
}

enum Root {
    Folder(PathBuf),
    Pattern(String),
}

impl Root {
    fn name(&self) -> String {
        match self {
            Root::Folder(path) => path.display().to_string(),
            Root::Pattern(pattern) => pattern.clone(),
        }
    }
}

/// What a look found.
#[derive(Default)]
pub struct Look {
    /// Files that are new, as far as they are text.
    pub files: Vec<PathBuf>,
    pub notes: Vec<String>,
    /// Nobody looked before: what is there is not news.
    pub is_first: bool,
}

impl Roots {
    /// Nothing yet. Files that the run writes to itself are not taken.
    pub fn new(finder: Finder, own: Vec<PathBuf>) -> Roots {
        Roots {
            finder,
            roots: Vec::new(),
            own,
            known: HashSet::new(),
            told: HashSet::new(),
            due: Instant::now(),
            is_first: true,
        }
    }

    /// Takes a folder or a pattern; whether it is one. One that ends with `/` is a folder to come.
    pub fn take(&mut self, path: &Path) -> bool {
        let ends_so = path.as_os_str().as_encoded_bytes().ends_with(b"/");
        let root = if path.is_dir() || (ends_so && !path.exists()) {
            Root::Folder(path.to_owned())
        } else if let Some(pattern) = pattern(path) {
            Root::Pattern(pattern.to_owned())
        } else {
            return false;
        };
        self.roots.push(root);
        true
    }

    /// A file of an earlier run, by its absolute path: its name now if it may come back.
    pub fn name_of(&self, absolute: &Path) -> Option<PathBuf> {
        self.roots.iter().find_map(|root| match root {
            Root::Folder(folder) => {
                let rest = absolute.strip_prefix(std::path::absolute(folder).ok()?).ok()?;
                Some(folder.join(rest))
            }
            Root::Pattern(pattern) => {
                let whole = std::path::absolute(pattern).ok()?;
                let pattern = glob::Pattern::new(whole.to_str()?).ok()?;
                let fits = pattern.matches_path_with(absolute, Finder::GLOB);
                fits.then(|| absolute.to_owned())
            }
        })
    }

    /// Looks for new files, if it is time. At most `room` are taken.
    pub fn look(&mut self, room: usize) -> Option<Look> {
        let started = Instant::now();
        if self.roots.is_empty() || started < self.due {
            return None;
        }
        let mut look = Look { is_first: self.is_first, ..Look::default() };
        let mut seen = HashSet::new();
        for root in &self.roots {
            let before = seen.len();
            let mut file = |path: PathBuf| {
                seen.insert(path);
                seen.len() < MAX_LOOKED_AT
            };
            let mut fault = |fault: String| look.notes.push(fault);
            match root {
                Root::Folder(folder) if !folder.is_dir() => {}
                Root::Folder(folder) => drop(self.finder.walk(folder, &mut file, &mut fault)),
                Root::Pattern(pattern) => self.finder.expand(pattern, &mut file, &mut fault),
            }
            if seen.len() == before {
                look.notes.push(format!("{}: no file to follow yet; waiting for one", root.name()));
            }
        }
        let mut new: Vec<PathBuf> = seen.difference(&self.known).cloned().collect();
        new.sort_unstable();
        let (mut left_out, mut is_full) = (0, false);
        for path in new {
            let identity = Identity::of(&path);
            if self.own.iter().any(|own| Identity::of(own) == identity) {
                continue;
            }
            match self.finder.is_own_output(&path) || !may_be_followed(&path) {
                true => left_out += 1,
                false if look.files.len() < room => look.files.push(path),
                false => {
                    // Until there is room.
                    seen.remove(&path);
                    is_full = true;
                }
            }
        }
        if is_full {
            look.notes.push(format!(
                "more than {} files: the others are not followed until some of these are gone",
                term::count(MAX_FOUND as u64)
            ));
        }
        if left_out > 0 && self.is_first {
            look.notes.push(format!(
                "left out of folders: {} that {} no text",
                term::plural(left_out, "file"),
                if left_out == 1 { "is" } else { "are" }
            ));
        }
        // Each once, and no more than somebody reads.
        look.notes.retain(|note| self.told.len() < MAX_FAULTS && self.told.insert(note.clone()));
        self.known = seen;
        self.is_first = false;
        let pause = (started.elapsed() * SHARE).clamp(LOOK, LONGEST_LOOK);
        self.due = Instant::now() + pause;
        Some(look)
    }
}

/// Whether a file is text, as far as it can be read. One that cannot be is told of by who reads it.
fn may_be_followed(path: &Path) -> bool {
    let head = || -> io::Result<bool> {
        let mut head = Vec::new();
        File::open(path)?.take(8 << 10).read_to_end(&mut head)?;
        Ok(is_text(&head))
    };
    head().unwrap_or(true)
}
