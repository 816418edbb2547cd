//! A process that follows, and logs that grow.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Dir;

/// Longest wait for something that must happen.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub fn error(number: u64) -> String {
    format!("Error: connect ECONNREFUSED 10.0.0.5:6379 n={number};\n")
}

pub fn errors(numbers: impl IntoIterator<Item = u64>) -> String {
    numbers.into_iter().map(error).collect()
}

/// The number that [`error`] wrote.
pub fn number(finding: &Value) -> u64 {
    let text = finding["text"].as_str().unwrap();
    let rest = text.split_once("n=").unwrap_or_else(|| panic!("{finding}")).1;
    rest.split_once(';').unwrap().0.parse().unwrap()
}

/// The numbers of all lines of an output.
pub fn numbers(out: &[String]) -> Vec<u64> {
    out.iter().map(|line| number(&serde_json::from_str(line).unwrap())).collect()
}

/// A process that follows, and its output so far.
pub struct Follow {
    pub child: Child,
    pub out: Arc<Mutex<Vec<String>>>,
    pub err: Arc<Mutex<Vec<String>>>,
    readers: Vec<thread::JoinHandle<()>>,
}

pub fn gather(
    input: impl Read + Send + 'static,
) -> (Arc<Mutex<Vec<String>>>, thread::JoinHandle<()>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let shared = lines.clone();
    let reader = thread::spawn(move || {
        for line in BufReader::new(input).lines() {
            shared.lock().unwrap().push(line.unwrap());
        }
    });
    (lines, reader)
}

impl Follow {
    pub fn start(dir: &Dir, args: &[&str]) -> Follow {
        Follow::run(&mut dir.cmd(args))
    }

    pub fn run(command: &mut Command) -> Follow {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (out, out_reader) = gather(child.stdout.take().unwrap());
        let (err, err_reader) = gather(child.stderr.take().unwrap());
        Follow { child, out, err, readers: vec![out_reader, err_reader] }
    }

    /// Follows, and waits until it stands at the end of `path`.
    pub fn at_end_of(dir: &Dir, path: &Path, args: &[&str]) -> Follow {
        let mut follow = Follow::start(dir, args);
        // A line that comes after the start is seen, one before is not: both are tried until one is.
        let started = Instant::now();
        while follow.out.lock().unwrap().is_empty() {
            assert!(started.elapsed() < PATIENCE, "{:?}", follow.err);
            append(path, error(0));
            thread::sleep(Duration::from_millis(300));
        }
        follow.settle();
        follow.out.lock().unwrap().clear();
        follow
    }

    /// Waits until nothing comes any more.
    pub fn settle(&mut self) {
        let mut before = usize::MAX;
        loop {
            let now = self.out.lock().unwrap().len();
            if now == before {
                return;
            }
            before = now;
            thread::sleep(Duration::from_millis(1500));
        }
    }

    pub fn numbers(&self) -> Vec<u64> {
        numbers(&self.out.lock().unwrap())
    }

    #[track_caller]
    pub fn waits_for(&self, numbers: impl IntoIterator<Item = u64>) {
        let numbers: Vec<u64> = numbers.into_iter().collect();
        let started = Instant::now();
        while self.numbers().len() < numbers.len() {
            let err = self.err.lock().unwrap();
            assert!(started.elapsed() < PATIENCE, "{:?} of {numbers:?}: {err:?}", self.numbers());
            drop(err);
            thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(self.numbers(), numbers, "{:?}", self.err.lock().unwrap());
    }

    #[track_caller]
    pub fn waits_for_some(&self, number: usize) {
        let started = Instant::now();
        while self.out.lock().unwrap().len() < number {
            assert!(started.elapsed() < PATIENCE, "{:?}", self.err);
            thread::sleep(Duration::from_millis(20));
        }
    }

    #[track_caller]
    pub fn waits_to_complain(&self, part: &str) {
        let started = Instant::now();
        while !self.err.lock().unwrap().iter().any(|line| line.contains(part)) {
            assert!(started.elapsed() < PATIENCE, "no `{part}` in {:?}", self.err);
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// Ends it with a signal; gives output, messages, exit code.
    pub fn end(mut self, signal: &str) -> (Vec<String>, String, Option<i32>) {
        self.signal(signal);
        let status = self.child.wait().unwrap();
        assert!(status.code().is_some() || status.signal() == Some(9), "{status}");
        for reader in std::mem::take(&mut self.readers) {
            reader.join().unwrap();
        }
        let out = std::mem::take(&mut *self.out.lock().unwrap());
        let err = self.err.lock().unwrap().join("\n");
        (out, err, status.code())
    }

    /// Stops it; all is well, and nothing else was found but these.
    #[track_caller]
    pub fn ends_with(self, numbers: impl IntoIterator<Item = u64>) {
        let (out, err, code) = self.end("-TERM");
        let found = self::numbers(&out);
        assert_eq!(found, numbers.into_iter().collect::<Vec<_>>(), "{err}");
        assert_eq!((code, err.as_str()), (Some(0), ""));
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn append(path: &Path, text: impl AsRef<[u8]>) {
    let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.write_all(text.as_ref()).unwrap();
}

pub fn later() {
    thread::sleep(Duration::from_millis(700));
}

pub const JSON: &[&str] = &["-f", "json", "--follow", "--from", "start"];

pub fn with<'a>(args: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [args, more].concat()
}
