//! The records of the update set, one after the other: what each is and which fields it has.

use super::{COLUMNS, Column, Contents, sys_id};

/// A record of ServiceNow's own tables.
pub(super) struct Record {
    pub(super) table: &'static str,
    /// As update sets call it, which is how ServiceNow finds it again.
    pub(super) update_name: String,
    pub(super) sys_id: String,
    /// What it is called in lists.
    pub(super) name: String,
    /// What kind of record it is, in ServiceNow's words.
    pub(super) kind: &'static str,
    /// Table that it belongs to, for those that belong to one.
    pub(super) belongs_to: &'static str,
    pub(super) fields: Vec<(&'static str, String)>,
}

const PULL: &str = include_str!("TandemPull.js");
const JOB: &str = "new TandemPull().run();\n";

pub(super) fn all(contents: &Contents) -> Vec<Record> {
    let mut records = Vec::new();
    for column in COLUMNS {
        records.push(dictionary(column, &contents.table));
        records.push(label(column, &contents.table));
    }
    records.extend(properties(contents));
    records.push(button(
        contents,
        "BigPanda Incident",
        "tandem_incident",
        "u_bp_incident_url",
        "tandem.show_incident_button",
    ));
    records.push(button(
        contents,
        "BigPanda Timeline",
        "tandem_timeline",
        "u_bp_timeline_url",
        "tandem.show_timeline_button",
    ));
    records.push(script_include());
    records.push(job(contents.pull.is_some()));
    records
}

fn dictionary(column: &Column, table: &str) -> Record {
    Record {
        table: "sys_dictionary",
        update_name: format!("sys_dictionary_{table}_{}", column.name),
        sys_id: sys_id("sys_dictionary", &format!("{table}.{}", column.name)),
        name: column.label.to_owned(),
        kind: "Dictionary",
        belongs_to: "",
        fields: vec![
            ("active", on(true)),
            ("array", on(false)),
            ("audit", on(false)),
            ("column_label", column.label.to_owned()),
            ("comments", column.help.to_owned()),
            ("display", on(false)),
            ("element", column.name.to_owned()),
            ("internal_type", column.kind.to_owned()),
            ("mandatory", on(false)),
            ("max_length", column.length.to_string()),
            ("name", table.to_owned()),
            ("primary", on(false)),
            ("read_only", on(false)),
            ("unique", on(false)),
        ],
    }
}

fn label(column: &Column, table: &str) -> Record {
    Record {
        table: "sys_documentation",
        update_name: format!("sys_documentation_{table}_{}_en", column.name),
        sys_id: sys_id("sys_documentation", &format!("{table}.{}", column.name)),
        name: column.label.to_owned(),
        kind: "Field Label",
        belongs_to: "",
        fields: vec![
            ("element", column.name.to_owned()),
            ("hint", column.help.to_owned()),
            ("label", column.label.to_owned()),
            ("language", "en".to_owned()),
            ("name", table.to_owned()),
            ("plural", column.label.to_owned()),
        ],
    }
}

/// A property's value is left out where the operator sets it, so that a second import does not empty it.
fn properties(contents: &Contents) -> Vec<Record> {
    let pull = contents.pull.as_ref();
    let property = |name: &str, kind: &str, help: &str, value: Option<String>| {
        let id = sys_id("sys_properties", name);
        let mut fields = vec![
            ("description", help.to_owned()),
            ("ignore_cache", on(false)),
            ("is_private", on(true)),
            ("name", name.to_owned()),
            ("suffix", name.to_owned()),
            ("type", kind.to_owned()),
        ];
        fields.extend(value.map(|value| ("value", value)));
        Record {
            table: "sys_properties",
            update_name: format!("sys_properties_{id}"),
            sys_id: id,
            name: name.to_owned(),
            kind: "System Property",
            belongs_to: "",
            fields,
        }
    };
    vec![
        property(
            "tandem.show_incident_button",
            "boolean",
            "Show the button BigPanda Incident on the form",
            Some(on(contents.incident_button)),
        ),
        property(
            "tandem.show_timeline_button",
            "boolean",
            "Show the button BigPanda Timeline on the form",
            Some(on(contents.timeline_button)),
        ),
        property(
            "tandem.pull.retrieve_url",
            "string",
            "Where the job Tandem Pull asks for shares",
            pull.map(|pull| pull.retrieve.clone()),
        ),
        property(
            "tandem.pull.callback_url",
            "string",
            "Where the job Tandem Pull tells what became of a share",
            pull.map(|pull| pull.callback.clone()),
        ),
        property("tandem.pull.token", "password2", "Token of Tandem's webhook", None),
        property(
            "tandem.pull.count",
            "integer",
            "Most shares that are pulled at once",
            Some(contents.pull_count.to_string()),
        ),
        property(
            "tandem.pull.mid_server",
            "string",
            "MID server to ask through; empty: the instance asks by itself",
            None,
        ),
    ]
}

/// Reads the column, not the description, so it works whatever the description says.
fn button(contents: &Contents, name: &str, action: &str, column: &str, property: &str) -> Record {
    let key = format!("{}.{action}", contents.table);
    let id = sys_id("sys_ui_action", &key);
    Record {
        table: "sys_ui_action",
        update_name: format!("sys_ui_action_{id}"),
        sys_id: id,
        name: name.to_owned(),
        kind: "UI Action",
        belongs_to: "",
        fields: vec![
            ("action_name", action.to_owned()),
            ("active", on(true)),
            ("client", on(false)),
            ("comments", format!("Opens the address in {column}")),
            ("condition", format!("gs.getProperty('{property}') == 'true' && !gs.nil(current.{column})")),
            ("form_button", on(true)),
            ("form_link", on(false)),
            ("isolate_script", on(false)),
            ("list_button", on(false)),
            ("name", name.to_owned()),
            ("order", "500".to_owned()),
            ("script", open_script(column)),
            ("show_insert", on(false)),
            ("show_query", on(false)),
            ("show_update", on(true)),
            ("table", contents.table.clone()),
        ],
    }
}

/// Only https is followed: whoever may write the column must not lead people elsewhere.
fn open_script(column: &str) -> String {
    format!(
        "(function() {{
    var address = current.getValue('{column}');
    if (address && address.indexOf('https://') === 0) {{
        action.setRedirectURL(address);
    }} else {{
        gs.addErrorMessage('The ticket has no link into BigPanda.');
        action.setRedirectURL(current);
    }}
}})();
"
    )
}

fn script_include() -> Record {
    let id = sys_id("sys_script_include", "TandemPull");
    Record {
        table: "sys_script_include",
        update_name: format!("sys_script_include_{id}"),
        sys_id: id,
        name: "TandemPull".to_owned(),
        kind: "Script Include",
        belongs_to: "",
        fields: vec![
            ("access", "package_private".to_owned()),
            ("active", on(true)),
            ("api_name", "global.TandemPull".to_owned()),
            ("client_callable", on(false)),
            (
                "description",
                "Pulls shares from Tandem, writes the tickets, and tells Tandem what became of each".to_owned(),
            ),
            ("name", "TandemPull".to_owned()),
            ("script", PULL.to_owned()),
        ],
    }
}

/// Durations are dates from 1970 on.
fn job(active: bool) -> Record {
    let id = sys_id("sysauto_script", "Tandem Pull");
    Record {
        table: "sysauto_script",
        update_name: format!("sysauto_script_{id}"),
        sys_id: id,
        name: "Tandem Pull".to_owned(),
        kind: "Scheduled Script Execution",
        belongs_to: "",
        fields: vec![
            ("active", on(active)),
            ("conditional", on(false)),
            ("name", "Tandem Pull".to_owned()),
            ("run_period", "1970-01-01 00:00:15".to_owned()),
            ("run_start", "2026-01-01 00:00:00".to_owned()),
            ("run_type", "periodically".to_owned()),
            ("script", JOB.to_owned()),
        ],
    }
}

fn on(on: bool) -> String {
    on.to_string()
}
