//! `whyerr --follow FILE...`: files that grow, rotate, vanish and come again.
#![cfg(unix)]

mod common;

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use common::dir;
use common::follow::*;
use common::pack::utf16;
use serde_json::Value;

#[test]
fn a_file_is_read_as_it_grows() {
    let dir = dir();
    let log = dir.file("a.log", errors(1..=2));
    let follow = Follow::start(&dir, &with(JSON, &["a.log"]));
    follow.waits_for(1..=2);
    append(&log, errors(3..=4));
    follow.waits_for(1..=4);
    // A line that comes in parts is one line.
    let line = error(5);
    append(&log, &line[..20]);
    later();
    append(&log, &line[20..]);
    follow.waits_for(1..=5);
    let found: Value = serde_json::from_str(&follow.out.lock().unwrap()[4]).unwrap();
    assert_eq!((&found["line"], &found["offset"]), (&5.into(), &(4 * line.len()).into()));
    follow.ends_with(1..=5);
}

#[test]
fn the_end_is_where_it_begins_unless_told_otherwise() {
    let dir = dir();
    let log = dir.file("a.log", errors(1..=100));
    let follow = Follow::at_end_of(&dir, &log, &["-f", "json", "-F", "a.log"]);
    append(&log, errors(101..=102));
    follow.waits_for(101..=102);
    follow.ends_with(101..=102);
}

#[test]
fn a_file_that_is_not_there_is_waited_for() {
    let dir = dir();
    let follow = Follow::start(&dir, &["-f", "json", "--follow", "new/a.log"]);
    follow.waits_to_complain("new/a.log: does not exist yet; waiting for it");
    later();
    dir.file("new/a.log", errors(1..=3));
    follow.waits_for(1..=3);
}

#[test]
fn a_renamed_file_is_read_to_its_end_and_its_successor_from_the_start() {
    let dir = dir();
    let log = dir.file("a.log", errors(1..=2));
    let follow = Follow::start(&dir, &with(JSON, &["a.log"]));
    follow.waits_for(1..=2);
    let mut old = OpenOptions::new().append(true).open(&log).unwrap();
    fs::rename(&log, log.with_extension("log.1")).unwrap();
    // Written on until the process learns of the new file.
    old.write_all(errors(3..=4).as_bytes()).unwrap();
    follow.waits_for(1..=4);
    append(&log, errors(5..=6));
    follow.waits_for(1..=6);
    old.write_all(error(7).as_bytes()).unwrap();
    follow.waits_for(1..=7);
    follow.ends_with(1..=7);
}

#[test]
fn rotations_between_two_looks_are_all_read() {
    let dir = dir();
    let log = dir.file("a.log", errors(1..=2));
    let follow = Follow::start(&dir, &with(JSON, &["a.log"]));
    follow.waits_for(1..=2);
    let name = |number: u32| PathBuf::from(format!("{}.{number}", log.display()));
    for round in 0..8 {
        append(&log, errors([3 + round * 2, 4 + round * 2]));
        for old in (1..=round as u32).rev() {
            fs::rename(name(old), name(old + 1)).unwrap();
        }
        if round % 2 == 0 {
            fs::rename(&log, name(1)).unwrap();
        } else {
            fs::copy(&log, name(1)).unwrap();
            File::create(&log).unwrap();
        }
    }
    append(&log, error(19));
    follow.waits_for(1..=19);
    follow.ends_with(1..=19);
}

#[test]
fn a_copied_and_truncated_file_is_read_on_in_its_copy() {
    let dir = dir();
    let log = dir.file("a.log", errors(1..=2));
    let follow = Follow::start(&dir, &with(JSON, &["a.log"]));
    follow.waits_for(1..=2);
    append(&log, errors(3..=4));
    fs::copy(&log, log.with_extension("log.1")).unwrap();
    File::create(&log).unwrap();
    // Past the old place at once: the size tells nothing.
    append(&log, errors(5..=20));
    follow.waits_for(1..=20);
    // A copy that nobody truncates for is no news.
    fs::copy(&log, log.with_extension("log.2")).unwrap();
    append(&log, error(21));
    follow.waits_for(1..=21);
    follow.ends_with(1..=21);
}

#[test]
fn what_a_truncation_lost_is_told() {
    let dir = dir();
    let log = dir.file("a.log", errors(1..=2));
    let follow = Follow::start(&dir, &with(JSON, &["a.log"]));
    follow.waits_for(1..=2);
    // A line without its end was seen, and is gone.
    append(&log, "half a line");
    later();
    fs::write(&log, error(3)).unwrap();
    follow.waits_for(1..=3);
    follow.waits_to_complain("a.log: was truncated before all of it was read; 11 bytes are lost");
    let (_, err, code) = follow.end("-TERM");
    assert_eq!((code, err.lines().count()), (Some(0), 1), "{err}");
}

#[test]
fn a_file_that_vanishes_and_comes_again_is_new() {
    let dir = dir();
    let log = dir.file("a.log", errors(1..=2));
    let follow = Follow::start(&dir, &with(JSON, &["a.log"]));
    follow.waits_for(1..=2);
    append(&log, "no line end: ".to_owned() + error(3).trim_end());
    later();
    fs::remove_file(&log).unwrap();
    // What it ended with is given: no line end will come.
    follow.waits_for(1..=3);
    append(&log, errors(4..=5));
    follow.waits_for(1..=5);
    follow.ends_with(1..=5);
}

#[test]
fn a_restart_goes_on_where_the_state_says() {
    let dir = dir();
    let log = dir.file("a.log", errors(1..=3));
    let args = ["-f", "json", "--follow", "--state", "state.json", "a.log"];
    let follow = Follow::start(&dir, &args);
    follow.waits_for(1..=3);
    follow.ends_with(1..=3);
    // Rotated twice while nobody looked, once of each kind.
    append(&log, errors(4..=5));
    fs::rename(&log, log.with_extension("log.2")).unwrap();
    append(&log, errors(6..=7));
    fs::copy(&log, log.with_extension("log.1")).unwrap();
    fs::write(&log, error(8)).unwrap();
    let follow = Follow::start(&dir, &args);
    follow.waits_for(4..=8);
    follow.ends_with(4..=8);
    append(&log, error(9));
    let follow = Follow::start(&dir, &args);
    follow.waits_for([9]);
    follow.ends_with([9]);
    // Truncated and grown past the old place.
    fs::write(&log, errors(10..=15)).unwrap();
    let follow = Follow::start(&dir, &args);
    follow.waits_for(10..=15);
    follow.ends_with(10..=15);
}

#[test]
fn after_a_kill_nothing_is_lost_and_little_is_repeated() {
    let dir = dir();
    let log = dir.file("a.log", errors(1..=1000));
    let args = ["-f", "json", "--follow", "--state", "state.json", "a.log"];
    let mut follow = Follow::start(&dir, &args);
    follow.waits_for(1..=1000);
    // Longer than a save takes to come.
    follow.settle();
    append(&log, errors(1001..=1100));
    follow.waits_for(1..=1100);
    follow.end("-KILL");
    append(&log, errors(1101..=1200));
    let mut follow = Follow::start(&dir, &args);
    follow.settle();
    let numbers = follow.numbers();
    let first = numbers[0];
    assert!((1001..=1101).contains(&first), "goes on at {first}");
    assert_eq!(numbers, (first..=1200).collect::<Vec<_>>());
}

#[test]
fn a_state_file_that_is_none_is_refused() {
    let dir = dir();
    dir.file("a.log", errors(1..=3));
    let args = ["--follow", "--state", "state.json", "a.log"];
    for content in ["", "{\"kind\": \"whyer", "{\"name\": \"package\"}", "[]", "\0\0\0"] {
        dir.file("state.json", content);
        let run = dir.run(&args).ends(2).complains("state file state.json: not a state of whyerr");
        assert_eq!(run.out, "");
        let path = dir.file("other", "");
        assert_eq!(fs::read_to_string(path.with_file_name("state.json")).unwrap(), content);
    }
    let args = ["--follow", "--state", "none/state.json", "a.log"];
    dir.run(&args).ends(2).complains("state file none/state.json: cannot write there");
}

#[test]
fn a_state_file_has_one_user() {
    let dir = dir();
    dir.file("a.log", errors(1..=3));
    let args = ["-f", "json", "--follow", "--state", "state.json", "a.log"];
    let follow = Follow::start(&dir, &args);
    follow.waits_for(1..=3);
    dir.run(&args).ends(2).complains("state file state.json: another process uses it");
    follow.ends_with(1..=3);
}

#[test]
fn metrics_tell_what_is_not_read_yet() {
    let dir = dir();
    // A line without an end waits for it.
    dir.file("a.log", errors(1..=3) + "half");
    let args = ["-f", "json", "--follow", "--from", "start", "--metrics", "m.prom", "a.log"];
    let follow = Follow::start(&dir, &args);
    follow.waits_for(1..=3);
    follow.ends_with(1..=3);
    let metrics = fs::read_to_string(dir.path().join("m.prom")).unwrap();
    assert!(metrics.contains("whyerr_lag_bytes{source=\"a.log\"} 4\n"), "{metrics}");
}

#[test]
fn the_text_comes_at_once_and_the_summary_at_the_end() {
    for signal in ["-TERM", "-INT"] {
        let dir = dir();
        dir.file("a.log", errors(1..=5));
        let follow = Follow::start(&dir, &["--follow", "--from", "start", "a.log"]);
        let started = Instant::now();
        while !follow.out.lock().unwrap().iter().any(|line| line.contains("[net.refused]")) {
            assert!(started.elapsed() < PATIENCE);
            thread::sleep(Duration::from_millis(20));
        }
        later();
        let (out, err, code) = follow.end(signal);
        let out = out.join("\n");
        assert_eq!((code, err.as_str()), (Some(0), ""));
        assert!(out.starts_with("a.log:1:Error: connect ECONNREFUSED"), "{out}");
        assert_eq!(out.matches("[net.refused]").count(), 2, "once new, once as repeats: {out}");
        assert!(out.contains("×4 more in the last"), "{out}");
        assert!(out.contains("last at a.log:5"), "{out}");
        assert!(out.contains("5 findings in 5 lines"), "{out}");
        assert!(!out.contains("interrupted"), "{out}");
    }
}

#[test]
fn many_files_need_few_descriptors() {
    let dir = dir();
    let names: Vec<String> = (0..300).map(|number| format!("{number}.txt")).collect();
    for (number, name) in names.iter().enumerate() {
        dir.file(name, error(number as u64));
    }
    let mut command = Command::new("sh");
    let binary = env!("CARGO_BIN_EXE_whyerr");
    let script =
        format!("ulimit -n 40; exec {binary} --no-config -f json --follow --from start *.txt");
    command.args(["-c", &script]).current_dir(dir.file("x", "").parent().unwrap());
    let follow = Follow::run(&mut command);
    let found = |total: u64| {
        let started = Instant::now();
        while (follow.numbers().len() as u64) < total {
            assert!(started.elapsed() < PATIENCE, "{} {:?}", follow.numbers().len(), follow.err);
            thread::sleep(Duration::from_millis(20));
        }
        let mut numbers = follow.numbers();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..total).collect::<Vec<_>>());
    };
    found(300);
    // Rotated while most are closed.
    for (number, name) in names.iter().enumerate() {
        let path = dir.file("x", "").with_file_name(name);
        append(&path, error(300 + number as u64));
        fs::rename(&path, path.with_file_name(format!("{name}.1"))).unwrap();
        append(&path, error(600 + number as u64));
    }
    found(900);
    let (_, err, code) = follow.end("-TERM");
    assert_eq!((code, err.as_str()), (Some(0), ""));
}

#[test]
fn what_cannot_be_followed_is_told() {
    let dir = dir();
    dir.run(&["--follow"]).ends(2);
    dir.run(&["--state", "s", "a.log"]).ends(2);
    dir.run(&["--follow", "-"]).ends(2).complains("standard input cannot be followed");
    dir.file("a.gz", b"\x1f\x8b\x08\0\0\0\0\0");
    dir.file("b.zip", b"PK\x03\x04\x14\0");
    dir.file("c.log", utf16(&errors(1..=2), false));
    let fifo = Command::new("mkfifo").arg(dir.path().join("pipe")).status();
    assert!(fifo.unwrap().success());
    let args = ["a.gz", "b.zip", "c.log", "pipe", "/dev/zero"];
    let follow = Follow::start(&dir, &with(JSON, &args));
    follow.waits_to_complain("a.gz: cannot be followed now: compressed files do not grow by lines");
    follow.waits_to_complain("b.zip: cannot be followed now: a zip archive does not grow by lines");
    follow.waits_to_complain("c.log: cannot be followed now: UTF-16 is not followed as it stands");
    follow.waits_to_complain("pipe: cannot be followed now: not a regular file");
    follow.waits_to_complain("/dev/zero: cannot be followed now: not a regular file");
    later();
    let (_, err, code) = follow.end("-TERM");
    assert_eq!((code, err.lines().count()), (Some(0), 5), "told once: {err}");
}

/// Writes numbered lines as fast as it goes through rotations of both kinds, and sees each number
/// come once. The process that reads is stopped now and then, and started again after a while.
fn load(lines: u64, rotations: u64, error_every: u64, restarts: u64) {
    let dir = dir();
    let log = dir.file("load.log", error(lines));
    let args = ["-f", "json", "--follow", "--state", "state.json", "load.log"];
    let follow = Follow::start(&dir, &args);
    follow.waits_for([lines]);
    let mut running = Some(follow);
    // What those found that were stopped.
    let mut found: Vec<u64> = Vec::new();
    let name = |number: u64| PathBuf::from(format!("{}.{number}", log.display()));
    let (per_rotation, mut kept) = (lines / (rotations + 1), 0);
    let per_restart = lines / (restarts + 1);
    let mut file = OpenOptions::new().append(true).open(&log).unwrap();
    let mut block = Vec::new();
    let (started, mut bytes) = (Instant::now(), 0);
    for line in 0..lines {
        match line % error_every {
            0 => block.extend_from_slice(error(line).as_bytes()),
            _ => writeln!(block, "2026-11-24T10:00:00Z INFO request {line} served").unwrap(),
        }
        let rotates = (line + 1) % per_rotation == 0 && kept < rotations;
        if block.len() > 16 << 10 || rotates || line + 1 == lines {
            bytes += block.len();
            file.write_all(&block).unwrap();
            block.clear();
        }
        if rotates {
            for old in (1..=kept).rev() {
                fs::rename(name(old), name(old + 1)).unwrap();
            }
            kept += 1;
            // Nobody else writes, so a copy holds all there was.
            if kept % 2 == 0 {
                fs::copy(&log, name(1)).unwrap();
                file.set_len(0).unwrap();
            } else {
                fs::rename(&log, name(1)).unwrap();
                file = OpenOptions::new().append(true).create(true).open(&log).unwrap();
            }
        }
        // Stopped in the middle of a part, started again in the middle of the next one.
        match (restarts, (line + per_restart / 2) % per_restart) {
            (1.., 0) if running.is_some() && line / per_restart < restarts => {
                let (out, err, code) = running.take().unwrap().end("-TERM");
                assert_eq!((code, err.as_str()), (Some(0), ""));
                found.extend(numbers(&out));
            }
            (1.., at) if at == per_restart / 4 && running.is_none() => {
                let follow = Follow::start(&dir, &args);
                // Not before it can be stopped again.
                follow.waits_for_some(1);
                running = Some(follow);
            }
            _ => {}
        }
    }
    let written = started.elapsed();
    let mut follow = running.unwrap_or_else(|| Follow::start(&dir, &args));
    let expected = lines.div_ceil(error_every) + 1;
    // As long as something comes: the scan of a debug build is slow.
    let (mut seen, mut came) = (0, Instant::now());
    while seen + (found.len() as u64) < expected && came.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(50));
        let now = follow.out.lock().unwrap().len() as u64;
        if now > seen {
            (seen, came) = (now, Instant::now());
        }
    }
    let read = started.elapsed();
    follow.settle();
    found.extend(follow.numbers());
    let mut times: BTreeMap<u64, u64> = BTreeMap::new();
    for number in found {
        *times.entry(number).or_default() += 1;
    }
    let lost = (0..lines).step_by(error_every as usize).filter(|n| !times.contains_key(n)).count();
    let doubled = times.values().filter(|&&times| times > 1).count();
    println!(
        "{lines} lines, {bytes} bytes, {kept} rotations, {restarts} restarts, {expected} errors: \
         written in {written:.1?}, all found after {read:.1?}; {lost} lost, {doubled} doubled"
    );
    let (_, err, code) = follow.end("-TERM");
    assert_eq!((lost, doubled, code, err.as_str()), (0, 0, Some(0), ""));
}

#[test]
fn nothing_is_lost_or_doubled_under_load() {
    load(50_000, 10, 10, 0);
    load(50_000, 10, 10, 3);
}

#[test]
#[ignore = "takes minutes: cargo test -p whyerr-cli --test follow -- --ignored --nocapture"]
fn nothing_is_lost_or_doubled_in_a_million_lines() {
    load(1_000_000, 100, 100, 0);
    load(1_000_000, 100, 1, 0);
    load(1_000_000, 100, 1, 10);
}

/// Who follows into a file reads it while it grows.
#[test]
fn text_goes_to_a_file_as_it_comes() {
    let dir = dir();
    let log = dir.file("a.log", "");
    let report = dir.file("report", "what was there\n");
    for args in [&["-o", "report"][..], &["--no-fold", "-o", "report"], &["-C1", "-o", "report"]] {
        let all = [&["--follow", "--color", "always"][..], args, &["a.log"]].concat();
        let before = fs::read_to_string(&report).unwrap();
        let follow = Follow::start(&dir, &all);
        let started = Instant::now();
        let shown = loop {
            let shown = fs::read_to_string(&report).unwrap();
            if shown.len() > before.len() + 100 {
                break shown;
            }
            assert!(started.elapsed() < PATIENCE, "{args:?}: {shown}");
            append(&log, error(0));
            thread::sleep(Duration::from_millis(300));
        };
        assert!(shown.starts_with(&before) && shown.contains("[net.refused]"), "{shown}");
        assert!(!shown.contains("findings in") || args.len() > 2, "{shown}");
        follow.end("-TERM");
        let shown = fs::read_to_string(&report).unwrap();
        assert!(shown[before.len()..].contains("What to do first"), "the summary: {shown}");
        assert!(!shown.contains('\u{1b}'), "{shown}");
        fs::write(&report, "what was there\n").unwrap();
    }
}
