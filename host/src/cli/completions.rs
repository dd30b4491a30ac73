//! `tandem completions`: a script for a shell, made from the command line itself.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Cli, Exit, output};

#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Args {
    /// The shell; for example: tandem completions bash > /etc/bash_completion.d/tandem
    shell: Shell,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "tandem", &mut script);
    output::data(&String::from_utf8(script)?)?;
    Ok(Exit::Success)
}
