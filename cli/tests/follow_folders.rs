//! `whyerr --follow`: folders and patterns, and what goes wrong around it.
#![cfg(unix)]

mod common;

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use common::dir;
use common::follow::*;
use serde_json::Value;

#[test]
fn files_that_come_into_a_folder_are_followed() {
    let dir = dir();
    let log = dir.file("logs/a.log", errors(1..=2));
    dir.file("logs/.hidden.log", errors(90..=91));
    dir.file("logs/b.gz", b"\x1f\x8b\x08\0\0\0\0\0");
    dir.file("logs/c.bin", b"\x7fELF\0\0");
    // Where it writes to is not read.
    let args = ["--state", "logs/state.json", "--metrics", "logs/m.prom", "logs"];
    let follow = Follow::start(&dir, &with(JSON, &args));
    follow.waits_for(1..=2);
    follow.waits_to_complain("left out of folders: 2 files that are no text");
    dir.file("logs/new.log", errors(3..=4));
    follow.waits_for(1..=4);
    dir.file("logs/deep/er/new.log", errors(5..=6));
    follow.waits_for(1..=6);
    append(&log, error(7));
    follow.waits_for(1..=7);
    // Rotated: no file of its own.
    fs::rename(&log, log.with_extension("log.1")).unwrap();
    append(&log, error(8));
    follow.waits_for(1..=8);
    let found: Value = serde_json::from_str(&follow.out.lock().unwrap()[4]).unwrap();
    assert_eq!(found["source"], "logs/deep/er/new.log");
    thread::sleep(Duration::from_secs(3));
    let (out, err, code) = follow.end("-TERM");
    assert_eq!((out.len(), code, err.lines().count()), (8, Some(0), 1), "{err}");
    // Rotated away while nobody looked, and nothing new in its place.
    append(&log, error(9));
    fs::rename(&log, log.with_extension("log.2")).unwrap();
    let follow = Follow::start(&dir, &with(JSON, &args));
    follow.waits_for([9]);
    let found: Value = serde_json::from_str(&follow.out.lock().unwrap()[0]).unwrap();
    assert_eq!(found["source"], "logs/a.log");
    append(&log, error(10));
    follow.waits_for(9..=10);
}

#[test]
fn files_that_match_a_pattern_are_followed() {
    let dir = dir();
    let follow = Follow::start(&dir, &["-f", "json", "-F", "logs/*.log", "later/"]);
    follow.waits_to_complain("logs/*.log: no file to follow yet; waiting for one");
    follow.waits_to_complain("later/: no file to follow yet; waiting for one");
    let log = dir.file("logs/a.log", errors(1..=2));
    dir.file("logs/a.txt", errors(80..=81));
    follow.waits_for(1..=2);
    dir.file("later/x/b", error(3));
    follow.waits_for(1..=3);
    append(&log, error(4));
    follow.waits_for(1..=4);
    drop(follow);
    // A rotated file that stands alone is a file; when its origin comes it is its earlier content.
    let old = dir.file("old/a.log.1", errors(1..=2));
    let follow = Follow::start(&dir, &with(JSON, &["old"]));
    follow.waits_for(1..=2);
    let log = old.with_extension("");
    append(&log, error(3));
    follow.waits_for(1..=3);
    append(&old, error(4));
    follow.waits_for(1..=4);
    thread::sleep(Duration::from_secs(3));
    fs::rename(&old, log.with_extension("log.2")).unwrap();
    fs::rename(&log, &old).unwrap();
    append(&log, error(5));
    follow.waits_for(1..=5);
    thread::sleep(Duration::from_secs(3));
    follow.ends_with(1..=5);
}

/// By its name `worker-1.log` may be an earlier content of `worker.log`, or another worker's log.
#[test]
fn workers_are_no_earlier_contents_and_earlier_contents_no_workers() {
    let dir = dir();
    let path = |name: &str| dir.path().join("logs").join(name);
    let (log, one, two, three) =
        (path("worker.log"), path("worker-1.log"), path("worker.2.log"), path("worker-3.log"));
    dir.file("logs/worker.log", errors(1..=2));
    dir.file("logs/worker-1.log", errors(90..=91));
    let args = ["--state", "state.json", "logs"];
    let follow = Follow::start(&dir, &with(JSON, &args));
    // What was there may be old.
    follow.waits_for(1..=2);
    thread::sleep(Duration::from_secs(3));
    follow.waits_for(1..=2);
    // What grows is not, and is read as what it is.
    append(&one, error(92));
    follow.waits_for([1, 2, 90, 91, 92]);
    // Nor is what comes while nothing is rotated; it may be all that ever comes.
    thread::sleep(Duration::from_secs(9));
    append(&two, error(93));
    follow.waits_for([1, 2, 90, 91, 92, 93]);
    let sources = |follow: &Follow| -> Vec<String> {
        let found = follow.out.lock().unwrap();
        let found = found.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
        found.map(|found| found["source"].as_str().unwrap().to_owned()).collect()
    };
    let (a, b, c) = ("logs/worker.log", "logs/worker-1.log", "logs/worker.2.log");
    assert_eq!(sources(&follow), [a, a, b, b, b, c]);
    // Renamed to such a name, and copied to one: read once.
    append(&log, error(3));
    // In which order the two are read is open while the name is in doubt.
    follow.waits_for([1, 2, 90, 91, 92, 93, 3]);
    fs::rename(&log, &three).unwrap();
    append(&log, error(4));
    follow.waits_for([1, 2, 90, 91, 92, 93, 3, 4]);
    // Its process has not learnt of the new one.
    append(&three, error(5));
    follow.waits_for([1, 2, 90, 91, 92, 93, 3, 4, 5]);
    fs::copy(&log, path("worker_4.log")).unwrap();
    fs::write(&log, error(6)).unwrap();
    follow.waits_for([1, 2, 90, 91, 92, 93, 3, 4, 5, 6]);
    thread::sleep(Duration::from_secs(5));
    follow.ends_with([1, 2, 90, 91, 92, 93, 3, 4, 5, 6]);
    // The next run knows them.
    append(&one, error(94));
    append(&two, error(95));
    append(&log, error(7));
    let follow = Follow::start(&dir, &with(JSON, &args));
    follow.waits_for_some(3);
    thread::sleep(Duration::from_secs(5));
    // Files are read in any order.
    let mut found = follow.numbers();
    found.sort_unstable();
    assert_eq!(found, [7, 94, 95]);
}

#[test]
fn what_is_found_in_a_folder_may_be_written_to_it() {
    let dir = dir();
    dir.file("logs/a.log", errors(1..=2));
    let out = File::create(dir.path().join("logs/out.txt")).unwrap();
    let mut command = dir.cmd(&with(JSON, &["logs"]));
    command.stdin(Stdio::null()).stdout(out).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    thread::sleep(Duration::from_secs(6));
    child.kill().unwrap();
    child.wait().unwrap();
    let out = fs::read_to_string(dir.path().join("logs/out.txt")).unwrap();
    assert_eq!(out.lines().count(), 2, "{out}");
    // The same without --follow.
    let out = File::create(dir.path().join("logs/out.txt")).unwrap();
    let mut command = dir.cmd(&["-f", "json", "logs"]);
    assert!(command.stdin(Stdio::null()).stdout(out).status().unwrap().success());
    let out = fs::read_to_string(dir.path().join("logs/out.txt")).unwrap();
    assert_eq!(out.lines().count(), 2, "{out}");
}

#[test]
fn a_slow_consumer_slows_the_reading() {
    let dir = dir();
    let log = dir.file("a.log", "");
    let mut command = dir.cmd(&with(JSON, &["a.log"]));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Much more than pipes and buffers hold, and nobody reads.
    let total = 60_000;
    for first in (0..total).step_by(1000) {
        append(&log, errors(first..first + 1000));
    }
    thread::sleep(Duration::from_secs(5));
    let out = child.stdout.take().unwrap();
    let mut lines = BufReader::new(out).lines().map(Result::unwrap);
    for expected in 0..total {
        let line = lines.next().expect("all of it comes");
        assert_eq!(number(&serde_json::from_str(&line).unwrap()), expected);
    }
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_the_output_and_not_the_state() {
    let dir = dir();
    let log = dir.file("a.log", errors(1..=10));
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = dir.cmd(&with(JSON, &["--state", "state.json", "a.log"]));
    command.stdin(Stdio::null()).stdout(full).stderr(Stdio::piped());
    let ended = command.output().unwrap();
    let err = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(2), "{err}");
    assert!(err.contains("No space left on device"), "{err}");
    // What could not be written comes again.
    let follow = Follow::start(&dir, &with(JSON, &["--state", "state.json", "a.log"]));
    follow.waits_for(1..=10);
    follow.ends_with(1..=10);
    // A limit on the size of files, which the system tells by a signal: the state cannot be saved,
    // and everything else goes on.
    dir.file("state.json", "");
    fs::remove_file(dir.path().join("state.json")).unwrap();
    let binary = env!("CARGO_BIN_EXE_whyerr");
    let names: Vec<String> = (0..40).map(|number| format!("{number}.txt")).collect();
    names.iter().for_each(|name| drop(dir.file(name, "")));
    let script = format!(
        "ulimit -f 1; exec {binary} --no-config -f json --follow --state state.json a.log *.txt"
    );
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(dir.path());
    let follow = Follow::run(&mut command);
    follow.waits_for(1..=10);
    follow.waits_to_complain("state file state.json: cannot be saved: File too large");
    append(&log, errors(11..=12));
    follow.waits_for(1..=12);
    let (_, err, code) = follow.end("-TERM");
    assert_eq!(code, Some(2), "{err}");
}

#[cfg(target_os = "linux")]
#[test]
fn what_must_not_be_read_is_told_and_read_when_it_may() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    let dir = dir();
    let log = dir.file("logs/a.log", errors(1..=2));
    dir.file("logs/b.log", errors(3..=4));
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(dir.path(), 0o755);
    mode(&log, 0);
    let mut command = dir.cmd(&with(JSON, &["logs", "logs/gone.log"]));
    if File::open(&log).is_ok() {
        // Everything may be read by root: be somebody else.
        command.uid(65534).gid(65534);
    }
    let follow = Follow::run(&mut command);
    follow.waits_for(3..=4);
    follow.waits_to_complain("logs/a.log: cannot be followed now: Permission denied");
    mode(&log, 0o644);
    follow.waits_for([3, 4, 1, 2]);
    // A folder that vanishes and comes again.
    fs::remove_dir_all(dir.path().join("logs")).unwrap();
    later();
    dir.file("logs/gone.log", error(5));
    dir.file("logs/c.log", error(6));
    follow.waits_for_some(6);
    let (_, _, code) = follow.end("-TERM");
    assert_eq!(code, Some(0));
}
