//! `--exec`: a command of one's own for each new incident.

use std::collections::HashMap;
use std::io::{self, Write};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;

use crate::output::json;
use crate::output::sink::{Finding, Sink, State};
use crate::term;

/// Most incidents that are remembered.
const MAX_INCIDENTS: usize = 100_000;
/// Most commands that run at the same time.
const MAX_RUNNING: usize = 4;
/// How long a command may take, and how long the end of the run waits for those that still do.
const MAX_TIME: Duration = Duration::from_secs(60);
const LAST_WAIT: Duration = Duration::from_secs(10);

/// Flags for a command of one's own.
#[derive(Debug, Clone, Default, Args)]
pub struct ExecArgs {
    /// Run this shell command for each new incident (the same rule, service and text but for
    /// numbers and ids), with the finding as JSON on its standard input
    #[arg(long, value_name = "COMMAND")]
    pub exec: Option<String>,

    /// Run it at most once in so many seconds; incidents in between are counted in `suppressed`
    /// of the next one
    #[arg(long, value_name = "SECONDS", default_value_t = 10, requires = "exec")]
    pub exec_every: u64,

    /// An incident that was not seen for so many minutes is new again
    #[arg(long, value_name = "MINUTES", default_value_t = 60, requires = "exec")]
    pub exec_again: u64,
}

/// Runs the command.
pub struct Exec {
    command: String,
    every: Duration,
    again: Duration,
    /// When each incident was seen last.
    seen: HashMap<String, Instant>,
    last: Option<Instant>,
    suppressed: u64,
    running: Vec<(Child, Instant)>,
}

impl Exec {
    pub fn new(args: &ExecArgs) -> Option<Exec> {
        Some(Exec {
            command: args.exec.clone()?,
            every: Duration::from_secs(args.exec_every),
            again: Duration::from_secs(args.exec_again.saturating_mul(60)),
            seen: HashMap::new(),
            last: None,
            suppressed: 0,
            running: Vec::new(),
        })
    }

    /// Whether the incident is new; from now on it is known.
    fn is_new(&mut self, finding: &Finding<'_>, now: Instant) -> bool {
        let rule = finding.verdict.rule().map_or("", |rule| &*rule.id);
        let service = finding.verdict.service().map_or("", |service| &*service.id);
        let incident = format!("{rule}\0{service}\0{}", finding.key);
        if self.seen.len() >= MAX_INCIDENTS && !self.seen.contains_key(&incident) {
            let again = self.again;
            self.seen.retain(|_, seen| now.duration_since(*seen) < again);
            if self.seen.len() >= MAX_INCIDENTS {
                self.seen.clear();
            }
        }
        match self.seen.insert(incident, now) {
            Some(seen) => now.duration_since(seen) >= self.again,
            None => true,
        }
    }

    fn run(&mut self, finding: &Finding<'_>) -> io::Result<()> {
        let mut line = Vec::new();
        json::finding_with(&mut line, finding, Some(self.suppressed))?;
        let spawned = shell(&self.command).stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
        let mut child = match spawned {
            Ok(child) => child,
            Err(error) => {
                term::error(&format!("--exec {}: {error}", self.command));
                return Ok(());
            }
        };
        if let Some(mut stdin) = child.stdin.take() {
            // A command that does not read must not stop the scan, nor one that is gone already.
            thread::spawn(move || drop(stdin.write_all(&line)));
        }
        self.running.push((child, Instant::now()));
        self.suppressed = 0;
        Ok(())
    }

    /// Takes leave of commands that are done, and ends those that take too long.
    fn reap(&mut self, patience: Duration) {
        let command = &self.command;
        self.running.retain_mut(|(child, started)| match child.try_wait() {
            Ok(None) if started.elapsed() < patience => true,
            Ok(None) => {
                term::error(&format!("--exec {command}: ended after {} s", patience.as_secs()));
                let _ = child.kill();
                let _ = child.wait();
                false
            }
            Ok(Some(status)) => {
                if !status.success() {
                    term::error(&format!("--exec {command}: {status}"));
                }
                false
            }
            Err(_) => false,
        });
    }
}

#[cfg(unix)]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", command]);
    shell
}

#[cfg(not(unix))]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd");
    shell.args(["/C", command]);
    shell
}

impl Sink for Exec {
    fn finding(&mut self, finding: &Finding<'_>, _: &mut dyn Write) -> io::Result<()> {
        let now = Instant::now();
        if !self.is_new(finding, now) {
            return Ok(());
        }
        self.reap(MAX_TIME);
        let early = self.last.is_some_and(|last| now.duration_since(last) < self.every);
        if early || self.running.len() >= MAX_RUNNING {
            self.suppressed += 1;
            return Ok(());
        }
        self.last = Some(now);
        self.run(finding)
    }

    fn tick(&mut self, _: &State<'_>, _: &mut dyn Write) -> io::Result<()> {
        self.reap(MAX_TIME);
        Ok(())
    }

    fn finish(&mut self, _: &State<'_>, _: &mut dyn Write) -> io::Result<()> {
        let until = Instant::now() + LAST_WAIT;
        while !self.running.is_empty() && Instant::now() < until {
            self.reap(MAX_TIME);
            thread::sleep(Duration::from_millis(20));
        }
        self.reap(Duration::ZERO);
        if self.suppressed > 0 {
            term::note(&format!(
                "--exec: {} more new incidents came too soon after another (--exec-every)",
                self.suppressed
            ));
        }
        Ok(())
    }
}
