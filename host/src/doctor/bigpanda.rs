//! BigPanda's side: reachable, the environment there, the tags of a type that may be written.

use super::{Finding, Patient, failed, skew};
use crate::bigpanda::Environment;
use crate::config::TagDirection;
use crate::domain::id::EnvironmentId;
use crate::domain::outcome::Outcome;

/// Environments that a remedy names.
const LISTED: usize = 5;

pub(super) async fn examine(patient: &Patient<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let side = &patient.integration.bigpanda;
    let url = side.api_url.as_str().trim_end_matches('/');
    if side.api_key.is_none() {
        findings
            .push(Finding::ok("bigpanda.reach", "BigPanda is not asked for anything: there is no bigpanda.api_key"));
        return findings;
    }
    let listing = match patient.bigpanda.environments().await {
        Ok(listing) => listing,
        Err(Outcome::Auth(_)) => {
            findings.push(Finding::fail(
                "bigpanda.credentials",
                format!("{url} refuses the API key"),
                "check bigpanda.api_key (a user API key begins with BPU) and the region in bigpanda.api_url",
            ));
            return findings;
        }
        Err(outcome) => {
            findings.push(failed("bigpanda.reach", &format!("{url} cannot be asked for its environments"), &outcome));
            return findings;
        }
    };
    findings.push(Finding::ok("bigpanda.reach", format!("{url} answers and knows the API key")));
    findings.extend(skew("bigpanda.clock", "BigPanda", listing.server_time, patient.clock.now()));
    findings.push(environment(side.environment_id.as_ref(), &listing.environments));
    tags(patient, &mut findings).await;
    findings
}

/// Without one, whatever a share names no environment for is left undone.
fn environment(wanted: Option<&EnvironmentId>, all: &[Environment]) -> Finding {
    const CODE: &str = "bigpanda.environment";
    let list = || {
        let mut names: Vec<_> = all.iter().map(|one| format!("{} ({})", one.id, one.name)).take(LISTED).collect();
        if all.len() > LISTED {
            names.push("…".to_owned());
        }
        names.join(", ")
    };
    let Some(wanted) = wanted else {
        let remedy = if all.is_empty() {
            "the API key sees no environment; give its user one, and write its id into bigpanda.environment_id"
                .to_owned()
        } else {
            format!("write the id of one that shows all incidents into bigpanda.environment_id; there are {}", list())
        };
        let sentence = "bigpanda.environment_id is not set: BigPanda is not polled, and an incident whose share names no \
                        environment gets no tag and no comment";
        return Finding::warn(CODE, sentence, remedy);
    };
    match all.iter().find(|environment| environment.id == wanted.as_str()) {
        Some(environment) => Finding::ok(CODE, format!("the environment {} is there", environment.name)),
        None => Finding::fail(
            CODE,
            format!("there is no environment {wanted}, or the API key may not see it"),
            format!("write the id of one that is there into bigpanda.environment_id: {}", list()),
        ),
    }
}

async fn tags(patient: &Patient<'_>, findings: &mut Vec<Finding>) {
    const CODE: &str = "bigpanda.tag";
    let definitions = match patient.bigpanda.tag_definitions().await {
        Ok(definitions) => definitions,
        Err(outcome) => {
            findings.push(failed(CODE, "the tag definitions cannot be read", &outcome));
            return;
        }
    };
    let settings = &patient.integration.settings;
    let mut written = vec![settings.response_incident_tag.as_str()];
    let back = |direction| matches!(direction, TagDirection::ToBigPanda | TagDirection::Both);
    written.extend(settings.tag_mapping.iter().filter(|row| back(row.direction)).map(|row| row.tag.as_str()));
    for name in written {
        let exact = definitions.iter().find(|tag| tag.name == name);
        let otherwise = definitions.iter().find(|tag| tag.name.eq_ignore_ascii_case(name));
        findings.push(match (exact, otherwise) {
            (Some(tag), _) if !tag.active => {
                Finding::fail(CODE, format!("the tag {name} is inactive"), "activate it in BigPanda, or name another")
            }
            (Some(tag), _) if !tag.kind.is_empty() && !tag.kind.eq_ignore_ascii_case("text") => Finding::fail(
                CODE,
                format!("the tag {name} is of the type {}, and only Text tags are written", tag.kind),
                "name a tag of the type Text",
            ),
            (Some(_), _) => Finding::ok(CODE, format!("the tag {name} is there, of the type Text")),
            (None, Some(tag)) => Finding::warn(
                CODE,
                format!("there is no tag {name}, but one {}; names match in exact case", tag.name),
                format!("write {} in the settings, or a second tag is created", tag.name),
            ),
            (None, None) => Finding::ok(CODE, format!("the tag {name} is not there yet; its first use creates it")),
        });
    }
    let read = settings.tag_mapping.iter().filter(|row| row.direction == TagDirection::ToServiceNow);
    for row in read.filter(|row| !definitions.iter().any(|tag| tag.name == row.tag)) {
        findings.push(Finding::warn(
            CODE,
            format!("incidents.tag_mapping reads the tag {}, which is not defined", row.tag),
            "names match in exact case; define the tag in BigPanda, or correct the row",
        ));
    }
}
