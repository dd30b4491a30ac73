//! The binary as an operator calls it.

use std::path::Path;
use std::process::{Command, Output};

/// Runs the binary in a directory, with nothing in its environment but what is given.
pub fn tandem(directory: &Path, environment: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
    command.args(arguments).current_dir(directory).env_clear().envs(environment.iter().copied());
    command.output().unwrap()
}
