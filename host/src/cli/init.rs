//! `tandem init`: a tandem.toml to start from, and a token for the webhook in a file of its own.
//!
//! Asks nothing, overwrites nothing unless told to, and prints what to do next. With `--from-servicenow` the file has
//! the settings of BigPanda's own application, as an export of its system properties says them.

mod original;

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::report::Told;
use super::{Exit, output};
use crate::config::FILE;
use crate::domain::fault::Class;
use crate::domain::id::IntegrationName;

/// The file that is written, with `{name}` and `{NAME}` in place of the integration's name.
const TEMPLATE: &str = include_str!("init/tandem.toml");

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Args {
    /// Where to write
    #[arg(default_value = ".")]
    directory: PathBuf,
    /// Name of the integration; a part of the webhook's address
    #[arg(long, default_value = "acme", value_parser = name)]
    name: IntegrationName,
    /// Overwrite what is there
    #[arg(long)]
    force: bool,
    /// Take over the settings of BigPanda's ServiceNow application: an export of the system properties x_bip_panda.*,
    /// as XML or as CSV with the columns name and value
    #[arg(long, value_name = "FILE")]
    from_servicenow: Option<PathBuf>,
}

fn name(text: &str) -> Result<IntegrationName, String> {
    IntegrationName::new(text).map_err(|error| error.to_string())
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let file = args.directory.join(FILE);
    let token = args.directory.join("webhook.token");
    for path in [&file, &token] {
        if path.exists() && !args.force {
            let message = format!("{} is there already", path.display());
            return Err(Told::new(Class::Input, "init.exists", message)
                .hint("use --force to overwrite it, or name another directory")
                .into());
        }
    }
    let taken = args.from_servicenow.as_deref().map(|export| original::read(export, &args.name)).transpose()?;
    std::fs::create_dir_all(&args.directory).with_context(|| format!("{} cannot be made", args.directory.display()))?;
    let upper = args.name.as_str().to_uppercase().replace('-', "_");
    let mut text = TEMPLATE.replace("{name}", args.name.as_str()).replace("{NAME}", &upper);
    if let Some(taken) = &taken {
        original::fill(&mut text, taken);
    }
    write(&token, &format!("{}\n", random_token()), 0o600)?;
    write(&file, &text, 0o644)?;
    if let Some(taken) = &taken {
        output::talk(&original::tell(taken));
    }
    output::talk(&next_steps(&file, &token, args.name.as_str(), &upper, taken.is_some()));
    output::data(&format!("{}\n{}\n", file.display(), token.display()))?;
    Ok(Exit::Success)
}

fn write(path: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    let what = || format!("{} cannot be written", path.display());
    // A file that is there keeps its mode, so it makes room first.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error).with_context(what),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).with_context(what)?;
    file.write_all(text.as_bytes()).with_context(what)
}

/// 244 random bits.
#[expect(clippy::disallowed_methods, reason = "a token has to be random; nothing is replayed from it")]
fn random_token() -> String {
    format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple())
}

fn next_steps(file: &Path, token: &Path, name: &str, upper: &str, migrates: bool) -> String {
    let (file, token) = (file.display(), token.display());
    let mut steps = vec![
        format!("put your instance's address and user, and BigPanda's environment, into {file}"),
        format!("set {upper}_BIGPANDA_API_KEY, {upper}_BIGPANDA_APP_KEY and {upper}_SERVICENOW_PASSWORD for the host"),
        format!("tandem check --config {file}, and tandem doctor --config {file}, which looks at both sides"),
        format!(
            "tandem servicenow update-set --config {file} --out tandem-update-set.xml, for an administrator to import"
        ),
    ];
    if migrates {
        steps.push(format!("tandem adopt --config {file} shows which tickets of the original would be taken over"));
        steps.push(format!(
            "pause AutoShare, switch the original off, and when tandem doctor ends with 0:\n     \
             tandem adopt --config {file} --apply"
        ));
    }
    steps.push(format!("tandem run --config {file}"));
    steps.push(format!(
        "let BigPanda share with https://<this host>/integrations/{name}/share\n     \
         and the header Authorization: Bearer <what is in {token}>"
    ));
    let mut text = format!("wrote {file} and {token}; next:");
    for (number, step) in (1..).zip(steps) {
        let _ = write!(text, "\n  {number}. {step}");
    }
    text
}
