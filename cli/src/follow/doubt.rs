//! Files of which the name does not say whether they are earlier contents of a followed one:
//! `worker-1.log` beside `worker.log` may be either.
//!
//! What grows under its name is a file of its own: nobody writes to an earlier content, but for a
//! process that has not learnt of the new one yet, and for who copies it. So is what comes while
//! the followed one is not rotated.

use std::fs::{self, File};
use std::path::Path;

use super::entry::Entry;
use super::generation::{Generation, begin_alike};
use super::print::modified;
use super::state::Saved;
use super::{From, Shared};
use crate::identity::Id;

/// Such a file.
pub struct Doubt {
    pub entry: Entry,
    /// The file that has the name, where it is read from once it grows, and how long it was.
    seen: Option<(Saved, u64)>,
    /// It came after the start, and was looked at once.
    is_new: bool,
}

impl Doubt {
    pub fn new(entry: Entry, shared: &mut Shared) -> Doubt {
        let mut doubt = Doubt { entry, seen: None, is_new: false };
        doubt.look(shared, true);
        doubt
    }

    /// Looks at it. True once it is a file of its own.
    pub fn is_settled(&mut self, origin: Option<&Entry>, shared: &mut Shared) -> bool {
        let now = fs::metadata(&self.entry.path).ok();
        let has_grown = self.seen.as_ref().zip(now).map(|((saved, size), now)| {
            let is_same = Id::of(&now) == saved.id;
            (is_same && now.len() > *size, is_same && self.is_new)
        });
        // By now the followed one was looked at too.
        let is_own = match has_grown {
            Some((true, _)) => true,
            Some((false, true)) => !origin.is_some_and(Entry::is_fresh),
            _ => false,
        };
        let is_own = is_own && !self.is_content_of(origin);
        if !is_own {
            self.is_new = false;
            self.look(shared, false);
        }
        is_own
    }

    /// Where reading begins.
    pub fn saved(&mut self) -> Option<Saved> {
        self.seen.take().map(|(saved, _)| saved)
    }

    /// Whether it is, or was, the followed file, or a copy of what that holds now.
    fn is_content_of(&self, origin: Option<&Entry>) -> bool {
        let (Some(origin), Some((saved, _))) = (origin, &self.seen) else { return false };
        let is_copy = || match (File::open(&self.entry.path), File::open(&origin.path)) {
            (Ok(own), Ok(other)) => begin_alike(&own, &other).unwrap_or(false),
            _ => false,
        };
        origin.has_read(saved.id) || is_copy()
    }

    /// Takes up the file that has the name now, or its size.
    fn look(&mut self, shared: &mut Shared, is_first: bool) {
        let Ok(now) = fs::metadata(&self.entry.path) else {
            self.seen = None;
            return;
        };
        match &mut self.seen {
            Some((saved, size)) if saved.id == Id::of(&now) => {
                (*size, saved.modified) = (now.len(), modified(&now));
            }
            _ => {
                let from_end = is_first && !self.entry.is_late && shared.from == From::End;
                self.seen = first_look(&self.entry.path, &self.entry.absolute, from_end, shared);
                self.is_new = !is_first || self.entry.is_late;
            }
        }
    }
}

/// A file that cannot be read now is told of when it is one of its own.
fn first_look(
    path: &Path,
    absolute: &str,
    from_end: bool,
    shared: &mut Shared,
) -> Option<(Saved, u64)> {
    let mut generation = Generation::new(shared.serial(), File::open(path).ok()?, path).ok()?;
    if from_end {
        generation.skip_to_end().ok()?;
    }
    Some((generation.saved(absolute), generation.offset + generation.unread()))
}
