//! ServiceNow's side: reachable, readable, complete, in UTC, of a known release, and able to resolve what the settings
//! name.

use std::collections::BTreeSet;

use super::{Finding, Level, Patient, failed, original, release, skew};
use crate::domain::outcome::Outcome;
use crate::domain::ticket::{FieldValue, Reference};
use crate::servicenow::update_set::COLUMNS;
use crate::servicenow::{Api as _, Cells, Page};

/// What the sync itself writes or reads of a ticket.
const NEEDED: [&str; 12] = [
    "number",
    "state",
    "short_description",
    "description",
    "work_notes",
    "comments",
    "correlation_id",
    "correlation_display",
    "close_code",
    "close_notes",
    "resolved_at",
    "resolved_by",
];

pub(super) async fn examine(patient: &Patient<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !reach(patient, &mut findings).await {
        return findings;
    }
    user(patient, &mut findings).await;
    release(patient, &mut findings).await;
    columns(patient, &mut findings).await;
    references(patient, &mut findings).await;
    close_codes(patient, &mut findings).await;
    if patient.write_check {
        write(patient, &mut findings).await;
    }
    original::examine(patient, &mut findings).await;
    findings
}

/// Whether there is any use in asking further.
async fn reach(patient: &Patient<'_>, findings: &mut Vec<Finding>) -> bool {
    let table = &patient.integration.servicenow.table;
    let Some(url) = patient.integration.servicenow.url() else {
        findings.push(Finding::ok("servicenow.mode", "the instance pulls (on-premises mode), so it is not looked at"));
        return false;
    };
    let url = url.as_str().trim_end_matches('/');
    let page = match patient.servicenow.rows(table, "", "sys_id", 1).await {
        Ok(page) => page,
        Err(Outcome::Auth(failure)) => {
            let remedy = failure.hint.unwrap_or_else(|| {
                "check user and password; many instances refuse Basic by now, then use auth = \"oauth\"".to_owned()
            });
            findings.push(Finding::fail("servicenow.credentials", format!("{url} refuses the credentials"), remedy));
            return false;
        }
        Err(outcome) => {
            findings.push(failed("servicenow.reach", &format!("the table {table} of {url} cannot be read"), &outcome));
            return false;
        }
    };
    findings.push(Finding::ok("servicenow.reach", format!("{url} answers and knows the credentials")));
    findings.extend(skew("servicenow.clock", "ServiceNow", page.server_time, patient.clock.now()));
    if page.rows.is_empty() && page.counted.is_some_and(|count| count > 0) {
        findings.push(Finding::fail(
            "servicenow.read",
            format!("ServiceNow counts records in {table} and shows us none"),
            "give the integration user a role that reads the table, such as sn_incident_read or itil",
        ));
    } else {
        findings.push(Finding::ok("servicenow.read", format!("the table {table} can be read")));
    }
    true
}

async fn user(patient: &Patient<'_>, findings: &mut Vec<Finding>) {
    const CODE: &str = "servicenow.time-zone";
    const REMEDY: &str = "set the time zone of the integration user to UTC (GMT)";
    let asked = patient.servicenow.rows("sys_user", "sys_id=javascript:gs.getUserID()", "sys_id,time_zone", 2).await;
    let zone = match asked {
        // More than one row: the condition was dropped.
        Ok(Page { rows, .. }) if rows.len() == 1 => rows.first().and_then(|row| row.get("time_zone")).cloned(),
        Ok(_) | Err(_) => None,
    };
    findings.push(match zone.as_deref() {
        Some("UTC" | "GMT" | "Etc/UTC" | "Etc/GMT") => Finding::ok(CODE, "the integration user's time zone is UTC"),
        Some("") => match property(patient, "glide.sys.default.tz").await.as_deref() {
            Some("UTC" | "GMT" | "Etc/UTC" | "Etc/GMT") => Finding::ok(CODE, "the instance's time zone is UTC"),
            Some(zone) => {
                Finding::warn(CODE, format!("the integration user has the instance's time zone, {zone}"), REMEDY)
            }
            None => Finding::warn(CODE, "the integration user has no time zone of its own", REMEDY),
        },
        Some(zone) => Finding::warn(CODE, format!("the integration user's time zone is {zone}"), REMEDY),
        None => {
            Finding::warn(CODE, "the integration user's own record cannot be read, so its time zone is unknown", REMEDY)
        }
    });
}

/// A system property, where it may be read.
pub(super) async fn property(patient: &Patient<'_>, name: &str) -> Option<String> {
    let page = patient.servicenow.rows("sys_properties", &format!("name={name}"), "name,value", 2).await.ok()?;
    let mut named = page.rows.into_iter().filter(|row| row.get("name").is_some_and(|found| found == name));
    named.next()?.remove("value")
}

async fn release(patient: &Patient<'_>, findings: &mut Vec<Finding>) {
    let war = property(patient, "glide.war").await;
    let said = match war.filter(|war| !war.is_empty()) {
        Some(war) => Some(war),
        None => property(patient, "glide.buildname").await,
    };
    findings.push(match said {
        Some(said) => release::judge(&said),
        None => Finding::warn(
            "servicenow.release",
            "the instance does not show its release",
            "let the integration user read sys_properties, or look at stats.do yourself: Istanbul or later is needed",
        ),
    });
}

/// The columns of a table as the dictionary or, where that is hidden, a record shows them. `None`: neither does.
pub(super) async fn known_columns(patient: &Patient<'_>, wanted: &BTreeSet<String>) -> Option<BTreeSet<String>> {
    let table = &patient.integration.servicenow.table;
    let list = wanted.iter().map(String::as_str).collect::<Vec<_>>().join(",");
    let tables = if table == "task" { "task".to_owned() } else { format!("{table},task") };
    let query = format!("nameIN{tables}^elementIN{list}^ORDERBYelement^ORDERBYsys_id");
    if let Ok(Page { rows, .. }) = patient.servicenow.rows("sys_dictionary", &query, "name,element", 1000).await {
        let element = |row: Cells| row.get("element").cloned().filter(|element| wanted.contains(element));
        let found: BTreeSet<String> = rows.into_iter().filter_map(element).collect();
        if !found.is_empty() {
            return Some(found);
        }
    }
    let page = patient.servicenow.rows(table, "", &list, 1).await.ok()?;
    Some(page.rows.into_iter().next()?.into_keys().filter(|column| wanted.contains(column)).collect())
}

async fn columns(patient: &Patient<'_>, findings: &mut Vec<Finding>) {
    let settings = &patient.integration.settings;
    let table = &patient.integration.servicenow.table;
    let mapped = settings.tag_mapping.iter().map(|mapping| mapping.field.clone());
    let named: BTreeSet<String> = settings.update_fields.iter().cloned().chain(mapped).collect();
    let needed: BTreeSet<String> = NEEDED.iter().map(|column| (*column).to_owned()).collect();
    let ours: BTreeSet<String> = COLUMNS.iter().map(|column| column.name.to_owned()).collect();
    let wanted: BTreeSet<String> = needed.iter().chain(&named).chain(&ours).cloned().collect();
    let Some(known) = known_columns(patient, &wanted).await else {
        findings.push(Finding::warn(
            "servicenow.columns",
            format!("which columns {table} has cannot be seen"),
            "let the integration user read sys_dictionary",
        ));
        return;
    };
    let missing = |of: &BTreeSet<String>| of.difference(&known).cloned().collect::<Vec<_>>();
    let report = |code, what: &str, missing: &[String], level: Level, remedy: &str| {
        let list = missing.join(", ");
        match (missing.is_empty(), level) {
            (true, _) => Finding::ok(code, format!("{what} are in {table}")),
            (false, Level::Fail) => Finding::fail(code, format!("{table} lacks {list}"), remedy),
            (false, Level::Warn | Level::Ok) => Finding::warn(code, format!("{table} lacks {list}"), remedy),
        }
    };
    findings.push(report(
        "servicenow.columns",
        "the columns that the sync needs",
        &missing(&needed),
        Level::Fail,
        "name a table that extends task, or let the integration user see these columns",
    ));
    if !named.is_empty() {
        findings.push(report(
            "servicenow.fields",
            "the columns that the settings name",
            &missing(&named),
            Level::Fail,
            "correct incidents.update_fields and incidents.tag_mapping; names are those of the dictionary",
        ));
    }
    findings.push(report(
        "servicenow.bigpanda-columns",
        "the columns u_bp_*",
        &missing(&ours),
        Level::Warn,
        "import what `tandem servicenow update-set` writes; without them the rest of the ticket is written all the same",
    ));
}

async fn references(patient: &Patient<'_>, findings: &mut Vec<Finding>) {
    let settings = &patient.integration.settings;
    let named = [
        ("assignment_group", "assignment_group", "sys_user_group", "name", &settings.assignment_group),
        ("caller_email", "caller_id", "sys_user", "email", &settings.caller_email),
        ("opened_by_email", "opened_by", "sys_user", "email", &settings.opened_by_email),
        ("resolved_by_email", "resolved_by", "sys_user", "email", &settings.resolved_by_email),
    ];
    for (setting, field, table, by, value) in named {
        let Some(value) = value.clone() else { continue };
        let reference = Reference { field: field.to_owned(), table: table.to_owned(), by: by.to_owned(), value };
        findings.push(match patient.servicenow.resolve(&reference).await {
            Ok(Some(_)) => {
                Finding::ok("servicenow.reference", format!("incidents.{setting} names a record of {table}"))
            }
            Ok(None) => Finding::warn(
                "servicenow.reference",
                format!("incidents.{setting} names no record of {table}, so {field} would stay empty"),
                format!("write the {by} exactly as {table} has it"),
            ),
            Err(outcome) => {
                failed("servicenow.reference", &format!("incidents.{setting} cannot be looked up"), &outcome)
            }
        });
    }
}

/// ServiceNow drops a code that it does not know, and then refuses the resolution.
async fn close_codes(patient: &Patient<'_>, findings: &mut Vec<Finding>) {
    const CODE: &str = "servicenow.close-code";
    let settings = &patient.integration.settings;
    let table = &patient.integration.servicenow.table;
    let query = format!("name={table}^element=close_code^inactive=false^ORDERBYsequence^ORDERBYsys_id");
    let asked = patient.servicenow.rows("sys_choice", &query, "name,element,value", 200).await;
    let ours = |row: &Cells| {
        let is = |column: &str, wanted: &str| row.get(column).is_some_and(|found| found == wanted);
        is("name", table) && is("element", "close_code")
    };
    let known: Vec<String> = match asked {
        Ok(page) => page.rows.into_iter().filter(ours).filter_map(|mut row| row.remove("value")).collect(),
        Err(_) => Vec::new(),
    };
    if known.is_empty() {
        findings.push(Finding::warn(
            CODE,
            format!("which closure codes {table} has cannot be seen"),
            "let the integration user read sys_choice, or compare incidents.close_code with the form yourself",
        ));
        return;
    }
    let mut unknown: Vec<&str> = std::iter::once(settings.close_code.as_str())
        .chain(settings.close_code_mapping.iter().map(|row| row.close_code.as_str()))
        .filter(|code| !known.iter().any(|known| known == code))
        .collect();
    unknown.dedup();
    findings.push(if unknown.is_empty() {
        Finding::ok(CODE, format!("{table} has the closure codes that the settings name"))
    } else {
        Finding::fail(
            CODE,
            format!("{table} has no closure code {}, so tickets could not be resolved", unknown.join(", ")),
            format!("write one of these into incidents.close_code: {}", known.join(", ")),
        )
    });
}

/// Writes what is there already to the newest ticket of ours: ServiceNow checks the right and changes nothing.
async fn write(patient: &Patient<'_>, findings: &mut Vec<Finding>) {
    const CODE: &str = "servicenow.write";
    let table = &patient.integration.servicenow.table;
    let query = "correlation_display=BigPanda^active=true^ORDERBYDESCsys_created_on^ORDERBYsys_id";
    let columns = "sys_id,number,correlation_display";
    let page = match patient.servicenow.rows(table, query, columns, 1).await {
        Ok(page) => page,
        Err(outcome) => {
            findings.push(failed(CODE, "no ticket to try a write on could be looked for", &outcome));
            return;
        }
    };
    let ours = |row: &Cells| row.get("correlation_display").is_some_and(|display| display == "BigPanda");
    let ticket = page.rows.iter().find(|row| ours(row)).and_then(|row| {
        Some((crate::domain::id::SysId::new(row.get("sys_id")?).ok()?, row.get("number").cloned().unwrap_or_default()))
    });
    let Some((sys_id, number)) = ticket else {
        findings.push(Finding::warn(
            CODE,
            "writing was not tried, because there is no open ticket of ours yet",
            "share a first incident, and run this again",
        ));
        return;
    };
    let same = [FieldValue { field: "correlation_display".to_owned(), value: "BigPanda".to_owned() }];
    let outcome = patient.servicenow.update(table, &sys_id, &same).await;
    findings.push(if matches!(outcome, Outcome::Applied(_)) {
        Finding::ok(CODE, format!("{number} can be written (nothing was changed)"))
    } else {
        failed(CODE, &format!("{number} cannot be written"), &outcome)
    });
}
