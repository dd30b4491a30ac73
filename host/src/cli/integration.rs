//! Which integration a command is about.

use super::report::Told;
use crate::config::Integration;
use crate::domain::fault::Class;
use crate::domain::id::IntegrationName;

pub(super) fn name(text: &str) -> Result<IntegrationName, String> {
    IntegrationName::new(text).map_err(|error| error.to_string())
}

/// The named integration, or the only one.
pub(super) fn one<'a>(all: &'a [Integration], named: Option<&IntegrationName>) -> Result<&'a Integration, Told> {
    let known = || all.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ");
    match (named, all) {
        (Some(name), _) => all.iter().find(|one| one.name == *name).ok_or_else(|| {
            Told::new(Class::Missing, "integration.missing", format!("there is no integration {name}"))
                .hint(format!("there are: {}", known()))
        }),
        (None, [one]) => Ok(one),
        (None, []) => Err(Told::new(Class::Config, "config.empty", "no integration is configured")
            .hint("write an [integration.<name>] section; `tandem init` shows one")),
        (None, _) => Err(Told::new(Class::Input, "integration.which", "there are several integrations")
            .hint(format!("name one with --integration: {}", known()))),
    }
}
