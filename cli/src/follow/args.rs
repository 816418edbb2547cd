//! Flags of following.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

const HEADING: &str = "Following";

#[derive(Debug, Clone, Default, Args)]
pub struct FollowArgs {
    /// Keep reading the files as they grow, through rotation, truncation and re-creation, until
    /// SIGINT or SIGTERM (like `tail -F`)
    #[arg(long, short = 'F', requires = "files", help_heading = HEADING)]
    pub follow: bool,

    /// Remember in FILE how far each followed file was read, and go on there after a restart
    #[arg(long, value_name = "FILE", requires = "follow", help_heading = HEADING)]
    pub state: Option<PathBuf>,

    /// Where to begin in files that are there already and not in the state file: `end` without
    /// --state, `start` with it
    #[arg(long, value_enum, value_name = "PLACE", requires = "follow", help_heading = HEADING)]
    pub from: Option<From>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum From {
    Start,
    End,
}

impl FollowArgs {
    /// Where to begin: a tool that one looks at shows what is new, one that keeps account reads all.
    pub fn from(&self) -> From {
        self.from.unwrap_or(match self.state {
            Some(_) => From::Start,
            None => From::End,
        })
    }
}
