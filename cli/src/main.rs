//! `whyerr`: pipe any log through it.

mod args;
mod atomic;
mod classify;
mod event_json;
mod exec;
mod explain;
mod fold;
mod follow;
mod formats;
mod identity;
mod input;
mod load;
mod output;
mod pipeline;
mod rate;
mod rules;
mod scan;
mod stop;
mod templates;
mod term;
mod why;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::CommandFactory;

use args::{Cli, Command};
use load::LoadError;

/// How a run ended, as the exit code says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Ran, and found nothing that fails.
    Fine,
    /// Findings at or above `--fail-on`, failed rule tests.
    Found,
    /// Usage, rule or input problem.
    Problem,
    /// Somebody stopped it before the end of its input.
    Interrupted,
}

impl Outcome {
    fn code(self) -> ExitCode {
        ExitCode::from(match self {
            Outcome::Fine => 0,
            Outcome::Found => 1,
            Outcome::Problem => 2,
            Outcome::Interrupted => 130,
        })
    }
}

fn main() -> ExitCode {
    let cli = Cli::from_args();
    term::init(cli.global.color);
    stop::survive_file_limits();
    let result = match cli.command {
        Command::Completions { shell } => {
            // Into memory first: writing straight to a pipe that is closed would panic.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "whyerr", &mut script);
            io::stdout()
                .write_all(&script)
                .map(|()| Outcome::Fine)
                .map_err(|error| LoadError::Other(error.into()))
        }
        Command::Man => clap_mangen::Man::new(Cli::command())
            .render(&mut io::stdout())
            .map(|()| Outcome::Fine)
            .map_err(|error| LoadError::Other(error.into())),
        Command::Rules(command) => rules::run(&command, &cli.global),
        Command::Scan(args) => with(&cli.global, |loaded| scan::run(&args, loaded)),
        Command::Classify(args) => with(&cli.global, |loaded| classify::run(&args, loaded)),
        Command::Why(args) => with(&cli.global, |loaded| why::run(&args, loaded)),
        Command::Explain(args) => with(&cli.global, |loaded| explain::run(&args, loaded)),
    };
    match result {
        Ok(outcome) => outcome.code(),
        Err(LoadError::Rules(problems)) => {
            rules::print_problems(&problems);
            Outcome::Problem.code()
        }
        // A reader that has seen enough (`| head`) is no error.
        Err(LoadError::Other(error)) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(LoadError::Other(error)) => {
            term::error(&format!("{error:#}"));
            Outcome::Problem.code()
        }
    }
}

fn with(
    global: &args::GlobalArgs,
    run: impl FnOnce(&load::Loaded) -> anyhow::Result<Outcome>,
) -> Result<Outcome, LoadError> {
    let loaded = load::load(global)?;
    Ok(run(&loaded)?)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
            || cause
                .downcast_ref::<serde_json::Error>()
                .is_some_and(|e| e.io_error_kind() == Some(io::ErrorKind::BrokenPipe))
    })
}
