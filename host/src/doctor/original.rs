//! BigPanda's own application in the same instance: two integrations on one incident would make two tickets.

use std::collections::BTreeSet;

use super::servicenow::{known_columns, property};
use super::{Finding, Patient};
use crate::adopt::COLUMN;
use crate::config::original::SCOPE;

const CODE: &str = "servicenow.original";

/// The job with which the original pulls shares.
const JOB: &str = "Retrieve Incidents";

pub(super) async fn examine(patient: &Patient<'_>, findings: &mut Vec<Finding>) {
    let Some(version) = installed(patient, "sys_scope").await else {
        findings.push(Finding::ok(CODE, "BigPanda's own application is not in this instance"));
        return;
    };
    let kind = kind(patient).await;
    let version = if version.is_empty() { String::new() } else { format!(" {version}") };
    let incidents = property(patient, &format!("{SCOPE}.incidentsActive")).await;
    let job = job_is_active(patient).await;
    match incidents.as_deref() {
        Some("true") => findings.push(Finding::fail(
            CODE,
            format!(
                "BigPanda's own application{version} ({kind}) is installed here, and its incidents module is active"
            ),
            format!(
                "set {SCOPE}.incidentsActive to false before this host takes shares, or each incident gets two tickets"
            ),
        )),
        Some(_) => findings.push(Finding::ok(
            CODE,
            format!("BigPanda's own application{version} ({kind}) is installed here; its incidents module is off"),
        )),
        None => findings.push(Finding::warn(
            CODE,
            format!(
                "BigPanda's own application{version} ({kind}) is installed here, and whether it is active is hidden"
            ),
            format!("look at the property {SCOPE}.incidentsActive yourself: it has to be false"),
        )),
    }
    findings.push(match job {
        Some(true) => Finding::fail(
            "servicenow.original-job",
            format!("the original's scheduled job {JOB} is active"),
            format!("open Scheduled Jobs, {JOB}, and clear Active"),
        ),
        Some(false) => Finding::ok("servicenow.original-job", format!("the original's job {JOB} is not active")),
        None => Finding::warn(
            "servicenow.original-job",
            format!("whether the original's job {JOB} is active is hidden"),
            "look at Scheduled Jobs yourself: it has to be inactive",
        ),
    });
    let column = BTreeSet::from([COLUMN.to_owned()]);
    if known_columns(patient, &column).await.is_some_and(|known| known.contains(COLUMN)) {
        let table = &patient.integration.servicenow.table;
        findings.push(Finding::ok(
            "servicenow.original-tickets",
            format!("{table} has {COLUMN}: `tandem adopt` takes over the tickets that the original made"),
        ));
    }
}

/// The version, when a table of applications has the original.
async fn installed(patient: &Patient<'_>, table: &str) -> Option<String> {
    let page = patient.servicenow.rows(table, &format!("scope={SCOPE}"), "scope,version", 2).await.ok()?;
    if page.rows.is_empty() && page.counted.is_some_and(|count| count > 0) {
        // There is one, and we may not see it.
        return Some(String::new());
    }
    let row = page.rows.into_iter().find(|row| row.get("scope").is_some_and(|scope| scope == SCOPE))?;
    Some(row.get("version").cloned().unwrap_or_default())
}

/// The Custom application was to be replaced by the one of the Store until October 2021.
async fn kind(patient: &Patient<'_>) -> &'static str {
    if installed(patient, "sys_store_app").await.is_some() {
        "from the Store"
    } else if installed(patient, "sys_app").await.is_some() {
        "the old Custom application, which BigPanda replaced in 2021"
    } else {
        "of unknown source"
    }
}

async fn job_is_active(patient: &Patient<'_>) -> Option<bool> {
    let page = patient.servicenow.rows("sysauto_script", &format!("nameLIKE{JOB}"), "name,active", 20).await.ok()?;
    let named: Vec<_> = page.rows.iter().filter(|row| row.get("name").is_some_and(|name| name.contains(JOB))).collect();
    if named.is_empty() && page.counted.is_none_or(|count| count > 0) {
        return None;
    }
    Some(named.iter().any(|row| row.get("active").is_some_and(|active| active == "true")))
}
