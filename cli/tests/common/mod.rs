//! A folder and the binary.
#![allow(dead_code, reason = "not every test file needs all of it")]

#[cfg(unix)]
pub mod follow;
pub mod pack;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub struct Dir(TempDir);

/// What a run left.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// A fresh folder, in which commands run.
pub fn dir() -> Dir {
    Dir(tempfile::tempdir().unwrap())
}

impl Dir {
    pub fn path(&self) -> &std::path::Path {
        self.0.path()
    }

    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// The command as it is, without `--no-config`.
    pub fn bare(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_whyerr"));
        command
            .args(args)
            .current_dir(self.0.path())
            .env_remove("WHYERR_CONFIG")
            .env_remove("COLUMNS")
            .env_remove("CLICOLOR_FORCE");
        command
    }

    pub fn cmd(&self, args: &[&str]) -> Command {
        let mut command = self.bare(&["--no-config"]);
        command.args(args);
        command
    }

    pub fn run(&self, args: &[&str]) -> Run {
        run(&mut self.cmd(args), b"")
    }

    pub fn pipe(&self, args: &[&str], input: impl AsRef<[u8]>) -> Run {
        run(&mut self.cmd(args), input.as_ref())
    }
}

pub fn run(command: &mut Command, input: &[u8]) -> Run {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // From a thread of its own: both pipes may be full at once. Who does not read gets nothing.
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&input);
    });
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Run {
        code: status.code().expect("ended by a signal"),
        out: String::from_utf8(stdout).expect("the output is UTF-8"),
        err: String::from_utf8(stderr).expect("the messages are UTF-8"),
    }
}

impl Run {
    /// Every line of the output as JSON.
    pub fn json(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }

    #[track_caller]
    pub fn ends(self, code: i32) -> Run {
        assert_eq!(self.code, code, "out: {}\nerr: {}", self.out, self.err);
        self
    }

    #[track_caller]
    pub fn says(self, part: &str) -> Run {
        assert!(self.out.contains(part), "no `{part}` in\n{}\nerr: {}", self.out, self.err);
        self
    }

    #[track_caller]
    pub fn does_not_say(self, part: &str) -> Run {
        assert!(!self.out.contains(part), "`{part}` in\n{}", self.out);
        self
    }

    #[track_caller]
    pub fn complains(self, part: &str) -> Run {
        assert!(self.err.contains(part), "no `{part}` in stderr:\n{}", self.err);
        self
    }

    #[track_caller]
    pub fn quietly(self) -> Run {
        assert_eq!(self.err, "", "out: {}", self.out);
        self
    }
}
