//! Names that rotation gives: which files beside a followed one are its earlier contents.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::print::modified;
use crate::identity::Id;

/// Endings without digits that tools give to what they replace.
const OLD: &[&str] = &[".old", ".bak", ".prev"];

/// How often a folder is read whose names change meanwhile.
const ATTEMPTS: usize = 10;

/// A file that has a rotated name.
#[derive(Debug, Clone)]
pub struct Sibling {
    pub path: PathBuf,
    pub id: Id,
    /// Tells it from an earlier file of the same number, where the file system knows it.
    pub created: Option<SystemTime>,
    /// See [`modified`].
    pub modified: u64,
    /// Its name may be that of a file of its own.
    pub is_doubtful: bool,
}

impl Sibling {
    /// Number and time of creation: a file that has its number later is another one.
    pub fn seen(&self) -> (Id, Option<SystemTime>) {
        (self.id, self.created)
    }

    /// The file and its size; `NotFound` where the name is another file's now.
    pub fn open(&self) -> io::Result<(File, u64)> {
        let file = File::open(&self.path)?;
        let metadata = file.metadata()?;
        match Id::of(&metadata) == self.id {
            true => Ok((file, metadata.len())),
            false => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

/// The names of which `name` may be an earlier content: `app.log` for `app.log.1`,
/// `app.log-20261124`, `app.log.old`, `app-2026-11-24.log` and `app.1.log`. None for compressed
/// files: they are not read again.
pub fn origins(name: &str) -> Vec<String> {
    let mut list: Vec<String> =
        OLD.iter().filter_map(|old| name.strip_suffix(old)).map(str::to_owned).collect();
    list.extend(without_date(name).into_iter().map(str::to_owned));
    if let Some((stem, extension)) = name.rsplit_once('.')
        && extension.contains(|c: char| c.is_ascii_alphabetic())
    {
        list.extend(without_date(stem).into_iter().map(|stem| format!("{stem}.{extension}")));
    }
    list
}

/// Whether a name that has origins may as well be that of a file of its own: one of several workers,
/// `app-1.log`. Not where a date or a word tells of rotation, or a short number behind the whole name.
pub fn is_doubtful(name: &str) -> bool {
    let is_whole = |part: &str| (1..=4).contains(&part.len()) && part.parse::<u16>().is_ok();
    let is_old = OLD.iter().any(|old| name.ends_with(old));
    let is_numbered = name.rsplit_once('.').is_some_and(|(_, number)| is_whole(number));
    !is_old && !is_numbered && !has_date(name)
}

/// Whether a day stands in a name: `20261124`, `2026-11-24`, `2026112410`, `11-24-2026`, or seconds
/// since 1970.
fn has_date(name: &str) -> bool {
    let parts: Vec<&str> = name.split(|c: char| !c.is_ascii_digit()).collect();
    let number = |part: &str| part.parse::<u64>().unwrap_or(0);
    let is_day = |year: &str, month: &str, day: &str| {
        (year.len(), month.len(), day.len()) == (4, 2, 2)
            && (1970..2200).contains(&number(year))
            && (1..=12).contains(&number(month))
            && (1..=31).contains(&number(day))
    };
    let in_one = |part: &&str| match part.len() {
        8 | 10 | 12 | 14 if is_day(&part[..4], &part[4..6], &part[6..8]) => true,
        length => length == 10 && part.starts_with('1'),
    };
    let in_three = |window: &[&str]| {
        let [a, b, c] = window else { return false };
        is_day(a, b, c) || is_day(c, a, b) || is_day(c, b, a)
    };
    parts.iter().any(in_one) || parts.windows(3).any(in_three)
}

/// A name without the numbers, dates and times at its end, one part less each time.
fn without_date(name: &str) -> Vec<&str> {
    let mut list = Vec::new();
    let mut rest = name;
    while let Some(at) = rest.rfind(['.', '-', '_', 'T']) {
        let part = rest[at + 1..].trim_end_matches('Z');
        if at == 0 || part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit() || b == b':') {
            break;
        }
        rest = &rest[..at];
        // `T` divides a date from a time, never a name from a date.
        if name.as_bytes().get(at) != Some(&b'T') {
            list.push(rest);
        }
    }
    list
}

/// The rotated files in a folder, by the followed name they come from, oldest first.
pub fn list(
    folder: &Path,
    is_followed: impl Fn(&OsStr) -> bool,
) -> io::Result<HashMap<OsString, Vec<Sibling>>> {
    let mut found: HashMap<OsString, Vec<Sibling>> = HashMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let file_name = entry.file_name();
        let Some(name) = file_name.to_str() else { continue };
        if is_followed(&file_name) {
            continue;
        }
        let origin = origins(name).into_iter().find(|origin| is_followed(origin.as_ref()));
        let Some(origin) = origin else { continue };
        // Gone since: renamed once more, or removed. What was renamed is found the next time.
        let Ok(metadata) = fs::metadata(entry.path()) else { continue };
        if metadata.is_file() {
            found.entry(origin.into()).or_default().push(Sibling {
                path: entry.path(),
                id: Id::of(&metadata),
                created: metadata.created().ok(),
                modified: modified(&metadata),
                is_doubtful: is_doubtful(name),
            });
        }
    }
    for siblings in found.values_mut() {
        // A longer number is a higher one: for equal times the order of `app.log.10`, `app.log.9`.
        siblings.sort_by(|a, b| {
            let key = |sibling: &Sibling| {
                let name = sibling.path.as_os_str();
                (sibling.modified, std::cmp::Reverse((name.len(), name.to_owned())))
            };
            key(a).cmp(&key(b))
        });
        // A rename while the folder was read shows a file twice.
        let mut ids = HashSet::new();
        siblings.retain(|sibling| ids.insert(sibling.id));
    }
    Ok(found)
}

/// The rotated files of one followed name. `None` when names changed all the time: some file may
/// not have shown under any.
pub fn list_surely(folder: &Path, base: &OsStr) -> io::Result<Option<Vec<Sibling>>> {
    let ids = |siblings: &[Sibling]| siblings.iter().map(Sibling::seen).collect::<HashSet<_>>();
    let once =
        || Ok::<_, io::Error>(list(folder, |name| name == base)?.remove(base).unwrap_or_default());
    let mut before = once()?;
    for _ in 0..ATTEMPTS {
        let now = once()?;
        if ids(&before) == ids(&now) {
            return Ok(Some(now));
        }
        before = now;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_workers_are_doubtful() {
        let workers = [
            "app-1.log",
            "app.1.log",
            "app_12.log",
            "app-3",
            "app.log-2",
            "app-12345.log",
            "app-10.0.0.5.log",
            "app-8080.log",
            "app.20269999.log",
        ];
        for name in workers {
            assert!(is_doubtful(name), "{name}");
        }
        // logrotate, with its ways to write dates; Python; logback, log4j; lumberjack; Kubernetes;
        // newsyslog; winston.
        let rotated = [
            "app.log.1",
            "app.log.0",
            "app.log-20261124",
            "app.log-2026112410",
            "app.log-1795543894",
            "app.log.20261124",
            "app-20261124.log",
            "app.log-2026-11-24",
            "app.log.2026-11-24",
            "app.log.2026-11-24_10",
            "app.log.2026-11-24_10-15-00",
            "app-2026-11-24.log",
            "app.2026-11-24.log",
            "app-2026-11-24.1.log",
            "app-11-24-2026-1.log",
            "app-2026-11-24T10-15-00.000.log",
            "0.log.20261124-101500",
            "messages.0",
            "messages-20261124",
            "app.log.old",
            "app.log.bak",
            "syslog.1",
        ];
        for name in rotated {
            assert!(!is_doubtful(name), "{name}");
            assert!(!origins(name).is_empty(), "{name}");
        }
    }

    #[test]
    fn rotated_names_are_known() {
        let rotated = [
            ("app.log.1", "app.log"),
            ("app.log-20261124", "app.log"),
            ("app.log.2026-11-24", "app.log"),
            ("app.log.2026-11-24T10:00:00Z", "app.log"),
            ("app.log-20261124-1", "app.log"),
            ("app.log.old", "app.log"),
            ("app-2026-11-24.log", "app.log"),
            ("app.1.log", "app.log"),
            ("messages-20261124", "messages"),
            ("syslog.1", "syslog"),
            ("0.log.20261124-101500", "0.log"),
        ];
        for (name, origin) in rotated {
            assert!(origins(name).contains(&origin.to_owned()), "{name}: {:?}", origins(name));
        }
        let others =
            ["app.log", "app.log.gz", "app.log.1.gz", "app.log.zst", "app.log.1.bz2", "apps.log"];
        for name in others {
            assert!(!origins(name).contains(&"app.log".to_owned()), "{name}");
        }
    }
}
