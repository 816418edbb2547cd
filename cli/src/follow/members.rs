//! Which files are followed: those that are named, come into folders, or turn out to be their own.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::doubt::Doubt;
use super::entry::Entry;
use super::generation::Generation;
use super::roots::{Look, MAX_FOUND};
use super::state::Saved;
use super::{Folder, Follower, LONGEST_PAUSE, MAX_NUMBERS, POLL, mark, rotated};
use crate::scan::reader::Notice;

/// A file of a folder or a pattern that was gone for so long is forgotten.
const FORGET_AFTER: Duration = Duration::from_secs(300);

impl Follower {
    /// Follows these too, but for rotated files of what is followed: they are read as part of the
    /// file that they come from.
    pub(super) fn take_up(&mut self, entries: Vec<Entry>, saved: &mut HashMap<String, Vec<Saved>>) {
        let places: HashSet<(PathBuf, OsString)> =
            entries.iter().map(|entry| (entry.folder.clone(), entry.base.clone())).collect();
        for entry in entries {
            let origins = entry.base.to_str().map(rotated::origins).unwrap_or_default();
            let is_followed = |origin: String| {
                let place = (entry.folder.clone(), OsString::from(origin));
                self.find_entry(&place.0, &place.1).is_some() || places.contains(&place)
            };
            if origins.into_iter().any(is_followed) {
                let is_doubtful = entry.base.to_str().is_some_and(rotated::is_doubtful);
                // An earlier run saw it grow.
                if !(is_doubtful && saved.contains_key(&*entry.absolute)) {
                    if is_doubtful {
                        self.doubts.push(Doubt::new(entry, &mut self.shared));
                    }
                    continue;
                }
            }
            let saved = saved.remove(&*entry.absolute).unwrap_or_default();
            self.add(entry, &saved);
        }
    }

    /// The number of the entry of a name in a folder.
    fn find_entry(&self, folder: &Path, base: &OsStr) -> Option<usize> {
        self.folders.get(folder)?.entries.get(base).copied()
    }

    /// Follows files that turned out to be their own, and not earlier contents of others.
    pub(super) fn settle_doubts(&mut self) {
        if self.doubted.elapsed() < LONGEST_PAUSE {
            return;
        }
        self.doubted = Instant::now();
        let (mut grown, mut doubts) = (Vec::new(), Vec::new());
        for mut doubt in std::mem::take(&mut self.doubts) {
            let Entry { folder, base, .. } = &doubt.entry;
            let origins = base.to_str().map(rotated::origins).unwrap_or_default();
            let origin = origins.iter().find_map(|origin| self.find_entry(folder, origin.as_ref()));
            let entry = origin.map(|at| &self.entries[at]);
            match doubt.is_settled(entry, &mut self.shared) {
                true => grown.push((doubt, origin)),
                false => doubts.push(doubt),
            }
        }
        self.doubts = doubts;
        for (mut doubt, origin) in grown {
            let saved = doubt.saved();
            let id = saved.as_ref().map(|saved| saved.id);
            // What was read of it as a content of the other one is not read again.
            let read = origin.zip(id).and_then(|(at, id)| {
                let absolute = doubt.entry.absolute.clone();
                self.with(at, |entry, shared| entry.give_up(id, &absolute, shared))
            });
            let saved: Vec<Saved> = read.or(saved).into_iter().collect();
            self.add(doubt.entry, &saved);
        }
    }

    fn add(&mut self, mut entry: Entry, saved: &[Saved]) {
        let known = self.folders.get(&entry.folder);
        if known.is_some_and(|folder| folder.entries.contains_key(&entry.base)) {
            return;
        }
        // Until now these passed for files of their own: they are its earlier contents.
        let is_rotated = |base: &OsStr| {
            let Some(name) = base.to_str() else { return false };
            rotated::origins(name).iter().any(|origin| **origin == *entry.base)
                && !rotated::is_doubtful(name)
        };
        let rotated: Vec<usize> = known
            .into_iter()
            .flat_map(|folder| &folder.entries)
            .filter(|(base, at)| self.entries[**at].is_found && is_rotated(base))
            .map(|(_, &at)| at)
            .collect();
        for at in rotated {
            entry.adopt(&mut self.entries[at]);
            self.forget(at);
        }
        entry.restore(saved, &mut self.shared);
        self.found += usize::from(entry.is_found);
        let at = match self.entries.len() < MAX_NUMBERS {
            true => self.entries.len(),
            false => self.free.pop_front().unwrap_or(self.entries.len()),
        };
        let saved = |one: &Generation| (one.serial, Some(one.saved(&entry.absolute)));
        mark(&self.marks, self.given, entry.generations().map(saved).collect());
        let folder = self.folders.entry(entry.folder.clone()).or_insert_with(|| Folder {
            entries: HashMap::new(),
            modified: None,
            changed: Instant::now(),
            again: true,
            due: Instant::now(),
            pause: POLL,
        });
        folder.entries.insert(entry.base.clone(), at);
        self.told.push_back(Notice::Source { source: at, name: entry.name.to_string() });
        match self.entries.get_mut(at) {
            Some(free) => *free = entry,
            None => self.entries.push(entry),
        }
    }

    /// Follows a file no more that is gone, or another one's.
    fn forget(&mut self, at: usize) {
        let forgotten = std::mem::replace(&mut self.entries[at], Entry::forgotten());
        self.found -= usize::from(forgotten.is_found);
        if let Some(folder) = self.folders.get_mut(&forgotten.folder) {
            folder.entries.remove(&forgotten.base);
            if folder.entries.is_empty() {
                self.folders.remove(&forgotten.folder);
            }
        }
        self.free.push_back(at);
    }

    /// Looks for files that came into folders, or that patterns match now.
    pub(super) fn look_for_files(&mut self, saved: &mut HashMap<String, Vec<Saved>>) {
        let room = MAX_FOUND.saturating_sub(self.found + self.doubts.len());
        let Some(Look { files, notes, is_first }) = self.roots.look(room) else { return };
        for message in notes {
            self.told.push_back(Notice::Note { message, lost: 0 });
        }
        self.take_up(files.iter().map(|path| Entry::found(path, !is_first)).collect(), saved);
    }

    /// Files of folders that do not come back.
    pub(super) fn forget_some(&mut self) {
        for at in 0..self.entries.len() {
            if self.entries[at].is_gone_for(FORGET_AFTER) {
                self.forget(at);
            }
        }
    }
}
