//! `tandem-plugin-build DIR… --out DIR`: builds plugins without the host, for bootstrapping the host itself.

use std::path::PathBuf;
use std::process::ExitCode;

use tandem_plugin_build::{Options, build};

const USAGE: &str = "usage: tandem-plugin-build [--out DIR] [--target-dir DIR] [--quiet] PLUGIN-DIR…";

fn main() -> ExitCode {
    let mut options = Options { plugins: Vec::new(), out: PathBuf::from("."), target_dir: None, quiet: false };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--out" | "--target-dir" => {
                let Some(value) = arguments.next().map(PathBuf::from) else {
                    eprintln!("`{argument}` needs a directory.\n{USAGE}");
                    return ExitCode::from(2);
                };
                if argument == "--out" { options.out = value } else { options.target_dir = Some(value) }
            }
            "--quiet" => options.quiet = true,
            "--help" | "-h" => {
                println!("{USAGE}");
                return ExitCode::SUCCESS;
            }
            flag if flag.starts_with('-') => {
                eprintln!("There is no option `{flag}`.\n{USAGE}");
                return ExitCode::from(2);
            }
            // A shell hands over whatever `plugins/*` matches; only crates count.
            dir if PathBuf::from(dir).join("plugin.toml").is_file() => options.plugins.push(dir.into()),
            other => eprintln!("{other} has no plugin.toml; left out."),
        }
    }
    if options.plugins.is_empty() {
        eprintln!("No plugin to build.\n{USAGE}");
        return ExitCode::from(2);
    }
    match build(&options, &mut |sentence| eprintln!("{sentence}")) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            let mut cause: Option<&dyn std::error::Error> = Some(&error);
            while let Some(error) = cause {
                eprintln!("{error}");
                cause = error.source();
            }
            if let Some(hint) = error.hint() {
                eprintln!("{hint}");
            }
            ExitCode::FAILURE
        }
    }
}
