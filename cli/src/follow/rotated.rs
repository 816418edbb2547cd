//! Names that rotation gives: which files beside a followed one are its earlier contents.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::identity::{Id, modified};

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
/// `app-1.log`. Dates are none, and a short number behind the whole name is what rotation gives.
pub fn is_ambiguous(name: &str) -> bool {
    let is_number = |part: &str| (1..=3).contains(&part.len()) && part.parse::<u16>().is_ok();
    let (rest, whole) = match name.rsplit_once('.') {
        Some((stem, extension)) if extension.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            (stem, false)
        }
        _ => (name, true),
    };
    let Some(at) = rest.rfind(['.', '-', '_']) else { return false };
    let before = rest[..at].trim_end_matches(|c: char| c.is_ascii_digit());
    // The last part of a date has others before it.
    let is_date = before.len() < at && before.ends_with(['.', '-', '_']);
    is_number(&rest[at + 1..]) && !is_date && !(whole && rest[at..].starts_with('.'))
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
    fn names_of_workers_are_ambiguous() {
        for name in ["app-1.log", "app.1.log", "app_12.log", "app-3", "app.log-2"] {
            assert!(is_ambiguous(name), "{name}");
        }
        let clear =
            ["app.log.1", "app-2026-11-24.log", "app.log-20261124", "app.log.old", "app.log"];
        for name in clear.iter().chain(&["app.2026-11-24-1.log", "messages-20261124", "a", "1.log"])
        {
            assert!(!is_ambiguous(name), "{name}");
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
