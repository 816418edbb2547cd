//! Files that are none, and files that do not hold still: no hang, no panic, bounded memory.
#![cfg(target_os = "linux")]

mod common;

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::{Dir, Run, dir, pack};

const REFUSED: &str = "Error: connect ECONNREFUSED 10.0.0.5:6379";
const MIB: u64 = 1 << 20;

/// What a run may take beyond one on a small file: what unpacking takes, and chunks on their way,
/// twice.
fn bound() -> u64 {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(16) as u64;
    (32 + (threads + 2) * 2 * 2) * MIB
}

fn start(dir: &Dir, args: &[&str], input: Stdio) -> Child {
    let mut command = dir.cmd(args);
    command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Highest resident memory so far.
fn peak(child: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("it runs");
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// Of a run that has scanned a small log and waits for more.
fn small_peak(dir: &Dir) -> u64 {
    let mut child = start(dir, &["--no-fold"], Stdio::piped());
    let mut stdin = child.stdin.take().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    stdin.write_all(format!("{REFUSED}\n").as_bytes()).unwrap();
    out.read_line(&mut String::new()).unwrap();
    let peak = peak(&child);
    drop(stdin);
    child.wait().unwrap();
    peak
}

fn interrupt(child: &Child) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
}

/// Waits for its end, but not for ever.
#[track_caller]
fn end(mut child: Child) -> Run {
    let started = Instant::now();
    let code = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status.code().expect("ended by a signal");
        }
        if started.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
            panic!("it hangs");
        }
        thread::sleep(Duration::from_millis(20));
    };
    let (mut out, mut err) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    Run { code, out, err }
}

/// Interrupts it after a while. Returns its peak as well.
fn stopped(child: Child) -> (Run, u64) {
    thread::sleep(Duration::from_millis(2500));
    let peak = peak(&child);
    interrupt(&child);
    (end(child), peak)
}

#[test]
fn endless_sources_can_be_interrupted_and_take_little_memory() {
    let dir = dir();
    let small = small_peak(&dir);
    // One line without an end.
    let (run, peak) = stopped(start(&dir, &["/dev/zero"], Stdio::null()));
    run.ends(130).says("cut: 1 line of 2 MiB and more");
    assert!(peak < small + bound(), "{} MiB, a small log {}", peak / MIB, small / MIB);
    // The same, packed: a thousandth of it stands in the file.
    let zeros = vec![0; 16 << 20];
    for format in pack::FORMATS {
        let member = pack::pack(format, &zeros);
        let mut child = start(&dir, &[], Stdio::piped());
        let mut stdin = child.stdin.take().unwrap();
        let writer = thread::spawn(move || while stdin.write_all(&member).is_ok() {});
        let (run, peak) = stopped(child);
        run.ends(130).says("cut: 1 line of 2 MiB and more");
        writer.join().unwrap();
        assert!(peak < small + bound(), "{format}: {} MiB, {}", peak / MIB, small / MIB);
    }
    // Members of which nothing comes.
    let member = pack::pack("gzip", b"").repeat(1000);
    let mut child = start(&dir, &[], Stdio::piped());
    let mut stdin = child.stdin.take().unwrap();
    let writer = thread::spawn(move || while stdin.write_all(&member).is_ok() {});
    let (run, _) = stopped(child);
    run.ends(130).says("no line was read");
    writer.join().unwrap();
}

#[test]
fn the_largest_windows_stay_within_the_bound() {
    let dir = dir();
    let small = small_peak(&dir);
    // More than the window holds, and a finding behind that.
    let fine = "fine\n".repeat(8 << 20);
    let log = format!("{fine}{REFUSED}\n{}", &fine[..1 << 20]);
    for packed in [pack::zstd(log.as_bytes(), Some(25)), pack::xz(log.as_bytes(), 7)] {
        let mut child = start(&dir, &["--no-fold"], Stdio::piped());
        let mut stdin = child.stdin.take().unwrap();
        // All but the end, so that it still runs when it is looked at.
        let (most, rest) = packed.split_at(packed.len() - 20);
        stdin.write_all(most).unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        assert_eq!(line, format!("8388609:{REFUSED}\n"));
        let peak = peak(&child);
        stdin.write_all(rest).unwrap();
        drop(stdin);
        out.read_to_string(&mut line).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0));
        assert!(peak < small + bound(), "{} MiB, a small log {}", peak / MIB, small / MIB);
    }
}

fn fifo(dir: &Dir, name: &str) {
    assert!(Command::new("mkfifo").arg(dir.path().join(name)).status().unwrap().success());
}

#[test]
fn a_pipe_with_a_name_is_waited_for() {
    let dir = dir();
    fifo(&dir, "pipe");
    // Nobody writes: it waits, and can be interrupted.
    let child = start(&dir, &["pipe"], Stdio::null());
    thread::sleep(Duration::from_millis(600));
    interrupt(&child);
    end(child).ends(130).says("no line was read");
    // Somebody writes, packed, and slowly: what is there is shown before more comes.
    let mut child = start(&dir, &["--no-fold", "pipe"], Stdio::null());
    let mut pipe = OpenOptions::new().write(true).open(dir.path().join("pipe")).unwrap();
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), Default::default());
    packer.write_all(format!("fine\n{REFUSED}\n").as_bytes()).unwrap();
    packer.flush().unwrap();
    pipe.write_all(packer.get_ref()).unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    assert_eq!(line, format!("pipe:2:{REFUSED}\n"));
    let shown = packer.get_ref().len();
    pipe.write_all(&packer.finish().unwrap()[shown..]).unwrap();
    drop(pipe);
    out.read_to_string(&mut line).unwrap();
    assert!(line.contains("1 finding in 2 lines"), "{line}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_is_no_file_in_a_folder_is_left_out() {
    let dir = dir();
    dir.file("logs/a.log", format!("{REFUSED}\n"));
    fifo(&dir, "logs/pipe");
    let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("logs/socket")).unwrap();
    dir.run(&["logs"])
        .ends(0)
        .says("logs/a.log:1")
        .complains("left out of folders: 2 pipes, sockets or devices;");
    dir.run(&["logs/socket", "logs/a.log"])
        .ends(2)
        .complains("logs/socket: is a socket")
        .says("logs/a.log:1");
}

#[test]
fn devices_and_what_the_kernel_makes_up_are_read() {
    let dir = dir();
    dir.run(&["/dev/null"]).ends(0).quietly().says("no line was read");
    let run = dir.run(&["-f", "summary", "/proc/self/status"]).ends(0).quietly();
    assert!(!run.out.contains("no line was read"), "{}", run.out);
    // Opens, and fails when it is read.
    dir.file("a.log", format!("{REFUSED}\n"));
    dir.run(&["/proc/self/mem", "a.log"]).ends(2).complains("/proc/self/mem: ").says("a.log:1");
}

#[test]
fn a_file_that_shrinks_or_vanishes_ends_where_it_ends() {
    let dir = dir();
    let path = dir.file("a.log", format!("{REFUSED}\n").repeat(200_000));
    fifo(&dir, "first");
    for vanish in [false, true] {
        // The file is found, and the pipe in front of it holds the run there.
        let child = start(&dir, &["-f", "summary", "first", "a.log"], Stdio::null());
        let first = OpenOptions::new().write(true).open(dir.path().join("first")).unwrap();
        thread::sleep(Duration::from_millis(300));
        match vanish {
            false => File::options().write(true).open(&path).unwrap().set_len(1000).unwrap(),
            true => fs::remove_file(&path).unwrap(),
        }
        drop(first);
        let run = end(child);
        match vanish {
            false => drop(run.ends(0).quietly().says("findings in 24 lines")),
            true => drop(run.ends(2).complains("a.log: ").says("no line was read")),
        }
    }
    // While it is read: the reader is slowed down by a pipe that nobody empties.
    let path = dir.file("b.log", format!("{REFUSED}\n").repeat(1_000_000));
    let mut child = start(&dir, &["-f", "json", "b.log"], Stdio::null());
    thread::sleep(Duration::from_secs(1));
    File::options().write(true).open(&path).unwrap().set_len(50).unwrap();
    let out = child.stdout.take().unwrap();
    for line in BufReader::new(out).lines() {
        assert!(line.unwrap().ends_with('}'));
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_must_not_be_read_is_told_one_by_one() {
    let dir = dir();
    for name in ["logs/a.log", "logs/b.log", "logs/d/c.log", "logs/z.log"] {
        dir.file(name, format!("{REFUSED}\n"));
    }
    let mode = |name: &str, mode| {
        fs::set_permissions(dir.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("", 0o755);
    mode("logs/b.log", 0);
    mode("logs/d", 0);
    let mut command = dir.cmd(&["-f", "json", "logs", "logs/b.log"]);
    if File::open(dir.path().join("logs/b.log")).is_ok() {
        // Everything may be read by root: be somebody else.
        command.uid(65534).gid(65534);
    }
    let may_run = command.stdin(Stdio::null()).output().is_ok();
    if may_run {
        let run = common::run(&mut command, b"").ends(2).complains("logs/b.log: Permission denied");
        let run = run.complains("logs/d: Permission denied");
        assert_eq!(run.err.lines().count(), 2, "{}", run.err);
        let found = run.json();
        assert_eq!(found.len(), 2);
        assert_eq!(found[1]["source"], "logs/z.log");
    }
    mode("logs/d", 0o755);
}
