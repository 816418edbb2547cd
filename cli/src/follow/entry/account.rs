//! What became of a followed path's earlier contents: which of the rotated files is which.

use std::collections::HashSet;
use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use super::Entry;
use crate::follow::generation::{Generation, begin_alike};
use crate::follow::rotated::Sibling;
use crate::follow::{Shared, is_too_many};
use crate::identity::Id;

/// A copy of the followed file that is so old was not made to truncate it.
const COPYING: Duration = Duration::from_secs(30);
/// A rotated file that was not there for so long is forgotten.
const ABSENT: Duration = Duration::from_secs(60);

/// What came of looking for rotated files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Account {
    /// All is known.
    Complete,
    /// A copy is not finished, or not yet of use: look again.
    Open,
    /// Something must be there that was not found.
    Missing,
}

impl Entry {
    /// Whether looking at its rotated files is of use.
    pub fn concerns(&self, siblings: &[Sibling]) -> bool {
        let lost = |generation: &Generation| generation.file.is_none() && !generation.placed;
        self.since.is_none()
            || self.is_suspect
            || self.retired.iter().any(lost)
            || siblings.iter().any(|sibling| !self.seen.contains_key(&sibling.seen()))
    }

    /// Accounts for all rotated files: each is a file that is read already, or a copy of one, or a
    /// content that came and went between two looks. `last`: what is not among these is nowhere.
    pub fn account(&mut self, siblings: &[Sibling], last: bool, shared: &mut Shared) -> Account {
        self.look(shared);
        self.begin(siblings);
        let now = Instant::now();
        for sibling in siblings {
            self.seen.entry(sibling.seen()).and_modify(|there| *there = now);
        }
        // One that is renamed while the folder is read may not show.
        self.seen.retain(|_, there| now - *there < ABSENT);
        self.watched.retain(|_, (_, since)| now - *since < ABSENT);
        let mut account = Account::Complete;
        // Which of the others are news depends on these.
        if !self.find_retired(siblings, last, shared)
            || (self.is_suspect && !self.find_copy(siblings, last, shared))
        {
            return Account::Missing;
        }
        for sibling in siblings {
            if self.seen.contains_key(&sibling.seen()) {
                continue;
            }
            match self.identify(sibling, shared) {
                Ok(Account::Complete) => {
                    self.seen.insert(sibling.seen(), Instant::now());
                }
                Ok(Account::Open) => account = account.max(Account::Open),
                Ok(Account::Missing) => return Account::Missing,
                // Renamed since: it is found the next time.
                Err(error) if error.kind() == ErrorKind::NotFound => account = Account::Missing,
                Err(error) if is_too_many(&error) => {
                    shared.is_crowded = true;
                    account = Account::Missing;
                }
                Err(error) => {
                    let path = sibling.path.display();
                    self.note(format!("rotated to {path}, which cannot be read: {error}"), 0);
                    self.seen.insert(sibling.seen(), Instant::now());
                }
            }
        }
        account
    }

    /// What stands there before the first look is not news, unless it came after an earlier run.
    fn begin(&mut self, siblings: &[Sibling]) {
        if self.since.is_some() {
            return;
        }
        // By the files' own times: the clock of a file server may be another one.
        let current = self.current.iter().map(|current| current.modified);
        let newest = siblings.iter().map(|sibling| sibling.modified).chain(current).max();
        self.since = Some(self.restored.or(newest).unwrap_or(0));
        let is_old =
            |sibling: &&Sibling| self.restored.is_none_or(|restored| sibling.modified <= restored);
        let old = siblings.iter().filter(is_old);
        self.seen.extend(old.map(|sibling| (sibling.seen(), Instant::now())));
    }

    /// Looks for retired files that have neither an open file nor a name.
    fn find_retired(&mut self, siblings: &[Sibling], last: bool, shared: &mut Shared) -> bool {
        let mut all = true;
        for at in (0..self.retired.len()).rev() {
            let retired = &mut self.retired[at];
            if retired.placed {
                continue;
            }
            if let Some(sibling) = siblings.iter().find(|sibling| sibling.id == retired.id) {
                retired.path.clone_from(&sibling.path);
                let is_open = retired.file.is_some();
                let found =
                    is_open || (retired.reopen().is_ok() && retired.is_intact().unwrap_or(false));
                if !is_open && retired.file.is_some() {
                    shared.opened();
                }
                if found {
                    retired.placed = true;
                    self.seen.insert(sibling.seen(), Instant::now());
                    continue;
                }
                // Another file that has its number now.
                if retired.file.take().is_some() {
                    shared.closed();
                }
            }
            if retired.file.is_some() {
                continue;
            }
            if !last {
                all = false;
                continue;
            }
            let lost = retired.known_unread();
            let gone = self.retired.remove(at);
            self.changes.push((gone.serial, None));
            if lost > 0 {
                self.note("is gone before all of it was read".to_owned(), lost);
            }
        }
        all
    }

    /// The current file was truncated: what was not read of it may stand in a copy.
    fn find_copy(&mut self, siblings: &[Sibling], last: bool, shared: &mut Shared) -> bool {
        let own: HashSet<Id> = self.generations().map(|generation| generation.id).collect();
        let Some(current) = &mut self.current else { return true };
        if current.file.is_none() && current.reopen().is_ok() {
            shared.opened();
        }
        let size = current.file.as_ref().and_then(|file| file.metadata().ok());
        let size = size.map_or(0, |metadata| metadata.len());
        let mut copy = None;
        if current.offset > 0 {
            let candidates = siblings.iter().rev().filter(|sibling| !own.contains(&sibling.id));
            copy = candidates
                .filter_map(|sibling| Some((sibling, sibling.open().ok()?)))
                .find(|(_, (file, size))| current.is_in(file, *size).unwrap_or(false));
            if copy.is_none() && !last {
                return false;
            }
        }
        let (mut lost, mut what) =
            (current.known_unread(), "was truncated before all of it was read");
        if let Some((sibling, (file, copied))) = copy {
            let continued = current.continued_in(shared.serial(), file, &sibling.path);
            if let Ok(mut continued) = continued {
                shared.opened();
                shared.keep(&mut continued);
                lost = current.known_behind(copied);
                what = "was truncated before all of it was copied";
                self.seen.insert(sibling.seen(), Instant::now());
                self.changes.push((continued.serial, Some(continued.saved(&self.absolute))));
                self.retired.push(continued);
            }
        } else if current.offset == 0 {
            // Nothing was read: its copy, if there is one, is read as a file of its own.
            lost = 0;
        }
        current.restart(size);
        self.changes.push((current.serial, Some(current.saved(&self.absolute))));
        self.is_suspect = false;
        if lost > 0 {
            self.note(what.to_owned(), lost);
        }
        true
    }

    /// What an unknown rotated file is. `Complete`: known now.
    fn identify(&mut self, sibling: &Sibling, shared: &mut Shared) -> io::Result<Account> {
        if self.generations().any(|generation| generation.id == sibling.id) {
            return Ok(Account::Complete);
        }
        // Contents come and go unseen only where the path has another one now.
        if sibling.is_doubtful && !self.is_fresh() {
            return Ok(Account::Complete);
        }
        let (file, size) = sibling.open()?;
        let watched = self.watched.entry(sibling.seen()).or_insert((size, Instant::now()));
        if watched.0 != size {
            *watched = (size, Instant::now());
        }
        let is_old = watched.1.elapsed() >= COPYING;
        if size == 0 {
            return Ok(if is_old { Account::Complete } else { Account::Open });
        }
        if self.since.is_some_and(|since| sibling.modified < since) {
            return Ok(Account::Complete);
        }
        let known = self.retired.iter().chain(&self.done);
        for known in known {
            if known.is_copied_in(&file, size)? {
                return Ok(Account::Complete);
            }
        }
        if let Some(current) = &mut self.current {
            if current.file.is_none() && current.reopen().is_ok() {
                shared.opened();
            }
            if !current.is_intact()? {
                self.is_suspect = true;
                return Ok(Account::Missing);
            }
            let is_copy = match &current.file {
                Some(own) if size < current.offset || current.offset == 0 => {
                    begin_alike(&file, own)?
                }
                _ => current.is_in(&file, size)?,
            };
            if is_copy {
                return Ok(if is_old { Account::Complete } else { Account::Open });
            }
        }
        let mut new = Generation::new(shared.serial(), file, &sibling.path)?;
        (new.retired, new.is_guess) = (true, sibling.is_doubtful);
        shared.opened();
        shared.keep(&mut new);
        self.changes.push((new.serial, Some(new.saved(&self.absolute))));
        self.retired.push(new);
        Ok(Account::Complete)
    }
}
